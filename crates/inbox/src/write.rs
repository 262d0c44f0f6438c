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
/// The system of ids of people who are no Practitioner of the record: those of the access log.
pub(crate) const PERSON: &str = "urn:plummer:principal";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// Who acts.
pub(crate) struct By {
    /// The Practitioner they are, by reference.
    pub(crate) own: Option<String>,
    /// What people call them.
    pub(crate) name: String,
    /// The id that the access log keeps of them.
    pub(crate) who: String,
    /// When.
    pub(crate) now: Millis,
}

impl By {
    /// Whether a reference is theirs.
    pub(crate) fn is(&self, reference: &str) -> bool {
        self.own.as_deref() == Some(reference)
    }

    /// As whom they own something.
    pub(crate) fn owner(&self) -> Result<(String, String), Fault> {
        let own = self.own.clone().ok_or_else(crate::cover::nobody)?;
        Ok((own, self.name.clone()))
    }

    /// A reference to them: to the Practitioner, or to the person by the id of the access log
    /// (<https://hl7.org/fhir/R4/references.html#logical>).
    pub(crate) fn refer(&self, out: &mut Writer, name: &str) {
        match &self.own {
            Some(own) => refer(out, name, (own, &self.name)),
            None => {
                out.key(name).object().member("type", "Practitioner");
                out.key("identifier").object().member("system", PERSON);
                out.member("value", &self.who).end_object();
                out.member("display", &self.name).end_object();
            }
        }
    }
}

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
pub(crate) fn noted(out: &mut Writer, root: Option<Value<'_>>, by: &By, say: &str) {
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
        match &by.own {
            Some(_) => by.refer(out, "authorReference"),
            None => {
                out.member("authorString", &by.name);
            }
        }
        out.member("time", &by.now.to_instant()).member("text", say).end_object();
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
