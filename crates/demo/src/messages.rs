//! The rest of a chart: a message or two, a task for the front desk, a consent, a flag. Few of each,
//! so that the pages that show them are not empty.

use crate::calendar::At;
use crate::catalog::Key;
use crate::chart::Chart;
use crate::code::{Code, RESTRICTED, code, hl7, snomed};

const NOTIFICATION: Code = hl7!("communication-category", "notification", "Notification");
const REMINDER: Code = hl7!("communication-category", "reminder", "Reminder");
const PRIVACY: Code = hl7!("consentscope", "patient-privacy", "Privacy Consent");
const NOTICE: Code = hl7!("consentcategorycodes", "npp", "Notice of Privacy Practices");
const NOTICE_GIVEN: Code =
    hl7!("consentpolicycodes", "hipaa-npp", "HIPAA Notice of Privacy Practices");
const RESTRICTION: Code = hl7!("consentpolicycodes", "hipaa-restrictions", "HIPAA Restrictions");
const SAFETY: Code = hl7!("flag-category", "safety", "Safety");
const FALLS: Code = snomed("129839007", "At risk for falls");
const CALL: Code =
    code("http://hl7.org/fhir/CodeSystem/task-code", "fulfill", "Fulfill the focal request");

impl Chart<'_, '_, '_> {
    /// Writes messages, tasks, consents and flags.
    pub(crate) fn write_messages(&mut self) {
        let Some(last) = self.history.visits.last() else { return };
        let (last_day, last_id) = (last.start.day(), last.id.clone());
        let first_day = self.history.visits.first().map_or(last_day, |v| v.start.day());
        if self.rng.chance(350) {
            self.write_consent(At::new(first_day, 540).min(self.clinic.now));
        }
        if last_day + 3 < self.clinic.today && self.person.death.is_none() {
            if self.rng.chance(180) {
                self.write_message(&last_id, At::new(last_day + 2, 700));
            }
            if self.rng.chance(50) {
                self.write_task(&last_id, At::new(self.clinic.today - 1, 900));
            }
        }
        if self.person.age(last_day) >= 78 && self.rng.chance(450) {
            self.write_flag(&last_id, last_day);
        }
    }

    fn write_consent(&mut self, at: At) {
        let id = self.new_id("Consent");
        // Those with guarded records are asked, and some say no.
        let guarded =
            self.history.problems.iter().any(|p| p.what.key == Key::Mood || p.what.restricted);
        let deny = guarded && self.rng.chance(300);
        let organization = self.clinic.clinic_id();
        let patient = &self.id;
        self.press.emit("Consent", &id, |w| {
            w.text("status", "active");
            w.status("scope", &PRIVACY);
            w.category("category", &NOTICE);
            w.refer("patient", "Patient", patient);
            w.at("dateTime", at);
            w.refer_one("performer", "Patient", patient);
            w.refer_one("organization", "Organization", &organization);
            w.status("policyRule", if deny { &RESTRICTION } else { &NOTICE_GIVEN });
            w.obj("provision", |w| {
                w.text("type", if deny { "deny" } else { "permit" });
                if deny {
                    w.arr("securityLabel", |w| w.item(|w| w.coding_body(&RESTRICTED)));
                }
            });
        });
    }

    fn write_message(&mut self, encounter: &str, at: At) {
        let id = self.new_id("Communication");
        let results = self.rng.chance(600);
        let (patient, nurse) = (&self.id, &self.nurse);
        self.press.emit("Communication", &id, |w| {
            w.text("status", "completed");
            w.concept_one("category", if results { &NOTIFICATION } else { &REMINDER });
            w.refer("subject", "Patient", patient);
            w.refer("encounter", "Encounter", encounter);
            w.at("sent", at);
            w.arr("recipient", |w| w.refer_item("Patient", patient));
            w.refer_shown("sender", "Practitioner", &nurse.id, &nurse.name);
            w.one("payload", |w| {
                let words = if results {
                    "Your results are in your chart. Nothing needs to change before your next visit."
                } else {
                    "Please book your next checkup; evening times are open on Thursdays."
                };
                w.text("contentString", words);
            });
        });
    }

    fn write_task(&mut self, encounter: &str, at: At) {
        let id = self.new_id("Task");
        let taken = self.rng.chance(400);
        let (patient, nurse, doctor) = (&self.id, &self.nurse, &self.doctor);
        self.press.emit("Task", &id, |w| {
            w.text("status", if taken { "in-progress" } else { "requested" });
            w.text("intent", "order");
            w.text("priority", "routine");
            w.concept("code", &CALL);
            w.text("description", "Call the patient about the referral.");
            w.refer("focus", "Encounter", encounter);
            w.refer("for", "Patient", patient);
            w.at("authoredOn", at);
            w.at("lastModified", at);
            w.refer_shown("requester", "Practitioner", &doctor.id, &doctor.name);
            w.refer_shown("owner", "Practitioner", &nurse.id, &nurse.name);
        });
    }

    fn write_flag(&mut self, encounter: &str, day: i64) {
        let id = self.new_id("Flag");
        let over = self.person.death;
        let (patient, nurse) = (&self.id, &self.nurse);
        self.press.emit("Flag", &id, |w| {
            w.text("status", if over.is_some() { "inactive" } else { "active" });
            w.category("category", &SAFETY);
            w.concept("code", &FALLS);
            w.refer("subject", "Patient", patient);
            w.days("period", day, over);
            w.refer("encounter", "Encounter", encounter);
            w.refer("author", "Practitioner", &nurse.id);
        });
    }
}
