//! The steps of a case of review, as the store keeps them: one item each, under the case and its number,
//! put once and never replaced, so that what was decided, by whom and why stays as it was
//! (45 CFR 164.316(b)(1)(ii), documentation of an action or assessment).

use crate::snoop::Signal;
use base::error::code;
use base::{Fault, Millis};

const VERSION: u8 = 2;
/// A version without the last events and the practitioner, still read.
const VERSION_OLD: u8 = 1;
/// Bytes of a text of a step.
const TEXT_BYTES_MAX: usize = 16 << 10;

/// What a case is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseKind {
    /// The glass was broken before a patient's record.
    BreakGlass,
    /// An access stands out in the log.
    Signal,
}

impl CaseKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::BreakGlass, Self::Signal];

    /// The words for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BreakGlass => "break-glass",
            Self::Signal => "signal",
        }
    }
}

/// What a case was closed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The access was as it should be.
    Appropriate,
    /// It stood out for a reason that the record does not show, and the note names.
    Explained,
    /// It was not permitted, and goes on as an incident.
    Inappropriate,
    /// It cannot be told from what is there; to be opened again when more is known.
    Inconclusive,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] =
        [Self::Appropriate, Self::Explained, Self::Inappropriate, Self::Inconclusive];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Appropriate => "appropriate",
            Self::Explained => "explained",
            Self::Inappropriate => "inappropriate",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The outcome of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A broken glass, or what a sweep saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which of both.
    pub kind: CaseKind,
    /// The principal whose access it is.
    pub actor: String,
    /// Whose record, where it is about one patient.
    pub patient: Option<String>,
    /// From when on.
    pub from: Millis,
    /// Before when.
    pub until: Millis,
    /// When it is to be decided.
    pub due: Millis,
    /// The event it was told by; 0 of a glass, whose event got its number after.
    pub seq: u64,
    /// The last event of it; 0 of a glass.
    pub last_seq: u64,
    /// The `Practitioner` that this principal was then: profiles change.
    pub practitioner: Option<String>,
    /// Why it stands out.
    pub signals: Vec<Signal>,
    /// By what it is ranked.
    pub score: u32,
    /// The reason that is held: the typed one of a glass, else what the record shows.
    pub reason: String,
    /// Of a glass: whether the patient was in this person's care as the policies have it.
    pub in_care: Option<bool>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It began, or more was seen of the same person, patient and day.
    Seen(Box<Seen>),
    /// It was given to somebody.
    Assigned {
        /// The principal.
        owner: String,
        /// Empty where nothing was said.
        note: String,
    },
    /// It was decided.
    Closed {
        /// How.
        outcome: Outcome,
        /// Why.
        note: String,
        /// The last event of the log then: what came after was not known to whoever decided.
        last_seq: u64,
    },
    /// Something was noted of it; its state stays as it is.
    Noted {
        /// The person was asked to explain it; by whatever way the house has, for they do not see the case.
        asks: bool,
        /// What.
        note: String,
    },
    /// It was opened again.
    Reopened {
        /// When it is to be decided now.
        due: Millis,
        /// Why.
        note: String,
    },
}

/// One step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Millis,
    /// The principal who did it; `None` when the server did.
    pub by: Option<String>,
    /// It was done at the machine's own console, in this person's name.
    pub at_console: bool,
    /// What.
    pub done: Done,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    // Every text has a bound far below this.
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn put_maybe(out: &mut Vec<u8>, text: Option<&str>) {
    out.push(u8::from(text.is_some()));
    put_text(out, text.unwrap_or_default());
}

/// The body of a step's item: a version, when (8), who, whether at the console (1), what (1), and what
/// that needs. A text stands behind its length (2).
pub(super) fn encode(step: &Step) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&step.at.0.to_be_bytes());
    put_maybe(&mut out, step.by.as_deref());
    out.push(u8::from(step.at_console));
    match &step.done {
        Done::Seen(seen) => {
            out.push(1);
            out.push(match seen.kind {
                CaseKind::BreakGlass => 1,
                CaseKind::Signal => 2,
            });
            put_text(&mut out, &seen.actor);
            put_maybe(&mut out, seen.patient.as_deref());
            for number in [seen.from.0, seen.until.0, seen.due.0] {
                out.extend_from_slice(&number.to_be_bytes());
            }
            out.extend_from_slice(&seen.seq.to_be_bytes());
            out.extend_from_slice(&seen.score.to_be_bytes());
            put_text(&mut out, &seen.reason);
            out.push(match seen.in_care {
                None => 0,
                Some(false) => 1,
                Some(true) => 2,
            });
            let names: Vec<_> = seen.signals.iter().map(|signal| signal.name()).collect();
            put_text(&mut out, &names.join(","));
            out.extend_from_slice(&seen.last_seq.to_be_bytes());
            put_maybe(&mut out, seen.practitioner.as_deref());
        }
        Done::Assigned { owner, note } => {
            out.push(2);
            put_text(&mut out, owner);
            put_text(&mut out, note);
        }
        Done::Closed { outcome, note, last_seq } => {
            out.push(3);
            put_text(&mut out, outcome.name());
            put_text(&mut out, note);
            out.extend_from_slice(&last_seq.to_be_bytes());
        }
        Done::Reopened { due, note } => {
            out.push(4);
            out.extend_from_slice(&due.0.to_be_bytes());
            put_text(&mut out, note);
        }
        Done::Noted { asks, note } => {
            out.push(5);
            out.push(u8::from(*asks));
            put_text(&mut out, note);
        }
    }
    out
}

/// What [`encode`] made.
pub(super) fn decode(body: &[u8]) -> Result<Step, Fault> {
    let mut rest = Rest(body);
    let step = rest.step().filter(|_| rest.0.is_empty());
    step.ok_or_else(|| Fault::new(&code::STORE_CORRUPT, "a step of a case of review is not whole"))
}

struct Rest<'b>(&'b [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn instant(&mut self) -> Option<Millis> {
        self.take::<8>().map(|bytes| Millis(i64::from_be_bytes(bytes)))
    }

    fn number(&mut self) -> Option<u64> {
        self.take::<8>().map(u64::from_be_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::from(u16::from_be_bytes(self.take::<2>()?));
        let (text, rest) = self.0.split_at_checked(length).filter(|_| length <= TEXT_BYTES_MAX)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }

    fn maybe(&mut self) -> Option<Option<String>> {
        let is_there = self.byte()?;
        let text = self.text()?;
        match is_there {
            0 if text.is_empty() => Some(None),
            1 => Some(Some(text)),
            _ => None,
        }
    }

    fn step(&mut self) -> Option<Step> {
        let is_old = match self.byte()? {
            VERSION => false,
            VERSION_OLD => true,
            _ => return None,
        };
        let (at, by) = (self.instant()?, self.maybe()?);
        let at_console = match self.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let done = match self.byte()? {
            1 => Done::Seen(Box::new(self.seen(is_old)?)),
            2 => Done::Assigned { owner: self.text()?, note: self.text()? },
            3 => Done::Closed {
                outcome: Outcome::from_name(&self.text()?)?,
                note: self.text()?,
                // It was closed for good.
                last_seq: if is_old { u64::MAX } else { self.number()? },
            },
            4 => Done::Reopened { due: self.instant()?, note: self.text()? },
            5 => {
                let asks = match self.byte()? {
                    0 => false,
                    1 => true,
                    _ => return None,
                };
                Done::Noted { asks, note: self.text()? }
            }
            _ => return None,
        };
        Some(Step { at, by, at_console, done })
    }

    fn seen(&mut self, is_old: bool) -> Option<Seen> {
        let kind = match self.byte()? {
            1 => CaseKind::BreakGlass,
            2 => CaseKind::Signal,
            _ => return None,
        };
        let (actor, patient) = (self.text()?, self.maybe()?);
        let (from, until, due) = (self.instant()?, self.instant()?, self.instant()?);
        let seq = self.number()?;
        let score = u32::from_be_bytes(self.take()?);
        let reason = self.text()?;
        let in_care = match self.byte()? {
            0 => None,
            1 => Some(false),
            2 => Some(true),
            _ => return None,
        };
        let names = self.text()?;
        let signals = match names.is_empty() {
            true => Vec::new(),
            false => names.split(',').map(Signal::from_name).collect::<Option<Vec<_>>>()?,
        };
        let (last_seq, practitioner) =
            if is_old { (seq, None) } else { (self.number()?, self.maybe()?) };
        Some(Seen {
            kind,
            actor,
            patient,
            from,
            until,
            due,
            seq,
            last_seq,
            practitioner,
            signals,
            score,
            reason,
            in_care,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn steps() -> Vec<Step> {
        let seen = |kind, patient: Option<&str>, in_care: Option<bool>, signals: &[Signal]| {
            Done::Seen(Box::new(Seen {
                kind,
                actor: "dr-1".to_owned(),
                patient: patient.map(str::to_owned),
                from: Millis(-5),
                until: Millis(9),
                due: Millis(77),
                seq: 12,
                last_seq: 14,
                practitioner: in_care.map(|_| "practitioner-1".to_owned()),
                signals: signals.to_vec(),
                score: 400,
                reason: "unconscious, Zürich".to_owned(),
                in_care,
            }))
        };
        let (owner, note) = ("paula".to_owned(), "a note".to_owned());
        let all = [
            seen(CaseKind::BreakGlass, Some("ann"), Some(false), &[Signal::BrokenGlass]),
            seen(CaseKind::Signal, None, None, &Signal::ALL),
            seen(CaseKind::Signal, Some(""), Some(true), &[]),
            Done::Assigned { owner, note: String::new() },
            Done::Closed { outcome: Outcome::Explained, note: note.clone(), last_seq: 99 },
            Done::Reopened { due: Millis(4), note: note.clone() },
            Done::Noted { asks: true, note: note.clone() },
            Done::Noted { asks: false, note },
        ];
        let step = |(n, done): (usize, Done)| Step {
            at: Millis(i64::try_from(n).unwrap()),
            by: (n % 2 == 0).then(|| "paula".to_owned()),
            at_console: n % 3 == 0,
            done,
        };
        all.into_iter().enumerate().map(step).collect()
    }

    #[test]
    fn a_step_reads_back_as_it_was_taken() {
        for step in steps() {
            assert_eq!(decode(&encode(&step)).unwrap(), step);
        }
        for signal in Signal::ALL {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            assert!(!signal.name().contains(','));
        }
    }

    #[test]
    fn a_step_of_the_version_before_is_read_and_its_case_stays_closed() {
        for step in steps() {
            let mut body = encode(&step);
            let added = match &step.done {
                Done::Seen(seen) => 8 + 3 + seen.practitioner.as_ref().map_or(0, String::len),
                Done::Closed { .. } => 8,
                _ => 0,
            };
            body.truncate(body.len() - added);
            body[0] = VERSION_OLD;
            let mut expected = step;
            match &mut expected.done {
                Done::Seen(seen) => (seen.last_seq, seen.practitioner) = (seen.seq, None),
                Done::Closed { last_seq, .. } => *last_seq = u64::MAX,
                _ => {}
            }
            assert_eq!(decode(&body).unwrap(), expected);
        }
    }

    #[test]
    fn a_text_beyond_its_bound_is_cut_between_characters() {
        let mut out = Vec::new();
        put_text(&mut out, &"ü".repeat(TEXT_BYTES_MAX));
        assert_eq!(Rest(&out).text().unwrap().len(), TEXT_BYTES_MAX);
        out.clear();
        put_text(&mut out, &format!("x{}", "ü".repeat(TEXT_BYTES_MAX)));
        assert_eq!(Rest(&out).text().unwrap().len(), TEXT_BYTES_MAX - 1);
    }

    proptest! {
        #[test]
        fn strange_bodies_are_refused_and_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..300),
            which in 0..8_usize,
            cut: prop::sample::Index,
            other: prop::sample::Index,
            byte: u8,
        ) {
            if let Ok(step) = decode(&body) && body[0] == VERSION {
                prop_assert_eq!(encode(&step), body);
            }
            let mut whole = encode(&steps()[which]);
            prop_assert!(decode(&whole[..cut.index(whole.len())]).is_err());
            let at = other.index(whole.len());
            whole[at] = byte;
            let _ = decode(&whole);
        }
    }
}
