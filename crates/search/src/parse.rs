//! Query text to [`Search`] (<https://hl7.org/fhir/R4/search.html>). What is not understood is refused
//! by name, never guessed at; no text answers with the value of a parameter, which may be about a
//! patient.

mod filter;
mod hidden;
mod refuse;
mod result;
mod text;
mod value;

pub use hidden::Hides;
pub use text::{decode_query, encode_query, escaped};

use crate::query::{Filter, Search, Summary, Total};
use crate::registry::registry;
use base::error::code;
use base::{Fault, Limits, Millis, Severity};
use fhir::definitions::{TypeId, r4};
use std::cell::Cell;
use std::sync::Arc;

/// Where a search stands.
#[derive(Debug, Clone)]
pub enum Level {
    /// `/Type?…`
    Type(TypeId),
    /// `/?…`
    System,
    /// `/Patient/1/Observation?…` or `/Patient/1/*?…`
    Compartment {
        /// The focus's type.
        focus_type: TypeId,
        /// The focus's logical id.
        id: String,
        /// The type searched; all that can belong to the compartment when not given.
        of: Option<TypeId>,
    },
}

/// How to read a query.
#[derive(Debug, Clone)]
pub struct Options {
    /// `Prefer: handling=lenient`: what is unknown becomes a warning. Criteria are always strict.
    pub lenient: bool,
    /// Bounds.
    pub limits: Limits,
    /// The present instant, from which `ap` measures dates.
    pub now: Millis,
    /// This server's own base address; absolute references under it are local ones.
    pub base_url: Option<String>,
    /// The query is the criteria of a conditional interaction: result parameters are refused.
    pub conditional: bool,
    /// What does not exist for the caller.
    pub hidden: Option<Arc<dyn Hides>>,
}

/// Reads decoded parameters.
pub fn parse(
    level: &Level,
    pairs: &[(String, String)],
    options: &Options,
) -> Result<Search, Fault> {
    if pairs.len() > options.limits.search_parameters {
        let most = options.limits.search_parameters;
        return Err(refuse::too_many(&format!("more than {most} parameters")));
    }
    let mut search = empty();
    let budget = Cell::new(FILTERS_MAX);
    let mut context = Context { types: Vec::new(), level, options, budget };
    match level {
        Level::Type(of) => {
            search.types.push(*of);
            context.types.push(*of);
        }
        Level::System => {
            for (_, value) in pairs.iter().filter(|(name, _)| name == "_type") {
                search.types.extend(filter::types_named(value, options)?);
            }
            search.types.sort();
            search.types.dedup();
            context.types.clone_from(&search.types);
        }
        Level::Compartment { focus_type, id, of } => {
            search.types = compartment_types(*focus_type, *of)?;
            context.types.clone_from(&search.types);
            let filter = Filter::Compartment { focus_type: *focus_type, focus: id.clone() };
            search.filters.push(filter);
        }
    }
    for (name, value) in pairs {
        match context.one(name, value, &mut search) {
            Ok(()) => {}
            Err(fault) if options.lenient && !options.conditional && ignorable(&fault) => {
                search.ignored.extend(fault.issues.into_iter().map(|mut issue| {
                    issue.severity = Severity::Warning;
                    issue
                }));
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(search)
}

/// What names are read against.
struct Context<'c> {
    /// The types searched; all when empty.
    types: Vec<TypeId>,
    level: &'c Level,
    options: &'c Options,
    /// Filters that may still be made: a chain without types fans out at every hop.
    budget: Cell<usize>,
}

/// Filters of one search, those inside chains included.
const FILTERS_MAX: usize = 5000;

impl Context<'_> {
    fn one(&self, name: &str, value: &str, search: &mut Search) -> Result<(), Fault> {
        if value.is_empty() {
            return Err(refuse::value(name, "has no value"));
        }
        let mut understood = value.to_owned();
        if let Some(kind) = result::kind_of(name) {
            let harmless = matches!(kind, result::Kind::Server);
            if self.options.conditional && !harmless {
                return Err(refuse::result(name, "does not belong in the criteria of a condition"));
            }
            if let Some(lowered) = self.result(kind, name, value, search)? {
                understood = lowered;
            }
        } else if name == "_type" && matches!(self.level, Level::System) {
            // Read before everything else: it decides what the other names mean.
        } else {
            search.filters.push(self.filter(&self.types, name, value, 0)?);
        }
        if name != "_cursor" {
            search.understood.push((name.to_owned(), understood));
        }
        Ok(())
    }
}

fn ignorable(fault: &Fault) -> bool {
    let named = fault.code().name;
    named == code::SEARCH_PARAMETER_UNKNOWN.name || named == code::SEARCH_MODIFIER.name
}

fn compartment_types(focus: TypeId, of: Option<TypeId>) -> Result<Vec<TypeId>, Fault> {
    let name = r4().name(focus);
    let belongs = |of: TypeId| registry().compartment(name, of).is_some();
    match of {
        Some(of) if belongs(of) => Ok(vec![of]),
        Some(of) => Err(Fault::new(
            &code::NOT_SUPPORTED,
            format!("{} does not belong to the compartment of a {name}", r4().name(of)),
        )),
        None => {
            let types: Vec<_> =
                r4().resource_types().map(|(t, _)| t).filter(|t| belongs(*t)).collect();
            if types.is_empty() {
                return Err(Fault::new(&code::NOT_SUPPORTED, format!("{name} has no compartment")));
            }
            Ok(types)
        }
    }
}

const fn empty() -> Search {
    Search {
        types: Vec::new(),
        filters: Vec::new(),
        sort: Vec::new(),
        count: None,
        total: Total::Unasked,
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
