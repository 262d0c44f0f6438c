//! `root.key`, byte by byte: a root key as it is, or sealed by a passphrase with Argon2id (RFC 9106).
//! Reading is bounded: one of two lengths, and costs of Argon2id within limits, so that no file can
//! ask for a terabyte of memory.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base::error::code;
use base::{Fault, Millis};

use crate::bytes::{Bytes, sum, summed};
use crate::fault::crypto;
use crate::random::CryptoRandom;
use crate::secret::{KeyId, Passphrase, Secret};

const MAGIC: &[u8; 8] = b"plumkey\n";
const VERSION: u32 = 1;
const FORM_PLAIN: u32 = 1;
const FORM_SEALED: u32 = 2;
const SEALED_BYTES: usize = 32 + 16;

/// What a passphrase costs whoever tries one (RFC 9106, 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon {
    /// Memory in KiB, 8 times the lanes to 4 GiB.
    pub memory_kib: u32,
    /// Passes over it, 1 to 64.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for Argon {
    /// 64 MiB, three passes: a tenth of a second for the owner, once at each start.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 1 }
    }
}

impl Argon {
    fn check(self) -> Result<Self, &'static str> {
        let lanes = (1..=16).contains(&self.lanes);
        let memory = (8 * self.lanes.min(16)..=4 << 20).contains(&self.memory_kib);
        if lanes && memory && (1..=64).contains(&self.passes) {
            Ok(self)
        } else {
            Err("asks for a cost of Argon2id outside the limits")
        }
    }

    fn stretch(self, passphrase: &Passphrase, salt: &[u8; 16]) -> Result<Secret, Fault> {
        let failed = |_: argon2::Error| crypto("stretching the passphrase");
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32));
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(failed)?);
        let mut out = Secret::blank();
        argon.hash_password_into(passphrase.expose(), salt, out.expose_mut()).map_err(failed)?;
        Ok(out)
    }
}

/// What a `root.key` holds.
#[derive(Debug)]
pub struct RootFile {
    /// When it was made. For people to look at; nothing rests on it.
    pub created: Millis,
    /// The name of the key, which the key must answer to.
    pub key_id: KeyId,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Plain(Secret),
    Sealed { argon: Argon, salt: [u8; 16], nonce: [u8; 12], sealed: [u8; SEALED_BYTES] },
}

impl RootFile {
    /// The longest such file.
    pub const BYTES_MAX: usize = 160;

    /// A file that holds the key as it is: whoever reads the file has it.
    pub fn plain(key: &Secret, created: Millis) -> Self {
        let copy = Secret::take(&mut { *key.expose() });
        Self { created, key_id: key.id(), body: Body::Plain(copy) }
    }

    /// A file that gives the key for the passphrase only.
    pub fn sealed(
        key: &Secret,
        created: Millis,
        passphrase: &Passphrase,
        argon: Argon,
        random: &dyn CryptoRandom,
    ) -> Result<Self, Fault> {
        let argon = argon.check().map_err(|what| Fault::new(&code::KEYS_ROOT_UNREADABLE, what))?;
        let (mut salt, mut nonce, mut sealed) = ([0; 16], [0; 12], [0; SEALED_BYTES]);
        random.fill(&mut salt)?;
        random.fill(&mut nonce)?;
        let key_id = key.id();
        let head = sealed_head(created, key_id, argon, &salt, &nonce);
        let (body, end) = sealed.split_at_mut(32);
        body.copy_from_slice(key.expose());
        let tag = lock_of(&argon.stretch(passphrase, &salt)?)
            .and_then(|lock| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                lock.seal_in_place_separate_tag(nonce, Aad::from(&head), body).ok()
            })
            .ok_or_else(|| crypto("sealing the root key"))?;
        end.copy_from_slice(tag.as_ref());
        Ok(Self { created, key_id, body: Body::Sealed { argon, salt, nonce, sealed } })
    }

    /// Whether a passphrase is asked for.
    pub const fn is_sealed(&self) -> bool {
        matches!(self.body, Body::Sealed { .. })
    }

    /// The key, with the passphrase if one is asked for.
    pub fn key(&self, passphrase: Option<&Passphrase>) -> Result<Secret, Fault> {
        let key = match &self.body {
            Body::Plain(key) => Secret::take(&mut { *key.expose() }),
            Body::Sealed { argon, salt, nonce, sealed } => {
                let passphrase = passphrase.ok_or_else(|| {
                    let what = "the root key is sealed by a passphrase, and none was given";
                    Fault::new(&code::KEYS_PASSPHRASE_MISSING, what)
                })?;
                let head = sealed_head(self.created, self.key_id, *argon, salt, nonce);
                let lock = lock_of(&argon.stretch(passphrase, salt)?);
                let lock = lock.ok_or_else(|| crypto("opening the root key"))?;
                let (body, tag) = sealed.split_at(32);
                let mut key = Secret::blank();
                let nonce = Nonce::assume_unique_for_key(*nonce);
                lock.open_separate_gather(nonce, Aad::from(&head), body, tag, key.expose_mut())
                    .map_err(|_unspecified| {
                        let what = "the passphrase does not open the root key";
                        Fault::new(&code::KEYS_PASSPHRASE_WRONG, what)
                    })?;
                key
            }
        };
        if key.id() == self.key_id {
            return Ok(key);
        }
        Err(Fault::new(&code::KEYS_ROOT_UNREADABLE, "the root key does not answer to its name"))
    }

    /// The file's bytes. They hold the key itself when it is not sealed.
    pub fn encode(&self) -> Vec<u8> {
        // Never grown, so that no copy of a key is left behind in a smaller buffer.
        let mut out = Vec::with_capacity(Self::BYTES_MAX);
        match &self.body {
            Body::Plain(key) => {
                out.extend_from_slice(&head(FORM_PLAIN, self.created, self.key_id));
                out.extend_from_slice(key.expose());
            }
            Body::Sealed { argon, salt, nonce, sealed } => {
                let head = sealed_head(self.created, self.key_id, *argon, salt, nonce);
                out.extend_from_slice(&head);
                out.extend_from_slice(sealed);
            }
        }
        sum(&mut out);
        out
    }

    /// Reads a file; the error says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut all = Bytes(bytes);
        if all.array()? != *MAGIC {
            return Err("is not a root key");
        }
        if all.u32()? != VERSION {
            return Err("is not of format version 1");
        }
        let mut rest = Bytes(summed(bytes)?);
        rest.slice(MAGIC.len() + 4)?;
        let (form, created, key_id) = (rest.u32()?, Millis(rest.i64()?), KeyId(rest.array()?));
        let body = match form {
            FORM_PLAIN => Body::Plain(Secret::take(&mut rest.array()?)),
            FORM_SEALED => {
                let argon =
                    Argon { memory_kib: rest.u32()?, passes: rest.u32()?, lanes: rest.u32()? };
                Body::Sealed {
                    argon: argon.check()?,
                    salt: rest.array()?,
                    nonce: rest.array()?,
                    sealed: rest.array()?,
                }
            }
            _ => return Err("is of a form this program does not know"),
        };
        rest.end()?;
        Ok(Self { created, key_id, body })
    }
}

fn head(form: u32, created: Millis, key_id: KeyId) -> Vec<u8> {
    let mut out = Vec::with_capacity(80);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&form.to_be_bytes());
    out.extend_from_slice(&created.0.to_be_bytes());
    out.extend_from_slice(&key_id.0);
    out
}

/// Everything before the sealed key, which the seal covers too.
fn sealed_head(
    created: Millis,
    key_id: KeyId,
    argon: Argon,
    salt: &[u8; 16],
    nonce: &[u8; 12],
) -> Vec<u8> {
    let mut out = head(FORM_SEALED, created, key_id);
    for cost in [argon.memory_kib, argon.passes, argon.lanes] {
        out.extend_from_slice(&cost.to_be_bytes());
    }
    out.extend_from_slice(salt);
    out.extend_from_slice(nonce);
    out
}

fn lock_of(key: &Secret) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key.expose()).ok().map(LessSafeKey::new)
}
