//! Reminders through the gate: what is due goes out once, wherever the program is killed and whatever the clock
//! does; nobody is reminded of a visit that was called off; and whoever has a link answers by it.

use crate::support::*;
use base::{Clock, Millis, Phi};
use proptest::prelude::*;
use record::{Kind, Linked, Record, Session, Settings, Source, Subject};
use scheduling::remind::{
    self, Carrier, Lead, Letter, Outcome, Passed, Quiet, Reminding, Undelivered, Way, listed, pass,
    try_again,
};
use scheduling::time::{MINUTE_MS, Zones};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

const HOUR: i64 = 60 * MINUTE_MS;
const DAY: i64 = 24 * HOUR;
/// Tuesday 1 December 2026, ten o'clock in Chicago.
const VISIT: i64 = 1_796_140_800_000;

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
    how: Reminding,
}

/// What a carrier does with the next letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Carries,
    Away,
    Refuses,
    /// The program is killed before it is handed on.
    DiesBefore,
    /// The program is killed after it was handed on, before that is written down.
    DiesAfter,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Carried {
    id: String,
    way: Way,
    address: String,
    text: String,
    at: i64,
}

#[derive(Default)]
struct Hands {
    moods: Mutex<Vec<Mood>>,
    carried: Mutex<Vec<Carried>>,
    no_text: bool,
}

impl Hands {
    fn of(moods: &[Mood]) -> Self {
        let moods = Mutex::new(moods.iter().rev().copied().collect());
        Self { moods, ..Self::default() }
    }

    fn carried(&self) -> Vec<Carried> {
        self.carried.lock().unwrap().clone()
    }
}

impl Carrier for Hands {
    fn reaches(&self, way: Way, _address: &Phi<String>) -> bool {
        way == Way::Mail || !self.no_text
    }

    fn carry(&self, letter: &Letter<'_>) -> Result<(), Undelivered> {
        let mood = self.moods.lock().unwrap().pop().unwrap_or(Mood::Carries);
        match mood {
            Mood::Away => return Err(Undelivered::Later { why: "away", wait_ms: None }),
            Mood::Refuses => return Err(Undelivered::Refused { why: "gone" }),
            Mood::DiesBefore => panic!("killed"),
            Mood::Carries | Mood::DiesAfter => {}
        }
        self.carried.lock().unwrap().push(Carried {
            id: letter.id.to_owned(),
            way: letter.way,
            address: letter.address.expose().clone(),
            text: letter.text.to_owned(),
            at: letter.at.0,
        });
        assert!(mood != Mood::DiesAfter, "killed");
        Ok(())
    }
}

/// A patient with a phone and a mail address.
fn patient(id: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Doe","given":["Jane"]}}],"telecom":[{{"system":"phone","use":"mobile","value":"(312) 555-0142","rank":1}},{{"system":"email","value":"jane@mail.example","rank":2}}],"communication":[{{"language":{{"coding":[{{"system":"urn:ietf:bcp:47","code":"es"}}]}}}}]}}"#
    )
}

fn visit(id: &str, patient: &str, start: i64, status: &str) -> String {
    let (begins, ends) = (Millis(start).to_instant(), Millis(start + 30 * MINUTE_MS).to_instant());
    let reason = match status {
        "cancelled" => r#","cancelationReason":{"text":"no"}"#,
        _ => "",
    };
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"{status}","created":"2026-10-01T00:00:00Z","start":"{begins}","end":"{ends}","participant":[{{"actor":{{"reference":"Patient/{patient}"}},"status":"needs-action"}},{{"actor":{{"reference":"Practitioner/{id}"}},"status":"accepted"}}]{reason}}}"#
    )
}

fn house(now: i64) -> House {
    let clock = Arc::new(Turned(AtomicI64::new(now)));
    let dir = tempfile::tempdir().unwrap();
    let how = Settings { clock: Arc::clone(&clock) as _, ..settings() };
    let record = Record::open(dir.path(), how).unwrap();
    let zones = Zones::bundled();
    let how = Reminding {
        zone: zones.find("America/Chicago").unwrap(),
        zones,
        clinic: "Lake Clinic".to_owned(),
        origin: "https://clinic.example".to_owned(),
        leads: vec![Lead::Days(7), Lead::Days(2), Lead::Hours(2)],
        quiet: Quiet::USUAL,
    };
    let house = House { clinic: Clinic { record, dir }, clock, how };
    house.clinic.put(&patient("p")).unwrap();
    house
}

impl House {
    fn set(&self, now: i64) {
        self.clock.0.store(now, Ordering::SeqCst);
    }

    fn look(&self, hands: &Hands) -> Passed {
        pass(&self.clinic.session(), &self.how, hands, &|| false).unwrap()
    }

    fn outcomes(&self) -> Vec<(String, Outcome)> {
        let (entries, _) = listed(&self.clinic.session(), None).unwrap();
        entries.into_iter().map(|e| (e.lead.code(), e.outcome)).collect()
    }

    fn link(&self, hands: &Hands) -> (Session, Linked) {
        let text = hands.carried().last().unwrap().text.clone();
        let token = text.rsplit('/').next().unwrap().to_owned();
        self.clinic.record.follow(&token, Source::Public, [9; 16]).unwrap()
    }

    fn shown(&self, (session, linked): &(Session, Linked)) -> remind::Shown {
        run(remind::show(session, &self.how.zones, &self.how.zone, linked)).unwrap()
    }
}

#[test]
fn a_reminder_goes_out_once_by_the_preferred_way_in_the_patients_language() {
    let house = house(VISIT - 8 * DAY);
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    let hands = Hands::default();
    let next = house.look(&hands).next;
    assert_eq!(next, Some(Millis(VISIT - 8 * DAY + HOUR)), "the visit is not in sight yet");
    assert_eq!(hands.carried(), []);
    house.set(VISIT - 7 * DAY);
    assert_eq!(house.look(&hands).sent, 1);
    house.set(VISIT - 7 * DAY + MINUTE_MS);
    assert_eq!(house.look(&hands).sent, 0);
    let carried = hands.carried();
    assert_eq!(carried.len(), 1);
    assert_eq!((carried[0].way, carried[0].address.as_str()), (Way::Text, "(312) 555-0142"));
    let text = &carried[0].text;
    let told = "Lake Clinic: usted tiene una cita el martes 1 de diciembre a las 10:00.";
    assert!(text.starts_with(told), "{text}");
    assert!(!text.contains("Doe") && !text.contains("Jane"), "{text}");
    house.set(VISIT - 2 * DAY);
    house.look(&hands);
    house.set(VISIT - 2 * HOUR);
    house.look(&hands);
    assert_eq!(hands.carried().len(), 3);
    let of = |code: &str| (code.to_owned(), Outcome::Sent);
    assert_eq!(house.outcomes(), [of("d2"), of("d7"), of("h2")]);
    let events = house.clinic.events();
    let told: Vec<_> = events.iter().filter(|event| event.kind == Kind::Reminder).collect();
    assert_eq!(told.len(), 3, "one event for each message");
    assert_eq!((told[0].status, told[0].patients.as_slice()), (200, ["p".to_owned()].as_slice()));
    assert_eq!(told[0].targets[0].id.as_deref(), Some("v"));
}

#[test]
fn nobody_is_reminded_of_what_was_called_off_or_moved_and_what_moved_is_told_anew() {
    let house = house(VISIT - 7 * DAY);
    let hands = Hands::default();
    house.clinic.put(&visit("v", "p", VISIT, "cancelled")).unwrap();
    house.clinic.put(&visit("w", "p", VISIT + HOUR, "booked")).unwrap();
    house.look(&hands);
    assert_eq!(hands.carried(), []);
    house.clinic.put(&visit("w", "p", VISIT + 3 * DAY, "booked")).unwrap();
    house.set(VISIT - 7 * DAY + HOUR);
    house.look(&hands);
    assert_eq!(hands.carried(), [], "it is ten days off now");
    house.set(VISIT - 4 * DAY);
    house.look(&hands);
    assert_eq!(hands.carried().len(), 1);
    assert!(hands.carried()[0].text.contains("viernes 4 de diciembre"));
}

#[test]
fn what_was_missed_goes_out_late_and_as_one_and_never_at_night() {
    let house = house(VISIT - 8 * DAY);
    let hands = Hands::default();
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    house.look(&hands);
    // Away over both; it is three in the morning.
    house.set(VISIT - DAY - 7 * HOUR);
    let passed = house.look(&hands);
    assert_eq!((passed.sent, passed.next), (0, Some(Millis(VISIT - DAY - 6 * HOUR))));
    house.set(VISIT - DAY - 2 * HOUR);
    house.look(&hands);
    let of = |code: &str, outcome| (code.to_owned(), outcome);
    assert_eq!(house.outcomes(), [of("d2", Outcome::Sent), of("d7", Outcome::Superseded)]);
    assert_eq!(hands.carried().len(), 1);
}

#[test]
fn what_fails_is_tried_again_under_the_same_id_and_by_another_way_where_an_address_is_gone() {
    let house = house(VISIT - 7 * DAY);
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    let hands = Hands::of(&[Mood::Away, Mood::Away, Mood::Refuses, Mood::Carries]);
    let first = house.look(&hands);
    assert_eq!((first.failed, first.next), (1, Some(Millis(VISIT - 7 * DAY + MINUTE_MS))));
    assert_eq!(house.look(&hands).failed, 0, "not before its time");
    house.set(VISIT - 7 * DAY + MINUTE_MS);
    assert_eq!(house.look(&hands).failed, 1);
    house.set(VISIT - 7 * DAY + 3 * MINUTE_MS);
    assert_eq!(house.look(&hands).sent, 1);
    assert_eq!(hands.carried()[0].way, Way::Mail);
}

#[test]
fn it_is_given_up_at_last_and_told_and_tried_again_by_hand() {
    let house = house(VISIT - 7 * DAY);
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    let hands = Hands::of(&[Mood::Away; 8]);
    for n in 0..8 {
        house.set(VISIT - 7 * DAY + n * HOUR);
        house.look(&hands);
    }
    assert_eq!(house.outcomes(), [("d7".to_owned(), Outcome::GivenUp)]);
    let (session, lead) = (house.clinic.session(), Lead::Days(7));
    assert!(try_again(&session, Millis(VISIT), "v", Lead::Hours(2)).is_err());
    try_again(&session, Millis(VISIT), "v", lead).unwrap();
    house.look(&hands);
    assert_eq!(house.outcomes(), [("d7".to_owned(), Outcome::Sent)]);
    drop(session);
    let events = house.clinic.events();
    let told: Vec<u16> =
        events.iter().filter(|e| e.kind == Kind::Reminder).map(|e| e.status).collect();
    assert_eq!(told, [502, 200]);
}

#[test]
fn by_a_link_a_patient_comes_or_calls_off_and_reaches_nothing_else() {
    let house = house(VISIT - 7 * DAY);
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    house.clinic.put(&patient("q")).unwrap();
    house.clinic.put(&visit("other", "q", VISIT, "booked")).unwrap();
    let hands = Hands::default();
    house.look(&hands);
    let links: Vec<_> = hands.carried().iter().map(|c| c.text.clone()).collect();
    let opened: Vec<_> = links
        .iter()
        .map(|text| text.rsplit('/').next().unwrap())
        .map(|token| house.clinic.record.follow(token, Source::Public, [9; 16]).unwrap())
        .collect();
    let link = opened.iter().find(|(_, linked)| linked.appointment == "v").unwrap();
    for (kind, id) in [("Patient", "p"), ("Appointment", "other"), ("Patient", "q")] {
        assert!(link.0.read(of(kind), id, None).is_err(), "{kind}/{id}");
    }
    assert!(link.0.errand("reminder/").is_err() && link.0.draw_link(&link.1).is_err());
    let shown = house.shown(link);
    assert!(shown.is_booked && !shown.is_confirmed, "to look changes nothing");
    assert_eq!(shown.wall.to_string(), "2026-12-01T10:00:00");
    run(remind::confirm(&link.0, &link.1, &shown)).unwrap();
    let shown = house.shown(link);
    assert!(shown.is_confirmed);
    run(remind::confirm(&link.0, &link.1, &shown)).unwrap();
    run(remind::cancel(&link.0, &link.1, &shown)).unwrap();
    assert_eq!(house.clinic.status("Appointment", "v"), "cancelled");
    let shown = house.shown(link);
    run(remind::cancel(&link.0, &link.1, &shown)).unwrap();
    assert!(run(remind::confirm(&link.0, &link.1, &shown)).is_err());
    let body = house.clinic.session().read(of("Appointment"), "v", None).unwrap().wait().unwrap();
    let text = String::from_utf8(body.body).unwrap();
    assert!(text.contains(r#""code":"pat""#), "{text}");
    assert_eq!(house.clinic.status("Appointment", "other"), "booked");
    let who = link.0.who().to_owned();
    assert!(who.starts_with("link-"), "{who}");
    // A link is over when the visit is.
    let token = links[0].rsplit('/').next().unwrap().to_owned();
    house.set(VISIT + HOUR);
    let over = house.clinic.record.follow(&token, Source::Public, [9; 16]).unwrap_err();
    assert_eq!(over.code().name, "record.link.over");
    let session = house.clinic.session();
    assert_eq!(session.forget_links().unwrap(), 2);
    assert_eq!(session.forget_links().unwrap(), 0);
    drop((session, opened));
    let events = house.clinic.events();
    let by_link = |kind| events.iter().filter(|e| e.actor == who && e.kind == kind).count();
    assert!(by_link(Kind::Read) > 0 && by_link(Kind::Operation) == 2);
}

#[test]
fn whoever_asks_to_be_left_alone_is_until_the_flag_is_taken_off() {
    let house = house(VISIT - 7 * DAY);
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    let hands = Hands::default();
    house.look(&hands);
    let link = house.link(&hands);
    run(remind::no_more(&link.0, &link.1)).unwrap();
    run(remind::no_more(&link.0, &link.1)).unwrap();
    assert!(house.shown(&link).is_left_alone);
    assert_eq!(house.clinic.count("Flag", &[("patient", "p")]), 1);
    house.set(VISIT - 2 * DAY);
    house.look(&hands);
    assert_eq!(hands.carried().len(), 1);
    assert_eq!(house.outcomes()[0], ("d2".to_owned(), Outcome::OptedOut));
}

#[test]
fn whoever_has_no_address_that_anybody_reaches_is_written_down() {
    let house = house(VISIT - 7 * DAY);
    house
        .clinic
        .put(r#"{"resourceType":"Patient","id":"p","telecom":[{"system":"sms","value":"1"}]}"#)
        .unwrap();
    house.clinic.put(&visit("v", "p", VISIT, "booked")).unwrap();
    house.look(&Hands { no_text: true, ..Hands::default() });
    assert_eq!(house.outcomes(), [("d7".to_owned(), Outcome::NoAddress)]);
}

#[test]
fn only_whoever_is_on_the_machine_keeps_errands() {
    let house = house(VISIT);
    let stranger = house.clinic.record.session(Subject::nobody(), [1; 16]);
    assert!(stranger.errands("", None).is_err());
    assert!(stranger.keep_errand("a", None, Some("b"), None).is_err());
    let session = house.clinic.session();
    assert_eq!(session.keep_errand("a", None, Some("b"), None), Ok(1));
    assert!(session.keep_errand("a", None, Some("c"), None).is_err(), "somebody else was first");
    assert_eq!(session.errand("a").unwrap().unwrap().text, "b");
}

#[derive(Debug, Clone)]
enum Happens {
    /// The clock goes on, or back.
    Clock(i64),
    /// It is looked, and the hands are in this mood.
    Look(Mood),
    /// A visit is called off.
    CallOff(usize),
    /// A visit is moved by days.
    Move(usize, i64),
}

fn happens() -> impl Strategy<Value = Happens> {
    let moods = prop_oneof![
        4 => Just(Mood::Carries),
        1 => Just(Mood::Away),
        1 => Just(Mood::DiesBefore),
        1 => Just(Mood::DiesAfter),
    ];
    prop_oneof![
        4 => (-2 * HOUR..30 * HOUR).prop_map(Happens::Clock),
        6 => moods.prop_map(Happens::Look),
        1 => (0..3_usize).prop_map(Happens::CallOff),
        1 => (0..3_usize, 0..3_i64).prop_map(|(n, days)| Happens::Move(n, days)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_reminder_is_lost_and_none_is_sent_for_what_was_called_off(
        all in prop::collection::vec(happens(), 5..40),
    ) {
        let house = house(VISIT - 9 * DAY);
        let mut visits: Vec<(i64, bool)> = (0..3).map(|n| (VISIT + n * HOUR, true)).collect();
        let put = |n: usize, (start, stands): (i64, bool)| {
            let status = if stands { "booked" } else { "cancelled" };
            house.clinic.put(&visit(&format!("v{n}"), "p", start, status)).unwrap();
        };
        for (n, at) in visits.iter().enumerate() {
            put(n, *at);
        }
        let hands = Hands::default();
        let (mut kills, mut latest) = (0, 0);
        for one in all {
            latest = latest.max(house.clock.now().0);
            match one {
                Happens::Clock(ms) => {
                    house.clock.0.fetch_add(ms, Ordering::SeqCst);
                }
                Happens::Look(mood) => {
                    *hands.moods.lock().unwrap() = vec![mood];
                    let before = hands.carried().len();
                    let looked = catch_unwind(AssertUnwindSafe(|| house.look(&hands)));
                    kills += usize::from(looked.is_err());
                    hands.moods.lock().unwrap().clear();
                    // Each that went out is of a visit that stands at that time.
                    for carried in &hands.carried()[before..] {
                        let now = carried.at;
                        prop_assert!(visits.iter().any(|(start, stands)| *stands && *start > now));
                        let hour = house.how.zone.wall(Millis(now)).hour();
                        prop_assert!((8..21).contains(&hour), "sent at {hour}");
                    }
                }
                Happens::CallOff(n) => {
                    visits[n].1 = false;
                    put(n, visits[n]);
                }
                Happens::Move(n, days) if visits[n].1 => {
                    visits[n].0 = VISIT + i64::try_from(n).unwrap() * HOUR + days * DAY;
                    put(n, visits[n]);
                }
                Happens::Move(..) => {}
            }
        }
        // Nothing goes wrong any more, and the clock goes on to the last visit.
        let mut now = house.clock.now().0;
        latest = latest.max(now);
        let end = VISIT + 4 * DAY;
        while now < end {
            now += HOUR / 2;
            house.set(now);
            house.look(&hands);
        }
        let (entries, _) = listed(&house.clinic.session(), None).unwrap();
        for (n, (start, stands)) in visits.iter().enumerate() {
            let of = |e: &&remind::Entry| e.appointment == format!("v{n}") && e.start.0 == *start;
            let mine: Vec<_> = entries.iter().filter(of).collect();
            prop_assert!(mine.iter().all(|entry| entry.outcome.is_final()));
            if *stands && latest < start - HOUR {
                let last = mine.iter().find(|entry| entry.lead == Lead::Hours(2));
                let last = last.expect("the last reminder of a visit that stands is lost");
                let tried_out = last.attempts >= remind::ATTEMPTS_MAX;
                prop_assert!(last.outcome == Outcome::Sent || tried_out, "{:?}", last);
            }
        }
        // Each message once, and once more for each kill at most.
        let mut ids: Vec<String> = hands.carried().into_iter().map(|c| c.id).collect();
        let sent = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert!(sent - ids.len() <= kills);
    }
}
