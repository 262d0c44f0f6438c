//! What `meta.security` holds after a write. Labels that rules give carry their basis
//! (<https://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition-extension-sec-label-basis.html>),
//! by which the next write knows them from those that a person set.
//!
//! A label is not stripped by leaving it out: those of rules come back as long as the rule applies,
//! and those of persons stay, unless somebody takes them off who may (guard.md 4, attack 23).

use super::Labelled;
use access::{Label, Labels};
use fhir::Value;
use fhir::json::{self, Edits};

/// HL7's extension: on what a label stands.
pub const BASIS: &str =
    "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis";
/// The system of the basis: a rule's id.
pub const RULES: &str = "https://plummer.health/fhir/CodeSystem/labelling-rule";

/// The labels of a version to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Security {
    /// For the row: every label, whoever set it.
    pub mask: u64,
    /// The value of `meta.security`; `None` when there is none.
    pub json: Option<String>,
    /// Labels that persons had set, that are missing now, and that the writer may take off: for the
    /// audit event.
    pub taken_off: Labels,
}

impl Security {
    /// The labels of a document: by rules, what the writer sent, and what a person had set before.
    pub fn of(
        labelled: &Labelled<'_>,
        document: Value<'_>,
        before: Option<Value<'_>>,
        may_take_off: bool,
    ) -> Self {
        let sent = codings(document).filter(|coding| !by_rule(*coding));
        let mut kept: Vec<Value<'_>> = Vec::new();
        for coding in sent {
            if !kept.iter().any(|own| same(*own, coding)) {
                kept.push(coding);
            }
        }
        let mut taken_off = Labels::NONE;
        for coding in before.into_iter().flat_map(codings).filter(|coding| !by_rule(*coding)) {
            if kept.iter().any(|own| same(*own, coding)) {
                continue;
            }
            if may_take_off {
                taken_off = taken_off | label(coding);
            } else {
                kept.push(coding);
            }
        }
        let stated = kept.iter().fold(Labels::NONE, |labels, coding| labels | label(*coding));
        let mut out = Vec::new();
        for coding in &kept {
            separate(&mut out);
            json::minify(*coding, &Edits::new(), &mut out);
        }
        for row in (labelled.labels & !stated).codings() {
            separate(&mut out);
            ours(row, labelled, &mut out);
        }
        let json = (!out.is_empty()).then(|| format!("[{}]", String::from_utf8_lossy(&out)));
        let taken_off = taken_off & !(stated | labelled.labels);
        Self { mask: (stated | labelled.labels).bits(), json, taken_off }
    }

    /// Appends the document with this `meta.security` in place of its own.
    pub fn write(&self, document: Value<'_>, out: &mut Vec<u8>) {
        out.push(b'{');
        let (mut first, mut done) = (true, false);
        for (name, member) in document.members() {
            if name == "meta" && member.is_object() {
                done = true;
                self.meta(member, &mut first, out);
            } else {
                next(&mut first, name, out);
                json::minify(member, &Edits::new(), out);
            }
        }
        if let (false, Some(json)) = (done, &self.json) {
            next(&mut first, "meta", out);
            out.extend_from_slice(format!("{{\"security\":{json}}}").as_bytes());
        }
        out.push(b'}');
    }

    fn meta(&self, meta: Value<'_>, first: &mut bool, out: &mut Vec<u8>) {
        let mut inner = Vec::new();
        let mut first_inner = true;
        for (name, member) in meta.members().filter(|(name, _)| *name != "security") {
            next(&mut first_inner, name, &mut inner);
            json::minify(member, &Edits::new(), &mut inner);
        }
        if let Some(json) = &self.json {
            next(&mut first_inner, "security", &mut inner);
            inner.extend_from_slice(json.as_bytes());
        }
        // An object without members is none in FHIR.
        if !inner.is_empty() {
            next(first, "meta", out);
            out.push(b'{');
            out.extend_from_slice(&inner);
            out.push(b'}');
        }
    }
}

fn codings(document: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    document.get("meta").and_then(|meta| meta.get("security")).into_iter().flat_map(Value::items)
}

fn label(coding: Value<'_>) -> Labels {
    let system = coding.get_str("system").unwrap_or_default();
    Labels::coded(&system, &coding.get_str("code").unwrap_or_default())
}

fn same(one: Value<'_>, two: Value<'_>) -> bool {
    one.get_str("system") == two.get_str("system") && one.get_str("code") == two.get_str("code")
}

/// The coding says that a rule of ours set it.
fn by_rule(coding: Value<'_>) -> bool {
    coding.get("extension").into_iter().flat_map(Value::items).any(|extension| {
        extension.get_str("url").is_some_and(|url| url == BASIS)
            && extension
                .get("valueCoding")
                .and_then(|basis| basis.get_str("system"))
                .is_some_and(|system| system == RULES)
    })
}

/// A coding of ours. Codes, systems and ids of rules have nothing that JSON would escape.
fn ours(row: Label, labelled: &Labelled<'_>, out: &mut Vec<u8>) {
    let own = Labels::named(row.name).unwrap_or(Labels::NONE);
    let bases: Vec<String> = labelled
        .rules
        .iter()
        .filter(|rule| rule.labels.meets(own))
        .map(|rule| {
            let id = &rule.id;
            format!(r#"{{"url":"{BASIS}","valueCoding":{{"system":"{RULES}","code":"{id}"}}}}"#)
        })
        .collect();
    let (system, code, bases) = (row.system, row.code, bases.join(","));
    let text = format!(r#"{{"extension":[{bases}],"system":"{system}","code":"{code}"}}"#);
    out.extend_from_slice(text.as_bytes());
}

fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}

fn next(first: &mut bool, name: &str, out: &mut Vec<u8>) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}
