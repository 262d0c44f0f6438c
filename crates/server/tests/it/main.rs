//! The contract of the FHIR REST door, asked over HTTP as any client would.

mod binary;
mod bundle;
mod capability;
mod client;
mod headers;
mod history;
mod limits;
mod operations;
mod read;
mod search;
mod write;
