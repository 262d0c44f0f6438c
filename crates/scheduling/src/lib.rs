//! The scheduling department: what a visit needs, when it can be had, and what may be done with it
//! (FHIR R4 Schedule, Slot, Appointment: <https://hl7.org/fhir/R4/appointment.html>).

mod department;
pub mod occupancy;

pub use department::DEPARTMENT;
