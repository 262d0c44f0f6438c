//! The arguments of `plummer operation`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Operation {
    #[command(subcommand)]
    pub(crate) command: OperationCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OperationCommand {
    /// List the operations of all departments, with what each takes
    List,
    /// Print how one is described in FHIR
    Show(Show),
    /// Carry one out on a data folder that no server holds, and print what it answers
    Call(Call),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, as `list` has it: Appointment-find
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// Its id, as `list` has it: Appointment-find
    pub(crate) id: String,
    /// The record it is asked of, as Type/ID, where it is asked of one
    #[arg(long, value_name = "TYPE/ID")]
    pub(crate) of: Option<String>,
    /// A file with its parameters, as a Parameters resource, instead of NAME=VALUE
    #[arg(long, value_name = "FILE", conflicts_with = "parameters")]
    pub(crate) body: Option<PathBuf>,
    /// Its parameters
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
}
