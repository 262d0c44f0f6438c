//! Sessions and script tokens, as they are kept: who, how sure, until when, last used when and from
//! where; and the table in memory that every request is looked up in (45 CFR 164.312(a)(2)(iii),
//! automatic log-off; NIST SP 800-63B 7).

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use base::id::{uuid_bytes, uuid_text};
use base::{Fault, Millis};
use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::issuer::IssuerName;
use crate::principal::{Principal, PrincipalId, printable};
use crate::refusal::{expired, token_invalid};
use crate::settings::Settings;
use crate::token::{ByDigest, Token, TokenDigest};

/// Bytes of the note on a script token.
pub const NOTE_BYTES_MAX: usize = 200;
/// A session used this long in the future has no known age: the clock was turned back.
const CLOCK_BACK_MS: i64 = 5 * 60_000;

/// Which session; it is shown to administrators and is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) [u8; 16]);

impl SessionId {
    /// Its bytes: for what is kept about a session elsewhere.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the canonical text.
    pub fn parse(text: &str) -> Option<Self> {
        uuid_bytes(text).map(Self)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid_text(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How sure it is that the principal is who it says (NIST SP 800-63B 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assurance {
    /// One factor.
    Aal1,
    /// Two factors.
    Aal2,
}

/// How a session came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// Somebody signed in; it ends when it is idle.
    SignIn,
    /// A token was issued to a program; it ends at its time and can never step up.
    Script,
}

/// A session, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub principal: PrincipalId,
    /// How it came about.
    pub kind: SessionKind,
    /// How sure it is.
    pub assurance: Assurance,
    /// When it began.
    pub created: Millis,
    /// When it ends at the latest.
    pub ends: Millis,
    /// When a factor was last shown.
    pub stepped_up_at: Option<Millis>,
    /// When it was last used.
    pub used: Millis,
    /// From where it was last used; none for a token that never was.
    pub source: Option<IpAddr>,
    /// What a script token is for.
    pub note: String,
    /// Who vouched for whoever signed in; none when they showed their factors here.
    pub issuer: Option<IssuerName>,
}

/// Whoever sends a request, by its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who, as of this moment.
    pub principal: Arc<Principal>,
    /// By which session.
    pub session: SessionId,
    /// How that came about.
    pub kind: SessionKind,
    /// How sure it is.
    pub assurance: Assurance,
    /// When a factor was last shown.
    pub stepped_up_at: Option<Millis>,
}

/// What was opened: the token is shown once and kept nowhere.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The token.
    pub token: Token,
    /// The session it stands for.
    pub session: Session,
}

/// How a session stands on its shelf, under the principal's id and its own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    #[serde(with = "body::bytes")]
    pub(crate) digest: [u8; 32],
    kind: SessionKind,
    assurance: Assurance,
    created_ms: i64,
    ends_ms: i64,
    #[serde(default)]
    stepped_up_ms: Option<i64>,
    used_ms: i64,
    #[serde(default)]
    source: Option<IpAddr>,
    #[serde(default)]
    note: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<IssuerName>,
}

impl Body for Stored {
    fn sound(&self) -> bool {
        printable(&self.note, NOTE_BYTES_MAX)
    }
}

impl Session {
    /// Its key on the shelf.
    pub(crate) fn key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        let parts = self.principal.as_bytes().iter().chain(&self.id.0);
        for (slot, byte) in key.iter_mut().zip(parts) {
            *slot = *byte;
        }
        key
    }

    pub(crate) fn encode(&self, digest: TokenDigest) -> Result<Vec<u8>, Fault> {
        body::encode(&Stored {
            digest: digest.0,
            kind: self.kind,
            assurance: self.assurance,
            created_ms: self.created.0,
            ends_ms: self.ends.0,
            stepped_up_ms: self.stepped_up_at.map(|at| at.0),
            used_ms: self.used.0,
            source: self.source,
            note: self.note.clone(),
            issuer: self.issuer,
        })
    }

    pub(crate) fn decode(key: &[u8], bytes: &[u8]) -> Result<(Self, TokenDigest), Fault> {
        let stored: Stored = body::decode(bytes)?;
        let (principal, rest) = key.split_first_chunk::<16>().ok_or_else(body::damaged)?;
        let id = <[u8; 16]>::try_from(rest).ok().ok_or_else(body::damaged)?;
        let session = Self {
            id: SessionId(id),
            principal: PrincipalId::new(*principal),
            kind: stored.kind,
            assurance: stored.assurance,
            created: Millis(stored.created_ms),
            ends: Millis(stored.ends_ms),
            stepped_up_at: stored.stepped_up_ms.map(Millis),
            used: Millis(stored.used_ms),
            source: stored.source,
            note: stored.note,
            issuer: stored.issuer,
        };
        Ok((session, TokenDigest(stored.digest)))
    }

    /// Whether it has ended by itself.
    pub(crate) fn over(&self, now: Millis, settings: &Settings) -> bool {
        let idle = self.kind == SessionKind::SignIn
            && now.0.saturating_sub(self.used.0) >= settings.idle_ms;
        let back = self.used.0.saturating_sub(now.0) > CLOCK_BACK_MS;
        idle || back || now >= self.ends
    }
}

/// What memory holds of one session.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) principal: Arc<Principal>,
    /// The version of its item.
    pub(crate) version: u64,
    /// The last use that is on the shelf, and when it was put there.
    pub(crate) written_used: Millis,
    pub(crate) written_at: Millis,
    /// Set once it is over or revoked: it never begins again, even if the clock is turned back.
    pub(crate) ended: bool,
}

impl State {
    fn caller(&self) -> Caller {
        Caller {
            principal: Arc::clone(&self.principal),
            session: self.session.id,
            kind: self.session.kind,
            assurance: self.session.assurance,
            stepped_up_at: self.session.stepped_up_at,
        }
    }
}

/// A session, looked at from outside: whether it goes on, without counting as a use of it.
#[derive(Debug, Clone)]
pub struct Watch(pub(crate) Arc<Mutex<State>>);

/// All sessions there are. It is complete: a token that is not in it is not valid.
#[derive(Debug, Default)]
pub(crate) struct Table(RwLock<ByDigest<Arc<Mutex<State>>>>);

impl Table {
    /// Whose token it is, without a use of it.
    pub(crate) fn peek(
        &self,
        digest: TokenDigest,
        now: Millis,
        settings: &Settings,
    ) -> Result<Caller, Fault> {
        let table = self.0.read();
        let mut state = table.get(&digest).ok_or_else(token_invalid)?.lock();
        if state.ended || state.session.over(now, settings) {
            state.ended = true;
            return Err(expired());
        }
        Ok(state.caller())
    }

    /// The hot path: one hash, one look-up, no write but to memory.
    pub(crate) fn find(
        &self,
        digest: TokenDigest,
        source: Option<IpAddr>,
        now: Millis,
        settings: &Settings,
    ) -> Result<Caller, Fault> {
        let table = self.0.read();
        let mut state = table.get(&digest).ok_or_else(token_invalid)?.lock();
        if state.ended || state.session.over(now, settings) {
            state.ended = true;
            return Err(expired());
        }
        state.session.used = state.session.used.max(now);
        if source.is_some() {
            state.session.source = source;
        }
        Ok(state.caller())
    }

    pub(crate) fn insert(&self, digest: TokenDigest, state: State) {
        self.0.write().insert(digest, Arc::new(Mutex::new(state)));
    }

    pub(crate) fn remove(&self, digests: &[TokenDigest]) {
        let mut table = self.0.write();
        for digest in digests {
            table.remove(digest);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.read().len()
    }

    /// The sessions that `wanted` chooses.
    pub(crate) fn select(
        &self,
        wanted: impl Fn(&State) -> bool,
    ) -> Vec<(TokenDigest, Arc<Mutex<State>>)> {
        let table = self.0.read();
        let chosen = table.iter().filter(|(_, state)| wanted(&state.lock()));
        chosen.map(|(digest, state)| (*digest, Arc::clone(state))).collect()
    }

    /// Every session of a principal sees its new state from now on.
    pub(crate) fn renew(&self, principal: &Arc<Principal>) {
        for state in self.0.read().values() {
            let mut state = state.lock();
            if state.session.principal == principal.id {
                state.principal = Arc::clone(principal);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Key;

    /// The worked example of `docs/internals/identity.md`.
    #[test]
    fn the_worked_example_holds() {
        let token =
            Token::parse("plm_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8").expect("a token");
        assert_eq!(
            token,
            Token::of(Key::new(std::array::from_fn(|n| u8::try_from(n).unwrap_or(0))))
        );
        let session = Session {
            id: SessionId([0x22; 16]),
            principal: PrincipalId::new([0x11; 16]),
            kind: SessionKind::SignIn,
            assurance: Assurance::Aal2,
            created: Millis(1_795_340_467_000),
            ends: Millis(1_795_383_667_000),
            stepped_up_at: Some(Millis(1_795_340_467_000)),
            used: Millis(1_795_340_467_000),
            source: Some(IpAddr::from([10, 0, 0, 7])),
            note: String::new(),
            issuer: None,
        };
        let bytes = session.encode(token.digest()).expect("encoded");
        let json = r#"{"digest":"Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0","kind":"signin","assurance":"aal2","created_ms":1795340467000,"ends_ms":1795383667000,"stepped_up_ms":1795340467000,"used_ms":1795340467000,"source":"10.0.0.7","note":""}"#;
        assert_eq!(String::from_utf8_lossy(&bytes), format!("\u{1}{json}"));
        let (read, digest) = Session::decode(&session.key(), &bytes).expect("decoded");
        assert_eq!((read, digest), (session, token.digest()));
    }
}
