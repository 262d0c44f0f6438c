//! The wire, without a browser: answers in any order, errors, silence, an end.

use browser::Wire;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// So long that only a test which hangs meets it.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// A wire to an endpoint that gets each message and says what it says.
fn endpoint(
    patience: Duration,
    mut answer: impl FnMut(&Value, &mut dyn FnMut(&Value)) -> bool + Send + 'static,
) -> Wire {
    let (from_client, to_endpoint) = std::io::pipe().expect("a pipe");
    let (from_endpoint, mut to_client) = std::io::pipe().expect("a pipe");
    thread::spawn(move || {
        let mut from = BufReader::new(from_client);
        let mut text = Vec::new();
        while from.read_until(0, &mut text).is_ok_and(|read| read > 0) {
            text.pop();
            let message = serde_json::from_slice(&text).expect("JSON");
            let mut say = |value: &Value| {
                // The client may have gone by then.
                let _ = to_client.write_all(format!("{value}\0").as_bytes());
            };
            if !answer(&message, &mut say) {
                return;
            }
            text.clear();
        }
    });
    Wire::new(from_endpoint, to_endpoint, patience)
}

#[test]
fn answers_find_who_asked_in_whatever_order_they_come() {
    let mut held = Vec::new();
    let wire = Arc::new(endpoint(LONG, move |message, say| {
        held.push(json!({ "id": message["id"], "result": message["params"] }));
        if held.len() == 4 {
            for answer in held.drain(..).rev() {
                say(&answer);
            }
        }
        true
    }));
    let all: Vec<_> = (0..4)
        .map(|n| {
            let wire = Arc::clone(&wire);
            thread::spawn(move || wire.call("", "Echo.it", json!({ "n": n })).expect("an answer"))
        })
        .collect();
    for (n, one) in all.into_iter().enumerate() {
        assert_eq!(one.join().expect("no panic"), json!({ "n": n }));
    }
}

#[test]
fn each_session_has_its_own_events_once() {
    let wire = endpoint(LONG, |message, say| {
        say(&json!({ "method": "A.said", "sessionId": "a", "params": 1 }));
        say(&json!({ "method": "B.said", "sessionId": "b", "params": 2 }));
        say(&json!({ "id": message["id"], "result": {} }));
        true
    });
    wire.call("a", "Go.on", json!({})).expect("an answer");
    let told: Vec<_> = wire.events("a").expect("events").into_iter().map(|e| e.params).collect();
    assert_eq!(told, [json!(1)]);
    assert!(wire.events("a").expect("events").is_empty());
    assert_eq!(wire.events("b").expect("events").len(), 1);
}

#[test]
fn an_error_says_the_method_and_the_reason() {
    let wire = endpoint(LONG, |message, say| {
        say(
            &json!({ "id": message["id"], "error": { "code": -32000, "message": "no such node" } }),
        );
        true
    });
    let error = wire.call("", "DOM.resolveNode", json!({})).expect_err("an error");
    assert_eq!(error.to_string(), "DOM.resolveNode: no such node");
}

#[test]
fn silence_ends_in_an_error_and_a_late_answer_is_nobody_elses() {
    let mut first = None;
    let wire = endpoint(SHORT, move |message, say| {
        match first.take() {
            None => first = Some(message["id"].clone()),
            Some(late) => {
                say(&json!({ "id": late, "result": "late" }));
                say(&json!({ "id": message["id"], "result": "in time" }));
            }
        }
        true
    });
    let error = wire.call("", "Page.navigate", json!({})).expect_err("silence");
    assert!(error.to_string().contains("Page.navigate: no answer in 50ms"), "{error}");
    assert_eq!(wire.call("", "Page.navigate", json!({})).expect("an answer"), "in time");
}

#[test]
fn an_end_is_told_at_once_to_whoever_waits() {
    let wire = endpoint(LONG, |_, _| false);
    let began = Instant::now();
    let error = wire.call("", "Page.navigate", json!({})).expect_err("an end");
    assert!(error.to_string().contains("the browser ended"), "{error}");
    assert!(wire.events("a").is_err());
    assert!(began.elapsed() < LONG);
}

#[test]
fn what_is_no_json_ends_the_wire_with_a_reason() {
    let (from, mut to) = std::io::pipe().expect("a pipe");
    to.write_all(b"{no\0").expect("a pipe");
    let wire = Wire::new(from, std::io::sink(), LONG);
    let error = wire.call("", "Page.navigate", json!({})).expect_err("an end");
    assert!(error.to_string().contains("no JSON"), "{error}");
}
