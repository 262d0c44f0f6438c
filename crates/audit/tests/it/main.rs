//! Contract tests of `audit`.

#[cfg(test)]
mod append;
#[cfg(test)]
mod codec;
#[cfg(test)]
mod commit;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod failure;
#[cfg(test)]
mod finder;
#[cfg(test)]
mod forward;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod signed;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tamper;
