//! Nobody is in two places at once: through every door, and however many ask at the same moment.

use crate::support::*;
use audit::Kind;
use record::ImportOptions;
use scheduling::occupancy::OVERBOOKING;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const TAKEN: &str = "scheduling.appointment.double-booked";
const TEN: (&str, &str) = ("10:00", "10:30");
const QUARTER_PAST: (&str, &str) = ("10:15", "10:45");
const HALF_PAST: (&str, &str) = ("10:30", "11:00");

fn because(reason: &str) -> String {
    format!(r#","extension":[{{"url":"{OVERBOOKING}","valueString":"{reason}"}}]"#)
}

fn slot(id: &str, status: &str) -> String {
    format!(
        r#"{{"resourceType":"Slot","id":"{id}","schedule":{{"reference":"Schedule/x"}},"status":"{status}","start":"2026-12-01T10:00:00Z","end":"2026-12-01T10:30:00Z"}}"#
    )
}

fn names(slot: &str) -> String {
    format!(r#","slot":[{{"reference":"Slot/{slot}"}}]"#)
}

#[test]
fn a_clinician_has_one_visit_at_a_time_and_the_next_may_follow_at_once() {
    let clinic = Clinic::new();
    let with = ["Practitioner/a", "Patient/p"];
    clinic.create(&appointment("", "booked", TEN, &with, "")).unwrap();
    let other = ["Practitioner/a", "Patient/q"];
    let fault = clinic.create(&appointment("", "booked", QUARTER_PAST, &other, "")).unwrap_err();
    assert_eq!((fault.code().name, fault.status()), (TAKEN, 409));
    let place = fault.issues[0].expression.as_deref();
    assert_eq!(place, Some("Appointment.participant[0].actor"));
    clinic.create(&appointment("", "booked", HALF_PAST, &other, "")).unwrap();
    let free = ["Practitioner/b", "Patient/q2"];
    clinic.create(&appointment("", "booked", QUARTER_PAST, &free, "")).unwrap();
}

#[test]
fn every_status_that_takes_time_is_held_and_no_other() {
    for status in ["proposed", "pending", "booked", "arrived", "checked-in", "fulfilled"] {
        let clinic = Clinic::new();
        clinic.create(&appointment("", status, TEN, &["Practitioner/a"], "")).unwrap();
        let again = appointment("", "booked", TEN, &["Practitioner/a"], "");
        assert_eq!(code(clinic.create(&again)), TAKEN, "{status}");
    }
    let clinic = Clinic::new();
    for status in ["cancelled", "noshow", "entered-in-error", "waitlist"] {
        clinic.create(&appointment("", status, TEN, &["Practitioner/a"], "")).unwrap();
    }
    clinic.create(&appointment("", "booked", TEN, &["Practitioner/a"], "")).unwrap();
}

#[test]
fn a_room_and_a_device_take_one_visit_and_a_site_takes_many() {
    let clinic = Clinic::new();
    let place = |id: &str, code: &str| {
        format!(
            r#"{{"resourceType":"Location","id":"{id}","physicalType":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/location-physical-type","code":"{code}"}}]}}}}"#
        )
    };
    clinic.put(&place("room", "ro")).unwrap();
    clinic.put(&place("site", "si")).unwrap();
    let first = ["Practitioner/a", "Location/site", "Location/room", "Device/d"];
    clinic.create(&appointment("", "booked", TEN, &first, "")).unwrap();
    for taken in ["Location/room", "Device/d"] {
        let with = ["Practitioner/b", taken];
        assert_eq!(code(clinic.create(&appointment("", "booked", TEN, &with, ""))), TAKEN);
        let over = appointment("", "booked", TEN, &with, &because("both at once"));
        assert_eq!(code(clinic.create(&over)), TAKEN, "{taken} is never booked over");
    }
    let with = ["Practitioner/b", "Location/site"];
    clinic.create(&appointment("", "booked", TEN, &with, "")).unwrap();
}

#[test]
fn whoever_declined_is_free() {
    let clinic = Clinic::new();
    let declined = appointment("", "pending", TEN, &["Practitioner/a", "Patient/p"], "")
        .replacen("accepted", "declined", 1);
    clinic.create(&declined).unwrap();
    clinic.create(&appointment("", "booked", TEN, &["Practitioner/a"], "")).unwrap();
}

#[test]
fn every_door_asks_update_condition_and_transaction() {
    let clinic = Clinic::new();
    clinic.put(&appointment("one", "booked", TEN, &["Practitioner/a"], "")).unwrap();
    let moved = |time| appointment("two", "booked", time, &["Practitioner/a"], "");
    clinic.put(&moved(HALF_PAST)).unwrap();
    assert_eq!(code(clinic.put(&moved(QUARTER_PAST))), TAKEN, "an update moves it there");
    assert_eq!(
        code(clinic.put(&appointment("three", "booked", TEN, &["Practitioner/a"], ""))),
        TAKEN
    );
    let condition = run(clinic.session().conditional_update(
        of("Appointment"),
        "identifier=urn:x|1",
        doc(&appointment("", "booked", TEN, &["Practitioner/a"], "")),
        None,
    ));
    assert_eq!(code(condition), TAKEN);
    let posted =
        entry("POST", "Appointment", &appointment("", "booked", TEN, &["Practitioner/a"], ""));
    assert_eq!(code(clinic.transaction(&[posted])), TAKEN);
    let both = |id| {
        let url = format!("Appointment/{id}");
        entry("PUT", &url, &appointment(id, "booked", ("14:00", "15:00"), &["Practitioner/a"], ""))
    };
    assert_eq!(code(clinic.transaction(&[both("x"), both("y")])), TAKEN, "within one unit too");
    assert_eq!(clinic.count("Appointment", &[]), 2, "and what was refused left nothing");
}

#[test]
fn two_appointments_change_places_in_one_transaction() {
    let clinic = Clinic::new();
    let put = |id: &str, time| {
        entry(
            "PUT",
            &format!("Appointment/{id}"),
            &appointment(id, "booked", time, &["Practitioner/a"], ""),
        )
    };
    clinic.transaction(&[put("one", TEN), put("two", HALF_PAST)]).unwrap();
    clinic.transaction(&[put("one", HALF_PAST), put("two", TEN)]).unwrap();
}

#[test]
fn what_was_imported_overlapping_can_still_be_arrived_and_shortened_and_not_moved() {
    let clinic = Clinic::new();
    let import = clinic.session().import(ImportOptions::default()).unwrap();
    let of = |id| doc(&appointment(id, "booked", TEN, &["Practitioner/a"], ""));
    let prepared = vec![import.prepare(of("one")), import.prepare(of("two"))];
    import.submit(prepared).wait().unwrap();
    assert_eq!(clinic.count("Appointment", &[]), 2, "import restores what happened");
    clinic.put(&appointment("one", "arrived", TEN, &["Practitioner/a"], "")).unwrap();
    clinic
        .put(&appointment("one", "arrived", ("10:00", "10:20"), &["Practitioner/a"], ""))
        .unwrap();
    let later = appointment("one", "arrived", QUARTER_PAST, &["Practitioner/a"], "");
    assert_eq!(code(clinic.put(&later)), TAKEN);
}

#[test]
fn a_booking_over_another_says_why_and_the_log_counts_it() {
    let clinic = Clinic::new();
    clinic.create(&appointment("", "booked", TEN, &["Practitioner/a", "Patient/p"], "")).unwrap();
    let with = ["Practitioner/a", "Patient/q"];
    let over = appointment("", "booked", TEN, &with, &because("seen between two others"));
    clinic.create(&over).unwrap();
    let needless = appointment("", "booked", ("16:00", "16:30"), &with, &because("to be sure"));
    clinic.create(&needless).unwrap();
    let events = clinic.events();
    let over: Vec<_> = events.iter().filter(|event| event.kind == Kind::Overbooked).collect();
    let [over] = over.as_slice() else { panic!("one was booked over: {}", over.len()) };
    assert_eq!(over.patients, ["q"]);
    assert_eq!(over.targets.len(), 1);
    assert_eq!(over.targets[0].resource_type, "Appointment");
}

#[test]
fn a_slot_is_taken_with_its_appointment_and_given_back() {
    let clinic = Clinic::new();
    clinic.put(&slot("s", "free")).unwrap();
    let with = |status: &str, who: &str| appointment("one", status, TEN, &[who], &names("s"));
    clinic.put(&with("pending", "Practitioner/a")).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "busy-tentative");
    clinic.put(&with("booked", "Practitioner/a")).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "busy");
    let other = appointment("two", "booked", TEN, &["Practitioner/b"], &names("s"));
    assert_eq!(code(clinic.put(&other)), "scheduling.slot.taken");
    clinic.put(&with("cancelled", "Practitioner/a")).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "free");
    clinic.put(&other).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "busy");
    let deleted = run(clinic.session().delete(of("Appointment"), "two", None)).unwrap();
    assert_eq!((deleted.count, deleted.version), (1, Some(2)), "the slot is not counted");
    assert_eq!(clinic.status("Slot", "s"), "free");
}

#[test]
fn a_slot_booked_over_is_free_only_when_both_let_go() {
    let clinic = Clinic::new();
    clinic.put(&slot("s", "free")).unwrap();
    let one = |status| appointment("one", status, TEN, &["Practitioner/a"], &names("s"));
    let more = format!("{}{}", names("s"), because("a second chair"));
    let two = |status| appointment("two", status, TEN, &["Practitioner/b"], &more);
    clinic.put(&one("booked")).unwrap();
    clinic.put(&two("booked")).unwrap();
    clinic.put(&one("cancelled")).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "busy");
    clinic.put(&two("cancelled")).unwrap();
    assert_eq!(clinic.status("Slot", "s"), "free");
}

/// Books with 64 threads, in all `times` times; answers how often each outcome came.
fn book(
    clinic: &Clinic,
    times: usize,
    which: impl Fn(usize) -> String + Sync,
) -> BTreeMap<&'static str, usize> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut outcomes: BTreeMap<&'static str, usize> = BTreeMap::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= times {
                return outcomes;
            }
            let outcome = match clinic.create(&which(at)) {
                Ok(_) => "booked",
                Err(fault) => fault.code().name,
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(work)).collect();
        threads.into_iter().fold(BTreeMap::new(), |mut all, thread| {
            for (outcome, times) in thread.join().unwrap() {
                *all.entry(outcome).or_default() += times;
            }
            all
        })
    })
}

#[test]
fn a_slot_is_booked_once_however_many_ask_at_once() {
    let clinic = Clinic::new();
    clinic.put(&slot("s", "free")).unwrap();
    let outcomes = book(&clinic, 2_000, |at| {
        let patient = format!("Patient/p{at}");
        appointment("", "booked", TEN, &[&patient, "Practitioner/a"], &names("s"))
    });
    assert_eq!(outcomes.get("booked"), Some(&1), "{outcomes:?}");
    let refused = ["scheduling.slot.taken", TAKEN].map(|code| outcomes.get(code).unwrap_or(&0));
    assert_eq!(refused.into_iter().sum::<usize>(), 1_999, "each is told why: {outcomes:?}");
    assert_eq!(clinic.count("Appointment", &[("actor", "Practitioner/a")]), 1);
}

#[test]
fn one_clinician_asked_for_two_rooms_is_in_one_of_them() {
    let clinic = Clinic::new();
    for room in ["x", "y"] {
        clinic
            .put(&format!(
                r#"{{"resourceType":"Location","id":"{room}","physicalType":{{"coding":[{{"code":"ro"}}]}}}}"#
            ))
            .unwrap();
    }
    let outcomes = book(&clinic, 400, |at| {
        let room = if at % 2 == 0 { "Location/x" } else { "Location/y" };
        appointment("", "booked", TEN, &["Practitioner/a", room], "")
    });
    let expected = BTreeMap::from([("booked", 1), (TAKEN, 399)]);
    assert_eq!(outcomes, expected);
}

#[test]
fn many_who_want_different_times_of_one_clinician_all_get_theirs() {
    let clinic = Clinic::new();
    let outcomes = book(&clinic, 288, |at| {
        let minute = |of: usize| format!("{:02}:{:02}", of / 60, of % 60);
        let (start, end) = (minute(at * 5), minute(at * 5 + 4));
        appointment("", "booked", (&start, &end), &["Practitioner/a"], "")
    });
    assert_eq!(outcomes, BTreeMap::from([("booked", 288)]), "nobody loses a race that is none");
}

#[test]
fn overlapping_wishes_at_random_leave_no_overlap() {
    let clinic = Clinic::new();
    let time = |at: usize| {
        // A fixed sequence that looks like none.
        let start = at.wrapping_mul(2_654_435_761) % 1_300;
        (start, start + 10 + at * 7 % 50)
    };
    let minute = |of: usize| format!("{:02}:{:02}", of / 60, of % 60);
    book(&clinic, 600, |at| {
        let (start, end) = time(at);
        appointment("", "booked", (&minute(start), &minute(end)), &["Practitioner/a"], "")
    });
    let how = record::SearchHow::default();
    let pairs = vec![("_count".to_owned(), "1000".to_owned())];
    let level = record::Level::Type(of("Appointment"));
    let found = clinic.session().search(level, pairs, &how).unwrap().wait().unwrap();
    let mut spans: Vec<(String, String)> = found
        .page
        .matches
        .into_iter()
        .map(|hit| {
            let document = fhir::Document::parse(hit.body, &base::Limits::default()).unwrap();
            let at = |name| document.root().get_str(name).unwrap().into_owned();
            (at("start"), at("end"))
        })
        .collect();
    spans.sort();
    assert!(spans.len() > 15, "{}", spans.len());
    for pair in spans.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{pair:?} overlap");
    }
}
