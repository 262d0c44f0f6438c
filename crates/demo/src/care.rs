//! What is done beyond the visit: procedures, and for chronic disease the care team, the plan and
//! its goals (<https://hl7.org/fhir/R4/careplan.html>).

use crate::calendar::{Day, add_months};
use crate::catalog::Key;
use crate::chart::{Chart, Tally};
use crate::code::{Code, charge, hl7, loinc, snomed};
use crate::history::{Kind, Visit};
use crate::json::{Unit, unit};

const ECG: Code = snomed("29303009", "Electrocardiographic procedure");
const SUTURE: Code = snomed("288086009", "Suture open wound");
const COLONOSCOPY: Code = snomed("73761001", "Colonoscopy");
const MAMMOGRAPHY: Code = snomed("71651007", "Mammography");
const SPIROMETRY: Code = snomed("127783003", "Spirometry");
const SCREENING: Code = snomed("171207006", "Depression screening");
const RECONCILIATION: Code = snomed("430193006", "Medication reconciliation");
const PLAN: Code = crate::code::code(
    "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
    "assess-plan",
    "Assessment and Plan of Treatment",
);
const HEALTHY_DIET: Code = snomed("410177006", "Special diet education");

/// A target of a goal.
struct Target {
    words: &'static str,
    measure: Code,
    high: i64,
    scale: u32,
    unit: Unit,
}

static PRESSURE_TARGET: Target = Target {
    words: "Systolic blood pressure below 130 mmHg",
    measure: loinc("8480-6", "Systolic blood pressure"),
    high: 130,
    scale: 0,
    unit: unit("mmHg", "mm[Hg]"),
};
static A1C_TARGET: Target = Target {
    words: "Hemoglobin A1c below 7.0 %",
    measure: loinc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
    high: 70,
    scale: 1,
    unit: unit("%", "%"),
};
static WEIGHT_TARGET: Target = Target {
    words: "Body mass index below 30 kg/m2",
    measure: loinc("39156-5", "Body mass index (BMI) [Ratio]"),
    high: 300,
    scale: 1,
    unit: unit("kg/m2", "kg/m2"),
};

impl Chart<'_, '_, '_> {
    /// Writes the procedures of a visit.
    pub(crate) fn write_procedures(&mut self, visit: &Visit, tally: &mut Tally) {
        if visit.open {
            return;
        }
        let age = self.person.age(visit.start.day());
        let day = visit.start.day();
        let mut chosen: Vec<(Code, Option<(Code, i64)>)> = Vec::new();
        match visit.acute.map(|a| a.snomed.code) {
            Some("312608009") => {
                chosen.push((SUTURE, Some((charge("SUTURE", "Wound repair, simple"), 28_900))))
            }
            Some("29857009") => {
                chosen.push((ECG, Some((charge("ECG", "Electrocardiogram, 12 leads"), 6800))))
            }
            _ => {}
        }
        if visit.kind == Kind::Checkup {
            if (45..=75).contains(&age) && self.rng.chance(70) {
                chosen.push((
                    COLONOSCOPY,
                    Some((charge("COLONOSCOPY", "Colonoscopy, screening"), 148_000)),
                ));
            }
            if self.person.female && (40..=74).contains(&age) && self.rng.chance(250) {
                chosen.push((
                    MAMMOGRAPHY,
                    Some((charge("MAMMOGRAM", "Mammography, screening"), 24_100)),
                ));
            }
            if self.rng.chance(200) {
                chosen.push((SCREENING, None));
            }
        }
        if matches!(visit.kind, Kind::FollowUp | Kind::Specialist) {
            if self.history.problem(Key::Lung, day).is_some() && self.rng.chance(150) {
                chosen.push((SPIROMETRY, Some((charge("SPIROMETRY", "Spirometry"), 9700))));
            }
            if self.rng.chance(150) {
                chosen.push((RECONCILIATION, None));
            }
        }
        for (code, price) in chosen {
            let id = self.new_id("Procedure");
            tally.procedures.push((id, code));
            if let Some((item, cents)) = price {
                tally.charge(item, cents);
            }
        }
        let reason = visit.acute.and_then(|_| tally.diagnoses.first()).map(|d| d.0.clone());
        for (id, code) in &tally.procedures {
            self.write_procedure(visit, id, code, reason.as_deref());
        }
    }

    fn write_procedure(&mut self, visit: &Visit, id: &str, code: &Code, reason: Option<&str>) {
        let clinician = self.clinician(visit);
        let place = self.place(visit);
        let patient = &self.id;
        self.press.emit("Procedure", id, |w| {
            w.text("status", "completed");
            w.concept("code", code);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.period("performedPeriod", visit.start.plus(9), Some(visit.start.plus(14)));
            w.one("performer", |w| {
                w.refer_shown("actor", "Practitioner", &clinician.id, &clinician.name);
            });
            w.refer("location", "Location", &place.location);
            if let Some(id) = reason {
                w.refer_one("reasonReference", "Condition", id);
            }
        });
    }

    /// Writes care team, goals and plan, for those with a condition that is managed by target.
    pub(crate) fn write_care(&mut self) {
        let managed: Vec<(String, &'static Target, Day)> = self
            .history
            .problems
            .iter()
            .filter_map(|p| {
                let target = match p.what.key {
                    Key::Hypertension => &PRESSURE_TARGET,
                    Key::Diabetes => &A1C_TARGET,
                    Key::Obesity => &WEIGHT_TARGET,
                    _ => return None,
                };
                let from = self.history.visits.get(p.recorded)?.start.day();
                Some((p.id.clone(), target, from))
            })
            .collect();
        let Some(from) = managed.iter().map(|m| m.2).min() else { return };
        let conditions: Vec<String> = managed.iter().map(|m| m.0.clone()).collect();
        let team = self.write_team(&conditions, from);
        let goals: Vec<String> = managed
            .iter()
            .map(|(condition, target, from)| self.write_goal(condition, target, *from))
            .collect();
        let id = self.new_id("CarePlan");
        let (patient, doctor) = (&self.id, &self.doctor);
        let death = self.person.death;
        self.press.emit("CarePlan", &id, |w| {
            w.text("status", if death.is_some() { "revoked" } else { "active" });
            w.text("intent", "plan");
            w.concept_one("category", &PLAN);
            w.text("title", "Plan for long-term conditions");
            w.refer("subject", "Patient", patient);
            w.days("period", from, death);
            w.date("created", from);
            w.refer_shown("author", "Practitioner", &doctor.id, &doctor.name);
            w.refer_one("careTeam", "CareTeam", &team);
            w.arr("addresses", |w| conditions.iter().for_each(|c| w.refer_item("Condition", c)));
            w.arr("goal", |w| goals.iter().for_each(|g| w.refer_item("Goal", g)));
            w.one("activity", |w| {
                w.obj("detail", |w| {
                    w.concept("code", &HEALTHY_DIET);
                    w.text("status", if death.is_some() { "stopped" } else { "in-progress" });
                    w.text(
                        "description",
                        "Walk 30 minutes on five days of the week; record weight on Sundays.",
                    );
                });
            });
        });
    }

    fn write_team(&mut self, conditions: &[String], from: Day) -> String {
        let id = self.new_id("CareTeam");
        let (patient, doctor, nurse) = (&self.id, &self.doctor, &self.nurse);
        let organization = &self.site.organization;
        let over = self.person.death;
        self.press.emit("CareTeam", &id, |w| {
            w.text("status", if over.is_some() { "inactive" } else { "active" });
            w.category(
                "category",
                &loinc("LA28865-6", "Longitudinal care-coordination focused care team"),
            );
            w.text("name", "Long-term conditions team");
            w.refer("subject", "Patient", patient);
            w.days("period", from, over);
            w.arr("participant", |w| {
                for (staff, role) in [
                    (doctor, snomed("59058001", "General physician")),
                    (nurse, snomed("224535009", "Registered nurse")),
                ] {
                    w.item(|w| {
                        w.concept_one("role", &role);
                        w.refer_shown("member", "Practitioner", &staff.id, &staff.name);
                    });
                }
            });
            w.arr("reasonReference", |w| {
                conditions.iter().for_each(|c| w.refer_item("Condition", c))
            });
            w.refer_one("managingOrganization", "Organization", organization);
        });
        id
    }

    fn write_goal(&mut self, condition: &str, target: &Target, from: Day) -> String {
        let id = self.new_id("Goal");
        let achieved = self.rng.chance(350);
        let patient = &self.id;
        let dead = self.person.death.is_some();
        self.press.emit("Goal", &id, |w| {
            let status = match (dead, achieved) {
                (true, _) => "cancelled",
                (false, true) => "completed",
                (false, false) => "active",
            };
            w.text("lifecycleStatus", status);
            if !dead {
                let reached = hl7!("goal-achievement", "achieved", "Achieved");
                let trying = hl7!("goal-achievement", "in-progress", "In Progress");
                w.status("achievementStatus", if achieved { &reached } else { &trying });
            }
            w.obj("description", |w| w.text("text", target.words));
            w.refer("subject", "Patient", patient);
            w.date("startDate", from);
            w.one("target", |w| {
                w.concept("measure", &target.measure);
                w.obj("detailQuantity", |w| {
                    w.dec("value", target.high, target.scale);
                    w.text("comparator", "<");
                    w.text("unit", target.unit.shown);
                    w.text("system", "http://unitsofmeasure.org");
                    w.text("code", target.unit.ucum);
                });
                w.date("dueDate", add_months(from, 12));
            });
            w.refer_one("addresses", "Condition", condition);
        });
        id
    }
}
