//! The journal of a simulated power loss: what the shim writes before each change of a file, for
//! `cargo xtask crash` to read (`xtask/src/crash/journal.rs`) and to take unsynced changes back.
//! docs/internals/crash.md tells the model of the disk behind it.
//!
//! A record is its length (4 bytes), its kind (1), then numbers of 8 bytes, little-endian, then bytes.

/// One change of a file or folder, in the order they were made. Files and folders go by inode.
#[derive(Debug)]
pub(crate) enum Record<'r> {
    /// Bytes are written at an offset; `old` is what stood there, as far as the file reached.
    Write { inode: u64, offset: u64, length: u64, old_size: u64, old: &'r [u8] },
    /// The size is set; `old` is what was cut off.
    Resize { inode: u64, old_size: u64, new_size: u64, old: &'r [u8] },
    /// The file, or the folder's names, are safe as far as the journal reached at `upto`.
    Sync { inode: u64, upto: u64 },
    /// A name was made in a folder.
    Create { folder: u64, path: &'r [u8] },
    /// A name was taken away; the file is kept at `saved`.
    Remove { folder: u64, path: &'r [u8], saved: &'r [u8] },
    /// A name was changed; a file that had the new name is kept at `saved`, else that is empty.
    Rename { folder: u64, from: &'r [u8], to: &'r [u8], saved: &'r [u8] },
}

const WRITE: u8 = 1;
const RESIZE: u8 = 2;
const SYNC: u8 = 3;
const CREATE: u8 = 4;
const REMOVE: u8 = 5;
const RENAME: u8 = 6;

impl Record<'_> {
    /// The record's bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, numbers, bytes): (u8, &[u64], &[&[u8]]) = match self {
            Self::Write { inode, offset, length, old_size, old } => {
                (WRITE, &[*inode, *offset, *length, *old_size], &[old])
            }
            Self::Resize { inode, old_size, new_size, old } => {
                (RESIZE, &[*inode, *old_size, *new_size], &[old])
            }
            Self::Sync { inode, upto } => (SYNC, &[*inode, *upto], &[]),
            Self::Create { folder, path } => (CREATE, &[*folder], &[path]),
            Self::Remove { folder, path, saved } => (REMOVE, &[*folder], &[path, &[0], saved]),
            Self::Rename { folder, from, to, saved } => {
                (RENAME, &[*folder], &[from, &[0], to, &[0], saved])
            }
        };
        let size = 5 + 8 * numbers.len() + bytes.iter().map(|b| b.len()).sum::<usize>();
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(&u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes());
        out.push(kind);
        numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        bytes.iter().for_each(|part| out.extend_from_slice(part));
        out
    }
}
