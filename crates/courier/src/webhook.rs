//! Handing messages for phones to a service of the operator's choice: one POST of JSON each, signed with a
//! secret that both know (HMAC-SHA256, RFC 2104), with an idempotency key
//! (draft-ietf-httpapi-idempotency-key-header), through the house's one way out.

use crate::address::To;
use crate::{Message, Sender, Unsent, invalid, refused, unavailable};
use base::{Clock, Fault, Millis};
use bytes::Bytes;
use egress::{Bounds, Egress, Network, Policy, Purpose, Reply, Request, Target, Trust};
use hmac::{Hmac, Mac as _};
use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method};
use sha2::Sha256;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use zeroize::Zeroizing;

const PURPOSE: Purpose = Purpose("message-webhook");
/// The header with the signature: `t=<seconds since 1970>,v1=<hex>`.
pub const SIGNATURE: &str = "x-plummer-signature";
const IDEMPOTENCY: &str = "idempotency-key";
/// Bytes of a secret, least and most: as many as the hash has, and a line of a file.
const SECRET: std::ops::RangeInclusive<usize> = 32..=512;
/// Bytes of an answer; nothing of it is read.
const BODY_MAX: usize = 64 << 10;
/// A service may ask to be left alone for so long.
const WAIT_MAX_MS: i64 = 86_400_000;

/// How messages are handed on.
#[derive(Clone)]
pub struct WebhookSettings {
    /// Where to.
    pub url: String,
    /// What both know: 32 to 512 bytes.
    pub secret: Zeroizing<Vec<u8>>,
    /// How long one message may take.
    pub patience_ms: u64,
}

impl fmt::Debug for WebhookSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSettings(‹secret›)")
    }
}

/// A service that takes messages for phones.
#[derive(Debug)]
pub struct Webhook {
    settings: WebhookSettings,
    target: Target,
    policy: Policy,
    egress: Egress,
}

impl Webhook {
    /// A service that is asked when there is something to send.
    ///
    /// # Errors
    /// `egress.target.invalid`; `courier.message.invalid` for a secret that is too short.
    pub fn new(
        settings: WebhookSettings,
        network: Arc<dyn Network>,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        if !SECRET.contains(&settings.secret.len()) {
            return Err(invalid("the secret of the webhook has 32 to 512 bytes"));
        }
        let target = Target::parse(&settings.url)?;
        let bounds = Bounds {
            total_ms: settings.patience_ms,
            connect_ms: settings.patience_ms / 2,
            body_bytes: BODY_MAX,
            redirects: 0,
            ..Bounds::default()
        };
        // The operator wrote it down: it may lie in the house's own network.
        let origins = vec![target.origin.clone()];
        let private_origins = origins.clone();
        let policy = Policy { origins, private_origins, bounds, ..Policy::default() };
        let egress = Egress::new(network, trust, clock)?;
        Ok(Self { settings, target, policy, egress })
    }

    fn request(&self, message: &Message, number: &str) -> Result<Request, Fault> {
        let body = serde_json::json!({
            "id": message.id,
            "to": number,
            "text": message.text,
            "language": message.language,
        });
        let body = body.to_string();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let signed = signature(&self.settings.secret, message.at, body.as_bytes())?;
        for (name, value) in [(SIGNATURE, signed.as_str()), (IDEMPOTENCY, message.id.as_str())] {
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_quoting| invalid("a head of the webhook is odd"))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        let (target, body) = (self.target.clone(), Bytes::from(body));
        Ok(Request { method: Method::POST, target, headers, body })
    }

    /// Waits on a thread of its own, since whoever calls may be on a runtime that must not wait.
    fn ask(&self, request: Request) -> Result<Reply, Fault> {
        let asked = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|_system| unavailable("there is no room for a connection"))?;
                runtime.block_on(self.egress.ask(PURPOSE, &self.policy, request))
            });
            waiting.join()
        });
        asked.unwrap_or_else(|_panicked| Err(unavailable("asking failed inside this program")))
    }
}

impl Sender for Webhook {
    fn carries(&self, to: &To) -> bool {
        matches!(to, To::Phone(_))
    }

    fn send(&self, message: &Message) -> Result<(), Unsent> {
        message.check().map_err(Unsent::Refused)?;
        let To::Phone(number) = &message.to else {
            return Err(Unsent::Refused(invalid("the webhook carries messages for phones alone")));
        };
        let request = self.request(message, number.expose()).map_err(Unsent::Refused)?;
        let reply = self.ask(request).map_err(Unsent::later)?;
        let status = reply.status.as_u16();
        let say = format!("the webhook answered {status}");
        match status {
            200..=299 => Ok(()),
            // It says that this message is wrong, or that the number is gone; the others that we are.
            400 | 410 | 413 | 422 => Err(Unsent::Refused(refused(say))),
            _ => {
                let asks = reply.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let seconds = asks.and_then(|seconds| seconds.trim().parse::<i64>().ok());
                let wait_ms = seconds
                    .filter(|seconds| *seconds > 0)
                    .map(|seconds| seconds.saturating_mul(1000).min(WAIT_MAX_MS));
                Err(Unsent::Later { fault: unavailable(say), wait_ms })
            }
        }
    }
}

/// What [`SIGNATURE`] holds for a body sent at a time: who knows the secret makes it anew and compares, and
/// refuses what is older than some minutes.
///
/// # Errors
/// `courier.message.invalid` for a secret that is no key.
pub fn signature(secret: &[u8], at: Millis, body: &[u8]) -> Result<String, Fault> {
    let seconds = at.0.div_euclid(1000);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)
        .map_err(|_length| invalid("the secret of the webhook is no key"))?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let mut out = format!("t={seconds},v1=");
    for byte in mac.finalize().into_bytes() {
        // To a string nothing fails.
        let _ = write!(out, "{byte:02x}");
    }
    Ok(out)
}
