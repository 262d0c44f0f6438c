//! Signed notes (<https://c2sp.org/signed-note>): text with signatures under it that names its keys,
//! and the cosignatures of witnesses (<https://c2sp.org/tlog-cosignature>). Only Ed25519.

use std::fmt;

use base::Fault;
use base::error::code;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::{Keyring, SIGNATURE_BYTES, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

/// A note is never longer than this.
pub const NOTE_BYTES_MAX: usize = 16 << 10;
/// A note never has more signatures.
const SIGNATURES_MAX: usize = 32;
/// What a signature line begins with.
pub(crate) const DASH: &str = "\u{2014} ";
const ED25519: u8 = 1;
const COSIGNATURE: u8 = 4;

/// What signs checkpoints. `keys::SigningKey` does; so may a token that never gives its key away.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Signs a message by Ed25519.
    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Fault>;

    /// What verifies its signatures.
    fn public(&self) -> VerifyingKey;
}

impl Signer for SigningKey {
    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Fault> {
        Self::sign(self, message)
    }

    fn public(&self) -> VerifyingKey {
        Self::public(self)
    }
}

/// The keys of a tenant sign by its signing key.
impl Signer for Keyring {
    fn sign(&self, message: &[u8]) -> Result<[u8; SIGNATURE_BYTES], Fault> {
        self.signing_key().sign(message)
    }

    fn public(&self) -> VerifyingKey {
        self.signing_key().public()
    }
}

/// A key that notes are verified by, with its name: a log's, or a witness's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    kind: u8,
    key: VerifyingKey,
}

impl NoteKey {
    /// A log's key.
    ///
    /// # Errors
    /// `audit.proof.invalid` for a name with white space or a plus sign.
    pub fn log(name: impl Into<String>, key: VerifyingKey) -> Result<Self, Fault> {
        Self::new(name.into(), ED25519, key)
    }

    /// A witness's key.
    ///
    /// # Errors
    /// As [`NoteKey::log`].
    pub fn witness(name: impl Into<String>, key: VerifyingKey) -> Result<Self, Fault> {
        Self::new(name.into(), COSIGNATURE, key)
    }

    fn new(name: String, kind: u8, key: VerifyingKey) -> Result<Self, Fault> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        match name.is_empty() || name.contains(odd) {
            true => Err(invalid("a key's name has neither white space nor a plus sign")),
            false => Ok(Self { name, kind, key }),
        }
    }

    /// Reads a key as `Display` writes it: `name+id+base64`, the way verifiers of logs take it.
    ///
    /// # Errors
    /// `audit.proof.invalid` for any other text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let odd = || {
            invalid("a key is a name, eight hexadecimal digits and base64, joined by plus signs")
        };
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(odd());
        };
        let bytes = STANDARD.decode(key).map_err(|_odd| odd())?;
        let Some((kind @ &(ED25519 | COSIGNATURE), key)) = bytes.split_first() else {
            return Err(odd());
        };
        let key = key.try_into().map(VerifyingKey).map_err(|_odd| odd())?;
        let parsed = Self::new(name.to_owned(), *kind, key)?;
        match u32::from_str_radix(id, 16) {
            Ok(id) if id.to_be_bytes() == parsed.id() => Ok(parsed),
            _ => Err(odd()),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a witness's.
    #[must_use]
    pub const fn is_witness(&self) -> bool {
        self.kind == COSIGNATURE
    }

    fn id(&self) -> [u8; 4] {
        let mut sha = Sha256::new();
        sha.update(self.name.as_bytes());
        sha.update([b'\n', self.kind]);
        sha.update(self.key.0);
        sha.finalize().first_chunk().copied().unwrap_or_default()
    }

    fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        if self.kind == ED25519 {
            return self.key.verify(text.as_bytes(), signature);
        }
        let Some((time, signature)) = signature.split_first_chunk::<8>() else { return false };
        self.key.verify(cosigned(u64::from_be_bytes(*time), text).as_bytes(), signature)
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = u32::from_be_bytes(self.id());
        let bytes: Vec<u8> = std::iter::once(self.kind).chain(self.key.0).collect();
        write!(f, "{}+{id:08x}+{}", self.name, STANDARD.encode(bytes))
    }
}

/// What a witness signs.
fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// Signs a text, which ends with a line feed, in the name of `name`.
///
/// # Errors
/// As the signer, and `audit.proof.invalid` for a bad name.
pub fn sign(text: &str, name: &str, signer: &dyn Signer) -> Result<String, Fault> {
    let key = NoteKey::log(name, signer.public())?;
    Ok(format!("{text}\n{}", line(&key, &signer.sign(text.as_bytes())?)))
}

/// A witness's signature line under a text, of which it says that it saw it at `time` (seconds since
/// 1970) and nothing that contradicts it.
///
/// # Errors
/// As [`sign`].
pub fn cosign(text: &str, name: &str, time: u64, signer: &dyn Signer) -> Result<String, Fault> {
    let key = NoteKey::witness(name, signer.public())?;
    let signature = signer.sign(cosigned(time, text).as_bytes())?;
    Ok(line(&key, &[time.to_be_bytes().as_slice(), &signature].concat()))
}

fn line(key: &NoteKey, signature: &[u8]) -> String {
    let bytes = [key.id().as_slice(), signature].concat();
    format!("{DASH}{} {}\n", key.name, STANDARD.encode(bytes))
}

/// A note taken apart. Its text may be believed only when a known key verifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note<'a> {
    /// The text, with its last line feed.
    pub text: &'a str,
    signatures: Vec<(&'a str, Vec<u8>)>,
}

impl<'a> Note<'a> {
    /// Takes a note apart. Takes any text.
    ///
    /// # Errors
    /// `audit.proof.invalid` for a text that is no note.
    pub fn parse(note: &'a str) -> Result<Self, Fault> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(invalid("a note has at most 16 KiB"));
        }
        if note.chars().any(|c| c < ' ' && c != '\n') || !note.ends_with('\n') {
            return Err(invalid("a note has lines without control characters"));
        }
        let Some(end) = note.rfind("\n\n") else {
            return Err(invalid("a note has an empty line before its signatures"));
        };
        let (text, lines) = (note.get(..=end).unwrap_or_default(), note.get(end + 2..));
        let mut signatures = Vec::new();
        for line in lines.unwrap_or_default().lines() {
            let parts = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' '));
            let decoded = parts.and_then(|(name, sig)| Some((name, STANDARD.decode(sig).ok()?)));
            match decoded.filter(|(name, sig)| !name.is_empty() && sig.len() > 4) {
                Some(signature) if signatures.len() < SIGNATURES_MAX => signatures.push(signature),
                _ => return Err(invalid("a signature line of the note is malformed")),
            }
        }
        match signatures.is_empty() {
            true => Err(invalid("the note has no signature")),
            false => Ok(Self { text, signatures }),
        }
    }

    /// Whether `key` signed it. Signatures of other keys are passed over; one that names this key and
    /// does not verify spoils the note.
    #[must_use]
    pub fn is_signed_by(&self, key: &NoteKey) -> bool {
        let id = key.id();
        let mut own = self.signatures.iter().filter_map(|(name, bytes)| {
            let (found, signature) = bytes.split_first_chunk::<4>()?;
            (*name == key.name && *found == id).then_some(signature)
        });
        let first = own.next().is_some_and(|signature| key.verifies(self.text, signature));
        first && own.all(|signature| key.verifies(self.text, signature))
    }
}

/// A text that is no key, no note or no proof.
pub(crate) fn invalid(what: &'static str) -> Fault {
    Fault::new(&code::AUDIT_PROOF, what)
}

pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use keys::Secret;

    fn key(seed: u8) -> SigningKey {
        SigningKey::new(&Secret::take(&mut [seed; 32])).unwrap()
    }

    /// The example key and note of golang.org/x/mod/sumdb/note.
    #[test]
    fn notes_of_the_reference_implementation_verify() {
        let key =
            NoteKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
        let note = "If you think cryptography is the answer to your problem,\n\
            then you don't know what your problem is.\n\n\
            \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key = key.unwrap();
        assert_eq!(
            key.to_string(),
            "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        );
        assert!(Note::parse(note).unwrap().is_signed_by(&key));
        let other = note.replace("cryptography", "Cryptography");
        assert!(!Note::parse(&other).unwrap().is_signed_by(&key));
    }

    #[test]
    fn a_note_is_signed_by_its_key_and_cosigned_by_its_witness() {
        let (log, witness) = (key(1), key(2));
        let text = "plummer.example/log\n3\nAAAA\n";
        let note = sign(text, "plummer.example/log", &log).unwrap();
        let note =
            format!("{note}{}", cosign(text, "witness.example", 1_795_340_467, &witness).unwrap());
        let parsed = Note::parse(&note).unwrap();
        let by = |name: &str, key: &SigningKey| NoteKey::log(name, key.public()).unwrap();
        assert!(parsed.is_signed_by(&by("plummer.example/log", &log)));
        assert!(!parsed.is_signed_by(&by("plummer.example/other", &log)));
        assert!(!parsed.is_signed_by(&by("plummer.example/log", &witness)));
        let seen = NoteKey::witness("witness.example", witness.public()).unwrap();
        assert!(parsed.is_signed_by(&seen));
        assert_eq!(NoteKey::parse(&seen.to_string()).unwrap(), seen);
        let later = note.replace("\n3\n", "\n4\n");
        assert!(!Note::parse(&later).unwrap().is_signed_by(&seen));
        assert!(NoteKey::log("with space", log.public()).is_err());
    }
}
