//! What the shim knows: the folder it watches, the inodes of files opened there, and the journal.
//! Everything here is done with system calls: the C library's own functions are the ones replaced.

use crate::journal::Record;
use libc::{c_int, c_long, c_uint, off_t};
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The variables that name the folder to watch and the folder for the journal and saved files.
const DATA: &str = "POWERLOSS_DATA";
const SIDE: &str = "POWERLOSS_SIDE";
/// The shared memory of SQLite's write-ahead log is mapped, not written, and made anew after a loss.
const MAPPED: &[u8] = b"-shm";

/// The shim's memory.
pub(crate) struct State {
    data: PathBuf,
    side: PathBuf,
    journal: c_int,
    /// Bytes in the journal.
    pub(crate) length: u64,
    watched: HashSet<u64>,
    saved: u64,
}

static STATE: OnceLock<Option<Mutex<State>>> = OnceLock::new();

/// The state, held until dropped; nothing when there is no folder to watch.
pub(crate) fn state() -> Option<MutexGuard<'static, State>> {
    let state = STATE.get_or_init(|| State::open().map(Mutex::new)).as_ref()?;
    // A poisoned lock would be a fault of ours; the journal is still in order then.
    Some(state.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What fstat(2) tells of an open file, or stat(2) of a name.
pub(crate) struct Facts {
    pub(crate) inode: u64,
    pub(crate) size: u64,
    pub(crate) is_folder: bool,
    pub(crate) is_file: bool,
}

impl State {
    fn open() -> Option<Self> {
        let data = PathBuf::from(std::env::var_os(DATA)?);
        let side = PathBuf::from(std::env::var_os(SIDE)?);
        let journal = c_path(&side.join("journal"))?;
        let flags = libc::O_CREAT | libc::O_APPEND | libc::O_RDWR | libc::O_CLOEXEC;
        let journal = raw_open(libc::AT_FDCWD, &journal, flags, 0o600);
        let journal = c_int::try_from(journal).ok().filter(|fd| *fd >= 0)?;
        let length = facts(journal)?.size;
        Some(Self { data, side, journal, length, watched: HashSet::new(), saved: 0 })
    }

    /// The whole path of `path` as seen from folder `at`, if it is one to watch.
    pub(crate) fn watched_path(&self, at: c_int, path: &CStr) -> Option<PathBuf> {
        let path = Path::new(OsStr::from_bytes(path.to_bytes()));
        if path.as_os_str().as_bytes().ends_with(MAPPED) {
            return None;
        }
        let whole = if path.is_absolute() {
            path.to_path_buf()
        } else if at == libc::AT_FDCWD {
            std::env::current_dir().ok()?.join(path)
        } else {
            std::fs::read_link(format!("/proc/self/fd/{at}")).ok()?.join(path)
        };
        let mut plain = PathBuf::new();
        for part in whole.components() {
            match part {
                Component::ParentDir => drop(plain.pop()),
                Component::CurDir => {}
                other => plain.push(other),
            }
        }
        (plain.starts_with(&self.data) && plain != self.data).then_some(plain)
    }

    /// Notes that the file behind `fd` is one to watch.
    pub(crate) fn watch(&mut self, fd: c_int) {
        if let Some(facts) = facts(fd).filter(|facts| facts.is_file) {
            self.watched.insert(facts.inode);
        }
    }

    /// The facts of `fd`, if its file is watched.
    pub(crate) fn watched(&self, fd: c_int) -> Option<Facts> {
        facts(fd).filter(|facts| facts.is_file && self.watched.contains(&facts.inode))
    }

    /// Puts a record at the journal's end. Without its journal the drill would prove nothing, so a
    /// failure ends the process.
    pub(crate) fn append(&mut self, record: &Record<'_>) {
        let bytes = record.encode();
        // SAFETY: the pointer and length are those of `bytes`, which lives through the call.
        let done =
            unsafe { libc::syscall(libc::SYS_write, self.journal, bytes.as_ptr(), bytes.len()) };
        if usize::try_from(done).ok() != Some(bytes.len()) {
            std::process::abort();
        }
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
    }

    /// Journals a write of `length` bytes at `offset` of a watched file.
    pub(crate) fn before_write(&mut self, fd: c_int, facts: &Facts, offset: u64, length: u64) {
        if length == 0 {
            return;
        }
        let end = offset.saturating_add(length).min(facts.size);
        let old = read_back(fd, offset, end.saturating_sub(offset));
        let (inode, old_size) = (facts.inode, facts.size);
        self.append(&Record::Write { inode, offset, length, old_size, old: &old });
    }

    /// Journals that the size of a watched file is set.
    pub(crate) fn before_resize(&mut self, fd: c_int, facts: &Facts, new_size: u64) {
        let old = read_back(fd, new_size, facts.size.saturating_sub(new_size));
        let (inode, old_size) = (facts.inode, facts.size);
        self.append(&Record::Resize { inode, old_size, new_size, old: &old });
    }

    /// Keeps a file that is about to lose its name under another, and tells that one.
    pub(crate) fn save(&mut self, path: &Path) -> Option<PathBuf> {
        let from = c_path(path)?;
        loop {
            self.saved += 1;
            let saved = self.side.join(format!("saved-{}", self.saved));
            let to = c_path(&saved)?;
            // SAFETY: both pointers are of NUL-ended strings that live through the call.
            let done = unsafe {
                let at = libc::AT_FDCWD;
                libc::syscall(libc::SYS_linkat, at, from.as_ptr(), at, to.as_ptr(), 0)
            };
            if done == 0 {
                return Some(saved);
            }
            // SAFETY: the C library keeps an error number for each thread.
            if unsafe { *libc::__errno_location() } != libc::EEXIST {
                return None;
            }
        }
    }
}

/// The inode of the folder that holds `path`.
pub(crate) fn folder_of(path: &Path) -> u64 {
    path.parent().and_then(facts_at).map_or(0, |facts| facts.inode)
}

/// The facts of an open file.
pub(crate) fn facts(fd: c_int) -> Option<Facts> {
    // SAFETY: an all-zero `stat` is a value of that plain structure.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes one `stat` through the pointer, which is to one.
    let done = unsafe { libc::fstat(fd, &raw mut stat) };
    (done == 0).then(|| Facts::of(&stat))
}

/// The facts of a name, not following a link.
pub(crate) fn facts_at(path: &Path) -> Option<Facts> {
    let path = c_path(path)?;
    // SAFETY: an all-zero `stat` is a value of that plain structure.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the path is NUL-ended, and the kernel writes one `stat` through a pointer to one.
    let done = unsafe { libc::lstat(path.as_ptr(), &raw mut stat) };
    (done == 0).then(|| Facts::of(&stat))
}

impl Facts {
    fn of(stat: &libc::stat) -> Self {
        let kind = stat.st_mode & libc::S_IFMT;
        Self {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            is_folder: kind == libc::S_IFDIR,
            is_file: kind == libc::S_IFREG,
        }
    }
}

/// open(2) itself.
pub(crate) fn raw_open(at: c_int, path: &CStr, flags: c_int, mode: c_uint) -> c_long {
    // SAFETY: the path is NUL-ended; the other arguments are numbers.
    unsafe { libc::syscall(libc::SYS_openat, at, path.as_ptr(), flags, mode) }
}

/// Bytes of the file behind `fd`, which may be open for writing alone.
fn read_back(fd: c_int, offset: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    if bytes.is_empty() {
        return bytes;
    }
    let Ok(path) = CString::new(format!("/proc/self/fd/{fd}")) else { return Vec::new() };
    let reader = raw_open(libc::AT_FDCWD, &path, libc::O_RDONLY | libc::O_CLOEXEC, 0);
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(done).unwrap_or(0));
        let at = off_t::try_from(at).unwrap_or(off_t::MAX);
        // SAFETY: the kernel writes at most `rest.len()` bytes through a pointer to `rest`.
        let taken =
            unsafe { libc::syscall(libc::SYS_pread64, reader, rest.as_mut_ptr(), rest.len(), at) };
        match usize::try_from(taken) {
            Ok(taken) if taken > 0 => done += taken,
            // An undo that cannot be written down would make the drill lie.
            _ => std::process::abort(),
        }
    }
    // SAFETY: the descriptor was opened above and is used nowhere else.
    unsafe { libc::syscall(libc::SYS_close, reader) };
    bytes
}

fn c_path(path: &Path) -> Option<CString> {
    CString::new(path.as_os_str().as_bytes()).ok()
}
