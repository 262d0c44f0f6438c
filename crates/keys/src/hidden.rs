//! Texts and short bytes that must not be seen, for whoever keeps other secrets than keys of this
//! hierarchy: passwords, tokens, codes, and what is kept of them. They print as `‹secret›` and are
//! wiped when dropped (NIST SP 800-63B 5.1; SP 800-57 part 1, 8.3.4).

use std::fmt;

use base::Fault;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::random::CryptoRandom;

/// A text that must not be seen: a password, a printed token, a code.
#[derive(Clone, Default)]
pub struct SecretText(String);

impl SecretText {
    /// Takes the text over.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// Reads the text. The name is long so that a reviewer sees every place that does.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// Bytes that must not be seen: a key, a digest of a token, the hash of a password.
///
/// Equality takes the same time wherever the bytes differ.
#[derive(Clone)]
pub struct SecretBytes<const N: usize>([u8; N]);

impl<const N: usize> SecretBytes<N> {
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

impl<const N: usize> Drop for SecretBytes<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> PartialEq for SecretBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl<const N: usize> Eq for SecretBytes<N> {}

impl<const N: usize> fmt::Debug for SecretBytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_nothing_of_themselves() {
        let (text, key) = (SecretText::from("correct horse"), SecretBytes::new([7; 32]));
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
            assert_eq!(SecretBytes::new(bytes), SecretBytes::new([9; 32]));
            bytes[at] ^= 1;
            assert_ne!(SecretBytes::new(bytes), SecretBytes::new([9; 32]), "byte {at}");
        }
    }
}
