//! The root key held by a transit service: Vault's or `OpenBao`'s secrets engine of that name
//! (45 CFR 164.312(a)(2)(iv); NIST SP 800-57 part 1, key-encrypting keys). The service wraps and
//! unwraps a tenant's key, and never gives out the key that it does so with.
//!
//! Asked at start, when keys are made, moved or rotated, and once in a while whether it is still
//! there; never on the way of a request. Every exchange goes through `egress`, to the one origin that
//! the operator wrote down. `docs/internals/keys.md` says what is sent, to the byte.

mod answer;
mod asking;
mod config;
mod holder;
mod wrapped;

pub use asking::{Pause, Sleep};
pub use config::{Config, Proof};
pub use holder::Transit;
pub use wrapped::version;
