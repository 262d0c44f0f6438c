//! Confidential communications (45 CFR 164.522(b)).

use crate::support::{at, document};
use fhir::Value;
use privacy::reach::{CONFIDENTIAL, reach};

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
