//! The ledger of reminders: what became of each one, by the visit's beginning, the appointment and the lead.
//! A visit that is moved has a line of its own for each time it was at. A line holds ids, times and codes, and
//! no address; it is kept for thirty days after the visit, for whoever asks why nobody was reminded.

use super::{Lead, Way};
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use record::{ERRANDS_MAX, Errand, Kind, Session};

/// How all keys of the ledger begin.
pub(crate) const PREFIX: &str = "reminder/";
/// The first word of a line: the form of what follows.
const FORM: &str = "1";

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is being handed on, or the program ended while it was.
    Sending,
    /// It was handed on.
    Sent,
    /// It could not be handed on, and is tried again.
    Failed,
    /// It could not be handed on, and is not tried again.
    GivenUp,
    /// The patient asked not to be reminded.
    OptedOut,
    /// There is no address that it could go to.
    NoAddress,
    /// The visit was called off or moved before it went out.
    CalledOff,
    /// A later one was due by the time it could be sent.
    Superseded,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Sending,
        Self::Sent,
        Self::Failed,
        Self::GivenUp,
        Self::OptedOut,
        Self::NoAddress,
        Self::CalledOff,
        Self::Superseded,
    ];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::GivenUp => "given-up",
            Self::OptedOut => "opted-out",
            Self::NoAddress => "no-address",
            Self::CalledOff => "called-off",
            Self::Superseded => "superseded",
        }
    }

    /// Whether nothing follows any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Sending | Self::Failed)
    }
}

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The Appointment, by logical id.
    pub appointment: String,
    /// When the visit begins.
    pub start: Millis,
    /// Which reminder of it.
    pub lead: Lead,
    /// The Patient, by logical id.
    pub patient: String,
    /// The message's own id, the same each time it is tried.
    pub message: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How often it was tried.
    pub attempts: u32,
    /// When that was written down.
    pub at: Millis,
    /// Not before which instant it is tried again, where it failed.
    pub next: Option<Millis>,
    /// The way it was sent, or last tried.
    pub way: Option<Way>,
    /// The code of the last failure.
    pub why: Option<String>,
    /// The version of the line; none for one that is not kept yet.
    pub(crate) version: Option<u64>,
}

/// The key of a line: by start, so that what is over stands first.
pub(crate) fn key(start: Millis, appointment: &str, lead: Lead) -> String {
    format!("{PREFIX}{:016x}/{appointment}/{}", start.0.max(0), lead.code())
}

impl Entry {
    pub(crate) fn key(&self) -> String {
        key(self.start, &self.appointment, self.lead)
    }

    pub(crate) fn text(&self) -> String {
        format!(
            "{FORM} {} {} {} {} {} {} {} {}",
            self.outcome.as_str(),
            self.patient,
            self.message,
            self.attempts,
            self.at.0,
            self.next.map_or_else(none, |at| at.0.to_string()),
            self.way.map_or_else(none, |way| way.as_str().to_owned()),
            self.why.clone().filter(|why| !why.is_empty()).unwrap_or_else(none),
        )
    }

    pub(crate) fn read(errand: &Errand) -> Result<Self, Fault> {
        let odd = || {
            Fault::new(&code::STORE_CORRUPT, "a reminder does not stand as this program keeps it")
        };
        Self::parsed(errand).ok_or_else(odd)
    }

    fn parsed(errand: &Errand) -> Option<Self> {
        let mut key = errand.key.strip_prefix(PREFIX)?.split('/');
        let start = i64::from_str_radix(key.next()?, 16).ok()?;
        let (appointment, lead) = (key.next()?, Lead::parse(key.next()?)?);
        let words: Vec<&str> = errand.text.split(' ').collect();
        let [form, outcome, patient, message, attempts, at, next, way, why] = *words.as_slice()
        else {
            return None;
        };
        if form != FORM || !is_id(patient) || !is_id(appointment) {
            return None;
        }
        Some(Self {
            appointment: appointment.to_owned(),
            start: Millis(start),
            lead,
            patient: patient.to_owned(),
            message: message.to_owned(),
            outcome: Outcome::ALL.into_iter().find(|one| one.as_str() == outcome)?,
            attempts: attempts.parse().ok()?,
            at: Millis(at.parse().ok()?),
            next: match next {
                "-" => None,
                next => Some(Millis(next.parse().ok()?)),
            },
            way: match way {
                "-" => None,
                way => Some(Way::parse(way)?),
            },
            why: (why != "-").then(|| why.to_owned()),
            version: Some(errand.version),
        })
    }
}

fn none() -> String {
    "-".to_owned()
}

/// Lines of the ledger by the visit's beginning, from `after` on (the key of a line before), and the key to go
/// on behind when there are more.
///
/// # Errors
/// `access.denied` for any but whoever is on the machine.
pub fn listed(
    session: &Session,
    after: Option<&str>,
) -> Result<(Vec<Entry>, Option<String>), Fault> {
    let found = session.errands(PREFIX, after)?;
    let more = (found.len() >= ERRANDS_MAX).then(|| found.last().map(|last| last.key.clone()));
    let entries: Result<Vec<Entry>, Fault> = found.iter().map(Entry::read).collect();
    session.note(Kind::Reminders, 200)?.written().wait()?;
    Ok((entries?, more.flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_as_it_was_written() {
        for (outcome, next, way, why) in [
            (Outcome::Sent, None, Some(Way::Mail), None),
            (Outcome::Failed, Some(Millis(7)), Some(Way::Text), Some("a.b".to_owned())),
            (Outcome::NoAddress, None, None, None),
        ] {
            let entry = Entry {
                appointment: "a-1".to_owned(),
                start: Millis(1_796_133_600_000),
                lead: Lead::Hours(2),
                patient: "p.1".to_owned(),
                message: "0f".to_owned(),
                outcome,
                attempts: 3,
                at: Millis(5),
                next,
                way,
                why,
                version: Some(4),
            };
            let errand = Errand { key: entry.key(), version: 4, text: entry.text() };
            assert_eq!(Entry::read(&errand), Ok(entry));
        }
        let odd = Errand { key: "reminder/x".to_owned(), version: 1, text: String::new() };
        assert_eq!(Entry::read(&odd).unwrap_err().code(), &code::STORE_CORRUPT);
        assert!(key(Millis(9), "z", Lead::Days(7)) < key(Millis(10), "a", Lead::Days(2)));
    }
}
