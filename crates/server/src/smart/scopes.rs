//! Scopes in plain words, in the language of the page, for the people who decide about them
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/best-practices.html>).

use console::{Lang, Word, scope_words as words};
use smart::{About, Action, Reach, Scope};

/// What a scope means, as a sentence for its user, who is `own` when the record is their own.
pub(crate) fn sentence(scope: &Scope, own: bool, lang: Lang) -> String {
    let word = match scope {
        Scope::Reach(reach) => return reach_sentence(reach, own, lang),
        Scope::OpenId => words::SCOPE_OPEN_ID,
        Scope::FhirUser | Scope::Profile => words::SCOPE_USER,
        Scope::Launch => words::SCOPE_LAUNCH,
        Scope::LaunchPatient => words::SCOPE_LAUNCH_PATIENT,
        Scope::LaunchEncounter => words::SCOPE_LAUNCH_VISIT,
        Scope::Offline => words::SCOPE_OFFLINE,
        Scope::Online => words::SCOPE_ONLINE,
    };
    word.of(lang).to_owned()
}

/// What a part of a scope is called.
pub(super) fn part_words(part: &Reach, lang: Lang) -> String {
    match &part.query {
        None => kind(part.of.as_deref(), lang),
        Some(query) => conditions(query, lang),
    }
}

fn reach_sentence(reach: &Reach, own: bool, lang: Lang) -> String {
    let has = |action| reach.actions.has(action);
    let read = match (has(Action::Read), has(Action::Search)) {
        (true, true) => Some(words::SCOPE_SEE),
        (true, false) => Some(words::SCOPE_OPEN),
        (false, true) => Some(words::SCOPE_LOOK_UP),
        (false, false) => None,
    };
    let writes = [
        (Action::Create, words::SCOPE_ADD),
        (Action::Update, words::SCOPE_CHANGE),
        (Action::Delete, words::SCOPE_DELETE),
    ];
    let writes = writes.into_iter().filter(|(action, _)| has(*action)).map(|(_, word)| word);
    let verbs: Vec<&str> = read.into_iter().chain(writes).map(|word| word.of(lang)).collect();
    let verbs = match verbs.split_last() {
        Some((last, before)) if !before.is_empty() => {
            both(words::SCOPE_AND, &before.join(", "), last, lang)
        }
        _ => verbs.concat(),
    };
    let what = kind(reach.of.as_deref(), lang);
    let what = match reach.about {
        About::Patient if own => words::SCOPE_YOUR.with(lang, &what),
        About::Patient => words::SCOPE_PATIENTS.with(lang, &what),
        About::User => words::SCOPE_ANYBODYS.with(lang, &what),
        About::System => what,
    };
    let mut text = format!("{verbs} {what}");
    if let Some(query) = &reach.query {
        text = both(words::SCOPE_ONLY, &text, &conditions(query, lang), lang);
    }
    text.push('.');
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().collect::<String>()).unwrap_or_default();
    first + letters.as_str()
}

/// A word with two places, filled in order, whatever stands in the first.
fn both(word: Word, first: &str, second: &str, lang: Lang) -> String {
    let parts: Vec<&str> = word.of(lang).split("{}").collect();
    match parts.as_slice() {
        [begin, middle, end] => [begin, first, middle, second, end].concat(),
        _ => String::new(),
    }
}

/// Several, one after another, between each two of them the word.
fn joined(word: Word, all: Vec<String>, lang: Lang) -> String {
    all.into_iter().reduce(|text, next| both(word, &text, &next, lang)).unwrap_or_default()
}

/// What a type is called.
fn kind(of: Option<&str>, lang: Lang) -> String {
    let Some(of) = of else { return words::SCOPE_EVERY_KIND.of(lang).to_owned() };
    match kind_word(of) {
        Some(word) => word.of(lang).to_owned(),
        None => words::SCOPE_OF_KIND.with(lang, of),
    }
}

/// What people call the records of a type; `None` for one that is called by its own name.
fn kind_word(of: &str) -> Option<Word> {
    Some(match of {
        "Patient" => words::KIND_PATIENT,
        "AllergyIntolerance" => words::KIND_ALLERGY,
        "Appointment" => words::KIND_APPOINTMENT,
        "CarePlan" => words::KIND_CARE_PLAN,
        "CareTeam" => words::KIND_CARE_TEAM,
        "Claim" => words::KIND_CLAIM,
        "Communication" => words::KIND_MESSAGE,
        "Condition" => words::KIND_CONDITION,
        "Consent" => words::KIND_CONSENT,
        "Coverage" => words::KIND_COVERAGE,
        "Device" => words::KIND_DEVICE,
        "DiagnosticReport" => words::KIND_REPORT,
        "DocumentReference" => words::KIND_DOCUMENT,
        "Encounter" => words::KIND_VISIT,
        "ExplanationOfBenefit" => words::KIND_EXPLANATION,
        "FamilyMemberHistory" => words::KIND_FAMILY,
        "Goal" => words::KIND_GOAL,
        "Immunization" => words::KIND_IMMUNIZATION,
        "Location" => words::KIND_LOCATION,
        "Media" => words::KIND_MEDIA,
        "Medication" => words::KIND_MEDICINE,
        "MedicationDispense" => words::KIND_DISPENSE,
        "MedicationRequest" => words::KIND_PRESCRIPTION,
        "MedicationStatement" => words::KIND_TAKEN,
        "Observation" => words::KIND_OBSERVATION,
        "Organization" => words::KIND_ORGANIZATION,
        "Practitioner" => words::KIND_PRACTITIONER,
        "Procedure" => words::KIND_PROCEDURE,
        "Provenance" => words::KIND_PROVENANCE,
        "QuestionnaireResponse" => words::KIND_ANSWERS,
        "RelatedPerson" => words::KIND_RELATED,
        "ServiceRequest" => words::KIND_ORDER,
        "Specimen" => words::KIND_SPECIMEN,
        _ => return None,
    })
}

/// The categories that are offered, by their codes (`smart::parts::CATEGORIES`).
fn category(code: &str) -> Option<Word> {
    Some(match code {
        "encounter-diagnosis" => words::CATEGORY_VISIT,
        "problem-list-item" => words::CATEGORY_PROBLEM,
        "health-concern" => words::CATEGORY_CONCERN,
        "sdoh" => words::CATEGORY_SDOH,
        "functional-status" => words::CATEGORY_FUNCTION,
        "disability-status" => words::CATEGORY_DISABILITY,
        "cognitive-status" => words::CATEGORY_COGNITION,
        "laboratory" => words::CATEGORY_LABORATORY,
        "vital-signs" => words::CATEGORY_VITAL,
        "social-history" => words::CATEGORY_SOCIAL,
        "survey" => words::CATEGORY_SURVEY,
        "exam" => words::CATEGORY_EXAM,
        "imaging" => words::CATEGORY_IMAGING,
        "procedure" => words::CATEGORY_PROCEDURE,
        "therapy" => words::CATEGORY_THERAPY,
        "activity" => words::CATEGORY_ACTIVITY,
        _ => return None,
    })
}

/// `category=http://…|laboratory` as “those whose category is laboratory”. A parameter or a code that has no
/// word is said as it is written.
fn conditions(query: &str, lang: Lang) -> String {
    let each = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| {
        let by_category = name == "category";
        // Of a coded value people know the code, not the system.
        let codes = value.split(',').map(|one| {
            let code = one.rsplit(['|', '/']).next().unwrap_or(one);
            let word = category(code).filter(|_| by_category);
            word.map_or_else(|| code.replace('-', " "), |word| word.of(lang).to_owned())
        });
        let codes = joined(words::SCOPE_OR, codes.collect(), lang);
        let name = match by_category {
            true => words::SCOPE_CATEGORY.of(lang).to_owned(),
            false => name.replace(['-', '_', '.'], " ").trim().to_owned(),
        };
        both(words::SCOPE_THOSE, &name, &codes, lang)
    });
    joined(words::SCOPE_AND, each.collect(), lang)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smart::Scopes;
    use smart::parts::{CATEGORIES, TYPES, parts};

    fn say(text: &str, own: bool, lang: Lang) -> String {
        let scopes = Scopes::parse(text).expect("scopes");
        sentence(scopes.iter().next().expect("one"), own, lang)
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
            assert_eq!(say(scope, own, Lang::En), words);
        }
    }

    #[test]
    fn scopes_are_said_in_spanish() {
        for (scope, own, words) in [
            (
                "patient/Observation.read",
                true,
                "Ver sus mediciones, resultados de laboratorio y antecedentes sociales.",
            ),
            ("patient/*.rs", false, "Ver datos de todo tipo del paciente."),
            (
                "user/Condition.cud",
                false,
                "Añadir, modificar y eliminar problemas, diagnósticos e inquietudes de salud de cualquier paciente, hasta donde usted puede.",
            ),
            ("patient/Basic.r", true, "Abrir, si sabe cuáles, sus datos del tipo Basic."),
            (
                "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
                true,
                "Ver sus mediciones, resultados de laboratorio y antecedentes sociales, solo los de «categoría»: signos vitales.",
            ),
            (
                "offline_access",
                true,
                "Conservar su acceso cuando usted no está, hasta que se lo retire.",
            ),
        ] {
            assert_eq!(say(scope, own, Lang::Es), words);
        }
    }

    #[test]
    fn whatever_is_offered_to_be_chosen_has_a_word() {
        for of in TYPES {
            assert!(kind_word(of).is_some(), "{of}");
        }
        for code in CATEGORIES.iter().flat_map(|(_, _, codes)| *codes) {
            let word = category(code).expect(code);
            assert_eq!(word.of(Lang::En), code.replace('-', " "));
        }
        let all = Scopes::parse("patient/*.read patient/Condition.rs").expect("scopes");
        for part in all.reaches().flat_map(parts) {
            assert!(!part_words(&part, Lang::Es).is_empty(), "{part}");
        }
    }

    #[test]
    fn what_an_app_wrote_between_braces_stays_where_it_is() {
        let said = conditions("code={},{}&status=final", Lang::En);
        assert_eq!(said, "those whose code is {} or {} and those whose status is final");
    }
}
