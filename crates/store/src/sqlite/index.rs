//! The index tables, written: rows of new versions in, rows of old versions out. Insertions are
//! gathered and sorted by key before they reach the tables, because b-tree pages touched in random
//! order are what a load pays for.

use super::names::ATOM_TYPE;
use super::people::{self, FindRow};
use crate::pack::Row;
use rusqlite::{Connection, params};

/// What of a type goes into the patient-compartment order.
#[derive(Debug, Default, Clone)]
pub(super) struct PatientOrder {
    /// The date that orders a patient's records of the type.
    pub(super) date: Option<u32>,
    /// Its token atoms worth a place there.
    pub(super) atoms: Vec<u32>,
}

/// Rows gathered for insertion.
#[derive(Debug, Default)]
pub(super) struct Pending {
    ints: Vec<(u32, i64, i64, u16)>,
    dates: Vec<(u32, i64, i64, i64, u16)>,
    nums: Vec<(u32, i64, f64, i64, u16)>,
    strs: Vec<(u32, String, i64, String, u16)>,
    idents: Vec<(u32, String, i64, i64, i64)>,
    patients: Vec<(i64, u32, i64, i64, i64)>,
    people: Vec<FindRow>,
}

/// Rows of the patient order of a record.
pub(super) fn patient_rows(
    kind: u16,
    rid: i64,
    rows: &[Row],
    order: &PatientOrder,
) -> Vec<(i64, u32, i64, i64, i64)> {
    let newest = rows.iter().filter_map(|row| match row {
        Row::Date { atom, low, .. } if Some(*atom) == order.date => Some(*low),
        _ => None,
    });
    // Newest first; records without a date behind all others.
    let sort = newest.max().map_or(i64::MAX, |low| -low);
    let mut out = Vec::new();
    for row in rows {
        let Row::Patient { record } = row else { continue };
        out.push((*record, ATOM_TYPE, i64::from(kind), sort, rid));
        for row in rows {
            if let Row::Int { atom, value, .. } = row
                && order.atoms.contains(atom)
            {
                out.push((*record, *atom, *value, sort, rid));
            }
        }
    }
    out.sort_unstable();
    out.dedup();
    out
}

impl Pending {
    /// Gathers the rows of a record.
    pub(super) fn add(&mut self, rid: i64, rows: &[Row]) {
        for row in rows {
            match row {
                Row::Int { atom, value, group } => self.ints.push((*atom, *value, rid, *group)),
                Row::Date { atom, low, high, group } => {
                    self.dates.push((*atom, *low, *high, rid, *group));
                }
                Row::Num { atom, unit, value, group } => {
                    self.nums.push((*atom, *unit, *value, rid, *group));
                }
                Row::Str { atom, folded, exact, group } => {
                    self.strs.push((*atom, folded.clone(), rid, exact.clone(), *group));
                }
                Row::Ident { atom, value, system, of_type } => {
                    self.idents.push((*atom, value.clone(), *system, rid, *of_type));
                }
                Row::Patient { .. } | Row::Fact { .. } => {}
            }
        }
    }

    /// Gathers an entry of the list of all records of a type.
    pub(super) fn add_live(&mut self, kind: u16, rid: i64) {
        self.ints.push((ATOM_TYPE, i64::from(kind), rid, 0));
    }

    /// Gathers rows of the patient order.
    pub(super) fn add_patient(&mut self, rows: Vec<(i64, u32, i64, i64, i64)>) {
        self.patients.extend(rows);
    }

    /// Gathers keys that a patient is found by.
    pub(super) fn add_people(&mut self, rows: Vec<FindRow>) {
        self.people.extend(rows);
    }

    /// Drops what was gathered.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Writes everything, each table in the order of its key.
    pub(super) fn flush(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.flush_first(conn)?;
        self.flush_rest(conn)
    }

    /// Writes what is never held back: the integers, the identifiers and the patient order.
    pub(super) fn flush_first(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if !self.ints.is_empty() {
            self.ints.sort_unstable();
            let mut s = conn.prepare_cached("INSERT OR IGNORE INTO ix VALUES (?, ?, ?, ?)")?;
            for (atom, value, rid, group) in self.ints.drain(..) {
                s.execute(params![atom, value, rid, group])?;
            }
        }
        if !self.idents.is_empty() {
            self.idents.sort_unstable();
            let mut s =
                conn.prepare_cached("INSERT OR IGNORE INTO ix_ident VALUES (?, ?, ?, ?, ?)")?;
            for (atom, value, system, rid, of_type) in self.idents.drain(..) {
                s.execute(params![atom, value, system, rid, of_type])?;
            }
        }
        if !self.patients.is_empty() {
            self.patients.sort_unstable();
            let mut s = conn.prepare_cached("INSERT OR IGNORE INTO pt VALUES (?, ?, ?, ?, ?)")?;
            for (patient, atom, value, sort, rid) in self.patients.drain(..) {
                s.execute(params![patient, atom, value, sort, rid])?;
            }
        }
        Ok(())
    }

    fn flush_rest(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if !self.dates.is_empty() {
            self.dates.sort_unstable();
            let mut s =
                conn.prepare_cached("INSERT OR IGNORE INTO ix_date VALUES (?, ?, ?, ?, ?)")?;
            for (atom, low, high, rid, group) in self.dates.drain(..) {
                s.execute(params![atom, low, high, rid, group])?;
            }
        }
        if !self.nums.is_empty() {
            self.nums.sort_unstable_by(|a, b| {
                (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
            });
            let mut s =
                conn.prepare_cached("INSERT OR IGNORE INTO ix_num VALUES (?, ?, ?, ?, ?)")?;
            for (atom, unit, value, rid, group) in self.nums.drain(..) {
                s.execute(params![atom, unit, value, rid, group])?;
            }
        }
        if !self.strs.is_empty() {
            self.strs.sort_unstable();
            let mut s =
                conn.prepare_cached("INSERT OR IGNORE INTO ix_str VALUES (?, ?, ?, ?, ?)")?;
            for (atom, folded, rid, exact, group) in self.strs.drain(..) {
                s.execute(params![atom, folded, rid, exact, group])?;
            }
        }
        people::insert(conn, &mut self.people)
    }
}

/// Takes rows of a record out of the index.
pub(super) fn remove(conn: &Connection, rid: i64, rows: &[Row]) -> rusqlite::Result<()> {
    for row in rows {
        match row {
            Row::Int { atom, value, group } => {
                conn.prepare_cached("DELETE FROM ix WHERE atom=? AND value=? AND rid=? AND grp=?")?
                    .execute(params![atom, value, rid, group])?;
            }
            Row::Date { atom, low, high, group } => {
                conn.prepare_cached(
                    "DELETE FROM ix_date WHERE atom=? AND low=? AND high=? AND rid=? AND grp=?",
                )?
                .execute(params![atom, low, high, rid, group])?;
            }
            Row::Num { atom, unit, value, group } => {
                conn.prepare_cached(
                    "DELETE FROM ix_num WHERE atom=? AND unit=? AND value=? AND rid=? AND grp=?",
                )?
                .execute(params![atom, unit, value, rid, group])?;
            }
            Row::Str { atom, folded, exact, group } => {
                conn.prepare_cached(
                    "DELETE FROM ix_str WHERE atom=? AND folded=? AND rid=? AND exact=? AND grp=?",
                )?
                .execute(params![atom, folded, rid, exact, group])?;
            }
            Row::Ident { atom, value, system, of_type } => {
                conn.prepare_cached(
                    "DELETE FROM ix_ident \
                     WHERE atom=? AND value=? AND system=? AND rid=? AND of_type=?",
                )?
                .execute(params![atom, value, system, rid, of_type])?;
            }
            Row::Patient { .. } | Row::Fact { .. } => {}
        }
    }
    Ok(())
}

/// Takes a record out of the list of its type.
pub(super) fn remove_live(conn: &Connection, kind: u16, rid: i64) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM ix WHERE atom=? AND value=? AND rid=? AND grp=0")?
        .execute(params![ATOM_TYPE, kind, rid])?;
    Ok(())
}

/// Takes rows out of the patient order.
pub(super) fn remove_patient(
    conn: &Connection,
    rows: &[(i64, u32, i64, i64, i64)],
) -> rusqlite::Result<()> {
    for (patient, atom, value, sort, rid) in rows {
        conn.prepare_cached(
            "DELETE FROM pt WHERE patient=? AND atom=? AND value=? AND sort=? AND rid=?",
        )?
        .execute(params![patient, atom, value, sort, rid])?;
    }
    Ok(())
}
