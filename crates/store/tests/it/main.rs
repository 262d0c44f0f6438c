//! Contract tests of `store`.
