//! Looking at the log that a crash left, before SQLite does. SQLite takes a frame that it cannot read
//! for the end of the log, and what was committed behind it would be gone without a word.

use super::{FRAME, FRAME_HEAD, LOG_HEAD, log_of, read_up_to};
use base::Fault;
use base::error::code;
use keys::{PageKey, PageSpot};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Looks whether the log is what a crash can leave: whole transactions, and after them perhaps one that
/// was not written whole.
///
/// `synced`: every transaction was synced before the next began. So when an unsound frame has a whole
/// transaction behind it and the beginning of another, it was damaged after it was safe. Frames that an
/// earlier crash left further on do not follow from those before them, which their checksums show.
pub(in crate::sqlite) fn check_log(
    database: &Path,
    key: &PageKey,
    synced: bool,
) -> Result<(), Fault> {
    let damaged = |what: &str| Err(Fault::new(&code::STORE_CORRUPT, what.to_owned()));
    let file = match File::open(log_of(database)) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(crate::sqlite::io(&e)),
    };
    let failed = |e: io::Error| crate::sqlite::io(&e);
    let frames = file.metadata().map_err(failed)?.len().saturating_sub(LOG_HEAD) / FRAME as u64;
    let mut head = [0; 32];
    if read_up_to(&file, &mut head, 0).map_err(failed)? < head.len() || head == [0; 32] {
        return Ok(());
    }
    let (little, sound) = (is_little(&head), is_sound(&head));
    let mut frame = vec![0; FRAME];
    let (mut unsound, mut ended) = (false, false);
    // The checksum of the frame before, while frames follow from each other.
    let mut before: Option<(u32, u32)> = None;
    for number in 0..frames {
        let at = LOG_HEAD + number * FRAME as u64;
        if read_up_to(&file, &mut frame, at).map_err(failed)? < FRAME {
            break;
        }
        if key.open(PageSpot::Frame(number), &mut frame).is_err() {
            (unsound, ended, before) = (true, false, None);
            continue;
        }
        if !sound {
            return damaged("the head of the write-ahead log was altered");
        }
        if frame.get(8..16) != head.get(16..24) {
            // Of an earlier round of the log, which this one has not come to yet.
            before = None;
            continue;
        }
        if !unsound || !synced {
            continue;
        }
        let follows = before.is_some_and(|before| follows(little, before, &frame));
        if ended && follows {
            return damaged(
                "the write-ahead log was altered: a frame before its end does not open",
            );
        }
        ended = (follows || before.is_none()) && word(&frame, 4) != 0;
        before = Some(stated(&frame, 16));
    }
    Ok(())
}

/// The first page as the log has it committed, if it does.
///
/// A loss of power while a checkpoint wrote the first page leaves it torn, and that is no damage: the log
/// is kept until the checkpoint is synced, and what stands in it goes before the file. The frames are
/// gone through as SQLite does, up to the first that does not follow from the one before.
pub(super) fn committed_first_page(database: &Path, key: &PageKey) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(log_of(database)) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut head = [0; 32];
    read_up_to(&file, &mut head, 0)?;
    if !is_sound(&head) {
        return Ok(None);
    }
    let little = is_little(&head);
    let mut before = stated(&head, 24);
    let mut frame = vec![0; FRAME];
    let (mut written, mut committed) = (None, None);
    for number in 0.. {
        let at = LOG_HEAD + number * FRAME as u64;
        if read_up_to(&file, &mut frame, at)? < FRAME
            || key.open(PageSpot::Frame(number), &mut frame).is_err()
            || frame.get(8..16) != head.get(16..24)
            || !follows(little, before, &frame)
        {
            break;
        }
        before = stated(&frame, 16);
        if word(&frame, 0) == 1 {
            written = frame.get(FRAME_HEAD..).map(<[u8]>::to_vec);
        }
        if word(&frame, 4) != 0 {
            committed = written.take().or(committed);
        }
    }
    Ok(committed)
}

/// Whether the log's head is one that SQLite wrote whole.
fn is_sound(head: &[u8; 32]) -> bool {
    word(head, 0) & !1 == 0x377F_0682
        && sum(is_little(head), (0, 0), head.get(..24).unwrap_or_default()) == stated(head, 24)
}

/// How the log's checksums read its bytes.
fn is_little(head: &[u8; 32]) -> bool {
    word(head, 0) & 1 == 0
}

/// Whether a frame follows from the one with this checksum.
fn follows(little: bool, before: (u32, u32), frame: &[u8]) -> bool {
    let first = sum(little, before, frame.get(..8).unwrap_or_default());
    sum(little, first, frame.get(FRAME_HEAD..).unwrap_or_default()) == stated(frame, 16)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_be_bytes(*b))
}

fn stated(bytes: &[u8], at: usize) -> (u32, u32) {
    (word(bytes, at), word(bytes, at + 4))
}

/// The checksum of a log (<https://www.sqlite.org/walformat.html>, 4.4.2), going on from another.
fn sum(little: bool, from: (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let turn = |w: u32| if little { w.swap_bytes() } else { w };
    bytes.chunks_exact(8).fold(from, |(a, b), pair| {
        let a = a.wrapping_add(turn(word(pair, 0))).wrapping_add(b);
        (a, b.wrapping_add(turn(word(pair, 4))).wrapping_add(a))
    })
}
