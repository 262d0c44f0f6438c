//! Contract tests of `server`.
