//! A secret that an operator puts into a file: a token, a PIN, a passphrase. A file of our own must be
//! its owner's alone; one that the service manager brings at start (systemd's credentials) is guarded
//! by that, and its mode may say more than anybody but we can do with it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use base::Fault;
use base::error::code;
use zeroize::Zeroizing;

use crate::files::Files;
use crate::hidden::SecretText;

/// Bytes such a file may have.
const BYTES_MAX: usize = 4096;

/// Where a secret is; it is read anew each time, so that a changed one is taken without a restart.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretFile {
    path: PathBuf,
    guarded: bool,
}

impl SecretFile {
    /// A file that nobody but its owner may read.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, guarded: false }
    }

    /// A credential that the service manager brought, in a folder that it guards.
    pub const fn credential(path: PathBuf) -> Self {
        Self { path, guarded: true }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The secret; line feeds at its end are not part of it.
    ///
    /// # Errors
    /// `keys.root.permissions` when others may read it, `keys.kms.secret` when it cannot be read, is
    /// empty, too long or no printable text.
    pub fn read(&self, files: &dyn Files) -> Result<SecretText, Fault> {
        let shown = self.path.display();
        let bad = |what: &str| Fault::new(&code::KEYS_KMS_SECRET, format!("{shown} {what}"));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::InvalidData => bad("is too long"),
            _ => bad(&format!("cannot be read: {error}")),
        };
        if !self.guarded && !files.is_private(&self.path).map_err(failed)? {
            let what = format!("others than its owner may read {shown}; give it mode 0600");
            return Err(Fault::new(&code::KEYS_ROOT_PERMISSIONS, what));
        }
        let bytes = Zeroizing::new(files.read(&self.path, BYTES_MAX).map_err(failed)?);
        let text = std::str::from_utf8(&bytes).map_err(|_quoting| bad("is no text"))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if text.is_empty() {
            return Err(bad("is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(bad("has more than one line"));
        }
        Ok(SecretText::from(text))
    }
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretFile({})", self.path.display())
    }
}
