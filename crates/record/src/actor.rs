//! A principal at work: what is known of it for the policies, and the scopes that they came down to.
//! An actor is kept for as long as nothing about the principal changes and its relations to patients
//! are fresh, so that a request of somebody at work costs a lookup and no decision.

use crate::gate::Gate;
use crate::grant;
use crate::reach::{self, TENANT};
use access::{Action, Context, Labels, Policies, PrincipalKind, Purpose, Who};
use base::error::code;
use base::{Fault, Millis};
use identity::{Caller, Kind, Principal, SessionId};
use parking_lot::{Mutex, RwLock};
use smart::Grant;
use std::collections::HashMap;
use std::sync::Arc;
use store::{Rights, Scope};

/// How long relations to patients (teams, appointments, visits) are taken for true.
const RELATIONS_MS: i64 = 30_000;
/// Actors kept; beyond it, those who have not asked lately go.
const ACTORS_MAX: usize = 10_000;
/// The role of those who may name the ids of what they create.
const SYSTEM: &str = "system";

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

/// One principal, in one session.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) id: String,
    pub(crate) session: SessionId,
    principal: Arc<Principal>,
    pub(crate) who: Arc<Who>,
    purposes: Vec<Purpose>,
    names_ids: bool,
    epoch: u64,
    made: Millis,
    scopes: Mutex<HashMap<Key, Option<Scope>>>,
    rights: Mutex<HashMap<Option<Purpose>, (i64, Arc<Rights>)>>,
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
    ) -> Result<Arc<Actor>, Fault> {
        let now = gate.settings.clock.now();
        let fresh = |actor: &Arc<Actor>| {
            Arc::ptr_eq(&actor.principal, &caller.principal)
                && actor.epoch == gate.policies.epoch()
                && (0..RELATIONS_MS).contains(&now.0.saturating_sub(actor.made.0))
        };
        if let Some(actor) = self.0.read().get(&caller.session).filter(|actor| fresh(actor)) {
            return Ok(Arc::clone(actor));
        }
        let actor = Arc::new(Actor::new(gate, caller, grant, now)?);
        let mut actors = self.0.write();
        if actors.len() >= ACTORS_MAX {
            actors.retain(|_, actor| now.0.saturating_sub(actor.made.0) < RELATIONS_MS);
        }
        actors.insert(caller.session, Arc::clone(&actor));
        Ok(actor)
    }
}

impl Actor {
    fn new(
        gate: &Gate,
        caller: &Caller,
        grant: Option<&Grant>,
        now: Millis,
    ) -> Result<Self, Fault> {
        let principal = &caller.principal;
        let profile = &principal.profile;
        let names = |list: &[String]| list.iter().map(|name| name.as_str().into()).collect();
        let id = principal.id.to_string();
        // An app that nobody gave anything acts as itself: it is a service (SMART backend services).
        let itself = grant.is_some_and(|grant| grant.user.is_none());
        let kind = if itself { PrincipalKind::Service } else { kind(principal.kind) };
        let mut who = Who::new(kind, id.as_str(), TENANT);
        who.roles = names(&profile.roles);
        who.sites = names(&profile.sites);
        who.care_teams = names(&profile.care_teams);
        who.own_record = profile.patient.iter().map(|id| id.as_str().into()).collect();
        let relations = gate.relations(profile, now)?;
        who.patients_in_care = relations.in_care;
        who.represents = relations.represents;
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
        Ok(Self {
            id,
            session: caller.session,
            principal: Arc::clone(principal),
            who: Arc::new(who),
            purposes,
            names_ids: principal.kind == Kind::Service && holds(SYSTEM),
            epoch: gate.policies.epoch(),
            made: now,
            scopes: Mutex::default(),
            rights: Mutex::default(),
        })
    }

    /// What the principal may reach with an action; `None` when no policy permits it at all.
    pub(crate) fn scope(
        &self,
        policies: &Policies,
        action: Action,
        asked: &Asked,
        grant: Option<&Grant>,
        factor_age: i64,
    ) -> Option<Scope> {
        let age = policies.settled(&context(Purpose::Operations, factor_age)).mfa_age_seconds;
        let key = Key { action, purpose: asked.purpose, age };
        if let Some(scope) = self.scopes.lock().get(&key) {
            return scope.clone();
        }
        let purposes = match asked.purpose {
            Some(purpose) => vec![purpose],
            None => self.purposes.clone(),
        };
        let decisions: Vec<_> = purposes
            .into_iter()
            .map(|purpose| {
                let without = context(purpose, factor_age);
                let with = Context { consent: Labels::from_bits(u64::MAX), ..without.clone() };
                let decide = |context| policies.guard(&self.who, action, None, context);
                (decide(&without), decide(&with))
            })
            .collect();
        let mut scope = reach::scope(decisions.iter().map(|(one, two)| (&**one, &**two)));
        // A session's grant is always the same, so what is kept here is kept of it.
        if let Some(grant) = grant {
            scope = scope.and_then(|scope| grant::within(&scope, grant, action));
        }
        self.scopes.lock().insert(key, scope.clone());
        scope
    }

    /// What the principal may do to records.
    pub(crate) fn rights(
        &self,
        policies: &Policies,
        asked: &Asked,
        grant: Option<&Grant>,
        factor_age: i64,
    ) -> Arc<Rights> {
        let age = policies.settled(&context(Purpose::Operations, factor_age)).mfa_age_seconds;
        if let Some((_, rights)) =
            self.rights.lock().get(&asked.purpose).filter(|(made_at, _)| *made_at == age)
        {
            return Arc::clone(rights);
        }
        let scope = |action| {
            self.scope(policies, action, asked, grant, factor_age).unwrap_or_else(Scope::nothing)
        };
        let rights = Arc::new(Rights {
            see: scope(Action::Read),
            create: scope(Action::Create),
            update: scope(Action::Update),
            delete: scope(Action::Delete),
            names_ids: self.names_ids,
        });
        self.rights.lock().insert(asked.purpose, (age, Arc::clone(&rights)));
        rights
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
    pub(crate) fn speaks_for(&self, patient: &str) -> bool {
        self.who.own_record.iter().chain(&self.who.represents).any(|id| &**id == patient)
    }

    /// The one site the principal works at, when it is one: what it writes belongs there.
    pub(crate) fn site(&self) -> Option<Arc<str>> {
        match self.who.sites.as_slice() {
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
