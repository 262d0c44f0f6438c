//! Contract tests of `audit`.
