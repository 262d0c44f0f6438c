//! The file layer that the writer stands on, as a trait: a test puts one in that fails, lies or
//! loses, to show what the log then does.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Opens segment files for writing.
pub trait Files: Send + Sync + Debug {
    /// Creates a segment that must not exist yet.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;

    /// Opens a segment that exists, to append to it.
    fn append(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>>;

    /// Makes the names in a directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// One segment file, open for appending.
pub trait SegmentFile: Send + Sync + Debug {
    /// Writes all the bytes at the end, or fails.
    fn write_all(&self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable. After an error nothing may be assumed about what was.
    fn sync(&self) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Files for Disk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(OpenOptions::new().append(true).create_new(true).open(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(OpenOptions::new().append(true).open(path)?))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

impl SegmentFile for File {
    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file: &Self = self;
        io::Write::write_all(&mut file, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
