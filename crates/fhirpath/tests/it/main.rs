//! Contract of `fhirpath`.

mod corpus;
mod data;
mod evaluate;
mod examples;
mod hl7;
