//! Reviews: the Tasks that say that a result was read, in which version, and when; or who is to read it
//! (<https://hl7.org/fhir/R4/task.html>). One counts for its report when it is for that report's patient
//! and is an order, no plan and no proposal.

use crate::REVIEW;
use crate::gather::OPEN;
use crate::item::versions;
use crate::read::{each, has_code, id_in, instant, named, parsed, patient, text};
use base::Millis;
use fhir::Value;
use record::Hit;
use std::collections::HashMap;

/// The code of the input that names the version of the report that was read.
pub(crate) const VERSION: &str = "reviewed-version";
/// The code of the input that says the versions of its values, in the order of the report.
pub(crate) const VALUES: &str = "reviewed-values";
/// The code of the input of a task that says where it was taken from.
pub(crate) const TAKEN_FROM: &str = "taken-from";

/// What was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filed {
    /// The version of the report.
    pub(crate) version: u64,
    /// When.
    pub(crate) at: Millis,
    /// The versions of its values, in the order of the report; none when the task does not say.
    pub(crate) values: Option<Vec<u64>>,
}

/// A Task by which somebody reviews a result.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) hit: Hit,
    pub(crate) report: String,
    pub(crate) patient: Option<String>,
    pub(crate) owner: (String, String),
    pub(crate) is_open: bool,
    /// What was filed by it; none when nothing was.
    pub(crate) filed: Option<Filed>,
    pub(crate) note: String,
    pub(crate) returns: bool,
}

impl Review {
    /// The review that a Task is; none of any other Task, or of one that counts for nothing.
    pub(crate) fn of(hit: Hit) -> Option<Self> {
        let document = parsed(&hit).ok()?;
        let root = document.root();
        let report = reviewed(root)?;
        if text(root, "intent") != "order" {
            return None;
        }
        let status = text(root, "status");
        let owner = named(root.get("owner"));
        let is_filed = status == "completed" && id_in(&owner.0, "Practitioner").is_some();
        Some(Self {
            report,
            patient: patient(root),
            owner,
            is_open: OPEN.split(',').any(|one| one == status),
            filed: is_filed.then(|| Self::filed_by(root)).flatten(),
            note: last_note(root),
            returns: returns(root),
            hit,
        })
    }

    /// What a Task says was filed.
    pub(crate) fn filed_by(task: Value<'_>) -> Option<Filed> {
        let input = |code: &str| {
            each(task, "input").find(|one| one.get("type").is_some_and(|of| has_code(of, code)))
        };
        let reference = text(input(VERSION)?.get("valueReference")?, "reference");
        let version = reference.rsplit_once("/_history/")?.1.parse().ok()?;
        let period = task.get("executionPeriod");
        let at = period.and_then(|period| instant(period, &["end"]));
        // A task that does not say when: whatever was corrected at any time is later.
        let at = at.or_else(|| instant(task, &["lastModified", "authoredOn"]));
        let values = input(VALUES).and_then(|one| versions(&text(one, "valueString")));
        Some(Filed { version, at: at.unwrap_or(Millis(i64::MIN)), values })
    }
}

/// The report that a task reviews, when that is what it is for.
pub(crate) fn reviewed(root: Value<'_>) -> Option<String> {
    root.get("code").filter(|code| has_code(*code, REVIEW))?;
    id_in(&text(root.get("focus")?, "reference"), "DiagnosticReport")
}

/// The last filing among reviews of a report that is at a version. One of a version that there is not
/// says nothing.
pub(crate) fn last<'r>(all: &[&'r Review], version: u64) -> Option<&'r Filed> {
    let filed = all.iter().filter_map(|one| one.filed.as_ref());
    filed.filter(|filed| filed.version <= version).max_by_key(|filed| (filed.version, filed.at))
}

/// A value that changed: its version now, when that was written, and whether it says that it was
/// corrected.
pub(crate) type Changed = HashMap<String, (u64, Millis, bool)>;

/// Whether a report is as it was filed.
pub(crate) fn is_as_filed(
    filed: &Filed,
    version: u64,
    report: Value<'_>,
    changed: &Changed,
) -> bool {
    let is_other = |(at, id): (usize, String)| {
        let Some((now, written, is_corrected)) = changed.get(&id) else { return false };
        match &filed.values {
            Some(values) => values.get(at) != Some(now),
            None => *is_corrected && *written > filed.at,
        }
    };
    filed.version == version && !named_values(report).enumerate().any(is_other)
}

/// The ids of the values that a report names, in its order.
pub(crate) fn named_values<'v>(root: Value<'v>) -> impl Iterator<Item = String> + use<'v> {
    each(root, "result").filter_map(|one| id_in(&text(one, "reference"), "Observation"))
}

/// Whether an input of a task says where it was taken from.
pub(crate) fn is_taken_from(input: Value<'_>) -> bool {
    input.get("type").is_some_and(|of| has_code(of, TAKEN_FROM))
}

/// Whether a task says where it was taken from.
pub(crate) fn returns(root: Value<'_>) -> bool {
    each(root, "input").any(is_taken_from)
}

pub(crate) fn last_note(root: Value<'_>) -> String {
    each(root, "note").last().map(|note| text(note, "text")).unwrap_or_default()
}
