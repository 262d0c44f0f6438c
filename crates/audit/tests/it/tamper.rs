//! Every way to falsify the log, and that `verify` names the first event it touched.

use std::fs;
use std::path::Path;

use audit::segment::HEADER_BYTES;
use audit::{Head, Report, Wrong, read, verify};
use base::error::code;
use proptest::prelude::*;

use crate::support::{event, fill, frames, name, options, segments, small};

const EVENTS: u64 = 40;

fn sample() -> (tempfile::TempDir, Head) {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), small(), EVENTS);
    assert!(segments(dir.path()).len() >= 4);
    (dir, head)
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn found(dir: &Path, anchor: Option<Head>) -> (u64, Option<String>, u64, Wrong) {
    let Report { damage, .. } = verify(dir, anchor).unwrap();
    let damage = damage.expect("the damage is found");
    (damage.seq, damage.segment, damage.offset, damage.wrong)
}

#[test]
fn every_flipped_byte_of_a_segment_is_found_and_placed() {
    let (dir, head) = sample();
    let path = &segments(dir.path())[1];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    let first = frames[0].0;
    for at in 0..whole.len() {
        rewrite(path, |bytes| bytes[at] ^= 1 << (at % 8));
        let frame = frames.iter().find(|(_, range)| range.contains(&at));
        let (seq, offset) = frame.map_or((first, 0), |(seq, range)| (*seq, range.start as u64));
        let damage = found(dir.path(), Some(head));
        assert_eq!((damage.0, damage.1, damage.2), (seq, Some(name(path)), offset), "byte {at}");
        fs::write(path, &whole).unwrap();
    }
    assert!(verify(dir.path(), Some(head)).unwrap().is_sound());
}

#[test]
fn a_removed_event_is_named() {
    let (dir, head) = sample();
    for path in segments(dir.path()) {
        let whole = fs::read(&path).unwrap();
        let frames = frames(&whole);
        for (i, (seq, range)) in frames.iter().enumerate() {
            rewrite(&path, |bytes| drop(bytes.drain(range.clone())));
            let (bad, _, offset, wrong) = found(dir.path(), Some(head));
            assert_eq!(bad, *seq);
            if i + 1 < frames.len() {
                assert_eq!((offset, wrong), (range.start as u64, Wrong::Number(seq + 1)));
            }
            fs::write(&path, &whole).unwrap();
        }
    }
}

#[test]
fn swapped_events_are_named_by_the_first() {
    let (dir, head) = sample();
    let path = &segments(dir.path())[1];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    let (a, b) = (frames[1].clone(), frames[3].clone());
    let swapped = [
        &whole[..a.1.start],
        &whole[b.1.clone()],
        &whole[a.1.end..b.1.start],
        &whole[a.1.clone()],
        &whole[b.1.end..],
    ];
    fs::write(path, swapped.concat()).unwrap();
    let damage = found(dir.path(), Some(head));
    assert_eq!(damage, (a.0, Some(name(path)), a.1.start as u64, Wrong::Number(b.0)));
    // With the numbers put back in order, the hashes tell.
    rewrite(path, |bytes| {
        let at = a.1.start + 4;
        bytes[at..at + 8].copy_from_slice(&a.0.to_be_bytes());
    });
    assert_eq!(found(dir.path(), Some(head)).3, Wrong::Altered);
    assert_eq!(found(dir.path(), Some(head)).0, a.0);
}

#[test]
fn a_dropped_segment_is_named_whichever_it_is() {
    let (dir, head) = sample();
    let all = segments(dir.path());
    for (i, path) in all.iter().enumerate() {
        let bytes = fs::read(path).unwrap();
        let first = frames(&bytes)[0].0;
        fs::remove_file(path).unwrap();
        let (seq, segment, _, wrong) = found(dir.path(), Some(head));
        assert_eq!(seq, first);
        match all.get(i + 1) {
            Some(next) => {
                let after = frames(&fs::read(next).unwrap())[0].0;
                assert_eq!((segment, wrong), (Some(name(next)), Wrong::Segment(after)));
            }
            None => assert_eq!((segment, wrong), (None, Wrong::Truncated)),
        }
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_truncated_tail_is_named_by_the_anchor() {
    let (dir, head) = sample();
    let path = segments(dir.path()).pop().unwrap();
    let whole = fs::read(&path).unwrap();
    for (seq, range) in frames(&whole) {
        fs::write(&path, &whole[..range.start]).unwrap();
        assert_eq!(found(dir.path(), Some(head)), (seq, None, 0, Wrong::Truncated));
        assert!(verify(dir.path(), None).unwrap().is_sound(), "only the anchor can tell");
        fs::write(&path, &whole[..range.start + 20]).unwrap();
        assert_eq!(found(dir.path(), None).0, seq);
        assert_eq!(found(dir.path(), None).3, Wrong::Torn);
    }
    fs::write(&path, &whole[..HEADER_BYTES - 1]).unwrap();
    assert!(matches!(found(dir.path(), None).3, Wrong::Header(_)));
}

#[test]
fn a_log_rewritten_as_a_whole_is_found_by_the_anchor() {
    let (dir, head) = sample();
    let forged = tempfile::tempdir().unwrap();
    let log = audit::Log::open(forged.path(), small()).unwrap();
    for n in 1..=EVENTS {
        log.append(&event(if n == 11 { 12 } else { n })).unwrap();
    }
    drop(log);
    assert!(verify(forged.path(), None).unwrap().is_sound());
    let (seq, segment, _, wrong) = found(forged.path(), Some(head));
    assert_eq!((seq, wrong), (EVENTS, Wrong::Anchor));
    assert_eq!(segment, segments(forged.path()).last().map(|p| name(p)));
    // One segment of another log among the true ones.
    let at = 2;
    fs::copy(&segments(forged.path())[at], &segments(dir.path())[at]).unwrap();
    let first = frames(&fs::read(&segments(dir.path())[at]).unwrap())[0].0;
    assert_eq!(found(dir.path(), None).0, first);
}

#[test]
fn events_after_the_damage_are_not_shown() {
    let (dir, _) = sample();
    let path = &segments(dir.path())[1];
    let (bad, range) = frames(&fs::read(path).unwrap())[2].clone();
    rewrite(path, |bytes| bytes[range.start + 30] ^= 1);
    let mut reader = read(dir.path(), 1).unwrap();
    let shown: Vec<u64> = reader.by_ref().map_while(|e| e.ok().map(|e| e.seq)).collect();
    assert_eq!(shown, (1..bad).collect::<Vec<_>>());
    assert!(reader.next().is_none());
    let fault = read(dir.path(), 1).unwrap().find_map(Result::err).unwrap();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
    assert!(fault.to_string().contains(&format!("audit event {bad} is altered")), "{fault}");
}

#[test]
fn an_event_being_written_is_no_damage_but_an_altered_length_is() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), options(), 10);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    let log = audit::Log::open(dir.path(), options()).unwrap();
    let nine = Head { seq: 9, hash: read(dir.path(), 9).unwrap().next().unwrap().unwrap().hash };

    fs::write(path, &whole[..whole.len() - 5]).unwrap();
    let report = verify(dir.path(), Some(nine)).unwrap();
    assert!(report.is_sound() && report.writing && report.head == nine, "{report:?}");
    assert_eq!(found(dir.path(), Some(head)).0, 10, "the anchor says it was whole");

    rewrite(path, |bytes| bytes[frames[3].1.start + 1] = 0x20);
    assert_eq!(found(dir.path(), None).0, 4);
    fs::write(path, &whole).unwrap();
    drop(log);
    fs::write(path, &whole[..whole.len() - 5]).unwrap();
    assert_eq!(found(dir.path(), Some(nine)).0, 10, "nobody is writing");
}

#[test]
fn a_log_verifies_and_reads_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let log = audit::Log::open(dir.path(), audit::Options { segment_bytes: 50_000, ..options() });
    let log = log.unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..4_000 {
                log.append(&event(n)).unwrap();
            }
        });
        while !writing.is_finished() {
            let anchor = log.anchor();
            let report = verify(dir.path(), Some(anchor)).unwrap();
            assert!(report.is_sound() && report.head.seq >= anchor.seq, "{report:?}");
            let last = read(dir.path(), anchor.seq).unwrap().map(|e| e.unwrap().seq).last();
            assert!(last.unwrap_or(0) >= anchor.seq);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn any_changed_byte_anywhere_is_found_and_placed(
        segment: prop::sample::Index,
        at: prop::sample::Index,
        flip in 1u8..,
    ) {
        thread_local!(static SAMPLE: (tempfile::TempDir, Head) = sample());
        SAMPLE.with(|(dir, head)| {
            let all = segments(dir.path());
            let path = segment.get(&all);
            let whole = fs::read(path).unwrap();
            let at = at.index(whole.len());
            let frames = frames(&whole);
            let expected = frames.iter().find(|(_, r)| r.contains(&at)).map_or(frames[0].0, |f| f.0);
            rewrite(path, |bytes| bytes[at] ^= flip);
            let (seq, name_found, _, _) = found(dir.path(), Some(*head));
            fs::write(path, &whole).unwrap();
            assert_eq!((seq, name_found), (expected, Some(name(path))));
        });
    }
}
