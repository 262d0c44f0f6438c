//! `tenant.keys`, byte by byte: the tenant's key, wrapped under the root key, and under it the keys
//! that are no patient's. The file is small and always replaced as a whole.
//!
//! While the tenant's key is being rotated there are two of them, the newer one last.

use base::Millis;

use crate::bytes::{Bytes, sum, summed};
use crate::crypto::WRAPPED_BYTES;
use crate::secret::KeyId;

const MAGIC: &[u8; 8] = b"plumten\n";
const VERSION: u32 = 1;
/// The tenant's keys there can be: the one in use and, in a rotation, the one before.
const KEKS_MAX: u8 = 2;

/// The purposes of the keys under the tenant's, in the order of the file.
pub(crate) const PURPOSES: [&str; 4] = ["page", "audit", "blind-index", "signing"];

/// A tenant's key as the file keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kek {
    pub(crate) number: u32,
    pub(crate) created: Millis,
    pub(crate) wrapped: Vec<u8>,
}

/// What a `tenant.keys` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFile {
    pub(crate) tenant: [u8; 16],
    pub(crate) root: KeyId,
    /// The key in use before, if a rotation is under way.
    pub(crate) older: Option<Kek>,
    /// The key in use.
    pub(crate) kek: Kek,
    /// One key for each of [`PURPOSES`], wrapped under the key in use.
    pub(crate) keys: [[u8; WRAPPED_BYTES]; PURPOSES.len()],
}

impl TenantFile {
    /// The most bytes a KMS may make of a wrapped key.
    pub const WRAPPED_BYTES_MAX: usize = 1024;
    /// The longest such file.
    pub const BYTES_MAX: usize = 4096;

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.tenant);
        out.extend_from_slice(&self.root.0);
        out.push(1 + u8::from(self.older.is_some()));
        for kek in self.older.iter().chain([&self.kek]) {
            out.extend_from_slice(&kek.number.to_be_bytes());
            out.extend_from_slice(&kek.created.0.to_be_bytes());
            // Never longer: the keyring refuses what a KMS made longer.
            let length = u16::try_from(kek.wrapped.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(&kek.wrapped);
        }
        for key in &self.keys {
            out.extend_from_slice(key);
        }
        sum(&mut out);
        out
    }

    /// Reads a file; the error says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut all = Bytes(bytes);
        if all.array()? != *MAGIC {
            return Err("is not a file of a tenant's keys");
        }
        if all.u32()? != VERSION {
            return Err("is not of format version 1");
        }
        let mut rest = Bytes(summed(bytes)?);
        rest.slice(MAGIC.len() + 4)?;
        let (tenant, root) = (rest.array()?, KeyId(rest.array()?));
        let older = match rest.u8()? {
            1 => None,
            KEKS_MAX => Some(kek(&mut rest)?),
            _ => return Err("holds a number of tenant's keys that cannot be"),
        };
        let kek = kek(&mut rest)?;
        if older.as_ref().is_some_and(|older| older.number.checked_add(1) != Some(kek.number)) {
            return Err("holds tenant's keys that do not follow each other");
        }
        let mut keys = [[0; WRAPPED_BYTES]; PURPOSES.len()];
        for key in &mut keys {
            *key = rest.array()?;
        }
        rest.end()?;
        Ok(Self { tenant, root, older, kek, keys })
    }
}

fn kek(rest: &mut Bytes<'_>) -> Result<Kek, &'static str> {
    let (number, created, length) = (rest.u32()?, Millis(rest.i64()?), rest.u16()?);
    if length == 0 || usize::from(length) > TenantFile::WRAPPED_BYTES_MAX {
        return Err("holds a wrapped key of a length that cannot be");
    }
    Ok(Kek { number, created, wrapped: rest.slice(length.into())?.to_vec() })
}
