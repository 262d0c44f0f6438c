//! Where identity keeps things durably: a small trait that the store's one writer implements, and
//! an implementation in memory for tests. Optimistic versions keep two changes from overwriting each
//! other unseen (45 CFR 164.312(c)(1), integrity).

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base::Fault;
use base::error::code;
use parking_lot::Mutex;

use crate::deed::{Deed, DeedKind};

/// Bytes of one key.
pub const KEY_BYTES_MAX: usize = 512;
/// Bytes of one body.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// Changes of one commit.
pub const CHANGES_MAX: usize = 10_000;
/// Items of one answer of [`Shelf::scan`].
pub const SCAN_MAX: usize = 1000;

/// The shelves there are. The text is what a store may name its table or key prefix by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShelfName {
    /// Principals by id.
    Principals,
    /// Ids of principals by folded sign-in name.
    Names,
    /// Password hashes by principal.
    Passwords,
    /// Second factors by principal.
    Factors,
    /// Sessions and script tokens by principal and session id.
    Sessions,
    /// The one claim code of the first start.
    Claims,
    /// Registered apps by principal (crate `smart`).
    Apps,
    /// What users gave to apps, by grant.
    AppGrants,
    /// Refresh tokens that were ever given, by grant and digest.
    AppRefreshes,
    /// Assertions that were used, by digest.
    AppAssertions,
    /// The keys that sign identity tokens.
    AppKeys,
    /// Whom issuers mean by their people.
    Links,
}

impl ShelfName {
    /// Every shelf.
    pub const ALL: [Self; 12] = [
        Self::Principals,
        Self::Names,
        Self::Passwords,
        Self::Factors,
        Self::Sessions,
        Self::Claims,
        Self::Apps,
        Self::AppGrants,
        Self::AppRefreshes,
        Self::AppAssertions,
        Self::AppKeys,
        Self::Links,
    ];

    /// A stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Principals => "principal",
            Self::Names => "name",
            Self::Passwords => "password",
            Self::Factors => "factor",
            Self::Sessions => "session",
            Self::Claims => "claim",
            Self::Apps => "app",
            Self::AppGrants => "app-grant",
            Self::AppRefreshes => "app-refresh",
            Self::AppAssertions => "app-assertion",
            Self::AppKeys => "app-key",
            Self::Links => "link",
        }
    }
}

/// What stands under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// 1 when it is first put, one more with each change.
    pub version: u64,
    /// Its bytes, which the shelf does not read.
    pub body: Vec<u8>,
}

/// Bodies hold hashes and keys, so only their length is printed.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item {{ version: {}, bytes: {} }}", self.version, self.body.len())
    }
}

/// What a change does to its item.
#[derive(Clone, PartialEq, Eq)]
pub enum Act {
    /// Puts a body there.
    Put(Vec<u8>),
    /// Takes the item away.
    Remove,
    /// Leaves it as it is, and holds the commit to its version.
    Keep,
}

/// Bodies are not printed.
impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put(_) => "Put",
            Self::Remove => "Remove",
            Self::Keep => "Keep",
        })
    }
}

/// One change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// On which shelf.
    pub shelf: ShelfName,
    /// Under which key.
    pub key: Vec<u8>,
    /// The version it was made for; `None` when there must be no item.
    pub replaces: Option<u64>,
    /// What to do.
    pub act: Act,
}

impl Change {
    /// Puts `body` where `replaces` stands.
    pub fn put(shelf: ShelfName, key: &[u8], replaces: Option<u64>, body: Vec<u8>) -> Self {
        Self { shelf, key: key.to_vec(), replaces, act: Act::Put(body) }
    }

    /// Takes away the item of version `replaces`.
    pub fn remove(shelf: ShelfName, key: &[u8], replaces: u64) -> Self {
        Self { shelf, key: key.to_vec(), replaces: Some(replaces), act: Act::Remove }
    }

    /// Holds the commit to what was read, without changing it.
    pub fn keep(shelf: ShelfName, key: &[u8], replaces: Option<u64>) -> Self {
        Self { shelf, key: key.to_vec(), replaces, act: Act::Keep }
    }
}

/// Durable storage of small items by key. An implementation promises:
///
/// - `commit` is all or nothing, and durable when it returns `Ok`;
/// - the deed of a commit is logged when the changes are made, and only then; when it cannot be, the
///   commit is refused. [`DeedKind::Upkeep`] alone is not logged;
/// - a change whose `replaces` differs from the item's version refuses the whole commit with
///   `identity.item.conflict`; the versions are compared and the changes made at one moment;
/// - an item's version is 1 when first put and grows by one with each `Put`; `Keep` leaves it;
/// - `get` and `scan` see every commit that has returned;
/// - `scan` answers in the order of the keys' bytes, at most `limit` and [`SCAN_MAX`] items;
/// - no key stands twice in one commit, and sizes above the limits of this file are refused with
///   `server.internal`.
///
/// Bodies hold keys of second factors: an implementation seals them if it can.
pub trait Shelf: Send + Sync + fmt::Debug {
    /// The item under a key.
    fn get(&self, shelf: ShelfName, key: &[u8]) -> Result<Option<Item>, Fault>;

    /// Items whose keys begin with `prefix` and stand behind `after`.
    fn scan(
        &self,
        shelf: ShelfName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Item)>, Fault>;

    /// Makes all the changes and logs what they are, or does nothing.
    fn commit(&self, changes: Vec<Change>, deed: Deed) -> Result<(), Fault>;

    /// Logs a deed that changed nothing, such as a sign-in that failed.
    fn note(&self, deed: Deed) -> Result<(), Fault>;
}

/// Refuses a commit that no shelf has to carry out; for implementations.
pub fn check(changes: &[Change]) -> Result<(), Fault> {
    let large = changes.iter().any(|change| {
        let body = match &change.act {
            Act::Put(body) => body.len(),
            Act::Remove | Act::Keep => 0,
        };
        change.key.is_empty() || change.key.len() > KEY_BYTES_MAX || body > BODY_BYTES_MAX
    });
    let mut keys: Vec<_> = changes.iter().map(|change| (change.shelf, &change.key)).collect();
    keys.sort_unstable();
    let twice = keys.windows(2).any(|pair| pair.first() == pair.last());
    if large || twice || changes.len() > CHANGES_MAX {
        return Err(Fault::new(&code::INTERNAL, "A commit to a shelf is malformed."));
    }
    Ok(())
}

/// The refusal of a commit whose items have changed; for implementations.
pub fn conflict() -> Fault {
    Fault::new(
        &code::ITEM_CONFLICT,
        "Somebody else changed this in the meantime. Read it again and repeat your change.",
    )
}

/// A shelf in memory, which forgets everything with the process.
#[derive(Debug, Default)]
pub struct Memory {
    items: Mutex<BTreeMap<(ShelfName, Vec<u8>), Item>>,
    commits: AtomicUsize,
    deeds: Mutex<Vec<Deed>>,
    refuses: AtomicBool,
}

impl Memory {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many commits it has carried out.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    /// From now on it refuses commits, as a disk that is full, or takes them again.
    pub fn refuse(&self, on: bool) {
        self.refuses.store(on, Ordering::SeqCst);
    }

    /// What was logged, the first one first.
    pub fn deeds(&self) -> Vec<Deed> {
        self.deeds.lock().clone()
    }
}

impl Shelf for Memory {
    fn get(&self, shelf: ShelfName, key: &[u8]) -> Result<Option<Item>, Fault> {
        Ok(self.items.lock().get(&(shelf, key.to_vec())).cloned())
    }

    fn scan(
        &self,
        shelf: ShelfName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Item)>, Fault> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded((shelf, after.to_vec())),
            _ => Bound::Included((shelf, prefix.to_vec())),
        };
        let items = self.items.lock();
        let found = items
            .range((start, Bound::Unbounded))
            .take_while(|((at, key), _)| *at == shelf && key.starts_with(prefix))
            .take(limit.min(SCAN_MAX));
        Ok(found.map(|((_, key), item)| (key.clone(), item.clone())).collect())
    }

    fn commit(&self, changes: Vec<Change>, deed: Deed) -> Result<(), Fault> {
        check(&changes)?;
        if self.refuses.load(Ordering::SeqCst) {
            return Err(Fault::new(&code::STORE_UNAVAILABLE, "The disk is full."));
        }
        let mut items = self.items.lock();
        let stands = |change: &Change| {
            let key = (change.shelf, change.key.clone());
            items.get(&key).map(|item| item.version) == change.replaces
        };
        if !changes.iter().all(stands) {
            return Err(conflict());
        }
        for Change { shelf, key, replaces, act } in changes {
            match act {
                Act::Put(body) => {
                    let version = replaces.unwrap_or(0).saturating_add(1);
                    items.insert((shelf, key), Item { version, body });
                }
                Act::Remove => {
                    items.remove(&(shelf, key));
                }
                Act::Keep => {}
            }
        }
        drop(items);
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.note(deed)
    }

    fn note(&self, deed: Deed) -> Result<(), Fault> {
        if deed.kind != DeedKind::Upkeep {
            self.deeds.lock().push(deed);
        }
        Ok(())
    }
}
