//! However answers, refusals and time come together, a freed place goes to one at most, and to the
//! first who says yes while asked.

use crate::common::{doctor, span, zone};
use base::Millis;
use proptest::prelude::*;
use scheduling::actor::Role;
use scheduling::diary::{Diary, Placement};
use scheduling::find::Place;
use scheduling::hold::Hold;
use scheduling::time::{DAY_MS, HOUR_MS, MINUTE_MS, Time};
use scheduling::visit_type::Modality;
use scheduling::waitlist::{
    Effect, Entry, Event, Offer, Round, State, Urgency, Waves, Wishes, rank,
};

const STARTS: Millis = Millis(1_772_460_000_000);

fn place() -> Place {
    let span = span(STARTS.0, 30 * MINUTE_MS);
    let wall = zone("America/New_York").wall(STARTS);
    let taken = vec![(Role::Clinician, doctor(1))];
    Place { site: 0, span, kept: span, taken, wall, patient_wall: None }
}

fn entry(n: usize) -> Entry {
    Entry {
        id: format!("e{n}"),
        visit_type: "v".to_owned(),
        urgency: Urgency::Routine,
        since: Millis(STARTS.0 - 100 * DAY_MS + i64::try_from(n).unwrap()),
        seen_by: None,
        wishes: Wishes::default(),
    }
}

fn event() -> impl Strategy<Value = (Event, i64)> {
    let who = || (0_usize..9).prop_map(|n| format!("e{n}"));
    let event = prop_oneof![
        4 => who().prop_map(|entry| Event::Accepted { entry }),
        4 => who().prop_map(|entry| Event::Declined { entry }),
        3 => Just(Event::Tick),
        1 => Just(Event::Rest),
        1 => Just(Event::Withdrawn),
    ];
    // Some events reach us late: their instants go back.
    (event, -5_i64..20)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn one_yes_wins_at_most_and_it_is_the_first_while_asked(
        people in 0_usize..8, size in 1_usize..4, minutes in 1_u32..30, lead in 1_i64..90,
        events in proptest::collection::vec(event(), 0..40),
    ) {
        let entries: Vec<_> = (0..people).map(entry).collect();
        let begin = Millis(STARTS.0 - lead * MINUTE_MS);
        let ranks = rank(&entries, "v", &place(), Modality::InPerson, begin);
        let waves = Waves { size, minutes };
        let (mut round, first) = Round::begin(STARTS, &ranks, waves, begin).unwrap();
        let mut effects = first;
        let (mut now, mut late, mut winner, mut rests) = (begin, begin, None, false);
        for (event, minutes) in &events {
            late = Millis(late.0 + minutes * MINUTE_MS);
            now = now.max(late);
            let mut twin = round.clone();
            let open_before = round.offer(match event {
                Event::Accepted { entry } | Event::Declined { entry } => entry,
                _ => "",
            });
            let (answer, more) = round.on(event, late);
            prop_assert_eq!(twin.on(event, late), (answer.clone(), more.clone()), "it is deterministic");
            if let (Event::Accepted { entry }, Ok(())) = (event, &answer) {
                prop_assert!(winner.is_none(), "a second yes was taken");
                // An offer that the same moment brought out is open too.
                let was_open = match open_before {
                    Some(Offer::Open { until }) => until > now,
                    None => more.iter().any(|e| matches!(e, Effect::Offer { entry: e, .. } if e == entry)),
                    _ => false,
                };
                prop_assert!(was_open);
                winner = Some(entry.clone());
            }
            if let Err(fault) = &answer {
                prop_assert_eq!(fault.code().name, "scheduling.offer.closed");
            }
            let began = more.iter().any(|e| matches!(e, Effect::Offer { .. }));
            effects.extend(more);
            let open = (0..people).filter(|n| matches!(round.offer(&format!("e{n}")), Some(Offer::Open { .. })));
            let open = open.count();
            prop_assert!(open <= size);
            let asks = open > 0 || round.is_resting();
            prop_assert_eq!(*round.state() == State::Open, asks, "open means that somebody is asked");
            prop_assert!(!(rests && began) || *event == Event::Tick, "who rests asks nobody");
            rests = match event {
                Event::Rest => true,
                Event::Tick => false,
                _ => rests,
            };
            if let Some(due) = round.due() {
                prop_assert!(now < due && due <= STARTS);
            }
        }
        let booked: Vec<_> = effects.iter().filter(|e| matches!(e, Effect::Book { .. })).collect();
        prop_assert_eq!(booked.len(), usize::from(winner.is_some()));
        for n in 0..people {
            let id = format!("e{n}");
            let offered = effects.iter().filter(|e| matches!(e, Effect::Offer { entry, .. } if *entry == id));
            prop_assert!(offered.count() <= 1, "nobody is asked twice");
            let closed = round.offer(&id) == Some(Offer::Closed);
            let told = effects.iter().any(|e| matches!(e, Effect::TellGone { entry } if *entry == id));
            prop_assert_eq!(closed, told, "who lost is told");
        }
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(order in Just((0..8).collect::<Vec<_>>()).prop_shuffle()) {
        let list: Vec<_> = order.into_iter().map(entry).collect();
        let sorted: Vec<_> = (0..8).map(entry).collect();
        let at = Millis(STARTS.0 - DAY_MS);
        let ranks = |l: &[Entry]| rank(l, "v", &place(), Modality::InPerson, at);
        prop_assert_eq!(ranks(&list), ranks(&sorted));
    }
}

/// What many do at once to one freed place.
#[derive(Debug, Clone)]
enum Act {
    Answer(usize, bool),
    Tick(i64),
    /// The desk books it for somebody who telephones.
    Desk,
    /// Somebody at the desk holds it while they think.
    Hold,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0_usize..8, any::<bool>()).prop_map(|(n, yes)| Act::Answer(n, yes)),
        3 => (0_i64..20).prop_map(Act::Tick),
        1 => Just(Act::Desk),
        1 => Just(Act::Hold),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_list_the_desk_and_holds_never_give_one_place_to_two(
        size in 1_usize..5, acts in proptest::collection::vec(act(), 0..30),
    ) {
        let entries: Vec<_> = (0..8).map(entry).collect();
        let mut now = Millis(STARTS.0 - DAY_MS);
        let ranks = rank(&entries, "v", &place(), Modality::InPerson, now);
        let waves = Waves { size, minutes: 10 };
        let (mut round, _) = Round::begin(STARTS, &ranks, waves, now).unwrap();
        let mut diary = Diary::new();
        let place = place();
        let placement =
            Placement { span: place.span, buffers_ms: (0, 0), actors: vec![doctor(1)] };
        let (mut asked_yes, mut holds, mut by_desk) = (0, 0, false);
        for act in acts {
            let mut effects = Vec::new();
            match act {
                Act::Answer(n, yes) => {
                    let entry = format!("e{n}");
                    let event = if yes { Event::Accepted { entry } } else { Event::Declined { entry } };
                    let (answer, more) = round.on(&event, now);
                    asked_yes += usize::from(yes && answer.is_ok());
                    effects = more;
                }
                Act::Tick(minutes) => {
                    now = Millis(now.0 + minutes * MINUTE_MS);
                    effects = round.on(&Event::Tick, now).1;
                }
                Act::Desk => {
                    if diary.book("desk", placement.clone(), now).is_ok() {
                        by_desk = true;
                        effects = round.on(&Event::Withdrawn, now).1;
                    }
                }
                Act::Hold => {
                    holds += 1;
                    let hold = Hold {
                        id: format!("h{holds}"),
                        holder: "anna".to_owned(),
                        span: place.span,
                        buffers_ms: (0, 0),
                        actors: vec![doctor(1)],
                        visit_type: None,
                        until: Millis(0),
                        renewals: 0,
                    };
                    let _taken = diary.hold(hold.starting(now, 10), now);
                }
            }
            for effect in effects {
                let Effect::Book { entry } = effect else { continue };
                if diary.book(&entry, placement.clone(), now).is_err() {
                    let _told = round.on(&Event::Withdrawn, now);
                }
            }
            prop_assert!(diary.bookings().count() <= 1);
            if let State::Taken { entry } = round.state() {
                prop_assert!(diary.get(entry).is_some(), "whoever was told yes has the place");
            }
        }
        prop_assert!(asked_yes <= 1);
        if asked_yes == 1 && holds == 0 && !by_desk {
            prop_assert_eq!(diary.bookings().count(), 1, "exactly one yes wins");
        }
    }
}

#[test]
fn urgency_stands_before_waiting_and_waiting_before_openness() {
    let at = Millis(STARTS.0 - DAY_MS);
    let mut list: Vec<_> = (0..5).map(entry).collect();
    list[4].urgency = Urgency::Urgent;
    list[3].seen_by = Some(Millis(at.0 - 1));
    list[2].since = Millis(list[2].since.0 - 14 * DAY_MS);
    list[1].wishes.actors = vec![doctor(1)];
    let order: Vec<_> =
        rank(&list, "v", &place(), Modality::InPerson, at).into_iter().map(|r| r.id).collect();
    assert_eq!(order, ["e4", "e3", "e2", "e1", "e0"]);
}

#[test]
fn a_place_is_offered_only_to_those_it_suits() {
    let at = Millis(STARTS.0 - 3 * HOUR_MS);
    let suits = |change: fn(&mut Wishes)| {
        let mut one = entry(0);
        change(&mut one.wishes);
        !rank(&[one], "v", &place(), Modality::InPerson, at).is_empty()
    };
    assert!(suits(|_| {}));
    assert!(suits(|w| w.actors = vec![doctor(1), doctor(2)]));
    assert!(suits(|w| w.notice_minutes = 180));
    assert!(!suits(|w| w.notice_minutes = 181));
    assert!(!suits(|w| w.sites = vec![1]));
    assert!(!suits(|w| w.actors = vec![doctor(2)]));
    assert!(!suits(|w| w.modalities = vec![Modality::Video]));
    assert!(!suits(|w| w.weekdays = vec![scheduling::time::Weekday::Sunday]));
    assert!(!suits(|w| w.times = Some((Time::constant(0, 0, 0, 0), Time::constant(6, 0, 0, 0)))));
    assert!(!suits(|w| w.earliest = Some(Millis(STARTS.0 + 1))));
    assert!(!suits(|w| w.latest = Some(Millis(STARTS.0 - 1))));
    assert!(rank(&[entry(0)], "other", &place(), Modality::InPerson, at).is_empty());
}

#[test]
fn a_place_that_could_not_be_booked_after_all_is_told_to_the_winner() {
    let at = Millis(STARTS.0 - DAY_MS);
    let ranks = rank(&[entry(0), entry(1)], "v", &place(), Modality::InPerson, at);
    let waves = Waves { size: 1, minutes: 10 };
    let (mut round, first) = Round::begin(STARTS, &ranks, waves, at).unwrap();
    assert_eq!(first.len(), 1);
    let yes = Event::Accepted { entry: "e0".to_owned() };
    assert_eq!(round.on(&yes, at).1, [Effect::Book { entry: "e0".to_owned() }]);
    let (_, effects) = round.on(&Event::Withdrawn, at);
    assert_eq!(effects, [Effect::TellGone { entry: "e0".to_owned() }]);
    assert_eq!(*round.state(), State::Withdrawn);
}
