//! Why what came back from an issuer is not believed. The word is for the operator's log; whoever
//! signs in reads one sentence for all of them, so that nobody learns by trying what is looked at.

use base::Fault;
use base::error::code;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// No sign-in of this state waits: it was answered, took too long, or never began.
    State,
    /// It began in another browser.
    Browser,
    /// Another issuer answered than was asked.
    Issuer,
    /// The issuer said no, or the person did.
    Declined,
    /// There is no code in the answer.
    Code,
    /// The token endpoint took no code, or its answer cannot be read.
    Answer,
    /// The identity token is none, or says how it is to be verified.
    Form,
    /// It is signed in a way that the settings do not name.
    Algorithm,
    /// No key of the issuer's verifies it.
    Signature,
    /// It is of another issuer.
    TokenIssuer,
    /// It is for somebody else.
    Audience,
    /// It is over, or not valid yet, or older than a sign-in takes.
    Time,
    /// It answers another request.
    Nonce,
    /// It does not belong to the access token beside it.
    AccessToken,
    /// It names nobody.
    Subject,
    /// The person was signed in there for longer than is taken.
    Age,
}

impl Doubt {
    /// The word for the log.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Browser => "browser",
            Self::Issuer => "issuer",
            Self::Declined => "declined",
            Self::Code => "code",
            Self::Answer => "answer",
            Self::Form => "form",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::TokenIssuer => "token-issuer",
            Self::Audience => "audience",
            Self::Time => "time",
            Self::Nonce => "nonce",
            Self::AccessToken => "access-token",
            Self::Subject => "subject",
            Self::Age => "age",
        }
    }
}

/// What ends a sign-in: it is not believed, or it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    Doubt(Doubt),
    Failed(Fault),
}

impl From<Doubt> for Trouble {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault)
    }
}

/// The one fault of everything that is not believed.
pub(crate) fn unbelieved() -> Fault {
    let say = "The sign-in was called off, took too long, or came back in a way that is not believed. Begin again.";
    Fault::new(&code::FEDERATED_INVALID, say)
}

/// The issuer cannot be reached, or does not say what it has to.
pub(crate) fn unavailable() -> Fault {
    let say = "The other organisation’s sign-in cannot be reached. Try again in a few minutes.";
    Fault::new(&code::FEDERATED_UNAVAILABLE, say)
}
