//! The tables, their versions, and the refusal to open what a newer program wrote.
//! docs/internals/store.md describes every key with an example.

use base::Fault;
use base::error::code;
use rusqlite::Connection;

/// The version this program writes. A migration leads from each version to the next.
pub(super) const VERSION: i64 = 4;

/// Marks the file as ours (`PRAGMA application_id`): "Plmr".
pub(super) const APPLICATION_ID: i64 = 0x506C_6D72;

const V1: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY) WITHOUT ROWID, STRICT;
CREATE TABLE type (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE atom (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE uri (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE token (
  id INTEGER PRIMARY KEY, code TEXT NOT NULL, system INTEGER NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX token_code ON token (code, system, text);
CREATE TABLE dictionary (
  id INTEGER PRIMARY KEY, type INTEGER NOT NULL, made_at INTEGER NOT NULL, bytes BLOB NOT NULL
) STRICT;
CREATE TABLE name (
  type INTEGER NOT NULL, id ANY NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (type, id)
) WITHOUT ROWID, STRICT;
CREATE TABLE res (
  rid INTEGER PRIMARY KEY, type INTEGER NOT NULL, id ANY NOT NULL, vid INTEGER NOT NULL,
  version INTEGER NOT NULL, born INTEGER NOT NULL, gone INTEGER NOT NULL, labels INTEGER NOT NULL,
  packed BLOB NOT NULL
) STRICT;
CREATE TABLE ver (
  vid INTEGER PRIMARY KEY, rid INTEGER NOT NULL, type INTEGER NOT NULL, version INTEGER NOT NULL,
  at INTEGER NOT NULL, method INTEGER NOT NULL, labels INTEGER NOT NULL, dictionary INTEGER NOT NULL,
  size INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX ver_type ON ver (type);
CREATE TABLE old (
  rid INTEGER NOT NULL, version INTEGER NOT NULL, vid INTEGER NOT NULL, PRIMARY KEY (rid, version)
) WITHOUT ROWID, STRICT;
CREATE TABLE ix (
  atom INTEGER NOT NULL, value INTEGER NOT NULL, rid INTEGER NOT NULL, grp INTEGER NOT NULL,
  PRIMARY KEY (atom, value, rid, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE ix_date (
  atom INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL, rid INTEGER NOT NULL,
  grp INTEGER NOT NULL, PRIMARY KEY (atom, low, high, rid, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE ix_num (
  atom INTEGER NOT NULL, unit INTEGER NOT NULL, value REAL NOT NULL, rid INTEGER NOT NULL,
  grp INTEGER NOT NULL, PRIMARY KEY (atom, unit, value, rid, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE ix_str (
  atom INTEGER NOT NULL, folded TEXT NOT NULL, rid INTEGER NOT NULL, exact TEXT NOT NULL,
  grp INTEGER NOT NULL, PRIMARY KEY (atom, folded, rid, exact, grp)
) WITHOUT ROWID, STRICT;
CREATE TABLE ix_ident (
  atom INTEGER NOT NULL, value TEXT NOT NULL, system INTEGER NOT NULL, rid INTEGER NOT NULL,
  of_type INTEGER NOT NULL, PRIMARY KEY (atom, value, system, rid, of_type)
) WITHOUT ROWID, STRICT;
CREATE TABLE pt (
  patient INTEGER NOT NULL, atom INTEGER NOT NULL, value INTEGER NOT NULL, sort INTEGER NOT NULL,
  rid INTEGER NOT NULL, PRIMARY KEY (patient, atom, value, sort, rid)
) WITHOUT ROWID, STRICT;
CREATE TABLE stat (type INTEGER PRIMARY KEY, live INTEGER NOT NULL) STRICT;
CREATE TABLE outbox (vid INTEGER NOT NULL, n INTEGER NOT NULL, event BLOB NOT NULL,
  PRIMARY KEY (vid, n)) WITHOUT ROWID, STRICT;
";

/// Items beside the record: who may sign in, and what they have open.
const V2: &str = "
CREATE TABLE item (
  shelf TEXT NOT NULL, key BLOB NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (shelf, key)
) WITHOUT ROWID, STRICT;
";

/// What `meta.security` of a version is shown as, where its labels changed since it was written.
const V3: &str = "
CREATE TABLE tag (vid INTEGER PRIMARY KEY, security TEXT NOT NULL) STRICT;
";

/// What patients are found by at a desk. The step makes the table; the keys in it are made from what the
/// store holds of each patient, some thousands at a time ([`super::people::fill`]).
const V4: &str = "
CREATE TABLE find (
  kind INTEGER NOT NULL, key TEXT NOT NULL, rid INTEGER NOT NULL, born INTEGER,
  PRIMARY KEY (kind, key, rid)
) WITHOUT ROWID, STRICT;
";

/// What leads from each version to the next; together they make an empty file.
const STEPS: &[&str] = &[V1, V2, V3, V4];

/// Creates the tables in an empty file, migrates an older one, refuses a newer or foreign one.
pub(super) fn prepare(conn: &mut Connection) -> Result<(), Fault> {
    let application: i64 = pragma(conn, "application_id")?;
    let version: i64 = pragma(conn, "user_version")?;
    if application == 0 && version == 0 {
        let tables: i64 = conn
            .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
            .map_err(super::unavailable)?;
        if tables > 0 {
            return Err(Fault::new(&code::STORE_CORRUPT, "the file is some other database"));
        }
        let tx = conn.transaction().map_err(super::unavailable)?;
        for step in STEPS {
            tx.execute_batch(step).map_err(super::unavailable)?;
        }
        tx.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION};"
        ))
        .map_err(super::unavailable)?;
        return tx.commit().map_err(super::unavailable);
    }
    if application != APPLICATION_ID {
        return Err(Fault::new(&code::STORE_CORRUPT, "the file is some other program's database"));
    }
    if version > VERSION {
        return Err(Fault::new(
            &code::STORE_TOO_NEW,
            format!("the store has schema version {version}; this program knows up to {VERSION}"),
        ));
    }
    for from in version..VERSION {
        migrate(conn, from)?;
    }
    Ok(())
}

/// Each step in one transaction with its new version number, so that a kill leaves a whole version.
fn migrate(conn: &mut Connection, from: i64) -> Result<(), Fault> {
    let index = usize::try_from(from).unwrap_or(usize::MAX);
    let Some(sql) = STEPS.get(index) else {
        return Err(Fault::new(
            &code::STORE_CORRUPT,
            format!("no way leads on from version {from}"),
        ));
    };
    let tx = conn.transaction().map_err(super::unavailable)?;
    tx.execute_batch(sql).map_err(super::unavailable)?;
    tx.execute_batch(&format!("PRAGMA user_version = {}", from + 1)).map_err(super::unavailable)?;
    tx.commit().map_err(super::unavailable)
}

fn pragma(conn: &Connection, name: &str) -> Result<i64, Fault> {
    conn.query_row(&format!("PRAGMA {name}"), [], |r| r.get(0)).map_err(super::unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file as version 1 of this program left it.
    fn first_version(path: &std::path::Path) -> Connection {
        let conn = Connection::open(path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL;").unwrap();
        conn.execute_batch(V1).unwrap();
        conn.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;
             INSERT INTO meta VALUES ('next_vid', 42);"
        ))
        .unwrap();
        conn
    }

    fn state(conn: &Connection) -> (i64, i64, i64) {
        let one = |sql: &str| conn.query_row(sql, [], |row| row.get(0)).unwrap();
        (
            pragma(conn, "user_version").unwrap(),
            one("SELECT count(*) FROM sqlite_schema WHERE name = 'item'"),
            one("SELECT value FROM meta WHERE key = 'next_vid'"),
        )
    }

    #[test]
    fn a_file_of_version_1_gets_its_items_and_keeps_what_it_had() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = first_version(&dir.path().join("a"));
        assert_eq!(state(&conn), (1, 0, 42));
        prepare(&mut conn).unwrap();
        assert_eq!(state(&conn), (VERSION, 1, 42));
        prepare(&mut conn).unwrap();
        assert_eq!(state(&conn), (VERSION, 1, 42), "a second opening changes nothing");
    }

    #[test]
    fn a_kill_in_the_middle_of_a_step_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = first_version(&dir.path().join("a"));
        let tx = conn.transaction().unwrap();
        tx.execute_batch(V2).unwrap();
        tx.execute_batch("PRAGMA user_version = 2").unwrap();
        // What a killed process leaves is what lies on the disk now.
        for end in ["", "-wal"] {
            let from = dir.path().join(format!("a{end}"));
            std::fs::copy(from, dir.path().join(format!("b{end}"))).unwrap();
        }
        let mut left = Connection::open(dir.path().join("b")).unwrap();
        assert_eq!(state(&left), (1, 0, 42));
        prepare(&mut left).unwrap();
        assert_eq!(state(&left), (VERSION, 1, 42));
    }

    #[test]
    fn steps_one_by_one_and_all_at_once_make_the_same_tables() {
        let dir = tempfile::tempdir().unwrap();
        let tables = |conn: &Connection| -> Vec<String> {
            let mut all = conn.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            let all = all.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
            all.flat_map(Result::unwrap).collect()
        };
        let mut old = first_version(&dir.path().join("a"));
        prepare(&mut old).unwrap();
        let mut new = Connection::open(dir.path().join("b")).unwrap();
        prepare(&mut new).unwrap();
        assert_eq!(tables(&old), tables(&new));
    }

    #[test]
    fn a_newer_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = first_version(&dir.path().join("a"));
        conn.execute_batch(&format!("PRAGMA user_version = {}", VERSION + 1)).unwrap();
        assert_eq!(prepare(&mut conn).unwrap_err().code(), &code::STORE_TOO_NEW);
    }
}
