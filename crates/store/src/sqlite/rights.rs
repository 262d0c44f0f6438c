//! What a caller may change, asked by the writer inside the transaction that changes it: a check
//! before it would be one that a race can pass (45 CFR 164.312(a)(1), (c)(1)).

use super::Shared;
use super::sight::{Facts, Marks, Sight};
use crate::pack::{FACT_AUTHOR, FACT_SITE, Row, pack};
use crate::scope::{Rights, Scope};
use base::Fault;
use base::error::code;
use rusqlite::Connection;
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A scope with its sight, which is replaced when what it names was looked up again.
#[derive(Debug)]
struct Kept<'w> {
    scope: &'w Scope,
    sight: RefCell<Arc<Sight>>,
    /// How many names had a number when it was looked up.
    named: Cell<u64>,
}

/// Rights in the store's numbers.
#[derive(Debug)]
pub(super) struct Allowed<'w> {
    conn: &'w Connection,
    shared: &'w Shared,
    see: Kept<'w>,
    create: Kept<'w>,
    update: Kept<'w>,
    delete: Kept<'w>,
    names_ids: bool,
    /// Counts the names that get a number.
    named: Arc<AtomicU64>,
}

impl<'w> Allowed<'w> {
    pub(super) fn new(
        conn: &'w Connection,
        shared: &'w Shared,
        rights: &'w Rights,
        named: Arc<AtomicU64>,
    ) -> Result<Self, Fault> {
        let count = named.load(Ordering::Relaxed);
        let kept = |scope| {
            let sight = RefCell::new(Sight::of_writer(conn, shared, scope)?);
            Ok::<_, Fault>(Kept { scope, sight, named: Cell::new(count) })
        };
        Ok(Self {
            conn,
            shared,
            see: kept(&rights.see)?,
            create: kept(&rights.create)?,
            update: kept(&rights.update)?,
            delete: kept(&rights.delete)?,
            names_ids: rights.names_ids,
            named,
        })
    }

    /// Whether the caller may name the id of what comes into being.
    pub(super) const fn names_ids(&self) -> bool {
        self.names_ids
    }

    /// Whether a record exists for the caller.
    pub(super) fn sees(
        &self,
        rid: i64,
        kind: u16,
        labels: Marks,
        packed: &[u8],
    ) -> Result<bool, Fault> {
        self.holds(&self.see, |sight| sight.sees(rid, kind, labels, packed))
    }

    /// Whether a record with these rows may come into being.
    pub(super) fn create(
        &self,
        rid: i64,
        kind: u16,
        labels: u64,
        rows: &[Row],
    ) -> Result<(), Fault> {
        permit(self.of_rows(&self.create, rid, kind, labels, rows)?)
    }

    /// Whether a record as it is may be changed.
    pub(super) fn update_from(
        &self,
        rid: i64,
        kind: u16,
        labels: Marks,
        packed: &[u8],
    ) -> Result<(), Fault> {
        permit(self.holds(&self.update, |sight| sight.sees(rid, kind, labels, packed))?)
    }

    /// Whether a record may be changed to what these rows are of.
    pub(super) fn update_to(
        &self,
        rid: i64,
        kind: u16,
        labels: u64,
        rows: &[Row],
    ) -> Result<(), Fault> {
        permit(self.of_rows(&self.update, rid, kind, labels, rows)?)
    }

    /// Whether a record may be deleted.
    pub(super) fn delete(
        &self,
        rid: i64,
        kind: u16,
        labels: Marks,
        packed: &[u8],
    ) -> Result<(), Fault> {
        permit(self.holds(&self.delete, |sight| sight.sees(rid, kind, labels, packed))?)
    }

    fn of_rows(
        &self,
        kept: &Kept<'_>,
        rid: i64,
        kind: u16,
        labels: u64,
        rows: &[Row],
    ) -> Result<bool, Fault> {
        let facts = facts(rows);
        let packed = if kept.sight.borrow().asks_entries() { pack(rows) } else { Vec::new() };
        let labels = Marks::sure(labels.cast_signed());
        self.holds(kept, |sight| sight.sees_facts(rid, kind, labels, &facts, &packed))
    }

    /// Asks a sight that knows every number there is: the rows that are judged may have brought some, as
    /// the first record of a site brings that of the site.
    fn holds(&self, kept: &Kept<'_>, ask: impl Fn(&Sight) -> bool) -> Result<bool, Fault> {
        let named = self.named.load(Ordering::Relaxed);
        let grown = kept.named.replace(named) != named;
        if grown && kept.sight.borrow().lags(self.conn, self.shared)? {
            let anew = Sight::of_writer(self.conn, self.shared, kept.scope)?;
            *kept.sight.borrow_mut() = anew;
        }
        let renewed = kept.sight.borrow().renewed(self.conn, self.shared)?;
        if let Some(renewed) = renewed {
            *kept.sight.borrow_mut() = Arc::new(renewed);
        }
        Ok(ask(&kept.sight.borrow()))
    }
}

fn facts(rows: &[Row]) -> Facts {
    let mut facts = Facts::default();
    for row in rows {
        match row {
            Row::Patient { record } => facts.patients.push(*record),
            Row::Fact { fact: FACT_SITE, value } => facts.site = Some(*value),
            Row::Fact { fact: FACT_AUTHOR, value } => facts.author = Some(*value),
            _ => {}
        }
    }
    facts
}

fn permit(permitted: bool) -> Result<(), Fault> {
    if permitted {
        return Ok(());
    }
    let text =
        "no policy permits this change; ask whoever manages access, with the id of the request";
    Err(Fault::new(&code::ACCESS_DENIED, text))
}
