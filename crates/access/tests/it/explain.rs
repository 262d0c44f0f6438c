//! Why a decision is what it is.

use access::{Action, Context, Facts, Purpose};

use crate::support::{Dice, facts, kind, label, shipped, throw, treating, user};

fn ids(rules: &[std::sync::Arc<access::Rule>]) -> Vec<&str> {
    rules.iter().map(|rule| &*rule.id).collect()
}

#[test]
fn what_is_permitted_names_its_permit_and_needs_nothing_else() {
    let why = shipped().explain(&user("clinician"), Action::Read, &facts(), &treating());
    assert!(why.permitted);
    assert_eq!(ids(&why.permits), ["clinician-view"]);
    assert!(why.forbids.is_empty());
}

#[test]
fn a_wall_is_named_beside_the_permit_that_it_closes_and_what_would_open_it() {
    let facts = Facts { labels: label("42CFRPart2"), ..facts() };
    let why = shipped().explain(&user("clinician"), Action::Read, &facts, &treating());
    assert!(!why.permitted);
    assert_eq!(ids(&why.permits), ["clinician-view"]);
    assert_eq!(ids(&why.forbids), ["wall-42cfr-part2"]);
    let instead = shipped().instead(&user("clinician"), Action::Read, &facts, &treating());
    let consent = "the patient's consent to share 42CFRPart2".to_owned();
    assert!(instead.contains(&consent), "{instead:?}");
    assert!(instead.contains(&"the glass broken in an emergency".to_owned()));
}

#[test]
fn what_no_policy_permits_says_what_is_missing() {
    let nurse = access::Who { sites: Vec::new(), patients_in_care: Vec::new(), ..user("nurse") };
    let why = shipped().explain(&nurse, Action::Read, &facts(), &treating());
    assert!(!why.permitted && why.permits.is_empty() && why.forbids.is_empty());
    let instead = shipped().instead(&nurse, Action::Read, &facts(), &treating());
    let told = |line: &str| instead.iter().any(|own| own == line);
    assert!(told("the patient being in their care") && told("working at the site north"));
    // Two things at once, where neither suffices.
    let biller = user("biller");
    let asked = Context::of(Purpose::Treatment);
    let purge = Facts { kind: kind("ValueSet"), patients: &[], ..facts() };
    let instead = |asked: &Context| shipped().instead(&biller, Action::Configure, &purge, asked);
    assert!(instead(&asked).is_empty(), "three things are missing");
    let fresh = Context { mfa_age_seconds: 0, ..asked };
    assert_eq!(instead(&fresh), ["the purpose HSYSADMIN, and the role it-administrator"]);
}

#[test]
fn nobody_in_another_tenant_is_told_a_way_in() {
    let facts = Facts { tenant: "other", ..facts() };
    let why = shipped().explain(&user("clinician"), Action::Read, &facts, &treating());
    assert_eq!(ids(&why.forbids), ["wall-tenant"]);
    let instead = shipped().instead(&user("clinician"), Action::Read, &facts, &treating());
    assert!(instead.is_empty(), "{instead:?}");
}

#[test]
fn an_explanation_decides_as_the_policies_do() {
    let mut dice = Dice(3);
    let mut permitted = 0;
    for _ in 0..500 {
        let facts = throw(&mut dice).facts;
        let who = user(dice.of(&["clinician", "nurse", "him", "biller"]));
        let context = Context::of(dice.of(&[Purpose::Treatment, Purpose::Operations]));
        let why = shipped().explain(&who, Action::Read, &facts, &context);
        assert_eq!(why.permitted, shipped().judge(&who, Action::Read, &facts, &context));
        assert_eq!(why.permitted, !why.permits.is_empty() && why.forbids.is_empty(), "{facts:?}");
        permitted += usize::from(why.permitted);
    }
    assert!(permitted > 20, "{permitted}");
}
