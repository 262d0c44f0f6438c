//! Every resource is valid under our own validator (<https://hl7.org/fhir/R4/validation.html>), and
//! the clinic has every kind of resource it promises.

use std::collections::BTreeMap;

use base::{Limits, Severity};
use fhir::Document;
use validation::{Options, validate};

use crate::clinic::made;

const PROMISED: [&str; 36] = [
    "ActivityDefinition",
    "AllergyIntolerance",
    "Appointment",
    "CarePlan",
    "CareTeam",
    "Claim",
    "Communication",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "ExplanationOfBenefit",
    "FamilyMemberHistory",
    "Flag",
    "Goal",
    "HealthcareService",
    "Immunization",
    "Location",
    "Medication",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "RelatedPerson",
    "Schedule",
    "ServiceRequest",
    "Slot",
    "Specimen",
    "Task",
];

#[test]
fn every_resource_is_valid() {
    let (limits, strict) = (Limits::default(), Options { strict: true, ..Options::default() });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in made().resources() {
        let document = Document::parse_text(resource.json.clone(), &limits).unwrap();
        let issues: Vec<_> = validate(document.root(), &strict)
            .into_iter()
            .filter(|issue| issue.severity >= Severity::Warning)
            .collect();
        assert!(issues.is_empty(), "{issues:?}\n{}", resource.json);
        *counts.entry(resource.resource_type).or_default() += 1;
    }
    let missing: Vec<_> = PROMISED.iter().filter(|kind| !counts.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(counts.len(), PROMISED.len());
}
