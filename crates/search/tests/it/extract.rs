//! What small resources yield. `golden/entries.txt` holds resources (`?`) and their entries.

use crate::show;
use base::Limits;
use fhir::definitions::r4;
use fhir::json::Document;
use search::extract::extract;

const GOLDEN: &str = include_str!("golden/entries.txt");

fn entries(json: &str) -> Vec<String> {
    let document = Document::parse_text(json.to_owned(), &Limits::default()).unwrap();
    let root = document.root();
    let of = r4().resource_type(&root.get_str("resourceType").unwrap()).unwrap();
    let mut out = Vec::new();
    extract(root, of, &mut out);
    out.iter().map(show::entry).collect()
}

#[test]
fn each_resource_yields_what_the_golden_text_says() {
    show::golden("entries.txt", GOLDEN, entries);
}

#[test]
fn many_equal_entries_are_kept_once() {
    let member = |n: usize| format!(r#"{{"entity":{{"reference":"Patient/{n}"}}}}"#);
    let members: Vec<String> = (0..300).map(|n| member(n % 100)).collect();
    let json = format!(r#"{{"resourceType":"Group","member":[{}]}}"#, members.join(","));
    assert_eq!(entries(&json).len(), 100);
}

#[test]
fn nothing_of_a_wrong_shape_is_kept_and_nothing_panics() {
    for json in [
        r#"{"resourceType":"Patient","name":"x","gender":{},"birthDate":7,"telecom":[[]]}"#,
        r#"{"resourceType":"Patient","name":[null,{"given":[null,"A"]}],"birthDate":null}"#,
        r#"{"resourceType":"Observation","valueQuantity":{"value":"5"},"component":{"code":1}}"#,
    ] {
        let kept: Vec<_> = entries(json).into_iter().filter(|e| !e.contains("deceased")).collect();
        let given = kept.iter().filter(|e| e.contains("name")).count();
        assert_eq!(kept.len(), given, "{kept:?}");
    }
}
