//! Ids that an import derives, so that the same file imported twice stores nothing twice: what a
//! `fullUrl` names keeps one id for good. A `urn:uuid:` becomes its UUID, a REST address its id,
//! any other address and a resource without a name a UUID (version 8, RFC 9562) of its SHA-256.

use fhir::Value;
use fhir::reference::{Reference, is_id, parse};
use sha2::{Digest, Sha256};

/// The id of a resource that is to be created.
pub(crate) fn id(full_url: Option<&str>, resource: Value<'_>) -> String {
    let Some(full_url) = full_url else {
        return match resource.get_str("id") {
            Some(own) if is_id(&own) => own.into_owned(),
            _ => hashed(resource.raw()),
        };
    };
    if let Some(uuid) = full_url.strip_prefix("urn:uuid:")
        && is_id(uuid)
    {
        return uuid.to_ascii_lowercase();
    }
    match parse(full_url) {
        Some(Reference::Absolute { target, .. }) => target.id.to_owned(),
        _ => hashed(full_url),
    }
}

fn hashed(text: &str) -> String {
    let mut bytes = [0u8; 16];
    for (slot, byte) in bytes.iter_mut().zip(Sha256::digest(text.as_bytes())) {
        *slot = byte;
    }
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0F) | 0x80;
    *variant = (*variant & 0x3F) | 0x80;
    base::id::uuid_text(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    #[test]
    fn the_same_name_gives_the_same_id() {
        let document = Document::parse_text(
            r#"{"resourceType":"Basic","id":"own"}"#.into(),
            &Limits::default(),
        )
        .unwrap();
        let of = |url| id(url, document.root());
        assert_eq!(of(Some("urn:uuid:0A1B-c")), "0a1b-c");
        assert_eq!(of(Some("http://x.example/fhir/Basic/77")), "77");
        assert_eq!(of(Some("urn:oid:1.2.3")), of(Some("urn:oid:1.2.3")));
        assert_ne!(of(Some("urn:oid:1.2.3")), of(Some("urn:oid:1.2.4")));
        assert_eq!(of(Some("urn:oid:1.2.3")).len(), 36);
        assert_eq!(of(None), "own");
    }
}
