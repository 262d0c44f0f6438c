//! One unit of work, applied inside the writer's transaction: everything that can refuse is looked
//! at before anything is written, so a refused unit leaves no trace.

use super::defer;
use super::index::{self, Pending, patient_rows};
use super::item;
use super::names::{Id, Interner, Naming, bad_row};
use super::people;
use super::relabel::Labels;
use super::rights::Allowed;
use super::rows::facts_of;
use super::sight::{Marks, Sight};
use super::watch::Opened;
use super::{Shared, stored, unavailable};
use crate::body::Prepared;
use crate::pack::{self, Row, View};
use crate::unit::{Expectation, Method, Op, OpResult, Receipt, Unit};
use base::error::code;
use base::{Fault, Millis};
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The writer's state while a group of units is in one engine transaction.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) interner: Interner,
    pub(super) pending: Pending,
    /// Records whose rows are still pending.
    touched: HashSet<i64>,
    /// The first version of which a bulk load holds rows back.
    pub(super) held_from: Option<u64>,
    /// What the store has noted of it.
    pub(super) held_noted: Option<u64>,
    /// This transaction has put in what was held back.
    settled: bool,
    /// Change of the number of live records by type.
    pub(super) live: HashMap<u16, i64>,
    /// Types written since the store was opened, with the last commit that did.
    pub(super) last_of_type: HashMap<u16, u64>,
    pub(super) labels: Labels,
    /// What watches opened in this transaction.
    pub(super) opened: Opened,
    pub(super) next_vid: u64,
    pub(super) now: Millis,
}

/// What `res` holds of a record.
pub(super) struct Current {
    pub(super) vid: u64,
    version: u64,
    pub(super) gone: bool,
    labels: i64,
    pub(super) packed: Vec<u8>,
}

/// An op that was looked at and will succeed.
enum Plan<'u> {
    Put {
        content: &'u Prepared,
        kind: u16,
        rid: i64,
        before: Option<Current>,
        create: bool,
        rows: Vec<Row>,
    },
    Delete {
        kind: u16,
        rid: i64,
        before: Current,
        id: Id,
    },
    Nothing(OpResult),
}

impl Group {
    pub(super) fn new(interner: Interner, next_vid: u64, labels: Labels) -> Self {
        Self {
            interner,
            pending: Pending::default(),
            touched: HashSet::new(),
            held_from: None,
            held_noted: None,
            settled: false,
            live: HashMap::new(),
            last_of_type: HashMap::new(),
            labels,
            opened: Opened::default(),
            next_vid,
            now: Millis(0),
        }
    }

    /// Writes what is pending, but for what a bulk load holds back.
    pub(super) fn flush(&mut self, conn: &Connection, shared: &Shared) -> Result<(), Fault> {
        let stored = || shared.live.read().values().sum();
        let hold = shared.deferral.is_on() && self.touched.len() < defer::records_max(stored());
        if !hold {
            return self.settle(conn, shared);
        }
        self.pending.flush_first(conn).map_err(unavailable)
    }

    /// Writes everything that is pending or held back.
    pub(super) fn settle(&mut self, conn: &Connection, shared: &Shared) -> Result<(), Fault> {
        self.touched.clear();
        self.pending.flush(conn).map_err(unavailable)?;
        self.held_from = None;
        let names = shared.deferral.turn(self.settled);
        self.settled = true;
        defer::insert_names(conn, &names).map_err(unavailable)
    }

    /// The transaction is committed.
    pub(super) fn committed(&mut self) {
        self.held_noted = self.held_from;
        self.settled = false;
        self.opened.clear();
    }

    /// The transaction is rolled back: begins again with what is stored.
    pub(super) fn rolled_back(
        &mut self,
        conn: &mut Connection,
        shared: &Shared,
    ) -> Result<(), Fault> {
        self.pending.clear();
        self.touched.clear();
        self.opened.clear();
        self.live.clear();
        self.settled = false;
        (self.held_from, self.held_noted) = (None, None);
        defer::recover(conn)?;
        shared.deferral.clear();
        self.labels = Labels::of(super::relabel::load(conn)?);
        self.next_vid = shared.last_vid.load(Ordering::Acquire) + 1;
        self.interner.forget(conn).map_err(unavailable)
    }

    /// Applies a unit, or refuses it having written nothing but names.
    pub(super) fn apply(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        unit: &Unit,
    ) -> Result<Receipt, Fault> {
        let result = self.apply_or_refuse(conn, shared, unit);
        match &result {
            Ok(_) => self.interner.stored(),
            Err(_) => self.interner.not_stored(conn).map_err(unavailable)?,
        }
        result
    }

    fn apply_or_refuse(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        unit: &Unit,
    ) -> Result<Receipt, Fault> {
        for guard in &unit.guards {
            self.hold(conn, shared, guard)?;
        }
        for watch in &unit.watches {
            self.watch(conn, shared, watch)?;
        }
        let allowed = match &unit.rights {
            Some(rights) => {
                let named = Arc::clone(&self.interner.named);
                Some(Allowed::new(conn, shared, rights, named)?)
            }
            None => None,
        };
        item::hold(conn, &unit.items)?;
        if let Some(change) = &unit.labelling {
            self.labels.hold(change)?;
        }
        let mut plans = Vec::with_capacity(unit.ops.len());
        let mut seen = HashSet::with_capacity(unit.ops.len());
        for op in &unit.ops {
            let plan = self.plan(conn, shared, op, allowed.as_ref())?;
            if let Plan::Put { rid, .. } | Plan::Delete { rid, .. } = &plan
                && !seen.insert(*rid)
            {
                return Err(Fault::new(
                    &code::BUNDLE_DUPLICATE,
                    "two changes of one unit of work name the same resource",
                ));
            }
            plans.push(plan);
        }
        let mut results = Vec::with_capacity(plans.len());
        for plan in plans {
            results.push(match plan {
                Plan::Nothing(result) => result,
                Plan::Delete { kind, rid, before, id } => {
                    self.delete(conn, shared, kind, rid, &before, &id)?
                }
                Plan::Put { content, kind, rid, before, create, rows } => {
                    self.put(conn, shared, content, kind, rid, before.as_ref(), create, &rows)?
                }
            });
        }
        item::apply(conn, &unit.items)?;
        if let Some(change) = &unit.labelling {
            self.relabel(conn, shared, change)?;
        }
        // A store that has nothing yet begins with its rules, and with the number 1.
        let labels = unit.labelling.is_some() && self.next_vid > 1;
        let marked = unit.events.is_some() || labels;
        if marked && results.iter().all(|r| !r.changed) {
            // Every audited unit has a commit number of its own, so that its events are told apart.
            self.next_vid += 1;
        }
        Ok(Receipt { results, commit: self.next_vid - 1, last_updated: self.now })
    }

    /// Runs a guard's search again when its types changed since it was run.
    fn hold(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        guard: &crate::unit::Guard,
    ) -> Result<(), Fault> {
        let changed = self.last_of_type.values().any(|last| *last > guard.as_of);
        if !changed {
            return Ok(());
        }
        if defer::can_answer(&guard.search) {
            self.flush(conn, shared)?;
        } else {
            shared.deferral.stop();
            self.settle(conn, shared)?;
        }
        let sight = Sight::of_writer(conn, shared, &guard.scope)?;
        let seen = (&*sight, &self.labels.state);
        let most = match &guard.expected {
            Expectation::None | Expectation::One(_) => 2,
            Expectation::These(ids) => ids.len().saturating_add(1),
        };
        let mut found = super::find::first_ids(conn, shared, seen, &guard.search, most)?;
        let holds = match (&guard.expected, found.as_slice()) {
            (Expectation::None, []) => true,
            (Expectation::One(id), [one]) => id == one,
            (Expectation::These(ids), _) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                found.sort_unstable();
                ids == found
            }
            _ => false,
        };
        if holds {
            return Ok(());
        }
        Err(Fault::new(
            &code::PRECONDITION_FAILED,
            "another request changed what the condition matches; try again",
        ))
    }

    fn plan<'u>(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        op: &'u Op,
        allowed: Option<&Allowed<'_>>,
    ) -> Result<Plan<'u>, Fault> {
        match op {
            Op::Create(content) => {
                let (kind, rid, before) = self.current(conn, shared, content)?;
                if before.is_some() {
                    return Err(Fault::new(
                        &code::PRECONDITION_FAILED,
                        "a resource with this id exists already",
                    ));
                }
                self.labels.hold_content(content.label_epoch)?;
                let rows = self.rows(conn, shared, content, rid, None)?;
                if let Some(allowed) = allowed {
                    allowed.create(rid, kind, content.labels, &rows)?;
                }
                Ok(Plan::Put { content, kind, rid, before, create: true, rows })
            }
            Op::Update { content, if_match, may_create, skip_same } => {
                self.labels.hold_content(content.label_epoch)?;
                let (kind, rid, mut before) = self.current(conn, shared, content)?;
                let mut may_create = *may_create;
                if let Some(allowed) = allowed {
                    may_create &= allowed.names_ids();
                    let seen = match &before {
                        Some(b) => allowed.sees(rid, kind, self.marks(b), &b.packed)?,
                        None => true,
                    };
                    if !seen {
                        // What is hidden does not exist, and its id cannot be had either.
                        (before, may_create) = (None, false);
                    }
                }
                let live = before.as_ref().filter(|b| !b.gone);
                check_version(*if_match, live)?;
                if before.is_none() && !may_create {
                    return Err(Fault::new(
                        &code::CREATE_BY_UPDATE_OFF,
                        "no resource has this id; create it with POST and let the server name it",
                    ));
                }
                check_follows(content, before.as_ref())?;
                if *skip_same
                    && let Some(now) = live
                    && shared.same_body(conn, now.vid, &content.text)?
                {
                    return Ok(Plan::Nothing(OpResult {
                        resource_type: content.resource_type,
                        id: content.id.clone(),
                        version: now.version,
                        method: Method::Update,
                        changed: false,
                        created: false,
                    }));
                }
                let packed = before.as_ref().map(|b| b.packed.as_slice());
                let rows = self.rows(conn, shared, content, rid, packed)?;
                if let Some(allowed) = allowed {
                    match &before {
                        None => allowed.create(rid, kind, content.labels, &rows)?,
                        Some(b) => {
                            allowed.update_from(rid, kind, self.marks(b), &b.packed)?;
                            allowed.update_to(rid, kind, content.labels, &rows)?;
                        }
                    }
                }
                Ok(Plan::Put { content, kind, rid, before, create: false, rows })
            }
            Op::Delete { resource_type, id, if_match } => {
                let kind = shared.numbers.of_type(*resource_type);
                let key = Id::new(id);
                let rid = shared.find_name(conn, kind, &key).map_err(unavailable)?;
                let before = match rid {
                    Some(rid) => self.load(conn, rid)?.map(|b| (rid, b)),
                    None => None,
                };
                let seen = match (&before, allowed) {
                    (Some((rid, b)), Some(a)) => a.sees(*rid, kind, self.marks(b), &b.packed)?,
                    _ => true,
                };
                let before = before.filter(|_| seen);
                let live = before.as_ref().map(|(_, b)| b).filter(|b| !b.gone);
                check_version(*if_match, live)?;
                match before {
                    Some((rid, before)) if !before.gone => {
                        if let Some(allowed) = allowed {
                            allowed.delete(rid, kind, self.marks(&before), &before.packed)?;
                        }
                        Ok(Plan::Delete { kind, rid, before, id: key })
                    }
                    other => Ok(Plan::Nothing(OpResult {
                        resource_type: *resource_type,
                        id: id.clone(),
                        version: other.map_or(0, |(_, b)| b.version),
                        method: Method::Delete,
                        changed: false,
                        created: false,
                    })),
                }
            }
        }
    }

    /// What the present version of a record counts as.
    fn marks(&self, of: &Current) -> Marks {
        self.labels.state.marks(of.vid, of.labels, &of.packed)
    }

    /// Whether rows of a record are still pending.
    pub(super) fn has_touched(&self, rid: i64) -> bool {
        self.touched.contains(&rid)
    }

    /// Notes that rows of a record are pending.
    pub(super) fn touch(&mut self, rid: i64) {
        self.touched.insert(rid);
    }

    /// What the index will hold of a content.
    pub(super) fn rows(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        content: &Prepared,
        rid: i64,
        before: Option<&[u8]>,
    ) -> Result<Vec<Row>, Fault> {
        let names = &mut self.interner;
        let (site, author) = (content.site.as_deref(), content.author.as_deref());
        let facts = facts_of(names, conn, site, author, before).map_err(unavailable)?;
        let mut rows = stored::rows(names, conn, shared, content, rid)?;
        rows.extend(facts);
        Ok(rows)
    }

    fn current(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        content: &Prepared,
    ) -> Result<(u16, i64, Option<Current>), Fault> {
        let kind = shared.numbers.of_type(content.resource_type);
        let (rid, new) = self
            .interner
            .name(conn, kind, &Id::new(&content.id), Naming::Record)
            .map_err(unavailable)?;
        let before = if new { None } else { self.load(conn, rid)? };
        Ok((kind, rid, before))
    }

    pub(super) fn load(&self, conn: &Connection, rid: i64) -> Result<Option<Current>, Fault> {
        conn.prepare_cached("SELECT vid, version, gone, labels, packed FROM res WHERE rid = ?")
            .and_then(|mut s| {
                s.query_row([rid], |r| {
                    Ok(Current {
                        vid: r.get(0)?,
                        version: r.get(1)?,
                        gone: r.get(2)?,
                        labels: r.get(3)?,
                        packed: r.get(4)?,
                    })
                })
                .optional()
            })
            .map_err(unavailable)
    }

    /// What a patient is found by: the keys of what it was go, those of what it is come.
    pub(super) fn people(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        (kind, rid): (u16, i64),
        old: &[Row],
        new: &[Row],
    ) -> rusqlite::Result<()> {
        let is_patient = kind == shared.patient_type;
        let (old, mut new) =
            (shared.people.rows(is_patient, rid, old), shared.people.rows(is_patient, rid, new));
        let stale: Vec<_> = old.iter().filter(|row| !new.contains(row)).cloned().collect();
        people::remove(conn, &stale)?;
        new.retain(|row| !old.contains(row));
        self.pending.add_people(new);
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one plan, taken apart")]
    fn put(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        content: &Prepared,
        kind: u16,
        rid: i64,
        before: Option<&Current>,
        create: bool,
        rows: &[Row],
    ) -> Result<OpResult, Fault> {
        let vid = self.next_vid;
        self.next_vid += 1;
        let version = before.map_or(1, |b| b.version + 1);
        let was_live = before.is_some_and(|b| !b.gone);
        let method = if create { Method::Create } else { Method::Update };
        let packed = pack::pack(rows);
        let order = shared.patient_order(kind);
        let mut fresh = patient_rows(kind, rid, rows, order);
        let compressed;
        let (dictionary, body) = match &content.compressed {
            Some((d, b)) => (*d, b.as_slice()),
            None => {
                compressed = shared.dictionaries.compress(kind, &content.text)?;
                (compressed.0, compressed.1.as_slice())
            }
        };
        let sealed = stored::seal(shared, rows, (rid, vid), body)?;
        let body = sealed.as_deref().unwrap_or(body);
        let labels = content.labels.cast_signed();
        let mut run = |group: &mut Self| -> rusqlite::Result<()> {
            conn.prepare_cached("INSERT INTO ver VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
                params![
                    vid,
                    rid,
                    kind,
                    version,
                    group.now.0,
                    method_number(method),
                    labels,
                    dictionary,
                    content.text.len(),
                    body
                ],
            )?;
            match before {
                None => {
                    conn.prepare_cached("INSERT INTO res VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?)")?
                        .execute(params![
                            rid,
                            kind,
                            Id::new(&content.id),
                            vid,
                            version,
                            vid,
                            labels,
                            packed
                        ])?;
                    group.pending.add(rid, rows);
                    group.people(conn, shared, (kind, rid), &[], rows)?;
                }
                Some(old) => {
                    group.supersede(conn, rid, old)?;
                    conn.prepare_cached(
                        "UPDATE res SET vid=?, version=?, gone=0, labels=?, packed=? WHERE rid=?",
                    )?
                    .execute(params![vid, version, labels, packed, rid])?;
                    let old_rows: Vec<Row> = pack::rows(&old.packed).map(View::to_row).collect();
                    let stale: Vec<Row> =
                        old_rows.iter().filter(|r| !rows.contains(r)).cloned().collect();
                    let added: Vec<Row> =
                        rows.iter().filter(|r| !old_rows.contains(r)).cloned().collect();
                    index::remove(conn, rid, &stale)?;
                    group.pending.add(rid, &added);
                    group.people(conn, shared, (kind, rid), &old_rows, rows)?;
                    // A deletion keeps its patients packed, and has no place in their order.
                    let old_patient = match old.gone {
                        true => Vec::new(),
                        false => patient_rows(kind, rid, &old_rows, order),
                    };
                    let gone: Vec<_> =
                        old_patient.iter().filter(|r| !fresh.contains(r)).copied().collect();
                    index::remove_patient(conn, &gone)?;
                    fresh.retain(|r| !old_patient.contains(r));
                }
            }
            Ok(())
        };
        if self.touched.contains(&rid) {
            self.settle(conn, shared)?;
        }
        run(self).map_err(unavailable)?;
        self.pending.add_patient(fresh);
        if !was_live {
            self.pending.add_live(kind, rid);
            *self.live.entry(kind).or_default() += 1;
        }
        self.touched.insert(rid);
        if shared.deferral.is_on() {
            self.held_from.get_or_insert(vid);
        }
        if content.label_epoch.is_some_and(|epoch| epoch != self.labels.state.epoch) {
            self.labels.late(shared, vid);
        }
        self.last_of_type.insert(kind, vid);
        Ok(OpResult {
            resource_type: content.resource_type,
            id: content.id.clone(),
            version,
            method,
            changed: true,
            created: !was_live,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one plan, taken apart")]
    fn delete(
        &mut self,
        conn: &Connection,
        shared: &Shared,
        kind: u16,
        rid: i64,
        before: &Current,
        id: &Id,
    ) -> Result<OpResult, Fault> {
        if self.touched.contains(&rid) {
            self.settle(conn, shared)?;
        }
        let vid = self.next_vid;
        self.next_vid += 1;
        let version = before.version + 1;
        let run = |group: &mut Self| -> rusqlite::Result<()> {
            // The deletion keeps the labels of what it deleted: its existence is as sensitive.
            conn.prepare_cached(
                "INSERT INTO ver SELECT ?, rid, type, ?, ?, ?, labels, 0, 0, x'' FROM res WHERE rid=?",
            )?
            .execute(params![vid, version, group.now.0, method_number(Method::Delete), rid])?;
            group.supersede(conn, rid, before)?;
            // The patients stay packed, so that the deletion is seen by whoever saw the record.
            let rows: Vec<Row> = pack::rows(&before.packed).map(View::to_row).collect();
            let kept = |r: &&Row| matches!(r, Row::Patient { .. } | Row::Fact { .. });
            let kept: Vec<Row> = rows.iter().filter(kept).cloned().collect();
            conn.prepare_cached("UPDATE res SET vid=?, version=?, gone=1, packed=? WHERE rid=?")?
                .execute(params![vid, version, pack::pack(&kept), rid])?;
            index::remove(conn, rid, &rows)?;
            group.people(conn, shared, (kind, rid), &rows, &[])?;
            index::remove_live(conn, kind, rid)?;
            let patient = patient_rows(kind, rid, &rows, shared.patient_order(kind));
            index::remove_patient(conn, &patient)
        };
        run(self).map_err(unavailable)?;
        *self.live.entry(kind).or_default() -= 1;
        if self.labels.state.waits(before.vid) {
            // It has the labels of what it deleted, and they are not known yet.
            self.labels.late(shared, vid);
        }
        self.last_of_type.insert(kind, vid);
        Ok(OpResult {
            resource_type: shared.numbers.type_id(kind).ok_or_else(bad_row)?,
            id: id.text(),
            version,
            method: Method::Delete,
            changed: true,
            created: false,
        })
    }

    fn supersede(&self, conn: &Connection, rid: i64, old: &Current) -> rusqlite::Result<()> {
        conn.prepare_cached("INSERT INTO old VALUES (?, ?, ?)")?.execute(params![
            rid,
            old.version,
            old.vid
        ])?;
        Ok(())
    }
}

/// Refuses what would take labels off that were set after its maker looked: leaving a label out takes
/// nothing off by winning a race.
fn check_follows(content: &Prepared, before: Option<&Current>) -> Result<(), Fault> {
    let (Some(follows), Some(before)) = (content.follows, before) else { return Ok(()) };
    let loses = before.labels.cast_unsigned() & !content.labels != 0;
    if before.version == follows || !loses {
        return Ok(());
    }
    let text = "the record's labels changed while this was made ready; try again";
    Err(Fault::new(&code::PRECONDITION_FAILED, text))
}

fn check_version(if_match: Option<u64>, live: Option<&Current>) -> Result<(), Fault> {
    let Some(wanted) = if_match else { return Ok(()) };
    match live {
        Some(now) if now.version == wanted => Ok(()),
        Some(now) => Err(Fault::new(
            &code::VERSION_CONFLICT,
            format!("the resource is at version {}, not {wanted}; read it again", now.version),
        )),
        None => Err(Fault::new(
            &code::VERSION_CONFLICT,
            "there is no such resource, so it has no version to match",
        )),
    }
}

/// How `ver.method` counts.
pub(super) const fn method_number(method: Method) -> i64 {
    match method {
        Method::Create => 0,
        Method::Update => 1,
        Method::Delete => 2,
    }
}

/// Undoes [`method_number`].
pub(super) const fn method_of(number: i64) -> Method {
    match number {
        0 => Method::Create,
        2 => Method::Delete,
        _ => Method::Update,
    }
}
