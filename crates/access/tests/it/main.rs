//! Contract tests of `access`.
