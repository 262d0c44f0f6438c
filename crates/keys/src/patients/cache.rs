//! Data keys that were used lately, ready for use: one place for each of some thousand hashes, so that
//! a hit costs one short lock and a full cache costs a few megabytes.

use std::sync::Arc;

use parking_lot::Mutex;

use super::index::spread;
use crate::envelope::DataKey;

const PLACES: usize = 4096;

type Place = Mutex<Option<(u64, Arc<DataKey>)>>;

/// The cache.
pub(crate) struct Cache(Vec<Place>);

impl Cache {
    pub(crate) fn new() -> Self {
        Self(std::iter::repeat_with(Place::default).take(PLACES).collect())
    }

    fn place(&self, patient: u64) -> Option<&Place> {
        self.0.get(spread(patient) % PLACES)
    }

    pub(crate) fn get(&self, patient: u64) -> Option<Arc<DataKey>> {
        let place = self.place(patient)?.lock();
        place.as_ref().filter(|held| held.0 == patient).map(|held| Arc::clone(&held.1))
    }

    pub(crate) fn put(&self, patient: u64, key: &Arc<DataKey>) {
        if let Some(place) = self.place(patient) {
            *place.lock() = Some((patient, Arc::clone(key)));
        }
    }

    pub(crate) fn forget(&self, patient: u64) {
        if let Some(place) = self.place(patient) {
            place.lock().take_if(|held| held.0 == patient);
        }
    }
}
