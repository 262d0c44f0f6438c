//! The pages, one file for each word.

pub(crate) mod accesses;
pub(crate) mod arrival;
pub(crate) mod audit;
pub(crate) mod chart;
pub(crate) mod failed;
pub(crate) mod find;
pub(crate) mod flow;
pub(crate) mod gallery;
pub(crate) mod inbox;
pub(crate) mod keep;
pub(crate) mod kiosk;
pub(crate) mod link;
pub(crate) mod machine;
pub(crate) mod missing;
pub(crate) mod patient;
pub(crate) mod registration;
pub(crate) mod review;
pub(crate) mod roles;
pub(crate) mod schedule;
pub(crate) mod sees;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod today;
pub(crate) mod users;
pub(crate) mod welcome;
