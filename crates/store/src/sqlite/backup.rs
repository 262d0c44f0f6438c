//! Copies of the store: online, consistent, and put back only into an empty place.

use super::open::{connect, make_ready};
use super::{Shared, Sync, cipher, io, schema, unavailable};
use crate::payload::Cipher;
use base::Fault;
use base::error::code;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// Pages copied between two looks at the clock.
const STEP_PAGES: i32 = 2048;

/// Copies the store into `to`, a file that must not exist, while writers go on.
///
/// A reader's snapshot is held for the whole copy, so the copy is of one commit.
pub(super) fn backup(
    shared: &Shared,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    if to.exists() {
        return Err(Fault::new(&code::STORE_UNAVAILABLE, "the backup's file exists already"));
    }
    let partial = to.with_extension("partial");
    if partial.exists() {
        std::fs::remove_file(&partial).map_err(|e| io(&e))?;
    }
    let source = shared.borrow_reader()?;
    let result = copy(shared, &source, &partial, progress);
    if !source.is_autocommit() && source.execute_batch("COMMIT").is_err() {
        tracing::warn!("a backup's snapshot could not be released");
    }
    shared.return_reader(source);
    let last = result?;
    std::fs::File::open(&partial).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
    std::fs::rename(&partial, to).map_err(|e| io(&e))?;
    if let Some(folder) = to.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
    }
    Ok(last)
}

fn copy(
    shared: &Shared,
    source: &Connection,
    to: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    source
        .execute_batch("BEGIN; SELECT count(*) FROM meta;")
        .or_else(|_| source.query_row("SELECT 1 FROM meta", [], |_| Ok(())))
        .map_err(unavailable)?;
    // A sealed store's copy is sealed under the same keys, page by page anew.
    let _known = match &shared.cipher {
        Some(cipher) => Some(cipher::Known::new(to, &cipher.pages, 0, true)?),
        None => None,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut target = connect(to, shared.cipher.is_some(), flags)?;
    // A copy that is broken off is thrown away, so it needs no journal.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        .map_err(unavailable)?;
    {
        let backup = Backup::new(source, &mut target).map_err(unavailable)?;
        loop {
            let step = backup.step(STEP_PAGES).map_err(unavailable)?;
            let p = backup.progress();
            let (all, left) =
                (u64::from(p.pagecount.unsigned_abs()), u64::from(p.remaining.unsigned_abs()));
            progress(all.saturating_sub(left), all);
            match step {
                StepResult::Done => break,
                StepResult::Busy | StepResult::Locked => {
                    std::thread::sleep(Duration::from_millis(20))
                }
                _ => {}
            }
        }
    }
    let sound: String =
        target.query_row("PRAGMA quick_check(1)", [], |r| r.get(0)).map_err(unavailable)?;
    if sound != "ok" {
        return Err(Fault::new(&code::STORE_CORRUPT, "the copy does not pass its check"));
    }
    target
        .query_row(
            "SELECT max(coalesce((SELECT max(vid) FROM ver), 0), \
             coalesce((SELECT value FROM meta WHERE key = 'next_vid'), 1) - 1)",
            [],
            |r| r.get(0),
        )
        .map_err(unavailable)
}

/// Puts a backup into an empty folder, after checking that it is one of ours and whole.
///
/// # Errors
/// `store.key.missing` when it is sealed and no keys are given, `store.key.other` when they are others.
pub fn restore(from: &Path, dir: &Path, keys: Option<&Cipher>) -> Result<(), Fault> {
    let target = dir.join("records.sqlite");
    if target.exists() {
        return Err(Fault::new(
            &code::STORE_UNAVAILABLE,
            "the folder holds a store already; restore into an empty one",
        ));
    }
    std::fs::create_dir_all(dir).map_err(|e| io(&e))?;
    // It is copied first and looked at in its new place: a backup may lie where nothing can be written.
    let partial = dir.join("records.partial");
    std::fs::copy(from, &partial).map_err(|e| io(&e))?;
    if let Err(fault) = check(&partial, keys) {
        std::fs::remove_file(&partial).map_err(|e| io(&e))?;
        return Err(fault);
    }
    std::fs::File::open(&partial).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
    std::fs::rename(&partial, &target).map_err(|e| io(&e))?;
    std::fs::File::open(dir).and_then(|f| f.sync_all()).map_err(|e| io(&e))
}

/// Looks whether a file is a backup of ours, and whole. A plain one stays plain, whatever keys there are.
fn check(file: &Path, keys: Option<&Cipher>) -> Result<(), Fault> {
    let sealed = cipher::form(file)? == cipher::Form::Sealed;
    let known = make_ready(file, keys.filter(|_| sealed), Sync::Full, 0)?;
    let source = connect(file, known.is_some(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let application: i64 =
        source.query_row("PRAGMA application_id", [], |r| r.get(0)).map_err(unavailable)?;
    if application != schema::APPLICATION_ID {
        return Err(Fault::new(&code::STORE_CORRUPT, "the file is not a backup of this program"));
    }
    let version: i64 =
        source.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(unavailable)?;
    if version > schema::VERSION {
        return Err(Fault::new(&code::STORE_TOO_NEW, "the backup is of a newer program"));
    }
    let sound: String =
        source.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0)).map_err(unavailable)?;
    if sound != "ok" {
        return Err(Fault::new(&code::STORE_CORRUPT, "the backup does not pass its check"));
    }
    Ok(())
}
