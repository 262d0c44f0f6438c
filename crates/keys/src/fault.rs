//! The faults of this crate, made in one place so that none of them quotes a key or a path's content.

use std::io;

use base::Fault;
use base::error::code;

/// A key file could not be read or written.
pub(crate) fn unavailable(doing: &str, error: &io::Error) -> Fault {
    Fault::new(&code::KEYS_UNAVAILABLE, format!("{doing}: {error}"))
}

/// The crypto library refused what it never refuses.
pub(crate) fn crypto(doing: &str) -> Fault {
    Fault::new(&code::KEYS_UNAVAILABLE, format!("the crypto library failed at {doing}"))
}

/// A file of keys is not what this program wrote.
pub(crate) fn corrupt(what: impl Into<String>) -> Fault {
    Fault::new(&code::KEYS_STORE_CORRUPT, what)
}
