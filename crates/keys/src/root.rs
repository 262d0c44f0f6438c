//! The default [`Kms`]: a root key in a file of its own, which nobody but its owner may read
//! (45 CFR 164.312(a)(2)(iv)). Keep that file apart from the data: together they are the record.

use std::io;
use std::path::{Path, PathBuf};

use base::error::code;
use base::{Fault, Millis};
use zeroize::Zeroizing;

use crate::crypto::{WRAPPED_BYTES, unwrap_key, wrap_key};
use crate::fault::unavailable;
use crate::files::{Files, Taken, clear, publish, unfinished};
use crate::kms::{Kms, Standing};
use crate::random::CryptoRandom;
use crate::root_file::{Argon, RootFile};
use crate::secret::{KeyId, Passphrase, Secret};

/// How a new root key stands in its file.
#[derive(Debug, Clone, Copy)]
pub enum Protection<'a> {
    /// As it is; the file's permissions are all that guards it.
    Plain,
    /// Sealed by a passphrase, which is asked for at each start.
    Passphrase(&'a Passphrase, Argon),
}

/// A root key from a file.
#[derive(Debug)]
pub struct RootKey {
    path: PathBuf,
    id: KeyId,
    key: Secret,
}

impl RootKey {
    /// Makes a root key and its file. A key that is there already is never replaced.
    pub fn create(
        files: &dyn Files,
        path: &Path,
        protection: Protection<'_>,
        random: &dyn CryptoRandom,
        now: Millis,
    ) -> Result<Self, Fault> {
        let _lock = files.lock(&path.with_extension("lock")).map_err(|e| locked(&e))?;
        // A crash while one was made may have left it unfinished, or with two names.
        clear(files, &unfinished(path)).map_err(|e| unavailable("making a root key", &e))?;
        if files.exists(path).map_err(|e| unavailable("looking for a root key", &e))? {
            return Err(exists());
        }
        let key = Secret::random(random)?;
        let file = match protection {
            Protection::Plain => RootFile::plain(&key, now),
            Protection::Passphrase(passphrase, argon) => {
                RootFile::sealed(&key, now, passphrase, argon, random)?
            }
        };
        let bytes = Zeroizing::new(file.encode());
        publish(files, path, Taken::Keep, |new| {
            new.write_at(&bytes, 0).map_err(|e| unavailable("writing a root key", &e))
        })?;
        Ok(Self { path: path.to_owned(), id: key.id(), key })
    }

    /// Reads a root key from its file.
    pub fn open(
        files: &dyn Files,
        path: &Path,
        passphrase: Option<&Passphrase>,
    ) -> Result<Self, Fault> {
        let unreadable = |what: String| Fault::new(&code::KEYS_ROOT_UNREADABLE, what);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => unreadable("there is no root key".to_owned()),
            io::ErrorKind::InvalidData => unreadable("the file is too long".to_owned()),
            _ => unreadable(format!("reading the root key: {error}")),
        };
        if !files.is_private(path).map_err(failed)? {
            let what = "others than its owner may read the root key; give it mode 0600";
            return Err(Fault::new(&code::KEYS_ROOT_PERMISSIONS, what));
        }
        let bytes = Zeroizing::new(files.read(path, RootFile::BYTES_MAX).map_err(failed)?);
        let file = RootFile::decode(&bytes).map_err(|what| unreadable(format!("it {what}")))?;
        let key = file.key(passphrase)?;
        Ok(Self { path: path.to_owned(), id: file.key_id, key })
    }
}

fn exists() -> Fault {
    Fault::new(&code::KEYS_ROOT_EXISTS, "there is a root key; it is never replaced")
}

fn locked(error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::WouldBlock => {
            Fault::new(&code::KEYS_STORE_LOCKED, "another process is making a root key")
        }
        _ => unavailable("locking the root key", error),
    }
}

impl Kms for RootKey {
    fn key_id(&self) -> KeyId {
        self.id
    }

    /// A file has one tenant, and what binds a wrapped key to it are the keys wrapped beneath.
    fn wrap(&self, key: &Secret, _tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        wrap_key(&self.key, key).map(Vec::from)
    }

    fn unwrap(&self, wrapped: &[u8], _tenant: &[u8; 16]) -> Result<Secret, Fault> {
        <&[u8; WRAPPED_BYTES]>::try_from(wrapped)
            .ok()
            .and_then(|wrapped| unwrap_key(&self.key, wrapped))
            .ok_or_else(|| {
                let what = "what the root key should unwrap was altered";
                Fault::new(&code::KEYS_STORE_CORRUPT, what)
            })
    }

    fn standing(&self) -> Standing {
        Standing { holder: "file", name: self.path.display().to_string(), ..Standing::default() }
    }
}
