//! The file layer that keys stand on, as a trait: a test puts one in that fails, tears or forgets, to
//! show that no acknowledged key is lost and no shredded key returns.

use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::Fault;

use crate::fault::unavailable;

/// Held while a lock is; dropping it lets go.
pub trait Lock: Send + Sync + Debug {}

/// Names and whole files.
pub trait Files: Send + Sync + Debug {
    /// All the bytes of a file; `InvalidData` when there are more than `most`.
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>>;

    /// Whether nobody but the file's owner may read or write it.
    fn is_private(&self, path: &Path) -> io::Result<bool>;

    /// Whether the name is taken.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>>;

    /// Creates a file that must not exist, for its owner alone.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>>;

    /// Gives a file a second name, which must not exist.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file another name, in place of whatever had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the lock of that name, for this process alone; `WouldBlock` when it is taken.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}

/// One open file.
pub trait KeyFile: Send + Sync + Debug {
    /// Reads at `offset` until `out` is full or the file ends; says how many bytes.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all the bytes at `offset`, or fails.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Its length.
    fn length(&self) -> io::Result<u64>;

    /// Cuts it off.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes what was written durable. After an error nothing may be assumed about what was.
    fn sync(&self) -> io::Result<()>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Lock for File {}

impl Files for Disk {
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        io::Read::read_to_end(&mut io::Read::take(File::open(path)?, limit), &mut bytes)?;
        if bytes.len() > most {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(bytes)
    }

    #[cfg(unix)]
    fn is_private(&self, path: &Path) -> io::Result<bool> {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(fs::metadata(path)?.permissions().mode() & 0o077 == 0)
    }

    #[cfg(not(unix))]
    fn is_private(&self, path: &Path) -> io::Result<bool> {
        // The folder's access list decides there; `docs/internals/keys.md` says so.
        fs::metadata(path).map(|_| true)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        path.try_exists()
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>> {
        Ok(Arc::new(OpenOptions::new().read(true).write(true).open(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>> {
        Ok(Arc::new(private().read(true).write(true).create_new(true).open(path)?))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // A folder cannot be opened as a file everywhere; where it cannot, names are durable anyhow.
        if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = private().write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

impl KeyFile for File {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let (mut done, mut rest) = (0, out);
        while !rest.is_empty() {
            let at = offset + u64::try_from(done).unwrap_or(u64::MAX);
            match read_some(self, rest, at) {
                Ok(0) => break,
                Ok(n) => {
                    done += n;
                    rest = rest.get_mut(n..).unwrap_or_default();
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(done)
    }

    #[cfg(unix)]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }

    #[cfg(windows)]
    fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = std::os::windows::fs::FileExt::seek_write(self, bytes, offset)?;
            bytes = bytes.get(n..).unwrap_or_default();
            offset += u64::try_from(n).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(unix)]
fn read_some(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, offset)
}

#[cfg(windows)]
fn read_some(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, offset)
}

/// Where a file stands until it is whole.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    path.with_file_name(name)
}

pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Whether a name that must be free is given up when it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Keep,
    Replace,
}

/// Writes a whole file under its `.new` name, makes it durable, and gives it its name, durably. With
/// [`Taken::Keep`] a file that has the name already is left alone: `AlreadyExists`.
pub(crate) fn publish(
    files: &dyn Files,
    path: &Path,
    taken: Taken,
    fill: impl FnOnce(&dyn KeyFile) -> Result<(), Fault>,
) -> Result<Arc<dyn KeyFile>, Fault> {
    let new = unfinished(path);
    let failed = |error: io::Error| unavailable("writing a file of keys", &error);
    clear(files, &new).map_err(failed)?;
    let file = files.create(&new).map_err(failed)?;
    fill(&*file)?;
    file.sync().map_err(failed)?;
    match taken {
        Taken::Replace => files.rename(&new, path).map_err(failed)?,
        Taken::Keep => {
            files.link(&new, path).map_err(failed)?;
            files.remove(&new).map_err(failed)?;
        }
    }
    files.sync_dir(folder(path)).map_err(failed)?;
    Ok(file)
}

/// Removes a file that may not be there.
pub(crate) fn clear(files: &dyn Files, path: &Path) -> io::Result<()> {
    if files.exists(path)? { files.remove(path) } else { Ok(()) }
}
