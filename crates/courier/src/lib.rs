//! Plain messages to people, by mail (RFC 5321) or by a service that takes them over a webhook, such as one
//! for text messages. A message is what is in [`Message`]: it has no place for a record, and whoever writes
//! it keeps to what may be read by anybody who holds the phone (45 CFR 164.502(b)).
//!
//! What cannot be sent is told in one of two ways ([`Unsent`]): later perhaps, or not to this address.

mod address;
mod mail;
mod smtp;
mod webhook;

pub use address::{Email, Phone, To};
pub use smtp::{Credentials, Security, Smtp, SmtpSettings};
pub use webhook::{SIGNATURE, Webhook, WebhookSettings, signature};

use base::error::code;
use base::{Fault, Millis};
use std::fmt;

/// Characters of a text.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Characters of a subject.
pub const SUBJECT_CHARS_MAX: usize = 120;
/// Letters of an id.
const ID_MAX: usize = 64;

/// What is sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Its own id: 1 to 64 letters, digits and hyphens. Sent again it is the same, and whoever hands it on
    /// may know by it that it was handed on before.
    pub id: String,
    /// To whom.
    pub to: To,
    /// What a mail is headed with; one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The language of both (BCP 47).
    pub language: String,
    /// When it is sent.
    pub at: Millis,
}

/// To whom it goes, and what it says, is theirs.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message {{ id: {:?}, to: {:?} }}", self.id, self.to)
    }
}

impl Message {
    /// Refuses what could be read as something else than a message: ends of lines in a head, odd ids.
    ///
    /// # Errors
    /// `courier.message.invalid`.
    pub fn check(&self) -> Result<(), Fault> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.id.is_empty() || self.id.len() > ID_MAX || !self.id.chars().all(plain) {
            return Err(invalid("a message's id has 1 to 64 letters, digits and hyphens"));
        }
        let subject = self.subject.chars();
        if subject.clone().count() > SUBJECT_CHARS_MAX || subject.clone().any(char::is_control) {
            return Err(invalid("a subject is one line of at most 120 characters"));
        }
        let odd = |c: char| c.is_control() && c != '\n';
        if self.text.is_empty()
            || self.text.chars().count() > TEXT_CHARS_MAX
            || self.text.chars().any(odd)
        {
            return Err(invalid("a text has 1 to 2000 characters"));
        }
        let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.language.is_empty() || self.language.len() > 35 || !self.language.chars().all(tag) {
            return Err(invalid("the language is no tag of BCP 47"));
        }
        Ok(())
    }
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsent {
    /// Not now: the service is away, busy, or does not let us in. The same message may be tried again.
    Later {
        /// What happened; it quotes nothing.
        fault: Fault,
        /// How long the service asks to be left alone, in milliseconds.
        wait_ms: Option<i64>,
    },
    /// Never, to this address.
    Refused(Fault),
}

impl Unsent {
    /// What happened.
    pub const fn fault(&self) -> &Fault {
        match self {
            Self::Later { fault, .. } | Self::Refused(fault) => fault,
        }
    }

    pub(crate) const fn later(fault: Fault) -> Self {
        Self::Later { fault, wait_ms: None }
    }
}

/// Who hands messages on. Waits until one is handed on, or is not.
pub trait Sender: Send + Sync + fmt::Debug {
    /// Whether it can reach such an address.
    fn carries(&self, to: &To) -> bool;

    /// Hands a message on.
    ///
    /// # Errors
    /// Why not.
    fn send(&self, message: &Message) -> Result<(), Unsent>;
}

pub(crate) fn invalid(say: &str) -> Fault {
    Fault::new(&code::COURIER_INVALID, say)
}

pub(crate) fn unavailable(say: impl Into<String>) -> Fault {
    Fault::new(&code::COURIER_UNAVAILABLE, say.into())
}

pub(crate) fn refused(say: impl Into<String>) -> Fault {
    Fault::new(&code::COURIER_REFUSED, say.into())
}
