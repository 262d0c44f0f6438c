//! `plummer backup`: a whole data folder, consistent, also while a server runs. The records are copied
//! as of one commit; the access log is copied up to that commit, link by link, so the copy opens like
//! any data folder and its log verifies (45 CFR 164.308(a)(7)(ii)(A)).

use crate::cli::Backup;
use crate::control;
use crate::doctor::stamp::Stamp;
use crate::opening;
use crate::progress::{Progress, Step};
use crate::settings::Settings;
use crate::wish::Wish;
use anyhow::{Context as _, bail};
use record::Session;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use tracing::warn;

/// Copies everything to a new folder.
pub(crate) fn run(settings: &Settings, args: &Backup) -> anyhow::Result<ExitCode> {
    let to = std::path::absolute(&args.to)?;
    let mut progress = Progress::begin("copying", "pages");
    let mut told = |done, all| progress.step(Step { count: done, done, all });
    let wish = control::request(Wish::Backup { to: to.clone() });
    if control::ask(&settings.data(), &wish, &mut told)?.is_none() {
        let record = opening::record(settings)?;
        let session = opening::session(&record);
        copy(&session, &settings.data(), &to, &mut told)?;
    }
    progress.end();
    let mut out = std::io::stdout();
    writeln!(out, "backed up to {}", to.display())?;
    let keys = settings.data().join("keys");
    if let Some(folder) = &args.keys_to {
        // After the records: each of them is then sealed under a key that the copy has.
        copy_keys(&keys, folder)?;
        writeln!(out, "the keys, but not the root key, to {}", folder.display())?;
    } else if record::has_keys(&settings.data()) {
        writeln!(out, "its keys are not in it: without {} it opens nowhere", keys.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Copies the records and their access log to the folder `to`, which must be new or empty.
pub(crate) fn copy(
    session: &Session,
    data: &Path,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> anyhow::Result<()> {
    if to.exists() && std::fs::read_dir(to)?.next().is_some() {
        bail!("{} is not empty", to.display());
    }
    let folder = to.join("store");
    record::private_folder(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let commit = session.backup(&folder.join("records.sqlite"), progress)?;
    // The links are held on the way, so a damaged log is never copied as if it were sound.
    session.backup_log(data, &to.join("audit"), commit)?;
    if Stamp::Backup.leave(data).is_err() {
        warn!("the backup is made, and its time could not be noted in the data folder");
    }
    Ok(())
}

/// Copies the files of keys in place of those that are there: one copy is kept, so that a key that was
/// destroyed is gone from it too.
fn copy_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    record::private_folder(to).with_context(|| format!("cannot make {}", to.display()))?;
    // The tenant's keys open the patients': a rotation in between shows when they are opened.
    for name in ["patients.keys", "tenant.keys"] {
        let (new, old) = (to.join(format!("{name}.new")), to.join(name));
        let what = || format!("cannot copy {name} to {}", to.display());
        std::fs::copy(from.join(name), &new).with_context(what)?;
        std::fs::File::open(&new)?.sync_all()?;
        std::fs::rename(&new, &old).with_context(what)?;
    }
    std::fs::File::open(to)?.sync_all()?;
    Ok(())
}
