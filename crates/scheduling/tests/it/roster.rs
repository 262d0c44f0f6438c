//! From documents to places: what schedules, slots, appointments, holds and blocks say together.

use crate::common::{actor, anybody, site, span, visit};
use base::{Limits, Millis};
use fhir::Document;
use scheduling::actor::Role;
use scheduling::appointment::Appointment;
use scheduling::calendar::{Block, Why};
use scheduling::find::{By as Clocks, Question, find};
use scheduling::free::SpanSet;
use scheduling::hold::Hold;
use scheduling::occupied::{By, Schedule, Slot};
use scheduling::roster::Roster;
use scheduling::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Monday 2 March 2026, nine o'clock in New York.
const NINE: i64 = 1_772_460_000_000;

fn parse(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
}

fn at(half_hours: i64) -> String {
    Millis(NINE + half_hours * 30 * MINUTE_MS).to_instant()
}

fn schedule() -> Schedule {
    let text = r#"{"resourceType":"Schedule","id":"c","active":true,
        "actor":[{"reference":"Practitioner/1"},{"reference":"PractitionerRole/9"},{"reference":"Location/2"}]}"#;
    Schedule::read(parse(text).root()).unwrap()
}

fn slot(n: i64, status: &str) -> Slot {
    let (start, end) = (at(n), at(n + 1));
    let text = format!(
        r#"{{"resourceType":"Slot","id":"s{n}","schedule":{{"reference":"Schedule/c"}},"status":"{status}","start":"{start}","end":"{end}"}}"#
    );
    Slot::read(parse(&text).root()).unwrap()
}

fn appointment(n: i64, status: &str, who: &str) -> Appointment {
    let (start, end) = (at(n), at(n + 1));
    let text = format!(
        r#"{{"resourceType":"Appointment","id":"a{n}","status":"{status}","start":"{start}","end":"{end}",
        "slot":[{{"reference":"Slot/s{n}"}}],
        "participant":[{{"actor":{{"reference":"{who}"}},"status":"accepted"}}]}}"#
    );
    Appointment::read(parse(&text).root()).unwrap()
}

/// The half hours after nine that can be booked with the clinician, under either reference.
fn free(roster: &Roster, who: &str, instead_of: &[By]) -> Vec<i64> {
    let visit = visit(vec![anybody(Role::Clinician)]);
    let none = SpanSet::new();
    let question = Question {
        visit: &visit,
        now: Millis(NINE - DAY_MS),
        window: span(NINE, 8 * HOUR_MS),
        sites: Vec::new(),
        actors: Vec::new(),
        modality: None,
        weekdays: Vec::new(),
        times: None,
        by: Clocks::Site,
        language: None,
        patient_busy: &none,
        patient_zone: None,
        step_minutes: 30,
        count: 20,
        one_per_start: false,
    };
    let resource =
        roster.resource(&actor(who), (vec![Role::Clinician], Vec::new()), None, instead_of);
    let found = find(&question, &[site(0, "America/New_York")], &[resource]).unwrap();
    found.places.iter().map(|p| (p.span.start.0 - NINE) / (30 * MINUTE_MS)).collect()
}

#[test]
fn what_is_published_is_free_but_for_what_is_taken_held_or_blocked() {
    let mut roster = Roster::new();
    roster.same(actor("PractitionerRole/9"), actor("Practitioner/1"));
    let slots: Vec<_> = (0..6).map(|n| slot(n, if n == 1 { "busy" } else { "free" })).collect();
    roster.add_slots(0, &schedule(), &slots);
    assert_eq!(free(&roster, "Practitioner/1", &[]), [0, 2, 3, 4, 5]);
    // Booked under the role; asked for as the person.
    roster.add_appointment("a2", &appointment(2, "booked", "PractitionerRole/9"));
    roster.add_appointment("a3", &appointment(3, "cancelled", "Practitioner/1"));
    assert_eq!(free(&roster, "Practitioner/1", &[]), [0, 3, 4, 5]);
    assert_eq!(free(&roster, "PractitionerRole/9", &[]), [0, 3, 4, 5]);
    let hold = Hold {
        id: "h".to_owned(),
        holder: "anna".to_owned(),
        span: span(NINE + 4 * 30 * MINUTE_MS, 30 * MINUTE_MS),
        buffers_ms: (0, 0),
        actors: vec![actor("Practitioner/1")],
        visit_type: None,
        until: Millis(0),
        renewals: 0,
    };
    let hold = hold.starting(Millis(0), 10);
    roster.add_hold(&hold, Millis(10 * MINUTE_MS));
    assert_eq!(free(&roster, "Practitioner/1", &[]), [0, 3, 4, 5], "the hold is over");
    roster.add_hold(&hold, Millis(0));
    let away = span(NINE + 5 * 30 * MINUTE_MS, HOUR_MS);
    let who = Some(actor("PractitionerRole/9"));
    roster.add_block(&Block { actor: who, span: away, why: Why::Sick });
    assert_eq!(free(&roster, "Practitioner/1", &[]), [0, 3]);
    let moved = [By::Appointment("a2".to_owned()), By::Slot("s1".to_owned())];
    assert_eq!(free(&roster, "Practitioner/1", &moved), [0, 1, 2, 3]);
    assert_eq!(roster.busy(&actor("Practitioner/2")), []);
}
