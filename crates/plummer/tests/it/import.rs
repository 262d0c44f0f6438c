//! Import: every kind of source, in any order, told in a receipt.

use crate::run::{Place, Said};
use base::Limits;
use fhir::Document;
use std::io::Write as _;

fn patient(id: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"Lund"}}]}}"#)
}

fn practitioner(id: &str) -> String {
    format!(
        r#"{{"resourceType":"Practitioner","id":"{id}","identifier":[{{"system":"urn:npi","value":"{id}"}}]}}"#
    )
}

/// A bundle whose encounter names a practitioner by a condition.
fn bundle(id: &str, practitioner: &str) -> String {
    format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"urn:uuid:0190aaaa-0000-7000-8000-{id}","resource":{{"resourceType":"Patient","name":[{{"family":"Lund"}}]}},"request":{{"method":"POST","url":"Patient"}}}},{{"resource":{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"urn:uuid:0190aaaa-0000-7000-8000-{id}"}},"performer":[{{"reference":"Practitioner?identifier=urn:npi|{practitioner}"}}]}},"fullUrl":"urn:uuid:0190bbbb-0000-7000-8000-{id}","request":{{"method":"POST","url":"Observation"}}}}]}}"#
    )
}

fn receipt(place: &Place) -> Document {
    let text = std::fs::read_to_string(place.path("receipt.json")).unwrap();
    Document::parse_text(text, &Limits::default()).unwrap()
}

fn number(place: &Place, path: &[&str]) -> u64 {
    let document = receipt(place);
    let mut here = document.root();
    for step in path {
        here = here.get(step).unwrap_or_else(|| panic!("{path:?}"));
    }
    here.raw().parse().unwrap()
}

fn import(place: &Place, args: &[&str]) -> Said {
    let mut all = vec!["import", "--receipt", "receipt.json"];
    all.extend(args);
    place.run(&all)
}

#[test]
fn every_kind_of_source_is_read() {
    let place = Place::new();
    let lines = |from: usize, to: usize| -> String {
        (from..to).map(|n| patient(&format!("p{n}")) + "\n").collect()
    };
    place.write("in/a.json", &patient("p0"));
    place.write("in/deep/b.ndjson", &lines(1, 3));
    place.write("in/readme.txt", "not read");
    let zst = zstd::encode_all(lines(3, 5).as_bytes(), 1).unwrap();
    std::fs::write(place.path("in/c.ndjson.zst"), zst).unwrap();
    let gz = std::fs::File::create(place.path("in/d.json.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
    gz.write_all(patient("p5").as_bytes()).unwrap();
    gz.finish().unwrap();
    let tar = std::fs::File::create(place.path("in/e.tar.zst")).unwrap();
    let mut tar = tar::Builder::new(zstd::Encoder::new(tar, 1).unwrap().auto_finish());
    for (name, text) in [("x/f.json", patient("p6")), ("x/g.ndjson", lines(7, 9))] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().flush().unwrap();
    let said = import(&place, &["in"]);
    assert!(said.ok, "{said:?}");
    assert_eq!(number(&place, &["types", "Patient", "stored"]), 9);
    assert_eq!(number(&place, &["passed_over_files"]), 1);
    let again = import(&place, &["in"]);
    assert!(again.ok);
    assert_eq!(number(&place, &["types", "Patient", "unchanged"]), 9);
    assert_eq!(number(&place, &["total", "stored"]), 0);
}

#[test]
fn standard_input_is_one_document_or_many() {
    let place = Place::new();
    let many = format!("{}\n{}\n", patient("a"), patient("b"));
    let args = ["import", "-", "--receipt", "receipt.json"];
    assert!(place.run_with(&args, many.as_bytes()).ok);
    assert_eq!(number(&place, &["total", "stored"]), 2);
    let one = patient("c").replace(',', ",\n");
    assert!(place.run_with(&args, one.as_bytes()).ok);
    assert_eq!(number(&place, &["total", "stored"]), 1);
}

#[test]
fn bundles_wait_for_what_they_refer_to_whatever_the_names() {
    let place = Place::new();
    place.write("in/a.json", &bundle("000000000001", "dr1"));
    place.write("in/b.json", &bundle("000000000002", "dr2"));
    place.write("in/z.ndjson", &format!("{}\n{}\n", practitioner("dr1"), practitioner("dr2")));
    let said = import(&place, &["in"]);
    assert!(said.ok, "{said:?}");
    assert_eq!(number(&place, &["total", "stored"]), 6);
    assert!(place.run(&["export", "out"]).ok);
    let text = std::fs::read_to_string(place.path("out/Observation.ndjson")).unwrap();
    assert!(text.contains(r#""reference":"Practitioner/dr1""#), "{text}");
    assert!(text.contains(r#""reference":"Patient/0190aaaa-0000-7000-8000-000000000001""#));
    assert!(import(&place, &["in"]).ok);
    assert_eq!(number(&place, &["total", "stored"]), 0);
    assert_eq!(number(&place, &["total", "unchanged"]), 2);
    assert_eq!(number(&place, &["total", "existing"]), 4);
}

#[test]
fn a_reference_that_never_resolves_is_refused_in_the_end() {
    let place = Place::new();
    place.write("in/a.json", &bundle("000000000001", "nobody"));
    place.write("in/b.json", &patient("p"));
    let said = import(&place, &["in"]);
    assert!(!said.ok);
    assert!(said.out.contains("record.bundle.reference"), "{said:?}");
    assert!(said.out.contains("a.json"));
    assert!(!said.out.contains("nobody"), "no value is told");
    assert_eq!(number(&place, &["types", "Patient", "stored"]), 1);
}

#[test]
fn the_first_bad_resource_stops_it_unless_told_otherwise() {
    let place = Place::new();
    let bad = r#"{"resourceType":"Patient","id":"bad","gender":"secretvalue"}"#;
    let text = format!("{}\n{bad}\n{{\"cut\n{}\n", patient("a"), patient("b"));
    place.write("in.ndjson", &text);
    let said = import(&place, &["in.ndjson"]);
    assert!(!said.ok && said.out.contains("stopped at the first bad resource"), "{said:?}");
    assert!(said.out.contains("in.ndjson:2") && said.out.contains("validation.binding.required"));
    assert!(!said.out.contains("secretvalue") && !said.err.contains("secretvalue"));
    let said = import(&place, &["in.ndjson", "--keep-going"]);
    assert!(!said.ok, "refusals are a failure still");
    assert!(said.out.contains("in.ndjson:3") && said.out.contains("fhir.json.syntax"), "{said:?}");
    assert_eq!(number(&place, &["total", "refused"]), 2);
    assert!(place.run(&["export", "out"]).ok);
    let patients = std::fs::read_to_string(place.path("out/Patient.ndjson")).unwrap();
    assert_eq!(patients.lines().count(), 2);
}

#[test]
fn a_journal_left_by_a_kill_is_followed() {
    let place = Place::new();
    let path = place.write("in.ndjson", &format!("{}\n{}\n", patient("a"), patient("b")));
    let meta = std::fs::metadata(&path).unwrap();
    let changed = meta.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    let real = place.dir.path().join("in.ndjson");
    let key = format!("{} {} {}", meta.len(), changed.as_millis(), real.display());
    place.write("data/import/journal", &format!("0 0 {key} .\n1 1 cut sho"));
    let said = import(&place, &["in.ndjson"]);
    assert!(said.ok, "{said:?}");
    assert_eq!(number(&place, &["resumed_documents"]), 1);
    assert_eq!(number(&place, &["total", "stored"]), 1);
    assert!(!place.path("data/import/journal").exists());
}

#[test]
fn what_cannot_be_read_is_told() {
    let place = Place::new();
    place.write("notes.txt", "x");
    for (path, told) in [("none", "cannot read none"), ("notes.txt", "not .json")] {
        let said = import(&place, &[path]);
        assert!(!said.ok && said.err.contains(told), "{said:?}");
    }
}
