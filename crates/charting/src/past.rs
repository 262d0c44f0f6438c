//! What became of one record of a chart: its versions, and what changed between two of them, in words
//! (45 CFR 164.526: an amendment does not take away what stood there). A record of another patient is
//! refused by name, as for a change.

use crate::diff::{self, Line};
use crate::guard;
use crate::read::{hidden, parsed};
use crate::summary::type_named;
use base::error::code;
use base::{Fault, Millis};
use record::{HistoryQuery, Hit, Session};

/// Versions that are shown: of a record that was changed more often the newest.
pub const VERSIONS_MAX: usize = 50;

/// One version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub number: u64,
    /// When it was written.
    pub at: Millis,
    /// It is the deletion.
    pub deleted: bool,
}

/// The past of a record.
#[derive(Clone)]
pub struct Past {
    /// Its versions, newest first.
    pub versions: Vec<Version>,
    /// There are older ones.
    pub more: bool,
    /// Which two are compared, the older first; `None` when there is but one, or one is a deletion.
    pub compared: Option<(u64, u64)>,
    /// What changed between them.
    pub lines: Vec<Line>,
    /// There are more differences than are shown.
    pub cut: bool,
    /// What the record is called: its code's words.
    pub what: String,
}

hidden!(Past);

/// Reads the past of a record of a patient's chart, and compares two versions: those named, else the
/// newest with the one before.
///
/// # Errors
/// `record.read.not-found`; `charting.patient.other`; `record.read.version-not-found` for a version that
/// is not among those shown.
pub async fn of(
    session: &Session,
    patient: &str,
    (kind, id): (&str, &str),
    wanted: Option<(u64, u64)>,
) -> Result<Past, Fault> {
    let unknown = || Fault::new(&code::NOT_FOUND, "no record of this type has this id");
    if !fhir::reference::is_id(id) {
        return Err(unknown());
    }
    let query = HistoryQuery {
        resource_type: Some(type_named(kind).ok().ok_or_else(unknown)?),
        id: Some(id.to_owned()),
        count: VERSIONS_MAX,
        ..HistoryQuery::default()
    };
    let page = session.history(query)?.into_inner().await?;
    for document in page.versions.iter().filter(|hit| !hit.deleted).filter_map(parsed) {
        let own = kind == "Patient" && id == patient;
        if !own && guard::subject(&document).as_deref() != Some(patient) {
            let text = "the record belongs to another chart than this one";
            return Err(Fault::new(&code::CHART_OTHER_PATIENT, text));
        }
    }
    let versions: Vec<Version> = page
        .versions
        .iter()
        .map(|hit| Version { number: hit.version, at: hit.last_updated, deleted: hit.deleted })
        .collect();
    let mut two = page.versions.iter().filter(|hit| !hit.deleted).map(|hit| hit.version);
    let newest = two.next().zip(two.next()).map(|(new, old)| (old, new));
    let compared = wanted.or(newest);
    let (mut lines, mut cut) = (Vec::new(), false);
    if let Some((old, new)) = compared {
        let missing =
            || Fault::new(&code::VERSION_NOT_FOUND, "choose two of the versions that are shown");
        let at = |number: u64| -> Option<&Hit> {
            page.versions.iter().find(|hit| hit.version == number && !hit.deleted)
        };
        let old = at(old).and_then(parsed).ok_or_else(missing)?;
        let new = at(new).and_then(parsed).ok_or_else(missing)?;
        (lines, cut) = diff::lines(old.root(), new.root())?;
    }
    let what = page.versions.iter().find_map(parsed).map(|document| called(document.root()));
    Ok(Past {
        versions,
        more: page.next.is_some(),
        compared,
        lines,
        cut,
        what: what.unwrap_or_default(),
    })
}

/// What a record is called.
fn called(root: fhir::Value<'_>) -> String {
    let names = ["code", "vaccineCode", "medicationCodeableConcept", "type", "category"];
    names
        .iter()
        .filter_map(|name| root.get(name))
        .map(|one| if one.is_array() { one.items().next().unwrap_or(one) } else { one })
        .map(|one| crate::Concept::of(one).text)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
}
