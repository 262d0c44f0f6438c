//! What is sensitive, what patients have said of it, and what of a record a role needs to see.
//!
//! Three rooms, all pure: the labelling gives a document its sensitivity labels by rule packs
//! ([`labelling`]); consents become rules of release and denial ([`consent`]); and masks leave out
//! of a record what a role does not need ([`elements`], 45 CFR 164.502(b)). It opens no store and
//! asks no clock.

pub mod consent;
pub mod elements;
pub mod labelling;
pub mod proxy;
pub mod reach;
