//! The few primitives the rooms of this crate share: SHA-256, HKDF (RFC 5869), HMAC (RFC 2104) and
//! AES-256 key wrap (RFC 3394, NIST SP 800-38F), all from aws-lc.

use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use aws_lc_rs::{digest, hkdf, hmac};
use base::Fault;

use crate::fault::crypto;
use crate::secret::Secret;

/// Bytes of a key that is wrapped: the key and eight that prove it whole.
pub const WRAPPED_BYTES: usize = 40;

/// SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// The key for one purpose that follows from `key`: HKDF-SHA-256. Purposes are fixed texts of this
/// crate, so no two of them are the same bytes.
pub(crate) fn derive(key: &Secret, salt: &[u8], purpose: &str) -> Result<Secret, Fault> {
    let mut out = Secret::blank();
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key.expose())
        .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.expose_mut()))
        .map_err(|_unspecified| crypto("deriving a key"))?;
    Ok(out)
}

/// Wraps `key` under `under` (RFC 3394).
pub fn wrap_key(under: &Secret, key: &Secret) -> Result<[u8; WRAPPED_BYTES], Fault> {
    let mut out = [0; WRAPPED_BYTES];
    AesKek::new(&AES_256, under.expose())
        .and_then(|kek| kek.wrap(key.expose(), &mut out).map(|_| ()))
        .map_err(|_unspecified| crypto("wrapping a key"))?;
    Ok(out)
}

/// Unwraps a key; `None` when it was not wrapped under `under`, or was altered.
pub fn unwrap_key(under: &Secret, wrapped: &[u8; WRAPPED_BYTES]) -> Option<Secret> {
    let mut out = Secret::blank();
    let kek = AesKek::new(&AES_256, under.expose()).ok()?;
    kek.unwrap(wrapped, out.expose_mut()).ok()?;
    Some(out)
}

/// HMAC-SHA-256 under one key.
pub(crate) struct Mac(hmac::Key);

impl Mac {
    pub(crate) fn new(key: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose()))
    }

    /// The first `N` bytes of the tag over the parts, one after the other.
    pub(crate) fn tag<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        context.sign().as_ref().first_chunk().copied().unwrap_or([0; N])
    }
}

/// Whether two tags are the same, in a time that does not depend on where they differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<_> = text.chars().filter_map(|c| c.to_digit(16)).collect();
        digits.chunks(2).map(|p| u8::try_from(p[0] * 16 + p[1]).unwrap()).collect()
    }

    fn secret(text: &str) -> Secret {
        Secret::take(hex(text).first_chunk_mut().unwrap())
    }

    /// RFC 3394, 4.6: 256 bits of key data with a 256-bit key.
    #[test]
    fn wrapping_agrees_with_the_vector_of_the_rfc() {
        let kek = secret("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F");
        let key = secret("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F");
        let wrapped = wrap_key(&kek, &key).unwrap();
        assert_eq!(
            wrapped.to_vec(),
            hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21")
        );
        assert_eq!(unwrap_key(&kek, &wrapped).unwrap().expose(), key.expose());
        for at in 0..WRAPPED_BYTES {
            let mut altered = wrapped;
            altered[at] ^= 1;
            assert!(unwrap_key(&kek, &altered).is_none(), "byte {at}");
        }
        assert!(unwrap_key(&key, &wrapped).is_none(), "another key");
    }

    /// RFC 4231, test case 2.
    #[test]
    fn a_mac_agrees_with_the_vector_of_the_rfc() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"Jefe");
        let tag = Mac(key).tag::<32>(&[b"what do ya want ", b"for nothing?"]);
        let said = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(tag.to_vec(), hex(said));
    }

    #[test]
    fn purposes_and_salts_part_keys() {
        let key = Secret::take(&mut [1; 32]);
        let one = derive(&key, b"a", "x").unwrap();
        assert_eq!(one.expose(), derive(&key, b"a", "x").unwrap().expose());
        assert_ne!(one.expose(), derive(&key, b"a", "y").unwrap().expose());
        assert_ne!(one.expose(), derive(&key, b"b", "x").unwrap().expose());
    }

    /// RFC 5869, A.1, asks for 22 bytes of input; the shape of the call is held by its own output.
    #[test]
    fn a_derived_key_is_fixed() {
        let key = Secret::take(&mut [0x0b; 32]);
        let first = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"salt"), key.expose());
        let step = hmac::Key::new(hmac::HMAC_SHA256, first.as_ref());
        let by_hand = hmac::sign(&step, b"purpose\x01");
        assert_eq!(&derive(&key, b"salt", "purpose").unwrap().expose()[..], by_hand.as_ref());
    }
}
