//! What the walk needs to know of a type, laid out for speed: one table per type of
//! <https://hl7.org/fhir/R4/>, built from the compiled definitions when the type is first met and
//! kept for good.

use crate::names::Names;
use crate::primitive::Primitive;
use fhir::definitions::{Element, ElementType, Strength, TypeDef, TypeId, TypeKind, ValueSet, r4};
use std::sync::{Arc, LazyLock, OnceLock};

/// One type.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its definition.
    pub(crate) def: &'static TypeDef,
    /// Its JSON members.
    pub(crate) names: Names<Slot>,
    /// The elements that must be there.
    pub(crate) required: u128,
    /// The bit of `id`.
    pub(crate) id: u128,
    /// The bit of `extension`.
    pub(crate) extension: u128,
    /// The bit of `value` or `value[x]`.
    pub(crate) value: u128,
    /// What else holds for it.
    pub(crate) rule: Rule,
}

/// Types with rules beyond their elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// None.
    Plain,
    /// `Extension`: ext-1 and the form of `url`.
    Extension,
    /// `Reference`: form, target and type.
    Reference,
    /// `Bundle`: a transaction may hold conditional references.
    Bundle,
    /// `Bundle.entry`: the form of `fullUrl`.
    Entry,
    /// Any other resource, which unlike an element may be empty.
    Resource,
}

/// One JSON member of a type.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Its element.
    pub(crate) element: &'static Element,
    /// The type the value has under this name.
    pub(crate) of: &'static ElementType,
    /// The element's bit.
    pub(crate) bit: u128,
    /// It is an array.
    pub(crate) repeats: bool,
    /// What it looks like.
    pub(crate) shape: Shape,
    /// The codes it may take.
    pub(crate) codes: Codes,
}

/// What a value looks like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// A string, number or boolean.
    Primitive(Primitive),
    /// An object of the type.
    Complex(TypeId),
    /// An extension that stands in no other extension.
    Extension(TypeId),
    /// A resource of any type.
    Resource,
    /// The resource of a bundle's entry.
    Entry,
    /// A resource inside another, without a life of its own.
    Contained,
    /// `resourceType`, looked at before the walk.
    TypeName,
}

/// A required binding (<https://hl7.org/fhir/R4/terminologies.html#required>).
#[derive(Debug)]
pub(crate) enum Codes {
    /// None, or one whose codes cannot be listed.
    Any,
    /// A `code` must be one of these.
    Code(Names<()>),
    /// A `Coding` or `CodeableConcept` must hold a coding of these.
    Coding(Arc<ValueSet>),
}

/// The table of a type.
pub(crate) fn table(id: TypeId) -> &'static Table {
    static TABLES: LazyLock<Vec<OnceLock<Table>>> =
        LazyLock::new(|| r4().types().map(|_| OnceLock::new()).collect());
    static OUTSIDE: OnceLock<Table> = OnceLock::new();
    TABLES.get(usize::from(id.0)).unwrap_or(&OUTSIDE).get_or_init(|| build(id))
}

/// The table of `Element`, which the siblings of primitives are.
pub(crate) fn element_table() -> &'static Table {
    static ELEMENT: LazyLock<&'static Table> =
        LazyLock::new(|| table(r4().type_id("Element").unwrap_or(TypeId(u16::MAX))));
    *ELEMENT
}

fn build(id: TypeId) -> Table {
    let def = r4().get(id);
    let bit_of = |name: &str| {
        let index = def.elements.iter().position(|e| e.name == name);
        index.map_or(0, bit)
    };
    let required = def
        .elements
        .iter()
        .enumerate()
        .filter(|(_, element)| element.min > 0)
        .fold(0, |bits, (index, _)| bits | bit(index));
    let mut members: Vec<_> = def
        .member_names()
        .map(|(name, member)| {
            let slot = Slot {
                element: member.element,
                of: member.of,
                bit: bit(member.index),
                repeats: member.element.repeats(),
                shape: shape(def, member.element, member.of),
                codes: codes(member.element, member.of),
            };
            (name, slot)
        })
        .collect();
    if let (TypeKind::Resource, Some(element)) = (def.kind, def.elements.first())
        && let Some(of) = element.types.first()
    {
        let shape = Shape::TypeName;
        let slot = Slot { element, of, bit: 0, repeats: false, shape, codes: Codes::Any };
        members.push(("resourceType", slot));
    }
    let rule = match def.name {
        "Extension" => Rule::Extension,
        "Reference" => Rule::Reference,
        "Bundle" => Rule::Bundle,
        "Bundle.entry" => Rule::Entry,
        _ if def.kind == TypeKind::Resource => Rule::Resource,
        _ => Rule::Plain,
    };
    Table {
        def,
        names: Names::new(members),
        required,
        id: bit_of("id"),
        extension: bit_of("extension"),
        value: bit_of("value"),
        rule,
    }
}

/// An element's bit. No type of R4 has more than 54 elements; a test says so.
fn bit(index: usize) -> u128 {
    u32::try_from(index).ok().and_then(|shift| 1_u128.checked_shl(shift)).unwrap_or(0)
}

fn shape(def: &TypeDef, element: &Element, of: &ElementType) -> Shape {
    let name = r4().name(of.id);
    // Places whose rule is narrower than their type.
    match (def.name, element.name) {
        ("Extension", "url") => return Shape::Primitive(Primitive::ExtensionUrl),
        ("Meta", "profile") => return Shape::Primitive(Primitive::Profile),
        (name, "extension" | "modifierExtension") if name != "Extension" => {
            return Shape::Extension(of.id);
        }
        (_, "id") if def.kind != TypeKind::Resource => {
            return Shape::Primitive(Primitive::ElementId);
        }
        _ => {}
    }
    match r4().kind(of.id) {
        TypeKind::Primitive => Shape::Primitive(Primitive::named(name)),
        TypeKind::Complex | TypeKind::Backbone => Shape::Complex(of.id),
        TypeKind::Resource if element.name == "contained" => Shape::Contained,
        TypeKind::Resource if (def.name, element.name) == ("Bundle.entry", "resource") => {
            Shape::Entry
        }
        TypeKind::Resource => Shape::Resource,
    }
}

fn codes(element: &Element, of: &ElementType) -> Codes {
    let Some(binding) = element.binding.filter(|b| b.strength == Strength::Required) else {
        return Codes::Any;
    };
    let Some(set) = r4().value_set(binding.value_set) else { return Codes::Any };
    match r4().name(of.id) {
        "Coding" | "CodeableConcept" => Codes::Coding(set),
        "code" | "string" | "uri" if !set.open => {
            let mut all: Vec<&'static str> =
                set.systems().iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
            all.sort_unstable();
            all.dedup();
            Codes::Code(Names::new(all.into_iter().map(|code| (code, ())).collect()))
        }
        _ => Codes::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_fits_its_table() {
        for id in r4().types() {
            let table = table(id);
            assert!(table.def.elements.len() <= 128, "{}", table.def.name);
            for (index, element) in table.def.elements.iter().enumerate() {
                assert!(element.min <= 1, "{}: a minimum above 1 needs counting", element.name);
                assert!(matches!(element.max, 1 | u32::MAX), "{}: a maximum of n", element.name);
                assert_eq!(table.required & bit(index) != 0, element.min == 1);
            }
            for (name, member) in table.def.member_names() {
                let slot = table.names.get(name).expect(name);
                assert_eq!(slot.bit, bit(member.index), "{}.{name}", table.def.name);
            }
        }
    }

    #[test]
    fn bindings_and_shapes_come_from_the_definitions() {
        let patient = table(r4().type_id("Patient").expect("a type"));
        let gender = patient.names.get("gender").expect("a member");
        assert!(matches!(&gender.codes, Codes::Code(c) if c.get("female").is_some()));
        let condition = table(r4().type_id("Condition").expect("a type"));
        let status = condition.names.get("clinicalStatus").expect("a member");
        assert!(matches!(status.codes, Codes::Coding(_)));
        assert!(matches!(
            patient.names.get("contained").expect("a member").shape,
            Shape::Contained
        ));
        assert!(patient.names.get("resourceType").is_some());
        assert!(element_table().names.get("resourceType").is_none());
    }
}
