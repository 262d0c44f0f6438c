//! What must not be seen: passwords, keys and codes, which print as `‹secret›` and are wiped when
//! dropped, and the source of randomness they are drawn from (NIST SP 800-63B 5.1).

use std::fmt;

use base::id::{Random, uuid_v7};
use base::{Fault, Millis};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

pub use keys::CryptoRandom;

/// A text that must not be seen: a password, a printed token, a code.
#[derive(Clone, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes the text over.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads the text. The name is long so that a reviewer sees every place that does.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// Bytes that must not be seen: a key, a digest of a token, the hash of a password.
///
/// Equality takes the same time wherever the bytes differ.
#[derive(Clone)]
pub struct Key<const N: usize>([u8; N]);

impl<const N: usize> Key<N> {
    /// Takes the bytes over.
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// Draws fresh bytes.
    pub fn draw(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let mut key = Self([0; N]);
        random.fill(&mut key.0)?;
        Ok(key)
    }

    /// Reads the bytes.
    pub const fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Drop for Key<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> PartialEq for Key<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for Key<N> {}

impl<const N: usize> fmt::Debug for Key<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// A new version-7 UUID whose random part comes from the source of secrets.
pub(crate) fn new_uuid(now: Millis, random: &dyn CryptoRandom) -> Result<[u8; 16], Fault> {
    let mut drawn = [0; 16];
    random.fill(&mut drawn)?;
    let mut bits = Drawn(u128::from_le_bytes(drawn));
    drawn.zeroize();
    Ok(uuid_v7(now, &mut bits))
}

/// Hands out bits that were drawn before, for [`uuid_v7`] asks for exactly two words.
#[derive(Debug)]
struct Drawn(u128);

impl Random for Drawn {
    #[expect(clippy::cast_possible_truncation, reason = "the low word is what is wanted")]
    fn next_u64(&mut self) -> u64 {
        let word = self.0 as u64;
        self.0 >>= 64;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_nothing_of_themselves() {
        let (text, key) = (Secret::from("correct horse"), Key::new([7; 32]));
        assert_eq!(
            format!("{text:?} {key:?} {:?}", Some(&key)),
            "‹secret› ‹secret› Some(‹secret›)"
        );
        assert_eq!(text.expose(), "correct horse");
    }

    #[test]
    fn keys_are_equal_by_every_byte() {
        for at in 0..32 {
            let mut bytes = [9; 32];
            assert_eq!(Key::new(bytes), Key::new([9; 32]));
            bytes[at] ^= 1;
            assert_ne!(Key::new(bytes), Key::new([9; 32]), "byte {at}");
        }
    }
}
