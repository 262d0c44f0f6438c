//! The only way out of the product: every connection that it begins is made here, for a purpose and
//! within a policy (attack 41 of the guard's list; OWASP API7). It resolves a name once, pins the
//! address, and judges it before anything is sent; it knows no FHIR, and nothing of who asks.
//!
//! `cargo xtask tidy` holds every other crate to it: none may name what connects.

mod address;
mod client;
mod collector;
mod exchange;
mod network;
mod policy;
mod target;
mod trust;
mod wire;

pub use address::{Class, class};
pub use client::{Egress, Reply, Request};
pub use collector::Collector;
pub use network::{Network, Pending, System};
pub use policy::{Bounds, Credential, Policy, Purpose};
pub use target::{Host, Origin, Target};
pub use trust::Trust;
pub use wire::{Wire, Wiring};
