//! Bounds: sizes, times, numbers at once, and an orderly end.

use crate::client::{Answer, Running, patient};
use server::{Config, Server};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let head = format!(
        "PUT /fhir/Patient/a HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: 10\r\n\r\n",
        server.address,
        server.bearer()
    );
    // The first request counts from when its head was read, a moment after it was sent; until then the
    // other may be the one that is let in.
    let mut slow = Vec::new();
    let mut turned_away = server.get("/Patient/x");
    for _ in 0..50 {
        let mut held = TcpStream::connect(server.address).unwrap();
        held.write_all(head.as_bytes()).unwrap();
        slow.push(held);
        std::thread::sleep(Duration::from_millis(50));
        turned_away = server.get("/Patient/x");
        if turned_away.status == 503 {
            break;
        }
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
    assert!(fault.to_string().contains("speaks TLS only"), "{fault}");
}

/// Sends bytes and answers what comes back until the server closes.
fn raw(server: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    let _ = stream.write_all(bytes);
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// Writes one byte now and then until the server has had enough; what it said then.
fn drip(server: &Running, head: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let began = Instant::now();
    while stream.write_all(b"a").is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is never ended");
        std::thread::sleep(Duration::from_millis(20));
        stream.set_nonblocking(true).unwrap();
        let mut said = [0; 1000];
        let read = stream.read(&mut said);
        stream.set_nonblocking(false).unwrap();
        match read {
            Ok(count) => return String::from_utf8_lossy(&said[..count]).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
    }
    String::new()
}

fn connections(server: &Running) -> String {
    let text = String::from_utf8(server.get("//metrics").body).unwrap();
    text.lines().find(|l| l.starts_with("plummer_connections ")).unwrap().to_owned()
}

#[test]
fn attack_42_a_head_that_drips_in_is_ended() {
    let server = Running::with(|c| c.idle_ms = 200, |_| {});
    let said = drip(&server, "GET /fhir/metadata HTTP/1.1\r\nX-Slow: ");
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
}

#[test]
fn attack_42_a_body_that_drips_in_is_ended() {
    let server = Running::with(|c| c.timeout_ms = 200, |_| {});
    let head = format!(
        "PUT /fhir/Patient/a HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n",
        server.address,
        server.bearer()
    );
    let said = drip(&server, &head);
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("server.timeout"), "{said}");
}

#[test]
fn attack_42_an_answer_that_nobody_reads_is_given_up() {
    let server = Running::with(|c| c.idle_ms = 300, |_| {});
    let bytes = vec![7; 11 << 20];
    let sent = [("Content-Type", "application/octet-stream")];
    assert_eq!(server.send("PUT", "/Binary/large", &sent, &bytes).status, 201);
    let mut greedy = TcpStream::connect(server.address).unwrap();
    let ask = format!("GET /fhir/Binary/large HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    greedy.write_all(ask.as_bytes()).unwrap();
    let began = Instant::now();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(connections(&server), "plummer_connections 2");
    while connections(&server) != "plummer_connections 1" {
        assert!(began.elapsed() < Duration::from_secs(20), "it is held for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(greedy);
}

#[test]
fn attack_42_heads_are_bounded_in_number_and_size() {
    let server = Running::start();
    let many: String = (0..150).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(200_000));
    for headers in [many, long] {
        let head = format!("GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        let said = raw(&server, head.as_bytes());
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431"), "{said}");
    }
    let address = format!("GET /fhir/Patient?name={} HTTP/1.1\r\n", "a".repeat(100_000));
    let said = raw(&server, format!("{address}Host: localhost\r\n\r\n").as_bytes());
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    assert_eq!(server.get("//health/live").status, 200);
}

#[test]
fn attack_39_lengths_that_lie_are_refused_before_anything_is_kept() {
    let server = Running::start();
    let ask = |lengths: &str| {
        let head = format!(
            "PUT /fhir/Patient/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\nConnection: close\r\nContent-Type: application/fhir+json\r\n{lengths}\r\n\r\n{{}}",
            server.bearer()
        );
        raw(&server, head.as_bytes())
    };
    for gib in [4u64, 1 << 20] {
        let said = ask(&format!("Content-Length: {}", gib << 30));
        assert!(said.starts_with("HTTP/1.1 413"), "{said}");
        assert!(said.contains("server.body.too-large"), "{said}");
    }
    for lie in [
        "Content-Length: 18446744073709551616",
        "Content-Length: -1",
        "Content-Length: 2\r\nContent-Length: 3",
        "Content-Length: 2, 3",
    ] {
        let said = ask(lie);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400"), "{lie}: {said}");
    }
}

#[test]
fn attack_39_bombs_are_unpacked_no_further_than_the_limit() {
    let server = Running::with(|c| c.body_bytes_max = 1 << 20, |_| {});
    let json = ("Content-Type", "application/fhir+json");
    let zeros = vec![b' '; 256 << 20];
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(zeros.as_slice(), flate2::Compression::best())
        .read_to_end(&mut packed)
        .unwrap();
    let zstd = zstd::encode_all(zeros.as_slice(), 3).unwrap();
    for (encoding, body) in [("gzip", &packed), ("zstd", &zstd)] {
        assert!(body.len() < 1 << 20, "it is small on the way");
        let headers = [json, ("Content-Encoding", encoding)];
        let answer = server.send("PUT", "/Patient/a", &headers, body);
        assert_eq!((answer.status, answer.code().as_str()), (413, "server.body.too-large"));
    }
    // A frame of a few bytes that asks for a window of 128 MiB.
    let window = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x88, 0x01, 0x00, 0x00];
    let headers = [json, ("Content-Encoding", "zstd")];
    let answer = server.send("PUT", "/Patient/a", &headers, &window);
    assert_eq!((answer.status, answer.code().as_str()), (400, "server.body.encoding"));
}

#[test]
fn one_address_cannot_take_every_connection() {
    let server = Running::with(|c| c.connections_per_address_max = 2, |_| {});
    // Whichever of them is one too many: what asked whether the server is up may still hold a place.
    let mut held: Vec<_> = (0..3).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    let began = Instant::now();
    let mut is_closed = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        match stream.read(&mut [0; 64]) {
            Ok(said) => said == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    };
    while !held.iter_mut().any(&mut is_closed) {
        // A silent connection would be kept for longer.
        assert!(began.elapsed() < Duration::from_secs(60));
    }
    drop(held);
    // The places come back with the connections that held them.
    loop {
        let said = raw(
            &server,
            b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        if said.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "{said}");
    }
}
