//! Loads the JSON files of a folder through the gate on two threads and tells the rate. Files whose
//! references point at others come again after them.
//!
//! `cargo run --release -p record --example import_rate -- FOLDER`

use base::{Fault, Limits};
use fhir::Document;
use record::{Import, ImportOptions, ImportOutcome, PreparedDocument, Record, Settings, Subject};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

type Told = Mutex<BTreeMap<&'static str, usize>>;

#[expect(clippy::print_stdout, reason = "a command that prints its measurement")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("give a folder of JSON files")?;
    let mut files = Vec::new();
    let mut bytes = 0;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            bytes += path.metadata()?.len();
            files.push(path);
        }
    }
    files.sort();
    let dir = tempfile::tempdir()?;
    let told = Told::default();
    for round in ["first", "second"] {
        let record = Record::open(dir.path(), Settings::default())?;
        let session = record.session(Subject::operator(), [0; 16]);
        let import = session.import(ImportOptions::default())?;
        let started = Instant::now();
        let left = load(&import, &files, false, &told)?;
        load(&import, &left, true, &told)?;
        let seconds = started.elapsed().as_secs_f64();
        let told = std::mem::take(&mut *told.lock().map_err(|e| e.to_string())?);
        let all: usize = told.values().sum();
        let stats = record.store_stats();
        println!(
            "{round}: {all} resources, {bytes} bytes, {seconds:.2} s, {:.0}/s; {told:?}; {} bytes a \
             resource; writer busy {:.2} s",
            f64::from(u32::try_from(all)?) / seconds,
            (stats.file_bytes + stats.wal_bytes) / u64::try_from(all)?.max(1),
            std::time::Duration::from_micros(stats.writer_busy_micros).as_secs_f64(),
        );
    }
    Ok(())
}

/// Loads files; answers those that wait for others.
fn load(
    import: &Import,
    files: &[PathBuf],
    last: bool,
    told: &Told,
) -> Result<Vec<PathBuf>, Box<dyn std::error::Error>> {
    let next = AtomicUsize::new(0);
    let left = Mutex::new(Vec::new());
    let outcome: Result<Vec<()>, Fault> = std::thread::scope(|scope| {
        let work = || {
            let mut waiting = None;
            while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(prepared) = prepared(import, path, last) else { continue };
                if prepared.is_deferred() {
                    if let Ok(mut left) = left.lock() {
                        left.push(path.clone());
                    }
                    continue;
                }
                let submitted = import.submit(vec![prepared]);
                tell(waiting.replace(submitted), told)?;
            }
            tell(waiting, told)
        };
        let threads = [scope.spawn(work), scope.spawn(work)];
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    outcome?;
    Ok(left.into_inner()?)
}

fn prepared(import: &Import, path: &Path, last: bool) -> Option<PreparedDocument> {
    let document = Document::parse(std::fs::read(path).ok()?, &Limits::default()).ok()?;
    Some(if last { import.prepare_last(document) } else { import.prepare(document) })
}

fn tell(submitted: Option<record::Submitted<'_>>, told: &Told) -> Result<(), Fault> {
    let Some(submitted) = submitted else { return Ok(()) };
    for entry in submitted.wait()?.into_iter().flat_map(|report| report.entries) {
        let name = match &entry.outcome {
            ImportOutcome::Stored => "stored",
            ImportOutcome::Unchanged => "unchanged",
            ImportOutcome::Existing => "existing",
            ImportOutcome::Deleted => "deleted",
            ImportOutcome::Skipped => "skipped",
            ImportOutcome::Deferred(_) => "deferred",
            ImportOutcome::Refused(fault) => fault.code().name,
        };
        if let Ok(mut told) = told.lock() {
            *told.entry(name).or_default() += 1;
        }
    }
    Ok(())
}
