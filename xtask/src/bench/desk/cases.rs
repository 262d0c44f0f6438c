//! The cases that are asked over HTTP: finding, the chart, the day, the flow board, free times, booking.

use super::asks::{Bookings, Pages, Race};
use super::calendar::instant;
use super::clinic::{DAYS, LONG, Person, SITES, VISIT, phone_text};
use super::{Desk, LIVE, right};
use crate::bench::cases::{CONNECTIONS, middle_of};
use crate::bench::load::{self, as_f64};
use crate::bench::machine;
use crate::bench::report::{Row, number};
use anyhow::bail;
use conformance::http::encode_query;
use std::time::Duration;

/// Lines that a find box is asked, of each case.
const LINES: usize = 600;
/// Who is found stands in the first row.
const SOMEBODY: &str = "id=\"found-p0\"";
/// Times that everybody wants at once, in a run.
const RACES: usize = 10;
/// A race ends when all are answered.
const PATIENCE: Duration = Duration::from_secs(60);

type Line = fn(&Person) -> String;

pub(super) fn find_by_name(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let lines: &[Line] = &[
        |p| start(&p.family, 2),
        |p| start(&p.family, 3),
        |p| format!("{} {}", start(&p.family, 3), start(&p.given, 2)),
        |p| format!("{} {}", start(&p.given, 2), start(&p.family, 3)),
        |p| format!("{}, {}", p.family, p.given),
    ];
    find(
        desk,
        "desk-find-name",
        "find by name: its beginnings, either order, the whole; p95",
        lines,
    )
}

pub(super) fn find_by_phone(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let lines: &[Line] = &[
        |p| phone_text(p.phone),
        |p| format!("{:04}", p.phone % 10_000),
        |p| format!("{} {:04}", p.family, p.phone % 10_000),
    ];
    find(
        desk,
        "desk-find-phone",
        "find by telephone: whole, last four, name and last four; p95",
        lines,
    )
}

pub(super) fn find_by_birth(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let lines: &[Line] = &[
        |p| format!("{}/{}/{}", p.born.1, p.born.2, p.born.0),
        |p| format!("{}-{:02}-{:02}", p.born.0, p.born.1, p.born.2),
        |p| format!("{} {}/{}/{}", start(&p.family, 3), p.born.1, p.born.2, p.born.0),
    ];
    find(desk, "desk-find-born", "find by date of birth, with and without a name; p95", lines)
}

fn start(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

/// What a find box asks, by the front desk.
fn find(
    desk: &mut Desk<'_>,
    name: &'static str,
    what: &'static str,
    lines: &[Line],
) -> anyhow::Result<Row> {
    let mut random = desk.bench.random.fork();
    let line = |nth: usize| {
        lines.get(nth % lines.len()).map(|line| line(&desk.clinic.anybody(&mut random)))
    };
    let typed: Vec<String> = (0..LINES).filter_map(line).collect();
    let bodies = typed.iter().map(|line| desk.front_desk.fields(&[("q", line)]));
    let mut pages = Pages::post("/find", bodies, SOMEBODY, desk.bench.random.fork());
    let header = desk.front_desk.header.clone();
    let waited = desk.waits(&header, &mut pages)?;
    Ok(Row { name, what, goal: "10 ms", figures: waited.figures, unit: " ms", also: waited.also })
}

pub(super) fn chart(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let random = desk.bench.random.fork();
    let mut pages = Pages::get([format!("/p/{LONG}")], "Complaint 900", random);
    let header = desk.clinician.header.clone();
    let waited = desk.waits(&header, &mut pages)?;
    Ok(Row {
        name: "desk-chart",
        what: "the chart of a patient with 1,000 encounters (10,000 records), by a clinician; p95",
        goal: "80 ms",
        figures: waited.figures,
        unit: " ms",
        also: waited.also,
    })
}

pub(super) fn day(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let days = (1..DAYS)
        .map(|nth| format!("/schedule?date={}&site=Location/{}", desk.clinic.date(nth), SITES[0]));
    let mut pages = Pages::get(days, "desk-0-", desk.bench.random.fork());
    let header = desk.front_desk.header.clone();
    let waited = desk.waits(&header, &mut pages)?;
    Ok(Row {
        name: "desk-day",
        what: "a day of the schedule: 20 providers with 16 visits each and 12 rooms; p95",
        goal: "100 ms",
        figures: waited.figures,
        unit: " ms",
        also: waited.also,
    })
}

pub(super) fn flow(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let board = [format!("/flow?site=Location/{}", SITES[0])];
    let mut pages = Pages::get(board, "id=\"flow\"", desk.bench.random.fork());
    let header = desk.front_desk.header.clone();
    let waited = desk.waits(&header, &mut pages)?;
    Ok(Row {
        name: "desk-flow",
        what: "the flow board of a site with the visits of today of 30 providers; p95",
        goal: "to be stated",
        figures: waited.figures,
        unit: " ms",
        also: waited.also,
    })
}

/// The first ten free times. What lies near is the figure; what is free on the last days alone is told.
pub(super) fn first_free(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let of = |sites: &[&str]| {
        let sites: Vec<String> =
            sites.iter().map(|site| format!("&location=Location/{site}")).collect();
        let (from, until) = (instant(desk.clinic.day, 0), instant(desk.clinic.day + DAYS, 0));
        let asked = encode_query(&format!(
            "start={from}&end={until}&visit-type=ActivityDefinition/{VISIT}{}",
            sites.concat()
        ));
        format!("/fhir/Appointment/$find?{asked}")
    };
    let (all, full) = (of(&SITES), of(&SITES[1..]));
    let header = format!("authorization: Bearer {}\r\n", desk.token);
    let holds = "\"proposed\"";
    let mut last = Pages::get([full], holds, desk.bench.random.fork());
    let far = load::run(&desk.at(&header)?, 1, desk.bench.length, &mut last)?;
    let far = right(far)?.ms(950);
    let mut pages = Pages::get([all], holds, desk.bench.random.fork());
    let waited = desk.waits(&header, &mut pages)?;
    Ok(Row {
        name: "desk-first-free",
        what: "`Appointment/$find`: the first 10 free times of 50 people and rooms in 60 days; p95",
        goal: "30 ms",
        figures: waited.figures,
        unit: " ms",
        also: format!(
            "{}; where 18 of them are full until the 58th day {} ms",
            waited.also,
            number(far, "")
        ),
    })
}

pub(super) fn book(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let at = desk.at(&format!("authorization: Bearer {}\r\n", desk.token))?;
    let floor = desk.floor(CONNECTIONS)?;
    let (length, runs) = (desk.bench.length, desk.bench.runs);
    let (mut figures, mut rates, mut p50) = (Vec::new(), Vec::new(), Vec::new());
    let before = (machine::cpu_time(desk.server.id())?, machine::bytes_written(desk.server.id())?);
    let mut asked = 0;
    for turn in 0..=runs {
        let mut work = Bookings::new(&mut desk.clinic, &mut desk.bench.random);
        // The first turn warms.
        let length = if turn == 0 { length / 4 } else { length };
        let outcome = load::run(&at, CONNECTIONS, length, &mut work)?;
        if outcome.errors > 0 {
            let first = work.refused.first();
            bail!(
                "{} of {} were refused, such as with {first:?}",
                outcome.errors,
                outcome.requests
            );
        }
        asked += outcome.requests;
        if turn > 0 {
            figures.push(outcome.ms(990));
            p50.push(outcome.ms(500));
            rates.push(outcome.rate());
        }
    }
    let cpu = machine::cpu_time(desk.server.id())?.saturating_sub(before.0);
    let bytes = machine::bytes_written(desk.server.id())?.saturating_sub(before.1);
    let also = format!(
        "p50 {} ms; {} bookings a second; processor a booking: server {:.1} ms; {} B written; {} times `{LIVE}` of 64 (p95 {} ms); {} patients",
        number(middle_of(&p50), ""),
        number(middle_of(&rates), ""),
        cpu.as_secs_f64() * 1e3 / as_f64(asked.max(1)),
        number(as_f64(bytes) / as_f64(asked.max(1)), ""),
        number(middle_of(&figures) / floor, ""),
        number(floor, ""),
        desk.clinic.patients,
    );
    Ok(Row {
        name: "desk-book",
        what: "`Appointment/$book`, 64 clients without a pause, each into a time of its own, durable; p99",
        goal: "50 ms",
        figures,
        unit: " ms",
        also,
    })
}

/// Everybody wants one time at once.
pub(super) fn book_one(desk: &mut Desk<'_>) -> anyhow::Result<Row> {
    let at = desk.at(&format!("authorization: Bearer {}\r\n", desk.token))?;
    let (mut figures, mut races) = (Vec::new(), 0);
    for _ in 0..desk.bench.runs {
        let mut slowest = 0.0_f64;
        for _ in 0..RACES {
            let place = desk.clinic.next_place();
            let mut race = Race::new(place, CONNECTIONS, &mut desk.bench.random);
            let outcome = load::run(&at, CONNECTIONS, PATIENCE, &mut race)?;
            if race.won != 1 || outcome.errors > 0 {
                bail!(
                    "{} got one time, {} were told that it is taken, {} were told something else",
                    race.won,
                    race.lost,
                    outcome.errors
                );
            }
            slowest = slowest.max(outcome.ms(1000));
            races += 1;
        }
        figures.push(slowest);
    }
    Ok(Row {
        name: "desk-book-one",
        what: "64 clients after one time at once: until the last of them is answered, the slowest of 10 times",
        goal: "one gets it",
        figures,
        unit: " ms",
        also: format!("exactly one got it in each of {races}"),
    })
}
