//! The facts of FHIR R4 (4.0.1, <https://hl7.org/fhir/R4/>): types, elements, bindings, search
//! parameters, compartments and operations, read from one compact text that
//! `cargo xtask definitions` compiles from the published package.
//!
//! Start-up only finds where each type's lines begin; a type is decoded when it is first asked for.
//! Lines are `letter<TAB>field<TAB>…`: `T`ype, `E`lement, `I`nvariant, `V`alue set, `S`earch
//! parameter, `C`ompartment, `O`peration. docs/internals/definitions.md gives every field.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

mod decode;
#[cfg(test)]
mod tests;

static R4_TEXT: &str = include_str!("../definitions/r4.txt");
static R4: LazyLock<Definitions> = LazyLock::new(|| Definitions::index(R4_TEXT));

/// The definitions of FHIR R4.
pub fn r4() -> &'static Definitions {
    &R4
}

/// A type of the definitions: `Patient`, `HumanName`, `date`, or a backbone such as
/// `Patient.contact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u16);

/// What kind of type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// A JSON string, number or boolean with an optional `_name` sibling.
    Primitive,
    /// `HumanName`, `Quantity` …
    Complex,
    /// `Patient`, `Observation` … and the abstract `Resource` and `DomainResource`.
    Resource,
    /// An unnamed structure inside another type: `Patient.contact`.
    Backbone,
}

/// A type with all its elements, inherited ones first.
#[derive(Debug)]
pub struct TypeDef {
    /// Its id.
    pub id: TypeId,
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: TypeKind,
    /// Instances have a more specific type.
    pub is_abstract: bool,
    /// The type it specialises.
    pub base: Option<TypeId>,
    /// Its elements in the order of the specification.
    pub elements: Vec<Element>,
    /// The invariants stated on this type and its elements.
    pub invariants: Vec<Invariant>,
    members: Vec<(Box<str>, u16, u16)>,
}

/// One element.
#[derive(Debug)]
pub struct Element {
    /// Its name; for a choice without `[x]`.
    pub name: &'static str,
    /// At least so many.
    pub min: u32,
    /// At most so many; `u32::MAX` for `*`. Above 1 it is an array in JSON.
    pub max: u32,
    /// `value[x]`: the JSON name carries the type.
    pub choice: bool,
    /// Part of `_summary=true`.
    pub summary: bool,
    /// A modifier element.
    pub modifier: bool,
    /// The types it may have.
    pub types: Vec<ElementType>,
    /// The value set its codes come from.
    pub binding: Option<Binding>,
}

impl Element {
    /// In JSON the element is an array.
    pub const fn repeats(&self) -> bool {
        self.max > 1
    }
}

/// A type an element may have.
#[derive(Debug, Clone)]
pub struct ElementType {
    /// The type.
    pub id: TypeId,
    /// For `Reference` and `canonical`: the resource types it may point at; empty means any.
    pub targets: Vec<&'static str>,
}

/// How strongly codes are bound (<https://hl7.org/fhir/R4/valueset-binding-strength.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// No other code is allowed.
    Required,
    /// Another only when none fits.
    Extensible,
    /// Encouraged.
    Preferred,
    /// Illustration.
    Example,
}

/// A binding to a value set.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// How strong.
    pub strength: Strength,
    /// Canonical address of the value set, without version.
    pub value_set: &'static str,
}

/// An invariant: a key and a `FHIRPath` expression that must hold.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// Path of the element relative to the type; empty for the type itself.
    pub path: &'static str,
    /// `obs-6`
    pub key: &'static str,
    /// Broken means refused, not warned about.
    pub is_error: bool,
    /// The expression.
    pub expression: &'static str,
}

/// A member name of an object, resolved: the element it stands for and the type it has there.
#[derive(Debug, Clone, Copy)]
pub struct Member<'d> {
    /// The element.
    pub element: &'d Element,
    /// The position of the element in [`TypeDef::elements`].
    pub index: usize,
    /// The type the value has under this name.
    pub of: &'d ElementType,
}

/// Codes of a value set that a required binding uses.
#[derive(Debug)]
pub struct ValueSet {
    /// Canonical address.
    pub url: &'static str,
    /// The codes cannot be listed (media types, languages): any well-formed code is accepted.
    pub open: bool,
    systems: Vec<(&'static str, Vec<&'static str>)>,
}

impl ValueSet {
    /// Whether a plain `code` is in the set.
    pub fn contains_code(&self, code: &str) -> bool {
        self.open || self.systems.iter().any(|(_, codes)| codes.binary_search(&code).is_ok())
    }

    /// Whether a coding is in the set. Without a system nothing can be said, so it is not.
    pub fn contains(&self, system: &str, code: &str) -> bool {
        self.open
            || self
                .systems
                .iter()
                .any(|(s, codes)| *s == system && codes.binary_search(&code).is_ok())
    }

    /// The systems the set draws on, with their codes in byte order.
    pub fn systems(&self) -> &[(&'static str, Vec<&'static str>)] {
        &self.systems
    }
}

/// Kinds of search parameter (<https://hl7.org/fhir/R4/search.html#ptypes>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SearchKind {
    /// Numbers.
    Number,
    /// Dates and periods.
    Date,
    /// Names, addresses.
    String,
    /// Codes and identifiers.
    Token,
    /// References.
    Reference,
    /// Several values of one place.
    Composite,
    /// Numbers with units.
    Quantity,
    /// Addresses.
    Uri,
    /// `_filter`, `near`.
    Special,
}

impl SearchKind {
    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Date => "date",
            Self::String => "string",
            Self::Token => "token",
            Self::Reference => "reference",
            Self::Composite => "composite",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
            Self::Special => "special",
        }
    }
}

/// A search parameter as the specification defines it.
#[derive(Debug)]
pub struct SearchParameter {
    /// Canonical address.
    pub url: &'static str,
    /// Its name in a query.
    pub code: &'static str,
    /// Its kind.
    pub kind: SearchKind,
    /// The resource types it applies to (`Resource`, `DomainResource` for all).
    pub base: Vec<&'static str>,
    /// For references: the types it may point at.
    pub targets: Vec<&'static str>,
    /// Where its values stand.
    pub expression: &'static str,
    /// For composites: address of each part's definition, and its expression.
    pub components: Vec<(&'static str, &'static str)>,
}

/// One line of a compartment definition: the parameters by which a type belongs to it.
#[derive(Debug)]
pub struct CompartmentMember {
    /// `Patient`, `Encounter` …
    pub compartment: &'static str,
    /// The type of the member.
    pub resource: &'static str,
    /// Parameter names, or `{def}` for the focus itself.
    pub parameters: Vec<&'static str>,
}

/// An operation of the specification.
#[derive(Debug)]
pub struct Operation {
    /// Its name without `$`.
    pub code: &'static str,
    /// Canonical address.
    pub url: &'static str,
    /// It changes state.
    pub affects_state: bool,
    /// May be called at system level.
    pub system: bool,
    /// May be called on a type.
    pub on_type: bool,
    /// May be called on an instance.
    pub on_instance: bool,
    /// The types it belongs to.
    pub resources: Vec<&'static str>,
    /// `name:use:min:max:type`
    pub parameters: Vec<&'static str>,
}

#[derive(Debug)]
struct Head {
    name: &'static str,
    kind: TypeKind,
    is_abstract: bool,
    base: &'static str,
    body: &'static str,
    decoded: OnceLock<TypeDef>,
}

/// All definitions.
#[derive(Debug)]
pub struct Definitions {
    heads: Vec<Head>,
    by_name: HashMap<&'static str, TypeId>,
    value_set_lines: HashMap<&'static str, &'static str>,
    value_sets: std::sync::RwLock<HashMap<&'static str, std::sync::Arc<ValueSet>>>,
    search_text: &'static str,
    search: OnceLock<Vec<SearchParameter>>,
    compartments: OnceLock<Vec<CompartmentMember>>,
    operations: OnceLock<Vec<Operation>>,
    tail: &'static str,
}

impl Definitions {
    /// The type of a name.
    pub fn type_id(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// A type by id.
    pub fn get(&self, id: TypeId) -> &TypeDef {
        decode::type_def(self, id)
    }

    /// A type by name.
    pub fn named(&self, name: &str) -> Option<&TypeDef> {
        self.type_id(name).map(|id| self.get(id))
    }

    /// The name of a type, without decoding it.
    pub fn name(&self, id: TypeId) -> &'static str {
        self.heads.get(usize::from(id.0)).map_or("", |h| h.name)
    }

    /// The kind of a type, without decoding it.
    pub fn kind(&self, id: TypeId) -> TypeKind {
        self.heads.get(usize::from(id.0)).map_or(TypeKind::Complex, |h| h.kind)
    }

    /// The id of a concrete resource type; `None` for any other name.
    pub fn resource_type(&self, name: &str) -> Option<TypeId> {
        let id = self.type_id(name)?;
        let head = self.heads.get(usize::from(id.0))?;
        (head.kind == TypeKind::Resource && !head.is_abstract).then_some(id)
    }

    /// The static name of a concrete resource type.
    pub fn resource_name(&self, name: &str) -> Option<&'static str> {
        self.resource_type(name).map(|id| self.name(id))
    }

    /// All concrete resource types by name, in alphabetical order.
    pub fn resource_types(&self) -> impl Iterator<Item = (TypeId, &'static str)> {
        self.heads.iter().enumerate().filter_map(|(i, h)| {
            let id = TypeId(u16::try_from(i).ok()?);
            (h.kind == TypeKind::Resource && !h.is_abstract).then_some((id, h.name))
        })
    }

    /// All types.
    pub fn types(&self) -> impl Iterator<Item = TypeId> {
        (0..self.heads.len()).filter_map(|i| u16::try_from(i).ok().map(TypeId))
    }

    /// Whether `id` is `ancestor` or specialises it.
    pub fn is_a(&self, id: TypeId, ancestor: TypeId) -> bool {
        let mut here = Some(id);
        while let Some(at) = here {
            if at == ancestor {
                return true;
            }
            here = self.heads.get(usize::from(at.0)).and_then(|h| self.type_id(h.base));
        }
        false
    }

    /// A value set of a required binding, by canonical address without version.
    pub fn value_set(&self, url: &str) -> Option<std::sync::Arc<ValueSet>> {
        decode::value_set(self, url)
    }

    /// All search parameters.
    pub fn search_parameters(&self) -> &[SearchParameter] {
        self.search.get_or_init(|| decode::search_parameters(self.search_text))
    }

    /// All compartment memberships.
    pub fn compartments(&self) -> &[CompartmentMember] {
        self.compartments.get_or_init(|| decode::compartments(self.tail))
    }

    /// All operations.
    pub fn operations(&self) -> &[Operation] {
        self.operations.get_or_init(|| decode::operations(self.tail))
    }
}

impl TypeDef {
    /// Resolves the name of a JSON member (without a leading `_`).
    pub fn member(&self, json_name: &str) -> Option<Member<'_>> {
        let at = self.members.binary_search_by(|(n, _, _)| (**n).cmp(json_name)).ok()?;
        let (_, element, of) = self.members.get(at)?;
        let index = usize::from(*element);
        let element = self.elements.get(index)?;
        Some(Member { element, index, of: element.types.get(usize::from(*of))? })
    }

    /// An element by its name (a choice without `[x]`).
    pub fn element(&self, name: &str) -> Option<&Element> {
        self.elements.iter().find(|e| e.name == name)
    }

    /// The JSON names of the type's elements, with the element each stands for.
    pub fn member_names(&self) -> impl Iterator<Item = (&str, Member<'_>)> {
        self.members.iter().filter_map(|(name, _, _)| Some((&**name, self.member(name)?)))
    }
}
