//! Contract tests of `validation`.
