//! The contract of the gate, over a real store and access log in a temporary directory.

mod audit_trail;
mod batch;
mod conditional;
mod everything;
mod import;
mod paging;
mod random;
mod single;
mod support;
mod transaction;
