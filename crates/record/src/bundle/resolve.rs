//! Conditional references (`Practitioner?identifier=…`): resolved against the store and against what
//! the same bundle stores (<https://hl7.org/fhir/R4/http.html#trules>). A reference is not guarded:
//! like any other reference it may outlive what it points at.

use super::entry::Entry;
use super::plan::{Action, Plan};
use crate::condition::Matches;
use crate::session::Session;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use parking_lot::RwLock;
use search::entry::{Entry as Value, EntryValue};
use search::query::{Filter, Match, Search, SystemMatch};
use std::collections::HashMap;
use store::{Reader, Scoped};

/// References resolved in the store so far, by their text: an import asks the same ones thousands of
/// times.
#[derive(Debug, Default)]
pub(crate) struct Cache(RwLock<HashMap<String, String>>);

/// The most a cache holds; beyond it, it begins anew.
const CACHE_MAX: usize = 100_000;

impl Cache {
    fn get(&self, text: &str) -> Option<String> {
        self.0.read().get(text).cloned()
    }

    fn put(&self, text: &str, target: &str) {
        let mut map = self.0.write();
        if map.len() >= CACHE_MAX {
            map.clear();
        }
        map.insert(text.to_owned(), target.to_owned());
    }
}

/// Why a reference was not resolved.
#[derive(Debug)]
pub(crate) enum Unresolved {
    /// Nothing matches, so far.
    Nothing(Fault),
    /// Anything else.
    Refused(Fault),
}

impl Unresolved {
    /// The same at the place of the reference.
    pub(crate) fn at(self, reference: fhir::Value<'_>) -> Self {
        match self {
            Self::Nothing(fault) => Self::Nothing(fault.within(&reference.path())),
            Self::Refused(fault) => Self::Refused(fault.within(&reference.path())),
        }
    }
}

/// Resolves the conditional references of one bundle.
pub(crate) struct Resolver<'r, 's, 'd> {
    session: &'r Session,
    reader: &'r Scoped<'s, Reader>,
    entries: &'r [Entry<'d>],
    plan: &'r Plan,
    cache: &'r Cache,
    /// What the bundle stores of a type: id and index entries. Extracted when first asked for.
    own: HashMap<TypeId, Vec<(&'r str, Vec<Value<'d>>)>>,
    known: HashMap<String, String>,
}

impl<'r, 's, 'd> Resolver<'r, 's, 'd> {
    pub(crate) fn new(
        session: &'r Session,
        reader: &'r Scoped<'s, Reader>,
        entries: &'r [Entry<'d>],
        plan: &'r Plan,
        cache: &'r Cache,
    ) -> Self {
        let (own, known) = (HashMap::new(), HashMap::new());
        Self { session, reader, entries, plan, cache, own, known }
    }

    /// `Type/id` for a conditional reference. Faults do not repeat its text, which may name a person.
    pub(crate) fn resolve(&mut self, text: &str) -> Result<String, Unresolved> {
        if let Some(known) = self.known.get(text) {
            return Ok(known.clone());
        }
        let Some(Reference::Conditional { resource_type, query }) = parse(text) else {
            return Err(refused("it is not a conditional reference"));
        };
        let Some(of) = r4().resource_type(resource_type) else {
            return Err(refused("it names no resource type"));
        };
        let own = self.entries.iter().zip(&self.plan.actions).any(|(entry, action)| {
            entry.resource.is_some_and(|(_, t)| t == of)
                || matches!(action, Action::Delete(Some(_)))
        });
        if !own && let Some(cached) = self.cache.get(text) {
            return Ok(cached);
        }
        let search = self.session.condition(of, query).map_err(Unresolved::Refused)?;
        let stored = self.session.matches(self.reader, &search).map_err(Unresolved::Refused)?;
        let mut ids = match stored {
            Matches::None => Vec::new(),
            Matches::One(id) => vec![id],
            Matches::Many => return Err(refused("more than one resource matches")),
        };
        if own {
            self.in_bundle(of, &search, &mut ids);
        }
        match ids.as_slice() {
            [id] => {
                let target = format!("{resource_type}/{id}");
                if !own {
                    self.cache.put(text, &target);
                }
                self.known.insert(text.to_owned(), target.clone());
                Ok(target)
            }
            [] => Err(Unresolved::Nothing(Fault::new(
                &code::BUNDLE_REFERENCE,
                format!("no {resource_type} matches the conditional reference"),
            ))),
            _ => Err(refused("more than one resource matches")),
        }
    }

    /// Adds what the bundle itself stores and takes away what it changes or deletes. Only plain
    /// tokens and identifiers are compared; a reference by anything else is resolved by the store
    /// alone.
    fn in_bundle(&mut self, of: TypeId, search: &Search, ids: &mut Vec<String>) {
        let (entries, plan) = (self.entries, self.plan);
        if !search.filters.iter().all(is_plain) {
            return;
        }
        let own = self.own.entry(of).or_insert_with(|| {
            let mut own = Vec::new();
            for (entry, action) in entries.iter().zip(&plan.actions) {
                if let (Some((resource, t)), Action::Create(id) | Action::Update { id, .. }) =
                    (entry.resource, action)
                    && t == of
                {
                    let mut values = Vec::new();
                    search::extract::extract(resource, of, &mut values);
                    own.push((id.as_str(), values));
                }
            }
            own
        });
        ids.retain(|id| {
            let owner = plan.owners.get(&(of, id.clone()));
            owner.is_none_or(|at| {
                entries
                    .iter()
                    .zip(&plan.actions)
                    .any(|(e, action)| e.index == *at && matches!(action, Action::Existing(_)))
            })
        });
        for (id, values) in own {
            if search.filters.iter().all(|filter| holds(filter, id, values)) {
                ids.push((*id).to_owned());
            }
        }
    }
}

fn refused(what: &str) -> Unresolved {
    Unresolved::Refused(Fault::new(&code::BUNDLE_REFERENCE, what))
}

fn is_plain(filter: &Filter) -> bool {
    match filter {
        Filter::Match { any, negate: false, .. } => {
            any.iter().all(|value| matches!(value, Match::Token { .. }))
        }
        Filter::Id { negate: false, .. } => true,
        _ => false,
    }
}

fn holds(filter: &Filter, id: &str, values: &[Value<'_>]) -> bool {
    match filter {
        Filter::Id { any, .. } => any.iter().any(|wanted| wanted == id),
        Filter::Match { atoms, any, .. } => values
            .iter()
            .filter(|value| atoms.contains(&value.atom))
            .any(|value| any.iter().any(|wanted| token_holds(wanted, &value.value))),
        _ => false,
    }
}

fn token_holds(wanted: &Match, value: &EntryValue<'_>) -> bool {
    let (system, code) = match value {
        EntryValue::Token { system, code, .. } => (system, code),
        EntryValue::Identifier { system, value, .. } => (system, value),
        _ => return false,
    };
    let Match::Token { system: wanted_system, code: wanted_code } = wanted else { return false };
    let same_system = match wanted_system {
        SystemMatch::Any => true,
        SystemMatch::Absent => system.is_empty(),
        SystemMatch::Is(wanted) => wanted == system,
    };
    same_system && wanted_code.as_ref().is_none_or(|wanted| wanted == code)
}
