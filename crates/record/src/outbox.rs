//! From the store's outbox to the access log: an event is written in the transaction of the change it
//! tells of, appended to the log right after the sync, and forgotten by the store when the log has
//! synced it too. A crash anywhere between loses nothing and doubles nothing.

use audit::{Log, Ticket};
use base::error::code;
use base::{Fault, Millis};
use parking_lot::{Condvar, Mutex};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use store::Store;

/// Takes events from the store's writer to the log.
#[derive(Debug, Default)]
pub(crate) struct Relay {
    log: OnceLock<Arc<Log>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The last commit handed to the log, and the receipt of its last event.
    latest: Option<(u64, Ticket)>,
    stop: bool,
}

impl Relay {
    /// Called on the store's writer thread after each sync.
    pub(crate) fn committed(&self, commit: u64, events: &[Vec<u8>]) {
        let Some(log) = self.log.get().filter(|_| !events.is_empty()) else { return };
        // A log that fails stops the gate by itself; the outbox keeps the events until it is opened
        // again.
        match append(log, commit, events) {
            Ok(Some(ticket)) => {
                self.state.lock().latest = Some((commit, ticket));
                self.changed.notify_one();
            }
            Ok(None) => {}
            Err(fault) => tracing::error!(code = fault.code().name, "a commit was not logged"),
        }
    }
}

/// The thread that tells the store what is safe in the log.
#[derive(Debug)]
pub(crate) struct Outbox {
    relay: Arc<Relay>,
    thread: Option<JoinHandle<()>>,
}

impl Outbox {
    /// Logs what the last run committed and did not log, then begins.
    pub(crate) fn open(
        relay: Arc<Relay>,
        store: &Store,
        log: &Arc<Log>,
        now: Millis,
    ) -> Result<Self, Fault> {
        let mut last = None;
        for (commit, events) in store.unaudited()? {
            append(log, commit, &events)?;
            last = Some(commit);
        }
        if let Some(commit) = last {
            // `append` may have found all of them there, so the whole log is synced by an event of
            // its own: the start.
            let start = audit::Event::new(now, [0; 16], audit::Kind::Start);
            log.append(&start)?.synced().wait()?;
            settle(store, log, commit);
        }
        if relay.log.set(Arc::clone(log)).is_err() {
            return Err(Fault::new(&code::INTERNAL, "the outbox was opened twice"));
        }
        let thread = std::thread::Builder::new()
            .name("record-outbox".into())
            .spawn({
                let (relay, store, log) = (Arc::clone(&relay), store.clone(), Arc::clone(log));
                move || run(&relay, &store, &log)
            })
            .map_err(|e| {
                Fault::new(
                    &code::INTERNAL,
                    format!("the outbox thread did not start: {}", e.kind()),
                )
            })?;
        Ok(Self { relay, thread: Some(thread) })
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.relay.state.lock().stop = true;
        self.relay.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the panic hook; the outbox keeps what was not settled.
            let _ = thread.join();
        }
    }
}

fn run(relay: &Relay, store: &Store, log: &Log) {
    loop {
        let (commit, ticket) = {
            let mut state = relay.state.lock();
            loop {
                if let Some(latest) = state.latest.take() {
                    break latest;
                }
                if state.stop {
                    return;
                }
                relay.changed.wait(&mut state);
            }
        };
        if ticket.synced().wait().is_err() {
            return;
        }
        settle(store, log, commit);
    }
}

fn settle(store: &Store, log: &Log, commit: u64) {
    let head = log.anchor();
    store.anchor_audit(head.seq, head.hash.0);
    store.audited(commit);
}

/// Events are encoded before their commit has a number, and stamped with it here.
fn append(log: &Log, commit: u64, events: &[Vec<u8>]) -> Result<Option<Ticket>, Fault> {
    let mut stamped = Vec::with_capacity(events.len());
    for event in events {
        let mut event = event.clone();
        audit::stamp_commit(&mut event, commit)?;
        stamped.push(event);
    }
    log.append_commit(commit, &stamped)
}
