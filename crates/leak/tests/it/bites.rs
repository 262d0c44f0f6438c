//! Every family is shown to bite, and none bites where nothing leaks.

use crate::front::Front;
use leak::mask::Mask;
use leak::world::World;
use leak::{
    Browser, Effort, FAMILIES, Family, Options, PERSONAS, People, Persona, Report, Targets, Tokens,
};
use std::collections::BTreeMap;

const SEED: u64 = 11;

struct Two;

impl People for Two {
    fn tokens(&mut self, _world: &World, _second: bool) -> anyhow::Result<Tokens> {
        Ok(Tokens {
            admin: Some("admin".to_owned()),
            persona: Some("persona".to_owned()),
            browser: Some(Browser {
                root: "memory:".to_owned(),
                cookies: "session=persona".to_owned(),
                form: ("form".to_owned(), "drawn".to_owned()),
            }),
        })
    }
}

fn bench(
    persona: &'static Persona,
    families: Vec<&'static Family>,
    off: Option<&'static str>,
) -> Report {
    let masks = vec![Mask::parse("front-desk=Patient.birthDate").expect("a mask")];
    let own = World::own_id(persona, SEED);
    let mut front = Front::new(persona, &own, off);
    let options = Options {
        seed: SEED,
        effort: Effort { records: 8, queries: 12, pages: 12 },
        families,
        personas: vec![persona],
        masks,
        own: BTreeMap::new(),
        show: false,
        calibrate: false,
        still: false,
        tidy: false,
        timed: 0,
    };
    let mut targets = Targets { a: &mut front, b: None };
    leak::run(&mut targets, &mut Two, &options, &mut |_| {}).expect("a run")
}

/// Who is asked to show that a family bites: somebody from whom what it looks for is hidden.
fn biter(family: &Family) -> &'static Persona {
    let key = if family.key == "element" { "front-desk" } else { "clinician" };
    Persona::named(key).expect("a persona")
}

#[test]
fn a_server_that_leaks_nothing_is_found_to_leak_nothing() {
    for persona in &PERSONAS {
        let report = bench(persona, FAMILIES.iter().collect(), None);
        assert!(report.leaks.is_empty(), "{}", report.lines(5));
        assert!(report.asked() > 1_000, "{}: {}", persona.key, report.asked());
        assert!(report.blind().is_empty(), "{} sees nothing", persona.key);
    }
}

#[test]
fn every_family_finds_the_leak_it_is_there_for() {
    let mut silent = Vec::new();
    for family in FAMILIES {
        let report = bench(biter(family), vec![family], Some(family.key));
        let found = report.leaks.iter().any(|leak| leak.family == family.number);
        if !found {
            silent.push(family.key);
        }
    }
    assert!(silent.is_empty(), "with its guard off nothing is found by {silent:?}");
}

#[test]
fn a_write_that_reaches_a_hidden_record_is_found_as_harm() {
    for key in ["conditional-update", "conditional-delete", "label-strip", "batch-write"] {
        let family = Family::named(key).expect("a family");
        let report = bench(biter(family), vec![family], Some(family.key));
        assert!(report.leaks.iter().any(|leak| leak.key == "harm"), "{key}");
    }
}

#[test]
fn two_targets_are_compared_as_one_is() {
    let persona = Persona::named("nurse").expect("a persona");
    let own = World::own_id(persona, SEED);
    let run = |off: Option<&'static str>| {
        let (mut a, mut b) = (Front::new(persona, &own, off), Front::new(persona, &own, off));
        let options = Options {
            seed: SEED,
            effort: Effort::QUICK,
            families: FAMILIES.iter().collect(),
            personas: vec![persona],
            masks: Vec::new(),
            own: BTreeMap::new(),
            show: true,
            calibrate: false,
            still: false,
            tidy: true,
            timed: 20,
        };
        let mut targets = Targets { a: &mut a, b: Some(&mut b) };
        leak::run(&mut targets, &mut Two, &options, &mut |_| {}).expect("a run")
    };
    let report = run(None);
    assert!(report.leaks.is_empty(), "{}", report.lines(5));
    let report = run(Some("include"));
    assert!(report.leaks.iter().any(|leak| leak.key == "include"), "{}", report.lines(5));
    let json = report.json();
    assert!(json.pointer("/leaks/0/answers/0").is_some_and(serde_json::Value::is_string));
    assert!(report.table().contains("23 include"), "{}", report.table());
}

#[test]
fn a_report_names_paths_and_quotes_no_answer() {
    let family = Family::named("read").expect("a family");
    let report = bench(biter(family), vec![family], Some("read"));
    let text = format!("{}{}", report.lines(100), report.json());
    assert!(text.contains("valueQuantity") || text.contains("status"), "{text}");
    for hidden in ["Zimmerly", "Amberley", "zinnia note"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
}
