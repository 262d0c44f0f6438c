//! `plummer reminders`: on a folder at rest, and what it refuses.

use crate::run::Place;

#[test]
fn a_house_that_reminded_nobody_says_so_and_an_unknown_state_is_refused() {
    let place = Place::new();
    let nowhere = place.run(&["reminders", "status"]);
    assert!(!nowhere.ok && nowhere.err.contains("holds no record"), "{nowhere:?}");
    let generate = ["generate", "--patients", "2", "--today", "2026-03-02", "--out", "clinic"];
    assert!(place.run(&generate).ok);
    assert!(place.run(&["import", "clinic"]).ok);
    let status = place.run(&["reminders", "status"]);
    assert!(status.ok && status.out.contains("given-up"), "{status:?}");
    let list = place.run(&["reminders", "list", "--json"]);
    assert_eq!((list.ok, list.out.trim()), (true, "[]"), "{list:?}");
    let odd = place.run(&["reminders", "list", "--state", "lost"]);
    assert!(!odd.ok && odd.err.contains("use one of sending, sent, failed"), "{odd:?}");
}
