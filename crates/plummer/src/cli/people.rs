//! The arguments of the commands about who may sign in: `user`, `role`, `client`, `token`, `claim`.
//! No password, code or token is ever an argument: arguments can be read by everybody on the machine.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct User {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: UserCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a person, with a password that they change when they first sign in
    Add(UserAdd),
    /// List all people
    List,
    /// Show one person: roles, sites, password, second factors, sessions
    Show(Named),
    /// Give a person roles
    Grant(Roles),
    /// Take roles away from a person; it takes effect at once
    RevokeRole(Roles),
    /// Shut a person out at once, and end all they have open
    Disable(Disable),
    /// Let a person in again
    Enable(Named),
    /// Set another password, which the person changes when they next sign in
    Password(Password),
    /// Forget the second factors of a person who lost them, and end their sessions
    ResetFactors(Named),
    /// Forget whom issuers mean by a person, and end the sessions that came by them
    Unlink(Named),
    /// List the passkeys of a person, or remove one; a person makes them in the browser
    Passkeys(Passkeys),
    /// List what a person has open, or end it
    Sessions(Sessions),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The sign-in name
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct UserAdd {
    /// The sign-in name
    pub(crate) name: String,
    /// The name that people read
    #[arg(long, value_name = "TEXT")]
    pub(crate) display: String,
    #[command(flatten)]
    pub(crate) about: About,
    /// The Practitioner this person is, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) practitioner: Option<String>,
    /// The Patient this person is, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) patient: Option<String>,
    /// A Patient whose personal representative this person is, by its id; may be given again
    #[arg(long, value_name = "ID")]
    pub(crate) represents: Vec<String>,
    #[command(flatten)]
    pub(crate) password: PasswordHow,
    /// Set no password yet: nobody can sign in under this name until there is one
    #[arg(long, conflicts_with_all = ["draw", "permanent"])]
    pub(crate) no_password: bool,
}

#[derive(Debug, Args)]
pub(crate) struct About {
    /// A role; may be given again (`plummer role list`)
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// A site they work at, by the id of its Organization; may be given again
    #[arg(long = "site", value_name = "ID")]
    pub(crate) sites: Vec<String>,
    /// A care team they are part of, by its id; may be given again
    #[arg(long = "care-team", value_name = "ID")]
    pub(crate) care_teams: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PasswordHow {
    /// Draw a password and print it once, rather than asking for one
    #[arg(long)]
    pub(crate) draw: bool,
    /// The person need not change it
    #[arg(long)]
    pub(crate) permanent: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Password {
    /// The sign-in name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) how: PasswordHow,
}

#[derive(Debug, Args)]
pub(crate) struct Roles {
    /// The sign-in name
    pub(crate) name: String,
    /// The roles (`plummer role list`)
    #[arg(required = true, value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Disable {
    /// The sign-in name
    pub(crate) name: String,
    /// Why, for whoever looks later
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Passkeys {
    /// The sign-in name
    pub(crate) name: String,
    /// Remove this passkey, and end the person's sessions
    #[arg(long, value_name = "PASSKEY")]
    pub(crate) remove: Option<String>,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("ending"))]
pub(crate) struct Sessions {
    /// The sign-in name
    pub(crate) name: String,
    /// End this session
    #[arg(long, value_name = "SESSION", group = "ending")]
    pub(crate) end: Option<String>,
    /// End all sessions and tokens
    #[arg(long, group = "ending")]
    pub(crate) end_all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Role {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: RoleCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    /// List the roles a site begins with
    List,
    /// Show what a role permits: its rules, what they rest on, and their text
    Show(RoleNamed),
}

#[derive(Debug, Args)]
pub(crate) struct RoleNamed {
    /// The role
    pub(crate) role: String,
}

#[derive(Debug, Args)]
pub(crate) struct Client {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: ClientCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Add a program or machine that acts as itself
    Add(ClientAdd),
    /// List programs and machines
    List,
    /// Shut one out at once, and end its tokens
    Disable(Disable),
    /// Let one in again
    Enable(Named),
    /// List what one can show to be let in: its tokens
    Keys(Named),
}

#[derive(Debug, Args)]
pub(crate) struct ClientAdd {
    /// Its name
    pub(crate) name: String,
    /// The name that people read
    #[arg(long, value_name = "TEXT")]
    pub(crate) display: String,
    /// What it is
    #[arg(long, value_enum, default_value = "service")]
    pub(crate) kind: ClientKind,
    #[command(flatten)]
    pub(crate) about: About,
}

/// Kinds of principals that are no person and no OAuth client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClientKind {
    /// A program of the site, such as an interface
    Service,
    /// A machine, such as a monitor
    Device,
    /// An AI agent
    Agent,
}

#[derive(Debug, Args)]
pub(crate) struct Token {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: TokenCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Issue a token to a script, or to an agent that acts for somebody, and print it once
    Issue(TokenIssue),
    /// List tokens and delegations; not what they are, which is kept nowhere
    List(TokenList),
    /// End a token or delegation at once
    Revoke(TokenRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct TokenIssue {
    /// The user or client it acts as, by name
    #[arg(long, value_name = "NAME", required_unless_present = "agent")]
    pub(crate) user: Option<String>,
    /// The agent that acts for somebody, by name; within what both may, and the scopes
    #[arg(long, value_name = "NAME", requires_all = ["acts_for", "scopes"], conflicts_with_all = ["user", "note"])]
    pub(crate) agent: Option<String>,
    /// For whom the agent acts: a user, or a service that stands for a function
    #[arg(long = "for", value_name = "NAME", requires = "agent")]
    pub(crate) acts_for: Option<String>,
    /// What it may be used for, as scopes of an app: user/*.rs; may be given again
    #[arg(long = "scope", value_name = "SCOPES", requires = "agent")]
    pub(crate) scopes: Vec<String>,
    /// The patient that scopes of a patient are about, by its id
    #[arg(long, value_name = "ID", requires = "agent")]
    pub(crate) patient: Option<String>,
    /// How long it is valid: a number and s, m, h or d, such as 1h; of an agent 12 hours at most
    #[arg(long, value_name = "TIME")]
    pub(crate) ttl: String,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "issued at the console")]
    pub(crate) note: String,
}

#[derive(Debug, Args)]
pub(crate) struct TokenList {
    /// Only those of this user, client or agent
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRevoke {
    /// The token, as `plummer token list` names it
    pub(crate) token: String,
}

#[derive(Debug, Args)]
pub(crate) struct Claim {
    /// The sign-in name of the first administrator
    #[arg(required_unless_present = "new")]
    pub(crate) name: Option<String>,
    /// The name that people read
    #[arg(long, value_name = "TEXT", required_unless_present = "new")]
    pub(crate) display: Option<String>,
    /// Draw another claim code and print it; the one before is no longer taken
    #[arg(long, conflicts_with_all = ["name", "display"])]
    pub(crate) new: bool,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}
