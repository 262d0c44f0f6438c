//! Confidential communications (45 CFR 164.522(b)).

use crate::support::{at, document};
use fhir::Value;
use privacy::reach::{CONFIDENTIAL, is_confidential, reach};

fn patient(wishes: [&str; 3]) -> String {
    let wish = |wish: &str| match wish {
        "" => String::new(),
        wish => format!(r#""extension":[{{"url":"{CONFIDENTIAL}","valueBoolean":{wish}}}],"#),
    };
    format!(
        r#"{{"resourceType":"Patient","telecom":[
            {{{}"system":"phone","value":"home","rank":2}},
            {{{}"system":"phone","value":"work","rank":1}},
            {{"system":"phone","value":"gone","period":{{"end":"2020-01-01"}}}},
            {{"system":"phone","value":"was","use":"old"}}],
          "address":[{{{}"line":["1 Hill Road"]}}]}}"#,
        wish(wishes[0]),
        wish(wishes[1]),
        wish(wishes[2])
    )
}

fn ways(wishes: [&str; 3]) -> (Vec<String>, usize, bool) {
    let document = document(&patient(wishes));
    let reach = reach(document.root(), at("2026-11-22"));
    let value = |v: &Value<'_>| v.get_str("value").unwrap().into_owned();
    (reach.telecom.iter().map(value).collect(), reach.addresses.len(), reach.confidential)
}

#[test]
fn without_a_request_every_way_in_use_may_be_used_the_preferred_first() {
    assert_eq!(ways(["", "", ""]), (vec!["work".into(), "home".into()], 1, false));
}

#[test]
fn a_way_asked_for_is_the_only_way() {
    assert_eq!(ways(["true", "", ""]), (vec!["home".into()], 0, true));
}

#[test]
fn a_way_asked_not_to_be_used_is_left_out() {
    assert_eq!(ways(["false", "", ""]), (vec!["work".into()], 1, true));
    assert_eq!(ways(["", "", "false"]), (vec!["work".into(), "home".into()], 0, true));
}

#[test]
fn a_request_that_cannot_be_read_leaves_its_way_out() {
    assert_eq!(ways(["\"yes\"", "", ""]).0, ["work"]);
}

/// A patient whom registration gave a way that is used instead of others.
fn instead(address: bool, point: &str) -> String {
    let conf = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-AD-use","valueCode":"CONF"}],"line":["9 Quiet St"]}"#;
    let address = if address { format!(",{conf}") } else { String::new() };
    let point = match point {
        "" => String::new(),
        more => format!(
            r#",{{"extension":[{{"url":"urn:plummer:confidential","valueBoolean":true}}],"system":"phone","value":"quiet"{more}}}"#
        ),
    };
    format!(
        r#"{{"telecom":[{{"system":"phone","value":"home"}},{{"system":"email","value":"mail"}}{point}],"address":[{{"line":["1 Hill Road"]}}{address}]}}"#
    )
}

fn found(patient: &str) -> (Vec<String>, Vec<String>) {
    let document = document(patient);
    let reach = reach(document.root(), at("2026-11-22"));
    assert!(reach.confidential);
    let line = |v: &Value<'_>| {
        let first = v.get("line").unwrap().items().next().unwrap();
        first.as_str().unwrap().into_owned()
    };
    let value = |v: &Value<'_>| v.get_str("value").unwrap().into_owned();
    (reach.telecom.iter().map(value).collect(), reach.addresses.iter().map(line).collect())
}

#[test]
fn a_confidential_address_takes_the_place_of_addresses_and_a_confidential_phone_that_of_points() {
    let (points, lines) = found(&instead(true, ""));
    assert_eq!((points.len(), lines), (2, vec!["9 Quiet St".to_owned()]));
    let (points, lines) = found(&instead(false, r#","use":"mobile""#));
    assert_eq!((points, lines), (vec!["quiet".to_owned()], vec!["1 Hill Road".to_owned()]));
}

#[test]
fn a_confidential_way_that_is_over_brings_no_other_back() {
    let (points, _) = found(&instead(false, r#","use":"old""#));
    assert_eq!(points, [""; 0]);
    let (points, _) = found(&instead(false, r#","period":{"end":"2020"}"#));
    assert_eq!(points, [""; 0]);
}

#[test]
fn what_is_confidential_is_told_by_every_mark_and_by_no_other() {
    for (marked, json) in [
        (false, r#"{"value":"1"}"#),
        (true, r#"{"extension":[{"url":"urn:plummer:confidential","valueBoolean":true}]}"#),
        (false, r#"{"extension":[{"url":"urn:plummer:confidential","valueBoolean":false}]}"#),
        (false, r#"{"extension":[{"url":"urn:other","valueBoolean":true}]}"#),
    ] {
        assert_eq!(is_confidential(document(json).root()), marked, "{json}");
    }
    for (wish, marked) in [("true", true), ("false", false)] {
        let json = format!(r#"{{"extension":[{{"url":"{CONFIDENTIAL}","valueBoolean":{wish}}}]}}"#);
        assert_eq!(is_confidential(document(&json).root()), marked, "{wish}");
    }
}
