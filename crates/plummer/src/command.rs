//! The commands, one file each: arguments in, calls of the gate or the server, a word at the end.

pub(crate) mod app;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod claim;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod export;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod keys;
pub(crate) mod labels;
pub(crate) mod operation;
pub(crate) mod password_list;
pub(crate) mod policy;
pub(crate) mod reminders;
pub(crate) mod restore;
pub(crate) mod role;
pub(crate) mod serve;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod user;
