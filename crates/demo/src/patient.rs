//! Patient, `RelatedPerson` and `FamilyMemberHistory`: who the person is and belongs to
//! (<https://hl7.org/fhir/R4/patient.html>; race and ethnicity as US Core states them).

use crate::calendar::{At, Day, add_months};
use crate::chart::Chart;
use crate::code::{Code, TEST_DATA, code, hl7, snomed, systems};
use crate::json::Json;
use crate::people::{Person, Role};
use crate::places::Address;
use crate::press::write_tag;

const US_CORE: &str = "http://hl7.org/fhir/us/core/StructureDefinition/";
const OMB: &str = "urn:oid:2.16.840.1.113883.6.238";

/// By what right a relative acts for a patient (45 CFR 164.502(g)), what they may do, and what proves it.
const PROXY: &str = "https://plummer.health/fhir/StructureDefinition/proxy-";

const MARRIED: Code = hl7!("v3-MaritalStatus", "M", "Married");
const SINGLE: Code = hl7!("v3-MaritalStatus", "S", "Never Married");
const DIVORCED: Code = hl7!("v3-MaritalStatus", "D", "Divorced");
const WIDOWED: Code = hl7!("v3-MaritalStatus", "W", "Widowed");
const MEDICAL_RECORD: Code = hl7!("v2-0203", "MR", "Medical record number");

const MOTHER: Code = hl7!("v3-RoleCode", "MTH", "mother");
const FATHER: Code = hl7!("v3-RoleCode", "FTH", "father");
const WIFE: Code = hl7!("v3-RoleCode", "WIFE", "wife");
const HUSBAND: Code = hl7!("v3-RoleCode", "HUSB", "husband");

/// What a grown child's parent tends to have had.
const FAMILY_ILLNESS: [Code; 5] = [
    snomed("59621000", "Essential hypertension"),
    snomed("44054006", "Diabetes mellitus type 2"),
    snomed("254837009", "Malignant neoplasm of breast"),
    snomed("22298006", "Myocardial infarction"),
    snomed("363406005", "Malignant neoplasm of colon"),
];

impl Chart<'_, '_, '_> {
    /// Writes the Patient.
    pub(crate) fn write_patient(&mut self) {
        let marital = self.marital_status();
        let died_at = self.rng.range(0, 1439);
        let (person, doctor, clinic) = (&self.person, &self.doctor, self.clinic.clinic_id());
        let today = self.clinic.today;
        self.press.emit("Patient", &self.id, |w| {
            write_tag(w, &TEST_DATA);
            w.arr("extension", |w| write_race(w, person));
            w.arr("identifier", |w| {
                w.item(|w| {
                    w.text("use", "usual");
                    w.obj("type", |w| w.one("coding", |w| w.coding_body(&MEDICAL_RECORD)));
                    w.text("system", systems::MRN);
                    w.text("value", &format!("L{:08}", 10_000_000 + person.i));
                });
                w.item(|w| {
                    w.text("system", systems::HOUSEHOLD);
                    w.text("value", &format!("H{:08}", person.home.first));
                });
            });
            w.flag("active", person.death.is_none());
            write_names(w, person);
            w.arr("telecom", |w| write_telecom(w, person, today));
            w.text("gender", if person.female { "female" } else { "male" });
            w.date("birthDate", person.birth);
            match person.death {
                Some(day) => w.at("deceasedDateTime", At::new(day, died_at)),
                None => w.flag("deceasedBoolean", false),
            }
            w.arr("address", |w| w.item(|w| write_address(w, &person.home.address)));
            if let Some(status) = &marital {
                w.concept("maritalStatus", status);
            }
            w.one("communication", |w| {
                let (tag, name) = person.language;
                w.concept("language", &code("urn:ietf:bcp:47", tag, name));
                w.flag("preferred", true);
            });
            w.refer_one("generalPractitioner", "Practitioner", &doctor.id);
            w.refer("managingOrganization", "Organization", &clinic);
        });
    }

    /// Writes the parents of children and the partners of those who come second.
    pub(crate) fn write_relatives(&mut self) {
        let parents: Vec<Person> = self.person.parents().map(|i| self.clinic.person(i)).collect();
        for parent in &parents {
            let relation = if parent.female { MOTHER } else { FATHER };
            self.write_related(parent, &relation);
        }
        if self.person.role == Role::Partner {
            let head = self.clinic.person(self.person.home.first);
            self.write_related(&head, if head.female { &WIFE } else { &HUSBAND });
        }
        let taken = self.history.visits.first().map(|v| v.start.day());
        if let Some(taken) = taken
            && self.person.age(taken) >= 18
            && self.rng.chance(350)
        {
            self.write_family_illness(taken);
        }
    }

    fn write_related(&mut self, other: &Person, relation: &Code) {
        let id = self.new_id("RelatedPerson");
        let patient = &self.id;
        let today = self.clinic.today;
        // Who has a child here was asked for the certificate.
        let is_parent = [MOTHER.code, FATHER.code].contains(&relation.code);
        let acts = is_parent && self.person.age(today) < 18 && other.death.is_none();
        self.press.emit("RelatedPerson", &id, |w| {
            if acts {
                w.arr("extension", |w| {
                    let mut said = |name: &str, kind: &str, value: &str| {
                        w.item(|w| {
                            w.text("url", &format!("{PROXY}{name}"));
                            w.text(kind, value);
                        });
                    };
                    said("authority", "valueCode", "parent-of-minor");
                    for power in ["decide", "record", "visits"] {
                        said("power", "valueCode", power);
                    }
                    said("evidence", "valueString", "Birth certificate");
                });
            }
            w.flag("active", other.death.is_none());
            w.refer("patient", "Patient", patient);
            w.concept_one("relationship", relation);
            write_names(w, other);
            w.arr("telecom", |w| write_telecom(w, other, today));
            w.text("gender", if other.female { "female" } else { "male" });
            w.date("birthDate", other.birth);
            w.arr("address", |w| w.item(|w| write_address(w, &other.home.address)));
        });
    }

    fn write_family_illness(&mut self, taken: Day) {
        let id = self.new_id("FamilyMemberHistory");
        let mother = self.rng.chance(550);
        let illness = self.rng.pick(&FAMILY_ILLNESS);
        let began = self.rng.range(38, 74);
        let patient = &self.id;
        self.press.emit("FamilyMemberHistory", &id, |w| {
            w.text("status", "completed");
            w.refer("patient", "Patient", patient);
            w.date("date", taken);
            w.concept("relationship", if mother { &MOTHER } else { &FATHER });
            let (gender, shown) = if mother { ("female", "Female") } else { ("male", "Male") };
            let gender = code("http://hl7.org/fhir/administrative-gender", gender, shown);
            w.concept("sex", &gender);
            w.one("condition", |w| {
                w.concept("code", illness);
                w.obj("onsetAge", |w| {
                    w.int("value", began);
                    w.text("unit", "years");
                    w.text("system", "http://unitsofmeasure.org");
                    w.text("code", "a");
                });
            });
        });
    }

    fn marital_status(&mut self) -> Option<Code> {
        let years = self.person.age(self.clinic.today);
        match self.person.role {
            Role::Partner => Some(MARRIED),
            Role::Head if self.person.home.has_partner() => Some(MARRIED),
            Role::Child if years < 18 => None,
            Role::Child => Some(SINGLE),
            Role::Elder => Some(WIDOWED),
            Role::Head => Some(match self.rng.range(0, 99) {
                0..=44 if years > 70 => WIDOWED,
                0..=29 if years > 35 => DIVORCED,
                _ => SINGLE,
            }),
        }
    }
}

/// Writes the members of an address.
pub(crate) fn write_address(w: &mut Json, address: &Address) {
    w.text("use", "home");
    w.text("type", "both");
    w.arr("line", |w| {
        w.text_item(&address.line);
        if let Some(unit) = &address.unit {
            w.text_item(unit);
        }
    });
    w.text("city", address.town);
    w.text("district", address.county);
    w.text("state", address.state);
    w.text("postalCode", &address.zip);
    w.text("country", "US");
}

fn write_names(w: &mut Json, person: &Person) {
    let given = |w: &mut Json| {
        w.text_item(person.given);
        if person.middle != person.given {
            w.text_item(person.middle);
        }
    };
    w.arr("name", |w| {
        w.item(|w| {
            w.text("use", "official");
            w.text("family", person.surname);
            w.arr("given", given);
        });
        if let Some(maiden) = person.maiden {
            w.item(|w| {
                w.text("use", "maiden");
                w.text("family", maiden);
                w.arr("given", given);
            });
        }
    });
}

fn write_telecom(w: &mut Json, person: &Person, today: Day) {
    let mut item = |system, value: &str, usage| {
        w.item(|w| {
            w.text("system", system);
            w.text("value", value);
            w.text("use", usage);
        });
    };
    item("phone", &person.home.phone, "home");
    // Children have neither.
    if add_months(person.birth, 14 * 12) <= today {
        item("phone", &person.mobile, "mobile");
        item("email", &person.email(), "home");
    }
}

fn write_race(w: &mut Json, person: &Person) {
    let mut category = |url: &str, id: &str, display: &str| {
        w.item(|w| {
            w.arr("extension", |w| {
                w.item(|w| {
                    w.text("url", "ombCategory");
                    w.obj("valueCoding", |w| {
                        w.text("system", OMB);
                        w.text("code", id);
                        w.text("display", display);
                    });
                });
                w.item(|w| {
                    w.text("url", "text");
                    w.text("valueString", display);
                });
            });
            w.text("url", url);
        });
    };
    let (id, display) = person.home.origin.race;
    category(&format!("{US_CORE}us-core-race"), id, display);
    let (id, display) = if person.home.origin.hispanic {
        ("2135-2", "Hispanic or Latino")
    } else {
        ("2186-5", "Not Hispanic or Latino")
    };
    category(&format!("{US_CORE}us-core-ethnicity"), id, display);
}
