//! Measures the log: appends per second from two threads that do not wait, appends per second of
//! 64 waiters, and events verified per second. Not part of any test:
//! `cargo run --release -p audit --example append_rate -- [DIRECTORY]`.
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use audit::{Event, Kind, Log, Options, Source, Target, query_digest, verify};
use base::id::{Random as _, Seeded, uuid_text, uuid_v7};
use base::{Fault, Millis, time::SystemClock};

const APPENDS: u64 = 1_000_000;
const WAITERS: u64 = 64;
const WAITS: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let dir = given.unwrap_or_else(std::env::temp_dir).join("append_rate");
    let log = Log::open(&dir, Options::new(Arc::new(SystemClock)))?;

    let start = Instant::now();
    run(2, |thread| {
        let events = samples(thread);
        for (n, event) in (0..APPENDS / 2).zip(events.iter().cycle()) {
            let ticket = log.append(event)?;
            // Keeps within the buffer, as a server does by answering only what is written.
            if n % 4096 == 4095 {
                ticket.written().wait()?;
            }
        }
        Ok(())
    })?;
    let appended = start.elapsed();
    log.append(&sample(&mut Seeded::new(0)))?.synced().wait()?;
    let synced = start.elapsed();
    println!(
        "append, 2 threads: {:.0}/s; all synced: {:.0}/s",
        rate(APPENDS, appended),
        rate(APPENDS, synced)
    );

    let start = Instant::now();
    run(WAITERS, |thread| {
        let event = sample(&mut Seeded::new(thread));
        for _ in 0..WAITS {
            log.append(&event)?.written().wait()?;
        }
        Ok(())
    })?;
    println!(
        "append and wait until written, {WAITERS} threads: {:.0}/s",
        rate(WAITERS * WAITS, start.elapsed())
    );

    let start = Instant::now();
    let event = sample(&mut Seeded::new(9));
    for _ in 0..200 {
        log.append(&event)?.synced().wait()?;
    }
    println!("append and wait until synced, 1 thread: {:.0}/s", rate(200, start.elapsed()));

    let head = log.close()?;
    let start = Instant::now();
    let report = verify(&dir, Some(head))?;
    println!(
        "verify: {:.0} events/s, {:.0} bytes an event, sound: {}",
        rate(report.events, start.elapsed()),
        report.bytes as f64 / report.events as f64,
        report.is_sound()
    );
    let start = Instant::now();
    drop(Log::open(&dir, Options::new(Arc::new(SystemClock)))?);
    println!("open: {:.0} ms", start.elapsed().as_secs_f64() * 1000.0);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn run(threads: u64, work: impl Fn(u64) -> Result<(), Fault> + Sync) -> Result<(), Fault> {
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = (0..threads).map(|t| scope.spawn(move || work(t))).collect();
        running.into_iter().try_for_each(|thread| match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })
}

fn rate(count: u64, elapsed: std::time::Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn samples(seed: u64) -> Vec<Event> {
    let mut random = Seeded::new(seed);
    (0..64).map(|_| sample(&mut random)).collect()
}

/// A read of one resource: what most events are.
fn sample(random: &mut Seeded) -> Event {
    let now = Millis(1_795_340_467_123);
    let mut event = Event::new(now, uuid_v7(now, random), Kind::Read);
    event.actor = "practitioner-0001".into();
    event.targets.push(Target::resource("Observation", uuid_text(&uuid_v7(now, random)), Some(1)));
    event.patients.push(uuid_text(&uuid_v7(now, random)));
    event.query = Some(query_digest(&random.next_u64().to_string()));
    event.source = Some(Source::Loopback);
    event.results = 1;
    event.bytes = 1830;
    event
}
