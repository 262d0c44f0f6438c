//! The tables of C functions that SQLite calls, each turned into a call of the trait. Every function
//! here does three things and no more: it takes SQLite's pointers apart, calls safe code, and puts the
//! answer where SQLite expects it. A panic becomes an error of the disk, for it may not cross C.
//!
//! What makes the pointers sound is SQLite's side of the contract
//! (<https://www.sqlite.org/c3ref/io_methods.html>): a file is used by one thread at a time, between
//! the `xOpen` that filled it and its `xClose`, with buffers of the length it states.

use crate::locks::Level;
use crate::node::Seat;
use crate::{Disk, DiskFile, Failure, How, Kind};
use rusqlite::ffi;
use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::atomic::{Ordering, fence};

/// What stands in the memory that SQLite sets aside for an open file: its own part first, as it asks.
#[repr(C)]
struct Slot<F> {
    base: ffi::sqlite3_file,
    open: *mut Open<F>,
}

/// An open file, on our own heap.
struct Open<F> {
    file: F,
    /// A database has one.
    seat: Option<Seat>,
}

/// What a registered disk is, for as long as the program runs.
struct Registered<D> {
    disk: D,
    /// SQLite's own file system, for what is not about files: randomness, sleep, time.
    base: *mut ffi::sqlite3_vfs,
    methods: ffi::sqlite3_io_methods,
}

/// Makes a disk known to SQLite under a name. It stays for the life of the program, so a name is
/// registered once.
///
/// # Errors
/// SQLite's code when it cannot be.
pub fn register<D: Disk>(name: &str, disk: D) -> Result<(), i32> {
    let name = CString::new(name).map_err(|_| ffi::SQLITE_MISUSE)?;
    // SAFETY: both are plain calls; `find` with a null name gives the default file system or null.
    let base = unsafe {
        ffi::sqlite3_initialize();
        ffi::sqlite3_vfs_find(std::ptr::null())
    };
    if base.is_null() {
        return Err(ffi::SQLITE_INTERNAL);
    }
    // SAFETY: not null, and SQLite's own file systems are never freed. It is copied as plain data.
    let own = unsafe { *base };
    let methods = ffi::sqlite3_io_methods {
        iVersion: 2,
        xClose: Some(close::<D>),
        xRead: Some(read::<D>),
        xWrite: Some(write::<D>),
        xTruncate: Some(truncate::<D>),
        xSync: Some(sync::<D>),
        xFileSize: Some(size::<D>),
        xLock: Some(lock::<D>),
        xUnlock: Some(unlock::<D>),
        xCheckReservedLock: Some(reserved::<D>),
        xFileControl: Some(control),
        xSectorSize: Some(sector),
        xDeviceCharacteristics: Some(traits),
        xShmMap: Some(shm_map::<D>),
        xShmLock: Some(shm_lock::<D>),
        xShmBarrier: Some(shm_barrier),
        xShmUnmap: Some(shm_unmap),
        xFetch: None,
        xUnfetch: None,
    };
    // Both are leaked on purpose: SQLite keeps them until the program ends.
    let app: *mut Registered<D> = Box::leak(Box::new(Registered { disk, base, methods }));
    let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<Slot<D::File>>()).unwrap_or(c_int::MAX),
        mxPathname: own.mxPathname,
        pNext: null_mut(),
        zName: name.into_raw(),
        pAppData: app.cast(),
        xOpen: Some(open::<D>),
        xDelete: Some(delete::<D>),
        xAccess: Some(access::<D>),
        xFullPathname: Some(full_path),
        // No code is loaded from anywhere.
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        xRandomness: Some(randomness::<D>),
        xSleep: Some(sleep::<D>),
        xCurrentTime: None,
        xGetLastError: None,
        xCurrentTimeInt64: Some(time::<D>),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: `vfs` and what it points to live from now on for ever.
    match unsafe { ffi::sqlite3_vfs_register(vfs, 0) } {
        ffi::SQLITE_OK => Ok(()),
        code => Err(code),
    }
}

/// Runs safe code for C: an answer or a code, and no panic.
fn answer(work: impl FnOnce() -> Result<(), i32>) -> c_int {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => ffi::SQLITE_OK,
        Ok(Err(code)) => code,
        Err(_) => ffi::SQLITE_IOERR,
    }
}

/// The disk that SQLite calls.
///
/// # Safety
/// `vfs` is one that [`register`] made for `D`, which SQLite gives back as it got it.
unsafe fn registered<'a, D: Disk>(vfs: *mut ffi::sqlite3_vfs) -> &'a Registered<D> {
    // SAFETY: `register` put a leaked `Registered<D>` there, and nothing ever changes it.
    unsafe { &*(*vfs).pAppData.cast::<Registered<D>>() }
}

/// The file that SQLite means.
///
/// # Safety
/// `file` was filled by [`open`] of the same `D`, is not closed, and nobody else uses it meanwhile.
unsafe fn opened<'a, D: Disk>(file: *mut ffi::sqlite3_file) -> Result<&'a mut Open<D::File>, i32> {
    // SAFETY: SQLite sets aside a `Slot` for it, `open` put a `Box` there, and `close` takes it out.
    unsafe { (*file.cast::<Slot<D::File>>()).open.as_mut() }.ok_or(ffi::SQLITE_MISUSE)
}

/// A path of SQLite's.
///
/// # Safety
/// `path` is null or text that ends in a zero and lives as long as the answer is used.
unsafe fn path_of<'a>(path: *const c_char) -> Option<&'a Path> {
    // SAFETY: as the caller promises.
    let text = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) })?;
    Some(Path::new(OsStr::from_bytes(text.to_bytes())))
}

unsafe extern "C" fn open<D: Disk>(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let slot = file.cast::<Slot<D::File>>();
    // SAFETY: `file` points to `szOsFile` bytes that nobody uses yet. Without methods SQLite never
    // closes it, so it is so until all went well.
    unsafe {
        slot.write(Slot {
            base: ffi::sqlite3_file { pMethods: std::ptr::null() },
            open: null_mut(),
        })
    };
    answer(|| {
        // SAFETY: SQLite calls with the disk it was given, and a path or null.
        let (registered, path) = unsafe { (registered::<D>(vfs), path_of(path)) };
        let kind = match flags & 0x000F_FF00 {
            ffi::SQLITE_OPEN_MAIN_DB => Kind::Main,
            ffi::SQLITE_OPEN_WAL => Kind::Wal,
            ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL => Kind::Journal,
            _ => Kind::Temporary,
        };
        let read_only = flags & ffi::SQLITE_OPEN_READONLY != 0;
        let how = How { create: flags & ffi::SQLITE_OPEN_CREATE != 0, read_only };
        let opened = registered.disk.open(path, kind, how).map_err(Failure::code)?;
        let seat = path.filter(|_| kind == Kind::Main).map(Seat::take);
        let open = Box::into_raw(Box::new(Open { file: opened, seat }));
        // SAFETY: the slot was filled above; the methods live in what is leaked. `out_flags` is null
        // or points to a number of SQLite's.
        unsafe {
            (*slot).open = open;
            (*slot).base.pMethods = &raw const registered.methods;
            if let Some(out) = out_flags.as_mut() {
                *out = flags;
            }
        }
        Ok(())
    })
}

unsafe extern "C" fn close<D: Disk>(file: *mut ffi::sqlite3_file) -> c_int {
    answer(|| {
        // SAFETY: the slot is one that `open` filled; its pointer is taken out, so it is freed once.
        let open =
            unsafe { std::mem::replace(&mut (*file.cast::<Slot<D::File>>()).open, null_mut()) };
        if !open.is_null() {
            // SAFETY: it came from `Box::into_raw` in `open`.
            drop(unsafe { Box::from_raw(open) });
        }
        Ok(())
    })
}

unsafe extern "C" fn read<D: Disk>(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    answer(|| {
        let length = usize::try_from(length).map_err(|_| ffi::SQLITE_IOERR_READ)?;
        let offset = u64::try_from(offset).map_err(|_| ffi::SQLITE_IOERR_READ)?;
        // SAFETY: an open file, and a buffer of `length` bytes that only this call uses. It is memory
        // of SQLite's page cache, which it may not have written yet, so it is written first.
        let (open, out) = unsafe {
            into.cast::<u8>().write_bytes(0, length);
            (opened::<D>(file)?, std::slice::from_raw_parts_mut(into.cast::<u8>(), length))
        };
        let read = open.file.read(out, offset).map_err(Failure::code)?;
        // What is beyond the end reads as zeros, and SQLite wants to know of it.
        out.get_mut(read..).unwrap_or_default().fill(0);
        if read < length { Err(ffi::SQLITE_IOERR_SHORT_READ) } else { Ok(()) }
    })
}

unsafe extern "C" fn write<D: Disk>(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    length: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    answer(|| {
        let length = usize::try_from(length).map_err(|_| ffi::SQLITE_IOERR_WRITE)?;
        let offset = u64::try_from(offset).map_err(|_| ffi::SQLITE_IOERR_WRITE)?;
        // SAFETY: an open file, and `length` bytes that nobody changes during the call.
        let (open, bytes) =
            unsafe { (opened::<D>(file)?, std::slice::from_raw_parts(from.cast::<u8>(), length)) };
        open.file.write(bytes, offset).map_err(Failure::code)
    })
}

unsafe extern "C" fn truncate<D: Disk>(
    file: *mut ffi::sqlite3_file,
    length: ffi::sqlite3_int64,
) -> c_int {
    answer(|| {
        let length = u64::try_from(length).map_err(|_| ffi::SQLITE_IOERR_TRUNCATE)?;
        // SAFETY: an open file.
        unsafe { opened::<D>(file)? }.file.truncate(length).map_err(Failure::code)
    })
}

unsafe extern "C" fn sync<D: Disk>(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: an open file.
    answer(|| unsafe { opened::<D>(file)? }.file.sync().map_err(Failure::code))
}

unsafe extern "C" fn size<D: Disk>(
    file: *mut ffi::sqlite3_file,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    answer(|| {
        // SAFETY: an open file, and a number of SQLite's.
        let (open, out) = unsafe { (opened::<D>(file)?, &mut *out) };
        let length = open.file.length().map_err(Failure::code)?;
        *out = i64::try_from(length).map_err(|_| ffi::SQLITE_IOERR_FSTAT)?;
        Ok(())
    })
}

/// `done` tells whether nobody stood in the way.
fn free(done: bool) -> Result<(), i32> {
    if done { Ok(()) } else { Err(ffi::SQLITE_BUSY) }
}

unsafe extern "C" fn lock<D: Disk>(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    answer(|| {
        // SAFETY: an open file.
        let seat = &mut unsafe { opened::<D>(file)? }.seat;
        free(seat.as_mut().is_none_or(|seat| seat.raise(Level::of(level))))
    })
}

unsafe extern "C" fn unlock<D: Disk>(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    answer(|| {
        // SAFETY: an open file.
        if let Some(seat) = &mut unsafe { opened::<D>(file)? }.seat {
            seat.lower(Level::of(level));
        }
        Ok(())
    })
}

unsafe extern "C" fn reserved<D: Disk>(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    answer(|| {
        // SAFETY: an open file, and a number of SQLite's.
        let (open, out) = unsafe { (opened::<D>(file)?, &mut *out) };
        *out = c_int::from(open.seat.as_ref().is_some_and(Seat::is_reserved));
        Ok(())
    })
}

unsafe extern "C" fn control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// What SQLite may rely on: a write leaves bytes beside it alone, as it may on any Unix disk.
unsafe extern "C" fn traits(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map<D: Disk>(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    make: c_int,
    out: *mut *mut c_void,
) -> c_int {
    answer(|| {
        // SAFETY: an open file, and a pointer of SQLite's to be set.
        let (open, out) = unsafe { (opened::<D>(file)?, &mut *out) };
        *out = null_mut();
        let seat = open.seat.as_ref().ok_or(ffi::SQLITE_IOERR)?;
        let index = usize::try_from(index).map_err(|_| ffi::SQLITE_IOERR)?;
        let bytes = usize::try_from(bytes).map_err(|_| ffi::SQLITE_IOERR)?;
        // The region outlives this file: its seat holds the node that owns it.
        if let Some(region) = seat.node.regions.lock().get(index, bytes, make != 0)? {
            *out = region.as_ptr().cast();
        }
        Ok(())
    })
}

unsafe extern "C" fn shm_lock<D: Disk>(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    n: c_int,
    flags: c_int,
) -> c_int {
    answer(|| {
        // SAFETY: an open file.
        let seat = unsafe { opened::<D>(file)? }.seat.as_mut().ok_or(ffi::SQLITE_IOERR)?;
        let first = usize::try_from(first).map_err(|_| ffi::SQLITE_MISUSE)?;
        let n = usize::try_from(n).map_err(|_| ffi::SQLITE_MISUSE)?;
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            seat.give_slots(first, n);
            return Ok(());
        }
        free(seat.take_slots(first, n, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0))
    })
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

/// The regions are freed with the node, when nobody can have a pointer to them any more.
unsafe extern "C" fn shm_unmap(_: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete<D: Disk>(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    durably: c_int,
) -> c_int {
    answer(|| {
        // SAFETY: SQLite calls with the disk it was given and a path.
        let (registered, path) = unsafe { (registered::<D>(vfs), path_of(path)) };
        let path = path.ok_or(ffi::SQLITE_IOERR_DELETE)?;
        registered.disk.delete(path, durably != 0).map_err(Failure::code)
    })
}

unsafe extern "C" fn access<D: Disk>(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    answer(|| {
        // SAFETY: SQLite calls with the disk it was given, a path, and a number of its own.
        let (registered, path, out) = unsafe { (registered::<D>(vfs), path_of(path), &mut *out) };
        *out = c_int::from(path.is_some_and(|path| registered.disk.exists(path)));
        Ok(())
    })
}

unsafe extern "C" fn full_path(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    answer(|| {
        // SAFETY: a path.
        let path = unsafe { path_of(path) }.ok_or(ffi::SQLITE_CANTOPEN)?;
        let full = std::path::absolute(path).map_err(|_| ffi::SQLITE_CANTOPEN)?;
        let text = CString::new(full.as_os_str().as_bytes()).map_err(|_| ffi::SQLITE_CANTOPEN)?;
        let bytes = text.as_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or(0) {
            return Err(ffi::SQLITE_CANTOPEN);
        }
        // SAFETY: `out` has `room` bytes, at least as many as are copied, and is SQLite's own.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast::<u8>(), bytes.len()) };
        Ok(())
    })
}

unsafe extern "C" fn randomness<D: Disk>(
    vfs: *mut ffi::sqlite3_vfs,
    n: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: the call is passed on as it came, to SQLite's own file system.
    unsafe {
        let base = registered::<D>(vfs).base;
        (*base).xRandomness.map_or(0, |call| call(base, n, out))
    }
}

unsafe extern "C" fn sleep<D: Disk>(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let base = registered::<D>(vfs).base;
        (*base).xSleep.map_or(0, |call| call(base, microseconds))
    }
}

unsafe extern "C" fn time<D: Disk>(
    vfs: *mut ffi::sqlite3_vfs,
    out: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let base = registered::<D>(vfs).base;
        (*base).xCurrentTimeInt64.map_or(ffi::SQLITE_ERROR, |call| call(base, out))
    }
}
