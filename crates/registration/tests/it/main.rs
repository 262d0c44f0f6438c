//! The contract of registration, over a real record in a temporary directory.

#[cfg(test)]
mod consent;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod register;
#[cfg(test)]
mod support;
