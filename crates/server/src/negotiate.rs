//! What form of answer the caller wants, and in what form the body comes
//! (<https://hl7.org/fhir/R4/http.html#mime-type>, RFC 9110 section 12). The product speaks JSON; any
//! other wish is refused, never answered with something else.

use base::Fault;
use base::error::code;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName};

/// The media type of FHIR JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json";
const PLAIN_JSON: &str = "application/json";

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form {
    /// What `Content-Type` to answer with.
    pub(crate) media_type: &'static str,
    /// The caller named FHIR or JSON, rather than taking what comes. It decides whether a Binary
    /// is answered as a resource or as itself.
    pub(crate) named: bool,
    /// Indented.
    pub(crate) pretty: bool,
}

/// Reads `_format`, `_pretty` and `Accept`. `_format` outranks the header.
pub(crate) fn form(
    headers: &HeaderMap,
    format: Option<&str>,
    pretty: Option<&str>,
) -> Result<Form, Fault> {
    let pretty = match pretty {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            let what = "_pretty is true or false";
            return Err(Fault::at(&code::PARAMETER_INVALID, what, "_pretty"));
        }
    };
    if let Some(format) = format {
        let media_type = format.split(';').next().unwrap_or_default().trim();
        // A plus sign that was not escaped arrives as a space.
        return match media_type {
            "json" | FHIR_JSON | "application/fhir json" => {
                Ok(Form { media_type: FHIR_JSON, named: true, pretty })
            }
            PLAIN_JSON | "text/json" => Ok(Form { media_type: PLAIN_JSON, named: true, pretty }),
            _ => {
                let what = "this server answers in JSON only; ask for _format=json";
                Err(Fault::at(&code::NOT_ACCEPTABLE, what, "_format"))
            }
        };
    }
    let accepted = accepted(headers)?;
    Ok(Form { pretty, ..accepted })
}

fn accepted(headers: &HeaderMap) -> Result<Form, Fault> {
    let anything = Form { media_type: FHIR_JSON, named: false, pretty: false };
    let mut best: Option<(u16, Form)> = None;
    let mut any_header = false;
    for value in headers.get_all(ACCEPT) {
        any_header = true;
        let text = text_of(value, &ACCEPT)?;
        for choice in text.split(',') {
            let mut parts = choice.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default();
            let mut weight = 1000;
            let mut other_version = false;
            for parameter in parts {
                if let Some(q) = parameter.strip_prefix("q=") {
                    weight = thousandths(q)?;
                } else if let Some(version) = parameter.strip_prefix("fhirVersion=") {
                    other_version = !version.trim_matches('"').starts_with("4.0");
                }
            }
            let form = if media_type.eq_ignore_ascii_case(FHIR_JSON) {
                Form { named: true, ..anything }
            } else if media_type.eq_ignore_ascii_case(PLAIN_JSON)
                || media_type.eq_ignore_ascii_case("text/json")
            {
                Form { media_type: PLAIN_JSON, named: true, pretty: false }
            } else if matches!(media_type, "*/*" | "application/*" | "") {
                anything
            } else {
                continue;
            };
            if weight > 0 && !other_version && best.is_none_or(|(w, _)| weight > w) {
                best = Some((weight, form));
            }
        }
    }
    match best {
        Some((_, form)) => Ok(form),
        None if !any_header => Ok(anything),
        None => Err(Fault::new(
            &code::NOT_ACCEPTABLE,
            "this server answers in application/fhir+json of FHIR 4.0 only",
        )),
    }
}

/// A quality value (RFC 9110 section 12.4.2) in thousandths.
fn thousandths(text: &str) -> Result<u16, Fault> {
    let bad = || Fault::at(&code::HEADER_INVALID, "a quality is a number from 0 to 1", "Accept");
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    if rest.len() > 3 || !rest.bytes().all(|b| b.is_ascii_digit()) {
        return Err(bad());
    }
    let mut value = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return Err(bad()),
    };
    let mut unit = 100;
    for digit in rest.bytes() {
        value += u16::from(digit - b'0') * unit;
        unit /= 10;
    }
    if value > 1000 { Err(bad()) } else { Ok(value) }
}

/// The media type of the request's body, in lower case, without its parameters.
pub(crate) fn body_type(headers: &HeaderMap) -> Result<String, Fault> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        let what = "the request has a body but no Content-Type; send application/fhir+json";
        return Err(Fault::at(&code::UNSUPPORTED_MEDIA, what, "Content-Type"));
    };
    let text = text_of(value, &CONTENT_TYPE)?;
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.trim_matches('"');
        let refused = match name {
            "charset" if is_fhir_json(&media_type) => !value.eq_ignore_ascii_case("utf-8"),
            "fhirVersion" => !value.starts_with("4.0"),
            _ => false,
        };
        if refused {
            let what = "this server reads UTF-8 and FHIR 4.0 only";
            return Err(Fault::at(&code::UNSUPPORTED_MEDIA, what, "Content-Type"));
        }
    }
    Ok(media_type)
}

/// Whether a media type is one of those FHIR JSON comes in.
pub(crate) fn is_fhir_json(media_type: &str) -> bool {
    matches!(media_type, FHIR_JSON | PLAIN_JSON | "text/json" | "application/json+fhir")
}

/// Refuses a body that is no FHIR JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Fault> {
    if is_fhir_json(&body_type(headers)?) {
        return Ok(());
    }
    let what = "this server reads resources as application/fhir+json only";
    Err(Fault::at(&code::UNSUPPORTED_MEDIA, what, "Content-Type"))
}

/// A header's text, when it is printable ASCII.
pub(crate) fn text_of<'h>(
    value: &'h http::HeaderValue,
    name: &HeaderName,
) -> Result<&'h str, Fault> {
    value.to_str().map_err(|_not_ascii| {
        Fault::at(&code::HEADER_INVALID, "the header holds other than ASCII", name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(text: &'static str) -> Result<(&'static str, bool), &'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static(text));
        form(&headers, None, None).map(|f| (f.media_type, f.named)).map_err(|f| f.code().name)
    }

    #[test]
    fn the_best_acceptable_form_is_chosen() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(accept("application/fhir+json"), Ok((FHIR_JSON, true)));
        assert_eq!(accept("application/json"), Ok((PLAIN_JSON, true)));
        assert_eq!(accept("application/json;q=0.5, application/fhir+json"), Ok((FHIR_JSON, true)));
        assert_eq!(accept(browser), Ok((FHIR_JSON, false)));
        assert_eq!(accept("application/fhir+json; fhirVersion=4.0"), Ok((FHIR_JSON, true)));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "application/fhir+xml",
            "text/turtle",
            "application/fhir+json;q=0",
            "application/fhir+json;fhirVersion=5.0",
        ] {
            assert_eq!(accept(text), Err("server.content.not-acceptable"), "{text}");
        }
        assert_eq!(accept("*/*;q=7"), Err("server.header.invalid"));
    }

    #[test]
    fn format_outranks_accept() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, http::HeaderValue::from_static("application/fhir+xml"));
        let f = form(&headers, Some("application/fhir json"), Some("true")).unwrap();
        assert_eq!((f.media_type, f.pretty), (FHIR_JSON, true));
        assert!(form(&headers, Some("xml"), None).is_err());
        assert!(form(&headers, Some("json"), Some("yes")).is_err());
    }

    #[test]
    fn bodies_in_other_character_sets_are_refused() {
        let mut headers = HeaderMap::new();
        assert!(require_json(&headers).is_err());
        for (text, fine) in [
            ("application/fhir+json; charset=UTF-8", true),
            ("Application/JSON", true),
            ("application/json; charset=latin1", false),
            ("application/fhir+json; fhirVersion=5.0", false),
            ("application/fhir+xml", false),
        ] {
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(text));
            assert_eq!(require_json(&headers).is_ok(), fine, "{text}");
        }
    }
}
