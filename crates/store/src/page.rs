//! What reads answer with.

use crate::unit::Method;
use base::Millis;
use fhir::definitions::TypeId;

/// A version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Its type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// Its version, from 1.
    pub version: u64,
    /// `meta.lastUpdated`
    pub last_updated: Millis,
    /// How it came about.
    pub method: Method,
    /// The version is a deletion; it has no body.
    pub deleted: bool,
    /// The resource as JSON, `id` and `meta` complete. Empty for a deletion.
    pub body: Vec<u8>,
}

/// Where a page begins: behind (or before) a record, at the snapshot the first page saw. It names no
/// value, so a cursor made of it holds no patient data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The commit the first page saw.
    pub snapshot: u64,
    /// The store's number of the record the page follows.
    pub record: i64,
    /// The page before the record rather than after it.
    pub backward: bool,
}

/// Bounds of one page.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    /// Matches to answer.
    pub count: usize,
    /// Where to begin; the start when `None`.
    pub position: Option<Position>,
    /// Included resources before the answer is refused.
    pub include_max: usize,
    /// Steps before the search is refused.
    pub steps_max: u64,
}

/// A page of a search.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The matches, in order.
    pub matches: Vec<Hit>,
    /// Included resources, each once.
    pub included: Vec<Hit>,
    /// All matches, exact, when asked for or free.
    pub total: Option<u64>,
    /// Where the next page begins.
    pub next: Option<Position>,
    /// Where the page before begins.
    pub previous: Option<Position>,
    /// How it was found.
    pub explain: Explain,
}

/// How a search was carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explain {
    /// What the records were drawn from, and why.
    pub plan: Vec<String>,
    /// Rows touched.
    pub steps: u64,
}

/// Which history.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    /// Of this type only.
    pub resource_type: Option<TypeId>,
    /// Of this record only (with a type).
    pub id: Option<String>,
    /// Only versions at or after this instant.
    pub since: Option<Millis>,
    /// Only versions that were current at some time in this span.
    pub at: Option<(Millis, Millis)>,
    /// Versions of a page.
    pub count: usize,
    /// Only versions with a sequence number below this.
    pub before: Option<u64>,
}

/// A page of history, newest first.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The versions.
    pub versions: Vec<Hit>,
    /// All versions the query has, when it is known without walking them.
    pub total: Option<u64>,
    /// What to hand in as `before` for the next page.
    pub next: Option<u64>,
}

/// One line of the change feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Sequence number of the version.
    pub sequence: u64,
    /// The record's type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// The version.
    pub version: u64,
    /// How it came about.
    pub method: Method,
    /// When.
    pub last_updated: Millis,
}

/// What became of records of some types since a commit, as far as it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    /// Records as they are now, each once, in the order of their last change.
    pub changes: Vec<Change>,
    /// The commit up to which all was looked at: where to go on.
    pub through: u64,
}
