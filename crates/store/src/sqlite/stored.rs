//! Bodies on their way into `ver` and out of it: whose key they are under, sealed and opened, compressed
//! and not.

use super::names::Interner;
use super::rows::rows_of;
use super::{Shared, unavailable};
use crate::body::{Prepared, with_security};
use crate::pack::Row;
use crate::payload;
use base::Fault;
use base::error::code;
use rusqlite::{Connection, OptionalExtension};

/// A body as a row of `ver` has it.
pub(super) struct StoredBody {
    pub(super) rid: i64,
    pub(super) vid: u64,
    pub(super) dictionary: u32,
    pub(super) size: usize,
    pub(super) body: Vec<u8>,
    /// What `meta.security` is shown as, when it is not what the body says.
    pub(super) security: Option<String>,
}

impl StoredBody {
    /// What [`StoredBody::read`] reads, of one version.
    pub(super) const OF_VERSION: &str = "SELECT v.rid, v.vid, v.dictionary, v.size, v.body, t.security \
         FROM ver v LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid = ?";

    /// From the columns `rid, vid, dictionary, size, body, security`.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            rid: row.get(0)?,
            vid: row.get(1)?,
            dictionary: row.get(2)?,
            size: row.get(3)?,
            body: row.get(4)?,
            security: row.get(5)?,
        })
    }
}

impl Shared {
    /// Whether a stored version has this text.
    pub(super) fn same_body(
        &self,
        conn: &Connection,
        vid: u64,
        text: &[u8],
    ) -> Result<bool, Fault> {
        let stored = conn
            .prepare_cached(StoredBody::OF_VERSION)
            .and_then(|mut s| s.query_row([vid], StoredBody::read).optional())
            .map_err(unavailable)?;
        let Some(stored) = stored else { return Ok(false) };
        if stored.security.is_none() && stored.size != text.len() {
            return Ok(false);
        }
        Ok(self.text(&stored)? == text)
    }

    /// The text of a stored body: opened, if the store is sealed, decompressed, and with the labels
    /// that it has now.
    pub(super) fn text(&self, stored: &StoredBody) -> Result<Vec<u8>, Fault> {
        let text = self.text_as_written(stored)?;
        match &stored.security {
            Some(security) if stored.size > 0 => with_security(&text, security),
            _ => Ok(text),
        }
    }

    fn text_as_written(&self, stored: &StoredBody) -> Result<Vec<u8>, Fault> {
        let StoredBody { rid, vid, dictionary, size, body, security: _ } = stored;
        match &self.cipher {
            // A deletion has no body.
            Some(cipher) if *size > 0 => {
                let place = keys::Place { record: rid.cast_unsigned(), version: *vid };
                let opened = payload::open(&*cipher.payloads, place, body)?;
                self.dictionaries.decompress(*dictionary, &opened, *size)
            }
            _ => self.dictionaries.decompress(*dictionary, body, *size),
        }
    }
}

/// The index rows of what is to be stored. Its patient's key must not have been destroyed.
pub(super) fn rows(
    names: &mut Interner,
    conn: &Connection,
    shared: &Shared,
    content: &Prepared,
    rid: i64,
) -> Result<Vec<Row>, Fault> {
    let rows = rows_of(names, conn, shared, content.resource_type, rid, &content.entries)
        .map_err(unavailable)?;
    if let Some(cipher) = &shared.cipher {
        cipher.payloads.check(subject(&rows))?;
    }
    Ok(rows)
}

/// Seals the body of a version of a record, when the store is sealed.
pub(super) fn seal(
    shared: &Shared,
    rows: &[Row],
    (rid, vid): (i64, u64),
    body: &[u8],
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(cipher) = &shared.cipher else { return Ok(None) };
    let place = keys::Place { record: rid.cast_unsigned(), version: vid };
    let sealed = payload::seal(&*cipher.payloads, subject(rows), place, body);
    sealed.map(Some).map_err(|fault| lost_key(&fault))
}

/// Whose key a version is sealed under.
fn subject(rows: &[Row]) -> u64 {
    payload::subject(rows.iter().filter_map(|row| match row {
        Row::Patient { record } => Some(record.cast_unsigned()),
        _ => None,
    }))
}

/// A key that was there when the unit was looked at and is gone when it is written: the group fails, for
/// a unit that wrote already cannot be refused.
fn lost_key(fault: &Fault) -> Fault {
    tracing::error!(code = fault.code().name, "a body could not be sealed");
    Fault::new(&code::KEYS_UNAVAILABLE, "a patient's key was lost while a change was written")
}
