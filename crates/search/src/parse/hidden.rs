//! Parameters that do not exist for a caller: those that read an element the caller may not see
//! (45 CFR 164.502(b)). A search by a hidden element would tell it, value by value; so the name is
//! refused exactly as one that nobody knows, wherever it stands.

use super::Options;
use crate::registry::{Parameter, registry};
use fhir::definitions::{SearchKind, TypeId};
use std::fmt;

/// What a caller may not search by.
pub trait Hides: fmt::Debug + Send + Sync {
    /// Whether a parameter of a type reads something hidden.
    fn hides(&self, of: TypeId, parameter: &Parameter) -> bool;
    /// Whether something of a type is hidden at all: then its words are not searched either.
    fn hides_words(&self, of: TypeId) -> bool;
}

impl Options {
    /// The parameters of a type that exist for the caller.
    pub(super) fn parameters(&self, of: TypeId) -> impl Iterator<Item = &'static Parameter> {
        let seen =
            move |p: &&Parameter| !self.hidden.as_ref().is_some_and(|hidden| hidden.hides(of, p));
        registry().parameters(of).iter().filter(seen)
    }

    /// One of them by its name.
    pub(super) fn parameter(&self, of: TypeId, code: &str) -> Option<&'static Parameter> {
        let found = registry().parameter(of, code)?;
        match &self.hidden {
            Some(hidden) if hidden.hides(of, found) => None,
            _ => Some(found),
        }
    }

    /// Those that are references.
    pub(super) fn references(&self, of: TypeId) -> impl Iterator<Item = &'static Parameter> {
        self.parameters(of).filter(|p| p.kind == SearchKind::Reference)
    }

    /// The first of these types whose words must not be searched.
    pub(super) fn wordless(&self, types: &[TypeId]) -> Option<TypeId> {
        let hidden = self.hidden.as_ref()?;
        types.iter().copied().find(|of| hidden.hides_words(*of))
    }
}
