//! Content encodings: gzip and zstd, both ways, bounded on the way in (RFC 9110 section 8.4,
//! RFC 8878 for zstd). A small answer is not worth compressing, and a bomb is not worth unpacking.

use base::Fault;
use base::error::code;
use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use std::io::Read;

/// Answers up to this size go out as they are.
pub(crate) const SMALLEST: usize = 1024;
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 1;
/// The largest window a body may ask for, as a power of two: 8 MiB is what RFC 8878 section 3.1.1.1.2
/// has everybody support, and a body of some bytes could otherwise ask for 128 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// An encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `gzip`
    Gzip,
    /// `zstd`
    Zstd,
}

impl Encoding {
    /// Its name in headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// The encoding to answer in, of those the caller takes.
pub(crate) fn wanted(headers: &HeaderMap) -> Option<Encoding> {
    let mut found = None;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for choice in value.to_str().unwrap_or_default().split(',') {
            let mut parts = choice.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|p| {
                p.strip_prefix("q=").is_some_and(|q| q.bytes().all(|b| matches!(b, b'0' | b'.')))
            });
            match name {
                "zstd" if !refused => return Some(Encoding::Zstd),
                "gzip" | "x-gzip" if !refused => found = Some(Encoding::Gzip),
                _ => {}
            }
        }
    }
    found
}

/// Compresses an answer; `None` when it would not shrink.
pub(crate) fn encode(encoding: Encoding, plain: &[u8]) -> Option<Vec<u8>> {
    let encoded = match encoding {
        Encoding::Zstd => zstd::bulk::compress(plain, ZSTD_LEVEL).ok()?,
        Encoding::Gzip => {
            let level = flate2::Compression::new(GZIP_LEVEL);
            let mut encoder = flate2::read::GzEncoder::new(plain, level);
            let mut out = Vec::with_capacity(plain.len() / 4);
            encoder.read_to_end(&mut out).ok()?;
            out
        }
    };
    (encoded.len() < plain.len()).then_some(encoded)
}

/// The encoding a request's body came in.
pub(crate) fn of_body(headers: &HeaderMap) -> Result<Option<Encoding>, Fault> {
    let Some(value) = headers.get(CONTENT_ENCODING) else { return Ok(None) };
    match value.to_str().unwrap_or_default().trim() {
        "identity" | "" => Ok(None),
        "gzip" | "x-gzip" => Ok(Some(Encoding::Gzip)),
        "zstd" => Ok(Some(Encoding::Zstd)),
        _ => Err(Fault::at(
            &code::UNSUPPORTED_MEDIA,
            "this server reads gzip and zstd encoded bodies only",
            "Content-Encoding",
        )),
    }
}

/// Unpacks a request's body of at most `limit` bytes.
pub(crate) fn decode(encoding: Encoding, packed: &[u8], limit: usize) -> Result<Vec<u8>, Fault> {
    let bad = |_| {
        let what = format!("the body does not decode as {}", encoding.name());
        Fault::at(&code::BODY_ENCODING, what, "Content-Encoding")
    };
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut out = Vec::with_capacity(packed.len().saturating_mul(4).min(limit));
    let read = match encoding {
        Encoding::Gzip => {
            flate2::read::MultiGzDecoder::new(packed).take(most).read_to_end(&mut out)
        }
        Encoding::Zstd => match zstd::stream::read::Decoder::with_buffer(packed) {
            Ok(mut decoder) => decoder
                .window_log_max(WINDOW_LOG_MAX)
                .and_then(|()| decoder.take(most).read_to_end(&mut out)),
            Err(error) => Err(error),
        },
    };
    read.map_err(bad)?;
    if out.len() > limit {
        return Err(too_large(limit));
    }
    Ok(out)
}

/// The refusal of a body above the limit.
pub(crate) fn too_large(limit: usize) -> Fault {
    Fault::new(&code::BODY_TOO_LARGE, format!("a request's body may have {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn bodies_come_back_as_they_were() {
        let plain = b"{\"resourceType\":\"Patient\"}".repeat(200);
        for encoding in [Encoding::Gzip, Encoding::Zstd] {
            let packed = encode(encoding, &plain).unwrap();
            assert!(packed.len() < plain.len() / 10);
            assert_eq!(decode(encoding, &packed, plain.len()).unwrap(), plain);
            let bomb = decode(encoding, &packed, plain.len() - 1).unwrap_err();
            assert_eq!(bomb.code().name, "server.body.too-large");
            let cut = packed.get(..packed.len() / 2).unwrap();
            let fault = decode(encoding, cut, plain.len()).unwrap_err();
            assert_eq!(fault.code().name, "server.body.encoding");
        }
    }

    #[test]
    fn the_callers_refusals_are_kept() {
        let mut headers = HeaderMap::new();
        for (text, expected) in [
            ("gzip, deflate, br", Some(Encoding::Gzip)),
            ("gzip, zstd", Some(Encoding::Zstd)),
            ("gzip;q=0, zstd;q=0.0", None),
            ("identity", None),
        ] {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(text));
            assert_eq!(wanted(&headers), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_shrink_goes_out_plain() {
        assert_eq!(encode(Encoding::Gzip, b"x"), None);
    }
}
