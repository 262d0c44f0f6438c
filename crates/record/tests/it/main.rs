//! Contract tests of `record`.
