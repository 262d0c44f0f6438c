//! What the department offers, and what it holds of every write.

use crate::{occupancy, operations};
use record::Department;

/// Scheduling, as the house knows it.
pub const DEPARTMENT: Department = Department {
    name: "scheduling",
    about: "Appointments: when a visit can be had, and that nobody is in two places at once.",
    operations: &[&operations::FIND, &operations::HOLD, &operations::BOOK],
    rules: &[occupancy::RULE],
};
