//! Opening a chart: many searches in one patient's compartment on one snapshot, under the caller's
//! scope, with one audit event that names everything shown (45 CFR 164.312(b)). Parts of a chart that
//! were read at different moments could contradict each other; read together they cannot.
//!
//! A chart says how much of each kind of record the caller can reach ([`Reach`]). That is told from the
//! caller's scope alone, never from what the chart holds: "some of these may be withheld from you" is
//! said to everybody of that scope, whether or not this patient has such a record, so that it tells
//! nothing of the patient (42 CFR 2.13(c)(1): that somebody has no such record is not told either).

use crate::find::SearchHow;
use crate::people::Patients;
use crate::session::{Audited, Session};
use crate::trail;
use access::{Action, Labels};
use audit::{Event, Kind};
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use search::parse::Level;
use store::{Extent, Hit, Page, Reader, Scope, Scoped};

/// Searches of one opening. A chart has some thirty parts.
const SEARCHES_MAX: usize = 64;

/// How much of one patient's records of a type the caller can reach, whatever there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All of them: what is shown is what there is.
    Whole,
    /// Some kinds may be kept back, if there are any: by their label, where a label is why.
    Part(Vec<&'static str>),
    /// None of them.
    Nothing,
}

/// What a part of a chart holds.
#[derive(Debug)]
pub struct ChartPart {
    /// How much of it the caller can reach.
    pub reach: Reach,
    /// Elements of such records are left out for the caller's role.
    pub masked: bool,
    /// The records.
    pub page: Page,
}

/// A chart while it is open: searches it on its snapshot.
pub struct OpenChart<'c> {
    session: &'c Session,
    reader: &'c Scoped<'c, Reader>,
    scope: &'c Scope,
    patient: &'c str,
    patients: Patients,
    results: u64,
    bytes: u64,
    left: usize,
}

impl std::fmt::Debug for OpenChart<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenChart").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the chart of a patient and has `gather` read from it.
    ///
    /// # Errors
    /// `record.read.not-found` or `record.read.gone` for the patient, also when it is not the caller's to
    /// see; whatever `gather` answers.
    pub fn chart<T>(
        &self,
        patient: &str,
        gather: impl FnOnce(&mut OpenChart<'_>) -> Result<T, Fault>,
    ) -> Result<Audited<T>, Fault> {
        let mut event = self.event(Kind::ChartOpened);
        match self.opened(&mut event, patient, gather) {
            Ok(value) => self.audited(&event, value),
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn opened<T>(
        &self,
        event: &mut Event,
        patient: &str,
        gather: impl FnOnce(&mut OpenChart<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let of = patient_type()?;
        if !is_id(patient) {
            return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
        }
        event.targets.push(trail::target(of, patient, None));
        // The same refusals as a read of the patient, in the same words.
        self.look(of, patient, None)?;
        let scope = self.scope(Action::Search)?;
        let reader = self.gate.store.reader(&scope)?;
        let mut patients = Patients::default();
        patients.add(patient);
        let mut chart = OpenChart {
            session: self,
            reader: &reader,
            scope: &scope,
            patient,
            patients,
            results: 0,
            bytes: 0,
            left: SEARCHES_MAX,
        };
        let value = gather(&mut chart)?;
        (event.results, event.bytes) = (chart.results, chart.bytes);
        event.patients = chart.patients.into_ids();
        Ok(value)
    }
}

impl OpenChart<'_> {
    /// The logical id of the patient.
    pub const fn patient(&self) -> &str {
        self.patient
    }

    /// As [`Session::home_state`].
    pub fn home_state(&self) -> Option<&str> {
        self.session.home_state()
    }

    /// The Patient itself, as of the snapshot.
    ///
    /// # Errors
    /// `record.read.not-found` when the caller may not find it.
    pub fn person(&mut self) -> Result<Hit, Fault> {
        let found = self.reader.read(patient_type()?, self.patient)?.filter(|hit| !hit.deleted);
        let mut hit = found
            .ok_or_else(|| Fault::new(&code::NOT_FOUND, "no record of this type has this id"))?;
        self.shown(&hit);
        self.session.prune(&mut hit)?;
        Ok(hit)
    }

    /// Searches the patient's records of one type. A type of which the caller sees nothing is answered
    /// empty, with [`Reach::Nothing`].
    ///
    /// # Errors
    /// Codes `search.*`; `search.query.too-many` after 64 searches of one opening.
    pub fn search(&mut self, of: TypeId, query: &[(&str, &str)]) -> Result<ChartPart, Fault> {
        let reach = match self.scope.extent(of, self.patient) {
            Extent::Whole => Reach::Whole,
            Extent::Nothing => Reach::Nothing,
            Extent::Part(bits) => Reach::Part(names(bits)),
        };
        let masked = self.session.mask().is_some_and(|mask| mask.hides_some(of));
        if reach == Reach::Nothing || !self.scope.sees_type(of) {
            return Ok(ChartPart { reach: Reach::Nothing, masked, page: Page::default() });
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            let text = format!("one opening of a chart makes {SEARCHES_MAX} searches at most");
            Fault::new(&code::SEARCH_TOO_MANY, text)
        })?;
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let pairs: Vec<(String, String)> = query.iter().map(owned).collect();
        let focus_type = patient_type()?;
        let id = self.patient.to_owned();
        let level = Level::Compartment { focus_type, id, of: Some(of) };
        let options = self.session.options(&SearchHow::default());
        let search = search::parse::parse(&level, &pairs, &options)?;
        let mut page = self.reader.search(&search, &self.session.page_request(&search, None))?;
        for hit in page.matches.iter().chain(&page.included) {
            self.results += 1;
            self.bytes += hit.body.len() as u64;
            self.patients.of_hit(hit);
        }
        self.session.prune_all(page.matches.iter_mut().chain(&mut page.included))?;
        Ok(ChartPart { reach, masked, page })
    }

    fn shown(&mut self, hit: &Hit) {
        self.results += 1;
        self.bytes += hit.body.len() as u64;
        self.patients.of_hit(hit);
    }
}

fn names(bits: u64) -> Vec<&'static str> {
    Labels::from_bits(bits).codings().map(|label| label.name).collect()
}

fn patient_type() -> Result<TypeId, Fault> {
    r4().resource_type("Patient")
        .ok_or_else(|| Fault::new(&code::INTERNAL, "the definitions have no Patient"))
}
