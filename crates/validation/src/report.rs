//! How an issue is told: the code of base's table, a sentence that helps, and the place. Sentences
//! are made when something is wrong only, and never hold more of the content than element names
//! and short codes.

use crate::ISSUES_MAX;
use crate::primitive::Wrong;
use crate::table::{Slot, Table};
use crate::walk::Walk;
use base::error::code;
use base::{Code, Issue, Severity};
use fhir::definitions::r4;
use fhir::{Kind, Value};

/// Warnings may not crowd out errors.
const WARNINGS_MAX: usize = 10;

/// The longest piece of a caller's text that is told back.
const QUOTED_MAX: usize = 64;

impl Walk<'_, '_> {
    /// Tells an error at the place of a value.
    pub(crate) fn error(&mut self, code: &'static Code, at: Value<'_>, text: impl Into<String>) {
        if !self.is_full() {
            self.tell(Severity::Error, code, at.path(), text.into());
        }
    }

    /// Tells a warning at the place of a value.
    pub(crate) fn warning(&mut self, code: &'static Code, at: Value<'_>, text: impl Into<String>) {
        if self.warnings < WARNINGS_MAX {
            self.warnings += 1;
            self.tell(Severity::Warning, code, at.path(), text.into());
        }
    }

    fn tell(&mut self, severity: Severity, code: &'static Code, path: String, text: String) {
        if !self.is_full() {
            // In FHIRPath the id and extensions of a primitive are its own.
            let path = if path.contains("._") { path.replace("._", ".") } else { path };
            let expression = (!path.is_empty()).then_some(path);
            self.issues.push(Issue { code, severity, diagnostics: text, expression });
        }
    }

    /// Nothing more will be told, so there is no need to look further.
    pub(crate) fn is_full(&self) -> bool {
        self.issues.len() >= ISSUES_MAX
    }

    /// Elements that must be there and are not.
    pub(crate) fn missing(&mut self, at: Value<'_>, table: &Table, mut bits: u128) {
        while let Some(element) = usize::try_from(bits.trailing_zeros())
            .ok()
            .and_then(|index| table.def.elements.get(index))
        {
            bits &= bits - 1;
            let choice = if element.choice { "[x]" } else { "" };
            let text = format!("{}.{}{choice} is required", table.def.name, element.name);
            let path = format!("{}.{}", at.path(), element.name);
            self.tell(Severity::Error, &code::ELEMENT_REQUIRED, path, text);
        }
    }

    /// A member that its type does not have.
    pub(crate) fn unknown(&mut self, name: &str, at: Value<'_>, table: &Table) {
        let def = table.def;
        let text = if name == "fhir_comments" {
            "fhir_comments is of DSTU2; R4 has no comments in JSON".to_owned()
        } else if name == "resourceType" {
            format!("{} is not a resource, so it has no resourceType", def.name)
        } else if let Some(choice) = def.element(name).filter(|e| e.choice) {
            let types = choice.types.iter().map(|t| r4().name(t.id));
            let types = types.take(3).collect::<Vec<_>>().join(", ");
            format!("{}.{name}[x] carries its type in its name (one of {types} …)", def.name)
        } else if let Some((known, _)) =
            table.names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            format!("{} has no element of this name; is {known} meant?", def.name)
        } else if is_name(name) {
            format!("{} has no element {name}", def.name)
        } else {
            format!("{} has no element of this name", def.name)
        };
        self.error(&code::ELEMENT_UNKNOWN, at, text);
    }

    /// A primitive that is not as it should be.
    pub(crate) fn wrong(&mut self, at: Value<'_>, slot: &Slot, wrong: Wrong) {
        let type_name = r4().name(slot.of.id);
        match wrong {
            Wrong::Shape(_) if matches!(at.kind(), Kind::Null | Kind::Array) => {
                self.wrong_kind(at, slot, "");
            }
            Wrong::Shape(what) => {
                let found = kind_name(at.kind());
                let text = format!("{type_name} is {what}; this is {found}");
                self.error(&code::ELEMENT_TYPE, at, text);
            }
            Wrong::Empty => self.error(&code::ELEMENT_EMPTY, at, "a string is never empty"),
            Wrong::Format(what) => {
                let text = format!("the value of type {type_name} is not {what}");
                self.error(&code::PRIMITIVE_FORMAT, at, text);
            }
        }
    }

    /// Another JSON kind than an object or array stands where one belongs.
    pub(crate) fn wrong_kind(&mut self, at: Value<'_>, slot: &Slot, expected: &str) {
        if at.kind() == Kind::Null {
            return self.null(at);
        }
        if at.is_array() {
            let text = format!("{} is one value here; this is an array", slot.element.name);
            return self.error(&code::ELEMENT_REPEATS, at, text);
        }
        let found = kind_name(at.kind());
        let text = format!("{} is {expected}; this is {found}", slot.element.name);
        self.error(&code::ELEMENT_TYPE, at, text);
    }

    /// A null that stands for nothing.
    pub(crate) fn null(&mut self, at: Value<'_>) {
        let text = "null is allowed only in an array of primitives, beside an object in the array \
                    of the same name with an underscore";
        self.error(&code::ELEMENT_NULL, at, text);
    }
}

/// A code in quotes, or that there is one, when it is too long or odd to be told back.
pub(crate) fn quoted(code: &str) -> String {
    let plain = code.len() <= QUOTED_MAX
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'));
    if plain { format!("'{code}'") } else { "the code".to_owned() }
}

fn is_name(name: &str) -> bool {
    name.len() <= QUOTED_MAX && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Object => "an object",
        Kind::Array => "an array",
        Kind::String => "a string",
        Kind::Number => "a number",
        Kind::True | Kind::False => "a boolean",
        Kind::Null => "null",
    }
}
