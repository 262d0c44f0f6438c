//! The departments of the house, a line each. What they offer and what they hold of every write
//! follows from their values: `record::Department`.

use record::Department;

/// Every department.
pub(crate) static DEPARTMENTS: &[&Department] =
    &[&scheduling::DEPARTMENT, &registration::DEPARTMENT, &inbox::DEPARTMENT];
