//! `_summary` and `_elements`: parts of a resource, chosen by the definitions and written straight
//! from the tape (<https://hl7.org/fhir/R4/search.html#summary>). What is left out is said by the
//! tag `SUBSETTED`, so nobody mistakes a part for the whole and sends it back as an update.
//!
//! Modifier elements and mandatory elements are always kept: a resource without them could be read
//! to mean the opposite.

use base::error::code;
use base::{Fault, Limits};
use fhir::definitions::{Element, TypeDef, TypeKind, r4};
use fhir::{Document, Value, json};

const TAG: &[u8] =
    br#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

/// What part of a resource to answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Part {
    /// All of it.
    #[default]
    Whole,
    /// The summary elements.
    Summary,
    /// The narrative.
    Text,
    /// All but the narrative.
    Data,
    /// These top-level elements.
    Elements(Vec<String>),
}

impl Part {
    /// Reads `_summary` and `_elements` of a request that is no search.
    pub(crate) fn read(summary: Option<&str>, elements: Option<&str>) -> Result<Self, Fault> {
        let bad = |what: &str, place: &str| {
            Fault::at(&code::PARAMETER_INVALID, what.to_owned(), place.to_owned())
        };
        let part = match summary {
            None | Some("false") => Self::Whole,
            Some("true") => Self::Summary,
            Some("text") => Self::Text,
            Some("data") => Self::Data,
            Some("count") => return Err(bad("_summary=count is for searches", "_summary")),
            Some(_) => {
                return Err(bad("_summary is true, false, text, data or count", "_summary"));
            }
        };
        match elements {
            None => Ok(part),
            Some(_) if part != Self::Whole => {
                Err(bad("_summary and _elements exclude each other", "_elements"))
            }
            Some(list) => {
                let names: Vec<String> = list
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .filter(|name| !name.is_empty())
                    .collect();
                if names.is_empty() {
                    return Err(bad("_elements names no element", "_elements"));
                }
                Ok(Self::Elements(names))
            }
        }
    }

    /// Appends this part of a stored resource to `out`.
    pub(crate) fn write(
        &self,
        body: &[u8],
        limits: &Limits,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if *self == Self::Whole {
            out.extend_from_slice(body);
            return Ok(());
        }
        let document = Document::parse(body.to_vec(), limits)?;
        let root = document.root();
        let name = root.get_str("resourceType").unwrap_or_default();
        let Some(def) = r4().named(&name) else {
            return Err(Fault::new(&code::INTERNAL, "a stored resource has no known type"));
        };
        self.resource(root, def, out);
        Ok(())
    }

    fn resource(&self, root: Value<'_>, def: &TypeDef, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut tagged = false;
        let mut first = true;
        for (name, value) in root.members() {
            let plain = name.strip_prefix('_').unwrap_or(name);
            if name != "resourceType" {
                let Some(member) = def.member(plain) else { continue };
                if !self.keeps(plain, member.element) {
                    continue;
                }
            }
            separate(&mut first, out);
            key(name, out);
            if name == "meta" {
                meta(value, out);
                tagged = true;
            } else if *self == Self::Summary && name == plain {
                let of = def.member(plain).map(|m| r4().get(m.of.id));
                each(value, of, out);
            } else {
                whole(value, out);
            }
        }
        if !tagged {
            separate(&mut first, out);
            out.extend_from_slice(b"\"meta\":{\"tag\":[");
            out.extend_from_slice(TAG);
            out.extend_from_slice(b"]}");
        }
        out.push(b'}');
    }

    fn keeps(&self, name: &str, element: &Element) -> bool {
        let always = element.min > 0
            || element.modifier
            || matches!(element.name, "id" | "meta" | "modifierExtension");
        always
            || match self {
                Self::Whole => true,
                Self::Summary => element.summary,
                Self::Text => element.name == "text",
                Self::Data => element.name != "text",
                Self::Elements(names) => names.iter().any(|n| n == element.name || n == name),
            }
    }
}

/// Appends the summary part of a value of a known type.
fn each(value: Value<'_>, def: Option<&TypeDef>, out: &mut Vec<u8>) {
    let Some(def) = def.filter(|d| matches!(d.kind, TypeKind::Backbone | TypeKind::Complex)) else {
        whole(value, out);
        return;
    };
    if value.is_array() {
        out.push(b'[');
        let mut first = true;
        for item in value.items() {
            separate(&mut first, out);
            each(item, Some(def), out);
        }
        out.push(b']');
        return;
    }
    // An extension's meaning is all in its parts, and none of them is marked.
    if !value.is_object() || def.name == "Extension" {
        whole(value, out);
        return;
    }
    out.push(b'{');
    let mut first = true;
    for (name, inner) in value.members() {
        let plain = name.strip_prefix('_').unwrap_or(name);
        let Some(member) = def.member(plain) else { continue };
        let element = member.element;
        if !(element.summary || element.modifier || element.min > 0) {
            continue;
        }
        separate(&mut first, out);
        key(name, out);
        if name == plain {
            each(inner, Some(r4().get(member.of.id)), out);
        } else {
            whole(inner, out);
        }
    }
    out.push(b'}');
}

fn meta(value: Value<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    let (mut first, mut tagged) = (true, false);
    for (name, inner) in value.members() {
        separate(&mut first, out);
        key(name, out);
        if name == "tag" && inner.is_array() {
            out.push(b'[');
            for item in inner.items() {
                whole(item, out);
                out.push(b',');
            }
            out.extend_from_slice(TAG);
            out.push(b']');
            tagged = true;
        } else {
            whole(inner, out);
        }
    }
    if !tagged {
        separate(&mut first, out);
        out.extend_from_slice(b"\"tag\":[");
        out.extend_from_slice(TAG);
        out.push(b']');
    }
    out.push(b'}');
}

fn whole(value: Value<'_>, out: &mut Vec<u8>) {
    json::minify(value, &json::Edits::new(), out);
}

fn key(name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn separate(first: &mut bool, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: &str = r#"{"resourceType":"Patient","id":"1","meta":{"versionId":"2","tag":[{"code":"x"}]},"text":{"status":"empty","div":"<div/>"},"active":true,"_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]},"name":[{"family":"A","extension":[{"url":"e","valueCode":"c"}]}],"maritalStatus":{"text":"M"},"photo":[{"data":"AAAA"}],"link":[{"other":{"reference":"Patient/2"},"type":"seealso"}]}"#;
    const META: &str = r#""meta":{"versionId":"2","tag":[{"code":"x"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}"#;

    fn part(part: &Part, body: &str) -> String {
        let mut out = Vec::new();
        part.write(body.as_bytes(), &Limits::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_summary_holds_the_marked_elements_at_every_level() {
        assert_eq!(
            part(&Part::Summary, PATIENT),
            format!(
                r#"{{"resourceType":"Patient","id":"1",{META},"active":true,"_birthDate":{{"extension":[{{"url":"u","valueCode":"unknown"}}]}},"name":[{{"family":"A"}}],"link":[{{"other":{{"reference":"Patient/2"}},"type":"seealso"}}]}}"#
            )
        );
    }

    #[test]
    fn text_and_data_are_each_others_rest() {
        let text = part(&Part::Text, PATIENT);
        assert!(text.contains("<div/>") && !text.contains("family"));
        let data = part(&Part::Data, PATIENT);
        assert!(!data.contains("<div/>") && data.contains("family") && data.contains("photo"));
    }

    #[test]
    fn elements_are_named_with_or_without_their_choice() {
        let body = r#"{"resourceType":"Observation","id":"1","status":"final","code":{"text":"c"},"valueString":"v","note":[{"text":"n"}]}"#;
        for name in ["value", "valueString"] {
            let got = part(&Part::Elements(vec![name.to_owned()]), body);
            assert_eq!(
                got,
                r#"{"resourceType":"Observation","id":"1","status":"final","code":{"text":"c"},"valueString":"v","meta":{"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}}"#
            );
        }
    }

    #[test]
    fn wishes_that_contradict_each_other_are_refused() {
        assert!(Part::read(Some("true"), Some("name")).is_err());
        assert!(Part::read(Some("count"), None).is_err());
        assert!(Part::read(Some("maybe"), None).is_err());
        assert_eq!(Part::read(None, None), Ok(Part::Whole));
    }
}
