//! How the authorization server says no: the error words of OAuth (RFC 6749, 4.1.2.1 and 5.2; RFC
//! 7009, 2.2.1), with a sentence that tells what to mend and nothing about who or what there is.

use base::Fault;

use crate::address;

/// A refusal at the token endpoint and its kin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The word of OAuth.
    pub error: &'static str,
    /// What to do.
    pub say: &'static str,
    /// What failed in the server, for its log; none when the app was wrong.
    pub fault: Option<Fault>,
}

const fn refuse(status: u16, error: &'static str, say: &'static str) -> Refused {
    Refused { status, error, say, fault: None }
}

pub(crate) const fn invalid_request(say: &'static str) -> Refused {
    refuse(400, "invalid_request", say)
}

/// One text for every reason, so that nobody learns which apps there are.
pub(crate) const fn invalid_app() -> Refused {
    refuse(401, "invalid_client", "Check the client_id and how the app proves itself.")
}

pub(crate) const fn invalid_grant() -> Refused {
    refuse(400, "invalid_grant", "The code or token was not taken. Start the app again.")
}

pub(crate) const fn invalid_scope() -> Refused {
    refuse(400, "invalid_scope", "Ask for scopes that the app was registered for and was given.")
}

/// RFC 8693, 2.2.2.
pub(crate) const fn invalid_target() -> Refused {
    refuse(400, "invalid_target", "Tokens are given for this server's own records alone.")
}

pub(crate) const fn unauthorized_app() -> Refused {
    refuse(400, "unauthorized_client", "The app is not registered for this kind of grant.")
}

pub(crate) const fn unsupported_grant() -> Refused {
    refuse(400, "unsupported_grant_type", "Use one of the grant types that discovery lists.")
}

pub(crate) const fn busy() -> Refused {
    refuse(503, "temporarily_unavailable", "The server is at its limit. Try again in a minute.")
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let say = "The server could not carry this out. Try again later.";
        Self { status: 503, error: "temporarily_unavailable", say, fault: Some(fault) }
    }
}

impl Refused {
    /// The body of the answer.
    pub fn body(&self) -> String {
        serde_json::json!({ "error": self.error, "error_description": self.say }).to_string()
    }
}

/// How a request for authorization is turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turned {
    /// Told to the user, since there is no address that is known to be the app's.
    Page(&'static str),
    /// Told to the app, by sending the browser back.
    Back(String),
    /// Something failed here.
    Failed(Fault),
}

impl From<Fault> for Turned {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// The address that tells an app of a refusal.
pub(crate) fn back(
    redirect: &str,
    error: &str,
    say: &str,
    state: Option<&str>,
    issuer: &str,
) -> Turned {
    let mut pairs = vec![("error", error), ("error_description", say), ("iss", issuer)];
    pairs.extend(state.map(|state| ("state", state)));
    Turned::Back(address::with_query(redirect, &pairs))
}
