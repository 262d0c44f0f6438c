//! Codes as constants: the code systems FHIR R4 names
//! (<https://hl7.org/fhir/R4/terminologies-systems.html>) and the handful of codes every resource
//! repeats. Clinical codes are examples of widely used concepts, not a terminology.

/// A coding that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) display: &'static str,
}

/// A coding in any system.
pub(crate) const fn code(system: &'static str, code: &'static str, display: &'static str) -> Code {
    Code { system, code, display }
}

pub(crate) const fn snomed(id: &'static str, display: &'static str) -> Code {
    code("http://snomed.info/sct", id, display)
}

pub(crate) const fn loinc(id: &'static str, display: &'static str) -> Code {
    code("http://loinc.org", id, display)
}

pub(crate) const fn icd10(id: &'static str, display: &'static str) -> Code {
    code("http://hl7.org/fhir/sid/icd-10-cm", id, display)
}

pub(crate) const fn rxnorm(id: &'static str, display: &'static str) -> Code {
    code("http://www.nlm.nih.gov/research/umls/rxnorm", id, display)
}

pub(crate) const fn cvx(id: &'static str, display: &'static str) -> Code {
    code("http://hl7.org/fhir/sid/cvx", id, display)
}

/// An item of the clinic's own price list. (CPT is licensed; we do not ship it.)
pub(crate) const fn charge(id: &'static str, display: &'static str) -> Code {
    code("https://plummer.health/fhir/CodeSystem/charge", id, display)
}

/// A coding of an HL7 terminology: the last part of the system's URL, the code, the display.
macro_rules! hl7 {
    ($system:literal, $code:literal, $display:literal) => {
        $crate::code::code(
            concat!("http://terminology.hl7.org/CodeSystem/", $system),
            $code,
            $display,
        )
    };
}
pub(crate) use hl7;

pub(crate) const AMBULATORY: Code = hl7!("v3-ActCode", "AMB", "ambulatory");
pub(crate) const EMERGENCY: Code = hl7!("v3-ActCode", "EMER", "emergency");
pub(crate) const INPATIENT: Code = hl7!("v3-ActCode", "IMP", "inpatient encounter");
pub(crate) const VIRTUAL: Code = hl7!("v3-ActCode", "VR", "virtual");
pub(crate) const RESTRICTED: Code = hl7!("v3-Confidentiality", "R", "restricted");
pub(crate) const TEST_DATA: Code = hl7!("v3-ActReason", "HTEST", "test health data");

pub(crate) const VITAL_SIGNS: Code = hl7!("observation-category", "vital-signs", "Vital Signs");
pub(crate) const LABORATORY: Code = hl7!("observation-category", "laboratory", "Laboratory");
pub(crate) const SOCIAL: Code = hl7!("observation-category", "social-history", "Social History");
pub(crate) const SURVEY: Code = hl7!("observation-category", "survey", "Survey");

pub(crate) const FAMILY_PRACTICE: Code = snomed("419772000", "Family practice");

/// Identifier systems of the clinic.
pub(crate) mod systems {
    pub(crate) const MRN: &str = "https://plummer.example/id/mrn";
    pub(crate) const HOUSEHOLD: &str = "https://plummer.example/id/household";
    pub(crate) const STAFF: &str = "https://plummer.example/id/staff";
    pub(crate) const ORGANIZATION: &str = "https://plummer.example/id/organization";
    pub(crate) const VISIT: &str = "https://plummer.example/id/visit";
    pub(crate) const ORDER: &str = "https://plummer.example/id/order";
    pub(crate) const ACCESSION: &str = "https://plummer.example/id/accession";
    pub(crate) const CLAIM: &str = "https://plummer.example/id/claim";
    pub(crate) const POLICY: &str = "https://plummer.example/id/policy";
    pub(crate) const DOCUMENT: &str = "https://plummer.example/id/document";
}
