//! `cargo xtask ci`: everything a change must pass, the cheapest first, stopping at the first failure.
//!
//! `.ci/run` runs the same list on a bare machine, with the tests run by the README's own words.

use crate::{COMMANDS, Command, root};
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Instant;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "ci",
    usage: "[--no-tests]",
    about: "run everything a change must pass, stopping at the first failure",
    run,
};

/// What is built beside what is built anyway: one build of everything, with the program that can speak to
/// tokens in it.
const FEATURES: [&str; 2] = ["--features", "plummer/kms-pkcs11"];
/// The variable that names the folder of shared test data.
const TEST_DATA: &str = "PLUMMER_TEST_DATA";
/// The R4 package inside that folder, which the committed definitions are compiled from.
const R4_PACKAGE: &str = "fhir/packages/hl7.fhir.r4.core-4.0.1.tgz";

fn run(words: &[String]) -> anyhow::Result<()> {
    let tests = match words {
        [] => true,
        [flag] if flag == "--no-tests" => false,
        _ => bail!("expected nothing or --no-tests"),
    };
    step("fmt", || cargo(&["fmt", "--all", "--", "--check"]))?;
    step("tidy", || own("tidy", &[]))?;
    step("definitions", definitions)?;
    step("deny", deny)?;
    step("clippy", || {
        let words = ["clippy", "--workspace", "--all-targets", "--locked"];
        cargo(&[&words[..], &FEATURES, &["--", "-D", "warnings"]].concat())
    })?;
    if tests {
        step("test", || cargo(&[&["test", "--workspace", "--locked"][..], &FEATURES].concat()))?;
    }
    Ok(())
}

fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    println!("== {name}");
    let start = Instant::now();
    work().with_context(|| format!("{name} failed"))?;
    println!("== {name}: passed in {:.1} s\n", start.elapsed().as_secs_f64());
    Ok(())
}

/// Compiles the definitions again and compares, when the package they come from is at hand.
fn definitions() -> anyhow::Result<()> {
    let Some(package) = r4_package() else {
        println!("NOT CHECKED: {TEST_DATA} does not lead to {R4_PACKAGE}");
        return Ok(());
    };
    if COMMANDS.iter().all(|c| c.name != "definitions") {
        println!("NOT CHECKED: this xtask has no command `definitions`");
        return Ok(());
    }
    own("definitions", &["--check".to_owned(), package.display().to_string()])
}

fn r4_package() -> Option<PathBuf> {
    let package = Path::new(&std::env::var_os(TEST_DATA)?).join(R4_PACKAGE);
    package.is_file().then_some(package)
}

/// Licences, bans and sources always; advisories when their database can be fetched.
fn deny() -> anyhow::Result<()> {
    let there = process::Command::new("cargo")
        .args(["deny", "--version"])
        .stdout(process::Stdio::null())
        .stderr(process::Stdio::null())
        .status();
    if !there.is_ok_and(|status| status.success()) {
        println!("NOT CHECKED: cargo-deny is not installed (cargo install --locked cargo-deny)");
        return Ok(());
    }
    cargo(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"])?;
    let advisories = process::Command::new("cargo")
        .args(["deny", "check", "advisories"])
        .current_dir(root())
        .output()
        .context("cargo deny did not start")?;
    let said = String::from_utf8_lossy(&advisories.stderr);
    if !advisories.status.success() && said.contains("failed to fetch advisory database") {
        println!("NOT CHECKED: advisories, whose database cannot be fetched from here");
        return Ok(());
    }
    print!("{said}");
    if !advisories.status.success() {
        bail!("an advisory stands against a dependency");
    }
    Ok(())
}

fn own(name: &str, words: &[String]) -> anyhow::Result<()> {
    let command = COMMANDS.iter().find(|c| c.name == name).context("no such command")?;
    (command.run)(words)
}

fn cargo(words: &[&str]) -> anyhow::Result<()> {
    let status = process::Command::new("cargo")
        .args(words)
        .current_dir(root())
        .env("INSTA_UPDATE", "no")
        .status()
        .context("cargo did not start")?;
    if !status.success() {
        bail!("`cargo {}` ended with {status}", words.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_words_it_does_not_know() {
        assert!(run(&["--no-test".to_owned()]).is_err());
    }
}
