//! Start-up: finds the head of the log, and repairs what a crash may leave, and nothing else.
//!
//! A crash leaves a last write that is cut off or, when the power failed, lacks some of the disk's
//! sectors. Only bytes that had not been synced can be so; they stand at the end of the last segment,
//! since a segment is synced before the next is begun. Such a tail is set aside in a `.torn` file and
//! cut off. Anything else that is wrong is damage, and the log does not open: an attacker must not be
//! able to have the server itself remove the events he altered.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base::Fault;
use keys::LogKey;

use crate::chain::{CommitMark, Hash, Head};
use crate::codec::outline;
use crate::segment::{
    FRAME_EXTRA, FRAME_HEAD, HEADER_BYTES, Header, SEALED_HEADER_BYTES, STORED_BYTES_MAX, Step,
    Walk, frame_head, is_begun_only, list, unavailable,
};
use crate::verify::{Damage, PLAIN_AGAIN, Wrong};

/// The least that a disk writes at once.
const SECTOR: usize = 512;

/// Where the log stood when it was opened.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) head: Head,
    pub(crate) mark: CommitMark,
    /// The segment to go on with, its header and its length; none in a new log.
    pub(crate) segment: Option<(PathBuf, Header, u64)>,
    /// Bytes of an unfinished write that were cut off.
    pub(crate) torn_bytes: u64,
}

/// Reads the last segment, repairs its tail, and holds the head against the anchor.
pub(crate) fn recover(
    dir: &Path,
    anchor: Option<Head>,
    key: Option<&LogKey>,
) -> Result<Recovered, Fault> {
    let failed = |e: io::Error| unavailable("the audit log cannot be read", &e);
    let mut segments = list(dir).map_err(failed)?;
    if segments.first().is_some_and(|(first, _)| *first != 1) {
        let damage = Damage { seq: 1, segment: None, offset: 0, wrong: Wrong::Truncated };
        return Err(corrupt(&damage));
    }
    let mut torn_bytes = 0;
    while let Some((first_seq, path)) = segments.pop() {
        if let Some(bytes) = unfinished_segment(&path).map_err(failed)? {
            fs::remove_file(&path).map_err(failed)?;
            torn_bytes += bytes;
            continue;
        }
        let before = segments.last().map(|(_, path)| path.as_path());
        let mut recovered = last_segment(&path, first_seq, anchor, key, before)?;
        recovered.torn_bytes += torn_bytes;
        return Ok(recovered);
    }
    hold_against(anchor, Head::default())?;
    Ok(Recovered { torn_bytes, ..Recovered::default() })
}

/// The length of a segment that a crash left without a whole header. The header is synced before
/// anything follows it, so such a file holds no event.
fn unfinished_segment(path: &Path) -> io::Result<Option<u64>> {
    let mut bytes = Vec::with_capacity(SEALED_HEADER_BYTES + 1);
    fs::File::open(path)?.take(SEALED_HEADER_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    let unfinished = is_begun_only(path)?
        || (matches!(bytes.len(), HEADER_BYTES | SEALED_HEADER_BYTES)
            && bytes.iter().all(|b| *b == 0));
    Ok(unfinished.then_some(bytes.len() as u64))
}

fn last_segment(
    path: &Path,
    first_seq: u64,
    anchor: Option<Head>,
    key: Option<&LogKey>,
    before: Option<&Path>,
) -> Result<Recovered, Fault> {
    let failed = |e: io::Error| unavailable("the audit log cannot be read", &e);
    let segment = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let mut walk = match Walk::open(path, first_seq, key).map_err(failed)? {
        Ok(walk) => walk,
        Err(wrong) => return Err(corrupt(&Damage { seq: first_seq, segment, offset: 0, wrong })),
    };
    if walk.header.seal.is_none() && before.is_some_and(is_sealed) {
        let wrong = Wrong::Header(PLAIN_AGAIN);
        return Err(corrupt(&Damage { seq: first_seq, segment, offset: 0, wrong }));
    }
    let flaw = loop {
        if anchor.is_some_and(|anchor| anchor.seq == walk.head.seq) {
            hold_against(anchor, walk.head)?;
        }
        match walk.step().map_err(failed)? {
            Step::Link(_) | Step::Shut(_) => {}
            Step::End => break None,
            Step::Flaw(wrong) => break Some(wrong),
        }
    };
    let ahead = anchor.filter(|anchor| anchor.seq > walk.head.seq);
    let mut torn_bytes = 0;
    if let Some(wrong) = flaw {
        let seq = walk.head.seq + 1;
        let tail = read_tail(path, walk.offset).map_err(failed)?;
        if !is_torn(&tail, walk.offset, seq) {
            return Err(corrupt(&Damage { seq, segment, offset: walk.offset, wrong }));
        }
        hold_against(ahead, walk.head)?;
        torn_bytes = tail.len() as u64;
        cut_tail(path, walk.offset, &tail).map_err(failed)?;
        tracing::warn!(seq, torn_bytes, "cut an unfinished write off the audit log");
    }
    hold_against(ahead, walk.head)?;
    Ok(Recovered {
        head: walk.head,
        mark: walk.mark,
        segment: Some((path.to_owned(), walk.header, walk.offset)),
        torn_bytes,
    })
}

/// The head must have reached the anchor and, where they stand at the same event, equal it.
fn hold_against(anchor: Option<Head>, head: Head) -> Result<(), Fault> {
    let Some(anchor) = anchor.filter(|anchor| anchor.seq > 0) else { return Ok(()) };
    let (seq, wrong) = match anchor.seq.cmp(&head.seq) {
        std::cmp::Ordering::Greater => (head.seq + 1, Wrong::Truncated),
        std::cmp::Ordering::Equal if anchor.hash != head.hash => (head.seq, Wrong::Anchor),
        _ => return Ok(()),
    };
    Err(corrupt(&Damage { seq, segment: None, offset: 0, wrong }))
}

fn corrupt(damage: &Damage) -> Fault {
    damage.fault()
}

/// Whether `tail`, which begins at `offset` of the file where event `seq` should be, is what a crash
/// leaves of a write: cut off by the end of the file with no event after it, or with sectors that the
/// disk never got, which read as zeros.
fn is_torn(tail: &[u8], offset: u64, seq: u64) -> bool {
    let Some(head) = tail.get(..FRAME_HEAD) else { return true };
    if head.iter().all(|b| *b == 0) {
        return true;
    }
    let length = frame_head(head)
        .and_then(|(length, found)| (found == seq && length <= STORED_BYTES_MAX).then_some(length));
    // Where length and number make no sense, they may stand across the edge of a lost sector.
    let reach = length.map_or(FRAME_HEAD, |length| length + FRAME_EXTRA);
    let frame = tail.get(..reach).unwrap_or(tail);
    edges(frame, offset).any(|edge| is_lost(tail, edge))
        || (length.is_some() && reach > tail.len() && !event_after(tail, seq))
}

/// Whether the disk never got the sector that begins at `edge` of the tail, or the one that ends there
/// and with it at least the length of the event, which is never 0.
fn is_lost(tail: &[u8], edge: usize) -> bool {
    let (before, after) = tail.split_at_checked(edge).unwrap_or((tail, &[]));
    after.iter().take(SECTOR).all(|b| *b == 0)
        || ((4..FRAME_HEAD).contains(&edge) && before.iter().all(|b| *b == 0))
}

/// Where sectors begin inside `bytes`, which stand at `offset` of the file.
fn edges(bytes: &[u8], offset: u64) -> impl Iterator<Item = usize> {
    let first =
        usize::try_from(offset.next_multiple_of(SECTOR as u64) - offset).unwrap_or(usize::MAX);
    (first..bytes.len()).step_by(SECTOR)
}

/// Whether a whole later event stands anywhere in the tail: then the length before it was altered.
pub(crate) fn event_after(tail: &[u8], seq: u64) -> bool {
    let later = seq + 1..=seq + (tail.len() / FRAME_EXTRA) as u64;
    (1..tail.len()).any(|at| {
        let rest = tail.get(at..).unwrap_or_default();
        frame_head(rest).is_some_and(|(length, found)| {
            later.contains(&found)
                && length <= STORED_BYTES_MAX
                && rest.len() >= length + FRAME_EXTRA
                && rest
                    .get(FRAME_HEAD..FRAME_HEAD + length)
                    .is_some_and(|stored| outline(stored).is_ok() || links(tail, at, found, stored))
        })
    })
}

/// Whether a frame of what is sealed stands at `at`: its hash follows from the one before it.
fn links(tail: &[u8], at: usize, seq: u64, stored: &[u8]) -> bool {
    let before = tail.get(..at).and_then(<[u8]>::last_chunk::<32>);
    let stated = tail.get(at + FRAME_HEAD + stored.len()..).and_then(<[u8]>::first_chunk::<32>);
    before.zip(stated).is_some_and(|(before, stated)| Hash(*before).link(seq, stored).0 == *stated)
}

/// Whether the segment says that it is sealed.
fn is_sealed(path: &Path) -> bool {
    let header = fs::File::open(path).and_then(|mut file| Header::read(&mut file));
    header.is_ok_and(|header| header.is_ok_and(|header| header.seal.is_some()))
}

/// The bytes of a file from `offset` on.
pub(crate) fn read_tail(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(tail)
}

/// Sets the tail aside, durably, and then cuts it off.
fn cut_tail(path: &Path, offset: u64, tail: &[u8]) -> io::Result<()> {
    let mut aside =
        OpenOptions::new().append(true).create(true).open(path.with_extension("torn"))?;
    aside.write_all(tail)?;
    aside.sync_all()?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(offset)?;
    file.sync_all()
}
