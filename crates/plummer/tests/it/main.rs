//! CLI contract.
