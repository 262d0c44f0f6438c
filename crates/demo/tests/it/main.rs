//! Contract tests of `demo`: the same clinic every time, and a clinic that agrees with itself.

#[cfg(test)]
mod book;
#[cfg(test)]
mod clinic;
#[cfg(test)]
mod coherence;
#[cfg(test)]
mod money;
#[cfg(test)]
mod results;
#[cfg(test)]
mod same;
#[cfg(test)]
mod valid;
