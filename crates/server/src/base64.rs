//! Base 64 (RFC 4648 section 4), the form in which a Binary holds its bytes
//! (<https://hl7.org/fhir/R4/datatypes.html#base64Binary>).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends the text of `bytes`, padded.
pub(crate) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for i in 0..4u32 {
            let digit = usize::try_from(word >> (18 - 6 * i) & 63).unwrap_or(0);
            let present = usize::try_from(i).unwrap_or(0) <= chunk.len();
            out.push(if present { ALPHABET.get(digit).copied().unwrap_or(b'=') } else { b'=' });
        }
    }
}

/// The bytes of a text, white space aside; `None` when it is not base 64.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut word, mut digits, mut padding) = (0u32, 0u32, 0u32);
    for c in text.bytes().filter(|c| !c.is_ascii_whitespace()) {
        let digit = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' if digits >= 2 || padding > 0 => {
                padding += 1;
                0
            }
            _ => return None,
        };
        if padding > 0 && c != b'=' {
            return None;
        }
        word = word << 6 | u32::from(digit);
        digits += 1;
        if digits == 4 {
            let [_, a, b, c] = word.to_be_bytes();
            let kept = 3usize.checked_sub(usize::try_from(padding).ok()?)?;
            out.extend_from_slice([a, b, c].get(..kept)?);
            (word, digits) = (0, 0);
        }
    }
    (digits == 0 && padding <= 2).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_hold_both_ways() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = Vec::new();
            encode(plain.as_bytes(), &mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decode("Zm9v\n YmFy").as_deref(), Some(&b"foobar"[..]));
    }

    #[test]
    fn what_is_not_base_64_is_refused() {
        for bad in ["Zg", "Zg=", "Z===", "====", "Zg==Zg==x", "Zg==Zg==", "Zm9-", "Zm=v"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
