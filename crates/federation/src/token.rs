//! The identity token: read, verified, and only then believed (`OpenID` Connect Core 1.0, 3.1.3.7 and
//! 3.1.3.6; RFC 8725, best practices of JWT; guards 26 and 29).
//!
//! The algorithm is one that the settings name and the key fits; `kid` is only compared; keys that
//! the token names or carries itself refuse it.

use base::Millis;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use smart::{Algorithm, KeySet};
use subtle::ConstantTimeEq as _;

use crate::doubt::Doubt;

/// Bytes of one token: those with many groups are long.
const TOKEN_BYTES_MAX: usize = 64 << 10;
/// Bytes of a key's name.
const KID_BYTES_MAX: usize = 256;
/// Bytes of the issuer's name for a person (`OpenID` Connect Core, 2).
const SUBJECT_BYTES_MAX: usize = 255;
/// How far two clocks may be apart.
const SKEW_MS: i64 = 60_000;
/// How long ago a token may have been made: it comes straight from the issuer.
const AGE_MAX_MS: i64 = 10 * 60_000;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    jku: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    x5c: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(one) => (Some(one.as_str()), [].as_slice()),
            Self::Many(many) => (None, many.as_slice()),
        };
        one.into_iter().chain(many.iter().map(String::as_str))
    }
}

/// The claims that are looked at here. A name that stands twice refuses the token.
#[derive(Deserialize)]
pub(crate) struct Registered {
    iss: String,
    pub(crate) sub: String,
    aud: OneOrMany,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    at_hash: Option<String>,
    pub(crate) auth_time: Option<i64>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Option<OneOrMany>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: Option<bool>,
}

/// What an issuer said and signed.
pub(crate) struct Claims {
    pub(crate) registered: Registered,
    /// All of it, for the rules of the settings.
    pub(crate) all: Map<String, Value>,
}

/// It is about a person.
impl std::fmt::Debug for Claims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claims({})", self.all.len())
    }
}

/// What a token has to answer to.
#[derive(Debug)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) access_token: &'a str,
    pub(crate) max_age_s: Option<u32>,
    pub(crate) now: Millis,
}

/// A token, taken apart and not yet believed.
pub(crate) struct Token<'t> {
    pub(crate) kid: String,
    algorithm: Algorithm,
    signed: &'t [u8],
    body: Vec<u8>,
    signature: Vec<u8>,
}

impl<'t> Token<'t> {
    /// Reads a token that is signed by one of these algorithms.
    pub(crate) fn parse(text: &'t str, allowed: &[Algorithm]) -> Result<Self, Doubt> {
        let (header, signed, body, signature) = parts(text).ok_or(Doubt::Form)?;
        let header: Header = serde_json::from_slice(&header).map_err(|_quoting| Doubt::Form)?;
        let strange = header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some()
            || header.crit.is_some()
            || header.b64.is_some()
            || header.zip.is_some()
            || header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
        if strange {
            return Err(Doubt::Form);
        }
        let algorithm = Algorithm::named(&header.alg).filter(|found| allowed.contains(found));
        let algorithm = algorithm.ok_or(Doubt::Algorithm)?;
        let kid = header.kid.filter(|kid| (1..=KID_BYTES_MAX).contains(&kid.len()));
        let kid = kid.ok_or(Doubt::Form)?;
        Ok(Self { kid, algorithm, signed, body, signature })
    }

    /// What it says, if one of these keys signed it and it is for us, for now, and for this request.
    pub(crate) fn believe(&self, keys: &KeySet, expected: &Expected<'_>) -> Result<Claims, Doubt> {
        if !keys.verify(&self.kid, self.algorithm, self.signed, &self.signature) {
            return Err(Doubt::Signature);
        }
        let read = |_quoting: serde_json::Error| Doubt::Form;
        let registered: Registered = serde_json::from_slice(&self.body).map_err(read)?;
        let all: Map<String, Value> = serde_json::from_slice(&self.body).map_err(read)?;
        if registered.iss != expected.issuer {
            return Err(Doubt::TokenIssuer);
        }
        let ours = registered.aud.iter().count() == 1
            && registered.aud.iter().all(|one| one == expected.client)
            && registered.azp.as_ref().is_none_or(|party| party == expected.client);
        if !ours {
            return Err(Doubt::Audience);
        }
        check_time(&registered, expected)?;
        let nonce = registered.nonce.as_deref().unwrap_or_default();
        if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(Doubt::Nonce);
        }
        if let Some(hash) = &registered.at_hash {
            let own = self.half_hash(expected.access_token);
            if !bool::from(hash.as_bytes().ct_eq(own.as_bytes())) {
                return Err(Doubt::AccessToken);
            }
        }
        let sub = &registered.sub;
        if !(1..=SUBJECT_BYTES_MAX).contains(&sub.len()) || sub.chars().any(char::is_control) {
            return Err(Doubt::Subject);
        }
        Ok(Claims { registered, all })
    }

    /// The left half of a hash of the kind that the token is signed with.
    fn half_hash(&self, text: &str) -> String {
        use Algorithm::{Es256, Es384, Ps256, Rs256, Rs384, Rs512};
        let digest = match self.algorithm {
            Rs256 | Ps256 | Es256 => Sha256::digest(text).to_vec(),
            Rs384 | Es384 => Sha384::digest(text).to_vec(),
            Rs512 => Sha512::digest(text).to_vec(),
        };
        URL_SAFE_NO_PAD.encode(digest.get(..digest.len() / 2).unwrap_or_default())
    }
}

fn check_time(claims: &Registered, expected: &Expected<'_>) -> Result<(), Doubt> {
    let ms = |seconds: i64| seconds.saturating_mul(1000);
    let now = expected.now.0;
    let begun = |at: i64| ms(at) <= now.saturating_add(SKEW_MS);
    let fresh = ms(claims.iat) >= now.saturating_sub(AGE_MAX_MS + SKEW_MS);
    let over = ms(claims.exp) <= now.saturating_sub(SKEW_MS);
    if over || !fresh || !begun(claims.iat) || !claims.nbf.is_none_or(begun) {
        return Err(Doubt::Time);
    }
    if let Some(most_s) = expected.max_age_s {
        // Whoever was asked for it has to say it.
        let at = claims.auth_time.ok_or(Doubt::Age)?;
        let oldest = now.saturating_sub(i64::from(most_s) * 1000 + SKEW_MS);
        if ms(at) < oldest || !begun(at) {
            return Err(Doubt::Age);
        }
    }
    Ok(())
}

/// Header, what is signed, body and signature.
#[expect(clippy::type_complexity, reason = "four parts of one text")]
fn parts(text: &str) -> Option<(Vec<u8>, &[u8], Vec<u8>, Vec<u8>)> {
    if text.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let (header, body) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    Some((decode(header)?, signed.as_bytes(), decode(body)?, decode(signature)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    fn doubt(header: &str) -> Option<Doubt> {
        let text = format!("{}.{}.AA", part(header), part("{}"));
        Token::parse(&text, &[Algorithm::Rs256, Algorithm::Es256]).err()
    }

    /// Guard 26.
    #[test]
    fn attack_26_only_listed_algorithms_are_read_and_no_key_comes_with_the_token() {
        assert_eq!(doubt(r#"{"alg":"RS256","kid":"k"}"#), None);
        assert_eq!(doubt(r#"{"alg":"ES256","kid":"../../etc/passwd","typ":"JWT"}"#), None);
        for bad in ["none", "None", "HS256", "HS512", "RS384", "rs256", "", "EdDSA"] {
            let header = format!(r#"{{"alg":"{bad}","kid":"k"}}"#);
            assert_eq!(doubt(&header), Some(Doubt::Algorithm), "{bad}");
        }
        for bad in [
            r#"{"alg":"RS256"}"#,
            r#"{"alg":"RS256","kid":""}"#,
            r#"{"alg":["RS256"],"kid":"k"}"#,
            r#"{"alg":"RS256","alg":"none","kid":"k"}"#,
            r#"{"alg":"RS256","kid":"k","jwk":{"kty":"RSA"}}"#,
            r#"{"alg":"RS256","kid":"k","jku":"https://evil.example"}"#,
            r#"{"alg":"RS256","kid":"k","x5u":"https://evil.example"}"#,
            r#"{"alg":"RS256","kid":"k","x5c":["AA"]}"#,
            r#"{"alg":"RS256","kid":"k","crit":["x"]}"#,
            r#"{"alg":"RS256","kid":"k","b64":false}"#,
            r#"{"alg":"RS256","kid":"k","zip":"DEF"}"#,
            r#"{"alg":"RS256","kid":"k","typ":"at+jwt"}"#,
        ] {
            assert_eq!(doubt(bad), Some(Doubt::Form), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none_and_no_set_without_its_key_believes_it(
            text in prop_oneof![
                any::<String>(),
                "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}",
            ],
            header in "\\{\"alg\":\"(RS256|none|HS256)\",\"kid\":\"[a-z./]{0,5}\"(,\"jku\":null)?\\}",
            body in "\\{\"iss\":\"a\",\"sub\":\"a\",\"aud\":(\"b\"|\\[\\]|1),\"exp\":-?[0-9]{1,22}\\}",
        ) {
            let keys = KeySet::parse_for(br#"{"keys":[]}"#, &[Algorithm::Rs256]).expect("a set");
            let expected = Expected {
                issuer: "a", client: "b", nonce: "", access_token: "", max_age_s: None, now: Millis(0),
            };
            for text in [text, format!("{}.{}.AA", part(&header), part(&body))] {
                if let Ok(token) = Token::parse(&text, &[Algorithm::Rs256]) {
                    prop_assert_eq!(token.believe(&keys, &expected).err(), Some(Doubt::Signature));
                }
            }
        }
    }
}
