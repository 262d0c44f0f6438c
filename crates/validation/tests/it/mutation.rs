//! Valid resources made invalid: every mutation at every place is told at that place. And no input,
//! however odd, makes the validator panic.

use base::{Limits, Severity};
use fhir::Document;
use fhir::definitions::r4;
use proptest::prelude::*;
use serde_json::Value as Json;
use validation::{ISSUES_MAX, Options, validate};

/// A valid bundle with much of what FHIR JSON can do in it.
const VALID: &str = include_str!("valid.json");

/// `code` and place of every error.
fn errors(json: &Json) -> Vec<(&'static str, String)> {
    let document = Document::parse_text(json.to_string(), &Limits::default()).expect("JSON");
    validate(document.root(), &Options::default())
        .into_iter()
        .filter(|issue| issue.severity >= Severity::Error)
        .map(|issue| (issue.code.name, issue.expression.unwrap_or_default()))
        .collect()
}

/// Every place below a value: its JSON pointer and its path in `FHIRPath`.
fn places(json: &Json, pointer: &str, path: &str, out: &mut Vec<(String, String)>) {
    let mut child = |pointer: String, path: String, value: &Json| {
        out.push((pointer.clone(), path.clone()));
        places(value, &pointer, &path, out);
    };
    match json {
        Json::Object(members) => {
            for (key, value) in members.iter().filter(|(key, _)| *key != "resourceType") {
                let name = key.trim_start_matches('_');
                child(format!("{pointer}/{key}"), format!("{path}.{name}"), value);
            }
        }
        Json::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                child(format!("{pointer}/{index}"), format!("{path}[{index}]"), value);
            }
        }
        _ => {}
    }
}

/// Applies a mutation at every place where it applies, and demands an error of one of the codes at
/// that very place.
#[track_caller]
fn everywhere(codes: &[&str], mutate: impl Fn(&str, &mut Json) -> bool) {
    let valid: Json = serde_json::from_str(VALID).expect("JSON");
    let mut all = Vec::new();
    places(&valid, "", "Bundle", &mut all);
    let mut applied = 0;
    for (pointer, path) in all {
        let mut mutant = valid.clone();
        if mutate(&pointer, mutant.pointer_mut(&pointer).expect("a place")) {
            applied += 1;
            let found = errors(&mutant);
            let told = found.iter().any(|(code, place)| codes.contains(code) && *place == path);
            assert!(told, "{pointer}: none of {codes:?} at {path} in {found:?}");
        }
    }
    assert!(applied > 10, "{applied} places only");
}

#[test]
fn the_valid_bundle_is_valid() {
    assert_eq!(errors(&serde_json::from_str(VALID).expect("JSON")), []);
}

#[test]
fn a_renamed_member_is_unknown() {
    let valid: Json = serde_json::from_str(VALID).expect("JSON");
    let mut all = Vec::new();
    places(&valid, "", "Bundle", &mut all);
    for (pointer, path) in all {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let mut mutant = valid.clone();
        let Some(members) = mutant.pointer_mut(parent).and_then(Json::as_object_mut) else {
            continue;
        };
        let value = members.remove(key).expect("a member");
        members.insert(format!("{key}X"), value);
        let found = errors(&mutant);
        let expected = ("validation.element.unknown", format!("{path}X"));
        assert!(found.contains(&expected), "{pointer}: {found:?}");
    }
}

#[test]
fn a_changed_type_is_told() {
    let shape =
        ["validation.element.type", "validation.element.repeats", "fhir.resource.not-object"];
    everywhere(&shape, |_, value| {
        *value = match value {
            Json::Object(_) => Json::from("text"),
            Json::Array(items) => items.last().cloned().expect("an item"),
            // In the array of siblings an object is as good as null.
            Json::Null => return false,
            _ => serde_json::json!({ "id": "x" }),
        };
        true
    });
    // What does not repeat becomes an array of two.
    everywhere(&shape, |_, value| {
        *value = Json::from(vec![value.clone(), value.clone()]);
        !value[0].is_array()
    });
}

#[test]
fn null_and_empty_are_told() {
    everywhere(&["validation.element.null", "fhir.resource.not-object"], |pointer, value| {
        *value = Json::Null;
        !pointer.contains("iven/")
    });
    let empty = ["validation.element.empty", "fhir.resource.not-object"];
    everywhere(&empty, |_, value| {
        *value = match value {
            Json::Object(_) => serde_json::json!({}),
            Json::Array(_) => serde_json::json!([]),
            Json::String(_) => Json::from(""),
            _ => return false,
        };
        true
    });
}

#[test]
fn a_dropped_requirement_is_told() {
    let valid: Json = serde_json::from_str(VALID).expect("JSON");
    for (pointer, place) in [
        ("/type", "Bundle.type"),
        ("/entry/0/request/method", "Bundle.entry[0].request.method"),
        ("/entry/0/resource/text/div", "Bundle.entry[0].resource.text.div"),
        ("/entry/0/resource/extension/0/url", "Bundle.entry[0].resource.extension[0].url"),
        ("/entry/0/resource/link/0/other", "Bundle.entry[0].resource.link[0].other"),
        ("/entry/1/resource/code", "Bundle.entry[1].resource.code"),
        ("/entry/1/resource/status", "Bundle.entry[1].resource.status"),
        ("/entry/2/resource/medicationReference", "Bundle.entry[2].resource.medication"),
        ("/entry/2/resource/intent", "Bundle.entry[2].resource.intent"),
    ] {
        let mut mutant = valid.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let members = mutant.pointer_mut(parent).and_then(Json::as_object_mut).expect("an object");
        members.remove(key).expect(pointer);
        let found = errors(&mutant);
        let expected = ("validation.element.required", place.to_owned());
        assert!(found.contains(&expected), "{pointer}: {found:?}");
    }
}

/// JSON of any shape, its member names mostly those of R4.
fn odd_json() -> impl Strategy<Value = Json> {
    let names: Vec<String> = r4()
        .types()
        .flat_map(|id| r4().get(id).member_names().map(|(name, _)| name.to_owned()))
        .chain(["resourceType".to_owned()])
        .collect();
    let types: Vec<&str> = r4().resource_types().map(|(_, name)| name).collect();
    let name = prop_oneof![
        8 => proptest::sample::select(names.clone()),
        2 => proptest::sample::select(names).prop_map(|name| format!("_{name}")),
        1 => "[a-z_é\"]{1,9}",
    ];
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        proptest::sample::select(types).prop_map(Json::from),
        "#?[a-zé<>&;:/. \\-0-9=\n\u{1}]{0,12}".prop_map(Json::from),
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">[a-z<>/&;= \"é]{0,20}</div>"
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(6, 64, 8, move |inner| {
        prop_oneof![
            2 => proptest::collection::vec((name.clone(), inner.clone()), 0..8)
                .prop_map(Json::from_iter),
            1 => proptest::collection::vec(inner, 0..4).prop_map(Json::from),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(
        mut json in odd_json(),
        which in any::<proptest::sample::Index>(),
        strict in any::<bool>(),
    ) {
        let types: Vec<_> = r4().resource_types().collect();
        if let Some(members) = json.as_object_mut() {
            members.insert("resourceType".to_owned(), which.get(&types).1.into());
        }
        // Whatever duplicate names there are, the parser refuses first.
        if let Ok(document) = Document::parse_text(json.to_string(), &Limits::default()) {
            let options = Options { strict, ..Options::default() };
            prop_assert!(validate(document.root(), &options).len() <= ISSUES_MAX);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        at in any::<proptest::sample::Index>(),
        length in 0_usize..20,
        patch in "[\\[\\]{}\",:#0a<>& ]{0,6}",
    ) {
        let at = at.index(VALID.len());
        let end = (at + length).min(VALID.len());
        let damaged = format!("{}{patch}{}", &VALID[..at], &VALID[end..]);
        if let Ok(document) = Document::parse_text(damaged, &Limits::default()) {
            prop_assert!(validate(document.root(), &Options::default()).len() <= ISSUES_MAX);
        }
    }
}
