//! Records without what a role does not need to see.

use crate::support::{document, kind, user};
use access::{PrincipalKind, Who};
use base::Limits;
use privacy::elements::{ElementMask, Elements};
use std::sync::Arc;

const APPOINTMENT: &str = r##"{"resourceType":"Appointment","id":"a1","text":{"status":"generated","div":"<div>Depression</div>"},"contained":[{"resourceType":"Condition","id":"c","code":{"text":"Depression"}}],"status":"booked","reasonCode":[{"text":"Depression"}],"description":"Depression","_description":{"extension":[{"url":"u","valueString":"Depression"}]},"reasonReference":[{"reference":"#c"}],"start":"2026-01-01T08:00:00Z","comment":"Depression","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"}]}"##;
const TAG: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

pub(crate) fn mask(roles: &[&str]) -> ElementMask {
    let mut who = user("u");
    who.roles = roles.iter().map(|role| Arc::from(*role)).collect();
    Elements::shipped().unwrap().mask(&who)
}

fn pruned(mask: &ElementMask, text: &str) -> Option<String> {
    let of = document(text).root().get_str("resourceType").unwrap().into_owned();
    let out = mask.prune(kind(&of), text.as_bytes(), &Limits::default()).unwrap();
    out.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn the_front_desk_sees_when_and_who_and_not_why() {
    let seen = pruned(&mask(&["front-desk"]), APPOINTMENT).unwrap();
    assert_eq!(
        seen,
        format!(
            r#"{{"resourceType":"Appointment","id":"a1","status":"booked","start":"2026-01-01T08:00:00Z","participant":[{{"actor":{{"reference":"Patient/p1"}},"status":"accepted"}}],"meta":{{"tag":[{TAG}]}}}}"#
        )
    );
}

#[test]
fn a_role_that_sees_the_type_whole_shows_it_and_a_role_without_a_say_does_not() {
    assert_eq!(pruned(&mask(&["clinician"]), APPOINTMENT), None);
    assert_eq!(pruned(&mask(&["front-desk", "nurse"]), APPOINTMENT), None);
    assert!(pruned(&mask(&["front-desk", "biller"]), APPOINTMENT).is_some());
    assert!(pruned(&mask(&["front-desk", "no-such-role"]), APPOINTMENT).is_some());
    assert!(mask(&[]).is_empty());
}

#[test]
fn of_two_roles_that_hide_parts_what_both_hide_stays_hidden() {
    let text = "role a\n Encounter hospitalization reasonCode\nrole b\n Encounter hospitalization.dietPreference\n";
    let elements = Elements::load("e.txt", text).unwrap();
    let mut who = user("u");
    who.roles = vec!["a".into(), "b".into()];
    let mask = elements.mask(&who);
    let text = r#"{"resourceType":"Encounter","status":"planned","reasonCode":[{"text":"r"}],"hospitalization":{"dietPreference":[{"text":"d"}],"reAdmission":{"text":"a"}}}"#;
    let seen = pruned(&mask, text).unwrap();
    assert!(seen.contains("reAdmission") && seen.contains("reasonCode"), "{seen}");
    assert!(!seen.contains("dietPreference"), "{seen}");
}

#[test]
fn from_an_agent_is_hidden_what_is_hidden_from_it_and_from_its_user() {
    let mut who = Who::new(PrincipalKind::Agent, "a", "clinic");
    who.roles = vec!["agent".into()];
    let mut desk = user("u");
    desk.roles = vec!["front-desk".into()];
    who.on_behalf_of = Some(Arc::new(desk));
    let mask = Elements::shipped().unwrap().mask(&who);
    assert!(pruned(&mask, APPOINTMENT).is_some());
    let patient = r#"{"resourceType":"Patient","meta":{"tag":[{"code":"t"}],"versionId":"1"},"identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"111"},{"system":"urn:mrn","value":"7"}],"active":true}"#;
    assert_eq!(
        pruned(&mask, patient).unwrap(),
        format!(
            r#"{{"resourceType":"Patient","meta":{{"tag":[{{"code":"t"}},{TAG}],"versionId":"1"}},"identifier":[{{"system":"urn:mrn","value":"7"}}],"active":true}}"#
        )
    );
    let only = r#"{"resourceType":"Patient","meta":{"versionId":"1"},"identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn","value":"111"}]}"#;
    assert_eq!(
        pruned(&mask, only).unwrap(),
        format!(r#"{{"resourceType":"Patient","meta":{{"versionId":"1","tag":[{TAG}]}}}}"#)
    );
    let without = r#"{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"7"}]}"#;
    assert_eq!(pruned(&mask, without), None);
}

#[test]
fn a_resource_within_another_is_pruned_as_itself() {
    let mask = mask(&["front-desk"]);
    for text in [
        format!(r#"{{"resourceType":"Task","contained":[{APPOINTMENT}],"status":"draft"}}"#),
        format!(
            r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{APPOINTMENT}}}]}}"#
        ),
        format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"a","part":[{{"name":"b","resource":{APPOINTMENT}}}]}}]}}"#
        ),
    ] {
        let seen = pruned(&mask, &text).unwrap();
        assert!(seen.contains("SUBSETTED") && seen.contains("booked"), "{seen}");
        assert!(!seen.contains("Depression"), "{seen}");
    }
    let other =
        r#"{"resourceType":"Task","contained":[{"resourceType":"Basic"}],"status":"draft"}"#;
    assert_eq!(pruned(&mask, other), None);
}

#[test]
fn a_file_that_is_not_understood_is_refused_at_its_line() {
    for (text, line) in [
        ("Patient photo", 1),
        ("role a\nrole a", 2),
        ("role a b", 1),
        ("role a\n Patient", 2),
        ("role a\n Patience photo", 2),
        ("role a\n Patient foto", 2),
        ("role a\n shows Everything", 2),
        ("role a\n Patient active", 2),          // a modifier
        ("role a\n Appointment participant", 2), // whose it is, and needed
        ("role a\n Encounter subject", 2),       // whose it is
        ("role a\n Observation code", 2),        // must be there
        ("role a\n Patient meta", 2),
        ("role a\n Patient photo[x]", 2), // has no system
        ("role a\n Patient identifier[x", 2),
        ("role a\n Observation value.code", 2), // below a choice
    ] {
        let fault = Elements::load("e.txt", text).unwrap_err();
        assert_eq!(fault.code().name, "privacy.rules.invalid");
        assert!(fault.to_string().contains(&format!("e.txt:{line}:")), "{text}: {fault}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics_the_reading(text in "(role|shows|Patient|photo|[ \n*#.a-z\\[\\]]){0,40}") {
        drop(Elements::load("e.txt", &text));
    }
}
