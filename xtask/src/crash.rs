//! `cargo xtask crash`: kills the server at random moments under mixed load, takes its power too, and
//! holds it to every answer it gave (45 CFR 164.308(a)(7), 164.312(c)(1)). docs/internals/crash.md
//! tells what is promised, what is played and what is not.

mod desk;
mod journal;
mod ledger;
mod load;
mod power;
mod verify;

use crate::{Command, root};
use anyhow::{Context, bail};
use conformance::process::{Server, Start, build, log_of, program};
use conformance::random::Random;
use ledger::{Ledger, State};
use load::{Caller, SHARED};
use power::Disk;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "crash",
    usage: "[--runs N] [--seed S] [--mode kill|power|both] [--release] [--binary FILE] [--keep]",
    about: "kill the server under load, and its power, and hold it to every answer it gave",
    run,
};

/// Callers at once.
const CALLERS: u64 = 6;
/// The load lasts between these.
const LOAD_MS: (u64, u64) = (60, 1200);
/// Records of earlier runs looked at again after each run.
const SAMPLE: usize = 40;
/// A loss of power may take events of reads, whose numbers are used again: the search for those of
/// writes begins this far before the last number seen.
const EVENTS_LOST_MAX: u64 = 10_000;

fn run(words: &[String]) -> anyhow::Result<()> {
    let options = Options::parse(words)?;
    let binary = match &options.binary {
        Some(binary) => binary.canonicalize()?,
        None if options.release => build(&root(), "plummer", &["--release"])?,
        None => program(&root())?,
    };
    println!("seed {}: {} runs", options.seed, options.runs);
    let mut broken = 0;
    for power in options.modes() {
        let shim = if power { Some(build(&root(), "powerloss", &[])?) } else { None };
        broken += Drill::new(&options, &binary, shim)?.run(&options)?;
    }
    if broken > 0 {
        bail!("{broken} promises were broken (seed {})", options.seed);
    }
    println!("0 losses");
    Ok(())
}

#[derive(Debug)]
struct Options {
    runs: u64,
    seed: u64,
    mode: String,
    release: bool,
    keep: bool,
    binary: Option<PathBuf>,
}

impl Options {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mode = "both".to_owned();
        let mut options =
            Self { runs: 20, seed: 1, mode, release: false, keep: false, binary: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} needs a value"));
            match word.as_str() {
                "--runs" => options.runs = value()?.parse()?,
                "--seed" => options.seed = value()?.parse()?,
                "--mode" => options.mode = value()?.clone(),
                "--binary" => options.binary = Some(value()?.into()),
                "--release" => options.release = true,
                "--keep" => options.keep = true,
                other => bail!("unknown word `{other}`"),
            }
        }
        if !["kill", "power", "both"].contains(&options.mode.as_str()) {
            bail!("the mode is kill, power or both");
        }
        Ok(options)
    }

    /// Whether power is lost, for each drill to run.
    fn modes(&self) -> Vec<bool> {
        match self.mode.as_str() {
            "kill" => vec![false],
            "power" => vec![true],
            _ => vec![false, true],
        }
    }
}

/// One series of crashes on one data folder.
#[derive(Debug)]
struct Drill {
    binary: PathBuf,
    folder: PathBuf,
    data: PathBuf,
    /// The shim's disk and environment, when power is lost.
    disk: Option<(Disk, Vec<(&'static str, OsString)>)>,
    random: Random,
    ledger: Ledger,
    /// The names that the last loss of power took.
    taken: Vec<String>,
    /// The number of the last event in the audit log, as last seen.
    last_event: u64,
    tally: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    answered: usize,
    asked: usize,
    visits: usize,
    kills_in_recovery: usize,
    losses: usize,
    unsynced: usize,
    sectors: usize,
    names: usize,
}

impl Drill {
    fn new(options: &Options, binary: &Path, shim: Option<PathBuf>) -> anyhow::Result<Self> {
        let kind = if shim.is_some() { "power" } else { "kill" };
        let name = format!("plummer-crash-{kind}-{}-{}", options.seed, std::process::id());
        let folder = std::env::temp_dir().join(name);
        let (data, side) = (folder.join("data"), folder.join("side"));
        fs::create_dir_all(&data)?;
        fs::create_dir_all(&side)?;
        let data = data.canonicalize()?;
        let disk = match shim {
            Some(shim) => {
                let disk = Disk::new(&data, &side)?;
                let environment = disk.environment(&shim).to_vec();
                Some((disk, environment))
            }
            None => None,
        };
        Ok(Self {
            binary: binary.to_owned(),
            folder,
            data,
            disk,
            random: Random::new(options.seed),
            ledger: Ledger::default(),
            taken: Vec::new(),
            last_event: 0,
            tally: Tally::default(),
        })
    }

    /// All runs; tells how many promises were broken.
    fn run(mut self, options: &Options) -> anyhow::Result<usize> {
        let kind = if self.disk.is_some() { "power loss" } else { "kill" };
        let began = Instant::now();
        let mut broken = 0;
        let mut server = Some(self.start()?);
        for run in 1..=options.runs {
            if let Some(server) = server.take() {
                self.load(run, server)?;
            }
            self.lose_power()?;
            self.interrupt_recovery()?;
            let next = match self.start() {
                Ok(next) => next,
                Err(error) => {
                    println!(
                        "{kind} {run}: {error:#}\nits data are kept in {}",
                        self.folder.display()
                    );
                    return Ok(broken + 1);
                }
            };
            let wrong = self.verify(&next, run, run == options.runs)?;
            for line in wrong.iter().take(20) {
                println!("{kind} {run}: {line}");
            }
            if !wrong.is_empty() && !self.taken.is_empty() {
                println!("{kind} {run}: lost were {}", self.taken.join(", "));
            }
            broken += wrong.len();
            server = Some(next);
        }
        drop(server);
        let Tally { answered, asked, visits, kills_in_recovery, losses, unsynced, sectors, names } =
            self.tally;
        println!(
            "{kind}: {} runs in {:.0} s, {answered} writes answered for, {} records, {asked} questions, \
             {visits} places taken by visits, {kills_in_recovery} kills in recovery, {broken} broken promises",
            options.runs,
            began.elapsed().as_secs_f64(),
            self.ledger.records.len(),
        );
        if self.disk.is_some() {
            println!(
                "{kind}: {losses} losses of power took {sectors} sectors of {unsynced} unsynced writes \
                 and {names} names"
            );
        }
        if broken > 0 || options.keep {
            println!("the data are kept in {}", self.folder.display());
        } else {
            fs::remove_dir_all(&self.folder)?;
        }
        Ok(broken)
    }

    fn environment(&self) -> &[(&'static str, OsString)] {
        self.disk.as_ref().map_or(&[], |(_, environment)| environment)
    }

    fn start(&self) -> anyhow::Result<Server> {
        Server::start(&Start {
            binary: &self.binary,
            data: &self.data,
            words: &[],
            environment: self.environment(),
        })
    }

    /// Mixed writes until the kill, at a random moment.
    fn load(&mut self, run: u64, server: Server) -> anyhow::Result<()> {
        let stop = AtomicBool::new(false);
        let last = LOAD_MS.0 + self.random.below(LOAD_MS.1 - LOAD_MS.0);
        let mut callers = Vec::new();
        let places = desk::open(&mut server.http()?, run)?;
        for caller in 0..CALLERS {
            callers.push(self.caller(run, caller, &server, &places)?);
        }
        let parts: Vec<Ledger> = thread::scope(|scope| {
            let stop = &stop;
            let callers: Vec<_> =
                callers.into_iter().map(|caller| scope.spawn(move || caller.run(stop))).collect();
            thread::sleep(Duration::from_millis(last));
            let killed = server.kill();
            stop.store(true, Ordering::Relaxed);
            let parts = callers.into_iter().filter_map(|caller| caller.join().ok()).collect();
            killed.map(|()| parts)
        })?;
        if u64::try_from(parts.len())? != CALLERS {
            bail!("a caller failed");
        }
        let before = self.ledger.answered.len();
        parts.into_iter().for_each(|part| self.ledger.merge(part));
        self.tally.answered += self.ledger.answered.len() - before;
        Ok(())
    }

    /// A caller, with those records of earlier runs that are its own.
    fn caller(
        &mut self,
        run: u64,
        caller: u64,
        server: &Server,
        places: &[desk::Place],
    ) -> anyhow::Result<Caller> {
        let mut ledger = Ledger::default();
        let mut own = Vec::new();
        for (i, (key, record)) in self.ledger.records.iter().enumerate() {
            // What is shared, and visits, which hold a place, are changed in their own ways.
            let shared = SHARED.contains(&key.as_str()) || key.starts_with("Appointment/");
            // The latest records see most of the changes; old ones are touched now and then.
            if u64::try_from(i)? % CALLERS == caller && !shared && self.random.once_in(4) {
                ledger.records.insert(key.clone(), record.clone());
                own.push(key.clone());
            }
        }
        let random = self.random.fork();
        let http = server.http()?;
        let (name, places) = (format!("m{run}-{caller}"), places.to_vec());
        Ok(Caller { http, random, name, own, places, booked: Vec::new(), ledger, count: 0 })
    }

    fn lose_power(&mut self) -> anyhow::Result<()> {
        let Some((disk, _)) = &self.disk else { return Ok(()) };
        self.taken.clear();
        disk.survive()?;
        // Now and then the process dies and the machine does not: what is not synced stays so.
        if self.random.once_in(4) {
            return Ok(());
        }
        let loss = disk.lose(&mut self.random)?;
        self.tally.losses += 1;
        self.tally.unsynced += loss.unsynced;
        self.tally.sectors += loss.sectors;
        self.tally.names += loss.names.len();
        self.taken = loss.names;
        Ok(())
    }

    /// Sometimes the next kill comes while the server still recovers from this one.
    fn interrupt_recovery(&mut self) -> anyhow::Result<()> {
        if !self.random.once_in(5) {
            return Ok(());
        }
        let mut child = std::process::Command::new(&self.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(&self.data)
            .envs(self.environment().iter().map(|(name, value)| (*name, value)))
            .stdin(std::process::Stdio::null())
            .stdout(fs::File::options().create(true).append(true).open(log_of(&self.data))?)
            .stderr(fs::File::options().create(true).append(true).open(log_of(&self.data))?)
            .spawn()?;
        thread::sleep(Duration::from_millis(1 + self.random.below(80)));
        child.kill()?;
        child.wait()?;
        self.tally.kills_in_recovery += 1;
        // Killed before it touched a file, it had nothing to lose.
        if self.disk.as_ref().is_some_and(|(disk, _)| !disk.has_journal()) {
            return Ok(());
        }
        self.lose_power()
    }

    /// Holds the server against the ledger: the records of this run and a sample of others; all at last.
    fn verify(&mut self, server: &Server, run: u64, all: bool) -> anyhow::Result<Vec<String>> {
        let answered = std::mem::take(&mut self.ledger.answered);
        let mut keys: BTreeSet<String> = answered.iter().map(|(key, _)| key.clone()).collect();
        let records = &self.ledger.records;
        keys.extend(records.iter().filter(|(_, r)| !r.open.is_empty()).map(|(k, _)| k.clone()));
        let known: Vec<&String> = records.keys().collect();
        if all {
            keys.extend(known.into_iter().cloned());
        } else {
            let sample = (0..SAMPLE).filter_map(|_| self.random.pick(&known));
            keys.extend(sample.map(|key| (*key).clone()));
        }
        let mut http = server.http()?;
        let (mut wrong, asked) = verify::records(&mut http, &mut self.ledger, &keys)?;
        self.tally.asked += asked;
        wrong.extend(verify::counts(&mut http, &self.ledger)?);
        // Books of earlier runs nobody writes in; at last all are looked at again.
        for run in if all { 1 } else { run }..=run {
            let (found, visits) = desk::check(&mut http, run)?;
            wrong.extend(found);
            self.tally.visits += visits;
        }
        let from = self.last_event.saturating_sub(EVENTS_LOST_MAX).max(1);
        self.last_event = verify::audit(&self.binary, &self.data, &answered, from, &mut wrong)?;
        let live =
            |(_, r): &(&String, &ledger::Record)| matches!(r.last(), Some((_, State::Live(_))));
        if all && self.tally.visits == 0 {
            wrong.push("nobody was booked: the drill proved nothing of the desk".to_owned());
        }
        if all && self.ledger.records.iter().filter(live).count() == 0 {
            wrong.push("nothing was stored: the drill proved nothing".to_owned());
        }
        Ok(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_words_refused() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options = Options::parse(&words("--runs 3 --seed 9 --mode power")).expect("options");
        assert_eq!((options.runs, options.seed, options.modes()), (3, 9, vec![true]));
        for bad in ["--runs", "--runs x", "--mode fire", "now"] {
            assert!(Options::parse(&words(bad)).is_err(), "{bad}");
        }
    }
}
