//! Dictionaries are trained on the site's own records: the first few hundred of a type are sampled,
//! and from then on its bodies take a third of the room. `retrain` makes a better one later.

use super::{Shared, StoredBody, unavailable};
use crate::compress;
use base::Fault;
use base::error::code;
use parking_lot::Mutex;
use rusqlite::params;
use std::collections::HashMap;

/// Samples before a type gets its first dictionary.
const SAMPLES: usize = 400;
/// Bytes of samples kept of a type.
const SAMPLE_BYTES: usize = 2 << 20;
/// Bytes of one body that count as a sample.
const BODY_MAX: usize = 64 << 10;
/// Bytes of a dictionary.
const DICTIONARY_BYTES: usize = 48 << 10;

/// Gathers samples of types without a dictionary.
#[derive(Debug)]
pub(super) struct Trainer {
    on: bool,
    samples: Mutex<HashMap<u16, Samples>>,
}

#[derive(Debug, Default)]
struct Samples {
    bodies: Vec<Vec<u8>>,
    bytes: usize,
    done: bool,
}

impl Trainer {
    pub(super) fn new(on: bool) -> Self {
        Self { on, samples: Mutex::default() }
    }

    /// Takes a body as a sample, and trains when there are enough.
    pub(super) fn offer(&self, shared: &Shared, kind: u16, text: &[u8]) {
        if !self.on || text.len() > BODY_MAX || shared.dictionaries.has(kind) {
            return;
        }
        let taken = {
            let mut all = self.samples.lock();
            let samples = all.entry(kind).or_default();
            if samples.done {
                return;
            }
            samples.bytes += text.len();
            samples.bodies.push(text.to_vec());
            if samples.bodies.len() < SAMPLES && samples.bytes < SAMPLE_BYTES {
                return;
            }
            samples.done = true;
            std::mem::take(&mut samples.bodies)
        };
        if let Some(bytes) = compress::train(&taken, DICTIONARY_BYTES)
            && let Err(fault) = keep(shared, kind, &bytes)
        {
            tracing::warn!(code = fault.code().name, "a new dictionary could not be kept");
        }
    }
}

/// Writes a dictionary, then puts it to use: no body may name one that is not on disk.
fn keep(shared: &Shared, kind: u16, bytes: &[u8]) -> Result<(), Fault> {
    let conn = shared.connection(1 << 20, 0)?;
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")
        .map_err(unavailable)?;
    let number: u32 = conn
        .query_row(
            "INSERT INTO dictionary (id, type, made_at, bytes) \
             VALUES ((SELECT max(coalesce(max(id), 0) + 1, ?1) FROM dictionary), ?2, ?3, ?4) \
             RETURNING id",
            params![compress::FIRST, kind, shared.clock.now().0, bytes],
            |r| r.get(0),
        )
        .map_err(unavailable)?;
    shared.dictionaries.add(number, kind, bytes);
    Ok(())
}

/// Trains a new dictionary for every type from a spread of its present bodies. Bodies written from
/// now on use it; older ones keep theirs.
pub(super) fn retrain(shared: &Shared) -> Result<usize, Fault> {
    let mut trained = 0;
    for kind in shared.numbers.types() {
        let conn = shared.borrow_reader()?;
        let sample = || -> rusqlite::Result<Vec<StoredBody>> {
            let mut s = conn.prepare_cached(
                "SELECT rid, vid, dictionary, size, body, NULL FROM ver \
                 WHERE type = ?1 AND size BETWEEN 64 AND ?2 AND vid % ?3 = 0 LIMIT 2000",
            )?;
            let live = shared.live.read().get(&kind).copied().unwrap_or(0);
            let stride = (live / 2000).max(1);
            let rows = s.query_map(params![kind, BODY_MAX, stride], StoredBody::read)?;
            rows.collect()
        };
        let rows = sample().map_err(unavailable);
        shared.return_reader(conn);
        let mut bodies = Vec::new();
        for stored in rows? {
            match shared.text(&stored) {
                Ok(text) => bodies.push(text),
                // A body whose key was destroyed teaches nothing.
                Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => {}
                Err(fault) => return Err(fault),
            }
        }
        if bodies.len() >= 100
            && let Some(bytes) = compress::train(&bodies, DICTIONARY_BYTES)
        {
            keep(shared, kind, &bytes)?;
            trained += 1;
        }
    }
    Ok(trained)
}
