//! Reading: records, versions, history and the change feed, each row looked at through the scope
//! before it exists for the caller.

use super::apply::method_of;
use super::names::{Id, bad_row};
use super::rows::{Known, rows_of};
use super::sight::{Facts, Sight};
use super::{Shared, StoredBody, defer, find, relabel, unavailable};
use crate::body::own;
use crate::body::resource_text;
use crate::pack;
use crate::page::{Change, HistoryPage, HistoryQuery, Hit, Page, PageRequest};
use crate::relabel::LabelState;
use crate::scope::{Scope, Scoped};
use crate::unit::Unit;
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};
use search::query::Search;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Instead of a commit: nobody asked for it yet.
const UNASKED: u64 = u64::MAX;

/// A version of a record that was written since: of which, and what it says, unless nobody can read it.
pub(crate) type Since = (String, Option<Hit>);

/// A connection from the pool with one open snapshot. It goes back when dropped.
pub struct Reader {
    conn: Option<Connection>,
    pub(super) shared: Arc<Shared>,
    /// The last commit in the snapshot, once somebody asked; reading one record does not.
    snapshot: AtomicU64,
    /// What was published before the snapshot began, and so is in it.
    published: AtomicU64,
    pub(super) sight: Arc<Sight>,
    /// Which versions wait for their labels at the snapshot.
    pub(super) labels: LabelState,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader(from {})", self.published.load(Ordering::Acquire))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        end(&self.shared, self.conn.take());
    }
}

/// What a reader saw, for the next one to see, of whatever scope. It is let go when dropped.
pub struct Snapshot {
    conn: Option<Connection>,
    shared: Arc<Shared>,
    snapshot: u64,
    published: u64,
    /// Which versions wait for their labels, where the reader before had to know.
    labels: Option<LabelState>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot(from {})", self.published)
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        end(&self.shared, self.conn.take());
    }
}

/// Lets a snapshot go; its connection can begin another.
fn end(shared: &Shared, conn: Option<Connection>) {
    if let Some(conn) = conn
        && conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).is_ok()
    {
        shared.return_reader(conn);
    }
}

impl Scoped<'_, Reader> {
    /// The snapshot, for another reader to go on with.
    pub fn into_snapshot(mut self) -> Snapshot {
        let reader = &mut self.inner;
        let knows = !reader.sight.is_everything();
        Snapshot {
            conn: reader.conn.take(),
            shared: Arc::clone(&reader.shared),
            snapshot: reader.snapshot.load(Ordering::Acquire),
            published: reader.published.load(Ordering::Acquire),
            labels: knows.then(|| reader.labels.clone()),
        }
    }
}

/// A row of `ver` joined to what its record is called.
pub(super) struct Version {
    pub(super) rid: i64,
    pub(super) vid: u64,
    kind: u16,
    id: Id,
    version: u64,
    at: i64,
    method: i64,
    pub(super) labels: i64,
    stored: StoredBody,
}

const VERSION_COLUMNS: &str = "v.rid, v.vid, v.type, r.id, v.version, v.at, v.method, v.labels, \
     v.dictionary, v.size, v.body, t.security";

impl Version {
    /// What [`Version::read`] reads, then the number of the present version, in the order of numbers.
    pub(super) const IN_ORDER: &str = "SELECT v.rid, v.vid, v.type, r.id, v.version, v.at, v.method, \
         v.labels, v.dictionary, v.size, v.body, t.security, r.vid \
         FROM ver v CROSS JOIN res r ON r.rid = v.rid LEFT JOIN tag t ON t.vid = v.vid \
         WHERE v.vid > ? AND v.vid <= ? ORDER BY v.vid LIMIT ?";
    /// How many columns [`Version::read`] reads.
    pub(super) const COLUMNS: usize = 12;

    pub(super) fn read(row: &SqlRow<'_>) -> rusqlite::Result<Self> {
        let (rid, vid) = (row.get(0)?, row.get(1)?);
        Ok(Self {
            rid,
            vid,
            kind: row.get(2)?,
            id: Id::from_sql(row.get_ref(3)?).unwrap_or_else(|| Id::Text("".into())),
            version: row.get(4)?,
            at: row.get(5)?,
            method: row.get(6)?,
            labels: row.get(7)?,
            stored: StoredBody {
                rid,
                vid,
                dictionary: row.get(8)?,
                size: row.get(9)?,
                body: row.get(10)?,
                security: row.get(11)?,
            },
        })
    }

    /// A version by its number.
    pub(super) fn at(conn: &Connection, vid: u64) -> Result<Option<Self>, Fault> {
        conn.prepare_cached(&format!(
            "SELECT {VERSION_COLUMNS} FROM ver v CROSS JOIN res r ON r.rid = v.rid \
             LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid = ?"
        ))
        .and_then(|mut s| s.query_row([vid], Self::read).optional())
        .map_err(unavailable)
    }

    /// The stored text, opened and decompressed.
    pub(super) fn text(&self, shared: &Shared) -> Result<Vec<u8>, Fault> {
        shared.text(&self.stored)
    }

    /// As [`Version::hit`]; `None` when the key of the body was destroyed, for a page of others goes on
    /// without it.
    pub(super) fn hit_if_kept(self, shared: &Shared) -> Result<Option<Hit>, Fault> {
        match self.hit(shared) {
            Ok(hit) => Ok(Some(hit)),
            Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    pub(super) fn hit(self, shared: &Shared) -> Result<Hit, Fault> {
        let resource_type = shared.numbers.type_id(self.kind).ok_or_else(bad_row)?;
        let id = self.id.text();
        let method = method_of(self.method);
        let deleted = method == crate::unit::Method::Delete;
        let body = if deleted {
            Vec::new()
        } else {
            let text = self.text(shared)?;
            resource_text(r4().name(resource_type), &id, self.version, Millis(self.at), &text)?
        };
        Ok(Hit {
            resource_type,
            id,
            version: self.version,
            last_updated: Millis(self.at),
            method,
            deleted,
            body,
        })
    }
}

impl Reader {
    pub(super) fn new(shared: &Arc<Shared>, scope: &Scope) -> Result<Self, Fault> {
        let conn = shared.borrow_reader()?;
        let published = begin(&conn, shared).map_err(unavailable)?;
        let (shared, snapshot, labels) = (Arc::clone(shared), UNASKED, None);
        Self::over(Snapshot { conn: Some(conn), shared, snapshot, published, labels }, scope)
    }

    /// A reader of a snapshot that was begun.
    pub(super) fn over(mut before: Snapshot, scope: &Scope) -> Result<Self, Fault> {
        let (shared, published) = (Arc::clone(&before.shared), before.published);
        let closed = || Fault::new(&code::STORE_UNAVAILABLE, "the snapshot was let go already");
        let conn = before.conn.as_ref().ok_or_else(closed)?;
        let snapshot = || match before.snapshot {
            UNASKED => last_commit(conn, published).map_err(unavailable),
            known => Ok(known),
        };
        let sight = Sight::of(conn, &shared, scope, snapshot)?;
        // Whoever sees everything is shown it whatever its labels are. For any other the snapshot is
        // fixed first, by a read: it must not come to hold more than the state of the labels does.
        let (labels, snapshot) = match sight.is_everything() {
            true => (LabelState::default(), before.snapshot),
            false => {
                let snapshot = snapshot()?;
                let labels = match &before.labels {
                    Some(labels) => labels.clone(),
                    None => relabel::at_snapshot(conn, &shared, snapshot)?,
                };
                (labels, snapshot)
            }
        };
        let (snapshot, published) = (AtomicU64::new(snapshot), AtomicU64::new(published));
        Ok(Self { conn: before.conn.take(), shared, snapshot, published, sight, labels })
    }

    /// Has a bulk load put in what it holds back, and goes on at a snapshot that has it.
    fn complete(&self) -> Result<(), Fault> {
        let conn = self.conn()?;
        conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).map_err(unavailable)?;
        self.shared.deferral.stop();
        self.shared.wait_for(Unit::default())?;
        let published = begin(conn, &self.shared).map_err(unavailable)?;
        self.published.store(published, Ordering::Release);
        self.snapshot.store(UNASKED, Ordering::Release);
        if self.sight.is_everything() {
            return Ok(());
        }
        // What was known of the labels is of the snapshot before.
        let labels = relabel::at_snapshot(conn, &self.shared, self.snapshot()?)?;
        match labels == self.labels {
            true => Ok(()),
            false => Err(Fault::new(
                &code::STORE_UNAVAILABLE,
                "the rules of labels changed while a load was completed; ask again",
            )),
        }
    }

    /// Sees to it that nothing of the index is held back.
    pub(super) fn has_all(&self) -> Result<(), Fault> {
        if self.shared.deferral.is_on() { self.complete() } else { Ok(()) }
    }

    /// The connection. It is only taken out by `drop`.
    pub(super) fn conn(&self) -> Result<&Connection, Fault> {
        self.conn
            .as_ref()
            .ok_or_else(|| Fault::new(&code::STORE_UNAVAILABLE, "the reader was closed already"))
    }

    pub(super) fn snapshot(&self) -> Result<u64, Fault> {
        let known = self.snapshot.load(Ordering::Acquire);
        if known != UNASKED {
            return Ok(known);
        }
        let published = self.published.load(Ordering::Acquire);
        let found = last_commit(self.conn()?, published).map_err(unavailable)?;
        self.snapshot.store(found, Ordering::Release);
        Ok(found)
    }

    /// The number of some record for an id that nothing has: the same each time, as a record's own would
    /// be, so that its page is at hand as often.
    fn stand_in(&self, id: &str) -> i64 {
        let mixed = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let published = self.published.load(Ordering::Acquire).max(1);
        i64::try_from(mixed % published).unwrap_or_default()
    }

    /// A version by its number, whatever the scope.
    pub(super) fn version(&self, vid: u64) -> Result<Option<Version>, Fault> {
        load_version(self.conn()?, vid).map_err(unavailable)
    }
}

/// Begins a snapshot, which the first read fixes; answers the last commit published before, which is
/// in it.
fn begin(conn: &Connection, shared: &Shared) -> rusqlite::Result<u64> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    Ok(shared.last_vid.load(Ordering::Acquire))
}

/// The last commit in the open snapshot.
fn last_commit(conn: &Connection, published: u64) -> rusqlite::Result<u64> {
    let seen: Option<u64> =
        conn.prepare_cached("SELECT max(vid) FROM ver")?.query_row([], |r| r.get(0))?;
    Ok(seen.unwrap_or(0).max(published))
}

/// A version of a record whose id is known.
fn current_version(conn: &Connection, vid: u64, id: Id) -> rusqlite::Result<Option<Version>> {
    // Written out: this is the hottest statement of all.
    conn.prepare_cached(
        "SELECT v.rid, v.vid, v.type, NULL, v.version, v.at, v.method, v.labels, v.dictionary, \
         v.size, v.body, t.security FROM ver v LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid = ?",
    )?
    .query_row([vid], |row| Ok(Version { id, ..Version::read(row)? }))
    .optional()
}

fn load_version(conn: &Connection, vid: u64) -> rusqlite::Result<Option<Version>> {
    conn.prepare_cached(
        "SELECT v.rid, v.vid, v.type, r.id, v.version, v.at, v.method, v.labels, v.dictionary, \
         v.size, v.body, t.security FROM ver v CROSS JOIN res r ON r.rid = v.rid \
         LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid = ?",
    )?
    .query_row([vid], Version::read)
    .optional()
}

impl Scoped<'_, Reader> {
    /// The commit this reader sees.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn snapshot(&self) -> Result<u64, Fault> {
        self.inner.snapshot()
    }

    /// The current version of a record; a deletion if it was deleted, `None` if there is none.
    pub fn read(&self, resource_type: TypeId, id: &str) -> Result<Option<Hit>, Fault> {
        let Some((_, vid, _)) = self.visible(resource_type, id)? else { return Ok(None) };
        let version = current_version(self.inner.conn()?, vid, Id::new(id)).map_err(unavailable)?;
        version.map(|version| version.hit(&self.inner.shared)).transpose()
    }

    /// A version of a record.
    pub fn vread(
        &self,
        resource_type: TypeId,
        id: &str,
        version: u64,
    ) -> Result<Option<Hit>, Fault> {
        let Some((rid, vid, current)) = self.visible(resource_type, id)? else { return Ok(None) };
        let conn = self.inner.conn()?;
        let vid = if version == current {
            Some(vid)
        } else {
            conn.prepare_cached("SELECT vid FROM old WHERE rid = ? AND version = ?")
                .and_then(|mut s| s.query_row(params![rid, version], |r| r.get(0)).optional())
                .map_err(unavailable)?
        };
        let Some(vid) = vid else { return Ok(None) };
        let Some(found) = self.inner.version(vid)? else { return Ok(None) };
        if version != current && !self.sees_version(&found)? {
            return Ok(None);
        }
        found.hit(&self.inner.shared).map(Some)
    }

    /// A page of a search.
    pub fn search(&self, search: &Search, page: &PageRequest) -> Result<Page, Fault> {
        if self.inner.shared.deferral.is_on() && !defer::can_answer(search) {
            self.inner.complete()?;
        }
        find::search(&self.inner, search, page)
    }

    /// Live records by type, exact within the scope.
    pub fn type_counts(&self) -> Result<Vec<(TypeId, u64)>, Fault> {
        find::type_counts(&self.inner)
    }

    /// A page of history, newest first.
    pub fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, Fault> {
        let reader = &self.inner;
        let (conn, snapshot) = (reader.conn()?, reader.snapshot()?);
        let before = query.before.unwrap_or(u64::MAX >> 1);
        let mut page = HistoryPage::default();
        let mut current = None;
        let sql;
        let mut arguments: Vec<i64> = Vec::new();
        match (query.resource_type, &query.id) {
            (Some(resource_type), Some(id)) => {
                let Some((rid, _, version)) = self.visible(resource_type, id)? else {
                    return Err(Fault::new(&code::NOT_FOUND, "no resource has this type and id"));
                };
                current = Some(version);
                sql = format!(
                    "SELECT {VERSION_COLUMNS} FROM ver v JOIN res r ON r.rid = v.rid \
                     LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid IN \
                     (SELECT vid FROM old WHERE rid = ?1 UNION ALL SELECT vid FROM res WHERE rid = ?1) \
                     AND v.vid < ?2 ORDER BY v.vid DESC"
                );
                arguments.push(rid);
            }
            (Some(resource_type), None) => {
                sql = format!(
                    "SELECT {VERSION_COLUMNS} FROM ver v CROSS JOIN res r ON r.rid = v.rid \
                     LEFT JOIN tag t ON t.vid = v.vid WHERE v.type = ?1 AND v.vid < ?2 ORDER BY v.vid DESC"
                );
                arguments.push(i64::from(reader.shared.numbers.of_type(resource_type)));
            }
            (None, _) => {
                sql = format!(
                    "SELECT {VERSION_COLUMNS} FROM ver v CROSS JOIN res r ON r.rid = v.rid \
                     LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid < ?1 ORDER BY v.vid DESC"
                );
            }
        }
        arguments.push(before.cast_signed());
        let mut statement = conn.prepare_cached(&sql).map_err(unavailable)?;
        let mut rows =
            statement.query(rusqlite::params_from_iter(arguments)).map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let version = Version::read(row).map_err(unavailable)?;
            if version.vid > snapshot {
                continue;
            }
            if query.since.is_some_and(|since| version.at < since.0) {
                break;
            }
            if let Some((low, high)) = query.at
                && !(version.at <= high.0 && self.ends_after(&version, low)?)
            {
                continue;
            }
            if !reader.sight.is_everything() && !self.sees_version(&version)? {
                continue;
            }
            if page.versions.len() == query.count {
                page.next = page.versions.last().map(|_| version.vid + 1);
                break;
            }
            if current.is_some() {
                page.versions.push(version.hit(&reader.shared)?);
            } else {
                page.versions.extend(version.hit_if_kept(&reader.shared)?);
            }
        }
        let whole = query.since.is_none() && query.at.is_none() && reader.sight.is_everything();
        page.total = current.filter(|_| whole);
        Ok(page)
    }

    /// The versions of a type that were written after a commit, oldest first: of which record, and the
    /// version, unless nobody can read it any more. `None` when there are more than `most`.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn written_since(
        &self,
        of: TypeId,
        as_of: u64,
        most: usize,
    ) -> Result<Option<Vec<Since>>, Fault> {
        let reader = &self.inner;
        let conn = reader.conn()?;
        let mut statement = conn
            .prepare_cached(&format!(
                "SELECT {VERSION_COLUMNS} FROM ver v INDEXED BY ver_type \
                 CROSS JOIN res r ON r.rid = v.rid LEFT JOIN tag t ON t.vid = v.vid \
                 WHERE v.type = ?1 AND v.vid > ?2 ORDER BY v.vid LIMIT ?3"
            ))
            .map_err(unavailable)?;
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let kind = reader.shared.numbers.of_type(of);
        let mut rows =
            statement.query(params![kind, as_of.cast_signed(), limit]).map_err(unavailable)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(unavailable)? {
            if out.len() >= most {
                return Ok(None);
            }
            let version = Version::read(row).map_err(unavailable)?;
            if !self.sees_version(&version)? {
                continue;
            }
            let id = version.id.text();
            out.push((id, version.hit_if_kept(&reader.shared)?));
        }
        Ok(Some(out))
    }

    /// What changed after a commit, oldest first.
    pub fn changes(&self, after: u64, limit: usize) -> Result<Vec<Change>, Fault> {
        let reader = &self.inner;
        let (conn, snapshot) = (reader.conn()?, reader.snapshot()?);
        let mut statement = conn
            .prepare_cached(&format!(
                "SELECT {VERSION_COLUMNS} FROM ver v CROSS JOIN res r ON r.rid = v.rid \
                 LEFT JOIN tag t ON t.vid = v.vid WHERE v.vid > ? ORDER BY v.vid"
            ))
            .map_err(unavailable)?;
        let mut rows = statement.query([after]).map_err(unavailable)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(unavailable)? {
            if out.len() >= limit {
                break;
            }
            let version = Version::read(row).map_err(unavailable)?;
            if version.vid > snapshot || !self.sees_version(&version)? {
                continue;
            }
            out.push(Change {
                sequence: version.vid,
                resource_type: reader.shared.numbers.type_id(version.kind).ok_or_else(bad_row)?,
                id: version.id.text(),
                version: version.version,
                method: method_of(version.method),
                last_updated: Millis(version.at),
            });
        }
        Ok(out)
    }

    /// Record number, current version's number and version of a record the scope shows.
    pub(super) fn visible(
        &self,
        resource_type: TypeId,
        id: &str,
    ) -> Result<Option<(i64, u64, u64)>, Fault> {
        let reader = &self.inner;
        let conn = reader.conn()?;
        let kind = reader.shared.numbers.of_type(resource_type);
        if !reader.sight.sees_type(kind) {
            return Ok(None);
        }
        let run = || -> rusqlite::Result<Option<(i64, u64, u64)>> {
            let judge = |rid: i64, r: &SqlRow<'_>| {
                let packed = r.get_ref(3)?.as_blob().unwrap_or_default();
                let marks = reader.labels.marks(r.get(0)?, r.get(2)?, packed);
                let seen = reader.sight.sees(rid, kind, marks, packed);
                Ok(if seen { Some((rid, r.get(0)?, r.get(1)?)) } else { None })
            };
            if let Some(rid) = reader.shared.find_name(conn, kind, &Id::new(id))? {
                let sql = "SELECT vid, version, labels, packed FROM res WHERE rid = ?";
                let found =
                    conn.prepare_cached(sql)?.query_row([rid], |r| judge(rid, r)).optional()?;
                if let Some(judged) = found {
                    return Ok(judged);
                }
            }
            if !reader.sight.is_everything() {
                // Invisible takes as long as absent: any other record is judged in its stead.
                let rid = reader.stand_in(id);
                let sql = "SELECT vid, version, labels, packed FROM res WHERE rid >= ? LIMIT 1";
                let judged = conn.prepare_cached(sql)?.query_row([rid], |r| judge(rid, r));
                std::hint::black_box(judged.optional()?);
            }
            Ok(None)
        };
        run().map_err(unavailable)
    }

    /// Whether a past version may be seen: its record must be visible now, and it must have been then,
    /// by its own labels and in its own compartments.
    fn sees_version(&self, version: &Version) -> Result<bool, Fault> {
        let reader = &self.inner;
        let sight = &reader.sight;
        if sight.is_everything() {
            return Ok(true);
        }
        if !sight.sees_type(version.kind) {
            return Ok(false);
        }
        let conn = reader.conn()?;
        let now: Option<(u64, i64, Vec<u8>)> = conn
            .prepare_cached("SELECT vid, labels, packed FROM res WHERE rid = ?")
            .and_then(|mut s| {
                s.query_row([version.rid], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).optional()
            })
            .map_err(unavailable)?;
        let Some((current, labels, packed)) = now else { return Ok(false) };
        let marks = reader.labels.marks(current, labels, &packed);
        if !sight.sees(version.rid, version.kind, marks, &packed) {
            return Ok(false);
        }
        if current == version.vid {
            return Ok(true);
        }
        let marks = reader.labels.marks_of_past(version.vid, version.labels);
        if !sight.looks_at(version.kind) || method_of(version.method) == crate::unit::Method::Delete
        {
            // A deletion has no entries, so where something is asked of them it is not shown.
            let facts = Facts::of(&packed);
            return Ok(sight.sees_facts(version.rid, version.kind, marks, &facts, &[]));
        }
        let then = match self.packed_of(version, &packed) {
            Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => return Ok(false),
            then => then?,
        };
        Ok(sight.sees(version.rid, version.kind, marks, &then))
    }

    /// The entries a past version had, the compartments it was in, and what is known of its record.
    fn packed_of(&self, version: &Version, now: &[u8]) -> Result<Vec<u8>, Fault> {
        let reader = &self.inner;
        let resource_type = reader.shared.numbers.type_id(version.kind).ok_or_else(bad_row)?;
        let text = version.text(&reader.shared)?;
        let whole = resource_text(r4().name(resource_type), "x", 1, Millis(0), &text)?;
        let document = Document::parse(whole, &Limits::default())?;
        let mut found = Vec::new();
        search::extract::extract(document.root(), resource_type, &mut found);
        let entries: Vec<_> = found.into_iter().map(own).collect();
        let (conn, rid) = (reader.conn()?, version.rid);
        let mut known = Known(&reader.shared);
        let mut rows = rows_of(&mut known, conn, &reader.shared, resource_type, rid, &entries)
            .map_err(unavailable)?;
        // Site and author are known of the record, not of its versions.
        let fact = |view: &pack::View<'_>| matches!(view, pack::View::Fact { .. });
        rows.extend(pack::rows(now).filter(fact).map(pack::View::to_row));
        Ok(pack::pack(&rows))
    }

    /// Whether a version was still current at or after an instant.
    fn ends_after(&self, version: &Version, instant: Millis) -> Result<bool, Fault> {
        let conn = self.inner.conn()?;
        let next: Option<i64> = conn
            .prepare_cached(
                "SELECT v.at FROM ver v WHERE v.vid = coalesce(\
                 (SELECT vid FROM old WHERE rid = ?1 AND version = ?2), \
                 (SELECT vid FROM res WHERE rid = ?1 AND version = ?2))",
            )
            .and_then(|mut s| {
                s.query_row(params![version.rid, version.version + 1], |r| r.get(0)).optional()
            })
            .map_err(unavailable)?;
        Ok(next.is_none_or(|at| at > instant.0))
    }
}
