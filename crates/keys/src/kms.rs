//! Who holds the root key: a sealed file here, later a PKCS#11 token or a transit service elsewhere.
//!
//! The trait is what all of those can do (NIST SP 800-57 part 1, key-encrypting keys): wrap a key,
//! unwrap it, and say which root key they use. The root key itself never comes out.

use std::fmt::Debug;

use base::Fault;

use crate::secret::{KeyId, Secret};

/// Holds a root key. A call may be slow and may fail (`keys.unavailable`); it is made at start-up and
/// when a tenant's key is made or rotated, never on the way of a request.
pub trait Kms: Send + Sync + Debug {
    /// Which root key this is. Files remember it, so that a wrong one is named as such.
    fn key_id(&self) -> KeyId;

    /// Wraps a key under the root key, in at most [`crate::TenantFile::WRAPPED_BYTES_MAX`] bytes.
    fn wrap(&self, key: &Secret) -> Result<Vec<u8>, Fault>;

    /// Unwraps what [`Kms::wrap`] gave.
    fn unwrap(&self, wrapped: &[u8]) -> Result<Secret, Fault>;
}
