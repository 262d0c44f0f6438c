//! Patterns of queries, and what each becomes in a world: `Observation?patient={id:Patient}` is one
//! question for every hidden patient.
//!
//! `{own}` `{dr}` `{org}` `{org2}` `{loc}` `{enc}` `{never}` `{label}` `{label2}` stand for one thing.
//! `{id:Kind}` and `{name:Kind}` go through the ids and identifiers of hidden records of a type,
//! `{any.kind}` with `{any.id}` or `{any.name}` through a sample of all, and `{type}` through the types.
//! Unless a pattern begins with `!`, the question is held to the bench's own records by their tag, so
//! that what leaks stands on the first page.

use crate::body::SYSTEM;
use crate::world::{Side, World};
use conformance::http::encode_query;

/// Types gone through by `{type}`.
pub const TYPES: [&str; 14] = [
    "Patient",
    "Observation",
    "Condition",
    "Encounter",
    "DiagnosticReport",
    "MedicationRequest",
    "DocumentReference",
    "Coverage",
    "Appointment",
    "AllergyIntolerance",
    "Procedure",
    "Claim",
    "Account",
    "Communication",
];

/// What a pattern becomes, at most `most` questions.
pub fn expand(pattern: &str, world: &World, most: usize, since: &str) -> Vec<String> {
    let (pattern, tagged) = match pattern.strip_prefix('!') {
        Some(rest) => (rest, false),
        None => (pattern, true),
    };
    let (label, label2) = world.persona.label_pair();
    let mut one = pattern.replace("{own}", &world.own).replace("{never}", &world.never());
    for name in ["dr", "org", "org2", "loc", "loc2"] {
        one = one.replace(&format!("{{{name}}}"), &format!("{}-{name}", world.prefix));
    }
    one = one.replace("{enc}", &format!("{}-own-encounter", world.prefix));
    one = one.replace("{pre}", &world.prefix).replace("{since}", since);
    one = one.replace("{label}", label).replace("{label2}", label2);
    let mut all = each(&one, world, most);
    for question in &mut all {
        let (path, query) = question.split_once('?').unwrap_or((question, ""));
        let mut query = query.to_owned();
        if tagged && !query.contains("_tag=") {
            query.push_str(&format!("&_tag={SYSTEM}|{}", world.prefix));
        }
        if tagged && !query.contains("_count=") && !query.contains("_summary=count") {
            query.push_str("&_count=50");
        }
        let query = encode_query(query.trim_start_matches('&'));
        *question = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    }
    all
}

fn each(one: &str, world: &World, most: usize) -> Vec<String> {
    if one.contains("{type}") {
        return TYPES.iter().map(|kind| one.replace("{type}", kind)).collect();
    }
    if one.contains("{any.") {
        let mut out = Vec::new();
        for item in world.sample(most) {
            let with_kind = one.replace("{any.kind}", item.kind).replace("{any.id}", item.id());
            if with_kind.contains("{any.name}") {
                for side in [Side::A, Side::B] {
                    out.push(with_kind.replace("{any.name}", &item.identifier(side)));
                }
            } else {
                out.push(with_kind);
            }
        }
        out.dedup();
        return out;
    }
    if let Some((before, kind, after)) = hole(one, "{id:") {
        let ids = spread(world, kind, most).into_iter().map(|item| item.id().to_owned());
        return ids.map(|id| format!("{before}{id}{after}")).collect();
    }
    if let Some((before, kind, after)) = hole(one, "{name:") {
        let mut out = Vec::new();
        for item in spread(world, kind, most) {
            for side in [Side::A, Side::B] {
                out.push(format!("{before}{}{after}", item.identifier(side)));
            }
        }
        out.dedup();
        return out;
    }
    vec![one.to_owned()]
}

/// Hidden records of a type, not all for the same reason.
fn spread<'w>(world: &'w World, kind: &'w str, most: usize) -> Vec<&'w crate::world::Item> {
    let mut all: Vec<_> = world.hidden(kind).collect();
    // By fate first: of each fate at least one, before a second of any.
    let mut seen: Vec<crate::world::Fate> = Vec::new();
    let mut turn: Vec<usize> = Vec::new();
    for item in &all {
        turn.push(seen.iter().filter(|fate| **fate == item.fate).count());
        seen.push(item.fate);
    }
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|n| turn.get(*n).copied());
    let picked: Vec<_> = order.iter().filter_map(|n| all.get(*n).copied()).collect();
    all = picked;
    all.truncate(most);
    all
}

fn hole<'t>(text: &'t str, opens: &str) -> Option<(&'t str, &'t str, &'t str)> {
    let (before, rest) = text.split_once(opens)?;
    let (kind, after) = rest.split_once('}')?;
    Some((before, kind, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::Persona;

    #[test]
    fn a_pattern_becomes_a_question_for_each_hidden_record() {
        let world = World::new(Persona::named("clinician").expect("one"), 3, None);
        let found = expand("Observation?patient={id:Patient}", &world, 9, "");
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(
            found.iter().all(|q| q.contains("-far-r-") && q.contains("_tag=urn:leak:bench%7C"))
        );
        assert_eq!(expand("!{type}?_summary=count", &world, 9, "").len(), TYPES.len());
        assert_eq!(expand("!metadata", &world, 9, ""), ["metadata"]);
        let any = expand("!{any.kind}/{any.id}", &world, 5, "");
        assert_eq!(any.len(), 5);
        assert!(any.iter().any(|q| q.starts_with("Patient/")), "{any:?}");
        for question in expand("{any.kind}?identifier={any.name}", &world, 5, "") {
            assert!(!question.contains('{'), "{question}");
        }
    }
}
