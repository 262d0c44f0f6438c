//! Search as the specification defines it (<https://hl7.org/fhir/R4/search.html>): which parameters a
//! type has, what values a resource yields for them, and what a query asks, as typed values that know
//! no engine.

pub mod condition;
pub mod entry;
pub mod extract;
pub mod fold;
pub mod parse;
pub mod people;
pub mod query;
pub mod registry;
pub mod unit;
