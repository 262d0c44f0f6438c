//! The walls, each by its law: what they refuse, and what they leave.
//!
//! A permit for everything stands behind them, so that only a wall can refuse.

use std::sync::{Arc, OnceLock};

use access::{Action, Context, Decision, Facts, Policies, PrincipalKind, Purpose, Text, Who};

use crate::support::{facts, label, treating, user};

fn open() -> &'static Policies {
    static OPEN: OnceLock<Policies> = OnceLock::new();
    OPEN.get_or_init(|| {
        let text = "@id(\"all\") permit (principal, action, resource);";
        Policies::load_with(1, &[], &[Text { name: "open.cedar", text }]).unwrap()
    })
}

/// The answer, which is the same from the guard and from the policies in full.
#[track_caller]
fn may(who: &Who, context: &Context, facts: &Facts<'_>) -> bool {
    let decision = open().decide(who, Action::Read, None, context);
    let answer = decision.guard().allows(facts);
    assert_eq!(answer, open().judge(who, Action::Read, facts, context));
    answer
}

#[test]
fn without_a_wall_in_its_way_a_record_is_reached() {
    assert!(may(&user("any"), &treating(), &facts()));
}

/// 45 CFR 164.312(a)(1).
#[test]
fn no_record_of_another_tenant_is_reached_by_anybody() {
    let elsewhere = Facts { tenant: "other", ..facts() };
    for kind in PrincipalKind::ALL {
        let mut who = user("any");
        who.kind = kind;
        who.on_behalf_of = Some(Arc::new(user("any")));
        assert!(may(&who, &treating(), &facts()), "{kind:?}");
        assert!(!may(&who, &treating(), &elsewhere), "{kind:?}");
    }
    let broken = Context { break_glass: true, ..Context::of(Purpose::Emergency) };
    assert!(!may(&user("any"), &broken, &elsewhere), "and no glass to break");
}

/// 42 CFR 2.13, 2.31.
#[test]
fn a_part_2_record_is_reached_with_consent_and_not_without() {
    let part2 = Facts { labels: label("42CFRPart2") | label("HIV"), ..facts() };
    assert!(!may(&user("any"), &treating(), &part2));
    let consented = Context { consent: label("42CFRPart2"), ..treating() };
    assert!(may(&user("any"), &consented, &part2));
    let other = Context { consent: label("HIV"), ..treating() };
    assert!(!may(&user("any"), &other, &part2), "a consent to something else");
}

/// 42 CFR 2.51.
#[test]
fn a_part_2_record_is_reached_in_a_medical_emergency_only_with_the_glass_broken() {
    let part2 = Facts { labels: label("42CFRPart2"), ..facts() };
    let asked = |break_glass, purpose| Context { break_glass, ..Context::of(purpose) };
    assert!(may(&user("any"), &asked(true, Purpose::Emergency), &part2));
    assert!(!may(&user("any"), &asked(false, Purpose::Emergency), &part2));
    assert!(!may(&user("any"), &asked(true, Purpose::Treatment), &part2));
}

/// 45 CFR 164.508(a)(2).
#[test]
fn psychotherapy_notes_are_reached_by_their_originator_for_treatment_or_with_authorization() {
    let notes = Facts { labels: label("PSYTHPN"), author: Some("grace"), ..facts() };
    assert!(may(&user("any"), &treating(), &notes), "her own");
    assert!(!may(&user("any"), &Context::of(Purpose::Payment), &notes), "her own, to bill");
    let others = Facts { author: Some("henry"), ..notes };
    assert!(!may(&user("any"), &treating(), &others));
    assert!(!may(&user("any"), &treating(), &Facts { author: None, ..notes }));
    let authorized = Context { consent: label("PSYTHPN"), ..treating() };
    assert!(may(&user("any"), &authorized, &others));
    let broken = Context { break_glass: true, ..Context::of(Purpose::Emergency) };
    assert!(!may(&user("any"), &broken, &others), "no emergency exception");
    let mut app = user("any");
    app.kind = PrincipalKind::App;
    app.on_behalf_of = Some(Arc::new(user("any")));
    assert!(!may(&app, &treating(), &notes), "an app of the same name is not the originator");
}

/// Cal. Civ. Code 56.101(c), 56.110.
#[test]
fn what_ab_352_protects_does_not_leave_california() {
    let protected = Facts { labels: label("CA-AB352"), ..facts() };
    let to = |state: &str| Context { recipient_state: state.into(), ..treating() };
    assert!(may(&user("any"), &to("CA"), &protected));
    assert!(!may(&user("any"), &to("TX"), &protected));
    assert!(!may(&user("any"), &to(""), &protected), "not known is elsewhere");
    assert!(may(&user("any"), &to("TX"), &facts()), "other records may");
}

#[test]
fn a_site_can_narrow_what_a_wall_leaves_and_never_widen_it() {
    let text = "@id(\"mine\") permit (principal, action, resource) when { resource.labels.contains(\"42CFRPart2\") };\n\
                @id(\"less\") forbid (principal, action, resource) when { resource.vip };";
    let site = Policies::load(1, &[Text { name: "site.cedar", text }]).unwrap();
    let part2 = Facts { labels: label("42CFRPart2"), ..facts() };
    let guard = site.decide(&user("clinician"), Action::Read, None, &treating()).guard();
    assert!(!guard.allows(&part2));
    assert!(guard.allows(&facts()));
    assert!(!guard.allows(&Facts { vip: true, ..facts() }));
}

#[test]
fn a_decision_names_the_law_of_the_wall_that_narrows_it() {
    let Decision::Allowed { receipts, .. } =
        open().decide(&user("any"), Action::Read, None, &treating())
    else {
        panic!("denied");
    };
    assert!(receipts[0].laws().any(|law| law.contains("42 CFR 2.13")));
    assert!(receipts[0].exceptions().all(|exception| exception == "171.202"));
}
