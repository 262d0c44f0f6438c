//! Type specifiers resolved against the System types and the definitions of R4
//! (<https://hl7.org/fhir/R4/fhirpath.html#types>), and the tests `is`, `as` and `ofType` make.

use crate::ast::TypeSpecifier;
use crate::item::{Item, Node};
use crate::temporal::TemporalKind;
use fhir::definitions::{TypeId, TypeKind, r4};

/// A type specifier, resolved. Without a namespace it may mean a type of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    system: Option<&'static str>,
    fhir: Option<TypeId>,
}

const SYSTEM: [&str; 9] =
    ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

/// Resolves a specifier; `None` when no such type exists. An unknown System type matches nothing
/// rather than failing, as HL7's tests want.
pub(crate) fn resolve(specifier: &TypeSpecifier) -> Option<Target> {
    let name = specifier.name.as_str();
    let system = SYSTEM.iter().copied().find(|s| *s == name);
    match specifier.namespace.as_deref() {
        Some("System") => Some(Target { system, fhir: None }),
        Some("FHIR") => Some(Target { system: None, fhir: Some(r4().type_id(name)?) }),
        Some(_) => None,
        None => {
            let fhir = r4().type_id(name);
            (system.is_some() || fhir.is_some()).then_some(Target { system, fhir })
        }
    }
}

impl Target {
    /// The FHIR type it names, if any.
    pub(crate) const fn fhir(self) -> Option<TypeId> {
        self.fhir
    }

    /// `is`: of the type or one that specialises it.
    pub(crate) fn is(self, item: &Item<'_>) -> bool {
        match item {
            Item::Node(node) => self.fhir.is_some_and(|id| r4().is_a(node.type_id(), id)),
            other => {
                self.system.is_some_and(|name| name == "Any" || name == other.type_name().name)
            }
        }
    }

    /// `as` and `ofType`: like `is`, but a primitive must have exactly the type, since its
    /// specialisations restrict the value (a `code` is not offered as a `string`).
    pub(crate) fn selects(self, item: &Item<'_>) -> bool {
        match item {
            Item::Node(node) if self.fhir.is_some() && node.is_primitive() => {
                self.fhir == Some(node.type_id()) || self.is_abstract_of(node)
            }
            other => self.is(other),
        }
    }

    fn is_abstract_of(self, node: &Node<'_>) -> bool {
        self.fhir
            .is_some_and(|id| r4().kind(id) != TypeKind::Primitive && r4().is_a(node.type_id(), id))
    }
}

/// The System name of a kind of date.
pub(crate) const fn temporal_name(kind: TemporalKind) -> &'static str {
    match kind {
        TemporalKind::Date => "Date",
        TemporalKind::DateTime => "DateTime",
        TemporalKind::Time => "Time",
    }
}
