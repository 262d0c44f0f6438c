//! Contract of `fhirpath`.

mod corpus;
mod data;
mod examples;
mod hl7;
