//! The decisions made lately: bounded, and by everything that a decision depends on.
//!
//! The key holds the whole question, not a digest of it: two questions that differ in anything
//! never share an answer. A new set of policies begins with an empty cache.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use fhir::definitions::TypeId;
use parking_lot::Mutex;

use crate::decide::Decision;
use crate::who::{Action, Context, Who};

/// How many decisions one half of the cache holds.
pub(crate) const HALF: usize = 2048;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// Compared by its address first, so that a caller who keeps it pays little.
    pub(crate) who: Arc<Who>,
    pub(crate) action: Action,
    pub(crate) kind: Option<TypeId>,
    pub(crate) context: Context,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The lists of the principal are compared, and need not be hashed.
        (self.who.kind, &self.who.id, self.action, self.kind, &self.context).hash(state);
    }
}

/// Two halves: what is asked moves to the young one, and a full young one becomes the old one.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    halves: Mutex<(Half, Half)>,
}

impl Cache {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Decision>> {
        let mut halves = self.halves.lock();
        if let Some(found) = halves.0.get(key) {
            return Some(Arc::clone(found));
        }
        let (key, found) = halves.1.remove_entry(key)?;
        put(&mut halves, key, Arc::clone(&found));
        Some(found)
    }

    pub(crate) fn put(&self, key: Key, decision: Arc<Decision>) {
        put(&mut self.halves.lock(), key, decision);
    }

    /// How many decisions are held.
    pub(crate) fn len(&self) -> usize {
        let halves = self.halves.lock();
        halves.0.len() + halves.1.len()
    }
}

type Half = HashMap<Key, Arc<Decision>>;

fn put(halves: &mut (Half, Half), key: Key, decision: Arc<Decision>) {
    if halves.0.len() >= HALF {
        halves.1 = std::mem::take(&mut halves.0);
    }
    halves.0.insert(key, decision);
}
