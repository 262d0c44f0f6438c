//! `plummer backup`: a whole data folder, consistent, also while a server runs. The records are copied
//! as of one commit; the access log is copied up to that commit, link by link, so the copy opens like
//! any data folder and its log verifies (45 CFR 164.308(a)(7)(ii)(A)).

use crate::cli::Backup;
use crate::control;
use crate::opening;
use crate::progress::{Progress, Step};
use crate::settings::Settings;
use crate::wish::Wish;
use anyhow::{Context as _, bail};
use audit::Log;
use base::time::SystemClock;
use record::Session;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use store::Store;

/// Bytes of events handed to the copy's writer before it is waited for; it refuses more than 16 MiB.
const WAITING_BYTES_MAX: usize = 4 << 20;

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
    writeln!(std::io::stdout(), "backed up to {}", to.display())?;
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
    session.backup(&folder.join("records.sqlite"), progress)?;
    let commit = {
        let copied = Store::open(&folder, store::Options::default())?;
        copied.last_commit()
    };
    copy_log(&data.join("audit"), &to.join("audit"), commit)
}

/// Copies the events of the log up to the last that belongs to `commit` or an earlier one. The links
/// are made anew and compared, so a damaged log is never copied as if it were sound.
fn copy_log(from: &Path, to: &Path, commit: u64) -> anyhow::Result<()> {
    let log = Log::open(to, audit::Options::new(Arc::new(SystemClock)))?;
    let (mut last, mut waiting) = (log.head(), 0);
    for entry in audit::read(from, 1)? {
        let entry = entry?;
        if entry.event.commit_seq > commit {
            break;
        }
        let encoded = entry.event.encode();
        waiting += encoded.len();
        let ticket = log.append_encoded(&encoded)?;
        if waiting > WAITING_BYTES_MAX {
            ticket.written().wait()?;
            waiting = 0;
        }
        last = log.head();
        if last.seq != entry.seq || last.hash != entry.hash {
            bail!("the access log is damaged at event {}; run `plummer audit verify`", entry.seq);
        }
    }
    let closed = log.close()?;
    if closed != last {
        bail!("the copy of the access log is not whole");
    }
    Ok(())
}
