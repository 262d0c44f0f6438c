//! Sealing a store that was plain: row by row into a new file, which then takes the old one's name in
//! one step. Until that step the plain file is untouched, and after it the new one is whole; what is
//! left of a conversion that was broken off is thrown away by the next.

use super::open::{connect, make_ready, open_connection};
use super::{LOCK_PATIENCE, Sync, cipher, io, schema, unavailable};
use crate::pack::{self, View};
use crate::payload::{self, Cipher};
use base::Fault;
use base::error::code;
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

/// Versions between two words about progress.
const STEP: u64 = 10_000;

/// Seals the store of a folder; answers how many versions it has.
pub fn encrypt(
    dir: &Path,
    keys: &Cipher,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    let _lock = super::open::lock(dir, LOCK_PATIENCE)?;
    let path = dir.join("records.sqlite");
    if cipher::form(&path)? != cipher::Form::Plain {
        return Err(Fault::new(&code::STORE_UNAVAILABLE, "there is no plain store to seal"));
    }
    let new = dir.join("records.sealing");
    for left in ["records.sealing", "records.sealing-wal", "records.new"] {
        match std::fs::remove_file(dir.join(left)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&e)),
            _ => {}
        }
    }
    {
        // What a crash left of the plain store is put right first, and its log emptied.
        let mut plain = open_connection(&path, false, 16 << 20, 0)?;
        schema::prepare(&mut plain)?;
        super::defer::recover(&mut plain)?;
        plain.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(unavailable)?;
    }
    let versions = {
        let _known = make_ready(&new, Some(keys), Sync::Full, 0)?;
        copy(&path, &new, keys, progress)?
    };
    std::fs::File::open(&new).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
    std::fs::rename(&new, &path).map_err(|e| io(&e))?;
    std::fs::File::open(dir).and_then(|f| f.sync_all()).map_err(|e| io(&e))?;
    // The plain file's log and its index are no longer anybody's.
    for left in ["records.sqlite-wal", "records.sqlite-shm"] {
        match std::fs::remove_file(dir.join(left)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io(&e)),
            _ => {}
        }
    }
    Ok(versions)
}

fn copy(
    plain: &Path,
    new: &Path,
    keys: &Cipher,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let source = connect(plain, false, read_only)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
    let target = connect(new, true, flags)?;
    target
        .execute_batch(
            "PRAGMA cache_size = -65536; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;",
        )
        .map_err(unavailable)?;
    let tables = tables(&source).map_err(unavailable)?;
    for sql in tables.iter().map(|(_, sql)| sql) {
        target.execute_batch(sql).map_err(unavailable)?;
    }
    let uri = format!("file:{}?mode=ro&vfs=unix", uri_path(plain));
    target.execute("ATTACH ? AS plain", [uri]).map_err(unavailable)?;
    for (table, _) in tables.iter().filter(|(name, _)| !name.is_empty() && name != "ver") {
        // The names are those of our own schema.
        let sql = format!("INSERT INTO main.{table} SELECT * FROM plain.{table}");
        target.execute_batch(&sql).map_err(unavailable)?;
    }
    let versions = seal_bodies(&source, &target, keys, progress)?;
    target.execute_batch("DETACH plain").map_err(unavailable)?;
    let version: i64 =
        source.query_row("PRAGMA user_version", [], |r| r.get(0)).map_err(unavailable)?;
    target
        .execute_batch(&format!(
            "PRAGMA application_id = {}; PRAGMA user_version = {version};",
            schema::APPLICATION_ID
        ))
        .map_err(unavailable)?;
    let sound: String =
        target.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0)).map_err(unavailable)?;
    let count = |of: &Connection| -> Result<u64, Fault> {
        of.query_row("SELECT count(*) FROM ver", [], |r| r.get(0)).map_err(unavailable)
    };
    if sound != "ok" || count(&source)? != count(&target)? {
        return Err(Fault::new(&code::STORE_CORRUPT, "the sealed copy does not pass its check"));
    }
    target.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(unavailable)?;
    Ok(versions)
}

/// Names and statements of the tables, then the statements of their indexes with no name.
fn tables(source: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut s = source.prepare(
        "SELECT CASE type WHEN 'table' THEN name ELSE '' END, sql FROM sqlite_schema \
         WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type DESC",
    )?;
    let rows = s.query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?;
    rows.collect()
}

/// Copies the versions, each body under the key of whom its record is about now.
fn seal_bodies(
    source: &Connection,
    target: &Connection,
    keys: &Cipher,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    let all: u64 =
        source.query_row("SELECT count(*) FROM ver", [], |r| r.get(0)).map_err(unavailable)?;
    let mut read = source
        .prepare(
            "SELECT v.vid, v.rid, v.type, v.version, v.at, v.method, v.labels, v.dictionary, v.size, \
             v.body, r.packed FROM ver v CROSS JOIN res r ON r.rid = v.rid ORDER BY v.vid",
        )
        .map_err(unavailable)?;
    target.execute_batch("BEGIN").map_err(unavailable)?;
    let mut done = 0;
    {
        let mut write = target
            .prepare("INSERT INTO main.ver VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .map_err(unavailable)?;
        let mut rows = read.query([]).map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let number = |at: usize| row.get::<_, i64>(at);
            let fields = || -> rusqlite::Result<_> {
                Ok((
                    number(0)?,
                    number(1)?,
                    number(8)?,
                    row.get::<_, Vec<u8>>(9)?,
                    row.get::<_, Vec<u8>>(10)?,
                ))
            };
            let (vid, rid, size, body, packed) = fields().map_err(unavailable)?;
            let body = if size > 0 {
                let place =
                    keys::Place { record: rid.cast_unsigned(), version: vid.cast_unsigned() };
                let patients = pack::rows(&packed).filter_map(|view| match view {
                    View::Patient { record } => Some(record.cast_unsigned()),
                    _ => None,
                });
                payload::seal(&*keys.payloads, payload::subject(patients), place, &body)?
            } else {
                body
            };
            let mut insert = || -> rusqlite::Result<usize> {
                write.execute(params![
                    vid,
                    rid,
                    number(2)?,
                    number(3)?,
                    number(4)?,
                    number(5)?,
                    number(6)?,
                    number(7)?,
                    size,
                    body
                ])
            };
            insert().map_err(unavailable)?;
            done += 1;
            if done % STEP == 0 {
                progress(done, all);
            }
        }
    }
    keys.payloads.settle()?;
    target.execute_batch("COMMIT").map_err(unavailable)?;
    progress(done, all);
    Ok(done)
}

/// A path as a URI has it.
fn uri_path(path: &Path) -> String {
    let mut out = String::new();
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            out.push(char::from(*byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
