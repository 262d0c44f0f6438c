//! The embedded engine: one SQLite file, one writer, a pool of readers.
//!
//! Only the files of this folder name tables. Everything outside reaches records through
//! [`crate::Scoped`].

mod apply;
mod backup;
mod checkpoint;
mod cipher;
mod convert;
mod defer;
mod find;
mod follow;
mod index;
mod item;
mod known;
mod matching;
mod names;
mod open;
mod people;
mod read;
mod relabel;
mod rights;
mod rows;
mod schema;
mod seal;
mod sight;
mod stored;
mod train;
mod watch;
mod writer;

pub use backup::restore;
pub use cipher::Form;
pub use convert::encrypt;
pub use known::KnownFacts;
pub use read::{Reader, Snapshot};

use crate::body::Prepared;
use crate::compress::Dictionaries;
use crate::payload::Cipher;
use crate::relabel::LabelState;
use crate::scope::{Rights, Scope, Scoped};
use crate::unit::{Done, Receipt, Unit};
use base::error::code;
use base::id::{Random, Seeded, uuid_text, uuid_v7};
use base::{Clock, Fault};
use defer::Deferral;
use fhir::Value;
use fhir::definitions::TypeId;
use index::PatientOrder;
use names::Numbers;
use open::{load, open_connection, open_reader};
use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use stored::StoredBody;
use writer::{Counters, Queue};

/// How long a connection waits for another's lock.
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

/// How long another process is given to let go of the store.
const LOCK_PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

/// When a write is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sync {
    /// After the disk has it (`synchronous=FULL`): survives kill -9 and power loss.
    #[default]
    Full,
    /// After the operating system has it: survives kill -9, not power loss. Visible in health.
    Relaxed,
}

/// Told, after each sync, the commit number and encoded audit events of a unit.
pub type CommitHook = Arc<dyn Fn(u64, &[Vec<u8>]) + Send + std::marker::Sync>;

/// Encoded audit events by commit number, ascending.
pub type HeldEvents = Vec<(u64, Vec<Vec<u8>>)>;

/// How a store is opened.
#[derive(Clone)]
pub struct Options {
    /// Tells the time of versions.
    pub clock: Arc<dyn Clock>,
    /// Seeds ids; take it from the operating system in production.
    pub seed: u64,
    /// When writes are acknowledged.
    pub sync: Sync,
    /// Told of every commit.
    pub on_commit: Option<CommitHook>,
    /// Bytes of page cache of the writer and of each reader.
    pub cache_bytes: u32,
    /// Bytes of the file readers map into memory.
    pub map_bytes: u64,
    /// Bytes of a sealed file's opened pages that are kept in memory, at most, since they cannot be
    /// mapped.
    pub opened_bytes: u64,
    /// Changes of one engine transaction, at most: what a small unit may have to wait behind.
    pub group_ops: usize,
    /// Train dictionaries by itself as records of a type come in.
    pub train: bool,
    /// Hold rows of the index back to put them in many at a time.
    pub defer: bool,
    /// What the store is sealed under. A store is what it was made as: one that is plain is not opened
    /// with keys, nor one that is sealed without.
    pub cipher: Option<Cipher>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(base::time::SystemClock),
            seed: 0,
            sync: Sync::Full,
            on_commit: None,
            cache_bytes: 64 << 20,
            map_bytes: 64 << 30,
            opened_bytes: 64 << 20,
            group_ops: 4000,
            train: true,
            defer: false,
            cipher: None,
        }
    }
}

impl Options {
    /// For a bulk load with nobody else in the store: pages changed by many records of a large
    /// transaction are written once, and rows that land all over the index are put in many at a time.
    pub fn bulk() -> Self {
        Self { cache_bytes: 512 << 20, group_ops: 16_000, defer: true, ..Self::default() }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Options({:?})", self.sync)
    }
}

/// What all parts of the engine share.
struct Shared {
    path: PathBuf,
    numbers: Numbers,
    orders: HashMap<u16, PatientOrder>,
    type_names: HashMap<&'static str, u16>,
    patient_type: u16,
    people: people::PeopleAtoms,
    dictionaries: Dictionaries,
    trainer: train::Trainer,
    clock: Arc<dyn Clock>,
    on_commit: Option<CommitHook>,
    sync: Sync,
    queue: Queue,
    deferral: Arc<Deferral>,
    counters: Counters,
    last_vid: AtomicU64,
    last_time: AtomicI64,
    live: RwLock<HashMap<u16, i64>>,
    /// The labels as of the last commit.
    labels: RwLock<LabelState>,
    /// Snapshots from this commit on have no version that waits for its labels.
    labels_settled: AtomicU64,
    audited: AtomicU64,
    outbox_cleared: AtomicU64,
    audit_anchor: Mutex<Option<(u64, [u8; 32])>>,
    failed: Mutex<Option<String>>,
    checkpoint: Mutex<bool>,
    checkpoint_due: Condvar,
    /// Frames in the write-ahead log at the helper's last pass.
    wal_frames: AtomicU64,
    /// Versions written at the writer's last call of the helper.
    passed_at: AtomicU64,
    closing: AtomicBool,
    readers: Mutex<Vec<Connection>>,
    cache_bytes: u32,
    map_bytes: u64,
    random: Mutex<Seeded>,
    cursor_key: [u8; 32],
    cipher: Option<Cipher>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// A store. Cloning it is cheap; the last clone to go closes it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
    threads: Arc<Threads>,
}

#[derive(Debug)]
struct Threads {
    shared: Arc<Shared>,
    handles: Mutex<Vec<std::thread::JoinHandle<()>>>,
    /// Of a sealed store.
    known: Option<cipher::Known>,
    _lock: std::fs::File,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.shared.queue.close();
        {
            *self.shared.checkpoint.lock() = true;
            self.shared.checkpoint_due.notify_all();
        }
        for handle in self.handles.lock().drain(..) {
            let own = handle.thread().id() == std::thread::current().id();
            if !own && handle.join().is_err() {
                tracing::error!("a thread of the store had panicked");
            }
        }
        self.shared.readers.lock().clear();
    }
}

/// Figures for health and metrics.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Bytes of the main file.
    pub file_bytes: u64,
    /// Bytes of the write-ahead log.
    pub wal_bytes: u64,
    /// Units waiting for the writer.
    pub queue_units: u64,
    /// Engine transactions since the store was opened.
    pub commits: u64,
    /// Units in them.
    pub units: u64,
    /// Versions in them.
    pub versions: u64,
    /// Time the writer was busy, in microseconds.
    pub writer_busy_micros: u64,
    /// Writes are acknowledged after the disk has them.
    pub durable: bool,
    /// The last version's sequence number.
    pub last_commit: u64,
    /// Live records by type.
    pub live: Vec<(TypeId, u64)>,
}

impl Store {
    /// Opens the store in a folder, making both when they are not there.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Fault> {
        std::fs::create_dir_all(dir).map_err(|e| io(&e))?;
        let lock = open::lock(dir, LOCK_PATIENCE)?;
        let path = dir.join("records.sqlite");
        let known =
            open::make_ready(&path, options.cipher.as_ref(), options.sync, options.opened_bytes)?;
        let sealed = known.is_some();
        let mut conn = open_connection(&path, sealed, options.cache_bytes, 0)?;
        // Both are fixed before the first table: pages of the disk's own block size.
        conn.execute_batch("PRAGMA page_size = 4096; PRAGMA journal_mode = WAL;")
            .map_err(unavailable)?;
        let synchronous = match options.sync {
            Sync::Full => "FULL",
            Sync::Relaxed => "NORMAL",
        };
        conn.execute_batch(&format!(
            "PRAGMA synchronous = {synchronous}; PRAGMA wal_autocheckpoint = 0; \
             PRAGMA journal_size_limit = 536870912; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY;"
        ))
        .map_err(unavailable)?;
        schema::prepare(&mut conn)?;
        defer::recover(&mut conn)?;
        let shared = Arc::new(load(&mut conn, path, options)?);
        people::fill(&mut conn, &shared)?;
        let checkpointer = open_connection(&shared.path, sealed, 1 << 20, 0)?;
        let mut handles = Vec::new();
        {
            let shared = Arc::clone(&shared);
            handles.push(spawn("store-writer", move || writer::run(conn, &shared))?);
        }
        let watched = Arc::clone(&shared);
        handles.push(spawn("store-checkpoint", move || checkpoint::run(&checkpointer, &watched))?);
        let threads = Threads {
            shared: Arc::clone(&shared),
            handles: Mutex::new(handles),
            known,
            _lock: lock,
        };
        Ok(Self { shared, threads: Arc::new(threads) })
    }

    /// Forgets what was kept in memory of pages that were read, and gives the memory back: for whoever has read
    /// through much that is not needed again.
    pub fn forget_pages(&self) -> Result<(), Fault> {
        if let Some(known) = &self.threads.known {
            known.forget_pages();
        }
        for reader in &*self.shared.readers.lock() {
            reader.execute_batch("PRAGMA shrink_memory").map_err(unavailable)?;
        }
        vfs::give_back_memory();
        Ok(())
    }

    /// Hands a unit to the writer. `done` is called on the writer's thread after the sync.
    pub fn submit(&self, unit: Unit, done: Done) {
        self.shared.queue.push(unit, done);
    }

    /// Hands a unit to the writer and waits for it.
    pub fn commit(&self, unit: Unit) -> Result<Receipt, Fault> {
        self.shared.wait_for(unit)
    }

    /// Makes a validated resource ready for the writer: index entries and compressed body.
    pub fn prepare(
        &self,
        resource: Value<'_>,
        resource_type: TypeId,
        id: String,
        labels: u64,
    ) -> Result<Prepared, Fault> {
        let mut prepared = Prepared::new(resource, resource_type, id, labels);
        let kind = self.shared.numbers.of_type(resource_type);
        self.shared.trainer.offer(&self.shared, kind, &prepared.text);
        prepared.compressed = Some(self.shared.dictionaries.compress(kind, &prepared.text)?);
        Ok(prepared)
    }

    /// A fresh logical id.
    pub fn new_id(&self) -> String {
        uuid_text(&uuid_v7(self.shared.clock.now(), &mut *self.shared.random.lock()))
    }

    /// A reader bound to a scope, at one consistent snapshot.
    pub fn reader<'s>(&self, scope: &'s Scope) -> Result<Scoped<'s, Reader>, Fault> {
        Ok(Scoped::new(Reader::new(&self.shared, scope)?, scope))
    }

    /// A reader that sees what another saw.
    pub fn reader_at<'s>(
        &self,
        snapshot: Snapshot,
        scope: &'s Scope,
    ) -> Result<Scoped<'s, Reader>, Fault> {
        Ok(Scoped::new(Reader::over(snapshot, scope)?, scope))
    }

    /// Has scopes compiled ahead of the writer, which has no time to look up names.
    pub fn ready(&self, rights: &Rights) -> Result<(), Fault> {
        for scope in [&rights.see, &rights.create, &rights.update, &rights.delete] {
            if !scope.is_everything() && !sight::is_ready(scope) {
                drop(self.reader(scope)?);
            }
        }
        Ok(())
    }

    /// The sequence number of the last version written.
    pub fn last_commit(&self) -> u64 {
        self.shared.last_vid.load(Ordering::Acquire)
    }

    /// Audit events that were committed but not yet reported safe by [`Store::audited`].
    pub fn unaudited(&self) -> Result<HeldEvents, Fault> {
        let conn = self.shared.borrow_reader()?;
        let read = || -> rusqlite::Result<HeldEvents> {
            let mut out: HeldEvents = Vec::new();
            let mut s = conn.prepare("SELECT vid, event FROM outbox ORDER BY vid, n")?;
            let mut rows = s.query([])?;
            while let Some(row) = rows.next()? {
                let (vid, event): (u64, Vec<u8>) = (row.get(0)?, row.get(1)?);
                match out.last_mut() {
                    Some((last, events)) if *last == vid => events.push(event),
                    _ => out.push((vid, vec![event])),
                }
            }
            Ok(out)
        };
        let out = read().map_err(unavailable);
        self.shared.return_reader(conn);
        out
    }

    /// The number of a record, under which a patient's key is kept; `None` when there is no such record.
    pub fn record_number(&self, resource_type: TypeId, id: &str) -> Result<Option<u64>, Fault> {
        let conn = self.shared.borrow_reader()?;
        let kind = self.shared.numbers.of_type(resource_type);
        let found = self.shared.find_name(&conn, kind, &names::Id::new(id)).map_err(unavailable);
        self.shared.return_reader(conn);
        Ok(found?.map(i64::cast_unsigned))
    }

    /// Says that the audit log holds the events of all commits up to this one.
    pub fn audited(&self, commit: u64) {
        self.shared.audited.fetch_max(commit, Ordering::AcqRel);
    }

    /// Keeps the head of the audit log with the next commit, so that a log cut short is found out.
    pub fn anchor_audit(&self, seq: u64, hash: [u8; 32]) {
        *self.shared.audit_anchor.lock() = Some((seq, hash));
    }

    /// The head of the audit log last kept.
    pub fn audit_anchor(&self) -> Result<Option<(u64, [u8; 32])>, Fault> {
        let conn = self.shared.borrow_reader()?;
        let read = || -> rusqlite::Result<Option<(u64, [u8; 32])>> {
            let get = "SELECT value FROM meta WHERE key = ?";
            let seq = conn.query_row(get, ["audit_seq"], |r| r.get(0)).optional()?;
            let hash = conn.query_row(get, ["audit_hash"], |r| r.get(0)).optional()?;
            Ok(seq.zip(hash))
        };
        let out = read().map_err(unavailable);
        self.shared.return_reader(conn);
        out
    }

    /// Seals bytes into URL-safe text that only this store can read and nobody can change.
    pub fn seal(&self, plain: &[u8]) -> String {
        seal::seal(&self.shared.cursor_key, self.shared.random.lock().next_u64(), plain)
    }

    /// Opens what [`Store::seal`] made; `None` for anything else.
    pub fn unseal(&self, text: &str) -> Option<Vec<u8>> {
        seal::unseal(&self.shared.cursor_key, text)
    }

    /// Copies the store to a file while it serves; answers the last commit that the copy has.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Fault> {
        backup::backup(&self.shared, to, progress)
    }

    /// Trains a new dictionary for every type with enough records, from what is stored.
    pub fn train(&self) -> Result<usize, Fault> {
        train::retrain(&self.shared)
    }

    /// Figures for health and metrics.
    pub fn stats(&self) -> Stats {
        let shared = &self.shared;
        let counters = &shared.counters;
        let live = shared.live.read();
        let mut by_type: Vec<_> = live
            .iter()
            .filter_map(|(k, n)| Some((shared.numbers.type_id(*k)?, u64::try_from(*n).ok()?)))
            .collect();
        by_type.sort_unstable();
        Stats {
            file_bytes: std::fs::metadata(&shared.path).map_or(0, |m| m.len()),
            wal_bytes: shared.wal_bytes(),
            queue_units: shared.queue.depth() as u64,
            commits: counters.commits.load(Ordering::Relaxed),
            units: counters.units.load(Ordering::Relaxed),
            versions: counters.versions.load(Ordering::Relaxed),
            writer_busy_micros: counters.busy_micros.load(Ordering::Relaxed),
            durable: shared.sync == Sync::Full,
            last_commit: self.last_commit(),
            live: by_type,
        }
    }

    /// Why the store cannot write, when it cannot.
    pub fn failure(&self) -> Option<Fault> {
        self.shared.failed()
    }
}

impl Shared {
    /// Hands a unit to the writer and waits for it.
    fn wait_for(&self, unit: Unit) -> Result<Receipt, Fault> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.queue.push(unit, Box::new(move |result| drop(sender.send(result))));
        receiver.recv().unwrap_or_else(|_| {
            Err(Fault::new(&code::STORE_UNAVAILABLE, "the store closed before it answered"))
        })
    }

    fn type_number(&self, name: &str) -> u16 {
        self.type_names.get(name).copied().unwrap_or(u16::MAX)
    }

    fn patient_order(&self, kind: u16) -> &PatientOrder {
        static NONE: PatientOrder = PatientOrder { date: None, atoms: Vec::new() };
        self.orders.get(&kind).unwrap_or(&NONE)
    }

    fn fail(&self, why: &str) {
        tracing::error!(why, "the store can no longer write");
        self.failed.lock().get_or_insert_with(|| why.to_owned());
    }

    fn failed(&self) -> Option<Fault> {
        self.failed.lock().as_ref().map(|why| Fault::new(&code::STORE_UNAVAILABLE, why.clone()))
    }

    fn wal_bytes(&self) -> u64 {
        let mut name = self.path.clone().into_os_string();
        name.push("-wal");
        std::fs::metadata(name).map_or(0, |m| m.len())
    }

    /// Makes a commit visible.
    fn published(&self, last_vid: u64, live: impl Iterator<Item = (u16, i64)>) {
        let mut counts = self.live.write();
        for (kind, change) in live {
            *counts.entry(kind).or_default() += change;
        }
        self.last_vid.store(last_vid, Ordering::Release);
    }

    /// A connection to the file.
    fn connection(&self, cache_bytes: u32, map_bytes: u64) -> Result<Connection, Fault> {
        open_connection(&self.path, self.cipher.is_some(), cache_bytes, map_bytes)
    }

    fn borrow_reader(&self) -> Result<Connection, Fault> {
        let pooled = self.readers.lock().pop();
        match pooled {
            Some(conn) => Ok(conn),
            None => open_reader(self),
        }
    }

    fn return_reader(&self, conn: Connection) {
        let mut pool = self.readers.lock();
        if pool.len() < 16 {
            pool.push(conn);
        }
    }
}

/// What stands in a store's folder: nothing, a plain store, or a sealed one.
///
/// # Errors
/// When it cannot be looked at.
pub fn form(dir: &Path) -> Result<Form, Fault> {
    cipher::form(&dir.join("records.sqlite"))
}

fn spawn(
    name: &str,
    body: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, Fault> {
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(|e| io(&e))
}

/// The fault of an engine error. SQLite's messages name tables and constraints, never values.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn unavailable(error: rusqlite::Error) -> Fault {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    tracing::error!(%error, "the store's engine failed");
    let damaged = matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase));
    if damaged || vfs::is_altered(&error) {
        let what = "a page of the store is not what was written there; see the log";
        return Fault::new(&code::STORE_CORRUPT, what);
    }
    Fault::new(&code::STORE_UNAVAILABLE, "the store could not be read or written; see the log")
}

fn io(error: &std::io::Error) -> Fault {
    Fault::new(&code::STORE_UNAVAILABLE, format!("the store's folder cannot be used: {error}"))
}
