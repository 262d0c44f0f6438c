//! What is done at the desk: hold, book, move, call off, take a step, take back. Each is one unit of work
//! with one event (`operation`), made anew when what it was made from has changed.

use super::document::{Extra, Kept, is_ahead, state_of, was_held, write};
use super::here::read_visit_type;
use super::judge::{Judged, judge, judge_visit};
use super::load::{Loaded, extra};
use super::reads::{Reads, parsed};
use super::{Booking, COMMENT_MAX, Done, FORM, FORM_MAX, Held, House, Move, Place, Undo, Visit};
use crate::actor::Actor;
use crate::appointment::{Answer, Appointment, CANCEL_SYSTEM, Participant, Presence};
use crate::flow::{Flow, State, UNDO_MINUTES};
use crate::occupied::Status;
use crate::rules::{Override, Rule, Weight};
use crate::time::MINUTE_MS;
use crate::visit_type::VisitType;
use base::error::code;
use base::{Fault, Millis, Phi};
use fhir::reference::is_id;
use record::{Conditions, Content, Hit, Kind, Session, Work, Worked};

/// Reasons for which appointments are called off, as screens offer them; the value set has more
/// (<https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html>).
pub const REASONS: [&str; 6] = ["pat", "pat-crs", "prov", "weather", "maint", "other"];
/// The status of what something else stands in the way of.
const CONFLICT: u16 = 409;
/// The status from which on nothing is known of what was asked for.
const FAILED: u16 = 500;
/// Why, and the rules that are set aside by it.
type Aside = (Phi<String>, Vec<Rule>);
/// Letters of a code of that value set.
const REASON_MAX: usize = 32;

/// Holds a place for the caller, for as long as the house says. `patient` may be known already; `form`
/// is the form's own id, as of [`Booking::form`].
///
/// # Errors
/// `scheduling.booking.blocked`, `scheduling.appointment.double-booked`; as a write. Rules that a reason
/// sets aside do not stop a hold: the reason is asked for when it is booked.
pub async fn hold(
    session: &Session,
    house: &House,
    place: &Place,
    patient: Option<&str>,
    form: &str,
) -> Result<Held, Fault> {
    let mut reads = Reads::new(session);
    let outcome = held(&mut reads, house, place, patient, form).await;
    reads.settle(outcome).await
}

async fn held(
    reads: &mut Reads<'_>,
    house: &House,
    place: &Place,
    patient: Option<&str>,
    form: &str,
) -> Result<Held, Fault> {
    form_id(form)?;
    if let Some(before) = by_form(reads, form)? {
        return held_before(before, reads.session.now());
    }
    match hold_now(reads, house, place, patient, form).await {
        // The same form, sent twice at one moment: the other one is what stands in its way.
        Err(fault) if fault.status() == CONFLICT => match by_form(reads, form)? {
            Some(before) => held_before(before, reads.session.now()),
            None => Err(fault),
        },
        outcome => outcome,
    }
}

fn held_before(before: Loaded, now: Millis) -> Result<Held, Fault> {
    let kept = extra(&before).hold.filter(|kept| now < kept.until);
    let (Some(kept), Some(span)) = (kept, before.read.span) else { return Err(lost()) };
    let (id, version) = (before.hit.id, before.hit.version);
    Ok(Held { id, version, span, until: kept.until })
}

async fn hold_now(
    reads: &mut Reads<'_>,
    house: &House,
    place: &Place,
    patient: Option<&str>,
    form: &str,
) -> Result<Held, Fault> {
    let now = reads.session.now();
    let judged = judge(reads, house, place, patient, None, false)?;
    judged.verdict_without_reasons()?;
    let minutes = i64::from(house.hold_minutes.clamp(1, crate::hold::MINUTES_MAX));
    let until = Millis(now.0.saturating_add(minutes * MINUTE_MS));
    let extra = Extra {
        hold: Some(Kept { until, holder: reads.session.who().to_owned() }),
        modality: place.modality,
        form: Some(form.to_owned()),
        title: Some(judged.visit.title.clone()),
        created: Some(now),
        ..Extra::default()
    };
    // Slots stay free: a hold ends by the clock, and nobody would give them back.
    let appointment = judged.appointment(Status::Pending, patient, Vec::new());
    let body = write(&appointment, &extra, None, Some(&judged.site.zone))?;
    let span = judged.span;
    let hit = create_once(reads.session, body, form).await?;
    Ok(Held { id: hit.0.id, version: hit.0.version, span, until })
}

/// Lets a hold go. One that is over, or is gone already, is no fault.
///
/// # Errors
/// `scheduling.hold.lost` for what is somebody else's, or is no hold; as a write.
pub async fn release(session: &Session, id: &str) -> Result<(), Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = load(&mut reads, id)?;
        if loaded.read.status == Status::Cancelled {
            return Ok(());
        }
        let mut extra = extra(&loaded);
        if extra.hold.as_ref().is_none_or(|kept| kept.holder != session.who()) {
            return Err(lost());
        }
        let_go(&mut extra, session.now());
        let mut appointment = loaded.read.clone();
        appointment.status = Status::Cancelled;
        save(session, &loaded, &appointment, &extra, house_zone(&loaded.read).as_ref())
            .await
            .map(drop)
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// Books.
///
/// # Errors
/// `scheduling.booking.blocked`; `scheduling.booking.override-needed` when a rule asks for a reason and
/// none is given; `scheduling.appointment.double-booked`; `scheduling.hold.lost`; as a write. Each issue
/// of the first two names its rule by its code.
pub async fn book(session: &Session, house: &House, booking: &Booking) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = booked(&mut reads, house, booking, None).await.map(|(done, _)| done);
    reads.settle(outcome).await
}

/// As [`book`], for whoever may have read the visit type already; answers the appointment as it is
/// stored too.
pub(crate) async fn booked(
    reads: &mut Reads<'_>,
    house: &House,
    booking: &Booking,
    visit: Option<VisitType>,
) -> Result<(Done, Hit), Fault> {
    form_id(&booking.form)?;
    let comment = booking.comment.as_ref().map(|c| c.expose().chars().count());
    if comment.is_some_and(|letters| letters > COMMENT_MAX) {
        return Err(invalid("a comment has at most 1000 letters"));
    }
    if booking.referral.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(invalid("name the referral by the id of its ServiceRequest"));
    }
    // Whoever holds nothing finds what the form did before by the condition it is written under, so that
    // nobody who sends a form for the first time waits for a search that finds nothing.
    if booking.hold.is_some()
        && let Some(before) = booked_before(reads, booking)?
    {
        return repeated(reads, before, booking);
    }
    match book_now(reads, house, booking, visit).await {
        // A form that was sent before stands in its own way, whether by its hour or as somebody's hold.
        Err(fault) if fault.status() < FAILED => match booked_before(reads, booking)? {
            Some(before) => repeated(reads, before, booking),
            None => Err(fault),
        },
        outcome => outcome,
    }
}

fn booked_before(reads: &mut Reads<'_>, booking: &Booking) -> Result<Option<Loaded>, Fault> {
    Ok(by_form(reads, &booking.form)?.filter(|before| !was_held(before.document.root())))
}

async fn book_now(
    reads: &mut Reads<'_>,
    house: &House,
    booking: &Booking,
    visit: Option<VisitType>,
) -> Result<(Done, Hit), Fault> {
    let now = reads.session.now();
    let held = match &booking.hold {
        Some(id) => Some(own_hold(reads, id, now)?),
        None => None,
    };
    let visit = match visit {
        Some(visit) => visit,
        None => read_visit_type(reads, &booking.place.visit_type)?,
    };
    let judged = judge_visit(
        reads,
        house,
        (&booking.place, visit),
        Some(&booking.patient),
        held.as_ref().map(|held| held.hit.id.as_str()),
        booking.referral.is_some(),
    )?;
    let reason = judged.permit(reads.session.who(), booking.reason.as_ref())?;
    let extra = Extra {
        modality: booking.place.modality,
        over: reason.is_some() && judged.is_over(),
        reason,
        form: Some(booking.form.clone()),
        title: Some(judged.visit.title.clone()),
        comment: booking.comment.clone().filter(|c| !c.expose().trim().is_empty()),
        referral: booking.referral.clone(),
        created: Some(now),
        ..Extra::default()
    };
    let slots = judged.slots();
    let appointment = judged.appointment(Status::Booked, Some(&booking.patient), slots);
    let zone = Some(&judged.site.zone);
    let (hit, new) = match &held {
        Some(held) => {
            let body = appointment_onto(&appointment, held, &extra, zone)?;
            (update(reads.session, &held.hit, body).await?, true)
        }
        None => {
            let body = write(&appointment, &extra, None, zone)?;
            create_once(reads.session, body, &booking.form).await?
        }
    };
    if !new {
        let before = parsed_hit(hit)?;
        // What the form made is a hold that is over, or was let go: nothing was booked by it.
        if was_held(before.document.root()) {
            return Err(lost());
        }
        return repeated(reads, before, booking);
    }
    let findings = judged.verdict.findings;
    let names = judged.patient_name.map(|name| (booking.patient.clone(), name));
    let visit = super::day::shown_with(reads, &hit, names.as_slice())?;
    Ok((Done { visit, again: false, undo: None, findings }, hit))
}

/// A form that was sent before: what it did stands, if it did this.
fn repeated(
    reads: &mut Reads<'_>,
    before: Loaded,
    booking: &Booking,
) -> Result<(Done, Hit), Fault> {
    let visit = super::day::shown(reads, &before.hit)?;
    let same = visit.patient.as_ref().is_some_and(|whom| whom.id == booking.patient);
    if !same {
        return Err(invalid("this form was sent for another patient; open it again"));
    }
    Ok((Done { visit, again: true, undo: None, findings: Vec::new() }, before.hit))
}

/// Moves an appointment to another time, other resources, or both.
///
/// # Errors
/// As [`book`]; `record.write.version-conflict`; `scheduling.flow.step` for one that has begun or is over.
pub async fn move_to(session: &Session, house: &House, to: &Move) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = moved(&mut reads, house, to).await;
    reads.settle(outcome).await
}

async fn moved(reads: &mut Reads<'_>, house: &House, to: &Move) -> Result<Done, Fault> {
    let loaded = of_version(reads, &to.id, to.version)?;
    if !is_ahead(loaded.read.status) || extra(&loaded).hold.is_some() {
        return Err(step("only what is booked and has not begun is moved"));
    }
    let judged = super::judge::judge_move(reads, house, &loaded, to)?;
    let reason = judged.permit(reads.session.who(), to.reason.as_ref())?;
    let mut extra = extra(&loaded);
    extra.over = reason.is_some() && judged.is_over();
    extra.reason = reason;
    // Whoever said that they come, said it of another time.
    extra.first = None;
    extra.steps = Vec::new();
    let mut appointment = loaded.read.clone();
    appointment.span = Some(judged.span);
    appointment.zone = Some(judged.site.zone.name().to_owned());
    appointment.slots = judged.slots();
    for participant in &mut appointment.participants {
        let Some(actor) = &participant.actor else { continue };
        if let Some((_, new)) = to.instead.iter().find(|(old, _)| old == actor) {
            participant.actor = Some(new.clone());
        } else if participant.required == Some(Presence::InformationOnly)
            && actor.resource_type() == "Location"
        {
            participant.actor = Some(judged.site.location.clone());
        }
        participant.period = None;
        if participant.actor.as_ref().is_some_and(Actor::is_patient) {
            participant.answer = Answer::NeedsAction;
        }
    }
    let hit = save(reads.session, &loaded, &appointment, &extra, Some(&judged.site.zone)).await?;
    let findings = judged.verdict.findings;
    done(reads, &loaded.hit, &hit, findings)
}

/// Calls an appointment off. `reason` is a code of `appointment-cancellation-reason`.
///
/// # Errors
/// `record.write.version-conflict`; `scheduling.flow.step`; `scheduling.calendar.invalid` for a reason
/// that is none.
pub async fn cancel(
    session: &Session,
    id: &str,
    version: u64,
    reason: &str,
) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = of_version(&mut reads, id, version)?;
        let body = called_off(session, &loaded, reason)?;
        let hit = update(session, &loaded.hit, body).await?;
        done(&mut reads, &loaded.hit, &hit, Vec::new())
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// An appointment as it is when it was called off.
pub(super) fn called_off(
    session: &Session,
    loaded: &Loaded,
    reason: &str,
) -> Result<Vec<u8>, Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    if reason.is_empty() || reason.len() > REASON_MAX || !reason.chars().all(plain) {
        return Err(invalid(&format!("the reason is a code of {CANCEL_SYSTEM}")));
    }
    let mut extra = extra(loaded);
    let from = state_of(&loaded.read, &extra);
    let may = from.is_none() || from.is_some_and(|s| s.next().contains(&State::Cancelled));
    if !may || loaded.read.status == Status::EnteredInError {
        return Err(step("what is over, or called off already, is not called off"));
    }
    let_go(&mut extra, session.now());
    take_step(session, &mut extra, from, State::Cancelled)?;
    let mut appointment = loaded.read.clone();
    appointment.status = Status::Cancelled;
    appointment.cancel_reason = Some(reason.to_owned());
    appointment.slots = Vec::new();
    for participant in &mut appointment.participants {
        if participant.actor.as_ref().is_some_and(Actor::is_patient) {
            participant.answer = Answer::Declined;
        }
    }
    let zone = house_zone(&appointment);
    write(&appointment, &extra, Some(loaded.document.root()), zone.as_ref())
}

/// Marks that the patient did not come.
///
/// # Errors
/// As [`next_state`].
pub async fn no_show(session: &Session, id: &str, version: u64) -> Result<Done, Fault> {
    next_state(session, id, version, State::NoShow).await
}

/// Takes a step of the visit's day: confirmed, arrived, roomed, with the clinician, done. To be where
/// one is already is no fault, whatever the version: two people pressed the same button.
///
/// # Errors
/// `scheduling.flow.step`; `record.write.version-conflict`. Calling off wants its reason: [`cancel`].
pub async fn next_state(
    session: &Session,
    id: &str,
    version: u64,
    to: State,
) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = load(&mut reads, id)?;
        let mut extra = extra(&loaded);
        let from = state_of(&loaded.read, &extra).filter(|_| extra.hold.is_none());
        let Some(from) = from else { return Err(step("the appointment has no place on the day")) };
        if from == to {
            let visit = super::day::shown(&mut reads, &loaded.hit)?;
            return Ok(Done { visit, again: true, undo: None, findings: Vec::new() });
        }
        if loaded.hit.version != version {
            return Err(conflict());
        }
        if to == State::Cancelled {
            return Err(step("calling a visit off wants a reason"));
        }
        take_step(session, &mut extra, Some(from), to)?;
        let fhir = to.to_fhir();
        let mut appointment = loaded.read.clone();
        appointment.status = fhir.appointment;
        for participant in &mut appointment.participants {
            if participant.actor.as_ref().is_some_and(Actor::is_patient) {
                participant.answer = fhir.patient;
            }
        }
        let zone = house_zone(&appointment);
        let hit = save(session, &loaded, &appointment, &extra, zone.as_ref()).await?;
        done(&mut reads, &loaded.hit, &hit, Vec::new())
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// Takes back what was done last: the version before comes again, when its place is free still.
///
/// # Errors
/// `record.write.version-conflict` when it was changed since; `scheduling.flow.step` after 30 minutes;
/// `scheduling.appointment.double-booked` when its place was given to somebody else.
pub async fn undo(session: &Session, undo: &Undo) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = async {
        let loaded = of_version(&mut reads, &undo.id, undo.version)?;
        if undo.before == 0 || undo.before.checked_add(1) != Some(undo.version) {
            return Err(step("only what was done last is taken back"));
        }
        let age_ms = session.now().0.saturating_sub(loaded.hit.last_updated.0);
        if age_ms > UNDO_MINUTES * MINUTE_MS {
            return Err(step("it was done too long ago to be taken back"));
        }
        let before = reads.version("Appointment", &undo.id, undo.before)?;
        // Its time is put to the rule of the gate like any other: a place that is gone is gone.
        let document = parsed(&before)?;
        let read = Appointment::read(document.root())?;
        let body = write(
            &read,
            &Extra::read(document.root()),
            Some(document.root()),
            house_zone(&read).as_ref(),
        )?;
        let hit = update(session, &loaded.hit, body).await?;
        done(&mut reads, &loaded.hit, &hit, Vec::new())
    };
    let outcome = outcome.await;
    reads.settle(outcome).await
}

/// A hold ends now, and what is called off goes on saying that it was one: its form booked nothing.
fn let_go(extra: &mut Extra, now: Millis) {
    if let Some(kept) = &mut extra.hold {
        kept.until = kept.until.min(now);
    }
}

fn done(
    reads: &mut Reads<'_>,
    before: &Hit,
    after: &Hit,
    findings: Vec<crate::rules::Finding>,
) -> Result<Done, Fault> {
    let undo = Undo { id: after.id.clone(), version: after.version, before: before.version };
    let visit: Visit = super::day::shown(reads, after)?;
    Ok(Done { visit, again: false, undo: Some(undo), findings })
}

fn take_step(
    session: &Session,
    extra: &mut Extra,
    from: Option<State>,
    to: State,
) -> Result<(), Fault> {
    let Some(from) = from else { return Ok(()) };
    // Steps that somebody else's change of the status made untrue are begun anew.
    let told = extra.steps.last().is_some_and(|last| last.to == from);
    let first = match extra.first {
        Some(first) if told => first,
        _ => {
            extra.steps.clear();
            from
        }
    };
    let mut flow = Flow::of(first, &extra.steps)?;
    flow.advance(to, session.now(), session.who())?;
    extra.first = Some(first);
    extra.steps = flow.steps().to_vec();
    Ok(())
}

/// The appointment that a form made, if it did.
pub(super) fn by_form(reads: &mut Reads<'_>, form: &str) -> Result<Option<Loaded>, Fault> {
    let asked = [("identifier", format!("{FORM}|{form}"))];
    let found = reads.search("Appointment", &asked, 1)?;
    found.matches.into_iter().next().map(parsed_hit).transpose()
}

fn own_hold(reads: &mut Reads<'_>, id: &str, now: Millis) -> Result<Loaded, Fault> {
    let loaded = load(reads, id).map_err(|_hidden| lost())?;
    let kept = extra(&loaded).hold.ok_or_else(lost)?;
    if kept.holder != reads.session.who() || now >= kept.until {
        return Err(lost());
    }
    Ok(loaded)
}

pub(super) fn load(reads: &mut Reads<'_>, id: &str) -> Result<Loaded, Fault> {
    reads.read("Appointment", id).and_then(parsed_hit)
}

pub(super) fn parsed_hit(hit: Hit) -> Result<Loaded, Fault> {
    let document = parsed(&hit)?;
    let read = Appointment::read(document.root())?;
    Ok(Loaded { hit, document, read })
}

pub(super) fn of_version(reads: &mut Reads<'_>, id: &str, version: u64) -> Result<Loaded, Fault> {
    let loaded = load(reads, id)?;
    if loaded.hit.version == version { Ok(loaded) } else { Err(conflict()) }
}

/// Writes a version of an appointment with everything of the one before that is not spoken of.
async fn save(
    session: &Session,
    before: &Loaded,
    appointment: &Appointment,
    extra: &Extra,
    zone: Option<&crate::time::Zone>,
) -> Result<Hit, Fault> {
    let body = write(appointment, extra, Some(before.document.root()), zone)?;
    update(session, &before.hit, body).await
}

fn appointment_onto(
    appointment: &Appointment,
    held: &Loaded,
    extra: &Extra,
    zone: Option<&crate::time::Zone>,
) -> Result<Vec<u8>, Fault> {
    let named = Appointment { id: Some(held.hit.id.clone()), ..appointment.clone() };
    write(&named, extra, Some(held.document.root()), zone)
}

pub(super) async fn update(session: &Session, before: &Hit, body: Vec<u8>) -> Result<Hit, Fault> {
    update_if(session, before, body, None).await
}

/// As [`update`], while something holds.
pub(super) async fn update_if(
    session: &Session,
    before: &Hit,
    body: Vec<u8>,
    conditions: Option<Conditions>,
) -> Result<Hit, Fault> {
    let (id, version, of) = (before.id.clone(), before.version, before.resource_type);
    let mut again = false;
    let made = session.carry_out(Kind::Operation, |session| {
        // Made anew when something came between: if that was this record, whoever asks has to look.
        if again && session.read(of, &id, None)?.value.version != version {
            return Err(conflict());
        }
        again = true;
        let mut work = Work::new();
        work.update("Appointment", &id, version, body.clone());
        if let Some(conditions) = conditions.clone() {
            work.demand(conditions);
        }
        Ok(work)
    });
    written(made.await?).map(|(hit, _)| hit)
}

/// Creates an appointment, once by each form; answers whether it is new.
pub(super) async fn create_once(
    session: &Session,
    body: Vec<u8>,
    form: &str,
) -> Result<(Hit, bool), Fault> {
    let condition = format!("identifier={FORM}|{form}");
    let made = session.carry_out(Kind::Operation, |_| {
        let mut work = Work::new();
        work.create_once("Appointment", body.clone(), &condition);
        Ok(work)
    });
    written(made.await?)
}

pub(super) fn written(worked: Worked) -> Result<(Hit, bool), Fault> {
    let odd = || Fault::new(&code::INTERNAL, "an appointment was written and not answered");
    let answer = worked.entries.into_iter().next().ok_or_else(odd)?;
    let new = answer.status == 201;
    match answer.content {
        Content::Resource(hit) => Ok((*hit, new)),
        _ => Err(odd()),
    }
}

/// The zone an appointment was booked in, to write it back in.
pub(super) fn house_zone(appointment: &Appointment) -> Option<crate::time::Zone> {
    let name = appointment.zone.as_deref()?;
    crate::time::Zones::bundled().find(name).ok()
}

pub(super) fn form_id(form: &str) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    match !form.is_empty() && form.len() <= FORM_MAX && form.chars().all(plain) {
        true => Ok(()),
        false => Err(invalid("a form's id has 1 to 64 letters, digits and hyphens")),
    }
}

fn invalid(says: &str) -> Fault {
    Fault::new(&code::SCHEDULING_CALENDAR, says)
}

fn step(says: &str) -> Fault {
    Fault::new(&code::SCHEDULING_STEP, says)
}

fn lost() -> Fault {
    Fault::new(&code::SCHEDULING_HOLD, "ask for free places again")
}

pub(super) fn conflict() -> Fault {
    let says = "somebody changed the appointment since; look at it again";
    Fault::new(&code::VERSION_CONFLICT, says)
}

impl Judged {
    /// Whether the verdict lets it through with the reason given; the reason and what it set aside.
    fn permit(&self, who: &str, reason: Option<&Phi<String>>) -> Result<Option<Aside>, Fault> {
        let given = reason.map(|reason| Override { by: who.to_owned(), reason: reason.clone() });
        self.verdict.permit(given.as_ref())?;
        let aside: Vec<Rule> = self
            .verdict
            .findings
            .iter()
            .filter(|finding| finding.weight == Weight::AsksReason)
            .map(|finding| finding.rule)
            .collect();
        Ok(reason.filter(|_| !aside.is_empty()).map(|reason| (reason.clone(), aside)))
    }

    /// It takes the time of somebody who is taken.
    fn is_over(&self) -> bool {
        self.verdict.says(Rule::ResourceOverlap) || self.verdict.says(Rule::PatientDoubleBooked)
    }

    /// The appointment of it.
    pub(super) fn appointment(
        &self,
        status: Status,
        patient: Option<&str>,
        slots: Vec<String>,
    ) -> Appointment {
        let one = |actor: Actor, answer, required| Participant {
            actor: Some(actor),
            answer,
            required: Some(required),
            period: None,
        };
        let patient = patient.and_then(|id| Actor::parse(&format!("Patient/{id}")));
        let answer = match status {
            Status::Pending => Answer::NeedsAction,
            _ => Answer::Accepted,
        };
        let mut participants: Vec<Participant> = patient
            .into_iter()
            .map(|actor| one(actor, Answer::NeedsAction, Presence::Required))
            .collect();
        let with =
            self.with.iter().map(|(_, actor)| one(actor.clone(), answer, Presence::Required));
        participants.extend(with);
        let site = self.site.location.clone();
        participants.push(one(site, Answer::Accepted, Presence::InformationOnly));
        Appointment {
            id: None,
            status,
            visit_type: self.visit.id.clone(),
            span: Some(self.span),
            zone: Some(self.site.zone.name().to_owned()),
            before_minutes: self.visit.before_minutes,
            after_minutes: self.visit.after_minutes,
            participants,
            slots,
            cancel_reason: None,
            series: None,
        }
    }
}
