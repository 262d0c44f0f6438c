//! Vital signs entered: a line, checked and kept as FHIR Observations of the vital-signs profile of R4
//! (<https://hl7.org/fhir/R4/observation-vitalsigns.html>), all of one line in one transaction. A value is
//! kept in the unit it was typed in; what is shown is converted.

mod check;
mod young;

pub use check::{Doubt, Remark, body_mass, remarks};

use crate::entry::{self, Entered};
use crate::guard::About;
use crate::listed::{Seen, from, hold, noted, replace};
use crate::read::{hidden, parsed, text};
use crate::sign::{DIASTOLIC, LOINC, SYSTOLIC, Sign, UCUM, Unit};
use crate::summary::{self, Age, Vital};
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use fhir::write::Writer;
use fhirpath::Decimal;
use record::Session;

const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// What is entered.
#[derive(Clone, Default)]
pub struct VitalsForm {
    /// The form's own id: sent twice, it is entered once.
    pub form: String,
    /// The line.
    pub line: String,
    /// When it was measured, as a FHIR dateTime; now when not given.
    pub at: Option<String>,
}

/// What a line would become, before it is kept.
#[derive(Clone)]
pub struct Preview {
    /// Its values.
    pub entered: Vec<Entered>,
    /// The body mass index that follows, when weight and height are both there.
    pub body_mass: Option<Decimal>,
    /// What to look twice at.
    pub remarks: Vec<Remark>,
}

/// What became of a line.
#[derive(Clone)]
pub struct Kept {
    /// What it was understood as.
    pub preview: Preview,
    /// The Observations, in the order of the line; last the body mass index.
    pub done: Vec<Done>,
}

hidden!(VitalsForm, Preview, Kept);

/// Reads a line and compares it with the patient's last values; keeps nothing.
///
/// # Errors
/// `charting.entry.not-understood` with an issue for each trouble, its place as `line[from..to]`;
/// `record.read.not-found` for a patient whom the caller may not see.
pub async fn preview(session: &Session, about: &About, line: &str) -> Result<Preview, Fault> {
    let entered = understood(line)?;
    let now = session.now();
    let (last, age) = session
        .chart(&about.patient, |chart| {
            let born = parsed(&chart.person()?).map(|one| text(one.root(), "birthDate"));
            let age = born.and_then(|born| summary::age(&born, now));
            Ok((summary::vitals(chart)?, age))
        })?
        .into_inner()
        .await?;
    Ok(previewed(entered, &last.rows, age))
}

/// Keeps a line. Remarks stop nothing: who enters it has seen them by [`preview`].
///
/// # Errors
/// As [`preview`]; `charting.patient.other` when the visit is another patient's; `charting.value.invalid`
/// for a time that is none or lies ahead; `access.denied`; codes of `validation.*`.
pub async fn keep(session: &Session, about: &About, form: &VitalsForm) -> Result<Kept, Fault> {
    write::form(&form.form)?;
    let at = form.at.clone().unwrap_or_else(|| session.now().to_instant());
    write::moment(&at, session.now(), "at")?;
    let preview = preview(session, about, &form.line).await?;
    if preview.entered.is_empty() {
        return Err(Fault::at(&code::CHART_ENTRY, "the line has no value", "line"));
    }
    about.stands(session).await?;
    let mut entries = Entries::new();
    entries.is_dated = form.at.is_some();
    let performer = session.signer().map(|signer| format!("Practitioner/{}", signer.practitioner));
    let mut sources = Vec::new();
    for one in &preview.entered {
        let key =
            format!("{}.{}", form.form, one.sign.codes().first().copied().unwrap_or_default());
        let urn = urn(&form.form, one.sign);
        if matches!(one.sign, Sign::Weight | Sign::Height) {
            sources.push(urn.clone());
        }
        let mut out = observation(one.sign, &key, about, &at, performer.as_deref());
        match one.second {
            Some(second) => pressure(&mut out, one.value, second, one.unit),
            None => quantity(&mut out, "valueQuantity", one.value, one.unit),
        }
        out.end_object();
        entries.create("Observation", (&urn, &key), about, &out.finish());
    }
    if let Some(mass) = preview.body_mass {
        let key = format!("{}.39156-5", form.form);
        let mut out = observation(Sign::BodyMass, &key, about, &at, performer.as_deref());
        quantity(&mut out, "valueQuantity", mass, Sign::BodyMass.unit());
        out.key("derivedFrom").array();
        for urn in &sources {
            out.object().member("reference", urn).end_object();
        }
        out.end_array().end_object();
        let urn = urn(&form.form, Sign::BodyMass);
        entries.create("Observation", (&urn, &key), about, &out.finish());
    }
    let done = entries.commit(session).await?;
    Ok(Kept { preview, done })
}

/// A value was entered in error. It stays in the chart's history, and is shown no more.
///
/// # Errors
/// `record.write.version-conflict`, `charting.patient.other`, `charting.record.state`.
pub async fn enter_in_error(
    session: &Session,
    about: &About,
    seen: &Seen,
    reason: &str,
) -> Result<Done, Fault> {
    const KIND: &str = "Observation";
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, KIND, seen).await?;
    let root = held.document.root();
    if text(root, "status") == "entered-in-error" {
        return Err(Fault::new(&code::CHART_STATE, "it was marked as entered in error before"));
    }
    let mut out = from(&held, &["status", "note"]);
    out.member("status", "entered-in-error");
    noted(&mut out, session, Some(root), &format!("Entered in error: {reason}"));
    replace(session, KIND, &held, out).await
}

/// Reads a line, with its troubles as one fault.
fn understood(line: &str) -> Result<Vec<Entered>, Fault> {
    entry::read(line).map_err(|troubles| {
        let issues = troubles.into_iter().map(|trouble| {
            let place = format!("line[{}..{}]", trouble.at.start, trouble.at.end);
            Fault::at(&code::CHART_ENTRY, trouble.what.words(), place)
        });
        Fault { issues: issues.flat_map(|fault| fault.issues).collect() }
    })
}

fn previewed(entered: Vec<Entered>, last: &[Vital], age: Option<Age>) -> Preview {
    Preview { body_mass: body_mass(&entered), remarks: remarks(&entered, last, age), entered }
}

/// A name within the bundle. It is the same each time the form is sent, and nobody else's.
fn urn(form: &str, sign: Sign) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::new_with_prefix(form).chain_update(sign.name()).finalize();
    let mut bytes: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
    // Version 8, of the variant that RFC 9562 describes.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    format!("urn:uuid:{}", base::id::uuid_text(&bytes))
}

fn observation(sign: Sign, key: &str, about: &About, at: &str, performer: Option<&str>) -> Writer {
    let mut out = write::begin("Observation", key, about, "subject");
    out.member("status", "final");
    out.key("category").array().object();
    write::codings(&mut out, CATEGORY, "vital-signs");
    out.end_object().end_array();
    out.key("code").object().key("coding").array();
    // A saturation is charted under both of its codes, as the profile and US Core ask.
    let codes = if sign == Sign::Saturation {
        sign.codes()
    } else {
        sign.codes().get(..1).unwrap_or_default()
    };
    for one in codes {
        out.object().member("system", LOINC).member("code", one).end_object();
    }
    out.end_array().member("text", sign.name()).end_object();
    write::visit(&mut out, about);
    out.member("effectiveDateTime", at);
    if let Some(performer) = performer {
        out.key("performer")
            .array()
            .object()
            .member("reference", performer)
            .end_object()
            .end_array();
    }
    out
}

fn quantity(out: &mut Writer, name: &str, value: Decimal, unit: Unit) {
    out.key(name).object();
    out.key("value").raw(value.to_string().as_bytes());
    out.member("unit", unit.shown).member("system", UCUM).member("code", unit.code).end_object();
}

fn pressure(out: &mut Writer, systolic: Decimal, diastolic: Decimal, unit: Unit) {
    out.key("component").array();
    for (code, text, value) in
        [(SYSTOLIC, "Systolic", systolic), (DIASTOLIC, "Diastolic", diastolic)]
    {
        out.object().key("code").object();
        write::codings(out, LOINC, code);
        out.member("text", text).end_object();
        quantity(out, "valueQuantity", value, unit);
        out.end_object();
    }
    out.end_array();
}
