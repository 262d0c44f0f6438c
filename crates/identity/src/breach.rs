//! A site's own list of passwords that were found in breaches elsewhere: SHA-1 hashes, or equally
//! long prefixes of them, sorted, one `HEX:COUNT` a line, searched without loading it (NIST SP
//! 800-63B 5.1.1.2). Whoever runs the site gets the list; none is shipped. The compact form that is made of
//! it, `packed.rs`, is a tenth as large and checks itself.

use std::cmp::Ordering;
use std::fmt;
use std::io::{Read, Seek, SeekFrom};

use base::Fault;
use parking_lot::Mutex;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroize as _;

use crate::packed::damaged;

/// Bytes of one line, its end included.
const LINE_MAX: usize = 64;
/// When so few bytes are left, they are read whole.
const WINDOW: u64 = 4096;
/// Digits a prefix has at least: with fewer, innocent passwords would be hit.
const DIGITS_MIN: usize = 10;

/// Knows passwords that must not be used because they are known to others.
pub trait Breached: Send + Sync + fmt::Debug {
    /// Whether the password of this SHA-1 is among them.
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, Fault>;
}

/// Whether bytes are the beginning of a list of hashes, a line each.
pub fn is_list(head: &[u8]) -> bool {
    let cut = head.iter().position(|b| *b == b'\n').map_or(head.len(), |end| end + 1);
    !head.is_empty() && head.get(..cut).and_then(line).is_some()
}

/// Asks about a password's text.
pub(crate) fn holds(list: &dyn Breached, password: &str) -> Result<bool, Fault> {
    let mut digest: [u8; 20] = Sha1::digest(password.as_bytes()).into();
    let found = list.holds(&digest);
    digest.zeroize();
    found
}

/// A sorted list behind anything that can be read and sought.
pub struct SortedHashes<R>(Mutex<R>);

impl<R> SortedHashes<R> {
    /// Takes the list over. What it holds shows when it is searched.
    pub const fn new(reader: R) -> Self {
        Self(Mutex::new(reader))
    }
}

impl<R> fmt::Debug for SortedHashes<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SortedHashes")
    }
}

impl<R: Read + Seek + Send> Breached for SortedHashes<R> {
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, Fault> {
        search(&mut *self.0.lock(), sha1)
    }
}

/// Halves the file by bytes: `low` is the start of a line behind which the hash must stand, `high`
/// the start of one before which it must.
fn search(list: &mut (impl Read + Seek), sha1: &[u8; 20]) -> Result<bool, Fault> {
    let wanted = hex(sha1);
    let (mut low, mut high) = (0u64, list.seek(SeekFrom::End(0)).map_err(unreadable)?);
    let mut buffer = [0; LINE_MAX * 2];
    let digits = {
        let head = read_at(list, 0, &mut buffer)?;
        if head.is_empty() {
            return Ok(false);
        }
        line(head).ok_or_else(malformed)?.0.len()
    };
    while high - low > WINDOW {
        let middle = low + (high - low) / 2;
        let bytes = read_at(list, middle, &mut buffer)?;
        let end = bytes.iter().position(|b| *b == b'\n').ok_or_else(malformed)?;
        let rest = bytes.get(end + 1..).unwrap_or_default();
        let (found, length) = line(rest).ok_or_else(malformed)?;
        let start = middle + end as u64 + 1;
        match compare(found, digits, &wanted)? {
            Ordering::Equal => return Ok(true),
            Ordering::Less => low = start + length as u64,
            Ordering::Greater => high = start,
        }
        if low > high {
            return Err(malformed());
        }
    }
    // The last window is as wide as it was when it became narrow: at most WINDOW bytes.
    let mut window = vec![0; usize::try_from(high - low).ok().ok_or_else(malformed)?];
    let mut rest = read_at(list, low, &mut window)?;
    while !rest.is_empty() {
        let (found, length) = line(rest).ok_or_else(malformed)?;
        match compare(found, digits, &wanted)? {
            Ordering::Equal => return Ok(true),
            Ordering::Less => rest = rest.get(length..).unwrap_or_default(),
            Ordering::Greater => return Ok(false),
        }
    }
    Ok(false)
}

/// The digits of the first line of `bytes`, and the line's length with its end. The last line of a
/// file may lack its end.
fn line(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let length = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| end + 1);
    let whole = bytes.get(..length)?;
    let end = whole.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(length);
    let (digits, rest) = whole.split_at_checked(end)?;
    let rest = rest.strip_suffix(b"\n").unwrap_or(rest);
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    let count = rest.strip_prefix(b":").unwrap_or(rest);
    let sound = length <= LINE_MAX
        && (DIGITS_MIN..=40).contains(&digits.len())
        && count.iter().all(u8::is_ascii_digit);
    sound.then_some((digits, length))
}

fn compare(found: &[u8], digits: usize, wanted: &[u8; 40]) -> Result<Ordering, Fault> {
    let wanted = wanted.get(..digits).filter(|_| found.len() == digits).ok_or_else(malformed)?;
    Ok(found.iter().map(u8::to_ascii_uppercase).cmp(wanted.iter().copied()))
}

/// Reads at `at` until `out` is full or the list ends.
fn read_at<'b>(
    list: &mut (impl Read + Seek),
    at: u64,
    out: &'b mut [u8],
) -> Result<&'b [u8], Fault> {
    list.seek(SeekFrom::Start(at)).map_err(unreadable)?;
    let mut filled = 0;
    while let Some(room) = out.get_mut(filled..).filter(|room| !room.is_empty()) {
        match list.read(room).map_err(unreadable)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(out.get(..filled).unwrap_or_default())
}

fn hex(bytes: &[u8; 20]) -> [u8; 40] {
    let mut out = [0; 40];
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (slot, nibble) in out.iter_mut().zip(nibbles) {
        *slot = if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    }
    out
}

fn unreadable(_why: std::io::Error) -> Fault {
    damaged()
}

fn malformed() -> Fault {
    damaged()
}
