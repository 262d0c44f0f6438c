//! Signing in: name and password, then a second factor where there is one (45 CFR 164.312(d), person
//! or entity authentication; 164.308(a)(5)(ii)(C), log-in monitoring). Every refusal is the same
//! fault, after the same work, whether or not the name is anybody's.

use std::net::IpAddr;
use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};

use crate::backoff::NameKey;
use crate::deed::{Deed, DeedKind};
use crate::factor::{FactorKind, Factors, Proof};
use crate::identity::Identity;
use crate::issuer::IssuerName;
use crate::kdf::Slot;
use crate::password::Stored;
use crate::principal::{Kind, Principal, PrincipalId, SignInName};
use crate::refusal::{Refusal, must_change, password_breached, refused, step_up_needed};
use crate::secret::Secret;
use crate::session::{Assurance, Caller, Opened, SessionKind};
use crate::sessions::Order;
use crate::shelf::{Change, ShelfName};
use crate::token::{ByDigest, Token};
use crate::vouched::Vouched;
use crate::weak;

/// Wrong second factors before the password is asked for again.
const TRIES_MAX: u32 = 5;
/// Sign-ins that wait for their second factor at once.
const HALFWAY_MAX: usize = 10_000;
/// Of one principal.
const HALFWAY_EACH_MAX: usize = 8;
/// Looked up where there is nobody, so that the same is read for every name.
const NOBODY: PrincipalId = PrincipalId::new([0; 16]);

/// Where a sign-in stands.
#[derive(Debug, Clone)]
pub enum Step {
    /// Signed in.
    Done(Opened),
    /// The password is right, and a second factor is waited for.
    SecondFactor(Awaited),
}

/// What a sign-in waits for.
#[derive(Debug, Clone)]
pub struct Awaited {
    /// To be sent back with the proof. It is no session and opens nothing else.
    pub handle: Token,
    /// Which proofs would do.
    pub factors: Vec<FactorKind>,
    /// Until when.
    pub until: Millis,
}

/// A sign-in that waits for its second factor.
#[derive(Debug)]
pub(crate) struct Halfway {
    pub(crate) principal: PrincipalId,
    name: NameKey,
    /// The password that was right; if it is changed meanwhile, it is no longer.
    password: Option<u64>,
    /// That password opens nothing but its own change.
    stale: Option<Stale>,
    /// The second factor was shown, and another password is waited for.
    proven: bool,
    /// Who vouched, where it was no password.
    pub(crate) issuer: Option<IssuerName>,
    /// What was said, to be held to when the second factor is shown: before that it links nobody
    /// and changes no role.
    vouched: Option<Arc<Vouched>>,
    until: Millis,
    tries: u32,
}

impl Halfway {
    pub(crate) fn waits(&self, now: Millis) -> bool {
        now < self.until
    }
}

/// Why a right password opens nothing but its own change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    /// Somebody else set it.
    Given,
    /// It stands in the list of stolen ones by now.
    Breached,
}

impl Stale {
    fn fault(self) -> Fault {
        match self {
            Self::Given => must_change(),
            Self::Breached => password_breached(),
        }
    }
}

/// A password that was found right: whose, and which version of it.
pub(crate) struct Known {
    pub(crate) principal: PrincipalId,
    pub(crate) password: u64,
    pub(crate) stale: Option<Stale>,
}

/// A sign-in that showed all there is to show, and has to choose another password.
pub(crate) struct Choosing {
    pub(crate) principal: PrincipalId,
    pub(crate) password: Option<u64>,
}

/// What was shown at the first step: a password that stands in this version, or an issuer's word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Showed {
    pub(crate) principal: PrincipalId,
    pub(crate) password: Option<u64>,
    pub(crate) stale: Option<Stale>,
    pub(crate) issuer: Option<IssuerName>,
}

impl Showed {
    const fn password(known: &Known) -> Self {
        let (principal, password) = (known.principal, Some(known.password));
        Self { principal, password, stale: known.stale, issuer: None }
    }

    /// The word of an issuer.
    pub(crate) const fn vouched(principal: PrincipalId, issuer: IssuerName) -> Self {
        Self { principal, password: None, stale: None, issuer: Some(issuer) }
    }
}

impl Identity {
    /// The first step: name and password.
    pub fn begin(&self, name: &str, password: &Secret, source: IpAddr) -> Result<Step, Refusal> {
        let key = self.name_key(name);
        let slot = self.core.kiln.enter()?;
        let upon = || self.named(name);
        self.counted(key, source, upon, || {
            let known = self.know(name, password, &slot)?;
            drop(slot);
            let now = self.now();
            let _writing = self.write();
            let (version, factors) = self.load_factors(known.principal)?;
            if !factors.required() {
                if let Some(stale) = known.stale {
                    if stale == Stale::Breached {
                        let deed = self.deed(DeedKind::PasswordBreached, Some(known.principal));
                        self.core.ground.shelf.note(deed.from(source))?;
                    }
                    return Err(stale.fault());
                }
                let guard = Change::keep(ShelfName::Factors, known.principal.as_bytes(), version);
                let showed = Showed::password(&known);
                let opened = self.enter(&showed, Assurance::Aal1, source, now, guard)?;
                return Ok((Step::Done(opened), true));
            }
            // It costs nothing and clears nothing: what was guessed before stays counted until the
            // second step is right as well. That the password has to be changed is told after it,
            // and changed after it: whoever has the password alone learns and changes nothing.
            let showed = Showed::password(&known);
            Ok((self.await_second(showed, None, key, &factors, now)?, false))
        })
    }

    /// Keeps the first step until the second is shown.
    pub(crate) fn await_second(
        &self,
        showed: Showed,
        vouched: Option<Arc<Vouched>>,
        name: NameKey,
        factors: &Factors,
        now: Millis,
    ) -> Result<Step, Fault> {
        let handle = Token::draw(self.random())?;
        let until = Millis(now.0.saturating_add(self.core.settings.second_step_ms));
        let Showed { principal, password, stale, issuer } = showed;
        let halfway = Halfway {
            principal,
            name,
            password,
            stale,
            proven: false,
            issuer,
            vouched,
            until,
            tries: 0,
        };
        let mut waiting = self.core.halfway.lock();
        waiting.retain(|_, halfway| halfway.waits(now));
        drop_oldest(&mut waiting, principal);
        if waiting.len() >= HALFWAY_MAX {
            return Err(Fault::new(&code::OVERLOADED, "Try again in a few minutes."));
        }
        waiting.insert(handle.digest(), halfway);
        Ok(Step::SecondFactor(Awaited { handle, factors: factors.kinds(), until }))
    }

    /// The second step: a proof of a second factor, with the handle of the first. Where the password
    /// has to be changed the handle is that of the change from then on
    /// ([`Identity::choose_password`]).
    pub fn finish(&self, handle: &str, proof: &Proof, source: IpAddr) -> Result<Opened, Refusal> {
        let now = self.now();
        let digest = Token::parse(handle).ok_or_else(refused)?.digest();
        let waiting = self.core.halfway.lock();
        let known = waiting.get(&digest).map(|halfway| (halfway.name, halfway.principal));
        drop(waiting);
        let (name, id) = known.ok_or_else(refused)?;
        self.counted(
            name,
            source,
            || Ok(Some(id)),
            || {
                // Taken out, so that one proof at a time is looked at.
                let halfway = self.core.halfway.lock().remove(&digest);
                let halfway = halfway.filter(|halfway| halfway.waits(now)).ok_or_else(refused)?;
                let tried = self.try_finish(&halfway, proof, source, now);
                if let Err(fault) = &tried {
                    if fault.code() == &code::PASSWORD_MUST_CHANGE {
                        let until = Millis(now.0.saturating_add(self.core.settings.second_step_ms));
                        let proven = Halfway { proven: true, tries: 0, until, ..halfway };
                        self.core.halfway.lock().insert(digest, proven);
                        return tried.map(|opened| (opened, true));
                    }
                    let tries = halfway.tries + u32::from(Refusal::is_wrong(fault));
                    if tries < TRIES_MAX {
                        self.core.halfway.lock().insert(digest, Halfway { tries, ..halfway });
                    }
                }
                tried.map(|opened| (opened, true))
            },
        )
    }

    /// Shows a factor again, for what asks for one that is fresh: the second factor where there is
    /// one, else the password.
    pub fn step_up(
        &self,
        caller: &Caller,
        proof: &Proof,
        source: IpAddr,
    ) -> Result<Caller, Refusal> {
        if caller.kind != SessionKind::SignIn {
            return Err(step_up_needed().into());
        }
        let (now, id) = (self.now(), caller.principal.id);
        let name = self.name_key(&caller.principal.profile.name);
        self.counted(
            name,
            source,
            || Ok(Some(id)),
            || {
                let (assurance, changes) = match proof {
                    Proof::Password(password) => {
                        let (version, factors) = self.load_factors(id)?;
                        if factors.required() {
                            return Err(refused());
                        }
                        let slot = self.core.kiln.enter()?;
                        let known = self.know(&caller.principal.profile.name, password, &slot)?;
                        drop(slot);
                        if known.principal != id {
                            return Err(refused());
                        }
                        let guards = vec![
                            Change::keep(ShelfName::Factors, id.as_bytes(), version),
                            Change::keep(ShelfName::Passwords, id.as_bytes(), Some(known.password)),
                        ];
                        (caller.assurance, guards)
                    }
                    _ => {
                        let used = self.prove(id, proof, now)?.ok_or_else(refused)?;
                        (Assurance::Aal2, vec![used])
                    }
                };
                let deed = self.deed(DeedKind::SteppedUp, Some(id)).by(caller).from(source);
                let _writing = self.write();
                let raised = self.strengthen(caller, changes, assurance, now, deed);
                Ok((raised.map_err(conflict_is_refusal)?, true))
            },
        )
    }

    /// Counts an attempt as failed before it is made, and takes that back when it was right (then
    /// all before it is forgotten, if it was the last step), or when what failed was not the caller.
    pub(crate) fn counted<T>(
        &self,
        name: NameKey,
        source: IpAddr,
        upon: impl FnOnce() -> Result<Option<PrincipalId>, Fault>,
        work: impl FnOnce() -> Result<(T, bool), Fault>,
    ) -> Result<T, Refusal> {
        let attempt = self.core.back_off.admit(name, source, self.now()).map_err(Refusal::wait)?;
        match work() {
            Ok((done, true)) => {
                self.core.back_off.succeeded(attempt);
                Ok(done)
            }
            Ok((halfway, false)) => {
                self.core.back_off.undo(attempt);
                Ok(halfway)
            }
            Err(fault) => {
                if !Refusal::is_wrong(&fault) {
                    self.core.back_off.undo(attempt);
                    return Err(fault.into());
                }
                // Who it was tried upon is looked up for every name, so that the time of the answer
                // tells nothing; a failure that cannot be logged is told as that.
                let deed = self.deed(DeedKind::SignInFailed, upon()?).from(source);
                self.core.ground.shelf.note(deed)?;
                Err(fault.into())
            }
        }
    }

    /// Whose sign-in name was typed.
    pub(crate) fn named(&self, typed: &str) -> Result<Option<PrincipalId>, Fault> {
        match SignInName::fold(typed) {
            Some(name) => self.holder(&name),
            None => Ok(None),
        }
    }

    /// Whose name and password these are. Whatever is wrong, the same is read and hashed.
    pub(crate) fn know(&self, name: &str, password: &Secret, slot: &Slot) -> Result<Known, Fault> {
        let id = self.named(name)?.unwrap_or(NOBODY);
        let principal = self.load_principal(id)?.filter(|one| able(one) && self.enters_here(one));
        let found = self.load_password(id)?.filter(|_| principal.is_some());
        let typed = weak::normalise(password.expose());
        let text = typed.as_ref().map_or("", |typed| typed.as_str());
        let against = found.as_ref().map(|(_, stored)| &stored.hash);
        let right = self.core.kiln.verify(text, against, slot)?;
        let (Some((version, stored)), true, true) = (found, right, typed.is_some()) else {
            return Err(refused());
        };
        let version = self.renewed(id, version, &stored, text, slot)?;
        // A list that cannot be read is no reason to keep people from patients: it refuses new passwords,
        // and the doctor tells of it.
        let breached = self.is_breached(password.expose(), text).unwrap_or(false);
        let given = stored.must_change.then_some(Stale::Given);
        let stale = if breached { Some(Stale::Breached) } else { given };
        Ok(Known { principal: id, password: version, stale })
    }

    /// Whose password is chosen with this handle: both factors were shown with it.
    pub(crate) fn choosing(&self, handle: &str) -> Result<Choosing, Fault> {
        let digest = Token::parse(handle).ok_or_else(refused)?.digest();
        let (now, waiting) = (self.now(), self.core.halfway.lock());
        let found = waiting.get(&digest).filter(|halfway| halfway.proven && halfway.waits(now));
        let found = found.ok_or_else(refused)?;
        Ok(Choosing { principal: found.principal, password: found.password })
    }

    /// Makes a handle void.
    pub(crate) fn chosen(&self, handle: &str) {
        if let Some(token) = Token::parse(handle) {
            self.core.halfway.lock().remove(&token.digest());
        }
    }

    /// Makes a hash of another cost anew, now that the password is at hand.
    fn renewed(
        &self,
        id: PrincipalId,
        version: u64,
        stored: &Stored,
        text: &str,
        slot: &Slot,
    ) -> Result<u64, Fault> {
        if stored.hash.cost == self.core.kiln.cost() {
            return Ok(version);
        }
        let hash = self.core.kiln.hash(text, self.random(), slot)?;
        let _writing = self.write();
        self.rehash(id, version, stored, hash)
    }

    fn try_finish(
        &self,
        halfway: &Halfway,
        proof: &Proof,
        source: IpAddr,
        now: Millis,
    ) -> Result<Opened, Fault> {
        let used = self.prove(halfway.principal, proof, now)?.ok_or_else(refused)?;
        let Halfway { principal, password, stale, issuer, .. } = *halfway;
        let showed = Showed { principal, password, stale, issuer };
        let _writing = self.write();
        if let Some(stale) = stale {
            // Nothing is marked: a mark would let whoever has the password alone change it.
            let deed = match stale {
                Stale::Given => Deed::UPKEEP,
                Stale::Breached => {
                    self.deed(DeedKind::PasswordBreached, Some(principal)).from(source)
                }
            };
            let held = Change::keep(ShelfName::Passwords, principal.as_bytes(), password);
            let shown = self.core.ground.shelf.commit(vec![used, held], deed);
            return Err(shown.map_or_else(conflict_is_refusal, |()| stale.fault()));
        }
        if let Some(vouched) = &halfway.vouched {
            // As it stands now: who is disabled or unlinked meanwhile is not let in.
            match self.known_by(vouched, source, now)? {
                Ok(one) if one.id == principal => {}
                _ => return Err(refused()),
            }
        }
        self.enter(&showed, Assurance::Aal2, source, now, used)
    }

    /// Opens the session of somebody who showed all that was asked for, if that is still so.
    /// Whoever calls it holds `write`.
    fn enter(
        &self,
        showed: &Showed,
        assurance: Assurance,
        source: IpAddr,
        now: Millis,
        guard: Change,
    ) -> Result<Opened, Fault> {
        let key = showed.principal.as_bytes();
        let may = |one: &Principal| match showed.issuer {
            Some(_) => !self.is_administrator(one),
            None => self.enters_here(one),
        };
        let principal = self.load_principal(showed.principal)?.filter(able).filter(may);
        let principal = principal.ok_or_else(refused)?;
        let mut guards =
            vec![guard, Change::keep(ShelfName::Principals, key, Some(principal.version))];
        if let Some(version) = showed.password {
            guards.push(Change::keep(ShelfName::Passwords, key, Some(version)));
        }
        // Whoever vouched, a factor was shown here, just now.
        let order = Order::sign_in(principal, assurance, source, Some(now)).by(showed.issuer);
        self.open_sign_in(order, now, guards).map_err(conflict_is_refusal)
    }

    /// Whether somebody may sign in with what they have here: all may, or administrators alone, who
    /// have to be let in also when no issuer can be reached.
    pub(crate) fn enters_here(&self, one: &Principal) -> bool {
        self.core.settings.local || self.is_administrator(one)
    }

    /// Whether somebody has the role that no issuer signs in.
    pub fn is_administrator(&self, one: &Principal) -> bool {
        one.profile.roles.contains(&self.core.settings.administrator_role)
    }
}

pub(crate) fn able(principal: &Principal) -> bool {
    principal.disabled.is_none() && principal.kind == Kind::Person
}

/// Keeps one principal from filling the table: a new sign-in ends the one begun first.
fn drop_oldest(waiting: &mut ByDigest<Halfway>, id: PrincipalId) {
    let own = waiting.iter().filter(|(_, halfway)| halfway.principal == id);
    if own.clone().count() >= HALFWAY_EACH_MAX {
        let oldest = own.min_by_key(|(_, halfway)| halfway.until).map(|(digest, _)| *digest);
        oldest.and_then(|digest| waiting.remove(&digest));
    }
}

/// What was read is no longer so: another used the code, changed the password or disabled the
/// principal. That is a refusal like any other.
pub(crate) fn conflict_is_refusal(fault: Fault) -> Fault {
    if fault.code() == &code::ITEM_CONFLICT { refused() } else { fault }
}
