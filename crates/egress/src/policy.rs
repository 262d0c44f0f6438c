//! What a purpose may reach, and within which bounds. An origin is listed exactly, scheme and port
//! included: there is no pattern and no prefix, since `https://lab.example.evil.example` begins like
//! the one that was meant. A credential is bound to one origin and is sent to no other.

use crate::address::{Class, class};
use crate::target::{Host, Origin, Target};
use base::Fault;
use base::error::code;
use http::HeaderValue;
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// What a connection is for, as logs and metrics name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose(pub &'static str);

/// What an `Authorization` header holds, and for whom.
#[derive(Clone)]
pub struct Credential {
    origin: Origin,
    value: Zeroizing<String>,
}

impl Credential {
    /// Binds a credential to an origin.
    pub const fn new(origin: Origin, value: Zeroizing<String>) -> Self {
        Self { origin, value }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("origin", &self.origin)
            .field("value", &"‹secret›")
            .finish()
    }
}

/// Bounds of one exchange, its redirects included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Milliseconds of everything.
    pub total_ms: u64,
    /// Milliseconds for one address to answer the call.
    pub connect_ms: u64,
    /// Headers of an answer.
    pub headers: usize,
    /// Bytes of an answer's head.
    pub head_bytes: usize,
    /// Bytes of an answer's body, packed and unpacked.
    pub body_bytes: usize,
    /// Bytes of what is sent.
    pub sent_bytes: usize,
    /// Redirects followed, each judged like the first address.
    pub redirects: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            total_ms: 10_000,
            connect_ms: 3000,
            headers: 64,
            head_bytes: 16 << 10,
            body_bytes: 1 << 20,
            sent_bytes: 1 << 20,
            redirects: 0,
        }
    }
}

/// What may be reached. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Origins that may be reached when they are public. One of `http` is reached without TLS: list
    /// one only where nothing that is sent or answered is anybody's secret.
    pub origins: Vec<Origin>,
    /// Origins that may lie in a private network or on this machine.
    pub private_origins: Vec<Origin>,
    /// Any public origin by `https`, listed or not: for addresses that others give us.
    pub any_public: bool,
    /// What is sent to whom.
    pub credentials: Vec<Credential>,
    /// The bounds.
    pub bounds: Bounds,
}

impl Policy {
    /// Whether this target may be asked at all, before its name is resolved.
    pub(crate) fn permit(&self, target: &Target) -> Result<(), Fault> {
        let origin = &target.origin;
        let listed = self.is_listed(origin) || (self.any_public && origin.secure);
        if !listed {
            return Err(denied());
        }
        // An address that stands in the text needs no resolver to be refused.
        match &origin.host {
            Host::Address(address) => self.permit_address(origin, *address),
            Host::Name(_) => Ok(()),
        }
    }

    /// Whether this target may be asked at this address.
    pub(crate) fn permit_address(&self, origin: &Origin, address: IpAddr) -> Result<(), Fault> {
        let permitted = match class(address) {
            Class::Public => true,
            Class::Private => self.private_origins.contains(origin),
            Class::Never => false,
        };
        if permitted { Ok(()) } else { Err(denied()) }
    }

    /// Whether the origin is one that the operator wrote down.
    pub(crate) fn is_listed(&self, origin: &Origin) -> bool {
        self.origins.contains(origin) || self.private_origins.contains(origin)
    }

    /// What is sent to this origin to say who we are.
    pub(crate) fn credential(&self, origin: &Origin) -> Result<Option<HeaderValue>, Fault> {
        let Some(found) = self.credentials.iter().find(|c| c.origin == *origin) else {
            return Ok(None);
        };
        let mut value = HeaderValue::from_str(&found.value).map_err(|_quoting| {
            Fault::new(&code::EGRESS_TARGET_INVALID, "a credential cannot stand in a header")
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

/// One sentence for every reason, so that whoever chose the address learns nothing of our networks.
fn denied() -> Fault {
    let what = "this address may not be reached for this purpose";
    Fault::new(&code::EGRESS_TARGET_DENIED, what)
}
