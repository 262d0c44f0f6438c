//! Writing documents back: as they were, without white space, with replacements, or pretty.

use super::{Kind, Value};
use std::collections::BTreeMap;

/// What to do with a value while rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Write this JSON text instead.
    Replace(String),
    /// Leave the member or item out.
    Remove,
}

/// Edits keyed by [`Value::index`].
pub type Edits = BTreeMap<u32, Edit>;

/// Appends `value` without white space, numbers and strings byte for byte, with `edits` applied.
pub fn minify(value: Value<'_>, edits: &Edits, out: &mut Vec<u8>) {
    write(value, edits, out, None);
}

/// Appends `value` indented by two spaces a level.
pub fn pretty(value: Value<'_>, out: &mut Vec<u8>) {
    write(value, &Edits::new(), out, Some(0));
}

fn write(value: Value<'_>, edits: &Edits, out: &mut Vec<u8>, level: Option<usize>) {
    if !edits.is_empty()
        && let Some(Edit::Replace(text)) = edits.get(&value.index())
    {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    match value.kind() {
        Kind::Object => {
            out.push(b'{');
            let mut first = true;
            for (key, member) in value.members() {
                if removed(edits, member) {
                    continue;
                }
                separate(out, &mut first, level);
                out.push(b'"');
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(if level.is_some() { b"\": " } else { b"\":" });
                write(member, edits, out, level.map(|l| l + 1));
            }
            finish(out, first, level);
            out.push(b'}');
        }
        Kind::Array => {
            out.push(b'[');
            let mut first = true;
            for item in value.items() {
                if removed(edits, item) {
                    continue;
                }
                separate(out, &mut first, level);
                write(item, edits, out, level.map(|l| l + 1));
            }
            finish(out, first, level);
            out.push(b']');
        }
        Kind::String | Kind::Number | Kind::True | Kind::False | Kind::Null => {
            out.extend_from_slice(value.raw().as_bytes());
        }
    }
}

fn removed(edits: &Edits, value: Value<'_>) -> bool {
    !edits.is_empty() && edits.get(&value.index()) == Some(&Edit::Remove)
}

fn separate(out: &mut Vec<u8>, first: &mut bool, level: Option<usize>) {
    if !*first {
        out.push(b',');
    }
    *first = false;
    if let Some(level) = level {
        indent(out, level + 1);
    }
}

fn finish(out: &mut Vec<u8>, empty: bool, level: Option<usize>) {
    if let (false, Some(level)) = (empty, level) {
        indent(out, level);
    }
}

fn indent(out: &mut Vec<u8>, level: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', level * 2));
}
