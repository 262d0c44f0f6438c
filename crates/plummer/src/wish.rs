//! What one command asks of the process that holds the data folder, and what is told back: the words
//! of the control socket, one JSON text a line, and of a command that holds the folder itself.

use crate::policies::{ShownSimulated, ShownStanding, ShownWhy, WantedWhy};
use crate::reviews::{AboutReview, ShownCase, ShownCounts, ShownSwept};
use identity::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::PathBuf;

/// The version of these words. Another is refused: commands and server are of one program.
pub(crate) const VERSION: u32 = 1;

/// A request: a version and a wish.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) version: u32,
    pub(crate) wish: Wish,
}

/// A wish.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Wish {
    /// A copy of everything.
    Backup { to: PathBuf },
    /// Those of a sort.
    List { sort: Sort },
    /// One of them.
    Show { sort: Sort, name: String },
    /// A new one; persons may have a password, drawn or given.
    Add { profile: Box<Wanted>, password: Option<Given> },
    /// Roles more, roles less.
    Roles { name: String, grant: Vec<String>, revoke: Vec<String> },
    /// Shut out.
    Disable { sort: Sort, name: String, reason: String },
    /// Let in again.
    Enable { sort: Sort, name: String },
    /// Another password.
    Password { name: String, password: Given },
    /// No second factors.
    ResetFactors { name: String },
    /// No person of an issuer is this one any more.
    Unlink { name: String },
    /// The passkeys of one; `remove` removes one of them.
    Passkeys { name: String, remove: Option<String> },
    /// What one has open; `end` ends one of them, or all.
    Sessions { sort: Sort, name: String, end: Option<Ending> },
    /// A token for a script.
    Issue { name: String, ttl_ms: i64, note: String },
    /// Tokens of one, or of all.
    Tokens { name: Option<String> },
    /// A token less.
    Revoke { token: String },
    /// The apps that are registered.
    Apps,
    /// One of them.
    ShowApp { name: String },
    /// Another one.
    AddApp { app: Box<WantedApp> },
    /// Another secret for one.
    RenewApp { name: String },
    /// One shut out, and all it was given ended.
    DisableApp { name: String, reason: String },
    /// One let in again, with nothing given.
    EnableApp { name: String },
    /// A token for an agent that acts for somebody.
    Delegate {
        agent: String,
        acts_for: String,
        scopes: String,
        patient: Option<String>,
        ttl_ms: i64,
    },
    /// The delegations that there are, or those of one, to an agent or by whom it acts for.
    Delegations { name: Option<String> },
    /// A delegation less, when there is such a one.
    EndDelegation { id: String },
    /// Which policies are in force.
    PolicyStanding,
    /// The policies of the site's folder put in force.
    PolicyReload,
    /// Why somebody may, or may not, do something.
    PolicyWhy { asked: Box<WantedWhy> },
    /// What other policies would have changed.
    PolicySimulate { dir: PathBuf, from_ms: Option<i64>, until_ms: Option<i64> },
    /// Something about the labels of records.
    Labels { ask: AboutLabels },
    /// How reminders of visits stand.
    Reminders,
    /// What the store remembers of the log.
    LogAnchor,
    /// The event of a reading of the log that a command makes by itself.
    LogRead { patient: Option<String> },
    /// Something about cases of review.
    Review { ask: Box<AboutReview> },
    /// A claim code, drawn anew.
    DrawClaim,
    /// The first administrator.
    Claim { code: Hidden, name: String, display: String, password: Hidden },
}

/// What is wished about labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum AboutLabels {
    /// How they stand.
    Status,
    /// What waits is gone over; `all` versions are.
    Relabel { all: bool },
    /// A record is tagged, or is no longer.
    Tag { tag: String, record: String, on: bool },
    /// The records that are tagged.
    Tags,
}

/// People, or programs and machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sort {
    Person,
    Program,
    Any,
}

/// What to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ending {
    All,
    One(String),
}

/// A new principal.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) roles: Vec<String>,
    pub(crate) sites: Vec<String>,
    pub(crate) care_teams: Vec<String>,
    pub(crate) practitioner: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) represents: Vec<String>,
}

/// A new app.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedApp {
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) redirects: Vec<String>,
    pub(crate) launch: Option<String>,
    pub(crate) proves: Proof,
    /// Parted by spaces.
    pub(crate) scopes: String,
    pub(crate) roles: Vec<String>,
    pub(crate) introspects: bool,
    /// It is an agent, which acts for users.
    pub(crate) agent: bool,
}

/// How an app proves that it is itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Proof {
    /// Not at all.
    Public,
    /// By a secret that is drawn and told once.
    Secret,
    /// By a key of this set, the text of a file; none of it is secret.
    Jwks(String),
    /// By a key of the set at this address.
    JwksUrl(String),
}

/// A password: given, or to be drawn and told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    /// None: draw one.
    pub(crate) text: Option<Hidden>,
    /// It need not be changed.
    pub(crate) permanent: bool,
}

/// A text that is written to the socket and nowhere else.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) Secret);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Hidden {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.expose())
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Secret::new(text)))
    }
}

/// A line of the answer; the last one is not `Pages`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Line {
    /// How far a copy is.
    Pages { done: u64, all: u64 },
    /// Done.
    Told(Told),
    /// Not done.
    Failed(String),
}

/// What was done.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Told {
    Done,
    One(Box<Shown>),
    Many(Vec<Shown>),
    Sessions(Vec<Open>),
    Passkeys(Vec<ShownPasskey>),
    Ended(usize),
    Issued {
        token: Hidden,
        open: Open,
    },
    Code(Option<Hidden>),
    App(Box<ShownApp>),
    Apps(Vec<ShownApp>),
    Standing(ShownStanding),
    Why(Box<ShownWhy>),
    Simulated(Box<ShownSimulated>),
    Labels(Box<ShownLabels>),
    Tags(Vec<ShownTag>),
    Tagged {
        changed: bool,
    },
    Reminders(Vec<ShownReminder>),
    /// How many reminders are in each state.
    ReminderCounts(std::collections::BTreeMap<String, usize>),
    /// The last event that the store knows to be safe, and its hash; none before the first.
    Anchor(Option<(u64, [u8; 32])>),
    Cases(Vec<ShownCase>),
    Case(Box<ShownCase>),
    Swept(ShownSwept),
    ReviewCounts(ShownCounts),
}

/// How labels stand, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownLabels {
    /// `current`, `relabelling`, `failing` or `off`.
    pub(crate) labelling: String,
    pub(crate) rules: String,
    pub(crate) epoch: u64,
    pub(crate) waiting: u64,
    pub(crate) changed: u64,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) in_doubt: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub(crate) in_doubt_of_patients: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
}

/// A record that is tagged, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownTag {
    pub(crate) tag: String,
    pub(crate) record: String,
    pub(crate) since: String,
}

/// What became of a reminder, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownReminder {
    /// The Appointment, by logical id.
    pub(crate) appointment: String,
    /// When the visit begins.
    pub(crate) start: String,
    /// How long before: `d7`, `h2`.
    pub(crate) lead: String,
    /// `sending`, `sent`, `failed`, `given-up`, `opted-out`, `no-address`, `called-off` or `superseded`.
    pub(crate) state: String,
    /// When that was written down.
    pub(crate) at: String,
    pub(crate) attempts: u32,
    /// `text` or `mail`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) way: Option<String>,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The code of the last failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// An app, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownApp {
    /// Its `client_id`.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display: String,
    /// `public`, `secret`, `jwks` or the address of a key set.
    pub(crate) proves: String,
    pub(crate) redirects: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) launch: Option<String>,
    pub(crate) scopes: String,
    pub(crate) roles: Vec<String>,
    pub(crate) introspects: bool,
    /// Whether it is an agent, which acts for users and never by itself.
    pub(crate) agent: bool,
    /// Since when and why it may do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disabled: Option<(String, String)>,
    pub(crate) created: String,
    /// A secret that was drawn just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<Hidden>,
}

/// A principal, as commands show it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) display: String,
    pub(crate) kind: String,
    pub(crate) roles: Vec<String>,
    pub(crate) sites: Vec<String>,
    pub(crate) care_teams: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) practitioner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) patient: Option<String>,
    pub(crate) represents: Vec<String>,
    /// Since when and why it may do nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) disabled: Option<(String, String)>,
    pub(crate) created: String,
    /// `none`, `set` or `to be changed`.
    pub(crate) password: String,
    pub(crate) factors: Vec<String>,
    /// How they stand to the second factor that their role demands: empty where none is demanded, `held`,
    /// `by issuer`, `missing`, or `missing from` a day.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) second_factor: String,
    /// The issuers that vouch for them.
    #[serde(default)]
    pub(crate) issuers: Vec<String>,
    pub(crate) sessions: usize,
    pub(crate) tokens: usize,
    /// A password that was drawn just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) drawn: Option<Hidden>,
}

/// A session or token, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) id: String,
    pub(crate) name: String,
    /// `sign-in`, `token` or `delegation`.
    pub(crate) kind: String,
    pub(crate) since: String,
    pub(crate) used: String,
    pub(crate) ends: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    pub(crate) note: String,
}

/// A passkey, as commands show it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShownPasskey {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The host it is bound to.
    pub(crate) host: String,
    pub(crate) since: String,
    /// `never`, or when.
    pub(crate) used: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_one_line_that_reads_back_and_shows_no_password() {
        let wish = Wish::Password {
            name: "ada".to_owned(),
            password: Given { text: Some(Hidden("a\ntulip".into())), permanent: true },
        };
        let request = Request { version: VERSION, wish };
        assert!(!format!("{request:?}").contains("tulip"));
        let line = serde_json::to_string(&request).unwrap();
        assert_eq!(
            line,
            r#"{"version":1,"wish":{"do":"password","name":"ada","password":{"text":"a\ntulip","permanent":true}}}"#
        );
        let read: Request = serde_json::from_str(&line).unwrap();
        let Wish::Password { password, .. } = read.wish else { panic!("another wish") };
        assert_eq!(password.text.unwrap().0.expose(), "a\ntulip");
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for line in [
            r#"{"version":1,"wish":{"do":"shutdown"}}"#,
            r#"{"version":1,"wish":{"do":"draw-claim"},"more":1}"#,
            r#"{"version":1,"wish":{"do":"enable","sort":"person","name":"a","more":1}}"#,
            "backup /somewhere",
            "",
        ] {
            assert!(serde_json::from_str::<Request>(line).is_err(), "{line}");
        }
    }
}
