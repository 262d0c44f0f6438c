//! Every request to the record leaves exactly one audit event, whatever became of it; a batch leaves
//! one for each entry (45 CFR 164.312(b)).

use crate::run::Place;
use crate::serve::Serving;

#[test]
fn every_request_leaves_its_event() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let patient = r#"{"resourceType":"Patient","id":"a","gender":"female"}"#;
    let table: &[(&str, &str, &str, &str, u16)] = &[
        ("GET", "/fhir/metadata", "", "metadata", 200),
        ("PUT", "/fhir/Patient/a", patient, "update", 201),
        ("POST", "/fhir/Patient", patient, "create", 201),
        ("GET", "/fhir/Patient/a", "", "read", 200),
        ("GET", "/fhir/Patient/a/_history/1", "", "vread", 200),
        ("GET", "/fhir/Patient/nobody", "", "read", 404),
        ("GET", "/fhir/Patient?gender=female", "", "search", 200),
        ("GET", "/fhir/Patient?wrong=1", "", "search", 400),
        ("GET", "/fhir/Patient/_history", "", "history", 200),
        ("GET", "/fhir/Patient/a/$everything", "", "operation", 200),
        ("DELETE", "/fhir/Patient/a", "", "delete", 204),
        ("POST", "/fhir/Patient", "{broken", "create", 400),
        ("PUT", "/fhir/Patient/b", r#"{"resourceType":"Patient","id":"b","x":1}"#, "update", 422),
        ("GET", "/fhir/Nonsense/1", "", "refused", 404),
        ("PATCH", "/fhir/Patient/a", "", "refused", 405),
        ("OPTIONS", "/fhir/Patient", "", "metadata", 204),
    ];
    for (method, path, body, _, status) in table {
        let answer = server.ask(method, path, body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {path}: {answer}");
    }
    assert!(server.stop());
    let shown = place.run(&["audit", "show"]);
    // The server's own: it starts, draws the claim code of a new folder, and stops. The client and its
    // token are the test's, and the last is that of this reading itself.
    let own = ["start", "claim-drawn", "user-create", "token-issued", "stop", "review"]
        .map(|kind| format!("\"kind\":\"{kind}\""));
    let events: Vec<String> = shown
        .out
        .lines()
        .filter(|line| !own.iter().any(|kind| line.contains(kind)))
        .map(str::to_owned)
        .collect();
    assert_eq!(events.len(), table.len(), "{}", events.join("\n"));
    for (event, (method, path, _, kind, status)) in events.iter().zip(table) {
        let kind = format!("\"kind\":\"{kind}\"");
        let status = format!("\"status\":{status}");
        assert!(
            event.contains(&kind) && event.contains(&status) && event.contains("\"loopback\""),
            "{method} {path}: {event}"
        );
    }
}
