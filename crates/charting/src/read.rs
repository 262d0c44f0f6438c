//! FHIR data types as rows of a screen hold them (<https://hl7.org/fhir/R4/datatypes.html>): a concept
//! with its words, a quantity with its digits as they were written, a reference with whom it names.

use base::Limits;
use fhir::{Document, Value};
use fhirpath::Decimal;
use record::{ChartPart, Hit, Reach};
use std::fmt;

/// Prints the name of a type that holds what is said of a patient, and nothing of it: such values end
/// in logs by their debug output (45 CFR 164.312(a)).
macro_rules! hidden {
    ($($type:ident),* $(,)?) => {
        $(impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($type), "(‹phi›)"))
            }
        })*
    };
}
pub(crate) use hidden;

/// A part of a chart: its rows, and how far they are the whole.
#[derive(Clone)]
pub struct Part<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many there are that the caller can reach.
    pub total: u64,
    /// How much of such records the caller can reach at all.
    pub reach: Reach,
    /// Elements of these records are left out for the caller's role.
    pub masked: bool,
}

impl<T> fmt::Debug for Part<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Part({} of {}, {:?})", self.rows.len(), self.total, self.reach)
    }
}

impl<T> Part<T> {
    /// There are more than these.
    pub fn is_partial(&self) -> bool {
        u64::try_from(self.rows.len()).unwrap_or(u64::MAX) < self.total
    }

    /// Whether the caller may be told that some of these could be withheld. It says nothing of whether
    /// any is.
    pub fn may_withhold(&self) -> bool {
        self.masked || self.reach != Reach::Whole
    }

    /// The rows of a part of a chart, each made of one record.
    pub(crate) fn of(part: &ChartPart, make: impl Fn(&Hit, Value<'_>) -> T) -> Self {
        let rows: Vec<T> = part
            .page
            .matches
            .iter()
            .filter_map(|hit| parsed(hit).map(|document| make(hit, document.root())))
            .collect();
        let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let total = part.page.total.unwrap_or(shown);
        Self { rows, total, reach: part.reach.clone(), masked: part.masked }
    }
}

/// A stored body, parsed. The store parsed it once, within the same limits.
pub(crate) fn parsed(hit: &Hit) -> Option<Document> {
    Document::parse(hit.body.clone(), &Limits::default()).ok()
}

/// A code of a system.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Coding {
    /// The system's address; empty when none is given.
    pub system: String,
    /// The code.
    pub code: String,
    /// What the system calls it, as the record has it.
    pub display: String,
}

/// A concept in words, and its codes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Concept {
    /// Its text, or what a coding is called, or its code; empty when it has none of them.
    pub text: String,
    /// Its codings.
    pub codings: Vec<Coding>,
}

hidden!(Coding, Concept, Quantity, Named);

impl Concept {
    /// Reads a `CodeableConcept`.
    pub(crate) fn of(value: Value<'_>) -> Self {
        let codings: Vec<Coding> =
            value.get("coding").into_iter().flat_map(Value::items).map(Coding::of).collect();
        let text = value.get_str("text").map(|text| text.into_owned()).or_else(|| {
            let called = codings.iter().find(|one| !one.display.is_empty());
            let called = called.map(|one| one.display.clone());
            called.or_else(|| codings.first().map(|one| one.code.clone()))
        });
        Self { text: text.unwrap_or_default(), codings }
    }

    /// Whether it has this code, of this system.
    pub fn is(&self, system: &str, code: &str) -> bool {
        self.codings.iter().any(|one| one.system == system && one.code == code)
    }

    /// Whether it has one of these codes, of whatever system.
    pub(crate) fn has(&self, codes: &[&str]) -> bool {
        self.codings.iter().any(|one| codes.contains(&one.code.as_str()))
    }

    /// Whether two name the same thing: a code in common, or, of concepts without codes, the same words.
    pub fn same(&self, other: &Self) -> bool {
        let shared = self.codings.iter().any(|one| {
            other.codings.iter().any(|two| one.system == two.system && one.code == two.code)
        });
        let folded = |text: &str| text.trim().to_lowercase();
        shared || (!self.text.trim().is_empty() && folded(&self.text) == folded(&other.text))
    }
}

impl Coding {
    pub(crate) fn of(value: Value<'_>) -> Self {
        Self {
            system: text(value, "system"),
            code: text(value, "code"),
            display: text(value, "display"),
        }
    }
}

/// A quantity, with its digits as they were written.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Quantity {
    /// `<`, `<=`, `>=`, `>` or empty.
    pub comparator: String,
    /// The digits.
    pub value: String,
    /// The unit as people read it; empty when there is none.
    pub unit: String,
    /// The unit's UCUM code, when it has one.
    pub code: String,
}

impl Quantity {
    /// Reads a `Quantity`; `None` without a value.
    pub(crate) fn of(value: Value<'_>) -> Option<Self> {
        let digits = value.get("value")?.as_number()?.to_owned();
        let code = text(value, "code");
        let unit = text(value, "unit");
        let unit = if unit.is_empty() { &code } else { &unit };
        let unit = fhirpath::units::shown(unit).into_owned();
        Some(Self { comparator: text(value, "comparator"), value: digits, unit, code })
    }

    /// Its number.
    pub fn number(&self) -> Option<Decimal> {
        Decimal::parse(&self.value)
    }

    /// With its unit, never without.
    pub(crate) fn words(&self) -> String {
        let Self { comparator, value, unit, .. } = self;
        if unit.is_empty() {
            format!("{comparator}{value}")
        } else {
            format!("{comparator}{value} {unit}")
        }
    }
}

/// Somebody or something that a record names.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// `Practitioner/1`, or empty when only words are there.
    pub reference: String,
    /// What it is called; empty when the record does not say.
    pub display: String,
}

impl Named {
    pub(crate) fn of(value: Value<'_>) -> Self {
        Self { reference: text(value, "reference"), display: text(value, "display") }
    }
}

/// A string member, or nothing.
pub(crate) fn text(value: Value<'_>, name: &str) -> String {
    value.get_str(name).map(|text| text.into_owned()).unwrap_or_default()
}

/// The items of a repeating member.
pub(crate) fn each<'v>(value: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// A member that is a concept.
pub(crate) fn concept(value: Value<'_>, name: &str) -> Concept {
    value.get(name).map(Concept::of).unwrap_or_default()
}

/// The first of these members that is there, as a date: a primitive, or the start of a period.
pub(crate) fn when(value: Value<'_>, names: &[&str]) -> String {
    names
        .iter()
        .find_map(|name| {
            let found = value.get(name)?;
            match found.is_object() {
                true => found.get_str("start").or_else(|| found.get_str("end")),
                false => found.as_str(),
            }
        })
        .map(|text| text.into_owned())
        .unwrap_or_default()
}

/// The value of an extension by its address.
pub(crate) fn extension<'v>(value: Value<'v>, url: &str, name: &str) -> Option<Value<'v>> {
    each(value, "extension").find(|one| one.get_str("url").as_deref() == Some(url))?.get(name)
}

/// The instant a date begins at, to sort by; dates that cannot be read sort last.
pub(crate) fn instant(text: &str) -> i64 {
    fhir::date::parse(text).map_or(i64::MIN, |range| range.low)
}
