//! `plummer restore`: a backup becomes the data folder, after it was checked: the records' file by the
//! store, the access log link by link (45 CFR 164.308(a)(7)(ii)(B)).

use crate::apps;
use crate::cli::Restore;
use crate::directory;
use crate::opening;
use crate::progress::grouped;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Puts a backup into an empty data folder.
pub(crate) fn run(settings: &Settings, args: &Restore) -> anyhow::Result<ExitCode> {
    let (from, data) = (&args.from, settings.data());
    let file = from.join("store").join("records.sqlite");
    if !file.is_file() {
        bail!("{} is no backup: it has no store/records.sqlite", from.display());
    }
    if data.join("store").exists() || data.join("audit").exists() {
        bail!("{} holds records already; name an empty folder by --data", data.display());
    }
    let report = audit::verify(&from.join("audit"), None)?;
    if let Some(damage) = report.damage {
        bail!("the backup's access log is damaged at event {}", damage.seq);
    }
    let clock: Arc<dyn base::Clock> = Arc::new(base::time::SystemClock);
    let restoring = data.join(opening::RESTORING);
    record::private_folder(&data).with_context(|| format!("cannot make {}", data.display()))?;
    fs::File::create(&restoring)?.sync_all()?;
    fs::File::open(&data)?.sync_all()?;
    record::restore(&file, &data, &settings.encryption()?, &clock)?;
    copy_folder(&from.join("audit"), &data.join("audit"))?;
    // With its keys in place its events are opened, not only its links held.
    let key = settings.encryption()?.log_key(&data).map_err(|fault| anyhow!("{fault}"))?;
    let report = audit::verify_under(&data.join("audit"), None, key.as_ref())?;
    if let Some(damage) = report.damage {
        bail!("the backup's access log is damaged at event {}", damage.seq);
    }
    // Opening it is the proof that it can be opened.
    let record = opening::restoring(settings)?;
    let count: u64 = record.store_stats().live.iter().map(|(_, count)| count).sum();
    opening::session(&record).restored(count)?;
    // What was revoked since the backup was made would be valid in it again.
    directory::operator(&record).revoke_everything().map_err(|fault| anyhow!("{fault}"))?;
    apps::forget(&record).map_err(|fault| anyhow!("{fault}"))?;
    fs::remove_file(&restoring)?;
    fs::File::open(&data)?.sync_all()?;
    writeln!(
        std::io::stdout(),
        "restored {} resources and {} access log events to {}",
        grouped(count),
        grouped(report.events),
        data.display()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    record::private_folder(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && entry.file_name() != "lock" {
            let copy = to.join(entry.file_name());
            fs::copy(entry.path(), &copy)?;
            fs::File::open(&copy)?.sync_all()?;
        }
    }
    fs::File::open(to)?.sync_all()?;
    Ok(())
}
