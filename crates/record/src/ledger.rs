//! The ledger of time: whose time is taken when, as the records of a type say, kept in memory by whom and
//! day so that a rule of a department need not read the bodies of all candidates for each write. It is
//! a copy of what the store has and decides nothing that the store does not: a cell is filled by search
//! when it is first asked for, and brought up to date by the versions that were written since, whoever
//! wrote them and by whichever door, import included. It begins empty with each opening of the store, so
//! a restart, a restore and a unit that was rolled back leave nothing in it.
//!
//! What comes between its look and the commit the writer judges, as of every rule (`store::Watch`).

use crate::condition::condition_options;
use crate::gate::Gate;
use crate::rule::{Claim, Claims};
use crate::taken::Taken;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use search::parse::{Level, parse};
use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use store::{Hit, PageRequest, Scope};

/// Milliseconds of a cell's day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Cells that are kept: months of a large house. When there are more, all are forgotten.
const CELLS_MAX: usize = 20_000;
/// Versions that are caught up with; after more, as an import writes them, filling anew is cheaper.
const VERSIONS_MAX: usize = 4_096;
/// Records that are looked at to fill cells: beyond it the ledger does not answer, and the search does.
const FILL_MAX: usize = 20_000;
/// Of them at a time.
const PAGE: usize = 1_000;
/// People, rooms and devices whose cells one search fills.
const TOGETHER: usize = 100;
/// Days that one claim reaches over, at most: longer ones are seen for their first days.
const DAYS_MAX: i64 = 2;

/// Whose time, on which day since 1970.
type Cell = (Arc<str>, i64);

/// Time taken.
#[derive(Debug, Clone)]
struct Entry {
    taken: Taken,
    lapses: Option<Millis>,
}

impl Entry {
    /// Whether it takes time within a span, at an instant.
    fn meets(&self, start: Millis, end: Millis, now: Millis) -> bool {
        self.taken.start < end
            && start < self.taken.end
            && self.lapses.is_none_or(|lapses| lapses > now)
    }
}

/// Time of one type of records.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Every version up to this commit is in the cells there are.
    as_of: u64,
    cells: HashMap<Cell, Vec<Entry>>,
    of: HashMap<Arc<str>, Vec<Cell>>,
}

/// Time that is asked about.
#[derive(Debug, Clone)]
pub(crate) struct Wanted<'a> {
    pub of: TypeId,
    pub whose: &'a str,
    pub start: Millis,
    pub end: Millis,
}

impl Ledger {
    /// What takes somebody's time within a span, by instants; `None` when the ledger cannot tell.
    fn taken(
        &mut self,
        gate: &Gate,
        claims: &Claims,
        wanted: &Wanted<'_>,
        now: Millis,
    ) -> Result<Option<Vec<Entry>>, Fault> {
        let house = Scope::everything();
        let reader = gate.store.reader(&house)?;
        self.catch_up(&reader, gate, claims, wanted.of)?;
        let whose: Arc<str> = wanted.whose.into();
        let days = days(wanted.start.0, wanted.end.0);
        if !self.filled(
            &reader,
            gate,
            claims,
            wanted.of,
            &[Arc::clone(&whose)],
            days.clone(),
            now,
        )? {
            return Ok(None);
        }
        let mut found: Vec<Entry> = Vec::new();
        for day in days {
            let cell = (Arc::clone(&whose), day);
            let entries = self.cells.get(&cell).into_iter().flatten();
            for entry in entries.filter(|entry| entry.meets(wanted.start, wanted.end, now)) {
                if !found.iter().any(|one| one.taken.by == entry.taken.by) {
                    found.push(entry.clone());
                }
            }
        }
        Ok(Some(found))
    }

    fn catch_up(
        &mut self,
        reader: &store::Scoped<'_, store::Reader>,
        gate: &Gate,
        claims: &Claims,
        of: TypeId,
    ) -> Result<(), Fault> {
        let newest = reader.snapshot()?;
        if newest <= self.as_of {
            return Ok(());
        }
        if !self.cells.is_empty() {
            match reader.written_since(of, self.as_of, VERSIONS_MAX)? {
                Some(versions) => {
                    for (id, hit) in versions {
                        self.forget(&id);
                        if let Some(hit) = hit.filter(|hit| !hit.deleted) {
                            self.add(claims, &hit, &gate.settings.limits)?;
                        }
                    }
                }
                None => self.clear(),
            }
        }
        self.as_of = newest;
        Ok(())
    }

    /// Fills the cells of some days that are not there, by one search; `false` when there is more than
    /// they hold.
    #[expect(clippy::too_many_arguments, reason = "what is looked at, for whom, and when")]
    fn filled(
        &mut self,
        reader: &store::Scoped<'_, store::Reader>,
        gate: &Gate,
        claims: &Claims,
        of: TypeId,
        whose: &[Arc<str>],
        days: RangeInclusive<i64>,
        now: Millis,
    ) -> Result<bool, Fault> {
        let lacks = |one: &&Arc<str>| {
            days.clone().any(|day| !self.cells.contains_key(&(Arc::clone(one), day)))
        };
        let lacking: Vec<Arc<str>> = whose.iter().filter(lacks).cloned().collect();
        if lacking.is_empty() {
            return Ok(true);
        }
        if self.cells.len() >= CELLS_MAX {
            self.clear();
        }
        let limits = gate.settings.limits;
        let options = condition_options(limits, now, None);
        let start = Millis(days.start().saturating_mul(DAY_MS));
        let end = Millis(days.end().saturating_add(1).saturating_mul(DAY_MS));
        let names: Vec<&str> = lacking.iter().map(|one| &**one).collect();
        let search = parse(&Level::Type(of), &(claims.among)(&names, start, end), &options)?;
        let mut request = PageRequest {
            count: PAGE,
            position: None,
            include_max: 0,
            steps_max: limits.search_steps,
        };
        let mut hits = Vec::new();
        loop {
            let page = reader.search(&search, &request)?;
            hits.extend(page.matches);
            match page.next {
                None => break,
                Some(_) if hits.len() >= FILL_MAX => return Ok(false),
                Some(next) => request.position = Some(next),
            }
        }
        for one in &lacking {
            for day in days.clone() {
                self.cells.entry((Arc::clone(one), day)).or_default();
            }
        }
        for hit in &hits {
            self.forget(&hit.id);
            self.add(claims, hit, &limits)?;
        }
        Ok(true)
    }

    /// When the time of several is taken within a span, for each by start; none for one of whom the
    /// ledger cannot tell. They cost one search, at most.
    fn all(
        &mut self,
        gate: &Gate,
        claims: &Claims,
        (of, whose): (TypeId, &[String]),
        (start, end): (Millis, Millis),
        now: Millis,
    ) -> Result<Vec<Option<Vec<Taken>>>, Fault> {
        let house = Scope::everything();
        let reader = gate.store.reader(&house)?;
        self.catch_up(&reader, gate, claims, of)?;
        let whose: Vec<Arc<str>> = whose.iter().map(|one| one.as_str().into()).collect();
        let days = day_of(start.0)..=day_of(end.0.saturating_sub(1)).max(day_of(start.0));
        let mut all = Vec::with_capacity(whose.len());
        for some in whose.chunks(TOGETHER) {
            let told = self.filled(&reader, gate, claims, of, some, days.clone(), now)?;
            for one in some {
                let cells = days.clone().map(|day| (Arc::clone(one), day));
                let entries = cells.filter_map(|cell| self.cells.get(&cell)).flatten();
                let mut taken: Vec<Taken> = entries
                    .filter(|entry| entry.meets(start, end, now))
                    .map(|entry| entry.taken.clone())
                    .collect();
                // What reaches over midnight stands in the cells of both days.
                taken.sort_unstable();
                taken.dedup();
                all.push(told.then_some(taken));
            }
        }
        Ok(all)
    }

    /// Adds what a record takes to the cells there are.
    fn add(&mut self, claims: &Claims, hit: &Hit, limits: &Limits) -> Result<(), Fault> {
        let document = Document::parse(hit.body.clone(), limits)?;
        let id: Arc<str> = hit.id.as_str().into();
        for Claim { whose, start, end, lapses, kept_ms, about } in (claims.read)(document.root()) {
            let about: Option<Arc<str>> = about.map(Into::into);
            let whose: Arc<str> = whose.into();
            for day in days(start.0, end.0) {
                let cell = (Arc::clone(&whose), day);
                let Some(entries) = self.cells.get_mut(&cell) else { continue };
                let (by, about) = (Arc::clone(&id), about.clone());
                entries.push(Entry { taken: Taken { start, end, kept_ms, about, by }, lapses });
                self.of.entry(Arc::clone(&id)).or_default().push(cell);
            }
        }
        Ok(())
    }

    fn forget(&mut self, id: &str) {
        for cell in self.of.remove(id).into_iter().flatten() {
            if let Some(entries) = self.cells.get_mut(&cell) {
                entries.retain(|entry| &*entry.taken.by != id);
            }
        }
    }

    fn clear(&mut self) {
        self.cells.clear();
        self.of.clear();
    }
}

impl Gate {
    /// The claims that a rule of some department reads from records of a type.
    fn claims(&self, of: TypeId) -> Option<&'static Claims> {
        let name = r4().name(of);
        let rules = self.settings.departments.iter().flat_map(|department| department.rules);
        rules.filter_map(|rule| rule.claims.as_ref()).find(|claims| claims.of == name)
    }

    /// Whether a record that is none of `own` takes the time; `None` when the ledger cannot tell.
    pub(crate) fn takes(
        &self,
        wanted: &Wanted<'_>,
        own: &HashSet<(TypeId, String)>,
        now: Millis,
    ) -> Result<Option<bool>, Fault> {
        let Some(claims) = self.claims(wanted.of) else { return Ok(None) };
        let found = self.ledger.lock().taken(self, claims, wanted, now)?;
        Ok(found.map(|entries| {
            entries.iter().any(|entry| !own.contains(&(wanted.of, entry.taken.by.to_string())))
        }))
    }

    /// When the time of several is taken within a span; `None` when no department keeps time.
    pub(crate) fn taken(
        &self,
        (of, whose): (TypeId, &[String]),
        span: (Millis, Millis),
        now: Millis,
    ) -> Result<Option<Vec<Option<Vec<Taken>>>>, Fault> {
        let Some(claims) = self.claims(of) else { return Ok(None) };
        self.ledger.lock().all(self, claims, (of, whose), span, now).map(Some)
    }
}

/// The days that a span touches, the first few.
fn days(start: i64, end: i64) -> RangeInclusive<i64> {
    let first = day_of(start);
    let last = day_of(end.saturating_sub(1)).max(first);
    first..=last.min(first.saturating_add(DAYS_MAX))
}

const fn day_of(instant: i64) -> i64 {
    instant.div_euclid(DAY_MS)
}
