//! Types for what must not be told: they print as `‹secret›` and are wiped when they are dropped
//! (NIST SP 800-57 part 1, 8.3.4, destruction of keys).

use std::fmt;

use base::Fault;
use zeroize::Zeroize;

use crate::crypto::sha256;
use crate::random::CryptoRandom;

/// Thirty-two secret bytes. They stand on the heap, so that moving a `Secret` copies no key.
pub struct Secret(Box<[u8; 32]>);

impl Secret {
    /// A new key.
    pub fn random(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let mut key = Self::blank();
        random.fill(key.expose_mut())?;
        Ok(key)
    }

    /// Takes a key over, and wipes the place it came from.
    pub fn take(bytes: &mut [u8; 32]) -> Self {
        let mut key = Self::blank();
        key.expose_mut().copy_from_slice(bytes);
        bytes.zeroize();
        key
    }

    /// Reads the key. The name is long so that a reviewer sees every place that does.
    pub const fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the key may be called in the open: a digest that tells nothing of 256 random bits.
    pub fn id(&self) -> KeyId {
        let digest = sha256(&[b"plummer key id 1\n", self.expose()]);
        KeyId(digest.first_chunk().copied().unwrap_or_default())
    }

    pub(crate) fn blank() -> Self {
        Self(Box::new([0; 32]))
    }

    pub(crate) const fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// A passphrase as a person typed it.
pub struct Passphrase(Vec<u8>);

impl Passphrase {
    /// Takes the bytes over; they are wiped with it.
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Reads the passphrase.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Passphrase {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// The name of a key: the first 16 bytes of SHA-256 over `plummer key id 1`, a line feed, and the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_nothing_of_themselves() {
        let key = Secret::take(&mut [b'k'; 32]);
        let phrase = Passphrase::new(b"correct horse".to_vec());
        assert_eq!(format!("{key:?} {phrase:?}"), "‹secret› ‹secret›");
    }

    #[test]
    fn a_taken_key_is_wiped_where_it_was() {
        let mut bytes = [7; 32];
        let key = Secret::take(&mut bytes);
        assert_eq!((key.expose(), bytes), (&[7; 32], [0; 32]));
    }

    #[test]
    fn the_id_of_a_key_is_fixed() {
        let id = Secret::take(&mut [7; 32]).id();
        assert_eq!(id, Secret::take(&mut [7; 32]).id());
        assert_ne!(id, Secret::take(&mut [8; 32]).id());
    }
}
