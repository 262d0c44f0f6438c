//! The functions of the C library that change files (POSIX.1-2017, and Linux's `renameat2(2)`,
//! `fallocate(2)`), under their own names. `open` and its kin are variadic in C; their optional mode
//! is taken as a third argument, which is the same call on the ABIs of Linux.

use crate::journal::Record;
use crate::state::{State, facts, facts_at, folder_of, raw_open, state};
use libc::{c_char, c_int, c_long, c_uint, c_void, iovec, off_t, size_t, ssize_t};
use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The bytes of a path, as records hold them.
fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// A system call's answer as the C library's function would give it.
fn int(answer: c_long) -> c_int {
    c_int::try_from(answer).unwrap_or(-1)
}

fn size(answer: c_long) -> ssize_t {
    ssize_t::try_from(answer).unwrap_or(-1)
}

unsafe fn open_at(at: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int {
    // SAFETY: a caller of open(2) hands in a NUL-ended string.
    let name = unsafe { CStr::from_ptr(path) };
    let changes = flags & (libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY | libc::O_RDWR) != 0;
    let state = if changes { state() } else { None };
    let Some(mut state) = state else { return int(raw_open(at, name, flags, mode)) };
    let Some(whole) = state.watched_path(at, name) else {
        drop(state);
        return int(raw_open(at, name, flags, mode));
    };
    let before = facts_at(&whole);
    if flags & libc::O_CREAT != 0 && before.is_none() {
        state.append(&Record::Create { folder: folder_of(&whole), path: bytes(&whole) });
    }
    // Cutting at the opening becomes a cut after it, whose undo can be read from the file.
    let fd = int(raw_open(at, name, flags & !libc::O_TRUNC, mode));
    if fd >= 0 {
        state.watch(fd);
        if flags & libc::O_TRUNC != 0 {
            resize(&mut state, fd, 0);
        }
    }
    fd
}

fn resize(state: &mut State, fd: c_int, length: off_t) -> c_int {
    if let Some(facts) = state.watched(fd) {
        state.before_resize(fd, &facts, u64::try_from(length).unwrap_or(0));
    }
    // SAFETY: numbers alone.
    int(unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) })
}

unsafe fn truncate_to(fd: c_int, length: off_t) -> c_int {
    match state() {
        Some(mut state) => resize(&mut state, fd, length),
        // SAFETY: numbers alone.
        None => int(unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) }),
    }
}

/// Journals a write of `length` bytes where the descriptor stands, or at `offset`, and makes it.
fn write_with(
    fd: c_int,
    offset: Option<off_t>,
    length: usize,
    make: impl FnOnce() -> c_long,
) -> ssize_t {
    let Some(mut state) = state() else { return size(make()) };
    let Some(facts) = state.watched(fd) else {
        drop(state);
        return size(make());
    };
    let at = offset.map_or_else(|| position(fd, facts.size), |at| u64::try_from(at).unwrap_or(0));
    state.before_write(fd, &facts, at, u64::try_from(length).unwrap_or(0));
    size(make())
}

/// Where the next write of `fd` goes.
fn position(fd: c_int, end: u64) -> u64 {
    // SAFETY: numbers alone.
    let (flags, at) = unsafe {
        let flags = libc::syscall(libc::SYS_fcntl, fd, libc::F_GETFL);
        (flags, libc::syscall(libc::SYS_lseek, fd, 0, libc::SEEK_CUR))
    };
    let appends = flags & c_long::from(libc::O_APPEND) != 0;
    if appends { end } else { u64::try_from(at).unwrap_or(end) }
}

unsafe fn length_of(parts: *const iovec, count: c_int) -> usize {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: a caller of writev(2) hands in `count` parts.
    let parts = unsafe { std::slice::from_raw_parts(parts, count) };
    parts.iter().map(|part| part.iov_len).sum()
}

/// Syncs, and then journals how far the journal reached before: a write that came during the sync is
/// not promised by it.
unsafe fn sync_with(fd: c_int, call: c_long) -> c_int {
    let before = state().map(|state| state.length);
    // SAFETY: numbers alone.
    let done = int(unsafe { libc::syscall(call, fd) });
    if let (0, Some(upto), Some(facts)) = (done, before, facts(fd))
        && let Some(mut state) = state().filter(|_| facts.is_file || facts.is_folder)
    {
        state.append(&Record::Sync { inode: facts.inode, upto });
    }
    done
}

unsafe fn remove_at(at: c_int, path: *const c_char, flags: c_int) -> c_int {
    // SAFETY: a caller of unlink(2) hands in a NUL-ended string.
    let name = unsafe { CStr::from_ptr(path) };
    let mut state = state();
    if let Some(state) = state.as_mut()
        && let Some(whole) = state.watched_path(at, name)
        && facts_at(&whole).is_some_and(|facts| facts.is_file)
        && let Some(saved) = state.save(&whole)
    {
        let (path, saved) = (bytes(&whole), bytes(&saved));
        state.append(&Record::Remove { folder: folder_of(&whole), path, saved });
    }
    // SAFETY: the path is the caller's, checked above; the lock is held until the name is gone.
    int(unsafe { libc::syscall(libc::SYS_unlinkat, at, path, flags) })
}

unsafe fn rename_at(
    from_at: c_int,
    from: *const c_char,
    to_at: c_int,
    to: *const c_char,
    flags: c_uint,
) -> c_int {
    // SAFETY: a caller of rename(2) hands in NUL-ended strings.
    let (from_name, to_name) = unsafe { (CStr::from_ptr(from), CStr::from_ptr(to)) };
    let mut state = state();
    if let Some(state) = state.as_mut() {
        let names = (state.watched_path(from_at, from_name), state.watched_path(to_at, to_name));
        if let (Some(from), Some(to)) = names {
            let saved = if facts_at(&to).is_some() { state.save(&to) } else { None };
            let saved = saved.unwrap_or_default();
            state.append(&Record::Rename {
                folder: folder_of(&to),
                from: bytes(&from),
                to: bytes(&to),
                saved: bytes(&saved),
            });
        }
    }
    // SAFETY: the paths are the caller's, checked above; the lock is held until the name is new.
    int(unsafe { libc::syscall(libc::SYS_renameat2, from_at, from, to_at, to, flags) })
}

/// Journals a new name before `make` makes it.
unsafe fn name_at(at: c_int, path: *const c_char, make: impl FnOnce() -> c_long) -> c_int {
    // SAFETY: a caller hands in a NUL-ended string.
    let name = unsafe { CStr::from_ptr(path) };
    let mut state = state();
    if let Some(state) = state.as_mut()
        && let Some(whole) = state.watched_path(at, name).filter(|path| facts_at(path).is_none())
    {
        state.append(&Record::Create { folder: folder_of(&whole), path: bytes(&whole) });
    }
    int(make())
}

/// Defines functions under the C library's names, each by handing its arguments on. Their contract
/// is that of the functions they replace, hence one reason for all.
macro_rules! replace {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $answer:ty = $body:expr;)*) => {$(
        /// Stands for the C library's function of this name.
        ///
        /// # Safety
        /// As for that function.
        #[unsafe(no_mangle)]
        pub(crate) unsafe extern "C" fn $name($($arg: $kind),*) -> $answer {
            // SAFETY: the arguments are the caller's, who keeps the contract of that function.
            unsafe { $body }
        }
    )*};
}

replace! {
    open(path: *const c_char, flags: c_int, mode: c_uint) -> c_int = open_at(libc::AT_FDCWD, path, flags, mode);
    open64(path: *const c_char, flags: c_int, mode: c_uint) -> c_int = open_at(libc::AT_FDCWD, path, flags, mode);
    openat(at: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int = open_at(at, path, flags, mode);
    openat64(at: c_int, path: *const c_char, flags: c_int, mode: c_uint) -> c_int = open_at(at, path, flags, mode);
    creat(path: *const c_char, mode: c_uint) -> c_int =
        open_at(libc::AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode);
    creat64(path: *const c_char, mode: c_uint) -> c_int =
        open_at(libc::AT_FDCWD, path, libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC, mode);

    write(fd: c_int, from: *const c_void, length: size_t) -> ssize_t =
        write_with(fd, None, length, || libc::syscall(libc::SYS_write, fd, from, length));
    pwrite(fd: c_int, from: *const c_void, length: size_t, at: off_t) -> ssize_t =
        write_with(fd, Some(at), length, || libc::syscall(libc::SYS_pwrite64, fd, from, length, at));
    pwrite64(fd: c_int, from: *const c_void, length: size_t, at: off_t) -> ssize_t =
        write_with(fd, Some(at), length, || libc::syscall(libc::SYS_pwrite64, fd, from, length, at));
    writev(fd: c_int, parts: *const iovec, count: c_int) -> ssize_t =
        write_with(fd, None, length_of(parts, count), || libc::syscall(libc::SYS_writev, fd, parts, count));
    pwritev(fd: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t =
        write_with(fd, Some(at), length_of(parts, count), || libc::syscall(libc::SYS_pwritev, fd, parts, count, at, 0));
    pwritev64(fd: c_int, parts: *const iovec, count: c_int, at: off_t) -> ssize_t =
        write_with(fd, Some(at), length_of(parts, count), || libc::syscall(libc::SYS_pwritev, fd, parts, count, at, 0));

    ftruncate(fd: c_int, length: off_t) -> c_int = truncate_to(fd, length);
    ftruncate64(fd: c_int, length: off_t) -> c_int = truncate_to(fd, length);
    fallocate(fd: c_int, mode: c_int, at: off_t, length: off_t) -> c_int = reserve(fd, mode, at, length);
    fallocate64(fd: c_int, mode: c_int, at: off_t, length: off_t) -> c_int = reserve(fd, mode, at, length);
    posix_fallocate(fd: c_int, at: off_t, length: off_t) -> c_int = if reserve(fd, 0, at, length) == 0 { 0 } else { libc::EOPNOTSUPP };
    posix_fallocate64(fd: c_int, at: off_t, length: off_t) -> c_int = if reserve(fd, 0, at, length) == 0 { 0 } else { libc::EOPNOTSUPP };

    fsync(fd: c_int) -> c_int = sync_with(fd, libc::SYS_fsync);
    fdatasync(fd: c_int) -> c_int = sync_with(fd, libc::SYS_fdatasync);

    unlink(path: *const c_char) -> c_int = remove_at(libc::AT_FDCWD, path, 0);
    unlinkat(at: c_int, path: *const c_char, flags: c_int) -> c_int = remove_at(at, path, flags);
    rename(from: *const c_char, to: *const c_char) -> c_int = rename_at(libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0);
    renameat(from_at: c_int, from: *const c_char, to_at: c_int, to: *const c_char) -> c_int = rename_at(from_at, from, to_at, to, 0);
    renameat2(from_at: c_int, from: *const c_char, to_at: c_int, to: *const c_char, flags: c_uint) -> c_int = rename_at(from_at, from, to_at, to, flags);
    link(from: *const c_char, to: *const c_char) -> c_int =
        name_at(libc::AT_FDCWD, to, || libc::syscall(libc::SYS_linkat, libc::AT_FDCWD, from, libc::AT_FDCWD, to, 0));
    linkat(from_at: c_int, from: *const c_char, to_at: c_int, to: *const c_char, flags: c_int) -> c_int =
        name_at(to_at, to, || libc::syscall(libc::SYS_linkat, from_at, from, to_at, to, flags));
    mkdir(path: *const c_char, mode: c_uint) -> c_int =
        name_at(libc::AT_FDCWD, path, || libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode));
    mkdirat(at: c_int, path: *const c_char, mode: c_uint) -> c_int =
        name_at(at, path, || libc::syscall(libc::SYS_mkdirat, at, path, mode));

    copy_file_range(from: c_int, from_at: *mut off_t, to: c_int, to_at: *mut off_t, length: size_t, flags: c_uint) -> ssize_t =
        if changes_a_file(to) { refuse(libc::ENOSYS) } else {
            size(libc::syscall(libc::SYS_copy_file_range, from, from_at, to, to_at, length, flags))
        };
    sendfile(to: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t =
        if changes_a_file(to) { refuse(libc::EINVAL) } else { size(libc::syscall(libc::SYS_sendfile, to, from, at, length)) };
    sendfile64(to: c_int, from: c_int, at: *mut off_t, length: size_t) -> ssize_t =
        if changes_a_file(to) { refuse(libc::EINVAL) } else { size(libc::syscall(libc::SYS_sendfile, to, from, at, length)) };
}

/// Reserving space is refused for watched files: who asks for it falls back to writing.
unsafe fn reserve(fd: c_int, mode: c_int, at: off_t, length: off_t) -> c_int {
    if changes_a_file(fd) {
        return c_int::try_from(refuse(libc::EOPNOTSUPP)).unwrap_or(-1);
    }
    // SAFETY: numbers alone.
    int(unsafe { libc::syscall(libc::SYS_fallocate, fd, mode, at, length) })
}

/// Whether `fd` is watched, so that a copy inside the kernel would pass by the journal.
fn changes_a_file(fd: c_int) -> bool {
    state().is_some_and(|state| state.watched(fd).is_some())
}

/// Fails as a kernel without that call would; callers fall back to read and write.
fn refuse(error: c_int) -> ssize_t {
    // SAFETY: the C library keeps an error number for each thread.
    unsafe { *libc::__errno_location() = error };
    -1
}
