//! Searches: by address and by form, their links, their parts, their refusals.

use crate::client::{Running, patient};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn clinic() -> Running {
    let server = Running::start();
    for at in 0..7 {
        server.put(&format!("/Patient/p{at}"), &patient(&format!("p{at}"), "Lund"));
    }
    let observation = "{\"resourceType\":\"Observation\",\"id\":\"o1\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"urn:c\",\"code\":\"x\"}]},\"subject\":{\"reference\":\"Patient/p0\"}}";
    assert_eq!(server.put("/Observation/o1", observation).status, 201);
    server
}

#[test]
fn a_page_says_what_was_asked_and_where_to_go_on() {
    let server = clinic();
    let page = server.get("/Patient?family=lund&_count=3&_total=accurate");
    assert_eq!(page.status, 200);
    assert_eq!((page.at("type"), page.at("total")), ("searchset".to_owned(), "7".to_owned()));
    assert_eq!(page.entries(), 3);
    assert_eq!(page.at("entry.0.search.mode"), "match");
    assert_eq!(page.at("entry.0.fullUrl"), format!("{}/Patient/p0", server.base()));
    let this = page.link("self").unwrap();
    assert!(this.starts_with("/Patient?") && this.contains("family=lund"), "{this}");
    let (mut seen, mut next) = (Vec::new(), page.link("next"));
    seen.extend((0..3).map(|at| page.at(&format!("entry.{at}.resource.id"))));
    while let Some(path) = next {
        assert!(!path.contains("lund"), "a page link tells nothing: {path}");
        let page = server.get(&path);
        assert_eq!(page.status, 200, "{path}");
        seen.extend((0..page.entries()).map(|at| page.at(&format!("entry.{at}.resource.id"))));
        next = page.link("next");
    }
    assert_eq!(seen, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
}

#[test]
fn a_posted_search_leaves_nothing_in_an_address() {
    let server = clinic();
    let page = server.send("POST", "/Patient/_search", &[FORM], b"family=Lund&_count=3");
    assert_eq!((page.status, page.entries()), (200, 3));
    assert_eq!(page.link("self").as_deref(), Some("/Patient"));
    let next = page.link("next").unwrap();
    assert!(next.starts_with("/Patient?_cursor=") && !next.to_lowercase().contains("lund"));
    assert_eq!(server.get(&next).entries(), 3);
    let mixed = server.send("POST", "/Patient/_search?_count=2", &[FORM], b"family=Lund");
    assert_eq!(mixed.entries(), 2);
    let json = server.post("/Patient/_search", "{}");
    assert_eq!((json.status, json.code().as_str()), (415, "server.content.unsupported-media"));
}

#[test]
fn system_and_compartment_are_searched() {
    let server = clinic();
    assert_eq!(server.get("/?_type=Patient,Observation&_summary=count").at("total"), "8");
    assert_eq!(server.send("POST", "/_search", &[FORM], b"_type=Observation").entries(), 1);
    assert_eq!(server.get("/Patient/p0/Observation").at("entry.0.resource.id"), "o1");
    assert_eq!(server.get("/Patient/p1/Observation").entries(), 0);
    assert_eq!(server.get("/Patient/p0/*").entries(), 2);
    let posted = server.send("POST", "/Patient/p0/Observation/_search", &[FORM], b"code=x");
    assert_eq!(posted.entries(), 1);
}

#[test]
fn an_empty_page_has_no_entry() {
    let server = clinic();
    let page = server.get("/Patient?family=nobody");
    assert_eq!(page.status, 200);
    assert!(!String::from_utf8_lossy(&page.body).contains("\"entry\""));
}

#[test]
fn what_is_not_understood_is_refused_or_told() {
    let server = clinic();
    for (path, code) in [
        ("/Patient?wat=1", "search.parameter.unknown"),
        ("/Patient?family:wat=1", "search.parameter.modifier"),
        ("/Patient?_count=x", "search.result.parameter"),
        ("/Patient?_cursor=forged", "search.page.cursor"),
        ("/Patient?_explain=true", "search.parameter.unknown"),
    ] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{path}");
    }
    let lenient = [("Prefer", "handling=lenient")];
    let answer = server.send("GET", "/Patient?wat=1&_count=1", &lenient, b"");
    assert_eq!((answer.status, answer.entries()), (200, 2));
    assert_eq!(answer.at("entry.1.search.mode"), "outcome");
    assert_eq!(answer.at("entry.1.resource.issue.0.severity"), "warning");
}

#[test]
fn plans_are_told_where_the_settings_allow_it() {
    let server = Running::with(|c| c.explain = true, |_| {});
    server.put("/Patient/a", &patient("a", "Lund"));
    let answer = server.get("/Patient?family=Lund&_explain=true");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.at("entry.1.search.mode"), "outcome");
    assert!(answer.at("entry.1.resource.issue.0.diagnostics").len() > 3);
}

#[test]
fn matches_come_in_part_and_with_what_they_include() {
    let server = clinic();
    let page = server.get("/Patient?_id=p0&_elements=identifier");
    assert_eq!(page.at("entry.0.resource.meta.tag.0.code"), "SUBSETTED");
    assert_eq!(page.at("entry.0.resource.name"), "");
    let count = server.get("/Patient?_summary=count");
    assert_eq!((count.at("total"), count.entries()), ("7".to_owned(), 0));
    let page = server.get("/Observation?_include=Observation:patient");
    assert_eq!(page.entries(), 2);
    assert_eq!(page.at("entry.1.search.mode"), "include");
    assert_eq!(page.at("entry.1.resource.id"), "p0");
    let page = server.get("/Patient?_id=p0&_revinclude=Observation:subject");
    assert_eq!(page.at("entry.1.resource.id"), "o1");
}
