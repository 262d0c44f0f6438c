//! The JSON parser: what it keeps, what it refuses and where it says the fault is.

use base::{Fault, Limits};
use fhir::json::{Edit, Edits, minify, pretty};
use fhir::{Document, Kind};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Document, Fault> {
    Document::parse_text(text.to_owned(), &Limits::default())
}

#[test]
fn keeps_digits_and_order() {
    let text = r#"{"resourceType":"X","z":1.10,"a":-0.0e+3,"s":"\u00e9\ud83d\ude00\n"}"#;
    let doc = parse(text).unwrap();
    let root = doc.root();
    assert_eq!(root.get("z").unwrap().as_number(), Some("1.10"));
    assert_eq!(root.get_str("s").unwrap(), "é😀\n");
    let mut out = Vec::new();
    minify(root, &Edits::new(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), text);
}

#[test]
fn edits_replace_and_remove() {
    let doc = parse(r#" { "a" : [1, 2, 3], "b" : {"c": null} } "#).unwrap();
    let root = doc.root();
    let second = root.get("a").unwrap().items().nth(1).unwrap();
    let edits = Edits::from([
        (second.index(), Edit::Replace("\"two\"".to_owned())),
        (root.get("b").unwrap().index(), Edit::Remove),
    ]);
    let mut out = Vec::new();
    minify(root, &edits, &mut out);
    assert_eq!(out, br#"{"a":[1,"two",3]}"#);
}

#[test]
fn pretty_is_indented() {
    let doc = parse(r#"{"a":[1,{}],"b":[]}"#).unwrap();
    let mut out = Vec::new();
    pretty(doc.root(), &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"
    );
}

#[test]
fn faults_name_the_place() {
    let place = |text: &str| parse(text).unwrap_err().issues.remove(0);
    let issue = place(r#"{"resourceType":"Patient","name":[{"given":["A",tru]}]}"#);
    assert_eq!(issue.code.name, "fhir.json.syntax");
    assert_eq!(issue.expression.as_deref(), Some("name[0].given[0]"));
    let issue = place(r#"{"a":{"b":1,"b":2}}"#);
    assert_eq!(issue.code.name, "fhir.json.duplicate-property");
    let deep = "[".repeat(65) + &"]".repeat(65);
    assert_eq!(place(&deep).code.name, "fhir.json.too-deep");
    assert!(parse(&("[".repeat(64) + &"]".repeat(64))).is_ok());
    for bad in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "01",
        "1.",
        "+1",
        "nul",
        "\"\\x\"",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "1 2",
        "[1 2]",
        "{\"a\" 1}",
        "{\"\":1}",
        "\"a",
        "{,}",
        "[,1]",
        "-",
        "1e",
        "tru",
        "\u{feff}",
    ] {
        assert!(parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn faults_never_quote_content() {
    let text = r#"{"resourceType":"Patient","name":[{"family":"Secretive", oops}]}"#;
    assert!(!parse(text).unwrap_err().to_string().contains("Secretive"));
}

#[test]
fn paths_read_as_fhirpath() {
    let doc = parse(r#"{"resourceType":"Patient","name":[{"given":["A","B"]}]}"#).unwrap();
    let name = doc.root().get("name").unwrap().items().next().unwrap();
    let given = name.get("given").unwrap().items().nth(1).unwrap();
    assert_eq!(given.path(), "Patient.name[0].given[1]");
}

/// Any JSON, as `serde_json` writes it.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9f64).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[a-zA-Z_]{1,8}", inner, 0..6)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

fn same(ours: fhir::Value<'_>, theirs: &serde_json::Value) -> bool {
    use serde_json::Value;
    match theirs {
        Value::Null => ours.kind() == Kind::Null,
        Value::Bool(b) => ours.as_bool() == Some(*b),
        Value::Number(n) => ours.as_number() == Some(n.to_string().as_str()),
        Value::String(s) => ours.as_str().is_some_and(|o| o == *s),
        Value::Array(a) => {
            ours.is_array()
                && ours.items().count() == a.len()
                && ours.items().zip(a).all(|(o, t)| same(o, t))
        }
        Value::Object(m) => {
            ours.is_object()
                && ours.members().count() == m.len()
                && m.iter().all(|(k, t)| ours.get(k).is_some_and(|o| same(o, t)))
        }
    }
}

proptest! {
    #[test]
    fn agrees_with_another_parser(value in any_json()) {
        let text = value.to_string();
        let doc = parse(&text).unwrap();
        prop_assert!(same(doc.root(), &value));
        let mut out = Vec::new();
        minify(doc.root(), &Edits::new(), &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let ours = Document::parse(bytes.clone(), &Limits::default());
        if ours.is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok()
                || bytes.starts_with(&[0xEF, 0xBB, 0xBF]));
        }
    }

    #[test]
    fn never_panics_on_damaged_json(value in any_json(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = value.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let ours = Document::parse(bytes.clone(), &Limits::default());
        let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
        if let Ok(doc) = &ours {
            for value in doc.root().descendants() {
                let _ = (value.path(), value.as_text());
            }
            // The other parser refuses what does not fit its floats; we keep the digits.
            let fits = theirs.as_ref().err().is_none_or(|e| e.to_string().contains("out of range"));
            prop_assert!(fits);
        }
    }
}
