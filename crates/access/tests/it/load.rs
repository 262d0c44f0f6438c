//! The gate: what is refused at load, by which code, at which line.

use access::{Policies, Text};
use base::Fault;

fn refused(text: &str) -> Fault {
    Policies::load(1, &[Text { name: "site.cedar", text }]).expect_err(text)
}

#[track_caller]
fn refuses(text: &str, code: &str, place: &str) {
    let fault = refused(text);
    assert_eq!(fault.code().name, code, "{fault}");
    assert_eq!(fault.issues[0].expression.as_deref(), Some(place), "{fault}");
}

#[test]
fn what_is_shipped_loads() {
    let policies = Policies::load(3, &[]).unwrap();
    assert_eq!(policies.epoch(), 3);
    assert_eq!(policies.rules().filter(|rule| rule.wall).count(), 8);
    assert!(policies.rules().filter(|rule| rule.wall).all(|rule| !rule.permits));
    assert!(policies.rules().all(|rule| rule.law.is_some()), "each rests on something");
}

#[test]
fn a_policy_of_a_site_is_added() {
    let text = "\n@id(\"night\")\nforbid (principal in Role::\"biller\", action, resource) when { resource.vip };";
    let policies = Policies::load(1, &[Text { name: "site.cedar", text }]).unwrap();
    let rule = policies.rules().find(|rule| &*rule.id == "night").unwrap();
    assert_eq!((rule.line, rule.wall, rule.permits), (2, false, false));
}

#[test]
fn a_policy_without_an_id_is_refused_at_its_line() {
    refuses(
        "// a comment\n\npermit (principal, action, resource);",
        "access.policy.unnamed",
        "site.cedar:3",
    );
}

#[test]
fn a_policy_that_is_not_cedar_is_refused_at_its_line() {
    refuses(
        "@id(\"a\")\npermit (principal, action, resource);\n@id(\"b\")\nallow (principal);",
        "access.policy.invalid",
        "site.cedar:3",
    );
    refuses(
        "@id(\"a\") permit (principal, action, resource)",
        "access.policy.invalid",
        "site.cedar:1",
    );
}

#[test]
fn a_policy_that_does_not_fit_the_schema_is_refused() {
    for condition in [
        "resource.vip == context.purpose",
        "principal.salary > 3",
        "resource.site == Site::\"north\"",
        "context.weather == \"fine\"",
        "principal in Tenant::\"clinic\"",
    ] {
        let text =
            format!("@id(\"a\")\npermit (principal, action, resource) when {{ {condition} }};");
        refuses(&text, "access.policy.invalid", "site.cedar:1");
    }
}

#[test]
fn every_fault_of_a_set_is_told_with_its_file_and_line() {
    let night = "@id(\"night\")\nforbid (principal, action, resource) when { resource.vip };\n\npermit (principal, action, resource);\n@id(\"x\") permit;";
    let more = "@id(\"night\") permit (principal, action, resource);\n@id(\"y\")\nforbid (principal, action, resource) when { principal.salary > 3 };";
    let texts =
        [Text { name: "night.cedar", text: night }, Text { name: "more.cedar", text: more }];
    let fault = Policies::load(1, &texts).unwrap_err();
    let told: Vec<_> = fault
        .issues
        .iter()
        .map(|issue| (issue.code.name, issue.expression.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            ("access.policy.unnamed", "night.cedar:4"),
            ("access.policy.invalid", "night.cedar:5"),
            ("access.policy.invalid", "more.cedar:1"),
            ("access.policy.invalid", "more.cedar:2"),
        ],
        "{fault}"
    );
}

#[test]
fn what_policies_name_is_known_from_their_scope_and_from_their_conditions() {
    let text = "@id(\"a\") permit (principal in Role::\"doula\", action, resource) when { principal in CareTeam::\"birth\" && resource has site && resource.site == Site::\"north\" && context.recipientState == \"TX\" };";
    let policies = Policies::load(1, &[Text { name: "site.cedar", text }]).unwrap();
    let named = policies.named();
    assert!(named.roles.contains("doula") && named.roles.contains("nurse"));
    assert!(named.care_teams.contains("birth") && named.sites.contains("north"));
    assert!(named.states.contains("TX") && named.states.contains("CA"));
}

#[test]
fn a_policy_that_takes_the_id_of_a_wall_is_refused() {
    let text = "@id(\"wall-tenant\")\npermit (principal, action, resource);";
    refuses(text, "access.policy.invalid", "site.cedar:1");
}

#[test]
fn a_policy_that_could_err_is_refused() {
    for condition in ["context.mfaAgeSeconds + 1 < 3", "-context.mfaAgeSeconds < 3"] {
        let text =
            format!("@id(\"a\")\nforbid (principal, action, resource) when {{ {condition} }};");
        refuses(&text, "access.policy.may-fail", "site.cedar:1");
    }
}

#[test]
fn a_policy_that_no_index_can_follow_is_refused() {
    for condition in [
        "resource.kind like \"Obs*\"",
        "resource.tenant == resource.site",
        "resource.kind == \"Observatory\"",
        "resource.labels.contains(\"no-such-label\")",
        "resource.labels == [\"HIV\"]",
        "resource has site && principal in resource.site",
        "resource has site && resource.site in CareTeam::\"ct-9\"",
        "principal.patientsInCare.containsAll(resource.patients)",
        "resource == Record::\"it\"",
    ] {
        let text =
            format!("@id(\"a\")\nforbid (principal, action, resource) when {{ {condition} }};");
        refuses(&text, "access.policy.beyond-index", "site.cedar:1");
    }
    let scope = "@id(\"a\")\nforbid (principal, action, resource == Record::\"it\");";
    refuses(scope, "access.policy.beyond-index", "site.cedar:1");
}

#[test]
fn a_template_is_refused() {
    let text = "@id(\"a\")\npermit (principal == ?principal, action, resource);";
    refuses(text, "access.policy.invalid", "site.cedar:1");
}

#[test]
fn a_text_longer_than_the_limit_is_refused() {
    let text = " ".repeat(access::policies::TEXT_BYTES_MAX + 1);
    assert_eq!(refused(&text).code().name, "access.policy.invalid");
}

#[test]
fn a_policy_as_deep_as_the_limit_allows_is_answered() {
    use access::policies::{POLICY_DEPTH_MAX, POLICY_PARTS_MAX};
    let nest = |open: &str, inner: &str, close: &str| {
        let deep = open.contains(['(', '[', '{']) || open.contains("then");
        // The outer braces are one level, the scope's brackets two parts.
        let times = if deep {
            POLICY_DEPTH_MAX - 1
        } else {
            (POLICY_PARTS_MAX - 8) / if open.contains('.') { 2 } else { 1 }
        };
        format!("{}{inner}{}", open.repeat(times), close.repeat(times))
    };
    for condition in [
        nest("!", "true", ""),
        nest("(", "true", ")"),
        nest("[", "1", "]"),
        nest("true||", "true", ""),
        nest("resource.vip&&", "true", ""),
        nest("resource.vip||", "true", ""),
        nest("if true then ", "true", " else true"),
        nest("{a:", "1", "}.a"),
        nest("", "principal", ".a"),
        nest("-", "1", ""),
    ] {
        let text =
            format!("@id(\"a\") forbid (principal, action, resource) when {{ {condition} }};");
        // Half the stack that a thread has.
        let loaded = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
            let site = [Text { name: "site.cedar", text: &text }];
            if let Ok(policies) = Policies::load_with(1, &[], &site) {
                let asked = access::Context::of(access::Purpose::Treatment);
                let who = crate::support::user("clinician");
                let action = access::Action::Read;
                policies.decide(&who, action, None, &asked);
                policies.judge(&who, action, &crate::support::facts(), &asked);
            }
        });
        loaded.unwrap().join().unwrap();
    }
}

#[test]
fn a_policy_with_more_parts_than_the_limit_is_refused_before_it_is_parsed() {
    for part in ["!", "(", "true||", "[", "if true then ", "{a:", "-"] {
        let deep = part.repeat(100_000 / part.len());
        let text = format!("@id(\"a\") permit (principal, action, resource) when {{ {deep}");
        let text = &text[..access::policies::POLICY_BYTES_MAX];
        refuses(text, "access.policy.invalid", "site.cedar:1");
    }
}

#[test]
fn a_policy_longer_than_the_limit_is_refused_at_its_line() {
    let long = "true || ".repeat(access::policies::POLICY_BYTES_MAX / 8);
    let text = format!("\n@id(\"a\") permit (principal, action, resource) when {{ {long} true }};");
    refuses(&text, "access.policy.invalid", "site.cedar:2");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_of_a_site_panics_the_gate(text in "(@id\\(\"[a-z]{1,3}\"\\) )?(permit|forbid)? ?\\(?[a-z ,=\\.\"/;\n(){}]{0,60};?") {
        let _any = Policies::load_with(1, &[], &[Text { name: "site.cedar", text: &text }]);
    }
}
