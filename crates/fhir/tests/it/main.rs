//! Contract tests of `fhir`.
