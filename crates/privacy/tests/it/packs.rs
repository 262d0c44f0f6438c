//! Every shipped rule: what it finds, what it does not, and when; and the form of packs.

use crate::support::{at, document};
use access::Labels;
use base::Millis;
use privacy::labelling::{Condition, Labeller, Rule, SHIPPED, Source, Tagged};

fn shipped() -> Labeller {
    Labeller::shipped().unwrap()
}

fn address(system: &str) -> &'static str {
    match system {
        "icd10cm" => "http://hl7.org/fhir/sid/icd-10-cm",
        "snomed" => "http://snomed.info/sct",
        "loinc" => "http://loinc.org",
        "rxnorm" => "http://www.nlm.nih.gov/research/umls/rxnorm",
        "cvx" => "http://hl7.org/fhir/sid/cvx",
        other => panic!("{other}"),
    }
}

/// Whether the rule applies to a record with that code.
fn finds(
    labeller: &Labeller,
    rule: &Rule,
    code: (&str, &str),
    now: Millis,
    source: &Source<'_>,
) -> bool {
    let (system, code) = code;
    let text = format!(
        r#"{{"resourceType":"Condition","code":{{"coding":[{{"system":"{system}","code":"{code}"}}]}}}}"#
    );
    let document = document(&text);
    let found = labeller.label(document.root(), now, source, &Tagged::new());
    let applied = found.rules.iter().any(|own| own.id == rule.id);
    assert!(!applied || found.labels.holds(rule.labels));
    applied
}

#[test]
fn every_code_of_every_rule_is_found_by_it_and_by_no_other_system() {
    let labeller = shipped();
    let now = at("2026-11-22");
    for rule in labeller.rules() {
        let age = rule.age.map(|(low, high)| low.midpoint(high));
        let source = Source { state: rule.state.as_deref(), age_years: age, tags: &[] };
        for condition in &rule.any {
            let (system, codes, more) = match condition {
                Condition::Code { system, codes } => (system, codes, ""),
                Condition::Prefix { system, prefixes } => (system, prefixes, "9"),
                Condition::Source(tag) => {
                    let tags = [tag.as_str()];
                    let with = Source { tags: &tags, ..source.clone() };
                    let other = ("urn:x", "x");
                    assert!(finds(&labeller, rule, other, now, &with), "{}", rule.id);
                    assert!(!finds(&labeller, rule, other, now, &source), "{}", rule.id);
                    let near = format!("{tag}x");
                    let tags = [near.as_str()];
                    let near = Source { tags: &tags, ..source.clone() };
                    assert!(!finds(&labeller, rule, other, now, &near), "{}", rule.id);
                    continue;
                }
            };
            for code in codes {
                let code = format!("{code}{more}");
                let find = |system: &str, code: &str, now| {
                    finds(&labeller, rule, (system, code), now, &source)
                };
                assert!(find(address(system), &code, now), "{} {code}", rule.id);
                assert!(!find("urn:other", &code, now), "{} {code}", rule.id);
                assert!(!find(address(system), &format!("x{code}"), now), "{} {code}", rule.id);
                let before = Millis(rule.from.0 - 1);
                assert!(!find(address(system), &code, before), "{} before its time", rule.id);
                assert!(find(address(system), &code, rule.from), "{} from its first day", rule.id);
            }
        }
    }
}

#[test]
fn a_rule_of_a_state_or_an_age_is_for_it_alone_and_for_whom_it_may_be() {
    let labeller = shipped();
    let now = at("2026-11-22");
    let narrow = labeller.rules().iter().filter(|rule| rule.state.is_some());
    for rule in narrow {
        let Some(Condition::Prefix { system, prefixes }) = rule.any.first() else {
            panic!("{} has no prefix", rule.id)
        };
        let code = (address(system), prefixes[0].as_str());
        let (low, high) = rule.age.unwrap_or((0, 200));
        let of = |state, age_years| Source { state, age_years, tags: &[] };
        let find = |source: Source<'_>| finds(&labeller, rule, code, now, &source);
        assert!(find(of(Some("CA"), Some(low))) && find(of(Some("CA"), Some(high))), "{}", rule.id);
        assert!(!find(of(Some("TX"), Some(low))), "{}", rule.id);
        assert!(find(of(None, None)), "{}: what is not known frees nobody", rule.id);
        if rule.age.is_some() {
            assert!(!find(of(Some("CA"), Some(high + 1))), "{}", rule.id);
            assert!(low == 0 || !find(of(Some("CA"), Some(low - 1))), "{}", rule.id);
        }
    }
}

/// Codes that stand close to those of a rule and are not meant.
#[test]
fn near_misses_are_missed() {
    let labeller = shipped();
    let icd = "http://hl7.org/fhir/sid/icd-10-cm";
    for (code, absent) in [
        ("F17.210", "SUD"),       // nicotine
        ("F70", "MH"),            // intellectual disability
        ("F64.0", "MH"),          // gender identity is no disorder of the mind here
        ("Z71.42", "SUD"),        // counselling of an alcoholic's family
        ("F11.20", "42CFRPart2"), // a diagnosis makes no Part 2 record
        ("F10.20", "OPIOIDUD"),
        ("Z11.3", "HIV"),
        ("Z11.4", "STD"),
        ("B18.1", "HIV"),      // hepatitis
        ("Z33.1", "CA-AB352"), // pregnant, incidental
        ("Z34.00", "SEX"),     // a normal pregnancy
        ("Z13.6", "GDIS"),
        ("T73.0XXA", "SDV"), // starvation
        ("Z63.0", "SDV"),    // problems between partners
        ("A49.9", "STD"),
        ("E11.9", "MH"),
    ] {
        let text = format!(
            r#"{{"resourceType":"Condition","code":{{"coding":[{{"system":"{icd}","code":"{code}"}}]}}}}"#
        );
        let document = document(&text);
        let source = Source { state: Some("CA"), age_years: Some(40), tags: &[] };
        let found = labeller.label(document.root(), at("2026-11-22"), &source, &Tagged::new());
        assert!(!found.labels.meets(Labels::named(absent).unwrap()), "{code}: {}", found.labels);
    }
}

#[test]
fn every_rule_has_its_law_and_was_checked_after_it_came_into_force() {
    for rule in shipped().rules() {
        assert!(rule.basis.len() > 8 && rule.why.len() > 6, "{}", rule.id);
        assert!(rule.checked > rule.from, "{}", rule.id);
        assert!(!rule.any.is_empty() && !rule.labels.is_empty(), "{}", rule.id);
    }
    let covered = shipped().rules().iter().fold(Labels::NONE, |all, rule| all | rule.labels);
    for name in [
        "42CFRPart2",
        "SUD-NOTES",
        "PSYTHPN",
        "HIV",
        "MH",
        "SUD",
        "ETHUD",
        "OPIOIDUD",
        "SEX",
        "CA-AB352",
        "GDIS",
        "STD",
        "SDV",
        "ADOL",
        "VIP",
        "SELFPAY",
    ] {
        assert!(covered.holds(Labels::named(name).unwrap()), "{name}");
    }
}

const RULE: &str = "pack p\nrule a\n label HIV\n basis a law\n why so\n from 2020-01-01\n checked 2021-01-01\n source s\n";

#[test]
fn a_pack_that_is_not_understood_is_refused_at_its_line() {
    assert_eq!(Labeller::load(&[("p.txt", RULE)]).unwrap().rules().len(), 1);
    for (line, from, to) in [
        (3, "label HIV", "label HIVE"),
        (3, "label HIV", "label UNLABELLED"),
        (2, " basis a law\n", ""),
        (2, " from 2020-01-01\n", ""),
        (6, "from 2020-01-01", "from 2020-01"),
        (6, "from 2020-01-01", "from soon"),
        (2, " source s\n", ""),
        (8, "source s", "code klingon 1"),
        (8, "source s", "code loinc"),
        (8, "source s", "resource s"),
        (8, "source s", "age 17 12"),
        (8, "source s", "state California"),
        (4, "basis a law", "label MH"),
        (1, "pack p", "rule p"),
        (2, "rule a", "rule a b"),
        (2, " source s\n", " source s\n to 2019-01-01\n"),
    ] {
        let text = RULE.replace(from, to);
        let fault = Labeller::load(&[("p.txt", &text)]).unwrap_err();
        assert_eq!(fault.code().name, "privacy.rules.invalid");
        assert!(fault.to_string().contains(&format!("p.txt:{line}:")), "{to}: {fault}");
    }
    let twice = Labeller::load(&[("p.txt", RULE), ("q.txt", RULE)]).unwrap_err();
    assert!(twice.to_string().contains("q.txt:2:"), "{twice}");
}

#[test]
fn a_rule_ends_on_its_last_day() {
    let text = RULE.to_owned() + " to 2022-01-01\n";
    let labeller = Labeller::load(&[("p.txt", &text)]).unwrap();
    let document = document(r#"{"resourceType":"Basic"}"#);
    let label = |now| {
        let source = Source { tags: &["s"], ..Source::default() };
        labeller.label(document.root(), now, &source, &Tagged::new()).labels
    };
    let end = at("2022-01-01");
    assert!(!label(Millis(end.0 - 1)).is_empty());
    assert!(label(end).is_empty());
}

#[test]
fn the_digest_is_that_of_the_packs() {
    let one = shipped();
    assert_eq!(one.digest(), shipped().digest());
    assert_eq!(one.digest().len(), 64);
    let mut texts = SHIPPED;
    let changed = texts[0].1.replace("from 2017-03-21", "from 2017-03-22");
    texts[0].1 = &changed;
    assert_ne!(Labeller::load(&texts).unwrap().digest(), one.digest());
}

proptest::proptest! {
    #[test]
    fn no_text_panics_the_reading_of_a_pack(text in "(pack|rule|label|from|age|code|source|[ \n#a-z0-9-]){0,60}") {
        drop(Labeller::load(&[("p.txt", &text)]));
    }
}
