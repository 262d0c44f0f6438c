//! `$everything`, health and metrics.

use crate::client::{Running, patient};

#[test]
fn everything_is_the_compartment_and_what_it_points_at() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    server.put("/Patient/b", &patient("b", "B"));
    for (id, of) in [("o1", "a"), ("o2", "a"), ("o3", "b")] {
        let body = format!(
            "{{\"resourceType\":\"Observation\",\"id\":\"{id}\",\"status\":\"final\",\"code\":{{\"text\":\"x\"}},\"subject\":{{\"reference\":\"Patient/{of}\"}}}}"
        );
        assert_eq!(server.put(&format!("/Observation/{id}"), &body).status, 201);
    }
    let page = server.get("/Patient/a/$everything");
    let mut ids: Vec<_> =
        (0..page.entries()).map(|at| page.at(&format!("entry.{at}.resource.id"))).collect();
    ids.sort();
    assert_eq!(ids, ["a", "o1", "o2"]);
    assert_eq!(server.get("/Patient/a/$everything?_type=Observation").entries(), 2);
    assert_eq!(server.get("/Patient/none/$everything").status, 404);
    assert_eq!(server.get("/Patient/a/$everything?wat=1").status, 400);
    let first = server.get("/Patient/a/$everything?_count=2");
    assert_eq!(first.entries(), 2);
    assert_eq!(server.get(&first.link("next").unwrap()).entries(), 1);
}

#[test]
fn health_tells_how_durable_writes_are() {
    let server = Running::start();
    assert_eq!(server.get("//health/live").at("status"), "live");
    let ready = server.get("//health/ready");
    assert_eq!((ready.status, ready.at("status")), (200, "ready".to_owned()));
    assert_eq!(ready.at("store.durable"), "true");
    assert_eq!(ready.at("audit.status"), "writing");
    assert_eq!(server.send("POST", "//health/live", &[], b"").status, 405);
    assert_eq!(ready.at("store.sync"), "full");
}

#[test]
fn metrics_count_without_naming_anybody() {
    let server = Running::start();
    server.put("/Patient/secret-id", &patient("secret-id", "Secretname"));
    server.get("/Patient/secret-id");
    server.get("/Patient?family=Secretname");
    server.get("/Patient/none");
    let answer = server.get("//metrics");
    let text = String::from_utf8(answer.body.clone()).unwrap();
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    for line in [
        "plummer_requests_total{interaction=\"read\",status=\"2xx\"} 1",
        "plummer_requests_total{interaction=\"read\",status=\"4xx\"} 1",
        "plummer_requests_total{interaction=\"search-type\",status=\"2xx\"} 1",
        "plummer_requests_total{interaction=\"update\",status=\"2xx\"} 1",
        "plummer_request_seconds_count{interaction=\"read\"} 2",
        "plummer_resources{type=\"Patient\"} 1",
        "plummer_store_durable 1",
        "plummer_audit_failed 0",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} not in\n{text}");
    }
    assert!(!text.to_lowercase().contains("secret"));
}
