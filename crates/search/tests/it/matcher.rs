//! The simplest possible answer to a query: every record, every entry. It states in a few lines what
//! an engine's indexes must come to (<https://hl7.org/fhir/R4/search.html>).

use fhir::decimal::Decimal;
use fhir::definitions::{TypeId, r4};
use search::entry::{Entry, EntryValue};
use search::fold::fold;
use search::query::{CompositeMatch, Filter, Match, Prefix, SystemMatch};
use search::registry::{AtomId, registry};
use std::collections::HashMap;

/// A record as the index sees it.
pub(crate) struct Record<'a> {
    pub(crate) of: TypeId,
    pub(crate) id: String,
    pub(crate) entries: Vec<Entry<'a>>,
}

/// All records, found by type and id, and by what they point at.
pub(crate) struct Records<'a> {
    all: Vec<Record<'a>>,
    by_id: HashMap<(TypeId, String), usize>,
    pointing: HashMap<(TypeId, String), Vec<usize>>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(all: Vec<Record<'a>>) -> Self {
        let by_id = all.iter().enumerate().map(|(n, r)| ((r.of, r.id.clone()), n)).collect();
        let mut pointing: HashMap<_, Vec<usize>> = HashMap::new();
        for (n, record) in all.iter().enumerate() {
            for entry in &record.entries {
                if let EntryValue::Reference { resource_type, id } = &entry.value {
                    let of = r4().resource_type(resource_type).unwrap();
                    pointing.entry((of, id.clone().into_owned())).or_default().push(n);
                }
            }
        }
        Self { all, by_id, pointing }
    }

    pub(crate) fn count(&self, of: TypeId, filters: &[Filter]) -> usize {
        self.ids(of, filters).len()
    }

    /// The ids of the records of a type for which the filters hold.
    pub(crate) fn ids(&self, of: TypeId, filters: &[Filter]) -> Vec<&str> {
        let matches = |r: &&Record<'_>| r.of == of && filters.iter().all(|f| self.matches(r, f));
        self.all.iter().filter(matches).map(|r| r.id.as_str()).collect()
    }

    fn matches(&self, record: &Record<'_>, filter: &Filter) -> bool {
        let has = |atoms: &[AtomId], test: &dyn Fn(&EntryValue<'_>) -> bool| {
            record.entries.iter().any(|e| atoms.contains(&e.atom) && test(&e.value))
        };
        match filter {
            Filter::Match { atoms, any, negate, .. } => {
                has(atoms, &|value| any.iter().any(|m| matches(m, value))) != *negate
            }
            Filter::Missing { atoms, missing, .. } => has(atoms, &|_| true) != *missing,
            Filter::Composite { any, .. } => any.iter().any(|c| composite(record, c)),
            Filter::Chain { atoms, targets, .. } => has(atoms, &|value| {
                let EntryValue::Reference { resource_type, id } = value else { return false };
                targets.iter().any(|(of, filter)| {
                    r4().name(*of) == *resource_type
                        && self
                            .by_id
                            .get(&(*of, id.clone().into_owned()))
                            .is_some_and(|n| self.matches(&self.all[*n], filter))
                })
            }),
            Filter::Has { source, atoms, filter } => {
                let key = (record.of, record.id.clone());
                let here = |e: &Entry<'_>| {
                    atoms.contains(&e.atom)
                        && matches!(&e.value, EntryValue::Reference { resource_type, id }
                            if *id == record.id && *resource_type == r4().name(record.of))
                };
                self.pointing.get(&key).into_iter().flatten().map(|n| &self.all[*n]).any(|r| {
                    r.of == *source && r.entries.iter().any(here) && self.matches(r, filter)
                })
            }
            Filter::Id { any, negate } => any.contains(&record.id) != *negate,
            Filter::Compartment { focus_type, focus } => {
                let name = r4().name(*focus_type);
                let Some(way) = registry().compartment(name, record.of) else { return false };
                (way.focus && record.of == *focus_type && record.id == *focus)
                    || has(way.atoms, &|value| {
                        matches!(value, EntryValue::Reference { resource_type, id }
                            if *resource_type == name && id == focus)
                    })
            }
            other => panic!("no query of this test asks {other:?}"),
        }
    }
}

fn composite(record: &Record<'_>, combination: &CompositeMatch) -> bool {
    let groups = 0..=record.entries.iter().map(|e| e.group).max().unwrap_or(0);
    groups.into_iter().any(|group| {
        combination.parts.iter().all(|part| {
            record.entries.iter().any(|e| {
                part.atoms.contains(&e.atom)
                    && (!part.grouped || (group > 0 && e.group == group))
                    && matches(&part.value, &e.value)
            })
        })
    })
}

fn matches(asked: &Match, value: &EntryValue<'_>) -> bool {
    match (asked, value) {
        (Match::Token { system, code }, EntryValue::Token { system: s, code: c, .. })
        | (Match::Token { system, code }, EntryValue::Identifier { system: s, value: c, .. }) => {
            is_system(system, s) && code.as_ref().is_none_or(|code| code == c)
        }
        (Match::StartsWith(text), EntryValue::String(s)) => fold(s).starts_with(text.as_str()),
        (Match::Contains(text), EntryValue::String(s)) => fold(s).contains(text.as_str()),
        (Match::Exact(text), EntryValue::String(s)) => text == s,
        (Match::Reference { types, id }, EntryValue::Reference { resource_type, id: other }) => {
            id == other
                && (types.is_empty() || types.iter().any(|t| r4().name(*t) == *resource_type))
        }
        (Match::Uri(uri), EntryValue::Uri(u)) => uri == u,
        (Match::Date { prefix, range }, EntryValue::Date { low, high }) => {
            compare(*prefix, (*low, *high), (range.low, range.high))
        }
        (
            Match::Quantity { prefix, value, unit },
            EntryValue::Quantity { value: v, system, code, unit: u },
        ) => {
            number(*prefix, *value, *v)
                && unit.as_ref().is_none_or(|asked| match asked.system {
                    SystemMatch::Any => asked.code == *code || asked.code == *u,
                    _ => is_system(&asked.system, system) && asked.code == *code,
                })
        }
        _ => false,
    }
}

fn is_system(asked: &SystemMatch, system: &str) -> bool {
    match asked {
        SystemMatch::Any => true,
        SystemMatch::Absent => system.is_empty(),
        SystemMatch::Is(asked) => asked == system,
    }
}

fn compare(prefix: Prefix, (low, high): (i64, i64), (from, to): (i64, i64)) -> bool {
    let inside = from <= low && high <= to;
    match prefix {
        Prefix::Eq => inside,
        Prefix::Ne => !inside,
        Prefix::Gt => high > to,
        Prefix::Lt => low < from,
        Prefix::Ge => high > to || inside,
        Prefix::Le => low < from || inside,
        Prefix::Sa => low > to,
        Prefix::Eb => high < from,
        Prefix::Ap => low <= to && from <= high,
    }
}

fn number(prefix: Prefix, asked: Decimal, value: f64) -> bool {
    let (low, high) = asked.implicit_range();
    let inside = low <= value && value < high;
    let exact = asked.to_f64();
    match prefix {
        Prefix::Eq => inside,
        Prefix::Ne => !inside,
        Prefix::Gt | Prefix::Sa => value > exact,
        Prefix::Lt | Prefix::Eb => value < exact,
        Prefix::Ge => value >= exact,
        Prefix::Le => value <= exact,
        Prefix::Ap => (value - exact).abs() <= exact.abs() / 10.0,
    }
}
