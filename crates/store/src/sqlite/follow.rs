//! Following: which records of a few types became something else since a commit, as a scope shows them
//! now. It looks along the versions of those types and at no body, so that what it costs follows from how
//! much was written of them and not from how much there is.

use super::apply::method_of;
use super::names::{Id, bad_row};
use super::read::Reader;
use super::unavailable;
use crate::page::{Change, Followed};
use crate::scope::Scoped;
use base::{Fault, Millis};
use fhir::definitions::TypeId;
use rusqlite::params;

impl Scoped<'_, Reader> {
    /// Whether a record is within the scope.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn shows(&self, of: TypeId, id: &str) -> Result<bool, Fault> {
        self.visible(of, id).map(|found| found.is_some())
    }

    /// Records of these types that were changed after a commit and are seen now, looking at `scan`
    /// versions of each type at most. What is out of sight leaves no mark: neither a line, nor a place
    /// in the count of those that are told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn follow(&self, types: &[TypeId], after: u64, scan: usize) -> Result<Followed, Fault> {
        let mut through = self.snapshot()?;
        let mut changes = Vec::new();
        for of in types {
            let (found, last) = self.follow_type(*of, after, scan)?;
            changes.extend(found);
            through = last.map_or(through, |last| through.min(last));
        }
        changes.retain(|change| change.sequence <= through);
        changes.sort_by_key(|change| change.sequence);
        Ok(Followed { changes, through })
    }

    /// Of one type; with it the last version that was looked at, when there are more.
    fn follow_type(
        &self,
        of: TypeId,
        after: u64,
        scan: usize,
    ) -> Result<(Vec<Change>, Option<u64>), Fault> {
        let reader = &self.inner;
        let kind = reader.shared.numbers.of_type(of);
        if !reader.sight.sees_type(kind) {
            return Ok((Vec::new(), None));
        }
        let most = i64::try_from(scan).unwrap_or(i64::MAX);
        let mut statement = reader
            .conn()?
            .prepare_cached(
                "SELECT v.vid, r.vid, r.rid, r.id, r.version, r.labels, r.packed, v.method, v.at \
                 FROM ver v INDEXED BY ver_type CROSS JOIN res r ON r.rid = v.rid \
                 WHERE v.type = ?1 AND v.vid > ?2 ORDER BY v.vid LIMIT ?3",
            )
            .map_err(unavailable)?;
        let mut rows = statement.query(params![kind, after, most]).map_err(unavailable)?;
        let (mut found, mut looked_at, mut last) = (Vec::new(), 0, after);
        while let Some(row) = rows.next().map_err(unavailable)? {
            looked_at += 1;
            let read = |at: usize| row.get::<_, u64>(at).map_err(unavailable);
            let (vid, present) = (read(0)?, read(1)?);
            last = vid;
            // What a later version replaced is told by that one.
            if vid != present {
                continue;
            }
            let rid: i64 = row.get(2).map_err(unavailable)?;
            let packed = row.get_ref(6).map_err(unavailable)?.as_blob().unwrap_or_default();
            let labels = row.get(5).map_err(unavailable)?;
            let marks = reader.labels.marks(vid, labels, packed);
            if !reader.sight.sees(rid, kind, marks, packed) {
                continue;
            }
            let id = Id::from_sql(row.get_ref(3).map_err(unavailable)?).ok_or_else(bad_row)?;
            found.push(Change {
                sequence: vid,
                resource_type: of,
                id: id.text(),
                version: read(4)?,
                method: method_of(row.get(7).map_err(unavailable)?),
                last_updated: Millis(row.get(8).map_err(unavailable)?),
            });
        }
        Ok((found, (looked_at >= scan).then_some(last)))
    }
}
