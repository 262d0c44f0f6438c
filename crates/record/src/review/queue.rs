//! The queue of cases: their items in the store, one for each step, and what is known of each in memory,
//! so that counting them costs no read. A step and its audit event are one unit of work
//! (45 CFR 164.312(b)).

use super::case::{Case, CaseId, CaseState, Due};
use super::step::{self, CaseKind, Seen, Step};
use crate::gate::Gate;
use audit::Event;
use base::error::code;
use base::{Fault, Millis};
use parking_lot::{Mutex, RwLock};
use std::collections::{BTreeSet, HashMap};
use store::{ItemAct, ItemChange, Store, Unit};

/// The shelf of the steps: under the id of the case and, in four bytes, the number of the step.
const SHELF: &str = "review";
/// Items of one scan.
const SCAN: usize = 500;
/// Steps that people take of one case.
pub(super) const STEPS_MAX: usize = 200;
/// Steps of one case: more than people take and a day's glasses and signals add, for a glass is never
/// refused for the sake of its case.
const SEEN_MAX: usize = 1000;
/// How often it is tried again when somebody else takes a step at the same moment.
const TRIES_MAX: usize = 4;

/// What is counted of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Brief {
    kind: CaseKind,
    state: CaseState,
    due: Due,
    steps: usize,
}

impl Brief {
    const fn of(case: &Case) -> Self {
        Self { kind: case.kind, state: case.state, due: case.date(), steps: case.steps.len() }
    }
}

/// How many cases there are, of each kind and state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewCounts {
    /// Cases that nobody has.
    pub open: u64,
    /// Cases that somebody has.
    pub assigned: u64,
    /// Cases that are decided.
    pub closed: u64,
    /// Of those not decided, how many are overdue, and how many of these are of broken glasses.
    pub overdue: u64,
    /// Broken glasses among the overdue.
    pub overdue_break_glass: u64,
    /// By how much the most overdue is, in milliseconds.
    pub overdue_by_ms: i64,
    /// When the log was last swept; `None` when never.
    pub swept: Option<Millis>,
    /// The last sweep failed.
    pub is_failing: bool,
    /// Days that sweeps have passed over since the program began, since they have more than can be
    /// weighed: what stands out on them has no case.
    pub days_unweighed: u64,
}

/// The cases, as far as they are kept in memory.
#[derive(Debug)]
pub(crate) struct Queue {
    briefs: RwLock<HashMap<CaseId, Brief>>,
    /// Cases that could not be read when they were changed.
    missed: Mutex<BTreeSet<CaseId>>,
    /// When the log was last swept.
    pub(super) swept: RwLock<Option<Millis>>,
    /// Why the last sweep failed.
    pub(super) failure: Mutex<Option<Fault>>,
    /// Days since 1970 that sweeps have passed over.
    pub(super) unweighed: Mutex<BTreeSet<i64>>,
    /// One sweep at a time.
    pub(super) sweeping: Mutex<()>,
}

/// The next step of a case, as changes of the store.
pub(crate) struct Next {
    pub(crate) id: CaseId,
    /// The step's number, from 1.
    pub(crate) number: u32,
    pub(crate) item: ItemChange,
}

impl Queue {
    pub(crate) fn open(store: &Store) -> Result<Self, Fault> {
        let mut briefs = HashMap::new();
        each(store, |case| {
            briefs.insert(case.id, Brief::of(&case));
            Ok(())
        })?;
        Ok(Self {
            briefs: RwLock::new(briefs),
            missed: Mutex::default(),
            swept: RwLock::new(super::sweep::swept(store)?.map(|(at, _)| at)),
            failure: Mutex::default(),
            unweighed: Mutex::default(),
            sweeping: Mutex::default(),
        })
    }

    /// Takes note of what the store has of a case. What cannot be read stays as it was counted, until the
    /// next note or sweep.
    pub(crate) fn note(&self, store: &Store, id: CaseId) {
        self.missed.lock().insert(id);
        self.catch_up(store);
    }

    /// Takes note of the cases that were changed and not read since.
    pub(super) fn catch_up(&self, store: &Store) {
        let missed = std::mem::take(&mut *self.missed.lock());
        missed.into_iter().for_each(|id| self.note_one(store, id));
    }

    fn note_one(&self, store: &Store, id: CaseId) {
        match load(store, id) {
            Ok(Some(case)) => {
                let (brief, mut briefs) = (Brief::of(&case), self.briefs.write());
                // Two who take steps at once may come here in the other order.
                if briefs.get(&id).is_none_or(|known| known.steps <= brief.steps) {
                    briefs.insert(id, brief);
                }
            }
            Ok(None) => {}
            Err(fault) => {
                self.missed.lock().insert(id);
                tracing::error!(code = fault.code().name, "a case of review cannot be counted");
            }
        }
    }

    pub(crate) fn counts(&self, now: Millis) -> ReviewCounts {
        let mut counts = ReviewCounts {
            swept: *self.swept.read(),
            is_failing: self.failure.lock().is_some(),
            days_unweighed: self.unweighed.lock().len() as u64,
            ..ReviewCounts::default()
        };
        for brief in self.briefs.read().values() {
            match brief.state {
                CaseState::Open => counts.open += 1,
                CaseState::Assigned => counts.assigned += 1,
                CaseState::Closed => counts.closed += 1,
            }
            if brief.state != CaseState::Closed && brief.due.is_past(now) {
                counts.overdue += 1;
                counts.overdue_break_glass += u64::from(brief.kind == CaseKind::BreakGlass);
                let by = now.0.saturating_sub(brief.due.at.0);
                counts.overdue_by_ms = counts.overdue_by_ms.max(by);
            }
        }
        counts
    }
}

fn key(id: CaseId, number: u32) -> Vec<u8> {
    [id.bytes().as_slice(), &number.to_be_bytes()].concat()
}

fn odd() -> Fault {
    Fault::new(&code::STORE_CORRUPT, "the steps of a case of review are not whole")
}

/// A case, whole.
pub(crate) fn load(store: &Store, id: CaseId) -> Result<Option<Case>, Fault> {
    let mut steps = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let found = store.item_scan(SHELF, id.bytes(), after.as_deref(), SCAN)?;
        let whole = found.len() == SCAN;
        after = found.last().map(|(key, _)| key.clone());
        for (found, item) in found {
            follow(id, &found, steps.len())?;
            steps.push(step::decode(&item.body)?);
        }
        if !whole {
            break;
        }
    }
    match steps.is_empty() {
        true => Ok(None),
        false => Case::of(id, steps).map(Some).ok_or_else(odd),
    }
}

/// Refuses a key that is not the next step's.
fn follow(id: CaseId, found: &[u8], before: usize) -> Result<(), Fault> {
    let number = u32::try_from(before + 1).map_err(|_many| odd())?;
    if found == key(id, number) { Ok(()) } else { Err(odd()) }
}

/// Every case, in the order of ids.
pub(crate) fn each(
    store: &Store,
    mut take: impl FnMut(Case) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut under: Option<(CaseId, Vec<Step>)> = None;
    let mut after: Option<Vec<u8>> = None;
    loop {
        let found = store.item_scan(SHELF, b"", after.as_deref(), SCAN)?;
        let whole = found.len() == SCAN;
        after = found.last().map(|(key, _)| key.clone());
        for (found, item) in found {
            let id = CaseId::of_key(&found).ok_or_else(odd)?;
            if under.as_ref().is_none_or(|(of, _)| *of != id) {
                if let Some((of, steps)) = under.take() {
                    take(Case::of(of, steps).ok_or_else(odd)?)?;
                }
                under = Some((id, Vec::new()));
            }
            if let Some((_, steps)) = &mut under {
                follow(id, &found, steps.len())?;
                steps.push(step::decode(&item.body)?);
            }
        }
        if !whole {
            break;
        }
    }
    match under {
        Some((of, steps)) => take(Case::of(of, steps).ok_or_else(odd)?),
        None => Ok(()),
    }
}

/// The change that puts a step behind those a case has. The store refuses it when another came first.
pub(crate) fn next(id: CaseId, steps: usize, most: usize, step: &Step) -> Result<Next, Fault> {
    if steps >= most {
        let say = format!("a case has at most {most} steps");
        return Err(Fault::new(&code::CASE_STATE, say));
    }
    let number = u32::try_from(steps + 1).map_err(|_many| odd())?;
    let act = ItemAct::Put(step::encode(step));
    let item = ItemChange { shelf: SHELF, key: key(id, number), replaces: None, act };
    Ok(Next { id, number, item })
}

impl Gate {
    /// What a broken glass, or a sighting, adds to the queue; `None` when its case knows of it.
    pub(crate) fn opening(&self, at: Millis, seen: &Seen) -> Result<Option<Next>, Fault> {
        let id = CaseId::of(&seen.actor, seen.patient.as_deref(), seen.from);
        let known = load(&self.store, id)?;
        let steps = match &known {
            None => 0,
            Some(case) if case.actor != seen.actor || case.patient != seen.patient => {
                return Err(odd());
            }
            Some(case) if !case.lacks(seen) => return Ok(None),
            Some(case) => case.steps.len(),
        };
        let done = step::Done::Seen(Box::new(seen.clone()));
        next(id, steps, SEEN_MAX, &Step { at, by: None, at_console: false, done }).map(Some)
    }

    /// Adds what was seen to the queue, with its event; answers whether it was new.
    pub(crate) fn add_seen(&self, seen: &Seen, event: &Event) -> Result<bool, Fault> {
        for _ in 0..TRIES_MAX {
            let Some(next) = self.opening(event.time, seen)? else { return Ok(false) };
            let event = super::opened_event(event.clone(), &next).encode();
            let unit = Unit {
                items: vec![next.item],
                events: Some(Box::new(move |_| vec![event])),
                ..Unit::default()
            };
            match self.store.commit(unit) {
                // Somebody took a step at this moment.
                Err(fault) if fault.code() == &code::ITEM_CONFLICT => {}
                Err(fault) => return Err(fault),
                Ok(_) => {
                    self.reviews.note(&self.store, next.id);
                    return Ok(true);
                }
            }
        }
        Err(Fault::new(&code::ITEM_CONFLICT, "the case is being changed elsewhere"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::{Done, Outcome};
    use super::*;

    fn put(store: &Store, id: CaseId, number: u32, replaces: Option<u64>, body: Vec<u8>) {
        let act = ItemAct::Put(body);
        let item = ItemChange { shelf: SHELF, key: key(id, number), replaces, act };
        store.commit(Unit { items: vec![item], ..Unit::default() }).unwrap();
    }

    fn step(done: Done) -> Vec<u8> {
        step::encode(&Step { at: Millis(1), by: None, at_console: false, done })
    }

    #[test]
    fn a_case_that_could_not_be_read_is_counted_as_soon_as_it_can() {
        let dir = tempfile::tempdir().unwrap();
        let options = store::Options { sync: store::Sync::Relaxed, ..store::Options::default() };
        let store = Store::open(&dir.path().join("store"), options).unwrap();
        let id = CaseId::of("dr", None, Millis(5));
        let seen = Done::Seen(Box::new(Seen {
            kind: CaseKind::Signal,
            actor: "dr".to_owned(),
            patient: None,
            from: Millis(5),
            until: Millis(9),
            due: Millis(50),
            seq: 1,
            last_seq: 1,
            practitioner: None,
            signals: Vec::new(),
            score: 100,
            reason: String::new(),
            in_care: None,
        }));
        put(&store, id, 1, None, step(seen));
        let queue = Queue::open(&store).unwrap();
        put(&store, id, 2, None, b"odd".to_vec());
        queue.note(&store, id);
        let told = queue.counts(Millis(9));
        assert_eq!((told.open, told.closed), (1, 0), "as it was counted");
        let version = store.item_get(SHELF, &key(id, 2)).unwrap().unwrap().version;
        let (outcome, note) = (Outcome::Explained, "a note".to_owned());
        let closed = step(Done::Closed { outcome, note, last_seq: 1 });
        put(&store, id, 2, Some(version), closed);
        queue.note(&store, CaseId::of("another", None, Millis(5)));
        let told = queue.counts(Millis(9));
        assert_eq!((told.open, told.closed), (0, 1));
    }
}
