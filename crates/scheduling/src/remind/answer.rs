//! What a patient answers by the link of a reminder, in a session that the link made: to come, to call off, or
//! not to be reminded any more. It works on the one appointment that the link is about, by the same service as
//! the desk, and shows the day and the hour and nothing of the patient or the visit.

use super::pass::type_of;
use super::whom::{CONTACT_SYSTEM, FLAG_SYSTEM, NO_REMINDERS, opts_out};
use crate::appointment::{Answer, Appointment};
use crate::book;
use crate::flow::State;
use crate::occupied::Status;
use crate::time::{Wall, Zone, Zones};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::write::Writer;
use record::{Kind, Level, Linked, SearchHow, Session, Work};

/// The reason that the patient called it off (`appointment-cancellation-reason`).
const BY_PATIENT: &str = "pat";

/// What the page of a link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What the clocks of the site show at the visit.
    pub wall: Wall,
    /// It stands.
    pub is_booked: bool,
    /// The patient said that they come.
    pub is_confirmed: bool,
    /// It was called off.
    pub is_cancelled: bool,
    /// The patient is there, or was.
    pub is_here: bool,
    /// The patient asked not to be reminded.
    pub is_left_alone: bool,
    pub(crate) version: u64,
    pub(crate) start: Millis,
}

impl Shown {
    /// Whether the visit is still to begin.
    pub fn is_ahead(&self, now: Millis) -> bool {
        now < self.start
    }
}

/// What a link is about, as it is now.
///
/// # Errors
/// `record.link.over` when the visit is gone; as a read.
pub async fn show(
    session: &Session,
    zones: &Zones,
    home: &Zone,
    linked: &Linked,
) -> Result<Shown, Fault> {
    let over = || Fault::new(&code::LINK_OVER, "this link is over; call the clinic");
    let read = match session.read(type_of("Appointment")?, &linked.appointment, None) {
        Ok(audited) => audited.into_inner().await?,
        Err(fault) if matches!(fault.status(), 404 | 410) => return Err(over()),
        Err(fault) => return Err(fault),
    };
    let document = Document::parse(read.body, &Limits::default())?;
    let visit = Appointment::read(document.root())?;
    let span = visit.span.ok_or_else(over)?;
    let mut patients = visit.participants.iter().filter(|one| {
        one.actor.as_ref().is_some_and(|actor| actor.is_patient() && actor.id() == linked.patient)
    });
    // One that was given to another patient since is none of this link's.
    let answer = patients.next().ok_or_else(over)?.answer;
    let zone = visit.zone.as_deref().and_then(|name| zones.find(name).ok());
    let zone = zone.as_ref().unwrap_or(home);
    let is_booked = visit.status == Status::Booked;
    Ok(Shown {
        wall: zone.wall(span.start),
        is_booked,
        is_confirmed: is_booked && answer == Answer::Accepted,
        is_cancelled: visit.status == Status::Cancelled,
        is_here: matches!(visit.status, Status::Arrived | Status::CheckedIn | Status::Fulfilled),
        is_left_alone: flagged(session, &linked.patient).await?,
        version: read.version,
        start: span.start,
    })
}

/// The patient comes. Said twice it is said once.
///
/// # Errors
/// `scheduling.flow.step` when the visit does not stand any more; `record.write.version-conflict`.
pub async fn confirm(session: &Session, linked: &Linked, shown: &Shown) -> Result<(), Fault> {
    if shown.is_confirmed {
        return Ok(());
    }
    stands(session, shown)?;
    book::next_state(session, &linked.appointment, shown.version, State::Confirmed).await.map(drop)
}

/// The patient does not come, and the time is free for another. Said twice it is said once.
///
/// # Errors
/// As [`confirm`].
pub async fn cancel(session: &Session, linked: &Linked, shown: &Shown) -> Result<(), Fault> {
    if shown.is_cancelled {
        return Ok(());
    }
    stands(session, shown)?;
    book::cancel(session, &linked.appointment, shown.version, BY_PATIENT).await.map(drop)
}

/// The patient asks not to be reminded any more, of any visit.
///
/// # Errors
/// As a write.
pub async fn no_more(session: &Session, linked: &Linked) -> Result<(), Fault> {
    if flagged(session, &linked.patient).await? {
        return Ok(());
    }
    let mut w = Writer::new();
    w.object().member("resourceType", "Flag").member("status", "active");
    w.key("category").array().object();
    coding(&mut w, FLAG_SYSTEM, "contact");
    w.end_object().end_array().key("code").object();
    coding(&mut w, CONTACT_SYSTEM, NO_REMINDERS);
    w.member("text", "No reminders").end_object();
    w.key("subject").object().member("reference", &format!("Patient/{}", linked.patient));
    w.end_object().key("period").object().member("start", &session.now().to_instant());
    w.end_object().end_object();
    let body = w.finish();
    let made = session.carry_out(Kind::Operation, |_| {
        let mut work = Work::new();
        work.create("Flag", body.clone());
        Ok(work)
    });
    made.await.map(drop)
}

fn coding(w: &mut Writer, system: &str, code: &str) {
    w.key("coding").array().object().member("system", system).member("code", code);
    w.end_object().end_array();
}

fn stands(session: &Session, shown: &Shown) -> Result<(), Fault> {
    if shown.is_booked && shown.is_ahead(session.now()) {
        return Ok(());
    }
    let say = "this visit can no longer be changed here; call the clinic";
    Err(Fault::new(&code::SCHEDULING_STEP, say))
}

async fn flagged(session: &Session, patient: &str) -> Result<bool, Fault> {
    let asked = vec![("patient".to_owned(), patient.to_owned())];
    let level = Level::Type(type_of("Flag")?);
    let found = session.search(level, asked, &SearchHow::default())?.into_inner().await?;
    Ok(found.page.matches.iter().any(|hit| {
        Document::parse(hit.body.clone(), &Limits::default())
            .is_ok_and(|flag| opts_out(flag.root(), session.now()))
    }))
}
