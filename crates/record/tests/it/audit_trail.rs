//! No audit, no access: every interaction leaves its event, refusals too, and a change's event is as
//! durable as the change (45 CFR 164.312(b)).

use crate::support::*;
use audit::{Disk, Files, Kind, SegmentFile};
use record::{Audited, Level, SearchHow};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    // And the event of the rules of labels, which this store knew nothing of.
    assert_eq!(commits, (1..=22).collect::<Vec<_>>());
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
    let report = audit::verify_under(&dir, None, log_key(room.dir.path()).as_ref()).unwrap();
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

/// A disk that fails when told to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failing(pub(crate) Arc<AtomicBool>);

#[derive(Debug)]
struct FailingFile(Failing, Arc<dyn SegmentFile>);

impl Files for Failing {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FailingFile(self.clone(), Disk.create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FailingFile(self.clone(), Disk.append(path)?)))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }
}

impl SegmentFile for FailingFile {
    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        if self.0.0.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.1.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.1.sync()
    }
}

#[test]
fn without_a_log_nothing_is_shown_or_changed_and_nothing_is_lost() {
    let failing = Failing::default();
    let files = Arc::new(failing.clone());
    let room = Room::with(|settings| settings.audit_files = files);
    room.put(&patient(r#","id":"p""#)).unwrap();
    failing.0.store(true, Ordering::SeqCst);
    let denied = "audit.unavailable";
    // The first to meet the failure is not answered; all after it are refused at once.
    assert_eq!(told(&room.read("Patient", "p").unwrap_err()).0, denied);
    assert_eq!(told(&room.read("Patient", "p").unwrap_err()).0, denied);
    assert_eq!(told(&room.read("Patient", "nobody").unwrap_err()).0, denied);
    let how = SearchHow::default();
    let search = room.session().search(Level::System, Vec::new(), &how);
    assert_eq!(told(&search.unwrap_err()).0, denied);
    assert_eq!(told(&room.put(&patient(r#","id":"q""#)).unwrap_err()).0, denied);
    let body = [entry("", "POST", "Patient", "", &patient(""))];
    assert_eq!(told(&room.transaction(&body).unwrap_err()).0, denied);
    assert!(room.session().import(record::ImportOptions::default()).is_err());
    assert_eq!(room.record.health().audit.unwrap().code().name, denied);
    let room = room.reopened();
    assert_eq!(room.count("Patient", ""), 1);
}

#[test]
fn a_change_whose_event_did_not_reach_the_log_is_told_of_at_the_next_start() {
    let failing = Failing::default();
    let files = Arc::new(failing.clone());
    let room = Room::with(|settings| settings.audit_files = files);
    failing.0.store(true, Ordering::SeqCst);
    // The event is as safe as the change: it is in the outbox.
    room.put(&patient(r#","id":"p""#)).unwrap();
    let events = room.reopened().events();
    let kinds: Vec<_> = events.iter().map(|e| (e.kind, e.commit_seq)).collect();
    assert_eq!(kinds[0], (Kind::Update, 1));
}
