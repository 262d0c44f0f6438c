//! How an issuer is asked: through `egress`, by https, at the origins that the settings name and at
//! no other, within bounds, following nothing (guard 41).

use base::error::code;
use base::{Clock, Fault};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use egress::{Bounds, Credential, Egress, Network, Policy, Purpose, Request, Target, Trust};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use identity::Secret;
use std::fmt;
use std::sync::Arc;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

use crate::issuer::Issuer;

const PURPOSE: Purpose = Purpose("sign-in");
/// Bytes of one answer: what providers tell of themselves is a few, key sets with certificates twenty
/// thousand or so.
const BODY_BYTES_MAX: usize = 128 << 10;

/// What an issuer answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, which may hold tokens.
    pub body: Zeroizing<Vec<u8>>,
    /// For how many seconds it may be kept; `Some(0)` for not at all, `None` when nothing is said.
    pub max_age_s: Option<u32>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({})", self.status)
    }
}

/// How one issuer is asked.
pub trait Ask: Send + Sync + fmt::Debug {
    /// Reads a document of JSON.
    fn get(&self, address: &str) -> Result<Answer, Fault>;

    /// Sends a form. `basic` is what proves who sends it: both halves encoded, with a colon between.
    fn post(&self, address: &str, form: &Secret, basic: Option<&Secret>) -> Result<Answer, Fault>;
}

/// Through the way out. It waits where it is called, so it is called from a thread that may.
pub struct Way {
    egress: Egress,
    policy: Policy,
    runtime: Handle,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Way {
    /// A way to the origins of this issuer and no further, believing these authorities.
    ///
    /// # Errors
    /// When the authorities cannot be used, or the settings name no origin.
    pub fn new(
        issuer: &Issuer,
        network: Arc<dyn Network>,
        trust: &Trust,
        clock: Arc<dyn Clock>,
        runtime: Handle,
    ) -> Result<Self, Fault> {
        let origins = issuer.all_origins()?;
        let bounds = Bounds {
            total_ms: 8000,
            body_bytes: BODY_BYTES_MAX,
            sent_bytes: 32 << 10,
            redirects: 0,
            ..Bounds::default()
        };
        let private_origins = if issuer.private { origins.clone() } else { Vec::new() };
        let policy = Policy { origins, private_origins, bounds, ..Policy::default() };
        Ok(Self { egress: Egress::new(network, trust, clock)?, policy, runtime })
    }

    fn ask(&self, policy: &Policy, request: Request) -> Result<Answer, Fault> {
        if !request.target.origin.secure {
            return Err(Fault::new(&code::EGRESS_TARGET_DENIED, "an issuer is asked by https"));
        }
        let reply = self.runtime.block_on(self.egress.ask(PURPOSE, policy, request))?;
        let max_age_s = max_age_s(&reply.headers);
        let body = Zeroizing::new(reply.body.to_vec());
        Ok(Answer { status: reply.status.as_u16(), body, max_age_s })
    }
}

impl Ask for Way {
    fn get(&self, address: &str) -> Result<Answer, Fault> {
        let mut request = Request::get(Target::parse(address)?);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.ask(&self.policy, request)
    }

    fn post(&self, address: &str, form: &Secret, basic: Option<&Secret>) -> Result<Answer, Fault> {
        let target = Target::parse(address)?;
        let mut policy = self.policy.clone();
        if let Some(basic) = basic {
            let mut text = Zeroizing::new("Basic ".to_owned());
            STANDARD.encode_string(basic.expose(), &mut text);
            policy.credentials = vec![Credential::new(target.origin.clone(), text)];
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, form_type);
        let body = Bytes::copy_from_slice(form.expose().as_bytes());
        self.ask(&policy, Request { method: Method::POST, target, headers, body })
    }
}

/// How long an answer may be kept, by its `Cache-Control`.
fn max_age_s(headers: &HeaderMap) -> Option<u32> {
    let texts = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut least = None;
    for part in texts.flat_map(|text| text.split(',')).map(str::trim) {
        let seconds = match part.split_once('=') {
            Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => seconds.parse().ok(),
            None if part.eq_ignore_ascii_case("no-store") => Some(0),
            None if part.eq_ignore_ascii_case("no-cache") => Some(0),
            _ => None,
        };
        least = match (least, seconds) {
            (Some(a), Some(b)) => Some(u32::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_kept_for_as_long_as_it_says_and_the_strictest_word_holds() {
        let of = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(text));
            max_age_s(&headers)
        };
        assert_eq!(of("public, max-age=60"), Some(60));
        assert_eq!(of("max-age=60, no-store"), Some(0));
        assert_eq!(of("No-Cache"), Some(0));
        assert_eq!(of("private"), None);
        assert_eq!(of("max-age=x"), None);
        assert_eq!(max_age_s(&HeaderMap::new()), None);
    }
}
