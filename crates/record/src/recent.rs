//! The patients whom somebody opened last, kept for them on the server: a browser keeps no list of
//! patients (45 CFR 164.310(c)). Only ids are kept; who they are is read anew under the caller's scope
//! of now, so a patient whom the caller may see no more is not listed.

use crate::patients::{PatientRow, patient_type};
use crate::session::{Audited, Session};
use crate::shelf::{closed_body, opened_body};
use crate::trail;
use audit::{Kind, Target};
use base::Fault;
use fhir::reference::is_id;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use store::{ItemAct, ItemChange, Unit};

/// The shelf.
const SHELF: &str = "recent";
/// Patients kept of one person: as many as a list shows that is read at a glance, and a few in reserve
/// for those who may not be seen any more.
const KEPT_MAX: usize = 12;
/// Patients listed.
const LISTED_MAX: usize = 8;

/// People whose lists are held in memory: more than work at one moment; beyond it all are read anew.
const PEOPLE_MAX: usize = 10_000;

/// A version and the ids it holds.
type Kept = (Option<u64>, Vec<String>);
type Known = HashMap<Vec<u8>, Kept>;

/// The lists as they will be when the writer is done with what it was handed.
#[derive(Clone, Default)]
pub(crate) struct Recents(Arc<Mutex<Known>>);

/// They name patients.
impl std::fmt::Debug for Recents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recents(‹phi›)")
    }
}

impl Session {
    /// Keeps in mind that the caller opened a patient. It waits for nothing and reports nothing: the list
    /// is a convenience, and the access has left its own event.
    pub fn remember_patient(&self, id: &str) {
        let Some(key) = self.recent_key().filter(|_| is_id(id)) else { return };
        let mut known = self.gate.recents.0.lock();
        let Ok((replaces, mut ids)) = self.recent_ids(&mut known, &key) else { return };
        if ids.first().is_some_and(|first| first == id) {
            return;
        }
        ids.retain(|one| one != id);
        ids.insert(0, id.to_owned());
        ids.truncate(KEPT_MAX);
        let version = replaces.unwrap_or(0).saturating_add(1);
        let sealer = self.gate.settings.sealer.as_deref();
        let plain = ids.join("\n").into_bytes();
        let Ok(body) = closed_body(sealer, SHELF, &key, version, plain) else { return };
        // What is opened next is kept on top of this, written or not.
        known.insert(key.clone(), (Some(version), ids));
        drop(known);
        let change =
            ItemChange { shelf: SHELF, key: key.clone(), replaces, act: ItemAct::Put(body) };
        let recents = self.gate.recents.clone();
        let done = Box::new(move |outcome: Result<_, Fault>| {
            // What stands on the disk is looked at again.
            if outcome.is_err() {
                recents.0.lock().remove(&key);
            }
        });
        self.gate.store.submit(Unit { items: vec![change], ..Unit::default() }, done);
    }

    /// The patients whom the caller opened last, the latest first. One event names those who are shown.
    ///
    /// # Errors
    /// As of a read.
    pub fn recent_patients(&self) -> Result<Audited<Vec<PatientRow>>, Fault> {
        let mut event = self.event(Kind::Search);
        event.targets = vec![Target::of_type("Patient")];
        let read = || -> Result<_, Fault> {
            let ids = match self.recent_key() {
                Some(key) => self.recent_ids(&mut self.gate.recents.0.lock(), &key)?.1,
                None => Vec::new(),
            };
            let (mut rows, mut hits) = (Vec::new(), Vec::new());
            for id in ids {
                if rows.len() >= LISTED_MAX {
                    break;
                }
                // Gone, or not to be seen any more: no line, and no word of it.
                let Ok(mut hit) = self.look(patient_type(), &id, None) else { continue };
                self.prune(&mut hit)?;
                rows.push(self.patient_row(&hit)?);
                hits.push(hit);
            }
            Ok((rows, hits))
        };
        match read() {
            Ok((rows, hits)) => {
                trail::shows(&mut event, &hits);
                self.audited(&event, rows)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn recent_key(&self) -> Option<Vec<u8>> {
        self.in_person().map(|(_, actor)| actor.id.as_bytes().to_vec())
    }

    /// The version of the list, and the list.
    fn recent_ids(&self, known: &mut Known, key: &[u8]) -> Result<Kept, Fault> {
        if let Some(kept) = known.get(key) {
            return Ok(kept.clone());
        }
        let kept = match self.gate.store.item_get(SHELF, key)? {
            None => (None, Vec::new()),
            Some(item) => {
                let sealer = self.gate.settings.sealer.as_deref();
                let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
                let text = String::from_utf8_lossy(&plain);
                let ids = text.lines().filter(|id| is_id(id)).map(str::to_owned).collect();
                (Some(item.version), ids)
            }
        };
        if known.len() >= PEOPLE_MAX {
            known.clear();
        }
        known.insert(key.to_vec(), kept.clone());
        Ok(kept)
    }
}
