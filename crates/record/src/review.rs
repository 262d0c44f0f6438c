//! The review queue: every broken glass, and every access that stands out, is a case that a privacy
//! officer decides and signs, within a time and with a reason, and never one about their own access
//! (45 CFR 164.308(a)(1)(ii)(D), information system activity review; 164.312(a)(2)(ii), emergency access;
//! 164.308(a)(3)(ii)(A), supervision). docs/internals/record.md tells how a case comes to be.

mod case;
mod queue;
mod step;
mod sweep;
mod turn;

pub use self::case::{Case, CaseId, CaseState};
pub use self::queue::ReviewCounts;
pub(crate) use self::queue::{Next, Queue};
pub use self::step::{CaseKind, Done, Outcome, Seen, Step};
pub use self::sweep::{Reviewing, Swept};
pub use self::turn::Turn;

use crate::actor::{Asked, denied};
use crate::gate::Record;
use crate::session::{Audited, Session, Subject};
use crate::snoop::{Kept, Relations as _, Ties, whose};
use access::Action;
use audit::{Decision, Event, Kind, Source, Target, Wanted};
use base::Fault;
use base::error::code;
use fhir::definitions::r4;
use identity::{Kind as Of, Principal, PrincipalId};
use std::borrow::Cow;
use std::sync::Arc;
use store::Unit;

/// The roles whose members decide cases. Whoever else may read the log sees them and takes no step.
const REVIEWERS: &[&str] = &["privacy-officer"];
/// The actor of what the owner of the data folder does at the machine's own console.
const OPERATOR: &str = "operator";
/// Bytes of a note.
const NOTE_BYTES: std::ops::RangeInclusive<usize> = 10..=2000;
/// Cases of one list.
const LIST_MAX: usize = 10_000;
/// Events that a case names.
const EVENTS_MAX: usize = 100;

/// How cases are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReviewSettings {
    /// Days after which the case of a broken glass is overdue.
    pub break_glass_due_days: u32,
    /// Days after which a case of signals is overdue.
    pub signal_due_days: u32,
    /// What stands out by less is no case.
    pub score_min: u32,
    /// Accesses that are weighed at once.
    pub accesses_max: usize,
}

impl Default for ReviewSettings {
    fn default() -> Self {
        let score_min = crate::snoop::SCORE_MIN;
        let accesses_max = crate::snoop::EVENTS_MAX;
        Self { break_glass_due_days: 7, signal_due_days: 30, score_min, accesses_max }
    }
}

/// Which cases are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Those of one of these states; of any, when there is none.
    pub states: Vec<CaseState>,
    /// Those that are overdue alone.
    pub overdue: bool,
    /// Those that this principal has.
    pub owner: Option<PrincipalId>,
}

/// A case, and what the log and the record hold of it now.
#[derive(Debug, Clone)]
pub struct CaseFile {
    /// The case.
    pub case: Case,
    /// The numbers of the events of this person that concern the patient, or of all of that time where
    /// it is about none; oldest first.
    pub events: Vec<u64>,
    /// There are more of them, later ones.
    pub more: bool,
    /// What ties the person to the patient, as the record has it now.
    pub ties: Option<Ties>,
}

/// Who takes a step.
struct Reviewer {
    principal: Arc<Principal>,
    at_console: bool,
}

/// The event that a case was opened, or was added to by what was seen.
pub(crate) fn opened_event(mut event: Event, next: &Next) -> Event {
    event.status = 201;
    event.targets.push(Target::resource("Case", next.id.to_string(), Some(next.number)));
    event
}

impl Record {
    /// How many cases there are.
    pub fn review_counts(&self) -> ReviewCounts {
        self.gate.reviews.counts(self.gate.now())
    }
}

impl Session {
    /// The cases of a filter, the soonest due first, but those about whoever asks. Looking leaves an event.
    ///
    /// # Errors
    /// `access.denied` for who may not read the whole log; `search.query.too-costly` for too many.
    pub fn cases(&self, filter: &CaseFilter) -> Result<Audited<Vec<Case>>, Fault> {
        let mut event = self.case_event(Kind::CaseRead);
        event.targets.push(Target::of_type("Case"));
        match self.listed(filter) {
            Ok(cases) => {
                event.results = cases.len() as u64;
                event.patients.extend(cases.iter().filter_map(|case| case.patient.clone()));
                event.patients.sort();
                event.patients.dedup();
                self.audited(&event, cases)
            }
            Err(fault) => Err(self.kept_out(event, fault)),
        }
    }

    /// A case, and what is held of it. Looking leaves an event.
    ///
    /// # Errors
    /// `access.denied` for who may not read the whole log; `access.case.own` for whom it is about;
    /// `access.case.not-found`.
    pub fn case(&self, id: CaseId) -> Result<Audited<CaseFile>, Fault> {
        let mut event = self.case_event(Kind::CaseRead);
        event.targets.push(Target::resource("Case", id.to_string(), None));
        match self.filed(id) {
            Ok(file) => {
                event.results = 1;
                event.patients.extend(file.case.patient.clone());
                self.audited(&event, file)
            }
            Err(fault) => Err(self.kept_out(event, fault)),
        }
    }

    /// Gives a case to somebody. `by` names whose step it is, at the machine's own console.
    ///
    /// # Errors
    /// `access.denied` for who may not decide cases, or for an owner who may not; `access.case.own` when
    /// either is the person it is about; `access.case.state` for a closed one; `access.case.not-found`.
    pub fn assign_case(
        &self,
        id: CaseId,
        by: Option<PrincipalId>,
        owner: PrincipalId,
        said: &str,
    ) -> Result<Case, Fault> {
        self.take_step(id, by, &|session, case| session.assigned(case, owner, said))
    }

    /// Decides a case, with the reason.
    ///
    /// # Errors
    /// As [`Session::assign_case`], and `server.parameter.invalid` without a note.
    pub fn close_case(
        &self,
        id: CaseId,
        by: Option<PrincipalId>,
        outcome: Outcome,
        said: &str,
    ) -> Result<Case, Fault> {
        self.take_step(id, by, &|session, case| session.closed(case, outcome, said))
    }

    /// Opens a closed case again, with the reason. Its history stays.
    ///
    /// # Errors
    /// As [`Session::close_case`].
    pub fn reopen_case(
        &self,
        id: CaseId,
        by: Option<PrincipalId>,
        said: &str,
    ) -> Result<Case, Fault> {
        self.take_step(id, by, &|session, case| session.reopened(case, said))
    }

    /// Sweeps the log now, for whoever is on the machine itself or decides cases.
    ///
    /// # Errors
    /// `access.denied`; when the log cannot be read.
    pub fn sweep_cases(&self) -> Result<Swept, Fault> {
        let may = match self.is_console() {
            true => Ok(()),
            false => self.reviewer(None).map(drop),
        };
        may.map_err(|fault| self.kept_out(self.case_event(Kind::CaseRead), fault))?;
        let all = Self {
            subject: Arc::new(Subject::operator().from(Source::Local)),
            noted: Arc::clone(&self.noted),
            ..self.clone()
        };
        self.gate.sweep(&all, &|| false)
    }

    fn case_event(&self, kind: Kind) -> Event {
        let mut event = self.event(kind);
        if self.is_console() {
            event.actor = Cow::Borrowed(OPERATOR);
        }
        event
    }

    /// A refusal, with its event.
    fn kept_out(&self, mut event: Event, fault: Fault) -> Fault {
        if [&code::ACCESS_DENIED, &code::CASE_OWN].contains(&fault.code()) {
            event.decision = Decision::Deny;
        }
        self.refused(event, fault)
    }

    /// Whoever has the data folder in hand.
    fn is_console(&self) -> bool {
        self.writer().0.is_none() && self.rights().is_none()
    }

    fn listed(&self, filter: &CaseFilter) -> Result<Vec<Case>, Fault> {
        self.may_read_log(None)?;
        let (now, owner) = (self.now(), filter.owner.map(|id| id.to_string()));
        let viewer = self.viewer()?;
        let mut found = Vec::new();
        queue::each(&self.gate.store, |case| {
            let fits = (filter.states.is_empty() || filter.states.contains(&case.state))
                && (!filter.overdue || case.is_overdue(now))
                && (owner.is_none() || case.owner == owner);
            let own = |viewer: &Principal| self.is_own_case(&case, viewer);
            if fits && !viewer.as_ref().map(own).transpose()?.unwrap_or(false) {
                if found.len() == LIST_MAX {
                    let say = "there are more cases than one list holds; ask for a state";
                    return Err(Fault::new(&code::SEARCH_TOO_COSTLY, say));
                }
                found.push(case);
            }
            Ok(())
        })?;
        found.sort_by(|a, b| a.due.cmp(&b.due).then(b.score.cmp(&a.score)).then(a.id.cmp(&b.id)));
        Ok(found)
    }

    fn filed(&self, id: CaseId) -> Result<CaseFile, Fault> {
        self.may_read_log(None)?;
        let case = self.known(id)?;
        if let Some(viewer) = self.viewer()? {
            self.not_own(&case, &viewer)?;
        }
        let (events, more) = self.events_of(&case)?;
        let all = Self { subject: Arc::new(Subject::operator()), ..self.clone() };
        let ties =
            case.patient.as_ref().map(|id| Kept::of(&all, &|| false).between(&case.actor, id));
        Ok(CaseFile { case, events, more, ties })
    }

    fn known(&self, id: CaseId) -> Result<Case, Fault> {
        let found = queue::load(&self.gate.store, id)?;
        found.ok_or_else(|| Fault::new(&code::CASE_NOT_FOUND, "no case of review has this id"))
    }

    /// What this person did that is part of a case.
    fn events_of(&self, case: &Case) -> Result<(Vec<u64>, bool), Fault> {
        let fits = |event: &Event| whose(event) == case.actor && event.kind != Kind::CaseOpened;
        let wanted = Wanted {
            patient: case.patient.as_deref(),
            from: Some(case.from),
            until: Some(case.until),
            before: u64::MAX,
            count: usize::MAX,
            looks_max: u64::MAX,
            fits: &fits,
        };
        self.gate.log.catch_up()?;
        // Nobody else's look into the log waits for a whole day of it.
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        let mut events: Vec<u64> = page.entries.iter().rev().map(|entry| entry.seq).collect();
        let more = events.len() > EVENTS_MAX;
        events.truncate(EVENTS_MAX);
        Ok((events, more))
    }

    /// Takes a step of a case: refused when somebody else takes one at the same moment.
    fn take_step(
        &self,
        id: CaseId,
        by: Option<PrincipalId>,
        decide: &dyn Fn(&Self, &Case) -> Result<Done, Fault>,
    ) -> Result<Case, Fault> {
        let mut event = self.case_event(Kind::CaseChanged);
        event.targets.push(Target::resource("Case", id.to_string(), None));
        let outcome = self.step_taken(id, by, decide, &mut event);
        outcome.map_err(|fault| self.kept_out(event, fault))
    }

    fn step_taken(
        &self,
        id: CaseId,
        by: Option<PrincipalId>,
        decide: &dyn Fn(&Self, &Case) -> Result<Done, Fault>,
        event: &mut Event,
    ) -> Result<Case, Fault> {
        let gate = &self.gate;
        let reviewer = self.reviewer(by)?;
        let name = reviewer.principal.id.to_string();
        if reviewer.at_console {
            let receipt = event.receipt.get_or_insert_default();
            receipt.on_behalf_of = Some(name.clone());
        }
        let case = self.known(id)?;
        self.not_own(&case, &reviewer.principal)?;
        let done = decide(self, &case)?;
        if let Some(fault) = gate.log.failure() {
            return Err(fault);
        }
        told_by(event, &done);
        let at = event.time;
        let step = Step { at, by: Some(name), at_console: reviewer.at_console, done };
        let next = queue::next(id, case.steps.len(), queue::STEPS_MAX, &step)?;
        if let Some(target) = event.targets.first_mut() {
            target.version = Some(next.number);
        }
        let encoded = event.encode();
        let unit = Unit {
            items: vec![next.item],
            events: Some(Box::new(move |_| vec![encoded])),
            ..Unit::default()
        };
        gate.store.commit(unit)?;
        gate.reviews.note(&gate.store, id);
        // What was decided is told when its event cannot be lost any more.
        gate.log.flush()?;
        self.known(id)
    }

    /// Who takes a step: whoever asks in person, or at the console the one whose step it is said to be.
    fn reviewer(&self, by: Option<PrincipalId>) -> Result<Reviewer, Fault> {
        let own = self.in_person().map(|(caller, _)| Arc::clone(&caller.principal));
        match (own, by) {
            (Some(principal), by) if by.is_none_or(|by| by == principal.id) => {
                self.may_read_log(None)?;
                self.may_decide(&principal)?;
                Ok(Reviewer { principal, at_console: false })
            }
            (None, Some(by)) if self.is_console() => {
                let principal = Arc::new(self.gate.directory.identity.principal(by)?);
                self.may_decide(&principal)?;
                Ok(Reviewer { principal, at_console: true })
            }
            (None, None) if self.is_console() => {
                let say = "say whose step it is: a case is signed by a person";
                Err(Fault::at(&code::PARAMETER_INVALID, say, "by"))
            }
            _ => Err(denied()),
        }
    }

    /// Whether a principal decides cases: a person, not shut out, of a role for it, and whom the policies
    /// let read the whole log.
    fn may_decide(&self, principal: &Arc<Principal>) -> Result<(), Fault> {
        let fits = holds_role(principal);
        let gate = &self.gate;
        let reads = || {
            let policies = gate.policies();
            let actor = gate.actor_of(policies, Principal::clone(principal), gate.now())?;
            let scope = actor.scope(gate, Action::Search, &Asked::default(), None, 0)?;
            let kind = r4().resource_type("AuditEvent");
            Ok::<_, Fault>(scope.zip(kind).is_some_and(|(scope, kind)| scope.sees_all_of(kind)))
        };
        if fits && reads()? {
            return Ok(());
        }
        let say = "cases are decided by a person with the role privacy-officer who may read the access log and is not shut out";
        Err(Fault::new(&code::ACCESS_DENIED, say))
    }

    /// Four eyes: refuses the person whom a case is about, by whichever of their principals.
    fn not_own(&self, case: &Case, principal: &Principal) -> Result<(), Fault> {
        if self.is_own_case(case, principal)? {
            let say = "somebody else has to look at one's own access and decide about it";
            return Err(Fault::new(&code::CASE_OWN, say));
        }
        Ok(())
    }

    /// Whether a case is about this person: the same principal, or one that is or was the same
    /// `Practitioner`, or is the same `Patient`.
    fn is_own_case(&self, case: &Case, principal: &Principal) -> Result<bool, Fault> {
        let (id, own) = (PrincipalId::parse(&case.actor), &principal.profile);
        if id == Some(principal.id) {
            return Ok(true);
        }
        if let Some(own) = &own.practitioner {
            let was = |seen: &Seen| seen.practitioner.as_ref() == Some(own);
            if *own == case.actor || case.seen().any(was) {
                return Ok(true);
            }
        }
        let Some(id) = id else { return Ok(false) };
        match self.gate.directory.identity.principal(id) {
            Ok(about) => {
                let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
                Ok(same(&own.practitioner, &about.profile.practitioner)
                    || same(&own.patient, &about.profile.patient))
            }
            Err(fault) if fault.code() == &code::PRINCIPAL_NOT_FOUND => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// The person who looks; nobody at the machine's own console.
    fn viewer(&self) -> Result<Option<Principal>, Fault> {
        let id = self.whose_rights().and_then(|id| PrincipalId::parse(&id));
        id.map(|id| self.gate.directory.identity.principal(id)).transpose()
    }
}

/// Whether a principal is a person, not shut out, of a role for deciding cases.
fn holds_role(principal: &Principal) -> bool {
    principal.kind == Of::Person
        && principal.disabled.is_none()
        && principal.profile.roles.iter().any(|role| REVIEWERS.contains(&role.as_str()))
}

/// What a step was, in the words of an event.
fn told_by(event: &mut Event, done: &Done) {
    let (step, more) = match done {
        Done::Seen(_) => ("seen", None),
        Done::Assigned { owner, .. } => ("assigned", Some(("Principal", owner.clone()))),
        Done::Closed { outcome, .. } => {
            ("closed", Some(("CaseOutcome", outcome.name().to_owned())))
        }
        Done::Noted { asks: true, .. } => ("asked", None),
        Done::Noted { asks: false, .. } => ("noted", None),
        Done::Reopened { .. } => ("reopened", None),
    };
    event.targets.push(Target::resource("CaseStep", step, None));
    event.targets.extend(more.map(|(kind, id)| Target::resource(kind, id, None)));
}

fn note(said: &str) -> Result<String, Fault> {
    let said = said.trim();
    if !NOTE_BYTES.contains(&said.len()) || said.chars().any(char::is_control) {
        let say = "say in 10 to 2000 bytes, on one line, what it rests on";
        return Err(Fault::at(&code::PARAMETER_INVALID, say, "note"));
    }
    Ok(said.to_owned())
}

fn state(say: &str) -> Fault {
    Fault::new(&code::CASE_STATE, say)
}
