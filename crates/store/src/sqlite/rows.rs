//! From index entries to index rows: texts become numbers, references become record numbers, and the
//! patients whose compartments a record is in are noted beside them.

use super::Shared;
use super::names::{ADDRESS, Id, Interner, Naming, find_uri};
use super::sight::Facts;
use crate::body::OwnedEntry;
use crate::pack::{FACT_AUTHOR, FACT_SITE, Row};
use fhir::definitions::TypeId;
use rusqlite::{Connection, OptionalExtension, params};
use search::entry::EntryValue;
use search::registry::registry;

/// Gives numbers for texts: the writer makes new ones, a reader answers -1 for what is unknown.
pub(super) trait Names {
    fn uri(&mut self, conn: &Connection, text: &str) -> rusqlite::Result<i64>;
    fn token(
        &mut self,
        conn: &Connection,
        system: &str,
        code: &str,
        text: &str,
    ) -> rusqlite::Result<i64>;
    fn name(&mut self, conn: &Connection, kind: u16, id: &Id) -> rusqlite::Result<i64>;
}

impl Names for Interner {
    fn uri(&mut self, conn: &Connection, text: &str) -> rusqlite::Result<i64> {
        Self::uri(self, conn, text)
    }

    fn token(
        &mut self,
        conn: &Connection,
        system: &str,
        code: &str,
        text: &str,
    ) -> rusqlite::Result<i64> {
        Self::token(self, conn, system, code, text)
    }

    fn name(&mut self, conn: &Connection, kind: u16, id: &Id) -> rusqlite::Result<i64> {
        Self::name(self, conn, kind, id, Naming::Reference).map(|(rid, _)| rid)
    }
}

/// The numbers that are there already.
#[derive(Debug)]
pub(super) struct Known<'s>(pub(super) &'s Shared);

impl Names for Known<'_> {
    fn uri(&mut self, conn: &Connection, text: &str) -> rusqlite::Result<i64> {
        if text.is_empty() {
            return Ok(0);
        }
        find_uri(conn, text).map(|n| n.unwrap_or(-1))
    }

    fn token(
        &mut self,
        conn: &Connection,
        system: &str,
        code: &str,
        text: &str,
    ) -> rusqlite::Result<i64> {
        let system = self.uri(conn, system)?;
        conn.prepare_cached("SELECT id FROM token WHERE code = ? AND system = ? AND text = ?")?
            .query_row(params![code, system, text], |r| r.get(0))
            .optional()
            .map(|n| n.unwrap_or(-1))
    }

    fn name(&mut self, conn: &Connection, kind: u16, id: &Id) -> rusqlite::Result<i64> {
        self.0.find_name(conn, kind, id).map(|n| n.unwrap_or(-1))
    }
}

/// What is known of a record beside its content: a site and an author of its own, or those that the
/// version before had. The author of a record is whoever wrote it first.
pub(super) fn facts_of(
    names: &mut dyn Names,
    conn: &Connection,
    site: Option<&str>,
    author: Option<&str>,
    before: Option<&[u8]>,
) -> rusqlite::Result<Vec<Row>> {
    let before = before.map(Facts::of).unwrap_or_default();
    let site = match site {
        Some(site) => Some(names.uri(conn, site)?),
        None => before.site,
    };
    let author = match (before.author, author) {
        (None, Some(author)) => Some(names.uri(conn, author)?),
        (known, _) => known,
    };
    let fact = |fact, value: Option<i64>| value.map(|value| Row::Fact { fact, value });
    Ok(fact(FACT_SITE, site).into_iter().chain(fact(FACT_AUTHOR, author)).collect())
}

/// The index rows of a record.
pub(super) fn rows_of(
    names: &mut dyn Names,
    conn: &Connection,
    shared: &Shared,
    resource_type: TypeId,
    rid: i64,
    entries: &[OwnedEntry],
) -> rusqlite::Result<Vec<Row>> {
    let mut rows = Vec::with_capacity(entries.len() + 1);
    let compartment = registry().patient_compartment(resource_type);
    let mut patients: Vec<i64> = Vec::new();
    if shared.numbers.of_type(resource_type) == shared.patient_type {
        patients.push(rid);
    }
    for entry in entries {
        let row = row_of(names, conn, shared, entry)?;
        if let Row::Int { value, .. } = &row
            && let EntryValue::Reference { resource_type: "Patient", .. } = &entry.value
            && compartment.contains(&entry.atom)
            && !patients.contains(value)
        {
            patients.push(*value);
        }
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    rows.extend(patients.into_iter().map(|record| Row::Patient { record }));
    Ok(rows)
}

fn row_of(
    names: &mut dyn Names,
    conn: &Connection,
    shared: &Shared,
    entry: &OwnedEntry,
) -> rusqlite::Result<Row> {
    let atom = shared.numbers.atom(entry.atom);
    let group = entry.group;
    Ok(match &entry.value {
        EntryValue::Token { system, code, text } => Row::Int {
            atom,
            value: names.token(conn, system, code, text.as_deref().unwrap_or_default())?,
            group,
        },
        EntryValue::Identifier { system, value, of_type } => Row::Ident {
            atom,
            value: value.to_string(),
            system: names.uri(conn, system)?,
            of_type: match of_type {
                Some((system, code)) => names.token(conn, system, code, "")?,
                None => 0,
            },
        },
        EntryValue::String(text) => {
            Row::Str { atom, folded: search::fold::fold(text), exact: text.to_string(), group }
        }
        EntryValue::Reference { resource_type, id } => {
            let kind = shared.type_number(resource_type);
            Row::Int { atom, value: names.name(conn, kind, &Id::new(id))?, group }
        }
        EntryValue::Address(text) => {
            let id = Id::Text(text.as_ref().into());
            Row::Int { atom, value: names.name(conn, ADDRESS, &id)?, group }
        }
        EntryValue::Date { low, high } => Row::Date { atom, low: *low, high: *high, group },
        EntryValue::Number(value) => Row::Num { atom, unit: 0, value: *value, group },
        EntryValue::Quantity { value, system, code, unit } => {
            Row::Num { atom, unit: names.token(conn, system, code, unit)?, value: *value, group }
        }
        EntryValue::Uri(text) => Row::Int { atom, value: names.uri(conn, text)?, group },
    })
}
