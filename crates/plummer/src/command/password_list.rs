//! `plummer password-list`: the list of stolen passwords, made offline from the public one, shown and
//! checked (NIST SP 800-63B 5.1.1.2). Nothing is asked of anybody else, and no password or hash is shown.

use crate::cli::passwords::{Format, Import, PasswordList, PasswordListCommand};
use crate::password_list::{self, List};
use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use base::Clock as _;
use base::time::SystemClock;
use identity::packed::About;
use identity::packing::{Form, pack};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Bytes read at once: the public list has 40 GB.
const READ_BYTES: usize = 1 << 20;

/// Does what is asked about the list.
pub(crate) fn run(settings: &Settings, args: &PasswordList) -> anyhow::Result<ExitCode> {
    match &args.command {
        PasswordListCommand::Import(args) => import(settings, args)?,
        PasswordListCommand::Show(args) => show(settings, args.json)?,
        PasswordListCommand::Check => check(settings)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn import(settings: &Settings, args: &Import) -> anyhow::Result<()> {
    let to = args.to.clone().unwrap_or_else(|| password_list::place(settings).0);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        bail!("{}: the folder is not there; name a file by --to", to.display());
    }
    let beside = beside(&to);
    let made = if args.from.as_os_str() == "-" {
        write(std::io::stdin().lock(), args, &beside)
    } else {
        let named = || args.from.display().to_string();
        let file = File::open(&args.from).with_context(named)?;
        write(BufReader::with_capacity(READ_BYTES, file), args, &beside)
    };
    let about = match made {
        Ok(about) => about,
        Err(error) => {
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
    };
    fs::rename(&beside, &to).with_context(|| to.display().to_string())?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", to.display())?;
    writeln!(out, "{}", told(&about))?;
    writeln!(std::io::stderr(), "A server that runs takes it at its next start.")?;
    Ok(())
}

/// Written there first, so that a list is whole or is not there.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".making");
    to.with_file_name(name)
}

fn write(from: impl BufRead, args: &Import, beside: &Path) -> anyhow::Result<About> {
    let named = || beside.display().to_string();
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(beside);
    let mut to = BufWriter::new(file.with_context(named)?);
    let form = match args.format {
        Format::Sha1 => Form::Sha1,
        Format::Plain => Form::Plain,
    };
    let told = |lines: u64| {
        let _ = write!(std::io::stderr(), "\r{} million lines read", lines >> 20);
    };
    let about = pack(from, form, &mut to, SystemClock.now(), args.min_count, told);
    let about = about.with_context(|| args.from.display().to_string())?;
    if about.entries >= 1 << 20 {
        writeln!(std::io::stderr())?;
    }
    let file = to.into_inner().map_err(std::io::IntoInnerError::into_error).with_context(named)?;
    file.sync_all().with_context(named)?;
    Ok(about)
}

fn told(about: &About) -> String {
    format!(
        "{} hashes, seen {} times or more; made {}; one of {} other passwords is refused by chance",
        about.entries,
        about.count_min,
        about.made.to_instant().get(..10).unwrap_or_default(),
        about.one_in()
    )
}

fn show(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let path = password_list::place(settings).0;
    let list = password_list::open(settings)?;
    let mut out = std::io::stdout().lock();
    if json {
        let about = list.as_ref().and_then(List::about);
        let shown = serde_json::json!({
            "path": path,
            "made": list.as_ref().map(|list| list.made().to_instant()),
            "entries": about.map(|about| about.entries),
            "minCount": about.map(|about| about.count_min),
            "falsePositiveOneIn": about.map(About::one_in),
        });
        writeln!(out, "{shown}")?;
        return Ok(());
    }
    match &list {
        None => writeln!(out, "there is no list; {} would be one", path.display())?,
        Some(List::Packed(packed)) => {
            writeln!(out, "{}", path.display())?;
            writeln!(out, "{}", told(packed.about()))?;
        }
        Some(List::Lines(_, made)) => {
            writeln!(out, "{}", path.display())?;
            writeln!(out, "lines of hashes; the file was written {}", made.to_instant())?;
        }
    }
    Ok(())
}

fn check(settings: &Settings) -> anyhow::Result<()> {
    let path = password_list::place(settings).0;
    match password_list::open(settings)? {
        None => bail!("there is no list at {}", path.display()),
        Some(List::Lines(..)) => {
            bail!("{} is a list of lines, which has no checksums; import it", path.display())
        }
        Some(List::Packed(list)) => {
            list.check(|_| {}).map_err(|fault| anyhow!("{}: {fault}", path.display()))?;
            writeln!(std::io::stdout(), "{} is whole", path.display())?;
            Ok(())
        }
    }
}
