//! Who asks, and what is hidden from each. The table speaks of types, patients and labels and of
//! nothing else: it is what the law and the role's work say (45 CFR 164.502(b), 42 CFR 2.13), written
//! down apart from any policy engine, so that the bench can find an engine wrong.
//!
//! Only what is hidden *for sure* stands here. What a persona may or may not see by a site's choice is
//! the same in both worlds and judged by neither.

/// How a persona comes to its own patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Treats the patient: is in the care team.
    Care,
    /// Is the patient.
    Itself,
    /// Represents the patient.
    Represents,
    /// Works with all patients, as far as its types go.
    Work,
}

/// Which resource types are hidden, whoever they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Types {
    /// These.
    These(&'static [&'static str]),
    /// All that are about a patient, but these.
    AllBut(&'static [&'static str]),
}

/// One persona.
#[derive(Debug, Clone, Copy)]
pub struct Persona {
    /// Its name on the command line and in reports.
    pub key: &'static str,
    /// The role it has in our own server; a peer's operator reads it as a description.
    pub role: &'static str,
    /// The purpose of use it works for (HL7 v3-PurposeOfUse).
    pub purpose: &'static str,
    /// How it comes to its own patient.
    pub link: Link,
    /// Whether every other patient is hidden from it, and all that is about them.
    pub others: bool,
    /// The types that are hidden from it.
    pub types: Types,
    /// The labels that hide a record from it; the first two mark the bench's hidden records.
    pub labels: &'static [&'static str],
    /// Whether it may read the access log, where every request of the bench leaves a trace: then
    /// nothing that shows the log is asked.
    pub trail: bool,
}

/// What is said or found about a patient's health, as the bench's worlds have it.
const CLINICAL: &[&str] = &[
    "Observation",
    "Condition",
    "DiagnosticReport",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "DocumentReference",
    "Binary",
    "List",
    "Composition",
    "Communication",
];

/// The same, and encounters.
const CLINICAL_AND_ENCOUNTERS: &[&str] = &[
    "Encounter",
    "Observation",
    "Condition",
    "DiagnosticReport",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "DocumentReference",
    "Binary",
    "List",
    "Composition",
    "Communication",
    "Claim",
];

/// Everybody the bench asks as.
pub const PERSONAS: [Persona; 15] = [
    Persona {
        key: "clinician",
        role: "clinician",
        purpose: "TREAT",
        link: Link::Care,
        others: true,
        types: Types::These(&[]),
        labels: &["42CFRPart2", "PSYTHPN"],
        trail: false,
    },
    Persona {
        key: "nurse",
        role: "nurse",
        purpose: "TREAT",
        link: Link::Care,
        others: true,
        types: Types::These(&[]),
        labels: &["V", "42CFRPart2", "PSYTHPN"],
        trail: false,
    },
    Persona {
        key: "front-desk",
        role: "front-desk",
        purpose: "HOPERAT",
        link: Link::Work,
        others: false,
        types: Types::These(CLINICAL_AND_ENCOUNTERS),
        labels: &["R", "V", "42CFRPart2"],
        trail: false,
    },
    Persona {
        key: "biller",
        role: "biller",
        purpose: "HPAYMT",
        link: Link::Work,
        others: false,
        types: Types::These(CLINICAL),
        labels: &["42CFRPart2", "V", "PSYTHPN"],
        trail: false,
    },
    Persona {
        key: "him",
        role: "him",
        purpose: "HOPERAT",
        link: Link::Work,
        others: false,
        types: Types::These(&[]),
        labels: &["PSYTHPN", "42CFRPart2"],
        trail: false,
    },
    Persona {
        key: "privacy-officer",
        role: "privacy-officer",
        purpose: "HCOMPL",
        link: Link::Work,
        others: false,
        types: Types::These(&[]),
        labels: &["42CFRPart2", "PSYTHPN"],
        trail: true,
    },
    Persona {
        key: "it-administrator",
        role: "it-administrator",
        purpose: "HSYSADMIN",
        link: Link::Work,
        others: true,
        types: Types::AllBut(&[]),
        labels: &["42CFRPart2", "V"],
        trail: false,
    },
    Persona {
        key: "auditor",
        role: "auditor",
        purpose: "HCOMPL",
        link: Link::Work,
        others: false,
        types: Types::AllBut(&["Consent", "Provenance"]),
        labels: &["42CFRPart2", "PSYTHPN"],
        trail: true,
    },
    Persona {
        key: "patient",
        role: "patient",
        purpose: "PATRQT",
        link: Link::Itself,
        others: true,
        types: Types::These(&[]),
        labels: &["PSYTHPN"],
        trail: false,
    },
    Persona {
        key: "proxy",
        role: "proxy",
        purpose: "PATRQT",
        link: Link::Represents,
        others: true,
        types: Types::These(&[]),
        labels: &["ADOL", "PSYTHPN", "SEX"],
        trail: false,
    },
    Persona {
        key: "app",
        role: "app",
        purpose: "PATRQT",
        link: Link::Itself,
        others: true,
        types: Types::These(&[]),
        labels: &["PSYTHPN"],
        trail: false,
    },
    // An agent that acts for a clinician, and one for whoever sits at the front desk: neither sees what
    // the person does not, nor what no agent does.
    Persona {
        key: "agent",
        role: "agent",
        purpose: "TREAT",
        link: Link::Care,
        others: true,
        types: Types::These(&[]),
        labels: &["V", "42CFRPart2", "PSYTHPN"],
        trail: false,
    },
    // An app of a clinician's, with scopes for all that the clinician may do.
    Persona {
        key: "user-app",
        role: "clinician",
        purpose: "TREAT",
        link: Link::Care,
        others: true,
        types: Types::These(&[]),
        labels: &["42CFRPart2", "PSYTHPN"],
        trail: false,
    },
    // A program that acts as itself, with scopes to read two types: `system/Patient.rs
    // system/Observation.rs`.
    Persona {
        key: "backend-service",
        role: "system",
        purpose: "HOPERAT",
        link: Link::Work,
        others: false,
        types: Types::AllBut(&["Patient", "Observation"]),
        labels: &["42CFRPart2", "PSYTHPN"],
        trail: false,
    },
    Persona {
        key: "agent-front-desk",
        role: "agent",
        purpose: "HOPERAT",
        link: Link::Work,
        others: false,
        types: Types::These(CLINICAL_AND_ENCOUNTERS),
        labels: &["R", "V", "42CFRPart2"],
        trail: false,
    },
];

impl Persona {
    /// The persona of this name.
    pub fn named(key: &str) -> Option<&'static Self> {
        PERSONAS.iter().find(|persona| persona.key == key)
    }

    /// Whether records of this type are hidden from it, whoever they are about.
    pub fn hides_type(&self, kind: &str) -> bool {
        match self.types {
            Types::These(types) => types.contains(&kind),
            Types::AllBut(types) => !DIRECTORY.contains(&kind) && !types.contains(&kind),
        }
    }

    /// Whether a record with this label is hidden from it.
    pub fn hides_label(&self, label: &str) -> bool {
        self.labels.contains(&label)
    }

    /// The label of the hidden records, and the one some of them are given besides.
    pub fn label_pair(&self) -> (&'static str, &'static str) {
        let first = self.labels.first().copied().unwrap_or("V");
        (first, self.labels.get(1).copied().unwrap_or("HIV"))
    }
}

/// Who and where: about no patient.
pub const DIRECTORY: [&str; 4] = ["Practitioner", "PractitionerRole", "Organization", "Location"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_persona_has_a_name_of_its_own_and_something_hidden_and_something_seen() {
        for (i, persona) in PERSONAS.iter().enumerate() {
            assert!(PERSONAS.iter().skip(i + 1).all(|other| other.key != persona.key));
            assert!(!persona.labels.is_empty(), "{}", persona.key);
            assert!(!persona.hides_type("Practitioner"), "{}", persona.key);
        }
        assert!(Persona::named("auditor").is_some_and(|p| p.hides_type("Patient")));
        assert!(Persona::named("biller").is_some_and(|p| !p.hides_type("Encounter")));
        assert!(Persona::named("nobody").is_none());
    }
}
