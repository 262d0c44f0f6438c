//! Which search parameters each type has, and the atoms they read.
//!
//! An *atom* is one path of one resource type, read in one shape. Parameters share atoms: `code` and
//! `combo-code` of `Observation` both read `Observation.code`, and `patient` reads the same atom as
//! `subject`. The index is keyed by atom, so nothing is stored twice.

use fhir::definitions::{SearchKind, TypeId};

/// An atom's number in this build's registry. Stores keep their own numbers, keyed by [`Atom::key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AtomId(pub u16);

/// How an atom's values are kept, and so in which index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// [`crate::entry::EntryValue::Token`]
    Token,
    /// [`crate::entry::EntryValue::Identifier`]
    Identifier,
    /// [`crate::entry::EntryValue::String`]
    String,
    /// [`crate::entry::EntryValue::Reference`] or `Address`
    Reference,
    /// [`crate::entry::EntryValue::Date`]
    Date,
    /// [`crate::entry::EntryValue::Number`]
    Number,
    /// [`crate::entry::EntryValue::Quantity`]
    Quantity,
    /// [`crate::entry::EntryValue::Uri`]
    Uri,
}

/// One path of one type, read in one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Atom {
    /// Its number.
    pub id: AtomId,
    /// The type it belongs to.
    pub resource_type: TypeId,
    /// Its stable name: `Observation|Observation.code|token`. What stores remember.
    pub key: String,
    /// How its values are kept.
    pub shape: Shape,
}

/// A search parameter as it applies to one type.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name in a query.
    pub code: &'static str,
    /// Its canonical address.
    pub url: &'static str,
    /// Its kind.
    pub kind: SearchKind,
    /// The atoms it reads; several when its expression is a union. Empty for composites and specials.
    pub atoms: Vec<AtomId>,
    /// For references: the atoms of `Reference.identifier` beside them, for `:identifier`.
    pub identifier_atoms: Vec<AtomId>,
    /// For references: the types it may point at (concrete names).
    pub targets: Vec<TypeId>,
    /// For composites: the ways it can match.
    pub composite: Vec<CompositeAlternative>,
}

/// One way a composite parameter can match: all components in one place.
#[derive(Debug, Clone)]
pub struct CompositeAlternative {
    /// The components, in the order of the query's `$` parts.
    pub components: Vec<CompositeComponent>,
}

/// One component of a composite.
#[derive(Debug, Clone)]
pub struct CompositeComponent {
    /// Its kind, which decides how its part of the query is read.
    pub kind: SearchKind,
    /// The atoms it reads.
    pub atoms: Vec<AtomId>,
    /// It must match in the same repeat as the other grouped components.
    pub grouped: bool,
}
