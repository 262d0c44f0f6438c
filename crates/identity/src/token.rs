//! Tokens: 256 bits drawn at random, printed as `plm_` and base64url, kept only as their SHA-256, so
//! that whoever reads the store cannot use them and revoking is immediate (NIST SP 800-63B 7.1).

use std::fmt;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::secret::{CryptoRandom, Key, Secret};

/// What a token begins with, for people and for scanners of leaked secrets.
const PREFIX: &str = "plm_";
/// Characters behind the prefix.
const TEXT: usize = 43;

/// A token, as its holder has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(Key<32>);

impl Token {
    /// Draws one.
    pub fn draw(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        Key::draw(random).map(Self)
    }

    /// Reads a printed token. There is one text for each token, and no other is taken.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX).filter(|text| text.len() == TEXT)?;
        // One byte more than a token has: the decoder asks for whole groups.
        let mut bytes = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok();
        let key = bytes.first_chunk::<32>().filter(|_| length == Some(32)).copied().map(Key::new);
        bytes.zeroize();
        key.map(Self)
    }

    /// The text that is handed out, once.
    pub fn text(&self) -> Secret {
        let mut text = String::with_capacity(PREFIX.len() + TEXT);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(self.0.expose(), &mut text);
        Secret::new(text)
    }

    #[cfg(test)]
    pub(crate) const fn of(key: Key<32>) -> Self {
        Self(key)
    }

    /// What is kept of it.
    pub(crate) fn digest(&self) -> TokenDigest {
        TokenDigest(Sha256::digest(self.0.expose()).into())
    }
}

/// The SHA-256 of a token: what is kept, and the key of every table of tokens.
#[derive(Clone, Copy)]
pub(crate) struct TokenDigest(pub(crate) [u8; 32]);

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenDigest {}

impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// A digest is spread as well as anything can be, and what is in a table was drawn by us: its first
/// bytes are its hash.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }
}

/// A table by digests of tokens.
pub(crate) type ByDigest<V> =
    std::collections::HashMap<TokenDigest, V, BuildHasherDefault<FirstBytes>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn token(byte: u8) -> Token {
        Token(Key::new([byte; 32]))
    }

    #[test]
    fn a_token_is_printed_with_its_prefix_and_read_back() {
        let text = token(0).text();
        assert_eq!(text.expose(), "plm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        for byte in 0..=255 {
            assert_eq!(Token::parse(token(byte).text().expose()), Some(token(byte)));
        }
    }

    #[test]
    fn only_the_one_text_of_a_token_is_taken() {
        let good = token(0xA5).text().expose().to_owned();
        let end = |c: char| format!("{}{c}", &good[..good.len() - 1]);
        // The last character holds four bits, so three others would decode to the same bytes.
        let taken =
            ('A'..='Z').chain('a'..='z').filter(|c| Token::parse(&end(*c)) == Some(token(0xA5)));
        assert_eq!(taken.count(), 1);
        for bad in [
            "",
            "plm_",
            &good[4..],
            &good.replace("plm_", "PLM_"),
            &format!("{good}A"),
            &format!("{good}="),
        ] {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_kept_is_the_sha_256_of_the_bytes() {
        // SHA-256 of 32 zeros.
        assert_eq!(token(0).digest().0[..4], [0x66, 0x68, 0x7a, 0xad]);
        assert_eq!(format!("{:?} {:?}", token(1), token(1).digest()), "Token(‹secret›) ‹secret›");
    }
}
