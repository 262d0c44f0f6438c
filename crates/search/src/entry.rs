//! What a resource yields to the index: one [`Entry`] for each value an atom finds.

use crate::registry::AtomId;
use std::borrow::Cow;

/// One value at one atom of a resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry<'a> {
    /// The path it was found at.
    pub atom: AtomId,
    /// For atoms that composites join inside one repeat (`Observation.component`): which repeat,
    /// counted from 1. Zero everywhere else.
    pub group: u16,
    /// The value.
    pub value: EntryValue<'a>,
}

/// A value as the index keeps it.
#[derive(Debug, Clone, PartialEq)]
pub enum EntryValue<'a> {
    /// A code from a closed or shared vocabulary: `Coding`, `CodeableConcept`, `code`, boolean.
    Token {
        /// Empty when there is none.
        system: Cow<'a, str>,
        /// May be empty when only text is given.
        code: Cow<'a, str>,
        /// Display or text, for `:text`; the first of `CodeableConcept.text`, `Coding.display`.
        text: Option<Cow<'a, str>>,
    },
    /// An `Identifier` or `ContactPoint`: values that are many and mostly unique.
    Identifier {
        /// Empty when there is none.
        system: Cow<'a, str>,
        /// The value itself.
        value: Cow<'a, str>,
        /// `Identifier.type.coding` system and code, one entry each, for `:of-type`.
        of_type: Option<(Cow<'a, str>, Cow<'a, str>)>,
    },
    /// Text; the index folds it with [`crate::fold::fold`] and keeps the original beside it.
    String(Cow<'a, str>),
    /// A reference to a resource of this server.
    Reference {
        /// A concrete resource type.
        resource_type: &'static str,
        /// Its logical id.
        id: Cow<'a, str>,
    },
    /// A reference or canonical that is some other address (absolute, `urn:`).
    Address(Cow<'a, str>),
    /// A span of milliseconds, both ends included.
    Date {
        /// First millisecond; `fhir::date::OPEN_LOW` when open.
        low: i64,
        /// Last millisecond; `fhir::date::OPEN_HIGH` when open.
        high: i64,
    },
    /// A number, as the nearest float: an index key only.
    Number(f64),
    /// A quantity or money.
    Quantity {
        /// The value, as the nearest float.
        value: f64,
        /// Empty when there is none (`urn:iso:std:iso:4217` for money).
        system: Cow<'a, str>,
        /// The coded unit; empty when there is none.
        code: Cow<'a, str>,
        /// The unit as people read it; empty when there is none.
        unit: Cow<'a, str>,
    },
    /// A `uri`, `url` or `canonical` that a uri parameter indexes.
    Uri(Cow<'a, str>),
}
