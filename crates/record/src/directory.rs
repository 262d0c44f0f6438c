//! The directory of who may sign in, opened with the record and kept on its store; and the thread
//! that does its upkeep, for identity starts none (45 CFR 164.312(a)(2)(i), (iii), (d)).

use crate::gate::{Record, Settings};
use crate::shelf::Kept;
use audit::Log;
use base::Fault;
use base::error::code;
use identity::{Ground, Identity, Shelf};
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use store::Store;

/// How often last uses are written down, where that is due.
const TOUCH_EVERY: Duration = Duration::from_secs(5);
/// How often what is over is swept off the shelf.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Identity and its upkeep.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) identity: Arc<Identity>,
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Directory {
    pub(crate) fn open(store: &Store, log: &Arc<Log>, settings: &Settings) -> Result<Self, Fault> {
        let shelf = Kept {
            store: store.clone(),
            log: Arc::clone(log),
            clock: Arc::clone(&settings.clock),
            sealer: settings.sealer.clone(),
        };
        let ground = Ground {
            shelf: Arc::new(shelf),
            clock: Arc::clone(&settings.clock),
            random: Arc::clone(&settings.random),
            breached: settings.breached.clone(),
        };
        let identity = Arc::new(Identity::open(ground, settings.identity.clone())?);
        let stop = Arc::new(Stop::default());
        let thread = std::thread::Builder::new()
            .name("record-identity".into())
            .spawn({
                let (identity, stop) = (Arc::clone(&identity), Arc::clone(&stop));
                move || run(&identity, &stop)
            })
            .map_err(|e| {
                let say = format!("the thread of identity did not start: {}", e.kind());
                Fault::new(&code::INTERNAL, say)
            })?;
        Ok(Self { identity, stop, thread: Some(thread) })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        *self.stop.asked.lock() = true;
        self.stop.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the panic hook; what was not written is a last use.
            let _ = thread.join();
        }
    }
}

fn run(identity: &Identity, stop: &Stop) {
    let mut swept = Instant::now();
    loop {
        let stopping = {
            let mut asked = stop.asked.lock();
            if !*asked {
                stop.changed.wait_for(&mut asked, TOUCH_EVERY);
            }
            *asked
        };
        if stopping {
            told(identity.write_all_touches());
            return;
        }
        told(identity.write_touches());
        if swept.elapsed() >= SWEEP_EVERY {
            told(identity.sweep());
            swept = Instant::now();
        }
    }
}

/// What fails here is tried again at the next turn; nobody's session lives longer by it.
fn told(outcome: Result<usize, Fault>) {
    if let Err(fault) = outcome {
        tracing::warn!(code = fault.code().name, "the upkeep of sessions failed");
    }
}

impl Record {
    /// Where items stand beside the record: for the authorization server of apps, which keeps its own
    /// there. What is done to them is logged as identity's is.
    pub fn shelf(&self) -> Arc<dyn Shelf> {
        Arc::new(Kept {
            store: self.gate.store.clone(),
            log: Arc::clone(&self.gate.log),
            clock: Arc::clone(&self.gate.settings.clock),
            sealer: self.gate.settings.sealer.clone(),
        })
    }

    /// Who may sign in, and who has. What it permits is not said there.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.gate.directory.identity
    }
}
