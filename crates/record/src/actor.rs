//! A principal at work: what is known of it for the policies, and the scopes that they came down to.
//! An actor is kept for as long as nothing about the principal changes and its relations to patients
//! are fresh, so that a request of somebody at work costs a lookup and no decision.

use crate::consents::{Heard, Hearing};
use crate::gate::Gate;
use crate::grant;
use crate::reach::{self, TENANT};
use access::{Action, Context, Labels, Policies, PrincipalKind, Purpose, Who};
use base::error::code;
use base::{Fault, Millis};
use identity::{Caller, Kind, Principal, SessionId};
use parking_lot::{Mutex, RwLock};
use privacy::elements::ElementMask;
use smart::{Grant, Scopes};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Rights, Scope, Wishes};

/// How long relations to patients (teams, appointments, visits) are taken for true.
const RELATIONS_MS: i64 = 30_000;
/// Actors kept; beyond it, those who have not asked lately go.
const ACTORS_MAX: usize = 10_000;
/// The role of those who may name the ids of what they create.
const SYSTEM: &str = "system";

/// The roles that keep the record and what patients said of it: their members may take a label off,
/// where they may write, and see a Consent that denies everything.
pub(crate) const KEEPERS: &[&str] = &["him", "privacy-officer"];

/// For what each shipped role works, when a request does not say (codes of v3-PurposeOfUse).
const PURPOSES: &[(&str, Purpose)] = &[
    ("clinician", Purpose::Treatment),
    ("nurse", Purpose::Treatment),
    ("front-desk", Purpose::Operations),
    ("biller", Purpose::Payment),
    ("him", Purpose::Operations),
    ("privacy-officer", Purpose::Compliance),
    ("it-administrator", Purpose::System),
    ("auditor", Purpose::Compliance),
    ("patient", Purpose::PatientRequest),
    ("proxy", Purpose::PatientRequest),
    (SYSTEM, Purpose::Operations),
];

/// What a request says beside what it asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Why; by the roles when it does not say.
    pub purpose: Option<Purpose>,
}

/// The age of the factor and the wishes that rights were made for, and the rights.
type HeldRights = (i64, Heard, Arc<Rights>);

/// One principal, in one session.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) session: SessionId,
    principal: Arc<Principal>,
    /// The agent that acts for the principal, when one does; then `id` and `who` are the agent's.
    agent: Option<Arc<Principal>>,
    /// The scopes of the token it was made for: what is kept here is kept of them.
    given: Option<Scopes>,
    pub(crate) who: Arc<Who>,
    purposes: Vec<Purpose>,
    names_ids: bool,
    /// Those in force when it was made: a request ends under the set it began with.
    policies: Arc<Policies>,
    made: Millis,
    /// What of a record it does not need to see.
    mask: Option<Arc<ElementMask>>,
    scopes: Mutex<HashMap<Key, Kept>>,
    heard: Mutex<HashMap<(Option<Purpose>, Way), Heard>>,
    rights: Mutex<HashMap<Option<Purpose>, HeldRights>>,
}

/// A scope as the policies have it, and with what patients said.
#[derive(Debug)]
struct Kept {
    plain: Option<Scope>,
    wishes: Arc<Wishes>,
    heeding: Option<Scope>,
}

/// How what patients said bears on an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    View,
    /// Handing out.
    Release,
    /// What comes into being: what patients denied others to see may be written.
    Make,
}

impl Way {
    const fn of(action: Action) -> Self {
        match action {
            Action::Export | Action::Print => Self::Release,
            Action::Create => Self::Make,
            _ => Self::View,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    action: Action,
    purpose: Option<Purpose>,
    /// The age of the last factor, as far as policies tell ages apart.
    age: i64,
}

/// The actors at work, by session.
#[derive(Debug, Default)]
pub(crate) struct Actors(RwLock<HashMap<SessionId, Arc<Actor>>>);

impl Actors {
    /// The actor of a caller, made anew when something about it changed.
    pub(crate) fn of(
        &self,
        gate: &Gate,
        caller: &Caller,
        grant: Option<&Grant>,
        agent: Option<&Arc<Principal>>,
    ) -> Result<Arc<Actor>, Fault> {
        let now = gate.settings.clock.now();
        let policies = gate.policies();
        let fresh = |actor: &Arc<Actor>| {
            Arc::ptr_eq(&actor.principal, &caller.principal)
                && actor.agent.as_ref().map(Arc::as_ptr) == agent.map(Arc::as_ptr)
                // An app may hold tokens of one grant that are narrower than it.
                && actor.given.as_ref() == grant.map(|grant| &grant.scopes)
                && Arc::ptr_eq(&actor.policies, &policies)
                && (0..RELATIONS_MS).contains(&now.0.saturating_sub(actor.made.0))
        };
        if let Some(actor) = self.0.read().get(&caller.session).filter(|actor| fresh(actor)) {
            return Ok(Arc::clone(actor));
        }
        // An app that nobody gave anything acts as itself: it is a service (SMART backend services).
        let itself = grant.is_some_and(|grant| grant.user.is_none());
        let principal = Arc::clone(&caller.principal);
        let given = grant.map(|grant| grant.scopes.clone());
        let acting = Acting { itself, agent: agent.map(Arc::clone), given };
        let actor = Actor::new(gate, policies, principal, caller.session, acting, now)?;
        let actor = Arc::new(actor);
        let mut actors = self.0.write();
        if actors.len() >= ACTORS_MAX {
            actors.retain(|_, actor| now.0.saturating_sub(actor.made.0) < RELATIONS_MS);
        }
        actors.insert(caller.session, Arc::clone(&actor));
        Ok(actor)
    }
}

/// By what a principal acts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acting {
    /// An app that acts as a service.
    pub(crate) itself: bool,
    /// An agent that acts for the principal.
    pub(crate) agent: Option<Arc<Principal>>,
    /// The scopes that its token was given.
    pub(crate) given: Option<Scopes>,
}

/// A principal as policies know it: as what it is, or as a kind that it acts as.
fn known(
    gate: &Gate,
    principal: &Principal,
    kind: PrincipalKind,
    now: Millis,
) -> Result<Who, Fault> {
    let profile = &principal.profile;
    let names = |list: &[String]| list.iter().map(|name| name.as_str().into()).collect();
    let mut who = Who::new(kind, principal.id.to_string(), TENANT);
    who.roles = names(&profile.roles);
    who.sites = names(&profile.sites);
    who.care_teams = names(&profile.care_teams);
    who.own_record = profile.patient.iter().map(|id| id.as_str().into()).collect();
    let relations = gate.relations(profile, now)?;
    who.patients_in_care = relations.in_care;
    who.represents = relations.represents;
    Ok(who)
}

impl Actor {
    /// A principal at work under a set of policies.
    pub(crate) fn new(
        gate: &Gate,
        policies: Arc<Policies>,
        principal: Arc<Principal>,
        session: SessionId,
        acting: Acting,
        now: Millis,
    ) -> Result<Self, Fault> {
        let Acting { itself, agent, given } = acting;
        let profile = &principal.profile;
        let kind = if itself { PrincipalKind::Service } else { kind(principal.kind) };
        let mut who = known(gate, &principal, kind, now)?;
        // The one place where two principals become one question: what the agent may, and what whom
        // it acts for may (`access`, `decide.rs`); what is hidden from either (`privacy::elements`);
        // what patients denied to either (`privacy::consent`).
        if let Some(agent) = &agent {
            let acts_for = Arc::new(who);
            who = known(gate, agent, PrincipalKind::Agent, now)?;
            who.on_behalf_of = Some(acts_for);
        }
        let id = who.id.to_string();
        let mask = gate.elements.mask(&who);
        let holds = |role: &str| profile.roles.iter().any(|held| held == role);
        let mut purposes: Vec<Purpose> = Vec::new();
        for (role, purpose) in PURPOSES {
            if holds(role) && !purposes.contains(purpose) {
                purposes.push(*purpose);
            }
        }
        if purposes.is_empty() {
            purposes.push(Purpose::Operations);
        }
        let names_ids = principal.kind == Kind::Service && holds(SYSTEM) && agent.is_none();
        Ok(Self {
            id,
            session,
            who: Arc::new(who),
            purposes,
            mask: Some(mask).filter(|mask| !mask.is_empty()).map(Arc::new),
            names_ids,
            policies,
            principal,
            agent,
            given,
            made: now,
            scopes: Mutex::default(),
            heard: Mutex::default(),
            rights: Mutex::default(),
        })
    }

    /// What the principal may reach with an action; `None` when no policy permits it at all.
    ///
    /// # Errors
    /// When a Consent cannot be read: nothing is shown then.
    pub(crate) fn scope(
        &self,
        gate: &Gate,
        action: Action,
        asked: &Asked,
        grant: Option<&Grant>,
        factor_age: i64,
    ) -> Result<Option<Scope>, Fault> {
        let policies = &self.policies;
        let wishes = self.hear(gate, asked, Way::of(action))?.wishes;
        let age = policies.settled(&context(Purpose::Operations, factor_age)).mfa_age_seconds;
        let key = Key { action, purpose: asked.purpose, age };
        let plain = match self.scopes.lock().get(&key) {
            Some(kept) if Arc::ptr_eq(&kept.wishes, &wishes) => return Ok(kept.heeding.clone()),
            Some(kept) => Some(kept.plain.clone()),
            None => None,
        };
        let plain =
            plain.unwrap_or_else(|| self.decided(policies, action, asked, grant, factor_age));
        let heeding = plain.clone().map(|scope| scope.heeding(Arc::clone(&wishes)));
        self.scopes.lock().insert(key, Kept { plain, wishes, heeding: heeding.clone() });
        Ok(heeding)
    }

    /// What the policies say.
    fn decided(
        &self,
        policies: &Policies,
        action: Action,
        asked: &Asked,
        grant: Option<&Grant>,
        factor_age: i64,
    ) -> Option<Scope> {
        let decisions: Vec<_> = self
            .purposes(asked)
            .into_iter()
            .map(|purpose| {
                let without = context(purpose, factor_age);
                let with = Context { consent: Labels::from_bits(u64::MAX), ..without.clone() };
                let decide = |context| policies.guard(&self.who, action, None, context);
                (decide(&without), decide(&with))
            })
            .collect();
        let scope = reach::scope(decisions.iter().map(|(one, two)| (&**one, &**two)));
        match grant {
            Some(grant) => scope.and_then(|scope| grant::within(&scope, grant, action)),
            None => scope,
        }
    }

    /// The purposes it works for, when the request does not say.
    pub(crate) fn purposes(&self, asked: &Asked) -> Vec<Purpose> {
        match asked.purpose {
            Some(purpose) => vec![purpose],
            None => self.purposes.clone(),
        }
    }

    /// What patients said to this principal and purpose, as it is now.
    fn hear(&self, gate: &Gate, asked: &Asked, way: Way) -> Result<Heard, Fault> {
        let hearing = Hearing {
            who: &self.who,
            practitioner: self.principal.profile.practitioner.as_deref(),
            anybody: false,
            purposes: &self.purposes(asked),
            release: way == Way::Release,
            make: way == Way::Make,
            now: gate.settings.clock.now(),
        };
        let key = (asked.purpose, way);
        let before = self.heard.lock().get(&key).cloned();
        let heard = gate.consents.hear(&gate.store, &hearing, before.as_ref())?;
        if before.is_none_or(|before| !before.is(&heard)) {
            self.heard.lock().insert(key, heard.clone());
        }
        Ok(heard)
    }

    /// What the principal may do to records; nothing when what patients said cannot be read.
    pub(crate) fn rights(
        &self,
        gate: &Gate,
        asked: &Asked,
        grant: Option<&Grant>,
        factor_age: i64,
    ) -> Arc<Rights> {
        let nothing = || {
            let [see, create, update, delete] = std::array::from_fn(|_| Scope::nothing());
            Arc::new(Rights { see, create, update, delete, names_ids: false })
        };
        let settled = context(Purpose::Operations, factor_age);
        let age = self.policies.settled(&settled).mfa_age_seconds;
        let Ok(heard) = self.hear(gate, asked, Way::View) else { return nothing() };
        let same = |kept: &&(i64, Heard, Arc<Rights>)| kept.0 == age && kept.1.is(&heard);
        if let Some((_, _, rights)) = self.rights.lock().get(&asked.purpose).filter(same) {
            return Arc::clone(rights);
        }
        let scope = |action| {
            let scope = self.scope(gate, action, asked, grant, factor_age)?;
            Ok::<_, Fault>(scope.unwrap_or_else(Scope::nothing))
        };
        let made = || {
            Ok::<_, Fault>(Rights {
                see: scope(Action::Read)?,
                create: scope(Action::Create)?,
                update: scope(Action::Update)?,
                delete: scope(Action::Delete)?,
                names_ids: self.names_ids,
            })
        };
        let Ok(rights) = made().map(Arc::new) else { return nothing() };
        self.rights.lock().insert(asked.purpose, (age, heard, Arc::clone(&rights)));
        rights
    }

    /// The policies it works under.
    pub(crate) const fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// Whether the principal may take off a label that a person set.
    pub(crate) fn takes_labels_off(&self) -> bool {
        self.agent.is_none()
            && self.principal.profile.roles.iter().any(|role| KEEPERS.contains(&role.as_str()))
    }

    /// What of a record the principal does not need to see, if anything.
    pub(crate) const fn mask(&self) -> Option<&Arc<ElementMask>> {
        self.mask.as_ref()
    }

    /// For what the principal acts: what the request says, or its first role's purpose.
    pub(crate) fn purpose(&self, asked: &Asked) -> Option<Purpose> {
        asked.purpose.or_else(|| self.purposes.first().copied())
    }

    /// Whether the principal may name the id of what it creates.
    pub(crate) const fn names_ids(&self) -> bool {
        self.names_ids
    }

    /// Whether a patient's record is the principal's own, or that of somebody it speaks for.
    pub(crate) fn is_own_record(&self, patient: &str) -> bool {
        self.who.own_record.iter().any(|id| &**id == patient)
    }

    /// For whom an agent acts.
    pub(crate) fn acts_for(&self) -> Option<String> {
        self.agent.as_ref().map(|_| self.principal.id.to_string())
    }

    /// The one site the principal works at, when it is one: what it writes belongs there, and what an
    /// agent writes for it.
    pub(crate) fn site(&self) -> Option<Arc<str>> {
        match self.who.on_behalf_of.as_ref().unwrap_or(&self.who).sites.as_slice() {
            [one] => Some(Arc::clone(one)),
            _ => None,
        }
    }
}

/// The refusal of what no policy permits. It says nothing of any record.
pub(crate) fn denied() -> Fault {
    Fault::new(
        &code::ACCESS_DENIED,
        "no policy permits this; ask whoever manages access, with the id of the request",
    )
}

fn context(purpose: Purpose, factor_age: i64) -> Context {
    Context { mfa_age_seconds: factor_age, ..Context::of(purpose) }
}

const fn kind(kind: Kind) -> PrincipalKind {
    match kind {
        Kind::Person => PrincipalKind::User,
        Kind::Service => PrincipalKind::Service,
        Kind::Device => PrincipalKind::Device,
        Kind::Agent => PrincipalKind::Agent,
        Kind::App => PrincipalKind::App,
    }
}
