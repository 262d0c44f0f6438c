//! Merging: by links that are taken back, and by nobody who may not.

use crate::support::{Room, code, run};
use audit::Kind;
use registration::Seen;
use registration::merge::{Link, links, may, merge, part};

fn two() -> Room {
    let room = Room::new();
    for id in ["a", "b", "c"] {
        room.put(&format!(
            r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Lovelace","given":["Ada"]}}],"birthDate":"1961-03-14"}}"#
        ));
    }
    room.put(
        r#"{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/b"}}"#,
    );
    room
}

fn seen(id: &str, version: u64) -> Seen {
    Seen { id: id.to_owned(), version }
}

fn of(room: &Room, id: &str) -> (Vec<(Link, String)>, bool) {
    let text = room.body("Patient", id);
    let document = crate::support::doc(&text);
    (links(document.root()), !text.contains("\"active\":false"))
}

#[test]
fn a_merge_links_and_moves_nothing_and_parting_takes_it_all_back() {
    let room = two();
    let him = room.him();
    run(merge(&him, &seen("a", 1), &seen("b", 1))).unwrap();
    assert_eq!(of(&room, "a"), (vec![(Link::Replaces, "b".to_owned())], true));
    assert_eq!(of(&room, "b"), (vec![(Link::ReplacedBy, "a".to_owned())], false));
    assert!(room.body("Observation", "o").contains("Patient/b"), "nothing is moved");
    // It is not merged twice, nor into two.
    assert_eq!(code(run(merge(&him, &seen("c", 1), &seen("b", 2)))), "registration.merge.state");
    run(part(&him, &seen("a", 2), &seen("b", 2))).unwrap();
    assert_eq!(of(&room, "a"), (Vec::new(), true));
    assert_eq!(of(&room, "b"), (Vec::new(), true));
    assert_eq!(code(run(part(&him, &seen("a", 3), &seen("b", 3)))), "registration.merge.state");
    let events = room.events();
    let own: Vec<_> = events.iter().filter(|one| one.kind == Kind::PatientsMerged).collect();
    let done: Vec<_> = own.iter().filter(|one| one.status < 400).collect();
    assert_eq!(done.len(), 2);
    for event in done {
        assert!(["a", "b"].iter().all(|id| event.patients.iter().any(|one| one == id)));
    }
}

#[test]
fn a_record_that_was_not_active_before_is_not_active_after_parting() {
    let room = two();
    room.put(r#"{"resourceType":"Patient","id":"b","active":false}"#);
    let him = room.him();
    run(merge(&him, &seen("a", 1), &seen("b", 2))).unwrap();
    run(part(&him, &seen("a", 2), &seen("b", 3))).unwrap();
    assert_eq!(of(&room, "b"), (Vec::new(), false));
}

#[test]
fn who_may_change_patients_may_not_merge_them_for_that() {
    let room = two();
    let desk = room.desk();
    assert!(!may(&desk, "a", "b").unwrap() && may(&room.him(), "a", "b").unwrap());
    assert_eq!(code(run(merge(&desk, &seen("a", 1), &seen("b", 1)))), "access.denied");
    assert_eq!(of(&room, "a"), (Vec::new(), true));
}

#[test]
fn what_changed_since_it_was_compared_is_not_merged() {
    let room = two();
    let him = room.him();
    for (into, from) in [(seen("a", 2), seen("b", 1)), (seen("a", 1), seen("b", 9))] {
        assert_eq!(code(run(merge(&him, &into, &from))), "registration.merge.state");
    }
    assert_eq!(code(run(merge(&him, &seen("a", 1), &seen("a", 1)))), "registration.merge.state");
    assert_eq!(code(run(merge(&him, &seen("a", 1), &seen("zz", 1)))), "access.denied");
    assert_eq!(of(&room, "b"), (Vec::new(), true));
}
