//! The command line: commands and their arguments. What they do stands in `command/`, one file each.

pub(crate) mod people;

use crate::settings::flags::Flags;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// Plummer keeps the record of a clinic.
#[derive(Debug, Parser)]
#[command(name = "plummer", version, about, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) flags: Flags,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the FHIR API on this machine
    Serve(Serve),
    /// Load resources from files, folders and archives
    Import(Import),
    /// Write all resources as NDJSON, one file per type
    Export(Export),
    /// Make a synthetic clinic
    Generate(Generate),
    /// Copy everything to a new folder, also while the server runs
    Backup(Backup),
    /// Put a backup back into an empty data folder
    Restore(Restore),
    /// Add, change and shut out the people who may sign in
    User(people::User),
    /// Show the roles and what they permit
    Role(people::Role),
    /// Add and shut out programs and machines
    Client(people::Client),
    /// Issue and revoke tokens for scripts
    Token(people::Token),
    /// Make the first administrator with the code of the first start
    Claim(people::Claim),
    /// Check or show the access log
    #[command(subcommand)]
    Audit(Audit),
    /// Check or show the settings
    #[command(subcommand)]
    Config(Config),
    /// Print the version
    Version,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Serve the demo clinic, made first if the data folder is empty [data folder: plummer-data/demo]
    #[arg(long)]
    pub(crate) demo: bool,
    /// Patients of the demo clinic
    #[arg(long, default_value_t = 200, requires = "demo")]
    pub(crate) demo_patients: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// Files (.json, .ndjson, also .gz, .zst, .tar, .tar.gz, .tgz, .tar.zst), folders, or - for standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Go on past a bad resource; of a transaction with one, store the others
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Write the receipt as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) receipt: Option<PathBuf>,
    /// Threads that parse and validate [default: the number of processors]
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The folder to write to; made if it is not there, and must be empty
    pub(crate) to: PathBuf,
    /// Only these types, separated by commas
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// Compress each file (.ndjson.zst)
    #[arg(long)]
    pub(crate) zstd: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Generate {
    /// How many patients
    #[arg(long, default_value_t = 100)]
    pub(crate) patients: u64,
    /// Another seed, another clinic
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The day the clinic is set on [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) today: Option<String>,
    /// A folder for one NDJSON file per type, or - for standard output
    #[arg(long, default_value = "-", value_name = "DIR|-")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// The folder to make
    pub(crate) to: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// A folder that `plummer backup` made
    pub(crate) from: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Read the whole access log and name the first event that is altered, missing or out of order
    Verify,
    /// Print events as JSON lines
    Show(AuditShow),
}

#[derive(Debug, clap::Args)]
pub(crate) struct AuditShow {
    /// Only events that concern this patient's id
    #[arg(long, value_name = "ID")]
    pub(crate) patient: Option<String>,
    /// Only events of this kind, such as read or search
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only events of this actor
    #[arg(long)]
    pub(crate) actor: Option<String>,
    /// Not before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<String>,
    /// From this event's number on
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) from_seq: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Check the settings in force and change nothing
    Check,
    /// Print every setting, its value, and where the value comes from
    Show,
}
