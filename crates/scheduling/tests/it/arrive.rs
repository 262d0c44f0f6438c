//! Arriving without the desk, through the gate: whose visit a kiosk finds, how often a date of birth may be wrong
//! whichever link it comes by, and for how long what was entered is kept.

use crate::support::*;
use base::{Clock, Millis};
use record::{Linked, Record, Said, Session, Settings, Source};
use scheduling::arrive::{Asked, find};
use scheduling::time::{MINUTE_MS, Zones};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

const HOUR: i64 = 60 * MINUTE_MS;
const DAY: i64 = 24 * HOUR;
/// Tuesday 1 December 2026, eight o'clock in Chicago.
const MORNING: i64 = 1_796_133_600_000;
const AFTERNOON: i64 = MORNING + 6 * HOUR;
const BORN: &str = "1945-12-10";

#[derive(Debug)]
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

struct House {
    clinic: Clinic,
    clock: Arc<Turned>,
}

fn person(id: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Lane"}}],"birthDate":"{BORN}","telecom":[{{"system":"phone","value":"(312) 555-0142"}}]{more}}}"#
    )
}

fn visit(id: &str, patient: &str, start: i64, status: &str) -> String {
    let (begins, ends) = (Millis(start).to_instant(), Millis(start + 30 * MINUTE_MS).to_instant());
    let reason = match status {
        "cancelled" => r#","cancelationReason":{"text":"no"}"#,
        _ => "",
    };
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"{status}","start":"{begins}","end":"{ends}","participant":[{{"actor":{{"reference":"Patient/{patient}"}},"status":"accepted"}},{{"actor":{{"reference":"Practitioner/{id}"}},"status":"accepted"}}]{reason}}}"#
    )
}

fn house(now: i64) -> House {
    let clock = Arc::new(Turned(AtomicI64::new(now)));
    let dir = tempfile::tempdir().unwrap();
    let how = Settings { clock: Arc::clone(&clock) as _, ..settings() };
    let record = Record::open(dir.path(), how).unwrap();
    let house = House { clinic: Clinic { record, dir }, clock };
    house.clinic.put(&person("lou", "")).unwrap();
    house
}

impl House {
    fn set(&self, now: i64) {
        self.clock.0.store(now, Ordering::SeqCst);
    }

    fn put(&self, body: &str) {
        self.clinic.put(body).unwrap();
    }

    /// The visit that somebody opens at a kiosk who says that they are Lou.
    fn found(&self) -> Option<String> {
        let zones = Zones::bundled();
        let home = zones.find("America/Chicago").unwrap();
        let asked = Asked::parse("L", BORN, "0142").unwrap();
        let found = run(find(&self.clinic.session(), &zones, &home, "", &asked)).unwrap();
        found.map(|linked| linked.appointment)
    }

    fn sent(&self, appointment: &str, ends: i64) -> String {
        let about = Linked {
            appointment: appointment.to_owned(),
            patient: "lou".to_owned(),
            ends: Millis(ends),
            round: None,
            is_kiosk: false,
            is_handed: false,
        };
        self.clinic.session().draw_link(&about).unwrap()
    }

    fn follow(&self, token: &str) -> (Session, Linked) {
        self.clinic.record.follow(token, Source::Public, [9; 16]).unwrap()
    }

    fn says(&self, token: &str, birth: &str) -> Said {
        let (session, linked) = self.follow(token);
        let said = self.clinic.record.say_birth(&session, token, &linked, birth).unwrap();
        said.wait().unwrap()
    }

    fn entered(&self, appointment: &str) -> Option<String> {
        let kept = self.clinic.session().pre_check_in(appointment, "lou").unwrap().wait().unwrap();
        kept.map(|kept| kept.text)
    }

    fn enter(&self, token: &str) {
        let (session, linked) = self.follow(token);
        let proof = session.birth_proof(Millis(session.now().0 + HOUR));
        let proven = self.clinic.record.follow_proven(&session, &linked, &proof).unwrap().unwrap();
        run(proven.keep_pre_check_in(&linked, None, Some("{}"))).unwrap();
    }
}

#[test]
fn a_visit_that_was_missed_hides_none_that_is_ahead() {
    let house = house(MORNING + 30 * MINUTE_MS);
    house.put(&visit("early", "lou", MORNING, "booked"));
    house.put(&visit("late", "lou", AFTERNOON, "booked"));
    assert_eq!(house.found().as_deref(), Some("early"), "there is time for it still");
    house.set(MORNING + 2 * HOUR);
    assert_eq!(house.found().as_deref(), Some("late"), "the morning is missed");
    house.set(AFTERNOON - HOUR);
    assert_eq!(house.found().as_deref(), Some("late"), "it is time for it");
    // Of what is left, whoever is there already is told so before what they missed.
    house.put(&visit("late", "lou", AFTERNOON, "arrived"));
    assert_eq!(house.found().as_deref(), Some("late"));
    house.put(&visit("late", "lou", AFTERNOON, "cancelled"));
    assert_eq!(house.found().as_deref(), Some("early"), "the desk helps who missed the only one");
    house.put(&visit("early", "lou", MORNING, "cancelled"));
    assert_eq!(house.found(), None);
}

#[test]
fn a_record_that_was_merged_into_another_is_not_taken_for_a_second_person() {
    let house = house(MORNING);
    house.put(&visit("v", "lou", MORNING, "booked"));
    let merged =
        r#","active":false,"link":[{"other":{"reference":"Patient/lou"},"type":"replaced-by"}]"#;
    house.put(&person("lou-twice", merged));
    assert_eq!(house.found().as_deref(), Some("v"));
    // Two who are two are told apart by a person.
    house.put(&person("lou-other", ""));
    assert_eq!(house.found(), None);
}

#[test]
fn tries_of_a_date_of_birth_are_counted_for_the_visit_and_not_for_the_link() {
    let house = house(MORNING - 2 * HOUR);
    house.put(&visit("v", "lou", MORNING, "booked"));
    house.put(&visit("w", "lou", AFTERNOON, "booked"));
    let first = house.sent("v", MORNING);
    for _ in 0..3 {
        assert_eq!(house.says(&first, "1945-12-11"), Said::Wrong);
    }
    // The next reminder of the same visit brings two more and no five.
    let second = house.sent("v", MORNING);
    for _ in 0..2 {
        assert_eq!(house.says(&second, "1945-12-11"), Said::Wrong);
    }
    assert_eq!(house.says(&second, BORN), Said::Locked);
    assert_eq!(house.says(&first, BORN), Said::Locked);
    assert_eq!(house.says(&house.sent("v", MORNING), BORN), Said::Locked);
    assert_eq!(house.says(&house.sent("w", AFTERNOON), BORN), Said::Right, "another visit");
    // Whoever was looked at at the desk has tries of their own, which open nothing to the others.
    let handed = house.clinic.session().hand_link("v", "lou").unwrap();
    assert_eq!(house.says(&handed, "1945-12-11"), Said::Wrong);
    assert_eq!(house.says(&handed, BORN), Said::Right);
    assert_eq!(house.says(&first, BORN), Said::Locked);
    // Nor does the end of one link forget them before the visit.
    house.put(&visit("v", "lou", MORNING + 30 * DAY, "booked"));
    house.set(MORNING + 20 * DAY);
    house.clinic.session().forget_links().unwrap();
    assert_eq!(house.says(&house.sent("v", MORNING + 30 * DAY), BORN), Said::Locked);
}

#[test]
fn what_is_entered_by_a_link_of_hours_is_kept_until_a_week_after_its_visit() {
    let house = house(MORNING);
    let start = MORNING + 20 * DAY;
    house.put(&visit("v", "lou", start, "booked"));
    let handed = house.clinic.session().hand_link("v", "lou").unwrap();
    house.enter(&handed);
    let forget = || house.clinic.session().forget_links().unwrap();
    house.set(start - DAY);
    assert_eq!(forget(), 1, "the link was over after hours");
    assert_eq!(house.entered("v").as_deref(), Some("{}"));
    // A visit that is put off takes along what was entered for it.
    house.put(&visit("v", "lou", start + 30 * DAY, "booked"));
    house.set(start + 29 * DAY);
    assert_eq!(forget(), 0);
    assert_eq!(house.entered("v").as_deref(), Some("{}"));
    house.set(start + 38 * DAY);
    assert_eq!(forget(), 1);
    assert_eq!(house.entered("v"), None);
}

#[test]
fn what_is_over_is_forgotten_also_where_nobody_is_reminded() {
    let house = house(MORNING);
    house.put(&visit("v", "lou", MORNING, "booked"));
    let token = house.sent("v", MORNING + HOUR);
    house.enter(&token);
    house.set(MORNING + 8 * DAY);
    assert!(house.entered("v").is_some(), "nobody has looked yet");
    let _worker = house.clinic.record.keep_links(Duration::from_secs(3600)).unwrap();
    let began = Instant::now();
    while house.entered("v").is_some() {
        assert!(began.elapsed() < Duration::from_secs(20), "it is forgotten at the first look");
        std::thread::sleep(Duration::from_millis(20));
    }
}
