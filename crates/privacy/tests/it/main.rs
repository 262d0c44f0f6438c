//! The contract of `privacy`: consents, labels, masks.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod consent;
mod consent_rules;
mod elements;
mod elements_search;
mod epoch;
mod labelling;
mod packs;
mod proxy;
mod reach;
mod security;
mod support;
