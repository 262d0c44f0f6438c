//! No audit, no access: every interaction leaves its event, refusals too, and a change's event is as
//! durable as the change (45 CFR 164.312(b)).

use crate::support::*;
use audit::Kind;
use record::Audited;

#[test]
fn every_interaction_leaves_an_event_that_names_whom_it_showed() {
    let room = Room::new();
    let session = room.session();
    room.put(&patient(r#","id":"p""#)).unwrap();
    let id = room.create(&observation("Patient/p")).hit.id;
    room.read("Observation", &id).unwrap();
    room.read("Observation", "nobody").unwrap_err();
    room.search("Observation", "subject=Patient/p");
    room.transaction(&[entry("", "POST", "Observation", "", &observation("Patient/p"))]).unwrap();
    run(session.delete(of("Observation"), &id, None)).unwrap();
    run(session.delete(of("Observation"), &id, None)).unwrap();
    run(session.create(of("Patient"), doc(&patient(r#","x":1"#)), None)).unwrap_err();
    drop(session);
    let events = room.events();
    let told: Vec<_> = events
        .iter()
        .map(|e| (e.kind, e.status, e.patients.join(" "), e.results, e.commit_seq))
        .collect();
    let p = || "p".to_owned();
    assert_eq!(
        told,
        [
            (Kind::Update, 201, p(), 1, 1),
            (Kind::Create, 201, p(), 1, 2),
            (Kind::Read, 200, p(), 1, 0),
            (Kind::Read, 404, String::new(), 0, 0),
            (Kind::Search, 200, p(), 1, 0),
            (Kind::Transaction, 200, p(), 1, 3),
            (Kind::Delete, 204, p(), 1, 4),
            (Kind::Delete, 204, String::new(), 0, 0),
            (Kind::Create, 422, String::new(), 0, 0),
        ]
    );
    assert!(events.iter().all(|e| e.actor == "anonymous" && e.request == [7; 16]));
    assert_eq!(events[1].targets[0].id.as_deref(), Some(id.as_str()));
    assert_eq!(events[1].targets[0].version, Some(1));
    assert!(events[4].query.is_some());
}

#[test]
fn what_a_crash_kept_from_the_log_is_logged_at_the_next_start() {
    // A store whose commits never reached a log.
    let dir = tempfile::tempdir().unwrap();
    let store = store::Store::open(&dir.path().join("store"), store::Options::default()).unwrap();
    for n in 1..=20 {
        let id = format!("p{n}");
        let content = store.prepare(doc(&patient("")).root(), of("Patient"), id, 0).unwrap();
        let event = audit::Event::new(base::Millis(n), [2; 16], Kind::Create).encode();
        let unit = store::Unit {
            ops: vec![store::Op::Create(Box::new(content))],
            events: Some(Box::new(move |_| vec![event])),
            ..store::Unit::default()
        };
        store.commit(unit).unwrap();
    }
    drop(store);
    let room = Room { record: record::Record::open(dir.path(), settings()).unwrap(), dir };
    room.put(&patient(r#","id":"after""#)).unwrap();
    let commits: Vec<_> = room.events().iter().map(|e| e.commit_seq).filter(|c| *c > 0).collect();
    assert_eq!(commits, (1..=21).collect::<Vec<_>>());
}

#[test]
fn a_restart_logs_nothing_twice_and_the_chain_holds() {
    let mut room = Room::new();
    for n in 0..10 {
        room.put(&patient(&format!(r#","id":"p{n}""#))).unwrap();
        room = room.reopened();
    }
    let health = room.record.health();
    assert_eq!((health.audit, health.last_commit, health.audited_commit), (None, 10, 10));
    let dir = room.dir.path().join("audit");
    let report = audit::verify(&dir, None).unwrap();
    assert!(format!("{report:?}").contains("damage: None"), "{report:?}");
    let commits: Vec<_> = room.events().iter().map(|e| e.commit_seq).filter(|c| *c > 0).collect();
    assert_eq!(commits, (1..=10).collect::<Vec<_>>());
}

#[test]
fn an_answer_waits_for_its_event() {
    let room = Room::new();
    room.put(&patient(r#","id":"p""#)).unwrap();
    let session = room.session();
    let audited = session.read(of("Patient"), "p", None).unwrap();
    let hit = run(Audited::into_inner(audited)).unwrap();
    assert_eq!(hit.id, "p");
    session.note(Kind::Metadata, 200).unwrap().written().wait().unwrap();
    drop(session);
    let kinds: Vec<_> = room.events().iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Update, Kind::Read, Kind::Metadata]);
}
