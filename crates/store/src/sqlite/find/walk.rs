//! Pages that come straight from an index: where the order asked for is one that some index has, and
//! matches are many, the index is walked in that order and left when the page is full.

use super::super::unavailable;
use super::Finder;
use super::check::Check;
use super::drive::PatientLists;
use super::order::{Candidate, Key, compare};
use base::Fault;
use rusqlite::params;
use search::query::{Search, SortBy};
use std::cmp::Ordering;

impl Finder<'_> {
    /// Fills a page by walking the index of the one date it is sorted by, where many records match.
    /// Answers false, having decided nothing, when that is not the order asked for, or when matches
    /// turn out to be rare.
    #[expect(clippy::too_many_arguments, reason = "the parts of one page, taken apart")]
    pub(super) fn by_date(
        &self,
        search: &Search,
        kinds: &[u16],
        check: &Check,
        anchor: Option<&Candidate>,
        snapshot: u64,
        backward: bool,
        want: usize,
        best: &mut Vec<Candidate>,
    ) -> Result<bool, Fault> {
        const CHUNK: i64 = 256;
        const PATIENCE: i64 = 40_000;
        let [key] = search.sort.as_slice() else { return Ok(false) };
        let SortBy::Atoms { atoms, kind: fhir::definitions::SearchKind::Date } = &key.by else {
            return Ok(false);
        };
        let numbers = self.shared.numbers.atoms(atoms);
        let [atom] = numbers.as_slice() else { return Ok(false) };
        let falling = key.descending != backward;
        let from = match anchor.map(|a| a.keys.first()) {
            None if backward => return Ok(false),
            None => None,
            Some(Some(Key::Int(low))) => Some(*low),
            Some(_) => return Ok(false),
        };
        let sql = if falling {
            "SELECT low, high, rid FROM ix_date WHERE atom = ?1 AND (low, high, rid) < (?2, ?3, ?4) \
             ORDER BY low DESC, high DESC, rid DESC LIMIT ?5"
        } else {
            "SELECT low, high, rid FROM ix_date WHERE atom = ?1 AND (low, high, rid) > (?2, ?3, ?4) \
             ORDER BY low, high, rid LIMIT ?5"
        };
        let edge = if falling { i64::MAX } else { i64::MIN };
        let mut last = (from.unwrap_or(edge), edge, edge);
        let mut seen = std::collections::HashSet::new();
        let mut walked = 0;
        let mut enough_at = None;
        loop {
            let rows = self
                .conn
                .prepare_cached(sql)
                .and_then(|mut s| {
                    s.query_map(params![atom, last.0, last.1, last.2, CHUNK], |r| {
                        Ok((r.get(0)?, r.get(1)?, r.get(2)?))
                    })?
                    .collect::<rusqlite::Result<Vec<(i64, i64, i64)>>>()
                })
                .map_err(unavailable)?;
            for (low, _, rid) in &rows {
                // Records of one instant are put in order afterwards, so all of them are needed.
                if enough_at.is_some_and(|at| at != *low) {
                    return Ok(true);
                }
                if !seen.insert(*rid) {
                    continue;
                }
                let Some(found) = self.candidate(*rid, kinds, check, &search.sort, snapshot)?
                else {
                    continue;
                };
                let behind = anchor.is_none_or(|anchor| {
                    let order = compare(&search.sort, &found, anchor);
                    if backward { order == Ordering::Less } else { order == Ordering::Greater }
                });
                if behind {
                    best.push(found);
                    if best.len() >= want {
                        enough_at.get_or_insert(*low);
                    }
                }
            }
            walked += CHUNK;
            if rows.len() < 256 && best.len() >= want {
                return Ok(true);
            }
            // The end of the index: what has no date comes after it, so all matches are needed.
            let Some(end) = rows.last().filter(|_| rows.len() == 256 && walked < PATIENCE) else {
                return Ok(false);
            };
            last = *end;
        }
    }

    /// Fills a page by walking a type's versions, where many records match and the order asked for is
    /// that of their last change. Answers false, having decided nothing, when matches are rare.
    #[expect(clippy::too_many_arguments, reason = "the parts of one page, taken apart")]
    pub(super) fn by_time(
        &self,
        search: &Search,
        kinds: &[u16],
        check: &Check,
        anchor: Option<&Candidate>,
        snapshot: u64,
        backward: bool,
        want: usize,
        best: &mut Vec<Candidate>,
    ) -> Result<bool, Fault> {
        const CHUNK: usize = 256;
        const PATIENCE: usize = 40_000;
        let ([key], [kind]) = (search.sort.as_slice(), kinds) else { return Ok(false) };
        if key.by != SortBy::LastUpdated {
            return Ok(false);
        }
        best.clear();
        let falling = key.descending != backward;
        let sql = if falling {
            "SELECT vid, rid FROM ver WHERE type = ?1 AND vid < ?2 ORDER BY vid DESC LIMIT ?3"
        } else {
            "SELECT vid, rid FROM ver WHERE type = ?1 AND vid > ?2 ORDER BY vid LIMIT ?3"
        };
        let mut last = match anchor {
            Some(anchor) => anchor.vid,
            None if falling => i64::MAX.unsigned_abs(),
            None => 0,
        };
        let mut walked = 0;
        while walked < PATIENCE {
            let rows = self
                .conn
                .prepare_cached(sql)
                .and_then(|mut s| {
                    s.query_map(params![kind, last, CHUNK], |r| Ok((r.get(0)?, r.get(1)?)))?
                        .collect::<rusqlite::Result<Vec<(u64, i64)>>>()
                })
                .map_err(unavailable)?;
            for (vid, rid) in &rows {
                // A version that is no longer current stands elsewhere in this order.
                let found = self.candidate(*rid, kinds, check, &search.sort, snapshot)?;
                best.extend(found.filter(|c| c.vid == *vid));
                if best.len() >= want {
                    return Ok(true);
                }
            }
            let Some((end, _)) = rows.last().filter(|_| rows.len() == CHUNK) else {
                return Ok(true);
            };
            last = *end;
            walked += CHUNK;
        }
        Ok(false)
    }

    /// When one patient's records are asked for by their clinical date, newest first: the lists that
    /// hold them in that order.
    pub(super) fn patient_dates(
        &self,
        search: &Search,
        kinds: &[u16],
    ) -> Result<Option<PatientLists>, Fault> {
        let ([key], [kind]) = (search.sort.as_slice(), kinds) else { return Ok(None) };
        let SortBy::Atoms { atoms, .. } = &key.by else { return Ok(None) };
        let date = self.shared.patient_order(*kind).date;
        let by_date =
            key.descending && self.shared.numbers.atoms(atoms).as_slice() == date.as_slice();
        if !by_date {
            return Ok(None);
        }
        let found = self.patient_lists(&search.filters, kinds)?;
        if let Some(PatientLists { name, .. }) = &found {
            self.note(|| format!("from the patient's records by {name}"));
        }
        Ok(found)
    }

    /// Hands over the records of lists of the patient order, in that order.
    pub(super) fn patient_order_each(
        &self,
        patient: i64,
        lists: &[(u32, i64)],
        after: Option<(i64, i64)>,
        take: &mut dyn FnMut(i64) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        const CHUNK: usize = 64;
        struct List {
            atom: u32,
            value: i64,
            last: (i64, i64),
            buffer: std::collections::VecDeque<(i64, i64)>,
            done: bool,
        }
        let first = after.unwrap_or((i64::MIN, 0));
        let mut open: Vec<List> = lists
            .iter()
            .map(|(atom, value)| List {
                atom: *atom,
                value: *value,
                last: first,
                buffer: std::collections::VecDeque::new(),
                done: false,
            })
            .collect();
        let mut handed = None;
        loop {
            for list in open.iter_mut().filter(|l| l.buffer.is_empty() && !l.done) {
                let mut s = self
                    .conn
                    .prepare_cached(
                        "SELECT sort, rid FROM pt WHERE patient = ? AND atom = ? AND value = ? \
                         AND (sort, rid) > (?, ?) ORDER BY sort, rid LIMIT ?",
                    )
                    .map_err(unavailable)?;
                let rows = s
                    .query_map(
                        params![patient, list.atom, list.value, list.last.0, list.last.1, CHUNK],
                        |r| Ok((r.get(0)?, r.get(1)?)),
                    )
                    .and_then(Iterator::collect::<rusqlite::Result<Vec<(i64, i64)>>>)
                    .map_err(unavailable)?;
                self.step(rows.len() as u64)?;
                list.done = rows.len() < CHUNK;
                if let Some(last) = rows.last() {
                    list.last = *last;
                }
                list.buffer.extend(rows);
            }
            let least = open
                .iter_mut()
                .filter(|l| !l.buffer.is_empty())
                .min_by_key(|l| l.buffer.front().copied().unwrap_or((i64::MAX, i64::MAX)));
            let Some(row) = least.and_then(|l| l.buffer.pop_front()) else { return Ok(()) };
            if handed != Some(row) {
                handed = Some(row);
                if !take(row.1)? {
                    return Ok(());
                }
            }
        }
    }
}
