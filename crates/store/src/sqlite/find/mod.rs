//! Searches, carried out: conditions become checks on packed entries, the most selective of them
//! drives, every record is seen through the caller's sight before anything is asked of it, and every
//! row touched is counted against the search's budget.

mod alike;
mod check;
mod compile;
mod count;
mod drive;
mod include;
mod order;
mod past;
mod people;
mod range;
mod source;
mod span;
mod walk;

use super::read::Reader;
use super::sight::Sight;
use super::{Shared, names, unavailable};
use crate::page::{Page, PageRequest};
use crate::relabel::LabelState;
use base::Fault;
use base::error::code;
pub(super) use check::Leaf;
use check::{Check, Test};
use fhir::definitions::TypeId;
use rusqlite::{Connection, OptionalExtension};
use search::condition::{Condition, Value};
use search::query::{Search, Summary, SystemMatch, Total};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// A record as a search sees it.
struct Record<'p> {
    rid: i64,
    kind: u16,
    vid: u64,
    packed: &'p [u8],
}

/// What a search works with.
struct Finder<'r> {
    conn: &'r Connection,
    shared: &'r Shared,
    sight: &'r Sight,
    /// Which versions wait for their labels.
    labels: &'r LabelState,
    steps: Cell<u64>,
    steps_max: u64,
    /// What was decided about chained records, by check and record.
    decided: RefCell<HashMap<(usize, i64), bool>>,
    checks: Cell<usize>,
    notes: RefCell<Vec<String>>,
}

/// Carries out a search.
pub(super) fn search(reader: &Reader, search: &Search, page: &PageRequest) -> Result<Page, Fault> {
    let finder = Finder::of(reader, page.steps_max)?;
    let mut out = Page::default();
    let kinds = finder.kinds(search);
    let mut checks = Vec::with_capacity(search.filters.len());
    for filter in &search.filters {
        checks.push(finder.compile(filter, &kinds)?);
    }
    let check = Check::All(checks);
    let count_only = search.summary == Summary::Count || page.count == 0;
    let wants_total =
        count_only || search.total == Total::Accurate || search.total == Total::Estimate;
    if !count_only {
        let found = finder.page(search, &kinds, &check, page, reader.snapshot()?)?;
        include::load(&finder, reader, search, page, &found, &mut out)?;
        out.next = found.next;
        out.previous = found.previous;
        out.total = found.total;
    }
    if wants_total && out.total.is_none() {
        out.total = Some(finder.count(search, &kinds, &check)?);
    }
    if search.total == Total::None && !count_only {
        out.total = None;
    }
    out.explain.plan = finder.notes.take();
    out.explain.steps = finder.steps.get();
    Ok(out)
}

/// The logical ids of the first matches a sight shows: for the writer's guards.
pub(super) fn first_ids(
    conn: &Connection,
    shared: &Shared,
    (sight, labels): (&Sight, &LabelState),
    search: &Search,
    limit: usize,
) -> Result<Vec<String>, Fault> {
    let steps = base::Limits::default().search_steps;
    let finder = Finder::new(conn, shared, sight, labels, steps);
    let kinds = finder.kinds(search);
    let mut checks = Vec::new();
    for filter in &search.filters {
        checks.push(finder.compile(filter, &kinds)?);
    }
    let check = Check::All(checks);
    let (driver, _) = finder.driver(&search.filters, &kinds)?;
    let mut rids = Vec::new();
    finder.each(&driver, None, false, &mut |rid| {
        let found =
            finder.record(rid, |r| Ok(kinds.contains(&r.kind) && finder.holds(&check, r)?))?;
        if found == Some(true) {
            rids.push(rid);
        }
        Ok(rids.len() < limit)
    })?;
    let mut ids = Vec::new();
    for rid in rids {
        let id = conn
            .prepare_cached("SELECT id FROM res WHERE rid = ?")
            .and_then(|mut s| {
                s.query_row([rid], |r| Ok(names::Id::from_sql(r.get_ref(0)?).map(|i| i.text())))
                    .optional()
            })
            .map_err(unavailable)?
            .flatten();
        ids.extend(id);
    }
    Ok(ids)
}

/// The number of a record's present version, when a sight shows it: for the writer's watches.
pub(super) fn present(
    conn: &Connection,
    shared: &Shared,
    (sight, labels): (&Sight, &LabelState),
    rid: i64,
) -> Result<Option<u64>, Fault> {
    Finder::new(conn, shared, sight, labels, 1).record(rid, |record| Ok(record.vid))
}

/// The tests of a scope's condition, any of which must pass, and whether a record that it names has no
/// number yet.
pub(super) fn condition(
    conn: &Connection,
    shared: &Shared,
    condition: &Condition,
) -> Result<(Vec<Leaf>, bool), Fault> {
    // Nothing is looked at: names become numbers, and no more.
    let sight = Sight::everything();
    let labels = LabelState::default();
    let finder = Finder::new(conn, shared, &sight, &labels, 0);
    let (mut leaves, mut open) = (Vec::new(), false);
    for value in &condition.any {
        if let Value::Token { system: SystemMatch::Is(text), .. } = value
            && names::find_uri(conn, text).map_err(unavailable)?.is_none()
        {
            // No record has this system, and the number of what is unknown must match no other unknown.
            continue;
        }
        let found = finder.leaves(&condition.atoms, &value.to_match())?;
        if let Value::Reference { types, .. } = value {
            // Of each type it may name one; with no type in sight there is always one that may come.
            let all = |leaf: &Leaf| matches!(&leaf.test, Test::Ints(n) if n.len() == types.len());
            open |= types.is_empty() || !found.iter().all(all);
        }
        leaves.extend(found);
    }
    Ok((leaves, open))
}

/// Live records by type within the sight.
pub(super) fn type_counts(reader: &Reader) -> Result<Vec<(TypeId, u64)>, Fault> {
    let shared = &reader.shared;
    let finder = Finder::of(reader, u64::MAX)?;
    let mut out = Vec::new();
    for kind in shared.numbers.types().filter(|k| reader.sight.sees_type(*k)) {
        let count = finder.count_kinds(&[kind])?;
        if let Some(id) = shared.numbers.type_id(kind).filter(|_| count > 0) {
            out.push((id, count));
        }
    }
    Ok(out)
}

impl<'r> Finder<'r> {
    fn of(reader: &'r Reader, steps_max: u64) -> Result<Self, Fault> {
        let Reader { shared, sight, labels, .. } = reader;
        Ok(Self::new(reader.conn()?, shared, sight, labels, steps_max))
    }

    fn new(
        conn: &'r Connection,
        shared: &'r Shared,
        sight: &'r Sight,
        labels: &'r LabelState,
        steps_max: u64,
    ) -> Self {
        Self {
            conn,
            shared,
            sight,
            labels,
            steps: Cell::new(0),
            steps_max,
            decided: RefCell::default(),
            checks: Cell::new(0),
            notes: RefCell::default(),
        }
    }

    /// The types a search asks for, as far as they can be seen.
    fn kinds(&self, search: &Search) -> Vec<u16> {
        let numbers = &self.shared.numbers;
        let asked: Vec<u16> = if search.types.is_empty() {
            numbers.types().collect()
        } else {
            search.types.iter().map(|t| numbers.of_type(*t)).collect()
        };
        asked.into_iter().filter(|k| self.sight.sees_type(*k)).collect()
    }

    fn note(&self, text: impl FnOnce() -> String) {
        self.notes.borrow_mut().push(text());
    }

    /// Counts work; refuses when there was too much of it.
    fn step(&self, n: u64) -> Result<(), Fault> {
        let steps = self.steps.get() + n;
        self.steps.set(steps);
        if steps <= self.steps_max {
            return Ok(());
        }
        Err(Fault::new(
            &code::SEARCH_TOO_COSTLY,
            format!(
                "the search touched more than {} index rows; narrow it by patient, code or date",
                self.steps_max
            ),
        ))
    }

    /// Looks at a live record that can be seen; `None` for any other.
    fn record<T>(
        &self,
        rid: i64,
        look: impl FnOnce(&Record<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        self.step(1)?;
        let mut statement = self
            .conn
            .prepare_cached("SELECT type, vid, gone, labels, packed FROM res WHERE rid = ?")
            .map_err(unavailable)?;
        let mut rows = statement.query([rid]).map_err(unavailable)?;
        let Some(row) = rows.next().map_err(unavailable)? else { return Ok(None) };
        let read = || -> rusqlite::Result<(u16, u64, bool, i64)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        };
        let (kind, vid, gone, labels) = read().map_err(unavailable)?;
        let packed = row.get_ref(4).map_err(unavailable)?.as_blob().unwrap_or_default();
        let marks = self.labels.marks(vid, labels, packed);
        if gone || !self.sight.sees(rid, kind, marks, packed) {
            return Ok(None);
        }
        look(&Record { rid, kind, vid, packed }).map(Some)
    }

    /// Whether a condition holds for a record.
    fn holds(&self, check: &Check, record: &Record<'_>) -> Result<bool, Fault> {
        Ok(match check {
            Check::False => false,
            Check::All(all) => {
                for one in all {
                    if !self.holds(one, record)? {
                        return Ok(false);
                    }
                }
                true
            }
            Check::Any(any) => {
                for one in any {
                    if self.holds(one, record)? {
                        return Ok(true);
                    }
                }
                false
            }
            Check::Not(inner) => !self.holds(inner, record)?,
            Check::Leaf(leaf) => leaf.holds(record.packed),
            Check::Present(atoms) => {
                crate::pack::rows(record.packed).any(|v| atoms.contains(&v.atom()))
            }
            Check::Together(parts) => check::together(parts, record.packed),
            Check::Record(set) => set.contains(&record.rid),
            Check::Kind(kinds) => kinds.contains(&record.kind),
            Check::Version(spans) => {
                spans.iter().any(|(low, high)| (*low..=*high).contains(&record.vid))
            }
            Check::Patient(patient) => crate::pack::rows(record.packed)
                .any(|v| matches!(v, crate::pack::View::Patient { record } if record == *patient)),
            Check::Chain { atoms, targets, number } => {
                for view in crate::pack::rows(record.packed) {
                    let crate::pack::View::Int { atom, value, .. } = view else { continue };
                    if atoms.contains(&atom) && self.leads(value, targets, *number)? {
                        return Ok(true);
                    }
                }
                false
            }
            Check::Has { kind, atoms, check, number } => {
                self.pointed_at(record.rid, *kind, atoms, check, *number)?
            }
            Check::Words { narrative_only, words } => {
                past::words_occur(self, record, *narrative_only, words)?
            }
        })
    }

    fn leads(&self, rid: i64, targets: &[(u16, Check)], number: usize) -> Result<bool, Fault> {
        if let Some(known) = self.decided.borrow().get(&(number, rid)) {
            return Ok(*known);
        }
        let holds = self
            .record(rid, |target| {
                for (kind, check) in targets {
                    if *kind == target.kind && self.holds(check, target)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?
            .unwrap_or(false);
        self.decided.borrow_mut().insert((number, rid), holds);
        Ok(holds)
    }

    fn pointed_at(
        &self,
        rid: i64,
        kind: u16,
        atoms: &[u32],
        check: &Check,
        number: usize,
    ) -> Result<bool, Fault> {
        if let Some(known) = self.decided.borrow().get(&(number, rid)) {
            return Ok(*known);
        }
        let mut holds = false;
        for atom in atoms {
            let mut range = range::Range::new(*atom, rid);
            while let Some(source) = range.next(self, false)? {
                let found = self.record(source, |r| Ok(r.kind == kind && self.holds(check, r)?))?;
                if found == Some(true) {
                    holds = true;
                    break;
                }
            }
            if holds {
                break;
            }
        }
        self.decided.borrow_mut().insert((number, rid), holds);
        Ok(holds)
    }
}
