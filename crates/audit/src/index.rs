//! The index of one segment: where its blocks of events begin and when they were, and which events
//! concern which patient. It is made from the segment and kept beside it; when it is gone, or does not
//! fit, it is made anew. Nothing is proven by it, and `verify` does not read it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base::{Fault, Millis};
use keys::{CryptoRandom, FileKey, LOG_TAG_BYTES, LogKey, LogPart, RUN_BYTES, Run};
use sha2::{Digest as _, Sha256};

use crate::segment::unavailable;

/// Events of a block.
pub(crate) const BLOCK: u64 = 256;

const MAGIC: &[u8; 8] = b"plumidx\n";
const SEALED_MAGIC: &[u8; 8] = b"plumids\n";
const SALT_BYTES: usize = 16;
const SEALED_HEAD_BYTES: usize = 8 + SALT_BYTES;
/// Bytes of the index that are sealed together.
const CHUNK: usize = 4096;
/// An index has a key of its own and is written once, so its count alone is enough.
const RUN: Run = Run([0; RUN_BYTES]);
const HEAD_BYTES: usize = 8 + 8 + 8 + 8 + 8;
const BLOCK_BYTES: usize = 24;
const POSTING_BYTES: usize = 12;

/// Up to 256 events that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Where the first begins in the segment.
    pub(crate) offset: u64,
    /// The earliest time of them.
    pub(crate) from: Millis,
    /// The latest.
    pub(crate) until: Millis,
}

/// The postings of a segment: patients' numbers and, for each, the places of events in the segment.
#[derive(Debug)]
pub(crate) enum Postings {
    /// Of the segment that still grows, in the order of the events.
    Growing(Vec<(u64, u32)>),
    /// Of an ended one, on the disk, in the order of the numbers.
    Kept { file: Source, begin: u64, count: u64 },
}

impl Postings {
    /// The places of the events that may concern a patient, oldest first.
    pub(crate) fn find(&self, number: u64) -> io::Result<Vec<u32>> {
        match self {
            Self::Growing(all) => {
                let own = all.iter().filter(|(found, _)| *found == number);
                Ok(own.map(|(_, place)| *place).collect())
            }
            Self::Kept { file, begin, count } => {
                let at = |index: u64| posting(file, begin + index * POSTING_BYTES as u64);
                let (mut low, mut high) = (0, *count);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if at(middle)?.0 < number { low = middle + 1 } else { high = middle }
                }
                let mut places = Vec::new();
                while low < *count {
                    let (found, place) = at(low)?;
                    if found != number {
                        break;
                    }
                    places.push(place);
                    low += 1;
                }
                Ok(places)
            }
        }
    }
}

fn posting(file: &Source, offset: u64) -> io::Result<(u64, u32)> {
    let bytes = file.read(offset, POSTING_BYTES)?;
    let (number, place) = bytes.split_at_checked(8).unwrap_or_default();
    Ok((be64(number), u32::try_from(be64(place)).unwrap_or(u32::MAX)))
}

/// A kept index, read in part.
#[derive(Debug)]
pub(crate) struct Source {
    file: File,
    key: Option<FileKey>,
    /// The sum of its segment's header.
    of: [u8; 32],
}

impl Source {
    /// Bytes of the index as if it were plain.
    fn read(&self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        let Some(key) = &self.key else { return read_at(&self.file, offset, count as u64) };
        let (mut out, until) = (Vec::with_capacity(count), offset + count as u64);
        let mut plain = Vec::new();
        for number in offset / CHUNK as u64..until.div_ceil(CHUNK as u64) {
            let whole = (CHUNK + LOG_TAG_BYTES) as u64;
            let at = SEALED_HEAD_BYTES as u64 + number * whole;
            let mut sealed = Vec::with_capacity(CHUNK + LOG_TAG_BYTES);
            let mut file = &self.file;
            file.seek(SeekFrom::Start(at))?;
            file.take(whole).read_to_end(&mut sealed)?;
            if !key.open(
                RUN,
                u32::try_from(number).unwrap_or(u32::MAX),
                &self.of,
                &sealed,
                &mut plain,
            ) {
                return Err(odd());
            }
            let begin = number * CHUNK as u64;
            let from = usize::try_from(offset.saturating_sub(begin)).unwrap_or(CHUNK);
            let to = usize::try_from(until - begin).unwrap_or(CHUNK).min(plain.len());
            out.extend_from_slice(plain.get(from..to).unwrap_or_default());
        }
        if out.len() == count { Ok(out) } else { Err(odd()) }
    }
}

fn odd() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the index is not what was kept")
}

fn read_at(file: &File, offset: u64, count: u64) -> io::Result<Vec<u8>> {
    let (mut file, mut out) = (file, Vec::new());
    file.seek(SeekFrom::Start(offset))?;
    file.take(count).read_to_end(&mut out)?;
    if out.len() as u64 == count { Ok(out) } else { Err(odd()) }
}

/// The index as it is kept under a key: a magic, a salt, and chunks sealed under a key of their own,
/// bound to the segment whose header has the sum `of`.
fn seal(
    plain: &[u8],
    of: &[u8; 32],
    key: &LogKey,
    random: &dyn CryptoRandom,
) -> Result<(Vec<u8>, FileKey), Fault> {
    let mut salt = [0; SALT_BYTES];
    random.fill(&mut salt)?;
    let file = key.file(LogPart::Index, &salt)?;
    let mut out = [SEALED_MAGIC.as_slice(), &salt].concat();
    out.reserve(plain.len() + plain.len().div_ceil(CHUNK) * LOG_TAG_BYTES);
    for (number, chunk) in (0..).zip(plain.chunks(CHUNK)) {
        let from = out.len();
        out.extend_from_slice(chunk);
        file.seal(RUN, number, of, &mut out, from)?;
    }
    Ok((out, file))
}

/// The index of what [`seal`] made; `None` when it is not that, not of this segment, or not
/// under this key.
fn unseal(bytes: &[u8], of: &[u8; 32], key: &LogKey) -> Option<(Vec<u8>, FileKey)> {
    let (salt, rest) = bytes.strip_prefix(SEALED_MAGIC)?.split_first_chunk::<SALT_BYTES>()?;
    let file = key.file(LogPart::Index, salt).ok()?;
    let (mut out, mut plain) = (Vec::with_capacity(rest.len()), Vec::new());
    for (number, chunk) in (0..).zip(rest.chunks(CHUNK + LOG_TAG_BYTES)) {
        if !file.open(RUN, number, of, chunk, &mut plain) {
            return None;
        }
        out.extend_from_slice(&plain);
    }
    Some((out, file))
}

fn be64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn path(segment: &Path) -> PathBuf {
    segment.with_extension("index")
}

/// Keeps the index of an ended segment of `length` bytes whose header has the sum `of`, and answers its
/// postings from there on. The postings are in order, each once.
pub(crate) fn keep(
    segment: &Path,
    of: [u8; 32],
    (length, events): (u64, u64),
    blocks: &[Block],
    postings: &[(u64, u32)],
    under: Option<(&LogKey, &dyn CryptoRandom)>,
) -> Result<Postings, Fault> {
    let failed = |e| unavailable("the audit log cannot be indexed", &e);
    let size = HEAD_BYTES + blocks.len() * BLOCK_BYTES + postings.len() * POSTING_BYTES + 32;
    let mut out = Vec::with_capacity(size);
    out.extend_from_slice(MAGIC);
    for number in [length, events, blocks.len() as u64, postings.len() as u64] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    for block in blocks {
        out.extend_from_slice(&block.offset.to_be_bytes());
        out.extend_from_slice(&block.from.0.to_be_bytes());
        out.extend_from_slice(&block.until.0.to_be_bytes());
    }
    for (number, place) in postings {
        out.extend_from_slice(&number.to_be_bytes());
        out.extend_from_slice(&place.to_be_bytes());
    }
    let sum = Sha256::digest(&out);
    out.extend_from_slice(&sum);
    let (target, new) = (path(segment), segment.with_extension("index-new"));
    let key = match under {
        Some((key, random)) => {
            let (sealed, key) = seal(&out, &of, key, random)?;
            out = sealed;
            Some(key)
        }
        None => None,
    };
    File::create(&new).and_then(|mut file| file.write_all(&out)).map_err(failed)?;
    std::fs::rename(&new, &target).map_err(failed)?;
    let begin = (HEAD_BYTES + blocks.len() * BLOCK_BYTES) as u64;
    let file = Source { file: File::open(target).map_err(failed)?, key, of };
    Ok(Postings::Kept { file, begin, count: postings.len() as u64 })
}

/// A kept index: the number of events, the blocks and the postings; `None` when there is none that fits
/// the segment of `length` bytes.
///
/// Under a key, one that is plain does not fit, so that it is made anew sealed.
pub(crate) fn load(
    segment: &Path,
    of: [u8; 32],
    length: u64,
    key: Option<&LogKey>,
) -> io::Result<Option<(u64, Vec<Block>, Postings)>> {
    let mut file = match File::open(path(segment)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    // An index is smaller than its segment but for searches that show many patients.
    (&mut file).take(length.saturating_mul(2) + (1 << 20)).read_to_end(&mut bytes)?;
    let key = match key {
        Some(key) => match unseal(&bytes, &of, key) {
            Some((plain, key)) => {
                bytes = plain;
                Some(key)
            }
            None => return Ok(None),
        },
        None => None,
    };
    let file = Source { file, key, of };
    Ok(decode(&bytes, length).map(|(events, blocks, count)| {
        let begin = (HEAD_BYTES + blocks.len() * BLOCK_BYTES) as u64;
        (events, blocks, Postings::Kept { file, begin, count })
    }))
}

fn decode(bytes: &[u8], length: u64) -> Option<(u64, Vec<Block>, u64)> {
    let (body, sum) = bytes.split_last_chunk::<32>()?;
    let (head, rest) = body.split_at_checked(HEAD_BYTES)?;
    let mut numbers = head.strip_prefix(MAGIC)?.chunks(8).map(be64);
    let (found, events) = (numbers.next()?, numbers.next()?);
    let (blocks, count) = (numbers.next()?, numbers.next()?);
    let blocks_bytes = usize::try_from(blocks).ok()?.checked_mul(BLOCK_BYTES)?;
    let (block_part, postings) = rest.split_at_checked(blocks_bytes)?;
    let postings_bytes = usize::try_from(count).ok()?.checked_mul(POSTING_BYTES)?;
    let fits = found == length
        && blocks == events.div_ceil(BLOCK)
        && postings.len() == postings_bytes
        && Sha256::digest(body).as_slice() == sum;
    let blocks = block_part.chunks(BLOCK_BYTES).map(|block| {
        let mut parts = block.chunks(8).map(be64);
        let mut next = || parts.next().unwrap_or_default();
        Block {
            offset: next(),
            from: Millis(next().cast_signed()),
            until: Millis(next().cast_signed()),
        }
    });
    fits.then(|| (events, blocks.collect(), count))
}
