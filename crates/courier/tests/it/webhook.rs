//! A service for text messages of the test's own, and what is told it.

use base::Millis;
use base::time::SystemClock;
use courier::{Message, Phone, SIGNATURE, Sender, To, Unsent, Webhook, WebhookSettings, signature};
use egress::{System, Trust};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Answers each request with the next head, and keeps what it was asked.
fn service(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/send", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            let mut some = [0; 4096];
            loop {
                let text = String::from_utf8_lossy(&all).into_owned();
                let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
                    let head = head.to_lowercase();
                    let length = head.split("content-length: ").nth(1);
                    let length = length.and_then(|rest| rest.split("\r\n").next()?.parse().ok());
                    body.len() >= length.unwrap_or(0)
                });
                if whole {
                    break;
                }
                match stream.read(&mut some) {
                    Ok(0) | Err(_) => break,
                    Ok(count) => all.extend_from_slice(&some[..count]),
                }
            }
            kept.lock().unwrap().push(String::from_utf8_lossy(&all).into_owned());
            let _ = stream
                .write_all(format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n").as_bytes());
        }
    });
    (url, asked)
}

fn webhook(url: String, secret: &[u8]) -> Result<Webhook, base::Fault> {
    let secret = Zeroizing::new(secret.to_vec());
    let settings = WebhookSettings { url, secret, patience_ms: 5_000 };
    Webhook::new(settings, Arc::new(System), &Trust::default(), Arc::new(SystemClock))
}

fn message() -> Message {
    Message {
        id: "m-1".to_owned(),
        to: To::Phone(Phone::parse("(312) 555-0142", "1").unwrap()),
        subject: "Your appointment".to_owned(),
        text: "Lake Clinic: mi\u{e9}rcoles".to_owned(),
        language: "es".to_owned(),
        at: Millis(1_796_133_600_500),
    }
}

#[test]
fn a_message_is_posted_with_its_key_and_a_signature_that_whoever_has_the_secret_makes_anew() {
    let (url, asked) = service(&["202 Accepted"]);
    webhook(url, SECRET).unwrap().send(&message()).unwrap();
    let asked = asked.lock().unwrap().first().unwrap().clone();
    let (head, body) = asked.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    let header = |name: &str| {
        head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap().to_owned()
    };
    assert!(head.starts_with("post /send http/1.1"), "{head}");
    assert_eq!(header("idempotency-key"), "m-1");
    let signed = signature(SECRET, message().at, body.as_bytes()).unwrap();
    assert!(signed.starts_with("t=1796133600,v1="), "{signed}");
    assert_eq!(header(SIGNATURE), signed);
    assert_ne!(
        signature(b"another secret of thirty-two byte", message().at, body.as_bytes()).unwrap(),
        signed
    );
    assert!(body.contains(r#""to":"+13125550142""#) && body.contains("mi\u{e9}rcoles"), "{body}");
}

#[test]
fn what_is_refused_is_told_from_what_is_tried_again() {
    let (url, _) = service(&[
        "422 Unprocessable",
        "410 Gone",
        "429 Slow Down\r\nretry-after: 120",
        "503 Away\r\nretry-after: 999999999",
        "401 Who",
        "302 Found\r\nlocation: http://127.0.0.1:1/",
    ]);
    let webhook = webhook(url, SECRET).unwrap();
    for _ in 0..2 {
        assert!(matches!(webhook.send(&message()), Err(Unsent::Refused(_))));
    }
    for expected in [Some(120_000), Some(86_400_000), None, None] {
        match webhook.send(&message()) {
            Err(Unsent::Later { wait_ms, .. }) => assert_eq!(wait_ms, expected),
            other => panic!("{other:?}"),
        }
    }
    // Nobody answers any more.
    assert!(matches!(webhook.send(&message()), Err(Unsent::Later { .. })));
}

#[test]
fn a_short_secret_and_an_odd_address_are_refused_at_the_start() {
    assert!(webhook("https://sms.example/send".to_owned(), b"short").is_err());
    assert!(webhook("sms.example/send".to_owned(), SECRET).is_err());
    let (url, _) = service(&[]);
    let odd = Message { id: "a b".to_owned(), ..message() };
    assert!(matches!(webhook(url, SECRET).unwrap().send(&odd), Err(Unsent::Refused(_))));
}
