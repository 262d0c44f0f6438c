//! Records as items: what a screen shows of a task, a message or a result, how grave it is, and by when
//! it is due.

use crate::clock::{Rule, due};
use crate::item::{Item, Kind, Line, Seen, Stage, Weight, Whose};
use crate::judge::{gravest, line};
use crate::read::{concept, each, has_code, id_in, instant, named, patient, text};
use crate::reviews::{last_note, returns};
use base::Millis;
use fhir::Value;
use record::Hit;
use std::collections::HashMap;

pub(crate) fn task(hit: &Hit, root: Value<'_>, whose: Whose) -> Item {
    let priority = text(root, "priority");
    let weight = match priority.as_str() {
        "stat" => Weight::Critical,
        "asap" | "urgent" => Weight::Abnormal,
        _ => Weight::Normal,
    };
    let code = root.get("code");
    let is = |name: &str| code.is_some_and(|code| has_code(code, name));
    let rule = match priority.as_str() {
        _ if is("access-request") => Rule::Access,
        _ if is("amendment-request") => Rule::Amendment,
        _ if is("accounting-request") => Rule::Accounting,
        "stat" => Rule::Stat,
        "asap" => Rule::Asap,
        "urgent" => Rule::Urgent,
        _ => Rule::Routine,
    };
    let stated = root.get("restriction").and_then(|one| one.get("period"));
    let stated = stated.and_then(|period| instant(period, &["end"]));
    let since = instant(root, &["authoredOn", "lastModified"]).unwrap_or(hit.last_updated);
    let description = text(root, "description");
    let called = code.map(concept).unwrap_or_default();
    let title = if description.is_empty() { called } else { description };
    Item {
        due: due(rule, since, stated),
        from: named(root.get("requester")).1,
        note: last_note(root),
        returns: returns(root),
        ..blank((Kind::Task, hit), patient(root), title, (weight, since), whose)
    }
}

pub(crate) fn message(hit: &Hit, root: Value<'_>, whose: Whose) -> Item {
    let is_urgent = matches!(text(root, "priority").as_str(), "urgent" | "asap" | "stat");
    let (weight, rule) = match is_urgent {
        true => (Weight::Abnormal, Rule::UrgentMessage),
        false => (Weight::Normal, Rule::Message),
    };
    let since = instant(root, &["sent", "received"]).unwrap_or(hit.last_updated);
    let topic = root.get("topic").map(concept).unwrap_or_default();
    let category = || each(root, "category").map(concept).next().unwrap_or_default();
    let title = if topic.is_empty() { category() } else { topic };
    let parts: Vec<String> = each(root, "payload")
        .map(|one| text(one, "contentString"))
        .filter(|text| !text.is_empty())
        .collect();
    // Who of a pool has taken it stands among the recipients beside the pool.
    let all: Vec<(String, String)> = each(root, "recipient").map(|one| named(Some(one))).collect();
    let has_pool = all.iter().any(|(reference, _)| reference.starts_with("CareTeam/"));
    let person = all.into_iter().find(|(reference, _)| reference.starts_with("Practitioner/"));
    Item {
        text: parts.join("\n\n"),
        due: due(rule, since, None),
        from: named(root.get("sender")).1,
        note: last_note(root),
        returns: has_pool && person.is_some(),
        taken: person.filter(|_| has_pool),
        ..blank((Kind::Message, hit), patient(root), title, (weight, since), whose)
    }
}

/// A report with its values. A value that stands in the report itself is read from there; one of another
/// system is counted, and not shown.
pub(crate) fn result(
    hit: &Hit,
    root: Value<'_>,
    whose: Whose,
    values: &HashMap<String, Line>,
) -> Item {
    let mut lines = Vec::new();
    let (mut hidden, mut elsewhere, mut versions) = (0, 0, Vec::new());
    for one in each(root, "result") {
        let reference = text(one, "reference");
        if let Some(id) = id_in(&reference, "Observation") {
            let line = values.get(&id);
            lines.extend(line.map(|line| Line { at: Some(versions.len()), ..line.clone() }));
            hidden += usize::from(line.is_none());
            versions.push(line.map_or(0, |line| line.version));
        } else if let Some(own) = contained(root, &reference) {
            lines.push(line(&reference, own));
        } else {
            elsewhere += 1;
        }
    }
    let stage = match text(root, "status").as_str() {
        "final" | "amended" | "corrected" | "appended" => Stage::Final,
        "cancelled" => Stage::Cancelled,
        "entered-in-error" => Stage::Withdrawn,
        _ => Stage::Preliminary,
    };
    let weight = match stage {
        Stage::Cancelled | Stage::Withdrawn => Weight::Unjudged,
        _ => gravest(lines.iter().filter_map(|line| line.weight)),
    };
    // What stands beside the values has to be read; and what is not whole is not plain.
    let says_more = ["conclusion", "conclusionCode", "presentedForm", "media", "imagingStudy"];
    let plain = text(root, "status") == "final"
        && !lines.is_empty()
        && lines.iter().all(|line| line.plain)
        && !says_more.iter().any(|name| root.get(name).is_some());
    // What stands out is read first.
    lines.sort_by_key(|line| line.weight);
    let corrected = ["amended", "corrected", "appended", "entered-in-error"]
        .contains(&text(root, "status").as_str())
        || lines.iter().any(|line| line.corrected);
    let rule = match weight {
        Weight::Critical => Rule::Critical,
        Weight::Abnormal | Weight::Unjudged => Rule::Abnormal,
        Weight::Normal => Rule::Result,
    };
    let since = since(hit, root);
    let title = root.get("code").map(concept).unwrap_or_default();
    let mut words: Vec<String> = each(root, "conclusionCode").map(concept).collect();
    words.insert(0, text(root, "conclusion"));
    words.retain(|words| !words.is_empty());
    let blank = blank((Kind::Result, hit), patient(root), title, (weight, since), whose);
    Item {
        seen: Seen { values: versions, ..blank.seen.clone() },
        text: words.join("\n\n"),
        due: due(rule, since, None),
        from: each(root, "performer").map(|one| named(Some(one)).1).next().unwrap_or_default(),
        lines,
        hidden,
        elsewhere,
        stage,
        plain,
        corrected,
        ..blank
    }
}

/// When a report came: as it says, else when it was written here.
pub(crate) fn since(hit: &Hit, root: Value<'_>) -> Millis {
    instant(root, &["issued", "effectiveDateTime"]).unwrap_or(hit.last_updated)
}

/// An Observation that a report holds itself, by `#id`.
fn contained<'v>(root: Value<'v>, reference: &str) -> Option<Value<'v>> {
    let id = reference.strip_prefix('#').filter(|id| !id.is_empty())?;
    each(root, "contained")
        .find(|one| text(*one, "resourceType") == "Observation" && text(*one, "id") == id)
}

fn blank(
    (kind, hit): (Kind, &Hit),
    patient: Option<String>,
    title: String,
    (weight, since): (Weight, Millis),
    whose: Whose,
) -> Item {
    Item {
        seen: Seen { kind, id: hit.id.clone(), version: hit.version, values: Vec::new() },
        patient,
        title,
        text: String::new(),
        from: String::new(),
        weight,
        since,
        due: due(Rule::Routine, since, None),
        whose,
        taken: None,
        returns: false,
        lines: Vec::new(),
        hidden: 0,
        elsewhere: 0,
        stage: Stage::Final,
        plain: false,
        corrected: false,
        again: false,
        note: String::new(),
    }
}
