//! The conditions of a scope in the store's numbers
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters>).
//!
//! A coded value has a number for each text it was ever shown with, so numbers that a condition names
//! keep coming into being: a condition is looked up anew when the dictionary has grown.

use super::find::{self, Leaf};
use super::{Shared, unavailable};
use crate::scope::Matching;
use base::Fault;
use rusqlite::Connection;
use std::sync::Arc;

/// How far the dictionaries of tokens and uris reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mark {
    token: i64,
    uri: i64,
}

impl Mark {
    fn read(conn: &Connection) -> Result<Self, Fault> {
        conn.prepare_cached(
            "SELECT coalesce((SELECT max(id) FROM token), 0), \
             coalesce((SELECT max(id) FROM uri), 0)",
        )
        .and_then(|mut s| s.query_row([], |r| Ok(Self { token: r.get(0)?, uri: r.get(1)? })))
        .map_err(unavailable)
    }

    /// Numbers rise and none is taken back that was committed.
    const fn reaches(self, other: Self) -> bool {
        self.token >= other.token && self.uri >= other.uri
    }
}

/// All of these; each is met by any of its tests.
type All = Vec<Vec<Leaf>>;

/// What the clauses of a scope ask of entries.
#[derive(Debug, Default)]
pub(super) struct Asked {
    given: Vec<Arc<Matching>>,
    /// For each that is given, any of these.
    made: Vec<Vec<All>>,
    mark: Mark,
    /// A record that a condition names has no number yet.
    open: bool,
}

impl Asked {
    /// Looks up what these ask.
    pub(super) fn make(
        conn: &Connection,
        shared: &Shared,
        given: Vec<Arc<Matching>>,
    ) -> Result<Self, Fault> {
        if given.is_empty() {
            return Ok(Self::default());
        }
        let mark = Mark::read(conn)?;
        let mut open = false;
        let mut made = Vec::with_capacity(given.len());
        for matching in &given {
            let mut any = Vec::with_capacity(matching.len());
            for conditions in &**matching {
                let mut all = All::with_capacity(conditions.len());
                for one in conditions {
                    let (leaves, unknown) = find::condition(conn, shared, one)?;
                    open |= unknown;
                    all.push(leaves);
                }
                any.push(all);
            }
            made.push(any);
        }
        Ok(Self { given, made, mark, open })
    }

    /// Looks up again what is asked, now.
    pub(super) fn again(&self, conn: &Connection, shared: &Shared) -> Result<Self, Fault> {
        Self::make(conn, shared, self.given.clone())
    }

    /// Whether nothing is asked.
    pub(super) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// Whether what was looked up is all there is.
    pub(super) fn is_current(&self, conn: &Connection) -> Result<bool, Fault> {
        Ok(self.is_empty() || (!self.open && self.mark.reaches(Mark::read(conn)?)))
    }

    /// Whether a record's entries meet one of those that are asked.
    pub(super) fn holds(&self, at: usize, packed: &[u8]) -> bool {
        let all = |all: &All| {
            // An empty list would ask nothing; nobody means that.
            !all.is_empty() && all.iter().all(|any| any.iter().any(|leaf| leaf.holds(packed)))
        };
        self.made.get(at).is_some_and(|any| any.iter().any(all))
    }
}
