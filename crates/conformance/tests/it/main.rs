//! The suites against our own server, as CI runs them: every search with a known total, in every way
//! it can be asked, and every example instance there and back. CONFORMANCE.md is the ledger.
#[cfg(test)]
mod suites;
