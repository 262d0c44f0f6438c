//! The contract of the inbox, over a real record in a temporary directory.

#[cfg(test)]
mod acts;
#[cfg(test)]
mod covers;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod support;
#[cfg(test)]
mod waiting;
