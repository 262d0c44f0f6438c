//! `plummer doctor`: looks at this box and its settings and says what is weak. It ends with 0 when
//! nothing is, with 1 for warnings, and with 2 for what should be mended tonight.

use crate::cli::Doctor;
use crate::doctor::{self, Weight, checks, gather};
use crate::settings::Settings;
use std::io::Write as _;
use std::process::ExitCode;

/// Looks, and reports.
pub(crate) fn run(settings: &Settings, args: &Doctor) -> anyhow::Result<ExitCode> {
    let findings = checks::all(&gather::facts(settings));
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", doctor::json(&findings))?;
    } else {
        out.write_all(doctor::text(&findings).as_bytes())?;
    }
    out.flush()?;
    Ok(match doctor::worst(&findings) {
        Weight::Fault => ExitCode::from(2),
        Weight::Warning => ExitCode::from(1),
        Weight::Note | Weight::Unknown | Weight::Fine => ExitCode::SUCCESS,
    })
}
