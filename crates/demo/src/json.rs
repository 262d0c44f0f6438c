//! The writer: FHIR JSON (<https://hl7.org/fhir/R4/json.html>) straight into one reused buffer, no
//! tree and no allocation per element. Also the shapes every resource repeats: references, codings,
//! quantities, money, periods.

use crate::calendar::{At, Day, push_date, push_padded};
use crate::code::Code;

/// A JSON text under construction.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: String,
}

impl Json {
    /// Empties the buffer and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
    }

    /// What has been written.
    pub(crate) fn as_str(&self) -> &str {
        &self.out
    }

    /// Begins a member: a comma if one is needed, the name, the colon.
    pub(crate) fn key(&mut self, key: &str) {
        self.comma();
        self.out.push('"');
        self.out.push_str(key);
        self.out.push_str("\":");
    }

    /// The top object.
    pub(crate) fn root(&mut self, body: impl FnOnce(&mut Self)) {
        self.out.push('{');
        body(self);
        self.out.push('}');
    }

    /// A member that is an object.
    pub(crate) fn obj(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.root(body);
    }

    /// A member that is an array; `body` writes its items.
    pub(crate) fn arr(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.key(key);
        self.out.push('[');
        body(self);
        self.out.push(']');
    }

    /// A member that is an array of one object.
    pub(crate) fn one(&mut self, key: &str, body: impl FnOnce(&mut Self)) {
        self.arr(key, |w| w.item(body));
    }

    /// An object inside an array.
    pub(crate) fn item(&mut self, body: impl FnOnce(&mut Self)) {
        self.comma();
        self.root(body);
    }

    /// A string inside an array.
    pub(crate) fn text_item(&mut self, value: &str) {
        self.comma();
        self.quoted(value);
    }

    /// A whole number inside an array.
    pub(crate) fn int_item(&mut self, value: i64) {
        self.comma();
        self.number(value, 0);
    }

    /// A string member.
    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    /// A whole-number member.
    pub(crate) fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        self.number(value, 0);
    }

    /// A true-or-false member.
    pub(crate) fn flag(&mut self, key: &str, value: bool) {
        self.key(key);
        self.out.push_str(if value { "true" } else { "false" });
    }

    /// A decimal member: `value` counts units of 10^-`scale`, and the scale shows in the text.
    pub(crate) fn dec(&mut self, key: &str, value: i64, scale: u32) {
        self.key(key);
        self.number(value, scale);
    }

    /// A `date` member.
    pub(crate) fn date(&mut self, key: &str, day: Day) {
        self.key(key);
        self.out.push('"');
        push_date(&mut self.out, day);
        self.out.push('"');
    }

    /// A `dateTime` or `instant` member, with the clinic's offset from UTC.
    pub(crate) fn at(&mut self, key: &str, at: At) {
        self.key(key);
        self.out.push('"');
        at.push(&mut self.out);
        self.out.push('"');
    }

    /// A `Period` of moments.
    pub(crate) fn period(&mut self, key: &str, start: At, end: Option<At>) {
        self.obj(key, |w| {
            w.at("start", start);
            if let Some(end) = end {
                w.at("end", end);
            }
        });
    }

    /// A `Period` of days.
    pub(crate) fn days(&mut self, key: &str, start: Day, end: Option<Day>) {
        self.obj(key, |w| {
            w.date("start", start);
            if let Some(end) = end {
                w.date("end", end);
            }
        });
    }

    /// A `Reference` member.
    pub(crate) fn refer(&mut self, key: &str, kind: &str, id: &str) {
        self.key(key);
        self.reference(kind, id, None);
    }

    /// A `Reference` member with its display.
    pub(crate) fn refer_shown(&mut self, key: &str, kind: &str, id: &str, display: &str) {
        self.key(key);
        self.reference(kind, id, Some(display));
    }

    /// A `Reference` inside an array.
    pub(crate) fn refer_item(&mut self, kind: &str, id: &str) {
        self.comma();
        self.reference(kind, id, None);
    }

    /// An array of one `Reference`.
    pub(crate) fn refer_one(&mut self, key: &str, kind: &str, id: &str) {
        self.arr(key, |w| w.refer_item(kind, id));
    }

    /// A `Coding` member.
    pub(crate) fn coding(&mut self, key: &str, code: &Code) {
        self.obj(key, |w| w.coding_body(code));
    }

    /// A `CodeableConcept` member of one coding, its text the display.
    pub(crate) fn concept(&mut self, key: &str, code: &Code) {
        self.key(key);
        self.concept_body(&[*code], code.display);
    }

    /// An array of one such `CodeableConcept`.
    pub(crate) fn concept_one(&mut self, key: &str, code: &Code) {
        self.arr(key, |w| w.concept_item(code));
    }

    /// Such a `CodeableConcept` inside an array.
    pub(crate) fn concept_item(&mut self, code: &Code) {
        self.comma();
        self.concept_body(&[*code], code.display);
    }

    /// A `CodeableConcept` member of several codings and its own text.
    pub(crate) fn concept_of(&mut self, key: &str, codes: &[Code], text: &str) {
        self.key(key);
        self.concept_body(codes, text);
    }

    /// A `CodeableConcept` that is a bare code (status and category lists), no text.
    pub(crate) fn status(&mut self, key: &str, code: &Code) {
        self.obj(key, |w| w.one("coding", |w| w.coding_body(code)));
    }

    /// An array of one bare-code `CodeableConcept`.
    pub(crate) fn category(&mut self, key: &str, code: &Code) {
        self.one(key, |w| w.one("coding", |w| w.coding_body(code)));
    }

    /// A `Quantity` member in UCUM.
    pub(crate) fn quantity(&mut self, key: &str, value: i64, scale: u32, unit: Unit) {
        self.obj(key, |w| {
            w.dec("value", value, scale);
            w.text("unit", unit.shown);
            w.text("system", "http://unitsofmeasure.org");
            w.text("code", unit.ucum);
        });
    }

    /// A `Money` member: cents in, dollars out.
    pub(crate) fn money(&mut self, key: &str, cents: i64) {
        self.obj(key, |w| {
            w.dec("value", cents, 2);
            w.text("currency", "USD");
        });
    }

    /// An array of one `Identifier`.
    pub(crate) fn identifier(&mut self, system: &str, value: &str) {
        self.one("identifier", |w| {
            w.text("system", system);
            w.text("value", value);
        });
    }

    /// A number by itself: `value` units of 10^-`scale`.
    pub(crate) fn number(&mut self, value: i64, scale: u32) {
        if value < 0 {
            self.out.push('-');
        }
        let value = value.saturating_abs();
        let unit = 10_i64.pow(scale);
        push_padded(&mut self.out, value / unit, 1);
        if scale > 0 {
            self.out.push('.');
            push_padded(&mut self.out, value % unit, scale);
        }
    }

    /// The members of a `Coding`.
    pub(crate) fn coding_body(&mut self, code: &Code) {
        self.text("system", code.system);
        self.text("code", code.code);
        self.text("display", code.display);
    }

    fn concept_body(&mut self, codes: &[Code], text: &str) {
        self.root(|w| {
            w.arr("coding", |w| {
                for code in codes {
                    w.item(|w| w.coding_body(code));
                }
            });
            w.text("text", text);
        });
    }

    fn reference(&mut self, kind: &str, id: &str, display: Option<&str>) {
        self.out.push_str("{\"reference\":\"");
        self.out.push_str(kind);
        self.out.push('/');
        self.out.push_str(id);
        self.out.push('"');
        if let Some(display) = display {
            self.text("display", display);
        }
        self.out.push('}');
    }

    // No state is kept: a value was written before exactly when the last byte does not open one.
    fn comma(&mut self) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'{' | b'[' | b':')) {
            self.out.push(',');
        }
    }

    fn quoted(&mut self, value: &str) {
        self.out.push('"');
        if value.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
            self.out.push_str(value);
        } else {
            for c in value.chars() {
                match c {
                    '"' => self.out.push_str("\\\""),
                    '\\' => self.out.push_str("\\\\"),
                    '\n' => self.out.push_str("\\n"),
                    '\t' => self.out.push_str("\\t"),
                    c if c < ' ' => self.out.push(' '),
                    c => self.out.push(c),
                }
            }
        }
        self.out.push('"');
    }
}

/// A unit: how people write it, how UCUM does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) shown: &'static str,
    pub(crate) ucum: &'static str,
}

/// Makes a [`Unit`].
pub(crate) const fn unit(shown: &'static str, ucum: &'static str) -> Unit {
    Unit { shown, ucum }
}

/// Appends the base64 text (RFC 4648 section 4) of `bytes`.
pub(crate) fn push_base64(out: &mut String, bytes: &[u8]) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let six = usize::try_from((word >> (18 - 6 * i)) & 63).unwrap_or(0);
            let pad = i > u32::try_from(chunk.len()).unwrap_or(3);
            out.push(if pad {
                '='
            } else {
                char::from(ALPHABET.get(six).copied().unwrap_or(b'A'))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_json() {
        let mut w = Json::default();
        w.root(|w| {
            w.text("a", "x\"y\\z\nq");
            w.arr("b", |w| {
                w.item(|w| w.int("c", -5));
                w.item(|w| w.flag("d", true));
            });
            w.dec("e", 1205, 2);
            w.dec("f", -7, 1);
            w.money("g", 5);
            w.arr("h", |w| {
                w.text_item("1");
                w.text_item("2");
            });
        });
        assert_eq!(
            w.as_str(),
            "{\"a\":\"x\\\"y\\\\z\\nq\",\"b\":[{\"c\":-5},{\"d\":true}],\"e\":12.05,\"f\":-0.7,\
             \"g\":{\"value\":0.05,\"currency\":\"USD\"},\"h\":[\"1\",\"2\"]}"
        );
    }

    #[test]
    fn base64_pads_as_the_rfc_says() {
        for (plain, coded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            let mut out = String::new();
            push_base64(&mut out, plain.as_bytes());
            assert_eq!(out, coded);
        }
    }
}
