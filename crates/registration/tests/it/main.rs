//! The contract of registration, over a real record in a temporary directory.

#[cfg(test)]
mod merge;
#[cfg(test)]
mod register;
#[cfg(test)]
mod support;
