//! What the tests share: a clock that stands still, sample events, and frames found by hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::segment::{FRAME_EXTRA, HEADER_BYTES};
use audit::{Event, Head, Kind, Log, Options, Source, Target, query_digest};
use base::{Clock, Millis};

#[derive(Debug)]
pub(crate) struct Still;

pub(crate) const NOW: Millis = Millis(1_795_340_467_123);

impl Clock for Still {
    fn now(&self) -> Millis {
        NOW
    }
}

pub(crate) fn options() -> Options {
    Options::new(Arc::new(Still))
}

/// Small segments: a few events each.
pub(crate) fn small() -> Options {
    Options { segment_bytes: 1000, ..options() }
}

pub(crate) fn event(n: u64) -> Event {
    let time = Millis(NOW.0 + i64::try_from(n).unwrap());
    let mut event = Event::new(time, [u8::try_from(n % 251).unwrap(); 16], Kind::Search);
    event.targets.push(Target::of_type("Observation"));
    event.patients.push(format!("patient-{}", n % 7));
    event.results = n;
    event.query = Some(query_digest("code=1234-5"));
    event.source = Some(Source::Loopback);
    event
}

/// Writes a log of `count` events and returns its head.
pub(crate) fn fill(dir: &Path, options: Options, count: u64) -> Head {
    let log = Log::open(dir, options).unwrap();
    for n in 1..=count {
        log.append(&event(n)).unwrap();
    }
    log.close().unwrap()
}

pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path());
    let mut found: Vec<_> = files.filter(|p| p.extension().is_some_and(|e| e == "audit")).collect();
    found.sort();
    found
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The number and byte range of each frame of a segment.
pub(crate) fn frames(bytes: &[u8]) -> Vec<(u64, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = HEADER_BYTES;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let seq = u64::from_be_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        let end = at + FRAME_EXTRA + usize::try_from(length).unwrap();
        found.push((seq, at..end));
        at = end;
    }
    found
}
