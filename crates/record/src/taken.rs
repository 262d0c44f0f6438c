//! When people, rooms and devices are taken, without by what: what a busy Slot says to anybody who may
//! see Slots (<https://hl7.org/fhir/R4/slot.html>). Patients' time is not told this way.

use crate::actor::denied;
use crate::ledger::Taken;
use crate::session::{Audited, Session};
use access::Action;
use audit::{Kind, Target};
use base::{Fault, Millis};
use fhir::definitions::r4;

/// Types whose records are booked and are no patient's.
const TYPES: [&str; 5] =
    ["Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService"];

impl Session {
    /// For each of these references the spans, by start, within which something takes its time. Of more
    /// than 20,000 records at once it tells nothing, and says so by none: ask for fewer days.
    ///
    /// # Errors
    /// `access.denied` for whoever may not search Slots, and for what is not a person who works here, a
    /// place or a thing.
    pub fn taken(
        &self,
        whose: &[String],
        (start, end): (Millis, Millis),
    ) -> Result<Audited<Vec<Option<Vec<Taken>>>>, Fault> {
        let mut event = self.event(Kind::Search);
        event.targets.push(Target::of_type("Slot"));
        let look = || {
            let slot = r4().resource_type("Slot").ok_or_else(denied)?;
            let of = r4().resource_type("Appointment").ok_or_else(denied)?;
            self.scope_of(Action::Search, slot)?;
            let kind = |one: &String| one.split_once('/').map_or("", |(kind, _)| kind).to_owned();
            if whose.iter().any(|one| !TYPES.contains(&kind(one).as_str())) {
                return Err(denied());
            }
            let all = self.gate.taken((of, whose), (start, end), self.now())?;
            // Without a department that keeps time, none is kept.
            Ok(all.unwrap_or_else(|| vec![Some(Vec::new()); whose.len()]))
        };
        match look() {
            Ok(all) => self.audited(&event, all),
            Err(fault) => Err(self.refused(event, fault)),
        }
    }
}
