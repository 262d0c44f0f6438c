//! The work of relabelling: version after version is labelled by the rules in force, in batches through
//! the one writer (42 CFR 2.13; docs/internals/privacy.md tells what holds meanwhile). What is done is
//! part of each batch's transaction, so work that is killed goes on where it was.

use crate::gate::{Gate, Record};
use crate::labels::labels_within;
use crate::rules::InForce;
use crate::session::Session;
use crate::worker::{Stop, Worker};
use access::Labels;
use audit::{Event, Kind, Source};
use base::{Fault, Millis};
use fhir::Document;
use fhir::json::{self, Edits};
use privacy::labelling::{Labeller, Security};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use store::relabel::Batch;
use store::{LabelState, Prepared, Relabelled, Scope, Tagged, Unit, VersionLabels};

/// Versions of a batch: some milliseconds of work, and of the writer's time.
const BATCH: usize = 100;
/// For each time unit of work, how many of rest, so that requests have most of the machine.
const REST: u32 = 3;
/// The same while the writer has more to do than it can at once.
const REST_WHEN_BUSY: u32 = 20;
/// At least, should a round have found that it had nothing to do.
const REST_LEAST: Duration = Duration::from_millis(20);
/// How often it is looked whether there is work.
const IDLE: Duration = Duration::from_secs(1);
/// How long after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(30);

/// How the labels of a record stand.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The labelling is on.
    pub is_on: bool,
    /// A short name of the rules in force.
    pub rules: String,
    /// How many times they have changed.
    pub epoch: u64,
    /// Versions gone over under them.
    pub done: u64,
    /// Versions that wait to be gone over, at most.
    pub waiting: u64,
    /// Versions that were given other labels since the work began.
    pub changed: u64,
    /// Labels that versions that wait count as having until then.
    pub in_doubt: String,
    /// Labels that they count as having when they are about one of some patients.
    pub in_doubt_of_patients: String,
    /// Why the work does not go on.
    pub failure: Option<Fault>,
}

/// The thread that goes over records while there are some that wait. It ends when this is dropped.
#[derive(Debug)]
pub struct Keeper {
    /// Held for its thread.
    _worker: Worker,
}

impl Record {
    /// How the labels stand.
    pub fn labels(&self) -> Standing {
        self.gate.standing()
    }

    /// Keeps labels current from here on, on a thread of its own, slowly enough for requests to have
    /// most of the machine.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn keep_labels(&self) -> Result<Keeper, Fault> {
        let gate = Arc::downgrade(&self.gate);
        let worker = Worker::start("record-labels", move |stop| run(&gate, stop))?;
        Ok(Keeper { _worker: worker })
    }
}

impl Session {
    /// Goes over the next records that wait; answers how the labels stand then. For whoever is on the
    /// machine itself, and does not want to wait for the thread.
    ///
    /// # Errors
    /// `access.denied`; when a record cannot be read or the store not be written.
    pub fn relabel(&self) -> Result<Standing, Fault> {
        if self.rights().is_some() {
            return Err(crate::actor::denied());
        }
        self.gate.go_over(BATCH)?;
        Ok(self.gate.standing())
    }

    /// Has every record gone over again, though no rule has changed: for what a rule asks of another
    /// record, which may be another by now. Nothing is withheld meanwhile.
    ///
    /// # Errors
    /// `access.denied`, and when the access log failed.
    pub fn relabel_all(&self) -> Result<(), Fault> {
        if self.rights().is_some() {
            return Err(crate::actor::denied());
        }
        self.gate.labelling.again(&self.gate, self.event(Kind::LabelRules))
    }
}

fn run(gate: &Weak<Gate>, stop: &Stop) {
    loop {
        let Some(gate) = gate.upgrade() else { return };
        let began = Instant::now();
        let outcome = gate.labelling.in_force(&gate).and_then(|_| gate.go_over(BATCH));
        let busy = gate.store.stats().queue_units > 0;
        let rest = match &outcome {
            Ok(false) => IDLE,
            Ok(true) => {
                let rest = began.elapsed() * if busy { REST_WHEN_BUSY } else { REST };
                rest.max(REST_LEAST)
            }
            Err(_) => AFTER_FAILURE,
        };
        if let Err(fault) = outcome {
            tracing::error!(code = fault.code().name, "records could not be labelled anew");
        }
        drop(gate);
        if stop.rest(rest) {
            return;
        }
    }
}

impl Gate {
    pub(crate) fn standing(&self) -> Standing {
        let LabelState { epoch, done, last, changed, gained, of_patients, .. } =
            self.store.label_state();
        let is_waiting = done < last;
        let names = |bits: u64| match is_waiting {
            true => Labels::from_bits(bits).to_string(),
            false => String::new(),
        };
        Standing {
            is_on: self.labelling.labeller.is_some(),
            rules: self.labelling.digest(),
            epoch,
            done,
            waiting: last.saturating_sub(done),
            changed,
            in_doubt: names(gained),
            in_doubt_of_patients: names(of_patients),
            failure: self.labelling.failure.lock().clone(),
        }
    }

    /// Goes over the next versions that wait, at most so many; answers whether there are more.
    fn go_over(&self, most: usize) -> Result<bool, Fault> {
        let Some(labeller) = &self.labelling.labeller else { return Ok(false) };
        if !self.store.label_state().is_waiting() {
            return Ok(false);
        }
        let _work = self.labelling.work.lock();
        let outcome = self.next_batch(labeller, most);
        let failure = match &outcome {
            // Somebody else changed the rules, or went over these.
            Err(fault) if crate::condition::is_raced(fault) => return Ok(true),
            Err(fault) => Some(fault.clone()),
            Ok(_) => None,
        };
        *self.labelling.failure.lock() = failure;
        outcome
    }

    fn next_batch(&self, labeller: &Labeller, most: usize) -> Result<bool, Fault> {
        if let Some(fault) = self.log.failure() {
            return Err(fault);
        }
        let in_force = self.labelling.in_force(self)?;
        let state = self.store.label_state();
        if !state.is_waiting() || state.epoch != in_force.epoch {
            return Ok(state.is_waiting());
        }
        let everything = Scope::everything();
        let (versions, more) =
            self.store.reader(&everything)?.versions(state.done, state.last, most)?;
        let upto = match versions.last() {
            Some(last) if more => last.number,
            _ => state.last,
        };
        let mut rows = Vec::new();
        for version in versions {
            rows.extend(self.labelled_anew(labeller, &in_force, version)?);
        }
        let changed = rows.iter().filter(|row| row.labels.is_some()).count();
        let batch = Batch { epoch: state.epoch, after: state.done, upto, rows };
        let mut unit = Unit::default();
        if upto == state.last {
            let mut event = Event::new(self.settings.clock.now(), [0; 16], Kind::Relabelled);
            event.status = 200;
            event.source = Some(Source::Local);
            event.results = state.changed.saturating_add(changed as u64);
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        unit.labelling = Some(store::Labelling::Batch(batch));
        self.store.commit(unit)?;
        Ok(upto < state.last)
    }

    /// The labels of a version by the rules in force, if they are others.
    fn labelled_anew(
        &self,
        labeller: &Labeller,
        in_force: &InForce,
        version: VersionLabels,
    ) -> Result<Option<Relabelled>, Fault> {
        let number = version.number;
        // What nobody can read any more is not shown to anybody either.
        let Some(hit) = version.hit else { return Ok(None) };
        if hit.deleted {
            return Ok(Some(Relabelled { number, labels: None }));
        }
        let document = Document::parse(hit.body, &self.settings.limits)?;
        let root = document.root();
        // How old a patient was is a fact of the day on which it was written.
        let written = hit.last_updated;
        let labelled = self.label(labeller, in_force, hit.resource_type, root, written)?;
        let security = Security::of(&labelled, root, None, true);
        // What it holds of others, and what it is kept as, stays with it.
        let context = self.labels_of_context(in_force, hit.resource_type, root)?;
        // Of a context that is gone nothing is known but what was known.
        let held = labels_within(root) | context.unwrap_or(version.labels);
        let mask = security.mask | held;
        let shown = root.get("meta").and_then(|meta| meta.get("security")).map(|own| {
            let mut text = Vec::new();
            json::minify(own, &Edits::new(), &mut text);
            text
        });
        let same = shown.as_deref() == security.json.as_deref().map(str::as_bytes);
        if same && mask == version.labels {
            return Ok(None);
        }
        let content = match version.is_present {
            true => {
                let mut text = Vec::with_capacity(root.raw().len() + 256);
                security.write(root, &mut text);
                let document = Document::parse(text, &self.settings.limits)?;
                let of = hit.resource_type;
                Some(Box::new(Prepared::new(document.root(), of, hit.id, mask)))
            }
            false => None,
        };
        let labels = Tagged { labels: mask, security: security.json, content };
        Ok(Some(Relabelled { number, labels: Some(labels) }))
    }

    /// The present instant, by the record's clock.
    pub(crate) fn now(&self) -> Millis {
        self.settings.clock.now()
    }
}
