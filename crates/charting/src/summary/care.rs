//! What is wrong and what is done about it: allergies, problems, medications, immunisations
//! (<https://hl7.org/fhir/R4/allergyintolerance.html>, `condition`, `medicationrequest`,
//! `medicationstatement`, `immunization`).

use crate::read::{Concept, Part, concept, each, hidden, parsed, text, when};
use fhir::Value;
use fhir::definitions::r4;
use record::{ChartPart, Hit, Reach};
use std::collections::HashMap;

/// Codes that say that no allergy is known: in general (SNOMED CT), to drugs, to food, to what is around.
const NONE_KNOWN: &[&str] = &["716186003", "409137002", "429625007", "428607008"];
const NONE_KNOWN_AT_ALL: &str = "716186003";

/// What a chart says of allergies. "None known" is what somebody asked and wrote down; "not recorded" is
/// that nobody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllergyState {
    /// There are some.
    Some,
    /// Somebody recorded that none is known.
    NoneKnown,
    /// Somebody recorded that none of one kind (drugs, food) is known; of others nothing is recorded.
    NoneKnownOfAKind,
    /// Nothing is recorded.
    NotRecorded,
    /// Nothing is shown, and not all could be: neither can be said.
    NotTold,
}

/// An allergy or intolerance.
#[derive(Clone, Default)]
pub struct Allergy {
    /// The logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// To what.
    pub to: Concept,
    /// Active (neither resolved nor inactive).
    pub active: bool,
    /// `confirmed`, `unconfirmed` …
    pub verification: String,
    /// `high`, `low`, `unable-to-assess`, or empty.
    pub criticality: String,
    /// The gravest reaction: `severe`, `moderate`, `mild`, or empty.
    pub severity: String,
    /// How it showed.
    pub manifestations: Vec<Concept>,
    /// `allergy`, `intolerance`, or empty.
    pub kind: String,
    /// When it was recorded.
    pub recorded: String,
    /// It says that none is known.
    pub none_known: bool,
}

/// A problem.
#[derive(Clone, Default)]
pub struct Problem {
    /// The logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What.
    pub what: Concept,
    /// `active`, `recurrence`, `relapse`, `inactive`, `remission`, `resolved`, or empty.
    pub status: String,
    /// `confirmed`, `provisional` …
    pub verification: String,
    /// When it began; empty when not recorded.
    pub onset: String,
    /// When it ended.
    pub abated: String,
    /// How grave.
    pub severity: Concept,
    /// On the problem list, rather than the diagnosis of one visit.
    pub on_list: bool,
    /// When it was recorded.
    pub recorded: String,
}

/// A medication.
#[derive(Clone, Default)]
pub struct Medication {
    /// `MedicationRequest` or `MedicationStatement`.
    pub source: &'static str,
    /// The logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What. Empty when the record names a Medication that the caller may not see.
    pub what: Concept,
    /// `active`, `on-hold`, `intended` …
    pub status: String,
    /// How it is taken, as written.
    pub dosage: Vec<String>,
    /// Since when.
    pub since: String,
}

/// An immunisation.
#[derive(Clone, Default)]
pub struct Immunisation {
    /// The logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Which vaccine.
    pub vaccine: Concept,
    /// When given.
    pub given: String,
    /// `completed`, `not-done`.
    pub status: String,
    /// Why it was not given.
    pub not_done_reason: Concept,
}

hidden!(Allergy, Problem, Medication, Immunisation);

/// Allergies: active first, of those the gravest first.
pub(crate) fn allergies(part: &ChartPart) -> (Part<Allergy>, AllergyState) {
    let mut found = Part::of(part, allergy);
    let wrong = |one: &Allergy| one.verification == "entered-in-error";
    found.total -= u64::try_from(found.rows.iter().filter(|one| wrong(one)).count()).unwrap_or(0);
    found.rows.retain(|one| !wrong(one));
    let counts = |one: &&Allergy| one.active && one.verification != "refuted";
    let told = |one: &Allergy| !one.none_known;
    let state = if found.rows.iter().filter(counts).any(told) {
        AllergyState::Some
    } else if found.rows.iter().filter(counts).any(|one| one.to.has(&[NONE_KNOWN_AT_ALL])) {
        AllergyState::NoneKnown
    } else if found.rows.iter().filter(counts).any(|one| one.none_known) {
        AllergyState::NoneKnownOfAKind
    } else if found.reach == Reach::Whole && !found.is_partial() {
        AllergyState::NotRecorded
    } else {
        AllergyState::NotTold
    };
    let grave = |one: &Allergy| match (one.criticality.as_str(), one.severity.as_str()) {
        ("high", _) | (_, "severe") => 0,
        (_, "moderate") => 1,
        _ => 2,
    };
    found.rows.sort_by_key(|one| (!one.active, one.none_known, grave(one)));
    (found, state)
}

fn allergy(hit: &Hit, root: Value<'_>) -> Allergy {
    let to = concept(root, "code");
    let severities = || each(root, "reaction").map(|one| text(one, "severity"));
    let gravest = ["severe", "moderate", "mild"];
    let severity = gravest.iter().find(|grade| severities().any(|one| one == **grade));
    Allergy {
        id: hit.id.clone(),
        version: hit.version,
        active: status(root, "clinicalStatus") == "active",
        verification: status(root, "verificationStatus"),
        criticality: text(root, "criticality"),
        severity: severity.copied().unwrap_or_default().to_owned(),
        manifestations: each(root, "reaction")
            .flat_map(|one| each(one, "manifestation"))
            .map(Concept::of)
            .collect(),
        kind: text(root, "type"),
        recorded: when(root, &["recordedDate", "onsetDateTime"]),
        none_known: to.has(NONE_KNOWN),
        to,
    }
}

pub(crate) fn problem(hit: &Hit, root: Value<'_>) -> Problem {
    let listed = |one: Value<'_>| Concept::of(one).has(&["problem-list-item"]);
    Problem {
        id: hit.id.clone(),
        version: hit.version,
        what: concept(root, "code"),
        status: status(root, "clinicalStatus"),
        verification: status(root, "verificationStatus"),
        onset: when(root, &["onsetDateTime", "onsetPeriod", "onsetString"]),
        abated: when(root, &["abatementDateTime", "abatementPeriod", "abatementString"]),
        severity: concept(root, "severity"),
        on_list: each(root, "category").any(listed),
        recorded: text(root, "recordedDate"),
    }
}

/// Medications of one kind of record. What a record names only by reference is looked up among what the
/// search included.
pub(crate) fn medications(part: &ChartPart, source: &'static str) -> Part<Medication> {
    let of = r4().resource_type("Medication");
    let included = part.page.included.iter().filter(|hit| Some(hit.resource_type) == of);
    let known: HashMap<String, Concept> = included
        .filter_map(|hit| {
            Some((format!("Medication/{}", hit.id), concept(parsed(hit)?.root(), "code")))
        })
        .collect();
    Part::of(part, |hit, root| {
        let mut what = concept(root, "medicationCodeableConcept");
        if let Some(named) = root.get("medicationReference") {
            let (reference, display) = (text(named, "reference"), text(named, "display"));
            what = known.get(&reference).cloned().unwrap_or_default();
            if !display.is_empty() {
                what.text = display;
            }
        }
        let dosage = if source == "MedicationRequest" { "dosageInstruction" } else { "dosage" };
        Medication {
            source,
            id: hit.id.clone(),
            version: hit.version,
            what,
            status: text(root, "status"),
            dosage: each(root, dosage)
                .map(|one| text(one, "text"))
                .filter(|t| !t.is_empty())
                .collect(),
            since: when(
                root,
                &["authoredOn", "effectiveDateTime", "effectivePeriod", "dateAsserted"],
            ),
        }
    })
}

pub(crate) fn immunisation(hit: &Hit, root: Value<'_>) -> Immunisation {
    Immunisation {
        id: hit.id.clone(),
        version: hit.version,
        vaccine: concept(root, "vaccineCode"),
        given: when(root, &["occurrenceDateTime", "occurrenceString"]),
        status: text(root, "status"),
        not_done_reason: concept(root, "statusReason"),
    }
}

/// The first code of a status that is a concept.
pub(crate) fn status(root: Value<'_>, name: &str) -> String {
    concept(root, name).codings.first().map(|one| one.code.clone()).unwrap_or_default()
}
