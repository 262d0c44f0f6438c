//! Passwords: judged when they are set, kept as argon2id, made anew when their cost was raised (NIST
//! SP 800-63B 5.1.1; 45 CFR 164.308(a)(5)(ii)(D), password management).

use base::Fault;
use base::error::code;
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::breach;
use crate::deed::{Deed, DeedKind};
use crate::identity::Identity;
use crate::kdf::Hash;
use crate::principal::{Kind, Principal, PrincipalId, Profile, invalid};
use crate::refusal::disabled;
use crate::secret::Secret;
use crate::session::SessionId;
use crate::shelf::{Change, ShelfName};
use crate::weak::{self, Weakness};

/// How a password stands on its shelf, under the principal's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) hash: Hash,
    set_ms: i64,
}

impl Body for Stored {
    fn sound(&self) -> bool {
        self.hash.sound()
    }
}

impl Identity {
    /// Sets a person's password and ends the sessions it has, but for `keep`: the one that asks.
    ///
    /// That the person has shown the old one, or an administrator asks, is the caller's to see to
    /// ([`Identity::need_step_up`]).
    pub fn set_password(
        &self,
        id: PrincipalId,
        password: &Secret,
        keep: Option<SessionId>,
    ) -> Result<(), Fault> {
        let principal = self.principal(id)?;
        if principal.disabled.is_some() {
            return Err(disabled());
        }
        let body = self.hashed(&principal, password)?;
        let _writing = self.write();
        let before = self.core.ground.shelf.get(ShelfName::Passwords, id.as_bytes())?;
        let before = before.map(|item| item.version);
        self.core.halfway.lock().retain(|_, halfway| halfway.principal != id);
        let ending = self.end(|state| {
            state.session.principal == id
                && Some(state.session.id) != keep
                && state.session.kind == crate::SessionKind::SignIn
        });
        let mut changes = ending.changes();
        changes.push(Change::put(ShelfName::Passwords, id.as_bytes(), before, body));
        changes.push(Change::keep(ShelfName::Principals, id.as_bytes(), Some(principal.version)));
        self.core.ground.shelf.commit(changes, self.deed(DeedKind::PasswordSet, Some(id)))?;
        self.core.table.remove(&ending.digests());
        Ok(())
    }

    /// The body of a new password, if it may be this principal's.
    pub(crate) fn hashed(
        &self,
        principal: &Principal,
        password: &Secret,
    ) -> Result<Vec<u8>, Fault> {
        if principal.kind != Kind::Person {
            return Err(invalid("kind", "Only a person has a password. Issue a token instead."));
        }
        let text = weak::normalise(password.expose()).ok_or_else(|| weakness(Weakness::Long))?;
        self.judge(&principal.profile, password.expose(), &text)?;
        let slot = self.core.kiln.enter()?;
        let hash = self.core.kiln.hash(&text, self.random(), &slot)?;
        drop(slot);
        body::encode(&Stored { hash, set_ms: self.now().0 })
    }

    fn judge(&self, profile: &Profile, typed: &str, text: &str) -> Result<(), Fault> {
        let mut names = vec![profile.name.as_str(), profile.display.as_str()];
        names.extend(profile.sites.iter().map(String::as_str));
        names.extend(self.core.settings.site_names.iter().map(String::as_str));
        if let Some(found) = weak::find(text, &names) {
            return Err(weakness(found));
        }
        if let Some(list) = &self.core.ground.breached {
            // The published lists were made of what people typed, normalised or not.
            if breach::holds(list.as_ref(), text)?
                || (typed != text && breach::holds(list.as_ref(), typed)?)
            {
                return Err(weakness(Weakness::Breached));
            }
        }
        Ok(())
    }

    /// The password of a principal, with its version.
    pub(crate) fn load_password(&self, id: PrincipalId) -> Result<Option<(u64, Stored)>, Fault> {
        let item = self.core.ground.shelf.get(ShelfName::Passwords, id.as_bytes())?;
        item.map(|item| Ok((item.version, body::decode(&item.body)?))).transpose()
    }

    /// Puts the hash of today's cost where that of another stands, and tells its version. Somebody
    /// who sets a password at this moment is not overwritten: theirs stays, and so does the answer
    /// of the version that was verified.
    pub(crate) fn rehash(
        &self,
        id: PrincipalId,
        version: u64,
        before: &Stored,
        hash: Hash,
    ) -> Result<u64, Fault> {
        let body = body::encode(&Stored { hash, set_ms: before.set_ms })?;
        let change = Change::put(ShelfName::Passwords, id.as_bytes(), Some(version), body);
        match self.core.ground.shelf.commit(vec![change], Deed::UPKEEP) {
            Ok(()) => Ok(version.saturating_add(1)),
            Err(fault) if fault.code() == &code::ITEM_CONFLICT => Ok(version),
            Err(fault) => Err(fault),
        }
    }
}

fn weakness(found: Weakness) -> Fault {
    Fault::at(&code::PASSWORD_WEAK, found.say(), "password")
}
