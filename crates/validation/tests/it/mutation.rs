//! Valid resources made invalid: every mutation at every place is told at that place. And no input,
//! however odd, makes the validator panic.

use base::{Limits, Severity};
use fhir::Document;
use fhir::definitions::{TypeId, TypeKind, r4};
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

/// Grows JSON that is mostly of a type's shape, and often enough of another.
struct Grower {
    state: u64,
    /// Values left to grow, so that no document is endless.
    budget: u32,
}

impl Grower {
    /// A number below `end` (splitmix64).
    fn below(&mut self, end: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        usize::try_from((mixed ^ (mixed >> 27)) >> 33).expect("31 bits") % end
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        of.get(self.below(of.len())).expect("an index below the length")
    }

    fn leaf(&mut self) -> Json {
        const TEXTS: &[&str] = &[
            "",
            "a",
            "#a",
            "#",
            "Patient/1",
            "Patient?a=b",
            "urn:uuid:1",
            "2026-02-30",
            "é\u{1}\n",
            "http://x/y",
            "active",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p a='b&amp;'>é<",
            "QUJD",
            "2026-11-22T09:41:07Z",
            "transaction",
            "<div",
            " ",
            "\\u0000",
        ];
        match self.below(8) {
            0 => Json::Null,
            1 => Json::from(self.below(2) == 0),
            2 => Json::from(self.below(9)),
            3 => Json::from(-1.5e300),
            _ => Json::from(*self.pick(TEXTS)),
        }
    }

    fn object(&mut self, of: TypeId, depth: u32) -> Json {
        let names: Vec<_> = r4().get(of).member_names().collect();
        let mut members = serde_json::Map::new();
        for _ in 0..self.below(6) + 1 {
            let (name, member) = self.pick(&names);
            let under = if self.below(8) == 0 { "_" } else { "" };
            let value = self.value(member.of.id, depth);
            let wrap = member.element.repeats() != (self.below(12) == 0);
            let value = if wrap { Json::from(vec![value]) } else { value };
            members.insert(format!("{under}{name}"), value);
        }
        if r4().kind(of) == TypeKind::Resource {
            members.insert("resourceType".to_owned(), r4().name(of).into());
        }
        Json::Object(members)
    }

    fn value(&mut self, of: TypeId, depth: u32) -> Json {
        self.budget = self.budget.saturating_sub(1);
        if self.budget == 0 || depth == 0 || self.below(12) == 0 {
            return self.leaf();
        }
        match r4().kind(of) {
            TypeKind::Primitive if self.below(8) > 0 => self.leaf(),
            TypeKind::Primitive => self.object(r4().type_id("Element").expect("a type"), depth - 1),
            TypeKind::Resource => self.resource(depth - 1),
            TypeKind::Complex | TypeKind::Backbone => self.object(of, depth - 1),
        }
    }

    fn resource(&mut self, depth: u32) -> Json {
        let types: Vec<_> = r4().resource_types().collect();
        let (of, _) = *self.pick(&types);
        self.object(of, depth)
    }
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(state in any::<u64>(), strict in any::<bool>()) {
        let json = Grower { state, budget: 200 }.resource(8);
        let document = Document::parse_text(json.to_string(), &Limits::default()).expect("JSON");
        let options = Options { strict, ..Options::default() };
        prop_assert!(validate(document.root(), &options).len() <= ISSUES_MAX);
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
