//! What holds of all consents, over thrown ones: revoking a permit narrows, adding a deny never
//! widens, and the order in which they came does not matter.

use crate::consent::consent;
use crate::support::{Dice, at, document, kind, label, user};
use access::Purpose;
use privacy::consent::{Actor, PatientRules, Question, Releases};
use proptest::prelude::*;

const LABELS: [&str; 4] = ["42CFRPart2", "HIV", "SUD", "urn:unknown"];
const TYPES: [&str; 3] = ["Observation", "Condition", "Encounter"];

fn coding(system: &str, code: &str) -> String {
    format!(r#"{{"system":"{system}","code":"{code}"}}"#)
}

fn provision(dice: &mut Dice, depth: usize, deny: bool) -> String {
    let mut parts = vec![format!(r#""type":"{}""#, if deny { "deny" } else { "permit" })];
    if dice.one_in(2) {
        let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        parts.push(format!(r#""securityLabel":[{}]"#, coding(act, dice.of(&LABELS))));
    }
    if dice.one_in(2) {
        let code = dice.of(&["TREAT", "HPAYMT", "ETREAT", "HLEGAL", "WHAT"]);
        let reason = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
        parts.push(format!(
            r#""purpose":[{},{}]"#,
            coding(reason, code),
            coding(reason, "HOPERAT")
        ));
    }
    if dice.one_in(3) {
        let reference =
            dice.of(&["Practitioner/p1", "Practitioner/p2", "Group/g", "CareTeam/team-1"]);
        let role = dice.of(&["PRCP", "PRCP", "CST"]);
        parts.push(format!(
            r#""actor":[{{"role":{{"coding":[{{"code":"{role}"}}]}},"reference":{{"reference":"{reference}"}}}}]"#
        ));
    }
    if dice.one_in(4) {
        let end = dice.of(&["2026-06", "2025", "soon", "2027-01-01"]);
        parts.push(format!(r#""period":{{"start":"2020","end":"{end}"}}"#));
    }
    if dice.one_in(4) {
        let system = dice.of(&["http://hl7.org/fhir/resource-types", "urn:x"]);
        parts.push(format!(r#""class":[{}]"#, coding(system, dice.of(&TYPES))));
    }
    if dice.one_in(6) {
        let meaning = dice.of(&["instance", "related"]);
        parts.push(format!(
            r#""data":[{{"meaning":"{meaning}","reference":{{"reference":"Observation/r1"}}}}]"#
        ));
    }
    if dice.one_in(6) {
        let action = dice.of(&["access", "disclose", "correct", "odd"]);
        parts.push(format!(r#""action":[{{"coding":[{{"code":"{action}"}}]}}]"#));
    }
    if dice.one_in(8) {
        parts.push(r#""code":[{"text":"x"}]"#.to_owned());
    }
    if depth < 3 && dice.one_in(2) {
        let inner = dice.one_in(2);
        let inner = provision(dice, depth + 1, inner);
        parts.push(format!(r#""provision":[{{{inner}}}]"#));
    }
    parts.join(",")
}

fn thrown(dice: &mut Dice, deny: Option<bool>) -> String {
    let deny = deny.unwrap_or_else(|| dice.one_in(2));
    let mut text = consent("", &provision(dice, 0, deny));
    if dice.one_in(6) {
        text = text.replace("patient-privacy", dice.of(&["research", "treatment", "else"]));
    }
    if dice.one_in(8) {
        text =
            text.replace("Patient/ada", dice.of(&["Patient/bob", "https://x.example/Patient/ada"]));
    }
    text
}

fn collected(texts: &[(String, String)]) -> Releases {
    let mut releases = Releases::default();
    for (id, text) in texts {
        releases.put(id, document(text).root());
    }
    releases
}

fn questions() -> Vec<(Purpose, bool)> {
    let purposes = [Purpose::Treatment, Purpose::Payment, Purpose::Emergency, Purpose::Legal];
    purposes.into_iter().flat_map(|purpose| [(purpose, false), (purpose, true)]).collect()
}

/// Every record that could be told apart, and whether the rules leave it visible.
fn visible(rules: &PatientRules) -> Vec<bool> {
    let walled = label("42CFRPart2") | label("SUD") | label("HIV");
    let mut seen = Vec::new();
    for patient in ["ada", "bob"] {
        for of in TYPES {
            for id in ["r1", "r2"] {
                for labels in 0..8_u64 {
                    let mask = [label("42CFRPart2"), label("SUD"), label("HIV")]
                        .into_iter()
                        .enumerate()
                        .filter(|(bit, _)| labels >> bit & 1 == 1)
                        .fold(0, |mask, (_, label)| mask | label);
                    seen.push(rules.leaves(patient, kind(of), id, mask, walled));
                }
            }
        }
    }
    seen
}

fn asked(releases: &Releases) -> Vec<PatientRules> {
    let actor = Actor::of(&user("grace")).is("Practitioner", "p1");
    let ask = |(purpose, release)| {
        releases.rules(&Question { actor: &actor, purpose, release, now: at("2026-06-15") })
    };
    questions().into_iter().map(ask).collect()
}

/// Nothing is visible in `less` that is not in `more`.
fn within(less: &[PatientRules], more: &[PatientRules]) -> bool {
    less.iter().zip(more).all(|(less, more)| {
        visible(less).into_iter().zip(visible(more)).all(|(less, more)| more || !less)
    })
}

/// A permit that no deny stands in: taking it away takes away what it grants and nothing else.
fn permits_only(text: &str) -> bool {
    !text.contains(r#""type":"deny""#)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn revoking_a_permit_always_narrows(seed in any::<u64>(), size in 1_usize..5) {
        let mut dice = Dice(seed);
        let mut texts: Vec<_> =
            (0..size).map(|n| (format!("c{n}"), thrown(&mut dice, None))).collect();
        let mut permit = thrown(&mut dice, Some(false));
        while !permits_only(&permit) {
            permit = thrown(&mut dice, Some(false));
        }
        let without = asked(&collected(&texts));
        texts.push(("p".to_owned(), permit.clone()));
        let with = asked(&collected(&texts));
        prop_assert!(within(&without, &with), "{permit}");
        texts.pop();
        texts.push(("p".to_owned(), permit.replace("\"active\"", "\"inactive\"")));
        prop_assert_eq!(asked(&collected(&texts)), without);
    }

    #[test]
    fn adding_a_deny_never_widens(seed in any::<u64>(), size in 0_usize..5) {
        let mut dice = Dice(seed);
        let mut texts: Vec<_> =
            (0..size).map(|n| (format!("c{n}"), thrown(&mut dice, None))).collect();
        let before = asked(&collected(&texts));
        let deny = thrown(&mut dice, Some(true));
        texts.push(("d".to_owned(), deny.clone()));
        prop_assert!(within(&asked(&collected(&texts)), &before), "{deny}");
    }

    #[test]
    fn the_order_in_which_consents_came_does_not_matter(seed in any::<u64>(), size in 2_usize..6) {
        let mut dice = Dice(seed);
        let mut texts: Vec<_> =
            (0..size).map(|n| (format!("c{n}"), thrown(&mut dice, None))).collect();
        let one = asked(&collected(&texts));
        texts.reverse();
        let mid = dice.below(size);
        texts.rotate_left(mid);
        prop_assert_eq!(asked(&collected(&texts)), one);
    }

    #[test]
    fn no_document_panics_the_reading(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let text = thrown(&mut dice, None);
        // Each member in turn becomes something else.
        let at = dice.below(text.len());
        let broken = format!("{}{}", &text[..at], dice.of(&["", "x"]));
        let odd = [text.replace(":[{", ":[7,{"), text.replace("\":{", "\":[[]],\"x\":{"), broken];
        for text in odd {
            if let Ok(document) = fhir::Document::parse_text(text, &base::Limits::default()) {
                let mut releases = Releases::default();
                releases.put("c", document.root());
                asked(&releases);
            }
        }
    }
}

#[test]
fn the_thrown_consents_grant_and_deny_often_enough_to_test_with() {
    let mut dice = Dice(1);
    let (mut grants, mut denies) = (0, 0);
    for _ in 0..300 {
        let rules = asked(&collected(&[("c".to_owned(), thrown(&mut dice, None))]));
        grants += usize::from(rules.iter().any(|r| !r.granted.is_empty() || !r.partly.is_empty()));
        denies += usize::from(rules.iter().any(|r| !r.denied.is_empty()));
    }
    assert!(grants > 15 && denies > 60, "{grants} grant, {denies} deny");
}
