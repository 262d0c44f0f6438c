//! Conditions: the problem list as it grows, and the diagnoses of passing complaints
//! (<https://hl7.org/fhir/R4/condition.html>, invariants con-3 to con-5).

use crate::calendar::Day;
use crate::chart::{Chart, Tally};
use crate::code::{Code, hl7, snomed};
use crate::history::{Kind, Visit};
use crate::press::write_label;

const ACTIVE: Code = hl7!("condition-clinical", "active", "Active");
const RESOLVED: Code = hl7!("condition-clinical", "resolved", "Resolved");
const CONFIRMED: Code = hl7!("condition-ver-status", "confirmed", "Confirmed");
const PROVISIONAL: Code = hl7!("condition-ver-status", "provisional", "Provisional");
const PROBLEM: Code = hl7!("condition-category", "problem-list-item", "Problem List Item");
const DIAGNOSIS: Code = hl7!("condition-category", "encounter-diagnosis", "Encounter Diagnosis");

const SEVERITY: [Code; 3] =
    [snomed("255604002", "Mild"), snomed("6736007", "Moderate"), snomed("24484000", "Severe")];

/// One Condition about to be written.
struct Entry<'a> {
    id: &'a str,
    codes: [Code; 2],
    category: &'static Code,
    verification: &'static Code,
    severity: Option<Code>,
    onset: Day,
    abated: Option<Day>,
    restricted: bool,
}

impl Chart<'_, '_, '_> {
    /// Writes the conditions first seen at a visit, and gathers its diagnoses.
    pub(crate) fn write_problems(&mut self, n: usize, visit: &Visit, tally: &mut Tally) {
        let problems = std::mem::take(&mut self.history.problems);
        for (at, problem) in problems.iter().enumerate() {
            let what = problem.what;
            if problem.recorded == n {
                let severity =
                    if self.rng.chance(400) { Some(*self.rng.pick(&SEVERITY)) } else { None };
                self.write_condition(
                    visit,
                    &Entry {
                        id: &problem.id,
                        codes: [what.snomed, what.icd],
                        category: &PROBLEM,
                        verification: &CONFIRMED,
                        severity,
                        onset: problem.onset,
                        abated: None,
                        restricted: what.restricted,
                    },
                );
                tally.plan.push_str("New on the problem list: ");
                tally.plan.push_str(what.snomed.display);
                tally.plan.push_str(".\n");
            }
            let discussed = visit.problem == Some(at)
                || problem.recorded == n
                || (problem.recorded < n && visit.kind == Kind::Checkup);
            if discussed && tally.diagnoses.len() < 4 {
                tally.diagnoses.push((problem.id.clone(), what.snomed, what.icd));
                tally.restricted |= what.restricted;
                tally.plan.push_str(what.advice);
                tally.plan.push('\n');
            }
        }
        self.history.problems = problems;
        if let Some(acute) = visit.acute {
            let id = self.new_id("Condition");
            let started = (visit.start.day() - self.rng.range(0, 4)).max(self.person.birth);
            let over = started + self.rng.range(acute.days / 2, acute.days * 3 / 2).max(1);
            // Nobody writes the end of a cold on the day it is first seen.
            let end = self.person.last_day(self.clinic.today);
            let abated = (over < end && over > visit.start.day()).then_some(over);
            let verification = if visit.open { &PROVISIONAL } else { &CONFIRMED };
            self.write_condition(
                visit,
                &Entry {
                    id: &id,
                    codes: [acute.snomed, acute.icd],
                    category: &DIAGNOSIS,
                    verification,
                    severity: None,
                    onset: started,
                    abated,
                    restricted: false,
                },
            );
            tally.findings.push_str(acute.words);
            tally.findings.push('\n');
            tally.diagnoses.insert(0, (id, acute.snomed, acute.icd));
        }
    }

    fn write_condition(&mut self, visit: &Visit, entry: &Entry<'_>) {
        let clinician = self.clinician(visit);
        let patient = &self.id;
        self.press.emit("Condition", entry.id, |w| {
            write_label(w, entry.restricted);
            w.status("clinicalStatus", if entry.abated.is_some() { &RESOLVED } else { &ACTIVE });
            w.status("verificationStatus", entry.verification);
            w.category("category", entry.category);
            if let Some(severity) = &entry.severity {
                w.concept("severity", severity);
            }
            w.concept_of("code", &entry.codes, entry.codes[0].display);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.date("onsetDateTime", entry.onset);
            if let Some(day) = entry.abated {
                w.date("abatementDateTime", day);
            }
            w.at("recordedDate", visit.start);
            w.refer_shown("recorder", "Practitioner", &clinician.id, &clinician.name);
        });
    }
}
