//! Passwords: judged when they are set, kept as argon2id, made anew when their cost was raised (NIST
//! SP 800-63B 5.1.1; 45 CFR 164.308(a)(5)(ii)(D), password management).

use std::net::IpAddr;

use base::error::code;
use base::{Fault, Millis};
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::breach;
use crate::code as codes;
use crate::deed::{By, Deed, DeedKind};
use crate::identity::Identity;
use crate::kdf::Hash;
use crate::principal::{Kind, Principal, PrincipalId, Profile, invalid};
use crate::refusal::{Refusal, disabled, refused};
use crate::secret::Secret;
use crate::session::SessionId;
use crate::shelf::{Change, ShelfName};
use crate::sign_in::{able, conflict_is_refusal};
use crate::weak::{self, Weakness};

/// How a password stands on its shelf, under the principal's id.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) hash: Hash,
    set_ms: i64,
    /// It was set by somebody else, and opens nothing but its own change.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) must_change: bool,
}

/// How a principal's password stands; never what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordState {
    /// When it was set.
    pub set: Millis,
    /// Whether another has to be chosen at the next sign-in.
    pub must_change: bool,
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
        self.put_password(id, password, keep, false)
    }

    /// Sets a password for somebody else, and ends the sessions they have. They have to choose one
    /// of their own with it ([`Identity::change_password`]) before they can sign in.
    pub fn reset_password(&self, id: PrincipalId, password: &Secret) -> Result<(), Fault> {
        self.put_password(id, password, None, true)
    }

    /// Draws a password to be handed over: 60 bits, to be read off and typed in.
    pub fn draw_password(&self) -> Result<Secret, Fault> {
        codes::draw(self.random())
    }

    /// How a principal's password stands, if it has one.
    pub fn password_state(&self, id: PrincipalId) -> Result<Option<PasswordState>, Fault> {
        let stored = self.load_password(id)?.map(|(_, stored)| stored);
        Ok(stored.map(|s| PasswordState { set: Millis(s.set_ms), must_change: s.must_change }))
    }

    /// Chooses a password in the place of one that has to be changed, which is shown once more: no
    /// session is open at that moment. It opens none; sign in with the new one.
    ///
    /// Where there is a second factor it is refused: that is shown first, and the password chosen with
    /// [`Identity::choose_password`].
    pub fn change_password(
        &self,
        name: &str,
        old: &Secret,
        new: &Secret,
        source: IpAddr,
    ) -> Result<(), Refusal> {
        let key = self.name_key(name);
        let slot = self.core.kiln.enter()?;
        self.counted(
            key,
            source,
            || self.named(name),
            || {
                let known = self.know(name, old, &slot)?;
                drop(slot);
                let (factors, held) = self.load_factors(known.principal)?;
                if known.stale.is_none() || held.required() {
                    // Whoever has a password of their own changes it in a session, with a fresh factor;
                    // whoever has a second factor shows it first.
                    return Err(refused());
                }
                if weak::normalise(old.expose()) == weak::normalise(new.expose()) {
                    let say = "Choose another password than the one you were given.";
                    return Err(Fault::at(&code::PASSWORD_WEAK, say, "password"));
                }
                let guard = Change::keep(ShelfName::Factors, known.principal.as_bytes(), factors);
                self.replace(known.principal, known.password, new, vec![guard], source)?;
                Ok(((), false))
            },
        )
    }

    /// Chooses a password with the handle of a sign-in whose second factor was shown, and which was
    /// answered that the password has to be changed. It opens no session: sign in with the new one, by
    /// the name that is answered.
    pub fn choose_password(
        &self,
        handle: &str,
        new: &Secret,
        source: IpAddr,
    ) -> Result<String, Refusal> {
        let choosing = self.choosing(handle)?;
        let id = choosing.principal;
        let (version, stored) = self.load_password(id)?.ok_or_else(refused)?;
        if choosing.password != Some(version) {
            return Err(refused().into());
        }
        let slot = self.core.kiln.enter()?;
        let typed = weak::normalise(new.expose());
        let text = typed.as_ref().map_or("", |typed| typed.as_str());
        let same = self.core.kiln.verify(text, Some(&stored.hash), &slot)?;
        drop(slot);
        if same {
            let say = "Choose another password than the one you have.";
            return Err(Fault::at(&code::PASSWORD_WEAK, say, "password").into());
        }
        let name = self.replace(id, version, new, Vec::new(), source)?;
        self.chosen(handle);
        Ok(name)
    }

    /// Puts a password in the place of the version that was shown; the sign-in name of whose it is.
    fn replace(
        &self,
        id: PrincipalId,
        shown: u64,
        new: &Secret,
        mut changes: Vec<Change>,
        source: IpAddr,
    ) -> Result<String, Fault> {
        let principal = self.load_principal(id)?.filter(able).ok_or_else(refused)?;
        let body = self.hashed(&principal, new, false)?;
        let (key, version) = (id.as_bytes(), principal.version);
        changes.push(Change::put(ShelfName::Passwords, key, Some(shown), body));
        changes.push(Change::keep(ShelfName::Principals, key, Some(version)));
        let mut deed = self.deed(DeedKind::PasswordSet, Some(id)).from(source);
        deed.asker.by = By::Principal(id);
        let _writing = self.write();
        self.core.ground.shelf.commit(changes, deed).map_err(conflict_is_refusal)?;
        Ok(principal.profile.name)
    }

    fn put_password(
        &self,
        id: PrincipalId,
        password: &Secret,
        keep: Option<SessionId>,
        must_change: bool,
    ) -> Result<(), Fault> {
        let principal = self.principal(id)?;
        if principal.disabled.is_some() {
            return Err(disabled());
        }
        let body = self.hashed(&principal, password, must_change)?;
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
        must_change: bool,
    ) -> Result<Vec<u8>, Fault> {
        if principal.kind != Kind::Person {
            return Err(invalid("kind", "Only a person has a password. Issue a token instead."));
        }
        let text = weak::normalise(password.expose()).ok_or_else(|| weakness(Weakness::Long))?;
        self.judge(&principal.profile, password.expose(), &text)?;
        let slot = self.core.kiln.enter()?;
        let hash = self.core.kiln.hash(&text, self.random(), &slot)?;
        drop(slot);
        body::encode(&Stored { hash, set_ms: self.now().0, must_change })
    }

    fn judge(&self, profile: &Profile, typed: &str, text: &str) -> Result<(), Fault> {
        let mut names = vec![profile.name.as_str(), profile.display.as_str()];
        names.extend(profile.sites.iter().map(String::as_str));
        names.extend(self.core.settings.site_names.iter().map(String::as_str));
        if let Some(found) = weak::find(text, &names) {
            return Err(weakness(found));
        }
        match self.is_breached(typed, text)? {
            true => Err(weakness(Weakness::Breached)),
            false => Ok(()),
        }
    }

    /// Whether a password stands in the site's list of stolen ones, if it has one.
    pub(crate) fn is_breached(&self, typed: &str, text: &str) -> Result<bool, Fault> {
        let Some(list) = &self.core.ground.breached else { return Ok(false) };
        // The published lists were made of what people typed, normalised or not.
        Ok(breach::holds(list.as_ref(), text)?
            || (typed != text && breach::holds(list.as_ref(), typed)?))
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
        let body = body::encode(&Stored { hash, ..before.clone() })?;
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
