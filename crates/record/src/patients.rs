//! Finding a patient as people at a front desk do: one line of text, answered with the few patients it
//! may mean, under the caller's own scope and element mask (45 CFR 164.502(b), 164.514(d)(2)). One
//! audit event names the patients who were shown (45 CFR 164.312(b)).

use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::{Document, Value};
use privacy::reach::is_confidential;
use search::people::ask::{Misread, Question, Seen};
use search::people::judge::{NameRank, NumberRank, Rank};
use search::people::{self};
use search::registry::registry;
use store::{Hit, PeopleAsk};

/// Patients of one answer: more than fit a box that is read at a glance help nobody.
pub const PATIENTS_MAX: usize = 20;
/// Digits of a phone that are shown: enough to ask for, too few to call.
const PHONE_END: usize = 4;
const YEAR_MS: i64 = 31_556_952_000;

/// What a find found.
#[derive(Debug, Clone, Default)]
pub struct PatientsFound {
    /// The patients, the best fitting first.
    pub rows: Vec<PatientRow>,
    /// There are more: another letter, or a date of birth, narrows it.
    pub more: bool,
    /// Nobody is all that was asked for; these are found by the name alone, and the door says so.
    pub by_name_alone: bool,
}

/// A patient as a find box shows it. What is hidden from the caller is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatientRow {
    /// The logical id.
    pub id: String,
    /// The version shown.
    pub version: u64,
    /// The family name as it is written.
    pub family: Option<String>,
    /// The given names as they are written, with blanks between.
    pub given: Option<String>,
    /// The name as a whole, where it is not taken apart.
    pub name: Option<String>,
    /// `birthDate` as FHIR writes it, perhaps a year or month only.
    pub born: Option<String>,
    /// `gender`: `male`, `female`, `other`, `unknown`.
    pub sex: Option<String>,
    /// The identifiers, medical record numbers first.
    pub identifiers: Vec<PatientIdentifier>,
    /// The last four digits of a phone.
    pub phone_end: Option<String>,
    /// The patient has died.
    pub deceased: bool,
    /// `active` is not false.
    pub active: bool,
    /// The record was merged into this one (`link.type` is `replaced-by`).
    pub replaced_by: Option<String>,
    /// How it fits the question.
    pub fits: Fits,
    /// Another patient whom the caller may see is called the same, or sounds so and was born on the same
    /// day: look twice.
    pub warning: Option<SameName>,
}

/// An identifier of a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientIdentifier {
    /// `type.coding.code` of HL7 table 0203 (`MR`, `SS`, `DL`), when it says one.
    pub kind: Option<String>,
    /// Whose number it is.
    pub system: Option<String>,
    /// The number.
    pub value: String,
}

/// How a patient fits a question, in the order of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Fits {
    /// As it was typed.
    #[default]
    Exactly,
    /// It begins so.
    Beginning,
    /// By what bearers of the name are called.
    Nickname,
    /// By its sound.
    Sound,
}

/// Why a patient is easily taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameName {
    /// Another has the same family and given name.
    Same,
    /// Another sounds alike and was born on the same day.
    SoundsAlike,
}

impl Session {
    /// Finds patients by one line: names or their beginnings in either order, nicknames, how a name
    /// sounds, a date of birth in any common form, an identifier, the last digits of a phone, a
    /// member number. At most [`PATIENTS_MAX`] are shown.
    ///
    /// # Errors
    /// `search.find.unreadable` when nothing in the line names anybody whom the caller may find by it;
    /// `search.query.too-costly`; `access.denied`.
    pub fn find_patients(&self, line: &str, limit: usize) -> Result<Audited<PatientsFound>, Fault> {
        let mut event = self.event(Kind::Search);
        event.targets = vec![Target::of_type("Patient")];
        event.query = Some(trail::digest(&[("find".to_owned(), line.to_owned())]));
        match self.find_line(line, limit.clamp(1, PATIENTS_MAX)) {
            Ok((found, hits)) => {
                trail::shows(&mut event, &hits);
                self.audited(&event, found)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn find_line(&self, line: &str, limit: usize) -> Result<(PatientsFound, Vec<Hit>), Fault> {
        let of = patient_type();
        let scope = self.scope_of(Action::Search, of)?;
        let question = Question::read(line, self.year()).map_err(unreadable)?;
        let seen = self.seen(of);
        let question = question.within(&seen).ok_or_else(|| {
            Fault::new(
                &code::FIND_UNREADABLE,
                "a part of the line names nothing that you may find by",
            )
        })?;
        let reader = self.gate.store.reader(&scope)?;
        let steps_max = self.limits().search_steps;
        let people = reader.people(&PeopleAsk { question: &question, seen, limit, steps_max })?;
        drop(reader);
        let mut out = PatientsFound {
            rows: Vec::with_capacity(people.found.len()),
            more: people.more,
            by_name_alone: people.by_name_alone,
        };
        let mut hits = Vec::with_capacity(people.found.len());
        for person in people.found {
            let mut hit = person.hit;
            self.prune(&mut hit)?;
            let warning = match (person.same_name, person.sounds_alike) {
                (true, _) => Some(SameName::Same),
                (false, true) => Some(SameName::SoundsAlike),
                (false, false) => None,
            };
            let row = self.patient_row(&hit)?;
            out.rows.push(PatientRow { fits: fits(person.rank), warning, ..row });
            hits.push(hit);
        }
        Ok((out, hits))
    }

    /// What of a patient the caller may see, and so find by.
    pub(crate) fn seen(&self, of: TypeId) -> Seen {
        let hidden = self.hidden();
        let sees = |of: TypeId, parameter: &str| {
            let found = registry().parameter(of, parameter);
            found.is_some_and(|p| !hidden.as_ref().is_some_and(|hidden| hidden.hides(of, p)))
        };
        let coverage = r4().resource_type("Coverage").unwrap_or(of);
        Seen {
            name: ["name", "family", "given"].into_iter().all(|p| sees(of, p)),
            born: sees(of, "birthdate"),
            phone: sees(of, "phone"),
            identifier: sees(of, "identifier"),
            member: sees(coverage, "identifier") && sees(coverage, "beneficiary"),
        }
    }

    /// What a box shows of a patient whose body holds what the caller may see.
    pub(crate) fn patient_row(&self, hit: &Hit) -> Result<PatientRow, Fault> {
        let document = Document::parse(hit.body.clone(), self.limits())?;
        Ok(row(hit, document.root()))
    }

    fn year(&self) -> u32 {
        // A day more or less at the turn of a year decides whether an infant's year is a year.
        u32::try_from(1970 + self.now().0.div_euclid(YEAR_MS)).unwrap_or(1970)
    }
}

/// The type of patients.
pub(crate) fn patient_type() -> TypeId {
    r4().resource_type("Patient").unwrap_or(TypeId(u16::MAX))
}

fn unreadable(why: Misread) -> Fault {
    let text = match why {
        Misread::Empty => "type a name, a date of birth, an identifier or digits of a phone",
        Misread::TooLong => "the line has more parts than anybody is found by; type fewer",
    };
    Fault::new(&code::FIND_UNREADABLE, text)
}

fn fits(rank: Rank) -> Fits {
    let name = match rank.name {
        NameRank::Exact | NameRank::ExactGiven => Fits::Exactly,
        NameRank::Begins | NameRank::AllBegin => Fits::Beginning,
        NameRank::Called => Fits::Nickname,
        NameRank::Sounds => Fits::Sound,
    };
    let number = match rank.number {
        NumberRank::Whole | NumberRank::Part => Fits::Exactly,
        NumberRank::Begins => Fits::Beginning,
    };
    name.max(number)
}

fn row(hit: &Hit, patient: Value<'_>) -> PatientRow {
    let name = present_name(patient);
    let said = |member: &str| name.and_then(|n| n.get_str(member)).map(|text| text.into_owned());
    let givens: Vec<_> = name
        .and_then(|n| n.get("given"))
        .into_iter()
        .flat_map(Value::each)
        .filter_map(Value::as_str)
        .collect();
    let given = (!givens.is_empty()).then(|| givens.join(" "));
    let family = said("family");
    let whole = said("text").filter(|_| family.is_none() && given.is_none());
    let died = patient.get("deceasedBoolean").and_then(Value::as_bool) == Some(true);
    let replaced = each(patient, "link")
        .find(|link| link.get_str("type").is_some_and(|kind| kind == "replaced-by"));
    let other = replaced.and_then(|link| link.get("other")?.get_str("reference"));
    PatientRow {
        id: hit.id.clone(),
        version: hit.version,
        family,
        given,
        name: whole,
        born: patient.get_str("birthDate").map(|text| text.into_owned()),
        sex: patient.get_str("gender").map(|text| text.into_owned()),
        identifiers: identifiers(patient),
        phone_end: phones(patient).next(),
        deceased: died || patient.get("deceasedDateTime").is_some(),
        active: patient.get("active").and_then(Value::as_bool) != Some(false),
        replaced_by: other.and_then(|text| text.strip_prefix("Patient/").map(str::to_owned)),
        ..PatientRow::default()
    }
}

/// The name somebody bears now: the official one, else one that is in use, else the first.
fn present_name(patient: Value<'_>) -> Option<Value<'_>> {
    let rank = |name: &Value<'_>| match name.get_str("use").as_deref() {
        Some("official") => 0,
        Some("usual") => 1,
        None => 2,
        Some("old" | "maiden") => 4,
        Some(_) => 3,
    };
    each(patient, "name").min_by_key(rank)
}

fn identifiers(patient: Value<'_>) -> Vec<PatientIdentifier> {
    let mut out: Vec<PatientIdentifier> = each(patient, "identifier")
        .filter_map(|identifier| {
            let coding = identifier.get("type").into_iter().flat_map(|of| each(of, "coding"));
            let text = |member: &str| identifier.get_str(member).map(|text| text.into_owned());
            Some(PatientIdentifier {
                kind: coding.filter_map(|c| c.get_str("code")).next().map(|c| c.into_owned()),
                system: text("system"),
                value: text("value")?,
            })
        })
        .collect();
    out.sort_by_key(|identifier| identifier.kind.as_deref() != Some("MR"));
    out
}

fn phones(patient: Value<'_>) -> impl Iterator<Item = String> {
    let phones = each(patient, "telecom")
        .filter(|point| point.get_str("system").is_some_and(|system| system == "phone"))
        .filter(|point| !is_confidential(*point));
    phones.filter_map(|point| {
        let digits = people::digits(&point.get_str("value")?);
        digits.get(digits.len().checked_sub(PHONE_END)?..).map(str::to_owned)
    })
}

pub(crate) fn each<'v>(of: Value<'v>, member: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    of.get(member).into_iter().flat_map(Value::each)
}
