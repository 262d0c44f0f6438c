//! Delegations: an agent acts for somebody, for a short time and never by itself (RFC 8693, OAuth 2.0
//! Token Exchange; 45 CFR 164.308(a)(4), 164.312(a)(2)(i)). A person's own token is exchanged by an
//! agent that proves itself with its key; an administrator may hand one out at the console. There is
//! no refresh token, and whatever ends what it stands on ends it.
//!
//! It is a [`Grant`] like an app's, so it narrows by scopes; that the agent's own rights narrow it too
//! is the gate's to hold, which is told of the agent by [`crate::Found`].

use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use identity::{Asker, By, Deed, DeedKind, Kind, Principal, PrincipalId, Secret, SessionId};

use crate::address::{Params, Place, wrong};
use crate::assertion::Proven;
use crate::authorize::own_patient;
use crate::exchange::Issued;
use crate::families::{Access, Family, Given};
use crate::grant::{Grant, GrantId, Shown};
use crate::reach::About;
use crate::refusal::{Refused, invalid_request, invalid_scope, invalid_target, unauthorized_app};
use crate::scope::{Scope, Scopes};
use crate::smart::Smart;
use crate::token::{self, Use};

/// What `grant_type` says (RFC 8693, 2.1).
pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The one type of token that is taken and given (RFC 8693, 3).
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// For how long an administrator may let an agent act at a time: a working day.
pub const DELEGATION_MS_MAX: i64 = 12 * 60 * 60_000;

/// What an administrator lets an agent do for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegating {
    /// The agent.
    pub agent: PrincipalId,
    /// A person, or a service that stands for a function, such as the telephone of a front desk.
    pub user: PrincipalId,
    /// At most this, of what both may.
    pub scopes: Scopes,
    /// The patient that scopes of a patient are about.
    pub patient: Option<String>,
    /// For how long.
    pub ttl_ms: i64,
}

/// What came of it.
#[derive(Debug)]
pub struct Delegated {
    /// The agent's token, shown once.
    pub token: Secret,
    /// What it stands for.
    pub given: Given,
}

/// An agent, and whom it acts for.
type Both = (Arc<Principal>, Arc<Principal>);

impl Smart {
    /// Lets an agent act for somebody: an administrator's act, which is the caller's to see to.
    ///
    /// # Errors
    /// When the agent is none, may not act, or anything asked for is out of its bounds.
    pub fn delegate(&self, wanted: &Delegating, by: By) -> Result<Delegated, Fault> {
        if !(1000..=DELEGATION_MS_MAX).contains(&wanted.ttl_ms) {
            return Err(wrong("ttl", "Give a time of a second at least and twelve hours at most."));
        }
        let able = |id, kinds: &[Kind]| -> Result<Option<Arc<Principal>>, Fault> {
            Ok(self.able_now(id)?.filter(|one| kinds.contains(&one.kind)))
        };
        if able(wanted.agent, &[Kind::Agent])?.is_none() {
            return Err(wrong("agent", "Name an agent that is not disabled."));
        }
        let Some(user) = able(wanted.user, &[Kind::Person, Kind::Service])? else {
            return Err(wrong("for", "An agent acts for a person, or for a service of the site."));
        };
        if wanted.scopes.is_empty() || wanted.scopes.filtered(reaches) != wanted.scopes {
            return Err(wrong("scope", "Name scopes of a user or a patient, and no others."));
        }
        let app = self.app(wanted.agent);
        if app.is_some_and(|app| !app.registration.scopes.covers(&wanted.scopes)) {
            return Err(wrong("scope", "The agent is not registered for all of these scopes."));
        }
        let patient = wanted.patient.as_deref().or_else(|| own_patient(&user));
        let about = wanted.scopes.about_patient();
        if patient.is_some_and(|id| !is_id(id)) || about && patient.is_none() {
            return Err(wrong("patient", "Say by its id which patient the scopes are about."));
        }
        let shown = Shown { patient: patient.map(str::to_owned), ..Shown::default() };
        let _writing = self.write();
        let now = self.now();
        let grant = Grant {
            id: self.grant_id(now)?,
            app: wanted.agent,
            user: Some(wanted.user),
            scopes: wanted.scopes.clone(),
            shown,
            fhir_user: None,
            session: None,
            issuer: None,
            created: now,
        };
        let asker = Asker { by, ..Asker::default() };
        let (token, family) = self.begin_delegation(grant, wanted.ttl_ms, asker)?;
        Ok(Delegated { token, given: self.told(family) })
    }

    /// Exchanges a person's token for one by which the agent that asks acts for that person.
    pub(crate) fn by_exchange(
        &self,
        params: &Params,
        proven: &Proven,
        place: &Place,
        asker: Asker,
    ) -> Result<Issued, Refused> {
        let registration = &proven.app.registration;
        if !proven.signed || proven.principal.kind != Kind::Agent {
            return Err(unauthorized_app());
        }
        if params.one("actor_token")?.is_some() || params.one("actor_token_type")?.is_some() {
            return Err(invalid_request("The agent that signs is the actor: send no actor_token."));
        }
        let wanted = params.one("requested_token_type")?;
        let kind = params.one("subject_token_type")?;
        if kind != Some(ACCESS_TOKEN) || wanted.is_some_and(|kind| kind != ACCESS_TOKEN) {
            return Err(invalid_request("An access token is what is taken here, and given."));
        }
        let mut targets = params.all("resource").chain(params.all("audience"));
        if targets.any(|target| target != place.base) {
            return Err(invalid_target());
        }
        let subject = params.need("subject_token", "Send the token of whom the agent acts for.")?;
        let asked = params.one("scope")?.map(Scopes::parse);
        let (found, until) = self.find_subject(subject).map_err(not_taken)?;
        // No chains: who lets an agent act is a person, by a session of its own or by an app.
        if found.agent.is_some() || found.caller.principal.kind != Kind::Person {
            return Err(refuse_subject());
        }
        let asked = match asked {
            None => registration.scopes.clone(),
            Some(asked) => asked.ok_or_else(invalid_scope)?,
        };
        let mut scopes = asked.filtered(reaches).within(&registration.scopes);
        let mut shown = Shown {
            patient: own_patient(&found.caller.principal).map(str::to_owned),
            ..Shown::default()
        };
        // What an app was given is the most that it can pass on.
        if let Some(grant) = &found.grant {
            scopes = scopes.within(&grant.scopes);
            shown = Shown { patient: grant.shown.patient.clone(), ..Shown::default() };
        }
        if scopes.is_empty() {
            return Err(invalid_scope());
        }
        let issuer = match &found.grant {
            Some(grant) => grant.issuer,
            None => self.issuer_of(&found.caller)?,
        };
        let user = found.caller.principal.id;
        // It is the agent that asks: the person may be far away.
        let asker = Asker { by: By::Principal(proven.principal.id), ..asker };
        let _writing = self.write();
        let now = self.now();
        let grant = Grant {
            id: self.grant_id(now)?,
            app: proven.principal.id,
            user: Some(user),
            scopes,
            shown,
            fhir_user: None,
            session: Some(found.caller.session),
            issuer,
            created: now,
        };
        // It outlives neither the session, which is watched, nor the app's token it was given by.
        let ttl_ms = self.settings.access_ms.min(until.0.saturating_sub(now.0));
        let (access, family) = self.begin_delegation(grant, ttl_ms, asker)?;
        Ok(Issued::exchanged(access, ttl_ms / 1000, &family.grant))
    }

    /// Keeps a delegation, with its one token. Whoever calls it holds `write`.
    fn begin_delegation(
        &self,
        grant: Grant,
        ttl_ms: i64,
        asker: Asker,
    ) -> Result<(Secret, Family), Fault> {
        self.make_room_for(&grant, asker.by)?;
        let (access, digest) = token::draw(Use::Access, self.random())?;
        let ends = Millis(grant.created.0.saturating_add(ttl_ms));
        let family = Family {
            version: None,
            access: vec![Access { digest, ends, scopes: None }],
            refresh: None,
            code: None,
            told: false,
            used: grant.created,
            ends,
            grant: Arc::new(grant),
        };
        let deed = Self::delegation(DeedKind::Delegated, asker.by, &family.grant);
        let deed = Deed { asker, through: family.grant.session, ..deed };
        self.keep_as(family.clone(), None, deed)?;
        Ok((access, family))
    }

    /// The agent of a delegation and whom it acts for, when both may act now and what it was given in
    /// goes on. Nothing of it is remembered from before: who is shut out is shut out at once.
    pub(crate) fn acting(&self, grant: &Grant) -> Result<Option<Both>, Fault> {
        let Some(user) = grant.user else { return Ok(None) };
        if !self.lasts(grant, user)? {
            return Ok(None);
        }
        let (agent, user) = (self.able_now(grant.app)?, self.able_now(user)?);
        let agent = agent.filter(|one| one.kind == Kind::Agent);
        let user = user.filter(|one| matches!(one.kind, Kind::Person | Kind::Service));
        Ok(agent.zip(user))
    }

    /// Whether the session, token or app that a delegation was given in is still open. One of an
    /// administrator's stands on none.
    fn lasts(&self, grant: &Grant, user: PrincipalId) -> Result<bool, Fault> {
        let Some(session) = grant.session else { return Ok(true) };
        if let Some(through) = self.families.get(GrantId(*session.as_bytes())) {
            let own = through.grant.user == Some(user) && self.now() < through.ends;
            // What lasts without its user's session lasts through an app as well; what does not, ends
            // with that session.
            let held = match through.grant.session {
                Some(session) if !through.grant.scopes.has(&Scope::Offline) => {
                    self.is_open(user, session)
                }
                _ => true,
            };
            return Ok(own && held && self.able_now(through.grant.app)?.is_some());
        }
        Ok(self.is_open(user, session))
    }

    /// Whether a session of a user goes on; to ask is no use of it.
    fn is_open(&self, user: PrincipalId, session: SessionId) -> bool {
        let identity = &self.ground.identity;
        if let Some(watch) = self.watches.read().get(&session) {
            return identity.goes_on(watch);
        }
        let Some(watch) = identity.watch(user, session) else { return false };
        let open = identity.goes_on(&watch);
        self.watches.write().insert(session, watch);
        open
    }

    /// Forgets the sessions that are over.
    pub(crate) fn sweep_watches(&self) {
        let identity = &self.ground.identity;
        self.watches.write().retain(|_, watch| identity.goes_on(watch));
    }

    /// Ends the delegations that stand no longer: whose session is over, or whose agent or user was
    /// shut out; how many. What was ended does not come back when they are let in again.
    pub fn sweep_delegations(&self) -> Result<usize, Fault> {
        self.sweep_delegations_by(By::Nobody)
    }

    /// As [`Smart::sweep_delegations`], told in the name of whoever shut them out.
    pub fn sweep_delegations_by(&self, by: By) -> Result<usize, Fault> {
        self.sweep_watches();
        let families = self.families.select(|_| true);
        let agents = families.into_iter().filter(|family| self.is_agent(family.grant.app));
        let mut over = Vec::new();
        for family in agents {
            if self.acting(&family.grant)?.is_none() {
                over.push(family.grant.id);
            }
        }
        if over.is_empty() {
            return Ok(0);
        }
        self.revoke_by(by, |grant| over.contains(&grant.id))
    }

    /// The delegations there are, the last given first.
    pub fn delegations(&self) -> Vec<Given> {
        let now = self.now();
        let families = self.families.select(|family| now < family.ends);
        let told = families.into_iter().map(|family| self.told(family));
        let mut all: Vec<_> = told.filter(|given| given.agent).collect();
        all.sort_by_key(|given| (std::cmp::Reverse(given.grant.created), given.grant.id));
        all
    }

    /// Ends one, at once; whether there was one.
    ///
    /// # Errors
    /// When the disk fails; it is ended all the same.
    pub fn end_delegation(&self, id: GrantId, by: By) -> Result<bool, Fault> {
        let wanted = |grant: &Grant| grant.id == id && self.is_agent(grant.app);
        self.revoke_by(by, wanted).map(|count| count > 0)
    }

    /// Whether a principal is an agent.
    pub(crate) fn is_agent(&self, id: PrincipalId) -> bool {
        match self.app(id) {
            Some(app) => app.registration.agent,
            None => self.ground.identity.principal(id).is_ok_and(|one| one.kind == Kind::Agent),
        }
    }

    /// What is told of a delegation.
    pub(crate) fn delegation(kind: DeedKind, by: By, grant: &Grant) -> Deed {
        let session = SessionId::parse(&grant.id.to_string());
        Deed { session, acts_for: grant.user, ..Self::deed(kind, by, Some(grant.app)) }
    }
}

/// What an agent can be given: records, as a user or within a patient's compartment.
fn reaches(scope: &Scope) -> bool {
    matches!(scope, Scope::Reach(reach) if reach.about != About::System)
}

const fn refuse_subject() -> Refused {
    invalid_request("The subject_token was not taken. Have the person sign in again.")
}

/// A token that is not good is the agent's to mend; anything else failed here.
fn not_taken(fault: Fault) -> Refused {
    let known = [&code::TOKEN_INVALID, &code::SESSION_EXPIRED, &code::FACTOR_MISSING];
    if known.contains(&fault.code()) { refuse_subject() } else { fault.into() }
}
