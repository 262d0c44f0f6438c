//! The arguments of `plummer audit review`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// List cases, the soonest due first
    List(ReviewList),
    /// Show a case: what it is about, what is held of it, and every step
    Show(ReviewShow),
    /// Give a case to somebody
    Assign(ReviewAssign),
    /// Decide a case
    Close(ReviewClose),
    /// Open a closed case again; its history stays
    Reopen(ReviewReopen),
    /// Look through the log now for what has no case yet
    Sweep,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewList {
    /// open, assigned, closed, undecided (open and assigned) or all
    #[arg(long, default_value = "undecided")]
    pub(crate) state: String,
    /// Only cases that are overdue
    #[arg(long)]
    pub(crate) overdue: bool,
    /// Only cases that this person has, by sign-in name
    #[arg(long, value_name = "NAME")]
    pub(crate) mine: Option<String>,
    /// text, csv or ndjson
    #[arg(long, default_value = "text")]
    pub(crate) format: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewShow {
    /// The id of the case
    pub(crate) case: String,
    /// text or ndjson
    #[arg(long, default_value = "text")]
    pub(crate) format: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewAssign {
    /// The id of the case
    pub(crate) case: String,
    /// The sign-in name of who is to decide it, a privacy officer
    #[arg(long, value_name = "NAME")]
    pub(crate) to: String,
    /// The sign-in name of the privacy officer whose step this is
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// What the owner should know
    #[arg(long, default_value = "")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewClose {
    /// The id of the case
    pub(crate) case: String,
    /// appropriate, explained, inappropriate or inconclusive
    #[arg(long)]
    pub(crate) outcome: String,
    /// What the decision rests on
    #[arg(long)]
    pub(crate) note: String,
    /// The sign-in name of the privacy officer whose decision this is
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct ReviewReopen {
    /// The id of the case
    pub(crate) case: String,
    /// Why
    #[arg(long)]
    pub(crate) note: String,
    /// The sign-in name of the privacy officer whose step this is
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
}
