//! What stands in the way of somebody's yes, and what the page behind the link of an offer shows: when, what became
//! of it, and nothing of the patient or the visit (45 CFR 164.502(b)).

use super::list::own_later;
use super::offer::round;
use crate::actor::Actor;
use crate::book::act::load;
use crate::book::document::kept;
use crate::book::load::{Loaded, booked};
use crate::book::reads::Reads;
use crate::occupied::{Status, of_appointment};
use crate::rule::Rule;
use crate::time::{DAY_MS, Span, Wall, Zone, Zones};
use crate::waitlist::Offer;
use base::error::code::{LINK_OVER, SCHEDULING_BLOCKED};
use base::{Fault, Millis};
use record::{Linked, Session};

/// The code of [`Hinder::NotEarlier`], at the end of what its fault says.
pub const NOT_EARLIER: &str = "not-earlier";

/// Why somebody cannot have a time that is offered to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hinder {
    /// The visit that it would stand in for is not later: with a yes they would wait longer.
    NotEarlier,
    /// They have another visit at that time.
    OtherVisit,
}

impl Hinder {
    /// As whoever says yes for them is told. The code of what stands in the way ends it.
    pub(super) fn fault(self) -> Fault {
        let says = match self {
            Self::NotEarlier => format!(
                "the time is not earlier than the visit that it would stand in for ({NOT_EARLIER})"
            ),
            Self::OtherVisit => format!(
                "the patient has another visit at that time ({})",
                Rule::PatientDoubleBooked.code()
            ),
        };
        Fault::new(&SCHEDULING_BLOCKED, says)
    }
}

/// What the link of an offer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// What the clocks of the site show at the visit.
    pub wall: Wall,
    /// What became of it.
    pub offer: Offer,
    /// What the clocks of the site show when the offer runs out, while it is open.
    pub until: Option<Wall>,
    /// A later visit is called off with a yes.
    pub is_instead: bool,
    /// What stands in the way of a yes, while the offer is open.
    pub hinder: Option<Hinder>,
}

/// What the link of an offer shows.
///
/// # Errors
/// `record.link.over` when the offer cannot be found any more; as a read.
pub async fn shown(
    session: &Session,
    zones: &Zones,
    home: &Zone,
    linked: &Linked,
) -> Result<Shown, Fault> {
    let mut reads = Reads::new(session);
    let outcome = shows(&mut reads, zones, home, linked);
    reads.settle(outcome).await
}

fn shows(
    reads: &mut Reads<'_>,
    zones: &Zones,
    home: &Zone,
    linked: &Linked,
) -> Result<Shown, Fault> {
    let none = || Fault::new(&LINK_OVER, "this link is over; call the clinic");
    let over = |fault: Fault| if fault.status() < 500 { none() } else { fault };
    let key = linked.round.as_deref().ok_or_else(none)?;
    let (_, offers) = round(reads, key).map_err(over)?;
    let entry = load(reads, &linked.appointment)?;
    // One that was given to another patient since is none of this link's.
    if entry.read.patient() != Some(linked.patient.as_str()) {
        return Err(none());
    }
    let offer = offers.offer(&linked.appointment).ok_or_else(none)?;
    let zone = offers.zone.as_deref().and_then(|name| zones.find(name).ok());
    let zone = zone.as_ref().unwrap_or(home);
    let now = reads.session.now();
    let waits = entry.read.status == Status::WaitList;
    let (offer, until) = match offer {
        Offer::Open { until } if until <= now => (Offer::Expired, None),
        Offer::Open { .. } if !offers.is_open() || !waits => (Offer::Closed, None),
        Offer::Open { until } => (offer, Some(zone.wall(until))),
        other => (other, None),
    };
    let later = own_later(reads, &entry)?;
    let hinder = match until {
        Some(_) => hindered(reads, &entry, later.as_ref(), offers.span)?,
        None => None,
    };
    let is_instead = later.is_some() && hinder.is_none();
    Ok(Shown { wall: zone.wall(offers.span.start), offer, until, is_instead, hinder })
}

/// Why somebody who waits cannot have a time, as the records stand: the visit that it would stand in for is not
/// later, or another of theirs is then, as far as the caller may see.
pub(super) fn hindered(
    reads: &mut Reads<'_>,
    waiting: &Loaded,
    instead: Option<&Loaded>,
    span: Span,
) -> Result<Option<Hinder>, Fault> {
    if instead.is_some_and(|instead| !is_later(instead, span.start)) {
        return Ok(Some(Hinder::NotEarlier));
    }
    let patient = waiting.read.patient().and_then(|id| Actor::parse(&format!("Patient/{id}")));
    let patient = Vec::from_iter(patient);
    let (all, _) = booked(reads, &patient, span.padded(DAY_MS, 0), false)?;
    let own = |one: &&Loaded| {
        one.hit.id != waiting.hit.id && instead.is_none_or(|instead| instead.hit.id != one.hit.id)
    };
    // A hold keeps a place, and nobody from being anywhere else.
    let real = all.iter().filter(own).filter(|one| kept(one.document.root()).is_none());
    let mut busy = real.flat_map(|one| of_appointment(&one.hit.id, &one.read));
    let is_busy = busy.any(|(actor, busy)| patient.contains(&actor) && busy.span.overlaps(span));
    Ok(is_busy.then_some(Hinder::OtherVisit))
}

/// Whether a visit begins after an instant.
pub(super) fn is_later(visit: &Loaded, start: Millis) -> bool {
    visit.read.span.is_some_and(|span| span.start > start)
}
