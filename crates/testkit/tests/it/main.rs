//! Contract tests of `testkit`.
