//! The medication list as the patient tells it (<https://hl7.org/fhir/R4/medicationstatement.html>): add,
//! change the dosage, stop with a reason, mark as entered in error. An order
//! (<https://hl7.org/fhir/R4/medicationrequest.html>) is stopped here too; orders are written elsewhere.

use crate::guard::{About, Held};
use crate::listed::{self, Seen, by, chosen, dated, from, hold, noted, replace};
use crate::read::{Concept, concept, hidden, text, when};
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use record::Session;

const STATEMENT: &str = "MedicationStatement";

/// Which kind of record a medication stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// What the patient tells.
    Statement,
    /// An order.
    Order,
}

impl Source {
    const fn kind(self) -> &'static str {
        match self {
            Self::Statement => STATEMENT,
            Self::Order => "MedicationRequest",
        }
    }
}

/// A medication that the patient takes.
#[derive(Clone, Default)]
pub struct MedicationForm {
    /// The form's own id: sent twice, it is entered once.
    pub form: String,
    /// What.
    pub what: Concept,
    /// How it is taken, in words; it is text and stays text.
    pub dosage: Option<String>,
    /// Since when.
    pub since: Option<String>,
    /// It is another than the active one of the same name.
    pub another: bool,
}

hidden!(MedicationForm);

/// Adds a medication.
///
/// # Errors
/// `charting.record.duplicate` when an active statement or order has the same name;
/// `charting.patient.other`, `charting.value.invalid`, `access.denied`.
pub async fn add(session: &Session, about: &About, form: &MedicationForm) -> Result<Done, Fault> {
    write::form(&form.form)?;
    chosen(&form.what)?;
    let dosage = form.dosage.as_deref().map(|one| write::typed(one, "dosage")).transpose()?;
    form.since.as_deref().map(|since| dated(since, session, "since")).transpose()?;
    about.stands(session).await?;
    if !form.another {
        let query: &[(&str, &str)] = &[("status", "active,on-hold")];
        for kind in [STATEMENT, "MedicationRequest"] {
            let same = |root: fhir::Value<'_>| {
                let mut what = concept(root, "medicationCodeableConcept");
                if let Some(named) = root.get("medicationReference") {
                    what.text = text(named, "display");
                }
                what.same(&form.what)
            };
            listed::once(session, about, (kind, query), &form.form, same).await?;
        }
    }
    let mut out = write::begin(STATEMENT, &form.form, about, "subject");
    out.member("status", "active");
    write::concept(&mut out, "medicationCodeableConcept", &form.what);
    if let Some(visit) = &about.encounter {
        out.key("context").object().member("reference", &format!("Encounter/{visit}")).end_object();
    }
    if let Some(since) = &form.since {
        out.key("effectivePeriod").object().member("start", since).end_object();
    }
    out.member("dateAsserted", &session.now().to_instant());
    by(&mut out, session, "informationSource");
    if let Some(dosage) = dosage {
        out.key("dosage").array().object().member("text", dosage).end_object().end_array();
    }
    out.end_object();
    let mut entries = Entries::new();
    entries.create(STATEMENT, ("", &form.form), about, &out.finish());
    listed::one(entries.commit(session).await?)
}

/// Changes how a medication is taken, as the patient tells.
///
/// # Errors
/// `record.write.version-conflict`, `charting.patient.other`, `charting.record.state`.
pub async fn edit(
    session: &Session,
    about: &About,
    seen: &Seen,
    dosage: &str,
) -> Result<Done, Fault> {
    let dosage = write::typed(dosage, "dosage")?;
    let held = hold(session, about, STATEMENT, seen).await?;
    stands(&held)?;
    let mut out = from(&held, &["dosage"]);
    out.key("dosage").array().object().member("text", dosage).end_object().end_array();
    replace(session, STATEMENT, &held, out).await
}

/// A medication is taken no more, or an order is stopped.
///
/// # Errors
/// As [`edit`].
pub async fn stop(
    session: &Session,
    about: &About,
    (source, seen): (Source, &Seen),
    reason: &str,
) -> Result<Done, Fault> {
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, source.kind(), seen).await?;
    stands(&held)?;
    let root = held.document.root();
    let mut but = vec!["status", "statusReason"];
    if source == Source::Statement {
        but.extend(["effectivePeriod", "effectiveDateTime"]);
    }
    let mut out = from(&held, &but);
    out.member("status", "stopped");
    match source {
        Source::Statement => {
            out.key("statusReason").array().object().member("text", reason);
            out.end_object().end_array();
            let (since, now) =
                (when(root, &["effectiveDateTime", "effectivePeriod"]), session.now());
            out.key("effectivePeriod").object();
            if !since.is_empty() {
                out.member("start", &since);
            }
            out.member("end", &now.to_instant()).end_object();
        }
        Source::Order => {
            out.key("statusReason").object().member("text", reason).end_object();
        }
    }
    replace(session, source.kind(), &held, out).await
}

/// A medication was entered in error. It stays in the chart's history, and counts no more.
///
/// # Errors
/// As [`edit`].
pub async fn enter_in_error(
    session: &Session,
    about: &About,
    (source, seen): (Source, &Seen),
    reason: &str,
) -> Result<Done, Fault> {
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, source.kind(), seen).await?;
    let root = held.document.root();
    if text(root, "status") == "entered-in-error" {
        return Err(Fault::new(&code::CHART_STATE, "it was marked as entered in error before"));
    }
    let mut out = from(&held, &["status", "note"]);
    out.member("status", "entered-in-error");
    noted(&mut out, session, Some(root), &format!("Entered in error: {reason}"));
    replace(session, source.kind(), &held, out).await
}

/// What to offer for what is being typed: what was charted here before, and nothing else. Names of drugs
/// are too easily mistaken for a list of our own.
///
/// # Errors
/// As a search.
pub async fn suggest(session: &Session, typed: &str) -> Result<Vec<Concept>, Fault> {
    listed::suggest(session, ("MedicationRequest", "code"), typed, &[]).await
}

fn stands(held: &Held) -> Result<(), Fault> {
    match text(held.document.root(), "status").as_str() {
        "active" | "on-hold" | "intended" | "draft" | "unknown" => Ok(()),
        _ => Err(Fault::new(&code::CHART_STATE, "it has ended, and is changed no more")),
    }
}
