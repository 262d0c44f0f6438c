//! Sealing the pages of a database and the frames of its log, in place and at their own length:
//! AES-256-GCM (NIST SP 800-38D) with nonces that are counted and never drawn.
//!
//! A page is sealed millions of times in a database's life, more often than one key may be used with
//! nonces drawn at random (2³² times). So each start of the program draws 16 random bytes, derives a
//! key of its own from them, and counts nonces under that; the 16 bytes and the count stand with every
//! page. No nonce is used twice as long as no two starts draw the same 128 bits.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base::Fault;
use parking_lot::RwLock;

use crate::crypto::derive;
use crate::fault::crypto;
use crate::random::CryptoRandom;
use crate::secret::Secret;

const NAME_BYTES: usize = 8;
const START_BYTES: usize = 16;
const COUNT_BYTES: usize = 8;
const TAG_BYTES: usize = 16;
/// Bytes at the end of a page that the seal takes: the key's name (8), what the program drew at its
/// start (16), the count (8), the tag (16).
pub const PAGE_TRAILER_BYTES: usize = NAME_BYTES + START_BYTES + COUNT_BYTES + TAG_BYTES;
/// Keys of other starts kept ready.
const KNOWN_MAX: usize = 1024;

/// Which page a page is. What is sealed for one spot opens at no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageSpot {
    /// A page of the database, by its number.
    Page(u64),
    /// A frame of the write-ahead log, by its place.
    Frame(u64),
}

impl PageSpot {
    fn aad(self) -> [u8; 9] {
        let (kind, number) = match self {
            Self::Page(number) => (1, number),
            Self::Frame(number) => (2, number),
        };
        let mut out = [kind; 9];
        for (slot, byte) in out.iter_mut().skip(1).zip(number.to_be_bytes()) {
            *slot = byte;
        }
        out
    }
}

/// Why a page does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsound {
    /// It does not bear this key's name: it is sealed under another, or not at all.
    OtherKey,
    /// It is not what was sealed there.
    Altered,
}

/// The key of a database's pages, ready for use.
pub struct PageKey {
    key: Secret,
    name: [u8; NAME_BYTES],
    start: [u8; START_BYTES],
    own: LessSafeKey,
    count: AtomicU64,
    known: RwLock<HashMap<[u8; START_BYTES], Arc<LessSafeKey>>>,
}

impl PageKey {
    /// Makes a page key ready for one start of the program.
    pub fn new(key: &Secret, random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let mut start = [0; START_BYTES];
        random.fill(&mut start)?;
        let key = Secret::take(&mut { *key.expose() });
        let id = derive(&key, b"", "plummer/1/page/name")?.id();
        Ok(Self {
            name: id.0.first_chunk().copied().unwrap_or_default(),
            own: key_of(&key, &start)?,
            start,
            key,
            count: AtomicU64::new(1),
            known: RwLock::default(),
        })
    }

    /// Seals a page where it stands. Its last [`PAGE_TRAILER_BYTES`] bytes are written over.
    pub fn seal(&self, spot: PageSpot, page: &mut [u8]) -> Result<(), Fault> {
        let failed = || crypto("sealing a page");
        let split = page.len().checked_sub(PAGE_TRAILER_BYTES).ok_or_else(failed)?;
        let (text, trailer) = page.split_at_mut(split);
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let tag = self
            .own
            .seal_in_place_separate_tag(nonce(count), Aad::from(spot.aad()), text)
            .map_err(|_unspecified| failed())?;
        let parts = self.name.iter().chain(&self.start).chain(&count).chain(tag.as_ref());
        for (slot, byte) in trailer.iter_mut().zip(parts) {
            *slot = *byte;
        }
        Ok(())
    }

    /// Opens a page where it stands; its trailer becomes zeros. When it does not open, what stands there
    /// is worth nothing.
    pub fn open(&self, spot: PageSpot, page: &mut [u8]) -> Result<(), Unsound> {
        let split = page.len().checked_sub(PAGE_TRAILER_BYTES).ok_or(Unsound::Altered)?;
        let (text, trailer) = page.split_at_mut(split);
        let (name, rest) = trailer.split_first_chunk::<NAME_BYTES>().ok_or(Unsound::Altered)?;
        let (start, rest) = rest.split_first_chunk::<START_BYTES>().ok_or(Unsound::Altered)?;
        let (count, tag) = rest.split_first_chunk::<COUNT_BYTES>().ok_or(Unsound::Altered)?;
        if *name != self.name {
            return Err(Unsound::OtherKey);
        }
        let (nonce, aad) = (nonce(*count), Aad::from(spot.aad()));
        let opened = if *start == self.start {
            self.own.open_in_place_separate_tag(nonce, aad, tag, text).is_ok()
        } else {
            let key = self.of_start(start).ok_or(Unsound::Altered)?;
            key.open_in_place_separate_tag(nonce, aad, tag, text).is_ok()
        };
        if !opened {
            return Err(Unsound::Altered);
        }
        trailer.fill(0);
        Ok(())
    }

    /// The key of another start. Forged starts fill the cache at most, which is then begun anew.
    fn of_start(&self, start: &[u8; START_BYTES]) -> Option<Arc<LessSafeKey>> {
        if let Some(key) = self.known.read().get(start) {
            return Some(Arc::clone(key));
        }
        let key = Arc::new(key_of(&self.key, start).ok()?);
        let mut known = self.known.write();
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        known.insert(*start, Arc::clone(&key));
        Some(key)
    }
}

fn key_of(key: &Secret, start: &[u8; START_BYTES]) -> Result<LessSafeKey, Fault> {
    let derived = derive(key, start, "plummer/1/page/start")?;
    UnboundKey::new(&AES_256_GCM, derived.expose())
        .map(LessSafeKey::new)
        .map_err(|_unspecified| crypto("making a page key ready"))
}

fn nonce(count: [u8; COUNT_BYTES]) -> Nonce {
    let mut out = [0; 12];
    for (slot, byte) in out.iter_mut().skip(4).zip(count) {
        *slot = byte;
    }
    Nonce::assume_unique_for_key(out)
}

impl fmt::Debug for PageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use proptest::prelude::*;

    fn key(byte: u8) -> PageKey {
        PageKey::new(&Secret::take(&mut [byte; 32]), &SystemRandom).unwrap()
    }

    fn page() -> Vec<u8> {
        let mut page = b"a name and a number ".repeat(210)[..4096 - PAGE_TRAILER_BYTES].to_vec();
        page.resize(4096, 0);
        page
    }

    #[test]
    fn a_page_opens_at_its_spot_also_after_another_start_and_nowhere_else() {
        let (mut sealed, one) = (page(), key(1));
        one.seal(PageSpot::Page(7), &mut sealed).unwrap();
        assert!(!sealed.windows(6).any(|w| w == b"a name"));
        for (opener, spot, result) in [
            (&one, PageSpot::Page(7), Ok(())),
            (&key(1), PageSpot::Page(7), Ok(())),
            (&one, PageSpot::Page(8), Err(Unsound::Altered)),
            (&one, PageSpot::Frame(7), Err(Unsound::Altered)),
            (&key(2), PageSpot::Page(7), Err(Unsound::OtherKey)),
        ] {
            let mut copy = sealed.clone();
            assert_eq!(opener.open(spot, &mut copy), result);
            assert_eq!(copy == page(), result.is_ok());
        }
    }

    #[test]
    fn the_same_page_is_never_sealed_the_same() {
        let (mut a, mut b, key) = (page(), page(), key(1));
        key.seal(PageSpot::Page(1), &mut a).unwrap();
        key.seal(PageSpot::Page(1), &mut b).unwrap();
        assert_ne!(a[..64], b[..64]);
    }

    proptest! {
        #[test]
        fn no_flipped_bit_is_served(at in 0usize..4096 * 8) {
            let (mut sealed, key) = (page(), key(1));
            key.seal(PageSpot::Page(3), &mut sealed).unwrap();
            sealed[at / 8] ^= 1 << (at % 8);
            prop_assert!(key.open(PageSpot::Page(3), &mut sealed).is_err());
        }

        #[test]
        fn opening_strange_bytes_never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(key(1).open(PageSpot::Page(3), &mut bytes).is_err());
        }
    }
}
