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

static REFERENCE: LazyLock<Finder<'static>> =
    LazyLock::new(|| Finder::new(b"\"reference\":\"Patient/"));
static ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u"));
static SLASH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\/"));

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
        for at in REFERENCE.find_iter(body) {
            let rest = body.get(at + REFERENCE.needle().len()..).unwrap_or_default();
            let end = rest.iter().position(|b| matches!(b, b'"' | b'/')).unwrap_or(0);
            if let Some(Ok(id)) = rest.get(..end).map(std::str::from_utf8)
                && fhir::reference::is_id(id)
            {
                self.add(id);
            }
        }
        // JSON may write any letter as an escape; a reference that does is still a reference.
        if ESCAPE.find(body).is_some() || SLASH.find(body).is_some() {
            self.slowly(body);
        }
    }

    fn slowly(&mut self, body: &[u8]) {
        let limits = Limits { json_bytes: usize::MAX, ..Limits::default() };
        // A prepared text is two lists of members, a complete one an object.
        for part in body.split(|b| *b == 0).filter(|part| !part.is_empty()) {
            let text = match part.first() {
                Some(b'{') => part.to_vec(),
                _ => [b"{", part, b"}"].concat(),
            };
            let Ok(document) = Document::parse(text, &limits) else { continue };
            for value in document.root().descendants().filter(|v| v.key() == Some("reference")) {
                if let Some(text) = value.as_str()
                    && let Some(Reference::Relative(target)) = parse(&text)
                    && target.resource_type == "Patient"
                {
                    self.add(target.id);
                }
            }
        }
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
