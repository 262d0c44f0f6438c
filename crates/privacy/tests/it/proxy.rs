//! Who may act for a patient (45 CFR 164.502(g)).

use crate::support::{at, document};
use privacy::proxy::{Authority, Power, Proxy, Whose, last_day_of_minority};
use proptest::prelude::*;

fn related(authority: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"RelatedPerson","extension":[
          {{"url":"https://plummer.health/fhir/StructureDefinition/proxy-authority","valueCode":"{authority}"}},
          {{"url":"https://plummer.health/fhir/StructureDefinition/proxy-power","valueCode":"decide"}}],
          "name":[{{"given":["Ann"],"family":"Noether"}}],"relationship":[{{"text":"Mother"}}]{more}}}"#
    )
}

fn born(date: &str) -> Whose<'static> {
    Whose { born: date.to_owned(), ..Whose::default() }
}

fn read(authority: &str, more: &str, whose: &Whose<'_>, day: &str) -> Proxy {
    Proxy::read(document(&related(authority, more)).root(), whose, at(day)).unwrap()
}

fn stands(authority: &str, more: &str, date: &str, day: &str) -> bool {
    read(authority, more, &born(date), day).stands
}

#[test]
fn a_parent_acts_for_a_minor_and_for_nobody_of_age() {
    assert!(stands("parent-of-minor", "", "2010-03-14", "2028-03-13"));
    assert!(!stands("parent-of-minor", "", "2010-03-14", "2028-03-14"));
    // An end that was written down later brings nobody back, and an earlier one ends it.
    assert!(!stands(
        "parent-of-minor",
        r#","period":{"end":"2030-01-01"}"#,
        "2010-03-14",
        "2028-04-01"
    ));
    assert!(!stands(
        "parent-of-minor",
        r#","period":{"end":"2026-01-01"}"#,
        "2010-03-14",
        "2026-01-02"
    ));
    assert!(!stands("parent-of-minor", "", "", "2026-01-02"), "nobody knows whether it is a minor");
}

#[test]
fn other_authority_ends_with_its_period_or_when_it_is_taken_back() {
    for authority in ["guardian", "power-of-attorney", "personal-representative"] {
        assert!(stands(authority, "", "1950", "2026-01-01"), "{authority}");
        assert!(!stands(authority, r#","active":false"#, "1950", "2026-01-01"), "{authority}");
        let period = r#","period":{"start":"2026-02-01","end":"2026-02-28"}"#;
        for (day, holds) in [("2026-01-31", false), ("2026-02-28", true), ("2026-03-02", false)] {
            assert_eq!(stands(authority, period, "1950", day), holds, "{authority} {day}");
        }
        assert!(!stands(authority, r#","period":{"end":"soon"}"#, "1950", "2026-01-01"));
    }
}

#[test]
fn a_guardian_of_somebody_whose_birth_is_not_known_acts_until_a_day_or_not_at_all() {
    for (date, more, holds) in [
        ("", "", false),
        ("soon", "", false),
        ("", r#","period":{"end":"2026-06-30"}"#, true),
        ("", r#","period":{"start":"2020-01-01"}"#, false),
        ("1950", "", true),
    ] {
        assert_eq!(stands("guardian", more, date, "2026-01-01"), holds, "{date} {more}");
    }
    assert!(stands("power-of-attorney", "", "", "2026-01-01"), "only the grown give one");
}

#[test]
fn a_death_ends_every_authority_but_that_over_the_estate() {
    let dead = |json: &str| {
        let document = document(json);
        let whose = Whose::of(document.root(), None);
        assert_eq!(format!("{whose:?}"), "Whose(‹phi›)");
        move |authority: &str, more: &str| read(authority, more, &whose, "2026-06-15")
    };
    let on_a_day = dead(r#"{"birthDate":"2012-01-01","deceasedDateTime":"2026-05-02T10:00:00Z"}"#);
    for authority in ["parent-of-minor", "guardian", "power-of-attorney", "personal-representative"]
    {
        let proxy = on_a_day(authority, r#","period":{"start":"2026-01-01"}"#);
        assert_eq!((proxy.stands, proxy.until.as_str()), (false, "2026-05-02"), "{authority}");
        let since = on_a_day(authority, r#","period":{"start":"2026-05-10"}"#);
        assert_eq!(since.stands, authority == "personal-representative", "{authority}");
        assert!(!on_a_day(authority, "").stands, "{authority}: nobody knows since when");
    }
    // A day that is not known tells nobody of the estate.
    let some_day = dead(r#"{"birthDate":"2012-01-01","deceasedBoolean":true}"#);
    assert!(!some_day("personal-representative", r#","period":{"start":"2026-06-01"}"#).stands);
    let living = dead(r#"{"birthDate":"2012-01-01","deceasedBoolean":false}"#);
    assert!(living("guardian", "").stands);
}

#[test]
fn somebody_is_a_minor_until_the_last_day_of_it() {
    for (date, day, minor) in [
        ("2010-03-14", "2028-03-13", true),
        ("2010-03-14", "2028-03-14", false),
        ("", "2028-03-14", false),
    ] {
        assert_eq!(born(date).is_minor(at(day)), minor, "{date} {day}");
    }
}

#[test]
fn somebody_related_without_authority_does_not_act() {
    let json = r#"{"resourceType":"RelatedPerson","name":[{"text":"Ann"}]}"#;
    assert_eq!(Proxy::read(document(json).root(), &born("2010"), at("2026-01-01")), None);
    let odd = related("boss", "");
    assert_eq!(Proxy::read(document(&odd).root(), &born("2010"), at("2026-01-01")), None);
}

#[test]
fn a_proxy_says_who_they_are_and_what_they_may_do() {
    let proxy = read("guardian", "", &born("2010"), "2026-01-01");
    assert_eq!((proxy.name.as_str(), proxy.relationship.as_str()), ("Ann Noether", "Mother"));
    assert!(proxy.may(Power::Decide) && !proxy.may(Power::Record));
    assert_eq!(proxy.authority, Authority::Guardian);
    assert_eq!(format!("{proxy:?}"), "Proxy(‹phi›)");
}

#[test]
fn the_age_of_majority_is_that_of_the_state() {
    for (born, state, last) in [
        ("2010-03-14", None, "2028-03-13"),
        ("2010-03-14", Some("CA"), "2028-03-13"),
        ("2010-03-14", Some("AL"), "2029-03-13"),
        ("2010-03-14", Some("MS"), "2031-03-13"),
        ("2008-02-29", Some("CA"), "2026-02-27"),
        ("2010", None, "2027-12-31"),
        ("2010-03", None, "2028-02-29"),
    ] {
        assert_eq!(last_day_of_minority(born, state).as_deref(), Some(last), "{born} {state:?}");
    }
    assert_eq!(last_day_of_minority("", None), None);
}

proptest! {
    #[test]
    fn any_date_and_any_record_are_read(date in "\\PC{0,12}", day in "[0-9]{1,6}-[0-9]{1,3}-[0-9]{1,3}", value in "\\PC{0,12}") {
        let _ = (last_day_of_minority(&date, Some(&value)), last_day_of_minority(&day, None));
        let json = format!(r#"{{"extension":[{{"url":"{}","valueCode":{:?}}}],"period":{{"end":"{day}"}}}}"#, privacy::proxy::AUTHORITY, "guardian");
        let _ = Proxy::read(document(&json).root(), &Whose { born: date, died: Some(day), state: Some(&value) }, at("2026-01-01"));
    }
}
