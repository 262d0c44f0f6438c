//! `patients.keys`, byte by byte: a header of 64 bytes and records of 64 bytes, so that none lies
//! across the edge of a sector. Each ends in a tag under a key of this file, over the record and the
//! slot it stands in: a record that was moved, copied from an older file or altered is none.

use base::{Fault, Millis};

use crate::bytes::Bytes;
use crate::crypto::{Mac, WRAPPED_BYTES, derive, same};
use crate::secret::Secret;

/// Bytes of the header, and of a record.
pub(crate) const SLOT_BYTES: usize = 64;
const TAG_BYTES: usize = 8;
const BODY_BYTES: usize = SLOT_BYTES - TAG_BYTES;
const MAGIC: &[u8; 8] = b"plumpat\n";
const VERSION: u32 = 1;

const KIND_KEY: u8 = 1;
const KIND_SHREDDED: u8 = 2;
const KIND_CERTIFICATE: u8 = 3;
const KIND_VOID: u8 = 4;

/// The bytes of a record or header.
pub(crate) type Slot = [u8; SLOT_BYTES];

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// The number of the tenant's key that the file stands under.
    pub(crate) kek: u32,
    /// Sixteen random bytes, new for every file.
    pub(crate) file: [u8; 16],
    /// Whose file it is.
    pub(crate) tenant: [u8; 16],
}

impl Header {
    /// The bytes that tell which tenant's key opens the file, before the tag is checked.
    pub(crate) fn read(bytes: &Slot) -> Result<Self, &'static str> {
        let mut rest = Bytes(bytes);
        if rest.array()? != *MAGIC {
            return Err("is not a file of patients' keys");
        }
        if rest.u32()? != VERSION {
            return Err("is not of format version 1");
        }
        Ok(Self { kek: rest.u32()?, file: rest.array()?, tenant: rest.array()? })
    }

    pub(crate) fn encode(&self, mac: &Mac) -> Slot {
        let mut out = [0; SLOT_BYTES];
        let mut put = Put(&mut out);
        put.bytes(MAGIC);
        put.bytes(&VERSION.to_be_bytes());
        put.bytes(&self.kek.to_be_bytes());
        put.bytes(&self.file);
        put.bytes(&self.tenant);
        let tag = mac.tag::<16>(&[b"header", out.get(..48).unwrap_or_default()]);
        if let Some(end) = out.last_chunk_mut() {
            *end = tag;
        }
        out
    }
}

/// The keys of one file: what wraps, and what tags.
pub(crate) struct FileKeys {
    pub(crate) header: Header,
    pub(crate) wrapping: Secret,
    pub(crate) mac: Mac,
}

impl FileKeys {
    /// The keys that follow from the tenant's key for this file.
    pub(crate) fn new(header: Header, kek: &Secret) -> Result<Self, Fault> {
        let mut salt = [0; 32];
        let (file, tenant) = salt.split_at_mut(16);
        file.copy_from_slice(&header.file);
        tenant.copy_from_slice(&header.tenant);
        Ok(Self {
            header,
            wrapping: derive(kek, &salt, "plummer/1/patients.keys/wrap")?,
            mac: Mac::new(&derive(kek, &salt, "plummer/1/patients.keys/tag")?),
        })
    }
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    /// The first slot of the write this record came with; 0 in a shredded record.
    pub(crate) batch: u32,
    /// The number of the patient's record.
    pub(crate) patient: u64,
    pub(crate) what: What,
}

/// What a record says of its patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The patient's data key, wrapped.
    Key([u8; WRAPPED_BYTES]),
    /// There was a key here; `certificate` is the slot that tells of its end.
    Shredded { certificate: u32 },
    /// A key was, or is to be, destroyed.
    Certificate { when: Millis, reference: [u8; 16], key_id: [u8; 12], slot: u32 },
    /// A slot that a crash left empty.
    Void,
}

impl Record {
    /// What stands where a patient's key was.
    pub(crate) const fn shredded(patient: u64, certificate: u32) -> Self {
        Self { batch: 0, patient, what: What::Shredded { certificate } }
    }

    pub(crate) fn encode(&self, slot: u32, mac: &Mac) -> Slot {
        let mut out = [0; SLOT_BYTES];
        let mut put = Put(&mut out);
        let kind = match self.what {
            What::Key(_) => KIND_KEY,
            What::Shredded { .. } => KIND_SHREDDED,
            What::Certificate { .. } => KIND_CERTIFICATE,
            What::Void => KIND_VOID,
        };
        put.bytes(&[kind, 0, 0, 0]);
        put.bytes(&self.batch.to_be_bytes());
        put.bytes(&self.patient.to_be_bytes());
        match self.what {
            What::Key(wrapped) => put.bytes(&wrapped),
            What::Shredded { certificate } => put.bytes(&certificate.to_be_bytes()),
            What::Certificate { when, reference, key_id, slot } => {
                put.bytes(&when.0.to_be_bytes());
                put.bytes(&reference);
                put.bytes(&key_id);
                put.bytes(&slot.to_be_bytes());
            }
            What::Void => {}
        }
        let tag = tag(slot, &out, mac);
        if let Some(end) = out.last_chunk_mut() {
            *end = tag;
        }
        out
    }

    /// The record in a slot, if it is one that was written there.
    pub(crate) fn decode(bytes: &Slot, slot: u32, mac: &Mac) -> Option<Self> {
        let (body, stated) = bytes.split_last_chunk::<TAG_BYTES>()?;
        // An empty slot is common after a crash, and needs no tag to be told.
        if !matches!(body.first()?, 1..=KIND_VOID) || !same(&tag(slot, bytes, mac), stated) {
            return None;
        }
        let mut rest = Bytes(body);
        let [kind, ..] = rest.array::<4>().ok()?;
        let (batch, patient) = (rest.u32().ok()?, u64::from_be_bytes(rest.array().ok()?));
        let what = match kind {
            KIND_KEY => What::Key(rest.array().ok()?),
            KIND_SHREDDED => What::Shredded { certificate: rest.u32().ok()? },
            KIND_CERTIFICATE => What::Certificate {
                when: Millis(rest.i64().ok()?),
                reference: rest.array().ok()?,
                key_id: rest.array().ok()?,
                slot: rest.u32().ok()?,
            },
            KIND_VOID => What::Void,
            _ => return None,
        };
        Some(Self { batch, patient, what })
    }
}

fn tag(slot: u32, bytes: &Slot, mac: &Mac) -> [u8; TAG_BYTES] {
    mac.tag(&[&slot.to_be_bytes(), bytes.get(..BODY_BYTES).unwrap_or_default()])
}

/// Where a slot stands in the file.
pub(crate) fn offset(slot: u32) -> u64 {
    (u64::from(slot) + 1) * 64
}

/// Writes into a slot from its beginning; what does not fit is a fault of this file, and left out.
struct Put<'a>(&'a mut [u8]);

impl Put<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        let whole = std::mem::take(&mut self.0);
        if let Some((place, rest)) = whole.split_at_mut_checked(bytes.len()) {
            place.copy_from_slice(bytes);
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> FileKeys {
        let header = Header { kek: 3, file: [1; 16], tenant: [2; 16] };
        FileKeys::new(header, &Secret::take(&mut [9; 32])).unwrap()
    }

    fn what() -> impl Strategy<Value = What> {
        let certificate = (any::<i64>(), any::<[u8; 16]>(), any::<[u8; 12]>(), any::<u32>());
        prop_oneof![
            (any::<[u8; 32]>(), any::<[u8; 8]>()).prop_map(|(a, b)| {
                let mut wrapped = [0; WRAPPED_BYTES];
                wrapped[..32].copy_from_slice(&a);
                wrapped[32..].copy_from_slice(&b);
                What::Key(wrapped)
            }),
            any::<u32>().prop_map(|certificate| What::Shredded { certificate }),
            certificate.prop_map(|(when, reference, key_id, slot)| {
                What::Certificate { when: Millis(when), reference, key_id, slot }
            }),
            Just(What::Void),
        ]
    }

    proptest! {
        #[test]
        fn records_come_back_and_no_altered_or_moved_one_does(
            batch: u32, patient: u64, what in what(), slot: u32, at in 0..SLOT_BYTES, bit in 0..8,
        ) {
            let (mac, record) = (keys().mac, Record { batch, patient, what });
            let bytes = record.encode(slot, &mac);
            prop_assert_eq!(Record::decode(&bytes, slot, &mac), Some(record));
            prop_assert_eq!(Record::decode(&bytes, slot ^ 1, &mac), None);
            let mut altered = bytes;
            altered[at] ^= 1u8 << bit;
            prop_assert_eq!(Record::decode(&altered, slot, &mac), None);
        }

        #[test]
        fn any_bytes_are_refused(bytes: [[u8; 32]; 2], slot: u32) {
            let bytes: Slot = bytes.concat().try_into().unwrap();
            prop_assert_eq!(Record::decode(&bytes, slot, &keys().mac), None);
            prop_assert!(Header::read(&bytes).is_err());
        }
    }

    #[test]
    fn a_header_comes_back_and_its_tag_covers_it() {
        let keys = keys();
        let bytes = keys.header.encode(&keys.mac);
        assert_eq!(Header::read(&bytes), Ok(keys.header));
        let other = Header { kek: 4, ..keys.header };
        assert_ne!(bytes[48..], other.encode(&keys.mac)[48..]);
    }

    /// The worked example of `docs/internals/keys.md`.
    #[test]
    fn the_worked_example_of_a_record_holds() {
        let keys = keys();
        let key = crate::crypto::wrap_key(&keys.wrapping, &Secret::take(&mut [5; 32])).unwrap();
        let record = Record { batch: 0, patient: 7, what: What::Key(key) };
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(&keys.header.encode(&keys.mac)[48..]), "ceb8cb837626d0a8a8ff925994056f53");
        assert_eq!(
            hex(&record.encode(0, &keys.mac)[16..]),
            "1be3fb7084931f7d7a598a5db7429a591f8220bb22b035376ee53625673a3c8c87b7ab9f2ed5c36a2debea9cab98f4ea"
        );
    }
}
