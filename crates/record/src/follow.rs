//! Following changes: which records of a few types became something else, told to whoever may see them
//! (45 CFR 164.312(a)(1), 164.502(b)). Ids and versions, never what is in a record: whoever is told fetches
//! that under their own scope, and that leaves its event. What the caller may not see is told in no way: it
//! is no line, it is in no count, and the mark that a caller keeps is sealed, so that not even how much was
//! written can be read from it.
//!
//! A session is one request of one caller. Who follows for longer asks again with a session of that moment,
//! so that what changed about the caller is in force from the next look on.

use crate::session::Session;
use access::Action;
use base::{Fault, Millis};
use fhir::definitions::TypeId;

/// Tells sealed marks from other links.
const FOLLOW: u8 = b'F';
/// For how long a mark is good: a browser that was away for longer reads its page anew, which costs less
/// than looking along all that was written meanwhile.
const MARK_MS: i64 = 10 * 60_000;
/// Versions of one type that one look goes along, seen or not. What is left is looked at next time, so
/// that a bulk load makes a stream late and no look long.
const SCAN_MAX: usize = 2000;
/// Changes that one look tells. Whoever has to learn of more is better off reading anew.
const CHANGES_MAX: usize = 64;

/// Where somebody stands who follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    commit: u64,
    at: Millis,
}

/// A record that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// Its type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// Its version now.
    pub version: u64,
}

/// What one look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Following {
    /// The records that changed, each once, as far as the caller may see them.
    pub changes: Vec<Followed>,
    /// There were more than are told, of those the caller may see: read anew.
    pub is_cut: bool,
    /// Where to go on.
    pub mark: Mark,
    /// There may be more already: look again soon.
    pub has_more: bool,
}

impl Session {
    /// The place from which on what is written now is told: taken before something is read, nothing that
    /// happens after the reading is missed.
    pub fn follow_from_now(&self) -> Mark {
        Mark { commit: self.gate.store.last_commit(), at: self.now() }
    }

    /// Whether anything at all was written since. It is for a door, to spare itself a look, and is told
    /// to nobody.
    pub fn has_news(&self, mark: &Mark) -> bool {
        self.gate.store.last_commit() > mark.commit
    }

    /// A mark as text that this caller alone can follow and nobody can read.
    pub fn mark_text(&self, mark: &Mark) -> String {
        let mut plain = vec![FOLLOW];
        plain.extend(mark.commit.to_le_bytes());
        plain.extend(self.now().0.to_le_bytes());
        self.seal_link(&plain)
    }

    /// Reads what [`Session::mark_text`] made for the same caller; `None` for any other text and for one
    /// that is too old.
    pub fn mark_of(&self, text: &str) -> Option<Mark> {
        let plain = self.open_link(text)?;
        let rest = plain.strip_prefix(&[FOLLOW])?;
        let commit = u64::from_le_bytes(rest.get(..8)?.try_into().ok()?);
        let at = Millis(i64::from_le_bytes(rest.get(8..)?.try_into().ok()?));
        let age = self.now().0.saturating_sub(at.0);
        let fits = (0..=MARK_MS).contains(&age) && commit <= self.gate.store.last_commit();
        fits.then_some(Mark { commit, at })
    }

    /// What of these types changed since a mark, as far as the caller may see it now. It leaves no event:
    /// the stream that it is part of has its own, and so has whatever is read because of it.
    ///
    /// # Errors
    /// When the store or a patient's Consent cannot be read.
    pub fn changes_since(&self, mark: &Mark, types: &[TypeId]) -> Result<Following, Fault> {
        // Where no policy lets the caller read anything there is nothing to tell; that is no fault, since
        // a stream may begin before somebody is given their first patient.
        let mark_now = |commit| Mark { commit, at: self.now() };
        let nothing = |commit| Following {
            changes: Vec::new(),
            is_cut: false,
            mark: mark_now(commit),
            has_more: false,
        };
        let newest = self.gate.store.last_commit();
        let scope = match self.scope(Action::Read) {
            Ok(scope) => scope,
            Err(fault) if fault.code() == crate::actor::denied().code() => {
                return Ok(nothing(newest));
            }
            Err(fault) => return Err(fault),
        };
        let types: Vec<TypeId> = types.iter().copied().filter(|of| scope.sees_type(*of)).collect();
        if types.is_empty() || newest <= mark.commit {
            return Ok(nothing(newest.max(mark.commit)));
        }
        let found = self.gate.store.reader(&scope)?.follow(&types, mark.commit, SCAN_MAX)?;
        let is_cut = found.changes.len() > CHANGES_MAX;
        let told = found.changes.into_iter().take(CHANGES_MAX).map(|change| Followed {
            resource_type: change.resource_type,
            id: change.id,
            version: change.version,
        });
        Ok(Following {
            changes: told.collect(),
            is_cut,
            mark: mark_now(found.through),
            has_more: found.through < newest,
        })
    }
}
