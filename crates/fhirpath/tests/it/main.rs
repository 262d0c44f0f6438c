//! Contract tests of `fhirpath`.
