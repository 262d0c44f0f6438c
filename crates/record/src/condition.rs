//! Conditions of conditional interactions (<https://hl7.org/fhir/R4/http.html#ccreate>): a search that
//! decides what a write does. It is run on a snapshot first; a guard makes the writer run it again if
//! anything changed since, so that two racing requests never both find nothing.

use crate::session::Session;
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::definitions::TypeId;
use search::parse::{Hides, Level, Options, decode_query, parse};
use search::query::{Filter, Search, Summary, Total};
use std::sync::Arc;
use store::{Expectation, Guard, PageRequest, Reader, Scoped};

/// Tries of an interaction whose condition another request keeps changing.
pub(crate) const TRIES: usize = 16;

/// What a condition matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Matches {
    /// Nothing.
    None,
    /// Exactly one record, by logical id.
    One(String),
    /// More.
    Many,
}

impl Matches {
    /// The id, if at most one record matches.
    pub(crate) fn at_most_one(self) -> Result<Option<String>, Fault> {
        match self {
            Self::None => Ok(None),
            Self::One(id) => Ok(Some(id)),
            Self::Many => {
                let text = "the condition matches more than one record; make it more specific";
                Err(Fault::new(&code::MULTIPLE_MATCHES, text))
            }
        }
    }
}

/// How a condition is read: strictly, and with what a condition may say.
pub(crate) fn condition_options(
    limits: Limits,
    now: Millis,
    hidden: Option<Arc<dyn Hides>>,
) -> Options {
    Options { lenient: false, limits, now, base_url: None, conditional: true, hidden }
}

impl Session {
    /// How a condition is read, by whom this is hidden from.
    pub(crate) fn condition_options(&self, hidden: Option<Arc<dyn Hides>>) -> Options {
        condition_options(*self.limits(), self.now(), hidden)
    }

    /// Reads the text of a condition: `identifier=…&…`, with or without `Type?` before it.
    pub(crate) fn condition(&self, of: TypeId, text: &str) -> Result<Search, Fault> {
        let query = text.split_once('?').map_or(text, |(_, query)| query);
        let pairs = decode_query(query)?;
        let options = self.condition_options(self.hidden());
        let search = parse(&Level::Type(of), &pairs, &options)?;
        if search.filters.is_empty() {
            let text = "without a search parameter every record would match";
            return Err(Fault::new(&code::CONDITION_MISSING, text));
        }
        Ok(search)
    }

    /// Runs a condition on a snapshot.
    pub(crate) fn matches(
        &self,
        reader: &Scoped<'_, Reader>,
        search: &Search,
    ) -> Result<Matches, Fault> {
        let page = PageRequest {
            count: 2,
            position: None,
            include_max: 0,
            steps_max: self.limits().search_steps,
        };
        let mut found = reader.search(search, &page)?.matches.into_iter().map(|hit| hit.id);
        Ok(match (found.next(), found.next()) {
            (None, _) => Matches::None,
            (Some(id), None) => Matches::One(id),
            (Some(_), Some(_)) => Matches::Many,
        })
    }
}

/// The guard for a condition that found `id`, or nothing, for a reader.
pub(crate) fn guard(
    search: Search,
    id: Option<&str>,
    reader: &Scoped<'_, Reader>,
) -> Result<Guard, Fault> {
    let expected = id.map_or(Expectation::None, |id| Expectation::One(id.to_owned()));
    Ok(Guard { search, expected, as_of: reader.snapshot()?, scope: reader.scope().clone() })
}

/// The search for one record by its id.
pub(crate) fn by_id(of: TypeId, id: &str) -> Search {
    Search {
        types: vec![of],
        filters: vec![Filter::Id { any: vec![id.to_owned()], negate: false }],
        sort: Vec::new(),
        count: None,
        total: Total::None,
        summary: Summary::False,
        elements: Vec::new(),
        include: Vec::new(),
        revinclude: Vec::new(),
        cursor: None,
        explain: false,
        understood: Vec::new(),
        ignored: Vec::new(),
    }
}

/// Whether a fault says that a guard no longer held.
pub(crate) fn is_raced(fault: &Fault) -> bool {
    fault.code() == &code::PRECONDITION_FAILED
}
