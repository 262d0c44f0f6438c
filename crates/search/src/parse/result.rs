//! Parameters that shape the answer, not the matches (<https://hl7.org/fhir/R4/search.html#return>):
//! sort, page, total, summary, elements, includes.

use super::filter::resolve;
use super::{Context, refuse};
use crate::query::{Include, Search, SortBy, SortKey, Summary, Total};
use base::Fault;
use fhir::definitions::{SearchKind, TypeId, r4};

/// A result parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sort,
    Count,
    Total,
    Summary,
    Elements,
    /// Whether reverse, whether repeated on what is included.
    Include(bool, bool),
    Explain,
    Cursor,
    /// Read by the server: `_format`, `_pretty`.
    Server,
}

/// Which result parameter a name is; `None` for any other name.
pub(super) fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "_sort" => Kind::Sort,
        "_count" => Kind::Count,
        "_total" => Kind::Total,
        "_summary" => Kind::Summary,
        "_elements" => Kind::Elements,
        "_include" => Kind::Include(false, false),
        "_include:iterate" | "_include:recurse" => Kind::Include(false, true),
        "_revinclude" => Kind::Include(true, false),
        "_revinclude:iterate" | "_revinclude:recurse" => Kind::Include(true, true),
        "_explain" => Kind::Explain,
        "_cursor" => Kind::Cursor,
        "_format" | "_pretty" => Kind::Server,
        _ => return None,
    })
}

/// Sort keys of one search: each costs a join.
const SORT_KEYS_MAX: usize = 8;

impl Context<'_> {
    /// Applies a result parameter; answers the value as understood when it is not the one given.
    pub(super) fn result(
        &self,
        kind: Kind,
        name: &str,
        value: &str,
        search: &mut Search,
    ) -> Result<Option<String>, Fault> {
        let refused = |what: &str| Err(refuse::result(name, what));
        match kind {
            Kind::Sort => search.sort = self.sort(value)?,
            Kind::Count => {
                let Ok(count) = value.parse::<usize>() else {
                    return refused("takes a whole number from 0");
                };
                if count == 0 {
                    search.summary = Summary::Count;
                }
                let lowered = count.min(self.options.limits.page_max);
                search.count = Some(lowered);
                return Ok((lowered != count).then(|| lowered.to_string()));
            }
            Kind::Total => {
                search.total = match value {
                    "none" => Total::None,
                    "estimate" => Total::Estimate,
                    "accurate" => Total::Accurate,
                    _ => return refused("takes none, estimate or accurate"),
                };
            }
            Kind::Summary => {
                search.summary = match value {
                    "true" => Summary::True,
                    "false" => Summary::False,
                    "text" => Summary::Text,
                    "data" => Summary::Data,
                    "count" => Summary::Count,
                    _ => return refused("takes true, false, text, data or count"),
                };
            }
            Kind::Elements => {
                for element in value.split(',') {
                    if !self.has_element(element) {
                        return refused("names an element that is not at the top of the type");
                    }
                    search.elements.push(element.to_owned());
                }
            }
            Kind::Include(reverse, iterate) => {
                let found = self.include(name, value, reverse, iterate)?;
                let list = if reverse { &mut search.revinclude } else { &mut search.include };
                list.extend(found);
            }
            Kind::Explain => {
                search.explain = match value {
                    "true" => true,
                    "false" => false,
                    _ => return refused("takes true or false"),
                };
            }
            Kind::Cursor => search.cursor = Some(value.to_owned()),
            Kind::Server => {}
        }
        Ok(None)
    }

    fn sort(&self, value: &str) -> Result<Vec<SortKey>, Fault> {
        let keys: Vec<&str> = value.split(',').collect();
        if keys.len() > SORT_KEYS_MAX {
            return Err(refuse::too_many(&format!("more than {SORT_KEYS_MAX} sort keys")));
        }
        keys.into_iter()
            .map(|key| {
                let (name, descending) = match key.strip_prefix('-') {
                    Some(name) => (name, true),
                    None => (key, false),
                };
                let by = match name {
                    "_id" => SortBy::Id,
                    "_lastUpdated" => SortBy::LastUpdated,
                    "_type" => SortBy::Type,
                    name => {
                        let parameter = resolve(&self.types, name, self.options)?;
                        if parameter.atoms.is_empty() {
                            return Err(refuse::result("_sort", "names a parameter without order"));
                        }
                        SortBy::Atoms { atoms: parameter.atoms, kind: parameter.kind }
                    }
                };
                Ok(SortKey { name: name.to_owned(), by, descending })
            })
            .collect()
    }

    fn has_element(&self, element: &str) -> bool {
        let (of, name) = match element.split_once('.') {
            Some((of, name)) => (r4().resource_type(of), name),
            None => (None, element),
        };
        let found = |of: &TypeId| r4().get(*of).element(name).is_some();
        match of {
            Some(of) => found(&of),
            None if element.contains('.') => false,
            None if self.types.is_empty() => r4().resource_types().any(|(of, _)| found(&of)),
            None => self.types.iter().any(found),
        }
    }

    fn include(
        &self,
        name: &str,
        value: &str,
        reverse: bool,
        iterate: bool,
    ) -> Result<Vec<Include>, Fault> {
        let every = || -> Vec<TypeId> { r4().resource_types().map(|(of, _)| of).collect() };
        if value == "*" {
            let narrow = !reverse && !iterate && !self.types.is_empty();
            let sources = if narrow { self.types.clone() } else { every() };
            let all = sources.into_iter().map(|of| self.wildcard(of, None, value, iterate));
            return Ok(all.filter(|i| self.leads_here(i, reverse, iterate)).collect());
        }
        let refused = |what: &str| Err(refuse::result(name, what));
        let mut parts = value.splitn(3, ':');
        let (Some(source), Some(code)) = (parts.next(), parts.next()) else {
            return refused("takes *, Type:*, Type:parameter or Type:parameter:Type");
        };
        let Some(source) = r4().resource_type(source) else {
            return refused("names a type that FHIR R4 does not have");
        };
        let target = match parts.next().map(|target| r4().resource_type(target)) {
            None => None,
            Some(Some(target)) => Some(target),
            Some(None) => return refused("names a type that FHIR R4 does not have"),
        };
        if code == "*" {
            return Ok(vec![self.wildcard(source, target, value, iterate)]);
        }
        let Some(parameter) = self.options.parameter(source, code) else {
            return Err(refuse::unknown(Some(source), code, self.options));
        };
        if parameter.kind != SearchKind::Reference {
            return refused("names a parameter that is no reference");
        }
        if target.is_some_and(|t| !parameter.targets.contains(&t)) {
            return refused("names a type that the reference cannot point at");
        }
        // `patient` reads the same atom as `subject` but means patients only.
        let only = match parameter.targets.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        let (atoms, written) = (parameter.atoms.clone(), value.to_owned());
        Ok(vec![Include { source, atoms, target: target.or(only), iterate, written }])
    }

    /// Leaves out of `_revinclude=*` the types whose references cannot point at what is searched.
    fn leads_here(&self, include: &Include, reverse: bool, iterate: bool) -> bool {
        let anywhere = !reverse || iterate || self.types.is_empty();
        !include.atoms.is_empty()
            && (anywhere
                || self
                    .options
                    .references(include.source)
                    .any(|p| p.targets.iter().any(|t| self.types.contains(t))))
    }

    fn wildcard(
        &self,
        source: TypeId,
        target: Option<TypeId>,
        written: &str,
        iterate: bool,
    ) -> Include {
        let references = self.options.references(source);
        let mut atoms: Vec<_> = references.flat_map(|p| p.atoms.iter().copied()).collect();
        atoms.sort();
        atoms.dedup();
        Include { source, atoms, target, iterate, written: written.to_owned() }
    }
}
