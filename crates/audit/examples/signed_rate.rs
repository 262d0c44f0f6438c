//! Measures a signed log, sealed or plain: events appended, signed, verified, proven and found per second
//! on one core. Not part of any test:
//! `cargo run --release -p audit --example signed_rate -- [DIRECTORY [EVENTS [plain]]]`.
#![expect(clippy::print_stdout, reason = "a measurement prints its result")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use audit::{
    Event, Finder, Kind, Log, Notary, Options, Salts, Seal, Source, Target, Trust, Wanted,
    check_proof, prove, query_digest, verify, verify_signed, verify_under,
};
use base::id::{Random as _, Seeded, uuid_text, uuid_v7};
use base::{Millis, time::SystemClock};
use keys::{LogKey, Secret, SigningKey};

/// Patients of the log: each has so many events as there are for one patient in some years.
const PATIENTS: u64 = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args_os().skip(1);
    let dir = given.next().map_or_else(std::env::temp_dir, PathBuf::from).join("signed_rate");
    let events = given.next().and_then(|n| n.to_str()?.parse().ok()).unwrap_or(1_000_000);
    let plain = given.next().is_some_and(|word| word == "plain");
    let under = match plain {
        true => None,
        false => Some(LogKey::new(&Secret::take(&mut [3; 32]))?),
    };
    let options = Options { key: under.clone(), ..Options::new(Arc::new(SystemClock)) };
    let log = Log::open(&dir, options)?;
    let mut random = Seeded::new(1);
    let patients: Vec<String> = (0..PATIENTS).map(|_| id(&mut random)).collect();
    let mut some = None;
    let start = Spent::new();
    for (n, patient) in (0..events).zip(patients.iter().cycle()) {
        let ticket = log.append(&sample(&mut random, n, patient))?;
        if n % 4096 == 4095 {
            ticket.written().wait()?;
        }
        some = Some(patient);
    }
    let head = log.close()?;
    println!("make and append: {:.0} events/s", rate(events, start.elapsed()));

    let signer = SigningKey::new(&Secret::take(&mut [1; 32]))?;
    let salts = Salts::new(&Secret::take(&mut [2; 32]));
    let seal = Seal::new("plummer/measured", Arc::new(signer), salts.clone());
    let seal = Seal { log: under.clone(), ..seal };
    let key = seal.key()?;
    let start = Spent::new();
    let mut notary = Notary::open(&dir, seal, Millis(0))?;
    notary.advance(head, Millis(0))?;
    println!("sign a log of {events} events: {:.0} events/s", rate(events, start.elapsed()));

    let start = Spent::new();
    let report = verify(&dir, Some(head))?;
    println!(
        "verify the links: {:.0} events/s, sound: {}",
        rate(events, start.elapsed()),
        report.is_sound()
    );
    let start = Spent::new();
    let report = verify_under(&dir, Some(head), under.as_ref())?;
    println!(
        "verify the events: {:.0} events/s, {:.0} bytes each, sound: {}",
        rate(events, start.elapsed()),
        report.bytes as f64 / report.events as f64,
        report.is_sound()
    );
    for (name, salts) in
        [("chain and signatures", None), ("chain, tree and signatures", Some(salts.clone()))]
    {
        let trust = Trust { key: key.clone(), salts, log: under.clone(), kept: Vec::new() };
        let start = Spent::new();
        let report = verify_signed(&dir, Some(head), &trust)?;
        println!(
            "verify {name}: {:.0} events/s, sound: {}",
            rate(events, start.elapsed()),
            report.is_sound()
        );
    }
    let start = Spent::new();
    let proof = prove(&dir, under.as_ref(), &salts, &key, events / 2)?;
    println!("prove an event: {:.1} ms, {} bytes", ms(start.elapsed()), proof.len());
    let start = Spent::new();
    check_proof(&proof, &key, &[])?;
    println!("check the proof: {:.2} ms", ms(start.elapsed()));

    let wanted = |patient| Wanted {
        patient,
        from: None,
        until: None,
        before: u64::MAX,
        count: 50,
        looks_max: 1_000_000,
        fits: &|_| true,
    };
    for name in ["make the index", "load the index"] {
        let mut finder = Finder::new(&dir).under(under.clone());
        let start = Spent::new();
        finder.catch_up()?;
        println!("{name}: {:.0} ms", ms(start.elapsed()));
        let start = Spent::new();
        let found = finder.newest(&wanted(some.map(String::as_str)))?.entries.len();
        println!("the {found} newest events of a patient: {:.2} ms", ms(start.elapsed()));
        let start = Spent::new();
        finder.newest(&wanted(None))?;
        println!("the 50 newest events of all: {:.2} ms", ms(start.elapsed()));
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Processor time of this process, so that other work on the machine does not count. The kernel tells
/// it in hundredths of a second; elsewhere than on Linux it is the clock's time.
struct Spent {
    began: std::time::Instant,
    ticks: Option<u64>,
}

impl Spent {
    fn new() -> Self {
        Self { began: std::time::Instant::now(), ticks: Self::ticks() }
    }

    fn ticks() -> Option<u64> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
        Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
    }

    /// What is short is told by the clock, what is long by the processor.
    fn elapsed(&self) -> Duration {
        let clock = self.began.elapsed();
        match (self.ticks, Self::ticks()) {
            (Some(before), Some(now)) if now - before > 5 => {
                Duration::from_millis((now - before) * 10)
            }
            _ => clock,
        }
    }
}

fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn ms(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1000.0
}

fn id(random: &mut Seeded) -> String {
    uuid_text(&uuid_v7(Millis(1_795_340_467_123), random))
}

/// A read of one resource: what most events are.
fn sample(random: &mut Seeded, n: u64, patient: &str) -> Event {
    let now = Millis(1_795_340_467_123 + n.cast_signed() * 50);
    let mut event = Event::new(now, uuid_v7(now, random), Kind::Read);
    event.actor = "practitioner-0001".into();
    event.targets.push(Target::resource("Observation", id(random), Some(1)));
    event.patients.push(patient.to_owned());
    event.query = Some(query_digest(&random.next_u64().to_string()));
    event.source = Some(Source::Loopback);
    event.results = 1;
    event.bytes = 1830;
    event
}
