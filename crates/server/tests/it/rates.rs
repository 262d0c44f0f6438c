//! What one caller may take, asked over HTTP.

use crate::client::{Running, patient};
use server::Config;
use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Nobody is exempt, and a caller may send this many.
fn strict(requests: u64) -> impl FnOnce(&mut Config) {
    move |config| {
        config.rates.exempt_roles.clear();
        config.rates.requests_burst = requests;
        config.rates.requests_per_s = 1;
    }
}

#[test]
fn a_caller_above_its_rate_is_told_when_to_come_again() {
    let mut server = Running::with(strict(3), |_| {});
    for _ in 0..3 {
        assert_eq!(server.get("/Patient/a").status, 404);
    }
    let refused: Vec<_> = (0..5).map(|_| server.get("/Patient/a")).collect();
    for answer in &refused {
        assert_eq!((answer.status, answer.code().as_str()), (429, "server.rate.exceeded"));
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(server.get("//health/ready").status, 200, "health is always told");
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(server.get("/Patient/a").status, 404, "after the time it named it is served");
    assert_eq!(server.events("refused"), 1, "the log is told once, a flood cannot fill it");
}

#[test]
fn work_is_charged_and_not_only_requests() {
    let costly = |config: &mut Config| {
        strict(1_000_000)(config);
        config.rates.cost_burst = 2000;
        config.rates.cost_per_s = 1;
    };
    let server = Running::with(costly, |_| {});
    // 100 for each request, and 1 for each 64 bytes answered.
    let made = server.put("/Patient/a", &patient("a", &"x".repeat(100_000)));
    assert_eq!(made.status, 201);
    let refused = server.get("/Patient/a");
    assert_eq!((refused.status, refused.code().as_str()), (429, "server.cost.exceeded"));
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1000..2000).contains(&seconds), "{seconds}");
}

#[test]
fn work_is_charged_also_when_nobody_waits_for_it() {
    let costly = |config: &mut Config| {
        strict(1_000_000)(config);
        config.rates.cost_burst = 50_000;
        config.rates.cost_per_s = 1;
    };
    let server = Running::with(costly, |_| {});
    let body = patient("", "Lund");
    let entry = format!(r#"{{"resource":{body},"request":{{"method":"POST","url":"Patient"}}}}"#);
    let entries = vec![entry; 3000].join(",");
    let batch = format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{entries}]}}"#);
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /fhir HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: {}\r\n\r\n",
        server.address,
        server.bearer(),
        batch.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(batch.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    drop(stream);
    // Asking again and again costs some ten thousand steps at the most: the batch does the rest.
    let began = Instant::now();
    while server.get("/Patient/none").code() != "server.cost.exceeded" {
        assert!(began.elapsed() < Duration::from_secs(20), "it was for nothing");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn the_operators_own_machine_is_exempt_until_the_settings_say_otherwise() {
    let own = |config: &mut Config| config.rates.requests_burst = 1;
    let server = Running::with(own, |_| {});
    for _ in 0..10 {
        assert_eq!(server.get("/Patient/a").status, 404);
    }
    let text = String::from_utf8(server.get("//metrics").body).unwrap();
    assert!(text.contains("plummer_requests_limited_total{bound=\"requests\"} 0"), "{text}");
}

#[test]
fn sign_in_is_bounded_for_everybody() {
    let few = |config: &mut Config| config.rates.sign_in_burst = 2;
    let server = Running::with(few, |_| {});
    let ask = || server.send("POST", "//auth/sign-in", &[], b"");
    assert_ne!((ask().status, ask().status), (429, 429));
    let refused = ask();
    assert_eq!((refused.status, refused.code().as_str()), (429, "server.rate.exceeded"));
    assert_eq!(refused.header("retry-after"), Some("2"));
    assert_eq!(server.get("/Patient/a").status, 404, "other requests are not counted with them");
}
