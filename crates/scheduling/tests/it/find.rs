//! What is found agrees with trying every start and every combination one by one.

use crate::common::{anybody, doctor, room, site, span, visit, zone};
use base::Millis;
use proptest::prelude::*;
use scheduling::actor::{Actor, Role};
use scheduling::calendar::Site;
use scheduling::find::{By, Place, Question, Resource, fills, find};
use scheduling::free::SpanSet;
use scheduling::time::{DAY_MS, HOUR_MS, MINUTE_MS, Span, Time, Weekday};
use scheduling::visit_type::VisitType;
use std::collections::BTreeMap;

/// Monday 2 March 2026, midnight in New York: the clocks change on the Sunday after.
const MONDAY: i64 = 1_772_427_600_000;

fn question<'a>(visit: &'a VisitType, none: &'a SpanSet) -> Question<'a> {
    Question {
        visit,
        now: Millis(MONDAY),
        window: span(MONDAY, 10 * DAY_MS),
        sites: Vec::new(),
        actors: Vec::new(),
        modality: None,
        weekdays: Vec::new(),
        times: None,
        by: By::Site,
        language: None,
        patient_busy: none,
        patient_zone: None,
        step_minutes: 30,
        count: 10,
        one_per_start: false,
    }
}

fn resource(actor: Actor, role: Role, open: Vec<(usize, SpanSet)>) -> Resource {
    Resource {
        actor,
        roles: vec![role],
        languages: vec!["en".to_owned()],
        open,
        busy: SpanSet::new(),
        of_type: BTreeMap::new(),
    }
}

/// Every start on the grid, every choice of resources: no interval arithmetic.
fn by_hand(
    q: &Question<'_>,
    sites: &[Site],
    resources: &[Resource],
) -> Vec<(Millis, usize, Actor)> {
    let mut found = Vec::new();
    let (before_ms, length_ms, after_ms) = q.visit.lengths_ms();
    let step_ms = i64::from(q.step_minutes) * MINUTE_MS;
    // Zones of whole hours: the grid of the wall is that of UTC.
    let mut at = q.window.start.0.div_euclid(step_ms) * step_ms;
    while at < q.window.end.0 {
        let start = Millis(at);
        at += step_ms;
        let lead = q.now.0 + i64::from(q.visit.lead_minutes) * MINUTE_MS;
        if start < q.window.start || start.0 < lead {
            continue;
        }
        let core = span(start.0, length_ms);
        let kept = core.padded(before_ms, after_ms);
        if q.patient_busy.iter().any(|b| b.overlaps(core)) {
            continue;
        }
        for (s, site) in sites.iter().enumerate() {
            let wall = site.zone.wall(start);
            let by = match q.by {
                By::Site => wall,
                By::Patient => q.patient_zone.unwrap().wall(start),
            };
            let day = q.weekdays.is_empty() || q.weekdays.contains(&by.weekday());
            let hour = q.times.is_none_or(|(from, until)| by.time() >= from && by.time() < until);
            if !day || !hour || !(q.sites.is_empty() || q.sites.contains(&s)) {
                continue;
            }
            let can = |r: &&Resource| {
                r.open.iter().any(|(w, open)| *w == s && open.iter().any(|o| o.covers(core)))
                    && !r.busy.iter().any(|b| b.overlaps(kept))
            };
            let here: Vec<_> = resources.iter().filter(can).collect();
            let first = &q.visit.needs[0];
            let mut primaries: Vec<_> = here.iter().filter(|r| fills(first, r)).collect();
            primaries.sort_by_key(|r| r.actor.clone());
            for primary in primaries {
                let had = primary.of_type.get(&wall.date()).copied().unwrap_or(0);
                if q.visit.daily_cap.is_some_and(|cap| had >= cap) {
                    continue;
                }
                if choose(q, &here, 1, &mut vec![primary.actor.clone()]) {
                    found.push((start, s, primary.actor.clone()));
                }
            }
        }
    }
    found
}

fn choose(q: &Question<'_>, here: &[&Resource], nth: usize, taken: &mut Vec<Actor>) -> bool {
    let Some(need) = q.visit.needs.get(nth) else { return true };
    for one in here.iter().filter(|r| fills(need, r)) {
        if taken.contains(&one.actor) {
            continue;
        }
        taken.push(one.actor.clone());
        if choose(q, here, nth + 1, taken) {
            return true;
        }
        taken.pop();
    }
    false
}

fn key(place: &Place) -> (Millis, usize, Actor) {
    (place.span.start, place.site, place.taken[0].1.clone())
}

fn times() -> impl Strategy<Value = Vec<Span>> {
    let one = (0_i64..480, 1_i64..40);
    proptest::collection::vec(
        one.prop_map(|(at, len)| span(MONDAY + at * 30 * MINUTE_MS, len * 15 * MINUTE_MS)),
        0..12,
    )
}

prop_compose! {
    fn clinic()(
        open in proptest::collection::vec((times(), 0_usize..2), 5),
        busy in proptest::collection::vec(times(), 5),
        caps in proptest::collection::vec(0_u32..3, 5),
    ) -> Vec<Resource> {
        let who = [
            (doctor(0), Role::Clinician), (doctor(1), Role::Clinician), (doctor(2), Role::Clinician),
            (room(0), Role::Room), (room(1), Role::Room),
        ];
        who.into_iter().zip(open).zip(busy).zip(caps).map(|((((actor, role), (open, site)), busy), cap)| {
            let date = zone("America/New_York").wall(Millis(MONDAY + DAY_MS)).date();
            // Each is at one site mostly, and at the other at times.
            let open = SpanSet::from_spans(open);
            let long = SpanSet::from_spans([span(MONDAY + 8 * HOUR_MS, 60 * HOUR_MS)]);
            Resource {
                busy: busy.into_iter().collect(),
                of_type: BTreeMap::from([(date, cap)]),
                ..resource(actor, role, vec![(site, open), (1 - site, long)])
            }
        }).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_first_places_are_those_that_trying_everything_finds(
        resources in clinic(),
        (before, after, duration) in (0_u32..3, 0_u32..3, 1_u32..5),
        (needs, own) in (1_usize..4, any::<bool>()),
        patient in times(),
        (count, lead, capped) in (1_usize..25, 0_u32..50, any::<bool>()),
        (weekday, hours, theirs) in (any::<bool>(), any::<bool>(), any::<bool>()),
    ) {
        let mut all = vec![anybody(Role::Clinician), anybody(Role::Room), anybody(Role::Room)];
        if own {
            // The second need can be filled by what the third has no other choice but.
            all[2].candidates = vec![room(0)];
        }
        all.truncate(needs);
        let mut visit = visit(all);
        (visit.before_minutes, visit.after_minutes) = (before * 15, after * 15);
        visit.duration_minutes = duration * 15;
        visit.lead_minutes = lead * 60;
        visit.daily_cap = capped.then_some(2);
        let sites = [site(0, "America/New_York"), site(1, "America/Chicago")];
        let busy: SpanSet = patient.into_iter().collect();
        let away = zone("America/Los_Angeles");
        let mut q = question(&visit, &busy);
        q.count = count;
        q.weekdays = if weekday { vec![Weekday::Tuesday, Weekday::Sunday] } else { Vec::new() };
        q.times = hours.then(|| (Time::constant(6, 0, 0, 0), Time::constant(12, 0, 0, 0)));
        q.patient_zone = Some(&away);
        q.by = if theirs { By::Patient } else { By::Site };
        let found = find(&q, &sites, &resources).unwrap();
        let wanted = by_hand(&q, &sites, &resources);
        let places: Vec<_> = found.places.iter().map(key).collect();
        prop_assert_eq!(&places[..], &wanted[..wanted.len().min(count)]);
        prop_assert_eq!(found.more, wanted.len() > count);
        for place in &found.places {
            let mut who: Vec<_> = place.taken.iter().map(|(_, a)| a).collect();
            prop_assert_eq!(who.len(), visit.needs.len());
            who.sort();
            who.dedup();
            prop_assert_eq!(who.len(), visit.needs.len(), "nobody fills two needs");
        }
        q.one_per_start = true;
        let mut starts: Vec<_> = wanted.iter().map(|(start, site, _)| (*start, *site)).collect();
        starts.dedup();
        let found = find(&q, &sites, &resources).unwrap();
        let places: Vec<_> = found.places.iter().map(|p| (p.span.start, p.site)).collect();
        prop_assert_eq!(&places[..], &starts[..starts.len().min(count)]);
    }
}

#[test]
fn places_are_told_by_the_clocks_of_both_and_kept_on_the_wall_when_clocks_change() {
    let visit = visit(vec![anybody(Role::Clinician)]);
    let none = SpanSet::new();
    let home = zone("America/Chicago");
    let mut q = question(&visit, &none);
    q.patient_zone = Some(&home);
    q.window = span(MONDAY, 14 * DAY_MS);
    q.times = Some((Time::constant(9, 0, 0, 0), Time::constant(10, 0, 0, 0)));
    q.step_minutes = 60;
    let open = SpanSet::from_spans([span(MONDAY, 20 * DAY_MS)]);
    let places = find(
        &q,
        &[site(0, "America/New_York")],
        &[resource(doctor(0), Role::Clinician, vec![(0, open)])],
    );
    let places = places.unwrap().places;
    assert_eq!(places.len(), 10);
    for place in &places {
        assert_eq!((place.wall.hour(), place.wall.minute()), (9, 0));
        assert_eq!(place.patient_wall.unwrap().hour(), 8);
    }
    assert_eq!(places[7].span.start.0 - places[0].span.start.0, 7 * DAY_MS - HOUR_MS);
}

#[test]
fn whom_somebody_asks_for_is_found_and_nobody_else() {
    let visit = visit(vec![anybody(Role::Clinician), anybody(Role::Interpreter)]);
    let none = SpanSet::new();
    let open = || vec![(0, SpanSet::from_spans([span(MONDAY, DAY_MS)]))];
    let interpreter = |n: usize, language: &str| Resource {
        languages: vec![language.to_owned()],
        ..resource(doctor(n), Role::Interpreter, open())
    };
    let resources = [
        resource(doctor(0), Role::Clinician, open()),
        resource(doctor(1), Role::Clinician, open()),
        interpreter(2, "es"),
        interpreter(3, "vi"),
    ];
    let sites = [site(0, "America/New_York")];
    let mut q = question(&visit, &none);
    q.actors = vec![doctor(1)];
    q.language = Some("vi".to_owned());
    let found = find(&q, &sites, &resources).unwrap();
    assert!(found.places.iter().all(|p| p.taken[0].1 == doctor(1) && p.taken[1].1 == doctor(3)));
    assert_eq!(found.places.len(), 10);
    q.actors = vec![doctor(9)];
    assert_eq!(find(&q, &sites, &resources).unwrap().places, []);
    q.actors = Vec::new();
    q.language = Some("fr".to_owned());
    assert_eq!(find(&q, &sites, &resources).unwrap().places, []);
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let visit = visit(vec![anybody(Role::Clinician)]);
    let none = SpanSet::new();
    let ask = |change: fn(&mut Question<'_>)| {
        let mut q = question(&visit, &none);
        change(&mut q);
        find(&q, &[], &[]).unwrap_err().code().name
    };
    for name in [
        ask(|q| q.count = 0),
        ask(|q| q.count = 201),
        ask(|q| q.step_minutes = 0),
        ask(|q| q.step_minutes = 25),
        ask(|q| q.window = span(MONDAY, 401 * DAY_MS)),
        ask(|q| q.modality = Some(scheduling::visit_type::Modality::Video)),
        ask(|q| q.by = By::Patient),
        ask(|q| q.times = Some((Time::constant(9, 0, 0, 0), Time::constant(8, 0, 0, 0)))),
    ] {
        assert_eq!(name, "scheduling.find.invalid");
    }
}
