//! The waiting list where something is wrong: a record that is faulty, an hour at which nobody is asked, a time that
//! was given away, a visit that is earlier by now. Nobody is told what is not so, and one fault stops nothing.

use crate::offers::*;
use crate::support::*;
use audit::Kind;
use base::error::code::KEYS_UNAVAILABLE;
use base::{Fault, Millis};
use identity::CryptoRandom;
use record::Settings;
use scheduling::book::waitlist::{
    self, Hinder, Means, Wish, answer, begin, change, freed, listed, put, rounds,
};
use scheduling::book::{self, Booking, Move};
use scheduling::time::MINUTE_MS;
use scheduling::waitlist::{Offer, State};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const BLOCKED: &str = "scheduling.booking.blocked";

/// The document of a visit of p5 at a time, as another system writes it.
fn visit(id: &str, nth: i64, status: &str, more: &str) -> String {
    let start = place(nth).start;
    let (start, end) = (start.to_instant(), Millis(start.0 + 30 * MINUTE_MS).to_instant());
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"{status}","start":"{start}","end":"{end}","extension":[{{"url":"{OURS}visit-type","valueReference":{{"reference":"ActivityDefinition/talk"}}}}{more}],"participant":[{{"actor":{{"reference":"Patient/p5"}},"status":"accepted","required":"required"}},{{"actor":{{"reference":"Practitioner/a"}},"status":"accepted","required":"required"}},{{"actor":{{"reference":"Location/main"}},"status":"accepted","required":"information-only"}}]}}"#
    )
}

/// An extension that this department cannot understand.
fn odd() -> String {
    format!(r#",{{"url":"{OURS}buffer-before","valueInteger":100000}}"#)
}

#[test]
fn what_is_faulty_in_itself_stops_no_offers_and_is_counted() {
    let desk = desk();
    let entry = desk.put(&wish("p0")).id;
    let hands = Hands::default();
    // Looked at before all else, since it is older: deleted and put back, and one that cannot be understood.
    let clinic = desk.clinic();
    clinic.put(&visit("again", 3, "booked", "")).unwrap();
    desk.look(&hands);
    run(desk.session().delete(of("Appointment"), "again", None)).unwrap();
    clinic.put(&visit("again", 3, "booked", "")).unwrap();
    clinic.put(&visit("odd", 4, "booked", "")).unwrap();
    clinic.put(&visit("odd", 4, "booked", &odd())).unwrap();
    let first = desk.freed(0);
    let looked = desk.look(&hands);
    assert_eq!((looked.begun, looked.sent), (1, 1), "{looked:?}");
    assert!(looked.faulty > 0, "{looked:?}");
    assert_eq!(hands.told("p0", "a time is free"), 1);
    // The record of a round becomes one that is no round: the others go on.
    let second = desk.freed(1);
    desk.look(&hands);
    let held = run(waitlist::offers(&desk.session(), &first.key)).unwrap();
    let hit = desk.session().read(of("Appointment"), &held.id, None).unwrap().wait().unwrap();
    let text =
        String::from_utf8(hit.body).unwrap().replace(r#""url":"means""#, r#""url":"means-x""#);
    clinic.put(&text).unwrap();
    // A look goes back a little behind the last one: what is odd since then is counted by this one alone.
    desk.pass_time(6 * MINUTE_MS);
    desk.look(&hands);
    desk.pass_time(6 * MINUTE_MS);
    let looked = desk.look(&hands);
    assert_eq!(looked.faulty, 1, "the round: {looked:?}");
    desk.answer(&second.key, &entry, true).unwrap();
    assert_eq!(desk.look(&hands).sent, 1);
    assert_eq!(hands.told("p0", "is yours"), 1);
}

#[test]
fn nobody_gives_an_earlier_visit_up_for_a_later_one() {
    let desk = desk();
    let own = desk.book(5, "p0").unwrap();
    let entry = desk.put(&Wish { instead_of: Some(own.id.clone()), ..wish("p0") }).id;
    let other = desk.put(&wish("p1")).id;
    let hands = Hands::default();
    desk.look(&hands);
    desk.freed(2);
    assert_eq!(desk.look(&hands).sent, 2);
    let to = Move {
        id: own.id.clone(),
        version: own.version,
        start: place(1).start,
        instead: Vec::new(),
        reason: None,
    };
    run(book::move_to(&desk.session(), &desk.how.house, &to)).unwrap();
    let text = hands.carried().into_iter().find(|one| one.0.starts_with("p0@")).unwrap().1;
    let (session, linked) = desk.follow(&text);
    let key = linked.round.clone().unwrap();
    let house = &desk.how.house;
    let shown = run(waitlist::shown(&session, &house.zones, &house.zone, &linked)).unwrap();
    assert_eq!((shown.hinder, shown.is_instead), (Some(Hinder::NotEarlier), false));
    assert_eq!(code_of(run(answer(&session, &key, &entry, true))), BLOCKED);
    assert_eq!(desk.clinic().status("Appointment", &own.id), "booked");
    assert_eq!(desk.clinic().status("Appointment", &entry), "waitlist");
    // A time that is freed now is not offered to them at all, unless it is earlier than that.
    let asked = |nth: i64| {
        let round = desk.begin(&desk.freed(nth)).unwrap();
        (round.offer(&entry).is_some(), round.offer(&other).is_some())
    };
    assert_eq!(asked(3), (false, true));
    assert_eq!(asked(0), (true, true));
    desk.answer(&key, &other, true).unwrap();
    assert_eq!(desk.booked_at(2), [other]);
}

#[test]
fn a_no_in_the_quiet_hours_lets_the_next_wave_wait_for_the_morning() {
    let desk = desk();
    let all: Vec<_> = (0..4).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let hands = Hands::default();
    desk.look(&hands);
    // Ten minutes to nine in the evening.
    desk.clock.0.store(NINE - 12 * HOUR - 10 * MINUTE_MS, Ordering::SeqCst);
    let freed = desk.freed(2);
    assert_eq!(desk.look(&hands).sent, 2);
    desk.pass_time(15 * MINUTE_MS);
    for entry in &all[..2] {
        desk.answer(&freed.key, entry, false).unwrap();
    }
    let looked = desk.look(&hands);
    assert_eq!(looked.next, Some(Millis(NINE - HOUR)), "nobody looks before eight: {looked:?}");
    let round = run(waitlist::offers(&desk.session(), &freed.key)).unwrap();
    assert!(round.rests && round.is_open(), "{round:?}");
    assert_eq!(round.offer(&all[2]), None, "nobody is asked by night");
    desk.clock.0.store(NINE - HOUR, Ordering::SeqCst);
    assert_eq!(desk.look(&hands).sent, 2);
    assert_eq!((hands.told("p2", "a time is free"), hands.told("p3", "a time is free")), (1, 1));
    desk.pass_time(20 * MINUTE_MS);
    desk.answer(&freed.key, &all[2], true).unwrap();
    assert_eq!(desk.booked_at(2), [all[2].as_str()]);
}

#[test]
fn what_the_desk_offers_by_message_at_night_is_asked_in_the_morning() {
    let desk = desk();
    let entry = desk.put(&wish("p0")).id;
    let hands = Hands::default();
    desk.look(&hands);
    desk.clock.0.store(NINE - 11 * HOUR, Ordering::SeqCst);
    let freed = desk.freed(2);
    let house = &desk.how.house;
    let begun =
        run(begin(&desk.session(), house, &freed, WAVES, Means::Messages)).unwrap().unwrap();
    assert!(begun.rests && begun.asked.is_empty(), "{begun:?}");
    desk.look(&hands);
    desk.clock.0.store(NINE - HOUR, Ordering::SeqCst);
    assert_eq!(desk.look(&hands).sent, 1);
    let round = run(waitlist::offers(&desk.session(), &freed.key)).unwrap();
    assert!(
        matches!(round.offer(&entry), Some(Offer::Open { until }) if until > desk.session().now())
    );
}

/// The desk gives a time that is held for offers to somebody, and says why.
fn book_over(desk: &Desk, nth: i64, patient: &str) -> Result<(), Fault> {
    let booking = Booking {
        place: place(nth),
        patient: patient.to_owned(),
        form: format!("over-{nth}-{patient}"),
        hold: None,
        reason: Some(base::Phi::new("stands at the desk".to_owned())),
        comment: None,
        referral: None,
    };
    run(book::book(&desk.session(), &desk.how.house, &booking)).map(drop)
}

#[test]
fn a_time_that_was_given_away_is_offered_to_nobody_more() {
    let desk = desk();
    let all: Vec<_> = (0..4).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let hands = Hands::default();
    desk.look(&hands);
    let first = desk.freed(0);
    desk.look(&hands);
    book_over(&desk, 0, "p5").unwrap();
    assert_eq!(code_of(desk.answer(&first.key, &all[0], true)), CLOSED);
    let round = run(waitlist::offers(&desk.session(), &first.key)).unwrap();
    assert_eq!((&round.state, round.until), (&State::Withdrawn, None), "the yes ended it");
    let (session, linked) = desk.follow(&hands.carried()[0].1);
    let house = &desk.how.house;
    let shown = run(waitlist::shown(&session, &house.zones, &house.zone, &linked)).unwrap();
    assert_eq!(shown.offer, Offer::Closed, "and whoever said it is told");
    desk.look(&hands);
    assert_eq!((hands.told("p0", "is taken by now"), hands.told("p1", "is taken by now")), (1, 1));
    assert_eq!(hands.told("p2", ""), 0);
    // Without a yes it ends before the next are asked.
    let second = desk.freed(1);
    desk.look(&hands);
    book_over(&desk, 1, "p4").unwrap();
    desk.pass_time(31 * MINUTE_MS);
    desk.look(&hands);
    let round = run(waitlist::offers(&desk.session(), &second.key)).unwrap();
    assert_eq!(round.state, State::Withdrawn);
    assert_eq!(hands.told("p2", ""), 0);
}

#[test]
fn who_has_another_visit_then_is_told_so_and_the_others_are_asked_on() {
    let desk = desk();
    let all: Vec<_> = (0..2).map(|n| desk.put(&wish(&format!("p{n}"))).id).collect();
    let hands = Hands::default();
    desk.look(&hands);
    let freed = desk.freed(0);
    desk.look(&hands);
    let other = visit("else", 0, "booked", "").replace("Patient/p5", "Patient/p0");
    desk.clinic().put(&other.replace("Practitioner/a", "Practitioner/z")).unwrap();
    let text = hands.carried().into_iter().find(|one| one.0.starts_with("p0@")).unwrap().1;
    let (session, linked) = desk.follow(&text);
    let refused = run(answer(&session, &freed.key, &all[0], true)).unwrap_err();
    assert_eq!(refused.code().name, BLOCKED);
    assert!(refused.issues[0].diagnostics.ends_with("(patient-double-booked)"), "{refused:?}");
    let house = &desk.how.house;
    let shown = run(waitlist::shown(&session, &house.zones, &house.zone, &linked)).unwrap();
    assert_eq!(shown.hinder, Some(Hinder::OtherVisit));
    assert!(matches!(shown.offer, Offer::Open { .. }), "they may make room for it");
    desk.answer(&freed.key, &all[1], true).unwrap();
}

#[test]
fn a_slot_that_somebody_took_is_somebody_who_was_faster() {
    let desk = desk();
    let clinic = desk.clinic();
    let (start, end) = (place(0).start, place(1).start);
    let slot = |status: &str| {
        format!(
            r#"{{"resourceType":"Slot","id":"nine","schedule":{{"reference":"Schedule/s"}},"status":"{status}","start":"{}","end":"{}"}}"#,
            start.to_instant(),
            end.to_instant()
        )
    };
    clinic
        .put(r#"{"resourceType":"Schedule","id":"s","active":true,"actor":[{"reference":"Practitioner/a"},{"reference":"Location/main"}]}"#)
        .unwrap();
    clinic.put(&slot("free")).unwrap();
    let entry = desk.put(&wish("p0")).id;
    let freed = desk.freed(0);
    let round = desk.begin(&freed).unwrap();
    clinic.put(&slot("busy-unavailable")).unwrap();
    assert_eq!(code_of(desk.answer(&round.key, &entry, true)), CLOSED);
    let round = run(waitlist::offers(&desk.session(), &round.key)).unwrap();
    assert_eq!(round.state, State::Withdrawn);
    assert_eq!(clinic.status("Appointment", &entry), "waitlist");
}

#[test]
fn a_time_whose_clinician_may_be_away_is_offered_by_a_person_alone() {
    let desk = desk();
    desk.put(&wish("p0"));
    let hands = Hands::default();
    desk.look(&hands);
    let booked = desk.book(0, "p5").unwrap();
    let done = run(book::cancel(&desk.session(), &booked.id, booked.version, "prov-pers")).unwrap();
    let freed = run(freed(&desk.session(), &booked.id, done.visit.version)).unwrap().unwrap();
    assert!(freed.may_be_away);
    assert_eq!(desk.look(&hands).begun, 0);
    assert!(desk.begin(&freed).is_some(), "who knows that they are there may offer it");
    let by_patient = desk.freed(1);
    assert!(!by_patient.may_be_away);
    assert_eq!(desk.look(&hands).begun, 1);
}

#[test]
fn whom_a_time_suits_and_nobody_asks_is_told_of() {
    let desk = desk();
    for n in 0..23 {
        let patient = format!("q{n}");
        desk.clinic().put(&format!(r#"{{"resourceType":"Patient","id":"{patient}"}}"#)).unwrap();
        desk.put(&wish(&patient));
    }
    let round = desk.begin(&desk.freed(0)).unwrap();
    assert_eq!(round.left, 3);
    let again = run(waitlist::offers(&desk.session(), &round.key)).unwrap();
    assert_eq!(again.left, 3, "it is kept with the round");
}

#[test]
fn a_look_reads_each_version_once_and_none_from_before() {
    let mut desk = desk();
    desk.put(&wish("p0"));
    let hands = Hands::default();
    let visit = desk.book(0, "p5").unwrap();
    let confirmed = run(book::next_state(
        &desk.session(),
        &visit.id,
        visit.version,
        scheduling::flow::State::Confirmed,
    ));
    let visit = confirmed.unwrap().visit;
    desk.pass_time(10 * MINUTE_MS);
    desk.look(&hands);
    desk.pass_time(HOUR);
    let done = run(book::cancel(&desk.session(), &visit.id, visit.version, "pat")).unwrap();
    assert_eq!(done.visit.version, 3);
    assert_eq!(desk.look(&hands).begun, 1);
    let events = desk.clinic.take().unwrap().events();
    assert_eq!(events.iter().filter(|event| event.kind == Kind::Vread).count(), 1);
}

#[test]
fn rounds_that_are_over_leave_room_for_those_that_are_not() {
    let desk = desk();
    desk.put(&wish("p0"));
    let hands = Hands::default();
    desk.look(&hands);
    // Thursday.
    let over = desk.begin(&desk.freed(96)).unwrap();
    run(waitlist::withdraw(&desk.session(), &over.key)).unwrap();
    let keys = || -> Vec<String> {
        run(rounds(&desk.session())).unwrap().rows.into_iter().map(|round| round.key).collect()
    };
    assert_eq!(keys(), [over.key.as_str()], "it is shown, and what is to be said of it is said");
    desk.pass_time(25 * HOUR);
    let open = desk.begin(&desk.freed(97)).unwrap();
    assert_eq!(keys(), [open.key.as_str()]);
}

#[test]
fn an_entry_whose_later_visit_was_called_off_is_changed_like_any_other() {
    let desk = desk();
    let later = desk.book(4, "p0").unwrap();
    let with = Wish { instead_of: Some(later.id.clone()), ..wish("p0") };
    let made = desk.put(&with);
    desk.cancel(&later);
    let more = Wish { notice_minutes: 60, ..with };
    let changed = run(change(&desk.session(), &made.id, made.version, &more)).unwrap();
    assert_eq!((changed.wish.instead_of, changed.wish.notice_minutes), (None, 60));
    // A visit that the entry never stood for is not taken for one that is over.
    let again = run(change(&desk.session(), &made.id, changed.version, &more));
    assert_eq!(code_of(again), "scheduling.calendar.invalid");
}

#[test]
fn nobody_waits_for_one_visit_by_two_entries_however_many_forms_are_sent() {
    let desk = desk();
    let won = thread::scope(|scope| {
        let each: Vec<_> = (0..6)
            .map(|n| {
                let session = desk.session();
                scope.spawn(move || run(put(&session, &wish("p0"), &format!("w-{n}"))).is_ok())
            })
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).filter(|ok| *ok).count()
    });
    assert_eq!(won, 1);
    assert_eq!(run(listed(&desk.session())).unwrap().rows.len(), 1);
}

#[test]
fn of_entries_that_are_changed_to_one_visit_at_one_moment_one_is() {
    let desk = desk();
    let needs = format!(
        r#""timingDuration":{{"value":30,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{{"extension":[{{"url":"role","valueCode":"clinician"}}],"url":"{OURS}needed-resource"}}]"#
    );
    let made: Vec<_> = (0..6)
        .map(|n| {
            desk.clinic().put(&format!(r#"{{"resourceType":"ActivityDefinition","id":"v{n}","title":"Visit {n}","status":"active","kind":"Appointment",{needs}}}"#)).unwrap();
            let first = Wish { visit_type: format!("v{n}"), ..wish("p0") };
            run(put(&desk.session(), &first, &format!("w-{n}"))).unwrap()
        })
        .collect();
    let won = thread::scope(|scope| {
        let each: Vec<_> = made
            .iter()
            .map(|one| {
                let session = desk.session();
                scope.spawn(move || run(change(&session, &one.id, one.version, &wish("p0"))))
            })
            .collect();
        each.into_iter().map(|one| one.join().unwrap()).filter_map(Result::ok).collect::<Vec<_>>()
    });
    assert_eq!(won.len(), 1);
    let waits = |visit: &str| {
        let rows = run(listed(&desk.session())).unwrap().rows;
        rows.iter().filter(|one| one.wish.visit_type == visit).count()
    };
    assert_eq!(waits("talk"), 1);
    // The one that waits for it is changed on, and the others are when it is for another visit.
    let own = Wish { notice_minutes: 60, ..wish("p0") };
    let own = run(change(&desk.session(), &won[0].id, won[0].version, &own)).unwrap();
    let free = (0..6).map(|n| format!("v{n}")).find(|visit| waits(visit) == 0).unwrap();
    let away = Wish { visit_type: free, ..wish("p0") };
    run(change(&desk.session(), &own.id, own.version, &away)).unwrap();
    let other = made.iter().find(|one| one.id != own.id).unwrap();
    run(change(&desk.session(), &other.id, other.version, &wish("p0"))).unwrap();
}

/// Random bytes that cannot be had at times, as it is told.
#[derive(Debug, Default)]
struct Moody {
    drawn: AtomicU64,
    /// Whether each of the next draws fails; behind the last, none does.
    fails: Mutex<VecDeque<bool>>,
}

impl CryptoRandom for Moody {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        if self.fails.lock().unwrap().pop_front().unwrap_or(false) {
            return Err(Fault::new(&KEYS_UNAVAILABLE, "no random bytes"));
        }
        let nth = self.drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (at, byte) in out.iter_mut().enumerate() {
            *byte = nth[at % nth.len()] ^ u8::try_from(at % 251).unwrap();
        }
        Ok(())
    }
}

#[test]
fn what_cannot_be_had_just_now_is_tried_again_and_not_for_ever() {
    let random = Arc::new(Moody::default());
    let desk = desk_of(Settings { random: Arc::clone(&random) as _, ..settings() });
    let entry = desk.put(&wish("p0")).id;
    let hands = Hands::default();
    desk.look(&hands);
    let freed = desk.freed(4);
    // The message's own id is drawn; its link is not.
    random.fails.lock().unwrap().extend([false, true]);
    let looked = desk.look(&hands);
    assert_eq!((looked.sent, looked.failed), (0, 1), "{looked:?}");
    let round = run(waitlist::offers(&desk.session(), &freed.key)).unwrap();
    assert!(matches!(round.offer(&entry), Some(Offer::Open { .. })), "nobody is passed over");
    desk.pass_time(61_000);
    assert_eq!(desk.look(&hands).sent, 1);
    assert_eq!(hands.told("p0", "a time is free"), 1);
    desk.answer(&freed.key, &entry, true).unwrap();
    random.fails.lock().unwrap().push_back(false);
    random.fails.lock().unwrap().extend([true; 8]);
    for _ in 0..8 {
        let looked = desk.look(&hands);
        assert_eq!((looked.sent, looked.failed), (0, 1), "{looked:?}");
        desk.pass_time(65 * MINUTE_MS);
    }
    assert_eq!(desk.look(&hands).sent, 0, "it was given up");
    assert_eq!(hands.told("p0", "is yours"), 0);
}
