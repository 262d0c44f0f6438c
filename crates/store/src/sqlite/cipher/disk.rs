//! The sealed files themselves: what SQLite reads and writes, page by page and frame by frame.

use super::opened::Opened;
use super::{FRAME, FRAME_HEAD, LOG_HEAD, PAGE, read_up_to, sync_folder};
use keys::{PAGE_TRAILER_BYTES, PageKey, PageSpot};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vfs::{Disk, DiskFile, Failure, How, Kind};

/// Frames that go to the log in one write, at most.
const RUN_FRAMES: usize = 64;
/// What temporary files may take of memory.
const TEMPORARY_BYTES_MAX: usize = 1 << 30;

/// The disk.
#[derive(Debug)]
pub(super) struct Sealed;

/// An open file.
pub(super) enum SealedFile {
    Pages(Pages),
    Log(Log),
    Memory(Vec<u8>),
}

pub(super) struct Pages {
    file: File,
    key: Arc<PageKey>,
    opened: Arc<Opened>,
    page: Vec<u8>,
}

pub(super) struct Log {
    file: File,
    key: Arc<PageKey>,
    frame: Vec<u8>,
    /// The head of a frame whose page has not come yet.
    pending: Option<(u64, [u8; FRAME_HEAD])>,
    /// Set until the name of a new log is on the disk.
    unnamed: Option<PathBuf>,
    /// The number of the first frame of the run.
    run_first: u64,
    /// Sealed frames that follow each other and wait to be written together: a commit of forty pages is
    /// one write instead of forty. A frame does not fill whole pages of the file, so that each of forty
    /// would have to read what it shares with its neighbours where memory has not got it.
    run: Vec<u8>,
    /// Bytes of a run, at most. None wait unless every commit is synced: others read the log without
    /// asking us as soon as SQLite says that it may be read, and before that it syncs.
    run_max: usize,
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn failure(error: io::Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::CannotOpen,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Failure::Full,
        _ => Failure::Io,
    }
}

impl Disk for Sealed {
    type File = SealedFile;

    fn open(&self, path: Option<&Path>, kind: Kind, how: How) -> Result<SealedFile, Failure> {
        let (database, path) = match (kind, path) {
            (Kind::Main, Some(path)) => (path.to_owned(), path),
            (Kind::Wal, Some(path)) => {
                let name = path.to_str().and_then(|p| p.strip_suffix("-wal"));
                (PathBuf::from(name.ok_or(Failure::CannotOpen)?), path)
            }
            (Kind::Journal, _) => return Err(Failure::CannotOpen),
            _ => return Ok(SealedFile::Memory(Vec::new())),
        };
        let super::Use { key, opened, synced } =
            super::KEYS.lock().get(&database).cloned().ok_or(Failure::CannotOpen)?;
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(!how.read_only).create(how.create && !how.read_only);
        let file = options.open(path).map_err(failure)?;
        Ok(if kind == Kind::Main {
            SealedFile::Pages(Pages { file, key, opened, page: vec![0; PAGE] })
        } else {
            let unnamed = is_new.then(|| path.to_owned());
            SealedFile::Log(Log {
                file,
                key,
                frame: vec![0; FRAME],
                pending: None,
                unnamed,
                run_first: 0,
                run: Vec::new(),
                run_max: if synced { RUN_FRAMES * FRAME } else { 0 },
            })
        })
    }

    fn delete(&self, path: &Path, durably: bool) -> Result<(), Failure> {
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failure(e)),
            _ => {}
        }
        if durably { sync_folder(path).map_err(failure) } else { Ok(()) }
    }

    fn exists(&self, path: &Path) -> bool {
        // An empty file is no journal, as SQLite's own file system has it.
        std::fs::metadata(path).is_ok_and(|m| m.len() > 0)
    }
}

impl DiskFile for SealedFile {
    fn read(&mut self, out: &mut [u8], offset: u64) -> Result<usize, Failure> {
        match self {
            Self::Pages(pages) => pages.read(out, offset),
            Self::Log(log) => log.read(out, offset),
            Self::Memory(bytes) => {
                let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..));
                let from = from.unwrap_or_default();
                let n = from.len().min(out.len());
                out.iter_mut().zip(from).for_each(|(slot, byte)| *slot = *byte);
                Ok(n)
            }
        }
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        match self {
            Self::Pages(pages) => pages.write(bytes, offset),
            Self::Log(log) => log.write(bytes, offset),
            Self::Memory(all) => {
                let start = usize::try_from(offset).map_err(|_e| Failure::Full)?;
                let end = start.checked_add(bytes.len()).filter(|e| *e <= TEMPORARY_BYTES_MAX);
                let end = end.ok_or(Failure::Full)?;
                if all.len() < end {
                    all.resize(end, 0);
                }
                all.iter_mut().skip(start).zip(bytes).for_each(|(slot, byte)| *slot = *byte);
                Ok(())
            }
        }
    }

    fn truncate(&mut self, length: u64) -> Result<(), Failure> {
        match self {
            Self::Pages(pages) => {
                let set = || pages.file.set_len(length).map_err(failure);
                pages.opened.cut(length / PAGE as u64, set)
            }
            Self::Log(log) => {
                log.pending = None;
                log.flush()?;
                log.file.set_len(length).map_err(failure)
            }
            Self::Memory(all) => {
                all.resize(usize::try_from(length).map_err(|_e| Failure::Full)?, 0);
                Ok(())
            }
        }
    }

    fn sync(&mut self) -> Result<(), Failure> {
        match self {
            Self::Pages(pages) => pages.file.sync_data().map_err(failure),
            Self::Log(log) => {
                log.settle()?;
                log.file.sync_data().map_err(failure)?;
                match log.unnamed.take() {
                    Some(path) => sync_folder(&path).map_err(failure),
                    None => Ok(()),
                }
            }
            Self::Memory(_) => Ok(()),
        }
    }

    fn length(&mut self) -> Result<u64, Failure> {
        match self {
            Self::Pages(pages) => pages.file.metadata().map(|m| m.len()).map_err(failure),
            Self::Log(log) => {
                log.settle()?;
                log.file.metadata().map(|m| m.len()).map_err(failure)
            }
            Self::Memory(all) => Ok(all.len() as u64),
        }
    }
}

impl Pages {
    fn read(&mut self, out: &mut [u8], offset: u64) -> Result<usize, Failure> {
        let (number, inside) = (offset / PAGE as u64, offset % PAGE as u64);
        if inside == 0 && out.len() == PAGE {
            let whole = self.opened.read(number, out, |out| {
                let whole = read_up_to(&self.file, out, offset).map_err(failure)? == PAGE;
                if whole {
                    open_page(&self.key, number, out)?;
                }
                Ok(whole)
            })?;
            // Less than a page at the end is what a broken write left of it.
            return Ok(if whole { PAGE } else { 0 });
        }
        // SQLite looks into the first page before it knows the pages' size.
        let inside = usize::try_from(inside).map_err(|_e| Failure::Io)?;
        let start = number * PAGE as u64;
        if read_up_to(&self.file, &mut self.page, start).map_err(failure)? < PAGE {
            return Ok(0);
        }
        open_page(&self.key, number, &mut self.page)?;
        let part = self.page.get(inside..inside + out.len()).ok_or(Failure::Io)?;
        out.copy_from_slice(part);
        Ok(out.len())
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        if bytes.len() != PAGE || !offset.is_multiple_of(PAGE as u64) {
            return Err(Failure::Io);
        }
        put(&mut self.page, 0, bytes)?;
        let number = offset / PAGE as u64;
        let spot = PageSpot::Page(number + 1);
        self.key.seal(spot, &mut self.page).map_err(|_fault| Failure::Io)?;
        self.opened
            .write(number, bytes, || self.file.write_all_at(&self.page, offset).map_err(failure))
    }
}

fn open_page(key: &PageKey, index: u64, page: &mut [u8]) -> Result<(), Failure> {
    // A page that was counted and never written; a page that was, is never all zeros.
    if page.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    key.open(PageSpot::Page(index + 1), page).map_err(|_unsound| Failure::Altered)
}

/// Puts bytes into a page or frame. Its last bytes belong to the seal, and SQLite knows that: if it
/// wrote there, the file was not made by [`create`].
fn put(page: &mut [u8], at: usize, bytes: &[u8]) -> Result<(), Failure> {
    let end = at + bytes.len();
    page.get_mut(at..end).ok_or(Failure::Io)?.copy_from_slice(bytes);
    let trailer = page.len().saturating_sub(PAGE_TRAILER_BYTES);
    let kept_free = page.get(trailer..).unwrap_or_default().iter().all(|byte| *byte == 0);
    if kept_free { Ok(()) } else { Err(Failure::Io) }
}

impl Log {
    fn read(&mut self, out: &mut [u8], offset: u64) -> Result<usize, Failure> {
        self.settle()?;
        if offset < LOG_HEAD {
            let room = usize::try_from(LOG_HEAD - offset).unwrap_or(0);
            if out.len() > room {
                return Err(Failure::Io);
            }
            return read_up_to(&self.file, out, offset).map_err(failure);
        }
        let (number, inside) = place(offset)?;
        if !self.load(number)? {
            return Ok(0);
        }
        if self.key.open(PageSpot::Frame(number), &mut self.frame).is_err() {
            // Whole frames are read when the log is gone through after a crash, and an unsound one ends
            // it there: `check_log` has seen to it that it may. A page of it alone is read later, when
            // it was sound before.
            if inside == 0 && out.len() == FRAME {
                out.fill(0);
                return Ok(FRAME);
            }
            return Err(Failure::Altered);
        }
        let part = self.frame.get(inside..inside + out.len()).ok_or(Failure::Io)?;
        out.copy_from_slice(part);
        Ok(out.len())
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        if offset < LOG_HEAD {
            self.settle()?;
            return self.file.write_all_at(bytes, offset).map_err(failure);
        }
        let (number, inside) = place(offset)?;
        if let Some((of, head)) = self.pending {
            if of == number && inside == FRAME_HEAD && bytes.len() == PAGE {
                self.pending = None;
                self.frame.fill(0);
                put(&mut self.frame, 0, &head)?;
                put(&mut self.frame, FRAME_HEAD, bytes)?;
                return self.seal(number);
            }
            self.settle()?;
        }
        if inside == 0 && bytes.len() == FRAME_HEAD {
            let head = bytes.first_chunk().copied().ok_or(Failure::Io)?;
            self.pending = Some((number, head));
            return Ok(());
        }
        self.change(number, inside, bytes)
    }

    /// Writes the head of a frame whose page was written before, and what waits.
    fn settle(&mut self) -> Result<(), Failure> {
        if let Some((number, head)) = self.pending.take() {
            self.change(number, 0, &head)?;
        }
        self.flush()
    }

    /// Changes a part of a frame.
    fn change(&mut self, number: u64, inside: usize, bytes: &[u8]) -> Result<(), Failure> {
        if self.load(number)? {
            let opened = self.key.open(PageSpot::Frame(number), &mut self.frame);
            opened.map_err(|_unsound| Failure::Altered)?;
        } else {
            self.frame.fill(0);
        }
        put(&mut self.frame, inside, bytes)?;
        self.seal(number)
    }

    fn load(&mut self, number: u64) -> Result<bool, Failure> {
        self.flush()?;
        let at = LOG_HEAD + number * FRAME as u64;
        Ok(read_up_to(&self.file, &mut self.frame, at).map_err(failure)? == FRAME)
    }

    fn seal(&mut self, number: u64) -> Result<(), Failure> {
        self.key.seal(PageSpot::Frame(number), &mut self.frame).map_err(|_fault| Failure::Io)?;
        if number != self.run_first + (self.run.len() / FRAME) as u64 {
            self.flush()?;
            self.run_first = number;
        }
        self.run.extend_from_slice(&self.frame);
        if self.run.len() >= self.run_max { self.flush() } else { Ok(()) }
    }

    /// Writes the frames that wait. When that fails none of them waits any more: SQLite takes the
    /// transaction back and writes others in their places.
    fn flush(&mut self) -> Result<(), Failure> {
        if self.run.is_empty() {
            return Ok(());
        }
        let at = LOG_HEAD + self.run_first * FRAME as u64;
        let outcome = self.file.write_all_at(&self.run, at).map_err(failure);
        self.run_first += (self.run.len() / FRAME) as u64;
        self.run.clear();
        outcome
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // What was committed is synced, and so written. This is of a commit that nobody asked to sync.
        if self.flush().is_err() {
            tracing::warn!("the end of the write-ahead log could not be written");
        }
    }
}

/// Frame and offset in it.
fn place(offset: u64) -> Result<(u64, usize), Failure> {
    let at = offset.saturating_sub(LOG_HEAD);
    let inside = usize::try_from(at % FRAME as u64).map_err(|_e| Failure::Io)?;
    Ok((at / FRAME as u64, inside))
}
