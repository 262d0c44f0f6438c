//! What the department offers, and what it holds of every write.

use crate::occupancy;
use record::Department;

/// Scheduling, as the house knows it.
pub const DEPARTMENT: Department = Department {
    name: "scheduling",
    about: "Appointments: when a visit can be had, and that nobody is in two places at once.",
    operations: &[],
    rules: &[occupancy::RULE],
};
