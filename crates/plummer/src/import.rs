//! Bulk loading by the command line: sources are read without unpacking them to disk, documents are
//! prepared on several threads, committed in large units in the order they were read, and accounted
//! for in a receipt. docs/operators/import-export.md tells whoever runs it.

pub(crate) mod demo;
pub(crate) mod journal;
pub(crate) mod order;
pub(crate) mod pipeline;
pub(crate) mod receipt;
pub(crate) mod source;
pub(crate) mod spool;
