//! The access matrix: who may do what to which types, derived from the policies, as a text that a
//! change of a policy changes. `PLUMMER_BLESS=1` writes it anew.

use std::fmt::Write;
use std::sync::Arc;

use access::{Persona, PrincipalKind, Who};

use crate::support::{ROLES, kind, shipped, user};

/// Compares with a text that is kept, or writes it.
#[track_caller]
pub(crate) fn golden(name: &str, text: &str) {
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), name, text);
}

const GROUPS: [(&str, &[&str]); 11] = [
    ("persons", &["Patient", "RelatedPerson"]),
    ("clinical", &["Observation", "Condition", "MedicationRequest", "DiagnosticReport"]),
    ("documents", &["DocumentReference"]),
    ("schedule", &["Appointment"]),
    ("billing", &["Claim", "Invoice"]),
    ("consents", &["Consent"]),
    ("directory", &["Practitioner", "Organization"]),
    ("definitions", &["ValueSet", "StructureDefinition"]),
    ("trail", &["AuditEvent"]),
    ("tasks", &["Task", "Communication"]),
    ("teams", &["CareTeam"]),
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
    let types: Vec<_> =
        GROUPS.iter().flat_map(|(_, kinds)| *kinds).map(|name| kind(name)).collect();
    let personas: Vec<_> = ROLES
        .map(|role| Persona { name: role.to_owned(), who: Arc::new(principal(role)), like: None })
        .into();
    for (role, rows) in shipped().matrix(&personas, &types).personas {
        writeln!(text, "\n# {role}").unwrap();
        let mut told: Vec<(String, String)> = Vec::new();
        for row in rows {
            let mut groups = Vec::new();
            for (group, kinds) in GROUPS {
                let here = kinds.iter().filter(|name| row.types.contains(&kind(name)));
                let here: Vec<_> = here.copied().collect();
                if here.len() == kinds.len() {
                    groups.push(group.to_owned());
                } else if !here.is_empty() {
                    groups.push(format!("{group} ({} only)", here.join(", ")));
                }
            }
            let any = row.purposes == ["any"];
            let why = if any { "any purpose".into() } else { row.purposes.join(", ") };
            let guard = row.records.replace('\n', "\n    ");
            let does = format!("{} for {why}\n    {guard}\n    ", row.actions.join(", "));
            told.push((does, groups.join(", ")));
        }
        told.sort();
        for (does, groups) in told {
            writeln!(text, "  {does}types: {groups}").unwrap();
        }
    }
    golden("matrix.txt", &text);
}
