//! Laboratory: order, specimen, results, report. Values follow the person: a set point of one's own,
//! moved by disease and treatment; interpretation is computed from value and range, never drawn
//! (<https://hl7.org/fhir/R4/diagnosticreport.html>).

use crate::calendar::Day;
use crate::catalog::Key;
use crate::chart::{Chart, Tally};
use crate::code::{Code, LABORATORY, hl7, systems};
use crate::history::Visit;
use crate::json::Json;
use crate::panels::{Analyte, Finding, Panel, Sample};
use crate::random::Rng;

const HIGH: Code = hl7!("v3-ObservationInterpretation", "H", "High");
const LOW: Code = hl7!("v3-ObservationInterpretation", "L", "Low");
const NORMAL: Code = hl7!("v3-ObservationInterpretation", "N", "Normal");
const POSITIVE: Code = hl7!("v3-ObservationInterpretation", "POS", "Positive");
const NEGATIVE: Code = hl7!("v3-ObservationInterpretation", "NEG", "Negative");
const LAB_CATEGORY: Code = hl7!("v2-0074", "LAB", "Laboratory");
const SERVICE: Code = crate::code::snomed("108252007", "Laboratory procedure");

/// One panel ordered at a visit.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) panel: &'static Panel,
    /// The id of the condition it is for.
    pub(crate) reason: Option<String>,
}

impl Chart<'_, '_, '_> {
    /// Writes the orders of a visit and, if they are back, the results.
    pub(crate) fn write_orders(&mut self, visit: &Visit, orders: &[Order], tally: &mut Tally) {
        let resulted = self.is_resulted(visit);
        let mut tubes: Vec<(Sample, String)> = Vec::new();
        for order in orders {
            let request = self.write_request(visit, order, resulted);
            tally.charge(order.panel.charge, order.panel.cents);
            tally.plan.push_str("Ordered: ");
            tally.plan.push_str(order.panel.charge.display);
            tally.plan.push_str(".\n");
            if !resulted {
                continue;
            }
            let sample = order.panel.sample;
            let tube = match tubes.iter().find(|(s, _)| *s == sample) {
                Some((_, id)) => id.clone(),
                None => {
                    let id = self.write_specimen(visit, sample, &request);
                    tubes.push((sample, id.clone()));
                    id
                }
            };
            self.write_results(visit, order.panel, &request, &tube);
        }
    }

    fn write_request(&mut self, visit: &Visit, order: &Order, resulted: bool) -> String {
        let id = self.new_id("ServiceRequest");
        let number = self.number('R');
        let clinician = self.clinician(visit);
        let laboratory = self.clinic.laboratory_id();
        let patient = &self.id;
        self.press.emit("ServiceRequest", &id, |w| {
            w.identifier(systems::ORDER, &number);
            w.text("status", if resulted { "completed" } else { "active" });
            w.text("intent", "order");
            w.concept_one("category", &SERVICE);
            w.text("priority", "routine");
            w.concept("code", &order.panel.code);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("authoredOn", visit.start.plus(8));
            w.refer_shown("requester", "Practitioner", &clinician.id, &clinician.name);
            w.refer_one("performer", "Organization", &laboratory);
            if let Some(reason) = &order.reason {
                w.refer_one("reasonReference", "Condition", reason);
            }
        });
        id
    }

    fn write_specimen(&mut self, visit: &Visit, sample: Sample, request: &str) -> String {
        let id = self.new_id("Specimen");
        let number = self.number('A');
        let (patient, nurse) = (&self.id, &self.nurse);
        self.press.emit("Specimen", &id, |w| {
            w.obj("accessionIdentifier", |w| {
                w.text("system", systems::ACCESSION);
                w.text("value", &number);
            });
            w.text("status", "available");
            w.concept("type", sample.code());
            w.refer("subject", "Patient", patient);
            w.at("receivedTime", visit.start.plus(90));
            w.refer_one("request", "ServiceRequest", request);
            w.obj("collection", |w| {
                w.refer("collector", "Practitioner", &nurse.id);
                w.at("collectedDateTime", visit.start.plus(12));
            });
        });
        id
    }

    fn write_results(&mut self, visit: &Visit, panel: &'static Panel, request: &str, tube: &str) {
        self.infected = visit.acute.is_some_and(|a| a.fever);
        let values = self.values(panel, visit.start.day());
        let mut results = Vec::with_capacity(values.len() + panel.findings.len());
        for (analyte, value) in panel.analytes.iter().zip(values) {
            let (low, high) = if self.person.female { analyte.women } else { analyte.range };
            results.push(self.write_result(visit, &analyte.code, request, tube, |w| {
                w.quantity("valueQuantity", value, analyte.scale, analyte.unit);
                w.concept_one("interpretation", interpret(value, low, high));
                w.one("referenceRange", |w| {
                    w.quantity("low", low, analyte.scale, analyte.unit);
                    w.quantity("high", high, analyte.scale, analyte.unit);
                });
            }));
        }
        for finding in panel.findings {
            // The virus test confirms the diagnosis it was ordered for; a urine strip may miss it.
            let yes = panel.sample == Sample::Swab || self.rng.chance(800);
            results.push(self.write_result(visit, &finding.code, request, tube, |w| {
                write_finding(w, finding, yes);
            }));
        }
        self.write_report(visit, panel, request, tube, &results);
    }

    fn write_result(
        &mut self,
        visit: &Visit,
        code: &Code,
        request: &str,
        tube: &str,
        value: impl FnOnce(&mut Json),
    ) -> String {
        let id = self.new_id("Observation");
        let laboratory = self.clinic.laboratory_id();
        let patient = &self.id;
        self.press.emit("Observation", &id, |w| {
            w.refer_one("basedOn", "ServiceRequest", request);
            w.text("status", "final");
            w.category("category", &LABORATORY);
            w.concept("code", code);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("effectiveDateTime", visit.start.plus(12));
            w.at("issued", visit.start.plus(200));
            w.refer_one("performer", "Organization", &laboratory);
            value(w);
            w.refer("specimen", "Specimen", tube);
        });
        id
    }

    fn write_report(
        &mut self,
        visit: &Visit,
        panel: &Panel,
        request: &str,
        tube: &str,
        results: &[String],
    ) {
        let id = self.new_id("DiagnosticReport");
        let number = self.number('D');
        let laboratory = self.clinic.laboratory_id();
        let patient = &self.id;
        self.press.emit("DiagnosticReport", &id, |w| {
            w.identifier(systems::ACCESSION, &number);
            w.refer_one("basedOn", "ServiceRequest", request);
            w.text("status", "final");
            w.arr("category", |w| {
                for code in [&LAB_CATEGORY, &panel.section] {
                    w.item(|w| w.one("coding", |w| w.coding_body(code)));
                }
            });
            w.concept("code", &panel.code);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("effectiveDateTime", visit.start.plus(12));
            w.at("issued", visit.start.plus(205));
            w.refer_one("performer", "Organization", &laboratory);
            w.refer_one("specimen", "Specimen", tube);
            w.arr("result", |w| {
                for id in results {
                    w.refer_item("Observation", id);
                }
            });
        });
        self.reports.push((id, visit.start.plus(205)));
    }

    // The values of a panel, in the order of its analytes; those that depend on others come after.
    fn values(&mut self, panel: &Panel, day: Day) -> Vec<i64> {
        let mut all: Vec<i64> = Vec::with_capacity(panel.analytes.len());
        let on = |all: &Vec<i64>, n: usize| all.get(n).copied().unwrap_or(1).max(1);
        for analyte in panel.analytes {
            let usual = self.usual(analyte);
            let value = match analyte.code.code {
                "4548-4" => self.a1c(day),
                // Estimated average glucose 28.7 x A1c - 46.7, less the meals.
                "2345-7" => (287 * self.a1c(day) - 4670) / 100 - 12 + self.rng.range(-5, 6),
                "3094-0" | "2160-0" if self.history.problem(Key::Kidney, day).is_some() => {
                    usual * self.rng.range(170, 205) / 100
                }
                "718-7" => usual - self.anemia(day),
                "4544-3" => self.rng.around(usual, 4) - self.anemia(day) * 3,
                "3016-3" => self.thyrotropin(usual, day),
                "2571-8" => {
                    usual
                        * if self.history.problem(Key::Obesity, day).is_some() { 135 } else { 100 }
                        / 100
                }
                "2085-9" if self.history.problem(Key::Obesity, day).is_some() => usual * 78 / 100,
                "6690-2" if self.infected => usual * 150 / 100,
                "13457-7" => self.low_density(day),
                _ => usual,
            };
            all.push(value.max(1));
        }
        match panel.code.code {
            // Total cholesterol is the sum of its parts (Friedewald).
            "24331-1" => {
                let total = on(&all, 3) + on(&all, 2) + on(&all, 1) / 5;
                set(&mut all, 0, total);
            }
            // The red-cell indices follow from hemoglobin, hematocrit and cell volume.
            "58410-2" => {
                let (hemoglobin, volume) = (on(&all, 2), on(&all, 4));
                let hematocrit = hemoglobin * 298 / 100 + self.rng.range(-4, 4);
                let cells = hematocrit * 1000 / volume;
                set(&mut all, 3, hematocrit);
                set(&mut all, 1, cells);
                set(&mut all, 5, hemoglobin * 1000 / cells);
                set(&mut all, 6, hemoglobin * 1000 / hematocrit);
            }
            _ => {}
        }
        all
    }

    // Around the person's own set point, which lies well within the range.
    fn usual(&mut self, analyte: &Analyte) -> i64 {
        let (low, high) = if self.person.female { analyte.women } else { analyte.range };
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, analyte.code.code);
        let width = high - low;
        let point = own.around((low + high) / 2, width * 190 / 1000);
        self.rng.around(point, width * 120 / 1000)
    }

    // Tenths of a percent.
    fn a1c(&self, day: Day) -> i64 {
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, "a1c");
        let (rest, hard) = (own.range(0, 8), own.range(0, 32));
        if let Some(problem) = self.history.problem(Key::Diabetes, day) {
            // High when found, better with treatment, slowly worse again.
            let months = (day - problem.onset) / 30;
            return 76 + hard - (months * 2).min(10 + hard / 3) + (months - 24).max(0) / 9;
        }
        if self.history.problem(Key::Prediabetes, day).is_some() {
            return 57 + rest * 7 / 8;
        }
        48 + rest
    }

    fn anemia(&self, day: Day) -> i64 {
        self.history
            .problem(Key::Anemia, day)
            .map_or(0, |p| 34 - ((day - p.onset) / 12).clamp(0, 22))
    }

    fn thyrotropin(&mut self, usual: i64, day: Day) -> i64 {
        match self.history.problem(Key::Thyroid, day) {
            Some(p) if day - p.onset < 120 => self.rng.range(620, 1480),
            Some(_) => usual + self.rng.range(-60, 160),
            None => usual,
        }
    }

    fn low_density(&mut self, day: Day) -> i64 {
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, "ldl");
        let rest = own.around(106, 17);
        match self.history.problem(Key::Lipids, day) {
            Some(p) if day - p.onset < 90 => rest + 62,
            Some(_) => rest + self.rng.range(-22, 6),
            None => rest + self.rng.range(-8, 8),
        }
    }
}

const fn interpret(value: i64, low: i64, high: i64) -> &'static Code {
    if value < low {
        &LOW
    } else if value > high {
        &HIGH
    } else {
        &NORMAL
    }
}

fn write_finding(w: &mut Json, finding: &Finding, yes: bool) {
    w.concept("valueCodeableConcept", if yes { &finding.yes } else { &finding.no });
    w.concept_one("interpretation", if yes { &POSITIVE } else { &NEGATIVE });
}

fn set(all: &mut [i64], n: usize, value: i64) {
    if let Some(slot) = all.get_mut(n) {
        *slot = value;
    }
}
