//! What waits in the inboxes of the clinic: pools, the reviews of results that somebody has read, and this
//! week's messages and tasks, so that an inbox looks as it does on a morning
//! (<https://hl7.org/fhir/R4/task.html>, <https://hl7.org/fhir/R4/communication.html>).

use crate::Clinic;
use crate::calendar::At;
use crate::chart::Chart;
use crate::code::{Code, code, hl7};
use crate::json::Json;
use crate::press::Press;
use crate::random::{POD, Rng, SHARED, ident};
use crate::staff::{SITE_NURSES, pod_of};

const SYSTEM: &str = "urn:plummer:inbox";
const POOL: Code = code(SYSTEM, "pool", "Pool");
const DESK_POOL: Code = code(SYSTEM, "desk-pool", "Pool of the front desk");
const DESK: Code = code(SYSTEM, "front-desk", "Front desk");
const REVIEW: Code = code(SYSTEM, "review-result", "Review a result");
const VERSION: Code = code(SYSTEM, "reviewed-version", "The version that was read");
const ACCESS: Code = code(SYSTEM, "access-request", "Request for the own record");
const MODERATE: Code = hl7!("v3-Confidentiality", "M", "moderate");
const FULFILL: Code =
    code("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Fulfill the focal request");
/// Nurses of one pod.
const NURSES: u64 = 4;
/// Days whose results are still being read, and days back to which reviews are told.
const READ_DAYS: (i64, i64) = (9, 100);

/// What patients write to whoever treats them.
const ASKED: [&str; 6] = [
    "I have been light-headed in the mornings since the new tablets. Should I keep taking them?",
    "My results are in the portal. Do I need to do anything before the next visit?",
    "Can I get a refill of my blood pressure tablets? I have four left.",
    "The cough is not better after a week. Should I come in?",
    "The specialist wants my last laboratory results. Can you send them?",
    "Is it all right to fly next week with the new inhaler?",
];
/// What they write to the desk.
const ASKED_DESK: [&str; 3] = [
    "Can my appointment be later in the day? I work until four.",
    "I have a new insurance card. Where can I send it?",
    "How do I get to the new building by bus?",
];
/// What is to be done, and how soon.
const TO_DO: [(&str, &str); 5] = [
    ("Sign the form for home care.", "routine"),
    ("Refill request: decide by the last laboratory results.", "urgent"),
    ("Letter to the employer about lighter work.", "routine"),
    ("Call back the cardiologist about the dose.", "asap"),
    ("Prior authorization: the payer asks for the last note.", "routine"),
];

impl Clinic {
    fn nurses_pool(&self, pod: u64) -> String {
        ident(self.options.seed, POD | pod, "CareTeam", 0)
    }

    fn desk_pool(&self) -> String {
        ident(self.options.seed, SHARED, "CareTeam", 0)
    }

    /// Writes the pool of the front desk.
    pub(crate) fn write_desk_pool(&self, press: &mut Press<'_>) {
        let clinic = self.clinic_id();
        press.emit("CareTeam", &self.desk_pool(), |w| {
            w.text("status", "active");
            w.category("category", &DESK_POOL);
            w.text("name", "Front desk");
            w.one("participant", |w| {
                w.concept_one("role", &DESK);
                w.refer("member", "Organization", &clinic);
            });
        });
    }

    /// Writes the pool of the nurses of a pod.
    pub(crate) fn write_nurses_pool(&self, pod: u64, press: &mut Press<'_>) {
        press.emit("CareTeam", &self.nurses_pool(pod), |w| {
            w.text("status", "active");
            w.category("category", &POOL);
            w.text("name", "Nurses");
            w.arr("participant", |w| {
                for seat in SITE_NURSES..SITE_NURSES + NURSES {
                    let nurse = self.staff(pod, seat);
                    w.item(|w| w.refer_shown("member", "Practitioner", &nurse.id, &nurse.name));
                }
            });
        });
    }
}

impl Chart<'_, '_, '_> {
    /// Writes what somebody has read, and what waits. Last of the chart, by a stream of its own.
    pub(crate) fn write_inbox(&mut self) {
        let mut rng = Rng::of(self.clinic.options.seed, self.person.i, "inbox");
        for (id, at) in std::mem::take(&mut self.reports) {
            let age = self.clinic.today - at.day();
            let is_read = age > READ_DAYS.0 || (age > 1 && rng.chance(450));
            if is_read && age <= READ_DAYS.1 {
                self.write_review(&id, at);
            }
        }
        let seen = self.history.visits.last().map(|visit| visit.start.day());
        let Some(seen) = seen.filter(|_| self.person.death.is_none()) else { return };
        let at = |rng: &mut Rng, days: i64| {
            At::new(self.clinic.today - rng.range(1, days), rng.range(480, 1000))
        };
        if seen + 400 < self.clinic.today {
            return;
        }
        if rng.chance(140) {
            let at = at(&mut rng, 4);
            let say = *rng.pick(&ASKED);
            let (kind, id) = match rng.chance(600) {
                true => ("Practitioner", self.doctor.id.clone()),
                false => ("CareTeam", self.clinic.nurses_pool(pod_of(self.person.i))),
            };
            self.write_asked((kind, &id), at, say, false);
        }
        if rng.chance(25) {
            let at = at(&mut rng, 3);
            let say = *rng.pick(&ASKED_DESK);
            let id = self.clinic.desk_pool();
            self.write_asked(("CareTeam", &id), at, say, true);
        }
        if rng.chance(110) {
            let at = at(&mut rng, 12);
            let (say, priority) = *rng.pick(&TO_DO);
            let to = ("Practitioner", self.doctor.id.clone());
            self.write_to_do((to.0, &to.1), at, &FULFILL, (say, priority));
        }
        if rng.chance(12) {
            let at = At::new(self.clinic.today, rng.range(480, 600));
            let to = self.doctor.id.clone();
            let say = "The laboratory called: potassium 6.8 mmol/L. Repeat it today.";
            self.write_to_do(("Practitioner", &to), at, &FULFILL, (say, "stat"));
        }
        if rng.chance(12) {
            let at = at(&mut rng, 35);
            let to = self.clinic.desk_pool();
            let say = "Wants a copy of the record, by mail.";
            self.write_to_do(("CareTeam", &to), at, &ACCESS, (say, "routine"));
        }
    }

    fn write_review(&mut self, report: &str, at: At) {
        let id = self.new_id("Task");
        let (patient, doctor) = (&self.id, &self.doctor);
        let read = at.plus(20 * 60).min(self.clinic.now);
        self.press.emit("Task", &id, |w| {
            w.text("status", "completed");
            w.text("intent", "order");
            w.concept("code", &REVIEW);
            w.refer("focus", "DiagnosticReport", report);
            w.refer("for", "Patient", patient);
            w.at("authoredOn", read);
            w.at("lastModified", read);
            w.obj("executionPeriod", |w| w.at("end", read));
            w.refer_shown("owner", "Practitioner", &doctor.id, &doctor.name);
            w.one("input", |w| {
                w.concept("type", &VERSION);
                w.refer("valueReference", "DiagnosticReport", &format!("{report}/_history/1"));
            });
        });
    }

    fn write_asked(&mut self, (kind, to): (&str, &str), at: At, say: &str, for_desk: bool) {
        let id = self.new_id("Communication");
        let (patient, name) = (&self.id, self.person.full_name());
        self.press.emit("Communication", &id, |w| {
            label(w, for_desk);
            w.text("status", "in-progress");
            w.refer("subject", "Patient", patient);
            w.at("sent", at);
            w.arr("recipient", |w| w.refer_item(kind, to));
            w.refer_shown("sender", "Patient", patient, &name);
            w.one("payload", |w| w.text("contentString", say));
        });
    }

    fn write_to_do(
        &mut self,
        (kind, to): (&str, &str),
        at: At,
        of: &Code,
        (say, priority): (&str, &str),
    ) {
        let id = self.new_id("Task");
        let (patient, nurse) = (&self.id, &self.nurse);
        self.press.emit("Task", &id, |w| {
            label(w, kind == "CareTeam");
            w.text("status", "requested");
            w.text("intent", "order");
            w.text("priority", priority);
            w.concept("code", of);
            w.text("description", say);
            w.refer("for", "Patient", patient);
            w.at("authoredOn", at);
            w.at("lastModified", at);
            w.refer_shown("requester", "Practitioner", &nurse.id, &nurse.name);
            w.refer("owner", kind, to);
        });
    }
}

/// What the front desk may see is labelled as less than normally confidential.
fn label(w: &mut Json, is: bool) {
    if is {
        w.obj("meta", |w| w.arr("security", |w| w.item(|w| w.coding_body(&MODERATE))));
    }
}
