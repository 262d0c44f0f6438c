//! Bounds: sizes, times, numbers at once, and an orderly end.

use crate::client::{Answer, Running, patient};
use server::{Config, Server};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

#[test]
fn a_body_above_the_limit_is_refused_packed_or_not() {
    let server = Running::with(|c| c.body_bytes_max = 2000, |_| {});
    let json = ("Content-Type", "application/fhir+json");
    let long = patient("a", &"x".repeat(3000));
    for (headers, body) in [
        (vec![json], long.clone().into_bytes()),
        (vec![json, ("Content-Length", "99999999999")], b"{}".to_vec()),
        (vec![json, ("Content-Encoding", "zstd")], zstd::encode_all(long.as_bytes(), 3).unwrap()),
    ] {
        let answer = server.send("PUT", "/Patient/a", &headers, &body);
        assert_eq!((answer.status, answer.code().as_str()), (413, "server.body.too-large"));
    }
}

#[test]
fn a_request_that_never_ends_is_ended() {
    let server = Running::with(|c| c.timeout_ms = 200, |_| {});
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "PUT /fhir/Patient/a HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{{",
        server.address,
        server.bearer()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let answer = Answer::parse(&all);
    assert_eq!((answer.status, answer.code().as_str()), (503, "server.timeout"));
}

#[test]
fn one_request_too_many_is_turned_away() {
    let server = Running::with(
        |c| {
            c.requests_max = 1;
            c.timeout_ms = 5000;
        },
        |_| {},
    );
    let mut slow = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "PUT /fhir/Patient/a HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: 10\r\n\r\n",
        server.address,
        server.bearer()
    );
    slow.write_all(head.as_bytes()).unwrap();
    // The first request counts from when its head was read, a moment after it was sent.
    let mut turned_away = server.get("/Patient/x");
    for _ in 0..200 {
        if turned_away.status == 503 {
            break;
        }
        turned_away = server.get("/Patient/x");
    }
    assert_eq!((turned_away.status, turned_away.code().as_str()), (503, "server.busy"));
    assert_eq!(turned_away.header("retry-after"), Some("1"));
    assert_eq!(server.get("//health/live").status, 200, "health is always answered");
}

#[test]
fn stopping_waits_for_what_is_in_flight() {
    let mut server = Running::start();
    let body = patient("a", "A");
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "PUT /fhir/Patient/a HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        server.bearer(),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    while !server.get("//metrics").body.windows(28).any(|w| w == b"plummer_requests_in_flight 2") {}
    server.ask_to_stop();
    while TcpStream::connect(server.address).is_ok() {}
    stream.write_all(body.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(Answer::parse(&all).status, 201);
    server.stop();
}

#[test]
fn other_addresses_than_loopback_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let record = record::Record::open(dir.path(), record::Settings::default()).unwrap();
    let config = Config { listen: "0.0.0.0:0".parse().unwrap(), ..Config::default() };
    let clock = Arc::new(base::time::SystemClock);
    let random = Box::new(base::id::Seeded::new(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bound = runtime.block_on(Server::bind(record, config, clock, random));
    let fault = bound.expect_err("a refusal");
    assert_eq!(fault.code().name, "server.parameter.invalid");
    assert!(fault.to_string().contains("loopback only"), "{fault}");
}
