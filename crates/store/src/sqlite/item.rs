//! Items on disk: the table `item`, read by key and changed by the writer with the rest of a unit.
//!
//! These reads take no scope. A scope narrows records, and an item is none: it has no type, no
//! patient and no label to be seen by, no search reaches it, and what it says is for the program
//! alone. Nothing here reads another table.

use super::{Store, unavailable};
use crate::item::{ITEM_SCAN_MAX, Item, ItemAct, ItemChange};
use base::Fault;
use base::error::code;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::HashSet;

impl Store {
    /// The item under a key, as of the last commit that was answered.
    pub fn item_get(&self, shelf: &str, key: &[u8]) -> Result<Option<Item>, Fault> {
        let conn = self.shared.borrow_reader()?;
        let read = || {
            conn.prepare_cached("SELECT version, body FROM item WHERE shelf = ? AND key = ?")?
                .query_row(params![shelf, key], |row| item(row, 0))
                .optional()
        };
        let found = read().map_err(unavailable);
        self.shared.return_reader(conn);
        found
    }

    /// Items whose keys begin with `prefix` and stand behind `after`, in the order of their bytes;
    /// at most `limit` and [`ITEM_SCAN_MAX`].
    pub fn item_scan(
        &self,
        shelf: &str,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Item)>, Fault> {
        let limit = limit.min(ITEM_SCAN_MAX);
        let conn = self.shared.borrow_reader()?;
        let read = || -> rusqlite::Result<Vec<(Vec<u8>, Item)>> {
            let (sql, from) = match after {
                Some(after) if after >= prefix => (AFTER, after),
                _ => (FROM, prefix),
            };
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query(params![shelf, from])?;
            let mut found = Vec::new();
            // Keys of one prefix stand together, so the first of another ends the walk.
            while found.len() < limit
                && let Some(row) = rows.next()?
            {
                let key: Vec<u8> = row.get(0)?;
                if !key.starts_with(prefix) {
                    break;
                }
                found.push((key, item(row, 1)?));
            }
            Ok(found)
        };
        let found = read().map_err(unavailable);
        self.shared.return_reader(conn);
        found
    }
}

const FROM: &str = "SELECT key, version, body FROM item WHERE shelf = ? AND key >= ? ORDER BY key";
const AFTER: &str = "SELECT key, version, body FROM item WHERE shelf = ? AND key > ? ORDER BY key";

fn item(row: &Row<'_>, at: usize) -> rusqlite::Result<Item> {
    Ok(Item { version: row.get(at)?, body: row.get(at + 1)? })
}

/// Refuses a unit one of whose items is not at the version it names. What earlier units of the same
/// transaction wrote is seen.
pub(super) fn hold(conn: &Connection, items: &[ItemChange]) -> Result<(), Fault> {
    let mut seen = HashSet::with_capacity(items.len());
    for change in items {
        let version = (|| {
            conn.prepare_cached("SELECT version FROM item WHERE shelf = ? AND key = ?")?
                .query_row(params![change.shelf, change.key], |row| row.get::<_, u64>(0))
                .optional()
        })()
        .map_err(unavailable)?;
        // A key that stands twice would be judged twice by what was there before both.
        let once = seen.insert((change.shelf, change.key.as_slice()));
        let removes_nothing = change.act == ItemAct::Remove && version.is_none();
        if version != change.replaces || !once || removes_nothing || !change.fits() {
            return Err(Fault::new(
                &code::ITEM_CONFLICT,
                "Somebody else changed this in the meantime. Read it again and repeat your change.",
            ));
        }
    }
    Ok(())
}

/// Makes changes that [`hold`] has looked at.
pub(super) fn apply(conn: &Connection, items: &[ItemChange]) -> Result<(), Fault> {
    for change in items {
        let run = || match &change.act {
            ItemAct::Put(body) => {
                let version = change.replaces.unwrap_or(0).saturating_add(1);
                conn.prepare_cached("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?)")?
                    .execute(params![change.shelf, change.key, version, body])
            }
            ItemAct::Remove => conn
                .prepare_cached("DELETE FROM item WHERE shelf = ? AND key = ?")?
                .execute(params![change.shelf, change.key]),
            ItemAct::Keep => Ok(0),
        };
        run().map_err(unavailable)?;
    }
    Ok(())
}
