//! Merging: by links that are taken back, and by nobody who may not.

use crate::support::{Room, code, doc, run};
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
    let document = doc(&text);
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

/// The document of a record of [`two`] with a link to another.
fn linked(id: &str, other: &str, kind: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Lovelace","given":["Ada"]}}],"birthDate":"1961-03-14","link":[{{"other":{{"reference":"Patient/{other}"}},"type":"{kind}"}}]}}"#
    )
}

#[test]
fn a_plain_update_links_nobody_without_the_right_to_merge() {
    let room = two();
    let kind = crate::support::of("Patient");
    let update = |session: &record::Session, id: &str, body: &str| {
        code(run(session.update(kind, id, doc(body), None, false)))
    };
    let (desk, him) = (room.desk(), room.him());
    for link in ["replaces", "replaced-by", "refer", "seealso"] {
        assert_eq!(update(&desk, "a", &linked("a", "b", link)), "access.denied", "{link}");
    }
    // There, elsewhere or nowhere: the refusal is one.
    assert_eq!(update(&desk, "a", &linked("a", "nobody", "seealso")), "access.denied");
    assert_eq!(update(&him, "a", &linked("a", "nobody", "seealso")), "access.denied");
    assert_eq!(of(&room, "a"), (Vec::new(), true));
    assert_eq!(update(&him, "a", &linked("a", "b", "replaces")), "done");
    // What is linked is changed in all else by whoever may, and parted by who may merge alone.
    let moved = linked("a", "b", "replaces").replacen("1961-03-14", "1961-03-15", 1);
    assert_eq!(update(&desk, "a", &moved), "done");
    let parted = r#"{"resourceType":"Patient","id":"a"}"#;
    assert_eq!(update(&desk, "a", parted), "access.denied");
    assert_eq!(update(&desk, "a", &linked("a", "c", "replaces")), "access.denied");
    assert_eq!(update(&desk, "a", &linked("a", "b", "replaced-by")), "access.denied");
    assert_eq!(update(&him, "a", parted), "done");
}

#[test]
fn nobody_is_registered_as_anothers_record_without_the_right_to_merge() {
    let room = two();
    let kind = crate::support::of("Patient");
    let new = linked("x", "b", "replaced-by").replacen(r#""id":"x","#, "", 1);
    let create = |session: &record::Session| code(run(session.create(kind, doc(&new), None)));
    assert_eq!(create(&room.desk()), "access.denied");
    assert_eq!(create(&room.him()), "done");
}
