//! Asking another system: the address is read strictly, judged by the policy, resolved once, and each
//! address found is judged again; the connection goes to one of those and to no other. A redirect
//! starts all of this anew, and what was bound to the first origin stays there.

use crate::exchange::{Answered, exchange};
use crate::network::Network;
use crate::policy::{Policy, Purpose};
use crate::target::{Host, Origin, Target};
use crate::trust::Trust;
use base::error::code;
use base::{Clock, Fault};
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED,
    HOST, HeaderName, LOCATION, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::Full;
use rustls::ClientConfig;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::{info, warn};

/// Exchanges at a time: more wait, within their own time.
const AT_ONCE: usize = 64;
/// Addresses of one name that are looked at, and that are called one after the other.
const ADDRESSES_MAX: usize = 64;
const CALLS_MAX: usize = 4;
/// Headers that say who we are or how the message is framed: not the caller's to set.
const OURS: [HeaderName; 13] = [
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The address.
    pub target: Target,
    /// Headers that say nothing of who we are.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A request to read.
    pub fn get(target: Target) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, target, headers, body }
    }
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Bytes,
    /// Who answered in the end.
    pub origin: Origin,
}

/// The way out.
#[derive(Debug)]
pub struct Egress {
    network: Arc<dyn Network>,
    tls: Arc<ClientConfig>,
    slots: Semaphore,
}

impl Egress {
    /// A way out over this network, believing these authorities.
    ///
    /// # Errors
    /// `egress.answer.untrusted` when the authorities cannot be used.
    pub fn new(
        network: Arc<dyn Network>,
        trust: &Trust,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let tls = Arc::new(trust.config(clock)?);
        Ok(Self { network, tls, slots: Semaphore::new(AT_ONCE) })
    }

    /// Asks another system, within the policy.
    ///
    /// # Errors
    /// Codes `egress.*`; `egress.target.denied` for whatever the policy does not permit.
    pub async fn ask(
        &self,
        purpose: Purpose,
        policy: &Policy,
        request: Request,
    ) -> Result<Reply, Fault> {
        let began = Instant::now();
        let listed = policy.is_listed(&request.target.origin);
        // Whom somebody else named may say something of a person; what the operator wrote does not.
        let origin =
            if listed { request.target.origin.to_string() } else { "not listed".to_owned() };
        let limit = Duration::from_millis(policy.bounds.total_ms);
        let asked = timeout(limit, self.follow(policy, request)).await;
        let answer = asked.unwrap_or_else(|_| {
            Err(Fault::new(&code::EGRESS_TIMEOUT, "the other system took longer than the limit"))
        });
        let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let purpose = purpose.0;
        match &answer {
            Ok(reply) => {
                let (status, bytes) = (reply.status.as_u16(), reply.body.len());
                info!(purpose, origin, status, bytes, elapsed_ms, "asked another system");
            }
            Err(fault) => {
                let code = fault.code().name;
                warn!(purpose, origin, code, elapsed_ms, "could not ask another system");
            }
        }
        answer
    }

    async fn follow(&self, policy: &Policy, mut request: Request) -> Result<Reply, Fault> {
        check(&request, policy)?;
        let closed = |_| Fault::new(&code::SHUTTING_DOWN, "the server is shutting down");
        let _slot = self.slots.acquire().await.map_err(closed)?;
        let mut left = policy.bounds.redirects;
        loop {
            let answered = self.hop(policy, &request).await?;
            let reads = matches!(request.method, Method::GET | Method::HEAD);
            let moved = matches!(answered.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            if policy.bounds.redirects == 0 || !reads || !moved {
                let Answered { status, headers, body } = answered;
                return Ok(Reply { status, headers, body, origin: request.target.origin });
            }
            if left == 0 {
                let what = "the other system redirects more often than is followed";
                return Err(Fault::new(&code::EGRESS_TARGET_DENIED, what));
            }
            left -= 1;
            let to = answered.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            let next = request.target.redirect(to.unwrap_or_default())?;
            if next.origin != request.target.origin {
                // Whatever the caller put there was for the one it named.
                let accept = request.headers.remove(ACCEPT);
                request.headers.clear();
                request.headers.extend(accept.map(|value| (ACCEPT, value)));
            }
            request.target = next;
        }
    }

    /// One address, judged, resolved, judged again, and asked.
    async fn hop(&self, policy: &Policy, request: &Request) -> Result<Answered, Fault> {
        let origin = &request.target.origin;
        policy.permit(&request.target)?;
        let addresses = self.pinned(policy, origin).await?;
        let stream = self.connect(policy, origin, &addresses).await?;
        let message = message(policy, request)?;
        exchange(stream, origin, &self.tls, message, &policy.bounds).await
    }

    /// The addresses of an origin, every one of them permitted: a name that has one good address and
    /// one bad is a name that somebody plays with.
    async fn pinned(&self, policy: &Policy, origin: &Origin) -> Result<Vec<IpAddr>, Fault> {
        let addresses = match &origin.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = self.network.resolve(name).await;
                found.map_err(|_quoting| unreachable())?
            }
        };
        if addresses.is_empty() || addresses.len() > ADDRESSES_MAX {
            return Err(unreachable());
        }
        for address in &addresses {
            policy.permit_address(origin, *address)?;
        }
        Ok(addresses)
    }

    async fn connect(
        &self,
        policy: &Policy,
        origin: &Origin,
        addresses: &[IpAddr],
    ) -> Result<TcpStream, Fault> {
        let limit = Duration::from_millis(policy.bounds.connect_ms);
        for address in addresses.iter().take(CALLS_MAX) {
            let to = SocketAddr::new(*address, origin.port);
            if let Ok(Ok(stream)) = timeout(limit, self.network.connect(to)).await {
                return Ok(stream);
            }
        }
        Err(unreachable())
    }
}

/// Refuses what is not the caller's to say.
fn check(request: &Request, policy: &Policy) -> Result<(), Fault> {
    if request.body.len() > policy.bounds.sent_bytes {
        let most = policy.bounds.sent_bytes;
        let what = format!("what is sent is larger than the {most} bytes it may have");
        return Err(Fault::new(&code::EGRESS_TARGET_INVALID, what));
    }
    let taken = OURS.iter().find(|name| request.headers.contains_key(*name));
    match taken {
        None => Ok(()),
        Some(name) => {
            let what = format!("the header {name} is set by the way out alone");
            Err(Fault::new(&code::EGRESS_TARGET_INVALID, what))
        }
    }
}

fn message(policy: &Policy, request: &Request) -> Result<http::Request<Full<Bytes>>, Fault> {
    let origin = &request.target.origin;
    let bad = |_| Fault::new(&code::EGRESS_TARGET_INVALID, "the request cannot be written");
    let mut message = http::Request::builder()
        .method(request.method.clone())
        .uri(request.target.path.as_str())
        .body(Full::new(request.body.clone()))
        .map_err(bad)?;
    let headers = message.headers_mut();
    *headers = request.headers.clone();
    let host = HeaderValue::from_str(&origin.authority());
    headers.insert(HOST, host.map_err(|error| bad(error.into()))?);
    headers.insert(USER_AGENT, HeaderValue::from_static("Plummer"));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(credential) = policy.credential(origin)? {
        headers.insert(AUTHORIZATION, credential);
    }
    Ok(message)
}

fn unreachable() -> Fault {
    Fault::new(&code::EGRESS_UNREACHABLE, "the other system cannot be reached")
}
