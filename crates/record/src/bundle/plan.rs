//! What each entry of a transaction will do, decided against one snapshot: which record it names,
//! whether a condition matches, and that no two entries name the same
//! (<https://hl7.org/fhir/R4/http.html#trules>).

use super::derive;
use super::entry::{Entry, Target, Verb};
use super::place;
use crate::condition;
use crate::session::Session;
use base::Fault;
use base::error::code;
use fhir::definitions::TypeId;
use std::collections::{HashMap, HashSet};
use store::{Guard, Reader, Scoped};

/// Where the ids of created records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// The server's own.
    New,
    /// Derived from the entry, the same each time: for imports.
    Derived,
}

/// What an entry will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Store a new record under this id.
    Create(String),
    /// Nothing: a conditional create found this record.
    Existing(String),
    /// Store a version of this record.
    Update {
        /// Its id.
        id: String,
        /// It may come into being.
        may_create: bool,
    },
    /// Delete this record; nothing when a condition found none.
    Delete(Option<String>),
    /// Look something up afterwards.
    Read,
}

impl Action {
    /// The id of the record that the entry's resource is, or will be.
    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Create(id) | Self::Existing(id) | Self::Update { id, .. } => Some(id),
            Self::Delete(_) | Self::Read => None,
        }
    }
}

/// The plan of a bundle.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// For each entry.
    pub actions: Vec<Action>,
    /// What must still hold when it is carried out.
    pub guards: Vec<Guard>,
    /// Which entry writes or names a record.
    pub owners: HashMap<(TypeId, String), usize>,
}

impl Session {
    /// Plans entries against a snapshot. Faults are at their entry.
    pub(crate) fn plan(
        &self,
        reader: &Scoped<'_, Reader>,
        entries: &[Entry<'_>],
        ids: Ids,
    ) -> Result<Plan, Fault> {
        unique_urls(entries)?;
        let mut plan = Plan::default();
        let mut conditions = HashSet::new();
        for entry in entries {
            let action = self
                .decide_entry(reader, entry, ids, &mut plan.guards)
                .map_err(|fault| fault.within(&place(entry.index)))?;
            // Two entries that would both create by one condition would be one record, had the
            // other come first.
            if let (Some((of, query)), Action::Create(_) | Action::Update { .. }) =
                (entry.condition(), &action)
                && !conditions.insert((of, query.to_owned()))
            {
                return Err(duplicate(entry, "request"));
            }
            let record = match (&action, &entry.target) {
                (Action::Delete(id), Target::Type(of, _) | Target::Instance(of, _)) => {
                    id.clone().map(|id| (*of, id))
                }
                (action, _) => {
                    action.id().zip(entry.resource).map(|(id, (_, of))| (of, id.to_owned()))
                }
            };
            if let Some(record) = record
                && plan.owners.insert(record, entry.index).is_some()
            {
                return Err(duplicate(entry, "request"));
            }
            plan.actions.push(action);
        }
        Ok(plan)
    }

    fn decide_entry(
        &self,
        reader: &Scoped<'_, Reader>,
        entry: &Entry<'_>,
        ids: Ids,
        guards: &mut Vec<Guard>,
    ) -> Result<Action, Fault> {
        let found = match entry.condition() {
            None => None,
            Some((of, query)) => {
                let at = if entry.verb == Verb::Post { "ifNoneExist" } else { "url" };
                let search = self.condition(of, query);
                let found = search.and_then(|search| {
                    let found = self.matches(reader, &search)?.at_most_one()?;
                    guards.push(condition::guard(search, found.as_deref(), reader)?);
                    Ok(found)
                });
                found.map_err(|fault| fault.within(&format!("request.{at}")))?
            }
        };
        Ok(match (&entry.target, entry.verb, entry.resource) {
            (_, Verb::Post, Some((resource, of))) => match (found, ids) {
                (Some(id), _) => Action::Existing(id),
                (None, Ids::New) => Action::Create(self.gate.store.new_id()),
                (None, Ids::Derived) => {
                    let id = derive::id(entry.full_url.as_deref(), resource);
                    // What this entry created before is left as it is. If another thread creates it
                    // now, the writer refuses and it is looked at again.
                    match reader.read(of, &id)? {
                        None => Action::Create(id),
                        Some(hit) if hit.deleted => Action::Update { id, may_create: true },
                        Some(_) => Action::Existing(id),
                    }
                }
            },
            (Target::Instance(of, id), Verb::Put, _) => {
                let may_create = ids == Ids::Derived || self.may_name_ids();
                if entry.if_none_match.as_deref() == Some("*") {
                    guards.push(self.absent(*of, id).map_err(|f| f.within("request"))?);
                } else {
                    self.expect_version(reader, entry, *of, id)?;
                }
                if !may_create && reader.read(*of, id)?.is_none() {
                    let text = "no record has this id; create it with POST";
                    return Err(Fault::at(&code::CREATE_BY_UPDATE_OFF, text, "request.url"));
                }
                Action::Update { id: id.clone(), may_create }
            }
            (Target::Type(of, _), Verb::Put, Some((resource, _))) => {
                let own = resource.get_str("id");
                let id = self.id_for_conditional(found, own.as_deref())?;
                self.expect_version(reader, entry, *of, &id)?;
                Action::Update { id, may_create: true }
            }
            (Target::Instance(of, id), Verb::Delete, _) => {
                self.expect_version(reader, entry, *of, id)?;
                Action::Delete(Some(id.clone()))
            }
            (_, Verb::Delete, _) => Action::Delete(found),
            _ => Action::Read,
        })
    }

    /// `ifMatch`, looked at early so that the refusal can name the entry; the writer looks again.
    fn expect_version(
        &self,
        reader: &Scoped<'_, Reader>,
        entry: &Entry<'_>,
        of: TypeId,
        id: &str,
    ) -> Result<(), Fault> {
        let Some(wanted) = entry.if_match else { return Ok(()) };
        let now = reader.read(of, id)?.filter(|hit| !hit.deleted);
        if now.is_some_and(|hit| hit.version == wanted) {
            return Ok(());
        }
        let text = "the record is not at the version named; read it again";
        Err(Fault::at(&code::VERSION_CONFLICT, text, "request.ifMatch"))
    }
}

/// A `fullUrl` stands once among the entries that store something.
fn unique_urls(entries: &[Entry<'_>]) -> Result<(), Fault> {
    let mut seen = HashSet::new();
    for entry in entries.iter().filter(|entry| entry.resource.is_some()) {
        if let Some(url) = &entry.full_url
            && !seen.insert(&**url)
        {
            return Err(duplicate(entry, "fullUrl"));
        }
    }
    Ok(())
}

fn duplicate(entry: &Entry<'_>, at: &str) -> Fault {
    let text = "another entry of the bundle names the same resource";
    Fault::at(&code::BUNDLE_DUPLICATE, text, format!("{}.{at}", place(entry.index)))
}
