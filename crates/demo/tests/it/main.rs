//! Contract tests of `demo`: the same clinic every time, and a clinic that agrees with itself.

mod book;
mod clinic;
mod coherence;
mod money;
mod results;
mod same;
mod valid;
