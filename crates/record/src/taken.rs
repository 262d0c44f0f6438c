//! When people, rooms and devices are taken, without by what: what a busy Slot says to anybody who may
//! see Slots (<https://hl7.org/fhir/R4/slot.html>). Patients' time is not told this way.

use crate::actor::denied;
use crate::ledger::Wanted;
use crate::session::{Audited, Session};
use access::Action;
use audit::{Kind, Target};
use base::{Fault, Millis};
use fhir::definitions::r4;

/// Types whose records are booked and are no patient's.
const TYPES: [&str; 5] =
    ["Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService"];

impl Session {
    /// For each of these references the spans within which something takes its time. One that the house
    /// has too much of to tell answers nothing.
    ///
    /// # Errors
    /// `access.denied` for whoever may not search Slots, and for what is not a person who works here, a
    /// place or a thing.
    pub fn taken(
        &self,
        whose: &[String],
        (start, end): (Millis, Millis),
    ) -> Result<Audited<Vec<Vec<(Millis, Millis)>>>, Fault> {
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
            self.gate.ready_taken((of, whose), (start, end), self.now())?;
            let mut all = Vec::with_capacity(whose.len());
            for one in whose {
                let mut spans = Vec::new();
                let mut from = start;
                // The ledger tells of few days at once.
                while from < end {
                    let until = Millis(from.0.saturating_add(86_400_000)).min(end);
                    let wanted = Wanted { of, whose: one, start: from, end: until };
                    for span in self.gate.taken(&wanted, self.now())?.unwrap_or_default() {
                        if !spans.contains(&span) {
                            spans.push(span);
                        }
                    }
                    from = until;
                }
                spans.sort_unstable();
                all.push(spans);
            }
            Ok(all)
        };
        match look() {
            Ok(all) => self.audited(&event, all),
            Err(fault) => Err(self.refused(event, fault)),
        }
    }
}
