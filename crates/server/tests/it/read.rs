//! Read and vread, with the headers that spare a second transfer.

use crate::client::{Running, patient};

#[test]
fn a_resource_is_read_with_its_version_in_the_headers() {
    let server = Running::start();
    assert_eq!(server.put("/Patient/a", &patient("a", "Okafor")).status, 201);
    let answer = server.get("/Patient/a");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    assert_eq!(answer.header("content-type"), Some("application/fhir+json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.header("last-modified").is_some_and(|d| d.ends_with("GMT")));
    assert_eq!(answer.at("id"), "a");
    assert_eq!(answer.at("meta.versionId"), "1");
    assert_eq!(answer.at("name.0.family"), "Okafor");
}

#[test]
fn what_is_not_there_is_told_from_what_was_deleted() {
    let server = Running::start();
    assert_eq!(server.get("/Patient/none").code(), "record.read.not-found");
    server.put("/Patient/a", &patient("a", "A"));
    assert_eq!(server.delete("/Patient/a").status, 204);
    let gone = server.get("/Patient/a");
    assert_eq!((gone.status, gone.code().as_str()), (410, "record.read.gone"));
    assert_eq!(server.get("/Patient/a/_history/1").status, 200);
    assert_eq!(server.get("/Patient/a/_history/2").status, 410);
    let none = server.get("/Patient/a/_history/9");
    assert_eq!((none.status, none.code().as_str()), (404, "record.read.version-not-found"));
    assert_eq!(server.get("/Patient/a/_history/x").status, 404);
}

#[test]
fn a_version_the_caller_holds_is_not_sent_again() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    let modified = server.get("/Patient/a").header("last-modified").unwrap().to_owned();
    for (name, value, status) in [
        ("If-None-Match", "W/\"1\"", 304),
        ("If-None-Match", "\"2\"", 200),
        ("If-None-Match", "*", 304),
        ("If-Modified-Since", modified.as_str(), 304),
        ("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
    ] {
        let answer = server.send("GET", "/Patient/a", &[(name, value)], b"");
        assert_eq!(answer.status, status, "{name}: {value}");
        assert_eq!(answer.body.is_empty(), status == 304);
        assert_eq!(answer.header("etag"), Some("W/\"1\""));
    }
}

#[test]
fn parts_of_a_resource_are_marked_as_such() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    let summary = server.get("/Patient/a?_summary=true");
    assert_eq!(summary.at("meta.tag.0.code"), "SUBSETTED");
    assert_eq!(summary.at("name.0.family"), "A");
    assert_eq!(summary.at("maritalStatus"), "");
    let elements = server.get("/Patient/a?_elements=maritalStatus");
    assert_eq!(elements.at("maritalStatus.text"), "M");
    assert_eq!(elements.at("name"), "");
    assert_eq!(server.get("/Patient/a?_summary=nonsense").status, 400);
    assert_eq!(server.get("/Patient/a?name=x").code(), "server.parameter.invalid");
}

#[test]
fn head_answers_the_headers_alone() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    let (get, head) = (server.get("/Patient/a"), server.send("HEAD", "/Patient/a", &[], b""));
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(server.send("HEAD", "/Patient/none", &[], b"").status, 404);
}
