//! One look at what is to be sent now. Nothing is planned ahead: what is due follows from the appointments as
//! they stand, so that a visit that is booked, moved or called off by any way is reminded of as it is; the
//! ledger tells what was done already.
//!
//! A reminder is written down as being sent before it is handed on, and as sent after: wherever the program is
//! killed, it is tried again, and each kill sends at most one twice, under the same id. The appointment is
//! read once more between the two.

use super::ledger::{self, Entry, Outcome, PREFIX};
use super::whom::{self, Way, Whom};
use super::{Blanks, Fate, Language, Lead, Link, Quiet, due};
use crate::appointment::Appointment;
use crate::arrive::link_ends;
pub(crate) use crate::book::reads::type_of;
use crate::occupied::Status;
use crate::time::{MINUTE_MS, Span, Zone, Zones};
use base::error::code;
use base::{Fault, Limits, Millis, Phi};
use fhir::Document;
use fhir::date::parse;
use record::{Hit, Kind, Level, Linked, SearchHow, Session, Telling};
use std::fmt;

/// How often one reminder is tried.
pub const ATTEMPTS_MAX: u32 = 8;
/// Milliseconds before the second try; each later one waits twice as long, an hour at most.
const BACKOFF_MS: i64 = MINUTE_MS;
const BACKOFF_MAX_MS: i64 = 60 * MINUTE_MS;
/// Failures of a way, one after the other, after which it is left alone until the next look.
const AWAY: u32 = 3;
/// Appointments of one page.
const PAGE: usize = 1_000;
/// Reminders that fall into quiet hours go out before them: half a day earlier at most, and an hour for a
/// change of the clocks.
const EARLIER_MS: i64 = 13 * 60 * MINUTE_MS;
/// After how long it is looked again at the latest: what is not within the window of a look is due an hour
/// after it at the earliest.
const AGAIN_MS: i64 = 60 * MINUTE_MS;
/// How long the ledger keeps what became of a visit's reminders.
const KEPT_MS: i64 = 30 * 24 * 60 * MINUTE_MS;
/// The status that the log has for what could not be handed on.
const NOT_SENT: u16 = 502;

/// How this house reminds.
#[derive(Debug, Clone)]
pub struct Reminding {
    /// The time zone database.
    pub zones: Zones,
    /// The zone of a visit that does not tell its own.
    pub zone: Zone,
    /// What patients call the clinic.
    pub clinic: String,
    /// Where links lead: `https://clinic.example`.
    pub origin: String,
    /// How long before.
    pub leads: Vec<Lead>,
    /// When nothing is sent.
    pub quiet: Quiet,
}

/// What is handed on.
pub struct Letter<'a> {
    /// The message's own id: the same each time it is tried.
    pub id: &'a str,
    /// By which way.
    pub way: Way,
    /// To which address, as the record has it.
    pub address: &'a Phi<String>,
    /// What a mail is headed with.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
    /// Its language.
    pub language: &'static str,
    /// When it is sent.
    pub at: Millis,
}

impl fmt::Debug for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter {{ id: {:?}, way: {:?} }}", self.id, self.way)
    }
}

/// Why a letter was not handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undelivered {
    /// Not now.
    Later {
        /// The code of the failure.
        why: &'static str,
        /// How long to wait, where somebody said.
        wait_ms: Option<i64>,
    },
    /// Not to this address.
    Refused {
        /// The code of the failure.
        why: &'static str,
    },
}

/// Who hands letters on.
pub trait Carrier: Send + Sync {
    /// Whether a letter can go to such an address at all.
    fn reaches(&self, way: Way, address: &Phi<String>) -> bool;

    /// Hands a letter on; waits until it is, or is not.
    ///
    /// # Errors
    /// Why not.
    fn carry(&self, letter: &Letter<'_>) -> Result<(), Undelivered>;
}

/// What one look did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// Reminders handed on.
    pub sent: u64,
    /// Reminders that could not be, and are tried again.
    pub failed: u64,
    /// Reminders that are not tried again.
    pub given_up: u64,
    /// Appointments that could not be understood.
    pub unreadable: u64,
    /// When something is due next, as far as is known.
    pub next: Option<Millis>,
}

/// Looks once at what is to be sent, and sends it.
///
/// # Errors
/// As a search, a read, or keeping of an errand; what was done until then is written down.
pub fn pass(
    session: &Session,
    how: &Reminding,
    carrier: &dyn Carrier,
    stop: &dyn Fn() -> bool,
) -> Result<Passed, Fault> {
    let mut look = Look { session, how, carrier, away: [0; 2], passed: Passed::default() };
    look.tidy(stop)?;
    let longest = how.leads.iter().map(|lead| lead.most_ms()).max().unwrap_or(0);
    let now = session.now();
    let until = Millis(now.0.saturating_add(longest).saturating_add(EARLIER_MS));
    // What lies behind the window may be due as soon as it is in it.
    look.wake_at(Some(Millis(now.0.saturating_add(AGAIN_MS))));
    let pairs = [
        ("status", "booked".to_owned()),
        ("date", format!("ge{}", now.to_instant())),
        ("date", format!("le{}", until.to_instant())),
        ("_count", PAGE.to_string()),
    ];
    let mut asked: Vec<_> = pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
    loop {
        let level = Level::Type(type_of("Appointment")?);
        let found = session.search(level, asked, &SearchHow::default())?.wait()?;
        for hit in &found.page.matches {
            if stop() {
                return Ok(look.passed);
            }
            look.visit(hit)?;
        }
        match found.next {
            Some(next) => asked = vec![("_cursor".to_owned(), next)],
            None => return Ok(look.passed),
        }
    }
}

/// Has a reminder that failed or was given up tried again at the next look.
///
/// # Errors
/// `record.read.not-found` when there is none such; as keeping of an errand.
pub fn try_again(
    session: &Session,
    start: Millis,
    appointment: &str,
    lead: Lead,
) -> Result<(), Fault> {
    let none = || Fault::new(&code::NOT_FOUND, "no such reminder failed or was given up");
    let found = session.errand(&ledger::key(start, appointment, lead))?.ok_or_else(none)?;
    let mut entry = Entry::read(&found)?;
    if !matches!(entry.outcome, Outcome::Failed | Outcome::GivenUp | Outcome::NoAddress) {
        return Err(none());
    }
    entry.outcome = Outcome::Failed;
    entry.attempts = 0;
    entry.next = None;
    entry.at = session.now();
    session.keep_errand(&entry.key(), entry.version, Some(&entry.text()), None).map(drop)
}

struct Look<'s> {
    session: &'s Session,
    how: &'s Reminding,
    carrier: &'s dyn Carrier,
    /// Failures of each way since it last worked.
    away: [u32; 2],
    passed: Passed,
}

/// A visit as it was found.
struct Due {
    id: String,
    patient: String,
    span: Span,
    zone: Zone,
}

impl Look<'_> {
    /// Closes what can no longer be sent, and forgets what is long over.
    fn tidy(&mut self, stop: &dyn Fn() -> bool) -> Result<(), Fault> {
        let now = self.session.now();
        let mut after: Option<String> = None;
        loop {
            let found = self.session.errands(PREFIX, after.as_deref())?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(last.key.clone());
            for errand in &found {
                let mut entry = Entry::read(errand)?;
                // They stand by the visit's beginning.
                if entry.start > now || stop() {
                    return Ok(());
                }
                if !entry.outcome.is_final() && !self.stood(&entry)? {
                    entry.outcome = Outcome::CalledOff;
                    entry.next = None;
                    self.keep(&mut entry, None)?;
                } else if !entry.outcome.is_final() {
                    entry.outcome = Outcome::GivenUp;
                    entry.why = entry.why.or_else(|| Some("too-late".to_owned()));
                    entry.next = None;
                    self.passed.given_up += 1;
                    self.keep(&mut entry, Some(NOT_SENT))?;
                } else if entry.start.0.saturating_add(KEPT_MS) < now.0 {
                    self.session.keep_errand(&errand.key, Some(errand.version), None, None)?;
                }
            }
        }
    }

    /// Whether the visit of a line was to be at its time to the last.
    fn stood(&self, entry: &Entry) -> Result<bool, Fault> {
        let Some(body) = fresh(self.session, "Appointment", &entry.appointment)? else {
            return Ok(false);
        };
        let read = Document::parse(body, &Limits::default());
        let read = read.and_then(|document| Appointment::read(document.root()));
        Ok(read.is_ok_and(|read| {
            read.status != Status::Cancelled
                && read.span.is_some_and(|span| span.start == entry.start)
        }))
    }

    fn visit(&mut self, hit: &Hit) -> Result<(), Fault> {
        let Some((visit, booked_at)) = self.read(hit) else { return Ok(()) };
        let now = self.session.now();
        let (how, start) = (self.how, visit.span.start);
        let fates = due(start, &visit.zone, &how.leads, how.quiet, booked_at)?;
        let mut times: Vec<(Millis, Lead)> = fates
            .into_iter()
            .filter_map(|(lead, fate)| match fate {
                Fate::Due { at, .. } => Some((at, lead)),
                Fate::PassedBeforeBooking | Fate::SameAsAnother => None,
            })
            .collect();
        times.sort_unstable();
        let ahead = times.iter().map(|(at, _)| *at).find(|at| *at > now);
        self.wake_at(ahead);
        let over: Vec<(Millis, Lead)> = times.into_iter().filter(|(at, _)| *at <= now).collect();
        let Some(((_, last), earlier)) = over.split_last() else { return Ok(()) };
        let found = self.session.errand(&ledger::key(start, &visit.id, *last))?;
        let found = found.as_ref().map(Entry::read).transpose()?;
        if found.as_ref().is_some_and(|entry| entry.outcome.is_final()) {
            return Ok(());
        }
        if let Some(opens) = self.how.quiet.ends(&visit.zone, now)? {
            self.wake_at(Some(opens));
            return Ok(());
        }
        // A line of a later time than now is of a clock that stood wrong, and so is its wait.
        let next = found.as_ref().filter(|entry| entry.at <= now).and_then(|entry| entry.next);
        if let Some(next) = next.filter(|next| *next > now) {
            self.wake_at(Some(next));
            return Ok(());
        }
        for (_, lead) in earlier {
            self.supersede(&visit, *lead)?;
        }
        if self.away.iter().all(|failures| *failures >= AWAY) {
            return Ok(());
        }
        let entry = match found {
            Some(entry) => entry,
            None => self.begun(&visit, *last)?,
        };
        self.send(&visit, entry)
    }

    /// A visit that somebody can be reminded of, and when it was booked.
    fn read(&mut self, hit: &Hit) -> Option<(Due, Millis)> {
        let document = Document::parse(hit.body.clone(), &Limits::default()).ok();
        let read = document.as_ref().and_then(|d| Appointment::read(d.root()).ok());
        let (Some(document), Some(read)) = (document, read) else {
            self.passed.unreadable += 1;
            return None;
        };
        let span = read.span.filter(|span| span.start > self.session.now())?;
        let patient = read.patient()?.to_owned();
        let zone = read.zone.as_deref().and_then(|name| self.how.zones.find(name).ok());
        let zone = zone.unwrap_or_else(|| self.how.zone.clone());
        let created = document.root().get_str("created").and_then(|text| parse(&text));
        // Without it nothing has passed before the booking.
        let booked_at = Millis(created.map_or(i64::MIN, |created| created.low));
        (read.status == Status::Booked)
            .then(|| (Due { id: hit.id.clone(), patient, span, zone }, booked_at))
    }

    fn begun(&self, visit: &Due, lead: Lead) -> Result<Entry, Fault> {
        Ok(Entry {
            appointment: visit.id.clone(),
            start: visit.span.start,
            lead,
            patient: visit.patient.clone(),
            message: self.session.draw()?,
            outcome: Outcome::Sending,
            attempts: 0,
            at: self.session.now(),
            next: None,
            way: None,
            why: None,
            version: None,
        })
    }

    /// An earlier reminder that was not sent in time: the later one tells all that it would.
    fn supersede(&self, visit: &Due, lead: Lead) -> Result<(), Fault> {
        let found = self.session.errand(&ledger::key(visit.span.start, &visit.id, lead))?;
        let mut entry = match found.as_ref().map(Entry::read).transpose()? {
            Some(entry) if entry.outcome.is_final() => return Ok(()),
            Some(entry) => entry,
            None => self.begun(visit, lead)?,
        };
        entry.outcome = Outcome::Superseded;
        entry.next = None;
        self.keep(&mut entry, None)
    }

    fn send(&mut self, visit: &Due, mut entry: Entry) -> Result<(), Fault> {
        entry.outcome = Outcome::Sending;
        entry.attempts = entry.attempts.saturating_add(1);
        entry.next = None;
        self.keep(&mut entry, None)?;
        // As it is now: what was found is older than what came before this one.
        let Some(whom) = self.whom(visit)? else {
            return self.close(entry, Outcome::CalledOff);
        };
        if opted_out(self.session, &visit.patient)? {
            return self.close(entry, Outcome::OptedOut);
        }
        let mut refused = None;
        for (way, address) in &whom.addresses {
            if !self.carrier.reaches(*way, address) {
                continue;
            }
            entry.way = Some(*way);
            match self.carry(visit, &entry, *way, address, whom.language)? {
                Ok(()) => {
                    if let Some(failures) = self.away.get_mut(*way as usize) {
                        *failures = 0;
                    }
                    self.passed.sent += 1;
                    entry.outcome = Outcome::Sent;
                    entry.why = None;
                    return self.keep(&mut entry, Some(200));
                }
                Err(Undelivered::Refused { why }) => refused = Some(why),
                Err(Undelivered::Later { why, wait_ms }) => {
                    return self.later(entry, *way, why, wait_ms);
                }
            }
        }
        match refused {
            None => self.close(entry, Outcome::NoAddress),
            Some(why) => self.give_up(entry, why),
        }
    }

    fn carry(
        &self,
        visit: &Due,
        entry: &Entry,
        way: Way,
        address: &Phi<String>,
        language: Language,
    ) -> Result<Result<(), Undelivered>, Fault> {
        let about = Linked {
            appointment: visit.id.clone(),
            patient: visit.patient.clone(),
            ends: link_ends(visit.span),
            round: None,
            is_kiosk: false,
            is_handed: false,
        };
        let link = Link::new(&self.how.origin, &self.session.draw_link(&about)?)?;
        let wall = visit.zone.wall(visit.span.start);
        let blanks = Blanks { clinic: &self.how.clinic, wall, link: &link };
        let text = language.template().fill(language, &blanks)?;
        Ok(self.carrier.carry(&Letter {
            id: &entry.message,
            way,
            address,
            subject: language.subject(),
            text: &text,
            language: language.tag(),
            at: self.session.now(),
        }))
    }

    fn later(
        &mut self,
        mut entry: Entry,
        way: Way,
        why: &'static str,
        wait_ms: Option<i64>,
    ) -> Result<(), Fault> {
        if let Some(failures) = self.away.get_mut(way as usize) {
            *failures = failures.saturating_add(1);
        }
        if entry.attempts >= ATTEMPTS_MAX {
            return self.give_up(entry, why);
        }
        let doubled = BACKOFF_MS.saturating_mul(1 << entry.attempts.saturating_sub(1).min(10));
        let wait = doubled.min(BACKOFF_MAX_MS).max(wait_ms.unwrap_or(0));
        let next = Millis(self.session.now().0.saturating_add(wait));
        self.wake_at(Some(next));
        self.passed.failed += 1;
        entry.outcome = Outcome::Failed;
        entry.next = Some(next);
        entry.why = Some(why.to_owned());
        self.keep(&mut entry, None)
    }

    fn give_up(&mut self, mut entry: Entry, why: &'static str) -> Result<(), Fault> {
        self.passed.given_up += 1;
        entry.outcome = Outcome::GivenUp;
        entry.why = Some(why.to_owned());
        self.keep(&mut entry, Some(NOT_SENT))
    }

    fn close(&self, mut entry: Entry, outcome: Outcome) -> Result<(), Fault> {
        entry.outcome = outcome;
        self.keep(&mut entry, None)
    }

    /// Writes a line down, and what the log is told of it.
    fn keep(&self, entry: &mut Entry, status: Option<u16>) -> Result<(), Fault> {
        entry.at = self.session.now();
        let tells = match status {
            None => None,
            Some(status) => Some(Telling {
                kind: Kind::Reminder,
                status,
                record: (type_of("Appointment")?, entry.appointment.clone()),
                patient: entry.patient.clone(),
            }),
        };
        let (key, text) = (entry.key(), entry.text());
        entry.version = Some(self.session.keep_errand(&key, entry.version, Some(&text), tells)?);
        Ok(())
    }

    /// Who is to be reminded, when the visit stands as it was found and they can be.
    fn whom(&self, visit: &Due) -> Result<Option<Whom>, Fault> {
        let Some(body) = fresh(self.session, "Appointment", &visit.id)? else { return Ok(None) };
        let read = Document::parse(body, &Limits::default());
        let read = read.and_then(|document| Appointment::read(document.root()));
        let stands = read.is_ok_and(|read| {
            read.status == Status::Booked
                && read.span.is_some_and(|span| span.start == visit.span.start)
                && read.patient() == Some(visit.patient.as_str())
        });
        if !stands || visit.span.start <= self.session.now() {
            return Ok(None);
        }
        let Some(body) = fresh(self.session, "Patient", &visit.patient)? else { return Ok(None) };
        let document = Document::parse(body, &Limits::default())?;
        Ok(whom::read(document.root(), self.session.now()))
    }

    fn wake_at(&mut self, at: Option<Millis>) {
        let known = self.passed.next;
        self.passed.next = [known, at].into_iter().flatten().min();
    }
}

/// A record as it is now; none for one that is gone.
pub(crate) fn fresh(session: &Session, kind: &str, id: &str) -> Result<Option<Vec<u8>>, Fault> {
    match session.read(type_of(kind)?, id, None) {
        Ok(audited) => Ok(Some(audited.wait()?.body)),
        Err(fault) if matches!(fault.status(), 404 | 410) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether a patient asked not to be sent anything.
pub(crate) fn opted_out(session: &Session, patient: &str) -> Result<bool, Fault> {
    let asked = vec![("patient".to_owned(), patient.to_owned())];
    let level = Level::Type(type_of("Flag")?);
    let found = session.search(level, asked, &SearchHow::default())?.wait()?;
    // More flags than one page has: rather one who is not told than one who asked not to be.
    Ok(found.next.is_some()
        || found.page.matches.iter().any(|hit| {
            Document::parse(hit.body.clone(), &Limits::default())
                .is_ok_and(|flag| whom::opts_out(flag.root(), session.now()))
        }))
}
