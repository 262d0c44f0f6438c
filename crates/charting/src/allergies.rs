//! Allergies and intolerances (<https://hl7.org/fhir/R4/allergyintolerance.html>): add, change, resolve,
//! mark as entered in error, and record that none is known. "None known" and an active allergy cannot
//! stand side by side: the first allergy ends it, in the same transaction.

use crate::guard::{About, Held};
use crate::listed::{self, Seen, by, chosen, from, hold, noted, replace};
use crate::read::{Coding, Concept, concept, hidden};
use crate::summary::{Summary, status};
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use fhir::write::Writer;
use record::Session;

const KIND: &str = "AllergyIntolerance";
const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";
/// Words offered beside what was charted here before; no code stands behind them.
const OWN: &[&str] = &[
    "Aspirin",
    "Bee sting",
    "Codeine",
    "Contrast medium",
    "Egg",
    "Ibuprofen",
    "Latex",
    "Milk",
    "Nuts",
    "Peanut",
    "Penicillin",
    "Pollen",
    "Shellfish",
    "Soya",
    "Sulfonamide",
];

/// How grave an allergy could be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Criticality {
    /// It is not known.
    #[default]
    Unknown,
    /// Not life-threatening.
    Low,
    /// Life-threatening.
    High,
}

/// A new allergy.
#[derive(Clone, Default)]
pub struct AllergyForm {
    /// The form's own id: sent twice, it is entered once.
    pub form: String,
    /// To what.
    pub to: Concept,
    /// How grave.
    pub criticality: Criticality,
    /// How it showed, in words; empty when not known.
    pub reactions: Vec<String>,
    /// It is another than the active one of the same name.
    pub another: bool,
}

hidden!(AllergyForm);

/// Adds an allergy. An active "none known" ends with it.
///
/// # Errors
/// `charting.record.duplicate`, `charting.patient.other`, `charting.value.invalid`, `access.denied`.
pub async fn add(session: &Session, about: &About, form: &AllergyForm) -> Result<Done, Fault> {
    write::form(&form.form)?;
    chosen(&form.to)?;
    let reactions: Result<Vec<&str>, Fault> =
        form.reactions.iter().take(20).map(|one| write::typed(one, "reactions")).collect();
    let reactions = reactions?;
    about.stands(session).await?;
    if !form.another {
        let query: &[(&str, &str)] = &[("clinical-status", "active")];
        let same = |root: fhir::Value<'_>| concept(root, "code").same(&form.to);
        listed::once(session, about, (KIND, query), &form.form, same).await?;
    }
    let mut out = begun(session, about, &form.form, &form.to);
    let grade = match form.criticality {
        Criticality::Unknown => "unable-to-assess",
        Criticality::Low => "low",
        Criticality::High => "high",
    };
    out.member("criticality", grade);
    if !reactions.is_empty() {
        out.key("reaction").array().object().key("manifestation").array();
        for one in reactions {
            out.object().member("text", one).end_object();
        }
        out.end_array().end_object().end_array();
    }
    out.end_object();
    let mut entries = Entries::new();
    entries.create(KIND, ("", &form.form), about, &out.finish());
    for id in none_known(session, about).await? {
        let held = about.holds(session, KIND, &id).await?;
        let mut out = ended(&held, session, "an allergy was recorded");
        out.end_object();
        entries.update(KIND, &held, &out.finish());
    }
    listed::one(entries.commit(session).await?)
}

/// Records that no allergy is known: somebody asked.
///
/// # Errors
/// `charting.record.state` while an active allergy stands; otherwise as [`add`].
pub async fn add_none_known(session: &Session, about: &About, form: &str) -> Result<Done, Fault> {
    write::form(form)?;
    about.stands(session).await?;
    let summary = Summary::of(session, &about.patient)?.into_inner().await?;
    let active = |one: &&crate::summary::Allergy| one.active && !one.none_known;
    if summary.allergies.rows.iter().any(|one| active(&one)) {
        let text = "the chart has an active allergy; end it first, if it is none";
        return Err(Fault::new(&code::CHART_STATE, text));
    }
    let coding = Coding {
        system: "http://snomed.info/sct".to_owned(),
        code: "716186003".to_owned(),
        display: "No known allergy".to_owned(),
    };
    let none = Concept { text: "No known allergy".to_owned(), codings: vec![coding] };
    let query: &[(&str, &str)] = &[("clinical-status", "active")];
    let same = |root: fhir::Value<'_>| concept(root, "code").same(&none);
    listed::once(session, about, (KIND, query), form, same).await?;
    let mut out = begun(session, about, form, &none);
    out.end_object();
    let mut entries = Entries::new();
    entries.create(KIND, ("", form), about, &out.finish());
    listed::one(entries.commit(session).await?)
}

/// Changes how grave an allergy is, with a remark.
///
/// # Errors
/// `record.write.version-conflict`, `charting.patient.other`, `charting.record.state`.
pub async fn edit(
    session: &Session,
    about: &About,
    seen: &Seen,
    (criticality, note): (Criticality, &str),
) -> Result<Done, Fault> {
    let note = write::typed(note, "note")?;
    let held = hold(session, about, KIND, seen).await?;
    stands(&held)?;
    let mut out = from(&held, &["criticality", "note"]);
    match criticality {
        Criticality::Unknown => out.member("criticality", "unable-to-assess"),
        Criticality::Low => out.member("criticality", "low"),
        Criticality::High => out.member("criticality", "high"),
    };
    noted(&mut out, session, Some(held.document.root()), note);
    replace(session, KIND, &held, out).await
}

/// An allergy is none any more.
///
/// # Errors
/// As [`edit`].
pub async fn resolve(
    session: &Session,
    about: &About,
    seen: &Seen,
    reason: &str,
) -> Result<Done, Fault> {
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, KIND, seen).await?;
    stands(&held)?;
    if status(held.document.root(), "clinicalStatus") != "active" {
        return Err(Fault::new(&code::CHART_STATE, "the allergy is not active"));
    }
    replace(session, KIND, &held, ended(&held, session, reason)).await
}

/// An allergy was entered in error. It stays in the chart's history, and counts no more.
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
    stands(&held)?;
    // Invariant ait-2: what was entered in error has no clinical status.
    let mut out = from(&held, &["clinicalStatus", "verificationStatus", "note"]);
    write::coded(&mut out, "verificationStatus", VERIFICATION, "entered-in-error");
    noted(&mut out, session, Some(held.document.root()), &format!("Entered in error: {reason}"));
    replace(session, KIND, &held, out).await
}

/// What to offer for what is being typed.
///
/// # Errors
/// As a search.
pub async fn suggest(session: &Session, typed: &str) -> Result<Vec<Concept>, Fault> {
    listed::suggest(session, (KIND, "code"), typed, OWN).await
}

fn begun(session: &Session, about: &About, form: &str, to: &Concept) -> Writer {
    let mut out = write::begin(KIND, form, about, "patient");
    write::coded(&mut out, "clinicalStatus", CLINICAL, "active");
    write::coded(&mut out, "verificationStatus", VERIFICATION, "confirmed");
    write::concept(&mut out, "code", to);
    write::visit(&mut out, about);
    out.member("recordedDate", &session.now().to_instant());
    by(&mut out, session, "recorder");
    out
}

fn ended(held: &Held, session: &Session, reason: &str) -> Writer {
    let mut out = from(held, &["clinicalStatus", "note"]);
    write::coded(&mut out, "clinicalStatus", CLINICAL, "resolved");
    noted(&mut out, session, Some(held.document.root()), &format!("Resolved: {reason}"));
    out
}

async fn none_known(session: &Session, about: &About) -> Result<Vec<String>, Fault> {
    let summary = Summary::of(session, &about.patient)?.into_inner().await?;
    let rows = summary.allergies.rows.into_iter();
    Ok(rows.filter(|one| one.active && one.none_known).map(|one| one.id).collect())
}

fn stands(held: &Held) -> Result<(), Fault> {
    let root = held.document.root();
    if status(root, "verificationStatus") == "entered-in-error" {
        let text = "it was entered in error and is changed no more; enter it anew";
        return Err(Fault::new(&code::CHART_STATE, text));
    }
    Ok(())
}
