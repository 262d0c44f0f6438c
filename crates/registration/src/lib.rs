//! The registration department: who a patient is, and that each has one record (45 CFR 164.312(c)(1);
//! FHIR R4 Patient, <https://hl7.org/fhir/R4/patient.html>).
//!
//! What a form says becomes a Patient and back again (`intake`); numbers of records are given out with a
//! check digit (`number`); two records of one person are linked and parted again, and no data is ever
//! moved (`merge`). What a patient signs is kept word for word (`consent`), and who acts for them (`proxy`). Each works through the caller's session; it knows neither pages nor addresses nor SQL.

#[macro_use]
mod macros;

pub mod consent;
pub mod coverage;
mod department;
pub mod image;
pub mod intake;
pub mod merge;
pub mod number;
pub mod pre_check_in;
pub mod proxy;
mod read;
pub mod register;
mod theirs;
mod write;

pub use department::DEPARTMENT;
pub use register::Seen;
