//! Who is taken for whom: written twice, mistyped, twins; and what holds of every score.

use super::*;
use base::Limits;
use fhir::Document;
use proptest::prelude::*;
use std::fmt::Write as _;

fn features(json: &str) -> Features {
    Features::of(Document::parse_text(json.to_owned(), &Limits::default()).unwrap().root())
}

fn person(family: &str, given: &str, born: &str, more: &str) -> Features {
    features(&format!(
        r#"{{"resourceType":"Patient","name":[{{"family":"{family}","given":["{given}"]}}],"birthDate":"{born}"{more}}}"#
    ))
}

fn grade(one: &Features, other: &Features) -> Option<Grade> {
    compare(one, other).grade()
}

const PHONE: &str = r#","telecom":[{"system":"phone","value":"+1 (555) 010-0142"}]"#;
const HOME: &str = r#","telecom":[{"system":"phone","value":"555-010-0142"}],"address":[{"line":["1 Elm St."],"postalCode":"02139"}]"#;

#[test]
fn one_person_written_twice_is_graded_high() {
    let john = person("Smith", "John", "1961-03-14", "");
    for other in [
        person("SMITH", "john", "1961-03-14", ""),
        person("Smith-Jones", "John", "1961-03-14", ""),
        person("Smith", "Jack", "1961-03-14", ""),
        person("Smyth", "John", "1961-03-14", PHONE),
    ] {
        let mine = person("Smith", "John", "1961-03-14", PHONE);
        let one = if other.facts.phones.is_empty() { &john } else { &mine };
        assert_eq!(grade(one, &other), Some(Grade::High), "{:?}", compare(one, &other));
    }
}

#[test]
fn what_may_be_a_slip_is_to_be_looked_at() {
    let ann = person("García", "Ana", "1985-03-04", "");
    for other in [
        person("Garcia", "Ana", "1985-04-03", ""),
        person("Garsia", "Anna", "1985-03-04", ""),
        person("Garcia", "Ana", "1985-03-05", ""),
        person("Ana", "García", "1985-03-04", ""),
    ] {
        assert!(grade(&ann, &other) >= Some(Grade::Mid), "{:?}", compare(&ann, &other));
    }
    let other = person("Ana", "García", "1985-03-04", "");
    assert!(compare(&ann, &other).reasons.contains(&Reason::NamesSwapped));
}

#[test]
fn twins_of_one_household_are_two_people_to_look_at() {
    let (ann, ben) =
        (person("Lee", "Ann", "2010-01-01", HOME), person("Lee", "Ben", "2010-01-01", HOME));
    assert_eq!(grade(&ann, &ben), Some(Grade::Mid), "{:?}", compare(&ann, &ben));
}

#[test]
fn a_name_alone_makes_nobody_the_same() {
    let (one, other) =
        (person("Smith", "John", "1961-03-14", ""), person("Smith", "John", "1990-12-01", ""));
    assert_eq!(grade(&one, &other), None, "{:?}", compare(&one, &other));
    let unknown = features(r#"{"name":[{"text":"John Smith"}]}"#);
    assert_eq!(grade(&one, &unknown), Some(Grade::Low));
    let born_so = person("Nguyen", "Mai", "1961-03-14", "");
    assert_eq!(grade(&one, &born_so), None);
}

#[test]
fn an_identifier_counts_within_its_system_and_not_when_it_is_nothing() {
    let id = |system: &str, value: &str| {
        format!(r#","identifier":[{{"system":"{system}","value":"{value}"}}]"#)
    };
    let of = |system: &str, value: &str| person("Smith", "John", "1961-03-14", &id(system, value));
    let has = |one: &Features, other: &Features, reason: Reason| {
        compare(one, other).reasons.contains(&reason)
    };
    assert!(has(&of("urn:a", "A-12"), &of("urn:a", "a12"), Reason::IdentifierSame));
    assert!(!has(&of("urn:a", "12"), &of("urn:b", "12"), Reason::IdentifierSame));
    assert!(!has(&of("urn:a", "000"), &of("urn:a", "000"), Reason::IdentifierSame));
    assert!(has(&of(ONE_EACH, "1"), &of(ONE_EACH, "2"), Reason::IdentifierDiffers));
    assert!(
        !has(&of("urn:a", "1"), &of("urn:a", "2"), Reason::IdentifierDiffers),
        "duplicates have two numbers here"
    );
}

#[test]
fn every_reason_has_a_weight_and_words_of_its_own() {
    for (reason, weight, words) in WEIGHTS {
        assert_eq!((reason.weight(), reason.words()), (*weight, *words));
        assert_ne!(*weight, 0);
        assert_eq!(WEIGHTS.iter().filter(|row| row.2 == *words).count(), 1);
    }
}

/// Pairs as a records manager would tell of them, and what becomes of each.
const PAIRS: &[(&str, [&str; 5], [&str; 5])] = &[
    (
        "registered twice, the second time with a slip of the day",
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
        ["Okafor", "Bea", "1961-03-15", "card", "home"],
    ),
    (
        "parent and child: one insurance, one phone, one address",
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
        ["Okafor", "Chidi", "1990-07-02", "card", "home"],
    ),
    (
        "parent and child of one first name",
        ["Okafor", "John", "1961-03-14", "card", "home"],
        ["Okafor", "John", "1990-07-02", "card", "home"],
    ),
    (
        "twins of one household",
        ["Okafor", "Ada", "2010-01-01", "card", "home"],
        ["Okafor", "Ben", "2010-01-01", "card", "home"],
    ),
    (
        "a newborn without a birth date yet, and the mother",
        ["Okafor", "Baby Girl", "", "card", "home"],
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
    ),
    (
        "a couple of two names",
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
        ["Novak", "Jan", "1959-11-30", "card", "home"],
    ),
    (
        "the parent's social security number on the child's record",
        ["Okafor", "Bea", "1961-03-14", "ssn", "home"],
        ["Okafor", "Chidi", "1990-07-02", "ssn", "home"],
    ),
    (
        "one social security number, another first name since",
        ["Okafor", "Bea", "1961-03-14", "ssn", ""],
        ["Okafor", "Max", "1961-03-14", "ssn", ""],
    ),
    (
        "one insurance, another first name since",
        ["Okafor", "Bea", "1961-03-14", "card", ""],
        ["Okafor", "Max", "1961-03-14", "card", ""],
    ),
    (
        "married, and moved",
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
        ["Novak", "Bea", "1961-03-14", "card", ""],
    ),
    (
        "nobody's name: a number and a home alone",
        ["", "", "", "card", "home"],
        ["Okafor", "Bea", "1961-03-14", "card", "home"],
    ),
];

fn told([family, given, born, number, home]: [&str; 5]) -> Features {
    let number = match number {
        "card" => r#","identifier":[{"system":"urn:insurance","value":"X-100"}]"#,
        "ssn" => {
            r#","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"123-45-6789"}]"#
        }
        _ => "",
    };
    let born = if born.is_empty() { String::new() } else { format!(r#","birthDate":"{born}""#) };
    let name = match family {
        "" => String::new(),
        _ => format!(r#","name":[{{"family":"{family}","given":["{given}"]}}]"#),
    };
    let home = if home.is_empty() { "" } else { HOME };
    features(&format!(r#"{{"resourceType":"Patient"{name}{born}{number}{home}}}"#))
}

/// The text of `tests/golden/matching.txt`.
fn judged() -> String {
    let mut text =
        String::from("What becomes of two records, and why. Weights are hundredths of bits.\n");
    for (who, one, other) in PAIRS {
        let score = compare(&told(*one), &told(*other));
        let verdict = match score.grade() {
            Some(Grade::High) => "very likely the same: registering asks for a reason",
            Some(Grade::Mid) => "to be looked at side by side",
            Some(Grade::Low) => "worth a line",
            None => "not shown",
        };
        let _ = writeln!(text, "\n{who}\n  {verdict} ({})", score.weight);
        for reason in score.reasons {
            let _ = writeln!(text, "  {:>6}  {}", reason.weight(), reason.words());
        }
    }
    text
}

#[test]
fn a_household_is_not_one_person_and_one_person_is() {
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "matching.txt", &judged());
}

#[test]
fn no_outcome_alone_makes_two_records_one() {
    for (reason, weight, _) in WEIGHTS {
        assert!(*weight < HIGH, "{reason:?}");
    }
}

fn anybody() -> impl Strategy<Value = Features> {
    let names = prop::collection::vec(
        prop::sample::select(vec![
            "Smith", "Smyth", "John", "Jon", "Jack", "Ana", "J", "García", "王", "-",
        ]),
        0..3,
    );
    let born = prop::sample::select(vec![
        "1961-03-04",
        "1961-04-03",
        "1961-03-05",
        "1961",
        "1990-12-01",
        "x",
        "",
    ]);
    let sex = prop::sample::select(vec!["male", "female", "unknown", ""]);
    let phone = prop::sample::select(vec!["555-010-0142", "+1 555 010 0142", "5550100143", ""]);
    let id = prop::sample::select(vec!["1", "2", "00", ""]);
    let home = prop::sample::select(vec!["1 Elm St", "2 Oak St", ""]);
    (names.clone(), names, born, sex, phone, id, home).prop_map(|(families, givens, born, sex, phone, id, home)| {
        let list = |all: &[&str]| all.iter().map(|one| format!("\"{one}\"")).collect::<Vec<_>>().join(",");
        let names: Vec<String> = families
            .iter()
            .map(|family| format!(r#"{{"family":"{family}","given":[{}]}}"#, list(&givens)))
            .collect();
        features(&format!(
            r#"{{"name":[{}],"birthDate":"{born}","gender":"{sex}","telecom":[{{"system":"phone","value":"{phone}"}}],
            "identifier":[{{"system":"http://hl7.org/fhir/sid/us-ssn","value":"{id}"}}],"address":[{{"line":["{home}"],"postalCode":"02139"}}]}}"#,
            names.join(",")
        ))
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_who_comes_first(one in anybody(), other in anybody()) {
        prop_assert_eq!(compare(&one, &other), compare(&other, &one));
    }

    #[test]
    fn nobody_is_more_like_one_than_one_is_like_oneself(one in anybody(), other in anybody()) {
        prop_assert!(compare(&one, &other).weight <= compare(&one, &one).weight);
    }

    #[test]
    fn another_name_and_another_day_are_another_person(one in anybody(), other in anybody()) {
        let score = compare(&one, &other);
        let differs = |reason| score.reasons.contains(&reason);
        if differs(Reason::GivenDiffers) && differs(Reason::BornDiffers) {
            prop_assert!(score.grade() < Some(Grade::Mid), "{score:?}");
        }
    }

    #[test]
    fn a_score_is_the_sum_of_its_reasons(one in anybody(), other in anybody()) {
        let score = compare(&one, &other);
        prop_assert_eq!(score.weight, score.reasons.iter().map(|r| r.weight()).sum::<i32>());
    }
}
