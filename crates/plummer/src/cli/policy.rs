//! The arguments of `plummer policy`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Policy {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Check the policies of a folder, and tell every fault with its file and line
    Check(PolicyCheck),
    /// Show the roles and what they may do: the access matrix
    Show(PolicyShow),
    /// Tell who would gain and who would lose what by other policies; fails when anybody gains
    Diff(PolicyDiff),
    /// Tell why somebody may, or may not, do something to a record
    Why(PolicyWhy),
    /// Ask the accesses in the log again, of policies that are not in force
    Simulate(PolicySimulate),
    /// Put the policies of the folder in force in the running server, all or none
    Reload,
    /// Say which policies are in force
    Standing,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheck {
    /// The folder [default: the setting `policy_folder`]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyShow {
    /// The folder [default: the setting `policy_folder`]
    pub(crate) dir: Option<PathBuf>,
    /// Only these roles; may be given again
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// Only these types; may be given again
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyDiff {
    /// The folder with the policies as they are
    pub(crate) old: PathBuf,
    /// The folder with the policies as they would be
    pub(crate) new: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyWhy {
    /// The sign-in name of whoever is asked about
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// What they would do, such as read, search, update or export
    #[arg(long)]
    pub(crate) action: String,
    /// The resource type [default: Patient]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// The id of the record; one is imagined without it
    #[arg(long, requires = "kind")]
    pub(crate) id: Option<String>,
    /// The id of the patient; with --type, of whom an imagined record is
    #[arg(long, value_name = "ID", conflicts_with = "id", required_unless_present = "kind")]
    pub(crate) patient: Option<String>,
    /// The purpose, such as TREAT [default: those of their roles]
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: Option<String>,
    /// They have just shown a factor
    #[arg(long)]
    pub(crate) fresh_factor: bool,
    /// With the patients they treated at this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) at: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PolicySimulate {
    /// The folder with the policies that are not in force
    #[arg(long, value_name = "DIR")]
    pub(crate) policies: PathBuf,
    /// Not before this date or instant
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Before this date or instant
    #[arg(long = "to", value_name = "DATE")]
    pub(crate) until: Option<String>,
}
