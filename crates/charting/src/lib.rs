//! The department behind a patient's chart: what its screens show, and what is entered there. Values in,
//! values out, under the caller's own session; it knows no page, no address and no statement of a store.
//! docs/internals/charting.md walks through it.
//!
//! Every change states its patient, and a record that is about another is refused ([`guard`]): entries in
//! the wrong chart are the oldest harm that charts on a screen do.

pub mod allergies;
pub mod diff;
pub mod entry;
pub mod guard;
pub mod lines;
pub mod listed;
pub mod medications;
pub mod notes;
pub mod past;
pub mod problems;
pub mod read;
pub mod sign;
pub mod summary;
pub mod timeline;
pub mod vitals;
mod words;
mod write;

pub use guard::About;
pub use listed::Seen;
pub use read::{Coding, Concept, Part};
pub use summary::Summary;
pub use write::Done;
