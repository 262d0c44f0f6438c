//! Order and pages. Without sort keys records come in the order they were created; with the type's
//! clinical date, newest first, inside one patient's records, they come straight from the
//! patient-compartment order; any other order keeps the best of all matches in a bounded heap.
//!
//! A page after the first belongs to the snapshot of the first: what was created since is left out,
//! what was changed since is judged and placed as it was.

use super::super::names::Id;
use super::super::unavailable;
use super::check::Check;
use super::drive::PatientLists;
use super::{Finder, Record};
use crate::pack::{self, View};
use crate::page::{PageRequest, Position};
use base::Fault;
use base::error::code;
use rusqlite::{OptionalExtension, params};
use search::query::{Search, SortBy, SortKey};
use std::cmp::Ordering;

/// A sort key's value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Int(i64),
    Num(f64),
    Text(String),
    /// No value: last in either direction.
    Last,
}

/// A match with what it sorts by.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) keys: Vec<Key>,
    pub(super) rid: i64,
    pub(super) vid: u64,
}

/// A page's matches, before their bodies are read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) matches: Vec<Candidate>,
    pub(super) next: Option<Position>,
    pub(super) previous: Option<Position>,
    pub(super) total: Option<u64>,
}

impl Finder<'_> {
    /// The matches of a page.
    pub(super) fn page(
        &self,
        search: &Search,
        kinds: &[u16],
        check: &Check,
        page: &PageRequest,
        now: u64,
    ) -> Result<Found, Fault> {
        let sort = &search.sort;
        let snapshot = page.position.map_or(now, |p| p.snapshot);
        let backward = page.position.is_some_and(|p| p.backward);
        let anchor = match page.position {
            None => None,
            Some(position) => Some(self.anchor(position, sort)?),
        };
        let behind = |c: &Candidate| match &anchor {
            None => true,
            Some(anchor) => {
                let order = compare(sort, c, anchor);
                if backward { order == Ordering::Less } else { order == Ordering::Greater }
            }
        };
        let want = page.count + 1;
        let mut best: Vec<Candidate> = Vec::new();
        let mut total = None;
        let direct = self.patient_dates(search, kinds)?.filter(|_| !backward);
        if let Some(PatientLists { patient, lists, .. }) = direct {
            self.note(|| "in the patient's own order, newest first".to_owned());
            let after = anchor.as_ref().map(|a| (date_key(a), a.rid));
            self.patient_order_each(patient, &lists, after, &mut |rid| {
                best.extend(self.candidate(rid, kinds, check, sort, snapshot)?);
                Ok(best.len() < want)
            })?;
            if anchor.is_none() && best.len() < want {
                total = Some(best.len() as u64);
            }
        } else {
            let (driver, many) = self.driver(&search.filters, kinds)?;
            if sort.is_empty() {
                let after = anchor.as_ref().map(|a| a.rid);
                self.each(&driver, after, backward, &mut |rid| {
                    best.extend(self.candidate(rid, kinds, check, sort, snapshot)?);
                    Ok(best.len() < want)
                })?;
                if anchor.is_none() && best.len() < want {
                    total = Some(best.len() as u64);
                }
            } else if many
                && self.by_date(
                    search,
                    kinds,
                    check,
                    anchor.as_ref(),
                    snapshot,
                    backward,
                    want,
                    &mut best,
                )?
            {
                self.note(|| "walking the index in the order asked for".to_owned());
            } else if many
                && self.by_time(
                    search,
                    kinds,
                    check,
                    anchor.as_ref(),
                    snapshot,
                    backward,
                    want,
                    &mut best,
                )?
            {
                self.note(|| "walking the versions in the order asked for".to_owned());
            } else {
                best.clear();
                let mut seen = 0u64;
                self.note(|| "all matches sorted".to_owned());
                self.each(&driver, None, false, &mut |rid| {
                    if let Some(candidate) = self.candidate(rid, kinds, check, sort, snapshot)? {
                        seen += 1;
                        if behind(&candidate) {
                            best.push(candidate);
                            // Twice the page, then cut: cheaper than a heap and as bounded.
                            if best.len() >= want * 2 + 64 {
                                shrink(&mut best, sort, backward, want);
                            }
                        }
                    }
                    Ok(true)
                })?;
                total = anchor.is_none().then_some(seen);
            }
        }
        if page.position.is_some() && now > snapshot {
            let past = self.past(snapshot, kinds, check, sort)?;
            best.extend(past.candidates.into_iter().filter(behind));
        }
        shrink(&mut best, sort, backward, want);
        let more = best.len() > page.count;
        best.truncate(page.count);
        if backward {
            best.reverse();
        }
        let at = |c: Option<&Candidate>, backward| {
            c.map(|c| Position { snapshot, record: c.rid, backward })
        };
        let (mut next, mut previous) = (None, None);
        if backward {
            next = at(best.last(), false);
            if more {
                previous = at(best.first(), true);
            }
        } else {
            if more {
                next = at(best.last(), false);
            }
            if page.position.is_some() {
                previous = at(best.first(), true);
            }
        }
        Ok(Found { matches: best, next, previous, total })
    }

    /// A record as a candidate, if it matches and has not changed since the snapshot.
    pub(super) fn candidate(
        &self,
        rid: i64,
        kinds: &[u16],
        check: &Check,
        sort: &[SortKey],
        snapshot: u64,
    ) -> Result<Option<Candidate>, Fault> {
        self.record(rid, |record| {
            if record.vid > snapshot
                || !kinds.contains(&record.kind)
                || !self.holds(check, record)?
            {
                return Ok(None);
            }
            Ok(Some(Candidate { keys: self.keys(record, sort)?, rid, vid: record.vid }))
        })
        .map(Option::flatten)
    }

    /// The record a page follows, with the keys it had at the snapshot.
    fn anchor(&self, position: Position, sort: &[SortKey]) -> Result<Candidate, Fault> {
        let expired =
            || Fault::new(&code::SEARCH_CURSOR, "the page link has expired; search again");
        if sort.is_empty() {
            return Ok(Candidate { keys: Vec::new(), rid: position.record, vid: 0 });
        }
        let run = || -> rusqlite::Result<Option<(u16, u64, Vec<u8>)>> {
            self.conn
                .prepare_cached("SELECT type, vid, packed FROM res WHERE rid = ?")?
                .query_row([position.record], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
                .optional()
        };
        let (kind, vid, packed) = run().map_err(unavailable)?.ok_or_else(expired)?;
        let (vid, packed) = if vid <= position.snapshot {
            (vid, packed)
        } else {
            let old: Option<u64> = self
                .conn
                .prepare_cached("SELECT max(vid) FROM old WHERE rid = ? AND vid <= ?")
                .and_then(|mut s| {
                    s.query_row(params![position.record, position.snapshot], |r| r.get(0))
                        .optional()
                })
                .map_err(unavailable)?
                .flatten();
            let vid = old.ok_or_else(expired)?;
            (vid, self.packed_at(position.record, kind, vid)?.ok_or_else(expired)?)
        };
        let record = Record { rid: position.record, kind, vid, packed: &packed };
        Ok(Candidate { keys: self.keys(&record, sort)?, rid: position.record, vid })
    }

    /// What a record sorts by.
    pub(super) fn keys(&self, record: &Record<'_>, sort: &[SortKey]) -> Result<Vec<Key>, Fault> {
        let mut keys = Vec::with_capacity(sort.len());
        for key in sort {
            keys.push(match &key.by {
                SortBy::Id => Key::Text(self.logical_id(record.rid)?),
                // Version numbers rise with time.
                SortBy::LastUpdated => Key::Int(record.vid.cast_signed()),
                SortBy::Type => Key::Text(
                    self.shared
                        .numbers
                        .type_id(record.kind)
                        .map_or_else(String::new, |t| fhir::definitions::r4().name(t).to_owned()),
                ),
                SortBy::Atoms { atoms, .. } => {
                    let atoms = self.shared.numbers.atoms(atoms);
                    self.entry_key(record, &atoms, key.descending)?
                }
            });
        }
        Ok(keys)
    }

    fn logical_id(&self, rid: i64) -> Result<String, Fault> {
        self.conn
            .prepare_cached("SELECT id FROM res WHERE rid = ?")
            .and_then(|mut s| {
                s.query_row([rid], |r| Ok(Id::from_sql(r.get_ref(0)?).map(|i| i.text()))).optional()
            })
            .map(|id| id.flatten().unwrap_or_default())
            .map_err(unavailable)
    }

    /// The lowest value of the atoms, or the highest when falling.
    fn entry_key(&self, record: &Record<'_>, atoms: &[u32], falling: bool) -> Result<Key, Fault> {
        let mut best = Key::Last;
        for view in pack::rows(record.packed) {
            if !atoms.contains(&view.atom()) {
                continue;
            }
            let key = match view {
                View::Date { low, .. } => Key::Int(low),
                View::Num { value, .. } => Key::Num(value),
                View::Str { folded, .. } => Key::Text(folded.to_owned()),
                View::Ident { value, .. } => Key::Text(value.to_owned()),
                View::Int { atom, value, .. } => self.int_key(atom, value)?,
                View::Patient { .. } | View::Fact { .. } => continue,
            };
            let better = match order(&key, &best) {
                Ordering::Less => !falling || best == Key::Last,
                Ordering::Greater => falling && best != Key::Last,
                Ordering::Equal => false,
            };
            if better {
                best = key;
            }
        }
        Ok(best)
    }

    /// Tokens sort by their code, uris by their text, references by the id they name.
    fn int_key(&self, atom: u32, value: i64) -> Result<Key, Fault> {
        use search::registry::{Shape, registry};
        let shape = registry()
            .atoms()
            .iter()
            .find(|a| self.shared.numbers.atom(a.id) == atom)
            .map(|a| a.shape);
        let sql = match shape {
            Some(Shape::Uri) => "SELECT text FROM uri WHERE id = ?",
            Some(Shape::Reference) => return self.logical_id(value).map(Key::Text),
            _ => "SELECT code FROM token WHERE id = ?",
        };
        let text: Option<String> = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row([value], |r| r.get(0)).optional())
            .map_err(unavailable)?;
        Ok(text.map_or(Key::Last, Key::Text))
    }
}

fn date_key(candidate: &Candidate) -> i64 {
    match candidate.keys.first() {
        Some(Key::Int(low)) => -low,
        _ => i64::MAX,
    }
}

fn order(a: &Key, b: &Key) -> Ordering {
    match (a, b) {
        (Key::Last, Key::Last) => Ordering::Equal,
        (Key::Last, _) => Ordering::Greater,
        (_, Key::Last) => Ordering::Less,
        (Key::Int(a), Key::Int(b)) => a.cmp(b),
        (Key::Num(a), Key::Num(b)) => a.total_cmp(b),
        (Key::Text(a), Key::Text(b)) => a.cmp(b),
        // One parameter's atoms can differ in shape (date or text); any fixed order will do.
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

const fn rank(key: &Key) -> u8 {
    match key {
        Key::Int(_) => 0,
        Key::Num(_) => 1,
        Key::Text(_) => 2,
        Key::Last => 3,
    }
}

/// The order of two candidates: keys, then record numbers.
pub(super) fn compare(sort: &[SortKey], a: &Candidate, b: &Candidate) -> Ordering {
    for (key, (x, y)) in sort.iter().zip(a.keys.iter().zip(&b.keys)) {
        let mut found = order(x, y);
        if key.descending && *x != Key::Last && *y != Key::Last {
            found = found.reverse();
        }
        if found != Ordering::Equal {
            return found;
        }
    }
    a.rid.cmp(&b.rid)
}

/// Keeps the first candidates in order (the last ones, last first, when backward).
fn shrink(best: &mut Vec<Candidate>, sort: &[SortKey], backward: bool, keep: usize) {
    best.sort_by(|a, b| if backward { compare(sort, b, a) } else { compare(sort, a, b) });
    best.truncate(keep);
}
