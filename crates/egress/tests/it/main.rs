//! The only way out: placeholder while dependencies are fetched.
