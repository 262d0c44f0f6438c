//! The keys that patients are found by (`find`), made from the packed entries of each Patient and from
//! nothing else: so the writer learns from what is stored which keys to take out, and a store that has
//! none, or that other rules made, makes them again when it is opened.

use super::{Shared, unavailable};
use crate::pack::{self, Row, View};
use base::Fault;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use search::people::key::{Facts, RULES};

/// Patients whose keys are made in one transaction, at the first opening by new rules.
const BATCH: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;

/// The store's numbers of what patients are found by; 0 for what the file does not know yet.
#[derive(Debug, Default)]
pub(super) struct PeopleAtoms {
    family: u32,
    given: u32,
    name: u32,
    pub(super) born: u32,
    phone: u32,
    pub(super) identifier: u32,
    pub(super) member: u32,
    pub(super) beneficiary: u32,
}

/// A row of `find`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FindRow {
    pub(super) kind: u8,
    pub(super) key: String,
    pub(super) rid: i64,
    /// The day of birth since 1970, when it is known to the day.
    pub(super) born: Option<i64>,
}

impl PeopleAtoms {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let get = |key: &str| -> rusqlite::Result<u32> {
            conn.prepare_cached("SELECT id FROM atom WHERE key = ?")?
                .query_row([key], |row| row.get(0))
                .optional()
                .map(Option::unwrap_or_default)
        };
        Ok(Self {
            family: get("Patient|Patient.name.family|string")?,
            given: get("Patient|Patient.name.given|string")?,
            name: get("Patient|Patient.name|string")?,
            born: get("Patient|Patient.birthDate|date")?,
            phone: get("Patient|Patient.telecom.where(system='phone')|identifier")?,
            identifier: get("Patient|Patient.identifier|identifier")?,
            member: get("Coverage|Coverage.identifier|identifier")?,
            beneficiary: get("Coverage|Coverage.beneficiary|reference")?,
        })
    }

    /// What the packed entries of a patient say.
    pub(super) fn facts<'p>(&self, rows: impl Iterator<Item = View<'p>>) -> Facts {
        let mut facts = Facts::default();
        let mut whole: Option<&str> = None;
        for view in rows {
            match view {
                View::Str { atom, exact, .. } if atom == self.family => facts.family(exact),
                View::Str { atom, exact, .. } if atom == self.given => facts.given(exact),
                View::Str { atom, exact, .. } if atom == self.name => {
                    whole = whole.filter(|text| text.len() >= exact.len()).or(Some(exact));
                }
                View::Date { atom, low, high, .. } if atom == self.born => {
                    facts.born = Some((low, high));
                }
                View::Ident { atom, value, .. } if atom == self.phone => facts.phone(value),
                View::Ident { atom, value, .. }
                    if atom == self.identifier
                        && !facts.identifiers.iter().any(|known| known == value) =>
                {
                    facts.identifiers.push(value.to_owned());
                }
                _ => {}
            }
        }
        if let Some(text) = whole.filter(|_| facts.families.is_empty() && facts.givens.is_empty()) {
            facts.text(text);
        }
        facts
    }

    /// The keys of a record: none unless it is a patient, which is in a compartment of its own.
    pub(super) fn rows(&self, is_patient: bool, rid: i64, rows: &[Row]) -> Vec<FindRow> {
        if !is_patient || rows.is_empty() {
            return Vec::new();
        }
        rows_of(&self.facts(rows.iter().map(Row::view)), rid)
    }
}

fn rows_of(facts: &Facts, rid: i64) -> Vec<FindRow> {
    let born = facts.born.and_then(day);
    let row = |key: search::people::key::Key| FindRow {
        kind: key.kind.number(),
        key: key.text,
        rid,
        born,
    };
    facts.keys().into_iter().map(row).collect()
}

/// The day of a span that is one day.
pub(super) fn day((low, high): (i64, i64)) -> Option<i64> {
    (high - low < DAY_MS).then(|| low.div_euclid(DAY_MS))
}

/// Puts rows in, in the order of their key.
pub(super) fn insert(conn: &Connection, rows: &mut Vec<FindRow>) -> rusqlite::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable();
    let mut s = conn.prepare_cached("INSERT OR REPLACE INTO find VALUES (?, ?, ?, ?)")?;
    for row in rows.drain(..) {
        s.execute(params![row.kind, row.key, row.rid, row.born])?;
    }
    Ok(())
}

/// Takes rows out.
pub(super) fn remove(conn: &Connection, rows: &[FindRow]) -> rusqlite::Result<()> {
    for row in rows {
        conn.prepare_cached("DELETE FROM find WHERE kind = ? AND key = ? AND rid = ?")?
            .execute(params![row.kind, row.key, row.rid])?;
    }
    Ok(())
}

/// Makes the keys of all patients, if those of the store were made by other rules or not at all. What
/// was done is kept with each batch, so a start that is killed goes on where it was.
pub(super) fn fill(conn: &mut Connection, shared: &Shared) -> Result<(), Fault> {
    if get(conn, "find_rules").map_err(unavailable)? == Some(RULES) {
        return Ok(());
    }
    let patients = shared.live.read().get(&shared.patient_type).copied().unwrap_or(0);
    if patients > 0 {
        tracing::info!(patients, "making the keys that patients are found by");
    }
    if get(conn, "find_making").map_err(unavailable)? != Some(RULES) {
        begin(conn).map_err(unavailable)?;
    }
    while !batch(conn, shared).map_err(unavailable)? {}
    Ok(())
}

fn begin(conn: &mut Connection) -> rusqlite::Result<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("DELETE FROM find", [])?;
    set(&tx, "find_making", RULES)?;
    set(&tx, "find_from", 0)?;
    tx.commit()
}

/// Answers whether all is made.
fn batch(conn: &mut Connection, shared: &Shared) -> rusqlite::Result<bool> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = get(&tx, "find_from")?.unwrap_or(0);
    let mut made = Vec::new();
    let (mut last, mut count) = (from, 0);
    {
        let mut s = tx.prepare_cached(
            "SELECT x.rid, r.packed FROM ix x CROSS JOIN res r ON r.rid = x.rid \
             WHERE x.atom = ? AND x.value = ? AND x.rid > ? ORDER BY x.rid LIMIT ?",
        )?;
        let list = params![super::names::ATOM_TYPE, shared.patient_type, from, BATCH];
        let mut rows = s.query(list)?;
        while let Some(row) = rows.next()? {
            (last, count) = (row.get(0)?, count + 1);
            let packed = row.get_ref(1)?.as_blob().unwrap_or_default();
            made.extend(rows_of(&shared.people.facts(pack::rows(packed)), last));
        }
    }
    insert(&tx, &mut made)?;
    set(&tx, "find_from", last)?;
    let done = count < BATCH;
    if done {
        set(&tx, "find_rules", RULES)?;
        tx.execute("DELETE FROM meta WHERE key IN ('find_from', 'find_making')", [])?;
    }
    tx.commit()?;
    Ok(done)
}

fn get(conn: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT value FROM meta WHERE key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()
}

fn set(conn: &Connection, key: &str, value: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?
        .execute(params![key, value])?;
    Ok(())
}
