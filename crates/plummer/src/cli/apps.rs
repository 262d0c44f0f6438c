//! The arguments of `plummer app`. No secret is ever an argument; a key set holds public keys only, and
//! is named by its file.

use crate::cli::people::{Disable, Named};
use clap::{ArgGroup, Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct App {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: AppCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AppCommand {
    /// Register an app that users start, a service that acts as itself, or an agent that acts for users
    Add(Box<AppAdd>),
    /// List the apps
    List,
    /// Show one app: its client id, addresses, scopes
    Show(Named),
    /// Draw another secret for an app, and print it once; the old one is worth nothing at once
    RenewSecret(Named),
    /// Shut an app out at once, and end all it was given
    Disable(Disable),
    /// Let an app in again; what it was given before stays ended
    Enable(Named),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("proof").required(true))]
pub(crate) struct AppAdd {
    /// Its name
    pub(crate) name: String,
    /// The name that users read when they decide about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) display: String,
    /// An address it may be sent back to, to the letter; may be given again
    #[arg(long = "redirect", value_name = "URL")]
    pub(crate) redirects: Vec<String>,
    /// Where it is started from here, with a patient in context
    #[arg(long, value_name = "URL")]
    pub(crate) launch: Option<String>,
    /// The most it may ever be given: scopes, parted by spaces
    #[arg(long = "scope", value_name = "SCOPES", required = true)]
    pub(crate) scopes: Vec<String>,
    /// It cannot keep a secret: it runs in a browser or on a phone
    #[arg(long, group = "proof")]
    pub(crate) public: bool,
    /// It signs with a key of this file, a JWK Set of public keys
    #[arg(long, value_name = "FILE", group = "proof")]
    pub(crate) jwks: Option<PathBuf>,
    /// It signs with a key of the JWK Set at this address
    #[arg(long, value_name = "URL", group = "proof")]
    pub(crate) jwks_url: Option<String>,
    /// It shows a secret, which is drawn and printed once
    #[arg(long, group = "proof")]
    pub(crate) secret: bool,
    /// A role of the app itself, for what it does without a user; may be given again
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// It may ask about the tokens of other apps
    #[arg(long)]
    pub(crate) introspects: bool,
    /// It is an AI agent: it acts for a user, within what both may, and never by itself
    #[arg(long, conflicts_with_all = ["redirects", "launch", "public", "secret"])]
    pub(crate) agent: bool,
}
