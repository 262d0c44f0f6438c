//! FHIR R4 as data: JSON with exact decimals and kept order, the compiled definitions of the
//! specification, references, dates and a writer. No file, clock or network
//! (<https://hl7.org/fhir/R4/json.html>).

pub mod date;
pub mod decimal;
pub mod definitions;
pub mod json;
pub mod narrative;
pub mod outcome;
pub mod reference;
pub mod write;

pub use json::{Document, Edits, Kind, Value};
