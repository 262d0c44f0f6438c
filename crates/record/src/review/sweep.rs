//! The sweep: broken glasses in the log without a case get one, and what stands out in it becomes cases
//! (45 CFR 164.308(a)(1)(ii)(D)). It begins where it last ended, so no access is passed over while a
//! server was stopped, and it may be killed anywhere: what it opened is open, and the rest is found again.
//! A day with more than can be weighed is told and passed, so that the days after it are weighed.

use super::case::DAY_MS;
use super::step::{CaseKind, Seen};
use crate::gate::{Gate, Record};
use crate::session::{Session, Subject};
use crate::snoop::{Sighting, Signal, whose};
use crate::worker::{Stop, Worker};
use audit::{Decision, Entry, Event, Kind, Source, Target, Wanted};
use base::error::code;
use base::id::{Seeded, uuid_v7};
use base::{Fault, Millis};
use identity::PrincipalId;
use std::sync::{Arc, Weak};
use std::time::Duration;
use store::{ItemAct, ItemChange, Store, Unit};

/// Where the store keeps how far the log was swept.
const SHELF: &str = "review-sweep";
const KEY: &[u8] = b"log";
const VERSION: u8 = 1;
/// Days that the first sweep of a log weighs; glasses it finds whenever they were broken.
const FIRST_DAYS: i64 = 30;
/// An event may come to the log a little later than the time that it tells.
const LATE_MS: i64 = 3_600_000;
/// Days weighed at once, and days before them that tell what is usual: as many as the bound of one list
/// allows, the most first.
const SPANS_DAYS: [i64; 3] = [30, 7, 1];
const USUAL_DAYS: [i64; 4] = [14, 7, 3, 0];
/// Events looked at before others may look into the log.
const LOOKS: u64 = 50_000;
/// How long after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(600);

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Cases that it opened, or to which it added something new.
    pub opened: u64,
    /// Days that it passed over, since they have more than can be weighed.
    pub passed: u64,
}

/// How far the log was swept, and the version of the item that says so.
pub(super) fn swept(store: &Store) -> Result<Option<(Millis, u64)>, Fault> {
    let Some(item) = store.item_get(SHELF, KEY)? else { return Ok(None) };
    let at = match item.body.split_first_chunk::<8>() {
        Some((at, [VERSION])) => Millis(i64::from_be_bytes(*at)),
        _ => {
            let say = "the store does not say as this program does how far the log was swept";
            return Err(Fault::new(&code::STORE_CORRUPT, say));
        }
    };
    Ok(Some((at, item.version)))
}

fn day_of(at: Millis) -> Millis {
    Millis(at.0.div_euclid(DAY_MS).saturating_mul(DAY_MS))
}

fn days_after(at: Millis, days: i64) -> Millis {
    Millis(at.0.saturating_add(days.saturating_mul(DAY_MS)))
}

impl Gate {
    /// When a case that is opened now is to be decided.
    pub(crate) fn due(&self, kind: CaseKind, now: Millis) -> Millis {
        let settings = &self.settings.review;
        let days = match kind {
            CaseKind::BreakGlass => settings.break_glass_due_days,
            CaseKind::Signal => settings.signal_due_days,
        };
        days_after(now, i64::from(days))
    }

    /// Sweeps the log in the name of a session that sees everything, until `stop` says so.
    pub(super) fn sweep(&self, by: &Session, stop: &dyn Fn() -> bool) -> Result<Swept, Fault> {
        let _one = self.reviews.sweeping.lock();
        self.reviews.catch_up(&self.store);
        let outcome = self.sweep_on(by, stop);
        *self.reviews.failure.lock() = outcome.as_ref().err().cloned();
        outcome
    }

    fn sweep_on(&self, by: &Session, stop: &dyn Fn() -> bool) -> Result<Swept, Fault> {
        let now = self.now();
        let mut told = Swept::default();
        let kept = swept(&self.store)?.map(|(at, _)| at);
        // From here on in whole days: each round begins where the one before it ended.
        let mut since = match kept {
            Some(at) => day_of(Millis(at.min(now).0.saturating_sub(LATE_MS))),
            None => day_of(days_after(now, -FIRST_DAYS)),
        };
        // Of a log that was never swept no glass is too old.
        for entry in self.broken(by, kept.map(|_| since))? {
            let due = self.due(CaseKind::BreakGlass, now);
            self.tell(by, of_glass(&entry, due), &mut told)?;
        }
        loop {
            if let Some(fault) = self.log.failure() {
                return Err(fault);
            }
            let (until, found) = weighed(by, since, now, stop)?;
            if stop() {
                return Ok(told);
            }
            let mut events = Vec::new();
            match found {
                Some(found) => {
                    let stands = |one: &&Sighting| one.score >= self.settings.review.score_min;
                    for one in found.iter().filter(stands) {
                        let due = self.due(CaseKind::Signal, now);
                        self.tell(by, of_sighting(one, due), &mut told)?;
                    }
                }
                None => {
                    told.passed += 1;
                    events.push(self.passed(by, since));
                }
            }
            let ends = until >= now;
            if ends {
                let mut event = by.event(Kind::Review);
                event.targets.push(Target::of_type("AuditEvent"));
                event.results = told.opened;
                events.push(event.encode());
            }
            self.keep_swept(until, events)?;
            if ends {
                return Ok(told);
            }
            since = until;
        }
    }

    /// Takes note of a day that has more than can be weighed, and answers the event that tells of it.
    fn passed(&self, by: &Session, day: Millis) -> Vec<u8> {
        let name = day.to_instant();
        let name = name.split('T').next().unwrap_or_default();
        tracing::error!(day = name, "a day of the access log has more than can be weighed");
        self.reviews.unweighed.lock().insert(day.0.div_euclid(DAY_MS));
        let mut event = by.event(Kind::Review);
        event.status = code::SEARCH_TOO_COSTLY.status;
        event.targets.push(Target::resource("ReviewDay", name, None));
        event.encode()
    }

    fn tell(&self, by: &Session, mut seen: Seen, told: &mut Swept) -> Result<(), Fault> {
        seen.practitioner = match PrincipalId::parse(&seen.actor) {
            None => None,
            Some(id) => match self.directory.identity.principal(id) {
                Ok(principal) => principal.profile.practitioner,
                Err(fault) if fault.code() == &code::PRINCIPAL_NOT_FOUND => None,
                Err(fault) => return Err(fault),
            },
        };
        told.opened += u64::from(self.add_seen(&seen, &by.event(Kind::CaseOpened))?);
        Ok(())
    }

    /// The glasses that were broken from an instant on, as the log has them.
    fn broken(&self, by: &Session, from: Option<Millis>) -> Result<Vec<Entry>, Fault> {
        by.may_read_log(None)?;
        let fits = |event: &Event| {
            event.kind == Kind::BreakGlass
                && event.decision == Decision::Permit
                && event.status < 400
                && event.patients.len() == 1
        };
        self.log.catch_up()?;
        let (mut all, mut before) = (Vec::new(), u64::MAX);
        loop {
            let wanted = Wanted {
                patient: None,
                from,
                until: None,
                before,
                count: usize::MAX,
                looks_max: LOOKS,
                fits: &fits,
            };
            let page = self.finder.lock().newest(&wanted)?;
            all.extend(page.entries);
            match page.next {
                Some(next) => before = next,
                None => return Ok(all),
            }
        }
    }

    /// How long until the log is to be swept, when that is done so often; nothing if it never was.
    fn sweep_due_in(&self, every: Duration) -> Duration {
        let Some(at) = *self.reviews.swept.read() else { return Duration::ZERO };
        // A mark of a clock that stood wrong holds up no sweep.
        let since = u64::try_from(self.now().0.saturating_sub(at.0)).unwrap_or(u64::MAX);
        every.saturating_sub(Duration::from_millis(since))
    }

    /// Keeps how far the log was swept, with the events of it.
    fn keep_swept(&self, until: Millis, events: Vec<Vec<u8>>) -> Result<(), Fault> {
        let replaces = swept(&self.store)?.map(|(_, version)| version);
        let body = [until.0.to_be_bytes().as_slice(), &[VERSION]].concat();
        let item =
            ItemChange { shelf: SHELF, key: KEY.to_vec(), replaces, act: ItemAct::Put(body) };
        let unit =
            Unit { items: vec![item], events: Some(Box::new(move |_| events)), ..Unit::default() };
        self.store.commit(unit)?;
        *self.reviews.swept.write() = Some(until);
        Ok(())
    }
}

/// What stands out from the beginning of a day on, and until when it was weighed: the end of a later day
/// when there is more until now than can be weighed at once, and nothing when one day alone has more.
fn weighed(
    by: &Session,
    since: Millis,
    now: Millis,
    stop: &dyn Fn() -> bool,
) -> Result<(Millis, Option<Vec<Sighting>>), Fault> {
    let mut tried = None;
    for span in SPANS_DAYS {
        let until = days_after(since, span).min(now);
        if tried.replace(until) == Some(until) {
            continue;
        }
        for usual in USUAL_DAYS {
            let from = days_after(since, -usual);
            match by.gather_sightings(Some(from), Some(until), since, stop) {
                Err(fault) if fault.code() == &code::SEARCH_TOO_COSTLY => {}
                other => return other.map(|found| (until, Some(found))),
            }
        }
    }
    Ok((days_after(since, 1).min(now), None))
}

fn of_glass(entry: &Entry, due: Millis) -> Seen {
    let event = &entry.event;
    let reason = event.receipt.as_deref().and_then(|receipt| receipt.break_glass.clone());
    Seen {
        kind: CaseKind::BreakGlass,
        actor: whose(event).to_owned(),
        patient: event.patients.first().cloned(),
        from: event.time,
        until: crate::glass::until(event.time),
        due,
        seq: entry.seq,
        last_seq: entry.seq,
        practitioner: None,
        signals: vec![Signal::BrokenGlass],
        score: 0,
        reason: reason.unwrap_or_default(),
        in_care: None,
    }
}

fn of_sighting(one: &Sighting, due: Millis) -> Seen {
    Seen {
        kind: CaseKind::Signal,
        actor: one.actor.clone(),
        patient: one.patient.clone(),
        from: one.first,
        until: days_after(day_of(one.first), 1),
        due,
        seq: one.seq,
        last_seq: one.last_seq,
        practitioner: None,
        signals: one.signals.clone(),
        score: one.score,
        reason: one.reason.to_owned(),
        in_care: None,
    }
}

/// The thread that sweeps from time to time. It ends when this is dropped.
#[derive(Debug)]
pub struct Reviewing {
    /// Held for its thread.
    _worker: Worker,
}

impl Record {
    /// Sweeps the log from time to time, on a thread of its own; at once if that is due.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn keep_reviews(&self, every: Duration) -> Result<Reviewing, Fault> {
        let gate = Arc::downgrade(&self.gate);
        let random = Seeded::new(crate::gate::seed_of_the_system());
        let worker = Worker::start("record-review", move |stop| run(&gate, stop, every, random))?;
        Ok(Reviewing { _worker: worker })
    }
}

fn run(gate: &Weak<Gate>, stop: &Stop, every: Duration, mut random: Seeded) {
    give_way();
    // A server that was only restarted does not go through the day's log again.
    let mut rest = match gate.upgrade() {
        Some(gate) => gate.sweep_due_in(every),
        None => return,
    };
    loop {
        if stop.rest(rest) {
            return;
        }
        let Some(gate) = gate.upgrade() else { return };
        let request = uuid_v7(gate.now(), &mut random);
        let session = Session {
            subject: Arc::new(Subject::operator().from(Source::Local)),
            request,
            noted: Arc::default(),
            gate,
        };
        rest = match session.gate.sweep(&session, &|| stop.is_asked()) {
            Ok(Swept { opened: 0, .. }) => every,
            Ok(Swept { opened, .. }) => {
                tracing::warn!(opened, "cases of review were opened");
                every
            }
            Err(fault) => {
                tracing::error!(code = fault.code().name, "the log could not be swept");
                AFTER_FAILURE.min(every)
            }
        };
        // A day of the log was in memory.
        store::give_back_memory();
    }
}

/// From here on this thread does its work when nobody who waits needs the processor: a log of millions of
/// events takes a core for seconds. A tenth of a share is left to it, so that it ends, and frees what it
/// holds, on the busiest machine.
fn give_way() {
    // Elsewhere than on Linux this would be said of the whole process.
    #[cfg(target_os = "linux")]
    if let Err(e) = rustix::process::nice(10) {
        tracing::debug!(error = %e, "the sweep keeps its priority");
    }
}
