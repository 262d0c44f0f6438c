//! Finding events through the indexes gives what reading the whole log gives.

use audit::{Event, Finder, Log, Options, Wanted, read};
use base::Millis;
use base::error::code;

use crate::support::{NOW, event, fill, options, segments};

/// Segments of about 300 events, so that blocks and segments both end in the middle.
fn middling() -> Options {
    Options { segment_bytes: 40_000, ..options() }
}

fn wanted(patient: Option<&str>) -> Wanted<'_> {
    Wanted {
        patient,
        from: None,
        until: None,
        before: u64::MAX,
        count: 10_000,
        looks_max: u64::MAX,
        fits: &|_| true,
    }
}

fn all(dir: &std::path::Path, fits: impl Fn(&Event) -> bool) -> Vec<u64> {
    let mut seqs: Vec<u64> = read(dir, 1)
        .unwrap()
        .map(Result::unwrap)
        .filter(|e| fits(&e.event))
        .map(|e| e.seq)
        .collect();
    seqs.reverse();
    seqs
}

fn found(finder: &mut Finder, wanted: &Wanted<'_>) -> Vec<u64> {
    finder.newest(wanted).unwrap().entries.iter().map(|entry| entry.seq).collect()
}

#[test]
fn the_index_finds_what_reading_the_whole_log_finds() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), middling(), 1_500);
    assert!(segments(dir.path()).len() > 3);
    for _ in 0..2 {
        // The second time the indexes are there.
        let mut finder = Finder::new(dir.path());
        for patient in ["patient-0", "patient-6", "nobody"] {
            let expected = all(dir.path(), |event| event.concerns(patient));
            assert_eq!(found(&mut finder, &wanted(Some(patient))), expected);
        }
        assert_eq!(found(&mut finder, &wanted(None)), (1..=1_500).rev().collect::<Vec<_>>());
        let (from, until) = (Millis(NOW.0 + 400), Millis(NOW.0 + 900));
        let span = Wanted { from: Some(from), until: Some(until), ..wanted(Some("patient-3")) };
        let expected = all(dir.path(), |event| {
            event.concerns("patient-3") && event.time >= from && event.time < until
        });
        assert!(expected.len() > 50);
        assert_eq!(found(&mut finder, &span), expected);
    }
}

#[test]
fn pages_follow_each_other_without_gap_or_repeat() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), middling(), 1_000);
    let mut finder = Finder::new(dir.path());
    for (count, looks_max) in [(7, u64::MAX), (1_000, 13), (1, 1)] {
        let (mut before, mut seqs) = (u64::MAX, Vec::new());
        loop {
            let how = Wanted { before, count, looks_max, ..wanted(Some("patient-2")) };
            let page = finder.newest(&how).unwrap();
            seqs.extend(page.entries.iter().map(|entry| entry.seq));
            match page.next {
                Some(next) => before = next,
                None => break,
            }
        }
        assert_eq!(seqs, all(dir.path(), |event| event.concerns("patient-2")));
    }
}

#[test]
fn an_index_that_the_disk_refused_is_kept_whole_another_time() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), middling(), 1_500);
    let expected = all(dir.path(), |event| event.concerns("patient-3"));
    // A folder where the file is to be made.
    let stands = segments(dir.path())[0].with_extension("index-new");
    std::fs::create_dir(&stands).unwrap();
    let mut finder = Finder::new(dir.path());
    assert!(finder.catch_up().is_err() && finder.catch_up().is_err());
    std::fs::remove_dir(&stands).unwrap();
    assert_eq!(found(&mut finder, &wanted(Some("patient-3"))), expected);
    // And what was kept is whole.
    assert_eq!(found(&mut Finder::new(dir.path()), &wanted(Some("patient-3"))), expected);
}

#[test]
fn what_is_written_meanwhile_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), middling()).unwrap();
    let mut finder = Finder::new(dir.path());
    assert!(found(&mut finder, &wanted(None)).is_empty());
    for n in 1..=900 {
        let ticket = log.append(&event(n)).unwrap();
        if n % 89 == 0 {
            ticket.written().wait().unwrap();
            assert_eq!(found(&mut finder, &wanted(None)), (1..=n).rev().collect::<Vec<_>>());
        }
    }
}

#[test]
fn an_index_that_was_altered_is_made_anew_and_an_altered_event_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), middling(), 1_000);
    found(&mut Finder::new(dir.path()), &wanted(None));
    let index = segments(dir.path())[0].with_extension("index");
    let whole = std::fs::read(&index).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        std::fs::write(&index, &altered).unwrap();
        let seqs = found(&mut Finder::new(dir.path()), &wanted(Some("patient-1")));
        assert_eq!(seqs, all(dir.path(), |event| event.concerns("patient-1")), "byte {at}");
        assert_eq!(std::fs::read(&index).unwrap(), whole);
    }
    let path = &segments(dir.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    bytes[5_000] ^= 1;
    std::fs::write(path, bytes).unwrap();
    let fault = Finder::new(dir.path()).newest(&wanted(None)).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
}
