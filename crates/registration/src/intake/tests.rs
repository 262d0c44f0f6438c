//! What a form says becomes a Patient and is read out of it again.

use super::*;
use crate::write;
use base::Limits;
use fhir::Document;
use proptest::prelude::*;

const NOW: Millis = Millis(1_795_000_000_000);

fn read(bytes: Vec<u8>) -> Document {
    Document::parse(bytes, &Limits::default()).expect("JSON")
}

fn ada() -> Intake {
    Intake {
        family: "Lovelace".into(),
        given: "Ada King".into(),
        birth_date: "1961-03-14".into(),
        ..Intake::default()
    }
}

#[test]
fn a_name_and_a_date_of_birth_are_enough_and_less_is_not() {
    assert!(ada().wrong(NOW).is_empty());
    let missing: Vec<_> = Intake::default().wrong(NOW);
    assert_eq!(missing, [("family", Wrong::Missing), ("birth_date", Wrong::Missing)]);
    let unknown = Intake { birth_date: String::new(), birth_unknown: YES.into(), ..ada() };
    assert!(unknown.wrong(NOW).is_empty());
}

#[test]
fn each_field_that_is_wrong_is_named_with_what_is_wrong() {
    let odd = Intake {
        birth_date: "2999-01-01".into(),
        gender: "lady".into(),
        mobile: "call me".into(),
        email: "ada@home".into(),
        prefers: "home_phone".into(),
        contact_phone: "608 555 0123".into(),
        other_number: "1".into(),
        suffix: "x".repeat(21),
        ..ada()
    };
    let wrong = odd.wrong(NOW);
    let expected = [
        ("suffix", Wrong::TooLong),
        ("birth_date", Wrong::Future),
        ("gender", Wrong::NotOffered),
        ("mobile", Wrong::NoPhone),
        ("email", Wrong::NoEmail),
        ("prefers", Wrong::NoWay),
        ("contact_name", Wrong::Missing),
        ("other_kind", Wrong::Missing),
    ];
    assert_eq!(wrong, expected);
    for (born, what) in [("1850-01-01", Wrong::TooLongAgo), ("14 March", Wrong::NoDate)] {
        let one = Intake { birth_date: born.into(), ..ada() };
        assert_eq!(one.wrong(NOW), [("birth_date", what)]);
    }
}

#[test]
fn a_change_leaves_everything_that_the_form_is_not_about() {
    let before = read(
        br#"{"resourceType":"Patient","id":"a","extension":[{"url":"http://x/race","valueString":"r"}],"name":[{"use":"maiden","family":"Byron"},{"use":"official","family":"Lovelace","given":["Ada"],"prefix":["Dr."],"text":"Dr. Ada"}],"telecom":[{"system":"phone","use":"work","value":"1"},{"system":"phone","use":"home","value":"608 555 0123","period":{"start":"2020"}}],"birthDate":"1961-03-14","_birthDate":{"extension":[{"url":"http://x/time","valueString":"noon"}]},"address":[{"use":"billing","city":"Reno"}],"contact":[{"relationship":[{"coding":[{"code":"N"}]}],"name":{"family":"King"},"gender":"male"}],"generalPractitioner":[{"reference":"Practitioner/p"}]}"#
            .to_vec(),
    );
    let mut intake = Intake::of(before.root());
    assert_eq!(
        (intake.home_phone.as_str(), intake.contact_name.as_str()),
        ("608 555 0123", "King")
    );
    intake.family = "King".into();
    intake.private_line = "9 Quiet St".into();
    let after = read(write::changed(before.root(), &intake));
    let text = after.root().raw();
    for kept in [
        "Byron",
        "Dr.",
        r#""value":"1""#,
        r#""start":"2020""#,
        "noon",
        "Reno",
        r#"{"coding":[{"code":"N"}]}"#,
        "Practitioner/p",
        "http://x/race",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("Dr. Ada"), "a text of the old name would contradict it: {text}");
    let private = each(after.root(), "address").find(|one| is_confidential(*one));
    assert!(private.is_some_and(|one| one.raw().contains("Quiet")));
    assert_eq!(Intake::of(after.root()), intake);
    // Another day of birth has no hour of the old one.
    intake.birth_date = "1961-03-15".into();
    assert!(!read(write::changed(before.root(), &intake)).root().raw().contains("noon"));
}

#[test]
fn what_is_emptied_is_gone_and_nothing_else() {
    let whole = Intake { mobile: "608 555 0123".into(), email: "a@b.example".into(), ..ada() };
    let before = read(write::new(&whole, "000000013", "f"));
    let after = read(write::changed(before.root(), &Intake { mobile: String::new(), ..whole }));
    let text = after.root().raw();
    assert!(!text.contains("0123") && text.contains("a@b.example") && text.contains("000000013"));
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[A-Za-zÀ-ÿ'\"\\\\-]{1,12}( [a-z]{1,6})?"]
}

proptest! {
    #[test]
    fn a_patient_says_what_the_form_said(
        words in proptest::collection::vec(word(), 17),
        gender in 0_usize..4, sex in 0_usize..4, way in 0_usize..3, interpreter in any::<bool>(),
        number in "[0-9]{7,10}",
    ) {
        let mut intake = Intake { birth_date: "1961-03-14".into(), ..Intake::default() };
        let fields = [
            "family", "given", "suffix", "pronouns", "line", "city", "state", "postal_code",
            "country", "private_line", "private_city", "private_state", "private_postal_code",
            "contact_name", "used",
        ];
        for (field, value) in fields.iter().zip(&words) {
            intake.set(field, value);
        }
        // Both name parts empty is no name to write down.
        if intake.family.is_empty() && intake.given.is_empty() {
            intake.family = "X".into();
        }
        intake.gender = GENDERS[gender].into();
        intake.sex_clinical = SEXES[sex].into();
        intake.mobile = number.clone();
        intake.home_phone = number.clone();
        intake.private_phone = number;
        if interpreter { intake.private_text = YES.into(); }
        intake.private_email = "c@d.example".into();
        intake.email = "a@b.example".into();
        intake.prefers = WAYS[way].into();
        intake.language = "es".into();
        if interpreter { intake.interpreter = YES.into(); }
        if !intake.contact_name.is_empty() { intake.contact_relation.clone_from(&words[15]); }
        let first = read(write::new(&intake, "000000013", "f"));
        prop_assert_eq!(&Intake::of(first.root()), &intake);
        let again = read(write::changed(first.root(), &intake));
        prop_assert_eq!(&Intake::of(again.root()), &intake);
        let issues = validation::validate(first.root(), &validation::Options::default());
        prop_assert!(issues.iter().all(|one| one.severity < base::Severity::Error), "{:?}", issues);
    }

    #[test]
    fn any_form_is_read_and_judged(values in proptest::collection::vec("\\PC{0,130}", 33)) {
        let mut at = values.iter();
        let intake = Intake::read(|_| "");
        prop_assert_eq!(intake, Intake::default());
        let mut intake = Intake::default();
        for (name, _) in Intake::FIELDS {
            intake.set(name, at.next().map_or("", String::as_str));
        }
        let _ = intake.wrong(NOW);
        let _ = read(write::new(&intake, "1", "f"));
    }
}
