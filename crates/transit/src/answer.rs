//! What the service answers, read strictly: a status is told apart from every other that asks for
//! another remedy, and of a body only the members that are used. Pure: bytes in, values out. Nothing
//! of a body is ever quoted, since it may hold a key or a token.

use base::Fault;
use base::error::{Code, code};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::{Secret, SecretText};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt;
use zeroize::Zeroizing;

use crate::wrapped;

/// Characters of a token.
const TOKEN_MAX: usize = 8192;
/// What may wrap a key of 256 bits: authenticated, and of no fewer bits itself.
const TYPES: [&str; 3] = ["aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"];

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// The body may hold a key or a token: it stays out of debug output, which ends in logs.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why there is no value, and whether asking again may help.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    pub(crate) again: bool,
}

impl Trouble {
    pub(crate) fn lasting(code: &'static Code, what: impl Into<String>) -> Self {
        Self { fault: Fault::new(code, what), again: false }
    }

    pub(crate) fn passing(code: &'static Code, what: impl Into<String>) -> Self {
        Self { fault: Fault::new(code, what), again: true }
    }

    pub(crate) fn is(&self, code: &'static Code) -> bool {
        self.fault.code() == code
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { fault, again: false }
    }
}

/// What a service tells of a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Key {
    #[serde(rename = "type")]
    kind: String,
    derived: bool,
    latest_version: u32,
    #[serde(default)]
    min_decryption_version: u32,
}

impl Key {
    /// The newest version, of a key that is fit: wrapped keys can then be bound to their tenant.
    pub(crate) fn version(&self) -> Result<u32, Trouble> {
        let unfit = |what| Err(Trouble::lasting(&code::KEYS_KMS_UNFIT, what));
        if !TYPES.contains(&self.kind.as_str()) {
            return unfit("the key is of a type that cannot wrap: make one of type aes256-gcm96");
        }
        if !self.derived {
            return unfit(
                "the key is not derived, so nothing wrapped by it is bound to its tenant: make one with derived=true",
            );
        }
        Ok(self.latest_version)
    }

    /// Why what was wrapped under a version does not unwrap, when the service is well.
    pub(crate) fn why_not(&self, version: u32) -> Trouble {
        let (least, newest) = (self.min_decryption_version, self.latest_version);
        let what = if version < least {
            format!(
                "the tenant's key was wrapped under version {version}, and min_decryption_version is {least}: set it back to {version}, run `plummer keys rewrap`, and raise it again"
            )
        } else if version > newest {
            format!(
                "the tenant's key was wrapped under version {version}, and the service has only {newest}: it was restored from an older copy of itself"
            )
        } else {
            "the tenant's key was altered, or is another tenant's, or was wrapped by another key of this name".to_owned()
        };
        Trouble::lasting(&code::KEYS_KMS_REFUSED, what)
    }
}

/// A token for a while.
#[derive(Debug)]
pub(crate) struct Leased {
    pub(crate) token: SecretText,
    /// Seconds; 0 when nothing is said.
    pub(crate) seconds: u32,
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Sealed {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Opened {
    plaintext: String,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: String,
    #[serde(default)]
    lease_duration: u32,
}

/// A wrapped key.
pub(crate) fn ciphertext(answer: &Answer) -> Result<Vec<u8>, Trouble> {
    let found: Data<Sealed> = read(answer)?;
    let wrapped = found.data.ciphertext.into_bytes();
    match wrapped::version(&wrapped) {
        Some(_) => Ok(wrapped),
        None => Err(unusable("a wrapped key that is none")),
    }
}

/// A key.
pub(crate) fn plaintext(answer: &Answer) -> Result<Secret, Trouble> {
    let found: Data<Opened> = read(answer)?;
    let text = Zeroizing::new(found.data.plaintext);
    let bytes = STANDARD.decode(text.as_bytes()).map(Zeroizing::new);
    let bytes = bytes.map_err(|_quoting| unusable("a key that is no base64"))?;
    let key: [u8; 32] =
        bytes.as_slice().try_into().map_err(|_quoting| unusable("a key of an odd length"))?;
    Ok(Secret::take(&mut Zeroizing::new(key)))
}

/// What is told of a key.
pub(crate) fn key(answer: &Answer) -> Result<Key, Trouble> {
    read::<Data<Key>>(answer).map(|found| found.data)
}

/// A token. That a role is not known is told by 400.
pub(crate) fn token(answer: &Answer) -> Result<Leased, Trouble> {
    if answer.status == 400 {
        let what = "the role or its secret is not known there, or is over";
        return Err(Trouble::lasting(&code::KEYS_KMS_DENIED, what));
    }
    let SignedIn { auth } = read(answer)?;
    let token = SecretText::new(auth.client_token);
    let text = token.expose();
    if text.is_empty() || text.len() > TOKEN_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(unusable("a token that is none"));
    }
    Ok(Leased { token, seconds: auth.lease_duration })
}

/// The body of an answer that carries one.
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Trouble> {
    judge(answer.status)?;
    serde_json::from_slice(&answer.body)
        .map_err(|_quoting| unusable("something other than this API's answer"))
}

fn unusable(what: &str) -> Trouble {
    Trouble::lasting(&code::KEYS_KMS_ANSWER, format!("the service answered {what}"))
}

/// What a status comes to
/// (<https://developer.hashicorp.com/vault/api-docs#http-status-codes>, <https://openbao.org/api-docs/>).
pub(crate) fn judge(status: u16) -> Result<(), Trouble> {
    Err(match status {
        200 => return Ok(()),
        300..=399 => Trouble::lasting(
            &code::KEYS_KMS_UNREACHABLE,
            "the service points to another, which is not followed: name its active node, or what stands before all of them",
        ),
        400 => Trouble::lasting(&code::KEYS_KMS_REFUSED, "the service refuses what it was asked"),
        401 | 403 => Trouble::lasting(
            &code::KEYS_KMS_DENIED,
            "the service does not permit it: the token is over, or its policy leaves it out",
        ),
        404 => Trouble::lasting(
            &code::KEYS_KMS_MISSING,
            "the service has no such key, no engine at this mount, or no such namespace",
        ),
        503 => {
            Trouble::passing(&code::KEYS_KMS_SEALED, "the service is sealed, or under maintenance")
        }
        412 | 429 | 472 | 473 | 500..=599 => Trouble::passing(
            &code::KEYS_KMS_UNREACHABLE,
            format!("the service answers that it cannot now (status {status})"),
        ),
        _ => Trouble::lasting(
            &code::KEYS_KMS_ANSWER,
            format!("the service answered with status {status}, which this API does not have"),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    #[test]
    fn what_is_printed_of_an_answer_is_its_status_alone() {
        let said = format!("{:?}", answer(200, "AB"));
        assert_eq!(said, "Answer { status: 200, .. }");
    }

    fn code_of<T>(read: Result<T, Trouble>) -> &'static str {
        read.err().map_or("none", |trouble| trouble.fault.code().name)
    }

    #[test]
    fn each_status_has_one_remedy() {
        for (status, code, again) in [
            (301, "keys.kms.unreachable", false),
            (307, "keys.kms.unreachable", false),
            (400, "keys.kms.refused", false),
            (401, "keys.kms.denied", false),
            (403, "keys.kms.denied", false),
            (404, "keys.kms.missing", false),
            (412, "keys.kms.unreachable", true),
            (429, "keys.kms.unreachable", true),
            (500, "keys.kms.unreachable", true),
            (502, "keys.kms.unreachable", true),
            (503, "keys.kms.sealed", true),
            (204, "keys.kms.answer", false),
            (418, "keys.kms.answer", false),
        ] {
            let trouble = judge(status).unwrap_err();
            assert_eq!((trouble.fault.code().name, trouble.again), (code, again), "{status}");
        }
        assert!(judge(200).is_ok());
    }

    #[test]
    fn a_key_comes_whole_or_not_at_all() {
        let of = |text: &str| {
            plaintext(&answer(200, &format!("{{\"data\":{{\"plaintext\":\"{text}\"}}}}")))
        };
        let key = of(&STANDARD.encode([7; 32])).unwrap();
        assert_eq!(key.expose(), &[7; 32]);
        for bad in [STANDARD.encode([7; 31]), STANDARD.encode([7; 33]), String::new(), "-".into()] {
            assert_eq!(code_of(of(&bad)), "keys.kms.answer", "{bad}");
        }
        for body in ["", "{}", "[]", "{\"data\":null}", "{\"data\":{}}", "<html>"] {
            assert_eq!(code_of(plaintext(&answer(200, body))), "keys.kms.answer", "{body}");
        }
    }

    #[test]
    fn nothing_of_an_answer_is_quoted() {
        let body = "{\"data\":{\"plaintext\":\"c2VjcmV0\",\"ciphertext\":\"c2VjcmV0\"},\"auth\":{\"client_token\":\"c2VjcmV0 \"}}";
        let answer = answer(200, body);
        let faults = [
            plaintext(&answer).unwrap_err(),
            ciphertext(&answer).unwrap_err(),
            token(&answer).unwrap_err(),
            key(&answer).unwrap_err(),
        ];
        for trouble in faults {
            assert!(!format!("{trouble:?}").contains("c2V"), "{trouble:?}");
        }
    }

    #[test]
    fn a_key_that_binds_nothing_or_is_weak_is_not_fit() {
        let of = |kind: &str, derived: bool| Key {
            kind: kind.to_owned(),
            derived,
            latest_version: 3,
            min_decryption_version: 2,
        };
        assert_eq!(of("aes256-gcm96", true).version().unwrap(), 3);
        for (kind, derived) in
            [("aes256-gcm96", false), ("aes128-gcm96", true), ("rsa-4096", true), ("hmac", true)]
        {
            assert_eq!(code_of(of(kind, derived).version()), "keys.kms.unfit", "{kind} {derived}");
        }
    }

    #[test]
    fn why_something_does_not_unwrap_is_told_by_its_version() {
        let kind = "aes256-gcm96".to_owned();
        let key = Key { kind, derived: true, latest_version: 3, min_decryption_version: 2 };
        for (version, word) in [(1, "min_decryption_version"), (4, "restored"), (2, "altered")] {
            let trouble = key.why_not(version);
            assert!(trouble.fault.to_string().contains(word), "{version}: {trouble:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(status: u16, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let answer = Answer { status, body: Zeroizing::new(bytes) };
            let _: Result<_, _> = plaintext(&answer).map(drop);
            let _: Result<_, _> = ciphertext(&answer).map(drop);
            let _: Result<_, _> = key(&answer).map(drop);
            let _: Result<_, _> = token(&answer).map(drop);
        }

        #[test]
        fn no_text_in_the_right_place_makes_it_panic(text in ".*", number: u64) {
            let text = serde_json::Value::String(text);
            let body = format!(
                "{{\"data\":{{\"plaintext\":{text},\"ciphertext\":{text},\"type\":{text},\"derived\":true,\"latest_version\":{number}}},\"auth\":{{\"client_token\":{text},\"lease_duration\":{number}}}}}"
            );
            let answer = answer(200, &body);
            let _: Result<_, _> = plaintext(&answer).map(drop);
            let _: Result<_, _> = key(&answer).and_then(|key| key.version()).map(drop);
            let _: Result<_, _> = token(&answer).map(drop);
            if let Ok(wrapped) = ciphertext(&answer) {
                prop_assert!(wrapped.starts_with(b"vault:v"));
            }
        }
    }
}
