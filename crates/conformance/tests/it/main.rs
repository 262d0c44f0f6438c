//! The suites against a server of ours: see `suites.rs`.
