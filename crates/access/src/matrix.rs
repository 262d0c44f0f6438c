//! The access matrix: who may do what to which types, derived from the policies by asking them for a
//! stand-in of each role (45 CFR 164.308(a)(4)(ii)(B), access authorization; 164.308(a)(8),
//! evaluation). What is in it is what the guard would say; what is not in it is denied.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use fhir::definitions::{TypeId, r4};

use crate::named::Named;
use crate::policies::Policies;
use crate::who::{Action, Context, PrincipalKind, Purpose, Who};

/// Somebody who stands in for all who have a role. The names in guillemets stand for what is different
/// for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persona {
    /// What it is called in the matrix: the role.
    pub name: String,
    /// Who asks.
    pub who: Arc<Who>,
    /// Of whom it differs in a name only.
    pub like: Option<String>,
}

/// What the names in guillemets stand for.
pub const LEGEND: &str = "«self» is whoever asks, «in care» a patient they treat, «own record» and «represented» a patient\n\
     they are or speak for, «own site» where they work. Apps and agents act for a clinician.\n";

/// The role of those who have none.
pub const NOBODY: &str = "(no role)";

fn standing_in(tenant: &str, role: Option<&str>) -> Who {
    let mut who = Who::new(PrincipalKind::User, "«self»", tenant);
    who.roles = role.map(Arc::from).into_iter().collect();
    who.sites = vec!["«own site»".into()];
    who.own_record = vec!["«own record»".into()];
    who.represents = vec!["«represented»".into()];
    who.patients_in_care = vec!["«in care»".into()];
    who
}

impl Persona {
    /// The stand-in of a role.
    pub fn of_role(tenant: &str, role: &str) -> Self {
        let user = || Arc::new(standing_in(tenant, Some("clinician")));
        let mut who = match role {
            "app" | "agent" | "system" => {
                let mut who = standing_in(tenant, Some(role));
                who.kind = match role {
                    "app" => PrincipalKind::App,
                    "agent" => PrincipalKind::Agent,
                    _ => PrincipalKind::Service,
                };
                who
            }
            role => standing_in(tenant, Some(role)),
        };
        who.on_behalf_of = matches!(role, "app" | "agent").then(user);
        Self { name: role.to_owned(), who: Arc::new(who), like: None }
    }

    /// The stand-ins of everybody that policies tell apart by name: each role, whoever has none, and
    /// each of them at each site and in each care team that a policy names.
    pub fn all(tenant: &str, named: &Named) -> Vec<Self> {
        let mut all: Vec<Self> =
            named.roles.iter().map(|role| Self::of_role(tenant, role)).collect();
        let nobody = Arc::new(standing_in(tenant, None));
        all.push(Self { name: NOBODY.to_owned(), who: nobody, like: None });
        let mut more = Vec::new();
        for one in &all {
            let mut at = |name: String, change: &dyn Fn(&mut Who)| {
                let mut who = Who::clone(&one.who);
                change(&mut who);
                let (name, like) = (format!("{}{name}", one.name), Some(one.name.clone()));
                more.push(Self { name, who: Arc::new(who), like });
            };
            for site in &named.sites {
                at(format!(" at the site {site}"), &|who| who.sites = vec![Arc::clone(site)]);
            }
            for team in &named.care_teams {
                let name = format!(" in the care team {team}");
                at(name, &|who| who.care_teams = vec![Arc::clone(team)]);
            }
            for user in &named.users {
                at(format!(", being {user}"), &|who| who.id = Arc::clone(user));
            }
        }
        all.extend(more);
        all
    }
}

/// Why somebody asks: each purpose, and an emergency with the glass broken.
pub fn reasons() -> impl Iterator<Item = (Purpose, bool)> {
    Purpose::ALL.map(|purpose| (purpose, false)).into_iter().chain([(Purpose::Emergency, true)])
}

/// As [`reasons`], in words.
pub fn reason(purpose: Purpose, break_glass: bool) -> String {
    let glass = if break_glass { " (break-glass)" } else { "" };
    format!("{}{glass}", purpose.as_str())
}

/// What is let through alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The actions.
    pub actions: Vec<&'static str>,
    /// The purposes; all of them when `any` is among them alone.
    pub purposes: Vec<String>,
    /// Which records, in words.
    pub records: String,
    /// Of which types.
    pub types: Vec<TypeId>,
}

/// The matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// For each stand-in, its rows.
    pub personas: Vec<(String, Vec<Row>)>,
}

/// Actions, purposes and records of a row.
type Alike = (Vec<&'static str>, Vec<String>, String);

impl Policies {
    /// The matrix of some stand-ins over some types. A strong sign-in was just made, no consent is
    /// given, and the answer stays in California.
    pub fn matrix(&self, personas: &[Persona], types: &[TypeId]) -> Matrix {
        let rows = |persona: &Persona| (persona.name.clone(), self.rows(&persona.who, types));
        Matrix { personas: personas.iter().map(rows).collect() }
    }

    fn rows(&self, who: &Who, types: &[TypeId]) -> Vec<Row> {
        // What is let through, for which type, by which actions, for which purposes.
        let mut cells: BTreeMap<(TypeId, String), BTreeMap<Action, Vec<String>>> = BTreeMap::new();
        for action in Action::ALL {
            for (purpose, break_glass) in reasons() {
                let context = Context {
                    break_glass,
                    mfa_age_seconds: 0,
                    recipient_state: "CA".into(),
                    ..Context::of(purpose)
                };
                let guard = self.decide(who, action, None, &context).guard();
                if guard.is_nothing() {
                    continue;
                }
                for kind in types {
                    let guard = guard.for_kind(*kind);
                    if !guard.is_nothing() {
                        let cell = cells.entry((*kind, guard.to_string())).or_default();
                        cell.entry(action).or_default().push(reason(purpose, break_glass));
                    }
                }
            }
        }
        // Types that are treated alike share a row.
        let mut rows: BTreeMap<Alike, Vec<TypeId>> = BTreeMap::new();
        for ((kind, records), actions) in cells {
            let mut by_why: BTreeMap<Vec<String>, Vec<&'static str>> = BTreeMap::new();
            for (action, why) in actions {
                by_why.entry(why).or_default().push(action.as_str());
            }
            for (why, actions) in by_why {
                rows.entry((actions, why, records.clone())).or_default().push(kind);
            }
        }
        let every = reasons().count();
        rows.into_iter()
            .map(|((actions, why, records), types)| {
                let purposes = if why.len() == every { vec!["any".to_owned()] } else { why };
                Row { actions, purposes, records, types }
            })
            .collect()
    }
}

/// Types as a list, or as all but a few.
pub fn types(of: &[TypeId]) -> String {
    let all: Vec<_> = r4().resource_types().collect();
    let names = |keep: &dyn Fn(&TypeId) -> bool| {
        let kept = all.iter().filter(|(id, _)| keep(id)).map(|(_, name)| *name);
        kept.collect::<Vec<_>>().join(", ")
    };
    match all.len().saturating_sub(of.len()) {
        0 => "all".to_owned(),
        left if left < of.len() => format!("all but {}", names(&|id| !of.contains(id))),
        _ => names(&|id| of.contains(id)),
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, rows)) in self.personas.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            writeln!(f, "# {name}")?;
            if rows.is_empty() {
                writeln!(f, "  nothing")?;
            }
            for row in rows {
                let why = match row.purposes.as_slice() {
                    [any] if any == "any" => "any purpose".to_owned(),
                    why => why.join(", "),
                };
                let records = row.records.replace('\n', "\n    ");
                writeln!(f, "  {} for {why}\n    {records}", row.actions.join(", "))?;
                writeln!(f, "    types: {}", types(&row.types))?;
            }
        }
        Ok(())
    }
}
