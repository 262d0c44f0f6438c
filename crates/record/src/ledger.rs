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
use std::sync::{Arc, MutexGuard};
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
/// Times that cells are filled for one question, which others make the ledger forget meanwhile.
const FILLS_MAX: usize = 4;
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

/// Days that are not kept.
struct Lacking {
    /// Of whom.
    whose: Vec<Arc<str>>,
    days: RangeInclusive<i64>,
    /// The day before the first is kept of all of them.
    follows: bool,
}

/// What a search found to fill cells with, read beside the ledger: who fills the day of one person keeps
/// nobody waiting who asks about another.
struct Fill {
    as_of: u64,
    cells: Vec<Cell>,
    /// Whose day before the first was kept already: what began on it is taken from there.
    follows: Vec<Cell>,
    claims: Vec<(Arc<str>, Vec<Claim>)>,
}

impl Fill {
    /// `None` when there is more than cells hold.
    fn read(
        reader: &store::Scoped<'_, store::Reader>,
        (of, claims, limits): (TypeId, &Claims, Limits),
        Lacking { whose, days, follows }: &Lacking,
        now: Millis,
    ) -> Result<Option<Self>, Fault> {
        let as_of = reader.snapshot()?;
        let options = condition_options(limits, now, None);
        let reach_ms = if *follows { 0 } else { claims.reach_ms };
        let start = Millis(days.start().saturating_mul(DAY_MS).saturating_sub(reach_ms));
        let end = Millis(days.end().saturating_add(1).saturating_mul(DAY_MS));
        let mut found = Vec::new();
        for some in whose.chunks(TOGETHER) {
            let names: Vec<&str> = some.iter().map(|one| &**one).collect();
            let search = parse(&Level::Type(of), &(claims.among)(&names, start, end), &options)?;
            let mut request = PageRequest {
                count: PAGE,
                position: None,
                include_max: 0,
                steps_max: limits.search_steps,
            };
            let mut hits = 0;
            loop {
                let page = reader.search(&search, &request)?;
                hits += page.matches.len();
                for hit in &page.matches {
                    found.push(claimed(claims, hit, &limits)?);
                }
                match page.next {
                    None => break,
                    Some(_) if hits >= FILL_MAX => return Ok(None),
                    Some(next) => request.position = Some(next),
                }
            }
        }
        let cell = |one: &Arc<str>, day| (Arc::clone(one), day);
        let cells = whose.iter().flat_map(|one| days.clone().map(move |day| cell(one, day)));
        let before = whose.iter().filter(|_| *follows).map(|one| cell(one, days.start() - 1));
        Ok(Some(Self { as_of, cells: cells.collect(), follows: before.collect(), claims: found }))
    }
}

impl Ledger {
    /// Brings the cells there are up to what a reader sees.
    fn catch_up(
        &mut self,
        reader: &store::Scoped<'_, store::Reader>,
        (of, claims, limits): (TypeId, &Claims, Limits),
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
                            let (id, claims) = claimed(claims, &hit, &limits)?;
                            self.add(&id, claims);
                        }
                    }
                }
                None => self.clear(),
            }
        }
        self.as_of = newest;
        Ok(())
    }

    /// What is not kept of some people's days.
    fn lacking(&self, whose: &[Arc<str>], days: &RangeInclusive<i64>) -> Option<Lacking> {
        let has = |one: &Arc<str>, day| self.cells.contains_key(&(Arc::clone(one), day));
        let lacks = |one: &&Arc<str>| days.clone().any(|day| !has(one, day));
        let whose: Vec<Arc<str>> = whose.iter().filter(lacks).cloned().collect();
        let follows = whose.iter().all(|one| has(one, days.start() - 1));
        (!whose.is_empty()).then(|| Lacking { whose, days: days.clone(), follows })
    }

    /// Puts in what was read. It may be older than what the ledger has by now: then every cell is as of what
    /// was read, and what was written since is caught up with once more.
    fn put(&mut self, fill: Fill) {
        if self.cells.len() >= CELLS_MAX {
            self.clear();
        }
        // Others may have made the ledger forget the days before.
        if fill.follows.iter().any(|cell| !self.cells.contains_key(cell)) {
            return;
        }
        self.as_of = self.as_of.min(fill.as_of);
        for cell in fill.cells {
            self.cells.entry(cell).or_default();
        }
        for before in fill.follows {
            self.reach_over(&before);
        }
        for (id, claims) in fill.claims {
            self.forget(&id);
            self.add(&id, claims);
        }
    }

    /// What takes the time of some within a span, and each by its own; every cell of it is there.
    fn entries<'l>(
        &'l self,
        whose: &'l Arc<str>,
        days: &RangeInclusive<i64>,
        (start, end): (Millis, Millis),
        now: Millis,
    ) -> impl Iterator<Item = &'l Entry> {
        let cells = days.clone().filter_map(move |day| self.cells.get(&(Arc::clone(whose), day)));
        cells.flatten().filter(move |entry| entry.meets(start, end, now))
    }

    /// Adds what a record takes to the cells there are.
    fn add(&mut self, id: &Arc<str>, claims: Vec<Claim>) {
        for Claim { whose, start, end, lapses, kept_ms, about } in claims {
            let about: Option<Arc<str>> = about.map(Into::into);
            let whose: Arc<str> = whose.into();
            for day in days(start.0, end.0) {
                let cell = (Arc::clone(&whose), day);
                let Some(entries) = self.cells.get_mut(&cell) else { continue };
                let (by, about) = (Arc::clone(id), about.clone());
                entries.push(Entry { taken: Taken { start, end, kept_ms, about, by }, lapses });
                self.of.entry(Arc::clone(id)).or_default().push(cell);
            }
        }
    }

    /// Puts what began on somebody's day and ends behind it into the next, which is new.
    fn reach_over(&mut self, before: &Cell) {
        let next = (Arc::clone(&before.0), before.1 + 1);
        let reaches =
            |entry: &&Entry| days(entry.taken.start.0, entry.taken.end.0).contains(&next.1);
        let entries = self.cells.get(before).into_iter().flatten().filter(reaches);
        for entry in entries.cloned().collect::<Vec<_>>() {
            let cells = self.of.entry(Arc::clone(&entry.taken.by)).or_default();
            if cells.contains(&next) {
                continue;
            }
            cells.push(next.clone());
            self.cells.entry(next.clone()).or_default().push(entry);
        }
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
        let whose = [Arc::from(wanted.whose)];
        let (span, days) = ((wanted.start, wanted.end), days(wanted.start.0, wanted.end.0));
        self.told((wanted.of, claims), (&whose, &days), now, |ledger| {
            let mut entries = ledger.entries(&whose[0], &days, span, now);
            entries.any(|entry| !own.contains(&(wanted.of, entry.taken.by.to_string())))
        })
    }

    /// When the time of several is taken within a span, for each by start, none for those of whom the
    /// ledger cannot tell; `None` when no department keeps time. They cost one search, at most.
    pub(crate) fn taken(
        &self,
        (of, whose): (TypeId, &[String]),
        (start, end): (Millis, Millis),
        now: Millis,
    ) -> Result<Option<Vec<Option<Vec<Taken>>>>, Fault> {
        let Some(claims) = self.claims(of) else { return Ok(None) };
        let whose: Vec<Arc<str>> = whose.iter().map(|one| one.as_str().into()).collect();
        let days = day_of(start.0)..=day_of(end.0.saturating_sub(1)).max(day_of(start.0));
        let mut all = Vec::with_capacity(whose.len());
        for some in whose.chunks(TOGETHER) {
            let told = self.told((of, claims), (some, &days), now, |ledger| {
                let of = |one| {
                    let entries = ledger.entries(one, &days, (start, end), now);
                    let mut taken: Vec<Taken> = entries.map(|entry| entry.taken.clone()).collect();
                    // What reaches over midnight stands in the cells of both days.
                    taken.sort_unstable();
                    taken.dedup();
                    Some(taken)
                };
                some.iter().map(of).collect::<Vec<_>>()
            })?;
            all.extend(told.unwrap_or_else(|| vec![None; some.len()]));
        }
        Ok(Some(all))
    }

    /// The ledger, for a moment. This lock is never handed to whoever waits longest, as fair ones are: with more
    /// threads at work than processors each of them would first have to be woken, and all others wait.
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(|poisoned| {
            // Whoever panicked may have left something half done; it is only a copy.
            let mut ledger = poisoned.into_inner();
            *ledger = Ledger::default();
            self.ledger.clear_poison();
            ledger
        })
    }

    /// What the ledger tells of some people's days, which are filled first where they are not kept; `None`
    /// when there is more than cells hold, or so much is written meanwhile that none stays filled.
    fn told<T>(
        &self,
        (of, claims): (TypeId, &Claims),
        (whose, days): (&[Arc<str>], &RangeInclusive<i64>),
        now: Millis,
        tell: impl Fn(&Ledger) -> T,
    ) -> Result<Option<T>, Fault> {
        let about = (of, claims, self.settings.limits);
        let house = Scope::everything();
        for _ in 0..FILLS_MAX {
            let reader = self.store.reader(&house)?;
            let lacking = {
                let mut ledger = self.ledger();
                ledger.catch_up(&reader, about)?;
                match ledger.lacking(whose, days) {
                    None => return Ok(Some(tell(&ledger))),
                    Some(lacking) => lacking,
                }
            };
            let fill = Fill::read(&reader, about, &lacking, now)?;
            let Some(fill) = fill else { return Ok(None) };
            let mut ledger = self.ledger();
            ledger.put(fill);
            ledger.catch_up(&reader, about)?;
            // Others may have made the ledger forget all meanwhile.
            if ledger.lacking(whose, days).is_none() {
                return Ok(Some(tell(&ledger)));
            }
        }
        Ok(None)
    }
}

/// What a record takes.
fn claimed(claims: &Claims, hit: &Hit, limits: &Limits) -> Result<(Arc<str>, Vec<Claim>), Fault> {
    let document = Document::parse(hit.body.clone(), limits)?;
    Ok((hit.id.as_str().into(), (claims.read)(document.root())))
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
