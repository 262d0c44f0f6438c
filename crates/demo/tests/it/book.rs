//! The book: no slot twice, no clinician in two rooms, slots that say what the appointments say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clinic::{NOW, TODAY, name, parsed, text};

#[test]
fn slots_of_a_schedule_do_not_overlap() {
    let mut by_schedule: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for slot in parsed().of("Slot") {
        let span = (text(&slot["start"]), text(&slot["end"]));
        by_schedule.entry(text(&slot["schedule"]["reference"])).or_default().push(span);
    }
    assert_eq!(by_schedule.len(), parsed().of("Schedule").count());
    for spans in by_schedule.values_mut() {
        spans.sort_unstable();
        assert!(spans.windows(2).all(|w| w[0].1 <= w[1].0));
    }
}

#[test]
fn appointments_and_slots_tell_one_story() {
    let slots: BTreeMap<String, &Value> = parsed().of("Slot").map(|s| (name(s), s)).collect();
    let mut taken = BTreeSet::new();
    for appointment in parsed().of("Appointment") {
        let Some(slot) = appointment["slot"][0]["reference"].as_str() else {
            assert_eq!(appointment["status"], "cancelled");
            assert!(appointment["cancelationReason"].is_object());
            continue;
        };
        assert!(taken.insert(slot), "{slot} is taken twice");
        let slot = slots[slot];
        assert_eq!(slot["start"], appointment["start"]);
        assert_eq!(slot["end"], appointment["end"]);
        let tentative = appointment["status"] == "pending";
        assert_eq!(text(&slot["status"]), if tentative { "busy-tentative" } else { "busy" });
    }
    let busy = slots.iter().filter(|(_, s)| s["status"] != "free").count();
    assert_eq!(busy, taken.len(), "a busy slot has an appointment");
    assert!(busy > 250, "{busy}");
}

#[test]
fn statuses_fit_the_morning() {
    let mut today: BTreeMap<&str, usize> = BTreeMap::new();
    for appointment in parsed().of("Appointment") {
        let (status, start) = (text(&appointment["status"]), text(&appointment["start"]));
        let past = &start[..19] <= NOW;
        match status {
            "fulfilled" | "arrived" | "noshow" => assert!(past, "{status} {start}"),
            "booked" | "pending" | "checked-in" => assert!(!past, "{status} {start}"),
            other => assert_eq!(other, "cancelled"),
        }
        if &start[..10] == TODAY {
            *today.entry(status).or_default() += 1;
        }
    }
    assert!(today["booked"] > 10 && today["fulfilled"] > 2 && today["arrived"] > 0, "{today:?}");
}

#[test]
fn kept_appointments_have_their_encounter() {
    let encounters: BTreeMap<&str, &Value> = parsed()
        .of("Encounter")
        .filter_map(|e| Some((e["appointment"][0]["reference"].as_str()?, e)))
        .collect();
    let mut kept = 0;
    for appointment in parsed().of("Appointment") {
        let encounter = encounters.get(name(appointment).as_str());
        match text(&appointment["status"]) {
            "fulfilled" => assert_eq!(encounter.unwrap()["status"], "finished"),
            "arrived" => assert_eq!(encounter.unwrap()["status"], "in-progress"),
            _ => assert!(encounter.is_none()),
        }
        kept += usize::from(encounter.is_some());
    }
    assert_eq!(kept, encounters.len());
    assert!(kept > 100, "{kept}");
}
