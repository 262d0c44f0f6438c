//! The contract of the gate, over a real store and access log in a temporary directory.

#[cfg(test)]
mod access_log;
#[cfg(test)]
mod audit_trail;
#[cfg(test)]
mod batch;
#[cfg(test)]
mod conditional;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod everything;
#[cfg(test)]
mod glass;
#[cfg(test)]
mod import;
#[cfg(test)]
mod operation;
#[cfg(test)]
mod paging;
#[cfg(test)]
mod patients;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod random;
#[cfg(test)]
mod relabel;
#[cfg(test)]
mod review;
#[cfg(test)]
mod rule;
#[cfg(test)]
mod single;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod snoop;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transaction;
#[cfg(test)]
mod work;
