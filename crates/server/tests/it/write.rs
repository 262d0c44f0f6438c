//! Create, update and delete, conditional and not.

use crate::client::{Running, patient};
use record::Settings;

const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");

#[test]
fn a_create_says_where_the_resource_lies() {
    let server = Running::start();
    let answer = server.post("/Patient", &patient("", "Lund"));
    assert_eq!(answer.status, 201);
    let id = answer.at("id");
    let address = format!("{}/Patient/{id}/_history/1", server.base());
    assert_eq!(answer.header("location"), Some(address.as_str()));
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    assert_eq!(server.get(&format!("/Patient/{id}")).body, answer.body);
}

#[test]
fn the_answer_takes_the_form_preferred() {
    let server = Running::start();
    for (prefer, expected) in [
        ("return=minimal", ""),
        ("return=representation", "Patient"),
        ("return=OperationOutcome", "OperationOutcome"),
    ] {
        let body = patient("", "Lund");
        let answer = server.send("POST", "/Patient", &[JSON, ("Prefer", prefer)], body.as_bytes());
        assert_eq!(answer.status, 201, "{prefer}");
        assert!(answer.header("location").is_some());
        match expected {
            "" => assert!(answer.body.is_empty()),
            name => assert_eq!(answer.at("resourceType"), name),
        }
    }
}

#[test]
fn a_conditional_create_answers_the_one_there() {
    let server = Running::start();
    let ask = |family| {
        let condition = ("If-None-Exist", "identifier=urn:mrn|Lund-1");
        server.send("POST", "/Patient", &[JSON, condition], patient("", family).as_bytes())
    };
    let first = ask("Lund");
    assert_eq!(first.status, 201);
    let second = ask("Lund");
    assert_eq!((second.status, second.at("id")), (200, first.at("id")));
    assert_eq!(second.header("location"), None);
    server.post("/Patient", &patient("", "Lund"));
    assert_eq!(ask("Lund").code(), "record.write.multiple-matches");
}

#[test]
fn updates_follow_the_version_named() {
    let server = Running::start();
    assert_eq!(server.put("/Patient/a", &patient("a", "One")).status, 201);
    let update = |header: &[(&str, &str)], family| {
        let mut all = vec![JSON];
        all.extend_from_slice(header);
        server.send("PUT", "/Patient/a", &all, patient("a", family).as_bytes())
    };
    let second = update(&[("If-Match", "W/\"1\"")], "Two");
    assert_eq!((second.status, second.header("etag")), (200, Some("W/\"2\"")));
    let stale = update(&[("If-Match", "1")], "Three");
    assert_eq!((stale.status, stale.code().as_str()), (412, "record.write.version-conflict"));
    assert_eq!(update(&[("If-Match", "*")], "Three").code(), "server.header.invalid");
    let there = update(&[("If-None-Match", "*")], "Three");
    assert_eq!((there.status, there.code().as_str()), (412, "record.write.precondition-failed"));
    assert_eq!(server.get("/Patient/a").at("name.0.family"), "Two");
}

#[test]
fn bodies_that_do_not_fit_their_address_are_refused() {
    let server = Running::start();
    for (path, body, status, code) in [
        ("/Patient/a", patient("b", "A"), 400, "fhir.resource.id-mismatch"),
        ("/Patient/a", patient("", "A"), 400, "fhir.resource.id-missing"),
        ("/Observation/a", patient("a", "A"), 400, "fhir.resource.type-mismatch"),
        ("/Patient/a", "{\"resourceType\":\"Patient\"".to_owned(), 400, "fhir.json.syntax"),
        (
            "/Patient/a",
            "{\"resourceType\":\"Patient\",\"id\":\"a\",\"nmae\":[]}".to_owned(),
            422,
            "validation.element.unknown",
        ),
    ] {
        let answer = server.put(path, &body);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{body}");
    }
    assert_eq!(server.get("/Patient/a").status, 404);
    assert_eq!(server.post("/Patient", "[]").code(), "fhir.resource.not-object");
}

#[test]
fn create_by_update_can_be_switched_off() {
    let server = Running::with(|_| {}, |s: &mut Settings| s.create_by_update = false);
    let answer = server.put("/Patient/a", &patient("a", "A"));
    assert_eq!((answer.status, answer.code().as_str()), (405, "record.write.create-by-update-off"));
    let metadata = server.get("/metadata");
    assert_eq!(metadata.at("rest.0.resource.0.updateCreate"), "false");
}

#[test]
fn conditional_updates_find_or_make_one() {
    let server = Running::start();
    let path = "/Patient?identifier=urn:mrn|Lund-1";
    let first = server.put(path, &patient("", "Lund"));
    assert_eq!(first.status, 201);
    let second = server.put(path, &patient("", "Lund"));
    assert_eq!((second.status, second.at("id")), (200, first.at("id")));
    assert_eq!(second.at("meta.versionId"), "2");
    assert_eq!(
        server.put("/Patient", &patient("", "Lund")).code(),
        "record.write.condition-missing"
    );
    assert_eq!(server.put("/Patient?wat=1", &patient("", "L")).code(), "search.parameter.unknown");
}

#[test]
fn deletes_can_be_repeated_and_conditional() {
    let server = Running::start();
    assert_eq!(server.delete("/Patient/none").status, 204);
    server.put("/Patient/a", &patient("a", "A"));
    let conflict = server.send("DELETE", "/Patient/a", &[("If-Match", "7")], b"");
    assert_eq!(conflict.status, 412);
    let told = server.send("DELETE", "/Patient/a", &[("Prefer", "return=OperationOutcome")], b"");
    assert_eq!((told.status, told.at("issue.0.severity")), (200, "information".to_owned()));
    assert_eq!(server.delete("/Patient/a").status, 204);
    for id in ["b", "c"] {
        server.put(&format!("/Patient/{id}"), &patient(id, "Twin"));
    }
    let many = server.delete("/Patient?family=Twin");
    assert_eq!((many.status, many.code().as_str()), (412, "record.write.multiple-matches"));
    assert_eq!(server.delete("/Patient?_id=b").status, 204);
    assert_eq!(server.get("/Patient/b").status, 410);
    assert_eq!(server.delete("/Patient").code(), "record.write.condition-missing");
}

#[test]
fn several_are_deleted_only_where_the_settings_say_so() {
    let server = Running::with(|c| c.delete_many = true, |_| {});
    for id in ["b", "c"] {
        server.put(&format!("/Patient/{id}"), &patient(id, "Twin"));
    }
    assert_eq!(server.delete("/Patient?family=Twin").status, 204);
    assert_eq!(server.get("/Patient/b").status, 410);
    assert_eq!(server.get("/Patient/c").status, 410);
}

#[test]
fn a_resource_returns_after_its_deletion() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    server.delete("/Patient/a");
    let again = server.put("/Patient/a", &patient("a", "B"));
    assert_eq!((again.status, again.header("etag")), (201, Some("W/\"3\"")));
}

#[test]
fn a_large_body_is_stored_like_a_small_one() {
    let server = Running::start();
    let family = "Lund".repeat(100_000);
    assert_eq!(server.put("/Patient/a", &patient("a", &family)).status, 201);
    assert_eq!(server.get("/Patient/a").at("name.0.family"), family);
    let bad = server.put("/Patient/a", &patient("b", &family));
    assert_eq!(bad.code(), "fhir.resource.id-mismatch");
}
