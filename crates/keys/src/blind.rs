//! Blind tokens: an identifier can be found by its exact value, and the index does not tell the value
//! (HMAC-SHA-256, RFC 2104, cut to 64 bits).
//!
//! Whoever has the index without the key learns which records share a value, and nothing else; who has
//! the key too can try values. Two values share a token by chance once in about 2³² values of a field:
//! a match is a candidate, and is held against the record.

use std::fmt;

use crate::crypto::Mac;
use crate::secret::Secret;

/// Makes tokens under one key.
pub struct BlindIndex(Mac);

impl BlindIndex {
    /// Tokens under `key`.
    pub fn new(key: &Secret) -> Self {
        Self(Mac::new(key))
    }

    /// The token of a value in a field. Equal values of different fields have different tokens. To
    /// bring a value to its one form (case, spaces, hyphens) is the caller's part.
    pub fn token(&self, field: &str, value: &[u8]) -> u64 {
        // The length parts field from value: `ab`, `c` is not `a`, `bc`.
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes();
        u64::from_be_bytes(self.0.tag(&[&length, field.as_bytes(), value]))
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}
