//! Contract of `fhirpath`.

mod corpus;
