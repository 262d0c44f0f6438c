//! Which search parameters each type has, and the atoms they read.
//!
//! An *atom* is one path of one resource type, read in one shape. Parameters share atoms: `code` and
//! `combo-code` of `Observation` both read `Observation.code`, and `patient` reads the same atom as
//! `subject`. The index is keyed by atom, so nothing is stored twice.

use crate::extract::Program;
use fhir::definitions::{SearchKind, TypeId};
use std::sync::{LazyLock, OnceLock};

mod build;
mod dates;
pub(crate) mod path;
mod read;

pub(crate) use build::Plan;

static REGISTRY: LazyLock<Registry> = LazyLock::new(build::build);

/// The registry of FHIR R4's own search parameters.
pub fn registry() -> &'static Registry {
    &REGISTRY
}

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

impl Shape {
    /// The word for it in [`Atom::key`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Identifier => "identifier",
            Self::String => "string",
            Self::Reference => "reference",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Uri => "uri",
        }
    }
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
    /// Of a date of which a record has one at most, and which is no period: how long it can be, in
    /// milliseconds. A date without its day lasts a year.
    pub once_ms: Option<i64>,
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

/// How a type belongs to a compartment.
#[derive(Debug, Clone, Copy)]
pub struct Compartment<'r> {
    /// The type is the compartment's own: the focus belongs to it by its id.
    pub focus: bool,
    /// The reference atoms by which other records belong to it.
    pub atoms: &'r [AtomId],
}

/// All parameters and atoms.
#[derive(Debug)]
pub struct Registry {
    atoms: Vec<Atom>,
    /// By [`TypeId`], all types.
    types: Vec<TypeEntry>,
    skipped: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct TypeEntry {
    of: TypeId,
    parameters: Vec<Parameter>,
    plans: Vec<Plan>,
    program: OnceLock<Program>,
    primary_date: Option<AtomId>,
    compartments: Vec<(&'static str, bool, Vec<AtomId>)>,
}

impl Registry {
    /// The parameters of a type, those of all types included, by name.
    pub fn parameters(&self, of: TypeId) -> &[Parameter] {
        self.entry(of).map_or(&[], |e| &e.parameters)
    }

    /// One parameter of a type by its name.
    pub fn parameter(&self, of: TypeId, code: &str) -> Option<&Parameter> {
        let parameters = self.parameters(of);
        let at = parameters.binary_search_by(|p| p.code.cmp(code)).ok()?;
        parameters.get(at)
    }

    /// All atoms; an atom's id is its position. Ids follow the order of the keys, so they are the
    /// same in every process of this build.
    pub fn atoms(&self) -> &[Atom] {
        &self.atoms
    }

    /// An atom by its number.
    pub fn atom(&self, id: AtomId) -> &Atom {
        static NONE: LazyLock<Atom> = LazyLock::new(|| Atom {
            id: AtomId(u16::MAX),
            resource_type: TypeId(u16::MAX),
            key: String::new(),
            shape: Shape::Token,
            once_ms: None,
        });
        self.atoms.get(usize::from(id.0)).unwrap_or(&NONE)
    }

    /// The atoms by which records of a type belong to a patient.
    pub fn patient_compartment(&self, of: TypeId) -> &[AtomId] {
        self.compartment("Patient", of).map_or(&[], |c| c.atoms)
    }

    /// How a type belongs to the compartment of a focus type; `None` when it never does.
    pub fn compartment(&self, name: &str, of: TypeId) -> Option<Compartment<'_>> {
        let entry = self.entry(of)?;
        let (_, focus, atoms) = entry.compartments.iter().find(|(n, _, _)| *n == name)?;
        Some(Compartment { focus: *focus, atoms })
    }

    /// The atom of a type's natural clinical date, by which its records are usually sorted.
    pub fn primary_date(&self, of: TypeId) -> Option<AtomId> {
        self.entry(of)?.primary_date
    }

    /// The parameters of the specification that are not indexed, by address, with the reason.
    pub fn skipped(&self) -> &[(&'static str, String)] {
        &self.skipped
    }

    /// The extraction program of a type, compiled when it is first asked for.
    pub(crate) fn program(&self, of: TypeId) -> Option<&Program> {
        let entry = self.entry(of)?;
        Some(entry.program.get_or_init(|| Program::compile(of, &entry.plans)))
    }

    fn entry(&self, of: TypeId) -> Option<&TypeEntry> {
        self.types.get(usize::from(of.0))
    }
}
