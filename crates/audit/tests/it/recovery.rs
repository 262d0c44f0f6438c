//! Start-up after a crash: a torn tail is cut off, anything else is damage.

use std::fs;

use audit::{Head, Log, Options, read, verify};
use base::error::code;
use proptest::prelude::*;

use crate::support::{event, fill, frames, options, segments, small};

#[test]
fn a_log_cut_anywhere_in_its_last_write_opens_with_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 5);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    for cut in frames[2].1.start..whole.len() {
        fs::write(path, &whole[..cut]).unwrap();
        let kept = frames.iter().filter(|(_, range)| range.end <= cut).count() as u64;
        let log = Log::open(dir.path(), options()).unwrap();
        assert_eq!(log.head().seq, kept);
        let boundary = frames.iter().any(|(_, range)| range.start == cut);
        assert_eq!(log.torn_bytes() == 0, boundary, "cut at {cut}");
        log.append(&event(9)).unwrap();
        drop(log);
        let report = verify(dir.path(), None).unwrap();
        assert!(report.is_sound() && report.events == kept + 1, "{report:?}");
    }
}

#[test]
fn what_is_cut_off_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 3);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..whole.len() - 10]).unwrap();
    let last = frames(&whole)[2].1.clone();
    let log = Log::open(dir.path(), options()).unwrap();
    assert_eq!(log.torn_bytes(), (last.len() - 10) as u64);
    let aside = fs::read(path.with_extension("torn")).unwrap();
    assert_eq!(aside, whole[last.start..whole.len() - 10]);
}

#[test]
fn sectors_that_the_disk_never_got_are_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 40);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    for sector in (512..whole.len()).step_by(512) {
        let mut holed = whole.clone();
        let end = (sector + 512).min(whole.len());
        holed[sector..end].fill(0);
        fs::write(path, &holed).unwrap();
        let kept = frames.iter().filter(|(_, range)| range.end <= sector).count() as u64;
        let log = Log::open(dir.path(), options()).unwrap();
        assert_eq!(log.head().seq, kept, "sector at {sector}");
    }
}

#[test]
fn writes_that_were_lost_leave_zeros_and_are_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 6);
    let path = &segments(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let lost = frames(&bytes)[3].1.clone();
    bytes[lost].fill(0);
    fs::write(path, &bytes).unwrap();
    assert_eq!(Log::open(dir.path(), options()).unwrap().head().seq, 3);
}

#[test]
fn a_segment_whose_header_was_cut_off_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), small(), 40);
    let next = dir.path().join(audit::segment::file_name(head.seq + 1));
    for length in [0, 1, 103] {
        fs::write(&next, vec![7; length]).unwrap();
        assert_eq!(read(dir.path(), 1).unwrap().map(Result::unwrap).count(), 40);
        let log = Log::open(dir.path(), small()).unwrap();
        assert_eq!((log.head(), log.torn_bytes()), (head, length as u64));
        assert!(!next.exists());
    }
    fill(dir.path(), small(), 40);
    assert!(verify(dir.path(), Some(head)).unwrap().is_sound());
}

#[test]
fn a_tail_below_the_anchor_is_not_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), options(), 5);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let anchored = || Options { anchor: Some(head), ..options() };
    drop(Log::open(dir.path(), anchored()).unwrap());
    for cut in [whole.len() - 1, frames(&whole)[4].1.start] {
        fs::write(path, &whole[..cut]).unwrap();
        let fault = Log::open(dir.path(), anchored()).unwrap_err();
        assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
        assert!(fault.to_string().contains("audit event 5 is missing"), "{fault}");
        assert_eq!(fs::read(path).unwrap().len(), cut, "left as it was found");
    }
    fs::write(path, &whole).unwrap();
    let other = Head { hash: audit::Hash([1; 32]), ..head };
    let fault = Log::open(dir.path(), Options { anchor: Some(other), ..options() }).unwrap_err();
    assert!(fault.to_string().contains("event 5 is not the event"), "{fault}");
}

#[test]
fn an_altered_length_is_not_taken_for_a_torn_write() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 10);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let third = frames(&whole)[2].1.start;
    for (at, byte) in [(0, 0x7F), (1, 0x20), (2, 0x40), (3, 0xFF)] {
        let mut altered = whole.clone();
        altered[third + at] = byte;
        fs::write(path, &altered).unwrap();
        let fault = Log::open(dir.path(), options()).unwrap_err();
        assert_eq!(fault.code(), &code::AUDIT_CORRUPT, "byte {at}");
        assert!(fault.to_string().contains("audit event 3 is"), "{fault}");
        assert_eq!(fs::read(path).unwrap(), altered, "left as it was found");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// Nothing but the very last event may be lost to a change of one byte, and that only if the
    /// change makes it look unfinished; with the anchor, not even that.
    #[test]
    fn a_changed_byte_never_makes_the_server_cut_off_events(at: prop::sample::Index, flip in 1u8..) {
        let dir = tempfile::tempdir().unwrap();
        let head = fill(dir.path(), options(), 8);
        let path = &segments(dir.path())[0];
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        fs::write(path, &bytes).unwrap();
        let anchored = Options { anchor: Some(head), ..options() };
        prop_assert_eq!(Log::open(dir.path(), anchored).unwrap_err().code(), &code::AUDIT_CORRUPT);
        match Log::open(dir.path(), options()) {
            Err(fault) => prop_assert_eq!(fault.code(), &code::AUDIT_CORRUPT),
            Ok(log) => prop_assert_eq!(log.head().seq, 7),
        }
    }

    /// A power cut: of what was written after the last sync, any sectors are missing, and the file
    /// may be shorter. It opens without help, with all that was synced, and goes on soundly.
    #[test]
    fn a_power_cut_costs_nothing_that_was_synced(
        synced in 0usize..60,
        lost: [bool; 32],
        length: Option<prop::sample::Index>,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path(), options()).unwrap();
        for n in 1..=60 {
            let mut event = event(n);
            event.patients = vec!["patient".into(); if n % 7 == 0 { 60 } else { 1 }];
            log.append(&event).unwrap();
        }
        drop(log);
        let path = &segments(dir.path())[0];
        let mut bytes = fs::read(path).unwrap();
        let safe = frames(&bytes)[synced].1.start;
        for (i, sector) in (safe / 512..bytes.len().div_ceil(512)).enumerate() {
            if lost[i % lost.len()] {
                let end = bytes.len().min(sector * 512 + 512);
                bytes[safe.max(sector * 512)..end].fill(0);
            }
        }
        if let Some(length) = length {
            bytes.truncate(safe + length.index(bytes.len() - safe));
        }
        fs::write(path, &bytes).unwrap();
        let log = Log::open(dir.path(), options()).unwrap();
        prop_assert!(log.head().seq >= synced as u64);
        log.append(&event(1)).unwrap();
        drop(log);
        prop_assert!(verify(dir.path(), None).unwrap().is_sound());
    }
}
