//! Bulk loading: documents are prepared on any number of threads, handed to the writer in large
//! units, and what they held is reported resource by resource.
//!
//! Loading the same file twice stores nothing twice. A resource with an id is a PUT of that id, and is
//! left alone when its content is the same. A POST gets the id derived from its `fullUrl`
//! (`urn:uuid:X` becomes `X`) and is done once: a record that has the id is left as it is, as it is by
//! a conditional create that matches. A transaction is all or nothing, unless the import was told to
//! keep going past bad resources.

mod entries;

use crate::bundle::{Cache, Done, Entry, Ids, Links, Staged, Stager, Stopped, edits};
use crate::condition::{self, TRIES};
use crate::session::Session;
use crate::write::raced;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Severity};
use entries::Shape;
use fhir::definitions::TypeId;
use fhir::{Document, Value};
use std::collections::HashSet;
use store::{Op, Receipt, Unit};
use tokio::sync::oneshot;

/// How an import behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportOptions {
    /// Of a transaction with a bad resource, store the others.
    pub keep_going: bool,
}

/// An import under way. Threads share it.
#[derive(Debug)]
pub struct Import {
    session: Session,
    options: ImportOptions,
    cache: Cache,
}

/// What became of one resource.
#[derive(Debug, Clone)]
pub enum ImportOutcome {
    /// Stored, as a new record or a new version.
    Stored,
    /// The record has this content already.
    Unchanged,
    /// Its POST was done before, or its condition matches a record.
    Existing,
    /// Deleted, as its entry asked.
    Deleted,
    /// Refused, for this reason.
    Refused(Fault),
    /// Fine by itself; another resource of its transaction was refused.
    Skipped,
    /// A conditional reference matches nothing yet. It may after other documents.
    Deferred(Fault),
}

/// One resource of a document.
#[derive(Debug, Clone)]
pub struct ImportEntry {
    /// Its position in its bundle; `None` when the document is the resource.
    pub index: Option<usize>,
    /// Its type, if it has one.
    pub resource_type: Option<TypeId>,
    /// What became of it.
    pub outcome: ImportOutcome,
}

/// What became of a document.
#[derive(Debug, Clone)]
pub struct ImportReport {
    /// Its resources, in order.
    pub entries: Vec<ImportEntry>,
}

/// A document ready for the writer, or told apart as not fit for it.
#[derive(Debug)]
pub struct PreparedDocument {
    document: Document,
    unit: Unit,
    event: Option<Event>,
    /// The reports, and what decides those that wait for the commit.
    entries: Vec<(ImportEntry, Option<Done>)>,
    last: bool,
}

/// Documents on their way to the disk.
#[derive(Debug)]
#[must_use = "the documents are stored only when waited for"]
pub struct Submitted<'i> {
    import: &'i Import,
    units: Vec<Handed>,
}

impl Session {
    /// Begins an import.
    ///
    /// # Errors
    /// When this session may not write.
    pub fn import(&self, options: ImportOptions) -> Result<Import, Fault> {
        self.may_write()?;
        Ok(Import { session: self.clone(), options, cache: Cache::default() })
    }
}

impl Import {
    /// Validates a document and makes it ready. Takes the time; call it on as many threads as there
    /// are cores.
    pub fn prepare(&self, document: Document) -> PreparedDocument {
        self.ready(document, false)
    }

    /// As [`Import::prepare`], when nothing is to come that could still resolve a conditional
    /// reference: what would be deferred is refused.
    pub fn prepare_last(&self, document: Document) -> PreparedDocument {
        self.ready(document, true)
    }

    /// Hands documents to the writer together. Blocks while the writer is far behind.
    pub fn submit(&self, documents: Vec<PreparedDocument>) -> Submitted<'_> {
        let mut units = Vec::new();
        let mut group: Vec<PreparedDocument> = Vec::new();
        let (mut names, mut types) = (HashSet::new(), HashSet::new());
        for document in documents {
            // A unit may name a record once, and its conditions are looked at before its changes: what
            // another document of the unit may have changed goes into the next unit.
            let own: Vec<_> = document.unit.ops.iter().map(named).collect();
            let asks =
                |of: &TypeId| document.unit.guards.iter().any(|g| g.search.types.contains(of));
            if own.iter().any(|name| names.contains(name)) || types.iter().any(asks) {
                units.push(self.hand_over(std::mem::take(&mut group)));
                names.clear();
                types.clear();
            }
            types.extend(own.iter().map(|(of, _)| *of));
            names.extend(own);
            group.push(document);
        }
        if !group.is_empty() {
            units.push(self.hand_over(group));
        }
        Submitted { import: self, units }
    }

    fn hand_over(&self, mut documents: Vec<PreparedDocument>) -> Handed {
        let mut unit = Unit::default();
        let mut event = self.session.event(Kind::Import);
        let mut patients = HashSet::new();
        for document in &mut documents {
            unit.ops.append(&mut document.unit.ops);
            unit.guards.append(&mut document.unit.guards);
            if let Some(own) = document.event.take() {
                event.bytes += own.bytes;
                patients.extend(own.patients);
            }
        }
        event.patients = patients.into_iter().collect();
        event.patients.sort_unstable();
        let receiver = (!unit.ops.is_empty()).then(|| self.session.submit(unit, event));
        (documents, receiver)
    }

    fn ready(&self, document: Document, last: bool) -> PreparedDocument {
        let (unit, event, entries) = {
            let root = document.root();
            match entries::shape(root) {
                Shape::Single => self.single(root, last),
                Shape::Bundle { transaction, asks } => {
                    let atomic = transaction && !self.options.keep_going;
                    self.several(entries::of_bundle(root, asks), atomic, last)
                }
                Shape::Refused(fault) => {
                    (Unit::default(), None, vec![(refused(None, None, fault), None)])
                }
            }
        };
        PreparedDocument { document, unit, event, entries, last }
    }

    /// A resource by itself. Most have no conditional reference, and then need no look at the store.
    fn single(&self, root: Value<'_>, last: bool) -> Ready {
        let entry = match entries::of_resource(root, None) {
            Ok(entry) => entry,
            Err(fault) => {
                return (Unit::default(), None, vec![(refused(None, None, fault), None)]);
            }
        };
        let (of, conditional) = (
            entry.resource.map(|(_, of)| of),
            edits(root, None, &Links::default(), |_, _| Err(())).is_err(),
        );
        if conditional {
            let (unit, event, mut entries) = self.several(vec![Ok(entry)], false, last);
            entries.iter_mut().for_each(|(entry, _)| entry.index = None);
            return (unit, event, entries);
        }
        match (self.valid(root), of) {
            (Ok(()), Some(of)) => match self.session.stage_single(of, &entry) {
                Ok((unit, event)) => {
                    let report = waiting(None, Some(of));
                    (unit, Some(event), vec![(report, Some(Done::Op { at: 0, text: None }))])
                }
                Err(fault) => (Unit::default(), None, vec![(refused(None, Some(of), fault), None)]),
            },
            (Err(fault), of) => (Unit::default(), None, vec![(refused(None, of, fault), None)]),
            (Ok(()), None) => (Unit::default(), None, Vec::new()),
        }
    }

    /// The resources of a bundle.
    fn several(
        &self,
        parsed: Vec<Result<Entry<'_>, (usize, Fault)>>,
        atomic: bool,
        last: bool,
    ) -> Ready {
        let mut reports: Vec<(ImportEntry, Option<Done>)> = Vec::with_capacity(parsed.len());
        let mut good = Vec::with_capacity(parsed.len());
        for entry in parsed {
            let checked = entry.and_then(|entry| match entry.resource {
                Some((resource, _)) => {
                    self.valid(resource).map_err(|fault| (entry.index, fault)).map(|()| entry)
                }
                None => Ok(entry),
            });
            match checked {
                Ok(entry) => good.push(entry),
                Err((index, fault)) => reports.push((refused(Some(index), None, fault), None)),
            }
        }
        let mut staged = None;
        if !atomic || reports.is_empty() {
            let stager = Stager {
                session: &self.session,
                ids: Ids::Derived,
                cache: &self.cache,
                kind: Kind::Import,
                keep_texts: false,
                whole: &[],
            };
            staged = stage_some(&stager, &mut good, &mut reports, atomic, last);
        }
        let (unit, event, mut done) = match staged {
            Some(Staged { unit, event, done }) => (unit, Some(event), done),
            None => (Unit::default(), None, Vec::new()),
        };
        done.reverse();
        for entry in &good {
            let of = entry.resource.map(|(_, of)| of);
            reports.push(match done.pop() {
                Some(Done::Read) => continue,
                Some(done) => (waiting(Some(entry.index), of), Some(done)),
                None => {
                    let outcome = ImportOutcome::Skipped;
                    (ImportEntry { index: Some(entry.index), resource_type: of, outcome }, None)
                }
            });
        }
        reports.sort_by_key(|(report, _)| report.index);
        (unit, event, reports)
    }

    fn valid(&self, resource: Value<'_>) -> Result<(), Fault> {
        self.session.check_size(resource)?;
        let options = validation::Options { in_transaction: true, ..Default::default() };
        let mut issues = validation::validate(resource, &options);
        issues.retain(|issue| issue.severity >= Severity::Error);
        Fault::of(issues).map_or(Ok(()), Err)
    }
}

/// Documents in the hands of the writer, and the answer to come; none when nothing was to store.
type Handed = (Vec<PreparedDocument>, Option<oneshot::Receiver<Result<Receipt, Fault>>>);

/// Unit, event and reports of a document.
type Ready = (Unit, Option<Event>, Vec<(ImportEntry, Option<Done>)>);

/// Stages entries; those that cannot be are taken out and reported, unless they must go together.
/// `None` when nothing is left to store.
fn stage_some(
    stager: &Stager<'_>,
    good: &mut Vec<Entry<'_>>,
    reports: &mut Vec<(ImportEntry, Option<Done>)>,
    atomic: bool,
    last: bool,
) -> Option<Staged> {
    // Each round takes out at least one entry; so many bad ones that this is not enough are a bad
    // document.
    for _ in 0..100 {
        let (bad, deferred) = match stager.stage(good) {
            Ok(staged) => return Some(staged),
            Err(Stopped::Unresolved(open)) => (open, !last),
            Err(Stopped::Refused(fault)) => match entries::index_of(&fault) {
                Some(index) => (vec![(index, fault)], false),
                None => {
                    for entry in good.drain(..) {
                        reports.push((refused(Some(entry.index), None, fault.clone()), None));
                    }
                    return None;
                }
            },
        };
        let before = good.len();
        for (index, fault) in bad {
            let Some(at) = good.iter().position(|entry| entry.index == index) else { continue };
            let of = good.remove(at).resource.map(|(_, of)| of);
            let outcome = match deferred {
                true => ImportOutcome::Deferred(fault),
                false => ImportOutcome::Refused(fault),
            };
            reports.push((ImportEntry { index: Some(index), resource_type: of, outcome }, None));
        }
        // What is deferred waits as a whole: its document comes again.
        if atomic || deferred || good.is_empty() || good.len() == before {
            return None;
        }
    }
    None
}

impl Session {
    fn stage_single(&self, of: TypeId, entry: &Entry<'_>) -> Result<(Unit, Event), Fault> {
        let Some((resource, _)) = entry.resource else {
            return Err(Fault::new(&code::INTERNAL, "a resource lost its body"));
        };
        let id = entries::id_of(entry, resource);
        self.keeps_hidden(of, &id)?;
        let content = self.prepare(of, id, resource, true)?;
        let mut event = self.event(Kind::Import);
        let mut patients = crate::people::Patients::default();
        patients.of_prepared(&content);
        event.patients = patients.into_ids();
        event.bytes = content.text.len() as u64;
        let content = Box::new(content);
        let op = Op::Update { content, if_match: None, may_create: true, skip_same: true };
        Ok((Unit { ops: vec![op], ..Unit::default() }, event))
    }
}

impl PreparedDocument {
    /// Resources that will be stored, if nothing changes meanwhile.
    pub fn changes(&self) -> usize {
        self.unit.ops.len()
    }

    /// Some conditional reference matches nothing yet: prepare the document again after others.
    pub fn is_deferred(&self) -> bool {
        self.entries.iter().any(|(e, _)| matches!(e.outcome, ImportOutcome::Deferred(_)))
    }

    /// Some resource was refused.
    pub fn is_refused(&self) -> bool {
        self.entries.iter().any(|(e, _)| matches!(e.outcome, ImportOutcome::Refused(_)))
    }

    /// The document, to prepare again.
    pub fn into_document(self) -> Document {
        self.document
    }

    fn report(self, receipt: Option<&Receipt>, ops_before: usize) -> ImportReport {
        let outcome = |done: Done| match done {
            Done::Existing(..) => ImportOutcome::Existing,
            Done::Nothing | Done::Read => ImportOutcome::Unchanged,
            Done::Op { at, .. } => match receipt.and_then(|r| r.results.get(ops_before + at)) {
                Some(result) if !result.changed => ImportOutcome::Unchanged,
                Some(result) if result.method == store::Method::Delete => ImportOutcome::Deleted,
                Some(_) => ImportOutcome::Stored,
                None => ImportOutcome::Skipped,
            },
        };
        let entries = self.entries.into_iter().map(|(mut entry, done)| {
            if let Some(done) = done {
                entry.outcome = outcome(done);
            }
            entry
        });
        ImportReport { entries: entries.collect() }
    }

    /// The report when the writer refused it.
    fn refused(self, fault: &Fault) -> ImportReport {
        let entries = self.entries.into_iter().map(|(mut entry, done)| {
            if done.is_some() {
                entry.outcome = ImportOutcome::Refused(fault.clone());
            }
            entry
        });
        ImportReport { entries: entries.collect() }
    }

    fn ops(&self) -> usize {
        self.entries.iter().filter(|(_, done)| matches!(done, Some(Done::Op { .. }))).count()
    }
}

impl Submitted<'_> {
    /// Waits until all of it is on the disk; blocks. One report for each document, in order.
    ///
    /// # Errors
    /// When the store or the access log failed. What was refused is in the reports.
    pub fn wait(self) -> Result<Vec<ImportReport>, Fault> {
        let mut reports = Vec::new();
        for (documents, receiver) in self.units {
            match receive(receiver) {
                Ok(receipt) => reports.extend(all_reports(documents, receipt.as_ref())),
                // Together they cannot be stored; which of them is at fault shows one by one.
                Err(fault) if fault.status() < 500 => {
                    for document in documents {
                        reports.push(self.import.again(document)?);
                    }
                }
                Err(fault) => return Err(fault),
            }
        }
        if let Some(fault) = self.import.session.gate.log.failure() {
            return Err(fault);
        }
        Ok(reports)
    }
}

impl Import {
    /// A document by itself, for another writer changed what its conditions match, or one beside it
    /// was refused.
    fn again(&self, mut document: PreparedDocument) -> Result<ImportReport, Fault> {
        for _ in 0..TRIES {
            let last = document.last;
            document = self.ready(document.document, last);
            let (documents, receiver) = self.hand_over(vec![document]);
            match receive(receiver) {
                Err(fault) if condition::is_raced(&fault) => {}
                Err(fault) if fault.status() < 500 => {
                    let report = documents.into_iter().map(|d| d.refused(&fault)).next();
                    return report.ok_or(fault);
                }
                Err(fault) => return Err(fault),
                Ok(receipt) => {
                    let report = all_reports(documents, receipt.as_ref()).pop();
                    return report.ok_or_else(raced);
                }
            }
            document = match documents.into_iter().next() {
                Some(document) => document,
                None => return Err(raced()),
            };
        }
        Err(raced())
    }
}

fn receive(
    receiver: Option<oneshot::Receiver<Result<Receipt, Fault>>>,
) -> Result<Option<Receipt>, Fault> {
    let Some(receiver) = receiver else { return Ok(None) };
    let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
    receiver.blocking_recv().unwrap_or_else(closed).map(Some)
}

fn all_reports(documents: Vec<PreparedDocument>, receipt: Option<&Receipt>) -> Vec<ImportReport> {
    let mut before = 0;
    let mut reports = Vec::with_capacity(documents.len());
    for document in documents {
        let ops = document.ops();
        reports.push(document.report(receipt, before));
        before += ops;
    }
    reports
}

fn named(op: &Op) -> (TypeId, String) {
    match op {
        Op::Create(content) | Op::Update { content, .. } => {
            (content.resource_type, content.id.clone())
        }
        Op::Delete { resource_type, id, .. } => (*resource_type, id.clone()),
    }
}

const fn refused(index: Option<usize>, of: Option<TypeId>, fault: Fault) -> ImportEntry {
    ImportEntry { index, resource_type: of, outcome: ImportOutcome::Refused(fault) }
}

/// A report that the commit decides.
const fn waiting(index: Option<usize>, of: Option<TypeId>) -> ImportEntry {
    ImportEntry { index, resource_type: of, outcome: ImportOutcome::Skipped }
}
