//! The reading end of the journal that the shim writes (`xtask/powerloss/src/journal.rs`): the same
//! records, decoded. docs/internals/crash.md tells the model of the disk behind it.
//!
//! A record is its length (4 bytes), its kind (1), then numbers of 8 bytes, little-endian, then bytes.

/// One change of a file or folder, in the order they were made. Files and folders go by inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record<'r> {
    /// Bytes are written at an offset; `old` is what stood there, as far as the file reached.
    Write { inode: u64, offset: u64, length: u64, old_size: u64, old: &'r [u8] },
    /// The size is set; `old` is what was cut off.
    Resize { inode: u64, old_size: u64, new_size: u64, old: &'r [u8] },
    /// The file, or the folder's names, are safe as far as the journal reached at `upto`.
    Sync { inode: u64, upto: u64 },
    /// A name was made in a folder.
    Create { folder: u64, path: &'r str },
    /// A name was taken away; the file is kept at `saved`.
    Remove { folder: u64, path: &'r str, saved: &'r str },
    /// A name was changed; a file that had the new name is kept at `saved`, else that is empty.
    Rename { folder: u64, from: &'r str, to: &'r str, saved: &'r str },
}

/// The records of a journal, each with the place it ends at, and how far the journal is whole: a kill
/// may cut its last record, and then the change that record announces was not made.
pub(super) fn decode(journal: &[u8]) -> (Vec<(u64, Record<'_>)>, usize) {
    let (mut records, mut at) = (Vec::new(), 0);
    while let Some((record, size)) = journal.get(at..).and_then(one) {
        at += size;
        records.push((u64::try_from(at).unwrap_or(u64::MAX), record));
    }
    (records, at)
}

fn one(bytes: &[u8]) -> Option<(Record<'_>, usize)> {
    let size = usize::try_from(u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?)).ok()?;
    let kind = *bytes.get(4)?;
    let body = bytes.get(5..size)?;
    let number = |i: usize| -> Option<u64> {
        Some(u64::from_le_bytes(body.get(8 * i..8 * i + 8)?.try_into().ok()?))
    };
    let rest = |numbers: usize| body.get(8 * numbers..);
    let mut names = rest(1)?.split(|b| *b == 0).map(std::str::from_utf8);
    let mut name = || names.next()?.ok();
    let record = match kind {
        1 => Record::Write {
            inode: number(0)?,
            offset: number(1)?,
            length: number(2)?,
            old_size: number(3)?,
            old: rest(4)?,
        },
        2 => Record::Resize {
            inode: number(0)?,
            old_size: number(1)?,
            new_size: number(2)?,
            old: rest(3)?,
        },
        3 => Record::Sync { inode: number(0)?, upto: number(1)? },
        4 => Record::Create { folder: number(0)?, path: name()? },
        5 => Record::Remove { folder: number(0)?, path: name()?, saved: name()? },
        6 => Record::Rename { folder: number(0)?, from: name()?, to: name()?, saved: name()? },
        _ => return None,
    };
    Some((record, size))
}
