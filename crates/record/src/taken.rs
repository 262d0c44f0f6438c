//! When people, rooms and devices are taken: what a busy Slot says to anybody who may see Slots
//! (<https://hl7.org/fhir/R4/slot.html>). By what they are taken is told to departments alone, which leave
//! out of it what goes elsewhere and show it to nobody. Patients' time is not told this way.

use crate::actor::denied;
use crate::session::{Audited, Session};
use access::Action;
use audit::{Kind, Target};
use base::{Fault, Millis};
use fhir::definitions::r4;
use std::sync::Arc;

/// Types whose records are booked and are no patient's.
const TYPES: [&str; 5] =
    ["Practitioner", "PractitionerRole", "Location", "Device", "HealthcareService"];

/// Time that is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    /// From.
    pub start: Millis,
    /// Until, and not with.
    pub end: Millis,
    /// What is kept free before and after it, in milliseconds.
    pub kept_ms: (i64, i64),
    /// What it is taken for, as the department counts it ([`crate::Claim::about`]).
    pub about: Option<Arc<str>>,
    /// The id of the record that takes it. It goes into no answer: the caller may not be one who sees it.
    pub by: Arc<str>,
}

impl Session {
    /// For each of these references what takes its time within a span, by start. Of more
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
