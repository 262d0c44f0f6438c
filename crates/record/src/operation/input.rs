//! What an operation is given: the parameters of a `Parameters` resource, or of a query
//! (<https://hl7.org/fhir/R4/operations.html#request>). Strict: what is not declared, is repeated or has
//! another type is refused by name, never by its value.

use super::{At, Holds, Operation, Parameter};
use base::error::code;
use base::{Fault, Limits};
use fhir::definitions::r4;
use fhir::json::minify;
use fhir::reference::is_id;
use fhir::{Document, Value};

/// Parameters one call may have: more than any operation declares.
const GIVEN_MAX: usize = 200;
/// Characters of one text: reasons and notes, no documents.
const TEXT_MAX: usize = 4_000;

/// A value that was given.
#[derive(Debug)]
pub enum Given {
    /// A string, code, date, address or reference, as it was written.
    Text(String),
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Integer(i64),
    /// A resource.
    Document(Box<Document>),
}

/// What an operation is given.
#[derive(Debug)]
pub struct Input {
    /// The record at whose address it was asked.
    pub id: Option<String>,
    /// The type at whose address it was asked.
    pub resource_type: Option<&'static str>,
    given: Vec<(&'static str, Given)>,
}

impl Input {
    /// From a `Parameters` resource; an empty body gives nothing.
    ///
    /// # Errors
    /// `record.operation.parameter` at each parameter that is not as declared.
    pub fn of_parameters(
        operation: &Operation,
        target: (Option<&'static str>, Option<String>),
        body: Option<Value<'_>>,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let mut given = Vec::new();
        if let Some(body) = body {
            if body.get_str("resourceType").as_deref() != Some("Parameters") {
                let text = "the body of an operation is a Parameters resource";
                return Err(Fault::at(&code::RESOURCE_TYPE_MISMATCH, text, "resourceType"));
            }
            let odd = body.members().find(|(key, _)| {
                !matches!(*key, "resourceType" | "id" | "meta" | "parameter" | "language")
            });
            if odd.is_some() {
                return Err(refused("Parameters", "has a member that is not understood"));
            }
            for one in body.get("parameter").into_iter().flat_map(Value::items) {
                bounded(given.len())?;
                let name = one.get_str("name").unwrap_or_default();
                let declared = declared(operation, &name)?;
                given.push((declared.name, value(declared, one, limits)?));
            }
        }
        Self { id: target.1, resource_type: target.0, given }.checked(operation)
    }

    /// From the pairs of a query.
    ///
    /// # Errors
    /// As [`Input::of_parameters`].
    pub fn of_query(
        operation: &Operation,
        target: (Option<&'static str>, Option<String>),
        pairs: &[(String, String)],
    ) -> Result<Self, Fault> {
        let mut given = Vec::new();
        for (name, text) in pairs.iter().filter(|(name, _)| !is_general(name)) {
            bounded(given.len())?;
            let declared = declared(operation, name)?;
            given.push((declared.name, of_text(declared, text)?));
        }
        Self { id: target.1, resource_type: target.0, given }.checked(operation)
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// The texts of a parameter that may be repeated.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all(name).filter_map(|given| match given {
            Given::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a yes-or-no parameter says yes.
    pub fn is(&self, name: &str) -> bool {
        self.all(name).any(|given| matches!(given, Given::Boolean(true)))
    }

    /// The number of a parameter.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.all(name).find_map(|given| match given {
            Given::Integer(number) => Some(*number),
            _ => None,
        })
    }

    /// The resource of a parameter.
    pub fn document(&self, name: &str) -> Option<&Document> {
        self.all(name).find_map(|given| match given {
            Given::Document(document) => Some(&**document),
            _ => None,
        })
    }

    fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Given> + use<'a> {
        // By the declared name, which outlives the question.
        let own = self.given.iter().map(|(own, _)| *own).find(|own| *own == name);
        self.given.iter().filter(move |(other, _)| Some(*other) == own).map(|(_, given)| given)
    }

    fn checked(self, operation: &Operation) -> Result<Self, Fault> {
        if matches!(operation.at, At::Instance(_)) && !self.id.as_deref().is_some_and(is_id) {
            let text = "the operation is asked of one record, by its id";
            return Err(Fault::new(&code::RESOURCE_ID_INVALID, text));
        }
        for parameter in operation.input {
            let times = self.all(parameter.name).count();
            if times < usize::from(parameter.min) {
                return Err(refused(parameter.name, "is missing"));
            }
            if times > usize::from(parameter.max) {
                return Err(refused(parameter.name, "stands there more often than it may"));
            }
        }
        Ok(self)
    }
}

/// Parameters of every address, which are no operation's own.
fn is_general(name: &str) -> bool {
    matches!(name, "_format" | "_pretty")
}

fn bounded(given: usize) -> Result<(), Fault> {
    match given < GIVEN_MAX {
        true => Ok(()),
        false => Err(refused("Parameters", "has more parameters than a call may have")),
    }
}

fn declared<'o>(operation: &'o Operation, name: &str) -> Result<&'o Parameter, Fault> {
    operation.input.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
        let takes: Vec<&str> = operation.input.iter().map(|parameter| parameter.name).collect();
        let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
        let text = format!("the operation has no such parameter; it takes {takes}");
        Fault::at(&code::OPERATION_PARAMETER, text, shown(name))
    })
}

/// A name from outside, where it can be one: a value in its place is not repeated.
fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        true => name.to_owned(),
        false => "Parameters.parameter".to_owned(),
    }
}

fn refused(name: &str, what: &str) -> Fault {
    Fault::at(&code::OPERATION_PARAMETER, format!("the parameter {what}"), name)
}

fn value(declared: &Parameter, one: Value<'_>, limits: &Limits) -> Result<Given, Fault> {
    let of = declared.holds.fhir_type().unwrap_or_default();
    let mut members = one.members().filter(|(key, _)| *key != "name");
    let (Some((key, value)), None) = (members.next(), members.next()) else {
        return Err(refused(declared.name, "has one value and nothing else"));
    };
    if let Holds::Resource(of) = declared.holds {
        let name = value.get_str("resourceType").filter(|_| key == "resource");
        let fits = name.as_deref().is_some_and(|name| {
            r4().resource_type(name).is_some() && (of == "Resource" || of == name)
        });
        if !fits {
            return Err(refused(declared.name, "holds a resource of another type"));
        }
        let mut text = Vec::with_capacity(value.raw().len());
        minify(value, &fhir::json::Edits::new(), &mut text);
        return Ok(Given::Document(Box::new(Document::parse(text, limits)?)));
    }
    let wanted = key.strip_prefix("value").is_some_and(|kind| {
        kind.eq_ignore_ascii_case(of)
            || (declared.holds == Holds::DateTime && matches!(kind, "Date" | "Instant"))
    });
    if !wanted {
        return Err(refused(declared.name, &format!("holds a {of}")));
    }
    let odd = || refused(declared.name, &format!("is no {of}"));
    match declared.holds {
        Holds::Boolean => value.as_bool().map(Given::Boolean).ok_or_else(odd),
        Holds::Integer => {
            let number = value.as_number().and_then(|text| text.parse().ok());
            number.map(Given::Integer).ok_or_else(odd)
        }
        Holds::Reference => of_text(declared, &value.get_str("reference").ok_or_else(odd)?),
        _ => of_text(declared, &value.as_str().ok_or_else(odd)?),
    }
}

fn of_text(declared: &Parameter, text: &str) -> Result<Given, Fault> {
    let name = declared.name;
    if text.trim().is_empty() {
        return Err(refused(name, "is empty"));
    }
    if text.len() > TEXT_MAX {
        return Err(refused(name, "is longer than a text may be"));
    }
    let fits = match declared.holds {
        Holds::Text => true,
        Holds::Code | Holds::Uri => !text.contains(char::is_whitespace),
        Holds::Boolean => {
            return text
                .parse()
                .map(Given::Boolean)
                .map_err(|_e| refused(name, "is true or false"));
        }
        Holds::Integer => {
            return text.parse().map(Given::Integer).map_err(|_e| refused(name, "is no integer"));
        }
        Holds::DateTime => fhir::date::parse(text).is_some(),
        Holds::Instant => fhir::date::is_instant(text),
        Holds::Reference => matches!(
            fhir::reference::parse(text),
            Some(fhir::reference::Reference::Relative(target))
                if r4().resource_type(target.resource_type).is_some()
        ),
        Holds::Resource(_) | Holds::Parts => {
            return Err(refused(name, "holds a resource: send a Parameters resource with POST"));
        }
    };
    match fits {
        true => Ok(Given::Text(text.to_owned())),
        false => Err(refused(name, &format!("is no {}", declared.holds.fhir_type().unwrap_or("")))),
    }
}
