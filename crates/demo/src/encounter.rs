//! Encounters: each visit of the history, and in its course everything that happens there
//! (<https://hl7.org/fhir/R4/encounter.html>).

use crate::chart::{Chart, Tally};
use crate::code::{AMBULATORY, Code, EMERGENCY, INPATIENT, VIRTUAL, charge, hl7, snomed, systems};
use crate::history::{Kind, Visit};
use crate::labs::Order;
use crate::panels::Panel;
use crate::press::write_label;
use crate::random::ident;

/// What a kind of visit is called and costs.
struct Sort {
    class: &'static Code,
    kind: Code,
    charge: Code,
    cents: i64,
}

static WELL_CHILD: Sort = Sort {
    class: &AMBULATORY,
    kind: snomed("410620009", "Well child visit"),
    charge: charge("WELL-CHILD", "Well child visit"),
    cents: 19_800,
};
static CHECKUP: Sort = Sort {
    class: &AMBULATORY,
    kind: snomed("185349003", "Encounter for check up"),
    charge: charge("PREV-ADULT", "Preventive visit, adult"),
    cents: 24_500,
};
static FOLLOW_UP: Sort = Sort {
    class: &AMBULATORY,
    kind: snomed("390906007", "Follow-up encounter"),
    charge: charge("OFFICE-25", "Office visit, 25 minutes"),
    cents: 17_650,
};
static SPECIALIST: Sort = Sort {
    class: &AMBULATORY,
    kind: snomed("11429006", "Consultation"),
    charge: charge("CONSULT-45", "Specialist consultation"),
    cents: 31_200,
};
static VIDEO: Sort = Sort {
    class: &VIRTUAL,
    kind: snomed("448337001", "Telemedicine consultation with patient"),
    charge: charge("VIDEO-15", "Video visit, 15 minutes"),
    cents: 11_900,
};
static COMPLAINT: Sort = Sort {
    class: &AMBULATORY,
    kind: snomed("185345009", "Encounter for symptom"),
    charge: charge("OFFICE-15", "Office visit, 15 minutes"),
    cents: 13_475,
};
static URGENT: Sort = Sort {
    class: &EMERGENCY,
    kind: snomed("50849002", "Emergency room admission"),
    charge: charge("ED-3", "Emergency department visit"),
    cents: 118_300,
};
static STAY: Sort = Sort {
    class: &INPATIENT,
    kind: snomed("32485007", "Hospital admission"),
    charge: charge("BED-DAY", "Hospital day"),
    cents: 284_000,
};

const PRIMARY_PERFORMER: Code = hl7!("v3-ParticipationType", "PPRF", "primary performer");
const HOME: Code = hl7!("discharge-disposition", "home", "Home");

impl Chart<'_, '_, '_> {
    /// Writes every visit, oldest first.
    pub(crate) fn write_encounters(&mut self) {
        let visits = std::mem::take(&mut self.history.visits);
        for (n, visit) in visits.iter().enumerate() {
            self.write_visit(n, visit);
        }
        self.history.visits = visits;
    }

    fn write_visit(&mut self, n: usize, visit: &Visit) {
        let sort = sort(visit.kind);
        let mut tally = Tally::default();
        let days = if visit.kind == Kind::Inpatient { visit.minutes / 1440 } else { 1 };
        tally.charges.push(crate::chart::Charge {
            code: sort.charge,
            cents: sort.cents,
            count: days,
        });
        self.write_problems(n, visit, &mut tally);
        self.write_encounter(visit, sort, &tally);
        self.write_vitals(visit, &mut tally);
        let orders = self.orders(n, visit);
        self.write_orders(visit, &orders, &mut tally);
        if let Some(reason) = tally.diagnoses.first().map(|d| d.0.clone()) {
            self.write_course(visit, &reason, &mut tally);
        }
        self.write_immunizations(visit, &mut tally);
        self.write_procedures(visit, &mut tally);
        if !visit.open {
            self.write_note(visit, sort.kind.display, &tally);
            self.write_claim(visit, &tally);
        }
    }

    fn write_encounter(&mut self, visit: &Visit, sort: &Sort, tally: &Tally) {
        let number = self.number('V');
        let room = match visit.kind {
            Kind::Emergency => 0,
            Kind::Inpatient => 1 + self.rng.below(2),
            _ => self.rng.below(3),
        };
        let clinician = self.clinician(visit);
        let place = self.place(visit);
        let appointment = visit.booking.map(|round| self.appointment_id(round));
        let reason = visit.acute.map(|a| a.snomed);
        let patient = &self.id;
        let who = self.person.full_name();
        self.press.emit("Encounter", &visit.id, |w| {
            write_label(w, tally.restricted);
            w.identifier(systems::VISIT, &number);
            w.text("status", if visit.open { "in-progress" } else { "finished" });
            w.coding("class", sort.class);
            w.concept_one("type", &sort.kind);
            w.refer_shown("subject", "Patient", patient, &who);
            w.one("participant", |w| {
                w.category("type", &PRIMARY_PERFORMER);
                w.refer_shown("individual", "Practitioner", &clinician.id, &clinician.name);
            });
            if let Some(id) = &appointment {
                w.refer_one("appointment", "Appointment", id);
            }
            w.period("period", visit.start, (!visit.open).then(|| visit.end()));
            if let Some(reason) = &reason {
                w.concept_one("reasonCode", reason);
            }
            if !tally.diagnoses.is_empty() {
                w.arr("diagnosis", |w| {
                    for (rank, (id, _, _)) in (1..).zip(&tally.diagnoses) {
                        w.item(|w| {
                            w.refer("condition", "Condition", id);
                            w.int("rank", rank);
                        });
                    }
                });
            }
            if visit.kind == Kind::Inpatient {
                w.obj("hospitalization", |w| w.status("dischargeDisposition", &HOME));
            }
            if visit.kind.in_person() {
                let room = usize::try_from(room).ok().and_then(|n| place.rooms.get(n));
                w.one("location", |w| {
                    w.refer("location", "Location", room.unwrap_or(&place.location));
                    w.text("status", if visit.open { "active" } else { "completed" });
                });
            }
            w.refer("serviceProvider", "Organization", &place.organization);
        });
    }

    // What is sent to the laboratory from this visit.
    fn orders(&mut self, n: usize, visit: &Visit) -> Vec<Order> {
        use crate::panels::{A1C, BLOOD_COUNT, LIPID, METABOLIC};
        let mut all: Vec<Order> = Vec::new();
        let mut add = |panel: &'static Panel, why: Option<&str>| {
            if !all.iter().any(|o| std::ptr::eq(o.panel, panel)) {
                all.push(Order { panel, reason: why.map(str::to_owned) });
            }
        };
        match visit.kind {
            Kind::Checkup => {
                if self.rng.chance(180) {
                    add(&METABOLIC, None);
                }
                if self.rng.chance(260) {
                    add(&LIPID, None);
                }
                if self.rng.chance(100) {
                    add(&BLOOD_COUNT, None);
                }
                if self.person.age(visit.start.day()) >= 45 && self.rng.chance(250) {
                    add(&A1C, None);
                }
            }
            Kind::WellChild if self.rng.chance(70) => add(&BLOOD_COUNT, None),
            Kind::Inpatient => {
                add(&METABOLIC, None);
                add(&BLOOD_COUNT, None);
            }
            _ => {}
        }
        for (at, problem) in self.history.problems.iter().enumerate() {
            let Some(panel) = problem.what.panel else { continue };
            // Wide panels are for once a year, narrow ones for most visits about the problem.
            let (often, seldom) = if panel.analytes.len() > 4 { (200, 60) } else { (650, 240) };
            let chance = match visit.kind {
                _ if problem.recorded == n && problem.onset < visit.start.day() => 600,
                Kind::FollowUp | Kind::Specialist if visit.problem == Some(at) => often,
                Kind::FollowUp | Kind::Checkup if problem.recorded < n => seldom,
                _ => 0,
            };
            if visit.kind.in_person() && self.rng.chance(chance) {
                add(panel, Some(&problem.id));
            }
        }
        if let Some(panel) = visit.acute.and_then(|a| a.panel) {
            add(panel, None);
        }
        all
    }

    /// The id of the appointment of a round.
    pub(crate) fn appointment_id(&self, round: u64) -> String {
        ident(self.clinic.options.seed, self.person.i, "Appointment", 1_000_000 + round)
    }
}

fn sort(kind: Kind) -> &'static Sort {
    match kind {
        Kind::WellChild => &WELL_CHILD,
        Kind::Checkup => &CHECKUP,
        Kind::FollowUp => &FOLLOW_UP,
        Kind::Specialist => &SPECIALIST,
        Kind::Virtual => &VIDEO,
        Kind::Acute => &COMPLAINT,
        Kind::Emergency => &URGENT,
        Kind::Inpatient => &STAY,
    }
}
