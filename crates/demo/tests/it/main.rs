//! Contract tests of `demo`.
