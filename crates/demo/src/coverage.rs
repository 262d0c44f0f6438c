//! Coverage: who pays for whom (<https://hl7.org/fhir/R4/coverage.html>). A family's plan is the
//! head's; seniors have their own; some pay themselves.

use crate::Clinic;
use crate::calendar::{Day, add_months};
use crate::chart::Chart;
use crate::code::{Code, hl7, systems};
use crate::people::{Person, Plan, Role};
use crate::random::{Rng, ident};
use crate::sites::{PAYERS, Payer};

/// A person's coverage, decided.
#[derive(Debug, Clone)]
pub(crate) struct Cover {
    pub(crate) id: String,
    /// None for those who pay themselves.
    pub(crate) payer: Option<&'static Payer>,
    /// The patient number of the subscriber.
    pub(crate) subscriber: u64,
    /// Policy number.
    pub(crate) policy: String,
    pub(crate) from: Day,
}

const SELF: Code = hl7!("subscriber-relationship", "self", "Self");
const CHILD: Code = hl7!("subscriber-relationship", "child", "Child");
const SPOUSE: Code = hl7!("subscriber-relationship", "spouse", "Spouse");
const PAYS: Code = hl7!("coverage-selfpay", "pay", "Pay");

impl Clinic {
    /// How a person's care is paid for.
    pub(crate) fn cover(&self, person: &Person) -> Cover {
        let day = person.last_day(self.today);
        let years = person.age(day);
        let senior = years >= 65;
        let dependent = !senior
            && match person.role {
                Role::Head | Role::Elder => false,
                Role::Partner => true,
                Role::Child => years < 26,
            };
        let head = if dependent { Some(self.person(person.home.first)) } else { None };
        // A head on the seniors' program has no family plan to share.
        let shared = head.filter(|h| h.age(day) < 65);
        let payer = match person.home.plan {
            _ if senior => PAYERS.get(4),
            Plan::Commercial(_) if dependent && shared.is_none() => PAYERS.get(3),
            Plan::Commercial(n) => usize::try_from(n).ok().and_then(|n| PAYERS.get(n)),
            Plan::Medicaid => PAYERS.get(3),
            Plan::SelfPay => None,
        };
        // Public programs and self-payers enroll each person alone.
        let on_family_plan = shared.is_some() && payer.is_some_and(|p| p.number < 3);
        let subscriber = if on_family_plan { person.home.first } else { person.i };
        let mut rng = Rng::of(self.options.seed, subscriber, "policy");
        let policy = format!("P{:03}{:07}", rng.range(100, 999), subscriber + 1_000_000);
        let from = if senior {
            add_months(person.birth, 65 * 12)
        } else {
            let reach = i64::from(self.options.years_of_history) * 365;
            (day - reach - rng.range(0, 2000)).max(person.birth)
        };
        let id = ident(self.options.seed, person.i, "Coverage", 0);
        Cover { id, payer, subscriber, policy, from }
    }
}

impl Chart<'_, '_, '_> {
    /// Writes the Coverage.
    pub(crate) fn write_coverage(&mut self) {
        let (cover, person, patient) = (&self.cover, &self.person, &self.id);
        let subscriber = self.clinic.patient_id(cover.subscriber);
        let payer = cover.payer.map(|p| (p, self.clinic.payer_id(p)));
        let relationship = match person.role {
            _ if cover.subscriber == person.i => &SELF,
            Role::Partner => &SPOUSE,
            Role::Head | Role::Child | Role::Elder => &CHILD,
        };
        self.press.emit("Coverage", &cover.id, |w| {
            if payer.is_some() {
                w.identifier(
                    systems::POLICY,
                    &format!("{}-{:02}", cover.policy, person.i - cover.subscriber + 1),
                );
            }
            w.text("status", if person.death.is_some() { "cancelled" } else { "active" });
            w.concept("type", payer.as_ref().map_or(&PAYS, |(p, _)| &p.kind));
            w.refer("policyHolder", "Patient", &subscriber);
            w.refer("subscriber", "Patient", &subscriber);
            if payer.is_some() {
                w.text("subscriberId", &cover.policy);
            }
            w.refer("beneficiary", "Patient", patient);
            w.concept("relationship", relationship);
            w.days("period", cover.from, person.death);
            match &payer {
                Some((p, id)) => {
                    w.arr("payor", |w| w.refer_item("Organization", id));
                    w.one("class", |w| {
                        w.status("type", &hl7!("coverage-class", "plan", "Plan"));
                        w.text("value", &format!("PLAN-{}", p.number + 1));
                        w.text("name", p.name);
                    });
                    w.int("order", 1);
                    if p.copay_cents > 0 {
                        w.one("costToBeneficiary", |w| {
                            w.status(
                                "type",
                                &hl7!("coverage-copay-type", "gpvisit", "GP Office Visit"),
                            );
                            w.money("valueMoney", p.copay_cents);
                        });
                    }
                }
                None => w.refer_one("payor", "Patient", patient),
            }
        });
    }
}
