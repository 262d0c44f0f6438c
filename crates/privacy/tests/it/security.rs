//! `meta.security` at a write: labels are not stripped by leaving them out (attack 23).

use crate::support::{at, document, label};
use access::Labels;
use fhir::Document;
use privacy::labelling::{BASIS, Labeller, RULES, Security, Source, Tagged};

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

fn coding(code: &str) -> String {
    format!(r#"{{"system":"{ACT}","code":"{code}"}}"#)
}

fn condition(code: &str, security: &[String]) -> String {
    let meta = match security {
        [] => String::new(),
        some => format!(r#""meta":{{"security":[{}]}},"#, some.join(",")),
    };
    format!(
        r#"{{"resourceType":"Condition","id":"c1",{meta}"code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{code}"}}]}}}}"#
    )
}

/// What would be stored, and its labels.
fn written(text: &str, before: Option<&Document>, may: bool) -> (Document, Security) {
    let labeller = Labeller::shipped().unwrap();
    let sent = document(text);
    let source = Source { state: Some("TX"), age_years: Some(40), tags: &[] };
    let labelled = labeller.label(sent.root(), at("2026-11-22"), &source, &Tagged::new());
    let security = Security::of(&labelled, sent.root(), before.map(Document::root), may);
    let mut out = Vec::new();
    security.write(sent.root(), &mut out);
    (document(std::str::from_utf8(&out).unwrap()), security)
}

fn codes(document: &Document) -> Vec<String> {
    let security = document.root().get("meta").and_then(|meta| meta.get("security"));
    let codings = security.into_iter().flat_map(fhir::Value::items);
    codings.map(|coding| coding.get_str("code").unwrap().into_owned()).collect()
}

#[test]
fn a_label_of_a_rule_tells_its_basis() {
    let (stored, security) = written(&condition("B20", &[]), None, false);
    assert_eq!(security.mask, label("HIV"));
    let expected = format!(
        r#""meta":{{"security":[{{"extension":[{{"url":"{BASIS}","valueCoding":{{"system":"{RULES}","code":"hiv"}}}}],"system":"{ACT}","code":"HIV"}}]}}"#
    );
    assert!(stored.text().contains(&expected), "{}", stored.text());
}

#[test]
fn a_label_left_out_of_an_update_stays_while_the_rule_applies() {
    let (stored, _) = written(&condition("B20", &[]), None, false);
    for may in [false, true] {
        let (again, security) = written(&condition("B20", &[]), Some(&stored), may);
        assert_eq!((codes(&again), security.mask), (vec!["HIV".to_owned()], label("HIV")));
    }
    let (corrected, security) = written(&condition("E11.9", &[]), Some(&stored), false);
    assert_eq!((codes(&corrected).len(), security.mask), (0, 0), "the rule applies no more");
    assert!(!corrected.text().contains("meta"));
}

#[test]
fn what_was_read_and_sent_back_changes_nothing() {
    let (stored, first) = written(&condition("B20", &[coding("PSY")]), None, false);
    let (again, second) = written(stored.text(), Some(&stored), false);
    assert_eq!((again.text(), first.mask), (stored.text(), second.mask));
    // A rule's label that is sent back where the rule does not apply is no person's.
    let moved = stored.text().replace("B20", "E11.9");
    let (moved, _) = written(&moved, Some(&stored), false);
    assert_eq!(codes(&moved), ["PSY"]);
}

#[test]
fn a_label_that_a_person_set_stays_unless_somebody_takes_it_off_who_may() {
    let (stored, _) = written(&condition("E11.9", &[coding("PSY"), coding("PSY")]), None, false);
    assert_eq!(codes(&stored), ["PSY"], "once");
    let (kept, security) = written(&condition("E11.9", &[]), Some(&stored), false);
    assert_eq!((codes(&kept), security.mask), (vec!["PSY".to_owned()], label("PSY")));
    let (off, security) = written(&condition("E11.9", &[]), Some(&stored), true);
    assert!(codes(&off).is_empty());
    assert_eq!((security.mask, security.taken_off), (0, Labels::named("PSY").unwrap()));
}

#[test]
fn a_label_of_a_rule_that_a_person_stated_too_stays_the_persons() {
    let (stored, security) = written(&condition("B20", &[coding("HIV")]), None, false);
    assert_eq!((codes(&stored), security.mask), (vec!["HIV".to_owned()], label("HIV")));
    assert!(!stored.text().contains(BASIS));
    let (corrected, _) = written(&condition("E11.9", &[]), Some(&stored), false);
    assert_eq!(codes(&corrected), ["HIV"]);
}

#[test]
fn the_rest_of_meta_and_of_the_record_is_as_it_was() {
    let text = r#"{"resourceType":"Condition","meta":{"tag":[{"code":"t"}],"profile":["http://p"]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"86406008"}]},"onsetAge":{"value":1.0}}"#;
    let (stored, _) = written(text, None, false);
    assert!(
        stored
            .text()
            .contains(r#""meta":{"tag":[{"code":"t"}],"profile":["http://p"],"security":["#)
    );
    assert!(stored.text().ends_with(r#""onsetAge":{"value":1.0}}"#));
    let (plain, security) =
        written(r#"{"resourceType":"Basic","meta":{"tag":[{"code":"t"}]}}"#, None, false);
    assert_eq!(plain.text(), r#"{"resourceType":"Basic","meta":{"tag":[{"code":"t"}]}}"#);
    assert_eq!(security.json, None);
}

#[test]
fn a_coding_that_nobody_knows_is_kept_and_has_the_last_bit() {
    let odd = r#"{"system":"urn:x","code":"y"}"#.to_owned();
    let (stored, security) = written(&condition("E11.9", &[odd]), None, false);
    assert_eq!((codes(&stored), security.mask), (vec!["y".to_owned()], 1 << 63));
}
