//! The interactions of the FHIR API, one file each: headers and parameters in, a call of the gate,
//! headers and bytes out (<https://hl7.org/fhir/R4/http.html>).

pub(crate) mod access_log;
mod binary;
pub(crate) mod break_glass;
pub(crate) mod bundle;
pub(crate) mod capabilities;
pub(crate) mod conditional_delete;
pub(crate) mod conditional_update;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod everything;
pub(crate) mod history;
pub(crate) mod operation;
pub(crate) mod read;
pub(crate) mod search;
pub(crate) mod update;
pub(crate) mod vread;
pub(crate) mod who_saw;
mod written;
