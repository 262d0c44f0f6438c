//! An appointment as pages show one, read out of a FHIR Appointment
//! (<https://hl7.org/fhir/R4/appointment.html>).

use crate::answer::is_nothing;
use crate::person::{Person, concept, list, text};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, is_id, parse};
use record::{Level, SearchHow, Session};
use scheduling::book::{self, Visit as Booked};
use std::collections::HashMap;

/// An appointment.
#[derive(Clone, Default)]
pub(crate) struct Booking {
    pub(crate) status: String,
    /// The patient said that they come.
    pub(crate) is_confirmed: bool,
    /// As it stands in the record: with the offset of the place it is at.
    pub(crate) start: String,
    /// What it is for, in words of whoever booked it.
    description: String,
    /// The code of its kind (HL7 table 0276).
    kind: String,
    pub(crate) patient: Option<String>,
    /// Whom the patient comes to see, as the appointment calls them.
    pub(crate) with: Vec<String>,
}

/// It is about a person.
impl std::fmt::Debug for Booking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Booking")
    }
}

impl Booking {
    /// What it is for. Those who may not read why somebody comes are told its kind alone.
    pub(crate) fn purpose(&self, lang: Lang) -> &str {
        if !self.description.is_empty() {
            return &self.description;
        }
        kind_word(&self.kind).map_or(&self.kind, |word| word.of(lang))
    }
}

/// The system of the kinds of appointments.
pub(crate) const KINDS: &str = "http://terminology.hl7.org/CodeSystem/v2-0276";

/// A kind of appointment in words (<https://hl7.org/fhir/R4/v2/0276/index.html>); what the table says
/// there are explanations, "default if not valued" among them.
pub(crate) fn kind_word(code: &str) -> Option<Word> {
    Some(match code {
        "CHECKUP" => words::CHECKUP,
        "EMERGENCY" => words::URGENT,
        "FOLLOWUP" => words::FOLLOW_UP,
        "ROUTINE" => words::ROUTINE,
        "WALKIN" => words::WALK_IN,
        _ => return None,
    })
}

/// Appointments, and those of their patients whom the caller may see.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) bookings: Vec<Booking>,
    pub(crate) people: HashMap<String, Person>,
    /// There are more than are shown.
    pub(crate) more: bool,
}

/// The number of a resource type.
///
/// # Errors
/// Never for a type of R4.
pub(crate) fn type_id(name: &str) -> Result<TypeId, Fault> {
    r4().resource_type(name).ok_or_else(|| Fault::new(&code::INTERNAL, "R4 has no such type"))
}

/// The appointments that a search finds, with their patients.
///
/// # Errors
/// As of any search.
pub(crate) fn find(
    session: &Session,
    mut pairs: Vec<(String, String)>,
    count: usize,
) -> Result<Book, Fault> {
    pairs.push(("_count".to_owned(), count.to_string()));
    pairs.push(("_include".to_owned(), "Appointment:patient".to_owned()));
    let level = Level::Type(type_id("Appointment")?);
    let found = session.search(level, pairs, &SearchHow::default())?.wait()?;
    let mut book = Book { more: found.next.is_some(), ..Book::default() };
    for hit in &found.page.matches {
        // A hold whose time has passed is nothing any more.
        if book::is_lapsed(&hit.body, session.now()) {
            continue;
        }
        book.bookings.push(read(hit.body.clone())?);
    }
    for hit in &found.page.included {
        book.people.insert(hit.id.clone(), Person::read(hit)?);
    }
    Ok(book)
}

fn read(body: Vec<u8>) -> Result<Booking, Fault> {
    let document = Document::parse(body, &Limits::default())?;
    let root = document.root();
    let mut booking = Booking {
        status: text(root, "status"),
        start: text(root, "start"),
        description: text(root, "description"),
        ..Booking::default()
    };
    if booking.description.is_empty() {
        booking.description = list(root, "serviceType").find_map(concept).unwrap_or_default();
    }
    if let Some(kind) = root.get("appointmentType") {
        let code = list(kind, "coding").next().map(|coding| text(coding, "code"));
        booking.kind = code.or_else(|| concept(kind)).unwrap_or_default();
    }
    for participant in list(root, "participant") {
        let Some(actor) = participant.get("actor") else { continue };
        let reference = text(actor, "reference");
        let Some(Reference::Relative(target)) = parse(&reference) else { continue };
        match target.resource_type {
            "Patient" => {
                booking.patient = Some(target.id.to_owned());
                booking.is_confirmed = text(participant, "status") == "accepted";
            }
            "Practitioner" | "PractitionerRole" => {
                let shown = text(actor, "display");
                booking.with.extend((!shown.is_empty()).then_some(shown));
            }
            _ => {}
        }
    }
    Ok(booking)
}

/// The appointment of an id; nothing where there is none for whoever asks.
///
/// # Errors
/// As a read.
pub(crate) fn booked(visit: &Visit, id: &str) -> Result<Option<Booked>, Fault> {
    if !is_id(id) {
        return Ok(None);
    }
    match wait(book::appointment(&visit.session, id)) {
        Ok(booked) => Ok(Some(booked)),
        Err(fault) if is_nothing(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_appointment_is_read_with_who_comes_and_whom_they_see() {
        let body = br#"{"resourceType":"Appointment","status":"booked","description":"Office visit","start":"2026-11-23T09:30:00-06:00","minutesDuration":30,"participant":[{"actor":{"reference":"Patient/ada","display":"Ada"}},{"actor":{"reference":"Practitioner/p","display":"Dr. Lee"}},{"actor":{"reference":"Location/l"}},{"status":"accepted"}]}"#;
        let booking = read(body.to_vec()).expect("an appointment");
        assert_eq!(booking.patient.as_deref(), Some("ada"));
        assert_eq!(booking.with, ["Dr. Lee"]);
        assert_eq!(format!("{booking:?}"), "Booking");
        let bare = read(br#"{"appointmentType":{"coding":[{"code":"WALKIN"}]}}"#.to_vec());
        assert_eq!(bare.expect("read").purpose(Lang::En), "Walk-in");
        let odd = read(br#"{"appointmentType":{"text":"Home visit"}}"#.to_vec());
        assert_eq!(odd.expect("read").purpose(Lang::En), "Home visit");
    }
}
