//! HL7's own test suite for `FHIRPath` on R4. `ledger.txt` names the tests that do not pass, each with the
//! reason; a listed test that passes and an unlisted one that does not both fail this test, so the
//! number that pass may only grow.

use crate::data;
use base::{Limits, Millis};
use fhir::Document;
use fhirpath::{Collection, Context, Item, Program};
use quick_xml::events::Event;
use std::collections::{BTreeMap, HashMap};

const LEDGER: &str = include_str!("ledger.txt");
/// 2026-11-22T10:00:00Z
const NOW: Millis = Millis(1_795_341_600_000);

#[derive(Debug, Default)]
struct Case {
    name: String,
    input: String,
    expression: String,
    invalid: Option<String>,
    predicate: bool,
    ordered: bool,
    outputs: Vec<String>,
}

fn read_suite(xml: &str) -> Vec<Case> {
    let mut reader = quick_xml::Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let (mut cases, mut case, mut text) = (Vec::new(), None::<Case>, String::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => {
                text.clear();
                let attribute = |name: &str| {
                    tag.try_get_attribute(name)
                        .unwrap()
                        .map(|a| a.unescape_value().unwrap().into_owned())
                };
                match tag.name().as_ref() {
                    b"test" => {
                        case = Some(Case {
                            name: attribute("name").unwrap(),
                            input: attribute("inputfile").unwrap_or_default(),
                            predicate: attribute("predicate").is_some_and(|p| p == "true"),
                            ordered: attribute("ordered").is_none_or(|o| o == "true"),
                            ..Case::default()
                        });
                    }
                    b"expression" => case.as_mut().unwrap().invalid = attribute("invalid"),
                    _ => {}
                }
            }
            Event::Text(words) => text.push_str(&words.decode().unwrap()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().unwrap() {
                Some(c) => text.push(c),
                None => {
                    let name = entity.decode().unwrap();
                    text.push_str(quick_xml::escape::resolve_predefined_entity(&name).unwrap());
                }
            },
            Event::End(tag) => match (tag.name().as_ref(), case.as_mut()) {
                (b"expression", Some(case)) => case.expression = std::mem::take(&mut text),
                (b"output", Some(case)) => case.outputs.push(std::mem::take(&mut text)),
                (b"test", _) => cases.extend(case.take()),
                _ => {}
            },
            Event::Eof => return cases,
            _ => {}
        }
    }
}

/// Why a case does not pass; `None` when it does.
fn failure(case: &Case, documents: &HashMap<String, Document>) -> Option<String> {
    let document = documents.get(&case.input.replace(".xml", ".json"));
    if document.is_none() && !case.input.is_empty() {
        return Some(format!("there is no input {}", case.input));
    }
    let resource = document.map(Document::root);
    let context = resource.map_or(Context::empty(NOW), |r| Context::new(r, NOW));
    let input: Vec<Item<'_>> = resource.and_then(Item::resource).into_iter().collect();
    let program = match Program::compile(&case.expression) {
        Ok(program) => program,
        Err(_) if case.invalid.is_some() => return None,
        Err(fault) => return Some(fault.to_string()),
    };
    if case.invalid.as_deref() == Some("semantic")
        && let Some(type_id) = input.first().and_then(Item::node).map(fhirpath::Node::type_id)
        && program.check(type_id).is_err()
    {
        return None;
    }
    let items = match program.evaluate(&context, &input) {
        Ok(items) => items,
        Err(_) if case.invalid.is_some() => return None,
        Err(fault) => return Some(fault.to_string()),
    };
    if let Some(kind) = &case.invalid {
        return Some(format!("a {kind} fault is expected, not {}", texts(&items).join(", ")));
    }
    let mut actual =
        if case.predicate { vec![(!items.is_empty()).to_string()] } else { texts(&items) };
    let mut expected: Vec<String> = case.outputs.iter().map(|o| normal(o)).collect();
    if !case.ordered {
        actual.sort();
        expected.sort();
    }
    (actual != expected)
        .then(|| format!("expected [{}], not [{}]", expected.join(", "), actual.join(", ")))
}

fn texts(items: &Collection<'_>) -> Vec<String> {
    let text = |item: &Item<'_>| match item.to_text() {
        Some(text) => text.into_owned(),
        None => format!("a {}", item.type_name().name),
    };
    items.iter().map(text).collect()
}

/// The suite writes dates as literals and whole decimals as integers.
fn normal(output: &str) -> String {
    output.strip_prefix("@T").or_else(|| output.strip_prefix('@')).unwrap_or(output).to_owned()
}

#[test]
fn hl7_suite_passes_but_for_the_ledger() {
    let Some(path) = data::find("fhir/tests/fhirpath-r4.tar.gz") else { return };
    let files = data::unpack(&path);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (_, suite) = files.iter().find(|(name, _)| name == "tests-fhir-r4.xml").unwrap();
    let cases = read_suite(&text(suite));
    let documents: HashMap<String, Document> = files
        .iter()
        .filter(|(name, _)| name.ends_with(".json"))
        .map(|(name, bytes)| {
            (name.clone(), Document::parse(bytes.clone(), &Limits::default()).unwrap())
        })
        .collect();
    assert_eq!(cases.len(), 935, "the suite has changed");

    let ledger: BTreeMap<&str, &str> = LEDGER
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("a ledger line is `name: reason`"))
        .collect();
    let mut wrong = Vec::new();
    let mut failing = Vec::new();
    for case in &cases {
        match failure(case, &documents) {
            None => {}
            Some(why) => {
                failing.push(case.name.as_str());
                if !ledger.contains_key(case.name.as_str()) {
                    wrong.push(format!("{} fails: {why}", case.name));
                }
            }
        }
    }
    for name in ledger.keys().filter(|name| !failing.contains(name)) {
        wrong.push(format!("{name} passes: take it out of the ledger"));
    }
    assert_eq!(failing.len(), 11, "the ledger has grown or shrunk: {failing:?}");
    assert!(wrong.is_empty(), "{} differ from the ledger:\n{}", wrong.len(), wrong.join("\n"));
}
