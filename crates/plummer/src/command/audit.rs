//! `plummer audit verify` and `plummer audit show`. Both read beside a running server.

use crate::cli::{Audit, AuditShow};
use crate::doctor::stamp::Stamp;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use audit::{Filter, Hash, Head, Kind};
use base::Millis;
use std::io::Write as _;
use std::process::ExitCode;
use store::Store;

/// Checks or shows the access log of the data folder.
pub(crate) fn run(settings: &Settings, args: Audit) -> anyhow::Result<ExitCode> {
    let dir = settings.data().join("audit");
    if !dir.is_dir() {
        bail!("{} holds no access log", settings.data().display());
    }
    match args {
        Audit::Verify => verify(settings, &dir),
        Audit::Show(show) => print(&dir, show),
    }
}

fn verify(settings: &Settings, dir: &std::path::Path) -> anyhow::Result<ExitCode> {
    let (anchor, note) = anchor(settings);
    let report = audit::verify(dir, anchor)?;
    let mut out = std::io::stdout().lock();
    let span = match (report.first_time, report.last_time) {
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    };
    writeln!(out, "{} events in {} segments{span}", report.events, report.segments)?;
    writeln!(out, "last event {} with hash {}", report.head.seq, report.head.hash)?;
    writeln!(out, "{note}")?;
    if report.writing {
        writeln!(out, "a server is writing the next event")?;
    }
    match report.damage {
        None => {
            writeln!(out, "sound: nothing is altered, missing or out of order")?;
            // Whoever verifies may have no right to write here.
            let _ = Stamp::Verified.leave(&settings.data());
            Ok(ExitCode::SUCCESS)
        }
        Some(damage) => {
            let segment = damage.segment.unwrap_or_else(|| "no segment left".to_owned());
            writeln!(
                out,
                "DAMAGED: event {} in {segment} at byte {} is {}; nothing after it is proven",
                damage.seq, damage.offset, damage.wrong
            )?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What the store remembers of the log; nothing while a server holds the store.
fn anchor(settings: &Settings) -> (Option<Head>, &'static str) {
    let dir = settings.data().join("store");
    let opened = match dir.is_dir() {
        true => Store::open(&dir, store::Options::default()).ok(),
        false => None,
    };
    let Some(store) = opened else {
        return (None, "not compared with the store: it is in use, or not there");
    };
    match store.audit_anchor().ok().flatten() {
        Some((seq, hash)) => {
            (Some(Head { seq, hash: Hash(hash) }), "compared with what the store remembers of it")
        }
        None => (None, "the store remembers nothing of it yet"),
    }
}

fn print(dir: &std::path::Path, show: AuditShow) -> anyhow::Result<ExitCode> {
    let instant = |text: Option<String>| match text {
        None => Ok(None),
        Some(text) => match fhir::date::parse(&text) {
            Some(range) => Ok(Some(Millis(range.low))),
            None => Err(anyhow!("{text} is no date or instant")),
        },
    };
    let kind = match show.kind {
        None => None,
        Some(name) => Some(Kind::from_name(&name).ok_or_else(|| {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            anyhow!("{name} is no kind of event; there are {}", all.join(", "))
        })?),
    };
    let filter = Filter {
        from: instant(show.from)?,
        until: instant(show.until)?,
        patient: show.patient,
        kind,
        actor: show.actor,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = String::new();
    for entry in audit::read(dir, show.from_seq)?.filter(filter) {
        line.clear();
        entry?.write_json(&mut line);
        line.push('\n');
        out.write_all(line.as_bytes()).context("cannot write")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
