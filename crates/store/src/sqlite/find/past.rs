//! Looking at bodies: word searches, and records as they were at the snapshot a page belongs to.

use super::super::rows::{Known, rows_of};
use super::super::{StoredBody, unavailable};
use super::check::Check;
use super::order::Candidate;
use super::{Finder, Record};
use crate::body::{OwnedEntry, own, resource_text};
use crate::pack;
use crate::pack::View;
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::definitions::r4;
use fhir::{Document, Value};
use rusqlite::{OptionalExtension, params};
use search::query::SortKey;
use std::collections::HashSet;

/// Steps that reading a body counts for.
const BODY_STEPS: u64 = 20;
/// Records changed since a snapshot before its cursors expire.
const CHANGED_MAX: usize = 50_000;

/// Whether all words occur in a record's narrative or in all of its texts.
pub(super) fn words_occur(
    finder: &Finder<'_>,
    record: &Record<'_>,
    narrative_only: bool,
    words: &[String],
) -> Result<bool, Fault> {
    finder.step(BODY_STEPS)?;
    let Some(document) = document(finder, record.vid, record.kind)? else { return Ok(false) };
    let root = document.root();
    let mut text = String::new();
    if narrative_only {
        if let Some(div) = root.get("text").and_then(|t| t.get_str("div")) {
            strip_tags(&div, &mut text);
        }
    } else {
        for value in root.descendants() {
            if let Some(part) = Value::as_str(value) {
                if value.key() == Some("div") {
                    strip_tags(&part, &mut text);
                } else {
                    text.push_str(&part);
                }
                text.push(' ');
            }
        }
    }
    let folded = search::fold::fold(&text);
    Ok(words.iter().all(|word| folded.contains(word.as_str())))
}

fn strip_tags(html: &str, out: &mut String) {
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                out.push(' ');
            }
            c if !inside => out.push(c),
            _ => {}
        }
    }
}

/// The resource of a version, parsed.
fn document(finder: &Finder<'_>, vid: u64, kind: u16) -> Result<Option<Document>, Fault> {
    let row = finder
        .conn
        .prepare_cached(StoredBody::OF_VERSION)
        .and_then(|mut s| s.query_row([vid], StoredBody::read).optional())
        .map_err(unavailable)?;
    let Some(stored) = row else { return Ok(None) };
    let Some(resource_type) = finder.shared.numbers.type_id(kind) else { return Ok(None) };
    let text = match finder.shared.text(&stored) {
        // Nobody can say what it said, so it matches nothing.
        Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => return Ok(None),
        text => text?,
    };
    let whole = resource_text(r4().name(resource_type), "x", 1, Millis(0), &text)?;
    Document::parse(whole, &Limits::default()).map(Some)
}

/// What changed after a snapshot: which records to leave out of the present, and those of them that
/// matched then, as they were then.
pub(super) struct Past {
    pub(super) candidates: Vec<Candidate>,
}

impl Finder<'_> {
    /// Records changed after a snapshot that matched at it and still exist.
    ///
    /// Chains are followed in the present; the record itself is judged as it was.
    pub(super) fn past(
        &self,
        snapshot: u64,
        kinds: &[u16],
        check: &Check,
        sort: &[SortKey],
    ) -> Result<Past, Fault> {
        let mut past = Past { candidates: Vec::new() };
        let mut seen = HashSet::new();
        let mut rids = Vec::new();
        {
            let mut s = self
                .conn
                .prepare_cached("SELECT rid, type FROM ver WHERE vid > ?")
                .map_err(unavailable)?;
            let mut rows = s.query([snapshot]).map_err(unavailable)?;
            while let Some(row) = rows.next().map_err(unavailable)? {
                let (rid, kind): (i64, u16) =
                    row.get(0).and_then(|r| Ok((r, row.get(1)?))).map_err(unavailable)?;
                if kinds.contains(&kind) && seen.insert(rid) {
                    rids.push((rid, kind));
                    if rids.len() > CHANGED_MAX {
                        return Err(Fault::new(
                            &code::SEARCH_CURSOR,
                            "too much has changed since the first page; search again",
                        ));
                    }
                }
            }
        }
        for (rid, kind) in rids {
            self.step(2)?;
            let old: Option<u64> = self
                .conn
                .prepare_cached("SELECT max(vid) FROM old WHERE rid = ? AND vid <= ?")
                .and_then(|mut s| s.query_row(params![rid, snapshot], |r| r.get(0)).optional())
                .map_err(unavailable)?
                .flatten();
            let Some(vid) = old else { continue };
            // A record deleted since, or no longer in sight, is not shown again.
            if self.record(rid, |_| Ok(()))?.is_none() {
                continue;
            }
            if let Some(candidate) = self.as_it_was(rid, kind, vid, check, sort)? {
                past.candidates.push(candidate);
            }
        }
        Ok(past)
    }

    /// A record at one of its past versions, if it matched.
    pub(super) fn as_it_was(
        &self,
        rid: i64,
        kind: u16,
        vid: u64,
        check: &Check,
        sort: &[SortKey],
    ) -> Result<Option<Candidate>, Fault> {
        let Some(packed) = self.packed_at(rid, kind, vid)? else { return Ok(None) };
        let record = Record { rid, kind, vid, packed: &packed };
        if !self.holds(check, &record)? {
            return Ok(None);
        }
        Ok(Some(Candidate { keys: self.keys(&record, sort)?, rid, vid }))
    }

    /// The packed entries a record had at a past version; `None` when it was a deletion or may not be
    /// seen.
    pub(super) fn packed_at(
        &self,
        rid: i64,
        kind: u16,
        vid: u64,
    ) -> Result<Option<Vec<u8>>, Fault> {
        self.step(BODY_STEPS)?;
        let labels: Option<(i64, i64)> = self
            .conn
            .prepare_cached("SELECT labels, size FROM ver WHERE vid = ?")
            .and_then(|mut s| s.query_row([vid], |r| Ok((r.get(0)?, r.get(1)?))).optional())
            .map_err(unavailable)?;
        let Some((labels, size)) = labels else { return Ok(None) };
        let Some(resource_type) = self.shared.numbers.type_id(kind).filter(|_| size > 0) else {
            return Ok(None);
        };
        let Some(document) = document(self, vid, kind)? else { return Ok(None) };
        let mut found = Vec::new();
        search::extract::extract(document.root(), resource_type, &mut found);
        let entries: Vec<OwnedEntry> = found.into_iter().map(own).collect();
        let rows =
            rows_of(&mut Known(self.shared), self.conn, self.shared, resource_type, rid, &entries)
                .map_err(unavailable)?;
        let now: Vec<u8> = self
            .conn
            .prepare_cached("SELECT packed FROM res WHERE rid = ?")
            .and_then(|mut s| s.query_row([rid], |r| r.get(0)).optional())
            .map_err(unavailable)?
            .unwrap_or_default();
        // Site and author are known of the record, not of its versions.
        let mut rows = rows;
        rows.extend(pack::rows(&now).filter(|v| matches!(v, View::Fact { .. })).map(View::to_row));
        let packed = pack::pack(&rows);
        let marks = self.labels.marks_of_past(vid, labels);
        Ok(self.sight.sees(rid, kind, marks, &packed).then_some(packed))
    }
}
