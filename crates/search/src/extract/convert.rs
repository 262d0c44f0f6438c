//! How a value of a FHIR type becomes index entries of a shape
//! (<https://hl7.org/fhir/R4/search.html#ptypes>: the tables of data types at each kind).

use crate::entry::EntryValue;
use crate::registry::Shape;
use fhir::date::{OPEN_HIGH, OPEN_LOW};
use fhir::definitions::{Element, Strength, TypeId, r4};
use fhir::json::{Kind, Value};
use fhir::reference::Reference;
use std::borrow::Cow;

/// A conversion, chosen once per atom and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Convert {
    /// A code or boolean; the system is the one of its required binding, when that has only one.
    Code(&'static str),
    Coding,
    CodeableConcept,
    Identifier,
    ContactPoint,
    Text,
    HumanName,
    Address,
    ConceptText,
    Display,
    Reference,
    /// A canonical or uri where a reference is asked for.
    Canonical,
    /// A whole resource where a reference is asked for: `Bundle.entry[0].resource`.
    Resource,
    Date,
    Period,
    Timing,
    Number,
    NumberRange,
    Quantity,
    Money,
    QuantityRange,
    Uri,
    CanonicalUri,
}

impl Convert {
    /// The conversion of a type to a shape; `None` when the specification knows none.
    /// The element, when known, tells the system of its codes.
    pub(crate) fn of(shape: Shape, of: TypeId, element: Option<&Element>) -> Option<Self> {
        let name = r4().name(of);
        Some(match (shape, name) {
            (Shape::Token, "code" | "boolean" | "string" | "id" | "uri" | "markdown") => {
                Self::Code(implied_system(name, element))
            }
            (Shape::Token, "Coding") => Self::Coding,
            (Shape::Token, "CodeableConcept") => Self::CodeableConcept,
            (Shape::Identifier, "Identifier") => Self::Identifier,
            (Shape::Identifier, "ContactPoint") => Self::ContactPoint,
            (Shape::String, "string" | "markdown" | "code" | "uri" | "id") => Self::Text,
            (Shape::String, "HumanName") => Self::HumanName,
            (Shape::String, "Address") => Self::Address,
            (Shape::String, "CodeableConcept") => Self::ConceptText,
            (Shape::String, "Coding") => Self::Display,
            (Shape::Reference, "Reference") => Self::Reference,
            (Shape::Reference, "canonical" | "uri" | "url") => Self::Canonical,
            (Shape::Reference, "Resource") => Self::Resource,
            (Shape::Date, "date" | "dateTime" | "instant") => Self::Date,
            (Shape::Date, "Period") => Self::Period,
            (Shape::Date, "Timing") => Self::Timing,
            (Shape::Number, "integer" | "positiveInt" | "unsignedInt" | "decimal") => Self::Number,
            (Shape::Number, "Range") => Self::NumberRange,
            (Shape::Quantity, "Quantity" | "Age" | "Duration" | "Count" | "Distance") => {
                Self::Quantity
            }
            (Shape::Quantity, "Money") => Self::Money,
            (Shape::Quantity, "Range") => Self::QuantityRange,
            (Shape::Uri, "canonical") => Self::CanonicalUri,
            (Shape::Uri, "uri" | "url" | "oid" | "uuid") => Self::Uri,
            _ => return None,
        })
    }

    /// Hands the entries of `value` to `push`.
    pub(crate) fn apply<'a>(self, value: Value<'a>, mut push: impl FnMut(EntryValue<'a>)) {
        match self {
            Self::Code(system) => {
                if let Some(code) = value.as_text().filter(|c| !c.is_empty()) {
                    push(EntryValue::Token { system: Cow::Borrowed(system), code, text: None });
                }
            }
            Self::Coding => {
                let coding = Coding::read(value);
                if !coding.is_empty() {
                    push(coding.token(None));
                }
            }
            Self::CodeableConcept => concept(value, &mut push),
            Self::Identifier => identifier(value, &mut push),
            Self::ContactPoint => {
                let (system, number) = two(value, "system", "value");
                if let Some(number) = number {
                    let system = system.unwrap_or_default();
                    push(EntryValue::Identifier { system, value: number, of_type: None });
                }
            }
            Self::Text => push_text(value, &mut push),
            Self::HumanName => {
                parts(value, &["text", "family", "given", "prefix", "suffix"], &mut push);
            }
            Self::Address => {
                let names = ["text", "line", "city", "district", "state", "postalCode", "country"];
                parts(value, &names, &mut push);
            }
            Self::ConceptText => parts(value, &["text"], &mut push),
            Self::Display => parts(value, &["display"], &mut push),
            Self::Reference => {
                if let Some(text) = value.get_str("reference") {
                    push_reference(text, &mut push);
                }
            }
            Self::Canonical => {
                for text in canonical(value) {
                    // Relative canonicals occur; they point at this server.
                    match fhir::reference::parse(&text) {
                        Some(Reference::Relative(_)) => push_reference(text, &mut push),
                        Some(Reference::Fragment(_)) => {}
                        _ => push(EntryValue::Address(text)),
                    }
                }
            }
            Self::Resource => {
                let (name, id) = two(value, "resourceType", "id");
                if let (Some(name), Some(id)) = (name, id)
                    && let Some(resource_type) = r4().resource_name(&name)
                {
                    push(EntryValue::Reference { resource_type, id });
                }
            }
            Self::Date => {
                if let Some(range) = value.as_str().and_then(|t| fhir::date::parse(&t)) {
                    push(EntryValue::Date { low: range.low, high: range.high });
                }
            }
            Self::Period => {
                if let Some((low, high)) = period(value) {
                    push(EntryValue::Date { low, high });
                }
            }
            Self::Timing => timing(value, &mut push),
            Self::Number => {
                if let Some(number) = number(value) {
                    push(EntryValue::Number(number));
                }
            }
            Self::NumberRange => {
                for end in ["low", "high"] {
                    let end = value.get(end).and_then(|q| q.get("value"));
                    if let Some(number) = end.and_then(number) {
                        push(EntryValue::Number(number));
                    }
                }
            }
            Self::Quantity => quantity(value, &mut push),
            Self::Money => {
                let amount = value.get("value").and_then(number);
                if let Some(amount) = amount {
                    push(EntryValue::Quantity {
                        value: amount,
                        system: Cow::Borrowed("urn:iso:std:iso:4217"),
                        code: value.get_str("currency").unwrap_or_default(),
                        unit: Cow::Borrowed(""),
                    });
                }
            }
            Self::QuantityRange => {
                for end in ["low", "high"] {
                    if let Some(end) = value.get(end) {
                        quantity(end, &mut push);
                    }
                }
            }
            Self::Uri => {
                if let Some(text) = value.as_str().filter(|t| !t.is_empty()) {
                    push(EntryValue::Uri(text));
                }
            }
            Self::CanonicalUri => canonical(value).for_each(|text| push(EntryValue::Uri(text))),
        }
    }
}

/// The system of a `code` bound to a value set of one code system; empty for anything else.
fn implied_system(type_name: &str, element: Option<&Element>) -> &'static str {
    let binding = element.and_then(|e| e.binding).filter(|b| b.strength == Strength::Required);
    let set = match binding {
        Some(binding) if type_name == "code" => r4().value_set(binding.value_set),
        _ => None,
    };
    set.map_or("", |set| match set.systems() {
        [(system, _)] => system,
        _ => "",
    })
}

struct Coding<'a> {
    system: Cow<'a, str>,
    code: Cow<'a, str>,
    display: Option<Cow<'a, str>>,
}

impl<'a> Coding<'a> {
    fn read(value: Value<'a>) -> Self {
        let mut coding = Self { system: Cow::Borrowed(""), code: Cow::Borrowed(""), display: None };
        for (name, member) in value.members() {
            match name {
                "system" => coding.system = member.as_str().unwrap_or_default(),
                "code" => coding.code = member.as_str().unwrap_or_default(),
                "display" => coding.display = member.as_str(),
                _ => {}
            }
        }
        coding
    }

    fn is_empty(&self) -> bool {
        self.system.is_empty() && self.code.is_empty() && self.display.is_none()
    }

    fn token(self, text: Option<&Cow<'a, str>>) -> EntryValue<'a> {
        let text = text.cloned().or(self.display);
        EntryValue::Token { system: self.system, code: self.code, text }
    }
}

fn concept<'a>(value: Value<'a>, push: &mut impl FnMut(EntryValue<'a>)) {
    let (mut codings, mut text) = (None, None);
    for (name, member) in value.members() {
        match name {
            "coding" => codings = Some(member),
            "text" => text = member.as_str(),
            _ => {}
        }
    }
    let mut any = false;
    for coding in codings.into_iter().flat_map(Value::each) {
        let coding = Coding::read(coding);
        if !coding.is_empty() {
            any = true;
            push(coding.token(text.as_ref()));
        }
    }
    if !any && text.is_some() {
        let nothing = Cow::Borrowed("");
        push(EntryValue::Token { system: nothing.clone(), code: nothing, text });
    }
}

fn identifier<'a>(value: Value<'a>, push: &mut impl FnMut(EntryValue<'a>)) {
    let (mut system, mut number, mut of) = (Cow::Borrowed(""), Cow::Borrowed(""), None);
    for (name, member) in value.members() {
        match name {
            "system" => system = member.as_str().unwrap_or_default(),
            "value" => number = member.as_str().unwrap_or_default(),
            "type" => of = member.get("coding"),
            _ => {}
        }
    }
    if system.is_empty() && number.is_empty() {
        return;
    }
    let mut typed = false;
    for coding in of.into_iter().flat_map(Value::each) {
        let coding = Coding::read(coding);
        if !coding.code.is_empty() {
            typed = true;
            push(EntryValue::Identifier {
                system: system.clone(),
                value: number.clone(),
                of_type: Some((coding.system, coding.code)),
            });
        }
    }
    if !typed {
        push(EntryValue::Identifier { system, value: number, of_type: None });
    }
}

fn push_text<'a>(value: Value<'a>, push: &mut impl FnMut(EntryValue<'a>)) {
    if let Some(text) = value.as_str().filter(|t| !t.is_empty()) {
        push(EntryValue::String(text));
    }
}

fn parts<'a>(value: Value<'a>, names: &[&str], push: &mut impl FnMut(EntryValue<'a>)) {
    for (name, member) in value.members() {
        if names.contains(&name) {
            for text in member.each() {
                push_text(text, push);
            }
        }
    }
}

fn two<'a>(
    value: Value<'a>,
    first: &str,
    second: &str,
) -> (Option<Cow<'a, str>>, Option<Cow<'a, str>>) {
    let (mut a, mut b) = (None, None);
    for (name, member) in value.members() {
        if name == first {
            a = member.as_str();
        } else if name == second {
            b = member.as_str().filter(|t| !t.is_empty());
        }
    }
    (a, b)
}

/// A reference keeps its target when it is relative, its address when it is not. Contained resources
/// are not searched, and conditional references are gone before anything is stored.
fn push_reference<'a>(text: Cow<'a, str>, push: &mut impl FnMut(EntryValue<'a>)) {
    let found = match &text {
        Cow::Borrowed(text) => local(text).map(|(t, id)| (t, Cow::Borrowed(id))),
        Cow::Owned(text) => local(text).map(|(t, id)| (t, Cow::Owned(id.to_owned()))),
    };
    if let Some((resource_type, id)) = found {
        return push(EntryValue::Reference { resource_type, id });
    }
    match fhir::reference::parse(&text) {
        Some(Reference::Absolute { .. } | Reference::Urn(_) | Reference::Other(_)) => {
            push(EntryValue::Address(text));
        }
        Some(Reference::Relative(_) | Reference::Fragment(_) | Reference::Conditional { .. })
        | None => {}
    }
}

fn local(text: &str) -> Option<(&'static str, &str)> {
    match fhir::reference::parse(text)? {
        Reference::Relative(target) => Some((target.resource_type, target.id)),
        _ => None,
    }
}

/// A canonical as written and, when it names a version, without it.
fn canonical<'a>(value: Value<'a>) -> impl Iterator<Item = Cow<'a, str>> {
    let whole = value.as_str().filter(|t| !t.is_empty());
    let bare = whole.as_ref().and_then(|text| match text {
        Cow::Borrowed(text) => text.split_once('|').map(|(bare, _)| Cow::Borrowed(bare)),
        Cow::Owned(text) => text.split_once('|').map(|(bare, _)| Cow::Owned(bare.to_owned())),
    });
    whole.into_iter().chain(bare.filter(|t| !t.is_empty()))
}

fn period(value: Value<'_>) -> Option<(i64, i64)> {
    let (start, end) = two(value, "start", "end");
    let start = start.and_then(|t| fhir::date::parse(&t));
    let end = end.and_then(|t| fhir::date::parse(&t));
    if start.is_none() && end.is_none() {
        return None;
    }
    Some((start.map_or(OPEN_LOW, |r| r.low), end.map_or(OPEN_HIGH, |r| r.high)))
}

/// Only the outer limits of a timing matter.
fn timing<'a>(value: Value<'a>, push: &mut impl FnMut(EntryValue<'a>)) {
    let events = value.get("event").into_iter().flat_map(Value::each);
    let events = events
        .filter_map(|event| fhir::date::parse(&event.as_str()?))
        .map(|range| (range.low, range.high));
    let bounds = value.get("repeat").and_then(|r| r.get("boundsPeriod")).and_then(period);
    let limits = events.chain(bounds).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    if let Some((low, high)) = limits {
        push(EntryValue::Date { low, high });
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    if value.kind() != Kind::Number {
        return None;
    }
    value.raw().parse().ok().filter(|n: &f64| n.is_finite())
}

/// `<5` is kept as the float just below 5, and `>5` as the one just above: what is known of it.
fn quantity<'a>(value: Value<'a>, push: &mut impl FnMut(EntryValue<'a>)) {
    let (mut amount, mut comparator) = (None, None);
    let nothing = || Cow::Borrowed("");
    let (mut system, mut code, mut unit) = (nothing(), nothing(), nothing());
    for (name, member) in value.members() {
        match name {
            "value" => amount = number(member),
            "comparator" => comparator = member.as_str(),
            "system" => system = member.as_str().unwrap_or_default(),
            "code" => code = member.as_str().unwrap_or_default(),
            "unit" => unit = member.as_str().unwrap_or_default(),
            _ => {}
        }
    }
    if let Some(amount) = amount {
        let value = match comparator.as_deref() {
            Some("<") => amount.next_down(),
            Some(">") => amount.next_up(),
            _ => amount,
        };
        push(EntryValue::Quantity { value, system, code, unit });
    }
}
