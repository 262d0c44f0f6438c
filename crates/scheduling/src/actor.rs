//! [`Actor`]: who or what takes part in a visit, as a reference to its record
//! (`Appointment.participant.actor`, <https://hl7.org/fhir/R4/appointment.html>), and [`Role`]: as what.

use fhir::reference::{Reference, parse};
use std::fmt;
use std::sync::Arc;

/// Types that can be an actor of a Schedule or a participant of an Appointment in R4.
const TYPES: [&str; 7] = [
    "Device",
    "HealthcareService",
    "Location",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
];

/// A relative reference such as `Practitioner/12`. Copying it is cheap; it holds an id, no name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actor(Arc<str>);

impl Actor {
    /// Reads a relative reference without a version to a type that can take part in a visit.
    pub fn parse(text: &str) -> Option<Self> {
        match parse(text)? {
            Reference::Relative(target)
                if target.version.is_none() && TYPES.contains(&target.resource_type) =>
            {
                Some(Self(Arc::from(text)))
            }
            _ => None,
        }
    }

    /// The reference's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The type of the record: `Practitioner`.
    pub fn resource_type(&self) -> &str {
        self.0.split_once('/').map_or("", |(name, _)| name)
    }

    /// The logical id of the record.
    pub fn id(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, id)| id)
    }

    /// Whether it is the person the visit is for.
    pub fn is_patient(&self) -> bool {
        self.resource_type() == "Patient"
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As what a resource is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Who sees the patient.
    Clinician,
    /// Who assists: a nurse, a medical assistant.
    Assistant,
    /// A room.
    Room,
    /// A device that is booked, such as an ultrasound machine.
    Device,
    /// Who interprets between languages.
    Interpreter,
}

impl Role {
    /// Every role, in the order screens list them.
    pub const ALL: [Self; 5] =
        [Self::Clinician, Self::Assistant, Self::Room, Self::Device, Self::Interpreter];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clinician => "clinician",
            Self::Assistant => "assistant",
            Self::Room => "room",
            Self::Device => "device",
            Self::Interpreter => "interpreter",
        }
    }

    /// Reads the stable code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_take_part_in_a_visit_is_an_actor() {
        assert_eq!(Actor::parse("Practitioner/1").unwrap().resource_type(), "Practitioner");
        assert!(Actor::parse("Patient/1").unwrap().is_patient());
        for bad in [
            "Observation/1",
            "Practitioner/1/_history/2",
            "#x",
            "",
            "https://x.example/fhir/Patient/1",
        ] {
            assert_eq!(Actor::parse(bad), None, "{bad}");
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
