//! Totals: exact, from the counts the store keeps where they answer, from index lists where those are
//! the answer, and record by record everywhere else.

use super::super::names::ATOM_TYPE;
use super::super::unavailable;
use super::Finder;
use super::check::Check;
use super::drive::Driver;
use base::Fault;
use rusqlite::{OptionalExtension, params};
use search::query::Search;

impl Finder<'_> {
    /// All matches, counted exactly.
    pub(super) fn count(
        &self,
        search: &Search,
        kinds: &[u16],
        check: &Check,
    ) -> Result<u64, Fault> {
        if search.filters.is_empty() {
            return self.count_kinds(kinds);
        }
        let (driver, _) = self.driver(&search.filters, kinds)?;
        if self.sight.is_everything()
            && let [filter] = search.filters.as_slice()
            && let (Driver::Lists(lists), [_]) = (&driver, kinds)
            && exact(filter)
            && !lists.iter().any(|(atom, _)| *atom == ATOM_TYPE)
        {
            // The lists are the answer: atoms belong to one type, and no record needs a look.
            if let [(atom, value)] = lists.as_slice() {
                return self.count_list(*atom, *value);
            }
            let mut count = 0;
            self.each(&driver, None, false, &mut |_| {
                count += 1;
                Ok(true)
            })?;
            return Ok(count);
        }
        let mut count = 0;
        self.each(&driver, None, false, &mut |rid| {
            let hit = self.record(rid, |r| Ok(kinds.contains(&r.kind) && self.holds(check, r)?))?;
            count += u64::from(hit == Some(true));
            Ok(true)
        })?;
        Ok(count)
    }

    /// Live records of types, within the sight.
    pub(super) fn count_kinds(&self, kinds: &[u16]) -> Result<u64, Fault> {
        if self.sight.is_everything() {
            self.step(1)?;
            let mut count = 0;
            for kind in kinds {
                count += self.count_live(*kind)?;
            }
            return Ok(count);
        }
        let lists = kinds.iter().map(|k| (ATOM_TYPE, i64::from(*k))).collect();
        let mut count = 0;
        self.each(&Driver::Lists(lists), None, false, &mut |rid| {
            count += u64::from(self.record(rid, |_| Ok(()))?.is_some());
            Ok(true)
        })?;
        Ok(count)
    }

    fn count_live(&self, kind: u16) -> Result<u64, Fault> {
        self.conn
            .prepare_cached("SELECT live FROM stat WHERE type = ?")
            .and_then(|mut s| s.query_row([kind], |r| r.get(0)).optional())
            .map(|n| n.unwrap_or(0))
            .map_err(unavailable)
    }

    fn count_list(&self, atom: u32, value: i64) -> Result<u64, Fault> {
        let count: u64 = self
            .conn
            .prepare_cached("SELECT count(DISTINCT rid) FROM ix WHERE atom = ? AND value = ?")
            .and_then(|mut s| s.query_row(params![atom, value], |r| r.get(0)))
            .map_err(unavailable)?;
        self.step(count / 16)?;
        Ok(count)
    }
}

/// Whether a filter's lists hold exactly its matches.
fn exact(filter: &search::query::Filter) -> bool {
    matches!(filter, search::query::Filter::Match { negate: false, .. })
}
