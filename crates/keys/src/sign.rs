//! Signing: an Ed25519 key pair (RFC 8032) for checkpoints of the access log and certificates of
//! destruction. The secret half is kept wrapped in `tenant.keys`; anybody may have the other.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base::Fault;

use crate::crypto::sha256;
use crate::fault::crypto;
use crate::secret::{KeyId, Secret};

/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Signs.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The pair that follows from a seed.
    pub fn new(seed: &Secret) -> Result<Self, Fault> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose())
            .map_err(|_rejected| crypto("making a signing key ready"))?;
        let public = pair.public_key().as_ref().first_chunk().copied();
        let public = public.ok_or_else(|| crypto("making a signing key ready"))?;
        Ok(Self { pair, public: VerifyingKey(public) })
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Fault> {
        let signature = self.pair.try_sign(message).map_err(|_unspecified| crypto("signing"))?;
        signature.as_ref().first_chunk().copied().ok_or_else(|| crypto("signing"))
    }

    /// What verifies its signatures.
    pub const fn public(&self) -> VerifyingKey {
        self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.id())
    }
}

/// Verifies: the public half, in its 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifyingKey(pub [u8; 32]);

impl VerifyingKey {
    /// The key's name: the first 16 bytes of SHA-256 over its 32.
    pub fn id(&self) -> KeyId {
        KeyId(sha256(&[&self.0]).first_chunk().copied().unwrap_or_default())
    }

    /// Whether `signature` is this key's under `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, 7.1, test 1.
    #[test]
    fn signatures_agree_with_the_vector_of_the_rfc() {
        let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let hex = |text: &str| -> Vec<u8> {
            (0..text.len())
                .step_by(2)
                .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
                .collect()
        };
        let key = SigningKey::new(&Secret::take(hex(seed).first_chunk_mut().unwrap())).unwrap();
        assert_eq!(key.public().0.to_vec(), hex(public));
        let signature = key.sign(b"").unwrap();
        assert_eq!(signature[..4], hex("e5564300")[..]);
        assert!(key.public().verify(b"", &signature));
        assert!(!key.public().verify(b"x", &signature), "another message");
        let other = SigningKey::new(&Secret::take(&mut [1; 32])).unwrap();
        assert!(!other.public().verify(b"", &signature), "another key");
        assert!(!key.public().verify(b"", &signature[..63]), "a cut signature");
    }
}
