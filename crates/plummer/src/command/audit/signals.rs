//! `plummer audit signals`: what stands out in the log, ranked, for the privacy officer
//! (45 CFR 164.308(a)(1)(ii)(D)).

use super::report::instant;
use crate::cli::AuditSignals;
use crate::opening;
use crate::settings::Settings;
use std::io::Write as _;
use std::process::ExitCode;

/// A line for each sighting, the gravest first.
pub(super) fn run(settings: &Settings, args: &AuditSignals) -> anyhow::Result<ExitCode> {
    let (from, until) = (instant(&args.from)?, instant(&args.until)?);
    let record = opening::record(settings)?;
    let found = opening::session(&record).review_list(from, until)?.wait()?;
    let mut out = std::io::stdout().lock();
    for one in &found {
        let signals: Vec<_> = one.signals.iter().map(|signal| signal.name()).collect();
        let patient = one.patient.as_deref().unwrap_or("-");
        writeln!(
            out,
            "{:>4} event {} {} {} patient {patient}: {}; reason held: {}",
            one.score,
            one.seq,
            one.first,
            one.actor,
            signals.join(", "),
            one.reason
        )?;
    }
    writeln!(out, "{} sightings", found.len())?;
    record.settle();
    Ok(ExitCode::SUCCESS)
}
