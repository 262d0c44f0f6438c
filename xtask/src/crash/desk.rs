//! The desk under the drill: callers book visits into few places at once, and cancel them. After a
//! crash no place is taken twice, a Slot is busy exactly when a live visit names it, and a booking
//! that was answered for is there (45 CFR 164.312(c)(1)). The promise is that of docs/users/booking.md.

use super::ledger::{SYSTEM, filler};
use anyhow::Context;
use conformance::http::Http;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Places of one run: few, so that callers meet.
const PLACES: u64 = 12;
/// Clinicians of one run.
const CLINICIANS: u64 = 3;
/// Places of a clinician lie this far apart, and a visit takes as long.
const MINUTES: u64 = 30;

/// One place of the book: a time of one clinician.
#[derive(Debug, Clone)]
pub(super) struct Place {
    slot: String,
    clinician: String,
    start: String,
    end: String,
}

/// Who works when, written down before the callers of a run begin.
pub(super) fn open(http: &mut Http, run: u64) -> anyhow::Result<Vec<Place>> {
    let mut entries = Vec::new();
    for clinician in 0..CLINICIANS {
        let (person, schedule) =
            (person(run, clinician), format!("Schedule/crash-{run}-{clinician}"));
        let id = |key: &str| key.split_once('/').map(|(_, id)| id.to_owned());
        entries
            .push((person.clone(), json!({ "resourceType": "Practitioner", "id": id(&person) })));
        let body = json!({ "resourceType": "Schedule", "id": id(&schedule), "actor": [{ "reference": person }] });
        entries.push((schedule, body));
    }
    let places: Vec<Place> = (0..PLACES).map(|at| place(run, at)).collect();
    for (at, place) in (0..PLACES).zip(&places) {
        let body = json!({
            "resourceType": "Slot",
            "id": place.slot.trim_start_matches("Slot/"),
            "schedule": { "reference": format!("Schedule/crash-{run}-{}", at % CLINICIANS) },
            "status": "free", "start": place.start, "end": place.end,
        });
        entries.push((place.slot.clone(), body));
    }
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(key, body)| json!({ "resource": body, "request": { "method": "PUT", "url": key } }))
        .collect();
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
    http.put("POST", "", bundle.to_string().as_bytes())?.ok().context("opening the book")?;
    Ok(places)
}

/// A visit with this marker at a place, by its Slot or by its time alone.
pub(super) fn visit(
    id: Option<&str>,
    marker: &str,
    place: &Place,
    status: &str,
    by_slot: bool,
) -> Value {
    let mut body = json!({
        "resourceType": "Appointment",
        "identifier": [{ "system": SYSTEM, "value": marker }],
        "status": status,
        "start": place.start,
        "end": place.end,
        "comment": filler(marker),
        "participant": [{ "actor": { "reference": place.clinician }, "status": "accepted" }],
    });
    if let Some(body) = body.as_object_mut() {
        if let Some(id) = id {
            body.insert("id".to_owned(), json!(id));
        }
        if by_slot {
            body.insert("slot".to_owned(), json!([{ "reference": place.slot }]));
        }
    }
    body
}

/// Holds the book of a run against itself: what is wrong, and how many visits take a place.
pub(super) fn check(http: &mut Http, run: u64) -> anyhow::Result<(Vec<String>, usize)> {
    let mut wrong = Vec::new();
    // By clinician and start: the visits there, and by Slot those that name it.
    let mut taken: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for clinician in 0..CLINICIANS {
        let person = person(run, clinician);
        let query = format!("Appointment?practitioner={person}&status=booked&_count=1000");
        let page = http.get(&query)?.ok()?.json()?;
        for visit in page.get("entry").and_then(Value::as_array).into_iter().flatten() {
            let text =
                |at: &str| visit.pointer(at).and_then(Value::as_str).unwrap_or("").to_owned();
            let key = (person.clone(), text("/resource/start"));
            taken.entry(key).or_default().push(text("/resource/id"));
            if let Some(slot) = visit.pointer("/resource/slot/0/reference").and_then(Value::as_str)
            {
                *named.entry(slot.to_owned()).or_default() += 1;
            }
        }
    }
    for ((person, start), visits) in taken.iter().filter(|(_, visits)| visits.len() > 1) {
        wrong.push(format!("{person} is booked {} times at {start}: {visits:?}", visits.len()));
    }
    let query = format!("Slot?schedule={}&_count=1000", schedules(run));
    let page = http.get(&query)?.ok()?.json()?;
    let mut seen = 0;
    for slot in page.get("entry").and_then(Value::as_array).into_iter().flatten() {
        let text = |at: &str| slot.pointer(at).and_then(Value::as_str).unwrap_or("");
        let key = format!("Slot/{}", text("/resource/id"));
        let (status, visits) = (text("/resource/status"), named.get(&key).copied().unwrap_or(0));
        seen += 1;
        if (status == "busy") != (visits == 1) {
            wrong.push(format!("{key} is {status}, and {visits} visits name it"));
        }
    }
    if seen != PLACES {
        wrong.push(format!("{seen} of {PLACES} Slots of run {run} are there"));
    }
    Ok((wrong, taken.values().map(Vec::len).sum()))
}

fn place(run: u64, at: u64) -> Place {
    let clinician = at % CLINICIANS;
    let minute = 8 * 60 + at / CLINICIANS * MINUTES;
    let clock = |minute: u64| format!("2026-03-02T{:02}:{:02}:00Z", minute / 60, minute % 60);
    Place {
        slot: format!("Slot/crash-{run}-{at}"),
        clinician: person(run, clinician),
        start: clock(minute),
        end: clock(minute + MINUTES),
    }
}

fn person(run: u64, clinician: u64) -> String {
    format!("Practitioner/crash-{run}-{clinician}")
}

fn schedules(run: u64) -> String {
    let all: Vec<String> = (0..CLINICIANS).map(|c| format!("Schedule/crash-{run}-{c}")).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::super::ledger;
    use super::*;

    #[test]
    fn places_of_a_clinician_touch_and_do_not_overlap() {
        let places: Vec<Place> = (0..PLACES).map(|at| place(7, at)).collect();
        for (at, a) in places.iter().enumerate() {
            assert!(a.start < a.end);
            for b in places.iter().skip(at + 1).filter(|b| a.clinician == b.clinician) {
                assert!(a.end <= b.start, "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_visit_vouches_for_its_marker() {
        let visit = visit(Some("1"), "m-1", &place(1, 0), "booked", true);
        assert_eq!(ledger::marker(&visit).as_deref(), Some("m-1"));
        assert_eq!(visit.pointer("/slot/0/reference"), Some(&json!("Slot/crash-1-0")));
    }
}
