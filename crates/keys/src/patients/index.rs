//! Where each patient's key stands: a table of eight bytes an entry, half the hash of the patient's
//! number and the slot, so that a million patients cost 16 MiB. What it finds is a candidate; the
//! record in the slot says whose it is.

/// An open table with linear probing, never more than seven eighths full.
#[derive(Debug)]
pub(crate) struct Index {
    /// Hash in the upper half, slot + 1 in the lower; 0 is empty. A power of two of them.
    table: Vec<u64>,
    used: usize,
}

const FIRST_BITS: u32 = 10;

impl Index {
    pub(crate) fn with_room(entries: usize) -> Self {
        let least = (entries + entries / 7 + 1).max(1 << FIRST_BITS).next_power_of_two();
        Self { table: vec![0; least], used: 0 }
    }

    /// Bytes it holds.
    pub(crate) fn bytes(&self) -> usize {
        self.table.capacity() * size_of::<u64>()
    }

    /// Notes that a patient's record stands in a slot.
    pub(crate) fn insert(&mut self, patient: u64, slot: u32) {
        if (self.used + 1) * 8 > self.table.len() * 7 {
            self.grow();
        }
        self.put((u64::from(hash(patient)) << 32) | (u64::from(slot) + 1));
    }

    /// The slots where the patient's record may stand.
    pub(crate) fn candidates(&self, patient: u64) -> impl Iterator<Item = u32> + '_ {
        let hash = hash(patient);
        let start = self.place(hash);
        let (before, after) = self.table.split_at_checked(start).unwrap_or((&self.table, &[]));
        after
            .iter()
            .chain(before)
            .take_while(|entry| **entry != 0)
            .filter(move |entry| **entry >> 32 == u64::from(hash))
            .map(|entry| slot_of(*entry))
    }

    /// Where entries of a hash begin: its upper bits, as many as the table has.
    fn place(&self, hash: u32) -> usize {
        let bits = self.table.len().trailing_zeros().min(32);
        usize::try_from(hash.checked_shr(32 - bits).unwrap_or(0)).unwrap_or(0)
    }

    fn put(&mut self, entry: u64) {
        let mask = self.table.len() - 1;
        let mut at = self.place(u32::try_from(entry >> 32).unwrap_or(0));
        while let Some(place) = self.table.get_mut(at) {
            if *place == 0 {
                *place = entry;
                self.used += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let larger = vec![0; self.table.len() * 2];
        let smaller = std::mem::replace(&mut self.table, larger);
        self.used = 0;
        for entry in smaller.into_iter().filter(|entry| *entry != 0) {
            self.put(entry);
        }
    }
}

fn slot_of(entry: u64) -> u32 {
    u32::try_from(entry & 0xFFFF_FFFF).unwrap_or(0).saturating_sub(1)
}

/// Half of a hash that spreads numbers which follow each other (the finish of `SplitMix64`).
fn hash(patient: u64) -> u32 {
    let mut z = patient.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    u32::try_from((z ^ (z >> 31)) >> 32).unwrap_or(0)
}

/// The same hash, for whoever needs a place for a patient in a table of another size.
pub(crate) fn spread(patient: u64) -> usize {
    usize::try_from(hash(patient)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_patient_is_found_where_it_was_put_and_hardly_anywhere_else() {
        let mut index = Index::with_room(0);
        let numbers = |i: u32| u64::from(i) * 7 + (u64::from(i % 3) << 40);
        for i in 0..200_000 {
            index.insert(numbers(i), i);
        }
        let mut others = 0;
        for i in 0..200_000 {
            let found: Vec<_> = index.candidates(numbers(i)).collect();
            assert!(found.contains(&i));
            others += found.len() - 1;
        }
        assert!(others < 40, "{others} wrong candidates");
        assert_eq!(index.candidates(u64::MAX).count(), 0);
    }

    #[test]
    fn a_million_patients_fit_in_sixteen_mebibytes() {
        assert_eq!(Index::with_room(1_000_000).bytes(), 16 << 20);
    }
}
