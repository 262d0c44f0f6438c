//! SQLite's files, as a safe trait: whoever implements [`Disk`] decides what stands on the disk for
//! each byte that SQLite reads and writes (<https://www.sqlite.org/vfs.html>). `store` encrypts there
//! (45 CFR 164.312(a)(2)(iv)).
//!
//! SQLite calls a file system through tables of C functions, and only `unsafe` can fill such a table:
//! this is the one crate of the product that says it, in `bridge.rs` and `memory.rs`, and in `heap.rs` for one
//! call of the C library. No
//! crate that is kept serves: `sqlite-plugin` needs libclang at every build, `sqlite-vfs` has no
//! write-ahead log, the others are for the web.
//!
//! Locks and the index of the write-ahead log are kept in this process (`locks.rs`, `memory.rs`), and
//! nothing of them reaches a disk. Whoever registers a disk must see to it that no other process has
//! the same file open; the store holds a lock of its own for that.

mod bridge;
mod heap;
mod locks;
mod memory;
mod node;

pub use bridge::register;
pub use heap::give_back_memory;

use rusqlite::ffi;
use std::fmt::Debug;
use std::path::Path;

/// What SQLite opens a file for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The database.
    Main,
    /// Its write-ahead log.
    Wal,
    /// Its rollback journal.
    Journal,
    /// Something for the moment, which may have no name and is gone when closed.
    Temporary,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Made when it is not there.
    pub create: bool,
    /// Only read.
    pub read_only: bool,
}

/// Why a file could not be read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// There is no such file, or it cannot be opened.
    CannotOpen,
    /// The operating system said no.
    Io,
    /// The disk, or the room a file may take, is full.
    Full,
    /// What was read is not what was written.
    Altered,
}

impl Failure {
    /// What SQLite is told; [`is_altered`] finds the last of them again.
    const fn code(self) -> i32 {
        match self {
            Self::CannotOpen => ffi::SQLITE_CANTOPEN,
            Self::Io => ffi::SQLITE_IOERR,
            Self::Full => ffi::SQLITE_FULL,
            Self::Altered => ffi::SQLITE_IOERR_DATA,
        }
    }
}

/// Whether an error of the engine came from a [`Failure::Altered`].
pub fn is_altered(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map(|e| e.extended_code);
    extended == Some(Failure::Altered.code())
}

/// Where SQLite's files are.
pub trait Disk: Debug + Send + Sync + 'static {
    /// A file that is open.
    type File: DiskFile;

    /// Opens a file; only one that is for the moment may lack a path.
    fn open(&self, path: Option<&Path>, kind: Kind, how: How) -> Result<Self::File, Failure>;

    /// Removes a file, if it is there, and its name from the disk when that must outlive a loss of
    /// power.
    fn delete(&self, path: &Path, durably: bool) -> Result<(), Failure>;

    /// Whether there is such a file.
    fn exists(&self, path: &Path) -> bool;
}

/// An open file of SQLite's. One thread at a time uses it.
pub trait DiskFile: Send + 'static {
    /// Fills `out` from `offset` on, and says how many bytes there were; the rest is left to the caller.
    fn read(&mut self, out: &mut [u8], offset: u64) -> Result<usize, Failure>;
    /// Writes all of it.
    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Failure>;
    /// Cuts or lengthens the file.
    fn truncate(&mut self, length: u64) -> Result<(), Failure>;
    /// Has the disk hold what was written.
    fn sync(&mut self) -> Result<(), Failure>;
    /// The file's length.
    fn length(&mut self) -> Result<u64, Failure>;
}
