//! What visits there are: `ActivityDefinition`s of kind Appointment, which say how long each takes and whom
//! and what it needs together (<https://hl7.org/fhir/R4/activitydefinition.html>).

use crate::Clinic;
use crate::press::Press;
use crate::random::{SHARED, ident};
use crate::sites::EXTENSIONS;
use crate::staff::{PRIMARY, SCHEDULED};

/// One kind of visit.
struct VisitType {
    name: &'static str,
    title: &'static str,
    minutes: i64,
    /// Who and what is needed together.
    needs: &'static [&'static str],
    modality: &'static str,
    /// The clinicians are the specialists of the first pod.
    specialist: bool,
    /// Whole minutes kept after it.
    after: i64,
    preparation: &'static str,
}

const fn visit(
    name: &'static str,
    title: &'static str,
    minutes: i64,
    needs: &'static [&'static str],
) -> VisitType {
    VisitType {
        name,
        title,
        minutes,
        needs,
        modality: "in-person",
        specialist: false,
        after: 0,
        preparation: "",
    }
}

static VISIT_TYPES: [VisitType; 8] = [
    visit("OfficeVisit", "Office visit", 30, &["clinician"]),
    visit("FollowUp", "Follow-up", 30, &["clinician"]),
    VisitType {
        preparation: "Please eat and drink nothing but water for eight hours before.",
        ..visit("YearlyCheckup", "Yearly checkup", 60, &["clinician", "room"])
    },
    visit("NewPatient", "New patient", 60, &["clinician"]),
    VisitType {
        specialist: true,
        ..visit("Consultation", "Specialist consultation", 60, &["clinician"])
    },
    VisitType { modality: "video", ..visit("VideoVisit", "Video visit", 30, &["clinician"]) },
    visit("NurseVisit", "Nurse visit", 15, &["assistant"]),
    VisitType {
        after: 10,
        ..visit("VitalsCheck", "Vital signs check", 20, &["assistant", "room", "device"])
    },
];

impl Clinic {
    /// Writes them.
    pub(crate) fn write_visit_types(&self, press: &mut Press<'_>) {
        for (n, visit) in (0..).zip(&VISIT_TYPES) {
            let id = ident(self.options.seed, SHARED, "ActivityDefinition", n);
            press.emit("ActivityDefinition", &id, |w| {
                w.arr("extension", |w| {
                    for role in visit.needs {
                        w.item(|w| {
                            w.arr("extension", |w| {
                                w.item(|w| {
                                    w.text("url", "role");
                                    w.text("valueCode", role);
                                });
                                let seats =
                                    if visit.specialist { PRIMARY..SCHEDULED } else { 0..0 };
                                for seat in seats {
                                    w.item(|w| {
                                        w.text("url", "candidate");
                                        let id = self.staff(0, seat).id;
                                        w.refer("valueReference", "Practitioner", &id);
                                    });
                                }
                            });
                            w.text("url", &format!("{EXTENSIONS}needed-resource"));
                        });
                    }
                    w.item(|w| {
                        w.text("url", &format!("{EXTENSIONS}modality"));
                        w.text("valueCode", visit.modality);
                    });
                    if visit.after > 0 {
                        w.item(|w| {
                            w.text("url", &format!("{EXTENSIONS}buffer-after"));
                            w.int("valueInteger", visit.after);
                        });
                    }
                    if !visit.preparation.is_empty() {
                        w.item(|w| {
                            w.text("url", &format!("{EXTENSIONS}preparation"));
                            w.text("valueMarkdown", visit.preparation);
                        });
                    }
                });
                w.text("name", visit.name);
                w.text("title", visit.title);
                w.text("status", "active");
                w.text("kind", "Appointment");
                w.obj("timingDuration", |w| {
                    w.int("value", visit.minutes);
                    w.text("unit", "min");
                    w.text("system", "http://unitsofmeasure.org");
                    w.text("code", "min");
                });
            });
        }
    }
}
