//! The waiting list through the gate: who is on it, whom a freed time is offered to, that the first who says yes
//! has it and nobody else, wherever the program is killed, and that a link reaches nothing but its own offer.

use crate::support::*;
use base::{Clock, Fault, Millis, Phi};
use proptest::prelude::*;
use record::{Linked, Record, Session, Settings, Source};
use scheduling::actor::{Actor, Role};
use scheduling::book::waitlist::{
    self, Freed, Means, Offers, Waiting, Wish, answer, begin, fitting, freed, listed, look, put,
    remove, rounds, withdraw,
};
use scheduling::book::{self, Booking, House, Place};
use scheduling::remind::{Carrier, Letter, Quiet, Undelivered, Way};
use scheduling::time::{MINUTE_MS, Zones};
use scheduling::waitlist::send::{Looked, Offering, pass};
use scheduling::waitlist::{Offer, State, Urgency, Waves};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Tuesday 1 December 2026, nine o'clock in Chicago.
pub(crate) const NINE: i64 = 1_796_137_200_000;
pub(crate) const HOUR: i64 = 60 * MINUTE_MS;
pub(crate) const OURS: &str = "https://plummer.health/fhir/StructureDefinition/";
pub(crate) const WAVES: Waves = Waves { size: 2, minutes: 30 };
pub(crate) const CLOSED: &str = "scheduling.offer.closed";

#[derive(Debug)]
pub(crate) struct Turned(pub(crate) AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Desk {
    pub(crate) clinic: Option<Clinic>,
    pub(crate) clock: Arc<Turned>,
    pub(crate) how: Offering,
}

pub(crate) fn open(dir: tempfile::TempDir, how: Settings, clock: &Arc<Turned>) -> Clinic {
    let how = Settings { clock: Arc::clone(clock) as _, ..how };
    let record = Record::open(dir.path(), how).unwrap();
    Clinic { record, dir }
}

/// A site with a clinician and six patients, on the Monday before at ten.
pub(crate) fn desk() -> Desk {
    desk_of(settings())
}

/// The same, of a house that is set up so.
pub(crate) fn desk_of(how: Settings) -> Desk {
    let clock = Arc::new(Turned(AtomicI64::new(NINE - 23 * HOUR)));
    let clinic = open(tempfile::tempdir().unwrap(), how, &clock);
    let days = r#""daysOfWeek":["mon","tue","wed","thu","fri"]"#;
    let mut all = vec![
        format!(
            r#"{{"resourceType":"Location","id":"main","name":"Main","status":"active","extension":[{{"url":"{OURS}time-zone","valueCode":"America/Chicago"}}],"hoursOfOperation":[{{{days},"openingTime":"08:00:00","closingTime":"17:00:00"}}]}}"#
        ),
        r#"{"resourceType":"Practitioner","id":"a"}"#.to_owned(),
        format!(
            r#"{{"resourceType":"PractitionerRole","id":"role-a","active":true,"practitioner":{{"reference":"Practitioner/a","display":"Dr. Ada Berg"}},"location":[{{"reference":"Location/main"}}],"code":[{{"coding":[{{"code":"doctor"}}]}}],"availableTime":[{{{days},"availableStartTime":"09:00:00","availableEndTime":"12:00:00"}}]}}"#
        ),
        format!(
            r#"{{"resourceType":"ActivityDefinition","id":"talk","title":"Talk","status":"active","kind":"Appointment","timingDuration":{{"value":30,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{{"extension":[{{"url":"role","valueCode":"clinician"}}],"url":"{OURS}needed-resource"}}]}}"#
        ),
    ];
    for n in 0..6 {
        all.push(format!(
            r#"{{"resourceType":"Patient","id":"p{n}","name":[{{"family":"Doe","given":["Jane{n}"]}}],"telecom":[{{"system":"email","value":"p{n}@mail.example"}}]}}"#
        ));
    }
    for one in all {
        clinic.put(&one).unwrap();
    }
    let zones = Zones::bundled();
    let house = House { zone: zones.find("America/Chicago").unwrap(), zones, ..House::default() };
    let how = Offering {
        house,
        clinic: "Lake Clinic".to_owned(),
        origin: "https://clinic.example".to_owned(),
        quiet: Quiet::USUAL,
        waves: WAVES,
        by_itself: true,
    };
    Desk { clinic: Some(clinic), clock, how }
}

pub(crate) fn wish(patient: &str) -> Wish {
    Wish {
        patient: patient.to_owned(),
        visit_type: "talk".to_owned(),
        urgency: Urgency::Routine,
        seen_by: None,
        sites: Vec::new(),
        with: Vec::new(),
        weekdays: Vec::new(),
        times: None,
        earliest: None,
        latest: None,
        notice_minutes: 0,
        instead_of: None,
    }
}

pub(crate) fn place(nth: i64) -> Place {
    Place {
        visit_type: "talk".to_owned(),
        site: Actor::parse("Location/main").unwrap(),
        start: Millis(NINE + nth * 30 * MINUTE_MS),
        with: vec![(Role::Clinician, Actor::parse("Practitioner/a").unwrap())],
        modality: None,
    }
}

impl Desk {
    pub(crate) fn clinic(&self) -> &Clinic {
        self.clinic.as_ref().unwrap()
    }

    pub(crate) fn session(&self) -> Session {
        self.clinic().session()
    }

    pub(crate) fn pass_time(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn book(&self, nth: i64, patient: &str) -> Result<book::Visit, Fault> {
        let booking = Booking {
            place: place(nth),
            patient: patient.to_owned(),
            form: format!("f-{nth}-{patient}-{}", self.clock.now().0),
            hold: None,
            reason: None,
            comment: None,
            referral: None,
        };
        run(book::book(&self.session(), &self.how.house, &booking)).map(|done| done.visit)
    }

    pub(crate) fn cancel(&self, visit: &book::Visit) -> Freed {
        let done = run(book::cancel(&self.session(), &visit.id, visit.version, "pat")).unwrap();
        run(freed(&self.session(), &done.visit.id, done.visit.version)).unwrap().unwrap()
    }

    /// A time that was booked for p5 and is free again.
    pub(crate) fn freed(&self, nth: i64) -> Freed {
        let visit = self.book(nth, "p5").unwrap();
        self.cancel(&visit)
    }

    pub(crate) fn put(&self, wish: &Wish) -> Waiting {
        // Who came first waits longer.
        self.pass_time(1_000);
        let form = format!("w-{}", wish.patient);
        run(put(&self.session(), wish, &form)).unwrap()
    }

    pub(crate) fn begin(&self, freed: &Freed) -> Option<Offers> {
        let session = self.session();
        run(begin(&session, &self.how.house, freed, WAVES, Means::Desk)).unwrap()
    }

    pub(crate) fn look(&self, hands: &Hands) -> Looked {
        run(pass(&self.session(), &self.how, Some(hands), &|| false)).unwrap()
    }

    pub(crate) fn answer(&self, key: &str, entry: &str, is_yes: bool) -> Result<Offers, Fault> {
        run(answer(&self.session(), key, entry, is_yes))
    }

    /// Every appointment that stands at a time of the clinician.
    pub(crate) fn booked_at(&self, nth: i64) -> Vec<String> {
        let start = place(nth).start;
        let asked = [
            ("status", "booked,arrived,fulfilled".to_owned()),
            ("actor", "Practitioner/a".to_owned()),
            ("date", format!("ge{}", start.to_instant())),
            ("date", format!("lt{}", Millis(start.0 + 1_000).to_instant())),
        ];
        let pairs = asked.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        let how = record::SearchHow::default();
        let level = record::Level::Type(of("Appointment"));
        let found = self.session().search(level, pairs, &how).unwrap().wait().unwrap();
        found.page.matches.into_iter().map(|hit| hit.id).collect()
    }

    /// The program is killed and started anew.
    pub(crate) fn restart(&mut self) {
        let Clinic { record, dir } = self.clinic.take().unwrap();
        drop(record);
        self.clinic = Some(open(dir, settings(), &self.clock));
    }

    pub(crate) fn follow(&self, text: &str) -> (Session, Linked) {
        let token = text.rsplit('/').next().unwrap();
        self.clinic().record.follow(token, Source::Public, [9; 16]).unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Carries,
    Away,
    Refuses,
    DiesBefore,
    DiesAfter,
}

/// To whom, what, under which id.
pub(crate) type Carried = (String, String, String);

#[derive(Default)]
pub(crate) struct Hands {
    pub(crate) moods: Mutex<Vec<Mood>>,
    carried: Mutex<Vec<Carried>>,
}

impl Hands {
    pub(crate) fn carried(&self) -> Vec<Carried> {
        self.carried.lock().unwrap().clone()
    }

    pub(crate) fn told(&self, patient: &str, says: &str) -> usize {
        let to = format!("{patient}@mail.example");
        self.carried()
            .iter()
            .filter(|(address, text, _)| *address == to && text.contains(says))
            .count()
    }
}

impl Carrier for Hands {
    fn reaches(&self, way: Way, _address: &Phi<String>) -> bool {
        way == Way::Mail
    }

    fn carry(&self, letter: &Letter<'_>) -> Result<(), Undelivered> {
        let mood = self.moods.lock().unwrap().pop().unwrap_or(Mood::Carries);
        match mood {
            Mood::Away => return Err(Undelivered::Later { why: "away", wait_ms: None }),
            Mood::Refuses => return Err(Undelivered::Refused { why: "gone" }),
            Mood::DiesBefore => panic!("killed"),
            Mood::Carries | Mood::DiesAfter => {}
        }
        let one = (letter.address.expose().clone(), letter.text.to_owned(), letter.id.to_owned());
        self.carried.lock().unwrap().push(one);
        assert!(mood != Mood::DiesAfter, "killed");
        Ok(())
    }
}

pub(crate) fn code_of<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> &'static str {
    outcome.unwrap_err().code().name
}

#[test]
fn an_entry_reads_as_it_was_written_and_keeps_what_it_does_not_know() {
    let desk = desk();
    let later = desk.book(4, "p0").unwrap();
    let mut full = Wish {
        urgency: Urgency::Urgent,
        seen_by: Some(Millis(NINE)),
        sites: vec![Actor::parse("Location/main").unwrap()],
        with: vec![Actor::parse("Practitioner/a").unwrap()],
        weekdays: vec![waitlist::weekday("tue").unwrap()],
        times: Some(("09:00:00".parse().unwrap(), "11:30:00".parse().unwrap())),
        earliest: Some(Millis(NINE - HOUR)),
        notice_minutes: 90,
        instead_of: Some(later.id.clone()),
        ..wish("p0")
    };
    let made = desk.put(&full);
    assert_eq!(made.since, desk.clock.now());
    desk.pass_time(1);
    assert_eq!(made.whom.name.as_ref().map(|name| name.expose().as_str()), Some("DOE, Jane0"));
    full.latest = Some(Millis(later.span.unwrap().start.0 - 1));
    assert_eq!(made.wish, full);
    assert_eq!(desk.put(&full).id, made.id, "the same form puts on once");
    let twice = run(put(&desk.session(), &wish("p0"), "another-form"));
    assert_eq!(code_of(twice), "scheduling.calendar.invalid");
    desk.pass_time(HOUR);
    let plain = Wish { weekdays: Vec::new(), times: None, ..full };
    let changed = run(waitlist::change(&desk.session(), &made.id, made.version, &plain)).unwrap();
    assert_eq!((changed.since, &changed.wish), (made.since, &plain));
    let stale = run(waitlist::change(&desk.session(), &made.id, made.version, &plain));
    assert_eq!(code_of(stale), "record.write.version-conflict");
    let other = run(waitlist::change(&desk.session(), &made.id, changed.version, &wish("p1")));
    assert_eq!(code_of(other), "record.write.version-conflict", "it stays the patient's");
    run(remove(&desk.session(), &made.id, changed.version)).unwrap();
    assert_eq!(run(listed(&desk.session())).unwrap().rows, []);
    let gone = run(remove(&desk.session(), &made.id, changed.version + 1));
    assert_eq!(code_of(gone), CLOSED);
}

#[test]
fn a_wish_that_makes_no_sense_is_refused() {
    let desk = desk();
    let later = desk.book(4, "p1").unwrap();
    for odd in [
        Wish { patient: "nobody".to_owned(), ..wish("p0") },
        Wish { visit_type: "none".to_owned(), ..wish("p0") },
        Wish {
            times: Some(("11:00:00".parse().unwrap(), "10:00:00".parse().unwrap())),
            ..wish("p0")
        },
        Wish { earliest: Some(Millis(NINE)), latest: Some(Millis(NINE - 1)), ..wish("p0") },
        Wish { notice_minutes: 15 * 24 * 60, ..wish("p0") },
        Wish { instead_of: Some(later.id), ..wish("p0") },
    ] {
        assert!(run(put(&desk.session(), &odd, "f")).is_err(), "{odd:?}");
    }
    assert_eq!(run(listed(&desk.session())).unwrap().rows, []);
}

#[test]
fn the_first_yes_has_the_time_and_the_later_visit_is_called_off_with_it() {
    let desk = desk();
    let later = desk.book(5, "p0").unwrap();
    let first = desk.put(&Wish { instead_of: Some(later.id.clone()), ..wish("p0") });
    let second = desk.put(&wish("p1"));
    let own = desk.put(&wish("p5"));
    let freed = desk.freed(0);
    let names: Vec<_> = run(fitting(&desk.session(), &desk.how.house, &freed)).unwrap();
    let ids: Vec<_> = names.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, [first.id.as_str(), second.id.as_str()], "who gave it up is not offered it");
    let round = desk.begin(&freed).unwrap();
    assert_eq!(desk.begin(&freed).unwrap().id, round.id, "one freed time is offered once");
    // The desk alone may book over what is offered, and says why.
    assert_eq!(code_of(desk.book(0, "p3")), "scheduling.booking.override-needed");
    assert_eq!(code_of(desk.answer(&round.key, &own.id, true)), CLOSED, "they were not asked");
    let taken = desk.answer(&round.key, &first.id, true).unwrap();
    assert_eq!(taken.state, State::Taken { entry: first.id.clone() });
    assert_eq!(desk.booked_at(0), [first.id.as_str()]);
    assert_eq!(desk.clinic().status("Appointment", &later.id), "cancelled");
    assert_eq!(code_of(desk.answer(&round.key, &second.id, true)), CLOSED);
    assert!(desk.answer(&round.key, &first.id, true).is_ok(), "said twice is said once");
    assert_eq!(desk.clinic().status("Appointment", &second.id), "waitlist");
    let visit = run(book::appointment(&desk.session(), &first.id)).unwrap();
    assert_eq!(visit.span.map(|span| span.start), Some(place(0).start));
    let list = run(listed(&desk.session())).unwrap().rows;
    assert_eq!(list.len(), 2);
    desk.book(5, "p4").expect("the later time is free again");
}

#[test]
fn only_what_can_be_had_is_offered() {
    let desk = desk();
    desk.put(&Wish { latest: Some(Millis(NINE - 1)), ..wish("p0") });
    desk.put(&Wish { weekdays: vec![waitlist::weekday("wed").unwrap()], ..wish("p1") });
    let busy = desk.put(&wish("p2"));
    let freed = desk.freed(1);
    desk.clinic()
        .put(&format!(
            r#"{{"resourceType":"Appointment","id":"else","status":"booked","start":"{}","end":"{}","participant":[{{"actor":{{"reference":"Patient/p2"}},"status":"accepted"}},{{"actor":{{"reference":"Practitioner/z"}},"status":"accepted"}}]}}"#,
            Millis(NINE).to_instant(),
            Millis(NINE + HOUR).to_instant()
        ))
        .unwrap();
    assert_eq!(desk.begin(&freed), None, "nobody can come");
    let free = desk.put(&wish("p3"));
    let round = desk.begin(&freed).unwrap();
    assert_eq!(round.asked.len(), 1);
    assert!(round.offer(&free.id).is_some() && round.offer(&busy.id).is_none());
    // The desk takes it back, and the time is free.
    let over = run(withdraw(&desk.session(), &round.key)).unwrap();
    assert_eq!((over.state, over.until), (State::Withdrawn, None));
    assert_eq!(code_of(desk.answer(&round.key, &free.id, true)), CLOSED);
    desk.book(1, "p4").unwrap();
}

#[test]
fn a_round_goes_on_by_waves_and_a_hold_that_ended_gives_way() {
    let mut desk = desk();
    let all: Vec<_> = (0..4).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let round = desk.begin(&desk.freed(0)).unwrap();
    assert_eq!(round.open().count(), 2);
    desk.pass_time(31 * MINUTE_MS);
    desk.restart();
    let round = run(look(&desk.session(), &round.key)).unwrap();
    assert_eq!(round.offer(&all[0]), Some(Offer::Expired));
    assert!(matches!(round.offer(&all[2]), Some(Offer::Open { .. })), "{round:?}");
    // Who went off the list is passed over.
    let one = run(waitlist::waiting(&desk.session(), &all[2])).unwrap();
    run(remove(&desk.session(), &one.id, one.version)).unwrap();
    let round = run(look(&desk.session(), &round.key)).unwrap();
    assert_eq!(round.offer(&all[2]), Some(Offer::Declined));
    // Nobody looked in time: the hold ended by the clock, and the desk gave the time to another.
    desk.pass_time(40 * MINUTE_MS);
    desk.book(0, "p5").unwrap();
    assert_eq!(code_of(desk.answer(&round.key, &all[3], true)), CLOSED);
    let round = run(look(&desk.session(), &round.key)).unwrap();
    assert!(!round.is_open() && round.until.is_none());
    assert_eq!(desk.booked_at(0).len(), 1);
}

#[test]
fn of_many_who_say_yes_at_one_moment_one_has_it() {
    let desk = desk();
    let all: Vec<_> = (0..2).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let round = desk.begin(&desk.freed(0)).unwrap();
    let won: usize = thread::scope(|scope| {
        let each = (0..8).map(|n| {
            let (desk, key, entry) = (&desk, &round.key, &all[n % 2]);
            scope.spawn(move || (n % 2, desk.answer(key, entry, true).is_ok()))
        });
        let each: Vec<_> = each.collect();
        let outcomes: Vec<_> = each.into_iter().map(|one| one.join().unwrap()).collect();
        let winners: std::collections::BTreeSet<_> =
            outcomes.iter().filter(|(_, ok)| *ok).map(|(n, _)| *n).collect();
        winners.len()
    });
    assert_eq!(won, 1);
    assert_eq!(desk.booked_at(0).len(), 1);
}

#[test]
fn a_freed_time_is_offered_by_itself_and_a_link_answers() {
    let desk = desk();
    let all: Vec<_> = (0..3).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let hands = Hands::default();
    assert_eq!(desk.look(&hands), Looked::default(), "the first look sets the mark");
    desk.pass_time(MINUTE_MS);
    desk.freed(0);
    let looked = desk.look(&hands);
    assert_eq!((looked.begun, looked.sent), (1, 2));
    assert_eq!(desk.look(&hands).sent, 0, "said once");
    let texts = hands.carried();
    let told = "Lake Clinic: a time is free on Tuesday, December 1 at 9:00 AM.";
    assert!(texts[0].1.starts_with(told) && !texts[0].1.contains("Doe"), "{texts:?}");
    let (session, linked) = desk.follow(&texts[1].1);
    assert_eq!((linked.appointment.as_str(), linked.patient.as_str()), (all[1].as_str(), "p1"));
    // It reaches its own entry and its round, and nothing of anybody else.
    for (id, sees) in [(&all[1], true), (&all[0], false)] {
        assert_eq!(session.read(of("Appointment"), id, None).is_ok(), sees);
    }
    assert!(session.read(of("Patient"), "p1", None).is_err());
    assert!(session.read(of("Practitioner"), "a", None).is_err());
    let key = linked.round.clone().unwrap();
    let house = &desk.how.house;
    let shown = run(waitlist::shown(&session, &house.zones, &house.zone, &linked)).unwrap();
    assert!(matches!(shown.offer, Offer::Open { .. }) && shown.until.is_some());
    run(answer(&session, &key, &linked.appointment, true)).unwrap();
    assert_eq!(desk.booked_at(0), [all[1].as_str()]);
    let (session, linked) = desk.follow(&texts[0].1);
    assert_eq!(code_of(run(answer(&session, &key, &linked.appointment, true))), CLOSED);
    let shown = run(waitlist::shown(&session, &house.zones, &house.zone, &linked)).unwrap();
    assert_eq!(shown.offer, Offer::Closed);
    assert_eq!(desk.look(&hands).sent, 2);
    assert_eq!((hands.told("p1", "is yours"), hands.told("p0", "is taken by now")), (1, 1));
    assert_eq!(hands.told("p2", ""), 0, "who was not asked is told nothing");
    // An answer by another's entry is none, whatever the link.
    assert!(run(answer(&session, &key, &all[1], false)).is_err());
}

#[test]
fn nothing_is_offered_at_night_and_nothing_by_itself_without_a_sender() {
    let desk = desk();
    desk.put(&wish("p0"));
    let hands = Hands::default();
    desk.look(&hands);
    desk.freed(2);
    let none = run(pass(&desk.session(), &desk.how, None, &|| false)).unwrap();
    assert_eq!(none.begun, 0);
    desk.clock.0.store(NINE - 11 * HOUR, Ordering::SeqCst);
    assert_eq!(desk.look(&hands).begun, 0, "ten in the evening");
    desk.clock.0.store(NINE - HOUR, Ordering::SeqCst);
    assert_eq!(desk.look(&hands).begun, 1, "eight in the morning");
}

#[test]
fn who_cannot_be_reached_is_passed_over() {
    let desk = desk();
    let all: Vec<_> = (0..3).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let hands = Hands::default();
    desk.look(&hands);
    desk.freed(0);
    *hands.moods.lock().unwrap() = vec![Mood::Refuses, Mood::Refuses];
    desk.look(&hands);
    desk.look(&hands);
    assert_eq!((hands.told("p0", ""), hands.told("p2", "a time is free")), (0, 1));
    let round = run(rounds(&desk.session())).unwrap().rows.remove(0);
    assert_eq!(round.open().collect::<Vec<_>>(), [all[2].as_str()]);
}

#[derive(Debug, Clone)]
enum Happens {
    Answers(usize, bool),
    Clock(i64),
    Look(Mood),
    Restart,
    TakenOff(usize),
    DeskBooks,
    Withdrawn,
}

fn happens() -> impl Strategy<Value = Happens> {
    let mood = prop::sample::select(vec![
        Mood::Carries,
        Mood::Away,
        Mood::Refuses,
        Mood::DiesBefore,
        Mood::DiesAfter,
    ]);
    prop_oneof![
        5 => (0_usize..4, prop::bool::weighted(0.6)).prop_map(|(n, yes)| Happens::Answers(n, yes)),
        3 => (1_i64..45 * MINUTE_MS).prop_map(Happens::Clock),
        4 => mood.prop_map(Happens::Look),
        1 => Just(Happens::Restart),
        1 => (0_usize..4).prop_map(Happens::TakenOff),
        1 => Just(Happens::DeskBooks),
        1 => Just(Happens::Withdrawn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nobody_ever_wins_twice_whatever_happens_in_whichever_order(
        all in prop::collection::vec(happens(), 5..30),
    ) {
        let mut desk = desk();
        let entries: Vec<_> = (0..4).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
        let hands = Hands::default();
        desk.look(&hands);
        let freed = desk.freed(0);
        let mut won: Option<usize> = None;
        let mut kills = 0;
        for one in all {
            match one {
                Happens::Answers(n, is_yes) => {
                    let outcome = desk.answer(&freed.key, &entries[n], is_yes);
                    if is_yes && outcome.is_ok() {
                        prop_assert!(won.is_none_or(|before| before == n), "two won");
                        won = Some(n);
                    }
                }
                Happens::Clock(ms) => desk.pass_time(ms),
                Happens::Look(mood) => {
                    *hands.moods.lock().unwrap() = vec![mood];
                    let looked = catch_unwind(AssertUnwindSafe(|| desk.look(&hands)));
                    kills += usize::from(looked.is_err());
                    hands.moods.lock().unwrap().clear();
                }
                Happens::Restart => desk.restart(),
                Happens::TakenOff(n) => {
                    if let Ok(one) = run(waitlist::waiting(&desk.session(), &entries[n])) {
                        run(remove(&desk.session(), &one.id, one.version)).unwrap();
                    }
                }
                Happens::DeskBooks => drop(desk.book(0, "p5")),
                Happens::Withdrawn => drop(run(withdraw(&desk.session(), &freed.key))),
            }
            let booked = desk.booked_at(0);
            prop_assert!(booked.len() <= 1, "{booked:?}");
            if let Some(won) = won {
                prop_assert_eq!(&booked, &[entries[won].clone()], "who was told yes has it");
            }
        }
        // Nobody is offered it twice, but where the program was killed between sending and writing it down.
        let offers = |n: usize| hands.told(&format!("p{n}"), "a time is free");
        prop_assert!((0..4).map(|n| offers(n).saturating_sub(1)).sum::<usize>() <= kills);
        let told = (0..4).map(|n| hands.told(&format!("p{n}"), "is yours").min(1)).sum::<usize>();
        prop_assert!(told <= 1);
    }
}
