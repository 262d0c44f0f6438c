//! No search reads what is hidden: every parameter of every type, held against every mask, in every
//! place where a search may name one.

use crate::elements::mask;
use crate::support::kind;
use base::{Limits, Millis};
use fhir::definitions::{SearchKind, TypeId, r4};
use privacy::elements::ElementMask;
use search::parse::{Hides, Level, Options, decode_query, parse};
use search::registry::registry;
use std::sync::Arc;

const ROLES: [&str; 3] = ["front-desk", "biller", "agent"];

fn options(hidden: Option<ElementMask>) -> Options {
    Options {
        lenient: false,
        limits: Limits::default(),
        now: Millis(0),
        base_url: None,
        conditional: false,
        hidden: hidden.map(|mask| Arc::new(mask) as Arc<dyn Hides>),
    }
}

fn asked(of: TypeId, query: &str, options: &Options) -> Result<(), String> {
    let pairs = decode_query(query).unwrap();
    parse(&Level::Type(of), &pairs, options).map(drop).map_err(|fault| fault.to_string())
}

/// The names on the way to what an atom reads, told from its key in another way than the mask does.
fn names(key: &str) -> Vec<String> {
    let path = key.split('|').nth(1).unwrap();
    let mut plain = String::new();
    let mut depth = 0;
    for c in path.chars() {
        depth += i32::from(c == '(');
        if depth == 0 {
            plain.push(c);
        }
        depth -= i32::from(c == ')');
    }
    let functions = ["ofType", "where", "exists"];
    let names = plain.split([' ', '.']).map(|name| name.split('[').next().unwrap().to_owned());
    let names = names.skip(1).filter(|name| !functions.contains(&name.as_str()));
    names.take_while(|name| !matches!(name.as_str(), "and" | "not" | "false")).collect()
}

/// What the file hides, read with a few lines of its own.
fn hidden_in_file(role: &str) -> Vec<(TypeId, Vec<String>)> {
    let mut found = Vec::new();
    let mut here = "";
    for line in privacy::elements::SHIPPED.1.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("role") => here = words.next().unwrap(),
            Some("shows") | None => {}
            Some(of) if here == role => {
                for path in words {
                    let path = path.split('[').next().unwrap();
                    found.push((kind(of), path.split('.').map(str::to_owned).collect()));
                }
            }
            Some(_) => {}
        }
    }
    found
}

#[test]
fn no_parameter_that_reads_a_hidden_path_exists() {
    let mut refused = 0;
    for role in ROLES {
        let mask = mask(&[role]);
        let all = hidden_in_file(role);
        assert!(!all.is_empty());
        for (of, _) in r4().resource_types() {
            for parameter in registry().parameters(of) {
                let parts = parameter.composite.iter().flat_map(|way| &way.components);
                let atoms = parameter.atoms.iter().chain(&parameter.identifier_atoms);
                let reads = atoms.chain(parts.flat_map(|part| &part.atoms)).any(|atom| {
                    let path = names(&registry().atom(*atom).key);
                    assert!(!path.is_empty());
                    let mine = all.iter().filter(|(own, _)| *own == of);
                    mine.into_iter().any(|(_, hidden)| path.iter().zip(hidden).all(|(a, b)| a == b))
                });
                assert_eq!(
                    mask.hides(of, parameter),
                    reads,
                    "{role} {} {}",
                    r4().name(of),
                    parameter.code
                );
                refused += usize::from(reads);
            }
        }
    }
    assert!(refused >= 8, "{refused} parameters are hidden by the shipped masks");
}

#[test]
fn a_hidden_parameter_is_refused_wherever_it_stands_as_one_that_nobody_knows() {
    let mut places = 0;
    for role in ROLES {
        let mask = mask(&[role]);
        let (without, with) = (options(None), options(Some(mask.clone())));
        for (of, name) in r4().resource_types() {
            for parameter in registry().parameters(of).iter().filter(|p| mask.hides(of, p)) {
                let code = parameter.code;
                let value = match parameter.kind {
                    SearchKind::Date => "2020",
                    SearchKind::Reference => "Patient/1",
                    _ => "x",
                };
                let mut queries = vec![
                    (of, format!("§={value}")),
                    (of, "§:missing=true".to_owned()),
                    (of, "_sort=§".to_owned()),
                    (of, "_sort=_id,-§".to_owned()),
                ];
                if parameter.kind == SearchKind::Token {
                    queries.push((of, "§:not=x".to_owned()));
                }
                if parameter.kind == SearchKind::Reference {
                    queries.push((of, format!("_include={name}:§")));
                    queries.push((of, "§:identifier=x".to_owned()));
                    for target in &parameter.targets {
                        let target_name = r4().name(*target);
                        queries.push((*target, format!("_revinclude={name}:§")));
                        queries.push((*target, format!("_has:{name}:§:_id=1")));
                        queries.push((of, format!("§:{target_name}._id=1")));
                    }
                }
                // Whatever leads to the type, and asks there.
                for (other, _) in r4().resource_types() {
                    let links = registry().parameters(other).iter();
                    let link = links.into_iter().find(|p| {
                        p.kind == SearchKind::Reference
                            && p.targets.contains(&of)
                            && !mask.hides(other, p)
                    });
                    if let Some(link) = link {
                        queries.push((other, format!("{}:{name}.§={value}", link.code)));
                    }
                }
                for link in registry()
                    .parameters(of)
                    .iter()
                    .filter(|p| p.kind == SearchKind::Reference && !mask.hides(of, p))
                {
                    for target in link.targets.iter().take(2) {
                        queries.push((*target, format!("_has:{name}:{}:§={value}", link.code)));
                    }
                }
                for (at, pattern) in queries {
                    let query = pattern.replace('§', code);
                    if asked(at, &query, &without).is_err() {
                        continue;
                    }
                    places += 1;
                    let refusal = asked(at, &query, &with).expect_err(&query);
                    assert!(refusal.starts_with("search.parameter.unknown"), "{query}: {refusal}");
                    // The same words as for a name that nobody knows, of a type without such a one.
                    let nobody: String = code.chars().map(|_| 'q').collect();
                    let unknown = asked(at, &pattern.replace('§', &nobody), &with).unwrap_err();
                    let unknown = unknown.replace(&nobody, code);
                    let hint = |text: &str| text.split(" Did you mean").next().unwrap().to_owned();
                    assert_eq!(hint(&refusal), hint(&unknown), "{query}");
                    assert!(!refusal.contains(&format!("mean {code}")), "{refusal}");
                }
            }
        }
    }
    assert!(places > 100, "{places} places were tried");
}

#[test]
fn includes_of_everything_leave_hidden_references_out() {
    let of = kind("Appointment");
    let atoms = |options: &Options, query: &str| -> usize {
        let pairs = decode_query(query).unwrap();
        let search = parse(&Level::Type(of), &pairs, options).unwrap();
        search.include.iter().map(|include| include.atoms.len()).sum()
    };
    let with = options(Some(mask(&["front-desk"])));
    for query in ["_include=*", "_include=Appointment:*"] {
        assert!(atoms(&with, query) < atoms(&options(None), query), "{query}");
    }
}

#[test]
fn the_words_of_a_type_with_something_hidden_are_not_searched() {
    let with = options(Some(mask(&["front-desk"])));
    for query in ["_text=depression", "_content=depression"] {
        assert!(asked(kind("Appointment"), query, &options(None)).is_ok());
        let refusal = asked(kind("Appointment"), query, &with).unwrap_err();
        assert!(refusal.starts_with("search.parameter.unknown"), "{refusal}");
        assert!(asked(kind("Observation"), query, &with).is_ok());
        let pairs = decode_query(query).unwrap();
        assert!(parse(&Level::System, &pairs, &with).is_err(), "all types at once");
        let chained = format!("appointment:Appointment.{query}");
        assert!(asked(kind("Encounter"), &chained, &with).is_err());
    }
}

#[test]
fn a_suggestion_names_no_hidden_parameter() {
    let with = options(Some(mask(&["front-desk"])));
    let refusal = asked(kind("Appointment"), "reason-cod=x", &with).unwrap_err();
    assert!(!refusal.contains("reason-code"), "{refusal}");
    let plain = asked(kind("Appointment"), "reason-cod=x", &options(None)).unwrap_err();
    assert!(plain.contains("reason-code"), "{plain}");
}
