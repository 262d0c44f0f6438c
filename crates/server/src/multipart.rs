//! Forms with files (RFC 7578 `multipart/form-data`, RFC 2046 section 5.1), within bounds that are told
//! before anything is read. Only what browsers send is understood: parts of a name each, text or a file,
//! neither nested nor encoded. The name a file had is not read: a picture is known by its content.

use base::Fault;
use base::error::code;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use memchr::memmem;
use smart::Params;

/// Bytes of such a form: two pictures of a card, one megabyte each, and the fields around them.
const BYTES_MAX: usize = 3 << 20;
/// Parts of a form: more than any of ours has fields.
const PARTS_MAX: usize = 64;
/// Bytes of the head of a part; a name and a type are some tens.
const HEAD_BYTES_MAX: usize = 1024;
/// Letters of a boundary (RFC 2046, 5.1.1).
const BOUNDARY_MAX: usize = 70;
const KIND: &str = "multipart/form-data";

/// A form, taken apart.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Texts by field.
    pub(crate) fields: Vec<(String, String)>,
    /// Files by field, without those that are empty: a browser sends one for a field nobody filled.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// It is about a person.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Form({} fields, {} files)", self.fields.len(), self.files.len())
    }
}

impl Form {
    /// What holds the form to its browser and session.
    pub(crate) fn params(&self) -> Result<Params, Fault> {
        let own = self.fields.iter().find(|(name, _)| name == "form");
        let text = own.map(|(_, value)| format!("form={value}")).unwrap_or_default();
        Params::parse(&text).ok_or_else(odd)
    }
}

/// Refuses a form with files that says it is too large, or does not say how large it is. How many bytes
/// it may have unpacked; none for another kind of form.
pub(crate) fn within(headers: &HeaderMap) -> Result<Option<usize>, Fault> {
    if boundary(headers).is_none() {
        return Ok(None);
    }
    let length = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(length) if length <= BYTES_MAX => Ok(Some(BYTES_MAX)),
        _ => {
            let say = format!("a form with pictures may have {BYTES_MAX} bytes; send smaller ones");
            Err(Fault::new(&code::BODY_TOO_LARGE, say))
        }
    }
}

/// The form of a body; none when it is of another kind.
pub(crate) fn form(headers: &HeaderMap, body: &[u8]) -> Result<Option<Form>, Fault> {
    match boundary(headers) {
        None => Ok(None),
        Some(Some(boundary)) => parse(body, boundary).ok_or_else(odd).map(Some),
        Some(None) => Err(odd()),
    }
}

/// The boundary that the headers name; `None` for another kind of body, `Some(None)` without one.
fn boundary(headers: &HeaderMap) -> Option<Option<&str>> {
    let text = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let (kind, rest) = text.split_once(';').unwrap_or((text, ""));
    if !kind.trim().eq_ignore_ascii_case(KIND) {
        return None;
    }
    let value = rest.split(';').find_map(|part| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"'))
    });
    let fits = |value: &&str| {
        (1..=BOUNDARY_MAX).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic())
    };
    Some(value.filter(fits))
}

/// Takes a body apart; none for what is no such form.
fn parse(body: &[u8], boundary: &str) -> Option<Form> {
    let opening = format!("--{boundary}");
    let between = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(opening.as_bytes())?;
    let mut form = Form::default();
    for _ in 0..=PARTS_MAX {
        if let Some(end) = rest.strip_prefix(b"--") {
            return matches!(end, b"" | b"\r\n").then_some(form);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head_end = memmem::find(rest.get(..rest.len().min(HEAD_BYTES_MAX))?, b"\r\n\r\n")?;
        let head = std::str::from_utf8(rest.get(..head_end)?).ok()?;
        let content = rest.get(head_end.checked_add(4)?..)?;
        let end = memmem::find(content, between.as_bytes())?;
        let (name, is_file) = disposition(head)?;
        let bytes = content.get(..end)?;
        if is_file {
            if !bytes.is_empty() {
                form.files.push((name, bytes.to_vec()));
            }
        } else {
            form.fields.push((name, std::str::from_utf8(bytes).ok()?.to_owned()));
        }
        rest = content.get(end.checked_add(between.len())?..)?;
    }
    None
}

/// The name of a part, and whether it is a file.
fn disposition(head: &str) -> Option<(String, bool)> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then(|| value.trim())
    })?;
    let rest = line.strip_prefix("form-data;")?;
    // Browsers write a quotation mark in a name as %22, so the next one ends it.
    let name = rest.trim_start().strip_prefix("name=\"")?;
    let (name, rest) = name.split_once('"')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if name.is_empty() || !name.bytes().all(plain) {
        return None;
    }
    Some((name.to_owned(), rest.contains("filename")))
}

fn odd() -> Fault {
    Fault::new(&code::PARAMETER_INVALID, "the form did not arrive as a browser sends one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn part(name: &str, file: bool, content: &[u8]) -> Vec<u8> {
        let file = if file { "; filename=\"x.html\"\r\nContent-Type: text/html" } else { "" };
        let head = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n"].concat()
    }

    fn headers(kind: &str, length: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        if !length.is_empty() {
            headers.insert(CONTENT_LENGTH, HeaderValue::from_str(length).unwrap());
        }
        headers
    }

    #[test]
    fn texts_and_files_are_told_apart_and_empty_files_are_none() {
        let body = [
            part("form", false, "ñ=1".as_bytes()),
            part("front", true, b"\r\n--A\x00\xff"),
            part("back", true, b""),
            b"--B--\r\n".to_vec(),
        ]
        .concat();
        let form = parse(&body, "B").unwrap();
        assert_eq!(form.fields, [("form".to_owned(), "ñ=1".to_owned())]);
        assert_eq!(form.files, [("front".to_owned(), b"\r\n--A\x00\xff".to_vec())]);
    }

    #[test]
    fn what_is_cut_off_or_odd_is_no_form() {
        let whole = [part("a", false, b"1"), b"--B--\r\n".to_vec()].concat();
        assert!(parse(&whole, "B").is_some());
        for cut in 0..whole.len() - 2 {
            assert!(parse(&whole[..cut], "B").is_none(), "{cut}");
        }
        let many = [part("a", false, b"1").repeat(PARTS_MAX + 1), b"--B--".to_vec()].concat();
        assert!(parse(&many, "B").is_none());
        let nested = [part("a\r\nX: y", false, b"1"), b"--B--".to_vec()].concat();
        assert!(parse(&nested, "B").is_none());
    }

    #[test]
    fn how_large_it_is_is_told_before_it_is_read() {
        let kind = "multipart/form-data; boundary=B";
        assert!(within(&headers(kind, "3145728")).is_ok());
        assert!(within(&headers(kind, "3145729")).is_err());
        assert!(within(&headers(kind, "")).is_err());
        assert!(within(&headers("application/x-www-form-urlencoded", "")).is_ok());
        assert!(form(&headers("multipart/form-data", "1"), b"").is_err());
        assert!(form(&headers("text/plain", "1"), b"").unwrap().is_none());
    }

    proptest! {
        #[test]
        fn any_body_is_a_form_or_none(
            body in proptest::collection::vec(any::<u8>(), 0..300), boundary in "[a-zA-Z0-9]{1,3}"
        ) {
            let _ = parse(&body, &boundary);
            let _ = parse(&[format!("--{boundary}\r\n").as_bytes(), &body].concat(), &boundary);
        }

        #[test]
        fn what_was_sent_arrives(
            content in proptest::collection::vec(any::<u8>(), 1..200), text in "[^\\r]{0,40}"
        ) {
            prop_assume!(memmem::find(&content, b"\r\n--B").is_none() && !content.ends_with(b"\r"));
            let body = [part("t", false, text.as_bytes()), part("f", true, &content), b"--B--".to_vec()];
            let form = parse(&body.concat(), "B").unwrap();
            prop_assert_eq!(&form.fields[0].1, &text);
            prop_assert_eq!(&form.files[0].1, &content);
        }
    }
}
