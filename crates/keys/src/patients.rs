//! Each patient's data key, and its end: 45 CFR 164.310(d)(2)(i) (disposal), NIST SP 800-88
//! (cryptographic erase).
//!
//! The keys are random, wrapped under the tenant's key, and stand in a file of their own,
//! `patients.keys`. When one is destroyed, what was sealed under it can be read nowhere: not in the
//! store, not in its log, not in a backup. The file is only ever added to, but for a shredded key,
//! which is written over where it stands.

mod cache;
mod index;
mod record;
mod recover;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::error::code;
use base::{Fault, Millis};
use parking_lot::{Mutex, RwLock};

use crate::crypto::{same, unwrap_key, wrap_key};
use crate::envelope::DataKey;
use crate::fault::{corrupt, unavailable};
use crate::files::{Files, KeyFile, Taken, publish};
use crate::random::CryptoRandom;
use crate::secret::Secret;
use cache::Cache;
use index::Index;
use record::{FileKeys, Header, Record, SLOT_BYTES, Slot, What, offset};
use recover::{damage, each_slot, recover};

/// The most patients of one call of [`PatientKeys::ensure`]: 4 MiB to write at once.
pub const RECORDS_PER_CALL_MAX: usize = 65_536;
/// Slots a file may have, so that a slot and a little more always fit in 32 bits.
const SLOTS_MAX: u32 = u32::MAX - 16;

/// That a patient's key was destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    /// The number of the patient's record.
    pub patient: u64,
    /// When.
    pub when: Millis,
    /// What the access log or the case tells who and why by: the caller's own 16 bytes.
    pub reference: [u8; 16],
    /// The first 12 bytes of the key's id: a key found elsewhere can be told to be this one.
    pub key_id: [u8; 12],
}

impl Certificate {
    /// The bytes to sign.
    pub fn statement(&self) -> Vec<u8> {
        let mut out = b"plummer key destroyed 1\n".to_vec();
        out.extend_from_slice(&self.patient.to_be_bytes());
        out.extend_from_slice(&self.when.0.to_be_bytes());
        out.extend_from_slice(&self.reference);
        out.extend_from_slice(&self.key_id);
        out
    }
}

/// The patients' keys of one tenant.
pub struct PatientKeys {
    files: Arc<dyn Files>,
    random: Arc<dyn CryptoRandom>,
    path: PathBuf,
    torn_bytes: u64,
    shared: RwLock<Shared>,
    cache: Cache,
    staged: Mutex<Staged>,
    writer: Mutex<Writer>,
}

/// Keys that are used in a transaction that is not committed yet, and not durable yet.
type Staged = HashMap<u64, (Secret, Arc<DataKey>)>;

/// What lookups need.
struct Shared {
    file: Arc<dyn KeyFile>,
    keys: FileKeys,
    index: Index,
    live: u64,
}

struct Writer {
    slots: u32,
    certificates: Vec<u32>,
    /// Set when a write or sync failed: what is on the disk is then unknown until it is read again.
    failed: bool,
}

impl PatientKeys {
    /// Makes an empty file in place of one that holds nothing.
    pub(crate) fn create(
        files: &dyn Files,
        path: &Path,
        kek: (u32, &Secret),
        tenant: [u8; 16],
        random: &dyn CryptoRandom,
    ) -> Result<(), Fault> {
        let exists = files.exists(path).map_err(|e| unavailable("looking for keys", &e))?;
        if exists {
            let file = files.open(path).map_err(|e| unavailable("opening keys", &e))?;
            let length = file.length().map_err(|e| unavailable("reading keys", &e))?;
            if length > SLOT_BYTES as u64 {
                return Err(corrupt("there are patients' keys, and the tenant's keys are missing"));
            }
        }
        let mut header = Header { kek: kek.0, file: [0; 16], tenant };
        random.fill(&mut header.file)?;
        let keys = FileKeys::new(header, kek.1)?;
        publish(files, path, Taken::Replace, |new| {
            let bytes = header.encode(&keys.mac);
            new.write_at(&bytes, 0).map_err(|e| unavailable("writing the patients' keys", &e))
        })?;
        Ok(())
    }

    /// The number of the tenant's key that the file stands under.
    pub(crate) fn kek_of(files: &dyn Files, path: &Path) -> Result<u32, Fault> {
        let file = files.open(path).map_err(|e| unavailable("opening the patients' keys", &e))?;
        Ok(header(&*file)?.1.kek)
    }

    /// Opens the file, and mends what a crash left of it.
    pub(crate) fn open(
        files: &Arc<dyn Files>,
        path: &Path,
        kek: &Secret,
        tenant: [u8; 16],
        random: &Arc<dyn CryptoRandom>,
    ) -> Result<Self, Fault> {
        let file = files.open(path).map_err(|e| unavailable("opening the patients' keys", &e))?;
        let (bytes, header) = header(&*file)?;
        let keys = FileKeys::new(header, kek)?;
        if header.tenant != tenant || !same(&header.encode(&keys.mac), &bytes) {
            return Err(corrupt("patients.keys does not belong to this tenant and its key"));
        }
        let recovered = recover(&*file, &keys)?;
        Ok(Self {
            files: Arc::clone(files),
            random: Arc::clone(random),
            path: path.to_owned(),
            torn_bytes: recovered.torn_bytes,
            shared: RwLock::new(Shared {
                file,
                keys,
                index: recovered.index,
                live: recovered.keys,
            }),
            cache: Cache::new(),
            staged: Mutex::default(),
            writer: Mutex::new(Writer {
                slots: recovered.slots,
                certificates: recovered.certificates,
                failed: false,
            }),
        })
    }

    /// The key of a patient, ready for use. Keep it for the work at hand only: a key that is held is
    /// not shredded where it is held.
    pub fn key(&self, patient: u64) -> Result<Arc<DataKey>, Fault> {
        if let Some(key) = self.cache.get(patient) {
            return Ok(key);
        }
        // Put in the cache under the lock: a shredding waits for it, and then clears the place.
        let shared = self.shared.read();
        match shared.find(patient)? {
            Some((slot, What::Key(wrapped))) => {
                let key =
                    unwrap_key(&shared.keys.wrapping, &wrapped).ok_or_else(|| damage(slot))?;
                let key = Arc::new(DataKey::new(&key)?);
                self.cache.put(patient, &key);
                Ok(key)
            }
            Some(_) => Err(shredded()),
            None => {
                let staged = self.staged.lock();
                staged.get(&patient).map(|(_, key)| Arc::clone(key)).ok_or_else(missing)
            }
        }
    }

    /// The key of a patient, made when there is none. A new one is not durable before
    /// [`PatientKeys::settle`] says so: until then, nothing that was sealed under it may be committed.
    pub fn key_to_seal(&self, patient: u64) -> Result<Arc<DataKey>, Fault> {
        match self.key(patient) {
            Err(fault) if fault.code() == &code::KEYS_PATIENT_MISSING => {}
            known => return known,
        }
        let mut staged = self.staged.lock();
        if let Some((_, key)) = staged.get(&patient) {
            return Ok(Arc::clone(key));
        }
        let secret = Secret::random(&*self.random)?;
        let key = Arc::new(DataKey::new(&secret)?);
        staged.insert(patient, (secret, Arc::clone(&key)));
        Ok(key)
    }

    /// Makes every key that [`PatientKeys::key_to_seal`] made durable: one write and one sync for all
    /// of them. Says how many there were.
    pub fn settle(&self) -> Result<usize, Fault> {
        let mut made = 0;
        loop {
            let mut patients: Vec<u64> = self.staged.lock().keys().copied().collect();
            if patients.is_empty() {
                return Ok(made);
            }
            patients.sort_unstable();
            patients.truncate(RECORDS_PER_CALL_MAX);
            made += self.ensure(&patients)?;
            self.staged.lock().retain(|patient, _| patients.binary_search(patient).is_err());
        }
    }

    /// Sees to it that each of these patients has a key, durably: with one write and one sync for all
    /// that lack one. Says how many did.
    pub fn ensure(&self, patients: &[u64]) -> Result<usize, Fault> {
        if patients.len() > RECORDS_PER_CALL_MAX {
            let what = "more patients than one call may bring keys for";
            return Err(Fault::new(&code::KEYS_UNAVAILABLE, what));
        }
        let mut writer = self.writer.lock();
        let mut lacking = Vec::new();
        let (mut bytes, mut slot, first) = (Vec::new(), writer.slots, writer.slots);
        let file = {
            let shared = self.shared.read();
            for &patient in patients {
                match shared.find(patient)? {
                    Some((_, What::Key(_))) => {}
                    Some(_) => return Err(shredded()),
                    None => lacking.push(patient),
                }
            }
            lacking.sort_unstable();
            lacking.dedup();
            let staged = self.staged.lock();
            for &patient in &lacking {
                // A key that is in use already is the one that is kept.
                let wrapped = match staged.get(&patient) {
                    Some((key, _)) => wrap_key(&shared.keys.wrapping, key)?,
                    None => wrap_key(&shared.keys.wrapping, &Secret::random(&*self.random)?)?,
                };
                let record = Record { batch: first, patient, what: What::Key(wrapped) };
                bytes.extend_from_slice(&record.encode(slot, &shared.keys.mac));
                slot = next(slot)?;
            }
            Arc::clone(&shared.file)
        };
        if lacking.is_empty() {
            return Ok(0);
        }
        writer.append(&*file, &bytes, slot)?;
        let mut shared = self.shared.write();
        for (slot, patient) in (first..).zip(&lacking) {
            shared.index.insert(*patient, slot);
            shared.live += 1;
        }
        Ok(lacking.len())
    }

    /// Destroys a patient's key, durably, and leaves a certificate; a key that was destroyed before
    /// keeps the certificate it has. The number never gets a key again.
    pub fn shred(
        &self,
        patient: u64,
        reference: [u8; 16],
        now: Millis,
    ) -> Result<Certificate, Fault> {
        self.settle()?;
        let mut writer = self.writer.lock();
        let at = writer.slots;
        let (file, bytes, slot, certificate) = {
            let shared = self.shared.read();
            let (slot, wrapped) = match shared.find(patient)? {
                Some((slot, What::Key(wrapped))) => (slot, wrapped),
                Some((_, What::Shredded { certificate })) => {
                    // While the disk is in doubt nothing is said to be gone.
                    writer.check()?;
                    return shared.certificate(certificate);
                }
                _ => return Err(missing()),
            };
            let key = unwrap_key(&shared.keys.wrapping, &wrapped).ok_or_else(|| damage(slot))?;
            let key_id = key.id().0.first_chunk().copied().unwrap_or_default();
            let what = What::Certificate { when: now, reference, key_id, slot };
            let bytes = Record { batch: at, patient, what }.encode(at, &shared.keys.mac);
            let certificate = Certificate { patient, when: now, reference, key_id };
            (Arc::clone(&shared.file), bytes, slot, certificate)
        };
        // The certificate first: from here on, a crash ends with the key gone.
        writer.append(&*file, &bytes, next(at)?)?;
        writer.certificates.push(at);
        let written = {
            // Nobody reads the record while it is written over.
            let mut shared = self.shared.write();
            let bytes = Record::shredded(patient, at).encode(slot, &shared.keys.mac);
            let written = file.write_at(&bytes, offset(slot));
            self.cache.forget(patient);
            shared.live = shared.live.saturating_sub(u64::from(written.is_ok()));
            written
        };
        writer.hold(written.and_then(|()| file.sync()))?;
        Ok(certificate)
    }

    /// Every certificate, oldest first.
    pub fn certificates(&self) -> Result<Vec<Certificate>, Fault> {
        let slots = self.writer.lock().certificates.clone();
        let shared = self.shared.read();
        slots.into_iter().map(|slot| shared.certificate(slot)).collect()
    }

    /// Patients who have a key.
    pub fn count(&self) -> u64 {
        self.shared.read().live
    }

    /// Bytes of memory that grow with the number of patients.
    pub fn index_bytes(&self) -> usize {
        self.shared.read().index.bytes()
    }

    /// Bytes that opening found half written and cut off or marked void.
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Wraps every key anew, under another key of the tenant, into a new file that takes the old one's
    /// place. Lookups go on meanwhile; adding and shredding wait.
    pub(crate) fn rewrap(&self, number: u32, kek: &Secret) -> Result<(), Fault> {
        let mut writer = self.writer.lock();
        writer.check()?;
        let mut header = Header { kek: number, ..self.shared.read().keys.header };
        self.random.fill(&mut header.file)?;
        let new_keys = FileKeys::new(header, kek)?;
        let slots = writer.slots;
        let published = publish(&*self.files, &self.path, Taken::Replace, |new| {
            let shared = self.shared.read();
            copy(&*shared.file, &shared.keys, new, &new_keys, slots)
        });
        // The name may already be the new file's: nothing may be added to the old one.
        writer.failed |= published.is_err();
        let file = published?;
        let mut shared = self.shared.write();
        shared.file = file;
        shared.keys = new_keys;
        Ok(())
    }
}

impl fmt::Debug for PatientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PatientKeys({})", self.count())
    }
}

impl Shared {
    fn record(&self, slot: u32) -> Result<Record, Fault> {
        let mut bytes = [0; SLOT_BYTES];
        self.file
            .read_at(&mut bytes, offset(slot))
            .map_err(|e| unavailable("reading a patient's key", &e))?;
        Record::decode(&bytes, slot, &self.keys.mac).ok_or_else(|| damage(slot))
    }

    fn find(&self, patient: u64) -> Result<Option<(u32, What)>, Fault> {
        for slot in self.index.candidates(patient) {
            let record = self.record(slot)?;
            if record.patient == patient {
                return Ok(Some((slot, record.what)));
            }
        }
        Ok(None)
    }

    fn certificate(&self, slot: u32) -> Result<Certificate, Fault> {
        match self.record(slot)? {
            Record { patient, what: What::Certificate { when, reference, key_id, .. }, .. } => {
                Ok(Certificate { patient, when, reference, key_id })
            }
            _ => Err(damage(slot)),
        }
    }
}

impl Writer {
    fn check(&self) -> Result<(), Fault> {
        if self.failed {
            let what = "a write of keys failed; the server must be started again";
            return Err(Fault::new(&code::KEYS_UNAVAILABLE, what));
        }
        Ok(())
    }

    /// Puts whole records at the end, durably; `end` is the slot behind them.
    fn append(&mut self, file: &dyn KeyFile, bytes: &[u8], end: u32) -> Result<(), Fault> {
        self.check()?;
        let done = file.write_at(bytes, offset(self.slots)).and_then(|()| file.sync());
        self.hold(done)?;
        self.slots = end;
        Ok(())
    }

    fn hold(&mut self, done: std::io::Result<()>) -> Result<(), Fault> {
        self.failed |= done.is_err();
        done.map_err(|e| unavailable("writing the patients' keys", &e))
    }
}

fn next(slot: u32) -> Result<u32, Fault> {
    slot.checked_add(1)
        .filter(|slot| *slot <= SLOTS_MAX)
        .ok_or_else(|| Fault::new(&code::KEYS_UNAVAILABLE, "the file of patients' keys is full"))
}

/// The header of a file, as it stands and as it reads.
fn header(file: &dyn KeyFile) -> Result<(Slot, Header), Fault> {
    let mut bytes = [0; SLOT_BYTES];
    file.read_at(&mut bytes, 0).map_err(|e| unavailable("reading the patients' keys", &e))?;
    let header = Header::read(&bytes).map_err(|what| corrupt(format!("patients.keys {what}")))?;
    Ok((bytes, header))
}

/// Writes every record of one file into another under its keys, each into the slot it had.
fn copy(
    from: &dyn KeyFile,
    old: &FileKeys,
    to: &dyn KeyFile,
    new: &FileKeys,
    slots: u32,
) -> Result<(), Fault> {
    let failed = |e: std::io::Error| unavailable("rewrapping the patients' keys", &e);
    let mut bytes = new.header.encode(&new.mac).to_vec();
    let (mut at, mut slot) = (0, 0);
    each_slot(from, |was| {
        let record = <&Slot>::try_from(was).ok().and_then(|b| Record::decode(b, slot, &old.mac));
        let mut record = record.ok_or_else(|| damage(slot))?;
        if let What::Key(wrapped) = &mut record.what {
            let key = unwrap_key(&old.wrapping, wrapped).ok_or_else(|| damage(slot))?;
            *wrapped = wrap_key(&new.wrapping, &key)?;
        }
        bytes.extend_from_slice(&record.encode(slot, &new.mac));
        slot = next(slot)?;
        if bytes.len() >= 1 << 20 {
            to.write_at(&bytes, at).map_err(failed)?;
            at += bytes.len() as u64;
            bytes.clear();
        }
        Ok(())
    })?;
    if slot != slots {
        return Err(corrupt("patients.keys was cut off while it was open"));
    }
    to.write_at(&bytes, at).map_err(failed)
}

fn shredded() -> Fault {
    Fault::new(&code::KEYS_PATIENT_SHREDDED, "the patient's key was destroyed")
}

fn missing() -> Fault {
    Fault::new(&code::KEYS_PATIENT_MISSING, "there is no key for this patient's record")
}
