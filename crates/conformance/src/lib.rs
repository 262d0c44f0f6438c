//! Public suites against a running FHIR server: searches whose totals are known, and HL7's example
//! instances there and back (<https://hl7.org/fhir/R4/http.html>). It speaks HTTP and nothing of
//! ours, so that it can judge any server; CONFORMANCE.md is the ledger of what it found.

pub mod exact;
pub mod examples;
pub mod http;
pub mod ledger;
pub mod process;
pub mod random;
pub mod searches;

use std::path::{Path, PathBuf};

/// The variable that names the folder of shared test data.
pub const TEST_DATA: &str = "PLUMMER_TEST_DATA";
/// Searches and the totals a right server gives, inside that folder.
pub const SEARCHES: &str = "synthea/expected-search-uscore-120p.json";
/// The 120 patients those totals are true of.
pub const PATIENTS: &str = "synthea/synthea-r4-uscore-120p.tar.zst";
/// The example instances of the specification.
pub const EXAMPLES: &str = "fhir/hl7-r4-examples.tar.gz";
/// Resources in [`PATIENTS`].
pub const PATIENTS_RESOURCES: u64 = 92_114;

/// A file of the shared test data, if it is at hand.
pub fn data(file: &str) -> Option<PathBuf> {
    let path = Path::new(&std::env::var_os(TEST_DATA)?).join(file);
    path.is_file().then_some(path)
}
