//! `plummer audit show`, `report` and `export`: events of a span, chosen and told in several forms
//! (170.315(d)(3)).

use super::Place;
use crate::cli::{AuditExport, AuditFilter, AuditReport};
use anyhow::{Context as _, anyhow, bail};
use audit::report::{Field, Form, Outcome, sorted, write};
use audit::{Entry, Filter, Kind, syslog};
use base::{Fault, Millis};
use record::{Shown, Teller, audit_event};
use std::io::{BufWriter, StdoutLock, Write as _};
use std::process::ExitCode;

/// Events as lines of JSON, in their order.
pub(super) fn show(place: &Place, filter: &AuditFilter) -> anyhow::Result<ExitCode> {
    told(place, filter, |entry, line| entry.write_json(line))
}

/// Events sorted by a field.
pub(super) fn report(place: &Place, args: &AuditReport) -> anyhow::Result<ExitCode> {
    let (name, descending) = match args.sort.split_once(':') {
        None => (args.sort.as_str(), false),
        Some((name, "asc")) => (name, false),
        Some((name, "desc")) => (name, true),
        Some(_) => bail!("{} is no order: a field, or a field and :asc or :desc", args.sort),
    };
    let field = Field::from_name(name).ok_or_else(|| {
        let all: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
        anyhow!("{name} is no field; there are {}", all.join(", "))
    })?;
    let form = match args.format.as_str() {
        "text" => Form::Text,
        "csv" => Form::Csv,
        "ndjson" => Form::Ndjson,
        other => bail!("{other} is no form of a report; there are text, csv and ndjson"),
    };
    let entries = chosen(place, &args.filter)?;
    place.leave(args.filter.patient.as_deref())?;
    let rows = sorted(entries, field, descending)?;
    let mut out = output();
    write(&mut out, &rows, form).context("cannot write")?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Events in a form that others read.
pub(super) fn export(place: &Place, args: &AuditExport) -> anyhow::Result<ExitCode> {
    match args.format.as_str() {
        "ndjson" => show(place, &args.filter),
        "balp" => told(place, &args.filter, |entry, line| {
            let shown = match &args.filter.patient {
                Some(patient) => Shown::Only(patient),
                None => Shown::All,
            };
            line.push_str(&String::from_utf8_lossy(&audit_event(
                entry,
                shown,
                &Teller::ids("plummer"),
            )));
        }),
        "rfc5424" => told(place, &args.filter, |entry, line| {
            line.push_str(&syslog::message(entry, &host()));
        }),
        other => bail!("{other} is no form of an export; there are ndjson, balp and rfc5424"),
    }
}

/// This machine's name, as syslog wants it.
pub(super) fn host() -> String {
    let read = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    read.trim().to_owned()
}

fn told(
    place: &Place,
    filter: &AuditFilter,
    tell: impl Fn(&Entry, &mut String),
) -> anyhow::Result<ExitCode> {
    let entries = chosen(place, filter)?;
    place.leave(filter.patient.as_deref())?;
    let mut out = output();
    let mut line = String::new();
    for entry in entries {
        line.clear();
        tell(&entry?, &mut line);
        line.push('\n');
        out.write_all(line.as_bytes()).context("cannot write")?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The first instant of a date.
pub(crate) fn instant(text: &Option<String>) -> anyhow::Result<Option<Millis>> {
    match text {
        None => Ok(None),
        Some(text) => match fhir::date::parse(text) {
            Some(range) => Ok(Some(Millis(range.low))),
            None => Err(anyhow!("{text} is no date or instant")),
        },
    }
}

fn output() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(std::io::stdout().lock())
}

fn chosen(
    place: &Place,
    filter: &AuditFilter,
) -> anyhow::Result<impl Iterator<Item = Result<Entry, Fault>> + use<>> {
    let kind = match &filter.kind {
        None => None,
        Some(name) => Some(Kind::from_name(name).ok_or_else(|| {
            let all: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            anyhow!("{name} is no kind of event; there are {}", all.join(", "))
        })?),
    };
    let outcome = match &filter.outcome {
        None => None,
        Some(name) => Some(
            Outcome::from_name(name)
                .ok_or_else(|| anyhow!("{name} is no outcome; there are ok, failed and denied"))?,
        ),
    };
    let chosen = Filter {
        from: instant(&filter.from)?,
        until: instant(&filter.until)?,
        patient: filter.patient.clone(),
        kind,
        actor: filter.actor.clone(),
    };
    let entries = audit::read(&place.dir, filter.from_seq)?.under(place.key.clone());
    let entries = entries.filter(chosen);
    Ok(Iterator::filter(entries, move |entry| {
        let of = |entry: &Entry| outcome.is_none_or(|wanted| Outcome::of(&entry.event) == wanted);
        entry.as_ref().map_or(true, of)
    }))
}
