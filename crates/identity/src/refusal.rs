//! How identity says no: one fault for every refusal of a sign-in, and the time to wait when there
//! is one, so that no answer tells whether a sign-in name is anybody's (NIST SP 800-63B 5.2.2).

use std::fmt;

use base::Fault;
use base::error::code;

/// A refusal, with what a door needs for `Retry-After`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is told.
    pub fault: Fault,
    /// After how many seconds another attempt is looked at.
    pub retry_after_s: Option<u64>,
}

impl Refusal {
    /// The refusal of somebody who has to wait.
    pub(crate) fn wait(ms: i64) -> Self {
        let seconds = u64::try_from(ms.max(1)).unwrap_or(1).div_ceil(1000);
        let say = format!("There were too many attempts. Try again in {seconds} seconds.");
        Self { fault: Fault::new(&code::SIGN_IN_BACK_OFF, say), retry_after_s: Some(seconds) }
    }

    /// Whether this is the answer to a wrong secret, which counts against whoever sent it.
    pub(crate) fn is_wrong(fault: &Fault) -> bool {
        let wrong: [&'static base::Code; 2] = [&code::SIGN_IN_REFUSED, &code::CLAIM_INVALID];
        wrong.contains(&fault.code())
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self { fault, retry_after_s: None }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        refusal.fault
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.fault, f)
    }
}

impl std::error::Error for Refusal {}

/// The one refusal of a sign-in.
pub(crate) fn refused() -> Fault {
    let say =
        "The sign-in did not succeed. Check the name, the password and the code, and try again.";
    Fault::new(&code::SIGN_IN_REFUSED, say)
}

pub(crate) fn expired() -> Fault {
    Fault::new(&code::SESSION_EXPIRED, "Your session has ended. Sign in again.")
}

pub(crate) fn token_invalid() -> Fault {
    Fault::new(
        &code::TOKEN_INVALID,
        "The token is not one that is valid here. Sign in, or ask for a new token.",
    )
}

pub(crate) fn step_up_needed() -> Fault {
    let say =
        "Confirm with your password or second factor that it is you, then repeat the request.";
    Fault::new(&code::STEP_UP_NEEDED, say)
}

/// The role demands a second factor, and none was shown.
pub(crate) fn factor_missing() -> Fault {
    let say = "Your role demands a second factor. Sign in with a browser, make a passkey or set up an authenticator app on the page that opens, then repeat the request.";
    Fault::new(&code::FACTOR_MISSING, say)
}

/// The right password was one to be changed: it opens nothing until it was.
pub(crate) fn must_change() -> Fault {
    let say = "Choose a password of your own, with the one you were given, then sign in with it.";
    Fault::new(&code::PASSWORD_MUST_CHANGE, say)
}

/// The right password was one that others may have.
pub(crate) fn password_breached() -> Fault {
    let say = "Your password stands in lists of passwords that were stolen elsewhere. Choose another, with the one you have, then sign in with it.";
    Fault::new(&code::PASSWORD_MUST_CHANGE, say)
}

pub(crate) fn last_administrator() -> Fault {
    let say =
        "Nobody else could administer the site. Give another person the role and a password first.";
    Fault::new(&code::ADMINISTRATOR_LAST, say)
}

pub(crate) fn name_taken() -> Fault {
    Fault::at(&code::NAME_TAKEN, "Choose another sign-in name.", "name")
}

pub(crate) fn disabled() -> Fault {
    Fault::new(&code::PRINCIPAL_DISABLED, "Enable the principal first.")
}

pub(crate) fn not_found() -> Fault {
    Fault::new(&code::PRINCIPAL_NOT_FOUND, "Check the id: nobody has it here.")
}

pub(crate) fn claim_invalid() -> Fault {
    let say = "The claim code was not taken. Read the one the server printed last, or have it print a new one.";
    Fault::new(&code::CLAIM_INVALID, say)
}
