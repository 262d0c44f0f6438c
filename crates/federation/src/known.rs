//! What is known of an issuer: how it is asked, from its discovery document, and its keys (`OpenID`
//! Connect Discovery 1.0, 3 and 4; RFC 8414; RFC 9700; guard 27). Both are kept for a while and asked
//! anew; a key that is taken back is no longer taken after five minutes, and names of keys that
//! nobody knows make this server ask no more than ten times a minute.

use base::{Fault, Millis};
use parking_lot::Mutex;
use serde::Deserialize;
use smart::KeySet;
use std::sync::Arc;

use crate::ask::{Answer, Ask};
use crate::doubt::unavailable;
use crate::issuer::Issuer;

/// How long the discovery document is kept at most.
const DOCUMENT_KEPT_MS: i64 = 60 * MINUTE_MS;
/// How long keys are kept at most.
const KEYS_KEPT_MS: i64 = 5 * MINUTE_MS;
/// Questions to one issuer in a minute, codes not counted.
const QUESTIONS_MAX: u32 = 10;
const MINUTE_MS: i64 = 60_000;

/// How an issuer is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) authorization: String,
    pub(crate) token: String,
    keys: String,
    /// It says in its answers who it is (RFC 9207).
    pub(crate) names_itself: bool,
    /// It takes a secret in the form alone.
    pub(crate) secret_in_form: bool,
}

#[derive(Deserialize)]
struct Raw {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    response_types_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

impl Document {
    /// Reads a document; none when it is of another issuer, leads elsewhere, or offers no code flow
    /// with a challenge.
    fn parse(json: &[u8], issuer: &Issuer) -> Option<Self> {
        let raw: Raw = serde_json::from_slice(json).ok()?;
        let endpoints = [&raw.authorization_endpoint, &raw.token_endpoint, &raw.jwks_uri];
        let offers = |list: &Option<Vec<String>>, word: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|one| one == word))
        };
        let sound = raw.issuer == issuer.issuer
            && endpoints.iter().all(|address| issuer.may_be_at(address))
            && offers(&raw.response_types_supported, "code")
            && offers(&raw.code_challenge_methods_supported, "S256");
        let methods = &raw.token_endpoint_auth_methods_supported;
        sound.then(|| Self {
            secret_in_form: !offers(methods, "client_secret_basic")
                && offers(methods, "client_secret_post"),
            authorization: raw.authorization_endpoint,
            token: raw.token_endpoint,
            keys: raw.jwks_uri,
            names_itself: raw.authorization_response_iss_parameter_supported,
        })
    }
}

#[derive(Debug)]
struct Kept<T> {
    what: Arc<T>,
    from: Millis,
    until: Millis,
}

impl<T> Kept<T> {
    fn new(what: Arc<T>, now: Millis, answer: &Answer, most_ms: i64) -> Self {
        let said_ms = answer.max_age_s.map_or(most_ms, |seconds| i64::from(seconds) * 1000);
        // Kept for a minute though it says not to be: each sign-in would be a question, and questions
        // have a bound that a stranger could use up.
        let said_ms = said_ms.clamp(MINUTE_MS, most_ms);
        Self { what, from: now, until: Millis(now.0.saturating_add(said_ms)) }
    }

    /// Also not when the clock was turned back.
    fn is_fresh(&self, now: Millis) -> bool {
        (self.from..self.until).contains(&now)
    }
}

#[derive(Debug, Default)]
struct Inside {
    document: Option<Kept<Document>>,
    keys: Option<Kept<KeySet>>,
    questions: u32,
    counted: Option<Millis>,
}

impl Inside {
    /// Whether one more question may be asked.
    fn may_ask(&mut self, now: Millis) -> bool {
        let same = |at: Millis| (0..MINUTE_MS).contains(&now.0.saturating_sub(at.0));
        if !self.counted.is_some_and(same) {
            (self.questions, self.counted) = (0, Some(now));
        }
        self.questions = self.questions.saturating_add(1);
        self.questions <= QUESTIONS_MAX
    }
}

/// What is known of one issuer.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Inside>);

impl Known {
    /// How the issuer is asked.
    pub(crate) fn document(
        &self,
        issuer: &Issuer,
        ask: &dyn Ask,
        now: Millis,
    ) -> Result<Arc<Document>, Fault> {
        {
            let mut inside = self.0.lock();
            if let Some(kept) = inside.document.as_ref().filter(|kept| kept.is_fresh(now)) {
                return Ok(Arc::clone(&kept.what));
            }
            if !inside.may_ask(now) {
                return Err(unavailable());
            }
        }
        // Not under the lock: whoever is known already does not wait for a slow issuer.
        let answer = read(ask, &issuer.discovery())?;
        let document = Document::parse(&answer.body, issuer).ok_or_else(unavailable)?;
        let document = Arc::new(document);
        let kept = Kept::new(Arc::clone(&document), now, &answer, DOCUMENT_KEPT_MS);
        self.0.lock().document = Some(kept);
        Ok(document)
    }

    /// The keys of the issuer; asked for anew when they are old, or when none has this name.
    pub(crate) fn keys(
        &self,
        issuer: &Issuer,
        document: &Document,
        ask: &dyn Ask,
        kid: &str,
        now: Millis,
    ) -> Result<Arc<KeySet>, Fault> {
        {
            let mut inside = self.0.lock();
            let fresh = inside.keys.as_ref().filter(|kept| kept.is_fresh(now));
            let fresh = fresh.map(|kept| Arc::clone(&kept.what));
            if let Some(keys) = fresh.as_ref().filter(|keys| keys.knows(kid)) {
                return Ok(Arc::clone(keys));
            }
            if !inside.may_ask(now) {
                return fresh.ok_or_else(unavailable);
            }
        }
        let answer = read(ask, &document.keys)?;
        let keys = KeySet::parse_for(&answer.body, &issuer.allowed()).ok_or_else(unavailable)?;
        let keys = Arc::new(keys);
        let kept = Kept::new(Arc::clone(&keys), now, &answer, KEYS_KEPT_MS);
        self.0.lock().keys = Some(kept);
        Ok(keys)
    }
}

fn read(ask: &dyn Ask, address: &str) -> Result<Answer, Fault> {
    let answer = ask.get(address)?;
    if answer.status == 200 { Ok(answer) } else { Err(unavailable()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::tests::sound;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use identity::Secret;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use zeroize::Zeroizing;

    const GOOD: &str = r#"{"issuer":"https://id.example/realm","authorization_endpoint":"https://id.example/a","token_endpoint":"https://id.example/t","jwks_uri":"https://id.example/k"}"#;

    #[test]
    fn attack_28_a_document_leads_nowhere_but_to_the_issuers_own_origins_and_offers_a_challenge() {
        let reads = |text: &str| Document::parse(text.as_bytes(), &sound()).is_some();
        assert!(reads(GOOD));
        let with = |from: &str, to: &str| GOOD.replacen(from, to, 1);
        assert!(!reads(&with("https://id.example/realm", "https://id.example/realm/")), "its name");
        for endpoint in ["/a", "/t", "/k"] {
            let good = format!("https://id.example{endpoint}\"");
            for bad in ["https://evil.example/", "http://id.example/", "https://id.example:444/"] {
                assert!(!reads(&with(&good, &format!("{bad}\""))), "{endpoint} {bad}");
            }
        }
        let more = |text: &str| with("}", &format!(",{text}}}"));
        assert!(reads(&more(r#""code_challenge_methods_supported":["plain","S256"]"#)));
        assert!(!reads(&more(r#""code_challenge_methods_supported":["plain"]"#)));
        assert!(!reads(&more(r#""response_types_supported":["id_token"]"#)));
        let post = more(r#""token_endpoint_auth_methods_supported":["client_secret_post"]"#);
        let read = |text: &str| Document::parse(text.as_bytes(), &sound()).expect("read");
        assert!(read(&post).secret_in_form && !read(GOOD).secret_in_form);
    }

    #[derive(Debug, Default)]
    struct Rotating {
        asked: AtomicU32,
        kid: Mutex<String>,
    }

    impl Ask for Rotating {
        fn get(&self, _address: &str) -> Result<Answer, Fault> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let (n, kid) = (URL_SAFE_NO_PAD.encode([0xC5; 256]), self.kid.lock().clone());
            let body =
                format!(r#"{{"keys":[{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"}}]}}"#);
            let body = Zeroizing::new(body.into_bytes());
            Ok(Answer { status: 200, body, max_age_s: Some(86_400) })
        }

        fn post(&self, _: &str, _: &Secret, _: Option<&Secret>) -> Result<Answer, Fault> {
            Err(unavailable())
        }
    }

    /// Guard 27.
    #[test]
    fn attack_27_an_issuers_removed_key_is_forgotten_and_unknown_names_flood_nobody() {
        let (issuer, ask, known) = (sound(), Rotating::default(), Known::default());
        let document = Document::parse(GOOD.as_bytes(), &issuer).expect("read");
        let keys = |kid: &str, at: i64| known.keys(&issuer, &document, &ask, kid, Millis(at));
        let knows = |kid: &str, at: i64| keys(kid, at).is_ok_and(|keys| keys.knows(kid));
        *ask.kid.lock() = "old".to_owned();
        assert!(knows("old", 0));
        *ask.kid.lock() = "new".to_owned();
        assert!(knows("old", KEYS_KEPT_MS - 1));
        assert_eq!(ask.asked.load(Ordering::SeqCst), 1, "kept, though a day was said");
        assert!(knows("new", KEYS_KEPT_MS - 1), "a rotated key is taken at once");
        assert!(!knows("old", KEYS_KEPT_MS - 1), "and the old one no longer");
        let later = KEYS_KEPT_MS * 2;
        let before = ask.asked.load(Ordering::SeqCst);
        for n in 0..100 {
            assert!(!knows(&format!("unknown-{n}"), later));
        }
        assert!(ask.asked.load(Ordering::SeqCst) - before <= QUESTIONS_MAX);
        assert!(knows("new", later), "who is known signs in all the same");
        assert!(
            !knows("new", 0) || ask.asked.load(Ordering::SeqCst) > before,
            "a clock turned back"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_document_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Document::parse(&bytes, &sound()).is_none());
        }
    }
}
