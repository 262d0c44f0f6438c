//! Work of a department: one unit, with conditions that hold when it is committed, made anew when
//! what it was made from has changed.

use crate::support::*;
use audit::Kind;
use base::Fault;
use base::error::code;
use record::{Conditions, Content, Eyes, Session, Subject, Work};
use std::sync::atomic::{AtomicUsize, Ordering};
use store::Scope;

fn nothing(family: &str) -> Conditions {
    Conditions {
        resource_type: "Patient".to_owned(),
        among: vec![("family".to_owned(), family.to_owned())],
        finds: Vec::new(),
        eyes: Eyes::House,
        fault: Fault::new(&code::DOUBLE_BOOKED, "there is one"),
    }
}

fn family(name: &str) -> String {
    patient(&format!(r#","name":[{{"family":"{name}"}}]"#))
}

fn create(session: &Session, name: &str) -> Result<(), Fault> {
    let work = |_: &Session| {
        let mut work = Work::new();
        work.demand(nothing(name));
        work.create("Patient", family(name).into_bytes());
        Ok(work)
    };
    run(session.carry_out(Kind::Operation, work)).map(drop)
}

#[test]
fn work_is_one_unit_whose_documents_refer_to_each_other() {
    let room = Room::new();
    let old = room.create(&patient("")).hit;
    let done = run(room.session().carry_out(Kind::Operation, |_| {
        let mut work = Work::new();
        let who = work.create("Patient", family("Ada").into_bytes());
        work.create("Observation", observation(&who).into_bytes());
        let body = patient(&format!(r#","id":"{}","active":true"#, old.id));
        work.update("Patient", &old.id, old.version, body.into_bytes());
        Ok(work)
    }))
    .unwrap();
    let statuses: Vec<u16> = done.entries.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [201, 201, 200]);
    let Content::Resource(observation) = &done.entries[1].content else { panic!("it is answered") };
    let id = &done.entries[0].place.as_ref().unwrap().id;
    let body = String::from_utf8(observation.body.clone()).unwrap();
    assert!(body.contains(&format!("Patient/{id}")), "{body}");
    let events = room.events();
    let event = events.iter().find(|event| event.kind == Kind::Operation).unwrap();
    assert_eq!(event.targets.len(), 3, "one event of the kind that was named");
}

#[test]
fn a_condition_that_does_not_hold_refuses_with_its_own_fault_and_leaves_an_event() {
    let room = Room::new();
    create(&room.session(), "ada").unwrap();
    let fault = create(&room.session(), "ada").unwrap_err();
    assert_eq!(fault.code(), &code::DOUBLE_BOOKED);
    assert_eq!(room.count("Patient", ""), 1);
    let events = room.events();
    assert!(events.iter().any(|event| event.kind == Kind::Operation && event.status == 409));
}

#[test]
fn exactly_these_means_no_other_and_none_fewer() {
    let room = Room::new();
    let ids = [room.create(&family("ada")).hit.id, room.create(&family("ada")).hit.id];
    let work = |finds: &[&String]| {
        let finds: Vec<String> = finds.iter().map(|id| (*id).clone()).collect();
        run(room.session().carry_out(Kind::Operation, |_| {
            let mut work = Work::new();
            work.demand(Conditions { finds: finds.clone(), ..nothing("ada") });
            work.create("Patient", family("bob").into_bytes());
            Ok(work)
        }))
    };
    work(&[&ids[1], &ids[0]]).unwrap();
    work(&[&ids[0]]).unwrap_err();
    let never = "never".to_owned();
    work(&[&ids[0], &ids[1], &never]).unwrap_err();
    assert_eq!(room.count("Patient", "family=bob"), 1);
}

#[test]
fn work_whose_record_changed_is_made_anew_from_what_it_is_now() {
    let room = Room::new();
    let id = room.create(&patient("")).hit.id;
    let tries = AtomicUsize::new(0);
    run(room.session().carry_out(Kind::Operation, |session| {
        let hit = session.read(of("Patient"), &id, None)?.wait()?;
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            // Somebody else comes between the look and the commit.
            room.put(&patient(&format!(r#","id":"{id}","gender":"female""#))).unwrap();
        }
        let mut work = Work::new();
        let body = patient(&format!(r#","id":"{id}","active":true"#));
        work.update("Patient", &id, hit.version, body.into_bytes());
        Ok(work)
    }))
    .unwrap();
    assert_eq!(tries.into_inner(), 2);
    assert_eq!(room.read("Patient", &id).unwrap().version, 3);
}

#[test]
fn work_that_is_always_overtaken_ends() {
    let room = Room::new();
    let id = room.create(&patient("")).hit.id;
    let tries = AtomicUsize::new(0);
    let outcome = run(room.session().carry_out(Kind::Operation, |_| {
        tries.fetch_add(1, Ordering::Relaxed);
        let mut work = Work::new();
        work.delete("Patient", &id, 7);
        Ok(work)
    }));
    assert_eq!(outcome.unwrap_err().code(), &code::PRECONDITION_FAILED);
    assert_eq!(tries.into_inner(), 16);
}

#[test]
fn work_has_the_rights_and_the_validation_of_every_write() {
    let room = Room::new();
    let confined = Subject::operator().confined(Scope::nothing());
    let session = room.record.session(confined, [9; 16]);
    assert_eq!(create(&session, "ada").unwrap_err().code(), &code::ACCESS_DENIED);
    let invalid = run(room.session().carry_out(Kind::Operation, |_| {
        let mut work = Work::new();
        work.create("Patient", br#"{"resourceType":"Patient","nonsense":1}"#.to_vec());
        Ok(work)
    }));
    assert_eq!(invalid.unwrap_err().code(), &code::ELEMENT_UNKNOWN);
    assert_eq!(room.count("Patient", ""), 0);
}
