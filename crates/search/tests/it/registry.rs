//! The registry: every parameter compiles, and the golden text shows which atoms each reads.
//! `UPDATE_GOLDEN=1 cargo test -p search` writes the text anew.

use fhir::definitions::{SearchKind, r4};
use search::registry::{AtomId, registry};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const GOLDEN: &str = include_str!("golden/atoms.txt");

#[test]
fn the_golden_text_is_what_is_built() {
    let text = describe();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/atoms.txt");
        std::fs::write(path, &text).unwrap();
        return;
    }
    let differs = text.lines().zip(GOLDEN.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "built and golden differ; UPDATE_GOLDEN=1 writes it anew");
    assert_eq!(text.lines().count(), GOLDEN.lines().count());
}

#[test]
fn every_parameter_is_indexed_but_those_listed() {
    let mut skipped: Vec<&str> = registry().skipped().iter().map(|(url, _)| *url).collect();
    skipped.sort_unstable();
    let expected: Vec<&str> = SKIPPED.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(skipped, expected, "{:#?}", registry().skipped());
    assert_eq!(r4().search_parameters().len(), 1400);
}

/// No expression, a special kind, or a path whose values its kind cannot keep.
const SKIPPED: &str = "
    http://hl7.org/fhir/SearchParameter/DomainResource-text
    http://hl7.org/fhir/SearchParameter/Location-near
    http://hl7.org/fhir/SearchParameter/Resource-content
    http://hl7.org/fhir/SearchParameter/Resource-query
    http://hl7.org/fhir/SearchParameter/codesystem-extensions-CodeSystem-author
    http://hl7.org/fhir/SearchParameter/codesystem-extensions-CodeSystem-effective
    http://hl7.org/fhir/SearchParameter/codesystem-extensions-CodeSystem-end
    http://hl7.org/fhir/SearchParameter/codesystem-extensions-CodeSystem-keyword
    http://hl7.org/fhir/SearchParameter/codesystem-extensions-CodeSystem-workflow
    http://hl7.org/fhir/SearchParameter/example-extension
    http://hl7.org/fhir/SearchParameter/filter
    http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-age
    http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-birthOrderBoolean
    http://hl7.org/fhir/SearchParameter/valueset-extensions-ValueSet-author
    http://hl7.org/fhir/SearchParameter/valueset-extensions-ValueSet-effective
    http://hl7.org/fhir/SearchParameter/valueset-extensions-ValueSet-end
    http://hl7.org/fhir/SearchParameter/valueset-extensions-ValueSet-keyword
    http://hl7.org/fhir/SearchParameter/valueset-extensions-ValueSet-workflow
";

#[test]
fn ids_follow_keys_and_are_positions() {
    let atoms = registry().atoms();
    assert!(atoms.windows(2).all(|pair| pair[0].key < pair[1].key));
    assert!(atoms.iter().enumerate().all(|(i, a)| usize::from(a.id.0) == i));
    let used: BTreeSet<AtomId> = r4()
        .resource_types()
        .flat_map(|(of, _)| registry().parameters(of))
        .flat_map(|p| {
            let parts = p.composite.iter().flat_map(|c| &c.components).flat_map(|c| &c.atoms);
            p.atoms.iter().chain(&p.identifier_atoms).chain(parts).copied().collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(used.len(), atoms.len(), "no atom without a parameter");
}

#[test]
fn patient_and_subject_share_an_atom() {
    let of = r4().resource_type("Observation").unwrap();
    let patient = registry().parameter(of, "patient").unwrap();
    let subject = registry().parameter(of, "subject").unwrap();
    assert_eq!(patient.atoms, subject.atoms);
    assert_eq!(patient.targets, [r4().resource_type("Patient").unwrap()]);
    assert!(subject.targets.len() > 1);
    assert_eq!(registry().patient_compartment(of).len(), 2, "subject and performer");
}

#[test]
fn every_primary_date_and_compartment_resolves() {
    for name in ["Observation", "Encounter", "Condition", "Claim", "Appointment", "Goal"] {
        let of = r4().resource_type(name).unwrap();
        assert!(registry().primary_date(of).is_some(), "{name}");
    }
    for name in ["Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"] {
        let of = r4().resource_type(name).unwrap();
        assert!(registry().compartment(name, of).unwrap().focus, "{name}");
    }
    let of = r4().resource_type("Location").unwrap();
    assert!(registry().compartment("Patient", of).is_none());
}

fn describe() -> String {
    let mut out = String::new();
    for (of, name) in r4().resource_types() {
        let date = registry().primary_date(of).map_or("-", |a| path(a));
        writeln!(out, "{name}  (date: {date})").unwrap();
        for parameter in registry().parameters(of) {
            let kind = parameter.kind.as_str();
            let atoms: Vec<&str> = parameter.atoms.iter().map(|a| path(*a)).collect();
            write!(out, "  {} {kind} {}", parameter.code, atoms.join(" , ")).unwrap();
            if parameter.kind == SearchKind::Reference {
                let all = r4().resource_types().count();
                let targets: Vec<_> = parameter.targets.iter().map(|t| r4().name(*t)).collect();
                let targets =
                    if targets.len() == all { "any".to_owned() } else { targets.join(",") };
                write!(out, " -> {targets}").unwrap();
            }
            writeln!(out).unwrap();
            for alternative in &parameter.composite {
                let parts: Vec<String> = alternative
                    .components
                    .iter()
                    .map(|c| {
                        let atoms: Vec<&str> = c.atoms.iter().map(|a| path(*a)).collect();
                        let grouped = if c.grouped { " in one repeat" } else { "" };
                        format!("{}{grouped}", atoms.join(" , "))
                    })
                    .collect();
                writeln!(out, "    = {}", parts.join(" $ ")).unwrap();
            }
        }
        for focus in ["Patient", "Encounter", "Practitioner", "RelatedPerson", "Device"] {
            if let Some(found) = registry().compartment(focus, of) {
                let atoms: Vec<&str> = found.atoms.iter().map(|a| path(*a)).collect();
                let own = if found.focus { "itself " } else { "" };
                writeln!(out, "  [{focus}] {own}{}", atoms.join(" , ")).unwrap();
            }
        }
    }
    for (url, why) in registry().skipped() {
        writeln!(out, "not indexed: {url}: {why}").unwrap();
    }
    out
}

fn path(atom: AtomId) -> &'static str {
    registry().atom(atom).key.split_once('|').map_or("", |(_, rest)| rest)
}
