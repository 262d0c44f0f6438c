//! The chain: each event's hash covers the hash before it, so that no event can be altered, removed
//! or moved without changing every hash after it (FIPS 180-4 SHA-256; 45 CFR 164.312(c)(2)).

use std::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 hash of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash before the first event.
    pub const GENESIS: Self = Self([0; 32]);

    /// The hash of event number `seq`: `SHA-256(self || seq || event)`.
    #[must_use]
    pub fn link(&self, seq: u64, event: &[u8]) -> Self {
        let mut sha = Sha256::new();
        sha.update(self.0);
        sha.update(seq.to_be_bytes());
        sha.update(event);
        Self(sha.finalize().into())
    }

    /// The hash of 64 hexadecimal digits, as [`Hash`] prints it.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        for (at, slot) in bytes.iter_mut().enumerate() {
            *slot = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A point of the chain: the number of an event and its hash. Kept elsewhere, it is an anchor: the
/// log is then bound to hold exactly the events up to it that it held when the anchor was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// The event's sequence number, from 1; 0 before the first.
    pub seq: u64,
    /// The event's hash.
    pub hash: Hash,
}

/// How far the store's commits have come in the log: the highest commit number, and how many events
/// carry it. Commits are handed over in order, so after a crash this says exactly what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitMark {
    /// The highest commit number in the log; 0 when there is none.
    pub seq: u64,
    /// How many of its events are in the log.
    pub events: u32,
}

impl CommitMark {
    /// Counts one more event.
    pub(crate) const fn note(&mut self, commit_seq: u64) {
        if commit_seq > self.seq {
            *self = Self { seq: commit_seq, events: 1 };
        } else if commit_seq == self.seq && commit_seq != 0 {
            self.events = self.events.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_covers_what_was_before_the_number_and_the_event() {
        let first = Hash::GENESIS.link(1, b"event");
        assert_ne!(first, Hash::GENESIS.link(2, b"event"));
        assert_ne!(first, Hash::GENESIS.link(1, b"Event"));
        assert_ne!(first, first.link(1, b"event"));
        assert_eq!(format!("{}", Hash::GENESIS), "0".repeat(64));
    }

    #[test]
    fn the_mark_counts_the_events_of_the_last_commit_only() {
        let mut mark = CommitMark::default();
        for seq in [0, 3, 3, 0, 5, 5, 5, 0] {
            mark.note(seq);
        }
        assert_eq!(mark, CommitMark { seq: 5, events: 3 });
    }
}
