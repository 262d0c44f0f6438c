//! SQLite's files, sealed: every page and every frame of the log under the page key, each at the place
//! and length that SQLite gives it, so that nothing but the bytes changes (45 CFR 164.312(a)(2)(iv)).
//!
//! A page's last 48 bytes are kept free by the file's own header (byte 20, "reserved") and hold what
//! the seal needs; SQLite sees zeros there. A frame of the log is its 24 bytes of head and the page,
//! sealed together. What SQLite would put into temporary files stays in memory. A rollback journal is
//! refused: a store is in WAL mode from its first byte on.

mod disk;
mod opened;
mod recover;

pub(super) use recover::check_log;

use base::Fault;
use base::error::code;
use disk::Sealed;
use keys::{PAGE_TRAILER_BYTES, PageKey, PageSpot, Unsound};
use opened::Opened;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

/// The name SQLite knows these files by.
pub(super) const NAME: &str = "plummer-sealed";

const PAGE: usize = 4096;
/// Bytes of the log's own head, which stays as it is: numbers that SQLite drew, and a checksum.
const LOG_HEAD: u64 = 32;
/// Bytes of a frame before its page.
const FRAME_HEAD: usize = 24;
const FRAME: usize = FRAME_HEAD + PAGE;

/// What connections to one database share.
#[derive(Clone)]
struct Use {
    key: Arc<PageKey>,
    opened: Arc<Opened>,
    /// Every commit is synced (`synchronous=FULL`), or nobody reads beside whoever writes.
    synced: bool,
}

/// Which key opens which database, and what is kept of it in memory; an entry stands as long as the file
/// is in use.
static KEYS: LazyLock<Mutex<HashMap<PathBuf, Use>>> = LazyLock::new(Mutex::default);
static REGISTERED: LazyLock<Result<(), i32>> = LazyLock::new(|| vfs::register(NAME, Sealed));

/// A database that is known to be sealed. Keep it as long as a connection to it is open.
pub(super) struct Known {
    path: PathBuf,
    opened: Arc<Opened>,
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Known {
    /// Says under which key a database is sealed, and how many bytes of it may be kept in memory. `synced`:
    /// every commit is synced before anybody may read it, or nobody reads beside whoever writes.
    pub(super) fn new(
        path: &Path,
        key: &Arc<PageKey>,
        opened_bytes: u64,
        synced: bool,
    ) -> Result<Self, Fault> {
        let broken = |what: String| Fault::new(&code::STORE_UNAVAILABLE, what);
        if let Err(number) = *REGISTERED {
            return Err(broken(format!("the engine refuses sealed files (its code {number})")));
        }
        let path = std::path::absolute(path).map_err(|e| super::io(&e))?;
        let mut keys = KEYS.lock();
        if keys.contains_key(&path) {
            return Err(Fault::new(&code::STORE_LOCKED, "this process has the store open already"));
        }
        let (key, opened) = (Arc::clone(key), Arc::new(Opened::new(opened_bytes)));
        keys.insert(path.clone(), Use { key, opened: Arc::clone(&opened), synced });
        Ok(Self { path, opened })
    }

    /// Forgets the pages that are kept in memory.
    pub(super) fn forget_pages(&self) {
        self.opened.forget(|_| true);
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        KEYS.lock().remove(&self.path);
    }
}

/// What stands at a database's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Nothing, or an empty file.
    Absent,
    /// A database anybody can read.
    Plain,
    /// Something else: a sealed database, as far as can be told without its key.
    Sealed,
}

/// Looks at the beginning of a database.
pub(super) fn form(path: &Path) -> Result<Form, Fault> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Form::Absent),
        Err(e) => return Err(super::io(&e)),
    };
    let mut head = [0; 16];
    let read = read_up_to(&file, &mut head, 0).map_err(|e| super::io(&e))?;
    Ok(match head.get(..read).unwrap_or_default() {
        [] => Form::Absent,
        b"SQLite format 3\0" => Form::Plain,
        _ => Form::Sealed,
    })
}

/// Makes an empty sealed database, durably, where there is none.
pub(super) fn create(path: &Path, key: &PageKey) -> Result<(), Fault> {
    let mut page = empty_database();
    key.seal(PageSpot::Page(1), &mut page)?;
    let partial = path.with_extension("new");
    let run = || -> io::Result<()> {
        std::fs::write(&partial, &page)?;
        File::open(&partial)?.sync_all()?;
        std::fs::rename(&partial, path)?;
        sync_folder(path)
    };
    run().map_err(|e| super::io(&e))
}

/// The first page of an empty database in WAL mode with [`PAGE_TRAILER_BYTES`] bytes of each page kept
/// free (<https://www.sqlite.org/fileformat2.html>, 1.3 and 1.6).
fn empty_database() -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let mut put = |at: usize, bytes: &[u8]| {
        for (slot, byte) in page.iter_mut().skip(at).zip(bytes) {
            *slot = *byte;
        }
    };
    let free = u8::try_from(PAGE_TRAILER_BYTES).unwrap_or(u8::MAX);
    let content = u16::try_from(PAGE - PAGE_TRAILER_BYTES).unwrap_or(0);
    put(0, b"SQLite format 3\0");
    put(16, &[0x10, 0, 2, 2, free, 64, 32, 32]);
    put(24, &1u32.to_be_bytes());
    put(28, &1u32.to_be_bytes());
    put(44, &4u32.to_be_bytes());
    put(56, &1u32.to_be_bytes());
    put(92, &1u32.to_be_bytes());
    put(96, &3_050_000u32.to_be_bytes());
    put(100, &[0x0D]);
    put(105, &content.to_be_bytes());
    page
}

/// Whether a database opens with this key: told before anything is read of it. A first page that a loss
/// of power tore is written anew from the log; `synced` as for [`check_log`].
pub(super) fn check_key(path: &Path, key: &PageKey, synced: bool) -> Result<(), Fault> {
    let file = File::open(path).map_err(|e| super::io(&e))?;
    let mut page = vec![0; PAGE];
    let read = read_up_to(&file, &mut page, 0).map_err(|e| super::io(&e))?;
    if read < PAGE {
        return Err(Fault::new(&code::STORE_CORRUPT, "the store's file is shorter than a page"));
    }
    match key.open(PageSpot::Page(1), &mut page) {
        Ok(()) => Ok(()),
        Err(Unsound::OtherKey) => Err(Fault::new(
            &code::STORE_KEY_OTHER,
            "the store is not sealed under these keys; bring the keys that belong to it",
        )),
        Err(Unsound::Altered) => mend_first_page(path, key, synced),
    }
}

fn mend_first_page(path: &Path, key: &PageKey, synced: bool) -> Result<(), Fault> {
    // A log that a crash cannot have left tells nothing, and stays as it was found.
    check_log(path, key, synced)?;
    let Some(mut page) = recover::committed_first_page(path, key).map_err(|e| super::io(&e))?
    else {
        return Err(Fault::new(&code::STORE_CORRUPT, "the first page of the store was altered"));
    };
    key.seal(PageSpot::Page(1), &mut page)?;
    let run = || -> io::Result<()> {
        let file = File::options().write(true).open(path)?;
        file.write_all_at(&page, 0)?;
        file.sync_data()
    };
    run().map_err(|e| super::io(&e))
}

fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn read_up_to(file: &File, out: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = out.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open::connect;
    use proptest::prelude::*;
    use rusqlite::{Connection, OpenFlags, params};

    fn key() -> Arc<PageKey> {
        let key = keys::Secret::take(&mut [9; 32]);
        Arc::new(PageKey::new(&key, &keys::SystemRandom).unwrap())
    }

    fn sealed(path: &Path, synced: bool) -> Connection {
        let conn = connect(path, true, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        // A cache of a few pages: they are written in the middle of a transaction, some of them twice.
        conn.execute_batch("PRAGMA cache_size = 4; PRAGMA wal_autocheckpoint = 0;").unwrap();
        let synchronous = if synced { "FULL" } else { "NORMAL" };
        conn.execute_batch(&format!("PRAGMA synchronous = {synchronous};")).unwrap();
        conn
    }

    fn content(conn: &Connection) -> Vec<(i64, Vec<u8>)> {
        let mut s = conn.prepare("SELECT id, x FROM t ORDER BY id").unwrap();
        let rows = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }

    fn step(conn: &Connection, what: u8, id: i64, length: usize) {
        let bytes = vec![what; length];
        let sql = match what % 10 {
            0..=4 => {
                conn.execute("INSERT OR REPLACE INTO t VALUES (?, ?)", params![id, bytes]).unwrap();
                return;
            }
            5 => "DELETE FROM t WHERE id % 3 = 0",
            6 => "UPDATE t SET x = CAST(x || x AS BLOB) WHERE length(x) < 20000",
            7 => "SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; RELEASE s",
            _ => "CREATE TABLE IF NOT EXISTS u AS SELECT * FROM t; DROP TABLE u",
        };
        conn.execute_batch(sql).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whatever is done to it, a sealed database holds what a plain one holds.
        #[test]
        fn a_sealed_database_is_a_database(
            transactions in proptest::collection::vec(
                (proptest::collection::vec((any::<u8>(), 0i64..60, 0usize..9000), 1..25), 0u8..8),
                1..12,
            ),
            synced in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let (path, key) = (dir.path().join("x.sqlite"), key());
            create(&path, &key).unwrap();
            // Fewer pages than the database has, so that they share places.
            let _known = Known::new(&path, &key, 1 << 20, synced).unwrap();
            let plain = Connection::open_in_memory().unwrap();
            let mut conn = sealed(&path, synced);
            for each in [&plain, &conn] {
                each.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY, x BLOB)").unwrap();
            }
            for (steps, end) in transactions {
                for each in [&plain, &conn] {
                    each.execute_batch("BEGIN").unwrap();
                    for (what, id, length) in &steps {
                        step(each, *what, *id, *length);
                    }
                    let sql = if end == 0 { "ROLLBACK" } else { "COMMIT" };
                    each.execute_batch(sql).unwrap();
                }
                match end {
                    1 => conn = sealed(&path, synced),
                    2 => drop(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))),
                    3 => drop(conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))),
                    _ => {}
                }
                check_log(&path, &key, synced).unwrap();
                prop_assert_eq!(content(&conn), content(&plain));
                prop_assert_eq!(content(&sealed(&path, synced)), content(&plain));
            }
            let sound: String = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
            prop_assert_eq!(sound, "ok");
        }
    }

    #[test]
    fn the_first_page_is_an_empty_database_as_sqlite_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("x.sqlite"), key());
        create(&path, &key).unwrap();
        let _known = Known::new(&path, &key, 1 << 20, true).unwrap();
        let conn = sealed(&path, true);
        let ask = |sql: &str| conn.query_row(sql, [], |r| r.get::<_, String>(0)).unwrap();
        assert_eq!(ask("PRAGMA journal_mode"), "wal");
        assert_eq!(ask("PRAGMA integrity_check"), "ok");
        assert_eq!(form(&path).unwrap(), Form::Sealed);
    }
}
