//! A process killed at any moment loses no event that it was told is written.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use audit::{Log, Options, verify};
use base::time::SystemClock;

use crate::support::event;

const MARK: &str = "killed-by-its-parent";
const RUNS: u64 = 8;

fn rotating() -> Options {
    Options { segment_bytes: 20_000, ..Options::new(Arc::new(SystemClock)) }
}

/// Run by the test below in a process of its own: appends until it is killed, saying what is written.
#[test]
#[ignore = "runs only as the child of killed_processes_lose_nothing_that_was_written"]
fn child() {
    if !Path::new(MARK).exists() {
        return;
    }
    let log = Log::open(Path::new("log"), rotating()).unwrap();
    let mut out = std::io::stdout().lock();
    for n in 0.. {
        let ticket = log.append(&event(n)).unwrap();
        log.append(&event(n)).unwrap();
        ticket.written().wait().unwrap();
        writeln!(out, "written {}", ticket.seq()).unwrap();
    }
}

#[test]
fn killed_processes_lose_nothing_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(MARK), []).unwrap();
    let log_dir = dir.path().join("log");
    let mut written = 0;
    for run in 0..RUNS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::child", "--ignored", "--nocapture"])
            .current_dir(dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while let Some(Ok(line)) = lines.next() {
            let Some(seq) = line.strip_prefix("written ") else { continue };
            written = seq.parse().unwrap();
            seen += 1;
            if seen == 20 + run * 97 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= 20 + run * 97, "killed while it wrote");
        let log = Log::open(&log_dir, rotating()).unwrap();
        assert!(log.head().seq >= written, "{} of {written}", log.head().seq);
        let head = log.close().unwrap();
        let report = verify(&log_dir, Some(head)).unwrap();
        assert!(report.is_sound() && report.head == head, "{report:?}");
    }
}
