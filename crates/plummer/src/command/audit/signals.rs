//! `plummer audit signals`: what stands out in the log, ranked, for the privacy officer
//! (45 CFR 164.308(a)(1)(ii)(D)).

use super::report::instant;
use crate::cli::AuditSignals;
use crate::opening;
use crate::settings::Settings;
use std::io::Write as _;
use std::process::ExitCode;

/// A line for each case, the gravest first.
pub(super) fn run(settings: &Settings, args: &AuditSignals) -> anyhow::Result<ExitCode> {
    let (from, until) = (instant(&args.from)?, instant(&args.until)?);
    let record = opening::record(settings)?;
    let cases = opening::session(&record).review_list(from, until)?.wait()?;
    let mut out = std::io::stdout().lock();
    for case in &cases {
        let signals: Vec<_> = case.signals.iter().map(|signal| signal.name()).collect();
        let patient = case.patient.as_deref().unwrap_or("-");
        writeln!(
            out,
            "{:>4} event {} {} {} patient {patient}: {}; reason held: {}",
            case.score,
            case.seq,
            case.first,
            case.actor,
            signals.join(", "),
            case.reason
        )?;
    }
    writeln!(out, "{} cases", cases.len())?;
    record.settle();
    Ok(ExitCode::SUCCESS)
}
