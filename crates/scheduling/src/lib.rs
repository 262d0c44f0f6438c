//! The scheduling department: what a visit needs, when it can be had, and what may be done with it
//! (FHIR R4 Schedule, Slot, Appointment: <https://hl7.org/fhir/R4/appointment.html>).
//!
//! Its thinking is pure: documents and values in, values out. The clock, the time zone database and
//! tokens are parameters. What it holds of every write stands in `occupancy`; what works on a session
//! of the gate in `book`. How it thinks is told in `docs/internals/scheduling.md`.

pub mod actor;
pub mod appointment;
pub mod arrive;
pub mod book;
pub mod bulk;
pub mod calendar;
mod department;
pub mod diary;
pub mod find;
pub mod flow;
pub mod free;
pub mod hold;
pub mod occupancy;
pub mod occupied;
pub mod operations;
pub mod place;
mod read;
pub mod remind;
pub mod roster;
pub mod rule;
pub mod rules;
pub mod series;
pub mod series_edit;
pub mod time;
pub mod visit_type;
pub mod waitlist;

pub use department::DEPARTMENT;
