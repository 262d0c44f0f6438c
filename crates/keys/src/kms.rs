//! Who holds the root key: a sealed file here, or a service or token elsewhere that never gives it out.
//!
//! The trait is what all of those can do (NIST SP 800-57 part 1, key-encrypting keys): wrap a key for
//! a tenant, unwrap it, and say which root key they use. The root key itself never comes out.

use std::fmt::{self, Debug, Write as _};

use base::{Fault, Millis};

use crate::crypto::sha256;
use crate::secret::{KeyId, Secret};

/// Holds a root key. A call may be slow and may fail (`keys.unavailable`, `keys.kms.…`); it is made at
/// start-up and when a tenant's key is made, moved or rotated, never on the way of a request.
pub trait Kms: Send + Sync + Debug {
    /// Which root key this is. Files remember it, so that a wrong one is named as such.
    fn key_id(&self) -> KeyId;

    /// Wraps a tenant's key under the root key, in at most [`crate::TenantFile::WRAPPED_BYTES_MAX`]
    /// bytes. A holder that can binds it to the tenant ([`bound_to`]).
    ///
    /// # Errors
    /// When the holder does not answer, or will not.
    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault>;

    /// Unwraps what [`Kms::wrap`] gave for this tenant.
    ///
    /// # Errors
    /// When the holder does not answer, or will not, or what it should unwrap was altered.
    fn unwrap(&self, wrapped: &[u8], tenant: &[u8; 16]) -> Result<Secret, Fault>;

    /// Asks the holder whether it is there and has a key that is fit, and remembers the answer for
    /// [`Kms::standing`]. Nothing is wrapped.
    ///
    /// # Errors
    /// As [`Kms::unwrap`].
    fn ask(&self) -> Result<(), Fault> {
        Ok(())
    }

    /// Under which version of the root key something was wrapped, where there are versions.
    fn version_of(&self, _wrapped: &[u8]) -> Option<u32> {
        None
    }

    /// What is known of the holder without asking it.
    fn standing(&self) -> Standing;
}

/// What whoever runs the server is told of who holds the root key.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// The kind of holder, as the setting calls it.
    pub holder: &'static str,
    /// Where it is, and what the key is called there. No secret.
    pub name: String,
    /// The newest version of the key there, once it was told.
    pub version: Option<u32>,
    /// When the holder last did what it was asked.
    pub answered: Option<Millis>,
    /// Why it did not, when it was last asked and did not.
    pub failure: Option<Fault>,
}

/// The text that a holder binds a wrapped key of this tenant to: as context of a derivation, or as
/// associated data. What was wrapped for one tenant unwraps for no other, and for no other purpose.
pub fn bound_to(tenant: &[u8; 16]) -> String {
    let mut text = "plummer/1/tenant.keys/tenant/".to_owned();
    for byte in tenant {
        // Writing to a text cannot fail.
        let _: fmt::Result = write!(text, "{byte:02x}");
    }
    text
}

/// The id of a key that is known by names only: the first 16 bytes of SHA-256 over `plummer key name
/// 1`, a line feed, and each name behind its length in 8 bytes.
pub fn named_key(names: &[&str]) -> KeyId {
    let mut text = b"plummer key name 1\n".to_vec();
    for name in names {
        text.extend_from_slice(&u64::try_from(name.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(name.as_bytes());
    }
    KeyId(sha256(&[&text]).first_chunk().copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_key_is_bound_to_names_its_tenant() {
        let mut tenant = [0x7e; 16];
        tenant[15] = 1;
        let text = "plummer/1/tenant.keys/tenant/7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e01";
        assert_eq!(bound_to(&tenant), text);
    }

    #[test]
    fn the_worked_example_of_a_key_known_by_its_names_is_as_the_page_says() {
        let id = named_key(&["transit", "", "transit", "plummer"]).to_string();
        let page = include_str!("../../../docs/internals/keys.md");
        assert!(page.contains(&format!("`{id}`")), "{id} is not on the page");
    }

    #[test]
    fn names_do_not_run_into_each_other() {
        let ids = [&["a", "bc"][..], &["ab", "c"], &["abc"], &["abc", ""]].map(named_key);
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id), "{at}");
        }
    }
}
