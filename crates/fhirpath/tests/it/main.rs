//! Contract of `fhirpath`.

mod corpus;
mod data;
mod hl7;
