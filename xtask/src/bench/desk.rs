//! `cargo xtask bench desk`: what the people of a clinic wait for, on a million patients: to find
//! somebody, to open a chart, to see the day, to book. Asked over loopback by the console's own pages and
//! by `$find` and `$book`, as somebody of the role that does it, with guard and encryption on; two figures
//! are of a real Chromium. Each is told beside `/health/live`, asked of the same server by as many
//! connections in the same run: the least that any answer costs.

mod asks;
mod calendar;
mod cases;
mod clinic;
mod screens;
mod signed;

use super::histogram::Histogram;
use super::load::{self, Outcome, Target};
use super::report::{Row, number};
use super::{Bench, machine, target};
use anyhow::{Context, bail};
use asks::Pages;
use clinic::Clinic;
use conformance::process::{Server, Start};
use signed::Signed;
use std::time::Duration;

/// The word for all of them.
pub(super) const NAME: &str = "desk";
/// Desks beside the one whose wait is the figure.
const DESKS: usize = 8;
/// Patients of the demo clinic that the store is begun with: its people are who sign in.
const DEMO_PATIENTS: &str = "40";
/// A machine that measures asks more often than a person does.
const UNLIMITED: &str = "system,front-desk,nurse,clinician";
const LIVE: &str = "/health/live";

/// One of them.
struct Case {
    name: &'static str,
    run: fn(&mut Desk<'_>) -> anyhow::Result<Row>,
}

/// All of them, in the order they run: those that write come last.
const CASES: &[Case] = &[
    Case { name: "desk-find-name", run: cases::find_by_name },
    Case { name: "desk-find-phone", run: cases::find_by_phone },
    Case { name: "desk-find-born", run: cases::find_by_birth },
    Case { name: "desk-find-key", run: screens::find_key },
    Case { name: "desk-chart", run: cases::chart },
    Case { name: "desk-chart-ready", run: screens::chart_ready },
    Case { name: "desk-first-page", run: screens::first_page },
    Case { name: "desk-day", run: cases::day },
    Case { name: "desk-flow", run: cases::flow },
    Case { name: "desk-first-free", run: cases::first_free },
    Case { name: "desk-book", run: cases::book },
    Case { name: "desk-book-one", run: cases::book_one },
];

/// Whether this is the name of one of them, or of all.
pub(super) fn is_name(name: &str) -> bool {
    name == NAME || CASES.iter().any(|case| case.name == name)
}

/// The server that is asked, and who asks it.
struct Desk<'b> {
    bench: &'b mut Bench,
    clinic: Clinic,
    server: Server,
    root: String,
    front_desk: Signed,
    clinician: Signed,
    /// The front desk's token at the FHIR door.
    token: String,
}

/// Measures those that are named, or all.
pub(super) fn run(bench: &mut Bench, names: &[&str]) -> anyhow::Result<Vec<Row>> {
    let all = names.is_empty() || names.contains(&NAME);
    let clinic = Clinic::made(bench)?;
    let server = serve(bench, &clinic.data)?;
    let root = format!("http://{}", target(&server)?.authority);
    let front_desk = Signed::begin(&root, "front-desk")?;
    let clinician = Signed::begin(&root, "clinician")?;
    let token = signed::token(&bench.binary, &clinic.data, "front-desk")?;
    let mut desk = Desk { bench, clinic, server, root, front_desk, clinician, token };
    let mut rows = Vec::new();
    for case in CASES.iter().filter(|case| all || names.contains(&case.name)) {
        println!("== {}", case.name);
        match (case.run)(&mut desk) {
            Ok(row) => {
                println!("{}: {} ({})\n", row.what, number(row.median(), row.unit), row.also);
                rows.push(row);
            }
            // One that cannot run here must not cost the figures of the others.
            Err(error) => println!("{} was not measured: {error:#}\n", case.name),
        }
    }
    let Desk { server, clinic, .. } = desk;
    server.stop()?;
    clinic.keep()?;
    Ok(rows)
}

/// A server with the people of the demo clinic, guarded, encrypted and durable as by default.
fn serve(bench: &Bench, data: &std::path::Path) -> anyhow::Result<Server> {
    Server::start(&Start {
        binary: &bench.binary,
        data,
        words: &["--demo", "--demo-patients", DEMO_PATIENTS],
        environment: &[
            ("PLUMMER_RATE_EXEMPT_ROLES", UNLIMITED.into()),
            ("PLUMMER_RATE_SIGN_IN_BURST", "1000".into()),
        ],
    })
}

/// Runs of one question: the wait at a desk, alone and beside others, and what else is told of it.
struct Waited {
    /// The asked quantile in ms, one for each run.
    figures: Vec<f64>,
    also: String,
}

impl Desk<'_> {
    fn at(&self, header: &str) -> anyhow::Result<Target> {
        let authority = target(&self.server)?.authority;
        let header = format!("host: {authority}\r\n{header}");
        Ok(Target { authority, header })
    }

    /// How long these pages take whoever asks for them.
    fn waits(&mut self, header: &str, pages: &mut Pages) -> anyhow::Result<Waited> {
        let at = self.at(header)?;
        let length = self.bench.length;
        // What a cold cache costs is another question.
        load::run(&at, 1, length / 4, pages)?;
        let cpu = machine::cpu_time(self.server.id())?;
        let mut outcomes = Vec::new();
        for _ in 0..self.bench.runs {
            outcomes.push(right(load::run(&at, 1, length, pages)?)?);
        }
        let cpu = machine::cpu_time(self.server.id())?.saturating_sub(cpu);
        let asked: u64 = outcomes.iter().map(|outcome| outcome.requests).sum();
        let busy = right(load::run(&at, DESKS, length, pages)?)?;
        let floor = self.floor(1)?;
        let figures: Vec<f64> = outcomes.iter().map(|outcome| outcome.ms(950)).collect();
        let p95 = super::cases::middle_of(&figures);
        let also = format!(
            "p50 {} p99 {} ms; p95 {} ms with {DESKS} at once; {:.1} kB; processor a request: server {:.1} ms; {} times `{LIVE}` (p95 {} ms); {} patients",
            middle(&outcomes, 500),
            middle(&outcomes, 990),
            number(busy.ms(950), ""),
            pages.mean_bytes() / 1e3,
            cpu.as_secs_f64() * 1e3 / load::as_f64(asked.max(1)),
            number(p95 / floor, ""),
            number(floor, ""),
            self.clinic.patients,
        );
        Ok(Waited { figures, also })
    }

    /// The p95 of what costs nothing, in ms, with so many connections.
    fn floor(&self, connections: usize) -> anyhow::Result<f64> {
        let mut nothing = Pages::get([LIVE.to_owned()], "", self.bench.random.clone());
        let length = (self.bench.length / 4).max(Duration::from_millis(500));
        Ok(right(load::run(&self.at("")?, connections, length, &mut nothing)?)?.ms(950))
    }
}

fn right(outcome: Outcome) -> anyhow::Result<Outcome> {
    if outcome.errors > 0 {
        bail!("{} of {} answers were wrong", outcome.errors, outcome.requests);
    }
    Ok(outcome)
}

fn middle(outcomes: &[Outcome], thousandths: u64) -> String {
    let all: Vec<f64> = outcomes.iter().map(|outcome| outcome.ms(thousandths)).collect();
    number(super::cases::middle_of(&all), "")
}

/// A quantile of some durations, in ms.
fn quantile(all: &[Duration], thousandths: u64) -> f64 {
    let mut histogram = Histogram::new();
    all.iter().for_each(|one| histogram.record(*one));
    histogram.quantile(thousandths).as_secs_f64() * 1e3
}

/// The text between two others.
fn between<'t>(text: &'t str, before: &str, after: &str) -> anyhow::Result<&'t str> {
    let rest = text.split_once(before).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(after)).map(|(found, _)| found);
    found.with_context(|| format!("the page has no {before}"))
}
