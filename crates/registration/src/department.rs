//! What the department holds of every write (45 CFR 164.312(c)(1)).

use record::Department;

/// The department.
pub const DEPARTMENT: Department = Department {
    name: "registration",
    about: "Who a patient is, what they signed, and who acts for them.",
    operations: &[],
    rules: &[crate::consent::RULE, crate::proxy::RULE],
};
