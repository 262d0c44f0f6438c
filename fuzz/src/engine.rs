//! The loop: pick an input, mutate it, run it, keep it if its answer is of a new kind, save it if it
//! panicked, broke a law or took too long.

use crate::Options;
use crate::mutate::Mutator;
use crate::seeds;
use crate::target::{Outcome, Target};
use anyhow::Context;
use conformance::random::Random;
use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// An input that takes this long is a finding by itself.
const HANG: Duration = Duration::from_secs(20);
/// Inputs kept at most.
const CORPUS_MAX: usize = 20_000;
/// Inputs kept of one kind of answer, so that no kind crowds out the others.
const KIND_MAX: u64 = 64;
const REPORT: Duration = Duration::from_secs(60);
/// Looks of the watcher in the time of a hang.
const LOOKS: u32 = 10;
/// Bytes of an input that others are grown from.
const INPUT_KEPT: usize = 16 << 10;
/// What one run counts as time at work, at most.
const RUN_MAX: Duration = Duration::from_secs(1);

/// What runs now, by its number, for the watcher.
#[derive(Debug, Default)]
struct Now(Mutex<Option<(u64, Vec<u8>)>>);

/// Runs the target for as long as asked; tells how many inputs were saved.
pub(crate) fn run(options: &Options, make: fn() -> Box<dyn Target>) -> anyhow::Result<u64> {
    let folder = options.findings.join(&options.target);
    fs::create_dir_all(&folder)?;
    let mut target = make();
    let mut corpus = seeds::of(&options.target)?;
    println!("{}: {} seeds, seed {}", options.target, corpus.len(), options.seed);
    let now = Arc::new(Now::default());
    watch(Arc::clone(&now), folder.clone());
    // A panic is counted and saved; its text would drown the figures.
    set_hook(Box::new(|_| {}));
    let mut mutator = Mutator::new(Random::new(options.seed), target.words());
    let mut choose = Random::new(!options.seed);
    let (mut kinds, mut findings, mut runs) = (HashMap::<u64, u64>::new(), 0, 0_u64);
    // Time at work: a fuzzer that was stopped for a while (for a measurement, say) makes up for it.
    let (mut spent, mut told) = (Duration::ZERO, Duration::ZERO);
    let mut accepted = 0_u64;
    let seeds = corpus.len().min(CORPUS_MAX);
    while spent < options.length {
        let started = Instant::now();
        // Each seed once as it is, then mutants.
        let input =
            match usize::try_from(runs).ok().filter(|i| *i < seeds).and_then(|i| corpus.get(i)) {
                Some(seed) => seed.clone(),
                None => mutator.mutant(&corpus),
            };
        now.set(Some((runs, input.clone())));
        let outcome = catch_unwind(AssertUnwindSafe(|| target.run(&input)));
        now.set(None);
        runs += 1;
        spent += started.elapsed().min(RUN_MAX);
        let kind = match outcome {
            Ok(Outcome::Accepted(kind)) => {
                accepted += 1;
                format!("+{kind}")
            }
            Ok(Outcome::Refused(kind)) => kind,
            Ok(Outcome::Broken(law)) => {
                findings += 1;
                save(&folder, "law", &input, &law)?;
                continue;
            }
            Err(panic) => {
                findings += 1;
                save(&folder, "panic", &input, &message(&*panic))?;
                // What panicked may have left the target in an odd state.
                target = make();
                continue;
            }
        };
        let seen = kinds.entry(hash(&kind)).or_default();
        *seen += 1;
        // Long inputs are tried, but what grows from them is longer still and slow.
        let rare = *seen <= KIND_MAX && seen.is_power_of_two() && input.len() <= INPUT_KEPT;
        if rare && corpus.len() < CORPUS_MAX {
            corpus.push(input);
        } else if rare {
            // A full corpus still moves on; the seeds stay.
            let at = seeds + choose.index(CORPUS_MAX - seeds);
            if let Some(place) = corpus.get_mut(at) {
                *place = input;
            }
        }
        if spent.saturating_sub(told) >= REPORT {
            told = spent;
            tell(spent, runs, accepted, &corpus, kinds.len(), findings);
        }
    }
    tell(spent, runs, accepted, &corpus, kinds.len(), findings);
    Ok(findings)
}

fn tell(
    spent: Duration,
    runs: u64,
    accepted: u64,
    corpus: &[Vec<u8>],
    kinds: usize,
    findings: u64,
) {
    let seconds = spent.as_secs().max(1);
    println!(
        "{seconds} s: {runs} runs, {} a second, {accepted} accepted, {kinds} kinds of answer, \
         {} inputs, {findings} findings",
        runs / seconds,
        corpus.len(),
    );
}

impl Now {
    fn set(&self, what: Option<(u64, Vec<u8>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }
}

/// Saves an input that does not end, and ends the process: nothing else can stop it.
fn watch(now: Arc<Now>, folder: std::path::PathBuf) {
    thread::spawn(move || {
        // Looks are counted, not time: a process that was stopped did not look either.
        let (mut last, mut looks) = (None, 0);
        loop {
            thread::sleep(HANG / LOOKS);
            let running = now.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let number = running.as_ref().map(|(number, _)| *number);
            looks = if number == last { looks + 1 } else { 0 };
            last = number;
            if let Some((_, input)) = running
                && looks > LOOKS
            {
                let saved = save(&folder, "hang", &input, "it took too long");
                println!("an input takes more than {HANG:?}; saved: {saved:?}");
                std::process::abort();
            }
        }
    });
}

/// Saves an input under a name made of its bytes, with why beside it.
fn save(folder: &Path, why: &str, input: &[u8], text: &str) -> anyhow::Result<()> {
    let path = folder.join(format!("{why}-{:016x}", hash(input)));
    fs::write(&path, input).with_context(|| path.display().to_string())?;
    fs::write(path.with_extension("txt"), text)?;
    let short: String = text.chars().take(200).collect();
    println!("{why}: {short}\n  saved as {}", path.display());
    Ok(())
}

fn hash(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without words").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics at `!`, and takes `?` for a broken law.
    struct Touchy;
    impl Target for Touchy {
        fn run(&mut self, input: &[u8]) -> Outcome {
            assert!(!input.contains(&b'!'), "found it");
            if input.contains(&b'?') {
                Outcome::Broken("?".to_owned())
            } else {
                Outcome::Refused(String::new())
            }
        }

        fn words(&self) -> &'static [&'static str] {
            &["!", "?"]
        }
    }

    #[test]
    fn a_panic_and_a_broken_law_are_found_and_saved() {
        let folder = tempfile::tempdir().expect("a folder");
        let options = Options {
            target: "fhirpath".to_owned(),
            length: Duration::from_millis(400),
            seed: 3,
            findings: folder.path().to_owned(),
            replay: None,
        };
        let findings = run(&options, || Box::new(Touchy)).expect("a run");
        assert!(findings > 1, "{findings}");
        let names = fs::read_dir(folder.path().join("fhirpath")).expect("a folder");
        let names: Vec<_> = names.map(|n| n.expect("a file").file_name()).collect();
        for why in ["panic", "law"] {
            assert!(names.iter().any(|n| n.to_string_lossy().starts_with(why)), "{names:?}");
        }
    }
}
