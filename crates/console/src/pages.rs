//! The pages, one file for each word.

pub(crate) mod accesses;
pub(crate) mod failed;
pub(crate) mod find;
pub(crate) mod gallery;
pub(crate) mod machine;
pub(crate) mod missing;
pub(crate) mod patient;
pub(crate) mod settings;
pub(crate) mod today;
pub(crate) mod welcome;
