//! The trait under SQLite itself: a disk in memory that keeps every byte turned over, several
//! connections at once, and a disk that fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test helper fails its test, and one disk here panics on purpose"
)]

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vfs::{Disk, DiskFile, Failure, How, Kind};

type Bytes = Arc<Mutex<Vec<u8>>>;

/// Files in memory, every byte of which is turned over.
#[derive(Debug, Clone, Default)]
struct Turned(Arc<Mutex<HashMap<PathBuf, Bytes>>>);

struct Turning(Bytes);

impl Disk for Turned {
    type File = Turning;

    fn open(&self, path: Option<&Path>, _: Kind, how: How) -> Result<Turning, Failure> {
        let path = path.unwrap_or(Path::new("")).to_owned();
        let mut all = self.0.lock();
        if !how.create && !all.contains_key(&path) {
            return Err(Failure::CannotOpen);
        }
        Ok(Turning(Arc::clone(all.entry(path).or_default())))
    }

    fn delete(&self, path: &Path, _: bool) -> Result<(), Failure> {
        self.0.lock().remove(path);
        Ok(())
    }

    fn exists(&self, path: &Path) -> bool {
        self.0.lock().contains_key(path)
    }
}

impl DiskFile for Turning {
    fn read(&mut self, out: &mut [u8], offset: u64) -> Result<usize, Failure> {
        let all = self.0.lock();
        let from = all.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
        for (out, byte) in out.iter_mut().zip(from) {
            *out = !byte;
        }
        Ok(out.len().min(from.len()))
    }

    fn write(&mut self, bytes: &[u8], offset: u64) -> Result<(), Failure> {
        let mut all = self.0.lock();
        let start = usize::try_from(offset).unwrap();
        if all.len() < start + bytes.len() {
            all.resize(start + bytes.len(), !0);
        }
        for (place, byte) in all[start..].iter_mut().zip(bytes) {
            *place = !byte;
        }
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> Result<(), Failure> {
        self.0.lock().resize(usize::try_from(length).unwrap(), !0);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn length(&mut self) -> Result<u64, Failure> {
        Ok(self.0.lock().len() as u64)
    }
}

fn open(name: &str, path: &str) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let conn = Connection::open_with_flags_and_vfs(path, flags, name).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    conn
}

#[test]
fn writers_and_readers_share_a_log_and_lose_nothing() {
    let disk = Turned::default();
    vfs::register("turned-shared", disk.clone()).unwrap();
    let first = open("turned-shared", "/shared.db");
    let mode: String = first.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0)).unwrap();
    assert_eq!(mode, "wal");
    first
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 50; CREATE TABLE t (w INTEGER, n INTEGER, x BLOB)",
        )
        .unwrap();
    std::thread::scope(|scope| {
        for w in 0..4 {
            scope.spawn(move || {
                let conn = open("turned-shared", "/shared.db");
                for n in 0..100 {
                    conn.execute("INSERT INTO t VALUES (?, ?, randomblob(300))", [w, n]).unwrap();
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let conn = open("turned-shared", "/shared.db");
                let mut last = 0;
                for _ in 0..200 {
                    let n: i64 =
                        conn.query_row("SELECT count(*) FROM t", [], |r| r.get(0)).unwrap();
                    assert!(n >= last, "a snapshot went back");
                    last = n;
                }
            });
        }
    });
    let sound: String = first.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
    assert_eq!(sound, "ok");
    drop(first);
    assert!(!disk.exists(Path::new("/shared.db-wal")), "the last to leave takes the log along");
    let again = open("turned-shared", "/shared.db");
    let n: i64 = again.query_row("SELECT count(*) FROM t", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 400);
    let plain = disk.0.lock()[Path::new("/shared.db")].lock().starts_with(b"SQLite format 3");
    assert!(!plain, "the disk was gone round");
}

#[test]
fn a_rollback_journal_undoes_and_a_name_that_is_not_there_is_refused() {
    let disk = Turned::default();
    vfs::register("turned-journal", disk).unwrap();
    let mut conn = open("turned-journal", "/journal.db");
    conn.execute_batch("PRAGMA cache_size = 2; CREATE TABLE t (x BLOB)").unwrap();
    let tx = conn.transaction().unwrap();
    for _ in 0..200 {
        tx.execute("INSERT INTO t VALUES (randomblob(2000))", []).unwrap();
    }
    tx.rollback().unwrap();
    let n: i64 = conn.query_row("SELECT count(*) FROM t", [], |r| r.get(0)).unwrap();
    assert_eq!(n, 0);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    assert!(Connection::open_with_flags_and_vfs("/nothing.db", flags, "turned-journal").is_err());
}

/// A disk whose files panic.
#[derive(Debug)]
struct Broken;

struct Breaking;

impl Disk for Broken {
    type File = Breaking;

    fn open(&self, _: Option<&Path>, _: Kind, _: How) -> Result<Breaking, Failure> {
        Ok(Breaking)
    }

    fn delete(&self, _: &Path, _: bool) -> Result<(), Failure> {
        Err(Failure::Io)
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

impl DiskFile for Breaking {
    fn read(&mut self, _: &mut [u8], _: u64) -> Result<usize, Failure> {
        Err(Failure::Altered)
    }

    fn write(&mut self, _: &[u8], _: u64) -> Result<(), Failure> {
        panic!("a fault in the disk's own code");
    }

    fn truncate(&mut self, _: u64) -> Result<(), Failure> {
        Err(Failure::Full)
    }

    fn sync(&mut self) -> Result<(), Failure> {
        Err(Failure::Io)
    }

    fn length(&mut self) -> Result<u64, Failure> {
        Ok(4096)
    }
}

#[test]
fn an_altered_page_is_told_apart_from_other_faults() {
    vfs::register("broken", Broken).unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let error = Connection::open_with_flags_and_vfs("/x.db", flags, "broken")
        .and_then(|conn| conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())))
        .unwrap_err();
    assert!(vfs::is_altered(&error), "{error:?}");
}
