//! The access matrix: who may do what to which types, derived from the policies, as a text that a
//! change of a policy changes. `PLUMMER_BLESS=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use access::{Action, Context, Decision, PrincipalKind, Purpose, Who};

use crate::support::{ROLES, kind, shipped, user};

/// Compares with a text that is kept, or writes it.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("PLUMMER_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, text, "{name} differs; if that is meant, run again with PLUMMER_BLESS=1");
}

const GROUPS: [(&str, &[&str]); 9] = [
    ("persons", &["Patient", "RelatedPerson"]),
    ("clinical", &["Observation", "Condition", "MedicationRequest", "DiagnosticReport"]),
    ("documents", &["DocumentReference"]),
    ("schedule", &["Appointment"]),
    ("billing", &["Claim", "Invoice"]),
    ("consents", &["Consent"]),
    ("directory", &["Practitioner", "Organization"]),
    ("definitions", &["ValueSet", "StructureDefinition"]),
    ("trail", &["AuditEvent"]),
];

fn principal(role: &str) -> Who {
    let (kind, behalf) = match role {
        "app" => (PrincipalKind::App, true),
        "agent" => (PrincipalKind::Agent, true),
        "system" => (PrincipalKind::Service, false),
        _ => return user(role),
    };
    let mut who = Who::new(kind, "helper", "clinic");
    who.roles = vec![role.into()];
    who.on_behalf_of = behalf.then(|| Arc::new(user("clinician")));
    who
}

#[test]
fn the_access_matrix_is_the_one_that_was_reviewed() {
    let mut text = String::from(
        "Who may do what to which records: derived from walls/ and roles/, do not edit.\n\
         The user works at the site north of the tenant clinic, treats ada and bob, is the patient own,\n\
         and represents child; app and agent act for such a clinician. A strong sign-in was just made,\n\
         no consent is given, the answer stays in California. What is not here is denied.\n\nTypes:\n",
    );
    for (group, kinds) in GROUPS {
        writeln!(text, "  {group}: {}", kinds.join(", ")).unwrap();
    }
    for role in ROLES {
        writeln!(text, "\n# {role}").unwrap();
        let who = principal(role);
        // What is let through, for which type, by which actions, for which purposes.
        let mut rows: BTreeMap<(usize, &str, String), BTreeMap<Action, Vec<String>>> =
            BTreeMap::new();
        for action in Action::ALL {
            for (purpose, break_glass) in
                Purpose::ALL.map(|p| (p, false)).into_iter().chain([(Purpose::Emergency, true)])
            {
                let context = Context {
                    break_glass,
                    mfa_age_seconds: 0,
                    recipient_state: "CA".into(),
                    ..Context::of(purpose)
                };
                let decision = shipped().decide(&who, action, None, &context);
                let Decision::Allowed { guard, .. } = decision else { continue };
                let glass = if break_glass { " (break-glass)" } else { "" };
                let why = format!("{}{glass}", purpose.as_str());
                for (at, (_, kinds)) in GROUPS.iter().enumerate() {
                    for name in *kinds {
                        let guard = guard.for_kind(kind(name));
                        if !guard.is_nothing() {
                            let row = rows.entry((at, name, guard.to_string())).or_default();
                            row.entry(action).or_default().push(why.clone());
                        }
                    }
                }
            }
        }
        // Types that are treated alike share a row.
        let mut told: BTreeMap<String, Vec<(usize, &str)>> = BTreeMap::new();
        for ((at, name, guard), actions) in rows {
            let mut by_why: BTreeMap<Vec<String>, Vec<&str>> = BTreeMap::new();
            for (action, why) in actions {
                by_why.entry(why).or_default().push(action.as_str());
            }
            for (why, actions) in by_why {
                let any = why.len() == Purpose::ALL.len() + 1;
                let why = if any { "any purpose".into() } else { why.join(", ") };
                let guard = guard.replace('\n', "\n    ");
                let row = format!("{} for {why}\n    {guard}\n    ", actions.join(", "));
                told.entry(row).or_default().push((at, name));
            }
        }
        for (row, types) in told {
            let mut groups = Vec::new();
            for (at, (group, kinds)) in GROUPS.iter().enumerate() {
                let here: Vec<_> = types.iter().filter(|t| t.0 == at).map(|t| t.1).collect();
                if here.len() == kinds.len() {
                    groups.push((*group).to_owned());
                } else if !here.is_empty() {
                    groups.push(format!("{group} ({} only)", here.join(", ")));
                }
            }
            writeln!(text, "  {row}types: {}", groups.join(", ")).unwrap();
        }
    }
    golden("matrix.txt", &text);
}
