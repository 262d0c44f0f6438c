//! The rules, one by one: what is refused, with which code and where, and what is not.

use base::{Limits, Severity};
use fhir::Document;
use validation::{ISSUES_MAX, Options, validate};

/// `code place` of every issue; warnings begin with a question mark.
fn issues_with(options: &Options, json: &str) -> Vec<String> {
    let document = Document::parse_text(json.to_owned(), &Limits::default()).expect(json);
    validate(document.root(), options)
        .into_iter()
        .map(|issue| {
            let mark = if issue.severity == Severity::Warning { "?" } else { "" };
            let place = issue.expression.unwrap_or_default();
            let short = issue.code.name.trim_start_matches("validation.");
            format!("{mark}{short} {place}")
        })
        .collect()
}

fn issues(json: &str) -> Vec<String> {
    issues_with(&Options::default(), json)
}

/// Issues of a patient with these members.
#[track_caller]
fn patient(members: &str, expected: &[&str]) {
    let found = issues(&format!(r#"{{"resourceType":"Patient",{members}}}"#));
    assert_eq!(found, expected, "{members}");
}

#[test]
fn the_resource_itself() {
    assert_eq!(issues(r#"{"resourceType":"Patient"}"#), [""; 0]);
    assert_eq!(issues("[]"), ["fhir.resource.not-object "]);
    assert_eq!(issues(r#"{"id":"1"}"#), ["fhir.resource.not-object "]);
    assert_eq!(issues(r#"{"resourceType":1}"#), ["fhir.resource.not-object "]);
    for name in ["Patientt", "patient", "DomainResource", "HumanName", "Patient.contact", ""] {
        let found = issues(&format!(r#"{{"resourceType":"{name}"}}"#));
        assert_eq!(found.len(), 1, "{name}");
        assert!(found[0].starts_with("fhir.resource.unknown-type"), "{found:?}");
    }
    patient(r#""id":"a b""#, &["primitive.format Patient.id"]);
}

#[test]
fn names_and_choices() {
    patient(r#""foo":1"#, &["element.unknown Patient.foo"]);
    patient(r#""_foo":{"id":"x"}"#, &["element.unknown Patient.foo"]);
    patient(r#""fhir_comments":["x"]"#, &["element.unknown Patient.fhir_comments"]);
    patient(
        r#""name":[{"resourceType":"HumanName"}]"#,
        &["element.unknown Patient.name[0].resourceType"],
    );
    // HumanName has no modifierExtension, Patient.contact has.
    let extension = r#""modifierExtension":[{"url":"http://x/y","valueCode":"a"}]"#;
    let at = "element.unknown Patient.name[0].modifierExtension";
    patient(&format!(r#""name":[{{{extension}}}]"#), &[at]);
    patient(&format!(r#""contact":[{{{extension}}}]"#), &[]);
    patient(r#""deceased":true"#, &["element.unknown Patient.deceased"]);
    patient(r#""deceasedString":"x""#, &["element.unknown Patient.deceasedString"]);
    patient(
        r#""deceasedBoolean":true,"deceasedDateTime":"2026""#,
        &["element.choice Patient.deceasedDateTime"],
    );
    let absent = r#"{"extension":[{"url":"http://x/y","valueCode":"a"}]}"#;
    patient(
        &format!(r#""deceasedBoolean":true,"_deceasedDateTime":{absent}"#),
        &["element.choice Patient.deceasedDateTime"],
    );
    patient(&format!(r#""deceasedBoolean":true,"_deceasedBoolean":{absent}"#), &[]);
}

#[test]
fn shapes() {
    patient(r#""gender":["female"]"#, &["element.repeats Patient.gender"]);
    patient(r#""maritalStatus":[{"text":"x"}]"#, &["element.repeats Patient.maritalStatus"]);
    patient(r#""name":{"family":"x"}"#, &["element.type Patient.name"]);
    patient(r#""name":[[{"family":"x"}]]"#, &["element.repeats Patient.name[0]"]);
    patient(r#""name":[{"given":"x"}]"#, &["element.type Patient.name[0].given"]);
    patient(r#""name":["x"]"#, &["element.type Patient.name[0]"]);
    patient(r#""active":"true""#, &["element.type Patient.active"]);
    patient(r#""multipleBirthInteger":1.0"#, &["primitive.format Patient.multipleBirthInteger"]);
}

#[test]
fn hints_help_without_quoting() {
    let hint = |members: &str| {
        let json = format!(r#"{{"resourceType":"Patient",{members}}}"#);
        let document = Document::parse_text(json, &Limits::default()).expect("JSON");
        validate(document.root(), &Options::default()).remove(0).diagnostics
    };
    assert!(hint(r#""birthdate":"2026""#).contains("is birthDate meant?"));
    assert!(hint(r#""deceased":true"#).contains("deceased[x]"));
    assert!(hint(r#""gender":"F""#).starts_with("'F' is not in http"));
    assert!(!hint(r#""gender":"Jane Doe""#).contains("Jane"));
    assert!(!hint(r#""Jane Doe":"x""#).contains("Jane"));
    assert!(!hint(r#""birthDate":"19991231""#).contains("1999"));
}

#[test]
fn siblings_of_primitives() {
    let e = r#"{"extension":[{"url":"http://x/y","valueCode":"a"}]}"#;
    patient(&format!(r#""_birthDate":{e}"#), &[]);
    patient(r#""birthDate":"2026","_birthDate":{"id":"x"}"#, &[]);
    patient(r#""_birthDate":{"id":"x"}"#, &["invariant.failed Patient.birthDate"]);
    patient(r#""birthDate":"2026","_birthDate":{}"#, &["element.empty Patient.birthDate"]);
    patient(r#""birthDate":null"#, &["element.null Patient.birthDate"]);
    patient(&format!(r#""birthDate":null,"_birthDate":{e}"#), &["element.null Patient.birthDate"]);
    patient(r#""_name":[{"id":"x"}]"#, &["element.unknown Patient.name"]);
    patient(r#""name":[{"family":"x","_id":{"id":"x"}}]"#, &["element.unknown Patient.name[0].id"]);
    let name = |members: &str, expected: &[&str]| {
        patient(&format!(r#""name":[{{{members}}}]"#), expected);
    };
    name(&format!(r#""given":["x",null],"_given":[null,{e}]"#), &[]);
    name(&format!(r#""given":["x"],"_given":[null,{e}]"#), &[]);
    name(&format!(r#""given":["x","y"],"_given":[{e}]"#), &[]);
    name(&format!(r#""_given":[{e}]"#), &[]);
    name(r#""given":["x",null]"#, &["element.null Patient.name[0].given[1]"]);
    name(r#""given":[null],"_given":[null]"#, &["element.null Patient.name[0].given[0]"]);
    name(r#""_given":[null]"#, &["element.null Patient.name[0].given[0]"]);
    name(
        &format!(r#""given":["x",null],"_given":[{e}]"#),
        &["element.null Patient.name[0].given[1]"],
    );
    name(&format!(r#""given":["x"],"_given":{e}"#), &["element.type Patient.name[0].given"]);
    name(
        &format!(r#""given":["x"],"_given":[],"family":"x","_family":[{e}]"#),
        &["element.empty Patient.name[0].given", "element.repeats Patient.name[0].family"],
    );
}

#[test]
fn extensions() {
    let extension = |members: &str, expected: &[&str]| {
        patient(&format!(r#""extension":[{{{members}}}]"#), expected);
    };
    let at = "Patient.extension[0]";
    extension(r#""url":"http://unknown.example/x","valueInteger":1"#, &[]);
    extension(r#""valueInteger":1"#, &[&format!("element.required {at}.url")]);
    extension(r#""url":"x","valueInteger":1"#, &[&format!("primitive.format {at}.url")]);
    extension(r#""url":"http://x/y""#, &[&format!("invariant.failed {at}")]);
    let inner = r#""extension":[{"url":"x","valueInteger":1}]"#;
    extension(&format!(r#""url":"http://x/y",{inner}"#), &[]);
    extension(
        &format!(r#""url":"http://x/y","valueInteger":1,{inner}"#),
        &[&format!("invariant.failed {at}")],
    );
    extension(
        r#""url":"http://x/y","valueInteger":"1""#,
        &[&format!("element.type {at}.valueInteger")],
    );
}

#[test]
fn required_bindings() {
    let condition = |status: &str| {
        let subject = r#""subject":{"display":"x"}"#;
        let json = format!(r#"{{"resourceType":"Condition",{subject},"clinicalStatus":{status}}}"#);
        issues(&json)
    };
    let refused = ["binding.required Condition.clinicalStatus"];
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    let own = r#"{"system":"http://own","code":"a"}"#;
    let good = format!(r#"{{"system":"{system}","code":"active"}}"#);
    assert_eq!(condition(&format!(r#"{{"coding":[{own},{good}]}}"#)), [""; 0]);
    assert_eq!(condition(&format!(r#"{{"coding":[{own}]}}"#)), refused);
    assert_eq!(condition(r#"{"coding":[{"code":"active"}]}"#), refused);
    assert_eq!(
        condition(
            &good.replace("active", "x").replace("{\"s", "{\"coding\":[{\"s").replace('}', "}]}")
        ),
        refused
    );
    assert_eq!(condition(r#"{"text":"active"}"#), refused);
    patient(r#""gender":"female""#, &[]);
    patient(r#""gender":"Female""#, &["binding.required Patient.gender"]);
    // No list of all media types or languages: any well-formed code.
    patient(r#""photo":[{"contentType":"image/x-own"}],"language":"tlh""#, &[]);
    let telecom = r#""telecom":[{"system":"phone","use":"work"},{"system":"pigeon"}]"#;
    patient(telecom, &["binding.required Patient.telecom[1].system"]);
}

#[test]
fn references() {
    let general = |reference: &str, expected: &[&str]| {
        patient(&format!(r#""generalPractitioner":[{reference}]"#), expected);
    };
    let at = "Patient.generalPractitioner[0]";
    let form = format!("reference.form {at}.reference");
    let target = format!("reference.target {at}.reference");
    for good in ["Practitioner/1", "https://x/fhir/Organization/1", "urn:uuid:x", "http://x/y"] {
        general(&format!(r#"{{"reference":"{good}"}}"#), &[]);
    }
    for bad in ["practitioner/1", "Practitioner", "1", "Practitioner/a b"] {
        general(&format!(r#"{{"reference":"{bad}"}}"#), &[&form]);
    }
    general(r#"{"reference":"Location/1"}"#, &[&target]);
    general(r#"{"reference":"http://x/fhir/Location/1"}"#, &[&target]);
    general(r#"{"reference":"Practitioner/1","type":"Practitioner"}"#, &[]);
    let disagree = format!("reference.target {at}.type");
    general(r#"{"reference":"Practitioner/1","type":"Organization"}"#, &[&disagree]);
    general(r#"{"type":"Nobody","display":"x"}"#, &[&disagree]);
    general(r#"{"type":"Location","display":"x"}"#, &[&format!("reference.target {at}")]);
    general(r#"{"reference":"Practitioner?identifier=1"}"#, &[&form]);
    let json = r##"{"resourceType":"Patient","managingOrganization":{"reference":"Organization?name=x"}}"##;
    let inside = Options { in_transaction: true, ..Options::default() };
    assert_eq!(issues_with(&inside, json), [""; 0]);
    for (kind, count) in [("transaction", 0), ("batch", 1), ("collection", 1)] {
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{{"resource":{json}}}]}}"#
        );
        assert_eq!(issues(&bundle).len(), count, "{kind}");
    }
}

#[test]
fn contained_resources() {
    let contained = |members: &str, organization: &str| {
        format!(
            r##"{{"resourceType":"Patient","contained":[{{{members}}}],
            "managingOrganization":{{"reference":"{organization}"}}}}"##
        )
    };
    let good = r##""resourceType":"Organization","id":"o""##;
    assert_eq!(issues(&contained(good, "#o")), [""; 0]);
    assert_eq!(
        issues(&contained(good, "#p")),
        [
            "invariant.failed Patient.managingOrganization.reference",
            "?contained.invalid Patient.contained[0]",
        ]
    );
    let strict = Options { strict: true, ..Options::default() };
    assert_eq!(
        issues_with(&strict, &contained(good, "Organization/1")),
        ["contained.invalid Patient.contained[0]",]
    );
    let person = r##""resourceType":"Practitioner","id":"o""##;
    assert_eq!(
        issues(&contained(person, "#o")),
        ["reference.target Patient.managingOrganization.reference",]
    );
    let back = r##""resourceType":"RelatedPerson","id":"r","patient":{"reference":"#"}"##;
    assert_eq!(issues(&contained(back, "Organization/1")), [""; 0]);
    let at = "Patient.contained[0]";
    for (members, place) in [
        (r#""resourceType":"Organization""#.to_owned(), at.to_owned()),
        (format!(r#"{good},"contained":[{{{good}}}]"#), format!("{at}.contained[0]")),
        (format!(r#"{good},"meta":{{"versionId":"1"}}"#), format!("{at}.meta.versionId")),
        (
            format!(r#"{good},"meta":{{"security":[{{"code":"R"}}]}}"#),
            format!("{at}.meta.security"),
        ),
    ] {
        let found = issues(&contained(&members, "#o"));
        assert!(found.contains(&format!("contained.invalid {place}")), "{members}: {found:?}");
    }
    assert_eq!(issues(&contained(&format!("{good}}},{{{good}"), "#o")).len(), 3);
    assert_eq!(
        issues(&contained(r#""resourceType":"Organization","id":"o","x":1"#, "#o")),
        [format!("element.unknown {at}.x"),]
    );
    // The same id in two entries of a bundle is two different things.
    let entry = format!(r#"{{"resource":{}}}"#, contained(good, "#o"));
    let other = entry.replace("#o", "#q").replace("\"o\"", "\"q\"");
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{entry},{other}]}}"#);
    assert_eq!(issues(&bundle), [""; 0]);
}

#[test]
fn bundles_and_parameters() {
    let bundle = |entry: &str| {
        format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{entry}]}}"#)
    };
    let bad = bundle(r#"{"resource":{"resourceType":"Patient","x":1}}"#);
    assert_eq!(issues(&bad), ["element.unknown Bundle.entry[0].resource.x"]);
    let shallow = Options { shallow_bundle: true, ..Options::default() };
    assert_eq!(issues_with(&shallow, &bad), [""; 0]);
    let nobody = bundle(r#"{"resource":{"resourceType":"Nobody"}}"#);
    for options in [shallow, Options::default()] {
        let found = issues_with(&options, &nobody);
        assert_eq!(found, ["fhir.resource.unknown-type Bundle.entry[0].resource"]);
    }
    let url = "reference.form Bundle.entry[0].fullUrl";
    assert_eq!(issues(&bundle(r#"{"fullUrl":"Patient/1"}"#)), [url]);
    assert_eq!(issues(&bundle(r#"{"fullUrl":"http://x/Patient/1/_history/1"}"#)), [url]);
    assert_eq!(issues(&bundle(r#"{"fullUrl":"http://x/Patient/1"}"#)), [""; 0]);
    let parameters = r#"{"resourceType":"Parameters","parameter":[
        {"name":"a","valueString":"x"},{"part":[{"name":"b"}]},
        {"name":"c","resource":{"resourceType":"Patient","y":1}}]}"#;
    assert_eq!(
        issues(parameters),
        [
            "element.required Parameters.parameter[1].name",
            "element.unknown Parameters.parameter[2].resource.y",
        ]
    );
}

#[test]
fn the_number_of_issues_is_bounded() {
    let names = vec!["{\"x\":1}"; 1000].join(",");
    let json = format!(r#"{{"resourceType":"Patient","name":[{names}]}}"#);
    assert_eq!(issues(&json).len(), ISSUES_MAX);
    // Warnings do not crowd out the error that comes last.
    let contained =
        (0..100).map(|i| format!(r#"{{"resourceType":"Basic","id":"{i}","code":{{"text":"x"}}}}"#));
    let contained = contained.collect::<Vec<_>>().join(",");
    let json = format!(
        r#"{{"resourceType":"Bundle","type":"x","entry":[{{"resource":
        {{"resourceType":"Patient","contained":[{contained}]}}}},{{"foo":1}}]}}"#
    );
    let found = issues(&json);
    assert!(found.iter().any(|issue| issue == "element.unknown Bundle.entry[1].foo"), "{found:?}");
}

#[test]
fn depth_is_the_parsers_concern() {
    let mut json = "{\"linkId\":\"x\",\"type\":\"group\"}".to_owned();
    for _ in 0..25 {
        json = format!(r#"{{"linkId":"x","type":"group","item":[{json}]}}"#);
    }
    let json = format!(r#"{{"resourceType":"Questionnaire","status":"draft","item":[{json}]}}"#);
    assert_eq!(issues(&json), [""; 0]);
}
