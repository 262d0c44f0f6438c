//! What the console asks about people beside the record: what they gave to apps, and from where they ask.
//! The door hands it over, so that no page knows the authorization server (SMART App Launch, management
//! of what was given; 45 CFR 164.308(a)(4)). Who may ask is the record's gate to say, before this is asked.

use base::{Fault, Millis};
use identity::PrincipalId;
use std::net::IpAddr;

/// The people's side of the house.
pub trait People: Send + Sync {
    /// From where the visit comes.
    fn source(&self) -> IpAddr;

    /// What a person gave to apps and agents, the last used first.
    fn given(&self, user: PrincipalId) -> Vec<GivenApp>;

    /// Ends one of these, in the name of `by`; whether there was one.
    ///
    /// # Errors
    /// When it cannot be kept; it is ended all the same.
    fn end_given(&self, by: PrincipalId, user: PrincipalId, id: &str) -> Result<bool, Fault>;
}

/// What somebody gave to an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenApp {
    /// Names it.
    pub id: String,
    /// What the app is called.
    pub app: String,
    /// Whether it is an agent, which acts for the person.
    pub is_agent: bool,
    /// What it may do, each in a sentence.
    pub may: Vec<String>,
    /// When it was given.
    pub since: Millis,
    /// When it was last used.
    pub used: Millis,
    /// When it ends if it is not used.
    pub ends: Millis,
}
