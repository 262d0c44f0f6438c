//! The formats of the primitive types (<https://hl7.org/fhir/R4/datatypes.html#primitive>), written
//! as scans instead of regular expressions.

use fhir::narrative;
use fhir::{Kind, Value};
use fhir::{date, reference};

/// A primitive type, or one of the three places whose rule is narrower than their type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Primitive {
    Boolean,
    Integer,
    UnsignedInt,
    PositiveInt,
    Decimal,
    /// `string` and `markdown`.
    Text,
    Code,
    Id,
    /// `uri` and `url`.
    Uri,
    Canonical,
    Oid,
    Uuid,
    Base64,
    Date,
    DateTime,
    Instant,
    Time,
    Xhtml,
    /// `Element.id`: no blanks.
    ElementId,
    /// `Extension.url`.
    ExtensionUrl,
    /// `Meta.profile`: an absolute canonical.
    Profile,
}

/// What is wrong with a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The JSON kind; the text names the right one.
    Shape(&'static str),
    /// An empty string.
    Empty,
    /// The format; the text says what it should be.
    Format(&'static str),
}

/// R4: strings shall not exceed 1 MB; counted in characters as the reference validator does.
const TEXT_CHARS_MAX: usize = 1 << 20;

impl Primitive {
    /// The type of a name. A name we do not know is read as a string: nothing else is left in R4.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "unsignedInt" => Self::UnsignedInt,
            "positiveInt" => Self::PositiveInt,
            "decimal" => Self::Decimal,
            "code" => Self::Code,
            "id" => Self::Id,
            "uri" | "url" => Self::Uri,
            "canonical" => Self::Canonical,
            "oid" => Self::Oid,
            "uuid" => Self::Uuid,
            "base64Binary" => Self::Base64,
            "date" => Self::Date,
            "dateTime" => Self::DateTime,
            "instant" => Self::Instant,
            "time" => Self::Time,
            "xhtml" => Self::Xhtml,
            _ => Self::Text,
        }
    }

    /// It may hold `#id` of a contained resource.
    pub(crate) const fn may_be_fragment(self) -> bool {
        matches!(self, Self::Uri | Self::Canonical)
    }

    /// It is an attribute in XML, so it has no `_name` sibling.
    pub(crate) const fn is_bare(self) -> bool {
        matches!(self, Self::ElementId | Self::ExtensionUrl)
    }

    /// Checks a value.
    pub(crate) fn check(self, value: Value<'_>) -> Result<(), Wrong> {
        match self {
            Self::Boolean => match value.kind() {
                Kind::True | Kind::False => Ok(()),
                _ => Err(Wrong::Shape("true or false, without quotes")),
            },
            Self::Integer => number(value, i32::MIN, "a whole number of 32 bits"),
            Self::UnsignedInt => number(value, 0, "a whole number of 0 or more"),
            Self::PositiveInt => number(value, 1, "a whole number of 1 or more"),
            // The grammar of JSON numbers is that of decimal.
            Self::Decimal => match value.kind() {
                Kind::Number => Ok(()),
                _ => Err(Wrong::Shape("a number, without quotes")),
            },
            Self::Text => text(value),
            _ => {
                let Some(text) = value.as_str() else { return Err(Wrong::Shape("a string")) };
                if text.is_empty() {
                    return Err(Wrong::Empty);
                }
                self.check_str(&text).map_err(Wrong::Format)
            }
        }
    }

    fn check_str(self, text: &str) -> Result<(), &'static str> {
        let (fits, what) = match self {
            Self::Code => (is_code(text), "a code: no blanks but single ones inside"),
            Self::Id => {
                (reference::is_id(text), "an id: 1 to 64 letters, digits, hyphens or full stops")
            }
            Self::ElementId => (has_no_blank(text), "an element id: no blanks"),
            Self::Uri | Self::ExtensionUrl => {
                (is_uri(text), "a URI: no blanks, and after urn:uuid: or urn:oid: a UUID or OID")
            }
            Self::Canonical => (
                is_uri(text),
                "a canonical URL: no blanks, and after urn:uuid: or urn:oid: a UUID or OID",
            ),
            Self::Profile => (
                is_uri(text) && (text.contains(':') || text.starts_with('#')),
                "an absolute canonical URL",
            ),
            Self::Oid => {
                (text.strip_prefix("urn:oid:").is_some_and(is_oid), "an OID as URN: urn:oid:1.2.3")
            }
            Self::Uuid => (
                text.strip_prefix("urn:uuid:").is_some_and(is_uuid)
                    && !text.bytes().any(|b| b.is_ascii_uppercase()),
                "a UUID as URN, in lower case",
            ),
            Self::Base64 => (is_base64(text), "base64"),
            Self::Date => (date::is_date(text), "a date: YYYY, YYYY-MM or YYYY-MM-DD"),
            Self::DateTime => (
                date::is_date_time(text) && zone_fits(text),
                "a dateTime: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss+zz:zz",
            ),
            Self::Instant => (
                date::is_instant(text) && zone_fits(text),
                "an instant: YYYY-MM-DDThh:mm:ss.sss+zz:zz",
            ),
            Self::Time => (date::is_time(text), "a time: hh:mm:ss"),
            Self::Xhtml => return narrative::check(text),
            Self::Boolean
            | Self::Integer
            | Self::UnsignedInt
            | Self::PositiveInt
            | Self::Decimal
            | Self::Text => (true, ""),
        };
        if fits { Ok(()) } else { Err(what) }
    }
}

fn number(value: Value<'_>, least: i32, what: &'static str) -> Result<(), Wrong> {
    let Some(digits) = value.as_number() else {
        return Err(Wrong::Shape("a whole number, without quotes"));
    };
    // `-0`, `1.0` and `1e3` are numbers, but not of the regular expression of integer.
    match digits.parse::<i32>() {
        Ok(number) if number >= least && digits != "-0" => Ok(()),
        _ => Err(Wrong::Format(what)),
    }
}

/// A `string`: looks at the text as written, so an escaped one costs no allocation.
fn text(value: Value<'_>) -> Result<(), Wrong> {
    if value.kind() != Kind::String {
        return Err(Wrong::Shape("a string"));
    }
    let raw = value.raw();
    if raw.len() <= 2 {
        return Err(Wrong::Empty);
    }
    if raw.len() > TEXT_CHARS_MAX && raw.chars().count() - 2 > TEXT_CHARS_MAX {
        return Err(Wrong::Format("shorter than 1,048,576 characters"));
    }
    const CONTROL: Wrong = Wrong::Format("free of control characters but tab and line ends");
    let mut rest = raw;
    while let Some((_, after)) = rest.split_once('\\') {
        let mut chars = after.chars();
        match chars.next() {
            Some('b' | 'f') => return Err(CONTROL),
            Some('u') => {
                let unit = chars.as_str().get(..4).unwrap_or_default();
                let low = unit.starts_with("000") || unit.starts_with("001");
                if low && !matches!(unit, "0009" | "000a" | "000A" | "000d" | "000D") {
                    return Err(CONTROL);
                }
            }
            _ => {}
        }
        rest = chars.as_str();
    }
    Ok(())
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn has_no_blank(text: &str) -> bool {
    !text.bytes().any(is_blank)
}

/// `[^\s]+(\s[^\s]+)*`
fn is_code(text: &str) -> bool {
    let mut blank = true;
    for byte in text.bytes() {
        let here = is_blank(byte);
        if here && blank {
            return false;
        }
        blank = here;
    }
    !blank
}

/// No blanks; and what says it is a UUID or OID is one.
fn is_uri(text: &str) -> bool {
    has_no_blank(text)
        && text.strip_prefix("urn:uuid:").is_none_or(is_uuid)
        && text.strip_prefix("urn:oid:").is_none_or(is_oid)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `[0-2](\.(0|[1-9][0-9]*))+`
fn is_oid(text: &str) -> bool {
    let mut arcs = text.split('.');
    let first = matches!(arcs.next(), Some("0" | "1" | "2"));
    let mut more = false;
    first
        && arcs.all(|arc| {
            more = true;
            !arc.is_empty()
                && arc.bytes().all(|b| b.is_ascii_digit())
                && (arc == "0" || !arc.starts_with('0'))
        })
        && more
}

/// Groups of four with padding only at the end; blanks anywhere, as line-wrapped writers put them.
fn is_base64(text: &str) -> bool {
    // Most of a long one is plain alphabet: whole chunks are tested without branches.
    let plain = |chunk: &[u8; 32]| chunk.iter().fold(true, |ok, b| ok & is_base64_letter(*b));
    let (chunks, _) = text.as_bytes().as_chunks();
    let skipped = chunks.iter().take_while(|chunk| plain(chunk)).count() * 32;
    let (mut count, mut padding) = (skipped, 0_usize);
    for byte in text.bytes().skip(skipped) {
        match byte {
            _ if is_base64_letter(byte) => {
                if padding > 0 {
                    return false;
                }
                count += 1;
            }
            b'=' => padding += 1,
            _ if is_blank(byte) => {}
            _ => return false,
        }
    }
    count > 0 && padding <= 2 && (count + padding).is_multiple_of(4)
}

fn is_base64_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | (byte == b'+') | (byte == b'/')
}

/// The date reader also takes what searches take: a blank for a plus, offsets up to 14:59.
fn zone_fits(text: &str) -> bool {
    let zone = text.get(19..).unwrap_or_default();
    !zone.contains(' ')
        && (!zone.contains("+14:") && !zone.contains("-14:") || zone.ends_with("14:00"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    fn fits(primitive: Primitive, json: &str) -> bool {
        let doc = Document::parse_text(json.to_owned(), &Limits::default()).expect(json);
        primitive.check(doc.root()).is_ok()
    }

    #[track_caller]
    fn takes(primitive: Primitive, good: &[&str], bad: &[&str]) {
        for json in good {
            assert!(fits(primitive, json), "{primitive:?} refuses {json}");
        }
        for json in bad {
            assert!(!fits(primitive, json), "{primitive:?} takes {json}");
        }
    }

    #[test]
    fn numbers_and_booleans() {
        takes(Primitive::Boolean, &["true", "false"], &["\"true\"", "1", "null", "{}"]);
        let out = ["2147483648", "1.0", "1e3", "-0", "\"1\"", "true"];
        takes(Primitive::Integer, &["0", "-5", "2147483647", "-2147483648"], &out);
        takes(Primitive::UnsignedInt, &["0", "7"], &["-1", "2147483648"]);
        takes(Primitive::PositiveInt, &["1", "7"], &["0", "-1"]);
        takes(Primitive::Decimal, &["1.50", "-0", "1e-7", "0.000"], &["\"1.5\"", "null"]);
    }

    #[test]
    fn texts() {
        let good = ["\"a\"", "\" \"", "\"a\\nb\\tc\\r\"", "\"\\u000a\\u00e9\\\\b\"", "\"\\\\\""];
        let bad = ["\"\"", "\"\\u0000\"", "\"a\\bc\"", "\"\\f\"", "\"\\u001F\"", "1", "[]"];
        takes(Primitive::Text, &good, &bad);
        let long = |n: usize| format!("\"{}\"", "é".repeat(n));
        takes(Primitive::Text, &[&long(1 << 20)], &[&long((1 << 20) + 1)]);
        takes(Primitive::Code, &["\"a\"", "\"a b\""], &["\" a\"", "\"a \"", "\"a  b\"", "\"\""]);
        takes(Primitive::Id, &["\"a.B-1\""], &["\"a_b\"", "\"a b\"", &long(65)]);
        takes(Primitive::ElementId, &["\"a_b#\""], &["\"a b\""]);
    }

    #[test]
    fn addresses() {
        let uuid = "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"";
        let shouted = uuid.replace("c757", "C757");
        let bad = ["\"a b\"", "\"\"", "\"urn:uuid:1\"", "\"urn:oid:3.1\"", "1"];
        takes(Primitive::Uri, &["\"http://a/b\"", "\"a\"", uuid, &shouted], &bad);
        takes(Primitive::Canonical, &["\"http://a|1\"", "\"#c\""], &["\"http://a|1 \""]);
        takes(Primitive::Profile, &["\"http://a|1\""], &["\"a\""]);
        takes(Primitive::Uuid, &[uuid], &[&shouted, "\"c757873d-ec9a-4326-a141-556f43239520\""]);
        let bad = ["\"1.2.3\"", "\"urn:oid:1\"", "\"urn:oid:1.02\"", "\"urn:oid:1..2\""];
        takes(Primitive::Oid, &["\"urn:oid:1.2.0\"", "\"urn:oid:2.16.840\""], &bad);
        let long = |end: &str| format!("\"{}{end}\"", "QUJD".repeat(50));
        takes(Primitive::Base64, &[&long(""), &long("QQ==")], &[&long("="), &long("-JDQ")]);
        let bad = ["\"QQ=\"", "\"Q===\"", "\"QQ==Q\"", "\"Q-==\"", "\"====\"", "\"  \""];
        takes(Primitive::Base64, &["\"QUJD\"", "\"QQ==\"", "\"QUJD\\r\\nQUI=\""], &bad);
    }

    #[test]
    fn times() {
        takes(Primitive::Date, &["\"2026\"", "\"2024-02-29\""], &["\"2026-02-29\"", "\"26-1-1\""]);
        let good = ["\"2026-11\"", "\"2026-11-22T09:41:07Z\"", "\"2026-11-22T09:41:07.5+14:00\""];
        let bad = [
            "\"2026-11-22T09:41Z\"",
            "\"2026-11-22T09:41:07\"",
            "\"2026-11-22T09:41:07 02:00\"",
            "\"2026-11-22T09:41:07+14:30\"",
            "\"2026-11-22 09:41:07Z\"",
        ];
        takes(Primitive::DateTime, &good, &bad);
        takes(Primitive::Instant, &good[1..], &["\"2026-11-22\"", bad[1]]);
        takes(
            Primitive::Time,
            &["\"09:41:07\"", "\"23:59:60.25\""],
            &["\"09:41\"", "\"24:00:00\""],
        );
    }

    #[test]
    fn every_primitive_of_r4_has_its_check() {
        use fhir::definitions::{TypeKind, r4};
        let texts = r4()
            .types()
            .filter(|id| r4().kind(*id) == TypeKind::Primitive)
            .map(|id| r4().name(id))
            .filter(|name| Primitive::named(name) == Primitive::Text);
        assert_eq!(texts.collect::<Vec<_>>(), ["markdown", "string"]);
    }
}
