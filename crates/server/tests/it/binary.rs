//! Binary by its content type.

use crate::client::Running;

#[test]
fn bytes_go_in_and_come_out_as_they_are() {
    let server = Running::start();
    let bytes: Vec<u8> = (0..=255).collect();
    let made = server.send("POST", "/Binary", &[("Content-Type", "image/png")], &bytes);
    assert_eq!(made.status, 201);
    assert_eq!(made.at("contentType"), "image/png");
    let path = format!("/Binary/{}", made.at("id"));
    let raw = server.get(&path);
    assert_eq!(raw.header("content-type"), Some("image/png"));
    assert!(raw.header("content-security-policy").unwrap().starts_with("sandbox; "));
    assert_eq!(raw.header("content-disposition"), Some("attachment"));
    assert_eq!(raw.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(raw.body, bytes);
    assert_eq!(server.send("GET", &path, &[("Accept", "image/*, */*")], b"").body, bytes);
    let resource = server.send("GET", &path, &[("Accept", "application/fhir+json")], b"");
    assert_eq!(resource.at("resourceType"), "Binary");
    assert_eq!(server.get(&format!("{path}?_format=json")).at("resourceType"), "Binary");
}

#[test]
fn an_update_keeps_the_id_of_its_address() {
    let server = Running::start();
    let headers =
        [("Content-Type", "text/plain; charset=utf-8"), ("X-Security-Context", "Patient/1")];
    let made = server.send("PUT", "/Binary/note", &headers, "süß".as_bytes());
    assert_eq!((made.status, made.at("id")), (201, "note".to_owned()));
    assert_eq!(made.at("securityContext.reference"), "Patient/1");
    let raw = server.get("/Binary/note");
    assert_eq!(raw.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(raw.header("x-security-context"), Some("Patient/1"));
    assert_eq!(raw.body, "süß".as_bytes());
}

#[test]
fn a_binary_is_also_written_as_a_resource() {
    let server = Running::start();
    let body = r#"{"resourceType":"Binary","id":"b","contentType":"text/plain","data":"aGk="}"#;
    assert_eq!(server.put("/Binary/b", body).status, 201);
    assert_eq!(server.get("/Binary/b").body, b"hi");
}
