//! A fuzzer on stable Rust for everything that reads what strangers send: JSON, search URLs, FHIRPath
//! and bundles. `cargo xtask fuzz` builds and runs it, with debug assertions and overflow checks on.
//!
//! It grows inputs from real ones by mutation, and keeps those that got an answer of a kind not seen
//! before, so it works its way past the first refusals. An input that panics, hangs or breaks a law of
//! its target is saved with the seed that made it.
#![expect(clippy::print_stdout, reason = "a command-line tool talks by printing")]

mod engine;
mod mutate;
mod seeds;
mod target;

use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// What was asked for.
#[derive(Debug)]
struct Options {
    target: String,
    length: Duration,
    seed: u64,
    findings: PathBuf,
    /// One input to try, and nothing else.
    replay: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let options = Options::parse(&words)?;
    let target = target::named(&options.target).with_context(|| {
        format!("no target `{}`; there are {}", options.target, target::NAMES.join(", "))
    })?;
    if let Some(path) = &options.replay {
        let input = std::fs::read(path).with_context(|| path.display().to_string())?;
        println!("{:?}", target().run(&input));
        return Ok(ExitCode::SUCCESS);
    }
    let findings = engine::run(&options, target)?;
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Options {
    fn parse(words: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            target: String::new(),
            length: Duration::from_secs(60),
            seed: 1,
            findings: PathBuf::from("target/fuzz"),
            replay: None,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().with_context(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--target" => options.target.clone_from(value),
                "--minutes" => {
                    options.length = Duration::from_secs_f64(value.parse::<f64>()? * 60.0)
                }
                "--seed" => options.seed = value.parse()?,
                "--findings" => options.findings = value.into(),
                "--replay" => options.replay = Some(value.into()),
                other => bail!("unknown word `{other}`"),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let words = ["--target", "json", "--minutes", "0.5", "--seed", "7"].map(str::to_owned);
        let options = Options::parse(&words).expect("options");
        assert_eq!((options.length, options.seed), (Duration::from_secs(30), 7));
        assert!(Options::parse(&["--fast".to_owned(), "1".to_owned()]).is_err());
    }
}
