//! The form of every body on a shelf: one byte that tells the format, then JSON of known members
//! only. What does not decode is damage and is said to be (45 CFR 164.312(c)(1)), never guessed at.

use base::Fault;
use base::error::code;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use identity::shelf::BODY_BYTES_MAX;

/// The first byte of every body this version writes.
const FORMAT: u8 = 1;

/// The bytes of a body.
pub(crate) fn encode(body: &impl Serialize) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![FORMAT];
    if serde_json::to_writer(&mut bytes, body).is_err() || bytes.len() > BODY_BYTES_MAX {
        return Err(Fault::new(&code::INTERNAL, "An item of an app's grant is malformed."));
    }
    Ok(bytes)
}

/// Reads a body, or says that it is damaged.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    match bytes.split_first() {
        Some((&FORMAT, json)) if bytes.len() <= BODY_BYTES_MAX => {
            serde_json::from_slice(json).ok().ok_or_else(damaged)
        }
        Some((&format, _)) if format > FORMAT => {
            let text = "An item of an app's grant was written by a newer version of this program.";
            Err(Fault::new(&code::STORE_TOO_NEW, text))
        }
        _ => Err(damaged()),
    }
}

/// The fault of an item that this program did not write.
pub(crate) fn damaged() -> Fault {
    Fault::new(&code::STORE_CORRUPT, "An item of an app's grant cannot be read.")
}

/// Bytes as the text they stand in JSON as.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of such a text, if it is of this length.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_written_here_is_damage_and_what_is_newer_is_said_to_be() {
        assert_eq!(encode(&[1, 2]).expect("encoded"), b"\x01[1,2]");
        assert_eq!(decode::<[u8; 2]>(b"\x01[1,2]").expect("decoded"), [1, 2]);
        for bad in [&b""[..], b"\x01", b"\0[1,2]", b"\x01[1]", b"\x01[1,2]]"] {
            let fault = decode::<[u8; 2]>(bad).expect_err("damage");
            assert_eq!(fault.code().name, "store.corrupt");
        }
        let fault = decode::<[u8; 2]>(b"\x02[1,2]").expect_err("newer");
        assert_eq!(fault.code().name, "store.schema.too-new");
    }
}
