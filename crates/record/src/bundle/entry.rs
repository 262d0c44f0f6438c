//! One entry: what its `request` asks for (<https://hl7.org/fhir/R4/bundle.html#request>), taken apart
//! before anything is looked up.

use super::place;
use crate::write::{same_id, type_of};
use base::error::code;
use base::{Fault, Millis};
use fhir::Value;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use std::borrow::Cow;

/// The methods, in the order a transaction carries them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Delete,
    Post,
    Put,
    Get,
    Head,
}

/// What an address leads to. Queries are without the question mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// `?…`
    System(String),
    /// `Type` or `Type?…`
    Type(TypeId, Option<String>),
    /// `Type/id`
    Instance(TypeId, String),
    /// `Type/id/_history/version`
    Version(TypeId, String, u64),
    /// `_history`, `Type/_history`, `Type/id/_history`
    History(Option<TypeId>, Option<String>, String),
    /// `Type/id/$everything`
    Everything(TypeId, String, String),
    /// `Type/id/Type?…`, `Type/id/*?…`
    Compartment(TypeId, String, Option<TypeId>, String),
}

/// An entry, taken apart.
#[derive(Debug)]
pub(crate) struct Entry<'d> {
    /// Its position in the bundle.
    pub index: usize,
    pub full_url: Option<Cow<'d, str>>,
    pub verb: Verb,
    pub target: Target,
    /// The resource to store, for POST and PUT, and its type.
    pub resource: Option<(Value<'d>, TypeId)>,
    pub if_match: Option<u64>,
    /// `*`, or an entity tag.
    pub if_none_match: Option<Cow<'d, str>>,
    pub if_modified_since: Option<Millis>,
    pub if_none_exist: Option<Cow<'d, str>>,
}

impl Entry<'_> {
    /// The base of the entry's `fullUrl`, against which its relative references are read
    /// (<https://hl7.org/fhir/R4/bundle.html#references>).
    pub(crate) fn base(&self) -> Option<&str> {
        match fhir::reference::parse(self.full_url.as_deref()?)? {
            fhir::reference::Reference::Absolute { base, .. } => Some(base),
            _ => None,
        }
    }

    /// The condition of a conditional interaction, with its type.
    pub(crate) fn condition(&self) -> Option<(TypeId, &str)> {
        match (&self.target, self.verb) {
            (Target::Type(of, Some(query)), Verb::Put | Verb::Delete) => Some((*of, query)),
            (Target::Type(of, _), Verb::Post) => Some((*of, self.if_none_exist.as_deref()?)),
            _ => None,
        }
    }
}

/// Takes an entry apart; a fault is at its place.
pub(crate) fn parse<'d>(
    entry: Value<'d>,
    index: usize,
    base_url: Option<&str>,
) -> Result<Entry<'d>, Fault> {
    read(entry, index, base_url).map_err(|fault| fault.within(&place(index)))
}

fn read<'d>(entry: Value<'d>, index: usize, base_url: Option<&str>) -> Result<Entry<'d>, Fault> {
    let bad = |text: &str, at: &str| Fault::at(&code::BUNDLE_ENTRY, text, at);
    let Some(request) = entry.get("request").filter(|r| r.is_object()) else {
        return Err(bad("every entry says in request what to do", "request"));
    };
    let verb = match request.get_str("method").as_deref() {
        Some("DELETE") => Verb::Delete,
        Some("POST") => Verb::Post,
        Some("PUT") => Verb::Put,
        Some("GET") => Verb::Get,
        Some("HEAD") => Verb::Head,
        Some("PATCH") => {
            let text = "PATCH is not supported; use PUT";
            return Err(Fault::at(&code::NOT_SUPPORTED, text, "request.method"));
        }
        _ => return Err(bad("the method is GET, HEAD, POST, PUT or DELETE", "request.method")),
    };
    let Some(url) = request.get_str("url") else {
        return Err(bad("the request has a url", "request.url"));
    };
    let Some(target) = target(&url, base_url).filter(|t| allowed(verb, t)) else {
        let text = "the url leads to nothing that can be asked for with this method";
        return Err(bad(text, "request.url"));
    };
    let resource = match (verb, entry.get("resource")) {
        (Verb::Post | Verb::Put, Some(resource)) => {
            Some(stored(resource, &target).map_err(|fault| fault.within("resource"))?)
        }
        (Verb::Post | Verb::Put, None) => {
            return Err(bad("the method needs a resource to store", "resource"));
        }
        (Verb::Delete | Verb::Get | Verb::Head, _) => None,
    };
    let if_match = request.get_str("ifMatch").map(|text| {
        let what = "ifMatch is the entity tag of a version: W/\"3\"";
        version_tag(&text).ok_or_else(|| bad(what, "request.ifMatch"))
    });
    let if_modified_since = request.get_str("ifModifiedSince").map(|text| {
        fhir::date::parse(&text)
            .map(|range| Millis(range.low))
            .ok_or_else(|| bad("ifModifiedSince is an instant", "request.ifModifiedSince"))
    });
    Ok(Entry {
        index,
        full_url: entry.get_str("fullUrl"),
        verb,
        target,
        resource,
        if_match: if_match.transpose()?,
        if_none_match: request.get_str("ifNoneMatch"),
        if_modified_since: if_modified_since.transpose()?,
        if_none_exist: request.get_str("ifNoneExist"),
    })
}

/// The version of an entity tag: `W/"3"`, `"3"` or `3`.
pub(crate) fn version_tag(text: &str) -> Option<u64> {
    let text = text.trim();
    text.strip_prefix("W/").unwrap_or(text).trim_matches('"').parse().ok()
}

/// The resource of an entry fits its address.
fn stored<'d>(resource: Value<'d>, target: &Target) -> Result<(Value<'d>, TypeId), Fault> {
    let wanted = match target {
        Target::Type(of, _) => Some(*of),
        Target::Instance(of, id) => {
            let of = type_of(resource, Some(*of))?;
            same_id(resource, id)?;
            return Ok((resource, of));
        }
        _ => None,
    };
    Ok((resource, type_of(resource, wanted)?))
}

const fn allowed(verb: Verb, target: &Target) -> bool {
    match verb {
        Verb::Post => matches!(target, Target::Type(_, None)),
        Verb::Put | Verb::Delete => {
            matches!(target, Target::Instance(..) | Target::Type(_, Some(_)))
        }
        Verb::Get | Verb::Head => true,
    }
}

/// Reads an address relative to the base of the server, or under it.
pub(crate) fn target(url: &str, base_url: Option<&str>) -> Option<Target> {
    let url = base_url.and_then(|base| url.strip_prefix(base)).unwrap_or(url);
    let url = url.strip_prefix('/').unwrap_or(url);
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (url, None),
    };
    let steps: Vec<&str> = path.split('/').collect();
    let of = |name: &str| r4().resource_type(name);
    let id = |text: &str| is_id(text).then(|| text.to_owned());
    Some(match steps.as_slice() {
        [""] => Target::System(query?),
        ["_history"] => Target::History(None, None, query.unwrap_or_default()),
        [name] => Target::Type(of(name)?, query),
        [name, "_history"] => Target::History(Some(of(name)?), None, query.unwrap_or_default()),
        [name, at] if query.is_none() => Target::Instance(of(name)?, id(at)?),
        [name, at, "_history"] => {
            Target::History(Some(of(name)?), Some(id(at)?), query.unwrap_or_default())
        }
        [name, at, "_history", version] if query.is_none() => {
            Target::Version(of(name)?, id(at)?, version.parse().ok()?)
        }
        [name, at, "$everything"] => {
            Target::Everything(of(name)?, id(at)?, query.unwrap_or_default())
        }
        [name, at, "*"] => Target::Compartment(of(name)?, id(at)?, None, query.unwrap_or_default()),
        [name, at, within] => {
            Target::Compartment(of(name)?, id(at)?, Some(of(within)?), query.unwrap_or_default())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    fn of(name: &str) -> TypeId {
        r4().resource_type(name).unwrap()
    }

    #[test]
    fn addresses_are_taken_apart() {
        let patient = of("Patient");
        for (url, expected) in [
            ("Patient", Some(Target::Type(patient, None))),
            ("/Patient?name=x", Some(Target::Type(patient, Some("name=x".into())))),
            ("Patient/1", Some(Target::Instance(patient, "1".into()))),
            ("http://h/fhir/Patient/1", Some(Target::Instance(patient, "1".into()))),
            ("Patient/1/_history/2", Some(Target::Version(patient, "1".into(), 2))),
            (
                "Patient/1/_history",
                Some(Target::History(Some(patient), Some("1".into()), "".into())),
            ),
            ("_history?_count=1", Some(Target::History(None, None, "_count=1".into()))),
            ("Patient/1/$everything", Some(Target::Everything(patient, "1".into(), "".into()))),
            (
                "Patient/1/Observation?code=x",
                Some(Target::Compartment(
                    patient,
                    "1".into(),
                    Some(of("Observation")),
                    "code=x".into(),
                )),
            ),
            ("?_type=Patient", Some(Target::System("_type=Patient".into()))),
            ("", None),
            ("Nothing/1", None),
            ("Patient/a b", None),
            ("Patient/1?x=y", None),
            ("http://elsewhere/Patient/1", None),
            ("Patient/1/2/3/4", None),
        ] {
            assert_eq!(target(url, Some("http://h/fhir")), expected, "{url}");
        }
    }

    #[test]
    fn entity_tags_name_versions() {
        for (text, version) in
            [("W/\"3\"", Some(3)), ("\"3\"", Some(3)), ("3", Some(3)), ("x", None)]
        {
            assert_eq!(version_tag(text), version);
        }
    }

    #[test]
    fn malformed_entries_are_refused_at_their_place() {
        for (entry, place) in [
            (r#"{}"#, "Bundle.entry[4].request"),
            (
                r#"{"request":{"method":"PATCH","url":"Patient/1"}}"#,
                "Bundle.entry[4].request.method",
            ),
            (
                r#"{"request":{"method":"BREW","url":"Patient/1"}}"#,
                "Bundle.entry[4].request.method",
            ),
            (r#"{"request":{"method":"GET"}}"#, "Bundle.entry[4].request.url"),
            (r#"{"request":{"method":"POST","url":"Patient/1"}}"#, "Bundle.entry[4].request.url"),
            (r#"{"request":{"method":"POST","url":"Patient"}}"#, "Bundle.entry[4].resource"),
            (
                r#"{"resource":{"resourceType":"Group"},"request":{"method":"POST","url":"Patient"}}"#,
                "Bundle.entry[4].resource.resourceType",
            ),
            (
                r#"{"resource":{"resourceType":"Patient","id":"2"},"request":{"method":"PUT","url":"Patient/1"}}"#,
                "Bundle.entry[4].resource.id",
            ),
            (
                r#"{"request":{"method":"DELETE","url":"Patient/1","ifMatch":"x"}}"#,
                "Bundle.entry[4].request.ifMatch",
            ),
        ] {
            let document = Document::parse_text(entry.into(), &Limits::default()).unwrap();
            let fault = parse(document.root(), 4, None).unwrap_err();
            assert_eq!(fault.issues[0].expression.as_deref(), Some(place), "{entry}");
        }
    }
}
