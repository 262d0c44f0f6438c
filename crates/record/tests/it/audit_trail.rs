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
    let room = Room::new();
    let copy = tempfile::tempdir().unwrap();
    for n in 0..20 {
        room.put(&patient(&format!(r#","id":"p{n}""#))).unwrap();
    }
    // A copy of the store beside an empty log is what a machine finds whose log came later to the
    // disk than its store.
    std::fs::create_dir_all(copy.path().join("store")).unwrap();
    room.session().backup(&copy.path().join("store/records.sqlite"), &mut |_, _| {}).unwrap();
    let kept = {
        let store = store::Store::open(&copy.path().join("store"), store::Options::default());
        store.unwrap().unaudited().unwrap().len()
    };
    assert!(kept > 0, "the outbox is emptied with later commits only");
    let again = Room { record: record::Record::open(copy.path(), settings()).unwrap(), dir: copy };
    again.read("Patient", "p3").unwrap();
    let events = again.events();
    let commits: Vec<_> = events.iter().map(|e| e.commit_seq).filter(|c| *c > 0).collect();
    assert_eq!(commits.len(), kept);
    assert!(commits.is_sorted() && commits.last() == Some(&20));
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
