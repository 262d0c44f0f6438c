//! The binary as an operator meets it: commands, files, exit codes.

#[cfg(test)]
mod apps;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod config;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod export;
#[cfg(test)]
#[path = "../../../transit/tests/it/fake.rs"]
mod fake;
#[cfg(test)]
mod help;
#[cfg(test)]
mod holder;
#[cfg(test)]
mod hsm;
#[cfg(test)]
mod import;
#[cfg(test)]
mod keys;
mod kill;
#[cfg(test)]
mod labels;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod password_list;
#[cfg(test)]
mod people;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod reminders;
#[cfg(test)]
mod review;
#[cfg(test)]
mod run;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod tls;
mod trail;
#[cfg(test)]
mod waitlist;
