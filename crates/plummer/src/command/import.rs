//! `plummer import`: loads what the paths hold, and ends with a receipt.

use crate::cli::Import;
use crate::import::pipeline::{self, Meter, Plan};
use crate::import::source::Sources;
use crate::opening;
use crate::settings::Settings;
use anyhow::Context as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

/// Loads; fails when anything was refused.
pub(crate) fn run(settings: &Settings, args: &Import) -> anyhow::Result<ExitCode> {
    let sources = Sources::find(&args.paths)?;
    let record = opening::bulk(settings)?;
    let session = opening::session(&record);
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let plan = Plan {
        keep_going: args.keep_going,
        threads: args.threads.unwrap_or(cores).clamp(1, 256),
        folder: settings.data().join("import"),
        disk_bytes: sources.bytes,
        journal: true,
    };
    let (meter, limit) = (Meter::default(), settings.limits().json_bytes);
    let started = Instant::now();
    let mut receipt =
        pipeline::run(&session, &plan, &meter, &mut |sink| sources.read(limit, &meter.disk, sink))?;
    let took = started.elapsed();
    receipt.passed_over = sources.passed_over;
    write!(std::io::stdout(), "{}", receipt.text(took))?;
    if let Some(path) = &args.receipt {
        let told = || format!("cannot write {}", path.display());
        std::fs::write(path, receipt.json(took)).with_context(told)?;
    }
    Ok(if receipt.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
