//! The people and programs that may sign in, for who keeps or reviews them: what each has, when it was
//! last used, and the changes an administrator makes (45 CFR 164.308(a)(3), workforce security;
//! 164.308(a)(4)(ii)(C), access establishment and modification; 164.308(a)(5)(ii)(C), log-in monitoring).
//! Looking leaves an event; each change leaves that of identity, in the name of whoever made it.

use crate::actor::denied;
use crate::certify::{Certified, CertifyDone};
use crate::session::{Audited, Session};
use audit::{Decision, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use identity::{
    Asker, By, Caller, FactorKind, Identity, Kind as Of, PasswordState, Principal, PrincipalId,
    SessionId, Standing,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

/// Principals of one list: far more than a house of this size employs.
const MEMBERS_MAX: usize = 5_000;
/// Principals read at once.
const PAGE: usize = 1_000;
/// Events looked at to find when each was last used. What is older is said to be not known.
const LOOKS_MAX: u64 = 100_000;
/// Roles that programs and delegations have, and that nobody is given at a screen.
const NOT_GIVEN: [&str; 3] = ["system", "app", "agent"];

/// Somebody who may sign in, or could before.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub principal: Principal,
    /// How their password stands; none when they have none.
    pub password: Option<PasswordState>,
    /// Their second factors.
    pub factors: Vec<FactorKind>,
    /// How they stand to what the site demands.
    pub standing: Standing,
    /// The issuers that vouch for them.
    pub issuers: Vec<String>,
    /// What they have open.
    pub sessions: Vec<identity::Session>,
    /// When they last signed in, as far back as was looked.
    pub signed_in: Option<Millis>,
    /// When they last did anything, as far back as was looked.
    pub used: Option<Millis>,
    /// Whether they administer the site.
    pub is_administrator: bool,
    /// What was decided about their roles, oldest first.
    pub certified: Vec<Certified>,
}

/// Everybody.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// In the order of what people read.
    pub all: Vec<Member>,
    /// There are more than one list holds.
    pub more: bool,
    /// Uses are known back to then; from the beginning, when it is none.
    pub known_since: Option<Millis>,
}

/// When each last did something, and last signed in; and since when that is known.
#[derive(Default)]
struct Uses {
    used: HashMap<String, Millis>,
    signed_in: HashMap<String, Millis>,
    since: Option<Millis>,
}

impl Session {
    /// Whether whoever asks may look at who may sign in: an administrator, or who reads the whole log.
    #[must_use]
    pub fn may_see_people(&self) -> bool {
        self.in_person().is_some() && (self.administers().is_ok() || self.may_read_whole_log())
    }

    /// Whether whoever asks may change who may sign in.
    #[must_use]
    pub fn may_keep_people(&self) -> bool {
        self.administers().is_ok()
    }

    /// Whether a factor was shown so lately that changes of who may sign in are taken.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let fresh = |caller: &Caller| self.gate.directory.identity.need_step_up(caller).is_ok();
        self.in_person().is_some_and(|(caller, _)| fresh(caller))
    }

    /// Everybody who may sign in, and when each was last there.
    ///
    /// # Errors
    /// `access.denied` for who may not look; when something cannot be read.
    pub fn members(&self) -> Result<Audited<Members>, Fault> {
        let mut event = self.event(Kind::PeopleRead);
        event.targets.push(Target::of_type("Principal"));
        match self.may_see().and_then(|()| self.all_members()) {
            Ok(members) => {
                event.results = members.all.len() as u64;
                self.audited(&event, members)
            }
            Err(fault) => Err(self.kept_from_people(event, fault)),
        }
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Session::members`], and `identity.principal.not-found`.
    pub fn member(&self, id: PrincipalId) -> Result<Audited<(Member, Option<Millis>)>, Fault> {
        let mut event = self.event(Kind::PeopleRead);
        event.targets.push(Target::resource("Principal", id.to_string(), None));
        let found = self.may_see().and_then(|()| {
            let principal = self.gate.directory.identity.principal(id)?;
            let uses = self.uses(Some(id))?;
            Ok((self.told_member(principal, &uses, self.certified_of(id)?)?, uses.since))
        });
        match found {
            Ok(found) => {
                event.results = 1;
                self.audited(&event, found)
            }
            Err(fault) => Err(self.kept_from_people(event, fault)),
        }
    }

    /// What whoever asks has open. Leaves an event, as any look at it does.
    ///
    /// # Errors
    /// `access.denied` for who did not sign in themselves.
    pub fn own_sessions(&self) -> Result<Audited<Vec<identity::Session>>, Fault> {
        let (caller, _) = self.in_person().ok_or_else(denied)?;
        let id = caller.principal.id;
        let mut event = self.event(Kind::PeopleRead);
        event.targets.push(Target::resource("Principal", id.to_string(), None));
        let open = self.gate.directory.identity.sessions(id);
        event.results = open.len() as u64;
        self.audited(&event, open)
    }

    /// Ends one session of whoever asks; whether there was one. Nothing has to be shown again for what
    /// only takes away.
    ///
    /// # Errors
    /// `access.denied` for who did not sign in themselves.
    pub fn end_own_session(&self, id: SessionId, source: IpAddr) -> Result<bool, Fault> {
        let (caller, _) = self.in_person().ok_or_else(denied)?;
        let identity = self.acting(caller, source);
        let is_own = identity.sessions(caller.principal.id).iter().any(|one| one.id == id);
        if is_own { identity.revoke(id) } else { Ok(false) }
    }

    /// Identity, asked by the administrator who asks here, to change something about somebody else.
    ///
    /// # Errors
    /// `access.denied` for anybody else, and about oneself; `identity.step-up.needed` when no factor was
    /// shown lately; `audit.unavailable`.
    pub fn keeper(&self, upon: Option<PrincipalId>, source: IpAddr) -> Result<Identity, Fault> {
        let kept = self.administers().and_then(|caller| {
            if upon == Some(caller.principal.id) {
                let say = "somebody else has to change what one may do oneself; one's own password and factors are changed on the page of how one signs in";
                return Err(Fault::new(&code::ACCESS_DENIED, say));
            }
            self.gate.directory.identity.need_step_up(caller)?;
            if let Some(fault) = self.gate.log.failure() {
                return Err(fault);
            }
            Ok(self.acting(caller, source))
        });
        kept.map_err(|fault| {
            let mut event = self.event(Kind::UserChange);
            let target = upon.map(|id| Target::resource("Principal", id.to_string(), None));
            event.targets.extend(target);
            self.kept_from_people(event, fault)
        })
    }

    /// Gives a role to somebody, or takes it from them, with the reason; of the version that was read.
    ///
    /// # Errors
    /// As [`Session::keeper`]; `identity.item.conflict` when somebody else changed them since;
    /// `identity.administrator.last`; `server.parameter.invalid` for a role there is none of, or none to
    /// take, and without a reason.
    pub fn change_role(
        &self,
        (upon, version): (PrincipalId, u64),
        role: &str,
        gives: bool,
        reason: &str,
        source: IpAddr,
    ) -> Result<Principal, Fault> {
        let identity = self.keeper(Some(upon), source)?;
        let odd = |say: &str| Fault::at(&code::PARAMETER_INVALID, say.to_owned(), "role");
        let reason = crate::certify::reasoned(reason)?;
        let mut profile = identity.principal(upon)?.profile;
        let held = profile.roles.iter().any(|own| own == role);
        if gives {
            if !self.roles().iter().any(|one| one == role) {
                return Err(odd("there is no such role"));
            }
            if held {
                return Err(odd("they have this role already"));
            }
            profile.roles.push(role.to_owned());
        } else {
            if !held {
                return Err(odd("they do not have this role"));
            }
            profile.roles.retain(|own| own != role);
        }
        let changed = identity.change(upon, version, profile)?;
        let done = if gives { CertifyDone::Given } else { CertifyDone::Taken };
        self.put_certified(upon, None, role, done, &reason)?;
        Ok(changed)
    }

    /// The roles that somebody may be given, shipped or of the site.
    #[must_use]
    pub fn roles(&self) -> Vec<String> {
        let policies = self.gate.policies();
        let names = policies.named().roles.iter().map(ToString::to_string);
        names.filter(|name| !NOT_GIVEN.contains(&name.as_str())).collect()
    }

    /// Who principals are: what people read, and the sign-in name. For who may look at people, or at the
    /// log that names them.
    ///
    /// # Errors
    /// `access.denied` for anybody else.
    pub fn names_of(
        &self,
        ids: impl IntoIterator<Item = String>,
    ) -> Result<HashMap<String, (String, String)>, Fault> {
        self.may_see()?;
        let mut names = HashMap::new();
        ids.into_iter().for_each(|id| self.known_as(id, &mut names));
        Ok(names)
    }

    /// The principal of a sign-in name, for who may look at people.
    ///
    /// # Errors
    /// `access.denied` for anybody else.
    pub fn member_named(&self, name: &str) -> Result<Option<PrincipalId>, Fault> {
        self.may_see()?;
        Ok(self.gate.directory.identity.find_by_name(name)?.map(|one| one.id))
    }

    /// Every principal, and whether there are more than one list holds.
    pub(crate) fn all_principals(&self) -> Result<(Vec<Principal>, bool), Fault> {
        let mut all: Vec<Principal> = Vec::new();
        loop {
            let page = self.gate.directory.identity.list(all.last().map(|one| one.id), PAGE)?;
            if page.is_empty() {
                return Ok((all, false));
            }
            all.extend(page);
            if all.len() > MEMBERS_MAX {
                all.truncate(MEMBERS_MAX);
                return Ok((all, true));
            }
        }
    }

    /// The administrator who asks, in person.
    pub(crate) fn administers(&self) -> Result<&Caller, Fault> {
        let (caller, actor) = self.in_person().ok_or_else(denied)?;
        let one = &caller.principal;
        let is_one = one.kind == Of::Person
            && one.disabled.is_none()
            && actor.acts_for().is_none()
            && self.gate.directory.identity.is_administrator(one);
        if is_one { Ok(caller) } else { Err(denied()) }
    }

    fn may_see(&self) -> Result<(), Fault> {
        if self.may_see_people() { Ok(()) } else { Err(denied()) }
    }

    fn acting(&self, caller: &Caller, source: IpAddr) -> Identity {
        let by = By::Principal(caller.principal.id);
        let asker = Asker { by, request: self.request, source: Some(source) };
        self.gate.directory.identity.asked_by(asker)
    }

    fn kept_from_people(&self, mut event: audit::Event, fault: Fault) -> Fault {
        if fault.code() == &code::ACCESS_DENIED {
            event.decision = Decision::Deny;
        }
        self.refused(event, fault)
    }

    fn all_members(&self) -> Result<Members, Fault> {
        let (principals, more) = self.all_principals()?;
        let uses = self.uses(None)?;
        let mut certified = self.all_certified()?;
        let mut all = Vec::with_capacity(principals.len());
        for one in principals {
            let own = certified.remove(&one.id.to_string()).unwrap_or_default();
            all.push(self.told_member(one, &uses, own)?);
        }
        all.sort_by(|a, b| {
            let key =
                |one: &Member| (one.principal.profile.display.to_lowercase(), one.principal.id);
            key(a).cmp(&key(b))
        });
        Ok(Members { all, more, known_since: uses.since })
    }

    fn told_member(
        &self,
        principal: Principal,
        uses: &Uses,
        certified: Vec<Certified>,
    ) -> Result<Member, Fault> {
        let identity = &self.gate.directory.identity;
        let id = principal.id.to_string();
        let sessions = identity.sessions(principal.id);
        // A session in memory is newer than the log has to be.
        let open = sessions.iter().map(|session| session.used).max();
        Ok(Member {
            password: identity.password_state(principal.id)?,
            factors: identity.factors(principal.id)?,
            standing: identity.standing(&principal)?,
            issuers: identity.links(principal.id)?.iter().map(ToString::to_string).collect(),
            signed_in: uses.signed_in.get(&id).copied(),
            used: uses.used.get(&id).copied().max(open),
            is_administrator: identity.is_administrator(&principal),
            sessions,
            certified,
            principal,
        })
    }

    /// When everybody, or one, was last there.
    fn uses(&self, of: Option<PrincipalId>) -> Result<Uses, Fault> {
        let of = of.map(|id| id.to_string());
        let uses = RefCell::new(Uses::default());
        let last = RefCell::new(None);
        let wanted = Wanted {
            patient: None,
            from: None,
            until: None,
            before: u64::MAX,
            count: 1,
            looks_max: LOOKS_MAX,
            fits: &|event| {
                *last.borrow_mut() = Some(event.time);
                if of.as_deref().is_some_and(|of| event.actor != of) {
                    return false;
                }
                let mut uses = uses.borrow_mut();
                let actor = event.actor.to_string();
                if matches!(event.kind, Kind::SignIn | Kind::SignInConfined) {
                    uses.signed_in.entry(actor.clone()).or_insert(event.time);
                }
                uses.used.entry(actor).or_insert(event.time);
                // Of one alone, it ends where both are known.
                of.as_ref().is_some_and(|of| uses.signed_in.contains_key(of))
            },
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        let mut uses = uses.into_inner();
        let whole = page.next.is_none() || !page.entries.is_empty();
        uses.since = if whole { None } else { last.into_inner() };
        Ok(uses)
    }
}
