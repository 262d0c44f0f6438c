//! Contract tests of `transit`: against a service made by hand, over TLS as the real one.

#[cfg(test)]
mod fake;
#[cfg(test)]
mod holding;
#[cfg(test)]
mod place;
#[cfg(test)]
mod refusing;
