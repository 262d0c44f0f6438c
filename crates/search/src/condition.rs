//! Conditions that are judged on one record's own index entries, whoever asks and whenever: the search
//! parameters of a scope
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters>).
//!
//! Of what a search may ask, a condition may ask little: tokens, references and uris, each by value and
//! without a modifier. Anything else leads to other records, changes with time or with other records'
//! units, or is answered from the text; a guard that did so could not be held inside a transaction.

use crate::parse::{Level, Options, decode_query, parse};
use crate::query::{Filter, Match, SystemMatch};
use crate::registry::{AtomId, registry};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::definitions::{SearchKind, TypeId};

/// Parameters of one query.
const PARAMETERS_MAX: usize = 8;
/// Values of one parameter.
const VALUES_MAX: usize = 100;

/// One parameter: some entry at one of the atoms has one of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Any of these atoms.
    pub atoms: Vec<AtomId>,
    /// Any of these values.
    pub any: Vec<Value>,
}

/// What an entry must be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A code or an identifier.
    Token {
        /// Its system: any, none or this one.
        system: SystemMatch,
        /// Its code, or the identifier's value.
        code: String,
    },
    /// A record here.
    Reference {
        /// Of any of these types; of any type at all when empty.
        types: Vec<TypeId>,
        /// Its logical id.
        id: String,
    },
    /// A uri, exactly.
    Uri(String),
}

impl Condition {
    /// Reads `category=system|laboratory&status=final` as conditions on records of a type, all of which
    /// must hold.
    ///
    /// # Errors
    /// `search.*` when a parameter is not known for the type, or when it cannot be a condition.
    pub fn parse(of: TypeId, query: &str) -> Result<Vec<Self>, Fault> {
        // In a form a plus is a blank, in a scope it may be meant as one: whoever means a blank says %20.
        if query.contains('+') {
            return Err(refuse("a query of a scope", "holds a plus sign: write %2B or %20"));
        }
        let pairs = decode_query(query)?;
        if pairs.is_empty() || pairs.len() > PARAMETERS_MAX {
            return Err(refuse("a query of a scope", "has no parameter, or too many"));
        }
        for (name, _) in &pairs {
            let known = registry().parameter(of, name).map(|parameter| parameter.kind);
            match known {
                Some(SearchKind::Token | SearchKind::Reference | SearchKind::Uri) => {}
                _ => return Err(beyond(name)),
            }
        }
        let options = Options {
            lenient: false,
            limits: Limits { search_values: VALUES_MAX, ..Limits::default() },
            // No date is read here.
            now: Millis(0),
            base_url: None,
            conditional: true,
            hidden: None,
        };
        let search = parse(&Level::Type(of), &pairs, &options)?;
        if search.filters.len() != pairs.len() {
            return Err(beyond("a query of a scope"));
        }
        search.filters.into_iter().map(Self::of).collect()
    }

    fn of(filter: Filter) -> Result<Self, Fault> {
        let Filter::Match { name, atoms, any, negate: false } = filter else {
            return Err(beyond("a query of a scope"));
        };
        let values = any.into_iter().map(|value| match value {
            // A system alone may stand for as many codes as were ever seen, looked up for each write.
            Match::Token { system, code: Some(code) } => Some(Value::Token { system, code }),
            Match::Reference { types, id } => Some(Value::Reference { types, id }),
            Match::Uri(text) => Some(Value::Uri(text)),
            _ => None,
        });
        let any = values.collect::<Option<Vec<_>>>().ok_or_else(|| beyond(&name))?;
        Ok(Self { atoms, any })
    }
}

impl Value {
    /// The same as a value of a search.
    pub fn to_match(&self) -> Match {
        match self.clone() {
            Self::Token { system, code } => Match::Token { system, code: Some(code) },
            Self::Reference { types, id } => Match::Reference { types, id },
            Self::Uri(text) => Match::Uri(text),
        }
    }
}

fn beyond(name: &str) -> Fault {
    refuse(
        name,
        "cannot narrow a scope: token (with a code), reference and uri parameters of the type can",
    )
}

/// Names of parameters come from scopes and so from strangers: only what is a name is repeated.
fn refuse(name: &str, what: &str) -> Fault {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' ');
    let name = if name.len() <= 64 && name.chars().all(plain) { name } else { "a parameter" };
    Fault::new(&code::SEARCH_VALUE, format!("{name} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::definitions::r4;
    use proptest::prelude::*;

    fn of(name: &str) -> TypeId {
        r4().resource_type(name).expect("a type")
    }

    #[test]
    fn several_parameters_must_hold_and_one_of_the_values_of_each() {
        let got =
            Condition::parse(of("Observation"), "category=http://x.org|lab,|a,b&status=final");
        let got = got.expect("two conditions");
        let token = |system, code: &str| Value::Token { system, code: code.to_owned() };
        assert_eq!(
            got[0].any,
            [
                token(SystemMatch::Is("http://x.org".into()), "lab"),
                token(SystemMatch::Absent, "a"),
                token(SystemMatch::Any, "b")
            ]
        );
        assert_eq!(got[1].any, [token(SystemMatch::Any, "final")]);
        assert_eq!(got.len(), 2);
        let escaped = Condition::parse(of("Observation"), "code=http%3A%2F%2Fx.org%7Ca%20b");
        let escaped = escaped.expect("one condition");
        assert_eq!(escaped[0].any, [token(SystemMatch::Is("http://x.org".into()), "a b")]);
    }

    #[test]
    fn what_us_core_narrows_by_is_a_condition() {
        for (name, query) in [
            (
                "Condition",
                "category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item",
            ),
            (
                "Condition",
                "category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern",
            ),
            ("Condition", "clinical-status=active,recurrence"),
            (
                "Observation",
                "category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
            ),
            ("Observation", "code=http://loinc.org|8867-4&status=final"),
            ("DiagnosticReport", "category=LAB"),
            ("DocumentReference", "type=http://loinc.org|18842-5"),
            ("MedicationRequest", "intent=order&status=active"),
            ("Encounter", "class=AMB"),
            ("Observation", "subject=Patient/1"),
            ("Patient", "identifier=urn:mrn|1"),
            ("ValueSet", "url=http://x.org/vs"),
            ("Observation", "_security=R"),
        ] {
            let got = Condition::parse(of(name), query);
            assert!(got.is_ok_and(|all| all.iter().all(|c| !c.atoms.is_empty())), "{name}?{query}");
        }
    }

    #[test]
    fn what_leads_elsewhere_or_changes_by_itself_is_no_condition() {
        for query in [
            "",
            "category",
            "category=",
            "category=a,",
            "category=http://x.org|",
            "category:not=a",
            "category:missing=true",
            "category:text=a",
            "category:in=http://x.org/vs",
            "made-up=a",
            "subject.name=a",
            "subject:Patient=1",
            "subject:identifier=a|b",
            "subject=http://elsewhere.org/Patient/1",
            "_has:Provenance:target:agent=1",
            "_id=1",
            "_id:not=1",
            "_lastUpdated=gt2020",
            "_list=1",
            "_text=a",
            "_content=a",
            "_filter=a",
            "_type=Observation",
            "_include=Observation:subject",
            "_sort=date",
            "_count=1",
            "_summary=count",
            "_format=json",
            "date=gt2020",
            "value-quantity=1",
            "value-string=a",
            "code-value-quantity=a$1",
            "code=a+b",
            "code=%",
            "code=a|b|c",
            "code=1&code=2&code=3&code=4&code=5&code=6&code=7&code=8&code=9",
        ] {
            let fault = Condition::parse(of("Observation"), query).expect_err(query);
            assert!(fault.code().name.starts_with("search."), "{query}: {fault}");
        }
        assert!(Condition::parse(of("Patient"), "category=lab").is_err(), "not one of the type");
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(
            query in prop_oneof![
                any::<String>(),
                "(category|code|subject|status|_tag|_id|date|url)?(:not|:text|\\.name)?=?[a-z|,$%0-9:/\\\\.]{0,20}(&[a-z]{0,8}=[a-z|]{0,8}){0,3}",
            ],
            of in prop_oneof![Just("Observation"), Just("Patient"), Just("ValueSet")],
        ) {
            let of = r4().resource_type(of).expect("a type");
            if let Ok(all) = Condition::parse(of, &query) {
                prop_assert!(!all.is_empty());
                prop_assert!(all.iter().all(|c| !c.any.is_empty()));
            }
        }
    }
}
