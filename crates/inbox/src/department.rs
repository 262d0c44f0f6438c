//! What the department holds of every write, through whichever door it comes.

use crate::rule;
use record::Department;

/// The department.
pub const DEPARTMENT: Department = Department {
    name: "inbox",
    about: "What waits for whom, what was done with it, and who covers for whom.",
    operations: &[],
    rules: &[rule::REVIEWS, rule::TEAMS],
};
