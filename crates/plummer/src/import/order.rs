//! Which documents must wait for others. A conditional reference (`Practitioner?identifier=…`,
//! <https://hl7.org/fhir/R4/http.html#transaction>) can only be resolved when what it names is
//! stored, so documents that hold one are read after all others, whatever their files are called.

use memchr::memmem::Finder;
use std::sync::LazyLock;

static REFERENCE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"reference\""));

/// Whether the text of a document holds a conditional reference. It is not parsed: a wrong yes costs
/// a detour, and a wrong no is told by the gate, which defers what it cannot resolve.
pub(crate) fn must_wait(text: &[u8]) -> bool {
    REFERENCE.find_iter(text).any(|at| {
        let rest = text.get(at + REFERENCE.needle().len()..).unwrap_or_default();
        let mut bytes = rest.iter().skip_while(|b| b.is_ascii_whitespace() || **b == b':');
        if bytes.next() != Some(&b'"') {
            return false;
        }
        let mut named = false;
        for byte in bytes {
            match byte {
                b'?' => return named,
                b if b.is_ascii_alphabetic() => named = true,
                _ => return false,
            }
        }
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditional_references_are_seen_and_others_are_not() {
        for (text, expected) in [
            (r#"{"a":{"reference":"Practitioner?identifier=x|1"}}"#, true),
            ("{\"a\":{\"reference\" :\n \"Location?name=x\"}}", true),
            (r#"{"a":{"reference":"Patient/1"},"b":{"reference":"urn:uuid:1?"}}"#, false),
            (r#"{"a":{"reference":"?x=1"}}"#, false),
            (r#"{"url":"Patient?identifier=1"}"#, false),
            (r#"{"reference":"#, false),
        ] {
            assert_eq!(must_wait(text.as_bytes()), expected, "{text}");
        }
    }
}
