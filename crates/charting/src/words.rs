//! Values of FHIR in words, as a line of a history or a table says them: `Ann Lovelace`, `128 mmHg`,
//! `from 2020-01-01`, what a code is called.

use crate::read::{Concept, Quantity, each, text};
use fhir::{Kind, Value};

/// Bytes of a value in words; what is longer ends with an ellipsis.
const WORDS_MAX: usize = 400;

/// A value in words. Of an object of no known shape, its members one by one.
pub(crate) fn of(value: Value<'_>) -> String {
    shortened(&whole(value))
}

/// A text cut at a letter, with a mark that it was.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= WORDS_MAX {
        return text.to_owned();
    }
    let mut end = WORDS_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// Whether an object is of a data type that is said in one breath.
pub(crate) fn is_shape(value: Value<'_>) -> bool {
    shape(value).is_some()
}

fn whole(value: Value<'_>) -> String {
    match value.kind() {
        Kind::String => value.as_str().map(|text| text.into_owned()).unwrap_or_default(),
        Kind::Number => value.raw().to_owned(),
        Kind::True => "yes".to_owned(),
        Kind::False => "no".to_owned(),
        Kind::Null => "nothing".to_owned(),
        Kind::Array => {
            let items: Vec<String> = value.items().take(50).map(whole).collect();
            items.join(", ")
        }
        Kind::Object => shape(value).unwrap_or_else(|| {
            let members = value.members().filter(|(name, _)| !name.starts_with('_')).take(50);
            let members: Vec<String> =
                members.map(|(name, value)| format!("{} {}", spaced(name), whole(value))).collect();
            members.join(", ")
        }),
    }
}

fn only(value: Value<'_>, names: &[&str]) -> bool {
    value.members().all(|(name, _)| names.contains(&name))
}

fn shape(value: Value<'_>) -> Option<String> {
    if !value.is_object() || value.get("extension").is_some() {
        return None;
    }
    let has = |name: &str| value.get(name).is_some();
    let of = |name: &str| text(value, name);
    let joined = |parts: Vec<String>| {
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    if only(value, &["id", "value", "unit", "system", "code", "comparator"])
        && let Some(quantity) = Quantity::of(value)
    {
        return Some(quantity.words());
    }
    let identifier = ["id", "use", "type", "system", "value", "period", "rank", "assigner"];
    if has("value") && only(value, &identifier) {
        return joined(vec![of("value"), of("use")]);
    }
    if (has("coding") || has("text")) && only(value, &["id", "coding", "text"]) {
        return Some(Concept::of(value).text).filter(|words| !words.is_empty());
    }
    if has("code") && only(value, &["id", "system", "version", "code", "display", "userSelected"]) {
        let display = of("display");
        return Some(if display.is_empty() { of("code") } else { display });
    }
    if (has("reference") || has("display"))
        && only(value, &["id", "reference", "type", "identifier", "display"])
    {
        let display = of("display");
        return Some(if display.is_empty() { of("reference") } else { display });
    }
    if (has("start") || has("end")) && only(value, &["id", "start", "end"]) {
        let (start, end) = (of("start"), of("end"));
        return Some(match (start.is_empty(), end.is_empty()) {
            (false, false) => format!("{start} to {end}"),
            (false, true) => format!("from {start}"),
            _ => format!("until {end}"),
        });
    }
    if (has("family") || has("given"))
        && only(value, &["id", "use", "text", "family", "given", "prefix", "suffix", "period"])
    {
        let many = |name: &str| {
            let parts: Vec<String> =
                each(value, name).filter_map(Value::as_str).map(|part| part.into_owned()).collect();
            parts.join(" ")
        };
        return joined(vec![many("prefix"), many("given"), of("family"), many("suffix")]);
    }
    None
}

/// `birthDate` as `birth date`.
pub(crate) fn spaced(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push(' ');
            out.push(c.to_ascii_lowercase());
        } else {
            out.push(c);
        }
    }
    out
}
