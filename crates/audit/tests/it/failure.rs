//! No audit, no access: what appenders and waiters get when the disk fails.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use audit::{Disk, Files, Log, Options, SegmentFile, verify};
use base::Fault;
use base::error::code;

use crate::support::{event, options, small};

/// A disk with so many bytes left, and whose sync can be broken or held up.
#[derive(Debug, Default)]
struct Faulty {
    room: AtomicUsize,
    sync_fails: AtomicBool,
    panics: AtomicBool,
    syncs: AtomicU64,
    held: gate::Gate,
}

/// A gate that writers wait at.
mod gate {
    use std::sync::{Condvar, Mutex};

    #[derive(Debug, Default)]
    pub(super) struct Gate(Mutex<bool>, Condvar);

    impl Gate {
        pub(super) fn set(&self, shut: bool) {
            *self.0.lock().unwrap() = shut;
            self.1.notify_all();
        }

        pub(super) fn pass(&self) {
            drop(self.1.wait_while(self.0.lock().unwrap(), |shut| *shut).unwrap());
        }
    }
}

#[derive(Debug)]
struct FaultyFiles(Arc<Faulty>);

#[derive(Debug)]
struct FaultyFile(Arc<Faulty>, Arc<dyn SegmentFile>);

impl Files for FaultyFiles {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FaultyFile(Arc::clone(&self.0), Disk.create(path)?)))
    }

    fn append(&self, path: &Path) -> io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FaultyFile(Arc::clone(&self.0), Disk.append(path)?)))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }
}

impl SegmentFile for FaultyFile {
    fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.held.pass();
        assert!(!self.0.panics.load(Ordering::SeqCst), "the file layer panics");
        let room = self.0.room.load(Ordering::SeqCst);
        let fits = bytes.len().min(room);
        self.1.write_all(&bytes[..fits])?;
        self.0.room.store(room - fits, Ordering::SeqCst);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        self.0.syncs.fetch_add(1, Ordering::SeqCst);
        if self.0.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is gone"));
        }
        self.1.sync()
    }
}

fn faulty(room: usize, options: Options) -> (Arc<Faulty>, Options) {
    let faulty = Arc::new(Faulty { room: AtomicUsize::new(room), ..Faulty::default() });
    (Arc::clone(&faulty), Options { files: Arc::new(FaultyFiles(faulty)), ..options })
}

fn is_unavailable(fault: &Fault) -> bool {
    fault.code() == &code::AUDIT_UNAVAILABLE
}

#[test]
fn a_full_disk_ends_the_log_and_a_reopening_repairs_it() {
    for room in (120..1500).step_by(67) {
        let dir = tempfile::tempdir().unwrap();
        let (_, options) = faulty(room, small());
        let log = Log::open(dir.path(), options).unwrap();
        let mut safe = 0;
        let fault = loop {
            match log.append(&event(safe + 1)).and_then(|ticket| ticket.written().wait()) {
                Ok(()) => safe += 1,
                Err(fault) => break fault,
            }
        };
        assert!(is_unavailable(&fault), "{fault}");
        assert!(is_unavailable(&log.append(&event(0)).unwrap_err()), "and stays so");
        assert!(is_unavailable(&log.failure().unwrap()));
        assert!(is_unavailable(&log.close().unwrap_err()));
        let log = Log::open(dir.path(), small()).unwrap();
        assert!(log.head().seq >= safe, "nothing acknowledged is lost");
        let head = log.append(&event(1)).unwrap().seq();
        log.close().unwrap();
        let report = verify(dir.path(), None).unwrap();
        assert!(report.is_sound() && report.head.seq == head, "{report:?}");
    }
}

#[test]
fn a_failed_sync_ends_the_log_though_writing_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = faulty(usize::MAX, options());
    let log = Log::open(dir.path(), options).unwrap();
    log.append(&event(1)).unwrap().synced().wait().unwrap();
    disk.sync_fails.store(true, Ordering::SeqCst);
    let ticket = log.append(&event(2)).unwrap();
    assert!(is_unavailable(&ticket.synced().wait().unwrap_err()));
    assert_eq!(ticket.written().wait(), Ok(()), "it was written before the sync failed");
    disk.sync_fails.store(false, Ordering::SeqCst);
    assert!(is_unavailable(&log.append(&event(3)).unwrap_err()), "a sync is never tried again");
}

#[test]
fn a_writer_that_is_behind_refuses_reads_and_lets_commits_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = faulty(usize::MAX, Options { buffer_bytes: 4000, ..options() });
    let log = Log::open(dir.path(), options).unwrap();
    disk.held.set(true);
    let mut appended = 0;
    let fault = loop {
        match log.append(&event(appended)) {
            Ok(_) => appended += 1,
            Err(fault) => break fault,
        }
        assert!(appended < 1000, "the buffer is bounded");
    };
    assert!(is_unavailable(&fault));
    assert_eq!(log.failure(), None, "behind is not broken");
    std::thread::scope(|scope| {
        let committed = scope.spawn(|| {
            let events = [audit::Event { commit_seq: 1, ..event(0) }.encode()];
            log.append_commit(1, &events).unwrap().unwrap().written().wait()
        });
        disk.held.set(false);
        assert_eq!(committed.join().unwrap(), Ok(()));
    });
    assert_eq!(log.close().unwrap().seq, appended + 1);
}

#[test]
fn a_disk_that_cannot_begin_a_segment_fails_the_opening() {
    let dir = tempfile::tempdir().unwrap();
    let (_, options) = faulty(50, options());
    assert!(is_unavailable(&Log::open(dir.path(), options).unwrap_err()));
    let (_, options) = faulty(usize::MAX, small());
    assert_eq!(Log::open(dir.path(), options).unwrap().torn_bytes(), 50);
}

#[test]
fn a_thread_that_panics_fails_the_log_instead_of_leaving_it_hanging() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = faulty(usize::MAX, options());
    let log = Log::open(dir.path(), options).unwrap();
    disk.panics.store(true, Ordering::SeqCst);
    let ticket = log.append(&event(1)).unwrap();
    assert!(is_unavailable(&ticket.written().wait().unwrap_err()));
    assert!(is_unavailable(&log.append(&event(2)).unwrap_err()));
}

#[test]
fn the_disk_is_synced_at_most_once_per_interval() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, options) = faulty(usize::MAX, Options { sync_interval_ms: 20, ..options() });
    let log = Log::open(dir.path(), options).unwrap();
    let (before, start) = (disk.syncs.load(Ordering::SeqCst), Instant::now());
    let mut last = log.append(&event(0)).unwrap();
    while start.elapsed() < Duration::from_millis(200) {
        last = log.append(&event(1)).unwrap();
        last.written().wait().unwrap();
    }
    last.synced().wait().unwrap();
    let syncs = u128::from(disk.syncs.load(Ordering::SeqCst) - before);
    let most = start.elapsed().as_millis() / 20 + 1;
    assert!((2..=most).contains(&syncs), "{syncs} syncs, at most {most}");
}
