//! The arguments of `plummer labels`.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Labels {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: LabelsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelsCommand {
    /// Say which rules are in force, and how many versions wait to be gone over
    Status,
    /// Go over what waits now, as fast as the machine can
    Relabel(Relabel),
    /// Tag a record for the rules: a Part 2 programme, a VIP
    Tag(Tagging),
    /// Take such a tag off
    Untag(Tagging),
    /// List the records that are tagged
    Tags,
}

#[derive(Debug, Args)]
pub(crate) struct Relabel {
    /// Go over every version, though no rule has changed
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Tagging {
    /// part2-programme, sud-counselling-notes, psychotherapy-notes or vip
    pub(crate) tag: String,
    /// The record, as Organization/ID or Patient/ID
    #[arg(value_name = "TYPE/ID")]
    pub(crate) record: String,
}
