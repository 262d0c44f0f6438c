//! What is done with sessions and script tokens: found at each request, opened, stepped up, listed,
//! revoked and swept (45 CFR 164.312(a)(2)(iii); NIST SP 800-63B 7). Revoking takes effect before it
//! returns; a disk that fails cannot keep a session alive.

use std::net::IpAddr;
use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use parking_lot::Mutex;

use crate::deed::{By, Deed, DeedKind};
use crate::identity::Identity;
use crate::issuer::IssuerName;
use crate::principal::{Principal, PrincipalId, invalid, printable};
use crate::refusal::{disabled, expired, step_up_needed, token_invalid};
use crate::session::{
    Assurance, Caller, NOTE_BYTES_MAX, Opened, Session, SessionId, SessionKind, State, Watch,
};
use crate::shelf::{CHANGES_MAX, Change, ShelfName};
use crate::sign_in::Halfway;
use crate::token::{Token, TokenDigest};

/// Items of one commit of touches or of a sweep.
const CHUNK: usize = CHANGES_MAX / 10;

/// What to open.
#[derive(Debug)]
pub(crate) struct Order {
    principal: Principal,
    kind: SessionKind,
    assurance: Assurance,
    source: Option<IpAddr>,
    ends: Millis,
    stepped_up_at: Option<Millis>,
    note: String,
    issuer: Option<IssuerName>,
}

impl Order {
    /// The session of somebody who signs in now: how sure it is, from where, and when a factor was
    /// shown.
    pub(crate) const fn sign_in(
        principal: Principal,
        assurance: Assurance,
        source: IpAddr,
        shown: Option<Millis>,
    ) -> Self {
        Self {
            principal,
            kind: SessionKind::SignIn,
            assurance,
            source: Some(source),
            ends: Millis(i64::MAX),
            stepped_up_at: shown,
            note: String::new(),
            issuer: None,
        }
    }

    /// By the word of an issuer, if there is one.
    #[must_use]
    pub(crate) fn by(self, issuer: Option<IssuerName>) -> Self {
        Self { issuer, ..self }
    }
}

/// Sessions that are over in memory, on their way off the shelf.
#[derive(Debug)]
pub(crate) struct Ending(Vec<(TokenDigest, Change)>);

impl Ending {
    pub(crate) fn changes(&self) -> Vec<Change> {
        self.0.iter().map(|(_, change)| change.clone()).collect()
    }

    pub(crate) fn digests(&self) -> Vec<TokenDigest> {
        self.0.iter().map(|(digest, _)| *digest).collect()
    }
}

impl Identity {
    /// Who sends a request with this token. It touches memory alone; what it notes of the use goes
    /// to the shelf with [`Identity::write_touches`].
    ///
    /// # Errors
    /// `identity.factor.missing` when the principal's role demands a second factor that was not shown.
    pub fn find(&self, token: &str, source: Option<IpAddr>) -> Result<Caller, Fault> {
        let caller = self.look_up(token, source)?;
        self.need_second_factor(&caller)?;
        Ok(caller)
    }

    /// As [`Identity::find`], for a token that a program shows without its person being there: it is no
    /// use of the session, so one that is idle ends all the same.
    pub fn find_unused(&self, token: &str) -> Result<Caller, Fault> {
        let digest = Token::parse(token).ok_or_else(token_invalid)?.digest();
        let caller = self.core.table.peek(digest, self.now(), &self.core.settings)?;
        self.need_second_factor(&caller)?;
        Ok(caller)
    }

    /// Who it is, whatever their role demands.
    pub(crate) fn look_up(&self, token: &str, source: Option<IpAddr>) -> Result<Caller, Fault> {
        let digest = Token::parse(token).ok_or_else(token_invalid)?.digest();
        self.core.table.find(digest, source, self.now(), &self.core.settings)
    }

    /// Refuses a caller whose last factor is not fresh.
    pub fn need_step_up(&self, caller: &Caller) -> Result<(), Fault> {
        let now = self.now();
        let age = |at: Millis| now.0.saturating_sub(at.0);
        // A factor shown in the future, before the clock was turned back, has no known age.
        let fresh = caller.kind == SessionKind::SignIn
            && caller
                .stepped_up_at
                .is_some_and(|at| (0..self.core.settings.step_up_ms).contains(&age(at)));
        if fresh { Ok(()) } else { Err(step_up_needed()) }
    }

    /// Issues a token to a program that acts as `id`, for `ttl_ms` at most. It is shown once.
    pub fn issue(&self, id: PrincipalId, ttl_ms: i64, note: &str) -> Result<Opened, Fault> {
        if !(1..=self.core.settings.script_ttl_max_ms).contains(&ttl_ms) {
            return Err(invalid("ttl", "Give a time above nothing and within the site's ceiling."));
        }
        if note.trim().is_empty() || !printable(note, NOTE_BYTES_MAX) {
            return Err(invalid("note", "Say what the token is for, in at most 200 bytes."));
        }
        let now = self.now();
        let _writing = self.write();
        let principal = self.principal(id)?;
        if principal.disabled.is_some() {
            return Err(disabled());
        }
        if self.demands(&principal) && !self.holds_factor(id)? {
            let say = "Their role demands a second factor, and they have none. Let them make one first, or issue the token to a client of its own.";
            return Err(Fault::new(&code::FACTOR_MISSING, say));
        }
        let guard = Change::keep(ShelfName::Principals, id.as_bytes(), Some(principal.version));
        let order = Order {
            principal,
            kind: SessionKind::Script,
            assurance: Assurance::Aal1,
            source: None,
            ends: Millis(now.0.saturating_add(ttl_ms)),
            stepped_up_at: None,
            note: note.to_owned(),
            issuer: None,
        };
        self.open_session(order, now, vec![guard], self.deed(DeedKind::TokenIssued, Some(id)))
    }

    /// The sessions and script tokens of a principal, the newest first, as exact as memory is.
    pub fn sessions(&self, id: PrincipalId) -> Vec<Session> {
        let now = self.now();
        let live = self.core.table.select(|state| {
            state.session.principal == id
                && !state.ended
                && !state.session.over(now, &self.core.settings)
        });
        let mut list: Vec<_> = live.iter().map(|(_, state)| state.lock().session.clone()).collect();
        list.sort_by_key(|session| (std::cmp::Reverse(session.created), session.id));
        list
    }

    /// Lets somebody watch a session or token of a principal: for what lasts no longer than it does.
    pub fn watch(&self, of: PrincipalId, id: SessionId) -> Option<Watch> {
        let found = self.core.table.select(|state| {
            state.session.id == id && state.session.principal == of && !state.ended
        });
        found.into_iter().next().map(|(_, state)| Watch(state))
    }

    /// Whether a watched session goes on. To ask is no use of it, so one that is idle ends all the same.
    pub fn goes_on(&self, watch: &Watch) -> bool {
        let mut state = watch.0.lock();
        // An ended session stays ended, even if the clock is turned back.
        state.ended |= state.session.over(self.now(), &self.core.settings);
        !state.ended
    }

    /// Ends one session or token; whether there was one.
    pub fn revoke(&self, id: SessionId) -> Result<bool, Fault> {
        let found = self.core.table.select(|state| state.session.id == id);
        let upon = found.first().map(|(_, state)| state.lock().session.principal);
        let deed = self.deed(DeedKind::Revoked, upon).in_session(id);
        self.revoke_where(|state| state.session.id == id, deed).map(|count| count > 0)
    }

    /// Ends the session a caller is in.
    pub fn sign_out(&self, caller: &Caller) -> Result<(), Fault> {
        let deed = self.deed(DeedKind::SignedOut, Some(caller.principal.id)).by(caller);
        self.revoke_where(|state| state.session.id == caller.session, deed).map(drop)
    }

    /// Ends every session and token of a principal; how many there were.
    pub fn revoke_all(&self, id: PrincipalId) -> Result<usize, Fault> {
        let deed = self.deed(DeedKind::Revoked, Some(id));
        self.revoke_where(|state| state.session.principal == id, deed)
    }

    /// Ends the sessions that came by an issuer which is none of these; how many. For the start, when the
    /// site no longer believes an issuer that it did.
    pub fn revoke_issuers_but(&self, known: &[IssuerName]) -> Result<usize, Fault> {
        let gone = |state: &State| state.session.issuer.is_some_and(|by| !known.contains(&by));
        let waits = |halfway: &Halfway| halfway.issuer.is_some_and(|by| !known.contains(&by));
        self.core.halfway.lock().retain(|_, halfway| !waits(halfway));
        if self.core.table.select(gone).is_empty() {
            return Ok(0);
        }
        self.revoke_where(gone, self.deed(DeedKind::Revoked, None))
    }

    /// Ends every session and token of everybody; how many there were. For a copy of the past: what
    /// was revoked since it was made would be valid in it again.
    pub fn revoke_everything(&self) -> Result<usize, Fault> {
        self.revoke_where(|_| true, self.deed(DeedKind::Revoked, None))
    }

    /// Writes down the last use of each session where that is due; how many. To be called every few
    /// seconds: one session costs at most one write in [`crate::Settings::touch_ms`].
    pub fn write_touches(&self) -> Result<usize, Fault> {
        self.write_uses(self.core.settings.touch_ms)
    }

    /// Writes down the last use of every session, before the program ends.
    pub fn write_all_touches(&self) -> Result<usize, Fault> {
        self.write_uses(i64::MIN)
    }

    /// Takes sessions that are over off the shelf, and forgets sign-ins that nobody finished; how
    /// many sessions. To be called every few minutes.
    pub fn sweep(&self) -> Result<usize, Fault> {
        let now = self.now();
        self.core.halfway.lock().retain(|_, halfway| halfway.waits(now));
        self.core.enrolling.lock().retain(|_, waiting| waiting.waits(now));
        self.core.ceremonies.sweep(now);
        let over = |state: &State| state.ended || state.session.over(now, &self.core.settings);
        self.revoke_where(over, Deed::UPKEEP)
    }

    /// Opens the session of somebody who signed in, here or by an issuer. Whoever calls it holds `write`.
    pub(crate) fn open_sign_in(
        &self,
        mut order: Order,
        now: Millis,
        guards: Vec<Change>,
    ) -> Result<Opened, Fault> {
        order.ends = Millis(now.0.saturating_add(self.core.settings.absolute_ms));
        let id = order.principal.id;
        let confined = order.assurance < Assurance::Aal2 && self.demands(&order.principal);
        let kind = if confined { DeedKind::SignedInConfined } else { DeedKind::SignedIn };
        let mut deed = Deed { issuer: order.issuer, ..self.deed(kind, Some(id)) };
        (deed.asker.by, deed.asker.source) = (By::Principal(id), order.source);
        self.open_session(order, now, guards, deed)
    }

    /// Opens a session if the guards hold. Whoever calls it holds `write`.
    fn open_session(
        &self,
        order: Order,
        now: Millis,
        mut changes: Vec<Change>,
        deed: Deed,
    ) -> Result<Opened, Fault> {
        let leaving = self.make_room(order.principal.id, order.kind, now)?;
        let token = Token::draw(self.random())?;
        let session = Session {
            id: SessionId(self.uuid(now)?),
            principal: order.principal.id,
            kind: order.kind,
            assurance: order.assurance,
            created: now,
            ends: order.ends,
            stepped_up_at: order.stepped_up_at,
            used: now,
            source: order.source,
            note: order.note,
            issuer: order.issuer,
        };
        let body = session.encode(token.digest())?;
        changes.push(Change::put(ShelfName::Sessions, &session.key(), None, body));
        let ending = self.end(|state| leaving == Some(state.session.id));
        changes.extend(ending.changes());
        self.core.ground.shelf.commit(changes, deed.in_session(session.id))?;
        self.core.table.remove(&ending.digests());
        let state = State {
            session: session.clone(),
            principal: Arc::new(order.principal),
            version: 1,
            written_used: now,
            written_at: now,
            ended: false,
        };
        self.core.table.insert(token.digest(), state);
        Ok(Opened { token, session })
    }

    /// Room for one more: the session that has to leave for it, if one has.
    fn make_room(
        &self,
        id: PrincipalId,
        kind: SessionKind,
        now: Millis,
    ) -> Result<Option<SessionId>, Fault> {
        if self.core.table.len() >= self.core.settings.sessions_max {
            let over =
                self.end(|state| state.ended || state.session.over(now, &self.core.settings));
            self.forget(&over, Deed::UPKEEP)?;
            if self.core.table.len() >= self.core.settings.sessions_max {
                let say = "There are as many sessions as the server keeps. Try again later.";
                return Err(Fault::new(&code::OVERLOADED, say));
            }
        }
        let own = self.core.table.select(|state| {
            state.session.principal == id
                && state.session.kind == kind
                && !state.ended
                && !state.session.over(now, &self.core.settings)
        });
        if own.len() < self.core.settings.sessions_each_max {
            return Ok(None);
        }
        if kind == SessionKind::Script {
            return Err(invalid("principal", "Revoke a token first: it has as many as it may."));
        }
        let oldest = own.iter().map(|(_, state)| {
            let state = state.lock();
            (state.session.used, state.session.id)
        });
        Ok(oldest.min().map(|(_, id)| id))
    }

    /// Raises a session: a factor was shown now. Whoever calls it holds `write`.
    pub(crate) fn strengthen(
        &self,
        caller: &Caller,
        mut changes: Vec<Change>,
        assurance: Assurance,
        now: Millis,
        deed: Deed,
    ) -> Result<Caller, Fault> {
        let found =
            self.core.table.select(|state| state.session.id == caller.session && !state.ended);
        let (digest, state) = found.first().ok_or_else(expired)?;
        let (mut session, version) = {
            let state = state.lock();
            (state.session.clone(), state.version)
        };
        session.assurance = session.assurance.max(assurance);
        session.stepped_up_at = Some(now);
        let body = session.encode(*digest)?;
        changes.push(Change::put(ShelfName::Sessions, &session.key(), Some(version), body));
        self.core.ground.shelf.commit(changes, deed)?;
        let mut state = state.lock();
        state.session.assurance = session.assurance;
        state.session.stepped_up_at = session.stepped_up_at;
        state.version = version.saturating_add(1);
        state.written_used = session.used;
        state.written_at = now;
        Ok(Caller {
            principal: Arc::clone(&state.principal),
            assurance: session.assurance,
            stepped_up_at: session.stepped_up_at,
            ..caller.clone()
        })
    }

    /// Ends sessions in memory, at once and whatever happens next, and says what ends them on the
    /// shelf. Whoever calls it holds `write`.
    pub(crate) fn end(&self, wanted: impl Fn(&State) -> bool) -> Ending {
        let chosen = self.core.table.select(wanted);
        let end = |(digest, state): (TokenDigest, Arc<Mutex<State>>)| {
            let mut state = state.lock();
            state.ended = true;
            let key = state.session.key();
            (digest, Change::remove(ShelfName::Sessions, &key, state.version))
        };
        Ending(chosen.into_iter().map(end).collect())
    }

    fn revoke_where(&self, wanted: impl Fn(&State) -> bool, deed: Deed) -> Result<usize, Fault> {
        let _writing = self.write();
        let ending = self.end(wanted);
        self.forget(&ending, deed)?;
        Ok(ending.0.len())
    }

    fn forget(&self, ending: &Ending, deed: Deed) -> Result<(), Fault> {
        for chunk in ending.0.chunks(CHUNK) {
            let changes = chunk.iter().map(|(_, change)| change.clone()).collect();
            self.core.ground.shelf.commit(changes, deed)?;
            let digests: Vec<_> = chunk.iter().map(|(digest, _)| *digest).collect();
            self.core.table.remove(&digests);
        }
        Ok(())
    }

    fn write_uses(&self, age_min_ms: i64) -> Result<usize, Fault> {
        let now = self.now();
        let _writing = self.write();
        let due = self.core.table.select(|state| {
            let age = now.0.saturating_sub(state.written_at.0);
            !state.ended && state.session.used > state.written_used && age >= age_min_ms
        });
        for chunk in due.chunks(CHUNK) {
            let mut changes = Vec::with_capacity(chunk.len());
            let mut uses = Vec::with_capacity(chunk.len());
            for (digest, state) in chunk {
                let state = state.lock();
                let (key, body) = (state.session.key(), state.session.encode(*digest)?);
                changes.push(Change::put(ShelfName::Sessions, &key, Some(state.version), body));
                uses.push(state.session.used);
            }
            self.core.ground.shelf.commit(changes, Deed::UPKEEP)?;
            for ((_, state), used) in chunk.iter().zip(uses) {
                let mut state = state.lock();
                state.version = state.version.saturating_add(1);
                state.written_used = used;
                state.written_at = now;
            }
        }
        Ok(due.len())
    }
}
