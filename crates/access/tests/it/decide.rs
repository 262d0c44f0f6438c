//! Decisions: whom they let where, what they remember, and what they do when something is wrong.

use std::sync::Arc;

use access::{Action, Context, Decision, Facts, PrincipalKind, Purpose, Who};

use crate::support::{facts, kind, shipped, treating, user};

#[test]
fn a_clinician_sees_patients_in_care_and_those_of_the_own_site_who_are_not_watched() {
    let guard = shipped().decide(&user("clinician"), Action::Search, None, &treating()).guard();
    assert!(guard.allows(&facts()));
    assert!(guard.allows(&Facts { patients: &["cyd"], ..facts() }), "of the site");
    assert!(!guard.allows(&Facts { patients: &["cyd"], vip: true, ..facts() }));
    assert!(guard.allows(&Facts { vip: true, ..facts() }), "in care, though watched");
    assert!(!guard.allows(&Facts { patients: &["cyd"], site: Some("south"), ..facts() }));
    assert!(!guard.allows(&Facts { patients: &["cyd"], site: None, ..facts() }));
    assert!(!guard.allows(&Facts { kind: kind("AuditEvent"), ..facts() }));
}

#[test]
fn nobody_is_let_in_by_no_role_or_another_purpose() {
    for (role, purpose) in [("", Purpose::Treatment), ("clinician", Purpose::Payment)] {
        let context = Context::of(purpose);
        let decision =
            shipped().decide(&user(role), Action::Read, Some(kind("Observation")), &context);
        let Decision::Denied(receipt) = &decision else { panic!("{decision:?}") };
        assert_eq!(receipt.alarm, None);
        assert_eq!(decision.fault().unwrap().status(), 403);
    }
}

#[test]
fn an_it_administrator_sees_no_clinical_record() {
    let context = Context { mfa_age_seconds: 0, ..Context::of(Purpose::System) };
    for action in Action::ALL {
        let decision = shipped().decide(&user("it-administrator"), action, None, &context);
        for name in ["Observation", "Patient", "Condition", "DocumentReference", "Claim"] {
            for patients in [&["ada"][..], &[]] {
                let facts = Facts { kind: kind(name), patients, ..facts() };
                assert!(!decision.guard().allows(&facts), "{action:?} {name}");
            }
        }
    }
    let set = Facts { kind: kind("ValueSet"), patients: &[], ..facts() };
    let decision = shipped().decide(&user("it-administrator"), Action::Configure, None, &context);
    assert!(decision.guard().allows(&set));
}

#[test]
fn a_patient_sees_the_own_record_and_no_other() {
    let context = Context::of(Purpose::PatientRequest);
    let guard = shipped().decide(&user("patient"), Action::Read, None, &context).guard();
    assert!(guard.allows(&Facts { patients: &["own"], ..facts() }));
    for patients in [&["ada"][..], &["child"], &[]] {
        assert!(!guard.allows(&Facts { patients, ..facts() }), "{patients:?}");
    }
}

fn helper(kind: PrincipalKind, role: &str, user: Option<Who>) -> Who {
    let mut who = Who::new(kind, "helper", "clinic");
    who.roles = vec![role.into()];
    who.on_behalf_of = user.map(Arc::new);
    who
}

#[test]
fn an_app_or_agent_reaches_no_further_than_whom_it_acts_for() {
    for (kind, role) in [(PrincipalKind::App, "app"), (PrincipalKind::Agent, "agent")] {
        let who = helper(kind, role, Some(user("clinician")));
        let guard = shipped().decide(&who, Action::Read, None, &treating()).guard();
        assert!(guard.allows(&facts()), "{kind:?}");
        assert!(!guard.allows(&Facts { patients: &["cyd"], site: None, ..facts() }), "{kind:?}");
        let alone = helper(kind, role, None);
        let decision = shipped().decide(&alone, Action::Read, None, &treating());
        assert!(matches!(decision, Decision::Denied(_)), "{kind:?} for nobody");
    }
}

#[test]
fn an_agent_hands_nothing_out_whomever_it_acts_for() {
    for role in crate::support::ROLES {
        let who = helper(PrincipalKind::Agent, "agent", Some(user(role)));
        for purpose in Purpose::ALL {
            let context = Context { mfa_age_seconds: 0, ..Context::of(purpose) };
            for action in [Action::Export, Action::Print, Action::Delete, Action::Amend] {
                let decision = shipped().decide(&who, action, None, &context);
                assert!(matches!(decision, Decision::Denied(_)), "{role} {action:?} {purpose:?}");
            }
        }
    }
}

#[test]
fn a_decision_is_remembered_until_anything_in_the_question_differs() {
    let policies = access::Policies::load(1, &[]).unwrap();
    let who = Arc::new(user("clinician"));
    let first = policies.guard(&who, Action::Read, None, &treating());
    assert!(Arc::ptr_eq(&first, &policies.guard(&who, Action::Read, None, &treating())));
    let same = Arc::new(user("clinician"));
    assert!(Arc::ptr_eq(&first, &policies.guard(&same, Action::Read, None, &treating())));
    // An age that no policy can tell from the first.
    let older = Context { mfa_age_seconds: 299, ..treating() };
    assert!(Arc::ptr_eq(&first, &policies.guard(&who, Action::Read, None, &older)));
    let much_older = Context { mfa_age_seconds: 301, ..treating() };
    assert!(!Arc::ptr_eq(&first, &policies.guard(&who, Action::Read, None, &much_older)));
    let mut dismissed = user("clinician");
    dismissed.patients_in_care.clear();
    let narrower = policies.guard(&Arc::new(dismissed), Action::Read, None, &treating());
    assert!(first.guard().allows(&Facts { site: None, ..facts() }));
    assert!(!narrower.guard().allows(&Facts { site: None, ..facts() }), "same id, other patients");
    assert_eq!(policies.remembered(), 3);
}

#[test]
fn a_decision_that_would_need_too_many_clauses_is_a_denial_with_an_alarm() {
    let some: Vec<String> = (0..=access::CLAUSES_MAX)
        .map(|n| {
            format!(
                "(resource.site == Site::\"s{n}\" && resource.patients.contains(Patient::\"p{n}\"))"
            )
        })
        .collect();
    let policy = |id: &str, some: &[String]| {
        format!(
            "@id(\"{id}\") permit (principal, action, resource) when {{ resource has site && ({}) }};\n",
            some.join(" || ")
        )
    };
    let text = some
        .chunks(16)
        .enumerate()
        .map(|(at, some)| policy(&format!("p{at}"), some))
        .collect::<String>();
    let site = [access::Text { name: "site.cedar", text: &text }];
    let policies = access::Policies::load_with(1, &[], &site).unwrap();
    let decision = policies.decide(&user("any"), Action::Read, None, &treating());
    let Decision::Denied(receipt) = &decision else { panic!("{decision:?}") };
    assert!(receipt.alarm.as_deref().unwrap().contains("TooMany"));
    assert!(decision.guard().is_nothing());
}

#[test]
fn what_is_remembered_is_bounded() {
    let policies = access::Policies::load_with(1, &[], &[]).unwrap();
    for number in 0..5_000 {
        let who = Arc::new(Who::new(PrincipalKind::User, format!("user-{number}"), "clinic"));
        policies.guard(&who, Action::Read, None, &treating());
    }
    assert!(policies.remembered() <= 4096, "{}", policies.remembered());
}

#[test]
fn him_hands_out_only_with_a_fresh_strong_sign_in() {
    for (age, may) in [(0, true), (300, true), (301, false), (i64::MAX, false)] {
        let context = Context { mfa_age_seconds: age, ..Context::of(Purpose::PatientRequest) };
        let decision = shipped().guard(&Arc::new(user("him")), Action::Export, None, &context);
        assert_eq!(decision.guard().allows(&facts()), may, "{age}");
    }
}

#[test]
#[ignore = "a measurement: run it in release"]
#[expect(clippy::print_stdout, reason = "a measurement is for whoever runs it")]
fn how_long_a_decision_takes() {
    let policies = shipped();
    let mut who = user("clinician");
    who.patients_in_care = (0..50).map(|number| format!("patient-{number}").into()).collect();
    let who = Arc::new(who);
    let began = std::time::Instant::now();
    for _ in 0..1_000 {
        std::hint::black_box(policies.decide(&who, Action::Read, None, &treating()));
    }
    println!("decided: {} us", began.elapsed().as_micros() / 1_000);
    let began = std::time::Instant::now();
    for _ in 0..1_000_000 {
        std::hint::black_box(policies.guard(&who, Action::Read, None, &treating()));
    }
    println!("remembered: {} ns", began.elapsed().as_nanos() / 1_000_000);
    let began = std::time::Instant::now();
    for _ in 0..1_000 {
        std::hint::black_box(policies.judge(&who, Action::Read, &facts(), &treating()));
    }
    println!("judged in full: {} us", began.elapsed().as_micros() / 1_000);
    let began = std::time::Instant::now();
    for _ in 0..20 {
        std::hint::black_box(access::Policies::load(1, &[]).unwrap());
    }
    println!("loaded: {} ms", began.elapsed().as_millis() / 20);
}
