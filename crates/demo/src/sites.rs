//! The clinic itself: organizations, buildings and rooms, services, payers, the drugs kept in stock
//! and the devices on the counter.

use crate::Clinic;
use crate::code::{Code, FAMILY_PRACTICE, hl7, snomed, systems};
use crate::drugs;
use crate::places::{self, CLINIC, HOSPITAL, SITES, Site};
use crate::press::Press;
use crate::random::{SHARED, ident};
use crate::staff::{PRIMARY, SCHEDULED, SPECIALTIES};

/// Where the extensions of scheduling are defined (docs/internals/scheduling.md).
pub(crate) const EXTENSIONS: &str = "https://plummer.health/fhir/StructureDefinition/";

/// The ids a chart needs of its site.
#[derive(Debug, Clone)]
pub(crate) struct SiteIds {
    pub(crate) organization: String,
    pub(crate) location: String,
    pub(crate) rooms: [String; 3],
    pub(crate) monitor: String,
}

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Payer {
    pub(crate) number: u64,
    pub(crate) name: &'static str,
    /// HL7 v3 coverage type.
    pub(crate) kind: Code,
    /// What it allows of a charge, in percent.
    pub(crate) allowed: i64,
    pub(crate) copay_cents: i64,
    pub(crate) deductible_cents: i64,
}

/// The payers; the first three are employers' plans.
pub(crate) static PAYERS: [Payer; 5] = [
    payer(0, "Northern Lakes Mutual", EMPLOYER, 62, 2500, 150_000),
    payer(1, "Prairie Shield Health Plan", EMPLOYER, 58, 3500, 250_000),
    payer(2, "Cedar & Stone Benefit Trust", EMPLOYER, 66, 2000, 75_000),
    payer(
        3,
        "Twin State Medical Assistance",
        hl7!("v3-ActCode", "SUBSIDIZ", "subsidized health program"),
        41,
        300,
        0,
    ),
    payer(
        4,
        "Federal Seniors Health Program",
        hl7!("v3-ActCode", "RETIRE", "retiree health program"),
        48,
        0,
        24_000,
    ),
];

const EMPLOYER: Code = hl7!("v3-ActCode", "EHCPOL", "extended healthcare");

const fn payer(
    number: u64,
    name: &'static str,
    kind: Code,
    allowed: i64,
    copay_cents: i64,
    deductible_cents: i64,
) -> Payer {
    Payer { number, name, kind, allowed, copay_cents, deductible_cents }
}

impl Clinic {
    /// The id of the whole clinic.
    pub(crate) fn clinic_id(&self) -> String {
        self.shared_id("Organization", 0)
    }

    /// The ids of a site.
    pub(crate) fn site_ids(&self, site: u64) -> SiteIds {
        let room = |n: u64| self.shared_id("Location", 100 + site * 10 + n);
        SiteIds {
            organization: self.shared_id("Organization", 1 + site),
            location: self.shared_id("Location", site),
            rooms: [room(0), room(1), room(2)],
            monitor: self.shared_id("Device", site),
        }
    }

    /// The ids of the hospital, for emergencies and stays.
    pub(crate) fn hospital_ids(&self) -> SiteIds {
        let ward = |n: u64| self.shared_id("Location", 201 + n);
        SiteIds {
            organization: self.shared_id("Organization", 11),
            location: self.shared_id("Location", 200),
            rooms: [ward(0), ward(1), ward(2)],
            monitor: self.shared_id("Device", 200),
        }
    }

    /// The id of the laboratory.
    pub(crate) fn laboratory_id(&self) -> String {
        self.shared_id("Organization", 10)
    }

    /// The id of a payer.
    pub(crate) fn payer_id(&self, payer: &Payer) -> String {
        self.shared_id("Organization", 20 + payer.number)
    }

    /// The id of the service a seat works for.
    pub(crate) fn service_id(&self, seat: u64) -> String {
        let specialist = (PRIMARY..SCHEDULED).contains(&seat);
        let service = if specialist { seat } else { PRIMARY - SITES + seat % SITES };
        self.shared_id("HealthcareService", service)
    }

    /// The id of a stocked drug.
    pub(crate) fn medication_id(&self, stock: u64) -> String {
        self.shared_id("Medication", stock)
    }

    /// Writes all of it.
    pub(crate) fn write_sites(&self, press: &mut Press<'_>) {
        self.write_organizations(press);
        self.write_hospital(press);
        self.write_visit_types(press);
        for n in 0..SITES {
            self.write_locations(n, press);
            let service = PRIMARY - SITES + n;
            self.write_service(service, n, "Family medicine", &FAMILY_PRACTICE, press);
        }
        for (seat, specialty) in (PRIMARY..SCHEDULED).zip(&SPECIALTIES) {
            self.write_service(seat, seat % SITES, specialty.display, specialty, press);
        }
        for (n, drug) in (0..).zip(drugs::STOCK) {
            press.emit("Medication", &self.medication_id(n), |w| {
                w.concept_of("code", &[drug.code], drug.text);
                w.text("status", "active");
                w.concept("form", &drug.form);
            });
        }
    }

    fn shared_id(&self, kind: &str, n: u64) -> String {
        ident(self.options.seed, SHARED, kind, n)
    }

    fn write_organizations(&self, press: &mut Press<'_>) {
        let root = self.clinic_id();
        let provider = hl7!("organization-type", "prov", "Healthcare Provider");
        press.emit("Organization", &root, |w| {
            w.identifier(systems::ORGANIZATION, "LARKSPUR");
            w.flag("active", true);
            w.concept_one("type", &provider);
            w.text("name", CLINIC);
            w.arr("alias", |w| w.text_item("Larkspur"));
            write_contact(w, places::site(0), "0100");
        });
        for n in 0..SITES {
            let site = places::site(n);
            press.emit("Organization", &self.site_ids(n).organization, |w| {
                w.identifier(systems::ORGANIZATION, &format!("LARKSPUR-{}", n + 1));
                w.flag("active", true);
                w.concept_one("type", &hl7!("organization-type", "dept", "Hospital Department"));
                w.text("name", &format!("{CLINIC} {}", site.name));
                write_contact(w, site, "0110");
                w.refer_shown("partOf", "Organization", &root, CLINIC);
            });
        }
        press.emit("Organization", &self.laboratory_id(), |w| {
            w.identifier(systems::ORGANIZATION, "STILLWATER-LAB");
            w.flag("active", true);
            w.concept_one("type", &provider);
            w.text("name", "Stillwater Reference Laboratory");
            write_contact(w, places::site(2), "0140");
        });
        for payer in &PAYERS {
            press.emit("Organization", &self.payer_id(payer), |w| {
                w.identifier(systems::ORGANIZATION, &format!("PAYER-{}", payer.number + 1));
                w.flag("active", true);
                w.concept_one("type", &hl7!("organization-type", "pay", "Payer"));
                w.text("name", payer.name);
                w.one("telecom", |w| {
                    w.text("system", "phone");
                    w.text("value", &format!("(800) 555-01{:02}", 60 + payer.number));
                });
            });
        }
    }

    fn write_locations(&self, n: u64, press: &mut Press<'_>) {
        let site = places::site(n);
        let ids = self.site_ids(n);
        press.emit("Location", &ids.location, |w| {
            w.one("extension", |w| {
                w.text("url", &format!("{EXTENSIONS}time-zone"));
                w.text("valueCode", "America/Chicago");
            });
            w.identifier(systems::ORGANIZATION, &format!("SITE-{}", n + 1));
            w.text("status", "active");
            w.text("name", &format!("{} clinic", site.name));
            w.text("mode", "instance");
            w.concept_one("type", &hl7!("v3-RoleCode", "PC", "Primary care clinic"));
            write_contact(w, site, "0111");
            w.concept("physicalType", &hl7!("location-physical-type", "bu", "Building"));
            w.obj("position", |w| {
                w.dec("longitude", site.longitude, 4);
                w.dec("latitude", site.latitude, 4);
            });
            w.refer("managingOrganization", "Organization", &ids.organization);
            w.one("hoursOfOperation", |w| {
                w.arr("daysOfWeek", |w| {
                    for day in ["mon", "tue", "wed", "thu", "fri"] {
                        w.text_item(day);
                    }
                });
                w.text("openingTime", "08:00:00");
                w.text("closingTime", "17:30:00");
            });
        });
        for (room, id) in (1..).zip(&ids.rooms) {
            press.emit("Location", id, |w| {
                w.text("status", "active");
                w.text("name", &format!("{} exam room {room}", site.name));
                w.text("mode", "instance");
                w.concept("physicalType", &hl7!("location-physical-type", "ro", "Room"));
                w.refer("managingOrganization", "Organization", &ids.organization);
                w.refer("partOf", "Location", &ids.location);
            });
        }
        write_monitor(press, &ids, n);
    }

    fn write_hospital(&self, press: &mut Press<'_>) {
        let ids = self.hospital_ids();
        press.emit("Organization", &ids.organization, |w| {
            w.identifier(systems::ORGANIZATION, "TAMARACK");
            w.flag("active", true);
            w.concept_one("type", &hl7!("organization-type", "prov", "Healthcare Provider"));
            w.text("name", HOSPITAL);
            write_contact(w, places::site(0), "0150");
        });
        press.emit("Location", &ids.location, |w| {
            w.text("status", "active");
            w.text("name", HOSPITAL);
            w.text("mode", "instance");
            w.concept_one("type", &hl7!("v3-RoleCode", "HOSP", "Hospital"));
            w.concept("physicalType", &hl7!("location-physical-type", "bu", "Building"));
            w.refer("managingOrganization", "Organization", &ids.organization);
        });
        for (id, name) in
            ids.rooms.iter().zip(["Emergency department", "Ward 2 East", "Ward 3 West"])
        {
            press.emit("Location", id, |w| {
                w.text("status", "active");
                w.text("name", name);
                w.text("mode", "instance");
                w.concept("physicalType", &hl7!("location-physical-type", "wa", "Ward"));
                w.refer("managingOrganization", "Organization", &ids.organization);
                w.refer("partOf", "Location", &ids.location);
            });
        }
        write_monitor(press, &ids, 9);
    }

    fn write_service(
        &self,
        n: u64,
        site: u64,
        name: &str,
        specialty: &Code,
        press: &mut Press<'_>,
    ) {
        let ids = self.site_ids(site);
        press.emit("HealthcareService", &self.shared_id("HealthcareService", n), |w| {
            w.flag("active", true);
            w.refer("providedBy", "Organization", &ids.organization);
            w.concept_one("category", &hl7!("service-category", "17", "General Practice"));
            w.concept_one("specialty", specialty);
            w.refer_one("location", "Location", &ids.location);
            w.text("name", &format!("{name} at {}", places::site(site).name));
            w.flag("appointmentRequired", true);
        });
    }
}

fn write_monitor(press: &mut Press<'_>, ids: &SiteIds, n: u64) {
    press.emit("Device", &ids.monitor, |w| {
        w.text("status", "active");
        w.text("manufacturer", "Fathom Instruments");
        w.text("serialNumber", &format!("FI-20{n}-77{n}"));
        w.one("deviceName", |w| {
            w.text("name", "Vital signs monitor");
            w.text("type", "user-friendly-name");
        });
        w.concept("type", &snomed("258057004", "Vital signs monitoring unit"));
        w.refer("owner", "Organization", &ids.organization);
        w.refer("location", "Location", &ids.location);
    });
}

fn write_contact(w: &mut crate::json::Json, site: &Site, line: &str) {
    w.one("telecom", |w| {
        w.text("system", "phone");
        w.text("value", &format!("({}) 555-{line}", site.area_code));
        w.text("use", "work");
    });
    let body = |w: &mut crate::json::Json| {
        w.text("use", "work");
        w.arr("line", |w| w.text_item(site.street));
        w.text("city", site.town);
        w.text("district", site.county);
        w.text("state", site.state);
        w.text("postalCode", site.zip);
        w.text("country", "US");
    };
    // A location stands in one place; an organization may have several addresses.
    if line == "0111" { w.obj("address", body) } else { w.one("address", body) }
}
