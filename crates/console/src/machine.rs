//! What pages are told of the machine that serves: findings, figures, settings, long work, and how far a
//! new house has come. A door finds it out, since this crate knows neither files nor sockets; nothing of
//! it is about a patient (45 CFR 164.308(a)(1)(ii)(D), 164.308(a)(7)).

use base::{Fault, Millis};
use fhir::definitions::TypeId;
use identity::Secret;
use std::fmt::Debug;

/// The machine, for whoever watches over it.
pub trait Machine: Debug + Send + Sync {
    /// What is weak about it, in the words of `plummer doctor`.
    fn findings(&self) -> Vec<Finding>;
    /// How much, how fast, how old.
    fn figures(&self) -> Figures;
    /// The settings in force.
    fn settings(&self) -> Vec<Setting>;
    /// Work that takes longer than a request.
    fn jobs(&self) -> Vec<Job>;
    /// What a new house does before it opens.
    ///
    /// # Errors
    /// When what was confirmed, or who administers the house, cannot be read.
    fn checklist(&self) -> Result<Vec<CheckItem>, Fault>;
    /// Notes that somebody says a thing is done, or takes that back.
    ///
    /// # Errors
    /// `server.parameter.invalid` for what cannot be confirmed; when it cannot be kept.
    fn confirm(&self, item: &str, is_done: bool, by: &str) -> Result<(), Fault>;
    /// Whether nothing was ever stored here, so that the demo clinic may still be chosen.
    fn is_empty(&self) -> bool;
    /// Begins to load the demo clinic; [`Machine::jobs`] tells how far it is.
    ///
    /// # Errors
    /// When there are records already, or it is being loaded.
    fn load_demo(&self) -> Result<(), Fault>;
}

/// A house that nobody administers yet.
pub trait Unclaimed: Debug + Send + Sync {
    /// Makes the first administrator.
    ///
    /// # Errors
    /// As identity refuses it: `identity.claim.invalid` for a code that is not taken,
    /// `identity.password.*` and `identity.principal.*` for what was chosen.
    fn claim(
        &self,
        code: &Secret,
        name: &str,
        display: &str,
        password: &Secret,
    ) -> Result<(), Fault>;
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// As it should be.
    Fine,
    /// It could not be found out.
    Unknown,
    /// Worth knowing.
    Note,
    /// Mend it this week.
    Warning,
    /// Mend it tonight.
    Critical,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its code, which stays.
    pub code: &'static str,
    /// How grave it is.
    pub grade: Grade,
    /// What was found.
    pub found: String,
    /// Why it matters; empty when all is well.
    pub why: String,
    /// What to do; empty when there is nothing.
    pub what_to_do: String,
}

/// Figures of the machine, at one moment.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// Bytes that are free on the data folder's disk, and of it in all.
    pub disk: Option<(u64, u64)>,
    /// Bytes that the store has grown by, and in how many milliseconds; none before that says anything.
    pub grown: Option<(u64, u64)>,
    /// Bytes of the store's file.
    pub store_bytes: u64,
    /// Bytes of its write-ahead log.
    pub wal_bytes: u64,
    /// Units that wait for the writer.
    pub queue_units: u64,
    /// Of a thousand parts of the time since the start, those in which the writer was busy.
    pub writer_busy_permille: u64,
    /// Live records by type.
    pub live: Vec<(TypeId, u64)>,
    /// Versions ever written.
    pub versions: u64,
    /// Versions that the access log does not know yet.
    pub log_behind: u64,
    /// The last event that a signed checkpoint covers.
    pub signed_event: u64,
    /// When the access log was last verified and found sound.
    pub verified: Option<Millis>,
    /// When the last backup was made.
    pub backup: Option<Millis>,
    /// When the certificate in force ends.
    pub certificate_until: Option<Millis>,
    /// Bytes of memory that the server holds.
    pub memory_bytes: Option<u64>,
    /// Milliseconds since the server started.
    pub uptime_ms: u64,
    /// Requests that are being worked on, and open connections.
    pub in_flight: u64,
    /// Open connections.
    pub connections: u64,
    /// Cases of review: undecided, and of those overdue.
    pub reviews: (u64, u64),
    /// Requests since the start, by what they asked for; the first is all of them.
    pub requests: Vec<Rate>,
    /// The slowest searches of the last hour, the slowest first.
    pub slow: Vec<record::SlowSearch>,
}

/// How requests of one kind fared since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rate {
    /// What was asked for; empty for all together.
    pub name: &'static str,
    /// How many.
    pub count: u64,
    /// Refused (4xx).
    pub refused: u64,
    /// Failed (5xx).
    pub failed: u64,
    /// Microseconds that half, 95 of 100 and 99 of 100 took at most; none for longer than is measured.
    pub took_us: [Option<u64>; 3],
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value; none for a secret.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The file, where it comes from one.
    pub file: Option<String>,
    /// What it does, and what it trades.
    pub about: &'static str,
    /// What its value may be.
    pub kind: String,
    /// What it is when nobody sets it.
    pub default: &'static str,
    /// The file that it names is looked at while serving; any other change waits for the next start.
    pub is_reread: bool,
    /// What is risky about its value.
    pub risk: Option<Finding>,
}

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A file of settings.
    File,
    /// The environment.
    Environment,
    /// The command line.
    Flag,
}

/// Long work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What is done.
    pub kind: JobKind,
    /// How it stands.
    pub state: JobState,
    /// Units done.
    pub done: u64,
    /// Units in all, where that is known.
    pub all: Option<u64>,
    /// When it began.
    pub began: Option<Millis>,
    /// When it ended.
    pub ended: Option<Millis>,
    /// The code of what went wrong.
    pub code: Option<&'static str>,
}

/// Kinds of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Records are labelled anew, because the rules changed.
    Relabel,
    /// The access log is swept for cases of review.
    Sweep,
    /// The demo clinic is loaded.
    Demo,
    /// An import that was broken off, and goes on when it is started again.
    Import,
}

/// How long work stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// There is nothing to do now.
    Idle,
    /// It is being done.
    Running,
    /// It was done.
    Done,
    /// It does not go on.
    Failed,
    /// It was broken off, and waits for somebody.
    Paused,
}

/// One thing of the checklist of a new house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckItem {
    /// Which.
    pub item: Item,
    /// How it stands.
    pub state: CheckState,
    /// What was measured, in the doctor's words; empty where nothing can be.
    pub found: String,
    /// What to do.
    pub what_to_do: String,
}

/// How a thing of the checklist stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckState {
    /// It was measured, and is so.
    Measured,
    /// Somebody said so: their name, and when.
    Confirmed(String, Millis),
    /// It was measured, and is not so.
    Open,
    /// Nobody has said so yet.
    Unconfirmed,
}

/// Things of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The port speaks TLS.
    Tls,
    /// There is a backup of these days.
    Backup,
    /// A backup was put back, and what came back was looked at.
    Restore,
    /// Two people can administer the house.
    SecondAdministrator,
    /// A copy of the root key is kept elsewhere.
    KeysEscrowed,
    /// Mail reaches patients.
    Mail,
    /// A time service keeps the clock.
    Clock,
    /// It is decided how long records are kept.
    Retention,
    /// A first visit can be booked: a site that is open, somebody who sees patients there, a kind of visit.
    Places,
}

impl Item {
    /// All of them, in the order in which they are done.
    pub const ALL: [Self; 9] = [
        Self::Tls,
        Self::Clock,
        Self::SecondAdministrator,
        Self::Backup,
        Self::Restore,
        Self::KeysEscrowed,
        Self::Mail,
        Self::Retention,
        Self::Places,
    ];

    /// As forms and files name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::SecondAdministrator => "second-administrator",
            Self::KeysEscrowed => "keys-escrowed",
            Self::Mail => "mail",
            Self::Clock => "clock",
            Self::Retention => "retention",
            Self::Places => "places",
        }
    }

    /// Whether somebody has to say so, since no machine can see it.
    pub const fn is_said(self) -> bool {
        matches!(self, Self::Restore | Self::KeysEscrowed | Self::Mail | Self::Retention)
    }
}
