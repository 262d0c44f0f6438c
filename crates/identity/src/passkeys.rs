//! What is done with passkeys: made by somebody who is signed in with a fresh factor, shown as a second
//! factor, again within a session, or instead of name and password, listed, named and removed (45 CFR
//! 164.312(d)). One that was shown has its counter written in the commit that it opens something with,
//! so that neither an answer nor a copy of the authenticator is taken twice.

use std::net::IpAddr;

use base::error::code;
use base::{Fault, Millis};

use crate::ceremony::Ceremony;
use crate::deed::DeedKind;
use crate::factor::{Factors, put};
use crate::identity::Identity;
use crate::passkey::{
    self, Ask, Asked, Kept, PASSKEYS_MAX, Party, PasskeyId, PasskeyInfo, Shown, named,
};
use crate::principal::{Principal, PrincipalId, invalid};
use crate::refusal::{Refusal, refused};
use crate::secret::Secret;
use crate::session::{Assurance, Caller, Opened, SessionKind};
use crate::sessions::Order;
use crate::shelf::{Change, ShelfName};
use crate::sign_in::{able, conflict_is_refusal};
use crate::token::Token;

impl Identity {
    /// The passkeys of a principal.
    pub fn passkeys(&self, id: PrincipalId) -> Result<Vec<PasskeyInfo>, Fault> {
        Ok(self.load_factors(id)?.1.passkeys().map(Kept::info).collect())
    }

    /// Asks a browser for a new passkey of the caller, who showed a factor just now.
    pub fn ask_new_passkey(&self, caller: &Caller, party: &Party) -> Result<Asked, Fault> {
        self.may_change_factors(caller)?;
        let (id, profile) = (caller.principal.id, &caller.principal.profile);
        let (_, factors) = self.load_factors(id)?;
        room(&factors)?;
        let there: Vec<_> = factors.passkeys().collect();
        self.ask(Some(id), party, Ask::Make, |how, challenge| {
            passkey::making(how, (id, profile), &there, challenge)
        })
    }

    /// Takes the new passkey: from now on every sign-in asks for a second factor. Answers fresh
    /// recovery codes, to be shown once, if there were none, and raises the session that asks to two
    /// factors.
    pub fn add_passkey(
        &self,
        caller: &Caller,
        handle: &str,
        answer: &Secret,
        name: &str,
    ) -> Result<Vec<Secret>, Fault> {
        self.may_change_factors(caller)?;
        let name = named(name)?;
        let (now, id) = (self.now(), caller.principal.id);
        let ceremony = self.answered(handle, Some(id), now)?;
        if ceremony.ask != Ask::Make {
            return Err(refused());
        }
        let about = (self.uuid(now)?, name, now);
        let kept = passkey::made(&ceremony.party, &ceremony.challenge, answer, about)?;
        // Before the lock: ten hashes take a second.
        let (mut printed, drawn) = match self.load_factors(id)?.1.has_codes() {
            true => (Vec::new(), None),
            false => self.draw_codes(now).map(|(printed, drawn)| (printed, Some(drawn)))?,
        };
        let _writing = self.write();
        // Another session may have added one meanwhile.
        self.may_change_factors(caller)?;
        let (version, mut factors) = self.load_factors(id)?;
        room(&factors)?;
        if factors.passkeys().any(|other| other.credential == kept.credential) {
            return Err(refused());
        }
        factors.add_passkey(kept);
        match drawn {
            Some(drawn) if !factors.has_codes() => factors.add(drawn),
            _ => printed.clear(),
        }
        let change = put(id, version, &factors)?;
        let deed = self.deed(DeedKind::FactorAdded, Some(id)).by(caller);
        self.strengthen(caller, vec![change], Assurance::Aal2, now, deed)?;
        Ok(printed)
    }

    /// Gives one of the caller's passkeys another name.
    pub fn rename_passkey(
        &self,
        caller: &Caller,
        which: PasskeyId,
        name: &str,
    ) -> Result<(), Fault> {
        self.may_change_factors(caller)?;
        let name = named(name)?;
        let id = caller.principal.id;
        let _writing = self.write();
        let (version, mut factors) = self.load_factors(id)?;
        factors.passkeys_mut().find(|kept| kept.id == which.0).ok_or_else(unknown)?.name = name;
        let deed = self.deed(DeedKind::FactorRenamed, Some(id)).by(caller);
        self.core.ground.shelf.commit(vec![put(id, version, &factors)?], deed)
    }

    /// Removes one of the caller's passkeys, and ends the caller's other sign-ins: one that was lost
    /// may have opened them.
    pub fn remove_passkey(&self, caller: &Caller, which: PasskeyId) -> Result<(), Fault> {
        self.may_change_factors(caller)?;
        self.drop_passkey(caller.principal.id, which, Some(caller))
    }

    /// Removes a passkey of somebody, and ends their sign-ins. For administrators.
    pub fn remove_passkey_of(&self, id: PrincipalId, which: PasskeyId) -> Result<(), Fault> {
        self.principal(id)?;
        self.drop_passkey(id, which, None)
    }

    fn drop_passkey(
        &self,
        id: PrincipalId,
        which: PasskeyId,
        caller: Option<&Caller>,
    ) -> Result<(), Fault> {
        let _writing = self.write();
        let (version, mut factors) = self.load_factors(id)?;
        if !factors.remove_passkey(which) {
            return Err(unknown());
        }
        if caller.is_some_and(|caller| !factors.required() && self.demands(&caller.principal)) {
            let say = "Your role demands a second factor. Make another before you remove this one.";
            return Err(invalid("passkey", say));
        }
        self.core.halfway.lock().retain(|_, halfway| halfway.principal != id);
        self.core.ceremonies.forget(id);
        let stays = caller.map(|caller| caller.session);
        let ending = self.end(|state| {
            state.session.principal == id
                && state.session.kind == SessionKind::SignIn
                && Some(state.session.id) != stays
        });
        let mut changes = ending.changes();
        changes.push(put(id, version, &factors)?);
        let deed = self.deed(DeedKind::FactorRemoved, Some(id));
        let deed = caller.map_or(deed, |caller| deed.by(caller));
        self.core.ground.shelf.commit(changes, deed)?;
        self.core.table.remove(&ending.digests());
        Ok(())
    }

    /// Asks for a passkey of whoever waits for the second step of signing in. `None` when there is
    /// none that is bound to this party.
    pub fn ask_second_passkey(&self, handle: &str, party: &Party) -> Result<Option<Asked>, Fault> {
        let now = self.now();
        let digest = Token::parse(handle).ok_or_else(refused)?.digest();
        let waiting = self.core.halfway.lock();
        let id = waiting.get(&digest).filter(|halfway| halfway.waits(now)).map(|h| h.principal);
        drop(waiting);
        self.ask_known(id.ok_or_else(refused)?, party)
    }

    /// Asks for a passkey of the caller, to show it again. `None` when there is none that is bound to
    /// this party.
    pub fn ask_own_passkey(&self, caller: &Caller, party: &Party) -> Result<Option<Asked>, Fault> {
        self.ask_known(caller.principal.id, party)
    }

    /// Asks for a passkey of anybody, who signs in by it alone: it says whose it is, and that its
    /// owner was verified, which makes two factors.
    pub fn ask_any_passkey(&self, party: &Party) -> Result<Asked, Fault> {
        self.ask(None, party, Ask::Show, |how, challenge| passkey::showing(how, &[], challenge))
    }

    /// Signs in whoever shows a passkey of theirs.
    pub fn enter_with_passkey(
        &self,
        handle: &str,
        answer: &Secret,
        source: IpAddr,
    ) -> Result<Opened, Refusal> {
        let now = self.now();
        let shown = Shown::read(answer)?;
        // Counted against the key and the address, not the name: nobody is held up by what a
        // stranger says of them.
        let (name, owner) = (self.name_key(&shown.key()), shown.owner());
        let known = || match owner {
            Some(id) => Ok(self.load_principal(id)?.map(|principal| principal.id)),
            None => Ok(None),
        };
        self.counted(name, source, known, || {
            let ceremony = self.answered(handle, None, now)?;
            let id = owner.ok_or_else(refused)?;
            let _writing = self.write();
            // Where people sign in by issuers alone, a passkey of here is no way round them.
            let enters = |one: &Principal| able(one) && self.enters_here(one);
            let principal = self.load_principal(id)?.filter(enters).ok_or_else(refused)?;
            let (version, mut factors) = self.load_factors(id)?;
            if !is_shown(id, &mut factors, &shown, &ceremony, now) {
                return Err(refused());
            }
            let guards = vec![
                put(id, version, &factors)?,
                Change::keep(ShelfName::Principals, id.as_bytes(), Some(principal.version)),
            ];
            let order = Order::sign_in(principal, Assurance::Aal2, source, Some(now));
            let opened = self.open_sign_in(order, now, guards);
            Ok((opened.map_err(conflict_is_refusal)?, true))
        })
    }

    /// Whether a browser's answer to a challenge of `id` shows one of the passkeys among `factors`,
    /// which then has its new counter.
    pub(crate) fn proves_passkey(
        &self,
        id: PrincipalId,
        factors: &mut Factors,
        (handle, answer): (&Secret, &Secret),
        now: Millis,
    ) -> Result<bool, Fault> {
        let shown = Shown::read(answer)?;
        let ceremony = self.answered(handle.expose(), Some(id), now)?;
        Ok(is_shown(id, factors, &shown, &ceremony, now))
    }

    fn ask_known(&self, id: PrincipalId, party: &Party) -> Result<Option<Asked>, Fault> {
        let (_, factors) = self.load_factors(id)?;
        let there: Vec<_> = factors.passkeys().filter(|kept| kept.party == party.id()).collect();
        if there.is_empty() {
            return Ok(None);
        }
        let showing = |how: How<'_>, challenge: &[u8; 32]| passkey::showing(how, &there, challenge);
        self.ask(Some(id), party, Ask::Show, showing).map(Some)
    }

    fn ask(
        &self,
        of: Option<PrincipalId>,
        party: &Party,
        ask: Ask,
        options: impl FnOnce(How<'_>, &[u8; 32]) -> String,
    ) -> Result<Asked, Fault> {
        let now = self.now();
        let handle = Token::draw(self.random())?;
        let mut challenge = [0; 32];
        self.random().fill(&mut challenge)?;
        let settings = &self.core.settings;
        let options = options((party, &settings.issuer, settings.second_step_ms), &challenge);
        let until = Millis(now.0.saturating_add(settings.second_step_ms));
        let ceremony = Ceremony { of, party: party.clone(), ask, challenge, until };
        if !self.core.ceremonies.wait(&handle, ceremony, now) {
            return Err(Fault::new(&code::OVERLOADED, "Try again in a few minutes."));
        }
        Ok(Asked { handle: handle.text(), options, until })
    }

    /// What a handle asked, of this person or of nobody who is known, once.
    fn answered(
        &self,
        handle: &str,
        of: Option<PrincipalId>,
        now: Millis,
    ) -> Result<Ceremony, Fault> {
        let found = self.core.ceremonies.take(handle, now);
        found.filter(|ceremony| ceremony.of == of).ok_or_else(refused)
    }
}

/// For whom is asked, what the site is called, and how long an answer is waited for.
type How<'a> = (&'a Party, &'a str, i64);

/// Whether a browser's answer to a challenge of `id` shows one of the passkeys among `factors`.
fn is_shown(
    id: PrincipalId,
    factors: &mut Factors,
    shown: &Shown,
    ceremony: &Ceremony,
    now: Millis,
) -> bool {
    if ceremony.ask != Ask::Show || shown.denies(id) {
        return false;
    }
    let kept = factors.passkeys_mut().find(|kept| shown.is(kept));
    kept.is_some_and(|kept| shown.proves(&ceremony.party, &ceremony.challenge, kept, now))
}

fn unknown() -> Fault {
    invalid("passkey", "There is no such passkey; look at the list again.")
}

fn room(factors: &Factors) -> Result<(), Fault> {
    if factors.passkeys().count() < PASSKEYS_MAX {
        return Ok(());
    }
    Err(invalid("passkey", "Remove a passkey first: there are as many as one person may have."))
}
