//! The compact list of stolen passwords (NIST SP 800-63B 5.1.1.2): the first 48 bits of each SHA-1, in
//! order, as differences in blocks of 4 KiB, so that a billion of them take 3 GB, are never loaded, and
//! an answer costs some thirty reads. Whoever runs the site makes it from the public list; none is
//! shipped.
//!
//! Each block carries a checksum over its place, and a block that does not fit it is a fault, not a no:
//! a list that is damaged refuses new passwords rather than letting stolen ones through.

use std::fmt;
use std::io;

use base::error::code;
use base::{Fault, Millis};
use sha2::{Digest as _, Sha256};

use crate::breach::Breached;

/// What a list begins with; the last byte is its format.
pub const MAGIC: [u8; 16] = *b"plummer-stolen\0\x01";
/// Bytes of a block, the first of which is the head.
pub(crate) const BLOCK: usize = 4096;
/// Bytes of a block before its differences: the first value, how many there are, the checksum.
pub(crate) const BEFORE: usize = 16;
/// Bits of a hash that are kept.
const BITS: u32 = 48;
/// Blocks of a list: four thousand times more than the public one takes would be no list.
const BLOCKS_MAX: u64 = 1 << 32;
/// Bytes of the head that say something, and of the digest behind them.
const HEAD: usize = 48;

/// Something that can be read at any place by many at once.
pub trait ReadAt: Send + Sync + fmt::Debug {
    /// Fills `out` from `at` on; less than all of it is an error.
    fn read_at(&self, at: u64, out: &mut [u8]) -> io::Result<()>;

    /// How many bytes there are.
    fn bytes(&self) -> io::Result<u64>;
}

/// What a list says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// When it was made.
    pub made: Millis,
    /// How many hashes it holds.
    pub entries: u64,
    /// In how many blocks.
    pub blocks: u64,
    /// How often a password had to be seen to be taken in.
    pub count_min: u64,
}

impl About {
    /// One of so many passwords that nobody stole is taken for a stolen one, by chance.
    pub const fn one_in(&self) -> u64 {
        let entries = if self.entries == 0 { 1 } else { self.entries };
        (1 << BITS) / entries
    }

    /// The head.
    pub(crate) fn encode(&self) -> [u8; BLOCK] {
        let parts: [&[u8]; 5] = [
            &MAGIC,
            &self.made.0.to_be_bytes(),
            &self.entries.to_be_bytes(),
            &self.blocks.to_be_bytes(),
            &self.count_min.to_be_bytes(),
        ];
        let said = parts.concat();
        let digest = Sha256::digest(&said);
        let mut head = [0; BLOCK];
        for (slot, byte) in head.iter_mut().zip(said.iter().chain(&digest)) {
            *slot = *byte;
        }
        head
    }

    /// Reads a head; `None` for what is none, or damaged.
    fn decode(head: &[u8]) -> Option<Self> {
        let (said, rest) = head.split_at_checked(HEAD)?;
        let digest = rest.get(..32)?;
        let whole = said.starts_with(&MAGIC) && digest == Sha256::digest(said).as_slice();
        let number = |at: usize| {
            let bytes = said.get(at..at + 8)?;
            Some(u64::from_be_bytes(bytes.try_into().ok()?))
        };
        let made = i64::try_from(number(16)?).ok().filter(|_| whole)?;
        let (entries, blocks, count_min) = (number(24)?, number(32)?, number(40)?);
        (blocks <= BLOCKS_MAX).then_some(Self { made: Millis(made), entries, blocks, count_min })
    }
}

/// The bits of a hash that are kept.
pub(crate) fn value(sha1: &[u8; 20]) -> u64 {
    sha1.iter().take(6).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// What ties a block to its list and place.
pub(crate) fn checksum(made: Millis, number: u64, block: &[u8]) -> [u8; 8] {
    let digest = Sha256::new()
        .chain_update(made.0.to_be_bytes())
        .chain_update(number.to_be_bytes())
        .chain_update(block.get(..8).unwrap_or_default())
        .chain_update(block.get(BEFORE..).unwrap_or_default())
        .finalize();
    digest.first_chunk().copied().unwrap_or_default()
}

/// A list, behind anything that can be read at a place.
#[derive(Debug)]
pub struct Packed<R> {
    from: R,
    about: About,
}

/// Where a value stands, by one block.
enum Found {
    Before,
    Here(bool),
    Behind,
}

impl<R: ReadAt> Packed<R> {
    /// Opens a list by its head.
    ///
    /// # Errors
    /// `identity.password-list.damaged` when there is no whole head, or the list is longer or shorter
    /// than it says.
    pub fn open(from: R) -> Result<Self, Fault> {
        let mut head = [0; BLOCK];
        from.read_at(0, &mut head).map_err(|_why| damaged())?;
        let about = About::decode(&head).ok_or_else(damaged)?;
        let bytes = from.bytes().map_err(|_why| damaged())?;
        match bytes == (about.blocks + 1) * BLOCK as u64 {
            true => Ok(Self { from, about }),
            false => Err(damaged()),
        }
    }

    /// What it says of itself.
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// Reads all of it, and tells how many blocks were read.
    ///
    /// # Errors
    /// `identity.password-list.damaged` at the first block that is.
    pub fn check(&self, mut read: impl FnMut(u64)) -> Result<(), Fault> {
        let (mut entries, mut last) = (0u64, None);
        for number in 1..=self.about.blocks {
            let block = self.block(number)?;
            for value in Values::of(&block) {
                let value = value.ok_or_else(damaged)?;
                if last.is_some_and(|last| last >= value) {
                    return Err(damaged());
                }
                (last, entries) = (Some(value), entries + 1);
            }
            read(number);
        }
        if entries == self.about.entries { Ok(()) } else { Err(damaged()) }
    }

    fn block(&self, number: u64) -> Result<[u8; BLOCK], Fault> {
        let mut block = [0; BLOCK];
        self.from.read_at(number * BLOCK as u64, &mut block).map_err(|_why| damaged())?;
        match block.get(8..BEFORE) == Some(&checksum(self.about.made, number, &block)[..]) {
            true => Ok(block),
            false => Err(damaged()),
        }
    }

    fn look(&self, number: u64, wanted: u64) -> Result<Found, Fault> {
        let block = self.block(number)?;
        let mut first = true;
        for value in Values::of(&block) {
            match value.ok_or_else(damaged)? {
                value if value == wanted => return Ok(Found::Here(true)),
                value if value > wanted && first => return Ok(Found::Before),
                value if value > wanted => return Ok(Found::Here(false)),
                _ => first = false,
            }
        }
        Ok(Found::Behind)
    }
}

impl<R: ReadAt> Breached for Packed<R> {
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, Fault> {
        let wanted = value(sha1);
        let (mut low, mut high) = (1, self.about.blocks + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.look(middle, wanted)? {
                Found::Here(found) => return Ok(found),
                Found::Before => high = middle,
                Found::Behind => low = middle + 1,
            }
        }
        Ok(false)
    }
}

/// The values of a block; `None` among them where it is not one.
struct Values<'b> {
    left: u16,
    next: Option<u64>,
    rest: &'b [u8],
}

impl<'b> Values<'b> {
    fn of(block: &'b [u8; BLOCK]) -> Self {
        let first = block.iter().take(6).fold(0, |all, byte| all << 8 | u64::from(*byte));
        let left = u16::from_be_bytes([block[6], block[7]]);
        Self { left, next: Some(first), rest: block.get(BEFORE..).unwrap_or_default() }
    }

    /// The difference to the next one (LEB128, seven bits a byte).
    fn difference(&mut self) -> Option<u64> {
        let mut all = 0;
        for at in 0..7 {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            all |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                return Some(all).filter(|all| *all > 0);
            }
        }
        None
    }
}

impl Iterator for Values<'_> {
    type Item = Option<u64>;

    fn next(&mut self) -> Option<Option<u64>> {
        self.left = self.left.checked_sub(1)?;
        let here = self.next;
        if self.left > 0 {
            self.next = here.and_then(|here| {
                let value = here + self.difference()?;
                (value >> BITS == 0).then_some(value)
            });
        }
        if here.is_none() {
            self.left = 0;
        }
        Some(here)
    }
}

/// The list is none, or not whole.
pub(crate) fn damaged() -> Fault {
    let say = "The list of stolen passwords is damaged, or is none. Make it again by `plummer password-list import`.";
    Fault::new(&code::PASSWORD_LIST_DAMAGED, say)
}
