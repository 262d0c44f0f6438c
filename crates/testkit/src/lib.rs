//! What tests share: a clock they can turn, golden texts, an authenticator in software, a token in software,
//! and the public test data that is not in the repository. Never part of the product (`cargo xtask tidy` holds
//! that).

pub mod authenticator;
pub mod clock;
pub mod data;
pub mod golden;
pub mod softhsm;
