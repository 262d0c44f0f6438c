//! Contract of `validation`.
