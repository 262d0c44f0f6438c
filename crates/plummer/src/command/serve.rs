//! `plummer serve`: opens the record, makes the demo clinic if asked to, and serves until it is told
//! to stop.

use crate::apps;
use crate::cli::Serve;
use crate::control;
use crate::directory;
use crate::federation;
use crate::first_start::{self, Welcome};
use crate::house::Household;
use crate::import::demo;
use crate::opening;
use crate::reminders;
use crate::settings::Settings;
use crate::waitlist;
use anyhow::{Context as _, anyhow};
use base::time::SystemClock;
use egress::Egress;
use record::Record;
use scheduling::waitlist::send::Standing;
use server::{KeySets, Server};
use smart::Smart;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{info, warn};

/// How often what apps were given and is over is forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How often it is looked which links are over, and what was entered for visits that are long over.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// How often whoever holds the root key is asked whether it is still there.
const ASK_EVERY: Duration = Duration::from_secs(60);

/// Serves.
pub(crate) fn run(settings: &Settings, args: &Serve) -> anyhow::Result<ExitCode> {
    let config = settings.server()?;
    let record = opening::record(settings)?;
    let clinic = match args.demo {
        true => {
            Some(demo::load(&record, &settings.data(), args.demo_patients, &AtomicU64::new(0))?)
        }
        false => None,
    };
    let welcome = first_start::begin(&record, clinic.as_ref())?;
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stopped()?;
        let house = Arc::new(Household::new(settings, &config, &record));
        let (clock, random) = (Arc::new(SystemClock), Box::new(opening::random()));
        let server = Server::bind(record.clone(), config, clock, random).await?;
        let way = Arc::new(egress::System);
        let egress = Egress::new(way, &settings.trust()?, Arc::new(SystemClock))?;
        let fetch = KeySets::new(egress, settings.key_set_origins()?, Handle::current());
        let apps = Arc::new(apps::open(&record, Arc::new(fetch))?);
        forget_issuers(settings, &record, &apps)?;
        let standing = Arc::new(Standing::default());
        let server = server.with_smart(Arc::clone(&apps))?.with_house(house)?;
        let server = server.with_waitlist(Arc::clone(&standing))?;
        let server = match federation::open(settings, &Handle::current())? {
            Some(federation) => server.with_federation(Arc::new(federation))?,
            None => server,
        };
        let server = match welcome.demo() {
            Some(demo) => server.with_demo(demo)?,
            None => server,
        };
        tokio::spawn(sweep(Arc::clone(&apps)));
        if let Some(holder) = record.settings().encryption.holder.clone() {
            tokio::spawn(watch(holder));
        }
        let base = format!("{}://{}/fhir", server.scheme(), server.address());
        control::answer(settings.data(), settings.policies(), record.clone(), apps);
        let at_rest = record.health().at_rest;
        if at_rest.is_weak() {
            warn!(at_rest = at_rest.word(), "the data folder is not well protected at rest");
        }
        if !settings.is_guarded() {
            warn!("the guard is off: whoever reaches the port may do everything");
        }
        info!(address = %server.address(), sync = settings.text("sync"), "ready");
        let keeper = record.keep_labels()?;
        let reviewing = record.keep_reviews(settings.sweep_every())?;
        // The desk and kiosks draw links also where nobody is reminded.
        let forgetting = record.keep_links(FORGET_EVERY)?;
        let reminding = match reminders::open(settings)? {
            Some(set) => {
                record.tell_reminders(false);
                Some(reminders::keep(record.clone(), set)?)
            }
            None => None,
        };
        let offering = waitlist::keep(record.clone(), waitlist::open(settings)?, standing)?;
        // Whoever started it may have stopped reading: that is no reason not to serve.
        if let Err(error) = greet(&base, &settings.data().display().to_string(), &welcome) {
            warn!(kind = %error.kind(), "the greeting could not be written");
        }
        // Much was read to open it all, and little of it is needed again.
        record.forget_pages()?;
        server.run(stop).await;
        // Its batch under way is whole before the store closes.
        drop((keeper, reviewing, forgetting, reminding, offering));
        anyhow::Ok(())
    })?;
    record.settle();
    info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Ends what came by an issuer that the settings no longer name: whom the site does not believe today
/// opens nothing today.
fn forget_issuers(settings: &Settings, record: &Record, apps: &Smart) -> anyhow::Result<()> {
    let known: Vec<_> = settings.issuers().iter().map(|issuer| issuer.name).collect();
    let ended = directory::operator(record)
        .revoke_issuers_but(&known)
        .and_then(|sessions| Ok(sessions + apps.revoke_issuers_but(&known)?));
    match ended.map_err(|fault| anyhow!("{fault}"))? {
        0 => {}
        ended => warn!(ended, "sessions and grants of issuers that are no longer set were ended"),
    }
    Ok(())
}

/// Forgets codes, grants and launches that are over, until the process ends.
async fn sweep(apps: Arc<Smart>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        let apps = Arc::clone(&apps);
        let swept = tokio::task::spawn_blocking(move || apps.sweep()).await;
        if !matches!(swept, Ok(Ok(_))) {
            warn!("what apps were given and is over could not be forgotten; it is tried again");
        }
    }
}

/// Asks whoever holds the root key whether it is still there, until the process ends. Nothing here needs
/// it before the next start; whoever runs the server should know before that.
async fn watch(holder: Arc<dyn keys::Kms>) {
    let mut answering = true;
    loop {
        let asked = Arc::clone(&holder);
        let asked = tokio::task::spawn_blocking(move || asked.ask()).await;
        match (asked, answering) {
            (Ok(Err(fault)), true) => {
                let code = fault.code().name;
                warn!(code, "whoever holds the root key does not answer; a start would fail now");
                answering = false;
            }
            (Ok(Ok(())), false) => {
                info!("whoever holds the root key answers again");
                answering = true;
            }
            _ => {}
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
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
    if !matches!(welcome, Welcome::Demo(..)) {
        let root = base.strip_suffix("/fhir").unwrap_or(base);
        writeln!(out, "The console is at {root}/")?;
    }
    welcome.say(&mut out, base, data)?;
    out.flush()
}
