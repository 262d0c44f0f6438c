//! The texts of a query: percent-encoding (RFC 3986, `application/x-www-form-urlencoded`) and FHIR's
//! own escapes (<https://hl7.org/fhir/R4/search.html#escaping>).

use base::Fault;
use base::error::code;
use std::fmt::Write as _;

/// A value whose signs mean themselves: with the backslash that FHIR asks for before those that mean
/// something in a search (<https://hl7.org/fhir/R4/search.html#escaping>).
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ',' | '$' | '|') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Decodes `name=value&…`: percent escapes and `+` for a blank. Parts without a name and value are
/// skipped; an escape that is none, or that does not give UTF-8, is a fault.
pub fn decode_query(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut pairs = Vec::new();
    for part in text.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.push((decode(name)?, decode(value)?));
    }
    Ok(pairs)
}

/// Encodes what [`decode_query`] decodes, leaving what FHIR queries are full of readable.
pub fn encode_query(pairs: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        encode(name, &mut out);
        out.push('=');
        encode(value, &mut out);
    }
    out
}

/// Splits at a separator that is not escaped. The parts keep their escapes.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut from, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(text.get(from..at).unwrap_or_default());
            from = at + separator.len_utf8();
        }
    }
    parts.push(text.get(from..).unwrap_or_default());
    parts
}

/// Undoes `\,` `\$` `\|` `\\`. A backslash before anything else stands for itself.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some(next @ (',' | '$' | '|' | '\\'))) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

fn decode(text: &str) -> Result<String, Fault> {
    let refused = || {
        Fault::new(
            &code::SEARCH_VALUE,
            "the query holds a percent escape that is none, or no UTF-8",
        )
    };
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let high = bytes.next().and_then(nibble).ok_or_else(refused)?;
                let low = bytes.next().and_then(nibble).ok_or_else(refused)?;
                out.push(high << 4 | low);
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8(out).ok().ok_or_else(refused)
}

const fn nibble(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b',' | b'$' | b'*' | b'@' => {
                out.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            byte => drop(write!(out, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_refuses() {
        let pairs = decode_query("a=1%202+3&&b=%C3%A4%7c&c").unwrap();
        let expected = [("a", "1 2 3"), ("b", "ä|"), ("c", "")];
        assert!(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).eq(expected));
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "%C3=1"] {
            assert!(decode_query(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn escapes_keep_separators_together() {
        assert_eq!(split(r"a\,b,c\\,d", ','), [r"a\,b", r"c\\", "d"]);
        assert_eq!(unescape(r"a\,b\\\$\|\n"), r"a,b\$|\n");
        assert_eq!(split("", ','), [""]);
        for text in [r"a\,b$c|d", "", r"\\", "plain"] {
            assert_eq!(split(&escaped(text), ','), [escaped(text)], "{text}");
            assert_eq!(unescape(&escaped(text)), text);
        }
    }
}
