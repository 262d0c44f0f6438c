//! Who acts for a patient, at the gate: an authority is written by who keeps patients and with what proves
//! it, ends with what it rests on, and nobody who acts is left out of the list.

use crate::support::{Room, code, doc, of, run, settings};
use record::Session;
use record::proxy::{Authority, Power};
use registration::proxy::{self, Entered};

fn patient(id: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Okafor"}}],"managingOrganization":{{"reference":"Organization/north"}}{more}}}"#
    )
}

const URL: &str = "https://plummer.health/fhir/StructureDefinition/proxy-";

/// A `RelatedPerson` of a patient, with these extensions and members.
fn related(id: &str, about: &str, said: &[(&str, &str, &str)], more: &str) -> String {
    let said: Vec<String> = said
        .iter()
        .map(|(name, kind, value)| format!(r#"{{"url":"{URL}{name}","{kind}":"{value}"}}"#))
        .collect();
    let said = match said.as_slice() {
        [] => String::new(),
        all => format!(r#""extension":[{}],"#, all.join(",")),
    };
    format!(
        r#"{{"resourceType":"RelatedPerson","id":"{id}",{said}"patient":{{"reference":"Patient/{about}"}},"name":[{{"text":"Ann"}}]{more}}}"#
    )
}

const GUARDIAN: [(&str, &str, &str); 3] = [
    ("authority", "valueCode", "guardian"),
    ("power", "valueCode", "decide"),
    ("evidence", "valueString", "order of 3 May"),
];

fn make(session: &Session, body: &str) -> &'static str {
    code(run(session.create(of("RelatedPerson"), doc(body), None)))
}

fn put(session: &Session, id: &str, body: &str) -> &'static str {
    code(run(session.update(of("RelatedPerson"), id, doc(body), None, false)))
}

#[test]
fn an_authority_says_by_what_right_and_what_proves_it_through_any_door() {
    let room = Room::new();
    room.put(&patient("ada", r#","birthDate":"1950-01-01""#));
    let desk = room.desk();
    assert_eq!(make(&desk, &related("r", "ada", &GUARDIAN, "")), "done");
    for at in 0..3 {
        let mut lacking = GUARDIAN.to_vec();
        lacking.remove(at);
        let body = related("x", "ada", &lacking, "");
        assert_eq!(make(&desk, &body), "registration.value.invalid", "{body}");
    }
    for (at, value) in [(0, "boss"), (1, "everything"), (2, " ")] {
        let mut odd = GUARDIAN;
        odd[at].2 = value;
        let body = related("x", "ada", &odd, "");
        assert_ne!(make(&desk, &body), "done", "{body}");
    }
    let twice = [&GUARDIAN[..], &[("authority", "valueCode", "power-of-attorney")]].concat();
    let body = related("x", "ada", &twice, "");
    assert_eq!(make(&room.operator(), &body), "registration.value.invalid");
    // Who is only related says nothing of it, and may come to act only with all of it.
    room.put(&related("y", "ada", &[], ""));
    assert_eq!(make(&desk, &related("z", "ada", &[], "")), "done");
    assert_eq!(
        put(&desk, "y", &related("y", "ada", &GUARDIAN[..1], "")),
        "registration.value.invalid"
    );
}

#[test]
fn who_keeps_no_patients_puts_down_no_authority_and_lengthens_none() {
    let nurse = r#"@id("relatives") @law("45 CFR 164.510(b)") permit (principal in Role::"nurse", action in [Action::"view", Action::"create", Action::"update"], resource) when { context.purpose == "TREAT" && resource.kind == "RelatedPerson" };"#;
    let mut own = settings();
    own.policies = vec![("relatives.cedar".to_owned(), nurse.to_owned())];
    let room = Room::with(own);
    room.put(&patient("ada", r#","birthDate":"1950-01-01""#));
    room.put(&related("r", "ada", &GUARDIAN, r#","period":{"end":"2027-01-01"}"#));
    let nurse = room.as_of(&room.person("nia", "nurse", "pr-nia"));
    assert_eq!(make(&nurse, &related("y", "ada", &[], "")), "done");
    assert_eq!(make(&nurse, &related("y", "ada", &GUARDIAN, "")), "access.denied");
    let until = |end: &str, more: &str| {
        let body = related("r", "ada", &GUARDIAN, &format!(r#","period":{{"end":"{end}"}}{more}"#));
        put(&nurse, "r", &body)
    };
    assert_eq!(until("2027-01-01", r#","telecom":[{"system":"phone","value":"1"}]"#), "done");
    assert_eq!(until("2028-01-01", ""), "access.denied");
    assert_eq!(until("2026-12-31", ""), "done", "sooner takes nothing from anybody");
    assert_eq!(put(&nurse, "r", &related("r", "ada", &GUARDIAN, "")), "access.denied");
    let other = related("r", "eve", &GUARDIAN, r#","period":{"end":"2026-12-31"}"#);
    assert_eq!(put(&nurse, "r", &other), "access.denied", "over another patient");
}

fn entered(authority: Authority, until: &str) -> Entered {
    Entered {
        name: "Ann Okafor".into(),
        authority: Some(authority),
        powers: vec![Power::Decide],
        evidence: "order of 3 May".into(),
        until: until.into(),
        ..Entered::default()
    }
}

#[test]
fn a_guardian_of_somebody_whose_birth_is_not_known_has_an_end() {
    let room = Room::new();
    room.put(&patient("eve", ""));
    let desk = room.desk();
    assert_eq!(make(&desk, &related("r", "eve", &GUARDIAN, "")), "registration.value.invalid");
    let ended = related("r", "eve", &GUARDIAN, r#","period":{"end":"2027-01-01"}"#);
    assert_eq!(make(&desk, &ended), "done");
    let fault = run(proxy::add(&desk, "eve", "f1", &entered(Authority::Guardian, ""))).unwrap_err();
    assert_eq!(fault.issues[0].expression.as_deref(), Some("until"));
    let until = entered(Authority::Guardian, "2027-06-30");
    assert_eq!(code(run(proxy::add(&desk, "eve", "f1", &until))), "done");
    assert_eq!(
        code(run(proxy::add(&desk, "eve", "f2", &entered(Authority::Attorney, "")))),
        "done"
    );
}

#[test]
fn a_death_ends_who_acts_and_the_estate_has_its_own() {
    let room = Room::new();
    room.put(&patient("ada", r#","birthDate":"1950-01-01""#));
    let desk = room.desk();
    let id = run(proxy::add(&desk, "ada", "f1", &entered(Authority::Attorney, ""))).unwrap();
    assert!(run(proxy::one(&desk, "ada", &id)).unwrap().proxy.stands);
    let dead =
        |day: &str| room.put(&patient("ada", &format!(r#","birthDate":"1950-01-01",{day}"#)));
    dead(r#""deceasedBoolean":true"#);
    assert!(!run(proxy::one(&desk, "ada", &id)).unwrap().proxy.stands);
    let estate = entered(Authority::Representative, "");
    let fault = run(proxy::add(&desk, "ada", "f2", &estate)).unwrap_err();
    assert_eq!(
        fault.issues[0].expression.as_deref(),
        Some("authority"),
        "of which day is not known"
    );
    dead(r#""deceasedDateTime":"2026-11-20""#);
    let late = run(proxy::add(&desk, "ada", "f3", &entered(Authority::Guardian, "")));
    assert_eq!(code(late), "registration.value.invalid");
    assert_eq!(make(&desk, &related("x", "ada", &GUARDIAN, "")), "registration.value.invalid");
    let executor = run(proxy::add(&desk, "ada", "f2", &estate)).unwrap();
    let all = run(proxy::of(&desk, "ada")).unwrap();
    let stands: Vec<_> = all.iter().map(|one| (one.id.clone(), one.proxy.stands)).collect();
    assert_eq!(stands, [(executor, true), (id.clone(), false)]);
    // What ended before may still be written of, and taken away.
    let seen = registration::Seen { version: room.read("RelatedPerson", &id).version, id };
    assert_eq!(code(run(proxy::end(&desk, "ada", &seen))), "done");
}

#[test]
fn who_acts_is_listed_among_however_many_who_are_related() {
    let room = Room::new();
    room.put(&patient("ada", r#","birthDate":"1950-01-01""#));
    room.put(&related("a-guardian", "ada", &GUARDIAN, ""));
    for number in 0..120 {
        room.put(&related(&format!("r{number}"), "ada", &[], ""));
    }
    room.put(&related("z-guardian", "ada", &GUARDIAN, ""));
    let all = run(proxy::of(&room.desk(), "ada")).unwrap();
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|one| one.proxy.stands));
}
