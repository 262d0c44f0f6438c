//! What tests share: a clock they can turn, and the public test data that is not in the repository.
//! Never part of the product (`cargo xtask tidy` holds that).

pub mod clock;
pub mod data;
