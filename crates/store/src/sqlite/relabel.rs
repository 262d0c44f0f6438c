//! Labels that follow the rules, in the file: where the work stands, what a version that waits counts
//! as, and the batches that the writer carries out.
//!
//! No body is touched: the mask of a version is replaced, and what its `meta.security` is shown as
//! stands beside it in `tag`.

use super::apply::Group;
use super::index::{self, patient_rows};
use super::names::Id;
use super::read::{Reader, Version};
use super::sight::{Facts, Marks};
use super::{Shared, Store, unavailable};
use crate::pack::{self, Row, View};
use crate::relabel::{
    Batch, Begin, LabelState, Labelling, NARROWED_MAX, Relabelled, VersionLabels,
};
use crate::scope::Scoped;
use crate::unit::Method;
use base::Fault;
use base::error::code;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::atomic::Ordering;

/// The key of `meta` that the state stands under.
const STATE: &str = "labels";
/// The key of `meta` that the rules stand under.
const NOTE: &str = "labels_note";
/// Bodies that are read for one batch, which are parsed and changed at once, in bytes.
const BATCH_BYTES: usize = 32 << 20;
/// No type has this number. What was written "under" it bears on every guard.
const ANY_TYPE: u16 = u16::MAX;

impl LabelState {
    /// What a present version counts as.
    pub(super) fn marks(&self, vid: u64, labels: i64, packed: &[u8]) -> Marks {
        if !self.waits(vid) {
            return Marks::sure(labels);
        }
        let facts = || Facts::of(packed).patients;
        self.marks_if(labels, self.of_patients == 0 || self.concerns(&facts()))
    }

    /// What a past version counts as: whom it was about is not looked up.
    pub(super) fn marks_of_past(&self, vid: u64, labels: i64) -> Marks {
        if self.waits(vid) { self.marks_if(labels, true) } else { Marks::sure(labels) }
    }

    pub(super) const fn waits(&self, vid: u64) -> bool {
        vid > self.done && vid <= self.last
    }

    fn concerns(&self, patients: &[i64]) -> bool {
        let named = |rid: &i64| self.patients.contains(&rid.cast_unsigned());
        patients.is_empty() || patients.iter().any(named)
    }

    const fn marks_if(&self, labels: i64, narrowed: bool) -> Marks {
        let more = if narrowed { self.gained | self.of_patients } else { self.gained };
        Marks { may: labels | more.cast_signed(), must: labels & !self.lost.cast_signed() }
    }
}

/// The state that a file has.
pub(super) fn load(conn: &Connection) -> Result<LabelState, Fault> {
    let text: Option<String> = conn
        .prepare_cached("SELECT value FROM meta WHERE key = ?")
        .and_then(|mut s| s.query_row([STATE], |r| r.get(0)).optional())
        .map_err(unavailable)?;
    let Some(text) = text else { return Ok(LabelState::default()) };
    LabelState::parse(&text).ok_or_else(|| {
        Fault::new(&code::STORE_CORRUPT, "the store does not say which records are labelled")
    })
}

/// The state at a reader's snapshot. When nothing waited at it, that is known without a look.
pub(super) fn at_snapshot(
    conn: &Connection,
    shared: &Shared,
    snapshot: u64,
) -> Result<LabelState, Fault> {
    if shared.labels_settled.load(Ordering::Acquire) <= snapshot {
        return Ok(LabelState::default());
    }
    load(conn)
}

impl Store {
    /// The state of the labels, as of the last commit.
    pub fn label_state(&self) -> LabelState {
        self.shared.labels.read().clone()
    }

    /// What the rules are, as [`Begin`] said it last.
    pub fn label_note(&self) -> Result<Option<String>, Fault> {
        let conn = self.shared.borrow_reader()?;
        let read = || {
            conn.prepare_cached("SELECT value FROM meta WHERE key = ?")?
                .query_row([NOTE], |r| r.get(0))
                .optional()
        };
        let found = read().map_err(unavailable);
        self.shared.return_reader(conn);
        found
    }
}

impl Scoped<'_, Reader> {
    /// Versions with numbers above `after` up to `upto`, in their order, at most `limit`, and no more
    /// after bodies of [`BATCH_BYTES`]; the flag says whether there may be more. For the labelling
    /// alone, which sees everything.
    ///
    /// # Errors
    /// For a reader that does not see everything, and when a body cannot be read.
    pub fn versions(
        &self,
        after: u64,
        upto: u64,
        limit: usize,
    ) -> Result<(Vec<VersionLabels>, bool), Fault> {
        let reader = &self.inner;
        if !reader.sight.is_everything() {
            return Err(Fault::new(&code::INTERNAL, "this is read by the labelling alone"));
        }
        let conn = reader.conn()?;
        let mut statement = conn.prepare_cached(Version::IN_ORDER).map_err(unavailable)?;
        let mut rows = statement.query(params![after, upto, limit]).map_err(unavailable)?;
        let (mut out, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next().map_err(unavailable)? {
            if bytes >= BATCH_BYTES {
                return Ok((out, true));
            }
            let version = Version::read(row).map_err(unavailable)?;
            let present: u64 = row.get(Version::COLUMNS).map_err(unavailable)?;
            let (number, labels) = (version.vid, version.labels.cast_unsigned());
            let hit = version.hit_if_kept(&reader.shared)?;
            bytes += hit.as_ref().map_or(0, |hit| hit.body.len());
            out.push(VersionLabels { number, labels, is_present: present == number, hit });
        }
        let more = out.len() >= limit;
        Ok((out, more))
    }
}

/// The writer's state of the labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    pub(super) state: LabelState,
    /// It is not stored yet.
    dirty: bool,
}

impl Labels {
    pub(super) const fn of(state: LabelState) -> Self {
        Self { state, dirty: false }
    }

    /// Refuses what was made for another state, before anything is written.
    pub(super) fn hold(&self, change: &Labelling) -> Result<(), Fault> {
        let state = &self.state;
        let holds = match change {
            Labelling::Begin(begin) => begin.replaces == state.epoch,
            Labelling::Batch(batch) => {
                batch.epoch == state.epoch
                    && batch.after == state.done
                    && (state.done..=state.last).contains(&batch.upto)
            }
        };
        if holds {
            return Ok(());
        }
        Err(Fault::new(&code::PRECONDITION_FAILED, "the rules of labels are others by now"))
    }

    /// Refuses what was labelled under rules that are two changes old: what it may lack is not known
    /// any more.
    pub(super) fn hold_content(&self, epoch: Option<u64>) -> Result<(), Fault> {
        if epoch.is_none_or(|epoch| epoch.saturating_add(1) >= self.state.epoch) {
            return Ok(());
        }
        let text = "the rules of labels changed while this was made ready; try again";
        Err(Fault::new(&code::PRECONDITION_FAILED, text))
    }

    /// A version was written whose labels are of other rules than the present ones: it waits.
    pub(super) fn late(&mut self, shared: &Shared, vid: u64) {
        self.state.last = self.state.last.max(vid);
        self.changed(shared);
    }

    fn changed(&mut self, shared: &Shared) {
        self.dirty = true;
        if self.state.is_waiting() {
            // Before it can be seen: a reader that comes now looks into the file.
            shared.labels_settled.store(u64::MAX, Ordering::Release);
        }
    }

    /// Stores what changed; part of every commit.
    pub(super) fn save(&self, conn: &Connection) -> rusqlite::Result<()> {
        if self.dirty {
            conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?
                .execute(params![STATE, self.state.text()])?;
        }
        Ok(())
    }

    /// The commit with this number is visible.
    pub(super) fn committed(&mut self, shared: &Shared, commit: u64) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        shared.labels.write().clone_from(&self.state);
        if !self.state.is_waiting() {
            shared.labels_settled.store(commit, Ordering::Release);
        }
    }
}

impl Group {
    /// Carries out a change of labels that [`Labels::hold`] has looked at.
    pub(super) fn relabel(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        change: &Labelling,
    ) -> Result<(), Fault> {
        match change {
            Labelling::Begin(begin) => self.begin(conn, shared, begin)?,
            Labelling::Batch(batch) => self.go_over(conn, shared, batch)?,
        }
        // Whatever a guard found may be seen otherwise now.
        self.last_of_type.insert(ANY_TYPE, self.next_vid);
        self.labels.changed(shared);
        Ok(())
    }

    fn begin(&mut self, conn: &Connection, shared: &Shared, begin: &Begin) -> Result<(), Fault> {
        conn.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")
            .and_then(|mut s| s.execute(params![NOTE, begin.note]))
            .map_err(unavailable)?;
        let mut patients = Vec::new();
        for id in &begin.patients {
            // A patient without a number is one that nothing refers to.
            let found = shared.find_name(conn, shared.patient_type, &Id::new(id));
            patients.extend(found.map_err(unavailable)?.map(i64::cast_unsigned));
        }
        let last = self.next_vid.saturating_sub(1);
        let state = &mut self.labels.state;
        state.epoch = state.epoch.saturating_add(1);
        if begin.gained | begin.lost | begin.of_patients == 0 {
            return Ok(());
        }
        if !state.is_waiting() {
            let epoch = state.epoch;
            *state = LabelState { epoch, ..LabelState::default() };
        }
        // What waited still may turn out to be what it might before.
        state.gained |= begin.gained;
        state.lost |= begin.lost;
        state.of_patients |= begin.of_patients;
        state.patients.extend(patients);
        state.patients.sort_unstable();
        state.patients.dedup();
        if state.patients.len() > NARROWED_MAX {
            state.gained |= std::mem::take(&mut state.of_patients);
            state.patients.clear();
        }
        (state.done, state.last) = (0, last);
        Ok(())
    }

    fn go_over(&mut self, conn: &Connection, shared: &Shared, batch: &Batch) -> Result<(), Fault> {
        for row in &batch.rows {
            self.give(conn, shared, row)?;
        }
        self.labels.state.done = batch.upto;
        Ok(())
    }

    /// Gives a version its labels.
    fn give(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        given: &Relabelled,
    ) -> Result<(), Fault> {
        let row: Option<(i64, u16, u64, i64, i64)> = conn
            .prepare_cached("SELECT rid, type, version, method, labels FROM ver WHERE vid = ?")
            .and_then(|mut s| {
                s.query_row([given.number], |r| {
                    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
                })
                .optional()
            })
            .map_err(unavailable)?;
        let Some((rid, kind, version, method, before)) = row else { return Ok(()) };
        let deletion = method == super::apply::method_number(Method::Delete);
        let labels = match (&given.labels, deletion) {
            (Some(tagged), false) => tagged.labels.cast_signed(),
            (None, true) => deleted_labels(conn, rid, version).map_err(unavailable)?,
            _ => return Err(Fault::new(&code::INTERNAL, "the labels are of another version")),
        };
        if !deletion || labels != before {
            self.labels.state.changed += 1;
        }
        let run = || -> rusqlite::Result<()> {
            if labels != before {
                conn.prepare_cached("UPDATE ver SET labels = ? WHERE vid = ?")?
                    .execute(params![labels, given.number])?;
                conn.prepare_cached("UPDATE res SET labels = ? WHERE rid = ? AND vid = ?")?
                    .execute(params![labels, rid, given.number])?;
            }
            if let Some(tagged) = &given.labels {
                let security = tagged.security.as_deref().unwrap_or_default();
                conn.prepare_cached("INSERT OR REPLACE INTO tag VALUES (?, ?)")?
                    .execute(params![given.number, security])?;
            }
            Ok(())
        };
        run().map_err(unavailable)?;
        let content = given.labels.as_ref().and_then(|tagged| tagged.content.as_deref());
        let Some(content) = content else { return Ok(()) };
        let Some(now) = self.load(conn, rid)?.filter(|now| now.vid == given.number && !now.gone)
        else {
            return Ok(());
        };
        if self.has_touched(rid) {
            self.settle(conn, shared)?;
        }
        let rows = match self.rows(conn, shared, content, rid, Some(&now.packed)) {
            // Its patient's key was destroyed since it was read: there is nothing left to index anew.
            Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => return Ok(()),
            rows => rows?,
        };
        let old: Vec<Row> = pack::rows(&now.packed).map(View::to_row).collect();
        let stale: Vec<Row> = old.iter().filter(|r| !rows.contains(r)).cloned().collect();
        let added: Vec<Row> = rows.iter().filter(|r| !old.contains(r)).cloned().collect();
        let order = shared.patient_order(kind);
        let of_patient = patient_rows(kind, rid, &old, order);
        let mut fresh = patient_rows(kind, rid, &rows, order);
        let gone: Vec<_> = of_patient.iter().filter(|r| !fresh.contains(r)).copied().collect();
        fresh.retain(|row| !of_patient.contains(row));
        let mut run = || -> rusqlite::Result<()> {
            conn.prepare_cached("UPDATE res SET packed = ? WHERE rid = ?")?
                .execute(params![pack::pack(&rows), rid])?;
            index::remove(conn, rid, &stale)?;
            index::remove_patient(conn, &gone)?;
            self.people(conn, shared, (kind, rid), &old, &rows)
        };
        run().map_err(unavailable)?;
        self.pending.add(rid, &added);
        self.pending.add_patient(fresh);
        self.touch(rid);
        Ok(())
    }
}

/// The labels of what a deletion deleted.
fn deleted_labels(conn: &Connection, rid: i64, version: u64) -> rusqlite::Result<i64> {
    conn.prepare_cached(
        "SELECT v.labels FROM old o CROSS JOIN ver v ON v.vid = o.vid \
         WHERE o.rid = ? AND o.version = ?",
    )?
    .query_row(params![rid, version.saturating_sub(1)], |r| r.get(0))
}
