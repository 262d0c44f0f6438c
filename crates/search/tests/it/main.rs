//! Contract tests of `search`.

mod registry;
