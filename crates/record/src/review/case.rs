//! A case of review: what its steps come to. There is one for a person, a patient and a day, whatever
//! was seen of them on it, and its id follows from these three, so that nothing makes two
//! (45 CFR 164.308(a)(1)(ii)(D), information system activity review).

use super::step::{CaseKind, Done, Outcome, Seen, Step};
use crate::snoop::Signal;
use base::Millis;
use sha2::{Digest as _, Sha256};
use std::fmt;

pub(super) const DAY_MS: i64 = 86_400_000;

/// Names a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseId([u8; 8]);

impl CaseId {
    /// Of a person, a patient (or none) and the day of an instant.
    pub(crate) fn of(actor: &str, patient: Option<&str>, at: Millis) -> Self {
        let mut digest = Sha256::new_with_prefix(b"plummer/1/review/case");
        for part in [Some(actor), patient] {
            digest.update([u8::from(part.is_some())]);
            let text = part.unwrap_or_default();
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.update(at.0.div_euclid(DAY_MS).to_be_bytes());
        Self(digest.finalize().first_chunk().copied().unwrap_or_default())
    }

    /// Reads the text of an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 16
            && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        let number = digits.then(|| u64::from_str_radix(text, 16).ok())??;
        Some(Self(number.to_be_bytes()))
    }

    pub(super) const fn bytes(&self) -> &[u8; 8] {
        &self.0
    }

    pub(super) fn of_key(key: &[u8]) -> Option<Self> {
        key.first_chunk().map(|id| Self(*id))
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How far a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseState {
    /// Nobody has it.
    Open,
    /// Somebody has it.
    Assigned,
    /// It is decided.
    Closed,
}

impl CaseState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Assigned, Self::Closed];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Closed => "closed",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Until when a case is to be decided, and when that was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Millis,
    set: Millis,
}

impl Due {
    /// A date that was set by a clock that ran ahead by more than a day is past: it might else never be.
    pub(super) const fn is_past(self, now: Millis) -> bool {
        now.0 >= self.at.0 || self.set.0 > now.0.saturating_add(DAY_MS)
    }
}

/// A case of review, with its history.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// A broken glass, once there was one.
    pub kind: CaseKind,
    /// The principal under review.
    pub actor: String,
    /// Whose record, where it is about one patient.
    pub patient: Option<String>,
    /// From when on the accesses were.
    pub from: Millis,
    /// Before when.
    pub until: Millis,
    /// Why it stands out.
    pub signals: Vec<Signal>,
    /// By what it is ranked; 0 of a glass that no sweep has weighed.
    pub score: u32,
    /// When it was first opened.
    pub opened: Millis,
    /// When it is to be decided.
    pub due: Millis,
    /// How far it is.
    pub state: CaseState,
    /// Who has it, or had it when it was closed.
    pub owner: Option<String>,
    /// How it was last decided, while it is closed.
    pub outcome: Option<Outcome>,
    /// Every step, oldest first.
    pub steps: Vec<Step>,
    /// When the due date was set.
    due_set: Millis,
}

/// Whom it is about stays out of debug output, for it ends in logs.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .field("signals", &self.signals)
            .field("steps", &self.steps.len())
            .finish_non_exhaustive()
    }
}

impl Case {
    /// What the steps come to; `None` when the first says nothing of what was seen.
    pub(crate) fn of(id: CaseId, steps: Vec<Step>) -> Option<Self> {
        let first = steps.first()?;
        let Done::Seen(seen) = &first.done else { return None };
        let mut case = Self {
            id,
            kind: seen.kind,
            actor: seen.actor.clone(),
            patient: seen.patient.clone(),
            from: seen.from,
            until: seen.until,
            signals: Vec::new(),
            score: 0,
            opened: first.at,
            due: seen.due,
            state: CaseState::Open,
            owner: None,
            outcome: None,
            steps: Vec::new(),
            due_set: first.at,
        };
        for step in &steps {
            case.take(step);
        }
        case.steps = steps;
        Some(case)
    }

    fn take(&mut self, step: &Step) {
        match &step.done {
            Done::Seen(seen) => self.add(seen, step.at),
            Done::Assigned { owner, .. } => {
                self.owner = Some(owner.clone());
                self.state = CaseState::Assigned;
            }
            Done::Closed { outcome, .. } => {
                self.outcome = Some(*outcome);
                self.state = CaseState::Closed;
            }
            Done::Noted { .. } => {}
            Done::Reopened { due, .. } => self.reopen(*due, step.at),
        }
    }

    fn add(&mut self, seen: &Seen, at: Millis) {
        match self.state {
            // What was decided was decided without it.
            CaseState::Closed => self.reopen(seen.due, at),
            _ if seen.due < self.due => (self.due, self.due_set) = (seen.due, at),
            _ => {}
        }
        if seen.kind == CaseKind::BreakGlass {
            self.kind = CaseKind::BreakGlass;
        }
        self.from = self.from.min(seen.from);
        self.until = self.until.max(seen.until);
        self.score = self.score.max(seen.score);
        for signal in &seen.signals {
            if !self.signals.contains(signal) {
                self.signals.push(*signal);
            }
        }
    }

    fn reopen(&mut self, due: Millis, at: Millis) {
        self.state = CaseState::Open;
        (self.owner, self.outcome) = (None, None);
        (self.due, self.due_set) = (due, at);
    }

    /// What was seen, oldest first.
    pub fn seen(&self) -> impl Iterator<Item = &Seen> {
        self.steps.iter().filter_map(|step| match &step.done {
            Done::Seen(seen) => Some(&**seen),
            _ => None,
        })
    }

    /// Whether more was seen than the case knows: another broken glass, or a signal, or anything after it
    /// was closed.
    pub(crate) fn lacks(&self, seen: &Seen) -> bool {
        match seen.kind {
            CaseKind::BreakGlass => {
                let same =
                    |known: &Seen| known.kind == CaseKind::BreakGlass && known.from == seen.from;
                !self.seen().any(same)
            }
            CaseKind::Signal => {
                self.closed_at().is_some_and(|last_seq| seen.last_seq > last_seq)
                    || seen.signals.iter().any(|signal| !self.signals.contains(signal))
            }
        }
    }

    /// The last event of the log when it was closed, while it is.
    fn closed_at(&self) -> Option<u64> {
        match self.state {
            CaseState::Closed => self.steps.iter().rev().find_map(|step| match step.done {
                Done::Closed { last_seq, .. } => Some(last_seq),
                _ => None,
            }),
            _ => None,
        }
    }

    /// When the person was last asked to explain it, since it was last opened.
    #[must_use]
    pub fn asked(&self) -> Option<Millis> {
        let since =
            self.steps.iter().rev().take_while(|step| !matches!(step.done, Done::Reopened { .. }));
        let mut asked = since.filter(|step| matches!(step.done, Done::Noted { asks: true, .. }));
        asked.next().map(|step| step.at)
    }

    /// Whether it waits for longer than it may, or for a date that tells nothing.
    #[must_use]
    pub fn is_overdue(&self, now: Millis) -> bool {
        self.state != CaseState::Closed && self.date().is_past(now)
    }

    pub(super) const fn date(&self) -> Due {
        Due { at: self.due, set: self.due_set }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(kind: CaseKind, from: i64, due: i64, signals: &[Signal]) -> Done {
        Done::Seen(Box::new(Seen {
            kind,
            actor: "dr".to_owned(),
            patient: Some("ann".to_owned()),
            from: Millis(from),
            until: Millis(from + 10),
            due: Millis(due),
            seq: 1,
            last_seq: 1,
            practitioner: None,
            signals: signals.to_vec(),
            score: u32::try_from(from).unwrap(),
            reason: String::new(),
            in_care: None,
        }))
    }

    fn case(done: Vec<Done>) -> Case {
        let step = |done| Step { at: Millis(1), by: None, at_console: false, done };
        Case::of(CaseId([0; 8]), done.into_iter().map(step).collect()).unwrap()
    }

    fn note() -> String {
        "a note".to_owned()
    }

    #[test]
    fn an_id_is_that_of_one_person_patient_and_day_and_reads_back() {
        let id = CaseId::of("dr", Some("ann"), Millis(5));
        assert_eq!(CaseId::of("dr", Some("ann"), Millis(DAY_MS - 1)), id);
        for other in [
            CaseId::of("dr", Some("ann"), Millis(DAY_MS)),
            CaseId::of("dr", Some("ann"), Millis(-1)),
            CaseId::of("dr", Some("bob"), Millis(5)),
            CaseId::of("dr", Some(""), Millis(5)),
            CaseId::of("dr", None, Millis(5)),
            CaseId::of("drann", None, Millis(5)),
        ] {
            assert_ne!(other, id);
        }
        assert_eq!(CaseId::parse(&id.to_string()), Some(id));
        for bad in ["", "1", "00000000000000zz", "000000000000000A", "+00000000000000f"] {
            assert_eq!(CaseId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn steps_come_to_a_state_and_none_of_them_is_lost() {
        let assigned = Done::Assigned { owner: "paula".to_owned(), note: String::new() };
        let closed = Done::Closed { outcome: Outcome::Explained, note: note(), last_seq: 9 };
        let first = seen(CaseKind::Signal, 20, 90, &[Signal::Vip]);
        let one = case(vec![first.clone()]);
        assert_eq!((one.state, one.due, one.owner.as_deref()), (CaseState::Open, Millis(90), None));
        assert!(!one.is_overdue(Millis(89)) && one.is_overdue(Millis(90)));
        let one = case(vec![first.clone(), assigned.clone()]);
        assert_eq!((one.state, one.owner.as_deref()), (CaseState::Assigned, Some("paula")));
        let one = case(vec![first.clone(), assigned.clone(), closed.clone()]);
        assert_eq!((one.state, one.outcome), (CaseState::Closed, Some(Outcome::Explained)));
        assert!(!one.is_overdue(Millis(99)));
        let again = Done::Reopened { due: Millis(500), note: note() };
        let one = case(vec![first, assigned, closed, again]);
        assert_eq!((one.state, one.owner, one.outcome), (CaseState::Open, None, None));
        assert_eq!((one.due, one.steps.len()), (Millis(500), 4));
    }

    #[test]
    fn a_date_that_was_set_by_a_clock_that_ran_ahead_is_past_until_another_is_set() {
        let ahead = 400 * DAY_MS;
        let step = |at, done| Step { at: Millis(at), by: None, at_console: false, done };
        let first = seen(CaseKind::Signal, 20, ahead + 30 * DAY_MS, &[Signal::Vip]);
        let mut steps = vec![step(ahead, first)];
        let case = |steps: &[Step]| Case::of(CaseId([0; 8]), steps.to_vec()).unwrap();
        let now = Millis(10 * DAY_MS);
        assert!(case(&steps).is_overdue(now));
        assert!(!case(&steps).is_overdue(Millis(ahead - DAY_MS)), "clocks are turned by a little");
        steps.push(step(now.0, seen(CaseKind::Signal, 20, now.0 + 30 * DAY_MS, &[Signal::Vip])));
        assert!(!case(&steps).is_overdue(now) && case(&steps).is_overdue(Millis(40 * DAY_MS)));
    }

    #[test]
    fn a_glass_makes_a_case_urgent_and_what_is_new_opens_a_closed_one() {
        let first = seen(CaseKind::Signal, 20, 90, &[Signal::Vip]);
        let glass = seen(CaseKind::BreakGlass, 30, 40, &[Signal::BrokenGlass]);
        let one = case(vec![first.clone(), glass.clone()]);
        assert_eq!((one.kind, one.due, one.score), (CaseKind::BreakGlass, Millis(40), 30));
        assert_eq!((one.from, one.until), (Millis(20), Millis(40)));
        assert_eq!(one.signals, [Signal::Vip, Signal::BrokenGlass]);
        let closed = Done::Closed { outcome: Outcome::Appropriate, note: note(), last_seq: 9 };
        let one = case(vec![first, closed, glass]);
        assert_eq!((one.state, one.due), (CaseState::Open, Millis(40)));
        assert!(Case::of(CaseId([0; 8]), Vec::new()).is_none());
    }
}
