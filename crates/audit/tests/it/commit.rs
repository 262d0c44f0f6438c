//! Handing over the events of commits: each exactly once, whatever crashes.

use audit::{CommitMark, Event, Log, read};
use base::error::code;

use crate::support::{event, options, segments, small};

fn of_commit(commit: u64, count: u64) -> Vec<Vec<u8>> {
    (0..count).map(|n| Event { commit_seq: commit, ..event(commit * 100 + n) }.encode()).collect()
}

#[test]
fn handing_over_twice_writes_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small()).unwrap();
    assert_eq!(log.last_commit_seq(), 0);
    for commit in [1, 2, 5] {
        assert!(log.append_commit(commit, &of_commit(commit, 3)).unwrap().is_some());
        log.append(&event(7)).unwrap();
    }
    for commit in [1, 2, 5] {
        assert!(log.append_commit(commit, &of_commit(commit, 3)).unwrap().is_none());
    }
    assert_eq!(log.last_commit(), CommitMark { seq: 5, events: 3 });
    assert_eq!(log.head().seq, 12);
}

#[test]
fn a_crash_inside_a_commit_is_made_good() {
    let whole = of_commit(2, 4);
    for kept in 0..=4usize {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::open(dir.path(), options()).unwrap();
        log.append_commit(1, &of_commit(1, 2)).unwrap();
        log.append_commit(2, &whole[..kept]).unwrap();
        drop(log);
        let log = Log::open(dir.path(), options()).unwrap();
        let expected = if kept == 0 { (1, 2) } else { (2, u32::try_from(kept).unwrap()) };
        assert_eq!((log.last_commit().seq, log.last_commit().events), expected);
        for commit in [1, 2] {
            let events = if commit == 1 { of_commit(1, 2) } else { whole.clone() };
            if let Some(ticket) = log.append_commit(commit, &events).unwrap() {
                ticket.synced().wait().unwrap();
            }
        }
        drop(log);
        let found: Vec<_> =
            read(dir.path(), 1).unwrap().map(|e| e.unwrap().event.encode()).collect();
        assert_eq!(found, [of_commit(1, 2), whole.clone()].concat());
    }
}

#[test]
fn the_mark_survives_segments_of_reads_alone() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small()).unwrap();
    log.append_commit(41, &of_commit(41, 2)).unwrap();
    for n in 0..100 {
        log.append(&event(n)).unwrap();
    }
    drop(log);
    assert!(segments(dir.path()).len() > 3);
    let log = Log::open(dir.path(), small()).unwrap();
    assert_eq!(log.last_commit(), CommitMark { seq: 41, events: 2 });
    assert_eq!(audit::verify(dir.path(), None).unwrap().mark, log.last_commit());
}

#[test]
fn what_is_out_of_order_or_no_event_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small()).unwrap();
    log.append_commit(5, &of_commit(5, 1)).unwrap();
    let late = Event { commit_seq: 4, ..event(1) };
    assert_eq!(log.append(&late).unwrap_err().code(), &code::INTERNAL);
    assert_eq!(log.append_encoded(&late.encode()).unwrap_err().code(), &code::INTERNAL);
    assert_eq!(log.append_encoded(b"no event").unwrap_err().code(), &code::AUDIT_CORRUPT);
    let foreign = log.append_commit(6, &of_commit(7, 1)).unwrap_err();
    assert_eq!(foreign.code(), &code::AUDIT_CORRUPT);
    assert_eq!(log.append_encoded(&event(2).encode()).unwrap().seq(), 2);
}
