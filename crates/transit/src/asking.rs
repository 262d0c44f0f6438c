//! One exchange with the service, through the way out, to its one origin and no further (guard 41):
//! the operator wrote that origin down, so it may lie in the house's own network.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base::error::code;
use base::{Clock, Fault};
use bytes::Bytes;
use egress::{
    Bounds, Credential, Egress, Network, Origin, Policy, Purpose, Reply, Request, Target, Trust,
};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use keys::SecretText;
use zeroize::{Zeroize as _, Zeroizing};

use crate::answer::{Answer, Trouble};
use crate::config::Config;

const PURPOSE: Purpose = Purpose("root-key");
/// Bytes of one answer: the largest is what is told of a key, which lists its versions.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Bytes of what is sent.
pub(crate) const SENT_BYTES_MAX: usize = 16 << 10;

/// Waits, so that a test need not.
pub trait Pause: Send + Sync + fmt::Debug {
    /// Waits so long.
    fn pause(&self, how_long: Duration);
}

/// Waits as the system does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sleep;

impl Pause for Sleep {
    fn pause(&self, how_long: Duration) {
        std::thread::sleep(how_long);
    }
}

/// How the service is asked.
pub(crate) struct Asking {
    egress: Egress,
    policy: Policy,
    origin: Origin,
    namespace: Option<HeaderValue>,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Asking {
    pub(crate) fn new(
        origin: Origin,
        config: &Config,
        network: Arc<dyn Network>,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let bounds = Bounds {
            total_ms: config.timeout_ms,
            connect_ms: config.timeout_ms / 2,
            body_bytes: BODY_BYTES_MAX,
            sent_bytes: SENT_BYTES_MAX,
            redirects: 0,
            ..Bounds::default()
        };
        let policy = Policy {
            origins: vec![origin.clone()],
            private_origins: vec![origin.clone()],
            bounds,
            ..Policy::default()
        };
        let bad = |_| Fault::new(&code::KEYS_KMS_UNFIT, "transit_namespace is no header's value");
        let namespace = match config.namespace.as_str() {
            "" => None,
            text => Some(HeaderValue::from_str(text).map_err(bad)?),
        };
        Ok(Self { egress: Egress::new(network, trust, clock)?, policy, origin, namespace })
    }

    /// Asks; `token` says who does.
    pub(crate) fn exchange(
        &self,
        target: Target,
        token: Option<&SecretText>,
        body: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Answer, Trouble> {
        let mut policy = self.policy.clone();
        if let Some(token) = token {
            let text = Zeroizing::new(format!("Bearer {}", token.expose()));
            policy.credentials = vec![Credential::new(self.origin.clone(), text)];
        }
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // An agent may ask for it, as a sign that no browser was led here.
        let requested = HeaderName::from_static("x-vault-request");
        headers.insert(requested, HeaderValue::from_static("true"));
        if let Some(namespace) = &self.namespace {
            headers.insert(HeaderName::from_static("x-vault-namespace"), namespace.clone());
        }
        let method = if body.is_some() { Method::POST } else { Method::GET };
        // Its owner wipes it when the last who holds it lets go.
        let body = body.map(Bytes::from_owner).unwrap_or_default();
        let reply = self.wait(&policy, Request { method, target, headers, body })?;
        let body = Zeroizing::new(reply.body.to_vec());
        if let Ok(mut received) = reply.body.try_into_mut() {
            received.zeroize();
        }
        Ok(Answer { status: reply.status.as_u16(), body })
    }

    /// Waits on a thread of its own, since whoever calls may be on a runtime that must not wait.
    fn wait(&self, policy: &Policy, request: Request) -> Result<Reply, Trouble> {
        let failed = |what: &str| Trouble::passing(&code::KEYS_KMS_UNREACHABLE, what);
        let asked = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime =
                    runtime.map_err(|_system| failed("there is no room for a connection"))?;
                runtime.block_on(self.egress.ask(PURPOSE, policy, request)).map_err(named)
            });
            waiting.join()
        });
        asked.unwrap_or_else(|_panicked| Err(failed("asking failed inside this program")))
    }
}

/// What the way out said, in this crate's words.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn named(fault: Fault) -> Trouble {
    let code = fault.code();
    if code == &code::EGRESS_ANSWER_TOO_LARGE || code == &code::EGRESS_ANSWER_INVALID {
        return Trouble::lasting(&code::KEYS_KMS_ANSWER, format!("{fault}"));
    }
    if code == &code::EGRESS_TIMEOUT || code == &code::EGRESS_UNREACHABLE {
        return Trouble::passing(&code::KEYS_KMS_UNREACHABLE, format!("{fault}"));
    }
    Trouble::lasting(&code::KEYS_KMS_UNREACHABLE, format!("{fault}"))
}
