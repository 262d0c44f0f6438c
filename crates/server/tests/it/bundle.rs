//! Batches and transactions over HTTP.

use crate::client::{Running, patient};

fn entry(full_url: &str, body: &str, method: &str, url: &str) -> String {
    let resource = if body.is_empty() { String::new() } else { format!("\"resource\":{body},") };
    let full_url =
        if full_url.is_empty() { String::new() } else { format!("\"fullUrl\":\"{full_url}\",") };
    format!("{{{full_url}{resource}\"request\":{{\"method\":\"{method}\",\"url\":\"{url}\"}}}}")
}

fn bundle(kind: &str, entries: &[String]) -> String {
    format!("{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\",\"entry\":[{}]}}", entries.join(","))
}

const OBSERVATION: &str = "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"text\":\"x\"},\"subject\":{\"reference\":\"urn:uuid:00000000-0000-4000-8000-000000000001\"}}";

#[test]
fn a_transaction_is_answered_entry_by_entry() {
    let server = Running::start();
    let body = bundle(
        "transaction",
        &[
            entry("", OBSERVATION, "POST", "Observation"),
            entry(
                "urn:uuid:00000000-0000-4000-8000-000000000001",
                &patient("", "Lund"),
                "POST",
                "Patient",
            ),
        ],
    );
    let answer = server.post("", &body);
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.at("type"), "transaction-response");
    assert_eq!(answer.at("entry.0.response.status"), "201 Created");
    assert_eq!(answer.at("entry.0.response.etag"), "W/\"1\"");
    let location = answer.at("entry.0.response.location");
    let (_, path) = location.split_once("/fhir").unwrap();
    let reference = server.get(path).at("subject.reference");
    assert_eq!(server.get(&format!("/{reference}")).at("name.0.family"), "Lund");
}

#[test]
fn a_transaction_with_a_bad_entry_changes_nothing() {
    let server = Running::start();
    let bad = "{\"resourceType\":\"Patient\",\"id\":\"b\",\"nope\":1}";
    let body = bundle(
        "transaction",
        &[entry("", &patient("a", "A"), "PUT", "Patient/a"), entry("", bad, "PUT", "Patient/b")],
    );
    let answer = server.post("", &body);
    assert_eq!((answer.status, answer.code().as_str()), (422, "validation.element.unknown"));
    assert!(answer.at("issue.0.expression.0").starts_with("Bundle.entry[1]"));
    assert_eq!(server.get("/Patient/a").status, 404);
}

#[test]
fn a_batch_answers_each_entry_by_itself() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    let body = bundle(
        "batch",
        &[
            entry("", "", "GET", "Patient/a"),
            entry("", "", "GET", "Patient/none"),
            entry("", "", "GET", "Patient?family=A&_count=1"),
            entry("", &patient("b", "B"), "PUT", "Patient/b"),
        ],
    );
    let answer = server.post("/", &body);
    assert_eq!((answer.status, answer.at("type")), (200, "batch-response".to_owned()));
    assert_eq!(answer.at("entry.0.resource.id"), "a");
    assert_eq!(answer.at("entry.1.response.status"), "404 Not Found");
    let code = answer.at("entry.1.response.outcome.issue.0.details.coding.0.code");
    assert_eq!(code, "record.read.not-found");
    assert_eq!(answer.at("entry.2.resource.type"), "searchset");
    assert_eq!(answer.at("entry.2.resource.entry.0.resource.id"), "a");
    assert_eq!(answer.at("entry.3.response.status"), "201 Created");
}

#[test]
fn what_is_no_batch_is_refused() {
    let server = Running::start();
    let collection = server.post("", &bundle("collection", &[]));
    assert_eq!((collection.status, collection.code().as_str()), (400, "record.bundle.type"));
    assert_eq!(server.post("", &patient("", "A")).code(), "record.bundle.type");
}

#[test]
fn representations_come_when_preferred() {
    let server = Running::start();
    let body = bundle("transaction", &[entry("", &patient("a", "A"), "PUT", "Patient/a")]);
    let headers = [("Content-Type", "application/fhir+json"), ("Prefer", "return=representation")];
    let answer = server.send("POST", "", &headers, body.as_bytes());
    assert_eq!(answer.at("entry.0.resource.meta.versionId"), "1");
    let minimal = server.post("", &body);
    assert_eq!(minimal.at("entry.0.resource"), "");
}
