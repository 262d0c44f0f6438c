//! Sending the log to a collector: everything once, also when the collector or the sender dies.

use std::io::{self, Read as _};
use std::net::{TcpListener, TcpStream};

use audit::Log;
use audit::forward::{Forwarder, Position};
use audit::segment::HEADER_BYTES;
use base::error::code;

use crate::support::{event, fill, options, segments, small};

/// The numbers of the events in frames, as a collector takes them apart.
fn numbers(mut bytes: &[u8]) -> Vec<u64> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let end = bytes.iter().position(|b| *b == b' ').unwrap();
        let length: usize = std::str::from_utf8(&bytes[..end]).unwrap().parse().unwrap();
        let message = std::str::from_utf8(&bytes[end + 1..end + 1 + length]).unwrap();
        let seq = message.split("seq=\"").nth(1).unwrap().split('"').next().unwrap();
        found.push(seq.parse().unwrap());
        bytes = &bytes[end + 1 + length..];
    }
    found
}

fn forwarder(dir: &std::path::Path) -> Forwarder {
    Forwarder::new(dir, Position::open(dir, "collector.example:6514").unwrap(), "clinic")
}

#[test]
fn a_collector_gets_every_event_once_over_restarts_and_segments() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), small(), 30);
    let mut got = Vec::new();
    assert_eq!(forwarder(dir.path()).forward(&mut got).unwrap(), 30);
    let log = Log::open(dir.path(), small()).unwrap();
    let mut going = forwarder(dir.path());
    assert_eq!(going.forward(&mut got).unwrap(), 0);
    for n in 31..=60 {
        log.append(&event(n)).unwrap().written().wait().unwrap();
        assert_eq!(going.forward(&mut got).unwrap(), 1);
    }
    assert_eq!(numbers(&got), (1..=60).collect::<Vec<_>>());
    assert_eq!(going.sent().seq, 60);
}

#[test]
fn a_segment_that_is_begun_and_has_no_event_yet_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), small(), 30);
    let last = segments(dir.path()).pop().unwrap();
    let first: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&last).unwrap();
    file.set_len(HEADER_BYTES as u64).unwrap();
    let (mut going, mut got) = (forwarder(dir.path()), Vec::new());
    assert_eq!(going.forward(&mut got).unwrap(), first - 1);
    assert_eq!(going.forward(&mut got).unwrap(), 0);
}

#[test]
fn what_the_collector_did_not_take_is_sent_again() {
    struct Broken;
    impl io::Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 5);
    let mut forwarder = forwarder(dir.path());
    assert_eq!(forwarder.forward(&mut Broken).unwrap_err().code(), &code::AUDIT_UNAVAILABLE);
    let mut got = Vec::new();
    forwarder.forward(&mut got).unwrap();
    assert_eq!(numbers(&got), [1, 2, 3, 4, 5]);
}

#[test]
fn another_log_is_not_sent_as_if_it_went_on() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(dir.path(), options(), 5);
    forwarder(dir.path()).forward(&mut Vec::new()).unwrap();
    let log = Log::open(other.path(), options()).unwrap();
    for n in 0..9 {
        log.append(&event(n)).unwrap();
    }
    drop(log);
    std::fs::copy(
        dir.path().join("sent.collector.example_6514"),
        other.path().join("sent.collector.example_6514"),
    )
    .unwrap();
    let fault = forwarder(other.path()).forward(&mut Vec::new()).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
}

#[test]
fn frames_arrive_at_a_listener() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 3_000);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let collecting = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut stream = TcpStream::connect(address).unwrap();
    assert_eq!(forwarder(dir.path()).forward(&mut stream).unwrap(), 3_000);
    drop(stream);
    assert_eq!(numbers(&collecting.join().unwrap()), (1..=3_000).collect::<Vec<_>>());
}
