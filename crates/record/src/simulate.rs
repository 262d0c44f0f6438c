//! What other policies would have changed: the accesses in the log, asked again of a set that is not in
//! force, beside the set that is (45 CFR 164.308(a)(8), evaluation before a change). Both are asked of
//! the store as it is now, so that a difference is one of the policies and of nothing else. No patient
//! is named in what it answers. Whoever asks leaves an event in the access log.

use crate::actor::{Actor, Asked};
use crate::glass;
use crate::in_force::load_policies;
use crate::session::{Audited, Session};
use crate::why::with_facts;
use access::{Action, Context, Policies, Purpose};
use audit::{Decision, Entry, Event, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use identity::PrincipalId;
use search::parse::{Level, parse};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use store::Scope;

/// Events that are asked again; of more, the newest.
const EVENTS_MAX: usize = 100_000;
/// Patients of one search that are looked for again.
const PATIENTS_MAX: usize = 20;

/// What differs alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tally {
    /// The roles of whoever asked.
    pub roles: String,
    /// What was asked.
    pub action: &'static str,
    /// Of which type.
    pub kind: &'static str,
    /// By which policy: one that forbids, or one that permits or permitted.
    pub rule: String,
    /// How many times.
    pub times: u64,
    /// By how many people or programs.
    pub people: usize,
    /// The number of the first such event, to look it up by.
    pub first_event: u64,
}

/// What a set that is not in force would have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Events of the span.
    pub events: u64,
    /// Those that could be asked again.
    pub replayed: u64,
    /// Of those, the ones that both sets answer alike.
    pub alike: u64,
    /// What the set in force permits and the other would refuse.
    pub refused: Vec<Tally>,
    /// Searches that would show less: of a patient they showed, nothing of the type.
    pub narrowed: Vec<Tally>,
    /// What the set in force refuses and the other would permit.
    pub permitted: Vec<Tally>,
    /// What could not be asked again, and how often.
    pub not_asked: BTreeMap<&'static str, u64>,
    /// In what respect the answer is a part only.
    pub partial: Vec<String>,
}

/// Which way an answer changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Refused,
    Narrowed,
    Permitted,
}

/// Way, roles, action, type and rule.
type Place = (Way, String, &'static str, &'static str, String);
/// Times, people, and the first event.
type Tallies = BTreeMap<Place, (u64, BTreeSet<String>, u64)>;
/// How an answer changes, and by which policy; `None` when it does not, and none of what is not there.
type Changed = Option<Option<(Way, String)>>;

/// One who acts, under either set.
struct Pair {
    before: Arc<Actor>,
    after: Arc<Actor>,
    roles: String,
}

/// One question, under either set.
struct Question<'p> {
    pair: &'p Pair,
    action: Action,
    purpose: Option<Purpose>,
    before: Option<Scope>,
    after: Option<Scope>,
}

impl Session {
    /// What the policies of a site, put in the place of those in force, would have changed for the
    /// accesses from `from` on until before `until`.
    ///
    /// # Errors
    /// `access.denied` for who may not read the access log; codes `access.policy.*` of the set.
    pub fn simulate(
        &self,
        site: &[(String, String)],
        from: Option<Millis>,
        until: Option<Millis>,
    ) -> Result<Audited<Simulated>, Fault> {
        let mut event = self.event(Kind::PolicyAsked);
        event.targets.push(Target::of_type("AuditEvent"));
        match self.simulated(site, from, until) {
            Ok(found) => {
                event.results = found.replayed;
                self.audited(&event, found)
            }
            Err(fault) => {
                if fault.code() == &code::ACCESS_DENIED {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    fn simulated(
        &self,
        site: &[(String, String)],
        from: Option<Millis>,
        until: Option<Millis>,
    ) -> Result<Simulated, Fault> {
        self.may_read_log(None)?;
        let in_force = self.gate.policies();
        let other = Arc::new(load_policies(in_force.epoch() + 1, site)?);
        let wanted = Wanted {
            patient: None,
            from,
            until,
            before: u64::MAX,
            count: EVENTS_MAX,
            looks_max: u64::MAX,
            fits: &|event| asked_again(event).is_some(),
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        let mut found = Simulated { events: page.entries.len() as u64, ..Simulated::default() };
        if page.next.is_some() {
            found.partial.push(format!("only the newest {EVENTS_MAX} accesses of the span"));
        }
        let mut pairs: HashMap<String, Option<Pair>> = HashMap::new();
        let mut tallies = Tallies::new();
        for entry in &page.entries {
            let actor = entry.event.actor.to_string();
            if !pairs.contains_key(&actor) {
                let pair = self.pair(&actor, &in_force, &other)?;
                pairs.insert(actor.clone(), pair);
            }
            let Some(Some(pair)) = pairs.get(&actor) else {
                *found.not_asked.entry(unknown(&actor)).or_default() += 1;
                continue;
            };
            self.replay(entry, pair, &mut found, &mut tallies)?;
        }
        gathered(tallies, &mut found);
        found.partial.extend(
            [
                "people, roles, patients in care, records and consents are taken as they are now",
                "a factor is taken to have been shown just before each access",
                "a search is asked again by the patients it showed, for the log keeps no query",
            ]
            .map(str::to_owned),
        );
        Ok(found)
    }

    fn pair(
        &self,
        actor: &str,
        in_force: &Arc<Policies>,
        other: &Arc<Policies>,
    ) -> Result<Option<Pair>, Fault> {
        let Some(id) = PrincipalId::parse(actor) else { return Ok(None) };
        let Ok(principal) = self.gate.directory.identity.principal(id) else { return Ok(None) };
        let mut roles = principal.profile.roles.clone();
        roles.sort_unstable();
        let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
        let now = self.now();
        let made = |policies: &Arc<Policies>| {
            let made = self.gate.actor_of(Arc::clone(policies), principal.clone(), now);
            made.map(Arc::new)
        };
        Ok(Some(Pair { before: made(in_force)?, after: made(other)?, roles }))
    }

    fn replay(
        &self,
        entry: &Entry,
        pair: &Pair,
        found: &mut Simulated,
        tallies: &mut Tallies,
    ) -> Result<(), Fault> {
        let event = &entry.event;
        let Some(action) = asked_again(event) else { return Ok(()) };
        let receipt = event.receipt.as_deref();
        if receipt.is_some_and(|receipt| receipt.client.is_some()) {
            *found
                .not_asked
                .entry("through an app: what it was given is not replayed")
                .or_default() += 1;
            return Ok(());
        }
        let said = receipt.and_then(|receipt| Purpose::of_code(receipt.purpose.as_deref()?));
        // Whoever says no purpose acts for those of the roles; the log keeps the first of them.
        let first = pair.before.purposes(&Asked::default()).first().copied();
        let purpose = said.filter(|said| first != Some(*said));
        let asked = Asked { purpose };
        let glass = receipt.is_some_and(|receipt| receipt.break_glass.is_some());
        let scope = |actor: &Actor| -> Result<Option<Scope>, Fault> {
            let mut scope = actor.scope(&self.gate, action, &asked, None, 0)?;
            if glass {
                for patient in event.patients.iter().take(PATIENTS_MAX) {
                    let through = glass::scope(actor.policies(), &actor.who, action, patient);
                    scope = match (scope, through) {
                        (Some(scope), Some(through)) => Some(scope.or(&through).forgiving(patient)),
                        (scope, through) => scope.or(through),
                    };
                }
            }
            Ok(scope)
        };
        let (before, after) = (scope(&pair.before)?, scope(&pair.after)?);
        let question = Question { pair, action, purpose, before, after };
        let (mut any, mut differs) = (false, false);
        for target in &event.targets {
            let Some(kind) = r4().resource_type(&target.resource_type) else { continue };
            let way = match &target.id {
                Some(id) => self.of_record(&question, kind, id)?,
                None => self.of_search(&question, kind, &event.patients)?,
            };
            let Some(way) = way else { continue };
            any = true;
            if let Some((way, rule)) = way {
                differs = true;
                let key = (way, pair.roles.clone(), action.as_str(), r4().name(kind), rule);
                let slot = tallies.entry(key).or_insert((0, BTreeSet::new(), entry.seq));
                slot.0 += 1;
                slot.1.insert(event.actor.to_string());
                slot.2 = slot.2.min(entry.seq);
            }
        }
        match (any, differs) {
            (false, _) => {
                *found.not_asked.entry("upon no record that is still there").or_default() += 1;
            }
            (true, differs) => {
                found.replayed += 1;
                found.alike += u64::from(!differs);
            }
        }
        Ok(())
    }

    /// Whether a record is answered otherwise, and by which policy; `None` when it is not there.
    fn of_record(&self, question: &Question<'_>, kind: TypeId, id: &str) -> Result<Changed, Fault> {
        let everything = Scope::everything();
        let store = &self.gate.store;
        let Some(known) = store.reader(&everything)?.facts(kind, id)? else { return Ok(None) };
        if question.before == question.after {
            return Ok(Some(None));
        }
        let sees = |scope: &Option<Scope>| match scope {
            Some(scope) => Ok::<_, Fault>(store.reader(scope)?.facts(kind, id)?.is_some()),
            None => Ok(false),
        };
        let way = match (sees(&question.before)?, sees(&question.after)?) {
            (true, false) => Way::Refused,
            (false, true) => Way::Permitted,
            _ => return Ok(Some(None)),
        };
        let rules = with_facts(kind, &known, |facts| {
            let says = |actor: &Actor| {
                let purposes = actor.purposes(&Asked { purpose: question.purpose });
                let mut says = Vec::new();
                for purpose in purposes {
                    let context = Context { mfa_age_seconds: 0, ..Context::of(purpose) };
                    says.push(actor.policies().explain(
                        &actor.who,
                        question.action,
                        facts,
                        &context,
                    ));
                }
                says
            };
            let ids = |says: &[access::Explained], forbids: bool| -> BTreeSet<String> {
                let rules =
                    says.iter().flat_map(|one| if forbids { &one.forbids } else { &one.permits });
                rules.map(|rule| rule.id.to_string()).collect()
            };
            let (before, after) = (says(&question.pair.before), says(&question.pair.after));
            let forbids = |one, two| -> BTreeSet<String> { &ids(one, true) - &ids(two, true) };
            let permits = |one, two| -> BTreeSet<String> { &ids(one, false) - &ids(two, false) };
            let joined = |ids: BTreeSet<String>| ids.into_iter().collect::<Vec<_>>().join(", ");
            let (forbidding, permitting) = match way {
                Way::Permitted => (forbids(&before, &after), permits(&after, &before)),
                _ => (forbids(&after, &before), permits(&before, &after)),
            };
            match (way, forbidding.is_empty(), permitting.is_empty()) {
                (Way::Permitted, _, false) => format!("permitted by {}", joined(permitting)),
                (Way::Permitted, false, true) => {
                    format!("no longer forbidden by {}", joined(forbidding))
                }
                (_, false, _) => format!("forbidden by {}", joined(forbidding)),
                (_, true, false) => format!("no longer permitted by {}", joined(permitting)),
                (_, true, true) => "by several together".to_owned(),
            }
        });
        Ok(Some(Some((way, rules))))
    }

    /// Whether a search is answered otherwise: not at all, or with nothing of a patient it showed.
    fn of_search(
        &self,
        question: &Question<'_>,
        kind: TypeId,
        patients: &[String],
    ) -> Result<Changed, Fault> {
        let sees = |scope: &Option<Scope>| scope.as_ref().is_some_and(|s| s.sees_type(kind));
        let rule = || "by what differs between the sets".to_owned();
        match (sees(&question.before), sees(&question.after)) {
            (true, false) => return Ok(Some(Some((Way::Refused, rule())))),
            (false, true) => return Ok(Some(Some((Way::Permitted, rule())))),
            (false, false) => return Ok(Some(None)),
            (true, true) if question.before == question.after => return Ok(Some(None)),
            (true, true) => {}
        }
        let (Some(before), Some(after)) = (&question.before, &question.after) else {
            return Ok(Some(None));
        };
        for patient in patients.iter().take(PATIENTS_MAX) {
            if self.shows(before, kind, patient)? && !self.shows(after, kind, patient)? {
                return Ok(Some(Some((Way::Narrowed, rule()))));
            }
        }
        Ok(Some(None))
    }

    /// Whether a scope shows anything of a type about a patient.
    fn shows(&self, scope: &Scope, kind: TypeId, patient: &str) -> Result<bool, Fault> {
        let of_patient = scope.clone().of_patient(patient);
        let options = self.options(&crate::find::SearchHow::default());
        let pairs = [("_count".to_owned(), "1".to_owned())];
        let search = parse(&Level::Type(kind), &pairs, &options)?;
        let request = self.page_request(&search, None);
        let page = self.gate.store.reader(&of_patient)?.search(&search, &request)?;
        Ok(!page.matches.is_empty())
    }
}

/// The action that an event is asked again as.
fn asked_again(event: &Event) -> Option<Action> {
    Some(match event.kind {
        Kind::Read | Kind::Vread | Kind::Operation => Action::Read,
        Kind::Search | Kind::ChartOpened => Action::Search,
        Kind::History => Action::History,
        Kind::Create => Action::Create,
        Kind::Update | Kind::Patch | Kind::Transaction | Kind::Batch => Action::Update,
        Kind::Delete => Action::Delete,
        Kind::Export => Action::Export,
        Kind::PatientsMerged => Action::Merge,
        _ => return None,
    })
}

fn unknown(actor: &str) -> &'static str {
    match PrincipalId::parse(actor) {
        None => "at the console, or by nobody who signed in",
        Some(_) => "by somebody who is not known any more",
    }
}

fn gathered(tallies: Tallies, found: &mut Simulated) {
    for ((way, roles, action, kind, rule), (times, people, first_event)) in tallies {
        let tally = Tally { roles, action, kind, rule, times, people: people.len(), first_event };
        match way {
            Way::Refused => found.refused.push(tally),
            Way::Narrowed => found.narrowed.push(tally),
            Way::Permitted => found.permitted.push(tally),
        }
    }
    for list in [&mut found.refused, &mut found.narrowed, &mut found.permitted] {
        list.sort_by(|one, two| (two.times, one).cmp(&(one.times, two)));
    }
}
