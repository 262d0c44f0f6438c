//! One look at what is freed and whom it is offered to: what the thread of the server does every few seconds. Freed
//! times are found by what was written since the last look, and each begins its round under a key of its own, so
//! that looking twice offers once. What is to be said to whom follows from the rounds as the record keeps them; a
//! line of the ledger tells what was said already. A line is written before a letter is handed on and after, so
//! wherever the program is killed it is tried again, under the same id.
//!
//! A record that is faulty in itself is passed over and counted, and stops nothing; what cannot be read now is
//! tried again.

use super::{Effect, Offer, Waves};
use crate::arrive::link_ends;
use crate::book::House;
use crate::book::waitlist::{
    Freed, Means, Offers, answer, begin, freed_since, look, offers, rounds,
};
use crate::remind::pass::{fresh, opted_out, type_of};
use crate::remind::{
    ATTEMPTS_MAX, Blanks, Carrier, Language, Letter, Link, Quiet, Template, Undelivered, Way, whom,
};
use crate::time::{MINUTE_MS, Zone};
use base::error::code::VERSION_CONFLICT;
use base::{Fault, Limits, Millis, Phi};
use fhir::Document;
use record::{Kind, Level, Linked, SearchHow, Session, Telling};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How all keys of the ledger begin.
const PREFIX: &str = "waitlist/";
/// Until when was looked for freed times.
const SEEN: &str = "waitlist/seen";
/// How far back a look goes behind the last: a clock that was set back hides nothing.
const OVERLAP_MS: i64 = 5 * MINUTE_MS;
/// Appointments of one page.
const PAGE: usize = 500;
/// How long a failed letter waits; each later one twice as long.
const BACKOFF_MS: i64 = MINUTE_MS;
/// How long the ledger keeps what was said.
const KEPT_MS: i64 = 30 * 24 * 60 * MINUTE_MS;
/// The status that the log has for what could not be handed on.
const NOT_SENT: u16 = 502;

/// How this house offers freed times.
#[derive(Debug, Clone)]
pub struct Offering {
    /// What it says of booking.
    pub house: House,
    /// What patients call the clinic.
    pub clinic: String,
    /// Where links lead: `https://clinic.example`.
    pub origin: String,
    /// When nothing is offered, by the clocks of the house.
    pub quiet: Quiet,
    /// How offers go out.
    pub waves: Waves,
    /// Freed times are offered by themselves.
    pub by_itself: bool,
}

/// What one look did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// Rounds begun.
    pub begun: u64,
    /// Letters handed on.
    pub sent: u64,
    /// Letters that could not be.
    pub failed: u64,
    /// Records that could not be understood, and were passed over.
    pub faulty: u64,
    /// When there is something to do next, as far as is known.
    pub next: Option<Millis>,
}

/// How the last look went, for who watches over the machine. It is kept in mind and nowhere else.
#[derive(Debug, Default)]
pub struct Standing {
    is_failing: AtomicBool,
    faulty: AtomicU64,
}

impl Standing {
    /// Keeps in mind how a look went; none for one that could not be made.
    pub fn tell(&self, looked: Option<&Looked>) {
        self.is_failing.store(looked.is_none(), Ordering::Relaxed);
        if let Some(looked) = looked {
            self.faulty.store(looked.faulty, Ordering::Relaxed);
        }
    }

    /// Whether the last look could not be made.
    pub fn is_failing(&self) -> bool {
        self.is_failing.load(Ordering::Relaxed)
    }

    /// Records that the last look passed over, since they could not be understood.
    pub fn faulty(&self) -> u64 {
        self.faulty.load(Ordering::Relaxed)
    }
}

/// What a letter says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Offer,
    Yours,
    Gone,
}

impl Says {
    const fn code(self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Yours => "yours",
            Self::Gone => "gone",
        }
    }

    fn template(self, language: Language) -> Template {
        match self {
            Self::Offer => language.offer(),
            Self::Yours => language.yours(),
            Self::Gone => language.gone(),
        }
    }
}

/// A letter, written to somebody.
struct Written {
    patient: String,
    /// Where it can go, the preferred first.
    addresses: Vec<(Way, Phi<String>)>,
    language: Language,
    text: String,
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    key: String,
    version: Option<u64>,
    outcome: String,
    attempts: u32,
    next: Option<Millis>,
    message: String,
}

/// Looks once. Without a carrier nothing is sent and nothing begins by itself; what ran out is written down.
///
/// # Errors
/// As a search, a write, or keeping of an errand; what was done until then stands.
pub async fn pass(
    session: &Session,
    how: &Offering,
    carrier: Option<&dyn Carrier>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Looked, Fault> {
    let mut one = Look { session, how, carrier, looked: Looked::default() };
    one.tidy()?;
    if let Some(morning) = how.quiet.ends(zone(how), session.now())? {
        // Nobody is asked or told now; what was freed, and what ran out, is found then.
        one.wake_at(Some(morning));
        return Ok(one.looked);
    }
    if carrier.is_some() && how.by_itself {
        one.notice(stop).await?;
    }
    let found = rounds(session).await?;
    one.looked.faulty += found.faulty;
    for round in found.rows {
        if stop() {
            break;
        }
        let is_open = round.is_open();
        let round = if is_open { look(session, &round.key).await } else { Ok(round) };
        let Some(round) = one.of_sound(round)? else { continue };
        one.wake_at(round.due);
        if round.means == Means::Messages {
            one.letters(&round).await?;
        }
    }
    Ok(one.looked)
}

const fn zone(how: &Offering) -> &Zone {
    &how.house.zone
}

struct Look<'s> {
    session: &'s Session,
    how: &'s Offering,
    carrier: Option<&'s dyn Carrier>,
    looked: Looked,
}

impl Look<'_> {
    /// What came of one record. One that is faulty in itself is counted and passed over; one that others change
    /// just now is looked at again.
    fn of_sound<T>(&mut self, outcome: Result<T, Fault>) -> Result<Option<T>, Fault> {
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(fault) if fault.code() == &VERSION_CONFLICT => {
                self.wake_at(Some(self.session.now()));
                Ok(None)
            }
            Err(fault) if fault.status() < 500 => {
                self.looked.faulty += 1;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Begins to offer what was freed since the last look.
    async fn notice(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<(), Fault> {
        let now = self.session.now();
        let seen = self.session.errand(SEEN)?;
        let keep = |at: Millis, replaces| {
            self.session.keep_errand(SEEN, replaces, Some(&at.0.to_string()), None).map(drop)
        };
        let since = seen.as_ref().and_then(|seen| seen.text.parse::<i64>().ok());
        let Some(since) = since else {
            // Before the first look nothing was promised to anybody.
            return keep(now, seen.map(|seen| seen.version));
        };
        let from = Millis(since.min(now.0).saturating_sub(OVERLAP_MS));
        let pairs = [
            ("_lastUpdated", format!("ge{}", from.to_instant())),
            ("date", format!("ge{}", Millis(now.0.saturating_sub(KEPT_MS)).to_instant())),
            ("_count", PAGE.to_string()),
        ];
        let mut asked: Vec<_> = pairs.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        loop {
            let level = Level::Type(type_of("Appointment")?);
            let found = self.session.search(level, asked, &SearchHow::default())?.wait()?;
            for hit in found.page.matches {
                if stop() {
                    return Ok(());
                }
                let freed = freed_since(self.session, hit, from).await;
                let Some(freed) = self.of_sound(freed)? else { continue };
                self.looked.faulty += freed.faulty;
                // Whether a time is offered whose clinician may be away, a person says.
                for one in freed.times.iter().filter(|one| !one.may_be_away) {
                    self.begin(one).await?;
                }
            }
            match found.next {
                Some(next) => asked = vec![("_cursor".to_owned(), next)],
                None => break,
            }
        }
        keep(now, seen.map(|seen| seen.version))
    }

    async fn begin(&mut self, freed: &Freed) -> Result<(), Fault> {
        if offers(self.session, &freed.key).await.is_ok() {
            return Ok(());
        }
        let (house, waves) = (&self.how.house, self.how.waves);
        match begin(self.session, house, freed, waves, Means::Messages).await {
            Ok(Some(_)) => self.looked.begun += 1,
            Ok(None) => {}
            // It was given to somebody else already, or a rule keeps everybody from it.
            Err(fault) if fault.status() < 500 => {}
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    /// Says what is to be said of a round.
    async fn letters(&mut self, round: &Offers) -> Result<(), Fault> {
        let now = self.session.now();
        if self.carrier.is_none() || round.span.start <= now {
            return Ok(());
        }
        for effect in &round.effects {
            let said = self.letter(round, effect, now).await;
            self.of_sound(said)?;
        }
        Ok(())
    }

    async fn letter(&mut self, round: &Offers, effect: &Effect, now: Millis) -> Result<(), Fault> {
        match effect {
            Effect::Offer { entry, .. } => {
                let is_open =
                    matches!(round.offer(entry), Some(Offer::Open { until }) if until > now);
                if is_open && round.is_open() && !self.say(round, entry, Says::Offer)? {
                    // Who cannot be reached is passed over, for those who can.
                    answer(self.session, &round.key, entry, false).await?;
                    self.wake_at(Some(now));
                }
            }
            Effect::Book { entry } => {
                self.say(round, entry, Says::Yours)?;
            }
            Effect::TellGone { entry } => {
                let told = self.session.errand(&key(round, entry, Says::Offer))?;
                if told.is_some_and(|told| told.text.starts_with("sent ")) {
                    self.say(round, entry, Says::Gone)?;
                }
            }
        }
        Ok(())
    }

    /// Sends a letter, once; whether it went out, or may yet.
    fn say(&mut self, round: &Offers, entry: &str, says: Says) -> Result<bool, Fault> {
        let now = self.session.now();
        let Some(carrier) = self.carrier else { return Ok(true) };
        let key = key(round, entry, says);
        let found = self.session.errand(&key)?;
        let mut line = match found.map(|errand| Line::read(&key, &errand)) {
            Some(line) => line,
            None => Line {
                key,
                version: None,
                outcome: String::new(),
                attempts: 0,
                next: None,
                message: self.session.draw()?,
            },
        };
        match line.outcome.as_str() {
            "sent" => return Ok(true),
            "given-up" => return Ok(false),
            _ => {}
        }
        if let Some(next) = line.next.filter(|next| *next > now) {
            self.wake_at(Some(next));
            return Ok(true);
        }
        line.attempts = line.attempts.saturating_add(1);
        line.next = None;
        self.keep(&mut line, "sending", None)?;
        let written = match self.written(round, entry, says, carrier) {
            Ok(Some(written)) => written,
            Ok(None) => return self.give_up(line, None),
            // Nothing is known of whom it would go to: that is no reason never to tell them.
            Err(fault) if fault.status() >= 500 => return self.later(line, None, None),
            Err(_odd) => {
                self.looked.faulty += 1;
                return self.give_up(line, None);
            }
        };
        for (way, address) in &written.addresses {
            let letter = Letter {
                id: &line.message,
                way: *way,
                address,
                subject: match says {
                    Says::Offer | Says::Gone => written.language.offer_subject(),
                    Says::Yours => written.language.subject(),
                },
                text: &written.text,
                language: written.language.tag(),
                at: now,
            };
            let tells = (entry, written.patient.as_str());
            match carrier.carry(&letter) {
                Ok(()) => {
                    self.looked.sent += 1;
                    self.keep(&mut line, "sent", Some((200, tells)))?;
                    return Ok(true);
                }
                Err(Undelivered::Refused { .. }) => {}
                Err(Undelivered::Later { wait_ms, .. }) => {
                    return self.later(line, wait_ms, Some(tells));
                }
            }
        }
        self.give_up(line, None)
    }

    /// A letter that did not go out now: it is tried again, [`ATTEMPTS_MAX`] times in all.
    fn later(
        &mut self,
        mut line: Line,
        wait_ms: Option<i64>,
        tells: Option<(&str, &str)>,
    ) -> Result<bool, Fault> {
        if line.attempts >= ATTEMPTS_MAX {
            return self.give_up(line, tells);
        }
        let doubled = BACKOFF_MS << line.attempts.saturating_sub(1).min(6);
        let wait_ms = doubled.max(wait_ms.unwrap_or(0));
        let next = Millis(self.session.now().0.saturating_add(wait_ms));
        line.next = Some(next);
        self.wake_at(Some(next));
        self.looked.failed += 1;
        self.keep(&mut line, "failed", None)?;
        Ok(true)
    }

    /// The letter to somebody as the record is now: what was found is older than what came before this one. None
    /// for who cannot be reached, or asked not to be.
    fn written(
        &self,
        round: &Offers,
        entry: &str,
        says: Says,
        carrier: &dyn Carrier,
    ) -> Result<Option<Written>, Fault> {
        let Some(patient) = self.patient(entry)? else { return Ok(None) };
        let Some(body) = fresh(self.session, "Patient", &patient)? else { return Ok(None) };
        let document = Document::parse(body, &Limits::default())?;
        let Some(whom) = whom::read(document.root(), self.session.now()) else { return Ok(None) };
        let mut addresses = whom.addresses;
        addresses.retain(|(way, address)| carrier.reaches(*way, address));
        if addresses.is_empty() || opted_out(self.session, &patient)? {
            return Ok(None);
        }
        let language = whom.language;
        let text = self.text(round, (entry, &patient), says, language)?;
        Ok(Some(Written { patient, addresses, language, text }))
    }

    fn give_up(&mut self, mut line: Line, tells: Option<(&str, &str)>) -> Result<bool, Fault> {
        self.looked.failed += 1;
        self.keep(&mut line, "given-up", tells.map(|tells| (NOT_SENT, tells)))?;
        Ok(false)
    }

    fn text(
        &self,
        round: &Offers,
        (entry, patient): (&str, &str),
        says: Says,
        language: Language,
    ) -> Result<String, Fault> {
        let about = Linked {
            appointment: entry.to_owned(),
            patient: patient.to_owned(),
            // The visit is theirs: its link is that of any visit.
            ends: if says == Says::Yours { link_ends(round.span) } else { round.span.start },
            round: (says != Says::Yours).then(|| round.key.clone()),
            is_kiosk: false,
            is_handed: false,
        };
        let link = Link::new(&self.how.origin, &self.session.draw_link(&about)?)?;
        let own = round.zone.as_deref().and_then(|name| self.how.house.zones.find(name).ok());
        let wall = own.as_ref().unwrap_or_else(|| zone(self.how)).wall(round.span.start);
        let blanks = Blanks { clinic: &self.how.clinic, wall, link: &link };
        says.template(language).fill(language, &blanks)
    }

    fn patient(&self, entry: &str) -> Result<Option<String>, Fault> {
        let Some(body) = fresh(self.session, "Appointment", entry)? else { return Ok(None) };
        let document = Document::parse(body, &Limits::default())?;
        let read = crate::appointment::Appointment::read(document.root())?;
        Ok(read.patient().map(str::to_owned))
    }

    /// Writes a line down, and what the log is told of it.
    fn keep(
        &self,
        line: &mut Line,
        outcome: &str,
        tells: Option<(u16, (&str, &str))>,
    ) -> Result<(), Fault> {
        outcome.clone_into(&mut line.outcome);
        let tells = match tells {
            None => None,
            Some((status, (entry, patient))) => Some(Telling {
                kind: Kind::Reminder,
                status,
                record: (type_of("Appointment")?, entry.to_owned()),
                patient: patient.to_owned(),
            }),
        };
        let next = line.next.map_or_else(|| "-".to_owned(), |next| next.0.to_string());
        let text = format!("{outcome} {} {next} {}", line.attempts, line.message);
        line.version =
            Some(self.session.keep_errand(&line.key, line.version, Some(&text), tells)?);
        Ok(())
    }

    /// Forgets what was said of times that are long over.
    fn tidy(&self) -> Result<(), Fault> {
        let before = self.session.now().0.saturating_sub(KEPT_MS);
        for errand in self.session.errands(PREFIX, None)? {
            let start = errand.key.strip_prefix(PREFIX).and_then(|rest| rest.split('/').next());
            let start = start.and_then(|start| i64::from_str_radix(start, 16).ok());
            // They stand by the visit's beginning; the last is no line.
            if start.is_none_or(|start| start >= before) {
                return Ok(());
            }
            self.session.keep_errand(&errand.key, Some(errand.version), None, None)?;
        }
        Ok(())
    }

    fn wake_at(&mut self, at: Option<Millis>) {
        self.looked.next = [self.looked.next, at].into_iter().flatten().min();
    }
}

fn key(round: &Offers, entry: &str, says: Says) -> String {
    format!("{PREFIX}{:016x}/{}/{entry}/{}", round.span.start.0.max(0), round.key, says.code())
}

impl Line {
    /// Reads a line; one that is not understood was tried and is tried again.
    fn read(key: &str, errand: &record::Errand) -> Self {
        let mut words = errand.text.split(' ');
        let mut word = || words.next().unwrap_or_default().to_owned();
        Self {
            key: key.to_owned(),
            version: Some(errand.version),
            outcome: word(),
            attempts: word().parse().unwrap_or(0),
            next: word().parse().ok().map(Millis),
            message: word(),
        }
    }
}
