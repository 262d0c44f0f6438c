//! Sealing the files of the access log (45 CFR 164.312(a)(2)(iv)): AES-256-GCM (NIST SP 800-38D) with
//! nonces that are counted, under a key for each file.
//!
//! The key of the log follows from the tenant's audit key, so a rotation, which rewraps that one,
//! touches no file. A file's key follows from what its head holds, so a head that was altered, or
//! exchanged for another file's, opens nothing. A nonce is a *run* and a count within the file: every
//! program that opens a file to write on draws a run of its own, so that what a crash, or an older copy,
//! took back is never sealed a second time alike.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base::Fault;

use crate::crypto::derive;
use crate::fault::crypto;
use crate::random::CryptoRandom;
use crate::secret::Secret;

/// Bytes of a run.
pub const RUN_BYTES: usize = 8;
/// Bytes that sealing adds behind the text.
pub const LOG_TAG_BYTES: usize = 16;

/// Which kind of file of the log a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPart {
    /// A segment: its events.
    Segment,
    /// The index of a segment.
    Index,
}

impl LogPart {
    const fn purpose(self) -> &'static str {
        match self {
            Self::Segment => "plummer/1/audit/segment",
            Self::Index => "plummer/1/audit/index",
        }
    }
}

/// What drew its own nonces: the eight bytes before the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run(pub [u8; RUN_BYTES]);

impl Run {
    /// A run for one opening of the log.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn draw(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let mut run = [0; RUN_BYTES];
        random.fill(&mut run)?;
        Ok(Self(run))
    }
}

/// The key that the files of one access log are sealed under.
#[derive(Clone)]
pub struct LogKey {
    key: Arc<Secret>,
    name: [u8; 8],
}

impl LogKey {
    /// The key of the log of the tenant whose audit key this is.
    ///
    /// # Errors
    /// When the cryptography fails.
    pub fn new(audit: &Secret) -> Result<Self, Fault> {
        let key = derive(audit, b"", "plummer/1/audit/log")?;
        let id = derive(&key, b"", "plummer/1/audit/name")?.id();
        Ok(Self { key: Arc::new(key), name: id.0.first_chunk().copied().unwrap_or_default() })
    }

    /// What stands in a file's head, so that another key is told from a file that was altered.
    #[must_use]
    pub const fn name(&self) -> [u8; 8] {
        self.name
    }

    /// The key of the file whose head comes to `head`.
    ///
    /// # Errors
    /// When the cryptography fails.
    pub fn file(&self, part: LogPart, head: &[u8]) -> Result<FileKey, Fault> {
        let derived = derive(&self.key, head, part.purpose())?;
        UnboundKey::new(&AES_256_GCM, derived.expose())
            .map(|key| FileKey(LessSafeKey::new(key)))
            .map_err(|_unspecified| crypto("making a key of the access log ready"))
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

/// The key of one file of the log.
pub struct FileKey(LessSafeKey);

impl FileKey {
    /// Seals what stands in `buffer` from `from` on, in place, and puts the tag behind it. `bound` must
    /// be the same when it is opened; a run and count are used once.
    ///
    /// # Errors
    /// When the cryptography fails; the buffer then ends where the text did.
    pub fn seal(
        &self,
        run: Run,
        count: u32,
        bound: &[u8],
        buffer: &mut Vec<u8>,
        from: usize,
    ) -> Result<(), Fault> {
        let text = buffer.get_mut(from..).unwrap_or_default();
        let tag = self
            .0
            .seal_in_place_separate_tag(nonce(run, count), Aad::from(bound), text)
            .map_err(|_unspecified| crypto("sealing the access log"))?;
        buffer.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Opens what was sealed, into `out`, whose bytes are replaced. Whether it is what was sealed there.
    #[must_use]
    pub fn open(
        &self,
        run: Run,
        count: u32,
        bound: &[u8],
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> bool {
        let Some((text, tag)) = sealed.split_last_chunk::<LOG_TAG_BYTES>() else { return false };
        out.resize(text.len(), 0);
        let (nonce, bound) = (nonce(run, count), Aad::from(bound));
        let opened = self.0.open_separate_gather(nonce, bound, text, tag, out).is_ok();
        if !opened {
            out.clear();
        }
        opened
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

fn nonce(run: Run, count: u32) -> Nonce {
    let mut out = [0; 12];
    let parts = run.0.into_iter().chain(count.to_be_bytes());
    for (slot, byte) in out.iter_mut().zip(parts) {
        *slot = byte;
    }
    Nonce::assume_unique_for_key(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> LogKey {
        LogKey::new(&Secret::take(&mut [byte; 32])).unwrap()
    }

    fn sealed(key: &FileKey, count: u32, bound: &[u8], text: &[u8]) -> Vec<u8> {
        let mut out = b"head".to_vec();
        out.extend_from_slice(text);
        key.seal(Run([5; 8]), count, bound, &mut out, 4).unwrap();
        assert_eq!(&out[..4], b"head");
        out.split_off(4)
    }

    #[test]
    fn what_is_sealed_opens_in_its_file_its_place_and_its_run_alone() {
        let own = key(1).file(LogPart::Segment, b"a head").unwrap();
        let text = sealed(&own, 7, b"bound", b"who saw whom");
        assert!(!text.windows(3).any(|part| part == b"saw"));
        let mut out = Vec::new();
        assert!(own.open(Run([5; 8]), 7, b"bound", &text, &mut out));
        assert_eq!(out, b"who saw whom");
        for other in [
            key(2).file(LogPart::Segment, b"a head").unwrap(),
            key(1).file(LogPart::Segment, b"another head").unwrap(),
            key(1).file(LogPart::Index, b"a head").unwrap(),
        ] {
            assert!(!other.open(Run([5; 8]), 7, b"bound", &text, &mut out));
        }
        assert!(!own.open(Run([6; 8]), 7, b"bound", &text, &mut out));
        assert!(!own.open(Run([5; 8]), 8, b"bound", &text, &mut out));
        assert!(!own.open(Run([5; 8]), 7, b"bounds", &text, &mut out));
        assert!(out.is_empty());
    }

    #[test]
    fn the_name_tells_one_key_from_another_and_prints_nothing_of_it() {
        assert_eq!(key(1).name(), key(1).name());
        assert_ne!(key(1).name(), key(2).name());
        assert_eq!(format!("{:?}", key(1)), "‹secret›");
    }

    proptest! {
        #[test]
        fn opening_strange_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let own = key(1).file(LogPart::Segment, b"a head").unwrap();
            prop_assert!(!own.open(Run([5; 8]), 0, b"", &bytes, &mut Vec::new()));
        }
    }
}
