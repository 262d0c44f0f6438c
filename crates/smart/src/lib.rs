//! The authorization server of SMART App Launch 2.2: who may be an app, what its users give it, and
//! the tokens that stand for that (<https://hl7.org/fhir/smart-app-launch/STU2.2/>).
//!
//! It stands on `identity`: users and apps are principals, and what it keeps stands on the same
//! [`identity::Shelf`]. It knows neither HTTP nor SQL, starts no thread and opens no file; time,
//! randomness, storage and the fetching of key sets are handed in. `docs/internals/smart.md` gives
//! the format of every item and what this does not protect against.
//!
//! Two rules it exists for: *nothing that is handed out can be read from the store*; and *a grant only
//! narrows: what its user may not do, no app can*.

pub mod address;
pub mod app;
mod assertion;
pub mod authorize;
pub mod delegation;
pub mod discovery;
pub mod exchange;
pub mod families;
mod form;
pub mod grant;
mod introspect;
mod item;
pub mod keys;
pub mod launch;
pub mod parts;
pub mod reach;
pub mod refusal;
pub mod scope;
mod signing;
pub mod smart;
mod token;

pub use address::{Params, Place};
pub use app::{App, Proves, Registered, Registration};
pub use authorize::{Ask, own_patient};
pub use delegation::{Delegated, Delegating};
pub use exchange::Issued;
pub use families::{Found, Given};
pub use grant::{Allowed, Grant, GrantId, Shown, Way};
pub use keys::{Algorithm, Fetch, Fetched, KeySet, NoFetch};
pub use launch::Launched;
pub use reach::{About, Action, Actions, Reach};
pub use refusal::{Refused, Turned};
pub use scope::{Scope, Scopes};
pub use smart::{Ground, Settings, Smart};
pub use token::is_access;
