//! What frees a time: a visit that is called off, not come to, or moved, told by two versions of its Appointment
//! (<https://hl7.org/fhir/R4/appointment.html>). A version that was deleted or cannot be understood frees nothing,
//! and hides nothing of the versions around it.

use crate::appointment::{Answer, Appointment, Presence};
use crate::book::Place;
use crate::book::act::parsed_hit;
use crate::book::document::kept;
use crate::book::here::role_of;
use crate::book::load::{Loaded, extra};
use crate::book::reads::Reads;
use crate::occupied::Status;
use base::{Fault, Millis};
use record::{Hit, Session};

/// Versions of one appointment that a look goes back through.
const VERSIONS_MAX: usize = 32;
/// Reasons of calling off, and how those of kinds begin, by which who or what was to be there is not there
/// (<https://terminology.hl7.org/CodeSystem-appointment-cancellation-reason.html>).
const AWAY: [&str; 4] = ["prov", "maint", "oth-room", "oth-weath"];

/// A time that was freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    /// What names the round: the appointment and the version that freed it.
    pub key: String,
    /// When, with whom and for which visit.
    pub place: Place,
    /// Who or what was to be there may be away, by how it was freed: somebody else has the visit at its time now,
    /// or the reason says so. Then a person says whether it is offered.
    pub may_be_away: bool,
    /// Whose it was.
    pub(super) patient: Option<String>,
}

/// What an appointment freed since an instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FreedSince {
    /// Times that are still to come, the latest freed first.
    pub times: Vec<Freed>,
    /// Versions that could not be understood.
    pub faulty: u64,
}

/// The time that a version of an appointment freed: it was called off, not come to, or moved; none when it freed
/// none that is still to come.
///
/// # Errors
/// As a read.
pub async fn freed(session: &Session, id: &str, version: u64) -> Result<Option<Freed>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let Some(earlier) = version.checked_sub(1).filter(|earlier| *earlier > 0) else {
            return Ok(None);
        };
        let after = parsed_hit(reads.version("Appointment", id, version)?)?;
        let before = parsed_hit(reads.version("Appointment", id, earlier)?)?;
        Ok(freed_by(&before, &after, session.now()))
    })();
    reads.settle(outcome).await
}

/// The times that the versions of an appointment freed since an instant. `newest` is the version that was found;
/// each one before it is read once, and none that was replaced before then.
///
/// # Errors
/// As a read that can be tried again.
pub async fn freed_since(
    session: &Session,
    newest: Hit,
    since: Millis,
) -> Result<FreedSince, Fault> {
    let mut reads = Reads::new(session);
    let outcome = since_of(&mut reads, newest, since);
    reads.settle(outcome).await
}

fn since_of(reads: &mut Reads<'_>, newest: Hit, since: Millis) -> Result<FreedSince, Fault> {
    let mut found = FreedSince::default();
    let (id, mut version, mut written) = (newest.id.clone(), newest.version, newest.last_updated);
    let mut after = understood(Ok(newest), &mut found)?;
    for _ in 0..VERSIONS_MAX {
        if version <= 1 || written < since {
            break;
        }
        version -= 1;
        let before = understood(reads.version("Appointment", &id, version), &mut found)?;
        if let (Some(before), Some(after)) = (&before, &after) {
            found.times.extend(freed_by(before, after, reads.session.now()));
        }
        // Of one that cannot be read it is not known when it was written: what is before it is looked at.
        written = before.as_ref().map_or(written, |before| before.hit.last_updated);
        after = before;
    }
    Ok(found)
}

/// A version; none for one that was deleted, and for one that is not understood, which is counted.
fn understood(hit: Result<Hit, Fault>, found: &mut FreedSince) -> Result<Option<Loaded>, Fault> {
    match hit {
        Ok(hit) if hit.deleted => Ok(None),
        Ok(hit) => match parsed_hit(hit) {
            Ok(loaded) => Ok(Some(loaded)),
            Err(_odd) => {
                found.faulty += 1;
                Ok(None)
            }
        },
        Err(fault) if fault.status() < 500 => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn freed_by(before: &Loaded, after: &Loaded, now: Millis) -> Option<Freed> {
    let (was, is) = (&before.read, &after.read);
    let span = was.span.filter(|span| span.start > now)?;
    if was.status != Status::Booked || kept(before.document.root()).is_some() {
        return None;
    }
    let with = |of: &Appointment| {
        let all = of.participants.iter().filter(|one| one.answer != Answer::Declined);
        let all = all.filter_map(|one| one.actor.clone()).filter(|actor| !actor.is_patient());
        all.collect::<Vec<_>>()
    };
    let is_same_time = is.status.occupies() && is.span == was.span;
    let stays = is_same_time && with(is) == with(was);
    let told = is.span.is_some() || !is.status.occupies();
    if stays || !told {
        return None;
    }
    let site = was.participants.iter().find(|one| {
        one.required == Some(Presence::InformationOnly)
            && one.actor.as_ref().is_some_and(|actor| actor.resource_type() == "Location")
    });
    let site = site.and_then(|one| one.actor.clone())?;
    let mut others = with(was);
    others.retain(|actor| *actor != site);
    let reason = is.cancel_reason.as_deref().filter(|_| is.status == Status::Cancelled);
    Some(Freed {
        key: format!("{}.{}", after.hit.id, after.hit.version),
        place: Place {
            visit_type: was.visit_type.clone()?,
            site,
            start: span.start,
            with: others.into_iter().map(|actor| (role_of(&actor), actor)).collect(),
            modality: extra(before).modality,
        },
        may_be_away: is_same_time
            || reason.is_some_and(|reason| AWAY.iter().any(|kind| reason.starts_with(kind))),
        patient: was.patient().map(str::to_owned),
    })
}
