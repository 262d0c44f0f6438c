//! References between the entries of a bundle: `fullUrl`s become `Type/id` everywhere the
//! specification says (<https://hl7.org/fhir/R4/http.html#trules>): in `Reference.reference`, in
//! elements of type uri, url, oid and uuid, and in the links of narratives; not in canonicals. One
//! pass over the tape gathers edits; nothing is copied until one is needed.

use super::entry::Entry;
use super::narrative;
use super::plan::Action;
use fhir::definitions::{TypeId, r4};
use fhir::json::{Edit, Edits};
use fhir::reference::{Reference, parse};
use fhir::write::quote;
use fhir::{Kind, Value};
use std::collections::HashMap;

/// What the `fullUrl`s of a bundle stand for.
#[derive(Debug, Default)]
pub(crate) struct Links {
    by_url: HashMap<String, String>,
    /// Some are addresses rather than URNs.
    any_address: bool,
}

impl Links {
    /// Links of the entries that are stored, under the ids they were given.
    pub(crate) fn of(entries: &[Entry<'_>], actions: &[Action]) -> Self {
        let mut links = Self::default();
        for (entry, action) in entries.iter().zip(actions) {
            let (Some(url), Some((_, of)), Some(id)) =
                (&entry.full_url, entry.resource, action.id())
            else {
                continue;
            };
            links.any_address |= !url.starts_with("urn:");
            links.by_url.insert(url.to_string(), format!("{}/{id}", r4().name(of)));
        }
        links
    }

    fn get(&self, url: &str) -> Option<&str> {
        self.by_url.get(url).map(String::as_str)
    }

    /// The new text of a uri or link that names an entry, perhaps with a `#fragment`.
    fn uri(&self, text: &str) -> Option<String> {
        if let Some(new) = self.get(text) {
            return Some(new.to_owned());
        }
        let (url, fragment) = text.split_once('#')?;
        Some(format!("{}#{fragment}", self.get(url)?))
    }

    /// Whether a text is worth looking up, by its beginning.
    fn may_name(&self, text: &str) -> bool {
        text.starts_with("urn:") || (self.any_address && text.contains(':'))
    }
}

/// Gathers the edits of one resource. `base` is that of its entry's `fullUrl`; `conditional` resolves
/// a conditional reference to `Type/id`.
pub(crate) fn edits<E>(
    resource: Value<'_>,
    base: Option<&str>,
    links: &Links,
    mut conditional: impl FnMut(&str, Value<'_>) -> Result<String, E>,
) -> Result<Edits, E> {
    let mut edits = Edits::new();
    let mut put = |value: Value<'_>, new: &str| {
        let mut text = Vec::with_capacity(new.len() + 2);
        quote(new, &mut text);
        let text = String::from_utf8(text).unwrap_or_default();
        edits.insert(value.index(), Edit::Replace(text));
    };
    for value in resource.descendants().filter(|v| v.kind() == Kind::String) {
        match value.key() {
            Some("reference") => {
                let Some(text) = value.as_str() else { continue };
                if text.contains('?') && matches!(parse(&text), Some(Reference::Conditional { .. }))
                {
                    put(value, &conditional(&text, value)?);
                } else if let Some(new) = reference(&text, base, links) {
                    put(value, &new);
                }
            }
            Some("div") => {
                let links = |link: &str| links.uri(link);
                if let Some(new) = value.as_str().and_then(|div| narrative::rewrite(&div, links)) {
                    put(value, &new);
                }
            }
            _ => {
                let Some(text) = value.as_str().filter(|text| links.may_name(text)) else {
                    continue;
                };
                if let Some(new) = links.uri(&text)
                    && type_at(resource, value.index()).is_some_and(is_link)
                {
                    put(value, &new);
                }
            }
        }
    }
    Ok(edits)
}

/// The new text of a reference, if it names an entry of the bundle.
fn reference(text: &str, base: Option<&str>, links: &Links) -> Option<String> {
    if text.starts_with("urn:") {
        return links.uri(text);
    }
    if !links.any_address || text.starts_with('#') {
        return None;
    }
    if let Some(new) = links.uri(text) {
        return Some(new);
    }
    // A version named is kept: the record moves, its version stays what was meant.
    let (record, version) = match text.split_once("/_history/") {
        Some((record, version)) => (record, Some(version)),
        None => (text, None),
    };
    let new = match parse(record)? {
        Reference::Relative(_) => links.get(&format!("{}/{record}", base?))?,
        Reference::Absolute { .. } => links.get(record)?,
        _ => return None,
    };
    Some(match version {
        Some(version) => format!("{new}/_history/{version}"),
        None => new.to_owned(),
    })
}

/// The types whose values are links; a canonical names a definition, wherever it is stored.
fn is_link(of: TypeId) -> bool {
    matches!(r4().name(of), "uri" | "url" | "oid" | "uuid")
}

/// The FHIR type of the value at a position of a resource.
fn type_at(resource: Value<'_>, at: u32) -> Option<TypeId> {
    let holds = |value: &Value<'_>| value.index() <= at && at < value.end_index();
    let mut here = resource;
    let mut of = r4().resource_type(&resource.get_str("resourceType")?)?;
    loop {
        let (name, mut child) = here.members().find(|(_, child)| holds(child))?;
        while child.is_array() {
            child = child.items().find(holds)?;
        }
        of = match name.strip_prefix('_') {
            Some(_) => r4().type_id("Element")?,
            None => r4().get(of).member(name)?.of.id,
        };
        if child.index() == at {
            return Some(of);
        }
        if let Some(name) = child.get_str("resourceType") {
            of = r4().resource_type(&name)?;
        }
        here = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;
    use fhir::json::minify;

    fn rewritten(body: &str, base: Option<&str>) -> String {
        let by_url = [
            ("urn:uuid:1", "Patient/9"),
            ("urn:oid:1.2", "Group/8"),
            ("http://x.example/fhir/Patient/old", "Patient/7"),
        ];
        let links = Links {
            by_url: by_url.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            any_address: true,
        };
        let document = Document::parse_text(body.to_owned(), &Limits::default()).unwrap();
        let resolve = |text: &str, _: Value<'_>| match text {
            "Practitioner?identifier=a|b" => Ok("Practitioner/5".to_owned()),
            _ => Err(()),
        };
        let edits = edits(document.root(), base, &links, resolve).unwrap();
        let mut out = Vec::new();
        minify(document.root(), &edits, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_place_the_specification_names_is_rewritten() {
        for (from, to) in [
            // References, at any depth and in contained resources.
            (r#""subject":{"reference":"urn:uuid:1"}"#, r#""subject":{"reference":"Patient/9"}"#),
            (
                r#""extension":[{"url":"u","valueReference":{"reference":"urn:oid:1.2"}}]"#,
                r#""extension":[{"url":"u","valueReference":{"reference":"Group/8"}}]"#,
            ),
            (
                r#""contained":[{"resourceType":"Condition","subject":{"reference":"urn:uuid:1"}}]"#,
                r#""contained":[{"resourceType":"Condition","subject":{"reference":"Patient/9"}}]"#,
            ),
            (
                r#""performer":[{"reference":"Practitioner?identifier=a|b"}]"#,
                r#""performer":[{"reference":"Practitioner/5"}]"#,
            ),
            (
                r#""subject":{"reference":"http://x.example/fhir/Patient/old"}"#,
                r#""subject":{"reference":"Patient/7"}"#,
            ),
            (
                r#""subject":{"reference":"http://x.example/fhir/Patient/old/_history/3"}"#,
                r#""subject":{"reference":"Patient/7/_history/3"}"#,
            ),
            (r#""subject":{"reference":"Patient/old"}"#, r#""subject":{"reference":"Patient/7"}"#),
            // Uri-typed elements, by their definition, arrays and siblings of primitives included.
            (r#""implicitRules":"urn:uuid:1""#, r#""implicitRules":"Patient/9""#),
            (
                r#""extension":[{"url":"u","valueUri":"urn:uuid:1#part"}]"#,
                r#""extension":[{"url":"u","valueUri":"Patient/9#part"}]"#,
            ),
            (
                r#""_status":{"extension":[{"url":"u","valueUrl":"urn:uuid:1"}]}"#,
                r#""_status":{"extension":[{"url":"u","valueUrl":"Patient/9"}]}"#,
            ),
            // Narrative.
            (
                r#""text":{"div":"<div><a href=\"urn:uuid:1\">x</a></div>"}"#,
                r#""text":{"div":"<div><a href=\"Patient/9\">x</a></div>"}"#,
            ),
        ] {
            let base = Some("http://x.example/fhir");
            let (from, to) = (
                format!(r#"{{"resourceType":"Observation",{from}}}"#),
                format!(r#"{{"resourceType":"Observation",{to}}}"#),
            );
            assert_eq!(rewritten(&from, base), to);
        }
    }

    #[test]
    fn what_only_looks_like_a_link_is_left_alone() {
        for same in [
            r#""identifier":[{"system":"urn:ietf:rfc:3986","value":"urn:uuid:1"}]"#,
            r#""meta":{"profile":["urn:uuid:1"]}"#,
            r#""subject":{"reference":"urn:uuid:unknown"}"#,
            r##""subject":{"reference":"#p"}"##,
            r#""subject":{"reference":"Patient/other"}"#,
            r#""subject":{"display":"urn:uuid:1"}"#,
        ] {
            let body = format!(r#"{{"resourceType":"Observation",{same}}}"#);
            assert_eq!(rewritten(&body, Some("http://x.example/fhir")), body);
        }
        let body = r#"{"resourceType":"Observation","subject":{"reference":"Patient/old"}}"#;
        assert_eq!(
            rewritten(body, None),
            body,
            "a relative reference needs a base to be another's"
        );
    }
}
