//! Sealing one body under one data key: AES-256-GCM (NIST SP 800-38D) with a nonce drawn at random.
//!
//! A sealed body is a version byte (1), the nonce (12), the text, and the tag (16). The tag also covers
//! which record and which version of it the body is, so that no body can stand in another's place.
//!
//! Nonces of 96 random bits may meet: after 2³² bodies under one key the chance of it is 2⁻³³, which is
//! the most that SP 800-38D 8.3 permits, so 2³² is the limit of one key. A key is one patient's: a
//! record of a million versions has a chance of about 2⁻⁵⁷.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base::Fault;
use base::error::code;

use crate::fault::crypto;
use crate::random::CryptoRandom;
use crate::secret::Secret;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
/// Bytes of a sealed body before the text.
pub const HEAD_BYTES: usize = 1 + NONCE_BYTES;
/// Bytes of a sealed body after the text.
pub const TAG_BYTES: usize = 16;
/// What sealing adds to a body.
pub const OVERHEAD_BYTES: usize = HEAD_BYTES + TAG_BYTES;
/// The longest body that is sealed; far above any resource, far below what GCM can.
pub const PLAIN_BYTES_MAX: usize = 1 << 30;

/// Where a body belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The number of the record.
    pub record: u64,
    /// The number of its version.
    pub version: u64,
}

impl Place {
    fn aad(self) -> [u8; 17] {
        let mut out = [VERSION; 17];
        let fields = self.record.to_be_bytes().into_iter().chain(self.version.to_be_bytes());
        for (slot, byte) in out.iter_mut().skip(1).zip(fields) {
            *slot = byte;
        }
        out
    }
}

/// A data key, ready for use.
pub struct DataKey(LessSafeKey);

impl DataKey {
    /// Makes a key ready.
    pub fn new(key: &Secret) -> Result<Self, Fault> {
        UnboundKey::new(&AES_256_GCM, key.expose())
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_unspecified| crypto("making a data key ready"))
    }

    /// Seals a body.
    pub fn seal(
        &self,
        place: Place,
        plain: &[u8],
        random: &dyn CryptoRandom,
    ) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::with_capacity(plain.len() + OVERHEAD_BYTES);
        out.resize(HEAD_BYTES, 0);
        out.extend_from_slice(plain);
        self.seal_in_place(place, &mut out, random)?;
        Ok(out)
    }

    /// Seals the body that stands in `buffer` behind [`HEAD_BYTES`] bytes, which are written over. A
    /// buffer with [`TAG_BYTES`] to spare is not moved.
    pub fn seal_in_place(
        &self,
        place: Place,
        buffer: &mut Vec<u8>,
        random: &dyn CryptoRandom,
    ) -> Result<(), Fault> {
        let (head, text) = buffer
            .split_first_chunk_mut::<HEAD_BYTES>()
            .filter(|(_, text)| text.len() <= PLAIN_BYTES_MAX)
            .ok_or_else(|| crypto("sealing a body of a length that cannot be"))?;
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce)?;
        let (version, place_of_nonce) = head.split_at_mut(1);
        version.fill(VERSION);
        place_of_nonce.copy_from_slice(&nonce);
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.aad()),
                text,
            )
            .map_err(|_unspecified| crypto("sealing a body"))?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens a sealed body.
    pub fn open(&self, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        self.open_into(place, sealed, &mut out)?;
        Ok(out)
    }

    /// Opens a sealed body into `out`, whose bytes are replaced and whose room is used again: for bodies
    /// that stand in somebody else's memory, without a copy of the sealed ones.
    pub fn open_into(&self, place: Place, sealed: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        let parts = apart(sealed);
        out.resize(sealed.len().saturating_sub(OVERHEAD_BYTES), 0);
        let opened = parts.and_then(|(nonce, text, tag)| {
            self.0.open_separate_gather(nonce, Aad::from(place.aad()), text, tag, out).ok()
        });
        if opened.is_none() {
            out.clear();
        }
        opened.ok_or_else(altered)
    }

    /// Opens a sealed body where it stands, and gives the part of it that is the text.
    pub fn open_in_place<'a>(
        &self,
        place: Place,
        sealed: &'a mut [u8],
    ) -> Result<&'a mut [u8], Fault> {
        let (nonce, ..) = apart(sealed).ok_or_else(altered)?;
        let text = sealed.get_mut(HEAD_BYTES..).unwrap_or_default();
        self.0.open_in_place(nonce, Aad::from(place.aad()), text).map_err(|_unspecified| altered())
    }
}

fn altered() -> Fault {
    let what = "a body is not what was sealed there under this key";
    Fault::new(&code::KEYS_BODY_ALTERED, what)
}

/// Nonce, text and tag of a sealed body.
fn apart(sealed: &[u8]) -> Option<(Nonce, &[u8], &[u8])> {
    let (&[version], rest) = sealed.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (text, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
    let fits = version == VERSION && text.len() <= PLAIN_BYTES_MAX;
    fits.then(|| (Nonce::assume_unique_for_key(*nonce), text, tag.as_slice()))
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}
