//! The foundation every other crate stands on: time, ids, limits, the table of error codes,
//! faults that carry them, and `Phi`, the wrapper that keeps patient
//! data out of logs.
//!
//! Nothing here does I/O. Nothing here knows FHIR beyond the shape of an `OperationOutcome` issue
//! (<https://hl7.org/fhir/R4/operationoutcome.html>), which is how every door reports a fault.

pub mod error;
pub mod id;
pub mod limits;
pub mod phi;
pub mod time;

pub use error::{Code, Fault, Issue, Severity};
pub use limits::Limits;
pub use phi::Phi;
pub use time::{Clock, Millis};
