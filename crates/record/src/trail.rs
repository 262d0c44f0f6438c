//! Audit events: who did what to which record of which patient, and with what outcome
//! (45 CFR 164.312(b)). Refusals leave a trail like answers do.

use crate::people;
use crate::session::{Audited, Session};
use audit::{Decision, Event, Kind, Target, Ticket, query_digest};
use base::Fault;
use fhir::definitions::{TypeId, r4};
use std::sync::atomic::Ordering;
use store::{Hit, OpResult};

impl Session {
    /// An event of this session with nothing filled in.
    pub(crate) fn event(&self, kind: Kind) -> Event {
        self.noted.store(true, Ordering::Release);
        let mut event = Event::new(self.now(), self.request, kind);
        event.actor = self.subject.actor.clone();
        event.source = self.subject.source;
        event.receipt = self.receipt();
        event
    }

    /// Answers `value` once `event` is in the log.
    pub(crate) fn audited<T>(&self, event: &Event, value: T) -> Result<Audited<T>, Fault> {
        Ok(Audited { value, ticket: self.gate.log.append(event)? })
    }

    /// Leaves the trail of a refusal; the fault to answer with, which is another one when even that
    /// cannot be logged.
    pub(crate) fn refused(&self, mut event: Event, fault: Fault) -> Fault {
        event.status = fault.status();
        match self.gate.log.append(&event) {
            Ok(_) => fault,
            Err(unlogged) => unlogged,
        }
    }

    /// Leaves the trail of something that touched no record: capabilities told, a request turned away
    /// by a door before it named an interaction.
    ///
    /// # Errors
    /// `audit.unavailable` when the log failed.
    pub fn note(&self, kind: Kind, status: u16) -> Result<Ticket, Fault> {
        let mut event = self.event(kind);
        event.status = status;
        if kind == Kind::Refused {
            event.decision = Decision::Deny;
        }
        self.gate.log.append(&event)
    }

    /// No audit, no access: refuses a change before it is made when it could not be logged.
    pub(crate) fn may_write(&self) -> Result<(), Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        // The writer holds the change to its rights; it has no time to look up their names.
        match self.rights() {
            Some(rights) => self.gate.store.ready(&rights),
            None => Ok(()),
        }
    }
}

/// A record as an event names it.
pub(crate) fn target(kind: TypeId, id: &str, version: Option<u64>) -> Target {
    let version = version.filter(|v| *v > 0).and_then(|v| u32::try_from(v).ok());
    Target::resource(r4().name(kind), id, version)
}

/// The records a unit of work changed.
pub(crate) fn changed(results: &[OpResult]) -> Vec<Target> {
    results
        .iter()
        .filter(|r| r.changed)
        .map(|r| target(r.resource_type, &r.id, Some(r.version)))
        .collect()
}

/// Fills in what an answer shows: how many resources, how many bytes, which patients.
pub(crate) fn shows<'h>(event: &mut Event, hits: impl IntoIterator<Item = &'h Hit>) {
    let mut patients = people::Patients::default();
    for hit in hits {
        event.results += 1;
        event.bytes += hit.body.len() as u64;
        patients.of_hit(hit);
    }
    event.patients = patients.into_ids();
}

/// The digest of a query's pairs.
pub(crate) fn digest(pairs: &[(String, String)]) -> [u8; 8] {
    query_digest(&search::parse::encode_query(pairs))
}
