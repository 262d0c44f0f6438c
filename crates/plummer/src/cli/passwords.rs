//! The arguments of `plummer password-list`: the list of stolen passwords that nobody may choose.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct PasswordList {
    #[command(subcommand)]
    pub(crate) command: PasswordListCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PasswordListCommand {
    /// Make the list from the public one (lines SHA-1:COUNT, ordered by hash) or from passwords
    Import(Import),
    /// Show what the list holds and when it was made
    Show(Show),
    /// Read the whole list and say whether it is damaged
    Check,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file, or - for standard input
    pub(crate) from: PathBuf,
    /// What its lines are
    #[arg(long, value_enum, default_value = "sha1")]
    pub(crate) format: Format,
    /// Leave out what was seen less often; the public list tells how often
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) min_count: u64,
    /// Where to write the list [default: where the settings have it, or the data folder]
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
}

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// SHA-1 hashes with counts, ordered by hash
    Sha1,
    /// Passwords
    Plain,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}
