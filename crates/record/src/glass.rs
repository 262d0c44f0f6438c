//! Breaking the glass: access in an emergency to one patient's record that the policies keep closed
//! otherwise (45 CFR 164.312(a)(2)(ii)). Whoever does it gives a reason and has just shown a factor; it
//! lasts an hour, in one session, for one patient, to look only; it is told at once and reviewed
//! afterwards, and somebody for whom it becomes routine is stopped.

mod kept;

use self::kept::Breaking;
use crate::actor::denied;
use crate::gate::Gate;
use crate::reach;
use crate::review::{CaseKind, Next, Seen, opened_event};
use crate::session::Session;
use crate::snoop::Signal;
use access::{Action, Context, Policies, Purpose, Who};
use audit::{Event, Kind, Target};
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use identity::{Caller, SessionId};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use store::{ItemAct, ItemChange, Scope, Store, Unit};

/// How long the glass stays broken.
const LASTS_MS: i64 = 3_600_000;
/// How many times one principal may break it within [`DAY_MS`].
const TIMES_MAX: usize = 10;
const DAY_MS: i64 = 86_400_000;
/// How often it is tried again when one person breaks several at once.
const TRIES_MAX: usize = 4;
/// Bytes of a reason.
const REASON_BYTES: std::ops::RangeInclusive<usize> = 10..=500;

/// A broken glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Whose record.
    pub patient: String,
    /// Until when.
    pub until: Millis,
}

/// Until when a glass that is broken now stays broken.
pub(crate) const fn until(now: Millis) -> Millis {
    Millis(now.0.saturating_add(LASTS_MS))
}

impl Broken {
    /// Whether the hour is not over. A clock that was turned back makes it no longer.
    pub(crate) fn holds(&self, now: Millis) -> bool {
        (1..=LASTS_MS).contains(&self.until.0.saturating_sub(now.0))
    }
}

/// The broken glasses, by session. They stand on a shelf of the store too, with how often each principal
/// broke one, so a restart takes and gives nothing.
#[derive(Debug)]
pub(crate) struct Glasses {
    open: RwLock<HashMap<[u8; 16], Broken>>,
}

impl Glasses {
    /// Those that were broken before the program began, as far as they still are.
    pub(crate) fn open(store: &Store, now: Millis) -> Result<Self, Fault> {
        Ok(Self { open: RwLock::new(kept::load(store, now)?) })
    }

    /// Whose record a session looks at through a broken glass.
    pub(crate) fn of(&self, session: SessionId, now: Millis) -> Option<Broken> {
        self.open.read().get(session.as_bytes()).filter(|broken| broken.holds(now)).cloned()
    }
}

impl Session {
    /// Breaks the glass before a patient's record, for the session of whoever asks.
    ///
    /// # Errors
    /// `identity.step-up.needed` without a fresh factor, `server.parameter.invalid` without a reason,
    /// `access.denied` when no policy permits it to this principal, `access.break-glass.too-often`.
    pub fn break_glass(&self, patient: &str, reason: &str) -> Result<Broken, Fault> {
        let event = self.event(Kind::BreakGlass);
        let outcome = self.try_to_break(event.clone(), patient, reason);
        outcome.map_err(|fault| self.refused(event, fault))
    }

    fn try_to_break(&self, mut event: Event, patient: &str, reason: &str) -> Result<Broken, Fault> {
        let gate = &self.gate;
        let now = self.now();
        let (caller, actor) = self.in_person().ok_or_else(denied)?;
        gate.directory.identity.need_step_up(caller)?;
        let reason = reason.trim();
        if !REASON_BYTES.contains(&reason.len()) || reason.chars().any(char::is_control) {
            let text = "say in 10 to 500 bytes why the record is needed at once";
            return Err(Fault::at(&code::PARAMETER_INVALID, text, "reason"));
        }
        if !is_id(patient) {
            return Err(denied());
        }
        let policies = gate.policies();
        if scope(&policies, &actor.who, Action::Read, patient).is_none() {
            return Err(denied());
        }
        event.targets.push(Target::resource("Patient", patient, None));
        event.patients.push(patient.to_owned());
        event.receipt = Some(Box::new(audit::Receipt {
            purpose: Some(Purpose::Emergency.as_str().to_owned()),
            session: Some(caller.session.to_string()),
            break_glass: Some(reason.to_owned()),
            epoch: policies.epoch(),
            ..audit::Receipt::default()
        }));
        let broken = Broken { patient: patient.to_owned(), until: until(now) };
        let seen = Seen {
            kind: CaseKind::BreakGlass,
            actor: event.actor.to_string(),
            patient: Some(patient.to_owned()),
            from: event.time,
            until: broken.until,
            due: gate.due(CaseKind::BreakGlass, now),
            seq: 0,
            last_seq: 0,
            practitioner: caller.principal.profile.practitioner.clone(),
            signals: vec![Signal::BrokenGlass],
            score: 0,
            reason: reason.to_owned(),
            in_care: Some(actor.who.patients_in_care.iter().any(|id| &**id == patient)),
        };
        self.keep(caller, now, &broken, (&event, &seen))?;
        tracing::warn!(principal = %caller.principal.id, "the glass was broken before a patient's record");
        let mut open = gate.glasses.open.write();
        open.retain(|_, broken| now < broken.until);
        open.insert(*caller.session.as_bytes(), broken.clone());
        Ok(broken)
    }

    /// Counts it, and keeps it with its event and its case of review in one unit of work: nobody looks
    /// through the glass before it is on the disk, in store and log, that it was broken.
    fn keep(
        &self,
        caller: &Caller,
        now: Millis,
        broken: &Broken,
        (event, seen): (&Event, &Seen),
    ) -> Result<(), Fault> {
        let gate = &self.gate;
        let opened = self.event(Kind::CaseOpened);
        let key = caller.principal.id.as_bytes();
        for _ in 0..TRIES_MAX {
            if let Some(fault) = gate.log.failure() {
                return Err(fault);
            }
            let item = gate.store.item_get(kept::SHELF, key)?;
            let replaces = item.as_ref().map(|item| item.version);
            let mut all =
                item.map(|item| kept::decode(&item.body)).transpose()?.unwrap_or_default();
            all.retain(|one| now.0.saturating_sub(one.at.0) < DAY_MS);
            if all.len() >= TIMES_MAX {
                let text = "the glass was broken too often within a day; ask the privacy officer";
                return Err(Fault::new(&code::BREAK_GLASS_TOO_OFTEN, text));
            }
            let session = *caller.session.as_bytes();
            all.push(Breaking { at: now, session, broken: broken.clone() });
            let put = ItemAct::Put(kept::encode(&all));
            let item = ItemChange { shelf: kept::SHELF, key: key.to_vec(), replaces, act: put };
            let mut events = vec![event.encode()];
            let next = self.case_of(seen);
            if let Some(next) = &next {
                events.push(opened_event(opened.clone(), next).encode());
            }
            let case = next.as_ref().map(|next| next.id);
            let unit = Unit {
                items: [item].into_iter().chain(next.map(|next| next.item)).collect(),
                events: Some(Box::new(move |_| events)),
                ..Unit::default()
            };
            match gate.store.commit(unit) {
                // The same person broke another one at this moment.
                Err(fault) if fault.code() == &code::ITEM_CONFLICT => {}
                Err(fault) => return Err(fault),
                Ok(_) => {
                    if let Some(case) = case {
                        gate.reviews.note(&gate.store, case);
                    }
                    return gate.log.flush();
                }
            }
        }
        Err(Fault::new(&code::ITEM_CONFLICT, "the glass is being broken elsewhere; ask again"))
    }
}

impl Session {
    /// What opens the case of a broken glass. A patient does not wait for a case that cannot be read:
    /// the sweep finds every glass in the log, and says so when it cannot open its case either.
    fn case_of(&self, seen: &Seen) -> Option<Next> {
        self.gate.opening(seen.from, seen).unwrap_or_else(|fault| {
            tracing::error!(code = fault.code().name, "a broken glass has no case of review yet");
            None
        })
    }
}

/// What a principal may reach through the glass broken before one patient's record.
pub(crate) fn scope(
    policies: &Policies,
    who: &Arc<Who>,
    action: Action,
    patient: &str,
) -> Option<Scope> {
    let context =
        Context { break_glass: true, mfa_age_seconds: 0, ..Context::of(Purpose::Emergency) };
    let decision = policies.guard(who, action, None, &context);
    let scope = reach::scope([(&*decision, &*decision)])?.of_patient(patient);
    (!scope.is_nothing()).then_some(scope)
}

impl Gate {
    /// Adds to a scope what a session sees through its broken glass.
    pub(crate) fn through_glass(
        &self,
        scope: Option<Scope>,
        who: &Arc<Who>,
        action: Action,
        session: SessionId,
    ) -> Option<Scope> {
        let looks = matches!(action, Action::Read | Action::Search | Action::History);
        let broken = match looks {
            true => self.glasses.of(session, self.settings.clock.now()),
            false => None,
        };
        let Some(broken) = broken else { return scope };
        let through = self::scope(&self.policies(), who, action, &broken.patient);
        match (scope, through) {
            // A wish to be left out does not hold in an emergency (164.522(a)(1)(iii)).
            (Some(scope), Some(through)) => Some(scope.or(&through).forgiving(&broken.patient)),
            (scope, through) => scope.or(through),
        }
    }
}
