//! The one writer: takes all waiting units, applies each in full or not at all, and puts them into
//! one engine transaction with one sync. Acknowledgements follow the sync.

use super::apply::Group;
use super::names::Interner;
use super::relabel::Labels;
use super::{Shared, unavailable};
use crate::unit::{Done, Receipt, Unit};
use base::error::code;
use base::{Fault, Millis};
use parking_lot::{Condvar, Mutex};
use rusqlite::{Connection, params};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Units of one engine transaction, at most.
const UNITS_MAX: usize = 512;
/// Ops waiting before callers are held back.
const QUEUE_OPS_MAX: usize = 40_000;

/// Units on their way to the writer.
pub(super) struct Queue {
    ops_max: usize,
    state: Mutex<Waiting>,
    filled: Condvar,
    drained: Condvar,
    closed: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    units: VecDeque<(Unit, Done)>,
    ops: usize,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue({} units)", self.state.lock().units.len())
    }
}

impl Queue {
    /// A queue whose transactions take so many ops together.
    pub(super) fn new(ops_max: usize) -> Self {
        Self {
            ops_max,
            state: Mutex::default(),
            filled: Condvar::new(),
            drained: Condvar::new(),
            closed: AtomicBool::new(false),
        }
    }

    /// Hands a unit over, waiting while the queue is full.
    pub(super) fn push(&self, unit: Unit, done: Done) {
        if self.closed.load(Ordering::Acquire) {
            done(Err(Fault::new(&code::SHUTTING_DOWN, "the store is closing")));
            return;
        }
        let mut state = self.state.lock();
        while state.ops > QUEUE_OPS_MAX && !self.closed.load(Ordering::Acquire) {
            self.drained.wait(&mut state);
        }
        state.ops += unit.weight();
        state.units.push_back((unit, done));
        self.filled.notify_one();
    }

    /// Lets the writer finish what waits and end.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let _state = self.state.lock();
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Units waiting now.
    pub(super) fn depth(&self) -> usize {
        self.state.lock().units.len()
    }

    fn take(&self) -> Option<Vec<(Unit, Done)>> {
        let mut state = self.state.lock();
        while state.units.is_empty() {
            if self.closed.load(Ordering::Acquire) {
                return None;
            }
            self.filled.wait(&mut state);
        }
        let mut ops = 0;
        let mut taken = Vec::new();
        while let Some((unit, _)) = state.units.front() {
            if taken.len() >= UNITS_MAX || (ops > 0 && ops + unit.weight() > self.ops_max) {
                break;
            }
            ops += unit.weight();
            taken.extend(state.units.pop_front());
        }
        state.ops = state.ops.saturating_sub(ops);
        self.drained.notify_all();
        Some(taken)
    }
}

/// Figures the writer keeps.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) units: AtomicU64,
    pub(super) versions: AtomicU64,
    pub(super) busy_micros: AtomicU64,
}

/// Runs until the queue is closed and empty.
pub(super) fn run(mut conn: Connection, shared: &Arc<Shared>) {
    let Ok(interner) = Interner::new(&conn, Arc::clone(&shared.deferral)) else {
        shared.fail("the writer cannot read the dictionary");
        drain(shared);
        return;
    };
    let labels = Labels::of(shared.labels.read().clone());
    let mut group = Group::new(interner, shared.last_vid.load(Ordering::Acquire) + 1, labels);
    while let Some(units) = shared.queue.take() {
        // A panic (in a caller's callback, say) must not leave every later write waiting for ever.
        let work = AssertUnwindSafe(|| commit(&mut conn, shared, &mut group, units));
        let Ok(outcome) = catch_unwind(work) else {
            shared.fail("the writer panicked; restart to go on writing");
            drain(shared);
            return;
        };
        if let Err(fault) = outcome {
            tracing::error!(code = fault.code().name, "the writer could not commit");
            if group.rolled_back(&mut conn, shared).is_err() {
                shared.fail("the store file cannot be read");
            }
        }
        super::checkpoint::after_commit(&conn, shared);
    }
    shared.deferral.stop();
    if group.held_from.is_some() && commit(&mut conn, shared, &mut group, Vec::new()).is_err() {
        tracing::warn!("the index of the load is finished when the store is opened next");
    }
}

/// Answers everything that waits with a refusal, for a store that cannot write.
fn drain(shared: &Shared) {
    while let Some(units) = shared.queue.take() {
        for (_, done) in units {
            done(Err(Fault::new(&code::STORE_UNAVAILABLE, "the store cannot be written")));
        }
    }
}

fn commit(
    conn: &mut Connection,
    shared: &Arc<Shared>,
    group: &mut Group,
    units: Vec<(Unit, Done)>,
) -> Result<(), Fault> {
    let started = std::time::Instant::now();
    let mut applied: Vec<(Receipt, Done)> = Vec::with_capacity(units.len());
    let mut refused: Vec<(Fault, Done)> = Vec::new();
    let mut events: Vec<(u64, Vec<Vec<u8>>)> = Vec::new();
    let mut units = units.into_iter();
    let first_vid = group.next_vid;
    // Time never runs backwards in the record, whatever the machine's clock does.
    let last = shared.last_time.load(Ordering::Acquire);
    group.now = Millis(shared.clock.now().0.max(last));
    let result = (|| -> Result<(), Fault> {
        if let Some(fault) = shared.failed() {
            return Err(fault);
        }
        conn.execute_batch("BEGIN IMMEDIATE").map_err(unavailable)?;
        for (mut unit, done) in units.by_ref() {
            match group.apply(conn, shared, &unit) {
                Ok(receipt) => {
                    if let Some(make) = unit.events.take() {
                        events.push((receipt.commit, make(&receipt)));
                    }
                    applied.push((receipt, done));
                }
                Err(fault) if fault.status() < 500 => refused.push((fault, done)),
                Err(fault) => {
                    done(Err(fault.clone()));
                    return Err(fault);
                }
            }
        }
        group.flush(conn, shared)?;
        finish(conn, shared, group, first_vid, &events).map_err(unavailable)?;
        if let Some(cipher) = &shared.cipher {
            // What is sealed is committed only when its key is on the disk.
            cipher.payloads.settle()?;
        }
        conn.execute_batch("COMMIT").map_err(unavailable)
    })();
    if let Err(fault) = result {
        // What SQLite has not undone itself is undone here; a failure of that fails the store.
        if !conn.is_autocommit() && conn.execute_batch("ROLLBACK").is_err() {
            shared.fail("a failed transaction cannot be rolled back");
        }
        let waiting = applied.into_iter().map(|(_, done)| done).chain(units.map(|(_, done)| done));
        for done in waiting {
            done(Err(fault.clone()));
        }
        for (own, done) in refused {
            done(Err(own));
        }
        return Err(fault);
    }
    group.committed();
    let last_vid = group.next_vid - 1;
    shared.last_time.store(group.now.0, Ordering::Release);
    shared.published(last_vid, group.live.drain());
    group.labels.committed(shared, last_vid);
    let counters = &shared.counters;
    counters.commits.fetch_add(1, Ordering::Relaxed);
    counters.units.fetch_add(applied.len() as u64, Ordering::Relaxed);
    counters.versions.fetch_add(group.next_vid - first_vid, Ordering::Relaxed);
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    counters.busy_micros.fetch_add(micros, Ordering::Relaxed);
    if let Some(hook) = &shared.on_commit {
        for (commit, encoded) in &events {
            hook(*commit, encoded);
        }
    }
    for (receipt, done) in applied {
        done(Ok(receipt));
    }
    for (fault, done) in refused {
        done(Err(fault));
    }
    Ok(())
}

/// What every commit carries beside its records: counts, marks, and the audit events on their way
/// out.
fn finish(
    conn: &Connection,
    shared: &Shared,
    group: &Group,
    first_vid: u64,
    events: &[(u64, Vec<Vec<u8>>)],
) -> rusqlite::Result<()> {
    if group.next_vid > first_vid {
        for (kind, change) in group.live.iter().filter(|(_, c)| **c != 0) {
            conn.prepare_cached(
                "INSERT INTO stat (type, live) VALUES (?1, ?2) \
                 ON CONFLICT (type) DO UPDATE SET live = live + ?2",
            )?
            .execute(params![kind, change])?;
        }
        group.interner.save(conn, group.next_vid)?;
    }
    group.labels.save(conn)?;
    if group.held_from != group.held_noted {
        super::defer::mark(conn, group.held_from)?;
    }
    let audited = shared.audited.load(Ordering::Acquire);
    if audited > shared.outbox_cleared.load(Ordering::Acquire) {
        conn.prepare_cached("DELETE FROM outbox WHERE vid <= ?")?.execute([audited])?;
        shared.outbox_cleared.store(audited, Ordering::Release);
    }
    let mut insert = conn.prepare_cached("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?)")?;
    // Units that wrote nothing share the commit number of the one before them; `n` runs on.
    let mut counter: (u64, i64) = (0, 0);
    for (commit, encoded) in events {
        if counter.0 != *commit {
            counter = (*commit, 0);
        }
        for event in encoded {
            insert.execute(params![commit, counter.1, event])?;
            counter.1 += 1;
        }
    }
    if let Some((seq, hash)) = shared.audit_anchor.lock().take() {
        conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('audit_seq', ?)")?
            .execute([seq])?;
        conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES ('audit_hash', ?)")?
            .execute([hash.as_slice()])?;
    }
    Ok(())
}
