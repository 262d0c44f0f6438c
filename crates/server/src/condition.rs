//! Conditions and wishes a caller states in headers: entity tags, dates and `Prefer`
//! (<https://hl7.org/fhir/R4/http.html#concurrency>, RFC 9110 section 13, RFC 7240).

use crate::negotiate::text_of;
use base::error::code;
use base::{Fault, Millis};
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

static PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a write is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Return {
    /// Headers only.
    Minimal,
    /// The resource as stored.
    #[default]
    Representation,
    /// What there is to say about it.
    Outcome,
}

/// The `Prefer` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    /// `return=`, when given.
    pub(crate) answer: Option<Return>,
    /// `handling=lenient`: unknown search parameters are left out with a warning.
    pub(crate) lenient: bool,
}

/// Reads `Prefer`. Preferences that are not known are left out, as RFC 7240 asks.
pub(crate) fn prefer(headers: &HeaderMap) -> Result<Prefer, Fault> {
    let mut prefer = Prefer::default();
    for value in headers.get_all(&PREFER) {
        for part in text_of(value, &PREFER)?.split([',', ';']) {
            match part.trim() {
                "return=minimal" => prefer.answer = Some(Return::Minimal),
                "return=representation" => prefer.answer = Some(Return::Representation),
                "return=OperationOutcome" => prefer.answer = Some(Return::Outcome),
                "handling=lenient" => prefer.lenient = true,
                "handling=strict" => prefer.lenient = false,
                _ => {}
            }
        }
    }
    Ok(prefer)
}

/// The entity tag of a version.
pub(crate) fn etag(version: u64) -> String {
    format!("W/\"{version}\"")
}

/// The version named by `If-Match`.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Fault> {
    let Some(value) = headers.get(IF_MATCH) else { return Ok(None) };
    let text = text_of(value, &IF_MATCH)?;
    tag_version(text).map(Some).ok_or_else(|| {
        Fault::at(
            &code::HEADER_INVALID,
            "If-Match names one version as the server gave it in ETag, such as W/\"3\"",
            "If-Match",
        )
    })
}

/// `If-None-Match: *` on a write: only if there is nothing yet.
pub(crate) fn only_if_new(headers: &HeaderMap) -> Result<bool, Fault> {
    match headers.get(IF_NONE_MATCH) {
        None => Ok(false),
        Some(value) if text_of(value, &IF_NONE_MATCH)?.trim() == "*" => Ok(true),
        Some(_) => Err(Fault::at(
            &code::HEADER_INVALID,
            "on a write, If-None-Match can only be *",
            "If-None-Match",
        )),
    }
}

/// Whether the caller already holds this version (RFC 9110 section 13.2.2: dates count only when
/// there is no tag).
pub(crate) fn not_modified(
    headers: &HeaderMap,
    version: u64,
    last_updated: Millis,
) -> Result<bool, Fault> {
    if headers.contains_key(IF_NONE_MATCH) {
        for value in headers.get_all(IF_NONE_MATCH) {
            let tags = text_of(value, &IF_NONE_MATCH)?;
            if tags.split(',').any(|t| t.trim() == "*" || tag_version(t) == Some(version)) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let Some(value) = headers.get(IF_MODIFIED_SINCE) else { return Ok(false) };
    // A date that cannot be read is left out, as RFC 9110 section 13.1.3 asks.
    let since = text_of(value, &IF_MODIFIED_SINCE).ok().and_then(read_date);
    Ok(since.is_some_and(|since| last_updated.0.div_euclid(1000) <= since.0.div_euclid(1000)))
}

/// `W/"3"`, `"3"` or `3`.
fn tag_version(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text);
    let text = match text.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"')?,
        None => text,
    };
    text.parse().ok()
}

/// An instant as an HTTP date: `Sun, 22 Nov 2026 09:41:07 GMT`.
pub(crate) fn http_date(at: Millis) -> String {
    let since = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

fn read_date(text: &str) -> Option<Millis> {
    let at: SystemTime = httpdate::parse_http_date(text).ok()?;
    let since = at.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn tags_are_read_weak_strong_and_bare() {
        for (text, version) in [("W/\"3\"", 3), ("\"3\"", 3), ("3", 3), (" W/\"17\" ", 17)] {
            assert_eq!(if_match(&with(IF_MATCH, text)), Ok(Some(version)), "{text}");
        }
        for text in ["W/\"3", "*", "\"a\"", "W/\"1\", W/\"2\"", ""] {
            assert!(if_match(&with(IF_MATCH, text)).is_err(), "{text}");
        }
        assert_eq!(if_match(&HeaderMap::new()), Ok(None));
    }

    #[test]
    fn what_the_caller_holds_is_not_sent_again() {
        let at = Millis(1_582_934_400_500);
        let held = |n, v| not_modified(&with(n, v), 3, at).unwrap();
        assert!(held(IF_NONE_MATCH, "W/\"1\", W/\"3\""));
        assert!(held(IF_NONE_MATCH, "*"));
        assert!(!held(IF_NONE_MATCH, "W/\"2\""));
        assert!(held(IF_MODIFIED_SINCE, "Sat, 29 Feb 2020 00:00:00 GMT"));
        assert!(!held(IF_MODIFIED_SINCE, "Fri, 28 Feb 2020 23:59:59 GMT"));
        assert!(!held(IF_MODIFIED_SINCE, "yesterday"));
        let mut both = with(IF_NONE_MATCH, "W/\"2\"");
        both.insert(IF_MODIFIED_SINCE, HeaderValue::from_static("Sat, 29 Feb 2020 00:00:00 GMT"));
        assert!(!not_modified(&both, 3, at).unwrap(), "a tag outranks a date");
    }

    #[test]
    fn preferences_are_read_and_unknown_ones_left_out() {
        let got = prefer(&with(PREFER.clone(), "return=minimal, handling=lenient; x=y")).unwrap();
        assert_eq!(got, Prefer { answer: Some(Return::Minimal), lenient: true });
        assert_eq!(prefer(&HeaderMap::new()).unwrap(), Prefer::default());
    }

    #[test]
    fn dates_print_as_http_writes_them() {
        assert_eq!(http_date(Millis(1_582_934_400_007)), "Sat, 29 Feb 2020 00:00:00 GMT");
    }
}
