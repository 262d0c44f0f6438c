//! Immunizations by age, after the CDC's schedule in outline, with CVX codes
//! (<https://hl7.org/fhir/R4/immunization.html>): given at the first fitting visit once due, or, if
//! due before the chart begins, recorded as told by the family.

use crate::calendar::{At, Day, add_months, month};
use crate::chart::{Chart, Tally};
use crate::code::{Code, charge, cvx, hl7, snomed};
use crate::history::Visit;
use crate::json::unit;
use crate::random::Rng;

/// A vaccine and the ages, in months, at which its doses fall due.
struct Vaccine {
    code: Code,
    due: &'static [i64],
    cents: i64,
}

const fn vaccine(code: Code, due: &'static [i64], cents: i64) -> Vaccine {
    Vaccine { code, due, cents }
}

static SCHEDULE: [Vaccine; 14] = [
    vaccine(cvx("08", "Hep B, adolescent or pediatric"), &[0, 1, 6], 3100),
    vaccine(cvx("116", "rotavirus, pentavalent"), &[2, 4, 6], 9800),
    vaccine(cvx("20", "DTaP"), &[2, 4, 6, 15, 48], 3600),
    vaccine(cvx("49", "Hib (PRP-OMP)"), &[2, 4, 12], 3300),
    vaccine(cvx("133", "Pneumococcal conjugate PCV 13"), &[2, 4, 6, 12], 21_200),
    vaccine(cvx("10", "IPV"), &[2, 4, 6, 48], 4100),
    vaccine(cvx("03", "MMR"), &[12, 48], 8900),
    vaccine(cvx("21", "varicella"), &[12, 48], 15_100),
    vaccine(cvx("83", "Hep A, ped/adol, 2 dose"), &[12, 18], 3900),
    vaccine(cvx("115", "Tdap"), &[132, 252, 372, 492, 612, 732, 852, 972], 5200),
    vaccine(cvx("165", "HPV9"), &[132, 138], 27_900),
    vaccine(cvx("114", "meningococcal MCV4P"), &[132, 192], 14_600),
    vaccine(cvx("187", "zoster recombinant"), &[600, 604], 18_300),
    vaccine(cvx("216", "Pneumococcal conjugate vaccine 20-valent"), &[780], 27_300),
];

const INFLUENZA: Code = cvx("150", "influenza, injectable, quadrivalent, preservative free");
const ADMINISTRATION: Code = charge("VACC-ADMIN", "Vaccine administration");
const LEFT_ARM: Code = hl7!("v3-ActSite", "LA", "left arm");
const RIGHT_ARM: Code = hl7!("v3-ActSite", "RA", "right arm");
const MUSCLE: Code = hl7!("v3-RouteOfAdministration", "IM", "Injection, intramuscular");
const TOLD: Code = hl7!("immunization-origin", "recall", "Parent/Guardian/Patient Recall");
const DECLINED: Code = hl7!("v3-ActReason", "PATOBJ", "patient objection");
const GIVEN: Code = snomed("127785005", "Administration of vaccine to produce active immunity");

/// A dose and where it comes from.
struct Dose<'a> {
    vaccine: Code,
    number: i64,
    at: At,
    visit: Option<&'a Visit>,
    refused: bool,
}

impl Chart<'_, '_, '_> {
    /// Gives what is due at a visit.
    pub(crate) fn write_immunizations(&mut self, visit: &Visit, tally: &mut Tally) {
        let day = visit.start.day();
        if !visit.kind.is_checkup() || visit.open {
            return;
        }
        let before = self.last_checkup(day);
        let refuses = self.refuses();
        let mut given = 0;
        for vaccine in &SCHEDULE {
            for (number, due) in (1..).zip(vaccine.due) {
                let due = add_months(self.person.birth, *due) + 4;
                // Due since the last checkup: at this one. What was due before any is history.
                if due <= day && due > before && given < 5 {
                    let dose = Dose {
                        vaccine: vaccine.code,
                        number,
                        at: visit.start.plus(16),
                        visit: Some(visit),
                        refused: refuses,
                    };
                    self.write_dose(&dose);
                    if !refuses {
                        given += 1;
                        tally.charge(charge("VACCINE", vaccine.code.display), vaccine.cents);
                    }
                }
            }
        }
        if matches!(month(day), 9..=12 | 1)
            && self.person.age(day) >= 1
            && self.rng.chance(450)
            && !refuses
        {
            self.write_dose(&Dose {
                vaccine: INFLUENZA,
                number: 1,
                at: visit.start.plus(17),
                visit: Some(visit),
                refused: false,
            });
            tally.charge(charge("VACCINE", INFLUENZA.display), 2400);
            given += 1;
        }
        if given > 0 {
            tally.charges.push(crate::chart::Charge {
                code: ADMINISTRATION,
                cents: 2600,
                count: given,
            });
            tally.plan.push_str("Vaccines given as scheduled.\n");
            let id = self.new_id("Procedure");
            tally.procedures.push((id, GIVEN));
        }
    }

    /// Records a child's doses from before the chart.
    pub(crate) fn write_immunization_record(&mut self) {
        let Some(first) = self.history.visits.iter().find(|v| v.kind.is_checkup() && !v.open)
        else {
            return;
        };
        let start = first.start.day();
        if self.person.age(start) >= 13 || self.refuses() {
            return;
        }
        for vaccine in &SCHEDULE {
            for (number, due) in (1..).zip(vaccine.due) {
                let due = add_months(self.person.birth, *due) + 4;
                if due <= self.before_chart(start) {
                    let at = At::new(due, 600);
                    self.write_dose(&Dose {
                        vaccine: vaccine.code,
                        number,
                        at,
                        visit: None,
                        refused: false,
                    });
                }
            }
        }
    }

    // Doses due in the ninety days before the first checkup are given there.
    fn before_chart(&self, first: Day) -> Day {
        (first - 90).max(self.person.birth)
    }

    fn last_checkup(&self, day: Day) -> Day {
        let earlier = self.checkup_days.iter().filter(|d| **d < day).max().copied();
        earlier.unwrap_or_else(|| self.before_chart(day))
    }

    fn refuses(&self) -> bool {
        Rng::of(self.clinic.options.seed, self.person.home.first, "vaccines").chance(25)
    }

    fn write_dose(&mut self, dose: &Dose<'_>) {
        let id = self.new_id("Immunization");
        let lot = format!("LK{:05}", self.rng.range(10_000, 99_999));
        let left = self.rng.chance(500);
        let expires = dose.at.day() + self.rng.range(60, 500);
        let (patient, nurse) = (&self.id, &self.nurse);
        let location = &self.site.location;
        self.press.emit("Immunization", &id, |w| {
            w.text("status", if dose.refused { "not-done" } else { "completed" });
            if dose.refused {
                w.concept("statusReason", &DECLINED);
            }
            w.concept("vaccineCode", &dose.vaccine);
            w.refer("patient", "Patient", patient);
            if let Some(visit) = dose.visit {
                w.refer("encounter", "Encounter", &visit.id);
                w.at("occurrenceDateTime", dose.at);
                w.flag("primarySource", true);
                w.refer("location", "Location", location);
            } else {
                w.date("occurrenceDateTime", dose.at.day());
                w.flag("primarySource", false);
                w.concept("reportOrigin", &TOLD);
            }
            if dose.visit.is_some() && !dose.refused {
                w.text("lotNumber", &lot);
                w.date("expirationDate", expires);
                w.concept("site", if left { &LEFT_ARM } else { &RIGHT_ARM });
                w.concept("route", &MUSCLE);
                w.quantity("doseQuantity", 5, 1, unit("mL", "mL"));
                w.one("performer", |w| w.refer("actor", "Practitioner", &nurse.id));
            }
            if !dose.refused {
                w.one("protocolApplied", |w| w.int("doseNumberPositiveInt", dose.number));
            }
        });
    }
}
