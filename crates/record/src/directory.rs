//! The directory of who may sign in, opened with the record and kept on its store; and the thread
//! that does its upkeep, for identity starts none (45 CFR 164.312(a)(2)(i), (iii), (d)).

use crate::gate::{Record, Settings};
use crate::shelf::Kept;
use crate::worker::{Stop, Worker};
use audit::Log;
use base::Fault;
use identity::{Ground, Identity, Shelf};
use std::sync::Arc;
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
    /// Held for its thread.
    _upkeep: Worker,
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
        // What is not written when it ends is a last use.
        let upkeep = Worker::start("record-identity", {
            let identity = Arc::clone(&identity);
            move |stop| run(&identity, stop)
        })?;
        Ok(Self { identity, _upkeep: upkeep })
    }
}

fn run(identity: &Identity, stop: &Stop) {
    let mut swept = Instant::now();
    loop {
        if stop.rest(TOUCH_EVERY) {
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
