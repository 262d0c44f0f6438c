//! A change of rules puts in doubt the labels that it may give or take, and no others.

use crate::support::{Dice, at, document};
use access::Labels;
use base::Millis;
use privacy::labelling::{Epoch, Labeller, Source, Tagged};
use proptest::prelude::*;

fn rule(id: &str, label: &str, more: &str) -> String {
    format!(
        "rule {id}\nlabel {label}\nbasis a law\nwhy a reason\nfrom 2020-01-01\nchecked 2026-01-01\n{more}\n"
    )
}

fn labeller(rules: &[String]) -> Labeller {
    Labeller::load(&[("a.txt", &format!("pack a\n{}", rules.concat()))]).unwrap()
}

fn tagged(of: &[(&str, &str)]) -> Tagged {
    of.iter().map(|(record, tag)| ((*record).to_owned(), vec![(*tag).to_owned()])).collect()
}

fn named(names: &str) -> Labels {
    names
        .split_whitespace()
        .map(|name| Labels::named(name).unwrap())
        .fold(Labels::NONE, |a, b| a | b)
}

fn now() -> Millis {
    at("2026-06-01")
}

#[test]
fn only_what_a_new_rule_gives_may_be_gained_and_what_a_gone_one_gave_be_lost() {
    let hiv = rule("hiv", "HIV", "prefix icd10cm B20");
    let (mental, longer) =
        (rule("mh", "MH", "prefix icd10cm F2"), rule("mh", "MH", "prefix icd10cm F2 F3"));
    let none = Tagged::new();
    let of = |rules: &[String]| labeller(rules).epoch(now(), "", &none);
    let one = of(&[hiv.clone(), mental.clone()]);
    let more = of(&[hiv.clone(), mental, rule("std", "STD", "code cvx 62")]);
    let change = more.since(Some(&one));
    assert_eq!((change.gained, change.lost), (named("STD UNLABELLED"), Labels::NONE));
    let change = one.since(Some(&more));
    assert_eq!((change.gained, change.lost), (Labels::NONE, named("STD")));
    let change = of(&[hiv, longer]).since(Some(&one));
    assert_eq!((change.gained, change.lost), (named("MH UNLABELLED"), named("MH")));
    assert!(one.since(Some(&one)).is_empty());
    let unknown = one.since(None);
    assert_eq!(unknown.gained, named("HIV MH UNLABELLED"));
    assert_eq!(unknown.lost.bits(), u64::MAX);
}

#[test]
fn words_that_decide_nothing_change_nothing() {
    let one = rule("a", "HIV", "prefix icd10cm B20");
    let two = one.replace("a law", "another law").replace("rule a", "rule b");
    let two = two.replace("2026-01-01", "2026-05-05");
    let none = Tagged::new();
    let (one, two) = (labeller(&[one]), labeller(&[two]));
    assert_ne!(one.digest(), two.digest());
    assert_eq!(one.epoch(now(), "", &none), two.epoch(now(), "", &none));
}

#[test]
fn a_rule_counts_from_its_day_in_its_state_and_with_a_record_that_is_tagged() {
    let dated =
        rule("a", "HIV", "prefix icd10cm B20").replace("from 2020-01-01", "from 2026-07-01");
    let ending = rule("b", "MH", "to 2026-08-01\nprefix icd10cm F2");
    let there = rule("c", "SEX", "state CA\nprefix icd10cm Z30");
    let part2 = rule("d", "42CFRPart2", "source part2-programme");
    let packs = labeller(&[dated, ending, there, part2]);
    let none = Tagged::new();
    let gained = |day: &str, state: &str, tags: &Tagged| {
        packs.epoch(at(day), state, tags).since(Some(&Epoch::default())).gained
    };
    assert_eq!(gained("2026-06-30", "", &none), named("MH UNLABELLED"));
    assert_eq!(gained("2026-07-01", "", &none), named("HIV MH UNLABELLED"));
    assert_eq!(gained("2026-08-01", "CA", &none), named("HIV SEX UNLABELLED"));
    let programme = tagged(&[("Organization/p", "part2-programme"), ("Organization/q", "other")]);
    assert_eq!(gained("2026-06-30", "", &programme), named("MH 42CFRPart2 UNLABELLED"));
    assert_eq!(packs.next_change(at("2026-06-30")), Some(at("2026-07-01")));
    assert_eq!(packs.next_change(at("2026-07-01")), Some(at("2026-08-01")));
    assert_eq!(packs.next_change(at("2026-08-01")), None);
}

#[test]
fn a_tag_of_a_patient_puts_that_patients_records_in_doubt_alone() {
    let packs = labeller(&[rule("vip", "VIP", "source vip")]);
    let one = packs.epoch(now(), "", &tagged(&[("Patient/a", "vip")]));
    let two = packs.epoch(now(), "", &tagged(&[("Patient/a", "vip"), ("Patient/b", "vip")]));
    let change = two.since(Some(&one));
    assert_eq!((change.gained, change.lost), (Labels::NONE, Labels::NONE));
    assert_eq!(change.of_patients, named("VIP UNLABELLED"));
    assert_eq!(change.patients, ["b"]);
    assert_eq!(one.since(Some(&two)).lost, named("VIP"));
    assert_eq!(Epoch::parse(&two.text()), Some(two));
}

#[test]
fn what_cannot_be_read_is_not_known() {
    for text in ["", "2", "1\n", "1\nx 1", "1\n1", "0\n1 1", "1\n1 1\n\n"] {
        assert_eq!(Epoch::parse(text), None, "{text:?}");
    }
    assert_eq!(Epoch::parse("1"), Some(Epoch::default()));
}

#[test]
fn the_shipped_rules_without_tags_put_no_treatment_in_doubt_outside_california() {
    let packs = Labeller::shipped().unwrap();
    let gained = |state: &str| packs.epoch(now(), state, &Tagged::new()).since(None).gained;
    let walls = named("42CFRPart2 PSYTHPN SUD-NOTES CA-AB352 VIP");
    assert!(!gained("").meets(walls), "{}", gained(""));
    assert_eq!(gained("CA") & walls, named("CA-AB352"));
}

/// Rules of which any subset is a pack.
fn pool() -> Vec<String> {
    vec![
        rule("a", "HIV", "prefix icd10cm B20"),
        rule("b", "MH", "prefix icd10cm F2 B2"),
        rule("c", "STD HIV", "code icd10cm B20.1"),
        rule("d", "ADOL", "age 12 17\nprefix icd10cm F"),
        rule("e", "42CFRPart2", "source part2-programme"),
        rule("f", "VIP", "source vip"),
        rule("g", "SEX", "state CA\nprefix icd10cm Z30 B20"),
    ]
}

proptest! {
    #[test]
    fn whatever_a_record_becomes_it_lies_between_what_it_has_and_what_it_may_gain(
        seed in any::<u64>(),
        (first, second) in (1_u8..128, 1_u8..128),
    ) {
        let mut dice = Dice(seed);
        let pick = |bits: u8| {
            let rules: Vec<String> = pool().into_iter().enumerate()
                .filter(|(at, _)| bits >> at & 1 == 1).map(|(_, rule)| rule).collect();
            labeller(&rules)
        };
        let (one, two) = (pick(first), pick(second));
        let tags = |dice: &mut Dice| {
            let all = [("Organization/p", "part2-programme"), ("Patient/x", "vip"), ("Patient/y", "vip")];
            let some: Vec<_> = all.into_iter().filter(|_| dice.one_in(2)).collect();
            tagged(&some)
        };
        let (tags_one, tags_two) = (tags(&mut dice), tags(&mut dice));
        let state = ["", "CA"];
        let (here, there) = (dice.of(&state), dice.of(&state));
        let change = two.epoch(now(), there, &tags_two)
            .since(Some(&one.epoch(now(), here, &tags_one)));
        let (code, patient) = (dice.of(&["B20", "B20.1", "F20", "Z30", "E11"]), dice.of(&["x", "y"]));
        let text = format!(r#"{{"resourceType":"Condition","recorder":{{"reference":"Organization/p"}},"subject":{{"reference":"Patient/{patient}"}},"code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{code}"}}]}}}}"#);
        let document = document(&text);
        let age_years = dice.of(&[None, Some(15), Some(40)]);
        let label = |by: &Labeller, state, tags: &Tagged| {
            let source = Source { state: Some(state), age_years, tags: &[] };
            by.label(document.root(), now(), &source, tags).labels
        };
        let (before, after) = (label(&one, here, &tags_one), label(&two, there, &tags_two));
        let of_patient = change.patients.iter().any(|id| id == patient);
        let may = before | change.gained | if of_patient { change.of_patients } else { Labels::NONE };
        let must = before & !change.lost;
        prop_assert!(may.holds(after), "{after} is more than {may}");
        prop_assert!(after.holds(must), "{after} is less than {must}");
    }

    #[test]
    fn no_stored_text_panics(text in "1(\n[0-9a-f ]{0,40}){0,3}") {
        Epoch::parse(&text);
    }
}
