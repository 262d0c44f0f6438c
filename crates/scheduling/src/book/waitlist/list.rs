//! The list itself: who waits. An entry is put in once by each form, changed at the version that was looked at,
//! and taken out by being called off, so that nothing of it is lost.

use super::entry::{Waiting, Wish, document, patient_of};
use crate::book::act::{conflict, create_once, form_id, load, of_version, parsed_hit, update};
use crate::book::document::{is_ahead, patient_name};
use crate::book::here::read_visit_type;
use crate::book::load::{Loaded, Names};
use crate::book::reads::{Found, Reads, parsed};
use crate::book::{FORM, Listed};
use crate::occupied::Status;
use base::error::code::{SCHEDULING_CALENDAR, SCHEDULING_OFFER};
use base::{Fault, Millis, Phi};
use fhir::write::Writer;
use record::Session;

/// Entries that one look at the list reads.
pub const LIST_MAX: usize = 2_000;
/// Sites, and people, that one wish names.
const CHOICES_MAX: usize = 20;
/// Minutes of notice: two weeks.
const NOTICE_MAX: u32 = 14 * 24 * 60;
/// The reason of what is taken out (`appointment-cancellation-reason`).
const TAKEN_OUT: &str = "other";

/// Puts somebody on the list. `form` is the form's own id, as of [`crate::book::Booking::form`].
///
/// # Errors
/// `scheduling.calendar.invalid`; as a write.
pub async fn put(session: &Session, wish: &Wish, form: &str) -> Result<Waiting, Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        form_id(form)?;
        let (wish, title) = checked(&mut reads, wish)?;
        let again = |one: &Waiting| one.wish.visit_type == wish.visit_type;
        let pairs = [("patient", format!("Patient/{}", wish.patient))];
        let mine = entries(&mut reads, &pairs)?;
        if let Some(before) = mine.iter().find(|one| again(one)) {
            let found = [("identifier", format!("{FORM}|{form}"))];
            let same = reads.search("Appointment", &found, 1)?.matches;
            return match same.iter().any(|hit| hit.id == before.id) {
                true => Ok(before.clone()),
                false => Err(invalid("they wait for this visit already; change that entry")),
            };
        }
        let mut w: Writer = wish.write(&title, None, None);
        w.member("created", &session.now().to_instant());
        w.key("identifier").array().object().member("system", FORM).member("value", form);
        w.end_object().end_array();
        let (hit, _) = create_once(session, document(w)?.text().as_bytes().to_vec(), form).await?;
        read(&mut reads, &parsed_hit(hit)?)
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// Changes what somebody waits for. Whom it is about stays.
///
/// # Errors
/// `record.write.version-conflict`; `scheduling.offer.closed` for one that waits no longer; as [`put`].
pub async fn change(
    session: &Session,
    id: &str,
    version: u64,
    wish: &Wish,
) -> Result<Waiting, Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = waits(of_version(&mut reads, id, version)?)?;
        if patient_of(&loaded.read).as_ref() != Some(&wish.patient) {
            return Err(conflict());
        }
        let (wish, title) = checked(&mut reads, wish)?;
        let body = document(wish.write(&title, Some(id), Some(loaded.document.root())))?;
        let hit = update(session, &loaded.hit, body.text().as_bytes().to_vec()).await?;
        read(&mut reads, &parsed_hit(hit)?)
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// Takes somebody off the list.
///
/// # Errors
/// As [`change`].
pub async fn remove(session: &Session, id: &str, version: u64) -> Result<(), Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = waits(of_version(&mut reads, id, version)?)?;
        let mut appointment = loaded.read.clone();
        appointment.status = Status::Cancelled;
        appointment.cancel_reason = Some(TAKEN_OUT.to_owned());
        let body = appointment.write_onto(Some(loaded.document.root()), None)?;
        update(session, &loaded.hit, body).await.map(drop)
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// Who waits, as far as the caller may see: the most urgent first, then who waits longest.
///
/// # Errors
/// As a search.
pub async fn listed(session: &Session) -> Result<Listed<Waiting>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = entries(&mut reads, &[]).map(|mut rows| {
        rows.sort_by_key(|one| (std::cmp::Reverse(one.wish.urgency), one.since));
        rows
    });
    let more = reads.partial;
    Ok(Listed { rows: reads.settle(outcome).await?, more })
}

/// One entry.
///
/// # Errors
/// As a read; `scheduling.offer.closed` for one that waits no longer.
pub async fn waiting(session: &Session, id: &str) -> Result<Waiting, Fault> {
    let mut reads = Reads::new(session);
    let outcome = load(&mut reads, id).and_then(waits).and_then(|one| read(&mut reads, &one));
    reads.settle(outcome).await
}

/// Entries, of all or of some, with their patients' names.
pub(super) fn entries(
    reads: &mut Reads<'_>,
    pairs: &[(&str, String)],
) -> Result<Vec<Waiting>, Fault> {
    let mut asked = vec![
        ("status", Status::WaitList.as_str().to_owned()),
        ("_include", "Appointment:patient".to_owned()),
    ];
    asked.extend_from_slice(pairs);
    let found = reads.search("Appointment", &asked, LIST_MAX)?;
    let names = names(&found)?;
    let mut rows = Vec::with_capacity(found.matches.len());
    for hit in found.matches {
        // One that is not understood, of another system, is not on the list and hides nobody else.
        match parsed_hit(hit).map(|loaded| Waiting::of(&loaded, &names)) {
            Ok(Some(one)) => rows.push(one),
            Ok(None) | Err(_) => reads.partial = true,
        }
    }
    Ok(rows)
}

fn names(found: &Found) -> Result<Names, Fault> {
    let mut names = Names::new();
    for hit in &found.included {
        if let Some(name) = patient_name(parsed(hit)?.root()) {
            names.push((hit.id.clone(), name));
        }
    }
    Ok(names)
}

/// An entry as it is, with its patient's name where the caller may see it.
fn read(reads: &mut Reads<'_>, loaded: &Loaded) -> Result<Waiting, Fault> {
    let patient = patient_of(&loaded.read).unwrap_or_default();
    let name = match reads.read("Patient", &patient) {
        Ok(hit) => patient_name(parsed(&hit)?.root()),
        Err(_hidden) => None,
    };
    let names: Names = name.map(|name: Phi<String>| (patient, name)).into_iter().collect();
    Waiting::of(loaded, &names).ok_or_else(over)
}

/// A record that somebody waits by.
pub(super) fn waits(loaded: Loaded) -> Result<Loaded, Fault> {
    if loaded.read.status == Status::WaitList { Ok(loaded) } else { Err(over()) }
}

/// A wish that makes sense, and what its visit is called.
fn checked(reads: &mut Reads<'_>, wish: &Wish) -> Result<(Wish, String), Fault> {
    let mut wish = wish.clone();
    let visit = read_visit_type(reads, &wish.visit_type)?;
    if !visit.active {
        return Err(invalid("this visit is not booked any more; choose another"));
    }
    reads.read("Patient", &wish.patient)?;
    if wish.sites.len().max(wish.with.len()) > CHOICES_MAX {
        return Err(invalid("name at most 20 sites and 20 people"));
    }
    if wish.notice_minutes > NOTICE_MAX {
        return Err(invalid("nobody needs more than 14 days of notice to come"));
    }
    if wish.times.is_some_and(|(from, until)| from >= until) {
        return Err(invalid("the time of day until which they can come is after that from which"));
    }
    if let Some(id) = wish.instead_of.clone() {
        let later = load(reads, &id)?;
        let own = patient_of(&later.read).as_ref() == Some(&wish.patient);
        let start = later.read.span.map(|span| span.start);
        let start = start.filter(|start| *start > reads.session.now());
        let Some(start) = start.filter(|_| own && is_ahead(later.read.status)) else {
            return Err(invalid("the visit to be had earlier is theirs, and has not begun"));
        };
        // A time that is not earlier is no help.
        let before = Millis(start.0.saturating_sub(1));
        wish.latest = Some(wish.latest.map_or(before, |latest| latest.min(before)));
    }
    if wish.latest.is_some_and(|latest| wish.earliest.is_some_and(|from| from > latest)) {
        return Err(invalid("the last day that suits is not before the first"));
    }
    Ok((wish, visit.title))
}

fn over() -> Fault {
    Fault::new(&SCHEDULING_OFFER, "they are not on the waiting list any more")
}

fn invalid(says: &str) -> Fault {
    Fault::new(&SCHEDULING_CALENDAR, says)
}
