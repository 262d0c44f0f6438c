//! The arguments of `plummer reminders`.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Reminders {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: RemindersCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RemindersCommand {
    /// Say how many are in each state
    Status,
    /// List them by the beginning of the visit; kept for thirty days after it
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only these: sending, sent, failed, given-up, opted-out, no-address, called-off or superseded
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub(crate) state: Vec<String>,
}
