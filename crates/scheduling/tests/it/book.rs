//! Booking at the desk: held, booked, moved, called off, taken back, through the gate, by the clock that
//! is given.

use crate::support::*;
use base::{Clock, Fault, Millis, Phi};
use proptest::prelude::*;
use record::{Record, Session, Settings, Subject};
use scheduling::actor::{Actor, Role};
use scheduling::book::{
    self, Booking, Entry, House, Move, Place, Query, Undo, appointment as show, book, cancel, day,
    find, hold, move_to, next_state, release, undo,
};
use scheduling::find::By;
use scheduling::flow::State;
use scheduling::occupied::Status;
use scheduling::time::{Date, MINUTE_MS, Span, Zones};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

/// Tuesday 1 December 2026, eight o'clock in Chicago.
const EIGHT: i64 = 1_796_133_600_000;
const HOUR: i64 = 60 * MINUTE_MS;
const TAKEN: &str = "scheduling.appointment.double-booked";

#[derive(Debug)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

struct Desk {
    clinic: Clinic,
    clock: Arc<Turned>,
    house: House,
}

/// A site with two clinicians, a room and a monitor, on the evening before.
fn desk() -> Desk {
    let clock = Arc::new(Turned(AtomicI64::new(EIGHT - 12 * HOUR)));
    let dir = tempfile::tempdir().unwrap();
    let how = Settings { clock: Arc::clone(&clock) as _, ..settings() };
    let record = Record::open(dir.path(), how).unwrap();
    let clinic = Clinic { record, dir };
    let zone = r#""extension":[{"url":"https://plummer.health/fhir/StructureDefinition/time-zone","valueCode":"America/Chicago"}]"#;
    let days = r#""daysOfWeek":["mon","tue","wed","thu","fri"]"#;
    let kind = |code: &str| {
        format!(
            r#""physicalType":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/location-physical-type","code":"{code}"}}]}}"#
        )
    };
    let mut all = vec![
        format!(r#"{{"resourceType":"Location","id":"main","name":"Main","status":"active",{zone},{},"hoursOfOperation":[{{{days},"openingTime":"08:00:00","closingTime":"17:00:00"}}]}}"#, kind("bu")),
        format!(r#"{{"resourceType":"Location","id":"r1","name":"Room 1","status":"active",{},"partOf":{{"reference":"Location/main"}}}}"#, kind("ro")),
        r#"{"resourceType":"Device","id":"ecg","status":"active","deviceName":[{"name":"ECG","type":"user-friendly-name"}],"location":{"reference":"Location/main"}}"#.to_owned(),
        definition("checkup", 30, &["clinician", "room"], ""),
        definition("talk", 30, &["clinician"], r#",{"url":"https://plummer.health/fhir/StructureDefinition/lead-time","valueInteger":60}"#),
        definition("adults", 30, &["clinician"], r#",{"url":"https://plummer.health/fhir/StructureDefinition/age-min","valueInteger":18}"#),
        definition("trace", 15, &["device"], ""),
    ];
    for (id, name) in [("a", "Dr. Ada Berg"), ("b", "Dr. Bo Carl")] {
        all.push(format!(r#"{{"resourceType":"Practitioner","id":"{id}"}}"#));
        all.push(format!(r#"{{"resourceType":"PractitionerRole","id":"role-{id}","active":true,"practitioner":{{"reference":"Practitioner/{id}","display":"{name}"}},"location":[{{"reference":"Location/main"}}],"code":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/practitioner-role","code":"doctor"}}]}}],"availableTime":[{{{days},"availableStartTime":"09:00:00","availableEndTime":"12:00:00"}}]}}"#));
    }
    for n in 0..4 {
        all.push(format!(r#"{{"resourceType":"Patient","id":"p{n}","gender":"female","birthDate":"2015-01-01","name":[{{"family":"Doe","given":["Jane{n}"]}}]}}"#));
    }
    for one in all {
        clinic.put(&one).unwrap();
    }
    Desk { clinic, clock, house: House::default() }
}

fn definition(id: &str, minutes: u32, roles: &[&str], more: &str) -> String {
    let ours = "https://plummer.health/fhir/StructureDefinition/";
    let needs: Vec<String> = roles
        .iter()
        .map(|role| format!(r#"{{"extension":[{{"url":"role","valueCode":"{role}"}}],"url":"{ours}needed-resource"}}"#))
        .collect();
    format!(
        r#"{{"resourceType":"ActivityDefinition","id":"{id}","title":"Visit {id}","status":"active","kind":"Appointment","timingDuration":{{"value":{minutes},"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{}{more}]}}"#,
        needs.join(",")
    )
}

impl Desk {
    fn session(&self) -> Session {
        self.clinic.session()
    }

    fn pass(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    fn booking(&self, place: Place, patient: &str, form: &str) -> Booking {
        Booking {
            place,
            patient: patient.to_owned(),
            form: form.to_owned(),
            hold: None,
            reason: None,
            comment: None,
            referral: None,
        }
    }

    fn book(&self, booking: &Booking) -> Result<book::Done, Fault> {
        run(book(&self.session(), &self.house, booking))
    }
}

fn actor(text: &str) -> Actor {
    Actor::parse(text).unwrap()
}

/// A talk with a clinician, half hours after nine.
fn talk(who: &str, nth: i64) -> Place {
    Place {
        visit_type: "talk".to_owned(),
        site: actor("Location/main"),
        start: Millis(EIGHT + HOUR + nth * 30 * MINUTE_MS),
        with: vec![(Role::Clinician, actor(&format!("Practitioner/{who}")))],
        modality: None,
    }
}

fn query(visit: &str, count: usize) -> Query {
    Query {
        visit_type: visit.to_owned(),
        patient: None,
        window: Span::new(Millis(EIGHT - HOUR), Millis(EIGHT + 24 * 14 * HOUR)).unwrap(),
        sites: Vec::new(),
        with: Vec::new(),
        modality: None,
        weekdays: Vec::new(),
        times: None,
        by: By::Site,
        language: None,
        patient_zone: None,
        step_minutes: 30,
        count,
        one_per_start: false,
        instead_of: None,
    }
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn name<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> &'static str {
    code(outcome)
}

#[test]
fn what_there_is_to_book_is_listed_with_its_site_and_roles() {
    let desk = desk();
    let sites = run(book::sites(&desk.session(), &desk.house)).unwrap();
    assert_eq!(sites.rows.len(), 1, "a room is no site");
    assert_eq!(sites.rows[0].zone.name(), "America/Chicago");
    let all =
        run(book::resources(&desk.session(), &desk.house, Some(&actor("Location/main")))).unwrap();
    let rows: Vec<_> =
        all.rows.iter().map(|r| (r.actor.as_str(), r.name.as_str(), r.roles[0])).collect();
    assert_eq!(
        rows,
        [
            ("Practitioner/a", "Dr. Ada Berg", Role::Clinician),
            ("Practitioner/b", "Dr. Bo Carl", Role::Clinician),
            ("Location/r1", "Room 1", Role::Room),
            ("Device/ecg", "ECG", Role::Device),
        ]
    );
    assert_eq!(run(book::visit_types(&desk.session())).unwrap().rows.len(), 4);
    assert!(!all.more);
}

#[test]
fn places_are_found_within_hours_together_with_a_room_and_never_where_something_is_booked() {
    let desk = desk();
    let found = run(find(&desk.session(), &desk.house, &query("checkup", 100))).unwrap();
    assert_eq!(found.places[0].span.start, Millis(EIGHT + HOUR), "the clinicians come at nine");
    assert_eq!(found.places[0].wall.to_string(), "2026-12-01T09:00:00");
    assert!(found.places[0].place.with.contains(&(Role::Room, actor("Location/r1"))));
    // Six half hours on ten working days; the one room is the bound, either clinician a place.
    let starts = |found: &book::Places| {
        let mut starts: Vec<_> = found.places.iter().map(|free| free.span.start).collect();
        starts.dedup();
        starts.len()
    };
    assert_eq!(starts(&found), 50, "a hundred places, two of each start");
    assert!(found.more);
    desk.book(&desk.booking(found.places[0].place.clone(), "p0", "f1")).unwrap();
    let after = run(find(&desk.session(), &desk.house, &query("checkup", 1))).unwrap();
    assert_eq!(
        after.places[0].span.start,
        Millis(EIGHT + HOUR + 30 * MINUTE_MS),
        "the room is taken"
    );
    let asked = Query { patient: Some("p0".to_owned()), ..query("talk", 1) };
    let elsewhere = run(find(&desk.session(), &desk.house, &asked)).unwrap();
    assert_eq!(
        elsewhere.places[0].span.start,
        Millis(EIGHT + HOUR + 30 * MINUTE_MS),
        "the patient is elsewhere"
    );
}

#[test]
fn a_place_is_held_for_ten_minutes_by_the_clock_and_whoever_held_it_books_it() {
    let desk = desk();
    let place = talk("a", 0);
    let held = run(hold(&desk.session(), &desk.house, &place, None, "h1")).unwrap();
    assert_eq!(held.until, Millis(EIGHT - 12 * HOUR + 10 * MINUTE_MS));
    let again = run(hold(&desk.session(), &desk.house, &place, None, "h1")).unwrap();
    assert_eq!(again, held, "the same form holds once");
    let other = desk.book(&desk.booking(place.clone(), "p1", "f1"));
    assert_eq!(
        name(other),
        "scheduling.booking.override-needed",
        "others are told before they try"
    );
    let direct = |form: &str| {
        let body = appointment("", "booked", ("15:00", "15:30"), &["Practitioner/a"], "");
        desk.clinic.create(&body.replace(
            "\"status\":\"booked\"",
            &format!("\"status\":\"booked\",\"comment\":\"{form}\""),
        ))
    };
    assert_eq!(name(direct("x")), TAKEN, "and so is a plain create");
    desk.pass(10 * MINUTE_MS - 1);
    let used = Booking { hold: Some(held.id.clone()), ..desk.booking(place, "p0", "f0") };
    let done = desk.book(&used).unwrap();
    assert_eq!((done.visit.id.as_str(), done.visit.status), (held.id.as_str(), Status::Booked));
    assert_eq!(done.visit.held, None);
    assert_eq!(done.visit.patient.unwrap().name.unwrap().expose(), "DOE, Jane0");
    let twice = desk.book(&used).unwrap();
    assert!(twice.again, "the form books once");
    assert_eq!(desk.clinic.count("Appointment", &[]), 1);
}

#[test]
fn the_form_of_a_hold_that_is_over_is_not_taken_for_a_booking() {
    let desk = desk();
    let place = talk("a", 0);
    run(hold(&desk.session(), &desk.house, &place, Some("p0"), "h1")).unwrap();
    desk.pass(10 * MINUTE_MS);
    assert_eq!(name(desk.book(&desk.booking(place.clone(), "p0", "h1"))), "scheduling.hold.lost");
    desk.book(&desk.booking(place, "p0", "f1")).unwrap();
}

#[test]
fn the_form_of_a_hold_that_was_let_go_is_not_taken_for_a_booking() {
    let desk = desk();
    let place = talk("a", 0);
    for is_cancelled in [false, true] {
        let form = format!("h-{is_cancelled}");
        let held = run(hold(&desk.session(), &desk.house, &place, Some("p0"), &form)).unwrap();
        match is_cancelled {
            true => drop(run(cancel(&desk.session(), &held.id, held.version, "pat")).unwrap()),
            false => run(release(&desk.session(), &held.id)).unwrap(),
        }
        let by_its_form = desk.booking(place.clone(), "p0", &form);
        assert_eq!(name(desk.book(&by_its_form)), "scheduling.hold.lost");
        let by_both = Booking { hold: Some(held.id), ..by_its_form };
        assert_eq!(name(desk.book(&by_both)), "scheduling.hold.lost");
        let again = run(hold(&desk.session(), &desk.house, &place, Some("p0"), &form));
        assert_eq!(name(again), "scheduling.hold.lost");
    }
    desk.book(&desk.booking(place, "p0", "f1")).unwrap();
}

#[test]
fn a_hold_that_is_over_keeps_nobody_and_books_nothing() {
    let desk = desk();
    let place = talk("a", 0);
    let held = run(hold(&desk.session(), &desk.house, &place, None, "h1")).unwrap();
    desk.pass(10 * MINUTE_MS);
    let late = Booking { hold: Some(held.id.clone()), ..desk.booking(place.clone(), "p0", "f0") };
    assert_eq!(name(desk.book(&late)), "scheduling.hold.lost");
    desk.book(&desk.booking(place, "p1", "f1")).unwrap();
    let revived = run(desk.session().update(
        of("Appointment"),
        &held.id,
        doc(&{
            let hit =
                desk.session().read(of("Appointment"), &held.id, None).unwrap().wait().unwrap();
            String::from_utf8(hit.body).unwrap().replace("\"pending\"", "\"booked\"")
        }),
        None,
        false,
    ));
    assert_eq!(name(revived), TAKEN, "what is over does not come back by another door");
}

#[test]
fn a_hold_is_let_go_by_whoever_holds_it_and_by_nobody_else() {
    let desk = desk();
    let held = run(hold(&desk.session(), &desk.house, &talk("a", 0), Some("p0"), "h1")).unwrap();
    let grid = run(day(
        &desk.session(),
        &desk.house,
        (date("2026-12-01"), date("2026-12-01")),
        &Zones::bundled().find("America/Chicago").unwrap(),
        &[actor("Practitioner/a")],
    ))
    .unwrap();
    let Entry::Visit(visit) = &grid.rows[0].entries[0] else { panic!("the hold is shown") };
    assert!(visit.held.as_ref().is_some_and(|held| held.own) && visit.state.is_none());
    run(release(&desk.session(), &held.id)).unwrap();
    run(release(&desk.session(), &held.id)).unwrap();
    let done = desk.book(&desk.booking(talk("a", 0), "p1", "f1")).unwrap();
    assert_eq!(
        name(run(release(&desk.session(), &done.visit.id))),
        "scheduling.hold.lost",
        "a booking is no hold"
    );
}

#[test]
fn the_same_form_sent_by_many_at_once_books_once() {
    let desk = desk();
    let booking = desk.booking(talk("a", 0), "p0", "one");
    let outcomes: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| desk.book(&booking))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let ids: Vec<String> = outcomes.into_iter().map(|done| done.unwrap().visit.id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "each is told of the one booking");
    assert_eq!(desk.clinic.count("Appointment", &[]), 1);
    let other = Booking { patient: "p1".to_owned(), ..booking };
    assert_eq!(name(desk.book(&other)), "scheduling.calendar.invalid", "a form is of one patient");
}

#[test]
fn many_who_book_one_place_at_once_get_it_once() {
    let desk = desk();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = (0..32)
            .map(|n| {
                let desk = &desk;
                scope.spawn(move || {
                    desk.book(&desk.booking(talk("a", 0), &format!("p{}", n % 4), &format!("f{n}")))
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|done| done.is_ok()).count(), 1);
    for refused in outcomes.into_iter().filter(Result::is_err) {
        let code = name(refused);
        assert!(
            code == TAKEN
                || code == "scheduling.booking.blocked"
                || code == "scheduling.booking.override-needed",
            "{code}"
        );
    }
}

#[test]
fn a_rule_asks_for_a_reason_and_the_reason_is_kept() {
    let desk = desk();
    let place = Place { visit_type: "adults".to_owned(), ..talk("a", 0) };
    let booking = desk.booking(place, "p0", "f0");
    let fault = desk.book(&booking).unwrap_err();
    assert_eq!(fault.code().name, "scheduling.booking.override-needed");
    assert!(fault.issues[0].diagnostics.contains("age-limit"), "{fault:?}");
    let with = Booking { reason: Some(Phi::new("seen with her mother".to_owned())), ..booking };
    let done = desk.book(&with).unwrap();
    assert!(done.visit.overridden && done.findings.iter().any(|f| f.rule.code() == "age-limit"));
    let over = desk.booking(talk("a", 0), "p1", "f1");
    assert_eq!(
        name(desk.book(&over)),
        "scheduling.booking.override-needed",
        "a clinician can be booked over"
    );
    let why = Booking { reason: Some(Phi::new("urgent, agreed by phone".to_owned())), ..over };
    desk.book(&why).unwrap();
    let outside = desk.booking(talk("a", 20), "p2", "f2");
    assert_eq!(name(desk.book(&outside)), "scheduling.booking.override-needed", "at night");
}

#[test]
fn an_appointment_moves_and_goes_back() {
    let desk = desk();
    let booked = desk.book(&desk.booking(talk("a", 0), "p0", "f0")).unwrap().visit;
    desk.book(&desk.booking(talk("b", 2), "p1", "f1")).unwrap();
    let to = |start: i64, instead: &[(&str, &str)]| Move {
        id: booked.id.clone(),
        version: booked.version,
        start: talk("a", start).start,
        instead: instead.iter().map(|(old, new)| (actor(old), actor(new))).collect(),
        reason: None,
    };
    let swap = [("Practitioner/a", "Practitioner/b")];
    let taken = run(move_to(&desk.session(), &desk.house, &to(2, &swap)));
    assert_eq!(name(taken), "scheduling.booking.override-needed");
    let moved = run(move_to(&desk.session(), &desk.house, &to(3, &swap))).unwrap();
    assert_eq!(moved.visit.with[0].as_str(), "Practitioner/b");
    let stale = run(move_to(&desk.session(), &desk.house, &to(4, &[])));
    assert_eq!(name(stale), "record.write.version-conflict");
    let back = run(undo(&desk.session(), moved.undo.as_ref().unwrap())).unwrap();
    assert_eq!((back.visit.span, back.visit.with[0].as_str()), (booked.span, "Practitioner/a"));
    let again = run(undo(&desk.session(), moved.undo.as_ref().unwrap()));
    assert_eq!(name(again), "record.write.version-conflict");
}

#[test]
fn what_was_called_off_comes_back_unless_its_place_was_given_away() {
    let desk = desk();
    let book_one = |form: &str, patient: &str| {
        desk.book(&desk.booking(talk("a", 0), patient, form)).unwrap().visit
    };
    let visit = book_one("f0", "p0");
    assert_eq!(
        name(run(cancel(&desk.session(), &visit.id, visit.version, "Not well"))),
        "scheduling.calendar.invalid"
    );
    let off = run(cancel(&desk.session(), &visit.id, visit.version, "pat")).unwrap();
    assert_eq!(
        (off.visit.status, off.visit.cancel_reason.as_deref()),
        (Status::Cancelled, Some("pat"))
    );
    let back = run(undo(&desk.session(), off.undo.as_ref().unwrap())).unwrap();
    assert_eq!(back.visit.status, Status::Booked);
    let off = run(cancel(&desk.session(), &back.visit.id, back.visit.version, "pat")).unwrap();
    book_one("f1", "p1");
    assert_eq!(name(run(undo(&desk.session(), off.undo.as_ref().unwrap()))), TAKEN);
    desk.pass(31 * MINUTE_MS);
    let late = Undo { ..off.undo.unwrap() };
    assert_eq!(name(run(undo(&desk.session(), &late))), "scheduling.flow.step");
}

#[test]
fn the_day_of_a_visit_goes_by_its_steps_and_a_button_pressed_twice_is_one_step() {
    let desk = desk();
    let visit = desk.book(&desk.booking(talk("a", 0), "p0", "f0")).unwrap().visit;
    let id = visit.id.clone();
    let mut version = visit.version;
    assert_eq!(
        name(run(next_state(&desk.session(), &id, version, State::Done))),
        "scheduling.flow.step"
    );
    for (state, status) in [
        (State::Arrived, Status::Arrived),
        (State::Roomed, Status::CheckedIn),
        (State::WithClinician, Status::Fulfilled),
        (State::Done, Status::Fulfilled),
    ] {
        desk.pass(5 * MINUTE_MS);
        let done = run(next_state(&desk.session(), &id, version, state)).unwrap();
        assert_eq!((done.visit.state, done.visit.status), (Some(state), status));
        let twice = run(next_state(&desk.session(), &id, version, state)).unwrap();
        assert!(twice.again);
        version = done.visit.version;
    }
    let visit = run(show(&desk.session(), &id)).unwrap();
    let minutes: Vec<i64> =
        visit.steps.windows(2).map(|two| (two[1].at.0 - two[0].at.0) / MINUTE_MS).collect();
    assert_eq!(minutes, [5, 5, 5]);
    let moved = Move { id, version, start: talk("a", 2).start, instead: Vec::new(), reason: None };
    assert_eq!(name(run(move_to(&desk.session(), &desk.house, &moved))), "scheduling.flow.step");
}

#[test]
fn published_slots_are_taken_and_given_back_with_the_appointment() {
    let desk = desk();
    desk.clinic.put(r#"{"resourceType":"Schedule","id":"s","active":true,"actor":[{"reference":"Practitioner/a"},{"reference":"Location/main"}],"planningHorizon":{"start":"2026-11-30T00:00:00Z","end":"2026-12-31T00:00:00Z"}}"#).unwrap();
    for (n, status) in [(0, "free"), (1, "free"), (2, "busy-unavailable"), (4, "busy")] {
        let at = |n: i64| Millis(EIGHT + HOUR + n * 30 * MINUTE_MS).to_instant();
        desk.clinic.put(&format!(r#"{{"resourceType":"Slot","id":"t{n}","schedule":{{"reference":"Schedule/s"}},"status":"{status}","start":"{}","end":"{}"}}"#, at(n), at(n + 1))).unwrap();
    }
    let asked = Query { with: vec![actor("Practitioner/a")], ..query("talk", 10) };
    let found = run(find(&desk.session(), &desk.house, &asked)).unwrap();
    let starts: Vec<_> = found.places.iter().map(|free| free.span.start).collect();
    assert_eq!(starts, [talk("a", 0).start, talk("a", 1).start], "in these and at no other time");
    let visit = desk.book(&desk.booking(talk("a", 0), "p0", "f0")).unwrap().visit;
    assert_eq!(desk.clinic.status("Slot", "t0"), "busy");
    let to = Move {
        id: visit.id.clone(),
        version: visit.version,
        start: talk("a", 1).start,
        instead: Vec::new(),
        reason: None,
    };
    let moved = run(move_to(&desk.session(), &desk.house, &to)).unwrap();
    assert_eq!(
        (desk.clinic.status("Slot", "t0"), desk.clinic.status("Slot", "t1")),
        ("free".to_owned(), "busy".to_owned())
    );
    let off = run(cancel(&desk.session(), &visit.id, moved.visit.version, "prov")).unwrap();
    assert_eq!(desk.clinic.status("Slot", "t1"), "free");
    run(undo(&desk.session(), &off.undo.unwrap())).unwrap();
    assert_eq!(desk.clinic.status("Slot", "t1"), "busy");
    let chicago = Zones::bundled().find("America/Chicago").unwrap();
    let grid = run(day(
        &desk.session(),
        &desk.house,
        (date("2026-12-01"), date("2026-12-01")),
        &chicago,
        &[actor("Practitioner/a"), actor("Location/r1")],
    ))
    .unwrap();
    let entries = &grid.rows[0].entries;
    assert!(matches!(&entries[0], Entry::Visit(seen) if seen.id == visit.id), "{entries:?}");
    assert!(
        matches!(&entries[1], Entry::Blocked { slot: Some(slot), .. } if slot == "t2"),
        "{entries:?}"
    );
    assert!(
        matches!(&entries[2], Entry::Withheld(_)),
        "taken by what nobody here sees: {entries:?}"
    );
    assert_eq!((entries.len(), grid.rows[1].entries.len(), grid.partial), (3, 0, false));
    let blocked = desk.book(&desk.booking(talk("a", 2), "p1", "f1"));
    assert_eq!(
        name(blocked),
        "scheduling.booking.override-needed",
        "a block is set aside with a reason"
    );
}

#[derive(Debug, Clone)]
enum Act {
    Hold(u8, u8),
    BookHeld(u8, u8),
    Book(u8, u8, u8),
    Move(u8, u8, u8),
    Cancel(u8),
    Undo(u8),
    Release(u8),
    Pass(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let n = || 0_u8..6;
    prop_oneof![
        (n(), n()).prop_map(|(a, b)| Act::Hold(a, b)),
        (n(), n()).prop_map(|(a, b)| Act::BookHeld(a, b)),
        (n(), n(), n()).prop_map(|(a, b, c)| Act::Book(a, b, c)),
        (n(), n(), n()).prop_map(|(a, b, c)| Act::Move(a, b, c)),
        n().prop_map(Act::Cancel),
        n().prop_map(Act::Undo),
        n().prop_map(Act::Release),
        (1_u8..12).prop_map(Act::Pass),
    ]
}

fn who(n: u8) -> &'static str {
    if n.is_multiple_of(2) { "a" } else { "b" }
}

/// What takes the clinicians' time, by the clock: booked, or held and not over.
fn overlapping(desk: &Desk) -> Option<String> {
    let chicago = Zones::bundled().find("America/Chicago").unwrap();
    let both = [actor("Practitioner/a"), actor("Practitioner/b")];
    let grid = run(day(
        &desk.session(),
        &desk.house,
        (date("2026-12-01"), date("2026-12-01")),
        &chicago,
        &both,
    ))
    .unwrap();
    for row in grid.rows {
        let spans: Vec<Span> = row
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Visit(visit) if !visit.overridden => visit.span,
                _ => None,
            })
            .collect();
        for pair in spans.windows(2) {
            if pair[0].overlaps(pair[1]) {
                return Some(format!("{} at {:?}", row.resource.name, pair));
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_in_two_places_whatever_is_held_booked_moved_called_off_and_let_run_out(
        sides in proptest::collection::vec(proptest::collection::vec(act(), 1..14), 1..4)
    ) {
        let desk = desk();
        let next = AtomicI64::new(0);
        // Each side is somebody at a desk of their own; they act at the same time.
        thread::scope(|scope| {
            for acts in &sides {
                let (desk, next) = (&desk, &next);
                scope.spawn(move || {
                    let (mut held, mut visits, mut undos) = (Vec::new(), Vec::<(String, u64)>::new(), Vec::new());
                    for act in acts {
                        let form = format!("f{}", next.fetch_add(1, Ordering::SeqCst));
                        let session = desk.session();
                        let done = match act {
                            Act::Hold(w, n) => {
                                let place = talk(who(*w), i64::from(*n));
                                if let Ok(one) = run(hold(&session, &desk.house, &place, None, &form)) {
                                    held.push((one.id, place));
                                }
                                continue;
                            }
                            Act::BookHeld(which, patient) => {
                                let Some((id, place)) = held.get(usize::from(*which)).cloned() else { continue };
                                let booking = Booking { hold: Some(id), ..desk.booking(place, &format!("p{}", patient % 4), &form) };
                                desk.book(&booking)
                            }
                            Act::Book(w, n, patient) => {
                                desk.book(&desk.booking(talk(who(*w), i64::from(*n)), &format!("p{}", patient % 4), &form))
                            }
                            Act::Move(which, w, n) => {
                                let Some((id, version)) = visits.get(usize::from(*which)).cloned() else { continue };
                                let instead = if w.is_multiple_of(2) { Vec::new() } else { vec![(actor("Practitioner/a"), actor("Practitioner/b"))] };
                                let to = Move { id, version, start: talk("a", i64::from(*n)).start, instead, reason: None };
                                run(move_to(&session, &desk.house, &to))
                            }
                            Act::Cancel(which) => {
                                let Some((id, version)) = visits.get(usize::from(*which)).cloned() else { continue };
                                run(cancel(&session, &id, version, "pat"))
                            }
                            Act::Undo(which) => {
                                let Some(one) = undos.get(usize::from(*which)) else { continue };
                                run(undo(&session, one))
                            }
                            Act::Release(which) => {
                                if let Some((id, _)) = held.get(usize::from(*which)) {
                                    drop(run(release(&session, id)));
                                }
                                continue;
                            }
                            Act::Pass(minutes) => {
                                desk.pass(i64::from(*minutes) * MINUTE_MS);
                                continue;
                            }
                        };
                        if let Ok(done) = done {
                            visits.retain(|(id, _)| *id != done.visit.id);
                            visits.push((done.visit.id, done.visit.version));
                            undos.extend(done.undo);
                        }
                    }
                });
            }
        });
        prop_assert_eq!(overlapping(&desk), None);
    }
}

#[test]
fn a_session_of_another_does_not_use_a_hold() {
    let desk = desk();
    let held = run(hold(&desk.session(), &desk.house, &talk("a", 0), None, "h1")).unwrap();
    let nobody = desk.clinic.record.session(Subject::nobody(), [9; 16]);
    assert!(run(release(&nobody, &held.id)).is_err(), "it is not even seen");
}
