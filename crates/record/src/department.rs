//! Departments: workflows written against the gate. Each is one value, so that the doors derive
//! what they offer from it and the gate holds its rules; the binary lists them, a line each.

use crate::operation::Operation;
use crate::rule::Rule;

/// A department of the house.
#[derive(Debug, Clone, Copy)]
pub struct Department {
    /// Its name, and that of its crate.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What may be asked of it.
    pub operations: &'static [&'static Operation],
    /// What it holds of every write.
    pub rules: &'static [Rule],
}
