//! Segment files: their names, their header, the frames in them, and walking them link by link.
//! Everything that reads the log (start-up, `verify`, `read`) reads it through [`Walk`].

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base::Fault;
use base::error::code;
use keys::LogKey;
use sha2::{Digest as _, Sha256};

use crate::chain::{CommitMark, Hash, Head};
use crate::codec::{EVENT_BYTES_MAX, Outline, outline};
use crate::sealing::{Opener, SEAL_EXTRA, SealHead, Sealer};
use crate::verify::Wrong;

/// Bytes of a plain segment's header.
pub const HEADER_BYTES: usize = 104;
/// Bytes of a sealed segment's header.
pub const SEALED_HEADER_BYTES: usize = HEADER_BYTES + 24;
/// Bytes of a frame before its event: length (4) and sequence number (8).
pub const FRAME_HEAD: usize = 12;
/// Bytes of a frame apart from its event: those and the chain hash (32).
pub const FRAME_EXTRA: usize = FRAME_HEAD + 32;

const MAGIC: &[u8; 8] = b"plumaud\n";
const PLAIN: u32 = 1;
const SEALED: u32 = 2;
const EXTENSION: &str = "audit";
const CHUNK: usize = 1 << 20;

/// What a segment's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The number of the segment's first event.
    pub first_seq: u64,
    /// When the segment was begun. For people to look at; nothing rests on it.
    pub created: base::Millis,
    /// How far the store's commits had come before it.
    pub mark: CommitMark,
    /// The hash of the last event of the segment before.
    pub previous: Hash,
    /// Of a sealed segment: what it is sealed under.
    pub seal: Option<SealHead>,
}

impl Header {
    /// How many bytes it has.
    pub const fn length(&self) -> usize {
        if self.seal.is_some() { SEALED_HEADER_BYTES } else { HEADER_BYTES }
    }

    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.body();
        let sum = Sha256::digest(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// The checksum that ends it, from which the segment's key follows.
    pub(crate) fn sum(&self) -> [u8; 32] {
        Sha256::digest(self.body()).into()
    }

    fn body(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        out.extend_from_slice(MAGIC);
        let version = if self.seal.is_some() { SEALED } else { PLAIN };
        out.extend_from_slice(&version.to_be_bytes());
        out.extend_from_slice(&self.first_seq.to_be_bytes());
        out.extend_from_slice(&self.created.0.to_be_bytes());
        out.extend_from_slice(&self.mark.seq.to_be_bytes());
        out.extend_from_slice(&self.mark.events.to_be_bytes());
        out.extend_from_slice(&self.previous.0);
        if let Some(seal) = &self.seal {
            out.extend_from_slice(&seal.name);
            out.extend_from_slice(&seal.salt);
        }
        out
    }

    /// Reads a header; the error says what it lacks.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let (body, sum) = bytes.split_last_chunk::<32>().ok_or("too short")?;
        let rest = body.strip_prefix(MAGIC).ok_or("not a segment of an audit log")?;
        let (version, rest) = fixed::<4>(rest)?;
        let sealed = match u32::from_be_bytes(version) {
            PLAIN => false,
            SEALED => true,
            _ => return Err("not of a format version that this program knows"),
        };
        if sum.as_slice() != Sha256::digest(body).as_slice() {
            return Err("does not match its checksum");
        }
        let (first_seq, rest) = fixed::<8>(rest)?;
        let (created, rest) = fixed::<8>(rest)?;
        let (mark_seq, rest) = fixed::<8>(rest)?;
        let (mark_events, rest) = fixed::<4>(rest)?;
        let (previous, rest) = fixed::<32>(rest)?;
        let (seal, rest) = if sealed {
            let (name, rest) = fixed::<8>(rest)?;
            let (salt, rest) = fixed::<16>(rest)?;
            (Some(SealHead { name, salt }), rest)
        } else {
            (None, rest)
        };
        if !rest.is_empty() {
            return Err("longer than it can be");
        }
        Ok(Self {
            first_seq: u64::from_be_bytes(first_seq),
            created: base::Millis(i64::from_be_bytes(created)),
            mark: CommitMark {
                seq: u64::from_be_bytes(mark_seq),
                events: u32::from_be_bytes(mark_events),
            },
            previous: Hash(previous),
            seal,
        })
    }

    /// Reads the header at the beginning of a file, which then stands behind it.
    pub(crate) fn read(file: &mut File) -> io::Result<Result<Self, &'static str>> {
        let mut bytes = Vec::with_capacity(SEALED_HEADER_BYTES);
        file.take(HEADER_BYTES as u64).read_to_end(&mut bytes)?;
        if says_sealed(&bytes) {
            let more = SEALED_HEADER_BYTES - HEADER_BYTES;
            file.take(more as u64).read_to_end(&mut bytes)?;
        }
        Ok(Self::decode(&bytes))
    }
}

/// Whether what begins a segment says that it is sealed.
pub(crate) fn says_sealed(bytes: &[u8]) -> bool {
    let version = bytes.strip_prefix(MAGIC).and_then(<[u8]>::first_chunk::<4>);
    version.is_some_and(|version| u32::from_be_bytes(*version) == SEALED)
}

/// Whether a file is shorter than its header, which is then being written.
pub(crate) fn is_begun_only(path: &Path) -> io::Result<bool> {
    let mut bytes = Vec::with_capacity(SEALED_HEADER_BYTES);
    File::open(path)?.take(SEALED_HEADER_BYTES as u64).read_to_end(&mut bytes)?;
    let whole = if says_sealed(&bytes) { SEALED_HEADER_BYTES } else { HEADER_BYTES };
    Ok(bytes.len() < whole)
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), &'static str> {
    bytes.split_first_chunk().map(|(head, rest)| (*head, rest)).ok_or("too short")
}

/// The most bytes that stand in a segment for one event.
pub(crate) const STORED_BYTES_MAX: usize = EVENT_BYTES_MAX + SEAL_EXTRA;

/// Appends a frame to `out`, sealed or not, and returns its hash.
pub(crate) fn put_frame(
    out: &mut Vec<u8>,
    previous: &Hash,
    seq: u64,
    event: &[u8],
    sealer: Option<&Sealer>,
) -> Result<Hash, Fault> {
    let length = event.len() + sealer.map_or(0, |_| SEAL_EXTRA);
    // Never longer than EVENT_BYTES_MAX: the log refuses such events first.
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    out.extend_from_slice(&seq.to_be_bytes());
    let from = out.len();
    match sealer {
        Some(sealer) => sealer.seal(out, previous, seq, event)?,
        None => out.extend_from_slice(event),
    }
    // Over what stands in the file, so that who has no key can follow the chain too.
    let hash = previous.link(seq, out.get(from..).unwrap_or_default());
    out.extend_from_slice(&hash.0);
    Ok(hash)
}

/// The length and number at the start of a frame.
pub(crate) fn frame_head(bytes: &[u8]) -> Option<(usize, u64)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (seq, _) = rest.split_first_chunk::<8>()?;
    Some((usize::try_from(u32::from_be_bytes(*length)).ok()?, u64::from_be_bytes(*seq)))
}

/// A segment's file name: twenty digits of its first sequence number, so names sort by it.
pub fn file_name(first_seq: u64) -> String {
    format!("{first_seq:020}.{EXTENSION}")
}

/// The segments of a directory in order: first sequence number by name, and path. Other files are
/// passed over.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        let Some(first) = name.split('.').next().and_then(|d| d.parse().ok()) else { continue };
        if name == file_name(first) {
            found.push((first, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A segment read from its first frame on, each link of the chain checked.
#[derive(Debug)]
pub(crate) struct Walk {
    file: File,
    pub(crate) header: Header,
    /// The last good link.
    pub(crate) head: Head,
    /// How far the store's commits have come.
    pub(crate) mark: CommitMark,
    /// Where the next frame begins in the file.
    pub(crate) offset: u64,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    opener: Opener,
    /// The event that was opened last.
    plain: Vec<u8>,
}

/// One step of a walk.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// The next link, sound.
    Link(Link<'a>),
    /// The next link, sound; the event in it is sealed, and the walk has no key.
    Shut(Head),
    /// The file ends after a whole frame.
    End,
    /// The frame at [`Walk::offset`] is not the one that belongs there.
    Flaw(Wrong),
}

/// A sound link: a frame in its place.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub(crate) head: Head,
    pub(crate) event: &'a [u8],
    pub(crate) outline: Outline<'a>,
    /// The whole frame as it stands in the file.
    pub(crate) frame: &'a [u8],
}

impl Walk {
    /// Opens a segment to read its events; `Err` of the inner result when its header is unsound, or it
    /// is sealed and `key` is not its key.
    pub(crate) fn open(
        path: &Path,
        first_seq: u64,
        key: Option<&LogKey>,
    ) -> io::Result<Result<Self, Wrong>> {
        let walk = Self::open_links(path, first_seq, key)?;
        Ok(walk.and_then(|walk| match walk.opener {
            Opener::Shut => Err(Wrong::Keyless),
            _ => Ok(walk),
        }))
    }

    /// As [`Walk::open`]; without a key it follows the links of a sealed segment.
    pub(crate) fn open_links(
        path: &Path,
        first_seq: u64,
        key: Option<&LogKey>,
    ) -> io::Result<Result<Self, Wrong>> {
        let mut file = File::open(path)?;
        let header = match Header::read(&mut file)? {
            Ok(header) if header.first_seq == first_seq && first_seq > 0 => header,
            Ok(_) => return Ok(Err(Wrong::Header("does not match the file's name"))),
            Err(what) => return Ok(Err(Wrong::Header(what))),
        };
        let opener = match Opener::of(&header, key) {
            Ok(opener) => opener,
            Err(wrong) => return Ok(Err(wrong)),
        };
        Ok(Ok(Self {
            file,
            header,
            head: Head { seq: first_seq - 1, hash: header.previous },
            mark: header.mark,
            offset: header.length() as u64,
            buffer: vec![0; CHUNK],
            at: 0,
            filled: 0,
            opener,
            plain: Vec::new(),
        }))
    }

    /// The next frame, if it is the next link.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        let seq = self.head.seq + 1;
        if !self.fill(FRAME_HEAD)? {
            let rest = self.filled - self.at;
            return Ok(if rest == 0 { Step::End } else { Step::Flaw(Wrong::Torn) });
        }
        let Some((length, found)) = frame_head(self.rest()) else {
            return Ok(Step::Flaw(Wrong::Torn));
        };
        if length > STORED_BYTES_MAX {
            return Ok(Step::Flaw(Wrong::Length));
        }
        if !self.fill(FRAME_EXTRA + length)? {
            return Ok(Step::Flaw(if found == seq { Wrong::Torn } else { Wrong::Number(found) }));
        }
        let frame_at = self.at;
        let frame = self.buffer.get(frame_at..frame_at + FRAME_EXTRA + length).unwrap_or_default();
        let (_, body) = frame.split_at(FRAME_HEAD);
        let (stored, stated) = body.split_at(length);
        let hash = self.head.hash.link(seq, stored);
        if found != seq {
            return Ok(Step::Flaw(Wrong::Number(found)));
        }
        if hash.0 != stated {
            return Ok(Step::Flaw(Wrong::Altered));
        }
        if matches!(self.opener, Opener::Shut) {
            self.at += frame.len();
            self.offset += frame.len() as u64;
            self.head = Head { seq, hash };
            return Ok(Step::Shut(self.head));
        }
        let event = match self.opener.open(&self.head.hash, seq, stored, &mut self.plain) {
            Ok(event) => event,
            Err(wrong) => return Ok(Step::Flaw(wrong)),
        };
        let outline = match outline(event) {
            Ok(outline) => outline,
            Err(malformed) => return Ok(Step::Flaw(Wrong::Event(malformed.what))),
        };
        self.at += frame.len();
        self.offset += frame.len() as u64;
        self.head = Head { seq, hash };
        self.mark.note(outline.commit_seq);
        Ok(Step::Link(Link { head: self.head, event, outline, frame }))
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..self.filled).unwrap_or_default()
    }

    /// Sees to it that `need` bytes are at hand; false when the file has fewer left.
    fn fill(&mut self, need: usize) -> io::Result<bool> {
        if self.filled - self.at >= need {
            return Ok(true);
        }
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        if self.buffer.len() < need {
            self.buffer.resize(need, 0);
        }
        while self.filled < need {
            let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.file.read(space) {
                Ok(0) => return Ok(false),
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

/// A fault for a log that cannot be read or set up.
pub(crate) fn unavailable(doing: &str, error: &io::Error) -> Fault {
    Fault::new(&code::AUDIT_UNAVAILABLE, format!("{doing}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_round_trip_and_guard_every_byte() {
        let header = Header {
            first_seq: 42,
            created: base::Millis(1_795_340_467_123),
            mark: CommitMark { seq: 9, events: 2 },
            previous: Hash([7; 32]),
            seal: None,
        };
        let seal = Some(SealHead { name: [8; 8], salt: [9; 16] });
        for (header, length) in
            [(header, HEADER_BYTES), (Header { seal, ..header }, SEALED_HEADER_BYTES)]
        {
            let bytes = header.encode();
            assert_eq!((bytes.len(), header.length()), (length, length));
            assert_eq!(Header::decode(&bytes), Ok(header));
            for at in 0..bytes.len() {
                let mut altered = bytes.clone();
                altered[at] ^= 0x10;
                assert!(Header::decode(&altered).is_err(), "byte {at}");
            }
            assert!(Header::decode(&bytes[..length - 1]).is_err());
        }
    }
}
