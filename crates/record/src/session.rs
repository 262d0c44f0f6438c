//! A session: one subject, one request, one scope. Until identity exists the subject is anonymous and
//! sees everything; the server binds to loopback only for that reason.

use crate::gate::Gate;
use audit::{Source, Ticket};
use base::{Fault, Limits, Millis};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use store::Scope;

/// On whose behalf something is done, and what they may see.
#[derive(Debug, Clone)]
pub struct Subject {
    pub(crate) actor: Cow<'static, str>,
    pub(crate) source: Option<Source>,
    pub(crate) scope: Scope,
}

impl Subject {
    /// Nobody in particular, who may see and change everything.
    pub const fn anonymous() -> Self {
        Self {
            actor: Cow::Borrowed(audit::event::ANONYMOUS),
            source: None,
            scope: Scope::everything(),
        }
    }

    /// From how far away the request came.
    #[must_use]
    pub const fn from(mut self, source: Source) -> Self {
        self.source = Some(source);
        self
    }

    /// Confines what is seen. A confined subject may read only.
    #[must_use]
    pub fn confined(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

/// The gate, opened for one request. Cheap to copy.
#[derive(Debug, Clone)]
pub struct Session {
    pub(crate) gate: Arc<Gate>,
    pub(crate) subject: Arc<Subject>,
    pub(crate) request: [u8; 16],
    /// Some event of this request is made; shared by all copies.
    pub(crate) noted: Arc<AtomicBool>,
}

impl Session {
    /// The bounds it works within.
    pub fn limits(&self) -> &Limits {
        &self.gate.settings.limits
    }

    /// The present instant, by the record's clock.
    pub fn now(&self) -> Millis {
        self.gate.settings.clock.now()
    }

    /// Whether this request has left an audit event, or is about to: a door notes those that have not.
    pub fn noted(&self) -> bool {
        self.noted.load(Ordering::Acquire)
    }

    /// The request's id, which every audit event carries.
    pub const fn request(&self) -> [u8; 16] {
        self.request
    }
}

/// An answer that may leave only after its audit event is in the log.
#[derive(Debug)]
#[must_use = "an answer may leave only after its audit event is written"]
pub struct Audited<T> {
    /// The answer.
    pub value: T,
    /// The event's receipt.
    pub ticket: Ticket,
}

impl<T> Audited<T> {
    /// Waits for the event to be written, then hands over the answer.
    ///
    /// # Errors
    /// `audit.unavailable` when the log failed: then nothing may leave.
    pub async fn into_inner(self) -> Result<T, Fault> {
        self.ticket.written().await?;
        Ok(self.value)
    }

    /// As [`Audited::into_inner`], blocking the thread: for commands.
    ///
    /// # Errors
    /// `audit.unavailable` when the log failed: then nothing may leave.
    pub fn wait(self) -> Result<T, Fault> {
        self.ticket.written().wait()?;
        Ok(self.value)
    }
}
