//! The list itself: who waits. An entry is put in once by each form, changed at the version that was looked at,
//! and taken out by being called off, so that nothing of it is lost.

use super::entry::{ENTRY, Waiting, Wish, document};
use crate::book::Listed;
use crate::book::act::{
    by_form, conflict, form_id, load, of_version, parsed_hit, update, update_if, written,
};
use crate::book::document::{is_ahead, patient_name};
use crate::book::here::read_visit_type;
use crate::book::load::{Loaded, Names};
use crate::book::reads::{Found, Reads, parsed};
use crate::occupied::Status;
use base::error::code::{SCHEDULING_CALENDAR, SCHEDULING_OFFER};
use base::{Fault, Millis, Phi};
use fhir::Value;
use fhir::write::Writer;
use record::{Conditions, Eyes, Kind, Session, Work};

/// Entries that one look at the list reads.
pub const LIST_MAX: usize = 2_000;
/// Entries of one patient.
const OWN_MAX: usize = 200;
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
        if let Some(before) = by_form(&mut reads, form)? {
            return repeated(&mut reads, before, wish);
        }
        let (wish, title) = checked(&mut reads, wish, None)?;
        waits_once(&mut reads, &wish, None)?;
        let mut w: Writer = wish.write(&title, (None, Some(form)), None);
        w.member("created", &session.now().to_instant());
        let body = document(w)?.text().as_bytes().to_vec();
        // What was looked at above holds when it is written: of two forms for one visit one is refused.
        let unless = format!("identifier={ENTRY}|{}&status=waitlist", wish.key());
        let made = session.carry_out(Kind::Operation, |_| {
            let mut work = Work::new();
            work.create_once("Appointment", body.clone(), &unless);
            Ok(work)
        });
        let (hit, is_new) = written(made.await?)?;
        let made = parsed_hit(hit)?;
        let is_own =
            is_new || by_form(&mut reads, form)?.is_some_and(|own| own.hit.id == made.hit.id);
        if is_own { read(&mut reads, &made) } else { Err(twice()) }
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
        if loaded.read.patient() != Some(wish.patient.as_str()) {
            return Err(conflict());
        }
        let (wish, title) = checked(&mut reads, wish, Some(&loaded))?;
        waits_once(&mut reads, &wish, Some(id))?;
        let old = Some(loaded.document.root());
        let body = document(wish.write(&title, (Some(id), None), old))?.text().as_bytes().to_vec();
        let once = Some(still_once(&wish, &loaded));
        let hit = update_if(session, &loaded.hit, body, once).await?;
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
    let outcome = entries(&mut reads, &[], LIST_MAX).map(|mut rows| {
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
    most: usize,
) -> Result<Vec<Waiting>, Fault> {
    let mut asked = vec![
        ("status", Status::WaitList.as_str().to_owned()),
        ("_include", "Appointment:patient".to_owned()),
    ];
    asked.extend_from_slice(pairs);
    let found = reads.search("Appointment", &asked, most)?;
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
    let patient = loaded.read.patient().unwrap_or_default().to_owned();
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

/// A form that was sent before: what it did stands, if it did this.
fn repeated(reads: &mut Reads<'_>, before: Loaded, wish: &Wish) -> Result<Waiting, Fault> {
    if before.read.patient() != Some(wish.patient.as_str()) {
        return Err(invalid("this form was sent for another patient; open it again"));
    }
    waits(before).and_then(|before| read(reads, &before))
}

/// That nobody waits for one visit by two entries; `but` is the one that is being changed.
fn waits_once(reads: &mut Reads<'_>, wish: &Wish, but: Option<&str>) -> Result<(), Fault> {
    let own = [("patient", format!("Patient/{}", wish.patient))];
    let mut all = entries(reads, &own, OWN_MAX)?.into_iter();
    let is_other = |one: &Waiting| but != Some(one.id.as_str());
    match all.any(|one| is_other(&one) && one.wish.visit_type == wish.visit_type) {
        true => Err(twice()),
        false => Ok(()),
    }
}

/// What [`waits_once`] found holds when an entry is changed, too: of two that are changed at one moment to one
/// visit one is refused.
fn still_once(wish: &Wish, entry: &Loaded) -> Conditions {
    let key = wish.key();
    let root = entry.document.root();
    let mut names = root.get("identifier").into_iter().flat_map(Value::items);
    let is_this = names.any(|i| {
        i.get_str("system").as_deref() == Some(ENTRY)
            && i.get_str("value").as_deref() == Some(key.as_str())
    });
    Conditions {
        resource_type: "Appointment".to_owned(),
        among: vec![
            ("identifier".to_owned(), format!("{ENTRY}|{key}")),
            ("status".to_owned(), Status::WaitList.as_str().to_owned()),
        ],
        finds: is_this.then(|| entry.hit.id.clone()).into_iter().collect(),
        eyes: Eyes::Caller,
        fault: twice(),
    }
}

/// The visit that an entry stands in for, where it is theirs and still to come. One that is gone, or hidden from
/// the caller, is none.
pub(super) fn own_later(reads: &mut Reads<'_>, entry: &Loaded) -> Result<Option<Loaded>, Fault> {
    let Some(wish) = Waiting::of(entry, &[]).map(|one| one.wish) else { return Ok(None) };
    later(reads, &wish)
}

/// As [`own_later`], of a wish.
pub(super) fn later(reads: &mut Reads<'_>, wish: &Wish) -> Result<Option<Loaded>, Fault> {
    let Some(id) = &wish.instead_of else { return Ok(None) };
    let later = match load(reads, id) {
        Ok(later) => later,
        Err(fault) if fault.status() < 500 => return Ok(None),
        Err(fault) => return Err(fault),
    };
    let is_own = later.read.patient() == Some(wish.patient.as_str());
    let is_to_come = later.read.span.is_some_and(|span| span.start > reads.session.now());
    Ok(Some(later).filter(|later| is_own && is_to_come && is_ahead(later.read.status)))
}

/// A wish that makes sense, and what its visit is called. `before` is the entry that it changes.
fn checked(
    reads: &mut Reads<'_>,
    wish: &Wish,
    before: Option<&Loaded>,
) -> Result<(Wish, String), Fault> {
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
    if wish.instead_of.is_some() {
        let start = later(reads, &wish)?.and_then(|later| later.read.span).map(|span| span.start);
        let stood =
            before.and_then(|before| Waiting::of(before, &[])).map(|one| one.wish.instead_of);
        match start {
            // A time that is not earlier is no help.
            Some(start) => {
                let last = Millis(start.0.saturating_sub(1));
                wish.latest = Some(wish.latest.map_or(last, |latest| latest.min(last)));
            }
            // The visit that it stood for was called off since, or is over: they wait on without it.
            None if stood == Some(wish.instead_of.clone()) => wish.instead_of = None,
            None => {
                return Err(invalid("the visit to be had earlier is theirs, and has not begun"));
            }
        }
    }
    if wish.latest.is_some_and(|latest| wish.earliest.is_some_and(|from| from > latest)) {
        return Err(invalid("the last day that suits is not before the first"));
    }
    Ok((wish, visit.title))
}

fn twice() -> Fault {
    invalid("they wait for this visit already; change that entry")
}

fn over() -> Fault {
    Fault::new(&SCHEDULING_OFFER, "they are not on the waiting list any more")
}

fn invalid(says: &str) -> Fault {
    Fault::new(&SCHEDULING_CALENDAR, says)
}
