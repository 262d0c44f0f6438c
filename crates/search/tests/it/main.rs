//! Contract tests of `search`.

#[cfg(test)]
#[cfg(test)]
mod expected;
#[cfg(test)]
mod extract;
#[cfg(test)]
mod matcher;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod property;
#[cfg(test)]
mod queries;
#[cfg(test)]
mod registry;
#[cfg(test)]
mod show;

pub(crate) use testkit::data;
