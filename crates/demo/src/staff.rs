//! The people who work here. Each pod of 1,008 patients has twelve primary-care clinicians (three
//! per site), four specialists and four nurses; their ids follow from the pod and a seat number.

use crate::Clinic;
use crate::code::{Code, FAMILY_PRACTICE, code, hl7, snomed, systems};
use crate::names;
use crate::people::{POD_SIZE, phone};
use crate::places::{self, CLINIC, SITES, Site};
use crate::press::Press;
use crate::random::{POD, Rng, ident};

/// Seats 0 to 11.
pub(crate) const PRIMARY: u64 = 12;
/// Seats 12 to 15: those with a schedule end here.
pub(crate) const SCHEDULED: u64 = 16;
/// Seats 16 to 19 are nurses, one per site.
const SEATS: u64 = 20;
/// The first of the nurses.
pub(crate) const SITE_NURSES: u64 = SCHEDULED;

/// Somebody who works here.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    pub(crate) seat: u64,
    pub(crate) id: String,
    pub(crate) role_id: String,
    /// Name with title, as on a door.
    pub(crate) name: String,
    given: &'static str,
    surname: &'static str,
    female: bool,
    kind: &'static Kind,
}

impl Staff {
    /// What the person practises.
    pub(crate) const fn specialty(&self) -> &'static Code {
        &self.kind.specialty
    }
}

/// A kind of seat.
#[derive(Debug)]
struct Kind {
    prefix: Option<&'static str>,
    suffix: &'static str,
    role: Code,
    specialty: Code,
    degree: (&'static str, &'static str),
}

/// The specialties of seats 12 to 15, in order.
pub(crate) const SPECIALTIES: [Code; 4] = [
    snomed("394579002", "Cardiology"),
    snomed("394583002", "Endocrinology"),
    snomed("394587001", "Psychiatry"),
    snomed("394586005", "Gynecology"),
];

const DOCTOR: Code = hl7!("practitioner-role", "doctor", "Doctor");
const NURSE: Code = hl7!("practitioner-role", "nurse", "Nurse");
const MD: (&str, &str) = ("MD", "Doctor of Medicine");
const NP: (&str, &str) = ("NP", "Nurse Practitioner");
const RN: (&str, &str) = ("RN", "Registered Nurse");

static PHYSICIAN: Kind = Kind {
    prefix: Some("Dr."),
    suffix: "MD",
    role: DOCTOR,
    specialty: FAMILY_PRACTICE,
    degree: MD,
};
static NURSE_PRACTITIONER: Kind =
    Kind { prefix: None, suffix: "NP", role: NURSE, specialty: FAMILY_PRACTICE, degree: NP };
static NURSING: Kind = Kind {
    prefix: None,
    suffix: "RN",
    role: NURSE,
    specialty: snomed("722164000", "Nursing"),
    degree: RN,
};
static SPECIALISTS: [Kind; 4] = [specialist(0), specialist(1), specialist(2), specialist(3)];

const fn specialist(n: usize) -> Kind {
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time only")]
    let specialty = SPECIALTIES[n];
    Kind { prefix: Some("Dr."), suffix: "MD", role: DOCTOR, specialty, degree: MD }
}

/// The site number a seat works at.
pub(crate) const fn site_of(seat: u64) -> u64 {
    seat % SITES
}

/// The pod a patient belongs to.
pub(crate) const fn pod_of(patient: u64) -> u64 {
    patient / POD_SIZE
}

impl Clinic {
    /// Who sits on a seat of a pod.
    pub(crate) fn staff(&self, pod: u64, seat: u64) -> Staff {
        let mut rng = Rng::of(self.options.seed, POD | pod, "staff");
        // One stream per pod would make seat n cost n draws; fold the seat in instead.
        let mut rng = Rng::of(rng.below(u64::MAX), seat, "seat");
        let origin = names::origin(&mut rng);
        let female = rng.chance(if seat >= SCHEDULED { 850 } else { 540 });
        let kind = match seat {
            0..PRIMARY if seat / SITES == 2 => &NURSE_PRACTITIONER,
            0..PRIMARY => &PHYSICIAN,
            PRIMARY..SCHEDULED => rng_kind(seat),
            _ => &NURSING,
        };
        let given = names::given(&mut rng, origin, female);
        let surname = *rng.pick(origin.surnames);
        let name = match kind.prefix {
            Some(prefix) => format!("{prefix} {given} {surname}"),
            None => format!("{given} {surname}, {}", kind.suffix),
        };
        Staff {
            seat,
            id: ident(self.options.seed, POD | pod, "Practitioner", seat),
            role_id: ident(self.options.seed, POD | pod, "PractitionerRole", seat),
            name,
            given,
            surname,
            female,
            kind,
        }
    }

    /// Writes the practitioners of a pod and their roles.
    pub(crate) fn write_staff(&self, pod: u64, press: &mut Press<'_>) {
        for seat in 0..SEATS {
            let staff = self.staff(pod, seat);
            let mut rng = Rng::of(self.options.seed, POD | pod, &staff.id);
            let site = places::site(site_of(seat));
            write_practitioner(press, &staff, pod, site, &mut rng);
            self.write_role(press, &staff, site);
        }
    }

    fn write_role(&self, press: &mut Press<'_>, staff: &Staff, site: &'static Site) {
        let ids = self.site_ids(site_of(staff.seat));
        let service = self.service_id(staff.seat);
        press.emit("PractitionerRole", &staff.role_id, |w| {
            w.flag("active", true);
            w.refer_shown("practitioner", "Practitioner", &staff.id, &staff.name);
            w.refer_shown("organization", "Organization", &ids.organization, site.name);
            w.concept_one("code", &staff.kind.role);
            w.concept_one("specialty", &staff.kind.specialty);
            w.refer_one("location", "Location", &ids.location);
            w.refer_one("healthcareService", "HealthcareService", &service);
            w.one("availableTime", |w| {
                w.arr("daysOfWeek", |w| {
                    for day in ["mon", "tue", "wed", "thu", "fri"] {
                        w.text_item(day);
                    }
                });
                w.text("availableStartTime", "08:30:00");
                w.text("availableEndTime", "17:00:00");
            });
            w.text("availabilityExceptions", "Weekend clinics by rota.");
        });
    }
}

fn rng_kind(seat: u64) -> &'static Kind {
    usize::try_from(seat - PRIMARY).ok().and_then(|n| SPECIALISTS.get(n)).unwrap_or(&PHYSICIAN)
}

fn write_practitioner(
    press: &mut Press<'_>,
    staff: &Staff,
    pod: u64,
    site: &'static Site,
    rng: &mut Rng,
) {
    press.emit("Practitioner", &staff.id, |w| {
        w.identifier(systems::STAFF, &format!("S{:04}-{:02}", pod + 1, staff.seat + 1));
        w.flag("active", true);
        w.one("name", |w| {
            w.text("use", "official");
            w.text("family", staff.surname);
            w.arr("given", |w| w.text_item(staff.given));
            if let Some(prefix) = staff.kind.prefix {
                w.arr("prefix", |w| w.text_item(prefix));
            }
            w.arr("suffix", |w| w.text_item(staff.kind.suffix));
        });
        w.arr("telecom", |w| {
            w.item(|w| {
                w.text("system", "phone");
                w.text("value", &phone(rng, site));
                w.text("use", "work");
            });
            w.item(|w| {
                w.text("system", "email");
                w.text("value", &format!("s{}.{}@larkspur.example.org", pod + 1, staff.seat + 1));
                w.text("use", "work");
            });
        });
        w.one("address", |w| {
            w.text("use", "work");
            w.arr("line", |w| {
                w.text_item(CLINIC);
                w.text_item(site.street);
            });
            w.text("city", site.town);
            w.text("state", site.state);
            w.text("postalCode", site.zip);
            w.text("country", "US");
        });
        w.text("gender", if staff.female { "female" } else { "male" });
        w.one("qualification", |w| {
            let (degree, name) = staff.kind.degree;
            w.concept("code", &code("http://terminology.hl7.org/CodeSystem/v2-0360", degree, name));
        });
    });
}
