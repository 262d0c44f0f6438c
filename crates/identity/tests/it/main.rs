//! Contract tests of `identity`.
