//! The problem list (<https://hl7.org/fhir/R4/condition.html>): add, change, resolve, and mark as entered
//! in error.

use crate::guard::About;
use crate::listed::{self, Seen, by, chosen, dated, from, hold, noted, replace};
use crate::read::{Concept, concept, hidden};
use crate::summary::status;
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use record::Session;

const KIND: &str = "Condition";
const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/condition-clinical";
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";
/// Words offered beside what was charted here before; no code stands behind them.
const OWN: &[&str] = &[
    "Anxiety",
    "Asthma",
    "Back pain",
    "Depression",
    "Diabetes",
    "Heart failure",
    "High blood pressure",
    "High cholesterol",
    "Migraine",
    "Osteoarthritis",
    "Overweight",
    "Reflux",
    "Thyroid disease",
];

/// A new problem.
#[derive(Clone, Default)]
pub struct ProblemForm {
    /// The form's own id: sent twice, it is entered once.
    pub form: String,
    /// What.
    pub what: Concept,
    /// Since when, as far as is known.
    pub onset: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// It is another than the active one of the same name.
    pub another: bool,
}

/// A change of a problem; what is not given stays.
#[derive(Clone, Default)]
pub struct ProblemEdit {
    /// What.
    pub what: Option<Concept>,
    /// Since when.
    pub onset: Option<String>,
    /// A remark, added to those there are.
    pub note: Option<String>,
}

hidden!(ProblemForm, ProblemEdit);

/// Adds a problem.
///
/// # Errors
/// `charting.record.duplicate` when an active one has the same name and `another` is not set;
/// `charting.patient.other`, `charting.value.invalid`, `access.denied`.
pub async fn add(session: &Session, about: &About, form: &ProblemForm) -> Result<Done, Fault> {
    write::form(&form.form)?;
    chosen(&form.what)?;
    let note = form.note.as_deref().map(|note| write::typed(note, "note")).transpose()?;
    form.onset.as_deref().map(|onset| dated(onset, session, "onset")).transpose()?;
    about.stands(session).await?;
    if !form.another {
        let query: &[(&str, &str)] = &[("clinical-status", "active,recurrence,relapse")];
        let same = |root: fhir::Value<'_>| concept(root, "code").same(&form.what);
        listed::once(session, about, (KIND, query), &form.form, same).await?;
    }
    let mut out = write::begin(KIND, &form.form, about, "subject");
    write::coded(&mut out, "clinicalStatus", CLINICAL, "active");
    write::coded(&mut out, "verificationStatus", VERIFICATION, "confirmed");
    out.key("category").array().object();
    write::codings(&mut out, CATEGORY, "problem-list-item");
    out.end_object().end_array();
    write::concept(&mut out, "code", &form.what);
    write::visit(&mut out, about);
    if let Some(onset) = &form.onset {
        out.member("onsetDateTime", onset);
    }
    out.member("recordedDate", &session.now().to_instant());
    by(&mut out, session, "recorder");
    if let Some(note) = note {
        noted(&mut out, session, None, note);
    }
    out.end_object();
    let mut entries = Entries::new();
    entries.create(KIND, ("", &form.form), about, &out.finish());
    listed::one(entries.commit(session).await?)
}

/// Changes a problem.
///
/// # Errors
/// `record.write.version-conflict`, `charting.patient.other`, `charting.record.state` for one that was
/// entered in error.
pub async fn edit(
    session: &Session,
    about: &About,
    seen: &Seen,
    edit: &ProblemEdit,
) -> Result<Done, Fault> {
    edit.what.as_ref().map(chosen).transpose()?;
    edit.onset.as_deref().map(|onset| dated(onset, session, "onset")).transpose()?;
    let note = edit.note.as_deref().map(|note| write::typed(note, "note")).transpose()?;
    let held = hold(session, about, KIND, seen).await?;
    let root = held.document.root();
    stands(root)?;
    let mut but = Vec::new();
    but.extend(edit.what.as_ref().map(|_| "code"));
    but.extend(note.map(|_| "note"));
    if edit.onset.is_some() {
        but.extend(["onsetDateTime", "onsetAge", "onsetPeriod", "onsetRange", "onsetString"]);
    }
    let mut out = from(&held, &but);
    if let Some(what) = &edit.what {
        write::concept(&mut out, "code", what);
    }
    if let Some(onset) = &edit.onset {
        out.member("onsetDateTime", onset);
    }
    if let Some(note) = note {
        noted(&mut out, session, Some(root), note);
    }
    replace(session, KIND, &held, out).await
}

/// A problem is over.
///
/// # Errors
/// As [`edit`]; `charting.record.state` for one that is over already.
pub async fn resolve(
    session: &Session,
    about: &About,
    seen: &Seen,
    (ended, reason): (&str, &str),
) -> Result<Done, Fault> {
    dated(ended, session, "ended")?;
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, KIND, seen).await?;
    let root = held.document.root();
    stands(root)?;
    if matches!(status(root, "clinicalStatus").as_str(), "resolved" | "remission" | "inactive") {
        return Err(Fault::new(&code::CHART_STATE, "the problem is over already"));
    }
    let abatement = [
        "abatementDateTime",
        "abatementAge",
        "abatementPeriod",
        "abatementRange",
        "abatementString",
    ];
    let mut but = vec!["clinicalStatus", "note"];
    but.extend(abatement);
    let mut out = from(&held, &but);
    write::coded(&mut out, "clinicalStatus", CLINICAL, "resolved");
    out.member("abatementDateTime", ended);
    noted(&mut out, session, Some(root), &format!("Resolved: {reason}"));
    replace(session, KIND, &held, out).await
}

/// A problem was entered in error. It stays in the chart and its history, and counts no more.
///
/// # Errors
/// As [`edit`].
pub async fn enter_in_error(
    session: &Session,
    about: &About,
    seen: &Seen,
    reason: &str,
) -> Result<Done, Fault> {
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, KIND, seen).await?;
    let root = held.document.root();
    stands(root)?;
    // Invariant con-5: what was entered in error has no clinical status.
    let mut out = from(&held, &["clinicalStatus", "verificationStatus", "note"]);
    write::coded(&mut out, "verificationStatus", VERIFICATION, "entered-in-error");
    noted(&mut out, session, Some(root), &format!("Entered in error: {reason}"));
    replace(session, KIND, &held, out).await
}

/// What to offer for what is being typed.
///
/// # Errors
/// As a search.
pub async fn suggest(session: &Session, typed: &str) -> Result<Vec<Concept>, Fault> {
    listed::suggest(session, (KIND, "code"), typed, OWN).await
}

fn stands(root: fhir::Value<'_>) -> Result<(), Fault> {
    if status(root, "verificationStatus") == "entered-in-error" {
        let text = "it was entered in error and is changed no more; enter it anew";
        return Err(Fault::new(&code::CHART_STATE, text));
    }
    Ok(())
}
