//! The contract of the chart, over a real record in a temporary directory.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod entry;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod summary;
#[cfg(test)]
mod support;
#[cfg(test)]
mod timeline;
#[cfg(test)]
mod vitals;
