//! What a bulk load holds back. Dates, numbers, texts and random logical ids land all over their
//! b-trees, so a long load would come to write nearly one page for each of their rows. A store opened
//! for a bulk load keeps these rows in memory and puts them in by hundreds of thousands, in the order
//! of their keys.
//!
//! Nothing is lost by it: every record carries its own rows (`res.packed`), and the first version
//! whose rows are held back is noted in the transaction that stored it (`meta.held_from`). Opening a
//! store that says so finishes its index first. While rows are held back, names are looked up in
//! memory too, and the first search that would miss a row has everything put in before it is run.

use super::index::Pending;
use super::names::{Id, bad_row};
use super::people::PeopleAtoms;
use super::unavailable;
use crate::pack::{self, Row, View};
use base::Fault;
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use search::query::{Filter, Match, Search};
use search::registry::{Shape, registry};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Records held back, at least, before they are put in: as few as that cost little.
const RECORDS_MIN: usize = 100_000;
/// Records held back, at most: what they take in memory is some 150 MB.
const RECORDS_MAX: usize = 500_000;

/// A record's logical id under its type's number, with its record number.
pub(super) type Named = (u16, Id, i64);

/// Whether rows are held back, and the names among them.
#[derive(Debug, Default)]
pub(super) struct Deferral {
    on: AtomicBool,
    names: RwLock<Names>,
}

#[derive(Debug, Default)]
struct Names {
    held: ByType,
    /// Put in by the last turn: readers whose snapshot is older still look here.
    before: ByType,
}

type ByType = HashMap<u16, HashMap<Id, i64>>;

impl Deferral {
    /// Holds rows back from the start, if this is a bulk load.
    pub(super) fn new(on: bool) -> Self {
        Self { on: AtomicBool::new(on), names: RwLock::default() }
    }

    pub(super) fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire)
    }

    /// Holds nothing back any more: the next commit puts everything in.
    pub(super) fn stop(&self) {
        self.on.store(false, Ordering::Release);
    }

    /// The record number of a name that is held back.
    pub(super) fn name(&self, kind: u16, id: &Id) -> Option<i64> {
        let names = self.names.read();
        let of = |names: &ByType| names.get(&kind)?.get(id).copied();
        of(&names.held).or_else(|| of(&names.before))
    }

    pub(super) fn hold_name(&self, (kind, id, rid): Named) {
        self.names.write().held.entry(kind).or_default().insert(id, rid);
    }

    /// Ends the holding back of names that are in their table now.
    pub(super) fn let_go(&self, names: &[Named]) {
        let mut all = self.names.write();
        for (kind, id, _) in names {
            if let Some(of_type) = all.held.get_mut(kind) {
                of_type.remove(id);
            }
        }
    }

    /// All names held back, in the order of their table's key, for it; the ones of the turn before
    /// are forgotten, unless that was in the same transaction.
    pub(super) fn turn(&self, same_transaction: bool) -> Vec<Named> {
        let mut all = self.names.write();
        let held = std::mem::take(&mut all.held);
        if !same_transaction {
            all.before = ByType::new();
        }
        let mut out: Vec<Named> = Vec::new();
        for (kind, names) in held {
            out.extend(names.iter().map(|(id, rid)| (kind, id.clone(), *rid)));
            all.before.entry(kind).or_default().extend(names);
        }
        drop(all);
        sort(&mut out);
        out
    }

    /// Forgets all names.
    pub(super) fn clear(&self) {
        *self.names.write() = Names::default();
    }
}

/// How many records are held back before they are put in, with so many stored: an eighth of them, so
/// that the pages rewritten for a record stay as many however large the store becomes.
pub(super) fn records_max(stored: i64) -> usize {
    usize::try_from(stored / 8).unwrap_or(0).clamp(RECORDS_MIN, RECORDS_MAX)
}

/// Whether a search is answered in full by the tables nothing is held back from.
pub(super) fn can_answer(search: &Search) -> bool {
    search.sort.is_empty() && search.filters.iter().all(plain)
}

/// Notes, or no longer notes, the first version whose rows are held back.
pub(super) fn mark(conn: &Connection, held_from: Option<u64>) -> rusqlite::Result<()> {
    match held_from {
        Some(vid) => conn
            .prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('held_from', ?)")?
            .execute([vid])?,
        None => conn.prepare_cached("DELETE FROM meta WHERE key = 'held_from'")?.execute([])?,
    };
    Ok(())
}

/// Puts names into their table.
pub(super) fn insert_names(conn: &Connection, names: &[Named]) -> rusqlite::Result<()> {
    let mut s =
        conn.prepare_cached("INSERT OR IGNORE INTO name (type, id, rid) VALUES (?, ?, ?)")?;
    for (kind, id, rid) in names {
        s.execute(params![kind, id, rid])?;
    }
    Ok(())
}

/// Finishes the index of a load that was broken off, from the records themselves.
pub(super) fn recover(conn: &mut Connection) -> Result<(), Fault> {
    let held_from: Option<u64> = conn
        .query_row("SELECT value FROM meta WHERE key = 'held_from'", [], |r| r.get(0))
        .optional()
        .map_err(unavailable)?;
    let Some(held_from) = held_from else { return Ok(()) };
    tracing::info!("finishing the index of a bulk load that was broken off");
    // Immediate: a dictionary may be written beside it, and a lock taken later would be refused.
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    let mut pending = Pending::default();
    let mut names: Vec<Named> = Vec::new();
    let people = PeopleAtoms::load(&tx).map_err(unavailable)?;
    let patient: Option<u16> = tx
        .query_row("SELECT id FROM type WHERE name = 'Patient'", [], |r| r.get(0))
        .optional()
        .map_err(unavailable)?;
    {
        let mut s = tx
            .prepare(
                "SELECT r.rid, r.type, r.id, r.packed FROM ver v CROSS JOIN res r ON r.rid = v.rid \
                 WHERE v.vid >= ? AND r.vid = v.vid",
            )
            .map_err(unavailable)?;
        let mut rows = s.query([held_from]).map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let rid: i64 = row.get(0).map_err(unavailable)?;
            let id = Id::from_sql(row.get_ref(2).map_err(unavailable)?).ok_or_else(bad_row)?;
            let kind: u16 = row.get(1).map_err(unavailable)?;
            names.push((kind, id, rid));
            let packed = row.get_ref(3).map_err(unavailable)?.as_blob().unwrap_or_default();
            let rows: Vec<Row> = pack::rows(packed).map(View::to_row).collect();
            pending.add(rid, &rows);
            pending.add_people(people.rows(patient == Some(kind), rid, &rows));
        }
    }
    sort(&mut names);
    insert_names(&tx, &names).map_err(unavailable)?;
    pending.flush(&tx).map_err(unavailable)?;
    mark(&tx, None).map_err(unavailable)?;
    tx.commit().map_err(unavailable)
}

/// SQLite orders texts before blobs, each by their bytes.
fn sort(names: &mut [Named]) {
    fn key(named: &Named) -> (u16, bool, &[u8]) {
        match &named.1 {
            Id::Text(text) => (named.0, false, text.as_bytes()),
            Id::Uuid(bytes) => (named.0, true, bytes),
        }
    }
    names.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
}

fn plain(filter: &Filter) -> bool {
    match filter {
        Filter::Match { atoms, any, negate: false, .. } => {
            any.iter().all(|value| matches!(value, Match::Token { .. }))
                && atoms.iter().all(|atom| {
                    matches!(registry().atom(*atom).shape, Shape::Token | Shape::Identifier)
                })
        }
        Filter::Id { negate: false, .. } | Filter::Type { .. } => true,
        Filter::Any(filters) | Filter::All(filters) => filters.iter().all(plain),
        _ => false,
    }
}
