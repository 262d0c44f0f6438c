//! One patient's chart: gathers who and where, decides the history, then has every room write its
//! part in turn.

use crate::Clinic;
use crate::book::{Booking, panel_seat};
use crate::calendar::At;
use crate::code::Code;
use crate::coverage::Cover;
use crate::history::{History, Kind, Visit};
use crate::immunizations::Planned;
use crate::people::Person;
use crate::press::Press;
use crate::random::{Rng, ident};
use crate::sites::SiteIds;
use crate::staff::{PRIMARY, SITE_NURSES, Staff, pod_of, site_of};

/// What all rooms need to write into one chart.
pub(crate) struct Chart<'c, 'p, 's> {
    pub(crate) clinic: &'c Clinic,
    pub(crate) press: &'p mut Press<'s>,
    pub(crate) person: Person,
    /// The patient's id.
    pub(crate) id: String,
    pub(crate) site: SiteIds,
    pub(crate) doctor: Staff,
    pub(crate) nurse: Staff,
    pub(crate) history: History,
    pub(crate) bookings: Vec<Booking>,
    pub(crate) cover: Cover,
    /// The doses of vaccine, planned over the checkups.
    pub(crate) doses: Vec<Planned>,
    /// A year and what of its deductible is used, in cents.
    pub(crate) deductible: (i64, i64),
    /// Whether the white cells of the sample at hand are up.
    pub(crate) infected: bool,
    /// The reports of the laboratory, and when they were issued.
    pub(crate) reports: Vec<(String, At)>,
    pub(crate) rng: Rng,
    issued: u64,
}

/// What a visit has led to so far, for its note and its claim.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) charges: Vec<Charge>,
    /// Condition id and its codings.
    pub(crate) diagnoses: Vec<(String, Code, Code)>,
    /// Procedure ids and codes.
    pub(crate) procedures: Vec<(String, Code)>,
    /// Lines of the note under "Findings".
    pub(crate) findings: String,
    /// Lines of the note under "Plan".
    pub(crate) plan: String,
    pub(crate) restricted: bool,
}

/// One line of a claim.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    pub(crate) code: Code,
    pub(crate) cents: i64,
    pub(crate) count: i64,
}

impl Tally {
    /// Adds one charge.
    pub(crate) fn charge(&mut self, code: Code, cents: i64) {
        self.charges.push(Charge { code, cents, count: 1 });
    }
}

impl Chart<'_, '_, '_> {
    /// A fresh id for a resource of this patient.
    pub(crate) fn new_id(&mut self, kind: &str) -> String {
        self.issued += 1;
        ident(self.clinic.options.seed, self.person.i, kind, self.issued)
    }

    /// A number people can read out, unlike any other of its kind: patient number and count.
    pub(crate) fn number(&mut self, letter: char) -> String {
        self.issued += 1;
        format!("{letter}{}-{:04}", 100_000 + self.person.i, self.issued)
    }

    /// The clinician of a visit.
    pub(crate) fn clinician(&self, visit: &Visit) -> Staff {
        if visit.seat == self.doctor.seat {
            self.doctor.clone()
        } else {
            self.clinic.staff(pod_of(self.person.i), visit.seat)
        }
    }

    /// The place of a visit: a specialist's site may not be the patient's own, and for emergencies
    /// and stays it is the hospital.
    pub(crate) fn place(&self, visit: &Visit) -> SiteIds {
        match visit.kind {
            Kind::Emergency | Kind::Inpatient => self.clinic.hospital_ids(),
            _ if visit.seat < PRIMARY => self.site.clone(),
            _ => self.clinic.site_ids(site_of(visit.seat)),
        }
    }

    /// Whether a visit's results are back by now.
    pub(crate) fn is_resulted(&self, visit: &Visit) -> bool {
        visit.end().plus(240) <= self.clinic.now
    }
}

/// Writes everything that belongs to patient `i`.
pub(crate) fn write(clinic: &Clinic, i: u64, press: &mut Press<'_>) {
    let person = clinic.person(i);
    let bookings = clinic.bookings(&person);
    let history = clinic.history(&person, &bookings);
    let (pod, seat) = (pod_of(i), panel_seat(i));
    let cover = clinic.cover(&person);
    let mut chart = Chart {
        clinic,
        press,
        id: clinic.patient_id(i),
        site: clinic.site_ids(site_of(seat)),
        doctor: clinic.staff(pod, seat),
        nurse: clinic.staff(pod, SITE_NURSES + site_of(seat)),
        rng: Rng::of(clinic.options.seed, i, "chart"),
        person,
        history,
        bookings,
        cover,
        doses: Vec::new(),
        deductible: (0, 0),
        infected: false,
        reports: Vec::new(),
        issued: 0,
    };
    chart.doses = chart.plan_doses();
    chart.write_patient();
    chart.write_relatives();
    chart.write_coverage();
    chart.write_allergies();
    chart.write_encounters();
    chart.write_medications();
    chart.write_immunization_record();
    chart.write_care();
    chart.write_appointments();
    chart.write_messages();
    chart.write_inbox();
}

impl Kind {
    /// Whether the patient is there in person.
    pub(crate) const fn in_person(self) -> bool {
        !matches!(self, Self::Virtual)
    }

    /// Whether the visit looks at the whole person.
    pub(crate) const fn is_checkup(self) -> bool {
        matches!(self, Self::WellChild | Self::Checkup)
    }
}
