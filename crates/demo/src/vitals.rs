//! Vital signs: measured at visits by the nurse, on growth curves for children, drifting with age
//! and disease for adults (<https://hl7.org/fhir/R4/observation-vitalsigns.html>). Whole numbers
//! throughout: millimetres, tens of grams, tenths.

use crate::calendar::{At, Day, months};
use crate::catalog::Key;
use crate::chart::{Chart, Tally};
use crate::code::{Code, SOCIAL, SURVEY, VITAL_SIGNS, loinc, snomed};
use crate::history::{Kind, Visit};
use crate::json::{Unit, unit};
use crate::random::Rng;

const PRESSURE: Code = loinc("85354-9", "Blood pressure panel with all children optional");
const SYSTOLIC: Code = loinc("8480-6", "Systolic blood pressure");
const DIASTOLIC: Code = loinc("8462-4", "Diastolic blood pressure");
const HEART_RATE: Code = loinc("8867-4", "Heart rate");
const RESPIRATION: Code = loinc("9279-1", "Respiratory rate");
const TEMPERATURE: Code = loinc("8310-5", "Body temperature");
const SATURATION: Code = loinc("2708-6", "Oxygen saturation in Arterial blood");
const PULSE_OXIMETRY: Code =
    loinc("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry");
const WEIGHT: Code = loinc("29463-7", "Body weight");
const HEIGHT: Code = loinc("8302-2", "Body height");
const BODY_MASS: Code = loinc("39156-5", "Body mass index (BMI) [Ratio]");
const SMOKING: Code = loinc("72166-2", "Tobacco smoking status");
const PHQ9: Code =
    loinc("44261-6", "Patient Health Questionnaire 9 item (PHQ-9) total score [Reported]");

const MM_HG: Unit = unit("mmHg", "mm[Hg]");
const PER_MINUTE: Unit = unit("/min", "/min");
const CELSIUS: Unit = unit("Cel", "Cel");
const PERCENT: Unit = unit("%", "%");
const KILOGRAM: Unit = unit("kg", "kg");
const CENTIMETRE: Unit = unit("cm", "cm");
const BMI_UNIT: Unit = unit("kg/m2", "kg/m2");

/// Never, former and current smokers.
const TOBACCO: [Code; 3] = [
    snomed("266919005", "Never smoker"),
    snomed("8517006", "Former smoker"),
    snomed("449868002", "Current every day smoker"),
];

/// (age in months, median height in mm of boys, of girls): after the WHO and CDC growth charts.
const HEIGHTS: [(i64, i64, i64); 21] = [
    (0, 499, 491),
    (3, 614, 598),
    (6, 676, 657),
    (9, 720, 701),
    (12, 757, 740),
    (18, 823, 807),
    (24, 871, 857),
    (36, 961, 951),
    (48, 1033, 1027),
    (60, 1100, 1094),
    (72, 1160, 1151),
    (84, 1220, 1208),
    (96, 1280, 1266),
    (108, 1335, 1322),
    (120, 1385, 1383),
    (132, 1435, 1440),
    (144, 1490, 1510),
    (156, 1560, 1572),
    (168, 1638, 1605),
    (192, 1735, 1619),
    (216, 1763, 1631),
];

/// (age in months, median body mass index in tenths of kg/m2).
const BODY_MASSES: [(i64, i64); 11] = [
    (0, 134),
    (3, 168),
    (6, 172),
    (12, 167),
    (24, 162),
    (48, 154),
    (72, 154),
    (120, 167),
    (168, 192),
    (216, 217),
    (300, 242),
];

/// What one body measures on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Body {
    /// Millimetres.
    pub(crate) height: i64,
    /// Hundreds of grams.
    pub(crate) weight: i64,
    /// Tenths of kg/m2, from the two above.
    pub(crate) bmi: i64,
}

impl Chart<'_, '_, '_> {
    /// Height, weight and body mass index on a day.
    pub(crate) fn body(&self, day: Day) -> Body {
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, "body");
        let (tall, heavy) = (own.bell(), own.bell());
        let age = months(self.person.birth, day).max(0);
        let height = height_median(age, self.person.female) * (1000 + tall * 38 / 1000) / 1000;
        let mut bmi = bmi_median(age) * (1000 + heavy * 85 / 1000) / 1000;
        // Grown people gain a little until sixty; the obese are so by definition.
        bmi += (age.min(720) - 300).max(0) / 14;
        if let Some(problem) = self.history.problem(Key::Obesity, day) {
            let share = ((day - problem.onset) / 40).min(20);
            let floor = if age >= 228 { 306 } else { bmi_median(age) * 135 / 100 };
            bmi = bmi.max(floor + heavy.abs() / 40 + share);
        } else if age >= 228 {
            bmi = bmi.clamp(175, 296);
        }
        // Salt, season and scales: a percent either way.
        let wobble = Rng::of(self.clinic.options.seed, day.unsigned_abs(), &self.id).range(-9, 9);
        let weight = bmi * height / 1000 * height * (1000 + wobble) / 1_000_000;
        Body { height, weight, bmi: body_mass(weight, height) }
    }

    /// Writes the vital signs of a visit.
    pub(crate) fn write_vitals(&mut self, visit: &Visit, tally: &mut Tally) {
        let day = visit.start.day();
        let age = self.person.age(day);
        if visit.kind.in_person() {
            self.write_signs(visit, age, tally);
        }
        if visit.kind.is_checkup() && age >= 12 {
            self.write_smoking(visit, age);
        }
        let mood = self.history.problem(Key::Mood, day).is_some();
        if age >= 12 && (mood || (visit.kind == Kind::Checkup && self.rng.chance(300))) {
            let score = if mood { self.rng.range(4, 19) } else { self.rng.range(0, 6) };
            let id = self.new_id("Observation");
            self.observe(visit, &id, &SURVEY, &[PHQ9], |w| w.int("valueInteger", score));
        }
    }

    fn write_signs(&mut self, visit: &Visit, age: i64, tally: &mut Tally) {
        let day = visit.start.day();
        let all =
            visit.kind.is_checkup() || matches!(visit.kind, Kind::Emergency | Kind::Inpatient);
        let acute = visit.acute.is_some();
        let fever = visit.acute.is_some_and(|a| a.fever) && self.rng.chance(600);
        let lungs = self.history.problem(Key::Lung, day).is_some() && age >= 45;
        if age >= 3 {
            let (systolic, diastolic) = self.pressure(day, age);
            self.write_pressure(visit, systolic, diastolic);
            tally.findings.push_str(&format!("BP {systolic}/{diastolic} mmHg.\n"));
        }
        let pulse = match age {
            0 => 132,
            1..=4 => 108,
            5..=11 => 88,
            _ => 74,
        } + if fever { 14 } else { 0 };
        let pulse = self.rng.around(pulse, 8);
        self.write_sign(visit, &[HEART_RATE], (pulse, 0), PER_MINUTE);
        if all || acute {
            let warm = if fever { self.rng.range(381, 394) } else { self.rng.range(363, 372) };
            self.write_sign(visit, &[TEMPERATURE], (warm, 1), CELSIUS);
            tally.findings.push_str(&format!("Temperature {}.{} C.\n", warm / 10, warm % 10));
        }
        if all {
            let breaths = match age {
                0 => 36,
                1..=4 => 26,
                5..=11 => 20,
                _ => 15,
            };
            let breaths = self.rng.range(breaths - 3, breaths + 3);
            self.write_sign(visit, &[RESPIRATION], (breaths, 0), PER_MINUTE);
        }
        if all || (acute && self.rng.chance(400)) || lungs {
            let saturation = if lungs { self.rng.range(90, 95) } else { self.rng.range(96, 100) };
            self.write_sign(visit, &[SATURATION, PULSE_OXIMETRY], (saturation, 0), PERCENT);
        }
        let body = self.body(day);
        let child = age < 18;
        if all || child || self.rng.chance(700) {
            self.write_sign(visit, &[WEIGHT], (body.weight, 1), KILOGRAM);
            tally.findings.push_str(&format!(
                "Weight {}.{} kg.\n",
                body.weight / 10,
                body.weight % 10
            ));
        }
        if visit.kind.is_checkup() {
            self.write_sign(visit, &[HEIGHT], (body.height, 1), CENTIMETRE);
            self.write_sign(visit, &[BODY_MASS], (body.bmi, 1), BMI_UNIT);
        }
    }

    fn pressure(&mut self, day: Day, age: i64) -> (i64, i64) {
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, "pressure");
        let rest = own.bell();
        let (mut systolic, mut diastolic) = if age < 18 {
            (88 + age * 3 / 2, 54 + age)
        } else {
            (112 + (age - 18) / 5, 71 + (age.min(55) - 18) / 6)
        };
        if let Some(problem) = self.history.problem(Key::Hypertension, day) {
            // Treatment brings it down over a year and a half, not all the way.
            let treated = ((day - problem.onset) * 16 / 540).clamp(0, 16);
            systolic += 30 - treated;
            diastolic += 14 - treated / 2;
        }
        systolic += rest * 6 / 1000 + self.rng.range(-6, 6);
        diastolic += rest * 4 / 1000 + self.rng.range(-5, 5);
        (systolic, diastolic.min(systolic - 22))
    }

    fn write_pressure(&mut self, visit: &Visit, systolic: i64, diastolic: i64) {
        let id = self.new_id("Observation");
        let monitor = self.place(visit).monitor;
        self.observe(visit, &id, &VITAL_SIGNS, &[PRESSURE], |w| {
            w.refer("device", "Device", &monitor);
            w.arr("component", |w| {
                for (code, value) in [(&SYSTOLIC, systolic), (&DIASTOLIC, diastolic)] {
                    w.item(|w| {
                        w.concept("code", code);
                        w.quantity("valueQuantity", value, 0, MM_HG);
                    });
                }
            });
        });
    }

    fn write_sign(
        &mut self,
        visit: &Visit,
        codes: &[Code],
        (value, scale): (i64, u32),
        unit: Unit,
    ) {
        let id = self.new_id("Observation");
        self.observe(visit, &id, &VITAL_SIGNS, codes, |w| {
            w.quantity("valueQuantity", value, scale, unit);
        });
    }

    fn write_smoking(&mut self, visit: &Visit, age: i64) {
        let mut own = Rng::of(self.clinic.options.seed, self.person.i, "tobacco");
        let status = if age < 18 { 0 } else { own.weighted(&[660, 220, 120]) };
        let Some(status) = TOBACCO.get(status) else { return };
        let id = self.new_id("Observation");
        self.observe(visit, &id, &SOCIAL, &[SMOKING], |w| {
            w.concept("valueCodeableConcept", status)
        });
    }

    /// Writes an Observation made at a visit; `value` writes what was found.
    pub(crate) fn observe(
        &mut self,
        visit: &Visit,
        id: &str,
        category: &Code,
        codes: &[Code],
        value: impl FnOnce(&mut crate::json::Json),
    ) {
        let at: At = visit.start.plus(4);
        let (patient, nurse) = (&self.id, &self.nurse);
        let text = codes.first().map_or("", |c| c.display);
        self.press.emit("Observation", id, |w| {
            w.text("status", "final");
            w.category("category", category);
            w.concept_of("code", codes, text);
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", &visit.id);
            w.at("effectiveDateTime", at);
            w.at("issued", at);
            w.refer_one("performer", "Practitioner", &nurse.id);
            value(w);
        });
    }
}

/// Tenths of kg/m2 from hundreds of grams and millimetres.
const fn body_mass(weight: i64, height: i64) -> i64 {
    (weight * 1_000_000 + height * height / 2) / (height * height)
}

fn height_median(age: i64, female: bool) -> i64 {
    between(age, HEIGHTS.iter().map(|h| (h.0, if female { h.2 } else { h.1 })))
}

fn bmi_median(age: i64) -> i64 {
    between(age, BODY_MASSES.iter().copied())
}

fn between(at: i64, points: impl Iterator<Item = (i64, i64)>) -> i64 {
    let mut last: Option<(i64, i64)> = None;
    for (x, y) in points {
        if at <= x {
            return last.map_or(y, |(x0, y0)| y0 + (y - y0) * (at - x0) / (x - x0).max(1));
        }
        last = Some((x, y));
    }
    last.map_or(0, |(_, y)| y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_grow_and_stop() {
        let boys: Vec<i64> = (0..=240).map(|m| height_median(m, false)).collect();
        assert!(boys.windows(2).all(|w| w[0] <= w[1]));
        assert_eq!(boys[240], 1763);
        assert_eq!(height_median(30, true), 904);
    }

    #[test]
    fn body_mass_is_weight_over_height_squared() {
        assert_eq!(body_mass(800, 1800), 247);
        assert_eq!(body_mass(35, 500), 140);
    }
}
