//! Second factors: authenticators with time-based codes, passkeys (`passkey.rs`), and recovery codes
//! for the day one is lost (NIST SP 800-63B 5.1.2, 5.1.4 and 5.1.9). A principal with any must show one
//! at each sign-in.

use std::fmt;

use base::error::code;
use base::{Fault, Millis};
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::code as codes;
use crate::deed::DeedKind;
use crate::identity::Identity;
use crate::kdf::Cost;
use crate::passkey::{Kept, PasskeyId};
use crate::principal::PrincipalId;
use crate::refusal::{refused, step_up_needed};
use crate::secret::{Key, Secret};
use crate::session::{Assurance, Caller, SessionKind};
use crate::shelf::{Change, ShelfName};
use crate::totp::{self, TotpKey};

/// Recovery codes of one set.
pub const RECOVERY_CODES: usize = 10;
/// Factors of one principal.
const FACTORS_MAX: usize = 16;
/// Authenticators that wait for their first code at once.
const ENROLLING_MAX: usize = 10_000;

/// A kind of second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FactorKind {
    /// An authenticator with time-based codes.
    Totp,
    /// A passkey.
    Passkey,
    /// Recovery codes, of which so many are left.
    Recovery(usize),
}

/// What somebody shows.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Proof {
    /// The password, where there is no second factor and a step-up is asked for.
    Password(Secret),
    /// Six digits of an authenticator.
    Totp(Secret),
    /// One recovery code.
    Recovery(Secret),
    /// What a browser answered when it was asked for a passkey.
    Passkey {
        /// The handle it was asked with.
        handle: Secret,
        /// The answer, as JSON.
        answer: Secret,
    },
}

/// What an authenticator is given, once.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The key, for typing it in.
    pub key: Secret,
    /// The `otpauth:` address, for a picture.
    pub address: Secret,
}

/// A key that was handed out and has not answered yet.
pub(crate) struct Enrolling {
    key: TotpKey,
    until: Millis,
}

impl Enrolling {
    pub(crate) fn waits(&self, now: Millis) -> bool {
        now < self.until
    }
}

impl fmt::Debug for Enrolling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolling").field("until", &self.until).finish_non_exhaustive()
    }
}

/// How factors stand on their shelf, under the principal's id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factors {
    list: Vec<Factor>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Factor {
    Passkey(Box<Kept>),
    Totp {
        #[serde(with = "body::key")]
        key: TotpKey,
        /// The last step that was used: no code at or before it is taken again.
        step: i64,
        since_ms: i64,
    },
    Recovery {
        cost: Cost,
        /// One salt for the set, so that a typed code is hashed once and held against all.
        #[serde(with = "body::bytes")]
        salt: [u8; 16],
        hashes: Vec<Digest>,
        since_ms: i64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Digest(#[serde(with = "body::key")] Key<32>);

impl Body for Factors {
    fn sound(&self) -> bool {
        let sound = |factor: &Factor| match factor {
            Factor::Totp { .. } => true,
            Factor::Passkey(kept) => kept.sound(),
            Factor::Recovery { cost, hashes, .. } => {
                cost.params().is_some() && hashes.len() <= RECOVERY_CODES
            }
        };
        self.list.len() <= FACTORS_MAX && self.list.iter().all(sound)
    }
}

impl Factors {
    /// Whether a second step is asked for. Recovery codes alone are no factor: they stand in.
    pub(crate) fn required(&self) -> bool {
        self.list.iter().any(|factor| matches!(factor, Factor::Totp { .. } | Factor::Passkey(_)))
    }

    pub(crate) fn passkeys(&self) -> impl Iterator<Item = &Kept> {
        self.list.iter().filter_map(|factor| match factor {
            Factor::Passkey(kept) => Some(&**kept),
            Factor::Totp { .. } | Factor::Recovery { .. } => None,
        })
    }

    pub(crate) fn passkeys_mut(&mut self) -> impl Iterator<Item = &mut Kept> {
        self.list.iter_mut().filter_map(|factor| match factor {
            Factor::Passkey(kept) => Some(&mut **kept),
            Factor::Totp { .. } | Factor::Recovery { .. } => None,
        })
    }

    pub(crate) fn has_codes(&self) -> bool {
        self.list.iter().any(|factor| matches!(factor, Factor::Recovery { .. }))
    }

    pub(crate) fn add(&mut self, factor: Factor) {
        self.list.push(factor);
    }

    pub(crate) fn add_passkey(&mut self, kept: Kept) {
        self.add(Factor::Passkey(Box::new(kept)));
    }

    /// Whether it was there. Recovery codes stand in for another factor, and go with the last one.
    pub(crate) fn remove_passkey(&mut self, which: PasskeyId) -> bool {
        let before = self.list.len();
        self.list.retain(|f| !matches!(f, Factor::Passkey(kept) if kept.id == which.0));
        let found = self.list.len() < before;
        if !self.required() {
            self.list.clear();
        }
        found
    }

    pub(crate) fn kinds(&self) -> Vec<FactorKind> {
        let kind = |factor: &Factor| match factor {
            Factor::Totp { .. } => FactorKind::Totp,
            Factor::Passkey(_) => FactorKind::Passkey,
            Factor::Recovery { hashes, .. } => FactorKind::Recovery(hashes.len()),
        };
        self.list.iter().map(kind).collect()
    }
}

impl Identity {
    /// The second factors of a principal.
    pub fn factors(&self, id: PrincipalId) -> Result<Vec<FactorKind>, Fault> {
        Ok(self.load_factors(id)?.1.kinds())
    }

    /// Begins to enrol an authenticator. Nothing is kept until its first code comes back.
    pub fn enrol_totp(&self, caller: &Caller) -> Result<Enrolment, Fault> {
        self.may_change_factors(caller)?;
        let now = self.now();
        let key = TotpKey::draw(self.random())?;
        let enrolment = Enrolment {
            key: totp::base32(&key),
            address: totp::address(
                &key,
                &self.core.settings.issuer,
                &caller.principal.profile.name,
            ),
        };
        let mut enrolling = self.core.enrolling.lock();
        enrolling.retain(|_, waiting| waiting.waits(now));
        if enrolling.len() >= ENROLLING_MAX {
            return Err(Fault::new(&code::OVERLOADED, "Try again in a few minutes."));
        }
        let until = Millis(now.0.saturating_add(self.core.settings.second_step_ms));
        enrolling.insert(caller.principal.id, Enrolling { key, until });
        Ok(enrolment)
    }

    /// Takes the authenticator's first code: from now on every sign-in asks for one. The
    /// authenticator there was before is forgotten. Answers fresh recovery codes, to be shown once,
    /// and raises the session that asks to two factors.
    pub fn confirm_totp(&self, caller: &Caller, typed: &Secret) -> Result<Vec<Secret>, Fault> {
        self.may_change_factors(caller)?;
        let (now, id) = (self.now(), caller.principal.id);
        let key = {
            let enrolling = self.core.enrolling.lock();
            let waiting = enrolling.get(&id).filter(|waiting| waiting.waits(now));
            waiting.ok_or_else(refused)?.key.clone()
        };
        let step = totp::accept(&key, typed.expose(), now, -1).ok_or_else(refused)?;
        let (printed, recovery) = self.draw_codes(now)?;
        let _writing = self.write();
        // Another session may have added one meanwhile.
        self.may_change_factors(caller)?;
        let (version, mut factors) = self.load_factors(id)?;
        factors.list.retain(|f| !matches!(f, Factor::Totp { .. } | Factor::Recovery { .. }));
        factors.list.push(Factor::Totp { key, step, since_ms: now.0 });
        factors.list.push(recovery);
        let change = put(id, version, &factors)?;
        let deed = self.deed(DeedKind::FactorAdded, Some(id)).by(caller);
        self.strengthen(caller, vec![change], Assurance::Aal2, now, deed)?;
        self.core.enrolling.lock().remove(&id);
        Ok(printed)
    }

    /// Draws recovery codes anew, to be shown once; those there were are no longer taken.
    pub fn new_recovery_codes(&self, caller: &Caller) -> Result<Vec<Secret>, Fault> {
        self.may_change_factors(caller)?;
        let (now, id) = (self.now(), caller.principal.id);
        let (printed, recovery) = self.draw_codes(now)?;
        let _writing = self.write();
        // Another session may have added one meanwhile.
        self.may_change_factors(caller)?;
        let (version, mut factors) = self.load_factors(id)?;
        if !factors.required() {
            let say =
                "Enrol an authenticator or a passkey first; it brings recovery codes with it.";
            return Err(crate::principal::invalid("factor", say));
        }
        factors.list.retain(|f| !matches!(f, Factor::Recovery { .. }));
        factors.list.push(recovery);
        self.core.ground.shelf.commit(
            vec![put(id, version, &factors)?],
            self.deed(DeedKind::RecoveryDrawn, Some(id)).by(caller),
        )?;
        Ok(printed)
    }

    /// Forgets all second factors of a principal, who lost them, and ends its sessions. For
    /// administrators who have seen the person; the next sign-in asks for the password alone.
    pub fn reset_factors(&self, id: PrincipalId) -> Result<(), Fault> {
        let principal = self.principal(id)?;
        let _writing = self.write();
        let (version, _) = self.load_factors(id)?;
        self.core.halfway.lock().retain(|_, halfway| halfway.principal != id);
        self.core.ceremonies.forget(id);
        let ending = self.end(|state| {
            state.session.principal == id && state.session.kind == SessionKind::SignIn
        });
        let mut changes = ending.changes();
        if let Some(version) = version {
            changes.push(Change::put(
                ShelfName::Factors,
                id.as_bytes(),
                Some(version),
                body::encode(&Factors::default())?,
            ));
        }
        changes.push(Change::keep(ShelfName::Principals, id.as_bytes(), Some(principal.version)));
        self.core.ground.shelf.commit(changes, self.deed(DeedKind::FactorsReset, Some(id)))?;
        self.core.table.remove(&ending.digests());
        Ok(())
    }

    /// Changing factors asks for a fresh one, and for the second where there is one.
    pub(crate) fn may_change_factors(&self, caller: &Caller) -> Result<(), Fault> {
        self.need_step_up(caller)?;
        let (_, factors) = self.load_factors(caller.principal.id)?;
        if factors.required() && caller.assurance < Assurance::Aal2 {
            return Err(step_up_needed());
        }
        Ok(())
    }

    pub(crate) fn draw_codes(&self, now: Millis) -> Result<(Vec<Secret>, Factor), Fault> {
        let mut salt = [0; 16];
        self.random().fill(&mut salt)?;
        let mut printed = Vec::with_capacity(RECOVERY_CODES);
        let mut hashes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let code = codes::draw(self.random())?;
            let folded = codes::fold(code.expose()).ok_or_else(refused)?;
            let slot = self.core.kiln.enter()?;
            hashes.push(Digest(self.core.kiln.hash_with(&folded, salt, &slot)?.hash));
            printed.push(code);
        }
        let cost = self.core.kiln.cost();
        Ok((printed, Factor::Recovery { cost, salt, hashes, since_ms: now.0 }))
    }

    /// The factors of a principal, with the version they stand in.
    pub(crate) fn load_factors(&self, id: PrincipalId) -> Result<(Option<u64>, Factors), Fault> {
        match self.core.ground.shelf.get(ShelfName::Factors, id.as_bytes())? {
            Some(item) => Ok((Some(item.version), body::decode(&item.body)?)),
            None => Ok((None, Factors::default())),
        }
    }

    /// Whether a proof of a second factor is right, and the change that uses it up: a code that was
    /// taken is not taken again. Two that come at once with the same one meet at the commit.
    pub(crate) fn prove(
        &self,
        id: PrincipalId,
        proof: &Proof,
        now: Millis,
    ) -> Result<Option<Change>, Fault> {
        let (version, mut factors) = self.load_factors(id)?;
        let used = match proof {
            Proof::Totp(typed) => factors.list.iter_mut().any(|factor| match factor {
                Factor::Totp { key, step, .. } => {
                    let found = totp::accept(key, typed.expose(), now, *step);
                    *step = found.unwrap_or(*step);
                    found.is_some()
                }
                Factor::Recovery { .. } | Factor::Passkey(_) => false,
            }),
            Proof::Passkey { handle, answer } => {
                self.proves_passkey(id, &mut factors, (handle, answer), now)?
            }
            Proof::Recovery(typed) => self.use_code(&mut factors, typed)?,
            Proof::Password(_) => false,
        };
        if used { put(id, version, &factors).map(Some) } else { Ok(None) }
    }

    fn use_code(&self, factors: &mut Factors, typed: &Secret) -> Result<bool, Fault> {
        let Some(folded) = codes::fold(typed.expose()) else { return Ok(false) };
        for factor in &mut factors.list {
            let Factor::Recovery { cost, salt, hashes, .. } = factor else { continue };
            let slot = self.core.kiln.enter()?;
            let made = crate::kdf::run(&folded, salt, *cost, &slot)?;
            let before = hashes.len();
            hashes.retain(|Digest(hash)| *hash != made);
            if hashes.len() < before {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

pub(crate) fn put(
    id: PrincipalId,
    version: Option<u64>,
    factors: &Factors,
) -> Result<Change, Fault> {
    Ok(Change::put(ShelfName::Factors, id.as_bytes(), version, body::encode(factors)?))
}
