//! Bounds of what comes back: an answer of another system is as suspect as a request.

use crate::place::{Fake, Other, PUBLIC, answer, ask, listing};
use egress::{Bounds, Policy};
use std::io::Read as _;
use std::time::{Duration, Instant};

fn bounded() -> Policy {
    let bounds = Bounds {
        total_ms: 1000,
        connect_ms: 200,
        headers: 8,
        head_bytes: 8192,
        body_bytes: 1000,
        ..Bounds::default()
    };
    Policy { bounds, ..listing(&["http://lab.example"]) }
}

fn told(said: Vec<u8>) -> Result<Vec<u8>, String> {
    let (network, other) = (Fake::answering(&[&[PUBLIC]]), Other::plain(vec![said]));
    *network.system.lock().unwrap() = Some(other.address);
    ask(&network, &bounded(), "http://lab.example/").map(Vec::from)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(plain, flate2::Compression::best())
        .read_to_end(&mut packed)
        .unwrap();
    packed
}

#[test]
fn an_answer_within_its_bounds_comes_whole() {
    assert_eq!(told(answer(200, "", &[7; 1000])).unwrap(), [7; 1000]);
    let packed = gzip(&[7; 1000]);
    let answered = told(answer(200, "Content-Encoding: gzip\r\n", &packed));
    assert_eq!(answered.unwrap(), [7; 1000]);
    let chunked = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    assert_eq!(told(chunked.to_vec()).unwrap(), b"abc");
}

#[test]
fn attack_39_answers_above_their_bounds_are_refused() {
    let too_large = Err("egress.answer.too-large".to_owned());
    assert_eq!(told(answer(200, "", &[7; 1001])), too_large);
    let announced = b"HTTP/1.1 200 X\r\nContent-Length: 4294967296\r\n\r\nab".to_vec();
    assert_eq!(told(announced), too_large);
    let mut endless = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..300 {
        endless.extend_from_slice(b"8\r\nabcdefgh\r\n");
    }
    assert_eq!(told(endless), too_large);
    let bomb = gzip(&vec![0; 500_000]);
    assert!(bomb.len() < 1000);
    assert_eq!(told(answer(200, "Content-Encoding: gzip\r\n", &bomb)), too_large);
}

#[test]
fn answers_that_can_be_read_in_two_ways_are_refused() {
    let many: String = (0..20).map(|n| format!("X-{n}: y\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "y".repeat(100_000));
    for said in [
        b"no HTTP at all\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nab".to_vec(),
        b"HTTP/1.1 200 X\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
        answer(200, &many, b"x"),
        answer(200, &long, b"x"),
        answer(200, "Content-Encoding: br\r\n", b"x"),
        answer(200, "Content-Encoding: gzip\r\n", b"no gzip"),
        answer(200, "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", &gzip(b"x")),
        answer(200, "Content-Encoding: gzip, gzip\r\n", &gzip(b"x")),
        Vec::new(),
    ] {
        let shown = String::from_utf8_lossy(&said).chars().take(80).collect::<String>();
        assert_eq!(told(said), Err("egress.answer.invalid".to_owned()), "{shown}");
    }
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for() {
    let began = Instant::now();
    assert_eq!(told(b"silence".to_vec()), Err("egress.answer.timeout".to_owned()));
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_system_that_is_not_there_is_told_without_a_reason() {
    let network = Fake::answering(&[&[PUBLIC, "1.1.1.1"]]);
    let code = ask(&network, &bounded(), "http://lab.example/").unwrap_err();
    assert_eq!(code, "egress.target.unreachable");
    assert_eq!(network.dialled(), [format!("{PUBLIC}:80"), "1.1.1.1:80".to_owned()]);
    for answers in [&[][..], &[&[][..]][..]] {
        let network = Fake::answering(answers);
        let code = ask(&network, &bounded(), "http://lab.example/").unwrap_err();
        assert_eq!(code, "egress.target.unreachable");
    }
    let crowd: Vec<String> = (0..70).map(|n| format!("1.1.1.{n}")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    let network = Fake::answering(&[&crowd]);
    let code = ask(&network, &bounded(), "http://lab.example/").unwrap_err();
    assert_eq!((code.as_str(), network.dialled().len()), ("egress.target.unreachable", 0));
}
