//! Data keys that were used lately, ready for use: sets of four, one for each of a thousand hashes, so
//! that a hit costs one short lock and a full cache costs a few megabytes.

use std::sync::Arc;

use parking_lot::Mutex;

use super::index::spread;
use crate::envelope::DataKey;

const SETS: usize = 1024;
const WAYS: usize = 4;

/// A set: the youngest first.
type Set = Mutex<[Option<(u64, Arc<DataKey>)>; WAYS]>;

/// The cache.
pub(crate) struct Cache(Vec<Set>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self(std::iter::repeat_with(Set::default).take(SETS).collect())
    }

    fn set(&self, patient: u64) -> Option<&Set> {
        self.0.get(spread(patient) % SETS)
    }

    pub(crate) fn get(&self, patient: u64) -> Option<Arc<DataKey>> {
        let set = self.set(patient)?.lock();
        let held = set.iter().flatten().find(|held| held.0 == patient)?;
        Some(Arc::clone(&held.1))
    }

    /// Puts a key in, and the oldest of its set out.
    pub(crate) fn put(&self, patient: u64, key: &Arc<DataKey>) {
        if let Some(set) = self.set(patient) {
            let mut set = set.lock();
            set.rotate_right(1);
            if let Some(place) = set.first_mut() {
                *place = Some((patient, Arc::clone(key)));
            }
        }
    }

    pub(crate) fn forget(&self, patient: u64) {
        if let Some(set) = self.set(patient) {
            for place in set.lock().iter_mut() {
                place.take_if(|held| held.0 == patient);
            }
        }
    }
}
