//! Pictures of cards, known by their first bytes and never by the name of their file: a page that is
//! called a picture would act as one of ours in somebody's browser (WHATWG MIME Sniffing, section 6.1).

/// Bytes of one picture. A card is read well at a third of it; all of a patient's Coverage is read
/// whenever any of it is.
pub const BYTES_MAX: usize = 1 << 20;

/// The media type of a picture; none for what is no picture that browsers show.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    if bytes.starts_with(PNG) {
        return Some("image/png");
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        return Some("image/jpeg");
    }
    let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    is_webp.then_some("image/webp")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_picture_is_known_by_its_content() {
        assert_eq!(media_type(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(media_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(media_type(b"RIFF\x01\x02\x03\x04WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg xmlns='x'/>"[..], b"<html>", b"GIF89a", b"%PDF-1.7", b"", b"RIFF"] {
            assert_eq!(media_type(other), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_picture_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            let _ = media_type(&bytes);
        }
    }
}
