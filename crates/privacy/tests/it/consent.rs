//! Consents one by one: what each form grants and denies.

use crate::support::{at, document, kind, label, user};
use access::{Purpose, Who};
use privacy::consent::{Actor, PatientRules, Question, Releases};

const NOW: &str = "2026-06-15";

pub(crate) const PART2: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}"#;
pub(crate) const TPO: &str = r#""purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HPAYMT"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HOPERAT"}]"#;

/// A Consent of Ada with these members and this provision.
pub(crate) fn consent(members: &str, provision: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","status":"active",
          "scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},
          "category":[{{"text":"c"}}],"patient":{{"reference":"Patient/ada"}}{members},"provision":{{{provision}}}}}"#
    )
}

fn permit(more: &str) -> String {
    consent("", &format!(r#""type":"permit","securityLabel":[{PART2}],{TPO}{more}"#))
}

fn releases(texts: &[String]) -> Releases {
    let mut releases = Releases::default();
    for (number, text) in texts.iter().enumerate() {
        releases.put(&format!("c{number}"), document(text).root());
    }
    releases
}

fn ask(texts: &[String], who: &Who, purpose: Purpose, now: &str) -> PatientRules {
    let actor = Actor::of(who).is("Practitioner", "p1").never("RelatedPerson");
    let question = Question { actor: &actor, purpose, release: false, now: at(now) };
    releases(texts).rules(&question)
}

fn treating(text: &str) -> PatientRules {
    ask(&[text.to_owned()], &user("grace"), Purpose::Treatment, NOW)
}

fn granted(rules: &PatientRules) -> u64 {
    rules.granted.get("ada").copied().unwrap_or_default()
}

fn shows(rules: &PatientRules, of: &str, labels: u64) -> bool {
    rules.leaves("ada", kind(of), "r1", labels, label("42CFRPart2"))
}

#[test]
fn one_consent_for_treatment_payment_and_operations_grants_part_2_until_it_is_revoked() {
    let text = permit("");
    for purpose in [Purpose::Treatment, Purpose::Payment, Purpose::Operations, Purpose::Emergency] {
        let rules = ask(std::slice::from_ref(&text), &user("grace"), purpose, NOW);
        assert_eq!(granted(&rules), label("42CFRPart2"), "{purpose:?}");
    }
    for purpose in [Purpose::Legal, Purpose::Research, Purpose::PatientRequest] {
        assert_eq!(granted(&ask(std::slice::from_ref(&text), &user("grace"), purpose, NOW)), 0);
    }
    for status in ["inactive", "rejected", "draft", "proposed", "entered-in-error", "void"] {
        let text = text.replace("\"active\"", &format!("\"{status}\""));
        assert_eq!(granted(&treating(&text)), 0, "{status}");
    }
}

#[test]
fn a_part_2_permit_without_a_purpose_grants_nothing_and_is_warned_of() {
    let text = consent("", &format!(r#""type":"permit","securityLabel":[{PART2}]"#));
    assert_eq!(granted(&treating(&text)), 0);
    let warned: Vec<String> =
        releases(&[text]).warnings().map(|w| format!("{} {}", w.consent, w.place)).collect();
    assert_eq!(warned, ["c0 Consent.provision.purpose"]);
}

#[test]
fn the_law_named_as_the_policy_rule_stands_for_its_label() {
    let rule = format!(r#","policyRule":{{"coding":[{PART2}]}}"#);
    let text = consent(&rule, &format!(r#""type":"permit",{TPO}"#));
    assert_eq!(granted(&treating(&text)), label("42CFRPart2"));
    let text = consent("", &format!(r#""type":"permit",{TPO}"#));
    assert_eq!(granted(&treating(&text)), 0, "a permit in general grants no label");
}

#[test]
fn a_permit_counts_within_its_period_and_from_when_it_was_signed() {
    let text = permit(r#","period":{"start":"2026-02-01","end":"2026-07"}"#);
    for (now, holds) in [
        ("2026-01-31T23:59:59Z", false),
        ("2026-02-01", true),
        ("2026-07-31T23:59:59Z", true),
        ("2026-08-01", false),
    ] {
        let rules = ask(std::slice::from_ref(&text), &user("grace"), Purpose::Treatment, now);
        assert_eq!(granted(&rules) != 0, holds, "{now}");
    }
    let until = ask(&[text], &user("grace"), Purpose::Treatment, NOW).good_until;
    assert_eq!(until, at("2026-08-01"));
    let signed = permit("").replace("\"category\"", "\"dateTime\":\"2026-06-16\",\"category\"");
    assert_eq!(granted(&treating(&signed)), 0);
    let rules = ask(&[signed], &user("grace"), Purpose::Treatment, "2026-06-16");
    assert_ne!(granted(&rules), 0);
}

fn actor(role: &str, reference: &str) -> String {
    format!(
        r#","actor":[{{"role":{{"coding":[{{"code":"{role}"}}]}},"reference":{{"reference":"{reference}"}}}}]"#
    )
}

#[test]
fn a_permit_for_somebody_is_for_nobody_else() {
    for (reference, holds) in [
        ("Practitioner/p1", true),
        ("CareTeam/team-1", true),
        ("Organization/clinic", true),
        ("Practitioner/p2", false),
        ("PractitionerRole/x", false),
        ("Group/all", false),
        ("https://elsewhere.example/fhir/Practitioner/p1", false),
    ] {
        let rules = treating(&permit(&actor("PRCP", reference)));
        assert_eq!(granted(&rules) != 0, holds, "{reference}");
    }
    assert_eq!(granted(&treating(&permit(&actor("CST", "Practitioner/p1")))), 0, "a custodian");
}

#[test]
fn a_deny_for_somebody_is_for_whoever_it_may_be() {
    for (reference, denies) in [
        ("Practitioner/p1", true),
        ("Practitioner/p2", false),
        ("CareTeam/team-2", false),
        ("RelatedPerson/r", false),
        // Nobody told which roles and groups there are.
        ("PractitionerRole/x", true),
        ("Group/all", true),
        ("https://elsewhere.example/fhir/Practitioner/p2", true),
    ] {
        let text = consent("", &format!(r#""type":"deny"{}"#, actor("PRCP", reference)));
        assert_eq!(!shows(&treating(&text), "Observation", 0), denies, "{reference}");
    }
    let text = consent("", &format!(r#""type":"deny"{}"#, actor("CST", "Practitioner/p2")));
    assert!(!shows(&treating(&text), "Observation", 0), "who receives is not said");
}

#[test]
fn who_stands_before_a_screen_may_be_anybody_of_the_house_and_is_surely_nobody() {
    let actor_of = Actor::of(&user("grace")).is("Practitioner", "p1").anybody();
    let ask = |text: String| {
        let purpose = Purpose::Operations;
        let question = Question { actor: &actor_of, purpose, release: false, now: at(NOW) };
        releases(&[text]).rules(&question)
    };
    for reference in [
        "Practitioner/p2",
        "PractitionerRole/r",
        "RelatedPerson/ex",
        "Patient/bob",
        "CareTeam/team-2",
        "Location/south",
        "Group/g",
    ] {
        let text = consent("", &format!(r#""type":"deny"{}"#, actor("PRCP", reference)));
        assert!(!shows(&ask(text), "Appointment", 0), "{reference}");
    }
    for reference in ["Organization/exchange", "Device/d"] {
        let text = consent("", &format!(r#""type":"deny"{}"#, actor("PRCP", reference)));
        assert!(shows(&ask(text), "Appointment", 0), "{reference}");
    }
    for reference in ["Practitioner/p1", "CareTeam/team-1", "Organization/clinic"] {
        let to = actor("PRCP", reference);
        assert_eq!(granted(&ask(permit(&to))), 0, "{reference}");
        let but = format!(r#""type":"deny","provision":[{{"type":"permit"{to}}}]"#);
        assert!(!shows(&ask(consent("", &but)), "Appointment", 0), "{reference}");
    }
}

#[test]
fn an_app_gets_what_its_user_is_permitted_and_not_what_either_is_denied() {
    let mut app = Who::new(access::PrincipalKind::Device, "d1", "clinic");
    app.on_behalf_of = Some(std::sync::Arc::new(user("grace")));
    let ask = |text: String| ask(&[text], &app, Purpose::Treatment, NOW);
    assert_ne!(granted(&ask(permit(&actor("PRCP", "Practitioner/p1")))), 0);
    let text = consent("", &format!(r#""type":"deny"{}"#, actor("PRCP", "Device/d1")));
    assert!(!shows(&ask(text), "Observation", 0));
}

#[test]
fn a_deny_denies_by_label_type_and_record() {
    let hiv = r#""securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]"#;
    let rules = treating(&consent("", &format!(r#""type":"deny",{hiv}"#)));
    assert!(!shows(&rules, "Observation", label("HIV") | label("R")));
    assert!(shows(&rules, "Observation", label("R")));
    let class = r#""class":[{"system":"http://hl7.org/fhir/resource-types","code":"Condition"}]"#;
    let rules = treating(&consent("", &format!(r#""type":"deny",{class}"#)));
    assert!(!shows(&rules, "Condition", 0) && shows(&rules, "Observation", 0));
    let data = r#""data":[{"meaning":"instance","reference":{"reference":"Observation/r1"}}]"#;
    let rules = treating(&consent("", &format!(r#""type":"deny",{data}"#)));
    assert!(!shows(&rules, "Observation", 0) && shows(&rules, "Condition", 0));
    assert!(rules.leaves("ada", kind("Observation"), "r2", 0, 0));
    let related = data.replace("instance", "related");
    let rules = treating(&consent("", &format!(r#""type":"deny",{related}"#)));
    assert!(!shows(&rules, "Condition", 0), "what is related, nobody can tell");
}

#[test]
fn a_deny_of_substance_use_covers_what_the_law_calls_so() {
    let sud = r#""securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"SUD"}]"#;
    let rules = treating(&consent("", &format!(r#""type":"deny",{sud}"#)));
    for name in ["SUD", "ETHUD", "OPIOIDUD", "42CFRPart2", "SUD-NOTES"] {
        let shown = rules.leaves("ada", kind("Observation"), "r", label(name), 0);
        assert!(!shown, "{name}");
    }
    assert!(rules.leaves("ada", kind("Observation"), "r", label("HIV"), 0));
}

#[test]
fn what_is_not_understood_grants_nothing_and_denies_all_it_may_mean() {
    for odd in [
        r#","code":[{"text":"x"}]"#,
        r#","dataPeriod":{"start":"2020"}"#,
        r#","class":[{"system":"urn:x","code":"Observation"}]"#,
        r#","action":[{"coding":[{"code":"gossip"}]}]"#,
        r#","modifierExtension":[{"url":"u","valueBoolean":true}]"#,
        r#","period":{"start":"soon"}"#,
        r#","data":[{"meaning":"instance","reference":{"reference":"urn:uuid:1"}}]"#,
    ] {
        assert_eq!(granted(&treating(&permit(odd))), 0, "{odd}");
        let deny = consent("", &format!(r#""type":"deny"{odd}"#));
        assert!(!shows(&treating(&deny), "Observation", 0), "{odd}");
        assert_eq!(releases(&[deny]).warnings().count(), 1, "{odd}");
    }
    let deny = consent("", r#""type":"deny","purpose":[{"system":"urn:x","code":"FUN"}]"#);
    assert!(!shows(&treating(&deny), "Observation", 0));
    let scope = permit("").replace("patient-privacy", "else");
    assert_eq!(granted(&treating(&scope)), 0);
    let deny = consent("", r#""type":"deny""#).replace("patient-privacy", "else");
    assert!(!shows(&treating(&deny), "Observation", 0));
    let treatment = consent("", r#""type":"deny""#).replace("patient-privacy", "treatment");
    assert!(shows(&treating(&treatment), "Observation", 0), "refusing a treatment hides nothing");
    let verification = r#","verification":[{"verified":false}]"#;
    let text =
        consent(verification, &format!(r#""type":"permit","securityLabel":[{PART2}],{TPO}"#));
    assert_eq!(granted(&treating(&text)), 0);
}

#[test]
fn an_exception_lifts_a_deny_for_whom_it_is_surely_meant() {
    let text = |reference: &str, more: &str| {
        let actor = actor("PRCP", reference);
        consent("", &format!(r#""type":"deny","provision":[{{"type":"permit"{actor}{more}}}]"#))
    };
    assert!(shows(&treating(&text("Practitioner/p1", "")), "Observation", 0));
    assert!(!shows(&treating(&text("Practitioner/p2", "")), "Observation", 0));
    let class = r#","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Condition"}]"#;
    let rules = treating(&text("Practitioner/p1", class));
    assert!(shows(&rules, "Condition", 0) && !shows(&rules, "Observation", 0));
    let label = format!(r#","securityLabel":[{PART2}]"#);
    assert!(!shows(&treating(&text("Practitioner/p1", &label)), "Observation", 0));
}

#[test]
fn a_permit_for_some_types_grants_its_labels_with_those_only() {
    let class = r#","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Condition"}]"#;
    let rules = treating(&permit(class));
    let part2 = label("42CFRPart2");
    assert!(shows(&rules, "Condition", part2) && !shows(&rules, "Observation", part2));
    assert!(shows(&rules, "Observation", 0));
}

#[test]
fn a_permit_for_legal_proceedings_stands_alone() {
    let legal = r#""purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HLEGAL"}"#;
    let provision = |purpose: &str| {
        consent("", &format!(r#""type":"permit","securityLabel":[{PART2}],{purpose}]"#))
    };
    let ask = |text: String| granted(&ask(&[text], &user("grace"), Purpose::Legal, NOW));
    assert_ne!(ask(provision(legal)), 0);
    let joined = TPO.trim_end_matches(']').to_owned()
        + r#",{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"HLEGAL"}"#;
    assert_eq!(ask(provision(&joined)), 0);
}

#[test]
fn a_restriction_does_not_stand_in_the_way_of_an_emergency_unless_it_says_so() {
    let deny = consent("", r#""type":"deny""#);
    let rules = ask(&[deny], &user("grace"), Purpose::Emergency, NOW);
    assert!(shows(&rules, "Observation", 0));
    let purpose = r#""purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"ETREAT"}]"#;
    let deny = consent("", &format!(r#""type":"deny",{purpose}"#));
    let rules = ask(&[deny], &user("grace"), Purpose::Emergency, NOW);
    assert!(!shows(&rules, "Observation", 0));
}

#[test]
fn what_was_paid_in_full_is_not_handed_to_the_payer_and_stays_visible_for_treatment() {
    let rule = r#","policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentpolicycodes","code":"hipaa-self-pay"}]}"#;
    let data = r#""data":[{"meaning":"instance","reference":{"reference":"Encounter/e1"}}]"#;
    let texts = [consent(rule, &format!(r#""type":"deny",{data}"#))];
    let releases = releases(&texts);
    assert_eq!(releases.self_paid().into_iter().collect::<Vec<_>>(), ["Encounter/e1"]);
    let actor = Actor::of(&user("bill"));
    let rules = |purpose, release| {
        releases.rules(&Question { actor: &actor, purpose, release, now: at(NOW) })
    };
    let leaves = |rules: PatientRules| rules.leaves("ada", kind("Encounter"), "e1", 0, 0);
    assert!(!leaves(rules(Purpose::Payment, true)));
    assert!(leaves(rules(Purpose::Payment, false)));
    assert!(leaves(rules(Purpose::Treatment, true)));
}

#[test]
fn a_deny_of_disclosure_leaves_looking_alone() {
    let text = consent("", r#""type":"deny","action":[{"coding":[{"code":"disclose"}]}]"#);
    assert!(shows(&treating(&text), "Observation", 0));
    let actor = Actor::of(&user("grace"));
    let question =
        Question { actor: &actor, purpose: Purpose::Treatment, release: true, now: at(NOW) };
    assert!(!shows(&releases(&[text]).rules(&question), "Observation", 0));
}

#[test]
fn opting_out_without_a_provision_denies_all() {
    let rule = r#","policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"}]}"#;
    let text = consent(rule, "").replace(",\"provision\":{}", "");
    assert!(!shows(&treating(&text), "Observation", 0));
    assert!(!shows(&treating(&consent(rule, r#""period":{"start":"2020"}"#)), "Observation", 0));
}

#[test]
fn a_root_without_a_type_counts_by_what_is_in_it() {
    let inner = format!(r#""provision":[{{"type":"permit","securityLabel":[{PART2}],{TPO}}}]"#);
    assert_eq!(granted(&treating(&consent("", &inner))), label("42CFRPart2"));
    let inner = format!(
        r#""code":[{{"text":"odd"}}],"provision":[{{"type":"deny"}},{{"type":"permit","securityLabel":[{PART2}],{TPO}}}]"#
    );
    let rules = treating(&consent("", &inner));
    assert_eq!(granted(&rules), 0);
    assert!(!shows(&rules, "Observation", 0));
}

#[test]
fn a_consent_that_nobody_can_follow_is_told_and_a_newer_version_replaces_it() {
    let lost = consent("", r#""type":"deny""#).replace("Patient/ada", "#p");
    let mut releases = releases(&[lost]);
    assert_eq!(releases.warnings().count(), 1);
    let epoch = releases.epoch();
    releases.put("c0", document(&consent("", r#""type":"deny""#)).root());
    assert_eq!(releases.warnings().count(), 0);
    assert!(releases.epoch() > epoch);
    releases.remove("c0");
    let actor = Actor::of(&user("grace"));
    let question =
        Question { actor: &actor, purpose: Purpose::Treatment, release: false, now: at(NOW) };
    assert!(releases.rules(&question).denied.is_empty());
}

#[test]
fn provisions_nested_too_deep_deny_all_and_permit_nothing() {
    let mut inner = r#""type":"deny""#.to_owned();
    for _ in 0..20 {
        inner =
            format!(r#""type":"permit","securityLabel":[{PART2}],{TPO},"provision":[{{{inner}}}]"#);
    }
    let rules = treating(&consent("", &inner));
    assert_eq!(granted(&rules), 0);
    assert!(!shows(&rules, "Observation", 0));
}
