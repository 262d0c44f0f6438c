//! How a resource lies in the store. The text is kept without what the store itself knows (type, id,
//! version, time), so a version can be written before its number is known and read back by joining
//! three pieces. Everything else stays byte for byte, but for white space between elements.

use base::{Fault, Millis};
use fhir::Value;
use fhir::definitions::TypeId;
use fhir::json::{Edits, minify};
use search::entry::{Entry, EntryValue};
use search::registry::AtomId;

/// A resource made ready for the writer: everything that needs no lock is done.
#[derive(Debug)]
pub struct Prepared {
    /// Its type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// What is stored: the members of `meta` without version and time, a NUL byte, and the other
    /// members without type and id.
    pub text: Vec<u8>,
    /// What the index gets.
    pub entries: Vec<OwnedEntry>,
    /// Security label bits of the record, as the gate assigns them.
    pub labels: u64,
    /// The epoch of the rules that the labels are of; the present one when not given.
    pub label_epoch: Option<u64>,
    /// The version of the record that its labels take account of; 0 for none. When the record has
    /// another by then, with labels that would be lost, the unit is refused as one that was raced.
    pub follows: Option<u64>,
    /// The site it belongs to, when known.
    pub site: Option<std::sync::Arc<str>>,
    /// The principal who writes it.
    pub author: Option<std::sync::Arc<str>>,
    /// The compressed text and its dictionary, when compressed ahead of the writer.
    pub compressed: Option<(u32, Vec<u8>)>,
}

/// An [`Entry`] that owns its texts.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedEntry {
    /// The atom.
    pub atom: AtomId,
    /// The repeat.
    pub group: u16,
    /// The value.
    pub value: EntryValue<'static>,
}

impl Prepared {
    /// Takes a validated resource apart. `id` is the one it will be stored under.
    pub fn new(resource: Value<'_>, resource_type: TypeId, id: String, labels: u64) -> Self {
        let mut found: Vec<Entry<'_>> = Vec::with_capacity(32);
        search::extract::extract(resource, resource_type, &mut found);
        let entries = found.into_iter().map(own).collect();
        Self {
            resource_type,
            id,
            text: stored_text(resource),
            entries,
            labels,
            label_epoch: None,
            follows: None,
            site: None,
            author: None,
            compressed: None,
        }
    }
}

pub(crate) fn own(entry: Entry<'_>) -> OwnedEntry {
    fn o(text: std::borrow::Cow<'_, str>) -> std::borrow::Cow<'static, str> {
        std::borrow::Cow::Owned(text.into_owned())
    }
    let value = match entry.value {
        EntryValue::Token { system, code, text } => {
            EntryValue::Token { system: o(system), code: o(code), text: text.map(o) }
        }
        EntryValue::Identifier { system, value, of_type } => EntryValue::Identifier {
            system: o(system),
            value: o(value),
            of_type: of_type.map(|(s, c)| (o(s), o(c))),
        },
        EntryValue::String(text) => EntryValue::String(o(text)),
        EntryValue::Reference { resource_type, id } => {
            EntryValue::Reference { resource_type, id: o(id) }
        }
        EntryValue::Address(text) => EntryValue::Address(o(text)),
        EntryValue::Date { low, high } => EntryValue::Date { low, high },
        EntryValue::Number(n) => EntryValue::Number(n),
        EntryValue::Quantity { value, system, code, unit } => {
            EntryValue::Quantity { value, system: o(system), code: o(code), unit: o(unit) }
        }
        EntryValue::Uri(text) => EntryValue::Uri(o(text)),
    };
    OwnedEntry { atom: entry.atom, group: entry.group, value }
}

/// The text the store keeps of a resource.
pub fn stored_text(resource: Value<'_>) -> Vec<u8> {
    let none = Edits::new();
    let mut out = Vec::with_capacity(resource.raw().len());
    let member = |name: &str, value: Value<'_>, out: &mut Vec<u8>| {
        if out.last().is_some_and(|b| *b != 0) {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        minify(value, &none, out);
    };
    if let Some(meta) = resource.get("meta") {
        for (name, value) in meta.members() {
            if !matches!(name, "versionId" | "lastUpdated" | "_versionId" | "_lastUpdated") {
                member(name, value, &mut out);
            }
        }
    }
    out.push(0);
    for (name, value) in resource.members() {
        if !matches!(name, "resourceType" | "id" | "meta") {
            member(name, value, &mut out);
        }
    }
    out
}

/// A stored text with this `meta.security` in place of its own; with none when it is empty.
pub(crate) fn with_security(stored: &[u8], security: &str) -> Result<Vec<u8>, Fault> {
    let (meta, rest) = parted(stored)?;
    let whole = [b"{".as_slice(), meta, b"}"].concat();
    let document = fhir::Document::parse(whole, &base::Limits::default())?;
    let mut out = Vec::with_capacity(stored.len() + security.len());
    for (name, value) in document.root().members().filter(|(name, _)| *name != "security") {
        member(name, &mut out);
        minify(value, &Edits::new(), &mut out);
    }
    if !security.is_empty() {
        member("security", &mut out);
        out.extend_from_slice(security.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(rest);
    Ok(out)
}

fn member(name: &str, out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

/// The two parts of a stored text: the members of `meta`, and the others.
fn parted(stored: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let split = stored.iter().position(|b| *b == 0).ok_or_else(|| {
        Fault::new(
            &base::error::code::STORE_CORRUPT,
            "a stored body lacks the mark between meta and content",
        )
    })?;
    let (meta, rest) = stored.split_at(split);
    Ok((meta, rest.get(1..).unwrap_or_default()))
}

/// Puts a resource together from its stored text and what the store knows.
pub fn resource_text(
    type_name: &str,
    id: &str,
    version: u64,
    last_updated: Millis,
    stored: &[u8],
) -> Result<Vec<u8>, Fault> {
    let (meta, rest) = parted(stored)?;
    let mut head = String::with_capacity(stored.len() + 160);
    head.push_str("{\"resourceType\":\"");
    head.push_str(type_name);
    head.push_str("\",\"id\":\"");
    head.push_str(id);
    head.push_str("\",\"meta\":{\"versionId\":\"");
    head.push_str(&version.to_string());
    head.push_str("\",\"lastUpdated\":\"");
    last_updated.write_instant(&mut head);
    head.push('"');
    let mut out = head.into_bytes();
    for part in [meta, rest] {
        if !part.is_empty() {
            out.push(b',');
            out.extend_from_slice(part);
        }
        if std::ptr::eq(part, meta) {
            out.push(b'}');
        }
    }
    out.push(b'}');
    Ok(out)
}
