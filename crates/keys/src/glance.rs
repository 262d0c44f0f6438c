//! What of a tenant's keys reads the access log, taken without the lock of the folder: so that the log
//! is verified, reported and sent beside the server that holds the keys (45 CFR 164.312(b)).
//!
//! `tenant.keys` is always replaced as a whole, so a glance sees it before a rotation or after it. No
//! patient's key is touched, and nothing can be written with what a glance takes.

use std::fmt;
use std::path::Path;

use base::Fault;

use crate::files::Files;
use crate::keyring::{tenant_file, unwrap_all};
use crate::kms::Kms;
use crate::log_key::LogKey;
use crate::secret::Secret;
use crate::sign::{SigningKey, VerifyingKey};

/// The keys that read one tenant's access log.
pub struct Glance {
    tenant: [u8; 16],
    audit: Secret,
    public: VerifyingKey,
}

impl Glance {
    /// Reads the keys in `dir`, which another process may have open.
    ///
    /// # Errors
    /// When they are not there, are damaged, or stand under another root key.
    pub fn take(dir: &Path, kms: &dyn Kms, files: &dyn Files) -> Result<Self, Fault> {
        let file = tenant_file(files, dir, kms)?;
        let kek = kms.unwrap(&file.kek.wrapped, &file.tenant)?;
        let [_page, audit, _blind, signing] = unwrap_all(&file, &kek)?;
        Ok(Self { tenant: file.tenant, audit, public: SigningKey::new(&signing)?.public() })
    }

    /// Whose keys these are.
    #[must_use]
    pub const fn tenant(&self) -> [u8; 16] {
        self.tenant
    }

    /// The key of the access log.
    #[must_use]
    pub const fn audit_key(&self) -> &Secret {
        &self.audit
    }

    /// What the files of the access log are sealed under.
    ///
    /// # Errors
    /// When the cryptography fails.
    pub fn log_key(&self) -> Result<LogKey, Fault> {
        LogKey::new(&self.audit)
    }

    /// What verifies the tenant's signatures.
    #[must_use]
    pub const fn public(&self) -> &VerifyingKey {
        &self.public
    }
}

impl fmt::Debug for Glance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}
