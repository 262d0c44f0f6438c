//! Contract tests of `search`.
