//! Structural validation of every write against FHIR R4 (<https://hl7.org/fhir/R4/validation.html>):
//! members, JSON shapes, cardinalities, choice types, formats of primitives, required bindings,
//! references, contained resources, narrative, bundles. One pass over the parsed document; a valid
//! resource costs no allocation but for narratives and contained resources.
//!
//! Invariants stated in `FHIRPath` are not evaluated here; the few checked are the structural ones:
//! ele-1, ext-1, ref-1, dom-2 to dom-5, txt-1 and txt-2. docs/internals/validation.md tells the rest.

mod container;
mod names;
mod primitive;
mod report;
mod rules;
mod siblings;
mod table;
mod walk;

use base::Issue;
use fhir::Value;

/// At most so many issues are told of one document; the walk stops there.
pub const ISSUES_MAX: usize = 50;

/// What may differ between one write and another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// The resource is an entry of a transaction, so its references may be conditional
    /// (`Patient?identifier=…`). Entries of a bundle of type `transaction` are so by themselves.
    pub in_transaction: bool,
    /// A contained resource that nothing refers to (dom-3) is an error; else it is a warning.
    pub strict: bool,
    /// The resources in a bundle's entries are validated by someone else, one by one.
    pub shallow_bundle: bool,
}

/// Validates a resource. Nothing wrong: an empty list. [`base::Fault::of`] makes a refusal of the
/// issues if there is an error among them.
///
/// Diagnostics name elements, types and codes, never other content.
pub fn validate(resource: Value<'_>, options: &Options) -> Vec<Issue> {
    walk::Walk::new(options).run(resource)
}
