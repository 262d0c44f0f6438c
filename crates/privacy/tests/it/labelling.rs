//! The labelling of whole documents, and what it costs.

use crate::support::{at, document};
use access::Labels;
use privacy::labelling::{Labeller, Source, Tagged};

const OBSERVATION: &str = r#"{"resourceType":"Observation","id":"o1","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel"}],"text":"Blood pressure"},"subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2026-01-02T03:04:05Z","issued":"2026-01-02T03:04:05Z","performer":[{"reference":"Organization/org1"}],"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic"}]},"valueQuantity":{"value":80,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}"#;

fn labels(text: &str, tagged: &Tagged) -> Labels {
    let labeller = Labeller::shipped().unwrap();
    let document = document(text);
    let source = Source { state: Some("TX"), age_years: Some(40), tags: &[] };
    labeller.label(document.root(), at("2026-11-22"), &source, tagged).labels
}

fn tagged(reference: &str, tag: &str) -> Tagged {
    Tagged::from([(reference.to_owned(), vec![tag.to_owned()])])
}

#[test]
fn an_ordinary_observation_has_no_label() {
    assert_eq!(labels(OBSERVATION, &Tagged::new()), Labels::NONE);
}

#[test]
fn a_record_shares_the_tags_of_what_it_refers_to() {
    for (reference, tag, name) in [
        ("Organization/org1", "part2-programme", "42CFRPart2"),
        ("Patient/p1", "vip", "VIP"),
        ("Encounter/e1", "self-paid", "SELFPAY"),
        ("Observation/o1", "vip", "VIP"),
    ] {
        let found = labels(OBSERVATION, &tagged(reference, tag));
        assert_eq!(found, Labels::named(name).unwrap(), "{reference}");
    }
    assert!(labels(OBSERVATION, &tagged("Organization/org2", "part2-programme")).is_empty());
    for form in ["https://x.example/fhir/Organization/org1", "Organization/org1/_history/3"] {
        let text = OBSERVATION.replace("Organization/org1", form);
        assert!(
            !labels(&text, &tagged("Organization/org1", "part2-programme")).is_empty(),
            "{form}"
        );
    }
}

#[test]
fn a_code_is_found_wherever_it_stands() {
    let hiv = r#"{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"B20"}"#;
    for text in [
        format!(
            r#"{{"resourceType":"Encounter","reasonCode":[{{"coding":[{{"code":"x"}},{hiv}]}}]}}"#
        ),
        format!(
            r#"{{"resourceType":"Task","contained":[{{"resourceType":"Condition","code":{{"coding":[{hiv}]}}}}]}}"#
        ),
        format!(r#"{{"resourceType":"Basic","extension":[{{"url":"u","valueCoding":{hiv}}}]}}"#),
        format!(
            r#"{{"resourceType":"Bundle","entry":[{{"resource":{{"resourceType":"Condition","code":{{"coding":[{hiv}]}}}}}}]}}"#
        ),
    ] {
        assert_eq!(labels(&text, &Tagged::new()), Labels::named("HIV").unwrap(), "{text}");
    }
    let escaped = hiv.replace("B20", "\\u004220");
    let text = format!(r#"{{"resourceType":"Condition","code":{{"coding":[{escaped}]}}}}"#);
    assert_eq!(labels(&text, &Tagged::new()), Labels::named("HIV").unwrap(), "written otherwise");
}

#[test]
#[ignore = "a measurement: run it in release"]
#[expect(clippy::print_stdout, reason = "a measurement is for whoever runs it")]
fn how_long_labelling_takes() {
    let labeller = Labeller::shipped().unwrap();
    let document = document(OBSERVATION);
    let source = Source { state: Some("CA"), age_years: Some(40), tags: &[] };
    let mut many = Tagged::new();
    for number in 0..1000 {
        many.insert(format!("Encounter/{number}"), vec!["self-paid".to_owned()]);
    }
    for (name, tagged) in [("no tags", Tagged::new()), ("1000 tagged records", many)] {
        let now = at("2026-11-22");
        // The best of many short runs: what it costs when nobody else has the core.
        let rounds = 2_000_u32;
        let best = (0..200).map(|_| {
            let began = std::time::Instant::now();
            for _ in 0..rounds {
                let document = std::hint::black_box(document.root());
                let found = labeller.label(document, now, &source, &tagged);
                assert!(std::hint::black_box(found.labels).is_empty());
            }
            began.elapsed().as_nanos() / u128::from(rounds)
        });
        let each = best.min().unwrap();
        println!("an ordinary Observation, {name}: {each} ns");
    }
}
