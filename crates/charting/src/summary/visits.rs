//! Around the visits: encounters, appointments, documents, who cares for the patient, who pays, what the
//! patient consented to, and what everybody should be alert to.

use crate::read::{Concept, Named, concept, each, hidden, parsed, text, when};
use fhir::Value;
use record::{ChartPart, Hit};
use std::collections::HashMap;

/// A visit.
#[derive(Clone, Default)]
pub struct Visit {
    /// The Encounter's logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// `AMB`, `EMER`, `IMP` … in words where the record has them.
    pub class: String,
    /// What kind.
    pub kind: Concept,
    /// `finished`, `in-progress` …
    pub status: String,
    /// When it began.
    pub began: String,
    /// When it ended; empty while it goes on.
    pub ended: String,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Who took part.
    pub who: Vec<Named>,
}

/// A document.
#[derive(Clone, Default)]
pub struct Paper {
    /// `DocumentReference` or `Composition`.
    pub source: &'static str,
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What kind.
    pub kind: Concept,
    /// What it is called.
    pub title: String,
    /// `current`, `superseded`, `entered-in-error`.
    pub status: String,
    /// `final`, `preliminary`, `amended`; empty when not said.
    pub stage: String,
    /// Of when.
    pub at: String,
    /// Who wrote it.
    pub authors: Vec<Named>,
}

/// An appointment.
#[derive(Clone, Default)]
pub struct Booking {
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// `booked`, `fulfilled`, `noshow` …
    pub status: String,
    /// The patient said that they come.
    pub is_confirmed: bool,
    /// When it begins.
    pub start: String,
    /// What for.
    pub what: Concept,
    /// With whom and where.
    pub with: Vec<Named>,
}

/// Somebody of the care team.
#[derive(Clone, Default)]
pub struct Carer {
    /// Of which team.
    pub team: String,
    /// Who.
    pub who: Named,
    /// As what.
    pub role: Concept,
}

/// A coverage.
#[derive(Clone, Default)]
pub struct Cover {
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What kind.
    pub kind: Concept,
    /// Who pays.
    pub payers: Vec<Named>,
    /// The member's number; empty where it is left out for the caller's role.
    pub subscriber: String,
    /// From when until when.
    pub period: (String, String),
    /// Which is asked first.
    pub order: Option<u32>,
}

/// A consent that stands.
#[derive(Clone, Default)]
pub struct Agreement {
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What it is about.
    pub scope: Concept,
    /// What kind.
    pub categories: Vec<Concept>,
    /// It denies, rather than permits; `None` where it does not say.
    pub denies: Option<bool>,
    /// When it was given.
    pub given: String,
    /// Until when it holds; empty when it does not end.
    pub until: String,
}

/// What everybody should be alert to.
#[derive(Clone, Default)]
pub struct Alert {
    /// The Flag's logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What.
    pub what: Concept,
    /// What kind: safety, behaviour …
    pub categories: Vec<Concept>,
    /// Since when.
    pub since: String,
}

hidden!(Visit, Paper, Booking, Carer, Cover, Agreement, Alert);

fn concepts(root: Value<'_>, name: &str) -> Vec<Concept> {
    each(root, name).map(Concept::of).collect()
}

fn end(root: Value<'_>, name: &str) -> String {
    root.get(name).map(|period| text(period, "end")).unwrap_or_default()
}

pub(crate) fn visit(hit: &Hit, root: Value<'_>) -> Visit {
    let class = root.get("class").map(crate::read::Coding::of).unwrap_or_default();
    Visit {
        id: hit.id.clone(),
        version: hit.version,
        class: if class.display.is_empty() { class.code } else { class.display },
        kind: each(root, "type").next().map(Concept::of).unwrap_or_default(),
        status: text(root, "status"),
        began: when(root, &["period"]),
        ended: end(root, "period"),
        reasons: concepts(root, "reasonCode"),
        who: each(root, "participant")
            .filter_map(|one| one.get("individual"))
            .map(Named::of)
            .collect(),
    }
}

pub(crate) fn paper(source: &'static str, hit: &Hit, root: Value<'_>) -> Paper {
    let reference = source == "DocumentReference";
    let attached = || each(root, "content").filter_map(|one| one.get("attachment")).next();
    let titled = if reference {
        attached().map(|one| text(one, "title")).filter(|title| !title.is_empty())
    } else {
        Some(text(root, "title"))
    };
    Paper {
        source,
        id: hit.id.clone(),
        version: hit.version,
        kind: concept(root, "type"),
        title: titled.unwrap_or_else(|| text(root, "description")),
        status: text(root, "status"),
        stage: text(root, "docStatus"),
        at: text(root, "date"),
        authors: each(root, "author").map(Named::of).collect(),
    }
}

pub(crate) fn booking(hit: &Hit, root: Value<'_>) -> Booking {
    let mut what = each(root, "serviceType").next().map(Concept::of).unwrap_or_default();
    if what.text.is_empty() {
        what = concept(root, "appointmentType");
    }
    // Who booked it said what for, where the caller may read that.
    let described = text(root, "description");
    if !described.is_empty() {
        what.text = described;
    }
    let others = each(root, "participant").filter_map(|one| one.get("actor")).map(Named::of);
    let mut answers = each(root, "participant").filter(|one| text(*one, "status") == "accepted");
    let is_patient = |actor: Value<'_>| text(actor, "reference").starts_with("Patient/");
    Booking {
        id: hit.id.clone(),
        version: hit.version,
        status: text(root, "status"),
        is_confirmed: answers.any(|one| one.get("actor").is_some_and(is_patient)),
        start: text(root, "start"),
        what,
        with: others.filter(|one| !one.reference.starts_with("Patient/")).collect(),
    }
}

/// The members of care teams, with the names of practitioners that the search included.
pub(crate) fn carers(part: &ChartPart) -> Vec<Carer> {
    let names = names(&part.page.included);
    let mut all = Vec::new();
    for document in part.page.matches.iter().filter_map(parsed) {
        let root = document.root();
        for one in each(root, "participant") {
            let mut who = one.get("member").map(Named::of).unwrap_or_default();
            called(&mut who, &names);
            if !who.reference.starts_with("Patient/") {
                let role = each(one, "role").next().map(Concept::of).unwrap_or_default();
                all.push(Carer { team: text(root, "name"), who, role });
            }
        }
    }
    all
}

/// What practitioners and organizations are called, by reference.
pub(crate) fn names(included: &[Hit]) -> HashMap<String, String> {
    let mut names = HashMap::new();
    for hit in included {
        let Some(document) = parsed(hit) else { continue };
        let root = document.root();
        let kind = text(root, "resourceType");
        let name = match root.get("name") {
            Some(name) if name.is_array() => name.items().next().map(crate::words::of),
            Some(name) => name.as_str().map(|name| name.into_owned()),
            None => None,
        };
        names.extend(name.map(|name| (format!("{kind}/{}", hit.id), name)));
    }
    names
}

/// Fills in what somebody is called, where the record itself does not say.
pub(crate) fn called(who: &mut Named, names: &HashMap<String, String>) {
    if who.display.is_empty()
        && let Some(name) = names.get(&who.reference)
    {
        who.display.clone_from(name);
    }
}

pub(crate) fn cover(hit: &Hit, root: Value<'_>) -> Cover {
    Cover {
        id: hit.id.clone(),
        version: hit.version,
        kind: concept(root, "type"),
        payers: each(root, "payor").map(Named::of).collect(),
        subscriber: text(root, "subscriberId"),
        period: (when(root, &["period"]), end(root, "period")),
        order: root.get("order").and_then(Value::as_number).and_then(|n| n.parse().ok()),
    }
}

pub(crate) fn agreement(hit: &Hit, root: Value<'_>) -> Agreement {
    let provision = root.get("provision");
    let kind = provision.map(|one| text(one, "type")).unwrap_or_default();
    Agreement {
        id: hit.id.clone(),
        version: hit.version,
        scope: concept(root, "scope"),
        categories: concepts(root, "category"),
        denies: match kind.as_str() {
            "deny" => Some(true),
            "permit" => Some(false),
            _ => None,
        },
        given: text(root, "dateTime"),
        until: provision.map(|one| end(one, "period")).unwrap_or_default(),
    }
}

pub(crate) fn alert(hit: &Hit, root: Value<'_>) -> Alert {
    Alert {
        id: hit.id.clone(),
        version: hit.version,
        what: concept(root, "code"),
        categories: concepts(root, "category"),
        since: when(root, &["period"]),
    }
}
