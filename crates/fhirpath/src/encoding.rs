//! `encode`, `decode`, `escape` and `unescape`
//! (<https://hl7.org/fhirpath/#additional-string-functions>): base64 (RFC 4648), hex, HTML and JSON.

use crate::evaluate::{one, type_fault};
use crate::item::{Collection, Item};
use base::Fault;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const HTML: [(&str, &str); 5] =
    [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];

pub(crate) fn encode<'a>(text: &str, format: &str) -> Result<Collection<'a>, Fault> {
    Ok(one(Item::text(match format {
        "base64" => to_base64(text.as_bytes(), BASE64),
        "urlbase64" => to_base64(text.as_bytes(), URL_BASE64),
        "hex" => text.bytes().map(|b| format!("{b:02x}")).collect(),
        _ => return Err(unknown_format()),
    })))
}

/// Text that was not encoded so, or does not decode to text, gives nothing.
pub(crate) fn decode<'a>(text: &str, format: &str) -> Result<Collection<'a>, Fault> {
    let bytes = match format {
        "base64" => from_base64(text, BASE64),
        "urlbase64" => from_base64(text, URL_BASE64),
        "hex" => from_hex(text),
        _ => return Err(unknown_format()),
    };
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(text.map(Item::text).into_iter().collect())
}

pub(crate) fn escape<'a>(text: &str, target: &str) -> Result<Collection<'a>, Fault> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match (target, c) {
            ("html", c) => match HTML.iter().find(|(plain, _)| plain.starts_with(c)) {
                Some((_, entity)) => out.push_str(entity),
                None => out.push(c),
            },
            ("json", '"' | '\\') => out.extend(['\\', c]),
            ("json", '\n') => out.push_str("\\n"),
            ("json", '\r') => out.push_str("\\r"),
            ("json", '\t') => out.push_str("\\t"),
            ("json", c) if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            ("json", c) => out.push(c),
            _ => return Err(unknown_format()),
        }
    }
    Ok(one(Item::text(out)))
}

pub(crate) fn unescape<'a>(text: &str, target: &str) -> Result<Collection<'a>, Fault> {
    let read = match target {
        "html" => unescape_html,
        "json" => unescape_json,
        _ => return Err(unknown_format()),
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (c, after) = read(rest).unwrap_or((c, c.len_utf8()));
        out.push(c);
        rest = rest.get(after..).unwrap_or_default();
    }
    Ok(one(Item::text(out)))
}

fn unknown_format() -> Fault {
    type_fault("the format is none of base64, urlbase64 and hex, or html and json")
}

/// The character an entity at the beginning stands for, and the entity's length.
fn unescape_html(text: &str) -> Option<(char, usize)> {
    HTML.iter()
        .find(|(_, entity)| text.starts_with(entity))
        .and_then(|(plain, entity)| Some((plain.chars().next()?, entity.len())))
}

fn unescape_json(text: &str) -> Option<(char, usize)> {
    let c = text.strip_prefix('\\')?.chars().next()?;
    Some(match c {
        'n' => ('\n', 2),
        'r' => ('\r', 2),
        't' => ('\t', 2),
        'b' => ('\u{8}', 2),
        'f' => ('\u{c}', 2),
        'u' => {
            let hex = text.get(2..6).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()))?;
            (char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, 6)
        }
        c => (c, 1 + c.len_utf8()),
    })
}

fn to_base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0u32, |g, b| g << 8 | u32::from(*b));
        for place in 0..4usize {
            let six = usize::try_from(group >> (18 - 6 * place) & 63).unwrap_or(0);
            let c = alphabet.get(six).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(c) } else { '=' });
        }
    }
    out
}

fn from_base64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if text.len() - digits.len() > 2 || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut group, mut bits) = (0u32, 0u32);
    for digit in digits.bytes() {
        let six = alphabet.iter().position(|c| *c == digit)?;
        group = (group << 6 | u32::try_from(six).ok()?) & 0xFFFF;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(group >> bits & 0xFF).ok()?);
        }
    }
    Some(out)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes() {
        for text in ["", "a", "ab", "abc", "subjects?_d", "hëllo ✓"] {
            for format in ["base64", "urlbase64", "hex"] {
                let coded = encode(text, format).unwrap()[0].as_text().unwrap().into_owned();
                assert_eq!(decode(&coded, format).unwrap()[0].as_text().unwrap(), text);
            }
            for target in ["html", "json"] {
                let coded = escape(text, target).unwrap()[0].as_text().unwrap().into_owned();
                assert_eq!(unescape(&coded, target).unwrap()[0].as_text().unwrap(), text);
            }
        }
        assert_eq!(to_base64(b"test", BASE64), "dGVzdA==");
        assert!(
            decode("a", "base64").unwrap().is_empty() && decode("zz", "hex").unwrap().is_empty()
        );
        assert!(encode("a", "rot13").is_err());
    }
}
