//! An authenticator in software, with the browser before it (W3C Web Authentication Level 3, 5.1.3,
//! 5.1.4 and 6): what it is asked it does, and what a test wants wrong about the answer it makes wrong.
//! Keys are P-256 with ES256, attestation is `none`.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test helper fails its test")]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};

const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const ATTESTED: u8 = 0x40;

/// An authenticator with its keys.
#[derive(Debug)]
pub struct Authenticator {
    /// Where the browser is.
    pub origin: String,
    /// For whom it signs; none: for whom it is asked to.
    pub party: Option<String>,
    /// Whether it verifies its owner.
    pub verifies: bool,
    /// Its counter, one more with each signature; none: it has none, and always says 0.
    pub counter: Option<u32>,
    keys: Vec<OneKey>,
}

#[derive(Debug)]
struct OneKey {
    id: Vec<u8>,
    user: Vec<u8>,
    pair: EcdsaKeyPair,
}

impl Authenticator {
    /// A sound one, in a browser at that origin.
    pub fn at(origin: &str) -> Self {
        let origin = origin.to_owned();
        Self { origin, party: None, verifies: true, counter: Some(0), keys: Vec::new() }
    }

    /// Makes a key, as `navigator.credentials.create` does: the JSON of the credential.
    pub fn make(&mut self, options: &str) -> String {
        let asked: Value = serde_json::from_str(options).expect("options");
        let asked = &asked["publicKey"];
        let algorithms = asked["pubKeyCredParams"].as_array().expect("algorithms");
        assert!(algorithms.iter().any(|one| one["alg"] == -7), "ES256 is asked for");
        let random = SystemRandom::new();
        let sealed = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            sealed.expect("a key").as_ref(),
        )
        .expect("a key");
        let id = digest(&SHA256, pair.public_key().as_ref()).as_ref()[..20].to_vec();
        let mut data = self.head(&text(&asked["rp"]["id"]), ATTESTED);
        data.extend([0; 16]);
        data.extend([0, 20]);
        data.extend(&id);
        // COSE: EC2, ES256, P-256, x, y.
        let point = &pair.public_key().as_ref()[1..];
        data.extend([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point[..32]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point[32..]);
        let mut object = b"\xA3\x63fmt\x64none\x67attStmt\xA0\x68authData\x58".to_vec();
        object.push(u8::try_from(data.len()).expect("short"));
        object.extend(&data);
        let client = self.client("webauthn.create", &asked["challenge"]);
        let user = B64.decode(text(&asked["user"]["id"])).expect("base64url");
        self.keys.push(OneKey { id: id.clone(), user, pair });
        json!({
            "id": B64.encode(&id), "rawId": B64.encode(&id), "type": "public-key",
            "response": {
                "attestationObject": B64.encode(&object),
                "clientDataJSON": B64.encode(&client),
                "transports": ["internal"],
            },
            "clientExtensionResults": {},
        })
        .to_string()
    }

    /// Shows a key, as `navigator.credentials.get` does: the newest that is asked for.
    pub fn show(&mut self, options: &str) -> String {
        let asked: Value = serde_json::from_str(options).expect("options");
        let asked = &asked["publicKey"];
        let wanted: Vec<String> = asked["allowCredentials"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|c| text(&c["id"]))
            .collect();
        let fits = |key: &&OneKey| wanted.is_empty() || wanted.contains(&B64.encode(&key.id));
        let at = self.keys.iter().rposition(|key| fits(&key)).expect("a key that is asked for");
        self.sign(at, &text(&asked["rpId"]), &asked["challenge"])
    }

    /// Shows its first key, whichever is asked for.
    pub fn show_any(&mut self, options: &str) -> String {
        let asked: Value = serde_json::from_str(options).expect("options");
        let asked = &asked["publicKey"];
        self.sign(0, &text(&asked["rpId"]), &asked["challenge"])
    }

    fn sign(&mut self, at: usize, party: &str, challenge: &Value) -> String {
        if let Some(counter) = &mut self.counter {
            *counter += 1;
        }
        let data = self.head(party, 0);
        let client = self.client("webauthn.get", challenge);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, &client).as_ref());
        let key = &self.keys[at];
        let signature = key.pair.sign(&SystemRandom::new(), &signed).expect("signed");
        json!({
            "id": B64.encode(&key.id), "rawId": B64.encode(&key.id), "type": "public-key",
            "response": {
                "authenticatorData": B64.encode(&data),
                "clientDataJSON": B64.encode(&client),
                "signature": B64.encode(signature.as_ref()),
                "userHandle": B64.encode(&key.user),
            },
            "clientExtensionResults": {},
        })
        .to_string()
    }

    fn head(&self, party: &str, more: u8) -> Vec<u8> {
        let party = self.party.as_deref().unwrap_or(party);
        let mut data = digest(&SHA256, party.as_bytes()).as_ref().to_vec();
        data.push(PRESENT | more | if self.verifies { VERIFIED } else { 0 });
        data.extend(self.counter.unwrap_or(0).to_be_bytes());
        data
    }

    fn client(&self, what: &str, challenge: &Value) -> Vec<u8> {
        json!({
            "type": what, "challenge": text(challenge), "origin": self.origin, "crossOrigin": false,
        })
        .to_string()
        .into_bytes()
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}
