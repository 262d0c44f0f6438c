//! What the store knows of a record beside its content, in the names it came under: what a decision
//! about the record is made of, for whoever has to explain one (45 CFR 164.308(a)(4)).

use super::names::{Id, bad_row};
use super::read::Reader;
use super::sight::Facts;
use super::unavailable;
use crate::scope::Scoped;
use base::Fault;
use fhir::definitions::TypeId;
use rusqlite::{Connection, OptionalExtension, params};

/// The facts of a record that a scope asks about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownFacts {
    /// The ids of the patients in whose compartments it is.
    pub patients: Vec<String>,
    /// Its site.
    pub site: Option<String>,
    /// The principal who wrote it first.
    pub author: Option<String>,
    /// Its label bits.
    pub labels: u64,
}

impl Scoped<'_, Reader> {
    /// The facts of a record as it is now; `None` when there is none for this scope.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn facts(&self, resource_type: TypeId, id: &str) -> Result<Option<KnownFacts>, Fault> {
        let reader = &self.inner;
        let conn = reader.conn()?;
        let kind = reader.shared.numbers.of_type(resource_type);
        if !reader.sight.sees_type(kind) {
            return Ok(None);
        }
        type Row = (i64, u64, i64, Vec<u8>);
        let found = || -> rusqlite::Result<Option<Row>> {
            let Some(rid) = reader.shared.find_name(conn, kind, &Id::new(id))? else {
                return Ok(None);
            };
            conn.prepare_cached("SELECT vid, labels, packed FROM res WHERE rid = ?")?
                .query_row([rid], |r| Ok((rid, r.get(0)?, r.get(1)?, r.get(2)?)))
                .optional()
        };
        let Some((rid, vid, labels, packed)) = found().map_err(unavailable)? else {
            return Ok(None);
        };
        let marks = reader.labels.marks(vid, labels, &packed);
        if !reader.sight.sees(rid, kind, marks, &packed) {
            return Ok(None);
        }
        let facts = Facts::of(&packed);
        let mut known = KnownFacts { labels: labels.cast_unsigned(), ..KnownFacts::default() };
        for patient in &facts.patients {
            let name = name_of(conn, reader.shared.patient_type, *patient).map_err(unavailable)?;
            // A patient without a name is one that cannot be told: better no answer than half of one.
            known.patients.push(name.ok_or_else(bad_row)?.text());
        }
        known.site = facts.site.map(|number| uri(conn, number)).transpose()?;
        known.author = facts.author.map(|number| uri(conn, number)).transpose()?;
        Ok(Some(known))
    }
}

/// The id of a record by its number: of one that is there, or of one that was only referred to.
fn name_of(conn: &Connection, kind: u16, rid: i64) -> rusqlite::Result<Option<Id>> {
    let id = |row: &rusqlite::Row<'_>| Ok(Id::from_sql(row.get_ref(0)?));
    let there = conn.prepare_cached("SELECT id FROM res WHERE rid = ?")?.query_row([rid], id);
    if let Some(there) = there.optional()? {
        return Ok(there);
    }
    // No index leads from number to name. Only explanations ask, and seldom for such a one.
    conn.prepare_cached("SELECT id FROM name WHERE type = ? AND rid = ?")?
        .query_row(params![kind, rid], id)
        .optional()
        .map(Option::flatten)
}

fn uri(conn: &Connection, number: i64) -> Result<String, Fault> {
    conn.prepare_cached("SELECT text FROM uri WHERE id = ?")
        .and_then(|mut s| s.query_row([number], |r| r.get(0)))
        .map_err(unavailable)
}
