//! All 721 example instances of the R4 specification: valid, or in the ledger with the rule they
//! truly break.

use crate::data::{archive, errors};
use std::collections::BTreeMap;
use validation::Options;

/// `file<TAB>code<TAB>place<TAB>why`; `*` in a place stands for anything.
const LEDGER: &str = include_str!("ledger/examples.tsv");

#[test]
fn the_examples_of_the_specification() {
    let mut ledger: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for line in LEDGER.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, code, place, why] = fields[..] else { panic!("a line of four: {line}") };
        assert!(!why.is_empty(), "{file} without a reason");
        ledger.entry(file).or_default().push((code, place));
    }
    let (mut count, mut surprises) = (0, Vec::new());
    let found = archive("fhir/hl7-r4-examples.tar.gz", |path, text| {
        let Some(file) = path.rsplit('/').next().filter(|f| f.ends_with(".json")) else { return };
        count += 1;
        let known = ledger.remove(file).unwrap_or_default();
        let found = errors(&text, &Options::default());
        for error in &found {
            let (code, place) = error.split_once(' ').expect("code and place");
            if !known.iter().any(|(c, p)| *c == code && matches(p, place)) {
                surprises.push(format!("{file}: {error}"));
            }
        }
        for (code, place) in known {
            let gone = !found.iter().any(|error| {
                error.split_once(' ').is_some_and(|(c, p)| c == code && matches(place, p))
            });
            if gone {
                surprises.push(format!("{file}: in the ledger, but not found: {code} {place}"));
            }
        }
    });
    if found.is_some() {
        assert_eq!(count, 721);
        surprises.extend(ledger.keys().map(|file| format!("{file}: in the ledger only")));
        assert!(surprises.is_empty(), "{}", surprises.join("\n"));
    }
}

/// Whether a place fits a pattern, in which `*` stands for anything.
fn matches(pattern: &str, place: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == place,
        Some((head, tail)) => {
            place.len() >= head.len() + tail.len()
                && place.starts_with(head)
                && place.ends_with(tail)
        }
    }
}
