//! Opening `patients.keys`: every record is read once, and what a crash may leave is mended, and
//! nothing else.
//!
//! A crash leaves the last write cut off at the end of the file, or some of its sectors as zeros; and
//! a shredding that had its certificate but not yet its end. The first is cut off or marked void, the
//! second is brought to its end. Anything else that is wrong is damage, and the file does not open: a
//! key that was acknowledged must not vanish by being tidied away.

use std::collections::HashMap;

use base::Fault;

use super::index::Index;
use super::record::{FileKeys, Record, SLOT_BYTES, Slot, What, offset};
use crate::fault::{corrupt, unavailable};
use crate::files::KeyFile;

/// Records read with one call.
const CHUNK_SLOTS: usize = 16_384;
/// Damaged slots that are looked at before the file is given up.
const SUSPECTS_MAX: usize = 1 << 20;

/// What stands in a file.
#[derive(Debug)]
pub(crate) struct Recovered {
    pub(crate) index: Index,
    /// Slots in the file.
    pub(crate) slots: u32,
    /// Keys that are there.
    pub(crate) keys: u64,
    /// The slots of the certificates, in their order.
    pub(crate) certificates: Vec<u32>,
    /// Bytes of an unfinished write that were cut off or marked void.
    pub(crate) torn_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    /// All its bytes are zero: the disk never got it.
    Empty,
    /// The file ends within it.
    Cut,
    /// Something else stands there.
    Altered,
}

/// Reads the file from its first record on, and mends what a crash left.
pub(crate) fn recover(file: &dyn KeyFile, keys: &FileKeys) -> Result<Recovered, Fault> {
    let length = file.length().map_err(|e| unavailable("reading the patients' keys", &e))?;
    let bytes_of_records = length.saturating_sub(SLOT_BYTES as u64);
    let expected = usize::try_from(bytes_of_records / 64).unwrap_or(usize::MAX);
    let mut walk = Walk {
        // The length is the file's word only; a sparse file must not make us ask for all memory.
        index: Index::with_room(expected.min(1 << 24)),
        suspects: Vec::new(),
        certificates: Vec::new(),
        ends: HashMap::new(),
        keys: 0,
        last: None,
        batch_last: 0,
    };
    let mut slot = 0;
    each_slot(file, |bytes| {
        walk.note(slot, bytes, keys)?;
        slot = slot.checked_add(1).ok_or_else(|| corrupt("the file has too many records"))?;
        Ok(())
    })?;
    walk.mend(file, keys, length)
}

/// Hands every slot over in its order, the last perhaps cut off.
pub(crate) fn each_slot(
    file: &dyn KeyFile,
    mut each: impl FnMut(&[u8]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut chunk = vec![0; CHUNK_SLOTS * SLOT_BYTES];
    let mut at = SLOT_BYTES as u64;
    loop {
        let read = file.read_at(&mut chunk, at);
        let read = read.map_err(|e| unavailable("reading the patients' keys", &e))?;
        for bytes in chunk.get(..read).unwrap_or_default().chunks(SLOT_BYTES) {
            each(bytes)?;
        }
        if read < chunk.len() {
            return Ok(());
        }
        at += read as u64;
    }
}

struct Walk {
    index: Index,
    suspects: Vec<(u32, Wrong)>,
    certificates: Vec<u32>,
    /// Slots that a certificate says are shredded: the certificate's slot and the patient.
    ends: HashMap<u32, (u32, u64)>,
    keys: u64,
    /// The last slot that holds a record.
    last: Option<u32>,
    /// The youngest batch there is.
    batch_last: u32,
}

impl Walk {
    fn note(&mut self, slot: u32, bytes: &[u8], keys: &FileKeys) -> Result<(), Fault> {
        let whole = <&Slot>::try_from(bytes).ok();
        let Some(record) = whole.and_then(|bytes| Record::decode(bytes, slot, &keys.mac)) else {
            let wrong = match whole {
                None => Wrong::Cut,
                Some(bytes) if bytes.iter().all(|b| *b == 0) => Wrong::Empty,
                Some(_) => Wrong::Altered,
            };
            self.suspects.push((slot, wrong));
            return if self.suspects.len() > SUSPECTS_MAX { Err(damage(slot)) } else { Ok(()) };
        };
        self.last = Some(slot);
        // A shredded record was written anew long after its batch, and names none.
        if !matches!(record.what, What::Shredded { .. }) {
            if record.batch > slot || record.batch < self.batch_last {
                return Err(damage(slot));
            }
            self.batch_last = record.batch;
        }
        match record.what {
            What::Key(_) => self.keys += 1,
            What::Certificate { slot: end, .. } => {
                self.certificates.push(slot);
                self.ends.insert(end, (slot, record.patient));
                return Ok(());
            }
            What::Shredded { .. } => {}
            What::Void => return Ok(()),
        }
        self.index.insert(record.patient, slot);
        Ok(())
    }

    fn mend(
        mut self,
        file: &dyn KeyFile,
        keys: &FileKeys,
        length: u64,
    ) -> Result<Recovered, Fault> {
        let failed = |e: std::io::Error| unavailable("mending the patients' keys", &e);
        let mut torn_bytes = 0;
        let mut changed = self.finish_shredding(file, keys)?;
        let end = self.last.map_or(0, |last| last.saturating_add(1));
        for (slot, wrong) in std::mem::take(&mut self.suspects) {
            let void = Record { batch: self.batch_last, patient: 0, what: What::Void };
            let void = void.encode(slot, &keys.mac);
            let void_begun = || is_begun(file, slot, &void).map_err(failed);
            // What was synced is followed by a later batch, or by nothing at all.
            let synced = slot < end && self.batch_last > slot;
            if synced || (wrong == Wrong::Altered && !void_begun()?) {
                return Err(damage(slot));
            }
            if slot < end {
                file.write_at(&void, offset(slot)).map_err(failed)?;
                torn_bytes += SLOT_BYTES as u64;
                changed = true;
            }
        }
        let length_sound = offset(end);
        if length > length_sound {
            torn_bytes += length - length_sound;
            file.set_length(length_sound).map_err(failed)?;
            changed = true;
        }
        if changed {
            file.sync().map_err(failed)?;
        }
        Ok(Recovered {
            index: self.index,
            slots: end,
            keys: self.keys,
            certificates: self.certificates,
            torn_bytes,
        })
    }

    /// Every certificate's key is made to be gone.
    fn finish_shredding(&mut self, file: &dyn KeyFile, keys: &FileKeys) -> Result<bool, Fault> {
        let failed = |e: std::io::Error| unavailable("mending the patients' keys", &e);
        let mut changed = false;
        for (&slot, &(certificate, patient)) in &self.ends {
            let mut bytes = [0; SLOT_BYTES];
            file.read_at(&mut bytes, offset(slot)).map_err(failed)?;
            let found = Record::decode(&bytes, slot, &keys.mac);
            match found {
                Some(Record { patient: whose, .. }) if whose != patient => {
                    return Err(damage(certificate));
                }
                Some(Record { what: What::Shredded { .. }, .. }) => continue,
                Some(Record { what: What::Key(_), .. }) => {
                    self.keys = self.keys.saturating_sub(1);
                }
                // The overwriting was torn: the record is neither the old nor the new one.
                None if slot < certificate => self.index.insert(patient, slot),
                Some(_) | None => return Err(damage(certificate)),
            }
            let bytes = Record::shredded(patient, certificate).encode(slot, &keys.mac);
            file.write_at(&bytes, offset(slot)).map_err(failed)?;
            self.suspects.retain(|suspect| suspect.0 != slot);
            changed = true;
        }
        Ok(changed)
    }
}

/// Whether a slot holds the beginning of these bytes, and zeros: a mending that was killed.
fn is_begun(file: &dyn KeyFile, slot: u32, bytes: &Slot) -> std::io::Result<bool> {
    let mut found = [0; SLOT_BYTES];
    file.read_at(&mut found, offset(slot))?;
    let written = SLOT_BYTES - found.iter().rev().take_while(|b| **b == 0).count();
    Ok(found.get(..written) == bytes.get(..written))
}

pub(crate) fn damage(slot: u32) -> Fault {
    corrupt(format!("patients.keys: the record at byte {} is damaged", offset(slot)))
}
