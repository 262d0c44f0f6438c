//! Who covers for whom: from when until when, and that nothing is opened by it.

use crate::support::*;
use base::Millis;
use inbox::act::{Act, act};
use inbox::cover::{CoverForm, begin, desks, end};
use inbox::{Kind, Whose};

fn form(other: &str, for_me: bool, days: i64) -> CoverForm {
    let (from, until) = (Millis(NOW - MINUTE), Millis(NOW + days * DAY));
    CoverForm { form: "form-1".to_owned(), other: other.to_owned(), for_me, from, until }
}

/// Both doctors treat Ada.
fn room() -> Room {
    let room = Room::new();
    room.put(r#"{"resourceType":"Patient","id":"ada","generalPractitioner":[{"reference":"Practitioner/doc"},{"reference":"Practitioner/two"}]}"#);
    room
}

#[test]
fn who_covers_sees_the_items_with_a_mark_until_it_lapses() {
    let room = room();
    room.report("r-1", "ada", "H", 2);
    room.report("r-2", "ben", "H", 2);
    room.task("t-1", "ada", "Practitioner/doc", "");
    let (doctor, two) = (room.doctor(), room.colleague());
    assert!(ids(&waits(&two)).is_empty());
    run(begin(&doctor.0, &form("two", true, 2))).unwrap();
    run(begin(&doctor.0, &form("two", true, 2))).unwrap();
    assert_eq!(room.found("CareTeam", &[]).len(), 1, "sent twice, it is one");
    let theirs = waits(&two);
    assert_eq!(ids(&theirs), ["r-1", "t-1"], "and nothing of Ben, whom they do not treat");
    assert!(theirs.items().all(|item| item.whose == Whose::Covering("dora".to_owned())));
    assert_eq!(ids(&waits(&doctor)).len(), 3, "who is covered for still sees all of it");
    run(act(&two.0, &two.1, "ada", (&seen(Kind::Result, "r-1", 1), &Act::Take))).unwrap();
    assert!(!ids(&waits(&doctor)).contains(&"r-1"));
    run(act(&two.0, &two.1, "ada", (&seen(Kind::Result, "r-1", 1), &Act::GiveBack))).unwrap();
    assert!(ids(&waits(&doctor)).contains(&"r-1"));
    room.turn(3 * DAY);
    assert!(ids(&waits(&two)).is_empty(), "it lapsed by itself");
    let over = run(desks(&two.0, &two.1)).unwrap();
    assert!(over.covers.is_empty());
}

#[test]
fn a_cover_is_between_whoever_begins_it_and_another_and_either_ends_it() {
    let room = room();
    let (doctor, two) = (room.doctor(), room.colleague());
    for (bad, why) in [
        (form("doc", true, 2), "for themselves"),
        (form("two", true, -1), "over before it begins"),
        (form("two", true, 400), "more than a year"),
        (form("", true, 2), "nobody"),
    ] {
        assert_eq!(code(run(begin(&doctor.0, &bad))), "inbox.value.invalid", "{why}");
    }
    assert_eq!(code(run(begin(&room.nurse().0, &form("two", true, 2)))), "access.denied");
    assert_eq!(code(run(begin(&room.desk().0, &form("two", true, 2)))), "inbox.person.missing");
    run(begin(&doctor.0, &form("two", false, 2))).unwrap();
    let [cover] = &run(desks(&two.0, &two.1)).unwrap().covers[..] else { panic!("one") };
    assert_eq!(
        (cover.of.0.as_str(), cover.by.0.as_str()),
        ("Practitioner/two", "Practitioner/doc")
    );
    let other = run(end(&two.0, &two.1, &cover.id, 7));
    assert_eq!(code(other), "record.write.version-conflict");
    run(end(&two.0, &two.1, &cover.id, cover.version)).unwrap();
    assert!(run(desks(&doctor.0, &doctor.1)).unwrap().covers.is_empty());
    assert_eq!(code(run(end(&two.0, &two.1, &cover.id, 2))), "inbox.item.state");
}

#[test]
fn a_team_of_no_patient_brings_nobody_into_care() {
    let room = room();
    let two = room.colleague();
    run(begin(&two.0, &form("doc", false, 2))).unwrap();
    // Ben is the covered doctor's patient, and stays hidden from who covers.
    let read = two.0.read(of("Patient"), "ben", None).and_then(record::Audited::wait);
    assert_eq!(code(read), "record.read.not-found");
}
