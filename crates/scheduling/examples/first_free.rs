//! Measures the first ten free places across fifty resources and sixty days, as the desk asks for them:
//! `cargo run --release -p scheduling --example first_free`.
//!
//! Thirty clinicians and twenty rooms at two sites, each clinician with sixteen visits a day. Two
//! questions: one that is answered on the first days, and one for which nothing is free before the
//! last, so that all sixty days are walked.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "an example prints what it measured, of data that it made"
)]

use base::Millis;
use scheduling::actor::{Actor, Role};
use scheduling::calendar::{Hours, Site, US_FEDERAL};
use scheduling::find::{By, Question, Resource, find};
use scheduling::free::SpanSet;
use scheduling::time::{DAY_MS, MINUTE_MS, Span, Time, Weekday, Zones};
use scheduling::visit_type::{Modality, Need, VisitType};
use std::collections::BTreeMap;
use std::time::Instant;

const MONDAY: i64 = 1_772_427_600_000;
const RUNS: u32 = 200;

fn main() {
    let zone = Zones::bundled().find("America/New_York").expect("a zone of the database");
    let weekdays =
        [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let hours = weekdays.map(|weekday| Hours {
        weekday,
        from: Time::constant(8, 0, 0, 0),
        until: Time::constant(17, 0, 0, 0),
    });
    let location = |n: usize| Actor::parse(&format!("Location/s{n}")).expect("a reference");
    let sites: Vec<_> = (0..2)
        .map(|n| Site {
            location: location(n),
            zone: zone.clone(),
            hours: hours.to_vec(),
            holidays: US_FEDERAL.to_vec(),
        })
        .collect();
    let from = zone.wall(Millis(MONDAY)).date();
    let until = zone.wall(Millis(MONDAY + 60 * DAY_MS)).date();
    let begun = Instant::now();
    let open = sites[0].open(from, until).expect("two months");
    println!("opening hours of a site over 60 days: {:.3} ms", ms(begun, 1));
    let resources = |free_from_day: i64| -> Vec<Resource> {
        (0..50)
            .map(|n: i64| {
                let is_room = n >= 30;
                let kind = if is_room { "Location/r" } else { "Practitioner/d" };
                let visits = (0..60).flat_map(|day| {
                    let full = day < free_from_day;
                    (0..18).filter_map(move |slot| {
                        let taken = full || (slot * 7 + n + day) % 9 != 0;
                        let start = MONDAY + day * DAY_MS + (16 + slot) * 30 * MINUTE_MS;
                        // Ten minutes of rest between visits: nothing fits in, and nothing runs together.
                        let span = Span::of_minutes(Millis(start), if full { 20 } else { 30 })?;
                        (!is_room && taken).then_some(span)
                    })
                });
                Resource {
                    actor: Actor::parse(&format!("{kind}{n}")).expect("a reference"),
                    roles: vec![if is_room { Role::Room } else { Role::Clinician }],
                    languages: Vec::new(),
                    open: vec![(usize::try_from(n % 2).expect("0 or 1"), open.clone())],
                    busy: visits.collect(),
                    of_type: BTreeMap::new(),
                }
            })
            .collect()
    };
    let need = |role| Need { role, candidates: Vec::new() };
    let visit = VisitType {
        id: None,
        title: "Checkup".to_owned(),
        active: true,
        duration_minutes: 30,
        before_minutes: 0,
        after_minutes: 0,
        needs: vec![need(Role::Clinician), need(Role::Room)],
        modalities: vec![Modality::InPerson],
        preparation: String::new(),
        questions: Vec::new(),
        lead_minutes: 0,
        daily_cap: None,
        age_min: None,
        age_max: None,
        sex: None,
        referral_required: false,
    };
    let none = SpanSet::new();
    let question = Question {
        visit: &visit,
        now: Millis(MONDAY),
        window: Span::new(Millis(MONDAY), Millis(MONDAY + 60 * DAY_MS)).expect("60 days"),
        sites: Vec::new(),
        actors: Vec::new(),
        modality: None,
        weekdays: Vec::new(),
        times: None,
        by: By::Site,
        language: None,
        patient_busy: &none,
        patient_zone: None,
        step_minutes: 15,
        count: 10,
        one_per_start: false,
    };
    for (name, free_from_day) in [("near", 0), ("on the last days", 58), ("nowhere", 60)] {
        let resources = resources(free_from_day);
        let begun = Instant::now();
        let mut found = 0;
        for _ in 0..RUNS {
            found = find(&question, &sites, &resources).expect("a question").places.len();
        }
        println!(
            "first 10 of 50 resources and 60 days, {name}: {found} found, {:.3} ms",
            ms(begun, RUNS)
        );
    }
}

fn ms(begun: Instant, runs: u32) -> f64 {
    begun.elapsed().as_secs_f64() * 1000.0 / f64::from(runs)
}
