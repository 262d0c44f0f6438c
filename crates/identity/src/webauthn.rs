//! What a browser answers when it is asked for a passkey, judged step by step (W3C Web Authentication
//! Level 3, 7.1 and 7.2). Pure: bytes in, a verdict out; signatures are `aws-lc-rs`'s. Attestation is
//! not asked for, and what comes of it is not looked at: nothing here rests on who made a device.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::cbor::Reader;

/// Bytes of a browser's answer that are looked at. One with a chain of certificates, which is not
/// asked for, has a few thousand.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a credential's id (Level 3, 7.1 step 25).
pub(crate) const CREDENTIAL_BYTES_MAX: usize = 1023;
/// Bytes of a public key: one of RSA with 4,096 bits has 530.
pub(crate) const KEY_BYTES_MAX: usize = 1100;

/// The algorithms that are asked for, the best liked first: ES256, `EdDSA`, RS256. The last is what
/// the TPM of older machines has.
pub(crate) const ALGORITHMS: [i64; 3] = [-7, -8, -257];

const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const BACKUP_ELIGIBLE: u8 = 1 << 3;
const BACKED_UP: u8 = 1 << 4;
const ATTESTED: u8 = 1 << 6;
const EXTENDED: u8 = 1 << 7;

/// What an answer is held to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    /// The origin, as browsers write it.
    pub(crate) origin: &'a str,
    /// The rp id.
    pub(crate) party: &'a str,
    pub(crate) challenge: &'a [u8; 32],
}

/// A passkey that was made.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) credential: Vec<u8>,
    /// Its public key, in the form of COSE.
    pub(crate) key: Vec<u8>,
    pub(crate) counter: u32,
    /// Whether it may be copied to other devices.
    pub(crate) eligible: bool,
}

/// A passkey that is shown, and not yet believed.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) credential: Vec<u8>,
    /// Whose it says it is.
    pub(crate) owner: Option<Vec<u8>>,
    client: Vec<u8>,
    data: Vec<u8>,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<R> {
    raw_id: String,
    #[serde(rename = "type")]
    kind: String,
    response: R,
}

#[derive(Deserialize)]
struct Creation {
    #[serde(rename = "clientDataJSON")]
    client: String,
    #[serde(rename = "attestationObject")]
    object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(rename = "clientDataJSON")]
    client: String,
    authenticator_data: String,
    signature: String,
    #[serde(default)]
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
}

/// Judges a new passkey (7.1).
pub(crate) fn made(answer: &str, wanted: Wanted<'_>) -> Option<Made> {
    let (raw, response): (_, Creation) = read(answer)?;
    client(&unpack(&response.client)?, "webauthn.create", wanted)?;
    let object = unpack(&response.object)?;
    let data = authenticator_data(&object)?;
    let (flags, counter, rest) = head(data, wanted.party)?;
    if flags & ATTESTED == 0 {
        return None;
    }
    // The kind of device, the id's length, the id, the key.
    let (length, rest) = rest.get(16..)?.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (credential, rest) = rest.split_at_checked(length)?;
    let mut reader = Reader::new(rest);
    reader.skip()?;
    let key = rest.get(..rest.len() - reader.rest().len())?;
    ends(flags, reader)?;
    let fits = (1..=CREDENTIAL_BYTES_MAX).contains(&length) && credential == raw;
    (fits && Key::read(key).is_some()).then(|| Made {
        credential: credential.to_vec(),
        key: key.to_vec(),
        counter,
        eligible: flags & BACKUP_ELIGIBLE != 0,
    })
}

/// Reads what is shown; nothing of it is judged.
pub(crate) fn shown(answer: &str) -> Option<Shown> {
    let (credential, response): (_, Assertion) = read(answer)?;
    let owner = match response.user_handle {
        Some(text) => Some(unpack(&text)?),
        None => None,
    };
    Some(Shown {
        credential,
        owner,
        client: unpack(&response.client)?,
        data: unpack(&response.authenticator_data)?,
        signature: unpack(&response.signature)?,
    })
}

impl Shown {
    /// Judges it against the key of its credential (7.2): the new counter, when it is right.
    pub(crate) fn judge(
        &self,
        wanted: Wanted<'_>,
        key: &[u8],
        counter: u32,
        eligible: bool,
    ) -> Option<u32> {
        client(&self.client, "webauthn.get", wanted)?;
        let (flags, now, rest) = head(&self.data, wanted.party)?;
        ends(flags, Reader::new(rest))?;
        let same = (flags & BACKUP_ELIGIBLE != 0) == eligible && flags & ATTESTED == 0;
        // A copy of the authenticator counts for itself; 0 on both sides is one that never counts.
        let grown = now > counter || (now == 0 && counter == 0);
        let mut signed = self.data.clone();
        signed.extend(Sha256::digest(&self.client));
        let right = Key::read(key)?.verifies(&signed, &self.signature);
        (same && grown && right).then_some(now)
    }
}

/// A public key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Key<'a> {
    /// A point of P-256, uncompressed.
    Es256([u8; 65]),
    EdDsa(&'a [u8]),
    Rs256 {
        n: &'a [u8],
        e: &'a [u8],
    },
}

impl<'a> Key<'a> {
    /// Reads a key in the form of COSE (RFC 9052, 7; RFC 9053, 7.1; RFC 8230, 4), and no other byte.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > KEY_BYTES_MAX {
            return None;
        }
        let mut reader = Reader::new(bytes);
        let (mut kind, mut algorithm, mut curve) = (None, None, None);
        let (mut first, mut second): (Option<&[u8]>, Option<&[u8]>) = (None, None);
        for _ in 0..reader.map()? {
            // What -1, -2 and -3 mean depends on the kind, which stands before them.
            let label = reader.int()?;
            let again = match (label, kind) {
                (1, _) => kind.replace(reader.int()?).is_some(),
                (3, _) => algorithm.replace(reader.int()?).is_some(),
                (-1, Some(3)) => first.replace(reader.bytes()?).is_some(),
                (-2, Some(3)) => second.replace(reader.bytes()?).is_some(),
                (-1, Some(1 | 2)) => curve.replace(reader.int()?).is_some(),
                (-2, Some(1 | 2)) => first.replace(reader.bytes()?).is_some(),
                (-3, Some(2)) => second.replace(reader.bytes()?).is_some(),
                _ => return None,
            };
            if again {
                return None;
            }
        }
        if !reader.rest().is_empty() {
            return None;
        }
        match (kind?, algorithm?, curve, first?, second) {
            (2, -7, Some(1), x, Some(y)) if x.len() == 32 && y.len() == 32 => {
                let mut point = [4; 65];
                let parts = x.iter().chain(y);
                point.iter_mut().skip(1).zip(parts).for_each(|(slot, byte)| *slot = *byte);
                Some(Self::Es256(point))
            }
            (1, -8, Some(6), x, None) if x.len() == 32 => Some(Self::EdDsa(x)),
            (3, -257, None, n, Some(e)) if n.len() >= 256 && (1..=8).contains(&e.len()) => {
                Some(Self::Rs256 { n, e })
            }
            _ => None,
        }
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let right = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(signed, signature)
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(signed, signature),
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                signed,
                signature,
            ),
        };
        right.is_ok()
    }
}

/// The id and the response of a credential.
fn read<'a, R: Deserialize<'a>>(answer: &'a str) -> Option<(Vec<u8>, R)> {
    if answer.len() > ANSWER_BYTES_MAX {
        return None;
    }
    let answer: Answer<R> = serde_json::from_str(answer).ok()?;
    let credential = unpack(&answer.raw_id)?;
    let fits = (1..=CREDENTIAL_BYTES_MAX).contains(&credential.len());
    (fits && answer.kind == "public-key").then_some((credential, answer.response))
}

/// What the browser says of itself: for what, for which challenge, and from where (5.8.1).
fn client(bytes: &[u8], kind: &str, wanted: Wanted<'_>) -> Option<()> {
    let client: Client = serde_json::from_slice(bytes).ok()?;
    let right = client.kind == kind
        && unpack(&client.challenge)? == wanted.challenge
        && client.origin == wanted.origin
        && !client.cross_origin;
    right.then_some(())
}

/// `authData` of an attestation object.
fn authenticator_data(object: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader::new(object);
    let mut found = None;
    for _ in 0..reader.map()? {
        match reader.text()? {
            "authData" if found.is_none() => found = Some(reader.bytes()?),
            "authData" => return None,
            _ => reader.skip()?,
        }
    }
    found.filter(|_| reader.rest().is_empty())
}

/// The head of an authenticator's data: for this party, with somebody there who was verified. Its
/// flags, its counter, and what follows.
fn head<'a>(data: &'a [u8], party: &str) -> Option<(u8, u32, &'a [u8])> {
    let (of, rest) = data.split_first_chunk::<32>()?;
    let (flags, rest) = rest.split_first()?;
    let (counter, rest) = rest.split_first_chunk::<4>()?;
    let sound = *of == *Sha256::digest(party.as_bytes())
        && flags & PRESENT != 0
        && flags & VERIFIED != 0
        && (flags & BACKED_UP == 0 || flags & BACKUP_ELIGIBLE != 0);
    sound.then_some((*flags, u32::from_be_bytes(*counter), rest))
}

/// Extensions are not asked for; where they are said to follow, one map does, and nothing else.
fn ends(flags: u8, mut rest: Reader<'_>) -> Option<()> {
    if flags & EXTENDED != 0 {
        rest.clone().map()?;
        rest.skip()?;
    }
    rest.rest().is_empty().then_some(())
}

fn unpack(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
    use proptest::prelude::*;

    fn pair(key: &[u8], label: u8) -> Vec<u8> {
        let mut out = vec![label, 0x59];
        out.extend(u16::try_from(key.len()).expect("short").to_be_bytes());
        out.extend(key);
        out
    }

    #[test]
    fn a_signature_of_each_algorithm_is_verified() {
        let own = Ed25519KeyPair::generate().expect("a key");
        let cose =
            [&[0xA4, 1, 1, 3, 0x27, 0x20, 6][..], &pair(own.public_key().as_ref(), 0x21)].concat();
        let key = Key::read(&cose).expect("a key");
        assert!(key.verifies(b"text", own.sign(b"text").as_ref()));
        assert!(!key.verifies(b"other", own.sign(b"text").as_ref()));

        let own = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).expect("a key");
        // A SEQUENCE of two INTEGERs; the first has a leading zero.
        let n = own.public_key().as_ref()[9..265].to_vec();
        let cose =
            [&[0xA4, 1, 3, 3, 0x39, 1, 0][..], &pair(&n, 0x20), &pair(&[1, 0, 1], 0x21)].concat();
        let key = Key::read(&cose).expect("a key");
        let mut signature = vec![0; own.public_modulus_len()];
        own.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"text", &mut signature).expect("signed");
        assert!(key.verifies(b"text", &signature) && !key.verifies(b"other", &signature));
    }

    #[test]
    fn a_key_of_another_form_is_refused() {
        let x = pair(&[7; 32], 0x21);
        let y = pair(&[9; 32], 0x22);
        let good = [&[0xA5, 1, 2, 3, 0x26, 0x20, 1][..], &x, &y].concat();
        assert!(matches!(Key::read(&good), Some(Key::Es256(_))));
        for (what, bad) in [
            ("more", [&good[..], &[0]].concat()),
            ("less", good[..good.len() - 1].to_vec()),
            ("a wrong algorithm", [&[0xA5, 1, 2, 3, 0x27, 0x20, 1][..], &x, &y].concat()),
            ("a wrong curve", [&[0xA5, 1, 2, 3, 0x26, 0x20, 2][..], &x, &y].concat()),
            ("a member twice", [&[0xA6, 1, 2, 3, 0x26, 0x20, 1][..], &x, &y, &y].concat()),
            (
                "a short x",
                [&[0xA5, 1, 2, 3, 0x26, 0x20, 1][..], &pair(&[7; 31], 0x21), &y].concat(),
            ),
            (
                "a small RSA",
                [&[0xA4, 1, 3, 3, 0x39, 1, 0][..], &pair(&[7; 128], 0x20), &pair(&[1, 0, 1], 0x21)]
                    .concat(),
            ),
            ("none", vec![0xA0]),
        ] {
            assert_eq!(Key::read(&bad), None, "{what}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_judged_or_refused(
            data in proptest::collection::vec(any::<u8>(), 0..200),
            text in "[\\[{\"a:,}\\]0-9e.-]{0,200}",
        ) {
            let wanted = Wanted { origin: "https://a.example", party: "a.example", challenge: &[1; 32] };
            prop_assert!(made(&text, wanted).is_none() && shown(&text).is_none());
            let _ = (Key::read(&data), authenticator_data(&data), client(&data, "webauthn.get", wanted));
            let mut sound = Sha256::digest(b"a.example").to_vec();
            sound.extend([PRESENT | VERIFIED | ATTESTED]);
            sound.extend(&data);
            let _ = head(&sound, "a.example");
            let object = [&b"\xA1\x68authData\x59"[..], &u16::try_from(sound.len()).expect("short").to_be_bytes(), &sound].concat();
            prop_assert_eq!(authenticator_data(&object), Some(&sound[..]));
        }
    }
}
