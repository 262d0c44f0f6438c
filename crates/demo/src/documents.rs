//! Notes: what a clinician writes about a visit, as a `DocumentReference` with the text inside
//! (<https://hl7.org/fhir/R4/documentreference.html>, att-1). The note says what the rest of the
//! encounter's resources say.

use crate::calendar::date_text;
use crate::chart::{Chart, Tally};
use crate::code::{Code, hl7, loinc, systems};
use crate::history::{Kind, Visit};
use crate::json::push_base64;
use crate::press::write_label;

const PROGRESS: Code = loinc("11506-3", "Progress note");
const CONSULT: Code = loinc("11488-4", "Consult note");
const PHYSICAL: Code = loinc("34117-2", "History and physical note");
const DISCHARGE: Code = loinc("18842-5", "Discharge summary");
const CLINICAL_NOTE: Code = crate::code::code(
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "clinical-note",
    "Clinical Note",
);
const AUTHOR: Code = hl7!("provenance-participant-type", "author", "Author");
const CREATE: Code = hl7!("v3-DataOperation", "CREATE", "create");

impl Chart<'_, '_, '_> {
    /// Writes the note of a visit, for most visits.
    pub(crate) fn write_note(&mut self, visit: &Visit, title: &str, tally: &Tally) {
        let keep = match visit.kind {
            Kind::Inpatient | Kind::Emergency | Kind::Specialist => 1000,
            Kind::Virtual => 400,
            _ => 620,
        };
        if !self.rng.chance(keep) {
            return;
        }
        let clinician = self.clinician(visit);
        let text = self.note(visit, title, &clinician.name, tally);
        let mut data = String::with_capacity(text.len() * 4 / 3 + 4);
        push_base64(&mut data, text.as_bytes());
        let kind = match visit.kind {
            Kind::Inpatient => &DISCHARGE,
            Kind::Specialist => &CONSULT,
            Kind::Checkup | Kind::WellChild => &PHYSICAL,
            _ => &PROGRESS,
        };
        let id = self.new_id("DocumentReference");
        let number = self.number('N');
        let place = self.place(visit);
        let patient = &self.id;
        let signed = visit.end().plus(5).min(self.clinic.now);
        self.press.emit("DocumentReference", &id, |w| {
            write_label(w, tally.restricted);
            w.identifier(systems::DOCUMENT, &number);
            w.text("status", "current");
            w.text("docStatus", "final");
            w.concept("type", kind);
            w.concept_one("category", &CLINICAL_NOTE);
            w.refer("subject", "Patient", patient);
            w.at("date", signed);
            w.arr("author", |w| w.refer_item("Practitioner", &clinician.id));
            w.refer("custodian", "Organization", &place.organization);
            w.one("content", |w| {
                w.obj("attachment", |w| {
                    w.text("contentType", "text/plain; charset=utf-8");
                    w.text("language", "en-US");
                    w.text("data", &data);
                    w.int("size", i64::try_from(text.len()).unwrap_or(0));
                    w.text("title", title);
                    w.at("creation", signed);
                });
            });
            w.obj("context", |w| {
                w.refer_one("encounter", "Encounter", &visit.id);
                w.period("period", visit.start, Some(visit.end()));
            });
        });
        if self.rng.chance(40) {
            self.write_provenance(visit, &id, signed);
        }
    }

    fn write_provenance(&mut self, visit: &Visit, document: &str, signed: crate::calendar::At) {
        let id = self.new_id("Provenance");
        let clinician = self.clinician(visit);
        let organization = &self.site.organization;
        self.press.emit("Provenance", &id, |w| {
            w.refer_one("target", "DocumentReference", document);
            w.at("recorded", signed);
            w.status("activity", &CREATE);
            w.one("agent", |w| {
                w.status("type", &AUTHOR);
                w.refer_shown("who", "Practitioner", &clinician.id, &clinician.name);
                w.refer("onBehalfOf", "Organization", organization);
            });
        });
    }

    fn note(&self, visit: &Visit, title: &str, author: &str, tally: &Tally) -> String {
        let day = visit.start.day();
        let years = self.person.age(day);
        let who = if self.person.female { "female" } else { "male" };
        let mut text = format!(
            "{title}\n{}, {years} years, {who}\n{}\n\nFindings\n{}",
            self.person.full_name(),
            date_text(day),
            tally.findings
        );
        if !tally.diagnoses.is_empty() {
            text.push_str("\nAssessment\n");
            for (_, snomed, icd) in &tally.diagnoses {
                text.push_str(&format!("- {} ({})\n", snomed.display, icd.code));
            }
        }
        if !tally.plan.is_empty() {
            text.push_str("\nPlan\n");
            text.push_str(&tally.plan);
        }
        text.push_str(&format!("\nSigned: {author}\n"));
        text
    }
}
