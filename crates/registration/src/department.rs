//! What the department holds of every write, through whichever door it comes.

use crate::merge;
use record::Department;

/// Registration, as the house knows it.
pub const DEPARTMENT: Department = Department {
    name: "registration",
    about: "Who a patient is, and that each has one record.",
    operations: &[],
    rules: &[merge::RULE],
};
