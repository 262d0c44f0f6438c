//! The policies in force: a set that differs leaves its event, comes into force as a whole, and is
//! what everybody is decided by from then on; and what is told of why, and of other sets.

use crate::support::{Room, of, settings};
use audit::{Event, Kind};
use identity::{Caller, Cost, Kind as Of, PrincipalId, Profile};
use record::{Action, Asked, Audited, Purpose, Record, Settings, WhyAsked};

type Texts = Vec<(String, String)>;

fn texts(text: &str) -> Texts {
    vec![("site.cedar".to_owned(), text.to_owned())]
}

fn cheap(settings: &mut Settings) {
    settings.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
}

const NOT_SO: &str = "@id(\"site-closed\")\nforbid (principal, action, resource) when { resource.kind == \"Patient\" };";
const DESK: &str = "@id(\"site-desk\") permit (principal in Role::\"nurse\", action in Action::\"view\", resource) when { context.purpose == \"TREAT\" && resource.kind == \"Patient\" };";

/// A principal with a token, as a request finds it.
fn caller(room: &Room, name: &str, kind: Of, role: &str) -> (PrincipalId, Caller) {
    let identity = room.record.identity();
    let profile = Profile {
        name: name.to_owned(),
        display: "Somebody".to_owned(),
        roles: vec![role.to_owned()],
        ..Profile::default()
    };
    let made = identity.create(kind, profile).unwrap();
    let opened = identity.issue(made.id, 3_600_000, "a script").unwrap();
    (made.id, identity.find(opened.token.text().expose(), None).unwrap())
}

fn reads(room: &Room, caller: &Caller, id: &str) -> Result<(), &'static str> {
    let subject = room.record.subject(caller, None, Asked::default()).unwrap();
    let session = room.record.session(subject, [3; 16]);
    let read = session.read(of("Patient"), id, None).and_then(Audited::wait);
    read.map(drop).map_err(|fault| fault.code().name)
}

fn changes(events: &[Event]) -> Vec<&Event> {
    events.iter().filter(|event| event.kind == Kind::PolicyChange).collect()
}

#[test]
fn a_set_that_differs_from_the_last_one_leaves_its_event_at_the_start() {
    let room = Room::new();
    let shipped = room.record.standing();
    assert_eq!((shipped.epoch, shipped.files.len(), shipped.digest.len()), (1, 0, 64));
    let Room { record, dir } = room;
    drop(record);
    let open = |policies: Texts| Record::open(dir.path(), Settings { policies, ..settings() });
    for _again in 0..2 {
        let record = open(texts(NOT_SO)).unwrap();
        let standing = record.standing();
        assert_eq!(standing.epoch, 2, "the same set is the same epoch");
        assert_eq!(standing.files, ["site.cedar"]);
        assert_ne!(standing.digest, shipped.digest);
    }
    let back = open(Texts::new()).unwrap();
    assert_eq!(back.standing(), record::Standing { epoch: 3, ..shipped.clone() });
    let events = Room { record: back, dir }.events();
    let changes = changes(&events);
    assert_eq!(changes.len(), 2, "what is shipped has changed nothing in a new record");
    let ids = |event: &Event| -> Vec<String> {
        event.targets.iter().filter_map(|target| target.id.clone()).collect()
    };
    assert_eq!(ids(changes[0])[1..], ["site.cedar"]);
    assert_eq!(ids(changes[1]), [shipped.digest]);
    assert_eq!(changes[0].receipt.as_ref().unwrap().epoch, 2);
    assert_eq!(&*changes[0].actor, "anonymous", "who changed the files cannot be known");
}

#[test]
fn a_start_with_a_policy_that_is_refused_is_refused_by_file_and_line() {
    let dir = tempfile::tempdir().unwrap();
    let policies = texts("\npermit (principal, action, resource);");
    let fault = Record::open(dir.path(), Settings { policies, ..settings() }).unwrap_err();
    assert_eq!(fault.code().name, "access.policy.unnamed");
    assert_eq!(fault.issues[0].expression.as_deref(), Some("site.cedar:2"));
    assert!(!dir.path().join("store").exists(), "nothing was opened");
}

#[test]
fn a_reload_is_all_or_nothing_and_the_next_request_is_decided_by_it() {
    let room = Room::with(cheap);
    room.put(r#"{"resourceType":"Patient","id":"a"}"#).unwrap();
    let (_, lab) = caller(&room, "lab", Of::Service, "system");
    assert_eq!(reads(&room, &lab, "a"), Ok(()));
    let before = room.record.standing();
    let bad = [texts(NOT_SO), vec![("bad.cedar".to_owned(), "permit;".to_owned())]].concat();
    let fault = room.record.reload_policies(&bad, [5; 16]).unwrap_err();
    assert_eq!(fault.issues[0].expression.as_deref(), Some("bad.cedar:1"));
    assert_eq!(room.record.standing(), before, "the good file did not come in alone");
    assert_eq!(reads(&room, &lab, "a"), Ok(()));
    let (now, changed) = room.record.reload_policies(&texts(NOT_SO), [5; 16]).unwrap();
    assert!(changed && now.epoch == before.epoch + 1 && now == room.record.standing());
    // The same token, the same session, no new sign-in.
    assert_eq!(reads(&room, &lab, "a"), Err("access.denied"));
    let (same, changed) = room.record.reload_policies(&texts(NOT_SO), [5; 16]).unwrap();
    assert!(!changed && same == now);
    let (back, changed) = room.record.reload_policies(&[], [6; 16]).unwrap();
    assert!(changed && back.digest == before.digest && back.epoch == now.epoch + 1);
    assert_eq!(reads(&room, &lab, "a"), Ok(()));
    let events = room.events();
    let told: Vec<_> =
        changes(&events).iter().map(|event| (event.actor.to_string(), event.request)).collect();
    let operator = "operator".to_owned();
    assert_eq!(told, [(operator.clone(), [5; 16]), (operator, [6; 16])]);
}

#[test]
fn a_wall_stands_whatever_a_site_permits() {
    let room = Room::with(cheap);
    room.put(r#"{"resourceType":"Patient","id":"a"}"#).unwrap();
    let open = "@id(\"all\") permit (principal, action, resource);";
    room.record.reload_policies(&texts(open), [5; 16]).unwrap();
    let sealed = r#"{"resourceType":"Patient","id":"b","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]}}"#;
    room.put(sealed).unwrap();
    let (_, desk) = caller(&room, "desk", Of::Person, "front-desk");
    assert_eq!(reads(&room, &desk, "a"), Ok(()));
    assert_eq!(reads(&room, &desk, "b"), Err("record.read.not-found"));
}

fn asked(who: PrincipalId, id: &str) -> WhyAsked {
    WhyAsked {
        who,
        action: Action::Read,
        kind: of("Patient"),
        id: Some(id.to_owned()),
        patient: None,
        purpose: Some(Purpose::Treatment),
        fresh: false,
        at: None,
    }
}

#[test]
fn why_tells_what_is_missing_and_what_permits_and_leaves_its_event() {
    let room = Room::with(cheap);
    room.put(r#"{"resourceType":"Patient","id":"a"}"#).unwrap();
    let (nurse, _) = caller(&room, "eve", Of::Person, "nurse");
    let why = room.session().why(&asked(nurse, "a")).and_then(Audited::wait).unwrap();
    assert!(!why.permitted && why.ties.is_empty());
    let says = &why.purposes[0].says;
    assert!(says.permits.is_empty() && says.forbids.is_empty());
    let instead = &why.purposes[0].instead;
    assert!(instead.contains(&"the patient being in their care".to_owned()), "{instead:?}");
    room.record.reload_policies(&texts(DESK), [5; 16]).unwrap();
    let why = room.session().why(&asked(nurse, "a")).and_then(Audited::wait).unwrap();
    assert!(why.permitted && why.standing.epoch == 2);
    assert_eq!(&*why.purposes[0].says.permits[0].id, "site-desk");
    // An imagined record of somebody, then one that is not there.
    let imagined = WhyAsked { id: None, patient: Some("a".into()), ..asked(nurse, "a") };
    let why = room.session().why(&imagined).and_then(Audited::wait).unwrap();
    assert!(why.permitted && why.notes.iter().any(|note| note.contains("imagined")));
    assert!(room.session().why(&asked(nurse, "nobody")).is_err());
    // At a time before the policies were changed.
    let then = WhyAsked { at: Some(base::Millis(1_799_999_999_000)), ..asked(nurse, "a") };
    let why = room.session().why(&then).and_then(Audited::wait).unwrap();
    assert!(why.notes.iter().any(|note| note.contains("other policies were in force")), "{why:?}");
    let events = room.events();
    let left: Vec<_> = events.iter().filter(|e| e.kind == Kind::PolicyAsked).collect();
    assert_eq!(left.len(), 5);
    assert!(left[0].patients == ["a"] && left[3].status == 404);
    assert_eq!(left[0].targets[0].id, Some(nurse.to_string()));
}

#[test]
fn what_the_store_shows_is_what_why_says() {
    let room = Room::with(cheap);
    room.put(r#"{"resourceType":"Patient","id":"a"}"#).unwrap();
    room.put(r#"{"resourceType":"Patient","id":"b","generalPractitioner":[{"reference":"Practitioner/p"}]}"#)
        .unwrap();
    let identity = room.record.identity();
    for (name, role) in [("n", "nurse"), ("c", "clinician"), ("x", "biller")] {
        let profile = Profile {
            name: name.to_owned(),
            display: "Somebody".to_owned(),
            roles: vec![role.to_owned()],
            practitioner: Some("p".to_owned()),
            ..Profile::default()
        };
        let made = identity.create(Of::Person, profile).unwrap();
        let token = identity.issue(made.id, 3_600_000, "a script").unwrap();
        let caller = identity.find(token.token.text().expose(), None).unwrap();
        for id in ["a", "b"] {
            let question = WhyAsked { purpose: None, ..asked(made.id, id) };
            let why = room.session().why(&question).and_then(Audited::wait).unwrap();
            assert_eq!(why.permitted, reads(&room, &caller, id).is_ok(), "{role} {id}: {why:?}");
        }
    }
}

#[test]
fn a_simulation_tells_what_would_be_refused_or_permitted_and_names_no_patient() {
    let room = Room::with(cheap);
    room.put(r#"{"resourceType":"Patient","id":"patient-a"}"#).unwrap();
    room.put(r#"{"resourceType":"Patient","id":"patient-b"}"#).unwrap();
    let (_, lab) = caller(&room, "lab", Of::Service, "system");
    let (_, eve) = caller(&room, "eve", Of::Person, "nurse");
    for id in ["patient-a", "patient-b", "patient-a"] {
        assert_eq!(reads(&room, &lab, id), Ok(()));
    }
    assert!(reads(&room, &eve, "patient-a").is_err());
    let simulate = |text: &str| {
        room.session().simulate(&texts(text), None, None).and_then(Audited::wait).unwrap()
    };
    let closed = simulate(NOT_SO);
    assert_eq!((closed.refused.len(), closed.permitted.len()), (1, 0), "{closed:?}");
    let tally = &closed.refused[0];
    assert_eq!((&*tally.roles, tally.action, tally.kind), ("system", "read", "Patient"));
    assert_eq!((&*tally.rule, tally.times, tally.people), ("forbidden by site-closed", 3, 1));
    let desk = simulate(DESK);
    assert_eq!((desk.refused.len(), desk.permitted.len()), (0, 1), "{desk:?}");
    assert_eq!((&*desk.permitted[0].rule, desk.permitted[0].times), ("permitted by site-desk", 1));
    let same = simulate("@id(\"no\") forbid (principal in Role::\"nobody\", action, resource);");
    assert_eq!(same.replayed, same.alike);
    assert!(same.replayed >= 4 && !same.partial.is_empty());
    for found in [&closed, &desk, &same] {
        assert!(!format!("{found:?}").contains("patient-a"));
    }
    let bad = room.session().simulate(&texts("permit;"), None, None);
    assert_eq!(bad.unwrap_err().code().name, "access.policy.invalid");
    assert_eq!(room.record.standing().epoch, 1, "nothing came into force");
    let later = Some(base::Millis(i64::MAX));
    let none = room.session().simulate(&texts(NOT_SO), later, None).and_then(Audited::wait);
    assert_eq!(none.unwrap().events, 0);
    let events = room.events();
    assert_eq!(events.iter().filter(|event| event.kind == Kind::PolicyAsked).count(), 5);
}
