//! Prescriptions: courses for complaints, and for chronic conditions a prescription a year with
//! refills, the last one active (<https://hl7.org/fhir/R4/medicationrequest.html>).

use crate::chart::{Chart, Tally};
use crate::code::{Code, hl7, systems};
use crate::drugs::Drug;
use crate::history::{Kind, Visit};
use crate::json::unit;
use crate::press::write_label;

const COMMUNITY: Code = hl7!("medicationrequest-category", "community", "Community");
const AS_NEEDED: &str = "as needed";

/// A prescription about to be written.
struct Script<'a> {
    drug: &'static Drug,
    status: &'static str,
    reason: &'a str,
    repeats: i64,
    restricted: bool,
}

impl Chart<'_, '_, '_> {
    /// Writes all prescriptions of the chart.
    pub(crate) fn write_medications(&mut self) {
        let visits = std::mem::take(&mut self.history.visits);
        let problems = std::mem::take(&mut self.history.problems);
        for problem in &problems {
            for drug in problem.drugs.into_iter().flatten() {
                self.write_series(
                    drug,
                    problem.recorded,
                    &problem.id,
                    problem.what.restricted,
                    &visits,
                );
            }
        }
        self.history.visits = visits;
        self.history.problems = problems;
    }

    /// Prescribes what a complaint calls for, at its visit.
    pub(crate) fn write_course(&mut self, visit: &Visit, reason: &str, tally: &mut Tally) {
        let Some(acute) = visit.acute else { return };
        let child = self.person.age(visit.start.day()) < 12;
        let Some(drug) = (if child { acute.child_drug } else { acute.drug }) else { return };
        tally.plan.push_str("Prescribed: ");
        tally.plan.push_str(drug.text);
        tally.plan.push_str(".\n");
        let over = visit.start.day() + drug.days < self.clinic.today;
        let script = Script {
            drug,
            status: if over { "completed" } else { "active" },
            reason,
            repeats: 0,
            restricted: false,
        };
        self.write_script(visit, &script);
    }

    // From the visit that found the problem, renewed at the first visit ten months later.
    fn write_series(
        &mut self,
        drug: &'static Drug,
        from: usize,
        reason: &str,
        restricted: bool,
        visits: &[Visit],
    ) {
        let mut renewals: Vec<&Visit> = Vec::new();
        for visit in visits.iter().skip(from).filter(|v| v.kind != Kind::Emergency) {
            let due =
                renewals.last().is_none_or(|last| visit.start.day() - last.start.day() >= 300);
            if due {
                renewals.push(visit);
            }
        }
        let latest = renewals.len();
        for (n, visit) in (1..).zip(renewals) {
            let old = self.clinic.today - visit.start.day() > 500;
            let status = match () {
                () if n < latest => "completed",
                () if self.person.death.is_some() => "stopped",
                () if old => "completed",
                () => "active",
            };
            let repeats = (360 / drug.days - 1).max(0);
            self.write_script(visit, &Script { drug, status, reason, repeats, restricted });
        }
    }

    fn write_script(&mut self, visit: &Visit, script: &Script<'_>) {
        let id = self.new_id("MedicationRequest");
        let number = self.number('M');
        let clinician = self.clinician(visit);
        let stocked = script.drug.stock.map(|n| self.clinic.medication_id(n));
        let patient = &self.id;
        let drug = script.drug;
        self.press.emit("MedicationRequest", &id, |w| {
            write_label(w, script.restricted);
            w.identifier(systems::ORDER, &number);
            w.text("status", script.status);
            w.text("intent", "order");
            w.category("category", &COMMUNITY);
            match &stocked {
                Some(id) => w.refer_shown("medicationReference", "Medication", id, drug.text),
                None => w.concept_of("medicationCodeableConcept", &[drug.code], drug.text),
            }
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("authoredOn", visit.start.plus(14));
            w.refer_shown("requester", "Practitioner", &clinician.id, &clinician.name);
            w.refer_one("reasonReference", "Condition", script.reason);
            w.one("dosageInstruction", |w| {
                w.int("sequence", 1);
                w.text("text", drug.sig);
                if drug.per_day > 0 {
                    w.obj("timing", |w| {
                        w.obj("repeat", |w| {
                            w.int("frequency", drug.per_day);
                            w.int("period", 1);
                            w.text("periodUnit", "d");
                        });
                    });
                }
                w.flag("asNeededBoolean", drug.sig.contains(AS_NEEDED) || drug.per_day == 0);
                w.concept("route", &drug.route);
                w.one("doseAndRate", |w| w.quantity("doseQuantity", drug.dose, 0, dose_unit(drug)));
            });
            w.obj("dispenseRequest", |w| {
                let start = visit.start.day();
                w.days("validityPeriod", start, Some(start + 365));
                w.int("numberOfRepeatsAllowed", script.repeats);
                let count = drug.per_day.max(1) * drug.days * drug.dose;
                w.quantity("quantity", count, 0, dose_unit(drug));
                w.quantity("expectedSupplyDuration", drug.days, 0, unit("days", "d"));
            });
        });
    }
}

const fn dose_unit(drug: &Drug) -> crate::json::Unit {
    // UCUM writes arbitrary counted things as annotations; insulin's unit is an arbitrary unit.
    match drug.dose_unit.as_bytes() {
        b"tablet" => unit("tablet", "{tbl}"),
        b"capsule" => unit("capsule", "{capsule}"),
        b"puff" => unit("puff", "{puff}"),
        b"unit" => unit("unit", "[iU]"),
        _ => unit("dose", "{dose}"),
    }
}
