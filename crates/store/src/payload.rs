//! Bodies under the key of the patient they are about, so that the end of one key is the end of what
//! is told of one patient, wherever copies of it lie (45 CFR 164.310(d)(2)(i); NIST SP 800-88).
//!
//! The rule: a version whose record lies in the compartment of exactly one patient is sealed under that
//! patient's key; one that is about nobody, or about several, under the key of the house, which bears
//! the number 0. The seal also covers the record's and the version's number.

use base::Fault;
use base::error::code;
use keys::{Keyring, PageKey, Place};
use std::fmt::Debug;
use std::sync::Arc;

/// The number of the house's own key. Records are numbered from 1.
pub const HOUSE: u64 = 0;

/// What encrypts a store.
#[derive(Debug, Clone)]
pub struct Cipher {
    /// Seals the pages of the file and the frames of its log.
    pub pages: Arc<PageKey>,
    /// Seals bodies.
    pub payloads: Arc<dyn Payloads>,
}

impl Cipher {
    /// Everything under one tenant's keys.
    ///
    /// # Errors
    /// When the page key cannot be made ready.
    pub fn of(keys: Arc<Keyring>) -> Result<Self, Fault> {
        let pages = Arc::new(PageKey::new(keys.page_key(), &keys::SystemRandom)?);
        Ok(Self { pages, payloads: keys })
    }
}

/// Seals and opens bodies by the number of the patient's record.
pub trait Payloads: Debug + Send + Sync {
    /// Whether bodies about a patient can be sealed: refuses when the key was destroyed.
    fn check(&self, patient: u64) -> Result<(), Fault>;

    /// Seals a body. The key may be new, and is durable only after [`Payloads::settle`].
    fn seal(&self, patient: u64, place: Place, body: &[u8]) -> Result<Vec<u8>, Fault>;

    /// Opens a body.
    fn open(&self, patient: u64, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Fault>;

    /// Makes new keys durable. Called before a transaction that used them is committed.
    fn settle(&self) -> Result<(), Fault>;
}

impl Payloads for Keyring {
    fn check(&self, patient: u64) -> Result<(), Fault> {
        match self.patients().key(patient) {
            Err(fault) if fault.code() != &code::KEYS_PATIENT_MISSING => Err(fault),
            _ => Ok(()),
        }
    }

    fn seal(&self, patient: u64, place: Place, body: &[u8]) -> Result<Vec<u8>, Fault> {
        self.patients().key_to_seal(patient)?.seal(place, body, &keys::SystemRandom)
    }

    fn open(&self, patient: u64, place: Place, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
        self.patients().key(patient)?.open(place, sealed)
    }

    fn settle(&self) -> Result<(), Fault> {
        self.patients().settle().map(drop)
    }
}

/// Whose key a version is sealed under: the patient's it is about, when that is exactly one.
pub(crate) fn subject(mut patients: impl Iterator<Item = u64>) -> u64 {
    match (patients.next(), patients.next()) {
        (Some(patient), None) => patient,
        _ => HOUSE,
    }
}

/// A body as it is stored: the patient's number, seven bits a byte, then the sealed body.
pub(crate) fn seal(
    payloads: &dyn Payloads,
    patient: u64,
    place: Place,
    body: &[u8],
) -> Result<Vec<u8>, Fault> {
    let sealed = payloads.seal(patient, place, body)?;
    let mut out = Vec::with_capacity(sealed.len() + 5);
    let mut rest = patient;
    while rest >= 0x80 {
        out.push(u8::try_from(rest & 0x7F).unwrap_or(0) | 0x80);
        rest >>= 7;
    }
    out.push(u8::try_from(rest).unwrap_or(0));
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Undoes [`seal`].
pub(crate) fn open(payloads: &dyn Payloads, place: Place, stored: &[u8]) -> Result<Vec<u8>, Fault> {
    let (patient, sealed) = split(stored).ok_or_else(|| {
        Fault::new(&code::KEYS_BODY_ALTERED, "a stored body does not say whose it is")
    })?;
    payloads.open(patient, place, sealed)
}

fn split(stored: &[u8]) -> Option<(u64, &[u8])> {
    let mut patient = 0u64;
    for (at, byte) in stored.iter().enumerate().take(9) {
        patient |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((patient, stored.get(at + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Puts the patient's number before the body, for a look at the form alone.
    #[derive(Debug)]
    struct Open;

    impl Payloads for Open {
        fn check(&self, _: u64) -> Result<(), Fault> {
            Ok(())
        }
        fn seal(&self, patient: u64, _: Place, body: &[u8]) -> Result<Vec<u8>, Fault> {
            Ok([&patient.to_be_bytes(), body].concat())
        }
        fn open(&self, patient: u64, _: Place, sealed: &[u8]) -> Result<Vec<u8>, Fault> {
            assert_eq!(sealed[..8], patient.to_be_bytes());
            Ok(sealed[8..].to_vec())
        }
        fn settle(&self) -> Result<(), Fault> {
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn a_body_names_its_patient(patient in 0u64..1 << 62, body in proptest::collection::vec(any::<u8>(), 0..40)) {
            let place = Place { record: 1, version: 2 };
            let stored = seal(&Open, patient, place, &body).unwrap();
            prop_assert_eq!(open(&Open, place, &stored).unwrap(), body);
        }

        #[test]
        fn strange_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
            let _ = split(&bytes);
        }
    }
}
