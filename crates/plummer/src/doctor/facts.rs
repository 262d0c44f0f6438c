//! What the doctor judges by: facts about one box and one data folder. A fact that could not be found
//! out is unknown, with the reason, and is never taken for good. A test makes them by hand.

use base::Millis;
use std::path::PathBuf;

/// A fact, or why it is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact<T> {
    /// It is so.
    Known(T),
    /// It could not be found out, because.
    Unknown(&'static str),
}

impl<T> Fact<T> {
    /// Known when there is something.
    pub(crate) fn of(found: Option<T>, otherwise: &'static str) -> Self {
        found.map_or(Self::Unknown(otherwise), Self::Known)
    }
}

/// Who may do what with a file, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Modes {
    pub(crate) path: PathBuf,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
}

/// The files below the data folder that others than their owner may use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Open {
    /// How many were looked at.
    pub(crate) files: u64,
    /// How many of them are open to others, and the first.
    pub(crate) open: u64,
    pub(crate) first: Option<PathBuf>,
    /// How many belong to somebody else than the folder.
    pub(crate) strange: u64,
}

/// Where a root key lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RootKey {
    pub(crate) file: Modes,
    /// Within the data folder: whoever copies one has both.
    pub(crate) beside_data: bool,
    /// Sealed by a passphrase.
    pub(crate) sealed: bool,
}

/// A root key that a service or a token holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// The kind of holder, and where it is.
    pub(crate) holder: &'static str,
    pub(crate) name: String,
    /// The newest version of the key there, and that under which the tenant's key is wrapped.
    pub(crate) newest: Option<u32>,
    pub(crate) under: Option<u32>,
    /// Why a start would fail now.
    pub(crate) trouble: Option<String>,
}

/// Whether records at rest are encrypted, and under which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AtRest {
    /// They are not.
    Plain,
    /// They are.
    Encrypted(RootKey),
    /// They are, and the root key is held elsewhere.
    Held(Held),
    /// They are, and the key is not where the settings say.
    KeyMissing,
}

/// How the port is guarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Transport {
    /// This machine only, in plaintext.
    Loopback,
    /// Beyond it in plaintext; the last day and the end of a waiver.
    Waived { date: String, end: Millis },
    /// By TLS; the files do not do, and why.
    Broken(String),
    /// By TLS.
    Tls(server::Facts),
}

/// How the clock is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// By a service that has found the time.
    Kept,
    /// By nobody, or by a service that has not found it.
    Free,
}

/// What the disk under the data folder can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// The kind of file system, as the system calls it.
    pub(crate) kind: String,
    pub(crate) free_bytes: u64,
    pub(crate) size_bytes: u64,
    /// Microseconds until a small write is on it: the middle of some, and the longest.
    pub(crate) sync_us: Option<(u64, u64)>,
}

/// A port on which something listens beyond this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) number: u16,
    /// It is our server's.
    pub(crate) ours: bool,
}

/// A place to which memory may be written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Swap {
    pub(crate) name: String,
    /// Encrypted, or in memory itself.
    pub(crate) safe: Fact<bool>,
}

/// The process that serves the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) owner: u32,
    /// Bytes of a core dump of it; 0 is none.
    pub(crate) core_bytes: u64,
    /// Files it may have open.
    pub(crate) files_max: u64,
}

/// Settings whose value is a risk somebody took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) relaxed: bool,
    pub(crate) delete_many: bool,
    pub(crate) explain: bool,
    pub(crate) plain_origins: Vec<String>,
    pub(crate) exempt_roles: Vec<String>,
    pub(crate) connections_max: u64,
    pub(crate) log_debug: bool,
}

/// How the queue of cases of review stands: counts only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reviews {
    pub(crate) undecided: u64,
    pub(crate) overdue: u64,
    /// Of those, broken glasses.
    pub(crate) overdue_break_glass: u64,
    /// By how much the most overdue is.
    pub(crate) overdue_by_ms: i64,
    /// The last sweep failed.
    pub(crate) failing: bool,
}

/// How long people stay signed in, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sessions {
    pub(crate) idle_min: u64,
    pub(crate) whole_min: u64,
}

/// How people stand to the second factor that their roles demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Second {
    /// Of how many it is demanded, or will be.
    pub(crate) demanded: usize,
    /// How many of them have none.
    pub(crate) missing: usize,
}

/// The list of stolen passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stolen {
    /// There is none.
    None,
    /// When it was made.
    Made(Millis),
    /// It cannot be used, and why.
    Damaged(String),
}

/// Everything the doctor knows.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) now: Millis,
    pub(crate) version: &'static str,
    /// The data folder; nothing when there is none yet.
    pub(crate) data: Option<Modes>,
    pub(crate) files: Fact<Open>,
    pub(crate) at_rest: Fact<AtRest>,
    pub(crate) transport: Fact<Transport>,
    pub(crate) clock: Fact<Clock>,
    /// The newest time that stands in the data folder.
    pub(crate) newest: Fact<Millis>,
    pub(crate) disk: Fact<Disk>,
    pub(crate) ports: Fact<Vec<Port>>,
    pub(crate) swaps: Fact<Vec<Swap>>,
    /// Where the system sends core dumps.
    pub(crate) core_pattern: Fact<String>,
    pub(crate) server: Fact<Server>,
    pub(crate) choices: Choices,
    pub(crate) sessions: Fact<Sessions>,
    /// How people stand to the second factor that their roles demand.
    pub(crate) second: Fact<Second>,
    /// When the list of stolen passwords was made; `None` when there is none.
    pub(crate) stolen: Fact<Stolen>,
    /// When the newest backup was made; `None` when never.
    pub(crate) backup: Fact<Option<Millis>>,
    /// When the access log was last verified and found sound.
    pub(crate) verified: Fact<Option<Millis>>,
    /// How the cases of review stand, as the server tells.
    pub(crate) reviews: Fact<Reviews>,
    /// The format of the store's file, and that which this program writes.
    pub(crate) schema: Fact<(u32, u32)>,
}
