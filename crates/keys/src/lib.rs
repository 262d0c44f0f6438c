//! The key hierarchy: what encrypts, signs and hides the record, and how one patient is forgotten.
//!
//! 45 CFR 164.312(a)(2)(iv) (encryption at rest), 164.310(d)(2) (disposal), 164.402 (what is
//! unusable to strangers is no breach). A root key, held by a [`Kms`], wraps a tenant's key; under
//! that one stand the page key, the audit key, the key of blind tokens, the signing key and one data
//! key for each patient. The [`Keyring`] opens them all; `docs/internals/keys.md` gives the files
//! byte by byte, and says what all this does not protect against.
//!
//! It knows neither FHIR nor HTTP nor SQL. Files are reached through [`Files`], randomness through
//! [`CryptoRandom`], so that tests can fail the one and repeat the other.
//!
//! Two rules: *no key is used before it is durable* ([`PatientKeys::ensure`]), and *a shredded key is
//! gone before anybody is told so* ([`PatientKeys::shred`]).

mod blind;
mod bytes;
mod crypto;
mod envelope;
mod fault;
mod files;
mod glance;
mod hidden;
mod keyring;
mod kms;
mod log_key;
mod page;
mod patients;
mod random;
mod root;
mod root_file;
mod secret;
mod secret_file;
mod sign;
mod tenant_file;

pub use blind::BlindIndex;
pub use crypto::{WRAPPED_BYTES, unwrap_key, wrap_key};
pub use envelope::{DataKey, HEAD_BYTES, OVERHEAD_BYTES, PLAIN_BYTES_MAX, Place, TAG_BYTES};
pub use files::{Disk, Files, KeyFile, Lock};
pub use glance::Glance;
pub use hidden::{SecretBytes, SecretText};
pub use keyring::{Keyring, Options, Under};
pub use kms::{Kms, Standing, bound_to, named_key};
pub use log_key::{FileKey, LOG_TAG_BYTES, LogKey, LogPart, RUN_BYTES, Run};
pub use page::{PAGE_TRAILER_BYTES, PageKey, PageSpot, Unsound};
pub use patients::{Certificate, PatientKeys, RECORDS_PER_CALL_MAX};
pub use random::{CryptoRandom, SystemRandom};
pub use root::{Protection, RootKey};
pub use root_file::{Argon, RootFile};
pub use secret::{KeyId, Passphrase, Secret};
pub use secret_file::SecretFile;
pub use sign::{SIGNATURE_BYTES, SigningKey, VerifyingKey};
pub use tenant_file::TenantFile;
