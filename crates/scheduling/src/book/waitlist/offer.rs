//! Offering a freed time. A round begins with a hold of the time, under a key that names what freed it, so that
//! one freed time is offered once, whoever notices it. A yes is one unit of work: the entry becomes the visit,
//! the hold ends with the answer written in it, and the later visit that it stands in for is called off. Of two
//! at one moment one finds the round at another version, and is told that the time is gone.

use super::entry::Waiting;
use super::freed::Freed;
use super::list::{entries, later, own_later, waits};
use super::round::{Begun, Means, Offers, onto};
use super::shown::{hindered, is_later};
use crate::appointment::{Answer, Participant};
use crate::book::House;
use crate::book::act::{called_off, conflict, house_zone, load, parsed_hit, written};
use crate::book::document::{Extra, Kept, kept, write};
use crate::book::judge::{Judged, judge};
use crate::book::load::{Loaded, booked, extra};
use crate::book::reads::Reads;
use crate::occupied::{Status, of_appointment};
use crate::time::{DAY_MS, MINUTE_MS, Span};
use crate::visit_type::Modality;
use crate::waitlist::{Event, Offer, Round, State, Waves, rank};
use base::error::code::{DOUBLE_BOOKED, SCHEDULING_OFFER, SLOT_TAKEN, VERSION_CONFLICT};
use base::{Fault, Millis};
use record::{Content, Kind, ROUND, Session, Work, is_round};

/// Those who are asked in one round: of those whom a time suits, the first whom no rule keeps from it.
pub const ASKED_MAX: usize = 20;
/// To how many the rules are put until so many are found. How many more there are is told.
const JUDGED_MAX: usize = 60;
/// Entries that are looked through for those whom a time suits.
const ENTRIES_MAX: usize = 20_000;
/// Rounds of one look: of those that are open, and of those that are over.
const ROUNDS_MAX: usize = 500;
/// How long those that are over are looked at, for what is still to be said of them.
const OVER_MS: i64 = DAY_MS;
/// How long a time stays held after a wave has run out, for who sends the next one.
const GRACE_MS: i64 = 2 * MINUTE_MS;
/// How often an act is tried anew when others change the same round.
const TRIES: usize = 8;
/// Who holds a time that is being offered: nobody who could book it by its hold.
const HOLDER: &str = "waitlist";
/// Why the later visit is called off (`appointment-cancellation-reason`).
const EARLIER: &str = "pat";

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
    let mut all = entries(reads, &[], ENTRIES_MAX)?;
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
    let (ranked, left) = asked(reads, house, freed, suited(&all, freed, &judged, now))?;
    // Who sends messages begins the waves: nobody's time to answer runs out before they are asked.
    let rests = means == Means::Messages;
    let begun = Begun { means, waves, at: now, slots: judged.slots(), ranked, rests, left };
    let (round, _) = Round::of(judged.span.start, begun.ranked.clone(), waves, now, rests)?;
    if *round.state() != State::Open {
        return Ok(None);
    }
    let extra = Extra {
        hold: Some(held(&round, judged.span, now)),
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

/// Those of whom a time suits who are asked, and how many more there are.
fn asked(
    reads: &mut Reads<'_>,
    house: &House,
    freed: &Freed,
    suited: Vec<Waiting>,
) -> Result<(Vec<String>, u32), Fault> {
    let (mut ranked, mut judged, all) = (Vec::new(), 0, suited.len());
    for one in suited {
        if ranked.len() == ASKED_MAX || judged == JUDGED_MAX {
            break;
        }
        judged += 1;
        // Who has an earlier visit by now is not helped.
        let instead = later(reads, &one.wish)?;
        if instead.is_some_and(|instead| !is_later(&instead, freed.place.start)) {
            continue;
        }
        let (patient, instead) = (&one.wish.patient, one.wish.instead_of.as_deref());
        match judge(reads, house, &freed.place, Some(patient), instead, one.has_referral) {
            Ok(theirs) if theirs.verdict.permit(None).is_ok() => ranked.push(one.id),
            // Whom a rule keeps from it, and whom this caller may not look at, is not asked.
            Ok(_) => {}
            Err(fault) if fault.status() < 500 => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok((ranked, u32::try_from(all.saturating_sub(judged)).unwrap_or(u32::MAX)))
}

/// The hold of a round that is open: until its wave has run out, and a little. One that rests is held for who
/// begins the next wave; where that is not before the morning, the time is taken again then, if nobody has it.
fn held(round: &Round, span: Span, now: Millis) -> Kept {
    let due = round.due().unwrap_or(now);
    let until = Millis(due.0.saturating_add(GRACE_MS)).min(span.start);
    Kept { until, holder: HOLDER.to_owned() }
}

/// Somebody who was asked says yes or no. Said twice it is said once.
///
/// # Errors
/// `scheduling.offer.closed` when the time is gone or the offer has run out, and then the round is over;
/// `scheduling.booking.blocked` when the visit that it would stand in for is not later, or another visit of theirs
/// is at that time ([`super::Hinder`]); as a write.
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
    let who = entry.to_owned();
    if !is_yes {
        let mut events = vec![Event::Declined { entry: who }];
        // The next wave begins with who sends its messages, and not at night; a desk that calls goes on at once.
        if offers.means == Means::Messages {
            events.insert(0, Event::Rest);
        }
        return happened(reads.session, loaded, &offers, events, Vec::new()).await;
    }
    let winner = load(reads, entry).and_then(waits)?;
    let instead = own_later(reads, &winner)?;
    // Nobody gives up an earlier visit for a later one, whatever became of it since they were asked.
    if let Some(hinder) = hindered(reads, &winner, instead.as_ref(), offers.span)? {
        return Err(hinder.fault());
    }
    let body = won(&winner, &loaded, &offers)?;
    let mut changes = vec![(winner, body)];
    if let Some(instead) = instead {
        let body = called_off(reads.session, &instead, EARLIER)?;
        changes.push((instead, body));
    }
    let event = Event::Accepted { entry: who };
    match happened(reads.session, loaded, &offers, vec![event], changes).await {
        Err(fault) if is_taken(&fault) => Err(lost(reads, key, entry).await?),
        outcome => outcome,
    }
}

/// Whether a write was refused since somebody or something is taken at that time.
fn is_taken(fault: &Fault) -> bool {
    fault.code() == &DOUBLE_BOOKED || fault.code() == &SLOT_TAKEN
}

/// A yes was refused. Where the time was given to somebody else the round is over, so that it is offered to nobody
/// more; where another visit of theirs came between, the offer stands.
async fn lost(reads: &mut Reads<'_>, key: &str, entry: &str) -> Result<Fault, Fault> {
    let (loaded, offers) = round(reads, key)?;
    let winner = load(reads, entry).and_then(waits)?;
    let instead = own_later(reads, &winner)?;
    if let Some(hinder) = hindered(reads, &winner, instead.as_ref(), offers.span)? {
        return Ok(hinder.fault());
    }
    if offers.is_open() && loaded.read.status == Status::Pending {
        let over = vec![Event::Withdrawn];
        happened(reads.session, loaded, &offers, over, Vec::new()).await?;
    }
    Ok(gone())
}

/// Writes what happened into a round, with what changes because of it.
async fn happened(
    session: &Session,
    loaded: Loaded,
    offers: &Offers,
    more: Vec<Event>,
    mut changes: Vec<(Loaded, Vec<u8>)>,
) -> Result<Offers, Fault> {
    let now = session.now();
    let round = offers.after(&more, now)?;
    let mut events = offers.events.clone();
    events.extend(more.into_iter().map(|event| (event, now)));
    let is_open = *round.state() == State::Open;
    let mut appointment = loaded.read.clone();
    let mut extra = extra(&loaded);
    appointment.status = if is_open { Status::Pending } else { Status::Cancelled };
    extra.hold = is_open.then(|| held(&round, offers.span, now));
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

/// Looks at a round: what ran out is written down, who waits no longer is passed over, and the next wave goes out,
/// unless the time was given to somebody else meanwhile: then the round is over. The caller sees everybody who was
/// asked, or passes over who it does not see.
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
    let Some(event) = next(reads, &loaded, &offers)? else { return Ok((offers, true)) };
    match happened(reads.session, loaded, &offers, vec![event], Vec::new()).await {
        Err(fault) if is_taken(&fault) => {
            // The hold had ended, and the time was given to somebody else.
            let (loaded, offers) = round(reads, key)?;
            let over = vec![Event::Withdrawn];
            happened(reads.session, loaded, &offers, over, Vec::new()).await.map(|o| (o, true))
        }
        outcome => outcome.map(|offers| (offers, false)),
    }
}

/// What is to be written down of a round now, if anything.
fn next(reads: &mut Reads<'_>, loaded: &Loaded, offers: &Offers) -> Result<Option<Event>, Fault> {
    let is_due = offers.due.is_some_and(|due| due <= reads.session.now());
    if is_due || offers.rests {
        let is_given = is_given(reads, loaded, offers)?;
        return Ok(Some(if is_given { Event::Withdrawn } else { Event::Tick }));
    }
    for id in offers.open() {
        match load(reads, id).and_then(waits) {
            Ok(_) => {}
            Err(fault) if fault.status() < 500 => {
                return Ok(Some(Event::Declined { entry: id.to_owned() }));
            }
            // That it cannot be read now says nothing of whether they wait.
            Err(fault) => return Err(fault),
        }
    }
    Ok(None)
}

/// Whether somebody else has the time: a hold does not keep from it who may book over others.
fn is_given(reads: &mut Reads<'_>, loaded: &Loaded, offers: &Offers) -> Result<bool, Fault> {
    let (all, _) = booked(reads, &offers.with, offers.span.padded(DAY_MS, 0), false)?;
    let others = all.iter().filter(|one| one.hit.id != loaded.hit.id);
    let mut busy = others
        .filter(|one| kept(one.document.root()).is_none())
        .flat_map(|one| of_appointment(&one.hit.id, &one.read));
    Ok(busy.any(|(actor, busy)| offers.with.contains(&actor) && busy.span.overlaps(offers.span)))
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
            happened(session, loaded, &offers, vec![Event::Withdrawn], Vec::new()).await
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

/// Rounds of times that are still to come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rounds {
    /// The rounds, earliest time first.
    pub rows: Vec<Offers>,
    /// There are more.
    pub more: bool,
    /// Records that are rounds and cannot be understood.
    pub faulty: u64,
}

/// The rounds of times that are still to come: all that are open, and those that were over within a day.
///
/// # Errors
/// As a search.
pub async fn rounds(session: &Session) -> Result<Rounds, Fault> {
    let mut reads = Reads::new(session);
    let outcome = found(&mut reads);
    let more = reads.partial;
    reads.settle(outcome).await.map(|rounds| Rounds { more, ..rounds })
}

fn found(reads: &mut Reads<'_>) -> Result<Rounds, Fault> {
    let now = reads.session.now();
    let over = Millis(now.0.saturating_sub(OVER_MS));
    let mut all = Rounds::default();
    // Apart, so that those which are over leave room for those that are not.
    for asked in [
        vec![("status", Status::Pending.as_str().to_owned())],
        vec![
            ("status", Status::Cancelled.as_str().to_owned()),
            ("_lastUpdated", format!("ge{}", over.to_instant())),
        ],
    ] {
        let mut asked = asked;
        asked.extend([
            ("identifier", format!("{ROUND}|")),
            ("date", format!("ge{}", now.to_instant())),
            ("_sort", "date".to_owned()),
        ]);
        for hit in reads.search("Appointment", &asked, ROUNDS_MAX)?.matches {
            match parsed_hit(hit).and_then(|loaded| Offers::of(&loaded)) {
                Ok(round) => all.rows.extend(round),
                Err(_odd) => all.faulty += 1,
            }
        }
    }
    all.rows.sort_by_key(|round| round.span);
    Ok(all)
}

pub(super) fn round(reads: &mut Reads<'_>, key: &str) -> Result<(Loaded, Offers), Fault> {
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
