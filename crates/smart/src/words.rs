//! Scopes in plain words, for the people who decide about them
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html>; 45 CFR 170.315(g)(10)(v)(A)(1)(ii):
//! a patient can choose which kinds of records an app gets).

use crate::reach::{About, Action, Reach};
use crate::scope::Scope;

/// Kinds of records as people call them. Types that are not here are called by their own names.
pub const KINDS: [(&str, &str); 33] = [
    ("Patient", "name, address and other personal details"),
    ("AllergyIntolerance", "allergies and intolerances"),
    ("Appointment", "appointments"),
    ("CarePlan", "care plans"),
    ("CareTeam", "care teams"),
    ("Claim", "claims"),
    ("Communication", "messages"),
    ("Condition", "problems, diagnoses and health concerns"),
    ("Consent", "consents"),
    ("Coverage", "insurance coverage"),
    ("Device", "implants and other devices"),
    ("DiagnosticReport", "reports of laboratories and imaging"),
    ("DocumentReference", "notes and documents"),
    ("Encounter", "visits and stays"),
    ("ExplanationOfBenefit", "explanations of benefits"),
    ("FamilyMemberHistory", "family history"),
    ("Goal", "goals"),
    ("Immunization", "immunizations"),
    ("Location", "places of care"),
    ("Media", "pictures and recordings"),
    ("Medication", "medicines"),
    ("MedicationDispense", "dispensed medicines"),
    ("MedicationRequest", "prescriptions"),
    ("MedicationStatement", "medicines taken"),
    ("Observation", "measurements, laboratory results and social history"),
    ("Organization", "organizations of care"),
    ("Practitioner", "clinicians"),
    ("Procedure", "procedures and operations"),
    ("Provenance", "who recorded what"),
    ("QuestionnaireResponse", "answers to questionnaires"),
    ("RelatedPerson", "relatives and other contacts"),
    ("ServiceRequest", "orders and referrals"),
    ("Specimen", "specimens"),
];

/// What a scope means, as a sentence for its user, who is `own` when the record is their own.
pub fn sentence(scope: &Scope, own: bool) -> String {
    let whose = if own { "your" } else { "the patient’s" };
    match scope {
        Scope::Reach(reach) => reach_sentence(reach, whose),
        Scope::OpenId => "Know that it is you who signed in.".to_owned(),
        Scope::FhirUser | Scope::Profile => "Know your name and role.".to_owned(),
        Scope::Launch => "Know from where it was started.".to_owned(),
        Scope::LaunchPatient => "Know which patient is chosen.".to_owned(),
        Scope::LaunchEncounter => "Know which visit is open.".to_owned(),
        Scope::Offline => {
            "Keep its access when you are not there, until you take it away.".to_owned()
        }
        Scope::Online => "Keep its access for as long as you are signed in.".to_owned(),
    }
}

fn reach_sentence(reach: &Reach, whose: &str) -> String {
    let mut verbs: Vec<&str> = Vec::new();
    let has = |action| reach.actions.has(action);
    match (has(Action::Read), has(Action::Search)) {
        (true, true) => verbs.push("see"),
        (true, false) => verbs.push("open, when it knows which,"),
        (false, true) => verbs.push("look up"),
        (false, false) => {}
    }
    for (action, verb) in
        [(Action::Create, "add"), (Action::Update, "change"), (Action::Delete, "delete")]
    {
        if has(action) {
            verbs.push(verb);
        }
    }
    let mut text = String::new();
    for (at, verb) in verbs.iter().enumerate() {
        let joint = match at {
            0 => "",
            _ if at + 1 == verbs.len() => " and ",
            _ => ", ",
        };
        text.push_str(joint);
        text.push_str(verb);
    }
    let whose = match reach.about {
        About::Patient => format!("{whose} "),
        About::User => "any patient’s ".to_owned(),
        About::System => String::new(),
    };
    let what = kind(reach.of.as_deref());
    text = format!("{text} {whose}{what}");
    if reach.about == About::User {
        text.push_str(", as far as you may yourself");
    }
    if let Some(query) = &reach.query {
        text.push_str(&format!(", only {}", conditions(query)));
    }
    text.push('.');
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    first + letters.as_str()
}

/// What a type is called.
pub fn kind(of: Option<&str>) -> String {
    match of {
        None => "records of every kind".to_owned(),
        Some(of) => KINDS
            .iter()
            .find(|(name, _)| *name == of)
            .map_or_else(|| format!("records of the kind {of}"), |(_, words)| (*words).to_owned()),
    }
}

/// `category=http://…|laboratory` as “those whose category is laboratory”.
fn conditions(query: &str) -> String {
    let each = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| {
        // Of a coded value people know the code, not the system.
        let codes: Vec<_> = value
            .split(',')
            .map(|one| one.rsplit(['|', '/']).next().unwrap_or(one).replace('-', " "))
            .collect();
        format!(
            "those whose {} is {}",
            name.replace(['-', '_', '.'], " ").trim(),
            codes.join(" or ")
        )
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// The categories by which a type is split, with their code system: those of FHIR and of US Core.
const CATEGORIES: [(&str, &str, &[&str]); 4] = [
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

/// What a part of a scope is called.
pub fn part_words(part: &Reach) -> String {
    match &part.query {
        None => kind(part.of.as_deref()),
        Some(query) => conditions(query),
    }
}

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
    KINDS.iter().filter_map(|(name, _)| reach.part(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::Scopes;

    fn say(text: &str, own: bool) -> String {
        let scopes = Scopes::parse(text).expect("scopes");
        sentence(scopes.iter().next().expect("one"), own)
    }

    #[test]
    fn scopes_are_said_in_words() {
        for (scope, own, words) in [
            (
                "patient/Observation.read",
                true,
                "See your measurements, laboratory results and social history.",
            ),
            ("patient/*.rs", false, "See the patient’s records of every kind."),
            (
                "user/Condition.cud",
                false,
                "Add, change and delete any patient’s problems, diagnoses and health concerns, as far as you may yourself.",
            ),
            ("patient/Basic.r", true, "Open, when it knows which, your records of the kind Basic."),
            (
                "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
                true,
                "See your measurements, laboratory results and social history, only those whose category is vital signs.",
            ),
            (
                "offline_access",
                true,
                "Keep its access when you are not there, until you take it away.",
            ),
        ] {
            assert_eq!(say(scope, own), words);
        }
    }

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
                assert!(part_words(&part).starts_with("those whose category is"));
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
        assert_eq!(parts.len(), KINDS.len());
        for part in parts {
            assert!(
                fhir::definitions::r4().resource_type(part.of.as_deref().expect("one")).is_some()
            );
            assert!(whole.covers(&part), "{part}");
        }
    }
}
