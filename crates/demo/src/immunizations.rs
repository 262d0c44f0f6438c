//! Immunizations by age, after the CDC's schedule in outline, with CVX codes
//! (<https://hl7.org/fhir/R4/immunization.html>): given at the first fitting visit once due, or, if
//! due before the chart begins, recorded as told by the family.

use crate::calendar::{At, Day, add_months, month};
use crate::chart::{Charge, Chart, Tally};
use crate::code::{Code, charge, cvx, hl7, snomed};
use crate::history::Visit;
use crate::json::unit;
use crate::random::Rng;

/// A vaccine and the ages, in months, at which its doses fall due.
#[derive(Debug)]
pub(crate) struct Vaccine {
    code: Code,
    due: &'static [i64],
    /// Days after which a dose that was due is not given any more.
    within: i64,
    cents: i64,
}

const fn vaccine(code: Code, due: &'static [i64], cents: i64) -> Vaccine {
    Vaccine { code, due, within: 500, cents }
}

static SCHEDULE: [Vaccine; 14] = [
    vaccine(cvx("08", "Hep B, adolescent or pediatric"), &[0, 1, 6], 3100),
    // Rotavirus vaccine is not begun or gone on with in older infants.
    Vaccine { within: 60, ..vaccine(cvx("116", "rotavirus, pentavalent"), &[2, 4, 6], 9800) },
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

/// A dose that was given or refused, on a day of the past.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Planned {
    vaccine: &'static Vaccine,
    number: i64,
    day: Day,
    /// From before the chart.
    told: bool,
}

/// A dose and where it comes from.
struct Dose<'a> {
    vaccine: Code,
    number: i64,
    at: At,
    visit: Option<&'a Visit>,
    refused: bool,
}

impl Chart<'_, '_, '_> {
    /// Plans all doses: each at the first checkup after it falls due, four weeks or more after the
    /// one before. What fell due long before a grown person's chart is not known.
    pub(crate) fn plan_doses(&self) -> Vec<Planned> {
        let visits = self.history.visits.iter();
        let checkups: Vec<Day> =
            visits.filter(|v| v.kind.is_checkup() && !v.open).map(|v| v.start.day()).collect();
        let Some(first) = checkups.first() else { return Vec::new() };
        let before = (first - 90).max(self.person.birth);
        let told = self.person.age(*first) < 13 && !self.refuses();
        let mut all = Vec::new();
        for vaccine in &SCHEDULE {
            let mut last = self.person.birth - 28;
            for (number, months) in (1..).zip(vaccine.due) {
                let due = add_months(self.person.birth, *months) + 4;
                if due <= before {
                    if told {
                        all.push(Planned { vaccine, number, day: due, told: true });
                        last = due;
                    }
                    continue;
                }
                let given = checkups.iter().find(|day| **day >= due.max(last + 28));
                let Some(day) = given.filter(|day| **day - due < vaccine.within) else { break };
                all.push(Planned { vaccine, number, day: *day, told: false });
                last = *day;
            }
        }
        all
    }

    /// Gives what is due at a visit.
    pub(crate) fn write_immunizations(&mut self, visit: &Visit, tally: &mut Tally) {
        let day = visit.start.day();
        if !visit.kind.is_checkup() || visit.open {
            return;
        }
        let refused = self.refuses();
        let (at, visit) = (visit.start.plus(16), Some(visit));
        let mut given = 0;
        let doses: Vec<Planned> =
            self.doses.iter().filter(|d| d.day == day && !d.told).copied().collect();
        for Planned { vaccine, number, .. } in doses {
            self.write_dose(&Dose { vaccine: vaccine.code, number, at, visit, refused });
            if !refused {
                given += 1;
                tally.charge(charge("VACCINE", vaccine.code.display), vaccine.cents);
            }
        }
        let season = matches!(month(day), 9..=12 | 1) && self.person.age(day) >= 1;
        if season && !refused && self.rng.chance(450) {
            self.write_dose(&Dose { vaccine: INFLUENZA, number: 1, at, visit, refused });
            tally.charge(charge("VACCINE", INFLUENZA.display), 2400);
            given += 1;
        }
        if given > 0 {
            tally.charges.push(Charge { code: ADMINISTRATION, cents: 2600, count: given });
            tally.plan.push_str("Vaccines given as scheduled.\n");
            let id = self.new_id("Procedure");
            tally.procedures.push((id, GIVEN));
        }
    }

    /// Records a child's doses from before the chart.
    pub(crate) fn write_immunization_record(&mut self) {
        for dose in std::mem::take(&mut self.doses).into_iter().filter(|d| d.told) {
            let Planned { vaccine, number, day, .. } = dose;
            let at = At::new(day, 600);
            self.write_dose(&Dose {
                vaccine: vaccine.code,
                number,
                at,
                visit: None,
                refused: false,
            });
        }
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
