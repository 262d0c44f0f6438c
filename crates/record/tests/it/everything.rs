//! `$everything`, and that a scope holds for all of it.

use crate::support::*;
use record::{Audited, EverythingParams, Found, Scope, SearchHow, Subject};
use std::collections::BTreeSet;

fn clinic() -> Room {
    let room = Room::new();
    for body in [
        r#"{"resourceType":"Organization","id":"o","name":"Ward"}"#,
        r#"{"resourceType":"Practitioner","id":"d"}"#,
        r#"{"resourceType":"Practitioner","id":"stranger"}"#,
        r#"{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"Organization/o"}}"#,
        r#"{"resourceType":"Patient","id":"q"}"#,
        r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"start":"2020-01-05","end":"2020-01-05"},"participant":[{"individual":{"reference":"Practitioner/d"}}]}"#,
        r#"{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e"},"effectiveDateTime":"2020-01-05"}"#,
        r#"{"resourceType":"Observation","id":"b","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p"},"effectiveDateTime":"2022-01-05"}"#,
        r#"{"resourceType":"Observation","id":"c","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/q"}}"#,
    ] {
        room.put(body).unwrap();
    }
    room
}

fn everything(room: &Room, kind: &str, id: &str, query: &str) -> Found {
    let pairs = search::parse::decode_query(query).unwrap();
    let how = SearchHow::default();
    let params = EverythingParams { pairs };
    room.session().everything(of(kind), id, params, &how).and_then(Audited::wait).unwrap()
}

fn names(found: &Found) -> BTreeSet<String> {
    let hits = found.page.matches.iter().chain(&found.page.included);
    hits.map(|hit| hit.id.clone()).collect()
}

fn set(ids: &str) -> BTreeSet<String> {
    ids.split(' ').map(str::to_owned).collect()
}

#[test]
fn everything_is_the_compartment_and_what_it_refers_to() {
    let room = clinic();
    for (kind, id, query, expected) in [
        ("Patient", "p", "", "p e a b o d"),
        ("Patient", "q", "", "q c"),
        ("Patient", "p", "_type=Observation", "a b"),
        ("Patient", "p", "_type=Patient,Encounter", "p e o d"),
        ("Patient", "p", "start=2021-01-01", "p b o"),
        ("Patient", "p", "end=2021-01-01", "p e a o d"),
        ("Patient", "p", "start=2019&end=2021", "p e a o d"),
        ("Encounter", "e", "", "e a p d"),
    ] {
        let found = everything(&room, kind, id, query);
        assert_eq!(names(&found), set(expected), "{kind}/{id}?{query}");
    }
    assert!(everything(&room, "Patient", "p", "_type=Organization").page.matches.is_empty());
    let since = room.read("Observation", "b").unwrap().last_updated.to_instant();
    let found = everything(&room, "Patient", "p", &format!("_since={since}"));
    assert_eq!(names(&found), set("b"));
}

#[test]
fn everything_comes_in_pages() {
    let room = clinic();
    let mut found = everything(&room, "Patient", "p", "_count=1");
    let mut all = names(&found);
    let mut pages = 1;
    while let Some(next) = &found.next {
        found = everything(&room, "Patient", "p", &format!("_cursor={next}"));
        assert!(found.page.matches.len() <= 1);
        all.extend(names(&found));
        pages += 1;
    }
    assert_eq!((pages, all), (4, set("p e a b o d")));
}

#[test]
fn what_cannot_be_gathered_is_refused() {
    let room = clinic();
    let how = SearchHow::default();
    for (kind, id, name, value, code) in [
        ("Patient", "nobody", "_count", "1", "record.read.not-found"),
        ("Practitioner", "d", "_count", "1", "server.interaction.not-supported"),
        ("Patient", "p", "colour", "red", "search.parameter.unknown"),
        ("Patient", "p", "_type", "Nothing", "search.parameter.value"),
        ("Patient", "p", "start", "yesterday", "search.parameter.value"),
        ("Patient", "p", "_cursor", "x", "search.page.cursor"),
    ] {
        let params = EverythingParams { pairs: vec![(name.into(), value.into())] };
        let fault = room.session().everything(of(kind), id, params, &how).unwrap_err();
        assert_eq!(told(&fault).0, code);
    }
}

#[test]
fn a_confined_subject_sees_no_further_and_writes_nothing() {
    let room = clinic();
    let session = |scope| room.record.session(Subject::operator().confined(scope), [0; 16]);
    let of_q = session(Scope::everything().of_patient("q"));
    assert_eq!(told(&of_q.read(of("Patient"), "p", None).unwrap_err()).0, "record.read.not-found");
    assert!(of_q.read(of("Observation"), "c", None).is_ok());
    let how = SearchHow::default();
    let fault = of_q.everything(of("Patient"), "p", EverythingParams::default(), &how).unwrap_err();
    assert_eq!(told(&fault).0, "record.read.not-found");
    let only = session(Scope::everything().of_types([of("Patient"), of("Observation")]));
    let found = only.everything(of("Patient"), "p", EverythingParams::default(), &how);
    assert_eq!(names(&found.and_then(Audited::wait).unwrap()), set("p a b"));
    let fault = run(only.create(of("Patient"), doc(&patient("")), None)).unwrap_err();
    assert_eq!(told(&fault).0, "access.denied");
}
