//! The binary as an operator meets it: commands, files, exit codes.

mod backup;
mod config;
mod export;
mod help;
mod import;
mod run;
mod serve;
