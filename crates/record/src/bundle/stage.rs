//! From entries to one unit of work: plan, links, rewriting, preparation. Pure but for reads on one
//! snapshot, so any number of bundles are staged in parallel.

use super::entry::{Entry, Target};
use super::links::{self, Links};
use super::place;
use super::plan::{Action, Ids, Plan};
use super::resolve::{Cache, Resolver, Unresolved};
use crate::people::Patients;
use crate::session::Session;
use audit::{Event, Kind};
use base::Fault;
use fhir::Document;
use fhir::definitions::TypeId;
use fhir::json::minify;
use store::{Op, Prepared, Unit};

/// How a bundle is staged.
#[derive(Debug)]
pub(crate) struct Stager<'s> {
    pub session: &'s Session,
    pub ids: Ids,
    pub cache: &'s Cache,
    pub kind: Kind,
    /// Keep the texts, to answer with them.
    pub keep_texts: bool,
    /// Records whose update has in it what the subject is not shown.
    pub whole: &'s [(TypeId, String)],
}

/// A bundle ready for the writer.
#[derive(Debug)]
pub(crate) struct Staged {
    pub unit: Unit,
    /// The event of the unit, patients filled in.
    pub event: Event,
    /// For each entry, in the order of the entries.
    pub done: Vec<Done>,
}

/// What becomes of an entry when the unit is committed.
#[derive(Debug)]
pub(crate) enum Done {
    /// The op at this position of the unit.
    Op { at: usize, text: Option<Vec<u8>> },
    /// It found this record.
    Existing(TypeId, String),
    /// There was nothing to delete.
    Nothing,
    /// It is looked up afterwards.
    Read,
}

/// Why a bundle cannot be staged.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// Conditional references match nothing, so far; in these entries.
    Unresolved(Vec<(usize, Fault)>),
    /// Anything else.
    Refused(Fault),
}

impl From<Stopped> for Fault {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Refused(fault) => fault,
            Stopped::Unresolved(entries) => {
                Self { issues: entries.into_iter().flat_map(|(_, fault)| fault.issues).collect() }
            }
        }
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault)
    }
}

impl Stager<'_> {
    /// Stages entries whose resources are validated.
    pub(crate) fn stage(&self, entries: &[Entry<'_>]) -> Result<Staged, Stopped> {
        let session = self.session;
        let scope = session.scope(access::Action::Search)?;
        let reader = session.gate.store.reader(&scope)?;
        let plan = session.plan(&reader, entries, self.ids)?;
        let links = Links::of(entries, &plan.actions);
        let mut resolver = Resolver::new(session, &reader, entries, &plan, self.cache);
        let mut patients = Patients::default();
        let mut event = session.event(self.kind);
        // One buffer and one tape serve all entries.
        let mut text = Vec::new();
        let mut scratch = Document::parse_text("null".to_owned(), session.limits())?;
        let (mut unit, mut done, mut open) = (Unit::default(), Vec::new(), Vec::new());
        done.resize_with(entries.len(), || Done::Read);
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|at| entries.get(*at).map(|entry| entry.verb));
        for at in order {
            let (Some(entry), Some(action)) = (entries.get(at), plan.actions.get(at)) else {
                continue;
            };
            let outcome = match (action, entry.resource) {
                (Action::Read, _) => Done::Read,
                (Action::Delete(None), _) => Done::Nothing,
                (Action::Existing(id), Some((_, of))) => Done::Existing(of, id.clone()),
                (Action::Delete(Some(id)), _) => {
                    let (Target::Type(of, _) | Target::Instance(of, _)) = &entry.target else {
                        continue;
                    };
                    if let Some(before) = reader.read(*of, id)?.filter(|hit| !hit.deleted) {
                        patients.of_hit(&before);
                    }
                    unit.ops.push(Op::Delete {
                        resource_type: *of,
                        id: id.clone(),
                        if_match: entry.if_match,
                    });
                    Done::Op { at: unit.ops.len() - 1, text: None }
                }
                (Action::Create(id) | Action::Update { id, .. }, Some((resource, of))) => {
                    let is_whole = self.whole.iter().any(|(kind, one)| *kind == of && one == id);
                    if matches!(action, Action::Update { .. }) && !is_whole {
                        let kept = session.keeps_hidden(of, id);
                        kept.map_err(|fault| fault.within(&place(entry.index)))?;
                    }
                    let replaces = matches!(action, Action::Update { .. });
                    let base = entry.base();
                    let edits = links::edits(resource, base, &links, |text, value| {
                        resolver.resolve(text).map_err(|why| why.at(value))
                    });
                    let edits = match edits {
                        Ok(edits) => edits,
                        Err(Unresolved::Refused(fault)) => return Err(Stopped::Refused(fault)),
                        // The others are looked at all the same, so that all are told at once.
                        Err(Unresolved::Nothing(fault)) => {
                            open.push((entry.index, fault));
                            continue;
                        }
                    };
                    let content = if edits.is_empty() {
                        session.prepare(of, id.clone(), resource, replaces)?
                    } else {
                        text.clear();
                        minify(resource, &edits, &mut text);
                        self.prepare_text(of, id, &text, replaces, &mut scratch)
                            .map_err(|fault| fault.within(&place(entry.index)))?
                    };
                    patients.of_prepared(&content);
                    event.bytes += content.text.len() as u64;
                    let text = self.keep_texts.then(|| content.text.clone());
                    unit.ops.push(self.op(action, entry, content));
                    Done::Op { at: unit.ops.len() - 1, text }
                }
                (Action::Create(_) | Action::Update { .. } | Action::Existing(_), None) => continue,
            };
            if let Some(slot) = done.get_mut(at) {
                *slot = outcome;
            }
        }
        drop(resolver);
        if !open.is_empty() {
            return Err(Stopped::Unresolved(open));
        }
        let Plan { guards, .. } = plan;
        unit.guards = guards;
        event.patients = patients.into_ids();
        Ok(Staged { unit, event, done })
    }

    fn prepare_text(
        &self,
        of: TypeId,
        id: &str,
        text: &[u8],
        replaces: bool,
        scratch: &mut Document,
    ) -> Result<Prepared, Fault> {
        let text = std::str::from_utf8(text).unwrap_or_default();
        scratch.reparse(text, self.session.limits())?;
        self.session.prepare(of, id.to_owned(), scratch.root(), replaces)
    }

    fn op(&self, action: &Action, entry: &Entry<'_>, content: Prepared) -> Op {
        let content = Box::new(content);
        match action {
            Action::Update { may_create, .. } => Op::Update {
                content,
                if_match: entry.if_match,
                may_create: *may_create,
                skip_same: self.ids == Ids::Derived,
            },
            _ => Op::Create(content),
        }
    }
}
