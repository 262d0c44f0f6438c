//! What the server has acknowledged, kept by the callers: the promise that a crash must not break.
//! Each record has the versions that were answered for and the changes whose answer never came.

use conformance::http::encode_query;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The system of the identifiers that carry markers.
pub(super) const SYSTEM: &str = "urn:plummer:crash";

/// What a version holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// A resource with this marker.
    Live(String),
    /// Nothing: it was deleted.
    Gone,
}

/// One record, as its callers know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Versions answered for.
    pub(super) versions: BTreeMap<u64, State>,
    /// Changes sent whose answer never came: each may have been made, or not.
    pub(super) open: Vec<State>,
}

impl Record {
    /// The last version answered for.
    pub(super) fn last(&self) -> Option<(u64, &State)> {
        self.versions.last_key_value().map(|(version, state)| (*version, state))
    }
}

/// A create without an id of ours whose answer never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) kind: &'static str,
    pub(super) marker: String,
}

/// A transaction: the markers it put in, and whether it was answered for.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    /// Type and marker of each resource created.
    pub(super) created: Vec<Open>,
    /// The record it changed too, and the marker it put there.
    pub(super) changed: Option<(String, String)>,
}

/// Everything callers know.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// By `Type/id`.
    pub(super) records: BTreeMap<String, Record>,
    pub(super) open: Vec<Open>,
    /// Transactions whose answer never came.
    pub(super) transactions: Vec<Transaction>,
    /// Markers put in by conditional creates: one record each at most.
    pub(super) conditions: Vec<Open>,
    /// Bookings that were refused: no such visit is there.
    pub(super) refused: Vec<Open>,
    /// Writes answered for since the last verification, as `Type/id` and version: each has its event.
    pub(super) answered: Vec<(String, u64)>,
    /// Answers that no right server gives.
    pub(super) wrong: Vec<String>,
}

impl Ledger {
    /// Notes a version answered for. Two different states of one version are a broken promise.
    pub(super) fn answer(&mut self, key: &str, version: u64, state: &State) {
        self.answered.push((key.to_owned(), version));
        self.note(key, version, state);
    }

    fn note(&mut self, key: &str, version: u64, state: &State) {
        let record = self.records.entry(key.to_owned()).or_default();
        let known = record.versions.entry(version).or_insert_with(|| state.clone());
        if known != state {
            let text =
                format!("{key} version {version} was answered for twice: {known:?}, {state:?}");
            self.wrong.push(text);
        }
    }

    /// Notes a change whose answer did not come.
    pub(super) fn leave_open(&mut self, key: &str, state: State) {
        self.records.entry(key.to_owned()).or_default().open.push(state);
    }

    /// Takes in what another caller knows.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, record) in other.records {
            for (version, state) in record.versions {
                self.note(&key, version, &state);
            }
            self.records.entry(key).or_default().open.extend(record.open);
        }
        self.open.extend(other.open);
        self.transactions.extend(other.transactions);
        self.conditions.extend(other.conditions);
        self.refused.extend(other.refused);
        self.answered.extend(other.answered);
        self.wrong.extend(other.wrong);
    }
}

/// A resource with this marker, and text grown from it, so that its content can be told from the marker.
pub(super) fn body(kind: &str, id: Option<&str>, marker: &str, subject: Option<&str>) -> Value {
    let mut body = json!({
        "resourceType": kind,
        "identifier": [{ "system": SYSTEM, "value": marker }],
    });
    let more = if kind == "Patient" {
        json!({ "name": [{ "family": marker }], "address": [{ "text": filler(marker) }] })
    } else {
        json!({
            "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }] },
            "effectiveDateTime": "2026-03-01T08:00:00Z",
            "note": [{ "text": filler(marker) }],
        })
    };
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
        if let Some(id) = id {
            body.insert("id".to_owned(), json!(id));
        }
        if let Some(subject) = subject.filter(|_| kind != "Patient") {
            body.insert("subject".to_owned(), json!({ "reference": subject }));
        }
    }
    body
}

/// The marker of a resource, if its content is what grew from that marker.
pub(super) fn marker(resource: &Value) -> Option<String> {
    let marker = resource.pointer("/identifier/0/value")?.as_str()?;
    let texts = ["/note/0/text", "/address/0/text", "/comment"];
    let text = texts.iter().find_map(|at| resource.pointer(at))?;
    (text.as_str()? == filler(marker)).then(|| marker.to_owned())
}

/// Between 20 and some 3,000 characters, hard to compress, fixed by the marker.
pub(super) fn filler(marker: &str) -> String {
    let seed = marker.bytes().fold(7_u64, |sum, b| sum.wrapping_mul(31).wrapping_add(u64::from(b)));
    let mut random = conformance::random::Random::new(seed);
    let words = 1 + random.below(180);
    (0..words).map(|_| format!("{:016x} ", random.next())).collect::<String>().trim().to_owned()
}

/// A search for a marker.
pub(super) fn search(kind: &str, marker: &str) -> String {
    format!("{kind}?{}", encode_query(&format!("identifier={SYSTEM}|{marker}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_vouches_for_the_content() {
        for kind in ["Patient", "Observation"] {
            let mut body = body(kind, Some("1"), "m-1", Some("Patient/2"));
            assert_eq!(marker(&body).as_deref(), Some("m-1"));
            let at = if kind == "Patient" { "/address/0/text" } else { "/note/0/text" };
            *body.pointer_mut(at).expect("the text") = json!("other");
            assert_eq!(marker(&body), None);
        }
    }

    #[test]
    fn a_version_answered_for_twice_is_found() {
        let (mut a, mut b) = (Ledger::default(), Ledger::default());
        a.answer("Patient/1", 2, &State::Live("x".to_owned()));
        b.answer("Patient/1", 2, &State::Live("y".to_owned()));
        a.merge(b);
        assert_eq!((a.wrong.len(), a.answered.len()), (1, 2));
    }
}
