//! Transactions: order, links, conditions, duplicates, all or nothing
//! (<https://hl7.org/fhir/R4/http.html#transaction>).

use crate::support::*;
use record::{Answer, BundleOptions, Content};

const A: &str = "urn:uuid:0c2c58dd-8b3c-4b6b-9a55-7d8a6b1f0a01";
const B: &str = "urn:uuid:0c2c58dd-8b3c-4b6b-9a55-7d8a6b1f0a02";

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|answer| answer.status).collect()
}

fn id_of(answer: &Answer) -> &str {
    &answer.place.as_ref().unwrap().id
}

#[test]
fn entries_are_carried_out_in_the_order_of_the_specification_and_answered_in_their_own() {
    let room = Room::new();
    room.put(&patient(r#","id":"old""#)).unwrap();
    room.put(&patient(r#","id":"kept""#)).unwrap();
    let answers = room
        .transaction(&[
            entry("", "GET", "Patient/new", "", ""),
            entry("", "PUT", "Patient/new", "", &patient(r#","id":"new","active":true"#)),
            entry("", "PUT", "Patient/kept", "", &patient(r#","id":"kept""#)),
            entry("", "GET", "Patient/old", "", ""),
            entry(A, "POST", "Patient", "", &patient("")),
            entry("", "DELETE", "Patient/old", "", ""),
            entry("", "DELETE", "Patient/never", "", ""),
            entry("", "GET", "Patient?_summary=count", "", ""),
            entry("", "GET", "Patient/kept/_history", "", ""),
            entry("", "HEAD", "Patient/kept", "", ""),
        ])
        .unwrap();
    assert_eq!(statuses(&answers), [200, 201, 200, 410, 201, 204, 204, 200, 200, 200]);
    let Content::Resource(new) = &answers[0].content else { panic!("a read has a resource") };
    assert_eq!((new.id.as_str(), new.version), ("new", 1));
    let Content::Found(found) = &answers[7].content else { panic!("a search has a page") };
    assert_eq!(found.page.total, Some(3), "reads see what the transaction wrote");
    let Content::History(page) = &answers[8].content else { panic!("a history has a page") };
    assert_eq!(page.versions.len(), 2);
    assert!(matches!(answers[9].content, Content::None), "HEAD has no content");
    assert_eq!(answers[2].place.as_ref().unwrap().version, 2);
}

#[test]
fn links_between_entries_become_references() {
    let room = Room::new();
    let observation = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},
        "text":{{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{A}\">x</a></div>"}},
        "extension":[{{"url":"http://x.example/u","valueUri":"{B}"}},{{"url":"http://x.example/s","valueString":"{B}"}}],
        "identifier":[{{"system":"urn:ietf:rfc:3986","value":"{A}"}}],
        "subject":{{"reference":"{A}"}},"hasMember":[{{"reference":"{B}"}}]}}"#
    );
    let answers = room
        .transaction(&[
            entry(B, "POST", "Observation", "", &observation),
            entry(A, "PUT", "Patient/p", "", &patient(r#","id":"p""#)),
        ])
        .unwrap();
    let id = id_of(&answers[0]);
    let body = room.body("Observation", id);
    let root = body.root();
    let text = |path: &[&str]| {
        path.iter()
            .try_fold(root, |value, step| match step.parse::<usize>() {
                Ok(at) => value.items().nth(at),
                Err(_) => value.get(step),
            })
            .and_then(|value| value.as_str())
            .unwrap()
            .into_owned()
    };
    let own = format!("Observation/{id}");
    assert_eq!(text(&["subject", "reference"]), "Patient/p");
    assert_eq!(text(&["hasMember", "0", "reference"]), own);
    assert_eq!(text(&["extension", "0", "valueUri"]), own);
    assert_eq!(text(&["extension", "1", "valueString"]), B, "a string is no link");
    assert_eq!(text(&["identifier", "0", "value"]), A, "an identifier stays what it identifies");
    assert!(text(&["text", "div"]).contains("href=\"Patient/p\""));
    assert_eq!(room.count("Observation", "subject=Patient/p"), 1, "and is found by it");
}

#[test]
fn conditions_decide_and_references_follow() {
    let room = Room::new();
    let known = room.create(&patient(r#","identifier":[{"system":"urn:mrn","value":"1"}]"#)).hit.id;
    let if_none_exist = r#","ifNoneExist":"identifier=urn:mrn|1""#;
    let answers = room
        .transaction(&[
            entry(A, "POST", "Patient", if_none_exist, &patient("")),
            entry("", "POST", "Observation", "", &observation(A)),
            entry(B, "PUT", "Patient?identifier=urn:mrn|2", "", &patient("")),
            entry("", "POST", "Observation", "", &observation(B)),
            entry("", "DELETE", "Patient?identifier=urn:mrn|3", "", ""),
        ])
        .unwrap();
    assert_eq!(statuses(&answers), [200, 201, 201, 201, 204]);
    assert_eq!(id_of(&answers[0]), known);
    assert_eq!(room.count("Observation", &format!("subject=Patient/{known}")), 1);
    assert_eq!(room.count("Observation", &format!("subject=Patient/{}", id_of(&answers[2]))), 1);
}

#[test]
fn conditional_references_are_resolved_here_and_in_the_bundle() {
    let room = Room::new();
    let doctor = |value: &str| {
        format!(
            r#"{{"resourceType":"Practitioner","identifier":[{{"system":"urn:npi","value":"{value}"}}]}}"#
        )
    };
    let by = |value: &str| {
        let reference = format!(
            r#","performer":[{{"reference":"Practitioner?identifier=urn:npi|{value}"}}]}}"#
        );
        observation("Patient/p").trim_end_matches('}').to_owned() + "}" + &reference
    };
    let stored = room.create(&doctor("1")).hit.id;
    let answers = room
        .transaction(&[
            entry("", "POST", "Observation", "", &by("1")),
            entry("", "POST", "Observation", "", &by("2")),
            entry("", "POST", "Practitioner", "", &doctor("2")),
        ])
        .unwrap();
    let fresh = id_of(&answers[2]);
    assert_eq!(room.count("Observation", &format!("performer=Practitioner/{stored}")), 1);
    assert_eq!(room.count("Observation", &format!("performer=Practitioner/{fresh}")), 1);

    let place = Some("Bundle.entry[0].resource.performer[0].reference");
    let none = room.transaction(&[entry("", "POST", "Observation", "", &by("9"))]).unwrap_err();
    assert_eq!(told(&none), ("record.bundle.reference", place));
    assert!(!none.to_string().contains("npi"), "the text may name a person: {none}");
    let both = room.transaction(&[
        entry("", "POST", "Observation", "", &by("1")),
        entry("", "POST", "Practitioner", "", &doctor("1")),
    ]);
    assert_eq!(told(&both.unwrap_err()), ("record.bundle.reference", place));
    let gone = room.transaction(&[
        entry("", "POST", "Observation", "", &by("1")),
        entry("", "DELETE", &format!("Practitioner/{stored}"), "", ""),
    ]);
    assert_eq!(told(&gone.unwrap_err()), ("record.bundle.reference", place));
}

#[test]
fn nothing_is_half_done() {
    let room = Room::new();
    room.put(&patient(r#","id":"p""#)).unwrap();
    let twice = |n: &str| format!(r#","identifier":[{{"system":"urn:mrn","value":"{n}"}}]"#);
    room.create(&patient(&twice("2")));
    room.create(&patient(&twice("2")));
    let if_match = r#","ifMatch":"W/\"7\"""#;
    let star = r#","ifNoneMatch":"*""#;
    let p = patient(r#","id":"p","active":true"#);
    let many = r#","ifNoneExist":"identifier=urn:mrn|2""#;
    let one = r#","ifNoneExist":"identifier=urn:mrn|5""#;
    for (bad, code, place) in [
        (
            entry("", "PUT", "Patient/p", if_match, &p),
            "record.write.version-conflict",
            "request.ifMatch",
        ),
        (
            entry("", "DELETE", "Patient/p", if_match, ""),
            "record.write.version-conflict",
            "request.ifMatch",
        ),
        (entry("", "PUT", "Patient/p", star, &p), "record.write.precondition-failed", "request"),
        (
            entry("", "POST", "Patient", many, &patient("")),
            "record.write.multiple-matches",
            "request.ifNoneExist",
        ),
        (
            entry("", "PUT", "Patient?identifier=urn:mrn|2", "", &patient("")),
            "record.write.multiple-matches",
            "request.url",
        ),
        (
            entry("", "POST", "Patient", r#","ifNoneExist":"colour=red""#, &patient("")),
            "search.parameter.unknown",
            "request.ifNoneExist",
        ),
        (
            entry("", "PATCH", "Patient/p", "", ""),
            "server.interaction.not-supported",
            "request.method",
        ),
        (
            entry("", "POST", "Patient", "", &patient(r#","gender":"blue""#)),
            "validation.binding.required",
            "resource.gender",
        ),
        (entry("", "POST", "Patient", "", r#"{"resourceType":"Group"}"#), "", ""),
        (
            entry("", "PUT", "Patient/fresh", "", &patient(r#","id":"fresh""#)),
            "record.bundle.duplicate",
            "request",
        ),
        (entry(A, "POST", "Patient", "", &patient("")), "record.bundle.duplicate", "fullUrl"),
        (entry("", "POST", "Patient", one, &patient("")), "record.bundle.duplicate", "request"),
    ] {
        let fault = room
            .transaction(&[
                entry(A, "POST", "Patient", one, &patient("")),
                entry("", "PUT", "Patient/fresh", "", &patient(r#","id":"fresh""#)),
                entry("", "DELETE", "Patient/other", "", ""),
                bad.clone(),
            ])
            .unwrap_err();
        if !code.is_empty() {
            assert_eq!(told(&fault), (code, Some(&*format!("Bundle.entry[3].{place}"))), "{bad}");
        }
        assert_eq!(room.count("Patient", ""), 3, "{bad}");
        assert_eq!(room.read("Patient", "p").unwrap().version, 1, "{bad}");
    }
}

#[test]
fn a_bundle_must_be_one_and_not_too_large() {
    let room = Room::with(|settings| settings.limits.bundle_entries = 2);
    for (body, code) in [
        (patient(""), "record.bundle.type"),
        (bundle("collection", &[]), "record.bundle.type"),
        (
            bundle("batch", &vec![entry("", "GET", "Patient", "", ""); 3]),
            "record.bundle.too-many-entries",
        ),
    ] {
        assert_eq!(told(&room.bundle(&body).unwrap_err()).0, code);
    }
    assert!(
        room.bundle(r#"{"resourceType":"Bundle","type":"transaction"}"#)
            .unwrap()
            .entries
            .is_empty()
    );
}

#[test]
fn a_representation_is_what_is_stored() {
    let room = Room::new();
    let body = bundle(
        "transaction",
        &[
            entry(A, "POST", "Patient", "", &patient("")),
            entry("", "POST", "Observation", "", &observation(A)),
        ],
    );
    let options = BundleOptions { representation: true, ..BundleOptions::default() };
    let answer = run(room.session().bundle(doc(&body), options)).unwrap();
    for (answer, kind) in answer.entries.iter().zip(["Patient", "Observation"]) {
        let Content::Resource(hit) = &answer.content else { panic!("no representation") };
        assert_eq!(hit.body, room.read(kind, id_of(answer)).unwrap().body);
        assert_eq!(answer.last_modified, Some(hit.last_updated));
    }
}
