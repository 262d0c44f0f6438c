//! The principals a site has: making, changing, disabling, listing and finding them (45 CFR
//! 164.312(a)(2)(i); 164.308(a)(3)(ii)(C), termination). Only administrators are shown what this
//! file answers; that they are is the caller's to see to.

use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};

use crate::body;
use crate::deed::{Deed, DeedKind};
use crate::identity::Identity;
use crate::principal::{
    Disabled, Kind, Principal, PrincipalId, Profile, REASON_BYTES_MAX, SignInName, invalid,
    printable,
};
use crate::refusal::{last_administrator, name_taken, not_found};
use crate::secret::Secret;
use crate::session::State;
use crate::shelf::{Change, SCAN_MAX, ShelfName, conflict};

impl Identity {
    /// Makes a principal. It can do nothing until it gets a password or a token.
    pub fn create(&self, kind: Kind, profile: Profile) -> Result<Principal, Fault> {
        let _writing = self.write();
        let (principal, changes) = self.prepare(kind, profile)?;
        let deed = self.deed(DeedKind::Created, Some(principal.id));
        self.core.ground.shelf.commit(changes, deed)?;
        Ok(principal)
    }

    /// Makes a person with a password, both or neither. One that somebody else chose is to be changed
    /// at the first sign-in.
    pub fn create_person(
        &self,
        profile: Profile,
        password: &Secret,
        must_change: bool,
    ) -> Result<Principal, Fault> {
        // Judged and hashed before the lock is taken: it takes a while.
        let (draft, _) = self.prepare(Kind::Person, profile)?;
        let body = self.hashed(&draft, password, must_change)?;
        let _writing = self.write();
        let (principal, mut changes) = self.prepare(Kind::Person, draft.profile)?;
        let key = principal.id.as_bytes();
        changes.push(Change::put(ShelfName::Passwords, key, None, body));
        let deed = self.deed(DeedKind::Created, Some(principal.id));
        self.core.ground.shelf.commit(changes, deed)?;
        Ok(principal)
    }

    /// A new principal and the changes that make it; whoever calls it holds `write`.
    pub(crate) fn prepare(
        &self,
        kind: Kind,
        profile: Profile,
    ) -> Result<(Principal, Vec<Change>), Fault> {
        let name = profile.check()?;
        self.free(&name)?;
        let now = self.now();
        let id = PrincipalId::new(self.uuid(now)?);
        let principal =
            Principal { id, kind, profile, disabled: None, created: now, changed: now, version: 1 };
        let mut changes = vec![
            Change::put(ShelfName::Principals, id.as_bytes(), None, principal.encode()?),
            Change::put(ShelfName::Names, name.as_str().as_bytes(), None, named(id)),
        ];
        changes.extend(self.spend_claim(&principal.profile)?);
        Ok((principal, changes))
    }

    /// One principal.
    pub fn principal(&self, id: PrincipalId) -> Result<Principal, Fault> {
        self.load_principal(id)?.ok_or_else(not_found)
    }

    /// The principal of a sign-in name, in any case.
    pub fn find_by_name(&self, name: &str) -> Result<Option<Principal>, Fault> {
        let Some(name) = SignInName::fold(name) else { return Ok(None) };
        match self.holder(&name)? {
            Some(id) => self.load_principal(id),
            None => Ok(None),
        }
    }

    /// Principals in the order they were made, at most `limit` behind `after`.
    pub fn list(&self, after: Option<PrincipalId>, limit: usize) -> Result<Vec<Principal>, Fault> {
        let after = after.as_ref().map(|id| id.as_bytes().as_slice());
        let items =
            self.core.ground.shelf.scan(ShelfName::Principals, &[], after, limit.min(SCAN_MAX))?;
        let decode = |(key, item): (Vec<u8>, crate::shelf::Item)| {
            let id = <[u8; 16]>::try_from(key.as_slice()).ok().ok_or_else(body::damaged)?;
            Principal::decode(PrincipalId::new(id), item.version, &item.body)
        };
        items.into_iter().map(decode).collect()
    }

    /// Replaces the profile of the principal whose `version` was read. Its sessions see it at once.
    pub fn change(
        &self,
        id: PrincipalId,
        version: u64,
        profile: Profile,
    ) -> Result<Principal, Fault> {
        let name = profile.check()?;
        let _writing = self.write();
        let before = self.current(id, version)?;
        let old = before.profile.check()?;
        let mut principal = Principal { profile, ..before.clone() };
        if self.administers(&before) && !self.administers(&principal) {
            self.another_administrator(id)?;
        }
        let mut changes = Vec::new();
        if name != old {
            self.free(&name)?;
            let held = self.core.ground.shelf.get(ShelfName::Names, old.as_str().as_bytes())?;
            let held = held.ok_or_else(body::damaged)?;
            changes.push(Change::remove(ShelfName::Names, old.as_str().as_bytes(), held.version));
            let key = name.as_str().as_bytes();
            changes.push(Change::put(ShelfName::Names, key, None, named(id)));
        }
        changes.extend(self.spend_claim(&principal.profile)?);
        // Administrators sign in here: what an issuer opened before the role was given ends with it.
        let rises = !self.administers(&before) && self.administers(&principal);
        let by_issuer =
            |state: &State| state.session.principal == id && state.session.issuer.is_some();
        let ending = self.end(|state| rises && by_issuer(state));
        changes.extend(ending.changes());
        self.put(&mut principal, changes, DeedKind::Changed)?;
        self.core.table.remove(&ending.digests());
        Ok(principal)
    }

    /// Disables a principal and ends everything it has open, in one commit. Its name stays taken.
    pub fn disable(&self, id: PrincipalId, version: u64, reason: &str) -> Result<Principal, Fault> {
        if reason.trim().is_empty() || !printable(reason, REASON_BYTES_MAX) {
            return Err(invalid("reason", "Give a reason of at most 500 bytes."));
        }
        let _writing = self.write();
        let mut principal = self.current(id, version)?;
        if self.administers(&principal) {
            self.another_administrator(id)?;
        }
        principal.disabled = Some(Disabled { at_ms: self.now().0, reason: reason.to_owned() });
        self.core.halfway.lock().retain(|_, halfway| halfway.principal != id);
        self.core.enrolling.lock().remove(&id);
        // Ended in memory first: if the disk fails now, the sessions are over all the same.
        let ending = self.end(|state| state.session.principal == id);
        self.put(&mut principal, ending.changes(), DeedKind::Disabled)?;
        self.core.table.remove(&ending.digests());
        Ok(principal)
    }

    /// Lets a disabled principal act again. What it had open stays closed.
    pub fn enable(&self, id: PrincipalId, version: u64) -> Result<Principal, Fault> {
        let _writing = self.write();
        let mut principal = self.current(id, version)?;
        principal.disabled = None;
        self.put(&mut principal, Vec::new(), DeedKind::Enabled)?;
        Ok(principal)
    }

    /// Whether a principal may administer the site, as far as identity knows.
    fn administers(&self, principal: &Principal) -> bool {
        principal.kind == Kind::Person
            && principal.disabled.is_none()
            && principal.profile.roles.contains(&self.core.settings.administrator_role)
    }

    /// Refuses what would leave nobody who administers and can sign in. Whoever calls it holds
    /// `write`, so that two cannot take the last two away at once.
    fn another_administrator(&self, id: PrincipalId) -> Result<(), Fault> {
        let mut after = None;
        loop {
            let page = self.list(after, SCAN_MAX)?;
            let Some(last) = page.last() else { return Err(last_administrator()) };
            after = Some(last.id);
            for one in page.iter().filter(|one| one.id != id && self.administers(one)) {
                if self.load_password(one.id)?.is_some_and(|(_, stored)| !stored.must_change) {
                    return Ok(());
                }
            }
        }
    }

    /// The principal, if it is still as it was read.
    fn current(&self, id: PrincipalId, version: u64) -> Result<Principal, Fault> {
        let principal = self.principal(id)?;
        if principal.version == version { Ok(principal) } else { Err(conflict()) }
    }

    fn put(
        &self,
        principal: &mut Principal,
        changes: Vec<Change>,
        kind: DeedKind,
    ) -> Result<(), Fault> {
        let deed = self.deed(kind, Some(principal.id));
        self.put_with(principal, changes, deed)
    }

    /// Puts a principal with whatever else changes; its sessions see it at once. Whoever calls it
    /// holds `write`.
    pub(crate) fn put_with(
        &self,
        principal: &mut Principal,
        mut changes: Vec<Change>,
        deed: Deed,
    ) -> Result<(), Fault> {
        principal.changed = Millis(self.now().0.max(principal.changed.0));
        let key = principal.id.as_bytes();
        let body = principal.encode()?;
        changes.push(Change::put(ShelfName::Principals, key, Some(principal.version), body));
        self.core.ground.shelf.commit(changes, deed)?;
        principal.version = principal.version.saturating_add(1);
        self.core.table.renew(&Arc::new(principal.clone()));
        Ok(())
    }

    fn free(&self, name: &SignInName) -> Result<(), Fault> {
        if self.holder(name)?.is_some() { Err(name_taken()) } else { Ok(()) }
    }

    /// Whose name it is.
    pub(crate) fn holder(&self, name: &SignInName) -> Result<Option<PrincipalId>, Fault> {
        let item = self.core.ground.shelf.get(ShelfName::Names, name.as_str().as_bytes())?;
        let Some(item) = item else { return Ok(None) };
        match item.body.split_first() {
            Some((&body::FORMAT, id)) => match <[u8; 16]>::try_from(id) {
                Ok(id) => Ok(Some(PrincipalId::new(id))),
                Err(_) => Err(body::damaged()),
            },
            Some((&format, _)) if format > body::FORMAT => Err(Fault::new(
                &code::STORE_TOO_NEW,
                "An item of identity was written by a newer version of this program.",
            )),
            _ => Err(body::damaged()),
        }
    }
}

/// The body under a name: the format and the sixteen bytes of the id.
fn named(id: PrincipalId) -> Vec<u8> {
    let mut body = vec![body::FORMAT];
    body.extend_from_slice(id.as_bytes());
    body
}
