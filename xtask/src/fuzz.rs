//! `cargo xtask fuzz`: builds the fuzzer of `fuzz/` with debug assertions on and runs it. It stands
//! apart because it links the parsers it tries, and the chores must stay quick to build.

use crate::{Command, root};
use anyhow::{Context, bail};

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "fuzz",
    usage: "--target json|search-url|fhirpath|bundle [--minutes M] [--seed S] [--replay FILE]",
    about: "grow odd inputs for one of the parsers, and save those that break it",
    run,
};

fn run(words: &[String]) -> anyhow::Result<()> {
    let status = std::process::Command::new("cargo")
        .args(["run", "--quiet", "--profile", "fuzz", "--package", "fuzz", "--"])
        .args(words)
        .current_dir(root())
        .status()
        .context("cargo did not start")?;
    if !status.success() {
        bail!("the fuzzer ended with {status}");
    }
    Ok(())
}
