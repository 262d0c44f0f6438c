//! The form of every body on a shelf: one byte that tells the format, then JSON of known members
//! only. What does not decode is damage and is said to be (45 CFR 164.312(c)(1)), never guessed at.

use base::Fault;
use base::error::code;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::secret::Key;
use crate::shelf::BODY_BYTES_MAX;

/// The first byte of every body this version writes.
pub(crate) const FORMAT: u8 = 1;

/// Something that stands on a shelf.
pub(crate) trait Body: Serialize + DeserializeOwned {
    /// Whether every member is within its bounds.
    fn sound(&self) -> bool;
}

/// The bytes of a body.
pub(crate) fn encode(body: &impl Body) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![FORMAT];
    let written = serde_json::to_writer(&mut bytes, body).is_ok();
    if !written || !body.sound() || bytes.len() > BODY_BYTES_MAX {
        return Err(Fault::new(&code::INTERNAL, "An item of identity is malformed."));
    }
    Ok(bytes)
}

/// Reads a body, or says that it is damaged.
pub(crate) fn decode<T: Body>(bytes: &[u8]) -> Result<T, Fault> {
    let json = match bytes.split_first() {
        Some((&FORMAT, json)) if bytes.len() <= BODY_BYTES_MAX => json,
        Some((&format, _)) if format > FORMAT => {
            let text = "An item of identity was written by a newer version of this program.";
            return Err(Fault::new(&code::STORE_TOO_NEW, text));
        }
        _ => return Err(damaged()),
    };
    let body: Option<T> = serde_json::from_slice(json).ok();
    body.filter(Body::sound).ok_or_else(damaged)
}

/// The fault of an item that this program did not write.
pub(crate) fn damaged() -> Fault {
    Fault::new(&code::STORE_CORRUPT, "An item of identity cannot be read.")
}

/// Sixteen or so bytes as base64url text, for `#[serde(with = "…")]`.
pub(crate) mod key {
    use super::{Deserializer, Key, Serializer, read, write};

    pub(crate) fn serialize<S: Serializer, const N: usize>(
        key: &Key<N>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        write(key.expose(), to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<Key<N>, D::Error> {
        read(from).map(Key::new)
    }
}

/// Bytes that are no secret (ids, salts) as base64url text.
pub(crate) mod bytes {
    use super::{Deserializer, Serializer, read, write};

    pub(crate) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        write(bytes, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        read(from)
    }
}

fn write<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
}

fn read<'de, D: Deserializer<'de>, const N: usize>(from: D) -> Result<[u8; N], D::Error> {
    let text = Zeroizing::new(String::deserialize(from)?);
    let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map(Zeroizing::new);
    let bytes = bytes.ok().ok_or_else(|| D::Error::custom("not base64url"))?;
    bytes.as_slice().try_into().ok().ok_or_else(|| D::Error::custom("of another length"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::{Principal, PrincipalId};
    use crate::session::Session;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Small {
        #[serde(with = "super::bytes")]
        id: [u8; 4],
        #[serde(with = "super::key")]
        key: Key<4>,
        count: u8,
    }

    impl Body for Small {
        fn sound(&self) -> bool {
            self.count < 10
        }
    }

    const SMALL: &[u8] = b"\x01{\"id\":\"AQIDBA\",\"key\":\"BQYHCA\",\"count\":3}";

    #[test]
    fn a_body_is_its_format_and_json() {
        let small = Small { id: [1, 2, 3, 4], key: Key::new([5, 6, 7, 8]), count: 3 };
        assert_eq!(encode(&small).expect("encoded"), SMALL);
        assert_eq!(decode::<Small>(SMALL).expect("decoded"), small);
        assert!(encode(&Small { count: 10, ..small }).is_err(), "out of bounds");
    }

    #[test]
    fn what_was_not_written_here_is_damage_and_what_is_newer_is_said_to_be() {
        let text = |from: &str, to: &str| {
            String::from_utf8(SMALL.to_vec()).expect("text").replace(from, to).into_bytes()
        };
        for bad in [
            text(":3}", ":10}"),
            text(":3}", ":3,\"more\":1}"),
            text(":3}", ":3,\"count\":3}"),
            text(":3}", ":3}}"),
            text(",\"count\":3", ""),
            text("AQIDBA", "AQIDB"),
            text("AQIDBA", "AQIDBAU"),
            text("\x01", "\0"),
            text(":3}", &format!(":3{}}}", " ".repeat(BODY_BYTES_MAX))),
            Vec::new(),
        ] {
            let fault = decode::<Small>(&bad).expect_err("damage");
            assert_eq!(fault.code().name, "store.corrupt", "{bad:?}");
        }
        let newer = decode::<Small>(&text("\x01", "\x02")).expect_err("newer");
        assert_eq!(newer.code().name, "store.schema.too-new");
    }

    proptest! {
        #[test]
        fn any_bytes_are_decoded_or_refused(
            format in prop_oneof![Just(FORMAT), any::<u8>()],
            rest in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "[\\[{\"a:,}\\]0-9e.-]{0,200}".prop_map(String::into_bytes),
                (1usize..2000).prop_map(|n| b"[".repeat(n)),
            ],
            key in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let bytes: Vec<u8> = std::iter::once(format).chain(rest).collect();
            let _ = decode::<Small>(&bytes);
            let _ = decode::<crate::password::Stored>(&bytes);
            let _ = decode::<crate::factor::Factors>(&bytes);
            let _ = Principal::decode(PrincipalId::new([1; 16]), 1, &bytes);
            let _ = Session::decode(&key, &bytes);
        }
    }
}
