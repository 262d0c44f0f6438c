//! Finding a patient by one line, and telling whether a draft is one who is here: under the caller's
//! scope and mask, with one event that names the patients who were shown.

use crate::support::{Room, doc, observation, run, told};
use audit::Kind;
use identity::{Cost, Kind as Of, Profile};
use record::{
    Asked, Audited, Duplicate, Fits, Grade, PATIENTS_MAX, PatientsFound, Reason, SameName, Scope,
    Session, Subject,
};

fn patient(id: &str, name: &str, born: &str, phone: &str, more: &str) -> String {
    let (family, given) = name.split_once(", ").unwrap();
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}","given":["{given}"]}}],
        "birthDate":"{born}","gender":"male","telecom":[{{"system":"phone","value":"{phone}"}}],
        "identifier":[{{"system":"urn:other","value":"X-{id}"}},
        {{"type":{{"coding":[{{"code":"MR"}}]}},"system":"urn:mrn","value":"M-{id}"}}]{more}}}"#
    )
}

fn clinic() -> Room {
    let room = Room::with(|s| s.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 });
    for (id, name, born, phone, more) in [
        ("p1", "Smith, John", "1961-03-14", "(555) 010-0142", ""),
        (
            "p2",
            "Smith, William",
            "1970-01-01",
            "555-010-0199",
            r#","deceasedDateTime":"2020-01-01""#,
        ),
        ("p3", "Smyth, Jon", "1961-03-14", "555-010-0200", ""),
        (
            "p4",
            "Smith, John",
            "1999-09-09",
            "555-010-0600",
            r#","active":false,"link":[{"type":"replaced-by","other":{"reference":"Patient/p1"}}]"#,
        ),
    ] {
        room.put(&patient(id, name, born, phone, more)).unwrap();
    }
    room.create(&observation("Patient/p1"));
    room
}

fn find(session: &Session, line: &str) -> PatientsFound {
    session.find_patients(line, PATIENTS_MAX).and_then(Audited::wait).unwrap()
}

fn ids(found: &PatientsFound) -> Vec<&str> {
    found.rows.iter().map(|row| row.id.as_str()).collect()
}

#[test]
fn a_row_says_what_a_find_box_shows() {
    let room = clinic();
    let found = find(&room.session(), "smith");
    assert_eq!(ids(&found), ["p1", "p4", "p2", "p3"]);
    let [john, merged, bill, jon] = found.rows.as_slice() else { panic!() };
    assert_eq!((john.family.as_deref(), john.given.as_deref()), (Some("Smith"), Some("John")));
    assert_eq!((john.born.as_deref(), john.sex.as_deref()), (Some("1961-03-14"), Some("male")));
    assert_eq!(john.phone_end.as_deref(), Some("0142"));
    assert_eq!((john.identifiers[0].value.as_str(), john.identifiers.len()), ("M-p1", 2));
    assert_eq!((john.fits, jon.fits), (Fits::Exactly, Fits::Sound));
    assert_eq!((john.warning, bill.warning), (Some(SameName::Same), None));
    assert_eq!(jon.warning, Some(SameName::SoundsAlike));
    assert!(bill.deceased && !john.deceased);
    assert!(!merged.active && merged.replaced_by.as_deref() == Some("p1"));
    assert_eq!(find(&room.session(), "smith billy").rows[0].fits, Fits::Nickname);
    assert_eq!(find(&room.session(), "smith jo").rows[0].fits, Fits::Beginning);
}

#[test]
fn what_finds_nobody_is_refused_by_name_and_says_nothing_of_what_was_typed() {
    let room = clinic();
    for line in ["", " , ", &"verylongname ".repeat(20)] {
        let fault = room.session().find_patients(line, 20).unwrap_err();
        assert_eq!(told(&fault).0, "search.find.unreadable", "{line}");
        assert!(!format!("{fault:?}").contains("verylong"));
    }
    assert!(find(&room.session(), "nobody").rows.is_empty());
}

#[test]
fn one_event_names_the_patients_who_were_shown() {
    let room = clinic();
    assert_eq!(ids(&find(&room.session(), "smith 0142")), ["p1"]);
    let draft = doc(&patient("new", "Smith, Bill", "1970-01-01", "1", ""));
    let found = room.session().possible_duplicates(&draft).and_then(Audited::wait).unwrap();
    assert_eq!(found[0].row.id, "p2");
    assert!(room.session().find_patients("", 20).is_err());
    let events = room.events();
    let finds: Vec<_> = events.iter().filter(|event| event.kind == Kind::Search).collect();
    let [found, duplicates, refused] = finds.as_slice() else { panic!("{}", finds.len()) };
    assert_eq!((found.patients.as_slice(), found.results), (["p1".to_owned()].as_slice(), 1));
    assert!(found.query.is_some());
    assert_eq!(duplicates.patients, ["p2"]);
    assert_eq!((refused.status, refused.patients.len()), (400, 0));
}

#[test]
fn nobody_outside_the_scope_is_found_or_changes_an_answer() {
    let room = clinic();
    let confined = |scope: Scope| room.record.session(Subject::operator().confined(scope), [7; 16]);
    let own = confined(Scope::everything().of_patient("p3"));
    for line in ["smith", "smith john", "0142", "M-p1", "1961-03-14", "s"] {
        let found = find(&own, line);
        assert!(ids(&found).iter().all(|id| *id == "p3"), "{line}: {found:?}");
        assert!(found.rows.iter().all(|row| row.warning.is_none()) && !found.more, "{line}");
    }
    assert_eq!(ids(&find(&own, "smyth")), ["p3"]);
    let draft = doc(&patient("new", "Smith, John", "1961-03-14", "555-010-0142", ""));
    let found = own.possible_duplicates(&draft).and_then(Audited::wait).unwrap();
    let ids: Vec<&str> = found.iter().map(|one| one.row.id.as_str()).collect();
    assert_eq!(ids, ["p3"]);
    let nothing = confined(Scope::nothing());
    assert_eq!(nothing.find_patients("smith", 20).unwrap_err().status(), 403);
    assert_eq!(nothing.possible_duplicates(&draft).unwrap_err().status(), 403);
}

#[test]
fn a_role_finds_by_what_it_sees() {
    let room = clinic();
    let session = |name: &str, kind: Of, role: &str| {
        let profile = Profile {
            name: name.to_owned(),
            display: "Somebody".to_owned(),
            roles: vec![role.to_owned()],
            ..Profile::default()
        };
        let identity = room.record.identity();
        let made = identity.create(kind, profile).unwrap();
        let opened = identity.issue(made.id, 3_600_000, "a script").unwrap();
        let caller = identity.find(opened.token.text().expose(), None).unwrap();
        room.record.session(room.record.subject(&caller, None, Asked::default()).unwrap(), [3; 16])
    };
    let desk = session("dora", Of::Person, "front-desk");
    assert_eq!(ids(&find(&desk, "smith 0142")), ["p1"]);
    assert_eq!(ids(&find(&desk, "M-p2")), ["p2"]);
    let nobody = session("nina", Of::Person, "nobody");
    assert_eq!(nobody.find_patients("smith", 20).unwrap_err().status(), 403);
}

#[test]
fn a_draft_is_told_who_it_may_be_with_the_reasons() {
    let room = clinic();
    let duplicates = |body: &str| -> Vec<Duplicate> {
        room.session().possible_duplicates(&doc(body)).and_then(Audited::wait).unwrap()
    };
    let found = duplicates(&patient("new", "Smith, Jack", "1961-03-14", "555 010 0142", ""));
    assert_eq!((found[0].row.id.as_str(), found[0].grade), ("p1", Grade::High));
    for reason in [Reason::FamilySame, Reason::GivenNickname, Reason::BornSame, Reason::PhoneSame] {
        assert!(found[0].reasons.contains(&reason), "{reason:?} {:?}", found[0]);
    }
    assert!(found.iter().any(|one| one.row.id == "p3" && one.grade == Grade::Mid));
    assert!(found.is_sorted_by(|a, b| a.weight >= b.weight));
    // What is there is not its own duplicate, and nobody is made the same by a birthday.
    let own = duplicates(&patient("p1", "Smith, John", "1961-03-14", "(555) 010-0142", ""));
    assert!(own.iter().all(|one| one.row.id != "p1"));
    assert!(
        duplicates(&patient("new", "Nguyen, Mai", "1961-03-14", "555-999-9999", "")).is_empty()
    );
    let half = duplicates(r#"{"resourceType":"Patient","name":[{"text":"John Smith"}]}"#);
    assert!(half.iter().all(|one| one.grade == Grade::Low) && half.len() >= 2);
    let other = doc(r#"{"resourceType":"Observation"}"#);
    let fault = room.session().possible_duplicates(&other).unwrap_err();
    assert_eq!(told(&fault).0, "fhir.resource.type-mismatch");
    assert_eq!(room.count("Patient", ""), 4, "it makes nobody");
}

#[test]
fn a_change_is_found_at_once() {
    let room = clinic();
    room.put(&patient("p2", "Jones, Bill", "1970-01-01", "555-010-0199", "")).unwrap();
    assert_eq!(ids(&find(&room.session(), "jones, william")), ["p2"]);
    run(room.session().delete(crate::support::of("Patient"), "p2", None)).unwrap();
    assert!(find(&room.session(), "jones").rows.is_empty());
}
