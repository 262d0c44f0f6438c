//! References: the forms a `Reference.reference` or canonical may take
//! (<https://hl7.org/fhir/R4/references.html>, regex at <https://hl7.org/fhir/R4/http.html#general>).

use crate::definitions::r4;

/// A reference, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'t> {
    /// `Patient/123` or `Patient/123/_history/2`
    Relative(Target<'t>),
    /// `https://other.example/fhir/Patient/123`
    Absolute {
        /// Everything before the type, without the slash.
        base: &'t str,
        /// What it points at.
        target: Target<'t>,
    },
    /// `#id`: a contained resource.
    Fragment(&'t str),
    /// `urn:uuid:…` or `urn:oid:…`
    Urn(&'t str),
    /// `Type?criteria`: conditional, only allowed inside a transaction.
    Conditional {
        /// The type to search.
        resource_type: &'static str,
        /// The search, without the question mark.
        query: &'t str,
    },
    /// Any other absolute address.
    Other(&'t str),
}

/// A resource named by type, id and perhaps version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'t> {
    /// A concrete resource type of R4.
    pub resource_type: &'static str,
    /// The logical id.
    pub id: &'t str,
    /// The version, when the reference names one.
    pub version: Option<&'t str>,
}

/// Takes a reference apart; `None` when it has no allowed form.
pub fn parse(text: &str) -> Option<Reference<'_>> {
    if text.is_empty() || text.bytes().any(|b| b.is_ascii_whitespace()) {
        return None;
    }
    if let Some(id) = text.strip_prefix('#') {
        return Some(Reference::Fragment(id));
    }
    if text.starts_with("urn:") {
        return Some(Reference::Urn(text));
    }
    if let Some((name, query)) = text.split_once('?')
        && let Some(resource_type) = r4().resource_name(name)
    {
        return Some(Reference::Conditional { resource_type, query });
    }
    if let Some((base, target)) = split_target(text) {
        return match base {
            "" => Some(Reference::Relative(target)),
            base if base.contains(':') => Some(Reference::Absolute { base, target }),
            _ => None,
        };
    }
    text.contains(':').then_some(Reference::Other(text))
}

/// The target of a reference that ends in `Type/id` or `Type/id/_history/version`, with the rest.
fn split_target(text: &str) -> Option<(&str, Target<'_>)> {
    let (head, version) = match text.rsplit_once("/_history/") {
        Some((head, version)) if is_id(version) => (head, Some(version)),
        Some(_) => return None,
        None => (text, None),
    };
    let (before, id) = head.rsplit_once('/')?;
    if !is_id(id) {
        return None;
    }
    let (base, name) = before.rsplit_once('/').unwrap_or(("", before));
    let resource_type = r4().resource_name(name)?;
    Some((base, Target { resource_type, id, version }))
}

/// Whether the text is a FHIR `id`: 1 to 64 of `A-Z a-z 0-9 - .`
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_form() {
        let target = Target { resource_type: "Patient", id: "1", version: None };
        assert_eq!(parse("Patient/1"), Some(Reference::Relative(target)));
        assert_eq!(
            parse("Patient/1/_history/2"),
            Some(Reference::Relative(Target { version: Some("2"), ..target }))
        );
        assert_eq!(
            parse("http://x.example/fhir/Patient/1"),
            Some(Reference::Absolute { base: "http://x.example/fhir", target })
        );
        assert_eq!(parse("#p"), Some(Reference::Fragment("p")));
        assert_eq!(parse("urn:uuid:0"), Some(Reference::Urn("urn:uuid:0")));
        assert_eq!(
            parse("Practitioner?identifier=a|b"),
            Some(Reference::Conditional { resource_type: "Practitioner", query: "identifier=a|b" })
        );
        assert_eq!(
            parse("http://x.example/about"),
            Some(Reference::Other("http://x.example/about"))
        );
        for bad in
            ["", "Patient", "patient/1", "Patient/", "Patient/a b", "x/Patient/1", "Patient/1/2"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
