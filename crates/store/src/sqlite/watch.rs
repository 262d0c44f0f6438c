//! Watches: conditions that the index cannot state, held by the writer
//! (`crate::unit::Watch`). It looks at the versions of one type written since the unit was prepared, and no
//! others, so that what a watch costs follows from how busy the store is and not from how much it has.

use super::apply::Group;
use super::names::bad_row;
use super::read::Version;
use super::sight::Sight;
use super::{Shared, find, unavailable};
use crate::page::Hit;
use crate::unit::Watch;
use base::Fault;
use base::error::code;
use rusqlite::{Connection, params};
use std::collections::HashMap;
use std::sync::Arc;

/// Versions one watch looks at, at most. Whoever prepared a unit before so many were written, prepares
/// it again: that costs them a search, where going on here would cost every other writer.
const VERSIONS_MAX: i64 = 4096;
/// Versions kept open for the watches of other units of one transaction: those of a group are written
/// by one another, so each would open the same ones.
const OPENED_MAX: usize = 512;

/// Versions opened in this transaction, by number; `None` for what nobody can read any more.
#[derive(Debug, Default)]
pub(super) struct Opened(HashMap<u64, Option<Arc<Hit>>>);

impl Opened {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Group {
    /// Refuses a unit when something written since it was prepared stands in its way.
    pub(super) fn watch(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        watch: &Watch,
    ) -> Result<(), Fault> {
        let kind = shared.numbers.of_type(watch.resource_type);
        if self.last_of_type.get(&kind).is_none_or(|newest| *newest <= watch.as_of) {
            return Ok(());
        }
        let written = written_since(conn, kind, watch.as_of)?;
        if i64::try_from(written.len()).unwrap_or(i64::MAX) > VERSIONS_MAX {
            return Err(raced());
        }
        let sight = Sight::of_writer(conn, shared, &watch.scope)?;
        for (vid, rid) in written {
            let Some(hit) = self.open(conn, shared, vid)?.filter(|hit| !hit.deleted) else {
                continue;
            };
            // The judge first: it tells most apart from a text that is open already. What a later
            // version replaced, or deleted, or what is out of sight, decides nothing.
            let seen = (&*sight, &self.labels.state);
            if (watch.against)(&hit)? && find::present(conn, shared, seen, rid)? == Some(vid) {
                return Err(raced());
            }
        }
        Ok(())
    }

    fn open(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        vid: u64,
    ) -> Result<Option<Arc<Hit>>, Fault> {
        if let Some(known) = self.opened.0.get(&vid) {
            return Ok(known.clone());
        }
        let version = Version::at(conn, vid)?.ok_or_else(bad_row)?;
        let hit = version.hit_if_kept(shared)?.map(Arc::new);
        if self.opened.0.len() >= OPENED_MAX {
            self.opened.clear();
        }
        self.opened.0.insert(vid, hit.clone());
        Ok(hit)
    }
}

/// The versions of a type since a commit, oldest first: their numbers, and those of their records. One
/// more than a watch looks at, at most.
fn written_since(conn: &Connection, kind: u16, as_of: u64) -> Result<Vec<(u64, i64)>, Fault> {
    let read = || -> rusqlite::Result<Vec<(u64, i64)>> {
        conn.prepare_cached(
            "SELECT vid, rid FROM ver INDEXED BY ver_type WHERE type = ? AND vid > ? \
             ORDER BY vid LIMIT ?",
        )?
        .query_map(params![kind, as_of, VERSIONS_MAX + 1], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
    };
    read().map_err(unavailable)
}

fn raced() -> Fault {
    let text = "another request wrote what stands in the way of this one; try again";
    Fault::new(&code::PRECONDITION_FAILED, text)
}
