//! Identity tokens and the keys that sign them: RS256, since that is what every relying party of
//! `OpenID` Connect must understand and SMART asks for
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data>).
//!
//! The library that makes RSA keys draws its own randomness; it is the one place where randomness is
//! no parameter.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base::error::code;
use base::{Fault, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Change, Deed, Secret, ShelfName};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::address::Place;
use crate::grant::Grant;
use crate::item;
use crate::smart::Smart;

/// Where the keys stand: one item, so that both are changed together.
const ITEM: &[u8] = b"signing";

/// The keys, the one that signs first; the one before it stays known for those who hold its tokens.
#[derive(Debug, Default)]
pub(crate) struct SigningKeys(Mutex<Option<Arc<Vec<SigningKey>>>>);

struct SigningKey {
    pair: RsaKeyPair,
    kid: String,
    n: String,
    e: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// PKCS#8, base64url, the newest first.
    keys: Vec<String>,
}

impl Drop for Stored {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.keys);
    }
}

impl SigningKey {
    fn read(text: &str) -> Option<Self> {
        let der = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let pair = RsaKeyPair::from_pkcs8(&der).ok()?;
        let public = pair.public_key().as_ref();
        let (n, e) = components(public)?;
        let (n, e) = (item::text(n), item::text(e));
        let kid = Sha256::digest(public).first_chunk::<16>().map(|id| item::text(id))?;
        Some(Self { pair, kid, n, e })
    }

    fn public(&self) -> Value {
        json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.n, "e": self.e })
    }

    fn sign(&self, claims: &Value) -> Result<Secret, Fault> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.kid });
        let mut text = item::text(header.to_string().as_bytes());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut text);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_unspecified| failed())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(Secret::new(text))
    }
}

/// Modulus and exponent of a `RSAPublicKey` (RFC 8017, A.1.1), without leading zeros.
fn components(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (inside, rest) = element(der, 0x30)?;
    let (n, more) = element(inside, 0x02)?;
    let (e, end) = element(more, 0x02)?;
    let bare = |mut bytes: &'_ [u8]| {
        while let Some((0, rest)) = bytes.split_first() {
            bytes = rest;
        }
        bytes.len()
    };
    let cut = |bytes: &[u8]| bytes.len() - bare(bytes);
    (rest.is_empty() && end.is_empty()).then_some((n.get(cut(n)..)?, e.get(cut(e)..)?))
}

/// One element of DER with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
        if bytes.len() > 3 {
            return None;
        }
        (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
    };
    let (value, rest) = rest.split_at_checked(length)?;
    (found == tag).then_some((value, rest))
}

fn failed() -> Fault {
    Fault::new(&code::INTERNAL, "An identity token could not be signed.")
}

fn generate() -> Result<String, Fault> {
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_unspecified| failed())?;
    let der: Pkcs8V1Der<'static> = pair.as_der().map_err(|_unspecified| failed())?;
    Ok(item::text(der.as_ref()))
}

impl Smart {
    /// The public halves of the keys that sign identity tokens, as a JWK Set.
    pub fn signing_set(&self) -> Result<String, Fault> {
        let keys = self.signing_keys()?;
        let set: Vec<_> = keys.iter().map(SigningKey::public).collect();
        Ok(json!({ "keys": set }).to_string())
    }

    /// Begins to sign with a new key. The one before stays in the set until the next time.
    pub fn rotate_signing_key(&self) -> Result<(), Fault> {
        self.signing_keys()?;
        let mut held = self.signing.0.lock();
        let item = self.ground.shelf.get(ShelfName::AppKeys, ITEM)?.ok_or_else(item::damaged)?;
        let mut stored: Stored = item::decode(&item.body)?;
        stored.keys.insert(0, generate()?);
        stored.keys.truncate(2);
        let body = item::encode(&stored)?;
        let put = Change::put(ShelfName::AppKeys, ITEM, Some(item.version), body);
        self.ground.shelf.commit(vec![put], Deed::UPKEEP)?;
        *held = Some(Arc::new(read(&stored)?));
        Ok(())
    }

    /// The keys; the first is made when there is none.
    fn signing_keys(&self) -> Result<Arc<Vec<SigningKey>>, Fault> {
        let mut held = self.signing.0.lock();
        if let Some(keys) = held.as_ref() {
            return Ok(Arc::clone(keys));
        }
        let stored = match self.ground.shelf.get(ShelfName::AppKeys, ITEM)? {
            Some(item) => item::decode(&item.body)?,
            None => {
                let stored = Stored { keys: vec![generate()?] };
                let put = Change::put(ShelfName::AppKeys, ITEM, None, item::encode(&stored)?);
                self.ground.shelf.commit(vec![put], Deed::UPKEEP)?;
                stored
            }
        };
        let keys = Arc::new(read(&stored)?);
        *held = Some(Arc::clone(&keys));
        Ok(keys)
    }

    /// Says to the app of a grant who gave it, good for as long as an access token is.
    pub(crate) fn id_token(
        &self,
        grant: &Grant,
        nonce: Option<&str>,
        place: &Place,
        now: Millis,
        ends: Millis,
    ) -> Result<Option<Secret>, Fault> {
        let Some(user) = grant.user else { return Ok(None) };
        let mut claims = json!({
            "iss": place.base,
            "sub": user.to_string(),
            "aud": grant.app.to_string(),
            "iat": now.0.div_euclid(1000),
            "exp": ends.0.div_euclid(1000),
        });
        if let Some(members) = claims.as_object_mut() {
            if let Some(nonce) = nonce {
                members.insert("nonce".to_owned(), json!(nonce));
            }
            if let Some(who) = &grant.fhir_user {
                let address = json!(format!("{}/{who}", place.base));
                // Version 1 called it `profile`.
                if grant.scopes.has(&crate::scope::Scope::Profile) {
                    members.insert("profile".to_owned(), address.clone());
                }
                members.insert("fhirUser".to_owned(), address);
            }
        }
        let keys = self.signing_keys()?;
        keys.first().ok_or_else(failed)?.sign(&claims).map(Some)
    }
}

fn read(stored: &Stored) -> Result<Vec<SigningKey>, Fault> {
    let keys: Option<Vec<_>> = stored.keys.iter().map(|text| SigningKey::read(text)).collect();
    keys.filter(|keys| !keys.is_empty()).ok_or_else(item::damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
    use proptest::prelude::*;

    #[test]
    fn what_a_key_signs_is_verified_by_its_public_half() {
        let key = SigningKey::read(&generate().expect("made")).expect("read");
        let token = key.sign(&json!({ "sub": "a" })).expect("signed");
        let (signed, signature) = token.expose().rsplit_once('.').expect("three parts");
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let public = RsaPublicKeyComponents { n: bytes(&key.n), e: bytes(&key.e) };
        assert_eq!((public.n.len(), public.e.as_slice()), (256, &[1, 0, 1][..]));
        let verify = |message: &str| {
            public.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &bytes(signature))
        };
        assert!(verify(signed).is_ok());
        assert!(verify(&format!("{signed}A")).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_der_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = components(&bytes);
            let _ = element(&bytes, 0x30);
        }
    }
}
