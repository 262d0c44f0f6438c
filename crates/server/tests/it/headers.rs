//! What every answer has in common: forms, encodings, ids, origins, refusals.

use crate::client::{Running, patient};
use std::io::Read as _;

#[test]
fn other_formats_are_refused_in_json() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    for accept in ["application/fhir+xml", "text/turtle"] {
        let answer = server.send("GET", "/Patient/a", &[("Accept", accept)], b"");
        assert_eq!((answer.status, answer.code().as_str()), (406, "server.content.not-acceptable"));
    }
    assert_eq!(server.get("/Patient/a?_format=xml").status, 406);
    assert_eq!(server.get("/Patient/a?_format=application/fhir%2Bjson").status, 200);
    let plain = server.send("GET", "/Patient/a", &[("Accept", "application/json")], b"");
    assert_eq!(plain.header("content-type"), Some("application/json"));
    let pretty = server.get("/Patient/a?_pretty=true");
    assert!(pretty.body.starts_with(b"{\n  \"resourceType\": \"Patient\""));
}

#[test]
fn bodies_in_other_media_types_are_refused() {
    let server = Running::start();
    for (headers, code) in [
        (vec![("Content-Type", "application/fhir+xml")], "server.content.unsupported-media"),
        (vec![], "server.content.unsupported-media"),
        (
            vec![("Content-Type", "application/fhir+json"), ("Content-Encoding", "br")],
            "server.content.unsupported-media",
        ),
        (
            vec![("Content-Type", "application/fhir+json"), ("Content-Encoding", "gzip")],
            "server.body.encoding",
        ),
    ] {
        let answer = server.send("POST", "/Patient", &headers, patient("", "A").as_bytes());
        assert_eq!(answer.code(), code, "{headers:?}");
    }
}

#[test]
fn encodings_work_both_ways() {
    let server = Running::start();
    let long = patient("a", &"Lund".repeat(500));
    let packed = zstd::encode_all(long.as_bytes(), 3).unwrap();
    let json = ("Content-Type", "application/fhir+json");
    let made = server.send("PUT", "/Patient/a", &[json, ("Content-Encoding", "zstd")], &packed);
    assert_eq!(made.status, 201);
    let mut encoder = flate2::read::GzEncoder::new(long.as_bytes(), flate2::Compression::fast());
    let mut packed = Vec::new();
    encoder.read_to_end(&mut packed).unwrap();
    let made = server.send("PUT", "/Patient/a", &[json, ("Content-Encoding", "gzip")], &packed);
    assert_eq!(made.status, 200);
    let plain = server.get("/Patient/a");
    assert_eq!(plain.header("content-encoding"), None);
    let answer = server.send("GET", "/Patient/a", &[("Accept-Encoding", "gzip")], b"");
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut back = Vec::new();
    flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut back).unwrap();
    assert_eq!(back, plain.body);
    let answer = server.send("GET", "/Patient/a", &[("Accept-Encoding", "gzip, zstd")], b"");
    assert_eq!(answer.header("content-encoding"), Some("zstd"));
    assert_eq!(zstd::decode_all(answer.body.as_slice()).unwrap(), plain.body);
    server.put("/Patient/b", &patient("b", "Short"));
    let short = server.send("GET", "/Patient/b", &[("Accept-Encoding", "gzip")], b"");
    assert_eq!(short.header("content-encoding"), None, "not worth it");
}

#[test]
fn every_answer_has_an_id_to_ask_after() {
    let server = Running::start();
    let own = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000";
    let answer = server.send("GET", "/Patient/x", &[("X-Request-Id", own)], b"");
    assert_eq!(answer.header("x-request-id"), Some(own));
    let answer = server.send("GET", "/Patient/x", &[("X-Request-Id", "mrn-12345")], b"");
    let given = answer.header("x-request-id").unwrap();
    assert!(given.len() == 36 && given != own, "only a UUID is taken over");
}

#[test]
fn unknown_addresses_and_methods_are_refused_as_outcomes() {
    let server = Running::start();
    for (method, path, status, code) in [
        ("GET", "/Patientt/1", 404, "fhir.resource.unknown-type"),
        ("GET", "/Patient/1/2/3/4", 404, "server.route.unknown"),
        ("GET", "//nowhere", 404, "server.route.unknown"),
        ("GET", "//fhirx", 404, "server.route.unknown"),
        ("PATCH", "/Patient/1", 405, "server.interaction.not-supported"),
        ("POST", "/Patient/1", 405, "server.interaction.not-supported"),
        ("GET", "/$export", 405, "server.interaction.not-supported"),
        ("GET", "/Patient/a_b", 400, "fhir.resource.id-invalid"),
        ("GET", "/Patient?name=%zz", 400, ""),
    ] {
        let answer = server.send(method, path, &[], b"");
        assert_eq!(answer.status, status, "{method} {path}");
        let told = answer.code();
        assert!(code.is_empty() || told == code, "{method} {path}: {told}");
    }
    let refused = server.send("PATCH", "/Patient/1", &[], b"");
    assert_eq!(refused.header("allow"), Some("DELETE, GET, HEAD, OPTIONS, PUT"));
    let options = server.send("OPTIONS", "/Patient/1", &[], b"");
    assert_eq!((options.status, options.header("allow")), (204, refused.header("allow")));
}

#[test]
fn pages_of_other_origins_are_refused_until_listed() {
    let origin = ("Origin", "https://app.example");
    let server = Running::start();
    let answer = server.send("GET", "/metadata", &[origin], b"");
    assert_eq!((answer.status, answer.code().as_str()), (400, "server.header.invalid"));
    assert_eq!(answer.header("access-control-allow-origin"), None);
    let server = Running::with(|c| c.cors_origins = vec!["https://app.example".into()], |_| {});
    let answer = server.send("GET", "/Patient?_summary=count", &[origin], b"");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
    let asked = server.send("OPTIONS", "/Patient/1", &[origin], b"");
    assert_eq!(asked.status, 204);
    assert!(asked.header("access-control-allow-methods").unwrap().contains("PUT"));
    let other = server.send("GET", "/metadata", &[("Origin", "https://evil.example")], b"");
    assert_eq!(other.status, 400);
}

#[test]
fn only_names_of_this_machine_are_answered() {
    let server = Running::start();
    let answer = server.send("GET", "/metadata", &[("Host", "evil.example")], b"");
    assert_eq!((answer.status, answer.code().as_str()), (404, "server.route.unknown"));
    let url = Some("https://ehr.example/fhir".to_owned());
    let server = Running::with(|c| c.base_url = url, |_| {});
    let headers = [("Host", "ehr.example"), ("Content-Type", "application/fhir+json")];
    let answer = server.send("PUT", "/Patient/a", &headers, patient("a", "A").as_bytes());
    let address = "https://ehr.example/fhir/Patient/a/_history/1";
    assert_eq!((answer.status, answer.header("location")), (201, Some(address)));
}
