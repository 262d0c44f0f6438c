//! Offering a freed time. A round begins with a hold of the time, under a key that names what freed it, so that
//! one freed time is offered once, whoever notices it. A yes is one unit of work: the entry becomes the visit,
//! the hold ends with the answer written in it, and the later visit that it stands in for is called off. Of two
//! at one moment one finds the round at another version, and is told that the time is gone.

use super::entry::{Waiting, patient_of};
use super::list::{entries, waits};
use super::round::{Begun, Means, Offers, onto};
use crate::appointment::{Answer, Appointment, Participant};
use crate::book::act::{called_off, conflict, house_zone, load, parsed_hit, written};
use crate::book::document::{Extra, Kept, is_ahead, kept, write};
use crate::book::here::role_of;
use crate::book::judge::{Judged, judge};
use crate::book::load::{Loaded, extra};
use crate::book::reads::Reads;
use crate::book::{House, Place};
use crate::occupied::Status;
use crate::time::{MINUTE_MS, Span, Wall, Zone, Zones};
use crate::visit_type::Modality;
use crate::waitlist::{Event, Offer, Round, State, Waves, rank};
use base::error::code::{DOUBLE_BOOKED, LINK_OVER, SCHEDULING_OFFER, VERSION_CONFLICT};
use base::{Fault, Millis};
use record::{Content, Kind, Linked, ROUND, Session, Work, is_round};

/// Those who are asked in one round: of those whom a time suits, the first whom no rule keeps from it.
pub const ASKED_MAX: usize = 20;
/// Rounds of one look.
const ROUNDS_MAX: usize = 500;
/// How long a time stays held after a wave has run out, for who sends the next one.
const GRACE_MS: i64 = 2 * MINUTE_MS;
/// How often an act is tried anew when others change the same round.
const TRIES: usize = 8;
/// Who holds a time that is being offered: nobody who could book it by its hold.
const HOLDER: &str = "waitlist";
/// Why the later visit is called off (`appointment-cancellation-reason`).
const EARLIER: &str = "pat";

/// A time that was freed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freed {
    /// What names the round: the appointment and the version that freed it.
    pub key: String,
    /// When, with whom and for which visit.
    pub place: Place,
    /// Whose it was.
    patient: Option<String>,
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
    let stays = is.status.occupies() && is.span == was.span && with(is) == with(was);
    let told = is.span.is_some() || !is.status.occupies();
    if stays || !told {
        return None;
    }
    let site = was.participants.iter().find(|one| {
        one.required == Some(crate::appointment::Presence::InformationOnly)
            && one.actor.as_ref().is_some_and(|actor| actor.resource_type() == "Location")
    });
    let site = site.and_then(|one| one.actor.clone())?;
    let mut others = with(was);
    others.retain(|actor| *actor != site);
    Some(Freed {
        key: format!("{}.{}", after.hit.id, after.hit.version),
        place: Place {
            visit_type: was.visit_type.clone()?,
            site,
            start: span.start,
            with: others.into_iter().map(|actor| (role_of(&actor), actor)).collect(),
            modality: extra(before).modality,
        },
        patient: patient_of(was),
    })
}

/// Those on the list whom a freed time suits, in the order in which they would be asked. Rules are put to them
/// when a round begins.
///
/// # Errors
/// As a search.
pub async fn fitting(
    session: &Session,
    house: &House,
    freed: &Freed,
) -> Result<Vec<Waiting>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        // Nobody waits: the calendar need not be asked.
        let all = of_type(&mut reads, freed)?;
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let judged = judge(&mut reads, house, &freed.place, None, None, false)?;
        Ok(suited(&all, freed, &judged, session.now()))
    })();
    reads.settle(outcome).await
}

fn of_type(reads: &mut Reads<'_>, freed: &Freed) -> Result<Vec<Waiting>, Fault> {
    let mut all = entries(reads, &[])?;
    // Who gave a time up is not offered it.
    all.retain(|one| {
        one.wish.visit_type == freed.place.visit_type
            && Some(&one.wish.patient) != freed.patient.as_ref()
    });
    Ok(all)
}

fn suited(all: &[Waiting], freed: &Freed, judged: &Judged, now: Millis) -> Vec<Waiting> {
    let place = crate::find::Place {
        site: 0,
        span: judged.span,
        kept: judged.span,
        taken: freed.place.with.clone(),
        wall: judged.site.zone.wall(judged.span.start),
        patient_wall: None,
    };
    let first = judged.visit.modalities.first().copied();
    let modality = freed.place.modality.or(first).unwrap_or(Modality::InPerson);
    let listed: Vec<_> = all.iter().map(|one| one.entry(&freed.place.site)).collect();
    let ranks = rank(&listed, &freed.place.visit_type, &place, modality, now);
    let of = |id: &str| all.iter().find(|one| one.id == id).cloned();
    ranks.iter().filter_map(|rank| of(&rank.id)).collect()
}

/// Begins to offer a freed time; answers the round, the one that is there already when there is one, and none
/// when nobody on the list can have it.
///
/// # Errors
/// `scheduling.booking.blocked`, `scheduling.booking.override-needed` when a rule keeps everybody from the time;
/// `scheduling.appointment.double-booked` when it is taken; as a write.
pub async fn begin(
    session: &Session,
    house: &House,
    freed: &Freed,
    waves: Waves,
    means: Means,
) -> Result<Option<Offers>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = begun(&mut reads, house, freed, waves, means).await;
    reads.settle(outcome).await
}

async fn begun(
    reads: &mut Reads<'_>,
    house: &House,
    freed: &Freed,
    waves: Waves,
    means: Means,
) -> Result<Option<Offers>, Fault> {
    waves.check()?;
    if !is_round(&freed.key) {
        return Err(gone());
    }
    if let Some(before) = find(reads, &freed.key)? {
        return Offers::of(&before);
    }
    let now = reads.session.now();
    let all = of_type(reads, freed)?;
    if all.is_empty() {
        return Ok(None);
    }
    let judged = judge(reads, house, &freed.place, None, None, false)?;
    judged.verdict.permit(None)?;
    let mut ranked = Vec::new();
    for one in suited(&all, freed, &judged, now) {
        if ranked.len() == ASKED_MAX {
            break;
        }
        let (patient, instead) = (&one.wish.patient, one.wish.instead_of.as_deref());
        let theirs = judge(reads, house, &freed.place, Some(patient), instead, one.has_referral);
        // Whom a rule keeps from it, and whom this caller may not look at, is not asked.
        if theirs.is_ok_and(|theirs| theirs.verdict.permit(None).is_ok()) {
            ranked.push(one.id);
        }
    }
    let begun = Begun { means, waves, at: now, slots: judged.slots(), ranked };
    let (round, _) = Round::of(judged.span.start, begun.ranked.clone(), waves, now)?;
    if *round.state() != State::Open {
        return Ok(None);
    }
    let extra = Extra {
        hold: Some(held(&round, judged.span)),
        modality: freed.place.modality,
        title: Some(judged.visit.title.clone()),
        created: Some(now),
        ..Extra::default()
    };
    let base = onto(&freed.key, &begun, &[], None)?;
    // Slots stay free: a hold ends by the clock, and nobody would give them back.
    let appointment = judged.appointment(Status::Pending, None, Vec::new());
    let body = write(&appointment, &extra, Some(base.root()), Some(&judged.site.zone))?;
    let condition = format!("identifier={ROUND}|{}", freed.key);
    let made = reads.session.carry_out(Kind::Operation, |_| {
        let mut work = Work::new();
        work.create_once("Appointment", body.clone(), &condition);
        Ok(work)
    });
    let (hit, _) = written(made.await?)?;
    Offers::of(&parsed_hit(hit)?)
}

/// The hold of a round that is open: until its wave has run out, and a little.
fn held(round: &Round, span: Span) -> Kept {
    let due = round.due().unwrap_or(span.start);
    let until = Millis(due.0.saturating_add(GRACE_MS)).min(span.start);
    Kept { until, holder: HOLDER.to_owned() }
}

/// Somebody who was asked says yes or no. Said twice it is said once.
///
/// # Errors
/// `scheduling.offer.closed` when the time is gone or the offer has run out; as a write.
pub async fn answer(
    session: &Session,
    key: &str,
    entry: &str,
    is_yes: bool,
) -> Result<Offers, Fault> {
    for _ in 0..TRIES {
        let mut reads = Reads::new(session);
        let outcome = answered(&mut reads, key, entry, is_yes).await;
        match reads.settle(outcome).await {
            Err(fault) if fault.code() == &VERSION_CONFLICT => {}
            outcome => return outcome,
        }
    }
    Err(conflict())
}

async fn answered(
    reads: &mut Reads<'_>,
    key: &str,
    entry: &str,
    is_yes: bool,
) -> Result<Offers, Fault> {
    let (loaded, offers) = round(reads, key)?;
    match (offers.offer(entry), is_yes) {
        (Some(Offer::Accepted), true) | (Some(Offer::Declined), false) => return Ok(offers),
        _ => {}
    }
    if !offers.is_open() || loaded.read.status != Status::Pending {
        return Err(gone());
    }
    let entry = entry.to_owned();
    let event = match is_yes {
        true => Event::Accepted { entry: entry.clone() },
        false => Event::Declined { entry: entry.clone() },
    };
    let mut changes = Vec::new();
    if is_yes {
        let winner = load(reads, &entry).and_then(waits)?;
        let body = won(&winner, &loaded, &offers)?;
        let instead = later(reads, &winner);
        changes.push((winner, body));
        if let Some(instead) = instead {
            let body = called_off(reads.session, &instead, EARLIER)?;
            changes.push((instead, body));
        }
    }
    match happened(reads.session, loaded, &offers, event, changes).await {
        // Somebody booked it over the offers, or another visit of theirs is at that time.
        Err(fault) if is_yes && fault.code() == &DOUBLE_BOOKED => Err(gone()),
        outcome => outcome,
    }
}

/// Writes an event into a round, with what changes because of it.
async fn happened(
    session: &Session,
    loaded: Loaded,
    offers: &Offers,
    event: Event,
    mut changes: Vec<(Loaded, Vec<u8>)>,
) -> Result<Offers, Fault> {
    let now = session.now();
    let (answered, round) = offers.after(&event, now)?;
    answered?;
    let mut events = offers.events.clone();
    events.push((event, now));
    let is_open = *round.state() == State::Open;
    let mut appointment = loaded.read.clone();
    let mut extra = extra(&loaded);
    appointment.status = if is_open { Status::Pending } else { Status::Cancelled };
    extra.hold = is_open.then(|| held(&round, offers.span));
    let base = onto(&offers.key, &offers.begun, &events, Some(loaded.document.root()))?;
    let zone = house_zone(&appointment);
    let body = write(&appointment, &extra, Some(base.root()), zone.as_ref())?;
    changes.push((loaded, body));
    let mut again = false;
    let made = session.carry_out(Kind::Operation, |session| {
        // Made anew when something came between: if that was one of these, the whole has to be thought anew.
        for (before, _) in changes.iter().filter(|_| again) {
            let of = before.hit.resource_type;
            if session.read(of, &before.hit.id, None)?.value.version != before.hit.version {
                return Err(conflict());
            }
        }
        again = true;
        let mut work = Work::new();
        for (before, body) in &changes {
            work.update("Appointment", &before.hit.id, before.hit.version, body.clone());
        }
        Ok(work)
    });
    let last = made.await?.entries.pop().map(|answer| answer.content);
    let Some(Content::Resource(hit)) = last else { return Err(gone()) };
    Offers::of(&parsed_hit(*hit)?)?.ok_or_else(gone)
}

/// The entry as the visit that it becomes.
fn won(winner: &Loaded, round: &Loaded, offers: &Offers) -> Result<Vec<u8>, Fault> {
    let mut visit = winner.read.clone();
    visit.status = Status::Booked;
    visit.span = round.read.span;
    visit.zone.clone_from(&round.read.zone);
    visit.before_minutes = round.read.before_minutes;
    visit.after_minutes = round.read.after_minutes;
    visit.slots.clone_from(&offers.begun.slots);
    let theirs = |one: &Participant| one.actor.as_ref().is_some_and(|actor| actor.is_patient());
    visit.participants.retain(theirs);
    let comes = |one: &Participant| Participant { answer: Answer::Accepted, ..one.clone() };
    visit.participants = visit.participants.iter().map(comes).collect();
    visit.participants.extend(round.read.participants.iter().map(comes));
    let mut extra = extra(winner);
    extra.modality = crate::book::load::extra(round).modality;
    let zone = house_zone(&visit);
    write(&visit, &extra, Some(winner.document.root()), zone.as_ref())
}

/// The later visit that an entry stands in for, where it is still to come.
fn later(reads: &mut Reads<'_>, winner: &Loaded) -> Option<Loaded> {
    let wish = Waiting::of(winner, &[])?.wish;
    let later = load(reads, &wish.instead_of?).ok()?;
    let own = patient_of(&later.read).as_ref() == Some(&wish.patient);
    let ahead = later.read.span.is_some_and(|span| span.start > reads.session.now());
    (own && ahead && is_ahead(later.read.status)).then_some(later)
}

/// Looks at a round: what ran out is written down, who waits no longer is passed over, and the next wave goes out.
/// The caller sees everybody who was asked, or passes over who it does not see.
///
/// # Errors
/// `scheduling.offer.closed` when there is no such round; as a write.
pub async fn look(session: &Session, key: &str) -> Result<Offers, Fault> {
    // One step for each who was asked, and each wave, at most.
    for _ in 0..2 * ASKED_MAX + TRIES {
        let mut reads = Reads::new(session);
        let outcome = looked(&mut reads, key).await;
        match reads.settle(outcome).await {
            Ok((offers, true)) => return Ok(offers),
            Ok((_, false)) => {}
            Err(fault) if fault.code() == &VERSION_CONFLICT => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(conflict())
}

/// One step; whether there was nothing to do.
async fn looked(reads: &mut Reads<'_>, key: &str) -> Result<(Offers, bool), Fault> {
    let (loaded, offers) = round(reads, key)?;
    if !offers.is_open() || loaded.read.status != Status::Pending {
        return Ok((offers, true));
    }
    let mut event = None;
    if offers.due.is_some_and(|due| due <= reads.session.now()) {
        event = Some(Event::Tick);
    }
    for id in offers.open() {
        if event.is_some() {
            break;
        }
        if load(reads, id).and_then(waits).is_err() {
            event = Some(Event::Declined { entry: id.to_owned() });
        }
    }
    let Some(event) = event else { return Ok((offers, true)) };
    match happened(reads.session, loaded, &offers, event, Vec::new()).await {
        Err(fault) if fault.code() == &DOUBLE_BOOKED => {
            // The hold had ended, and the time was given to somebody else.
            let (loaded, offers) = round(reads, key)?;
            let event = Event::Withdrawn;
            happened(reads.session, loaded, &offers, event, Vec::new()).await.map(|o| (o, true))
        }
        outcome => outcome.map(|offers| (offers, false)),
    }
}

/// Ends a round: the time is not offered any more, and those who were asked are told.
///
/// # Errors
/// As [`look`].
pub async fn withdraw(session: &Session, key: &str) -> Result<Offers, Fault> {
    for _ in 0..TRIES {
        let mut reads = Reads::new(session);
        let outcome = async {
            let (loaded, offers) = round(&mut reads, key)?;
            if !offers.is_open() || loaded.read.status != Status::Pending {
                return Ok(offers);
            }
            happened(session, loaded, &offers, Event::Withdrawn, Vec::new()).await
        };
        let outcome = outcome.await;
        match reads.settle(outcome).await {
            Err(fault) if fault.code() == &VERSION_CONFLICT => {}
            outcome => return outcome,
        }
    }
    Err(conflict())
}

/// A round.
///
/// # Errors
/// `scheduling.offer.closed` when there is none such for the caller.
pub async fn offers(session: &Session, key: &str) -> Result<Offers, Fault> {
    let mut reads = Reads::new(session);
    let outcome = round(&mut reads, key).map(|(_, offers)| offers);
    reads.settle(outcome).await
}

/// The rounds of times that are still to come, earliest first; those that are over among them.
///
/// # Errors
/// As a search.
pub async fn rounds(session: &Session) -> Result<Vec<Offers>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let asked = [
            ("identifier", format!("{ROUND}|")),
            ("date", format!("ge{}", session.now().to_instant())),
            ("_sort", "date".to_owned()),
        ];
        let mut all = Vec::new();
        for hit in reads.search("Appointment", &asked, ROUNDS_MAX)?.matches {
            all.extend(parsed_hit(hit).and_then(|loaded| Offers::of(&loaded)).ok().flatten());
        }
        Ok(all)
    })();
    reads.settle(outcome).await
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
    let none = || Fault::new(&LINK_OVER, "this link is over; call the clinic");
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let key = linked.round.as_deref().ok_or_else(none)?;
        let (_, offers) = round(&mut reads, key).map_err(|_gone| none())?;
        let entry = load(&mut reads, &linked.appointment)?;
        // One that was given to another patient since is none of this link's.
        if patient_of(&entry.read).as_ref() != Some(&linked.patient) {
            return Err(none());
        }
        let offer = offers.offer(&linked.appointment).ok_or_else(none)?;
        let zone = offers.zone.as_deref().and_then(|name| zones.find(name).ok());
        let zone = zone.as_ref().unwrap_or(home);
        let now = session.now();
        let waits = entry.read.status == Status::WaitList;
        let (offer, until) = match offer {
            Offer::Open { until } if until <= now => (Offer::Expired, None),
            Offer::Open { .. } if !offers.is_open() || !waits => (Offer::Closed, None),
            Offer::Open { until } => (offer, Some(zone.wall(until))),
            other => (other, None),
        };
        let is_instead = later(&mut reads, &entry).is_some();
        Ok(Shown { wall: zone.wall(offers.span.start), offer, until, is_instead })
    })();
    reads.settle(outcome).await
}

fn round(reads: &mut Reads<'_>, key: &str) -> Result<(Loaded, Offers), Fault> {
    if !is_round(key) {
        return Err(gone());
    }
    let loaded = find(reads, key)?.ok_or_else(gone)?;
    let offers = Offers::of(&loaded)?.ok_or_else(gone)?;
    Ok((loaded, offers))
}

fn find(reads: &mut Reads<'_>, key: &str) -> Result<Option<Loaded>, Fault> {
    let found = reads.search("Appointment", &[("identifier", format!("{ROUND}|{key}"))], 1)?;
    found.matches.into_iter().next().map(parsed_hit).transpose()
}

fn gone() -> Fault {
    Fault::new(&SCHEDULING_OFFER, "the time is gone; who was asked stays on the list")
}
