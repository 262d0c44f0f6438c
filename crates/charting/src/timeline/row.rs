//! One row of the timeline, made of one record, or of what was measured together.

use super::{Happened, Source};
use crate::read::{Concept, Named, concept, each, hidden, instant, text, when};
use crate::sign::Sign;
use crate::summary::{Point, finding_value, point, status};
use fhir::Value;
use record::Hit;

/// A row.
#[derive(Clone)]
pub struct Row {
    /// What kind of thing.
    pub happened: Happened,
    /// When, as the record has it; empty when it has no date.
    pub at: String,
    /// The instant it begins at, in milliseconds of 1970; the least there is without a date.
    pub(super) instant: i64,
    /// The records; more than one of what was measured together.
    pub items: Vec<Item>,
    /// Who did or wrote it.
    pub who: Vec<Named>,
    /// The visit it belongs to, by the Encounter's id.
    pub visit: Option<String>,
}

/// A record of a row.
#[derive(Clone)]
pub struct Item {
    /// Its type.
    pub kind: &'static str,
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What it is.
    pub what: String,
    /// What was found, how it is taken, or what it was for; empty when there is nothing more to say.
    pub detail: String,
    /// Its status, as a code.
    pub status: String,
    /// Of an allergy, how grave it could be; else empty.
    pub grade: String,
    /// No code stands behind what it is: somebody wrote it in their own words.
    pub free_text: bool,
    /// Of a vital sign, which it is and its value; what an Observation calls it are LOINC's long names.
    pub measured: Option<(Sign, Point)>,
    /// Of an appointment of which nothing but its kind is said, the code of that kind (v2-0276); else empty.
    pub booked_as: String,
}

hidden!(Row, Item);

/// The system of the kinds of appointments (<https://hl7.org/fhir/R4/v2/0276/index.html>).
const VISIT_KINDS: &str = "http://terminology.hl7.org/CodeSystem/v2-0276";

impl Row {
    pub(super) fn of(source: &Source, hit: &Hit, root: Value<'_>) -> Self {
        let (what, detail) = said(source.kind, root);
        let measured = if source.kind == "Observation" { point(hit, root) } else { None };
        let at = when(
            root,
            &[
                "period",
                "effectiveDateTime",
                "effectivePeriod",
                "effectiveInstant",
                "performedDateTime",
                "performedPeriod",
                "occurrenceDateTime",
                "recordedDate",
                "authoredOn",
                "start",
                "date",
                "issued",
            ],
        );
        let status = match text(root, "status") {
            plain if !plain.is_empty() => plain,
            _ if status(root, "verificationStatus") == "entered-in-error" => {
                "entered-in-error".to_owned()
            }
            _ => status(root, "clinicalStatus"),
        };
        Self {
            happened: source.happened,
            instant: if at.is_empty() { i64::MIN } else { instant(&at) },
            at,
            items: vec![Item {
                kind: source.kind,
                id: hit.id.clone(),
                version: hit.version,
                what,
                detail,
                status,
                grade: text(root, "criticality"),
                free_text: ["code", "medicationCodeableConcept"].iter().any(|name| {
                    root.get(name).is_some_and(|one| Concept::of(one).codings.is_empty())
                }),
                measured,
                booked_as: booked_as(source.kind, root),
            }],
            who: who(root),
            visit: visit(source.kind, hit, root),
        }
    }
}

fn said(kind: &str, root: Value<'_>) -> (String, String) {
    let first = |name: &str| each(root, name).next();
    let words = |name: &str| concept(root, name).text;
    match kind {
        "Encounter" => {
            let reasons: Vec<String> =
                each(root, "reasonCode").map(|one| Concept::of(one).text).collect();
            let kind = first("type").map(|one| Concept::of(one).text).unwrap_or_default();
            let class = root.get("class").map(crate::Coding::of).unwrap_or_default();
            let class = if class.display.is_empty() { class.code } else { class.display };
            match (reasons.is_empty(), kind.is_empty()) {
                (false, true) => (reasons.join(", "), class),
                (false, false) => (reasons.join(", "), kind),
                (true, false) => (kind, class),
                (true, true) => (class, String::new()),
            }
        }
        "DocumentReference" => {
            let attached = first("content").and_then(|one| one.get("attachment"));
            let title = attached.map(|one| text(one, "title")).unwrap_or_default();
            let title = if title.is_empty() { text(root, "description") } else { title };
            if title.is_empty() { (words("type"), title) } else { (title, words("type")) }
        }
        "Composition" => (text(root, "title"), words("type")),
        "DiagnosticReport" => (words("code"), text(root, "conclusion")),
        "Observation" => (words("code"), finding_value(root)),
        "Condition" => (words("code"), when(root, &["onsetDateTime", "onsetPeriod"])),
        "AllergyIntolerance" => {
            let shown: Vec<String> = each(root, "reaction")
                .flat_map(|one| each(one, "manifestation"))
                .map(|one| Concept::of(one).text)
                .collect();
            (words("code"), shown.join(", "))
        }
        "MedicationRequest" | "MedicationStatement" | "MedicationAdministration" => {
            let what = match root.get("medicationReference") {
                Some(named) => text(named, "display"),
                None => words("medicationCodeableConcept"),
            };
            let dosage = if kind == "MedicationRequest" { "dosageInstruction" } else { "dosage" };
            (what, first(dosage).map(|one| text(one, "text")).unwrap_or_default())
        }
        "Immunization" => (words("vaccineCode"), words("statusReason")),
        "Appointment" => {
            let service = first("serviceType").map(|one| Concept::of(one).text);
            let what = text(root, "description");
            let service = service.unwrap_or_else(|| words("appointmentType"));
            if what.is_empty() { (service, what) } else { (what, service) }
        }
        _ => (words("code"), String::new()),
    }
}

/// The kind of an appointment by its code, where no service is named that says more.
fn booked_as(kind: &str, root: Value<'_>) -> String {
    if kind != "Appointment" || each(root, "serviceType").next().is_some() {
        return String::new();
    }
    let kinds = concept(root, "appointmentType").codings;
    kinds.into_iter().find(|one| one.system == VISIT_KINDS).map(|one| one.code).unwrap_or_default()
}

/// Who did or wrote it: the members by which the types name them.
fn who(root: Value<'_>) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for name in ["participant", "author", "performer", "recorder", "requester", "informationSource"]
    {
        let Some(found) = root.get(name) else { continue };
        let found: Vec<Value<'_>> =
            if found.is_array() { found.items().collect() } else { vec![found] };
        for one in found {
            let inner = one.get("individual").or_else(|| one.get("actor")).unwrap_or(one);
            let named = Named::of(inner);
            let is_nobody = named.reference.is_empty() && named.display.is_empty();
            let others = ["Patient/", "Location/"];
            let is_other = others.iter().any(|kind| named.reference.starts_with(kind));
            if !is_nobody && !is_other && !all.contains(&named) {
                all.push(named);
            }
        }
    }
    all
}

fn visit(kind: &str, hit: &Hit, root: Value<'_>) -> Option<String> {
    if kind == "Encounter" {
        return Some(hit.id.clone());
    }
    let direct = root.get("encounter").or_else(|| root.get("context"));
    let named = direct.and_then(|one| match one.get("encounter") {
        Some(list) => list.items().next(),
        None => Some(one),
    })?;
    text(named, "reference").strip_prefix("Encounter/").map(str::to_owned)
}
