//! Events of the access log as FHIR, and who may read them through the gate.

use crate::support::Room;
use audit::{Decision, Entry, Event, Hash, Kind, Receipt, Source, Target};
use base::error::code;
use base::{Limits, Millis};
use fhir::Document;
use record::{Scope, Shown, Subject, Teller, audit_event};

fn entry(kind: Kind, change: impl FnOnce(&mut Event)) -> Entry {
    let mut event = Event::new(Millis(1_795_340_467_123), [0x11; 16], kind);
    event.actor = "practitioner-7".into();
    event.source = Some(Source::Loopback);
    change(&mut event);
    Entry { seq: 17, hash: Hash::GENESIS, event }
}

/// One line a member, so that a review shows what changed.
fn laid_out(json: &[u8]) -> String {
    let (mut out, mut depth, mut in_text) = (String::new(), 0usize, false);
    let mut previous = ' ';
    for c in std::str::from_utf8(json).unwrap().chars() {
        if c == '"' && previous != '\\' {
            in_text = !in_text;
        }
        previous = c;
        match c {
            _ if in_text => out.push(c),
            '{' | '[' => {
                depth += 1;
                out.push(c);
                out.push_str(&format!("\n{}", "  ".repeat(depth)));
            }
            '}' | ']' => {
                depth -= 1;
                out.push_str(&format!("\n{}", "  ".repeat(depth)));
                out.push(c);
            }
            ',' => out.push_str(&format!(",\n{}", "  ".repeat(depth))),
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}

fn golden(name: &str, entry: &Entry, shown: Shown<'_>) {
    let json = audit_event(entry, shown, &Teller::ids("plummer"));
    let document = Document::parse(json.clone(), &Limits::default()).unwrap();
    let issues = validation::validate(document.root(), &validation::Options::default());
    assert!(issues.is_empty(), "{name}: {issues:?}\n{}", laid_out(&json));
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), name, &laid_out(&json));
}

#[test]
fn events_are_told_by_the_patterns_of_basic_audit() {
    let read = entry(Kind::Read, |event| {
        event.targets.push(Target::resource("Observation", "o-1", Some(2)));
        event.patients.push("p-1".to_owned());
        event.receipt = Some(Box::new(Receipt {
            policies: vec!["clinician-treats".to_owned()],
            epoch: 3,
            purpose: Some("TREAT".to_owned()),
            on_behalf_of: Some("doctor-2".to_owned()),
            session: Some("s-1".to_owned()),
            client: Some("app-9".to_owned()),
            break_glass: None,
        }));
    });
    golden("audit-event-read.json", &read, Shown::All);
    let search = entry(Kind::Search, |event| {
        event.targets.push(Target::of_type("Observation"));
        event.patients.extend(["p-1".to_owned(), "p-2".to_owned()]);
        event.query = Some([0xAB; 8]);
        event.source = Some(Source::Public);
    });
    golden("audit-event-search.json", &search, Shown::All);
    golden("audit-event-search-one-patient.json", &search, Shown::Only("p-2"));
    let glass = entry(Kind::Update, |event| {
        event.targets.push(Target::resource("Patient", "p-1", Some(3)));
        event.patients.push("p-1".to_owned());
        let break_glass = Some("unconscious".to_owned());
        event.receipt = Some(Box::new(Receipt { break_glass, ..Receipt::default() }));
    });
    golden("audit-event-break-glass.json", &glass, Shown::All);
    let refused = entry(Kind::Refused, |event| {
        event.decision = Decision::Deny;
        event.status = 403;
    });
    golden("audit-event-refused.json", &refused, Shown::All);
    for kind in Kind::ALL {
        // Every kind makes a resource that validates.
        let json = audit_event(&entry(*kind, |_| {}), Shown::All, &Teller::ids("plummer"));
        let document = Document::parse(json, &Limits::default()).unwrap();
        let issues = validation::validate(document.root(), &validation::Options::default());
        assert!(issues.is_empty(), "{}: {issues:?}", kind.name());
    }
}

#[test]
fn who_is_confined_to_one_patient_reads_that_patients_part_alone() {
    let room = Room::new();
    let own = Subject::operator().confined(Scope::everything().of_patient("p-1"));
    let session = room.record.session(own, [8; 16]);
    let pair = |id: &str| vec![("patient".to_owned(), id.to_owned())];
    assert!(session.access_log(&pair("p-1")).is_ok());
    assert!(session.who_saw("p-1", None, None).is_ok());
    let denied = |code: &'static base::Code| assert_eq!(code, &code::ACCESS_DENIED);
    denied(session.access_log(&pair("p-2")).unwrap_err().code());
    denied(session.access_log(&[]).unwrap_err().code());
    denied(session.who_saw("p-2", None, None).unwrap_err().code());
    assert_eq!(session.access_log_event("log-1").unwrap_err().code(), &code::NOT_FOUND);
    drop(session);
    let denials = room.events().into_iter().filter(|event| event.decision == Decision::Deny);
    assert_eq!(denials.count(), 3, "a denial is in the log as well");
}

#[test]
fn who_saw_a_record_is_told_and_telling_it_is_logged() {
    let room = Room::new();
    room.put(r#"{"resourceType":"Patient","id":"ada"}"#).unwrap();
    let session = room.session();
    let of = fhir::definitions::r4().resource_type("Patient").unwrap();
    for _ in 0..3 {
        session.read(of, "ada", None).unwrap().wait().unwrap();
    }
    let told = session.who_saw("ada", None, None).unwrap().wait().unwrap();
    let lines: Vec<_> = told.accesses.iter().map(|a| (a.did, a.times)).collect();
    assert_eq!(lines, [("opened a part of the record", 3), ("changed the record", 1)]);
    assert_eq!(told.accesses[0].reason, "no reason is recorded");
    let later = told.accesses[0].last;
    let none = session.who_saw("ada", Some(Millis(later.0 + 1)), None).unwrap().wait().unwrap();
    assert!(none.accesses.is_empty());
    let last = room.events().pop().unwrap();
    assert_eq!((last.kind, last.patients), (Kind::Review, vec!["ada".to_owned()]));
}

#[test]
fn a_signed_log_is_covered_to_its_last_event_when_the_record_is_closed() {
    use std::sync::Arc;
    let signer = || keys::SigningKey::new(&keys::Secret::take(&mut [1; 32])).unwrap();
    let salts = audit::Salts::new(&keys::Secret::take(&mut [2; 32]));
    let seal = audit::Seal::new("plummer/test", Arc::new(signer()), salts.clone());
    let key = seal.key().unwrap();
    let room = Room::with(|settings| settings.seal = Some(seal));
    room.put(r#"{"resourceType":"Patient","id":"ada"}"#).unwrap();
    assert_eq!(room.record.health().notary, None);
    let Room { record, dir } = room;
    drop(record);
    let log = crate::support::log_key(dir.path());
    let trust = audit::Trust { key, salts: Some(salts), log, kept: Vec::new() };
    let report = audit::verify_signed(&dir.path().join("audit"), None, &trust).unwrap();
    assert!(report.is_sound() && report.events > 0, "{report:?}");
    assert_eq!(report.signed, report.events);
}
