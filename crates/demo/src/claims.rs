//! Claims and what the payer made of them (<https://hl7.org/fhir/R4/claim.html>,
//! <https://hl7.org/fhir/R4/explanationofbenefit.html>). Money is whole cents; for every line
//! submitted = allowed + written off, and allowed = copay + deductible + benefit.

use base::time::civil_from_days;

use crate::calendar::At;
use crate::chart::{Charge, Chart, Tally};
use crate::code::{Code, hl7, icd10, systems};
use crate::history::{Kind, Visit};
use crate::json::{Json, unit};
use crate::sites::Payer;
use crate::staff::Staff;

const PROFESSIONAL: Code = hl7!("claim-type", "professional", "Professional");
const INSTITUTIONAL: Code = hl7!("claim-type", "institutional", "Institutional");
const NORMAL: Code = hl7!("processpriority", "normal", "Normal");
const WELL: Code =
    icd10("Z00.129", "Encounter for routine child health examination without abnormal findings");
const ADULT: Code =
    icd10("Z00.00", "Encounter for general adult medical examination without abnormal findings");
const OTHER: Code =
    icd10("Z76.89", "Persons encountering health services in other specified circumstances");
const COMPLETE: Code = hl7!("ex-paymenttype", "complete", "Complete");

const SUBMITTED: Code = hl7!("adjudication", "submitted", "Submitted Amount");
const COPAY: Code = hl7!("adjudication", "copay", "CoPay");
const ELIGIBLE: Code = hl7!("adjudication", "eligible", "Eligible Amount");
const DEDUCTIBLE: Code = hl7!("adjudication", "deductible", "Deductible");
const BENEFIT: Code = hl7!("adjudication", "benefit", "Benefit Amount");

/// What became of one line, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) submitted: i64,
    pub(crate) eligible: i64,
    pub(crate) copay: i64,
    pub(crate) deductible: i64,
    pub(crate) benefit: i64,
}

impl Settled {
    fn add(&mut self, line: &Self) {
        self.submitted += line.submitted;
        self.eligible += line.eligible;
        self.copay += line.copay;
        self.deductible += line.deductible;
        self.benefit += line.benefit;
    }

    const fn parts(&self) -> [(&'static Code, i64); 5] {
        [
            (&SUBMITTED, self.submitted),
            (&ELIGIBLE, self.eligible),
            (&COPAY, self.copay),
            (&DEDUCTIBLE, self.deductible),
            (&BENEFIT, self.benefit),
        ]
    }
}

/// What a claim and its explanation say alike.
struct Bill<'a> {
    kind: &'static Code,
    patient: &'a str,
    payer: &'a str,
    organization: &'a str,
    location: &'a str,
    coverage: &'a str,
    clinician: &'a Staff,
    visit: &'a Visit,
    tally: &'a Tally,
    created: At,
}

impl Chart<'_, '_, '_> {
    /// Writes the claim for a visit and, once a week has passed, its explanation of benefit. Care
    /// from before the coverage began was billed under one the chart does not hold.
    pub(crate) fn write_claim(&mut self, visit: &Visit, tally: &Tally) {
        let Some(payer) = self.cover.payer else { return };
        let sent = At::new(visit.end().day() + self.rng.range(1, 3), 17 * 60);
        let answered = At::new(sent.day() + self.rng.range(5, 12), 4 * 60);
        if visit.start.day() < self.cover.from || sent > self.clinic.now {
            return;
        }
        let (claim, number) = (self.new_id("Claim"), self.number('C'));
        let explanation = self.new_id("ExplanationOfBenefit");
        let denied = self.rng.chance(25);
        let lines = self.settle(visit, tally, payer, denied);
        let place = self.place(visit);
        let clinician = self.clinician(visit);
        let payer_id = self.clinic.payer_id(payer);
        let institutional = matches!(visit.kind, Kind::Emergency | Kind::Inpatient);
        let bill = Bill {
            kind: if institutional { &INSTITUTIONAL } else { &PROFESSIONAL },
            patient: &self.id,
            payer: &payer_id,
            organization: &place.organization,
            location: &place.location,
            coverage: &self.cover.id,
            clinician: &clinician,
            visit,
            tally,
            created: sent,
        };
        self.press.emit("Claim", &claim, |w| {
            w.identifier(systems::CLAIM, &number);
            write_head(w, &bill);
            w.status("priority", &NORMAL);
            w.one("careTeam", |w| write_care_team(w, &bill));
            write_diagnoses(w, &bill);
            write_insurance(w, &bill, true);
            w.arr("item", |w| {
                for (n, charge) in (1..).zip(&tally.charges) {
                    w.item(|w| write_line(w, n, charge, &bill));
                }
            });
            w.money("total", lines.iter().map(|l| l.submitted).sum());
        });
        if answered > self.clinic.now {
            return;
        }
        let mut total = Settled::default();
        lines.iter().for_each(|line| total.add(line));
        let bill = Bill { created: answered, ..bill };
        self.press.emit("ExplanationOfBenefit", &explanation, |w| {
            w.identifier(systems::CLAIM, &number);
            write_head(w, &bill);
            w.refer("claim", "Claim", &claim);
            w.text("outcome", "complete");
            w.text(
                "disposition",
                if denied { "Denied: not a covered benefit." } else { "Settled as agreed." },
            );
            w.one("careTeam", |w| write_care_team(w, &bill));
            write_diagnoses(w, &bill);
            write_insurance(w, &bill, false);
            w.arr("item", |w| {
                for ((n, charge), line) in (1..).zip(&tally.charges).zip(&lines) {
                    w.item(|w| {
                        write_line(w, n, charge, &bill);
                        write_amounts(w, "adjudication", line);
                    });
                }
            });
            write_amounts(w, "total", &total);
            if total.benefit > 0 {
                w.obj("payment", |w| {
                    w.status("type", &COMPLETE);
                    w.date("date", answered.day());
                    w.money("amount", total.benefit);
                });
            }
        });
    }

    // Preventive care costs the patient nothing; other care first the copay, then the deductible of
    // the year until it is used up.
    fn settle(
        &mut self,
        visit: &Visit,
        tally: &Tally,
        payer: &Payer,
        denied: bool,
    ) -> Vec<Settled> {
        let (year, _, _) = civil_from_days(visit.start.day());
        if self.deductible.0 != year {
            self.deductible = (year, 0);
        }
        let preventive = visit.kind.is_checkup();
        let mut copay_left = if preventive { 0 } else { payer.copay_cents };
        let mut lines = Vec::with_capacity(tally.charges.len());
        for charge in &tally.charges {
            let submitted = charge.cents * charge.count;
            let eligible = if denied { 0 } else { submitted * payer.allowed / 100 };
            let copay = copay_left.min(eligible);
            copay_left -= copay;
            let open = if preventive { 0 } else { payer.deductible_cents - self.deductible.1 };
            let deductible = open.clamp(0, eligible - copay);
            self.deductible.1 += deductible;
            let benefit = eligible - copay - deductible;
            lines.push(Settled { submitted, eligible, copay, deductible, benefit });
        }
        lines
    }
}

fn write_head(w: &mut Json, bill: &Bill<'_>) {
    w.text("status", "active");
    w.status("type", bill.kind);
    w.text("use", "claim");
    w.refer("patient", "Patient", bill.patient);
    w.period("billablePeriod", bill.visit.start, Some(bill.visit.end()));
    w.at("created", bill.created);
    w.refer("insurer", "Organization", bill.payer);
    w.refer("provider", "Organization", bill.organization);
    w.refer("facility", "Location", bill.location);
}

fn write_care_team(w: &mut Json, bill: &Bill<'_>) {
    w.int("sequence", 1);
    w.refer("provider", "Practitioner", &bill.clinician.id);
    w.flag("responsible", true);
}

fn write_diagnoses(w: &mut Json, bill: &Bill<'_>) {
    w.arr("diagnosis", |w| {
        for (n, (id, _, _)) in (1..).zip(&bill.tally.diagnoses) {
            w.item(|w| {
                w.int("sequence", n);
                w.refer("diagnosisReference", "Condition", id);
            });
        }
        if bill.tally.diagnoses.is_empty() {
            w.item(|w| {
                w.int("sequence", 1);
                w.status(
                    "diagnosisCodeableConcept",
                    match bill.visit.kind {
                        Kind::WellChild => &WELL,
                        Kind::Checkup => &ADULT,
                        _ => &OTHER,
                    },
                );
            });
        }
    });
}

fn write_insurance(w: &mut Json, bill: &Bill<'_>, numbered: bool) {
    w.one("insurance", |w| {
        if numbered {
            w.int("sequence", 1);
        }
        w.flag("focal", true);
        w.refer("coverage", "Coverage", bill.coverage);
    });
}

fn write_line(w: &mut Json, n: i64, charge: &Charge, bill: &Bill<'_>) {
    w.int("sequence", n);
    w.arr("careTeamSequence", |w| w.int_item(1));
    w.arr("diagnosisSequence", |w| w.int_item(1));
    w.concept("productOrService", &charge.code);
    w.date("servicedDate", bill.visit.start.day());
    w.quantity("quantity", charge.count, 0, unit("1", "1"));
    w.money("unitPrice", charge.cents);
    w.money("net", charge.cents * charge.count);
    if n == 1 {
        w.refer_one("encounter", "Encounter", &bill.visit.id);
    }
}

fn write_amounts(w: &mut Json, key: &str, line: &Settled) {
    w.arr(key, |w| {
        // Nothing is said of a copay or deductible that was not due.
        let due =
            |(code, cents): &(&Code, i64)| *cents > 0 || *code != &COPAY && *code != &DEDUCTIBLE;
        for (category, cents) in line.parts().into_iter().filter(due) {
            w.item(|w| {
                w.status("category", category);
                w.money("amount", cents);
            });
        }
    });
}
