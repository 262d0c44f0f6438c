//! Benches of single parts, by the commands that people run: the access log verified, and a password
//! taken at the default cost, patients found by one line.

use super::cases::{CONNECTIONS, seen};
use super::load;
use super::report::Row;
use super::work::Gets;
use super::{Bench, data, target};
use crate::root;
use anyhow::{Context, bail};
use std::process::Command;
use std::time::Instant;

/// Events below this number would time the start of a process.
const EVENTS_MIN: f64 = 200_000.0;

/// `plummer audit verify` over the log of a store: chain, tree and signatures, on one core.
pub(super) fn verify(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let samples = seen(bench, &stored)?;
    let paths = samples.records.iter().map(|record| format!("/fhir/{record}"));
    let mut reads = Gets::new(paths, (50, 64), CONNECTIONS, bench.random.fork());
    let server = bench.serve(&stored.data)?;
    load::run(&target(&server)?, CONNECTIONS, bench.length * 2, &mut reads)?;
    server.stop()?;
    let (mut figures, mut told) = (Vec::new(), String::new());
    for _ in 0..bench.runs {
        let began = Instant::now();
        let output = Command::new(&bench.binary)
            .args(["audit", "verify", "--data"])
            .arg(&stored.data)
            .output()
            .context("plummer audit verify did not start")?;
        let took = began.elapsed();
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !text.contains("sound: ") {
            bail!("the log does not verify");
        }
        told = text.lines().next().unwrap_or_default().to_owned();
        let events: f64 = told.split(' ').next().unwrap_or_default().parse()?;
        if events < EVENTS_MIN {
            bail!("{events} events are too few to measure by");
        }
        figures.push(events / took.as_secs_f64());
    }
    let (events, _) = told.split_once(',').unwrap_or((&told, ""));
    Ok(Row {
        name: "verify",
        what: "`plummer audit verify`: chain, tree and signatures, on one core",
        goal: "500,000 events/s",
        figures,
        unit: "/s",
        also: format!("{events}, sealed; the process's start and end included"),
    })
}

/// A sign-in by password, at the default cost.
pub(super) fn sign_in(bench: &mut Bench) -> anyhow::Result<Row> {
    let (mut figures, mut also) = (Vec::new(), String::new());
    for _ in 0..bench.runs {
        let output = Command::new("cargo")
            .args(["run", "--quiet", "--release", "-p", "identity", "--example", "sign_in_p99"])
            .current_dir(root())
            .output()
            .context("the example did not start")?;
        let text = String::from_utf8(output.stdout)?;
        let value = |name: &str| {
            let after = text.split_once(name).map(|(_, rest)| rest.trim_start());
            after.and_then(|rest| rest.split_whitespace().next()).and_then(|n| n.parse().ok())
        };
        let (Some(p50), Some(p99)) = (value("p50"), value("p99")) else {
            bail!("the example said nothing that is understood");
        };
        figures.push(p99);
        let p50: f64 = p50;
        also = format!("p50 {p50:.0} ms of 200, one at a time: 64 MiB and 3 passes of Argon2id");
    }
    Ok(Row {
        name: "sign-in",
        what: "a sign-in by password, p99",
        goal: "to be stated",
        figures,
        unit: " ms",
        also,
    })
}

/// Patients among whom a find box looks; fewer when the bench is told to store fewer records.
const PATIENTS: u64 = 1_000_000;

/// What a find box asks of the store: seventeen kinds of lines, three hundred of each.
pub(super) fn find(bench: &mut Bench) -> anyhow::Result<Row> {
    let patients = bench.stored.min(PATIENTS).to_string();
    let folder = bench.fresh("find")?;
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--release", "-p", "store", "--example", "find", "--", &patients])
        .arg(&folder)
        .current_dir(root())
        .output()
        .context("the example did not start")?;
    let text = String::from_utf8(output.stdout)?;
    let lines: Vec<&str> = text.lines().collect();
    let p95 = |line: &str| -> Option<f64> {
        line.split_once("p95 ")?.1.split_whitespace().next()?.parse().ok()
    };
    let (Some(first), Some(last)) = (lines.first(), lines.last().and_then(|line| p95(line))) else {
        bail!("the example said nothing that is understood");
    };
    let kinds = lines.iter().filter(|line| !line.starts_with("all:"));
    let slowest = kinds
        .filter_map(|line| Some((p95(line)?, line.split("  ").next().unwrap_or_default())))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let (slow, kind) = slowest.context("no kind of question was measured")?;
    Ok(Row {
        name: "find",
        what: "a line of a find box, in the store, p95 over all kinds of lines",
        goal: "10 ms over HTTP",
        figures: vec![last],
        unit: " ms",
        also: format!("{first}; the slowest kind is \"{kind}\" at {slow:.1} ms"),
    })
}
