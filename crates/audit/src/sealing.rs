//! What stands in a sealed segment in place of an event (45 CFR 164.312(a)(2)(iv)), and how it is
//! opened: the run (8 bytes), the event encrypted, the tag (16).
//!
//! The tag also covers the hash before and the event's number, so nobody without the key can make,
//! move or join events, though the chain itself can be followed by anybody. The file's key follows from
//! the header's checksum, so a header that was altered opens nothing.

use std::sync::Arc;

use base::Fault;
use base::error::code;
use keys::{CryptoRandom, FileKey, LOG_TAG_BYTES, LogKey, LogPart, RUN_BYTES, Run};

use crate::chain::Hash;
use crate::segment::Header;
use crate::verify::Wrong;

/// What sealing adds to an event.
pub const SEAL_EXTRA: usize = RUN_BYTES + LOG_TAG_BYTES;

/// What the header of a sealed segment says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealHead {
    /// The name of the log's key.
    pub name: [u8; 8],
    /// Drawn for this segment.
    pub salt: [u8; 16],
}

impl SealHead {
    pub(crate) fn draw(key: &LogKey, random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        Ok(Self { name: key.name(), salt })
    }
}

/// Seals the events of one log as they are appended.
#[derive(Debug)]
pub(crate) struct Sealer {
    key: LogKey,
    random: Arc<dyn CryptoRandom>,
    run: Run,
    segment: Option<(FileKey, u64)>,
}

impl Sealer {
    /// For one opening of the log: what it seals is never sealed alike by another.
    pub(crate) fn new(key: LogKey, random: Arc<dyn CryptoRandom>) -> Result<Self, Fault> {
        let run = Run::draw(&*random)?;
        Ok(Self { key, random, run, segment: None })
    }

    /// What the next segment's header says.
    pub(crate) fn head(&self) -> Result<SealHead, Fault> {
        SealHead::draw(&self.key, &*self.random)
    }

    /// Goes on to a segment.
    pub(crate) fn enter(&mut self, header: &Header) -> Result<(), Fault> {
        self.segment = match header.seal {
            Some(_) => Some((file_key(&self.key, header)?, header.first_seq)),
            None => None,
        };
        Ok(())
    }

    /// Appends an event to `out` as it stands in the segment.
    pub(crate) fn seal(
        &self,
        out: &mut Vec<u8>,
        previous: &Hash,
        seq: u64,
        event: &[u8],
    ) -> Result<(), Fault> {
        let counted = self.segment.as_ref().and_then(|(key, first)| {
            let count = seq.checked_sub(*first)?;
            Some((key, u32::try_from(count).ok()?))
        });
        let (key, count) = counted.ok_or_else(|| {
            Fault::new(&code::INTERNAL, "an event stands in no segment that can seal it")
        })?;
        out.extend_from_slice(&self.run.0);
        let from = out.len();
        out.extend_from_slice(event);
        key.seal(self.run, count, &bound(previous, seq), out, from)
    }
}

/// How the events of one segment are read.
#[derive(Debug)]
pub(crate) enum Opener {
    /// As they stand.
    Plain,
    /// By the segment's key.
    Sealed(FileKey, u64),
    /// Not at all: only the links are held.
    Shut,
}

impl Opener {
    /// For a segment with this header. Without the key of a sealed one, [`Opener::Shut`].
    pub(crate) fn of(header: &Header, key: Option<&LogKey>) -> Result<Self, Wrong> {
        let Some(seal) = header.seal else { return Ok(Self::Plain) };
        let Some(key) = key else { return Ok(Self::Shut) };
        if seal.name != key.name() {
            return Err(Wrong::OtherKey);
        }
        let opened = file_key(key, header).map_err(|_failed| Wrong::Keyless)?;
        Ok(Self::Sealed(opened, header.first_seq))
    }

    /// The event that stands there as `stored`; `plain` holds it when it was sealed.
    pub(crate) fn open<'a>(
        &self,
        previous: &Hash,
        seq: u64,
        stored: &'a [u8],
        plain: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Wrong> {
        let (key, first) = match self {
            Self::Plain => return Ok(stored),
            Self::Shut => return Err(Wrong::Keyless),
            Self::Sealed(key, first) => (key, *first),
        };
        let parts = stored.split_first_chunk::<RUN_BYTES>();
        let count = seq.checked_sub(first).and_then(|count| u32::try_from(count).ok());
        let (Some((run, sealed)), Some(count)) = (parts, count) else { return Err(Wrong::Sealed) };
        match key.open(Run(*run), count, &bound(previous, seq), sealed, plain) {
            true => Ok(plain),
            false => Err(Wrong::Sealed),
        }
    }
}

fn file_key(key: &LogKey, header: &Header) -> Result<FileKey, Fault> {
    key.file(LogPart::Segment, &header.sum())
}

/// What the tag covers besides the event.
fn bound(previous: &Hash, seq: u64) -> [u8; 40] {
    let mut out = [0; 40];
    let parts = previous.0.into_iter().chain(seq.to_be_bytes());
    for (slot, byte) in out.iter_mut().zip(parts) {
        *slot = byte;
    }
    out
}
