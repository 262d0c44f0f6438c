//! `plummer serve`: opens the record, makes the demo clinic if asked to, and serves until it is told
//! to stop.

use crate::cli::Serve;
use crate::control;
use crate::first_start::{self, Welcome};
use crate::import::demo;
use crate::opening;
use crate::settings::Settings;
use anyhow::Context as _;
use base::time::SystemClock;
use server::Server;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tracing::info;

/// Serves.
pub(crate) fn run(settings: &Settings, args: &Serve) -> anyhow::Result<ExitCode> {
    let config = settings.server()?;
    let record = opening::record(settings)?;
    let clinic = match args.demo {
        true => Some(demo::load(&record, &settings.data(), args.demo_patients)?),
        false => None,
    };
    let welcome = first_start::begin(&record, clinic.as_ref())?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stopped()?;
        let (clock, random) = (Arc::new(SystemClock), Box::new(opening::random()));
        let server = Server::bind(record.clone(), config, clock, random).await?;
        let base = format!("http://{}/fhir", server.address());
        control::answer(settings.data(), record.clone());
        info!(address = %server.address(), sync = settings.text("sync"), "ready");
        greet(&base, &settings.data().display().to_string(), &welcome)?;
        server.run(stop).await;
        anyhow::Ok(())
    })?;
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Done when the process is asked to end.
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn greet(base: &str, data: &str, welcome: &Welcome) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "Plummer serves {base}")?;
    welcome.say(&mut out, base, data)?;
    out.flush()
}
