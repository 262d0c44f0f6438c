//! The short name by which this site knows another organisation's server that vouches for people: it
//! stands in addresses, sessions and the access log, so it is plain and short
//! (<https://openid.net/specs/openid-connect-core-1_0.html#Terminology>, Issuer).

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Characters of a name.
pub const ISSUER_CHARS_MAX: usize = 32;

/// The name of an issuer: 1 to 32 of `a` to `z`, `0` to `9` and hyphens inside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerName {
    bytes: [u8; ISSUER_CHARS_MAX],
    length: u8,
}

impl IssuerName {
    /// Reads a name; there is one text for each.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let sound = (1..=ISSUER_CHARS_MAX).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if !sound {
            return None;
        }
        let mut bytes = [0; ISSUER_CHARS_MAX];
        for (slot, byte) in bytes.iter_mut().zip(text.bytes()) {
            *slot = byte;
        }
        Some(Self { bytes, length: u8::try_from(text.len()).ok()? })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Display for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for IssuerName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for IssuerName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let say = "a name of an issuer is 1 to 32 of a to z, 0 to 9 and hyphens inside";
        Self::parse(&text).ok_or_else(|| D::Error::custom(say))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain_short_and_reads_back() {
        for good in ["a", "st-elsewhere", "0", &"a".repeat(32)] {
            assert_eq!(IssuerName::parse(good).expect(good).as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a b", "a/b", "ä", "a.b", &"a".repeat(33)] {
            assert!(IssuerName::parse(bad).is_none(), "{bad}");
        }
    }
}
