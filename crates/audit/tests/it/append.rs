//! Appending, waiting, rotating, reading back.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use audit::{Filter, Hash, Head, Kind, Log, read, verify};
use base::Millis;
use base::error::code;

use crate::support::{NOW, event, fill, options, segments, small};

#[test]
fn what_was_written_is_read_back_in_order_and_proves_sound() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), small(), 100);
    assert_eq!(head.seq, 100);
    assert!(segments(dir.path()).len() > 5, "segments rotate");
    let entries: Vec<_> = read(dir.path(), 1).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries.len(), 100);
    for (n, entry) in (1..).zip(&entries) {
        assert_eq!((entry.seq, &entry.event), (n, &event(n)));
    }
    assert_eq!(entries[99].hash, head.hash);
    let report = verify(dir.path(), Some(head)).unwrap();
    assert_eq!((report.is_sound(), report.events, report.head), (true, 100, head));
    assert_eq!(report.first_time, Some(Millis(NOW.0 + 1)));
    assert_eq!(report.last_time, Some(Millis(NOW.0 + 100)));
    let size: u64 = segments(dir.path()).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!(report.bytes, size);
}

#[test]
fn the_chain_goes_on_over_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let first = fill(dir.path(), small(), 30);
    let log = Log::open(dir.path(), small()).unwrap();
    assert_eq!((log.head(), log.anchor(), log.torn_bytes()), (first, first, 0));
    drop(log);
    let second = fill(dir.path(), small(), 30);
    assert_eq!(second.seq, 60);
    let report = verify(dir.path(), Some(first)).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.head, second);
}

#[test]
fn one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options()).unwrap();
    let fault = Log::open(dir.path(), options()).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_LOCKED);
    drop(log);
    Log::open(dir.path(), options()).unwrap();
}

#[test]
fn a_written_event_is_in_the_file_before_anyone_closes_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options()).unwrap();
    for n in 1..=20 {
        let ticket = log.append(&event(n)).unwrap();
        assert_eq!(ticket.seq(), n);
        ticket.written().wait().unwrap();
        assert_eq!(verify(dir.path(), None).unwrap().head.seq, n);
    }
    let ticket = log.append(&event(21)).unwrap();
    ticket.synced().wait().unwrap();
    assert_eq!(log.anchor(), log.head());
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn many_threads_await_their_events_as_futures() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small()).unwrap();
    thread::scope(|scope| {
        for t in 0..4u64 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..200 {
                    let ticket = log.append(&event(t * 1000 + n)).unwrap();
                    block_on(async {
                        if n % 20 == 0 { ticket.synced().await } else { ticket.written().await }
                    })
                    .unwrap();
                }
            });
        }
    });
    let head = log.close().unwrap();
    assert_eq!(head.seq, 800);
    assert!(verify(dir.path(), Some(head)).unwrap().is_sound());
}

#[test]
fn filters_choose_by_time_patient_kind_and_actor() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small()).unwrap();
    for n in 1..=50 {
        let mut event = event(n);
        if n % 10 == 0 {
            event.kind = Kind::Read;
            event.actor = "nurse-1".into();
        }
        log.append(&event).unwrap();
    }
    drop(log);
    let seqs = |filter: Filter| -> Vec<u64> {
        read(dir.path(), 1).unwrap().filter(filter).map(|e| e.unwrap().seq).collect()
    };
    let at = |n: i64| Some(Millis(NOW.0 + n));
    assert_eq!(seqs(Filter { from: at(5), until: at(8), ..Filter::default() }), [5, 6, 7]);
    assert_eq!(
        seqs(Filter { patient: Some("patient-3".into()), ..Filter::default() }),
        [3, 10, 17, 24, 31, 38, 45]
    );
    assert_eq!(seqs(Filter { kind: Some(Kind::Read), ..Filter::default() }), [10, 20, 30, 40, 50]);
    assert_eq!(seqs(Filter { actor: Some("nurse-1".into()), ..Filter::default() }).len(), 5);
    assert_eq!(seqs(Filter { actor: Some("anonymous".into()), ..Filter::default() }).len(), 45);
    let tail: Vec<_> = read(dir.path(), 48).unwrap().map(|e| e.unwrap().seq).collect();
    assert_eq!(tail, [48, 49, 50]);
    assert_eq!(read(dir.path(), 51).unwrap().count(), 0);
}

#[test]
fn an_empty_log_is_sound_and_a_lost_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), options(), 0);
    assert_eq!(head, Head::default());
    assert!(verify(dir.path(), Some(head)).unwrap().is_sound());
    assert_eq!(read(dir.path(), 1).unwrap().count(), 0);
    std::fs::remove_file(&segments(dir.path())[0]).unwrap();
    let anchor = Head { seq: 3, hash: Hash::GENESIS };
    assert_eq!(verify(dir.path(), Some(anchor)).unwrap().damage.unwrap().seq, 1);
    let fault =
        Log::open(dir.path(), audit::Options { anchor: Some(anchor), ..options() }).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
}

#[test]
fn json_is_json_and_says_what_the_event_says() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), options()).unwrap();
    let mut event = event(4);
    event.actor = "line\nquote\"back\\slash".into();
    event.targets.push(audit::Target::resource("Patient", "p1", Some(3)));
    event.commit_seq = 9;
    log.append(&event).unwrap();
    let head = log.close().unwrap();
    let entry = read(dir.path(), 1).unwrap().next().unwrap().unwrap();
    let json: serde_json::Value = serde_json::from_str(&entry.to_json()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "seq": 1, "time": NOW.to_instant().replace("123Z", "127Z"), "actor": &*event.actor,
            "request": "04040404-0404-0404-0404-040404040404", "kind": "search", "status": 200,
            "decision": "permit", "results": 4, "bytes": 0, "source": "loopback",
            "query": json["query"], "patients": ["patient-4"], "commit": 9,
            "targets": [{"type": "Observation"}, {"type": "Patient", "id": "p1", "version": 3}],
            "hash": head.hash.to_string(),
        })
    );
    assert_eq!(json["query"].as_str().unwrap().len(), 16);
    assert_eq!(Hash::from_hex(json["hash"].as_str().unwrap()), Some(head.hash));
    assert!(!entry.to_json().contains('\n'));
}
