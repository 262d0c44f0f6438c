//! The parts of a scope that people can choose by themselves
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html>; 45 CFR 170.315(g)(10)(v)(A)(1)(ii):
//! a patient can choose which kinds of records an app gets). What they are called in a language is said by
//! whoever shows them.

use crate::reach::Reach;

/// The types by which a scope over every type is split.
pub const TYPES: [&str; 33] = [
    "Patient",
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
    "Goal",
    "Immunization",
    "Location",
    "Media",
    "Medication",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Practitioner",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "RelatedPerson",
    "ServiceRequest",
    "Specimen",
];

/// The categories by which a type is split, with their code system: those of FHIR and of US Core.
pub const CATEGORIES: [(&str, &str, &[&str]); 4] = [
    (
        "Condition",
        "http://terminology.hl7.org/CodeSystem/condition-category",
        &["encounter-diagnosis", "problem-list-item"],
    ),
    ("Condition", "http://hl7.org/fhir/us/core/CodeSystem/condition-category", &["health-concern"]),
    (
        "Observation",
        "http://hl7.org/fhir/us/core/CodeSystem/us-core-category",
        &["sdoh", "functional-status", "disability-status", "cognitive-status"],
    ),
    (
        "Observation",
        "http://terminology.hl7.org/CodeSystem/observation-category",
        &[
            "laboratory",
            "vital-signs",
            "social-history",
            "survey",
            "exam",
            "imaging",
            "procedure",
            "therapy",
            "activity",
        ],
    ),
];

/// The parts into which a scope can be split, so that some can be chosen: of one over every type the
/// types, of one over a type that has categories the categories.
pub fn parts(reach: &Reach) -> Vec<Reach> {
    if let Some(of) = &reach.of {
        let found = CATEGORIES.iter().filter(|(name, _, _)| name == of && reach.query.is_none());
        let each =
            found.flat_map(|(_, system, codes)| codes.iter().map(move |code| (system, code)));
        return each
            .map(|(system, code)| reach.narrowed(&format!("category={system}|{code}")))
            .collect();
    }
    TYPES.iter().filter_map(|name| reach.part(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scopes;

    #[test]
    fn conditions_and_observations_can_be_chosen_by_category() {
        let all = Scopes::parse("patient/Observation.read patient/Condition.rs").expect("scopes");
        for whole in all.reaches() {
            let parts = parts(whole);
            assert!(parts.len() >= 2);
            for part in parts {
                let printed = Scopes::parse(&part.to_string()).expect("a scope");
                assert_eq!(printed.reaches().next(), Some(&part), "what is printed is read back");
                assert!(whole.covers(&part), "{part}");
                let given = all.within(&printed);
                assert_eq!(given.reaches().next(), Some(&part));
            }
        }
        let granular = Scopes::parse("patient/Observation.rs?category=a").expect("scopes");
        assert!(parts(granular.reaches().next().expect("one")).is_empty());
        // Of one over every type with a search, only types that have the parameter are a part.
        let every = Scopes::parse("patient/*.rs?category=a").expect("scopes");
        let parts = parts(every.reaches().next().expect("one"));
        let of = |name: &str| parts.iter().any(|part| part.of.as_deref() == Some(name));
        assert!(of("Observation") && !of("Patient"));
    }

    #[test]
    fn every_kind_is_a_type_and_a_part_of_everything() {
        let all = Scopes::parse("patient/*.read").expect("scopes");
        let whole = all.reaches().next().expect("one");
        let parts = parts(whole);
        assert_eq!(parts.len(), TYPES.len());
        for part in parts {
            assert!(
                fhir::definitions::r4().resource_type(part.of.as_deref().expect("one")).is_some()
            );
            assert!(whole.covers(&part), "{part}");
        }
    }
}
