//! Paths of search parameters, as steps over the definitions: what is left of an expression once its
//! unions are split and its spellings of the same thing are made one
//! (<https://hl7.org/fhir/R4/searchparameter-registry.html>).

use fhir::definitions::{Element, ElementType, TypeId, r4};
use std::fmt::Write as _;

/// One step from an element to the next, or a condition on the element reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Into an element, by its name in the definitions (a choice without `[x]`).
    Member(String),
    /// Only values of one of these types.
    As(Vec<TypeId>),
    /// Only where a member has this text: `where(system='phone')`, `extension('url')`.
    Equals {
        /// The member.
        member: String,
        /// Its text.
        value: String,
    },
    /// Only where an extension with this address is present.
    HasExtension(String),
    /// Only this repeat, counted from 0.
    Nth(usize),
    /// Not the value but whether there is one other than `false`: `Patient.deceased`.
    Holds,
}

/// What stands at the end of a path.
#[derive(Debug)]
pub(crate) struct End {
    /// The types a value may have there.
    pub(crate) types: Vec<&'static ElementType>,
    /// The element.
    pub(crate) element: &'static Element,
}

/// Follows steps from a type; `None` when they lead nowhere.
pub(crate) fn end(root: TypeId, steps: &[Step]) -> Option<End> {
    let mut here = vec![root];
    let mut end: Option<End> = None;
    for step in steps {
        match step {
            Step::Member(name) => {
                let element = here.iter().find_map(|t| r4().get(*t).element(name))?;
                let types: Vec<_> = element.types.iter().collect();
                here = types.iter().map(|t| t.id).collect();
                end = Some(End { types, element });
            }
            Step::As(only) => {
                let end = end.as_mut()?;
                end.types.retain(|t| only.iter().any(|o| r4().is_a(t.id, *o)));
                here = end.types.iter().map(|t| t.id).collect();
            }
            Step::Equals { .. } | Step::HasExtension(_) | Step::Nth(_) | Step::Holds => {}
        }
    }
    end.filter(|e| !e.types.is_empty())
}

/// The canonical text of a path. It is part of an atom's stable key: changing it orphans the
/// entries of every store.
pub(crate) fn text(root: TypeId, steps: &[Step]) -> String {
    let mut out = r4().name(root).to_owned();
    for step in steps {
        // Writing to a String cannot fail.
        let _ = match step {
            Step::Member(name) => write!(out, ".{name}"),
            Step::As(types) => {
                let names: Vec<_> = types.iter().map(|t| r4().name(*t)).collect();
                write!(out, ".ofType({})", names.join("|"))
            }
            Step::Equals { member, value } => write!(out, ".where({member}='{value}')"),
            Step::HasExtension(url) => write!(out, ".where(hasExtension('{url}'))"),
            Step::Nth(n) => write!(out, "[{n}]"),
            Step::Holds => write!(out, ".exists() and not false"),
        };
    }
    out
}

/// The type a name means in an expression. Some expressions of the specification write `DateTime`
/// for `dateTime`.
pub(crate) fn type_named(name: &str) -> Option<TypeId> {
    let name = name.strip_prefix("FHIR.").unwrap_or(name);
    r4().type_id(name).or_else(|| {
        let mut chars = name.chars();
        let first = chars.next()?.to_ascii_lowercase();
        r4().type_id(&format!("{first}{}", chars.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_choices_and_backbones() {
        let observation = r4().type_id("Observation").unwrap();
        let quantity = r4().type_id("Quantity").unwrap();
        let steps = [
            Step::Member("component".into()),
            Step::Member("value".into()),
            Step::As(vec![quantity]),
        ];
        assert_eq!(end(observation, &steps).unwrap().types.len(), 1);
        assert_eq!(text(observation, &steps), "Observation.component.value.ofType(Quantity)");
        assert!(end(observation, &[Step::Member("nonsense".into())]).is_none());
        assert_eq!(type_named("DateTime"), r4().type_id("dateTime"));
    }
}
