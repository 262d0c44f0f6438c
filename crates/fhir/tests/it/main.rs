//! Contract of `fhir`.

mod json;
