//! The demo clinic: our own generator of a coherent synthetic multi-site clinic as FHIR R4 JSON
//! (<https://hl7.org/fhir/R4/>). It feeds `plummer generate`, `plummer serve --demo`, the
//! benchmarks and the tests. All people, places and events are invented. At eight years of history
//! a patient has about 115 resources of 1.3 KB: newcomers a handful, the old and ill several hundred.
//!
//! Pure: no I/O, no clock. What a patient has depends on (options but `patients`, patient number)
//! alone, so patients can be made in any order on any number of cores, and a larger clinic holds
//! every patient of a smaller one unchanged. Only slots know how many patients there are: they are
//! busy when the patient who would sit in them exists.

mod allergies;
mod appointments;
mod book;
mod calendar;
mod care;
pub mod cast;
mod catalog;
mod chart;
mod claims;
mod code;
mod coverage;
mod documents;
mod drugs;
mod encounter;
mod history;
mod immunizations;
mod inbox;
mod json;
mod labs;
mod medications;
mod messages;
mod names;
mod panels;
mod patient;
mod people;
mod places;
mod press;
mod problems;
mod random;
mod sites;
mod staff;
mod visit_types;
mod vitals;

use base::Millis;
use base::time::{civil_from_days, days_from_civil};
use calendar::{At, Day, day_of};
use press::Press;

pub use cast::Part;

/// What clinic to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How many patients.
    pub patients: u64,
    /// Another seed, another clinic.
    pub seed: u64,
    /// The day the demo is set on (year, month, day). The clinic's clock stands at a quarter past
    /// ten that morning.
    pub today: (i64, i64, i64),
    /// How far back the longest charts reach, 1 to 40.
    pub years_of_history: u8,
}

impl Options {
    /// Eight years of history.
    pub const fn new(patients: u64, seed: u64, today: (i64, i64, i64)) -> Self {
        Self { patients, seed, today, years_of_history: 8 }
    }

    /// Eight years of history up to the day that an instant falls on where the clinic is: in its evening
    /// the day is still today's, whatever it is in Greenwich.
    pub const fn at(patients: u64, seed: u64, now: Millis) -> Self {
        Self::new(patients, seed, civil_from_days(day_of(now)))
    }
}

/// One finished resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub resource_type: &'static str,
    pub id: String,
    /// Compact JSON, one line.
    pub json: String,
}

/// A clinic that can be asked for its parts.
#[derive(Debug, Clone)]
pub struct Clinic {
    options: Options,
    today: Day,
    now: At,
}

impl Clinic {
    /// The clinic of these options.
    pub fn new(options: Options) -> Self {
        let (year, month, day) = options.today;
        let years_of_history = options.years_of_history.clamp(1, 40);
        let today = days_from_civil(year, month, day);
        Self {
            options: Options { years_of_history, ..options },
            today,
            now: At::new(today, 10 * 60 + 15),
        }
    }

    /// How many patients it has.
    pub const fn patients(&self) -> u64 {
        self.options.patients
    }

    /// What all patients share: organizations, places, payers and drugs, then pod by pod the staff
    /// with their schedules and slots.
    pub fn shared(&self) -> impl Iterator<Item = Resource> + '_ {
        (0..=self.pods()).flat_map(|part| {
            let mut all = Vec::new();
            self.shared_part_into(part, &mut collect(&mut all));
            all
        })
    }

    /// The same, written to a sink as (type, id, JSON).
    pub fn shared_into(&self, sink: &mut dyn FnMut(&'static str, &str, &str)) {
        for part in 0..=self.pods() {
            self.shared_part_into(part, sink);
        }
    }

    /// Everything that belongs to patient `i`.
    pub fn patient(&self, i: u64) -> Vec<Resource> {
        let mut all = Vec::with_capacity(96);
        self.patient_into(i, &mut collect(&mut all));
        all
    }

    /// The same, written to a sink as (type, id, JSON): the fast way, nothing is allocated to hold
    /// the resource.
    pub fn patient_into(&self, i: u64, sink: &mut dyn FnMut(&'static str, &str, &str)) {
        chart::write(self, i, &mut Press::new(sink));
    }

    /// The whole clinic: first what is shared, then patient by patient.
    pub fn resources(&self) -> impl Iterator<Item = Resource> + '_ {
        self.shared().chain((0..self.options.patients).flat_map(|i| self.patient(i)))
    }

    fn shared_part_into(&self, part: u64, sink: &mut dyn FnMut(&'static str, &str, &str)) {
        let mut press = Press::new(sink);
        if part == 0 {
            self.write_sites(&mut press);
            self.write_desk_pool(&mut press);
        } else {
            self.write_staff(part - 1, &mut press);
            self.write_nurses_pool(part - 1, &mut press);
            self.write_book(part - 1, &mut press);
        }
    }

    // A clinic without patients still has its first pod of staff.
    fn pods(&self) -> u64 {
        self.options.patients.div_ceil(people::POD_SIZE).max(1)
    }
}

fn collect(all: &mut Vec<Resource>) -> impl FnMut(&'static str, &str, &str) {
    |resource_type, id, json| {
        all.push(Resource { resource_type, id: id.to_owned(), json: json.to_owned() });
    }
}
