//! Documents on their way to the gate, written member by member: the next version of a Task or a
//! Communication, and new ones. What nobody here understands stays as it was.

use crate::SYSTEM;
use crate::read::{each, text};
use base::error::code;
use base::{Fault, Millis};
use fhir::Value;
use fhir::write::Writer;

/// Letters of a text that somebody types.
pub(crate) const TEXT_MAX: usize = 4_000;
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// A stored document begun anew, but for some members.
pub(crate) fn from(root: Value<'_>, but: &[&str]) -> Writer {
    let mut out = Writer::new();
    out.object();
    for (name, value) in root.members() {
        if !but.contains(&name) && !but.contains(&name.trim_start_matches('_')) {
            out.key(name).raw(value.raw().as_bytes());
        }
    }
    out
}

/// A reference, and how it is called.
pub(crate) fn refer(out: &mut Writer, name: &str, (reference, display): (&str, &str)) {
    out.key(name);
    refer_item(out, (reference, display));
}

/// A reference within a list.
pub(crate) fn refer_item(out: &mut Writer, (reference, display): (&str, &str)) {
    out.object().member("reference", reference);
    if !display.is_empty() {
        out.member("display", display);
    }
    out.end_object();
}

/// `code` of our own.
pub(crate) fn own_code(out: &mut Writer, name: &str, code: &str) {
    out.key(name).object().key("coding").array();
    out.object().member("system", SYSTEM).member("code", code).end_object();
    out.end_array().end_object();
}

/// `note`, with those there were and one more; `text` may be empty, and then none is added.
pub(crate) fn noted(out: &mut Writer, root: Option<Value<'_>>, by: &str, at: Millis, say: &str) {
    let before: Vec<Value<'_>> = root.into_iter().flat_map(|root| each(root, "note")).collect();
    if before.is_empty() && say.is_empty() {
        return;
    }
    out.key("note").array();
    for note in before {
        out.raw(note.raw().as_bytes());
    }
    if !say.is_empty() {
        out.object();
        out.key("authorReference").object().member("reference", by).end_object();
        out.member("time", &at.to_instant()).member("text", say).end_object();
    }
    out.end_array();
}

/// `meta` that says that it is for the front desk too: less than normally confidential. Labels there are
/// stay where they are.
pub(crate) fn for_desk(out: &mut Writer, root: Option<Value<'_>>) {
    let meta = root.and_then(|root| root.get("meta"));
    out.key("meta").object();
    for (name, value) in meta.into_iter().flat_map(Value::members) {
        if !["security", "versionId", "lastUpdated"].contains(&name) {
            out.key(name).raw(value.raw().as_bytes());
        }
    }
    out.key("security").array();
    for label in meta.into_iter().flat_map(|meta| each(meta, "security")) {
        if !(text(label, "system") == CONFIDENTIALITY && text(label, "code") == "M") {
            out.raw(label.raw().as_bytes());
        }
    }
    out.object().member("system", CONFIDENTIALITY).member("code", "M").end_object();
    out.end_array().end_object();
}

/// A text that somebody typed: trimmed, of bounded length, without control characters but line ends.
pub(crate) fn typed<'t>(text: &'t str, field: &str, needed: bool) -> Result<&'t str, Fault> {
    let text = text.trim();
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    if (needed && text.is_empty()) || text.chars().count() > TEXT_MAX || text.contains(odd) {
        let say = format!("give it in words, {TEXT_MAX} letters at most");
        return Err(Fault::at(&code::INBOX_VALUE, say, field));
    }
    Ok(text)
}
