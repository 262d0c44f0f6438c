//! 180 queries and 40 patients' records with known totals, answered from the entries alone by the simplest possible matcher:
//! what a query is read as and what a resource yields agree, whatever engine stands between them.
//! The data is 92,114 Synthea resources (`PLUMMER_TEST_DATA`).

use crate::data;
use crate::matcher::{Record, Records};
use base::{Limits, Millis};
use fhir::definitions::r4;
use fhir::json::{Document, Value};
use search::extract::extract;
use search::parse::{Level, Options, parse};
use search::query::Search;
use std::collections::HashMap;

const DATA: &str = "synthea/synthea-r4-uscore-120p.tar.zst";
const EXPECTED: &str = "synthea/expected-search-uscore-120p.json";

#[test]
fn known_totals_come_out() {
    let Some(expected) = data::text(EXPECTED) else { return };
    let Some(texts) = resources() else { return };
    let documents: Vec<Document> = texts
        .into_iter()
        .map(|text| Document::parse_text(text, &Limits::default()).unwrap())
        .collect();
    let records: Vec<Record<'_>> = documents.iter().map(record).collect();
    assert_eq!(records.len(), 92_114);
    let records = Records::new(records);
    let expected = Document::parse_text(expected, &Limits::default()).unwrap();
    let mut wrong = queries(&records, expected.root());
    wrong.extend(compartments(&records, expected.root()));
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

fn queries(records: &Records<'_>, expected: Value<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let queries = expected.get("queries").unwrap();
    assert_eq!(queries.items().count(), 180);
    for entry in queries.items() {
        let query = entry.get_str("query").unwrap();
        let total: usize = entry.get("total").unwrap().raw().parse().unwrap();
        let (name, query) = query.split_once('?').unwrap();
        let of = r4().resource_type(name).unwrap();
        let found = records.count(of, &read(&Level::Type(of), query).filters);
        if found != total {
            wrong.push(format!("{name}?{query}: {found}, expected {total}"));
        }
    }
    wrong
}

/// The records of a patient by type: in the compartment, and where the type has it by `patient=`.
fn compartments(records: &Records<'_>, expected: Value<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let patients = expected.get("patients").unwrap();
    assert_eq!(patients.items().count(), 40);
    let focus_type = r4().resource_type("Patient").unwrap();
    for patient in patients.items() {
        let identifier = format!("identifier={}", patient.get_str("patient_identifier").unwrap());
        let search = read(&Level::Type(focus_type), &identifier);
        let [id] = records.ids(focus_type, &search.filters)[..] else { panic!("one patient") };
        for (name, count) in patient.get("counts").unwrap().members() {
            let of = r4().resource_type(name).unwrap();
            let count: usize = count.raw().parse().unwrap();
            let level = Level::Compartment { focus_type, id: id.to_owned(), of: Some(of) };
            let inside = records.count(of, &read(&level, "").filters);
            let pointing = read(&Level::Type(of), &format!("patient={id}"));
            let pointing = records.count(of, &pointing.filters);
            if (inside, pointing) != (count, count) {
                wrong.push(format!("{name}: {inside} and {pointing}, expected {count}"));
            }
        }
    }
    wrong
}

fn read(level: &Level, query: &str) -> Search {
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let options = Options {
        lenient: false,
        limits: Limits::default(),
        now: Millis(1_600_000_000_000),
        base_url: None,
        conditional: false,
        hidden: None,
    };
    parse(level, &pairs, &options).unwrap()
}

fn record(document: &Document) -> Record<'_> {
    let root = document.root();
    let of = r4().resource_type(&root.get_str("resourceType").unwrap()).unwrap();
    let mut entries = Vec::new();
    extract(root, of, &mut entries);
    Record { of, id: root.get_str("id").unwrap().into_owned(), entries }
}

/// The texts of all resources. References are made local first, as an import does: `urn:uuid:` by
/// the bundle's own resources, conditional ones by their identifier.
fn resources() -> Option<Vec<String>> {
    let (mut bundles, mut shared) = (Vec::new(), Vec::new());
    data::archive(DATA, |name, text| {
        let first = name.rsplit('/').next().unwrap_or_default().contains("Information");
        if first {
            shared.push(text)
        } else {
            bundles.push(text)
        }
        true
    })?;
    let mut by_identifier: HashMap<String, String> = HashMap::new();
    let mut out = Vec::with_capacity(92_114);
    for (n, text) in shared.iter().chain(&bundles).enumerate() {
        let bundle = Document::parse_text(text.clone(), &Limits::default()).unwrap();
        let mut local: HashMap<String, String> = HashMap::new();
        let entries = bundle.root().get("entry").unwrap();
        for entry in entries.items() {
            let resource = entry.get("resource").unwrap();
            let name = resource.get_str("resourceType").unwrap();
            let place = format!("{name}/{}", resource.get_str("id").unwrap());
            if n < shared.len() {
                for i in resource.get("identifier").into_iter().flat_map(|i| i.items()) {
                    let (system, value) = (i.get_str("system"), i.get_str("value"));
                    let key = format!(
                        "{name}?identifier={}|{}",
                        system.unwrap_or_default(),
                        value.unwrap_or_default()
                    );
                    by_identifier.insert(key, place.clone());
                }
            }
            local.extend(entry.get_str("fullUrl").map(|url| (url.into_owned(), place)));
        }
        for entry in entries.items() {
            let raw = entry.get("resource").unwrap().raw();
            out.push(resolve(raw, &|reference| {
                local.get(reference).or_else(|| by_identifier.get(reference)).cloned()
            }));
        }
    }
    Some(out)
}

fn resolve(text: &str, find: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    for (n, part) in text.split(r#""reference": ""#).enumerate() {
        if n == 0 {
            out.push_str(part);
            continue;
        }
        out.push_str(r#""reference": ""#);
        let (reference, rest) = part.split_once('"').unwrap();
        out.push_str(&find(reference).unwrap_or_else(|| reference.to_owned()));
        out.push('"');
        out.push_str(rest);
    }
    out
}
