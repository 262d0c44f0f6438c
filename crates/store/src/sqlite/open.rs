//! Opening: connections to the file, and what the engine's parts share from then on.

use super::defer::Deferral;
use super::index::PatientOrder;
use super::names::Numbers;
use super::people::PeopleAtoms;
use super::writer::{Counters, Queue};
use super::{BUSY_TIMEOUT, Options, Shared, Sync, cipher, io, relabel, seal, train, unavailable};
use crate::compress::Dictionaries;
use crate::payload::Cipher;
use base::Fault;
use base::error::code;
use base::id::Seeded;
use fhir::definitions::r4;
use parking_lot::{Condvar, Mutex, RwLock};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use search::registry::{Shape, registry};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};

/// Token parameters whose values are worth a place in the patient-compartment order.
const PATIENT_CODES: &[&str] =
    &["code", "category", "type", "class", "clinical-status", "vaccine-code", "modality"];

/// Reads what stays the same while the store is open, and where it stands.
pub(super) fn load(
    conn: &mut Connection,
    path: PathBuf,
    options: Options,
) -> Result<Shared, Fault> {
    let numbers = Numbers::load(conn).map_err(unavailable)?;
    let mut orders = HashMap::new();
    let mut type_names = HashMap::new();
    for kind in numbers.types() {
        let Some(id) = numbers.type_id(kind) else { continue };
        type_names.insert(r4().name(id), kind);
        let date = registry().primary_date(id).map(|a| numbers.atom(a));
        let mut atoms = Vec::new();
        for parameter in PATIENT_CODES.iter().filter_map(|c| registry().parameter(id, c)) {
            for atom in &parameter.atoms {
                if registry().atom(*atom).shape == Shape::Token {
                    atoms.push(numbers.atom(*atom));
                }
            }
        }
        orders.insert(kind, PatientOrder { date, atoms });
    }
    let dictionaries = Dictionaries::default();
    let mut live = HashMap::new();
    let get = |sql: &str| -> rusqlite::Result<Option<i64>> {
        conn.query_row(sql, [], |r| r.get(0)).optional().map(Option::flatten)
    };
    let last_vid = get("SELECT max(vid) FROM ver").map_err(unavailable)?.unwrap_or(0);
    let next_vid = get("SELECT value FROM meta WHERE key = 'next_vid'").map_err(unavailable)?;
    let last_vid = last_vid.max(next_vid.unwrap_or(1) - 1);
    let last_time =
        get("SELECT at FROM ver ORDER BY vid DESC LIMIT 1").map_err(unavailable)?.unwrap_or(0);
    let mut random = Seeded::new(options.seed ^ options.clock.now().0.cast_unsigned());
    let cursor_key = seal::key(conn, &mut random).map_err(unavailable)?;
    (|| -> rusqlite::Result<()> {
        let mut s = conn.prepare("SELECT id, type, bytes FROM dictionary ORDER BY id")?;
        let mut rows = s.query([])?;
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(2)?;
            dictionaries.add(row.get(0)?, row.get(1)?, &bytes);
        }
        let mut s = conn.prepare("SELECT type, live FROM stat")?;
        let mut rows = s.query([])?;
        while let Some(row) = rows.next()? {
            live.insert(row.get(0)?, row.get(1)?);
        }
        Ok(())
    })()
    .map_err(unavailable)?;
    let labels = relabel::load(conn)?;
    let patient_type = type_names.get("Patient").copied().unwrap_or(u16::MAX);
    Ok(Shared {
        path,
        numbers,
        orders,
        type_names,
        patient_type,
        people: PeopleAtoms::load(conn).map_err(unavailable)?,
        dictionaries,
        trainer: train::Trainer::new(options.train),
        clock: options.clock,
        on_commit: options.on_commit,
        sync: options.sync,
        queue: Queue::new(options.group_ops),
        deferral: Arc::new(Deferral::new(options.defer)),
        counters: Counters::default(),
        last_vid: AtomicU64::new(last_vid.cast_unsigned()),
        last_time: AtomicI64::new(last_time),
        live: RwLock::new(live),
        labels_settled: AtomicU64::new(if labels.is_waiting() { u64::MAX } else { 0 }),
        labels: RwLock::new(labels),
        audited: AtomicU64::new(0),
        outbox_cleared: AtomicU64::new(0),
        audit_anchor: Mutex::new(None),
        failed: Mutex::new(None),
        checkpoint: Mutex::new(false),
        checkpoint_due: Condvar::new(),
        wal_frames: AtomicU64::new(0),
        passed_at: AtomicU64::new(0),
        closing: AtomicBool::new(false),
        readers: Mutex::new(Vec::new()),
        cache_bytes: options.cache_bytes,
        map_bytes: options.map_bytes,
        random: Mutex::new(random),
        cursor_key,
        cipher: options.cipher,
    })
}

/// A connection to the file, which may be made by it.
pub(super) fn open_connection(
    path: &Path,
    sealed: bool,
    cache_bytes: u32,
    map_bytes: u64,
) -> Result<Connection, Fault> {
    let conn =
        connect(path, sealed, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.set_prepared_statement_cache_capacity(256);
    // The access path of each statement is fixed by its form. Without this, SQLite compiles a statement that
    // has `LIMIT ?` anew each time it is bound, to look at the number.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(unavailable)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(unavailable)?;
    conn.execute_batch(&format!(
        "PRAGMA cache_size = -{}; PRAGMA mmap_size = {map_bytes};",
        cache_bytes / 1024
    ))
    .map_err(unavailable)?;
    Ok(conn)
}

/// Takes the store's lock, which one process holds.
pub(super) fn lock(dir: &Path, patience: std::time::Duration) -> Result<std::fs::File, Fault> {
    let lock = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .map_err(|e| io(&e))?;
    let began = std::time::Instant::now();
    while lock.try_lock().is_err() {
        // A process that is just ending, or beginning another, holds it for moments longer.
        if began.elapsed() < patience {
            std::thread::sleep(patience / 10);
            continue;
        }
        return Err(Fault::new(
            &code::STORE_LOCKED,
            "another process has the store open; stop it, or use the running server",
        ));
    }
    Ok(lock)
}

/// A bare connection, by SQLite's own files or by sealed ones.
pub(super) fn connect(path: &Path, sealed: bool, flags: OpenFlags) -> Result<Connection, Fault> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = if sealed {
        Connection::open_with_flags_and_vfs(path, flags, cipher::NAME)
    } else {
        Connection::open_with_flags(path, flags)
    };
    opened.map_err(unavailable)
}

/// Sees to it that the file is there and can be opened with these keys, or without any.
pub(super) fn make_ready(
    path: &Path,
    keys: Option<&Cipher>,
    sync: Sync,
    opened_bytes: u64,
) -> Result<Option<cipher::Known>, Fault> {
    let form = cipher::form(path)?;
    match (keys, form) {
        (None, cipher::Form::Sealed) => Err(Fault::new(
            &code::STORE_KEY_MISSING,
            "the store is sealed, and no keys were given; put its keys and root key in their place",
        )),
        (None, _) => Ok(None),
        (Some(_), cipher::Form::Plain) => Err(Fault::new(
            &code::STORE_KEY_OTHER,
            "the store is not sealed; `plummer keys encrypt` seals it",
        )),
        (Some(keys), form) => {
            if form == cipher::Form::Absent {
                cipher::create(path, &keys.pages)?;
            }
            let synced = sync == Sync::Full;
            cipher::check_key(path, &keys.pages, synced)?;
            cipher::check_log(path, &keys.pages, synced)?;
            cipher::Known::new(path, &keys.pages, opened_bytes, synced).map(Some)
        }
    }
}

/// A connection that cannot write.
pub(super) fn open_reader(shared: &Shared) -> Result<Connection, Fault> {
    let conn = {
        // A page that is mapped costs nothing to look at again; one that is sealed is opened each time it
        // is not at hand.
        let most = if shared.cipher.is_some() { 16 << 20 } else { 8 << 20 };
        shared.connection(shared.cache_bytes.min(most), shared.map_bytes)?
    };
    conn.execute_batch("PRAGMA query_only = ON").map_err(unavailable)?;
    Ok(conn)
}
