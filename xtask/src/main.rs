//! `cargo xtask`: the chores of the house, one file per command.
//!
//! To add one: a file beside this one with a `COMMAND`, a `mod` line and a place in [`COMMANDS`]
//! (CONTRIBUTING.md, "a chore"). It stays light on dependencies, since every clone builds it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks by printing"
)]

mod bench;
mod browse;
mod ci;
mod clients;
mod conformance;
mod crash;
mod definitions;
mod fuzz;
mod leak;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Every command, in the order help prints them.
const COMMANDS: &[Command] = &[
    ci::COMMAND,
    tidy::COMMAND,
    definitions::COMMAND,
    conformance::COMMAND,
    clients::COMMAND,
    browse::COMMAND,
    browse::pictures::COMMAND,
    crash::COMMAND,
    leak::COMMAND,
    fuzz::COMMAND,
    bench::COMMAND,
];

/// One chore.
#[derive(Debug)]
pub(crate) struct Command {
    /// The word after `cargo xtask`.
    pub(crate) name: &'static str,
    /// Its arguments, as help prints them.
    pub(crate) usage: &'static str,
    /// What it does, in a sentence without a full stop.
    pub(crate) about: &'static str,
    /// Does it, with the words after its name.
    pub(crate) run: fn(&[String]) -> anyhow::Result<()>,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = words.split_first() else {
        print!("{}", help());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|c| c.name == name) else {
        eprint!("there is no command `{name}`\n\n{}", help());
        return ExitCode::from(2);
    };
    match (command.run)(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn help() -> String {
    let calls = COMMANDS.iter().map(|c| format!("{} {}", c.name, c.usage).trim_end().to_owned());
    let calls: Vec<String> = calls.collect();
    let width = calls.iter().map(String::len).max().unwrap_or(0);
    let rows = calls.iter().zip(COMMANDS);
    let rows = rows.map(|(call, command)| format!("  {call:<width$}  {}\n", command.about));
    format!("cargo xtask <command>\n\n{}", rows.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_name_of_its_own_and_a_line_of_help() {
        let text = help();
        for (i, command) in COMMANDS.iter().enumerate() {
            assert!(COMMANDS.iter().skip(i + 1).all(|other| other.name != command.name));
            assert!(text.contains(command.about), "{}", command.name);
            assert!(!command.about.ends_with('.'), "{}", command.name);
        }
    }
}
