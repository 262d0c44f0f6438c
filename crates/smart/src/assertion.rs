//! How an app proves itself at the endpoints that are its own: a signed assertion (RFC 7523, 3), a
//! secret (RFC 6749, 2.3.1), or, when it cannot keep one, not at all
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>).
//!
//! The algorithm is one of two and must fit the registered key; keys named or carried by the
//! assertion itself (`jwk`, `x5c`, a foreign `jku`) refuse it; `kid` is only ever compared.

use std::sync::Arc;

use base::Millis;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use identity::{Change, Deed, Principal, ShelfName};
use search::parse::decode_query;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

use crate::address::{Params, Place};
use crate::app::{App, Proves};
use crate::item;
use crate::keys::{Algorithm, KID_BYTES_MAX, KeySet};
use crate::refusal::{Refused, invalid_app, invalid_request};
use crate::smart::Smart;
use crate::token::{self, Use};

/// What `client_assertion_type` has to say.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Bytes of one assertion.
const ASSERTION_BYTES_MAX: usize = 16 << 10;
/// Bytes of its name.
const JTI_BYTES_MAX: usize = 256;
/// How far in the future an assertion may end.
const LIFE_MAX_MS: i64 = 5 * 60_000;
/// How far two clocks may be apart.
const SKEW_MS: i64 = 10_000;

/// An app that proved itself, or that has nothing to prove itself by.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) app: Arc<App>,
    pub(crate) principal: Arc<Principal>,
    /// By a signature, which is what acting without a user asks for.
    pub(crate) signed: bool,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    jku: Option<String>,
    jwk: Option<IgnoredAny>,
    x5u: Option<IgnoredAny>,
    x5c: Option<IgnoredAny>,
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, address: &str) -> bool {
        match self {
            Self::One(one) => one == address,
            Self::Many(many) => many.iter().any(|one| one == address),
        }
    }
}

/// An assertion, taken apart and not yet believed.
struct Assertion<'t> {
    algorithm: Algorithm,
    kid: String,
    jku: Option<String>,
    claims: Claims,
    signed: &'t [u8],
    signature: Vec<u8>,
}

impl<'t> Assertion<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        if text.len() > ASSERTION_BYTES_MAX {
            return None;
        }
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let strange = header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some()
            || header.crit.is_some()
            || header.b64.is_some()
            || header.typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
        if strange {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        Some(Self {
            algorithm: Algorithm::of_assertion(&header.alg)?,
            kid: header.kid.filter(|kid| (1..=KID_BYTES_MAX).contains(&kid.len()))?,
            jku: header.jku,
            claims,
            signed: signed.as_bytes(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Whether it speaks of this app, to this endpoint, now.
    fn is_for(&self, app: &App, endpoint: &str, now: Millis) -> bool {
        let id = app.id.to_string();
        let claims = &self.claims;
        let ms = |seconds: i64| seconds.saturating_mul(1000);
        let ends_in = ms(claims.exp).saturating_sub(now.0);
        let begun = |at: Option<i64>| at.is_none_or(|at| ms(at) <= now.0.saturating_add(SKEW_MS));
        claims.iss == id
            && claims.sub == id
            && claims.aud.names(endpoint)
            && (1..=LIFE_MAX_MS + SKEW_MS).contains(&ends_in)
            && begun(claims.nbf)
            && begun(claims.iat)
            && (1..=JTI_BYTES_MAX).contains(&claims.jti.len())
    }
}

impl Smart {
    /// Which app sends a request, by its header or its form. Whatever is wrong, the answer is one.
    pub(crate) fn prove(
        &self,
        params: &Params,
        authorization: Option<&str>,
        place: &Place,
    ) -> Result<Proven, Refused> {
        let assertion = params.one("client_assertion")?;
        let basic = authorization.and_then(|text| scheme(text, "Basic"));
        if params.one("client_secret")?.is_some() {
            // A secret in a form ends up in logs; discovery does not offer it.
            return Err(invalid_app());
        }
        match (basic, assertion) {
            (Some(_), Some(_)) => Err(invalid_request("Prove the app in one way.")),
            (Some(basic), None) => self.prove_secret(params, basic),
            (None, Some(assertion)) => self.prove_signature(params, assertion, place),
            (None, None) => {
                let id = params.one("client_id")?.ok_or_else(invalid_app)?;
                let (app, principal) = self.able_app(id)?.ok_or_else(invalid_app)?;
                if app.registration.proves != Proves::Not {
                    return Err(invalid_app());
                }
                Ok(Proven { app, principal, signed: false })
            }
        }
    }

    fn prove_secret(&self, params: &Params, basic: &str) -> Result<Proven, Refused> {
        let pair = STANDARD.decode(basic).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = pair.map(zeroize::Zeroizing::new).ok_or_else(invalid_app)?;
        let (id, secret) = pair.split_once(':').ok_or_else(invalid_app)?;
        // Both halves are form-encoded before they are joined.
        let decode = |text: &str| -> Option<String> {
            decode_query(&format!("x={text}")).ok()?.into_iter().next().map(|(_, value)| value)
        };
        let (Some(id), Some(secret)) = (decode(id), decode(secret)) else {
            return Err(invalid_app());
        };
        if params.one("client_id")?.is_some_and(|named| named != id) {
            return Err(invalid_app());
        }
        let given = token::digest(Use::AppSecret, &secret);
        let (app, principal) = self.able_app(&id)?.ok_or_else(invalid_app)?;
        match (given, app.secret) {
            (Some(given), Some(kept)) if given == kept => {
                Ok(Proven { app, principal, signed: false })
            }
            _ => Err(invalid_app()),
        }
    }

    fn prove_signature(
        &self,
        params: &Params,
        text: &str,
        place: &Place,
    ) -> Result<Proven, Refused> {
        if params.one("client_assertion_type")? != Some(ASSERTION_TYPE) {
            return Err(invalid_app());
        }
        let assertion = Assertion::parse(text).ok_or_else(invalid_app)?;
        if params.one("client_id")?.is_some_and(|named| named != assertion.claims.iss) {
            return Err(invalid_app());
        }
        let (app, principal) = self.able_app(&assertion.claims.iss)?.ok_or_else(invalid_app)?;
        let now = self.now();
        if !assertion.is_for(&app, &place.at("token"), now) {
            return Err(invalid_app());
        }
        let set = match (&app.registration.proves, &assertion.jku) {
            (Proves::Keys(set), None) => KeySet::parse(set.as_bytes()).map(Arc::new),
            (Proves::KeysAt(url), jku) if jku.as_ref().is_none_or(|jku| jku == url) => {
                let fetch = self.ground.fetch.as_ref();
                self.fetches.set(fetch, app.id, url, &assertion.kid, now)
            }
            _ => None,
        };
        let Assertion { kid, algorithm, signed, signature, claims, .. } = &assertion;
        let verified = set.is_some_and(|set| set.verify(kid, *algorithm, signed, signature));
        if !verified {
            return Err(invalid_app());
        }
        // Last, so that nobody without the key can use up a name or fill the shelf.
        self.use_once(&app, &claims.jti, Millis(claims.exp.saturating_mul(1000)))?;
        Ok(Proven { app, principal, signed: true })
    }

    /// Notes an assertion as used; one that was used before is refused, also after a restart.
    fn use_once(&self, app: &App, jti: &str, ends: Millis) -> Result<(), Refused> {
        let mut key = Sha256::new();
        key.update(app.id.as_bytes());
        key.update(jti.as_bytes());
        let put = Change::put(
            ShelfName::AppAssertions,
            key.finalize().as_slice(),
            None,
            item::encode(&ends.0)?,
        );
        match self.ground.shelf.commit(vec![put], Deed::UPKEEP) {
            Ok(()) => Ok(()),
            Err(fault) if fault.code() == &base::error::code::ITEM_CONFLICT => Err(invalid_app()),
            Err(fault) => Err(fault.into()),
        }
    }
}

/// The rest of an `Authorization` header of this scheme.
pub(crate) fn scheme<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (scheme, rest) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(json: &str) -> String {
        URL_SAFE_NO_PAD.encode(json)
    }

    fn parses(header: &str) -> bool {
        let claims = r#"{"iss":"a","sub":"a","aud":"b","exp":1,"jti":"c"}"#;
        Assertion::parse(&format!("{}.{}.AA", part(header), part(claims))).is_some()
    }

    /// Guard 26.
    #[test]
    fn attack_26_only_two_algorithms_are_read_and_no_key_comes_with_the_assertion() {
        assert!(parses(r#"{"alg":"RS384","kid":"k"}"#));
        assert!(parses(r#"{"alg":"ES384","kid":"k","typ":"JWT"}"#));
        for bad in [
            r#"{"alg":"none","kid":"k"}"#,
            r#"{"alg":"None","kid":"k"}"#,
            r#"{"alg":"HS256","kid":"k"}"#,
            r#"{"alg":"HS384","kid":"k"}"#,
            r#"{"alg":"RS256","kid":"k"}"#,
            r#"{"alg":"rs384","kid":"k"}"#,
            r#"{"alg":"RS384"}"#,
            r#"{"alg":"RS384","kid":""}"#,
            r#"{"alg":"RS384","kid":["k"]}"#,
            r#"{"alg":["RS384"],"kid":"k"}"#,
            r#"{"alg":"RS384","alg":"none","kid":"k"}"#,
            r#"{"alg":"RS384","kid":"k","jwk":{"kty":"RSA"}}"#,
            r#"{"alg":"RS384","kid":"k","x5c":["AA"]}"#,
            r#"{"alg":"RS384","kid":"k","x5u":"https://evil.example"}"#,
            r#"{"alg":"RS384","kid":"k","crit":["x"]}"#,
            r#"{"alg":"RS384","kid":"k","b64":false}"#,
            r#"{"alg":"RS384","kid":"k","typ":"at+jwt"}"#,
        ] {
            assert!(!parses(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_assertion_or_none(
            text in prop_oneof![
                any::<String>(),
                "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}",
            ],
            header in "\\{\"alg\":\"(RS384|none)\",\"kid\":\"[a-z./]{0,5}\"(,\"jku\":null)?\\}",
            claims in "\\{\"iss\":\"a\",\"sub\":\"a\",\"aud\":(\"b\"|\\[\\]|1),\"exp\":-?[0-9]{1,22},\"jti\":\"c\"\\}",
        ) {
            let _ = Assertion::parse(&text);
            let _ = Assertion::parse(&format!("{}.{}.AA", part(&header), part(&claims)));
            let _ = scheme(&text, "Basic");
        }
    }
}
