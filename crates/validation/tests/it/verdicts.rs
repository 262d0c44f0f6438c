//! HL7's validator cases for R4 that are JSON: our verdict is that of the reference validator, or
//! the ledger says why not.

use crate::data::{archive, errors};
use base::Limits;
use fhir::Document;
use std::collections::BTreeMap;
use validation::Options;

/// `case<TAB>valid or refused, by us<TAB>why that differs`.
const LEDGER: &str = include_str!("ledger/verdicts.tsv");

#[test]
fn the_verdicts_of_the_reference_validator() {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let found = archive("fhir/tests/validator-r4-seed.tar.gz", |path, text| {
        let inside = path.trim_start_matches("./");
        let inside = inside.split_once('/').map_or(inside, |(_, rest)| rest);
        files.insert(inside.to_owned(), text);
    });
    if found.is_none() {
        return;
    }
    let mut ledger: BTreeMap<&str, &str> = LEDGER
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [case, verdict, why] = fields[..] else { panic!("a line of three: {line}") };
            assert!(!why.is_empty(), "{case} without a reason");
            (case, verdict)
        })
        .collect();
    let parse = |name: &str| {
        let text = files.get(name)?.clone();
        Some(Document::parse_text(text, &Limits::default()).expect(name))
    };
    let manifest = parse("manifest.json").expect("the manifest");
    let cases = manifest.root().get("test-cases").expect("the cases");
    let (mut agreed, mut surprises) = (0, Vec::new());
    for case in cases.items() {
        let name = case.get_str("name").expect("a name");
        let file = case.get_str("file").filter(|file| file.ends_with(".json"));
        let Some(text) = file.and_then(|file| files.get(&*file)) else { continue };
        let java = case.get_str("java").expect("an outcome");
        let Some(outcome) = parse(&format!("outcomes/{java}")) else { continue };
        let outcome = outcome.root().get("outcome").unwrap_or(outcome.root());
        let theirs = outcome.get("issue").is_some_and(|issues| {
            issues.items().any(|issue| {
                matches!(issue.get_str("severity").as_deref(), Some("error" | "fatal"))
            })
        });
        let found = errors(text, &Options::default());
        let ours = if found.is_empty() { "valid" } else { "refused" };
        match ledger.remove(&*name) {
            None if theirs != found.is_empty() => agreed += 1,
            Some(known) if known == ours && theirs == found.is_empty() => {}
            _ => surprises.push(format!("{name}: {ours}, with {found:?}")),
        }
    }
    surprises.extend(ledger.keys().map(|case| format!("{case}: in the ledger only")));
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    assert!(agreed >= 24, "{agreed} verdicts agree");
}
