//! Operations: what may be asked of a department beside create, read and search
//! (<https://hl7.org/fhir/R4/operations.html>). Each is declared once, as a value; the HTTP address, the
//! `OperationDefinition`, the entries of the `CapabilityStatement`, the command and the reference page
//! are derived from it. A door takes the input apart, [`Session::call`] decides whether it may be asked,
//! and its function does it through the gate.

mod call;
mod definition;
mod input;

pub use input::{Given, Input};

use crate::session::Session;
use access::{Action, Purpose};
use audit::Kind;
use base::Fault;
use std::future::Future;
use std::pin::Pin;

/// What a call is under way.
pub type Answering<'a> = Pin<Box<dyn Future<Output = Result<Output, Fault>> + Send + 'a>>;

/// An operation of a department.
#[derive(Debug)]
pub struct Operation {
    /// Its name in addresses, after the `$`: letters in lower case, digits and hyphens.
    pub name: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// What it does and for whom, in sentences.
    pub about: &'static str,
    /// Where it is asked.
    pub at: At,
    /// What it takes.
    pub input: &'static [Parameter],
    /// What it answers.
    pub output: &'static [Parameter],
    /// What the caller must be permitted for it to be asked at all. What it then reaches is decided at
    /// each record, as of any access.
    pub needs: &'static [Need],
    /// The purposes of use it may be asked for; any when empty.
    pub purposes: &'static [Purpose],
    /// What asking does.
    pub effect: Effect,
    /// Whether agents may ask for it.
    pub agents: Agents,
    /// What the access log calls it.
    pub kind: Kind,
    /// Does it. Nearly all of its work is done on the thread that polls it first, which may block.
    pub run: for<'a> fn(&'a Session, &'a Input) -> Answering<'a>,
}

/// Where an operation is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// `[base]/$name`
    System,
    /// `[base]/Type/$name`
    Type(&'static str),
    /// `[base]/Type/[id]/$name`, of any of these types.
    Instance(&'static [&'static str]),
}

/// A permission: an action on a type of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The action.
    pub action: Action,
    /// The type.
    pub resource_type: &'static str,
}

/// What asking does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It changes nothing: it may be asked with `GET` too, and again.
    Reads,
    /// It changes records.
    Writes {
        /// What happens when it is asked twice.
        again: Again,
        /// What a person is asked before.
        confirm: &'static str,
        /// How it is undone, for a person to read; none when it cannot be.
        undo: Option<&'static str>,
    },
}

/// What happens when the same is asked twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The same as when it is asked once.
    Same,
    /// The same, when this parameter holds the same key.
    Keyed(&'static str),
    /// It is done twice.
    Twice,
}

/// Whether agents may ask for an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agents {
    /// They may not.
    Never,
    /// When whoever they act for approved this very call.
    Approved,
    /// As whoever they act for may.
    May,
}

/// A parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// How often it stands there, at least.
    pub min: u16,
    /// At most.
    pub max: u16,
    /// What it says, in a sentence.
    pub about: &'static str,
    /// Its parts, of [`Holds::Parts`].
    pub parts: &'static [Self],
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// `valueString`
    Text,
    /// `valueCode`
    Code,
    /// `valueBoolean`
    Boolean,
    /// `valueInteger`
    Integer,
    /// `valueDateTime`, a `date` or a `dateTime`
    DateTime,
    /// `valueInstant`
    Instant,
    /// `valueUri`
    Uri,
    /// `valueReference`: `Type/id`
    Reference,
    /// `resource`, of this type; of any when it is `Resource`
    Resource(&'static str),
    /// Parameters of its own; in answers only.
    Parts,
}

/// What an operation answers: one resource, which for most is a `Parameters`.
#[derive(Debug)]
pub struct Output {
    /// The resource.
    pub body: Vec<u8>,
}

impl Operation {
    /// Whether it changes nothing.
    pub const fn only_reads(&self) -> bool {
        matches!(self.effect, Effect::Reads)
    }

    /// The types at whose address, or that of whose records, it is asked.
    pub const fn types(&self) -> &[&'static str] {
        match &self.at {
            At::System => &[],
            At::Type(one) => std::slice::from_ref(one),
            At::Instance(types) => types,
        }
    }

    /// Whether it is asked at the address of a record, of a type, or of the whole.
    pub fn is_at(&self, resource_type: Option<&str>, instance: bool) -> bool {
        match (self.at, resource_type) {
            (At::System, None) => true,
            (At::Type(own), Some(asked)) => own == asked && !instance,
            (At::Instance(types), Some(asked)) => instance && types.contains(&asked),
            (At::System | At::Type(_) | At::Instance(_), _) => false,
        }
    }

    /// Its addresses below the base, as documentation writes them.
    pub fn addresses(&self) -> Vec<String> {
        match self.at {
            At::System => vec![format!("/${}", self.name)],
            At::Type(of) => vec![format!("/{of}/${}", self.name)],
            At::Instance(types) => {
                types.iter().map(|of| format!("/{of}/[id]/${}", self.name)).collect()
            }
        }
    }

    /// The logical id of its `OperationDefinition`: the types, and the name.
    pub fn id(&self) -> String {
        let mut id = String::new();
        for of in self.types() {
            id.push_str(of);
            id.push('-');
        }
        id.push_str(self.name);
        id
    }
}

impl Holds {
    /// The FHIR type.
    pub const fn fhir_type(self) -> Option<&'static str> {
        match self {
            Self::Text => Some("string"),
            Self::Code => Some("code"),
            Self::Boolean => Some("boolean"),
            Self::Integer => Some("integer"),
            Self::DateTime => Some("dateTime"),
            Self::Instant => Some("instant"),
            Self::Uri => Some("uri"),
            Self::Reference => Some("Reference"),
            Self::Resource(of) => Some(of),
            Self::Parts => None,
        }
    }
}
