//! Which patients a resource is about: itself when it is a Patient, and every patient that a reference
//! in it names. An access event tells these ids (45 CFR 164.528 builds on it), so it names one too
//! many rather than one too few: relatives named in a record are told as well.

use base::Limits;
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use memchr::memmem::Finder;
use std::collections::HashSet;
use std::sync::LazyLock;
use store::{Hit, Prepared};

static REFERENCE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"reference\":\""));

/// Patients, each once, in the order they were met.
#[derive(Debug, Default)]
pub(crate) struct Patients {
    ids: Vec<String>,
    known: HashSet<String>,
}

impl Patients {
    /// Adds those of a stored version.
    pub(crate) fn of_hit(&mut self, hit: &Hit) {
        self.of(hit.resource_type, &hit.id, &hit.body);
    }

    /// Adds those of a resource on its way to the writer.
    pub(crate) fn of_prepared(&mut self, content: &Prepared) {
        self.of(content.resource_type, &content.id, &content.text);
    }

    /// Adds those of a resource as minified JSON.
    pub(crate) fn of(&mut self, kind: TypeId, id: &str, body: &[u8]) {
        if r4().name(kind) == "Patient" {
            self.add(id);
        }
        references(body, |text| {
            // Most references are not to patients: that is seen without taking them apart.
            if text.starts_with("Patient/")
                && let Some(Reference::Relative(target)) = parse(text)
            {
                self.add(target.id);
            }
        });
    }

    /// Adds one.
    pub(crate) fn add(&mut self, id: &str) {
        if !self.known.contains(id) {
            self.known.insert(id.to_owned());
            self.ids.push(id.to_owned());
        }
    }

    /// All of them.
    pub(crate) fn into_ids(self) -> Vec<String> {
        self.ids
    }
}

/// Calls `each` with every `Reference.reference` of a text that the store keeps or answers. It has no
/// white space between elements, so a reference always looks the same; and no string can look like
/// one, for its quotes would be escaped.
pub(crate) fn references(body: &[u8], mut each: impl FnMut(&str)) {
    for at in REFERENCE.find_iter(body) {
        let rest = body.get(at + REFERENCE.needle().len()..).unwrap_or_default();
        let Some(end) = memchr::memchr2(b'"', b'\\', rest) else { return };
        let (Some(raw), Some(stop)) = (rest.get(..end), rest.get(end)) else { return };
        if *stop == b'"' {
            each(std::str::from_utf8(raw).unwrap_or_default());
        } else if let Some(text) = unescaped(rest) {
            each(&text);
        }
    }
}

/// The string that ends at the first quote of its own, with its escapes undone. JSON may write any
/// letter as an escape; a reference that does is still a reference.
fn unescaped(rest: &[u8]) -> Option<String> {
    let mut end = 0;
    while *rest.get(end)? != b'"' {
        end += if *rest.get(end)? == b'\\' { 2 } else { 1 };
    }
    let quoted = [b"\"", rest.get(..end)?, b"\""].concat();
    let document = Document::parse(quoted, &Limits::default()).ok()?;
    document.root().as_str().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: &str, body: &str) -> Vec<String> {
        let mut patients = Patients::default();
        patients.of(r4().resource_type(kind).unwrap(), "me", body.as_bytes());
        patients.into_ids()
    }

    #[test]
    fn names_itself_and_whom_it_refers_to_once() {
        assert_eq!(of("Patient", "{}"), ["me"]);
        let body = r#"{"subject":{"reference":"Patient/a"},"x":[{"reference":"Patient/b/_history/2"},{"reference":"Patient/a"}],"y":{"reference":"Group/c"}}"#;
        assert_eq!(of("Observation", body), ["a", "b"]);
    }

    #[test]
    fn an_escaped_reference_does_not_hide_a_patient() {
        let body = r#"{"subject":{"reference":"P\u0061tient\/a"}}"#;
        assert_eq!(of("Observation", body), ["a"]);
    }

    #[test]
    fn text_that_looks_like_a_reference_is_none() {
        assert!(of("Observation", r#"{"note":"\"reference\":\"Patient/a"}"#).is_empty());
    }
}
