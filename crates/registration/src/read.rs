//! FHIR documents taken apart: texts and lists of members, and what a record that is changed keeps.

use fhir::Value;
use fhir::write::Writer;

/// A text member, or nothing.
pub(crate) fn text(value: Value<'_>, name: &str) -> String {
    value.get_str(name).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// The items of a repeating member.
pub(crate) fn each<'v>(value: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// An extension, by its address.
pub(crate) fn extension<'v>(value: Value<'v>, url: &str) -> Option<Value<'v>> {
    each(value, "extension").find(|one| one.get_str("url").as_deref() == Some(url))
}

/// The words of a concept: its text, else what a coding is called, else its code.
pub(crate) fn concept(value: Value<'_>) -> String {
    let words = text(value, "text");
    if !words.is_empty() {
        return words;
    }
    let mut codings = each(value, "coding");
    codings
        .find_map(|one| {
            let shown = text(one, "display");
            let shown = if shown.is_empty() { text(one, "code") } else { shown };
            (!shown.is_empty()).then_some(shown)
        })
        .unwrap_or_default()
}

/// The members of a stored document written anew, but for those named: what nobody here understands
/// survives a change.
pub(crate) fn keep(out: &mut Writer, value: Option<Value<'_>>, but: &[&str]) {
    for (name, value) in value.into_iter().flat_map(Value::members) {
        if !but.contains(&name) && !but.contains(&name.trim_start_matches('_')) {
            out.key(name).raw(value.raw().as_bytes());
        }
    }
}

/// A repeating member, unless there is none of it.
pub(crate) fn list(out: &mut Writer, name: &str, items: &[Vec<u8>]) {
    if !items.is_empty() {
        out.key(name).array();
        for item in items {
            out.raw(item);
        }
        out.end_array();
    }
}

/// A text member, unless it is empty.
pub(crate) fn put(out: &mut Writer, name: &str, text: &str) {
    if !text.is_empty() {
        out.member(name, text);
    }
}
