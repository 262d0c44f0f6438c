//! The index of a write-ahead log, in memory that all connections of this process share. SQLite reads
//! and writes it from several threads, by rules of its own (the locks of the log, and barriers).

use rusqlite::ffi;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Regions one log may have: SQLite asks for one of 32 KiB for every 4,096 pages in the log.
const REGIONS_MAX: usize = 1 << 16;
/// Bytes one region may have.
const REGION_BYTES_MAX: usize = 1 << 20;

/// The regions, in their order. They stay where they are until the last connection is gone.
#[derive(Debug, Default)]
pub(crate) struct Regions(Vec<(NonNull<u8>, Layout)>);

// SAFETY: a `Regions` owns its memory as a `Box` does and never reads or writes it; SQLite, which does,
// expects to be given it on any thread and orders its accesses itself.
unsafe impl Send for Regions {}

impl Regions {
    /// The beginning of a region; with all before it made, if it may be, when it is not there yet.
    /// `Ok(None)` when it is not there and may not be made.
    pub(crate) fn get(
        &mut self,
        index: usize,
        bytes: usize,
        make: bool,
    ) -> Result<Option<NonNull<u8>>, i32> {
        if index >= REGIONS_MAX || bytes == 0 || bytes > REGION_BYTES_MAX {
            return Err(ffi::SQLITE_IOERR_SHMSIZE);
        }
        while make && self.0.len() <= index {
            let layout =
                Layout::from_size_align(bytes, 64).map_err(|_| ffi::SQLITE_IOERR_SHMSIZE)?;
            // SAFETY: the layout's size is not zero: it was looked at above.
            let start = unsafe { alloc_zeroed(layout) };
            let start = NonNull::new(start).ok_or(ffi::SQLITE_NOMEM)?;
            self.0.push((start, layout));
        }
        match self.0.get(index) {
            // A region of another size would be read past its end.
            Some((_, layout)) if layout.size() != bytes => Err(ffi::SQLITE_IOERR_SHMSIZE),
            Some((start, _)) => Ok(Some(*start)),
            None => Ok(None),
        }
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        for (start, layout) in self.0.drain(..) {
            // SAFETY: `start` was allocated with this layout and is freed nowhere else. No connection
            // has it any more: each holds the node that owns these regions until it is closed.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}
