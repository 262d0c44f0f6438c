//! What a caller may see. A scope is decided elsewhere (crate `access`, when it comes); the store
//! only enforces it, everywhere: a record outside the scope does not exist for base rows, chains,
//! `_has`, includes, sort keys, counts and history (45 CFR 164.312(a)(1); 164.502(b)).

use fhir::definitions::TypeId;
use std::collections::BTreeSet;

/// A filter on records. The parts narrow each other; [`Scope::everything`] narrows nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    types: Option<BTreeSet<TypeId>>,
    patient: Option<String>,
    withheld_labels: u64,
}

impl Scope {
    /// All records.
    pub const fn everything() -> Self {
        Self { types: None, patient: None, withheld_labels: 0 }
    }

    /// Only records of these types.
    #[must_use]
    pub fn of_types(mut self, types: impl IntoIterator<Item = TypeId>) -> Self {
        let given: BTreeSet<TypeId> = types.into_iter().collect();
        self.types = Some(match self.types {
            Some(present) => present.intersection(&given).copied().collect(),
            None => given,
        });
        self
    }

    /// Only records in the compartment of the patient with this logical id, the patient included.
    #[must_use]
    pub fn of_patient(mut self, id: impl Into<String>) -> Self {
        self.patient = Some(id.into());
        self
    }

    /// Only records that carry none of these label bits.
    #[must_use]
    pub const fn without_labels(mut self, labels: u64) -> Self {
        self.withheld_labels |= labels;
        self
    }

    /// Nothing is narrowed.
    pub const fn is_everything(&self) -> bool {
        self.types.is_none() && self.patient.is_none() && self.withheld_labels == 0
    }

    /// Whether a type can be seen at all.
    pub fn sees_type(&self, id: TypeId) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&id))
    }

    /// The patient the scope is confined to.
    pub fn patient(&self) -> Option<&str> {
        self.patient.as_deref()
    }

    /// The label bits withheld.
    pub const fn withheld_labels(&self) -> u64 {
        self.withheld_labels
    }
}

/// Something that reads records, bound to a scope. The only way to reach a table of records from
/// outside the engine is through one of these, so no read path exists that forgets the caller.
///
/// Items ([`crate::Item`]) are no records and are read without a scope: they have no type, patient or
/// label to be seen by, and no search, chain or history reaches their table.
#[derive(Debug)]
pub struct Scoped<'s, T> {
    pub(crate) inner: T,
    pub(crate) scope: &'s Scope,
}

impl<'s, T> Scoped<'s, T> {
    /// Binds.
    pub(crate) const fn new(inner: T, scope: &'s Scope) -> Self {
        Self { inner, scope }
    }

    /// The scope it is bound to.
    pub const fn scope(&self) -> &'s Scope {
        self.scope
    }
}
