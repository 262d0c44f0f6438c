//! The day of a visit: its states, which step may follow which, the undo of the last, and what each
//! state is in FHIR (`Appointment.status`, `Encounter.status`, the patient's participant status:
//! <https://hl7.org/fhir/R4/valueset-appointmentstatus.html>,
//! <https://hl7.org/fhir/R4/valueset-encounter-status.html>).

use crate::appointment::Answer;
use crate::occupied::Status;
use crate::time::MINUTE_MS;
use base::error::code::SCHEDULING_STEP;
use base::{Fault, Millis};

/// For how long the last step can be undone: until the next patient's would hide the mistake.
pub const UNDO_MINUTES: i64 = 30;
/// Steps that one visit keeps; a day of corrections and more.
pub const STEPS_MAX: usize = 100;

/// Where a visit stands on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Booked; the patient has not said that they come.
    Booked,
    /// The patient has said that they come.
    Confirmed,
    /// There, and waiting.
    Arrived,
    /// In a room, seen by the staff that prepares.
    Roomed,
    /// With the clinician.
    WithClinician,
    /// Over.
    Done,
    /// Did not come.
    NoShow,
    /// Called off, or left without being seen.
    Cancelled,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Booked,
        Self::Confirmed,
        Self::Arrived,
        Self::Roomed,
        Self::WithClinician,
        Self::Done,
        Self::NoShow,
        Self::Cancelled,
    ];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::Confirmed => "confirmed",
            Self::Arrived => "arrived",
            Self::Roomed => "roomed",
            Self::WithClinician => "with-clinician",
            Self::Done => "done",
            Self::NoShow => "no-show",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stable code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// The states that may follow. A patient can go back to the waiting room, come after they were given
    /// up, or leave at any time before the clinician sees them; what is over is changed by undo alone.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Booked => &[Self::Confirmed, Self::Arrived, Self::NoShow, Self::Cancelled],
            Self::Confirmed => &[Self::Arrived, Self::NoShow, Self::Cancelled],
            Self::Arrived => &[Self::Roomed, Self::WithClinician, Self::Cancelled],
            Self::Roomed => &[Self::WithClinician, Self::Arrived, Self::Cancelled],
            Self::WithClinician => &[Self::Done, Self::Roomed],
            Self::NoShow => &[Self::Arrived],
            Self::Done | Self::Cancelled => &[],
        }
    }

    /// Whether the patient is in the house.
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Arrived | Self::Roomed | Self::WithClinician)
    }

    /// What it is in FHIR.
    pub const fn to_fhir(self) -> InFhir {
        let (appointment, patient, encounter) = match self {
            Self::Booked => (Status::Booked, Answer::NeedsAction, None),
            Self::Confirmed => (Status::Booked, Answer::Accepted, None),
            Self::Arrived => (Status::Arrived, Answer::Accepted, Some("arrived")),
            // R4: all that goes before the encounter is done; `triaged` is its word for one whom the
            // staff has seen and the clinician has not.
            Self::Roomed => (Status::CheckedIn, Answer::Accepted, Some("triaged")),
            // R4: planning is over, and the encounter tells the rest.
            Self::WithClinician => (Status::Fulfilled, Answer::Accepted, Some("in-progress")),
            Self::Done => (Status::Fulfilled, Answer::Accepted, Some("finished")),
            Self::NoShow => (Status::NoShow, Answer::Accepted, None),
            Self::Cancelled => (Status::Cancelled, Answer::Declined, None),
        };
        InFhir { appointment, patient, encounter }
    }

    /// What records of whatever origin say; `None` for what has no place on the day's board (a proposal,
    /// a wish, an error).
    pub fn from_fhir(
        appointment: Status,
        patient: Option<Answer>,
        encounter: Option<&str>,
    ) -> Option<Self> {
        match (appointment, encounter) {
            (Status::Proposed | Status::WaitList | Status::EnteredInError, _) => None,
            (Status::Cancelled, _) => Some(Self::Cancelled),
            (Status::NoShow, _) => Some(Self::NoShow),
            // The encounter knows better, where there is one.
            (_, Some("finished")) => Some(Self::Done),
            (_, Some("in-progress" | "onleave")) => Some(Self::WithClinician),
            (_, Some("triaged")) => Some(Self::Roomed),
            (_, Some("cancelled")) => Some(Self::Cancelled),
            (Status::Fulfilled, _) => Some(Self::Done),
            (Status::CheckedIn, _) => Some(Self::Roomed),
            (Status::Arrived, _) | (_, Some("arrived")) => Some(Self::Arrived),
            (Status::Pending | Status::Booked, _) => Some(match patient {
                Some(Answer::Accepted) if appointment == Status::Booked => Self::Confirmed,
                _ => Self::Booked,
            }),
        }
    }
}

/// A state as FHIR says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFhir {
    /// `Appointment.status`
    pub appointment: Status,
    /// The status of the patient's participant.
    pub patient: Answer,
    /// `Encounter.status`; `None` when there is no encounter to speak of. One that began before the
    /// patient left is `cancelled`.
    pub encounter: Option<&'static str>,
}

/// One step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// To which state.
    pub to: State,
    /// When.
    pub at: Millis,
    /// By whom.
    pub by: String,
}

/// A visit's day: where it stands, and how it came there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    first: State,
    steps: Vec<Step>,
}

impl Flow {
    /// A visit that stands in a state and of whose way nothing is known.
    pub const fn at(first: State) -> Self {
        Self { first, steps: Vec::new() }
    }

    /// A visit's day as it was kept; `SCHEDULING_STEP` when the steps do not follow from each other.
    pub fn of(first: State, steps: &[Step]) -> Result<Self, Fault> {
        let mut flow = Self::at(first);
        for step in steps {
            flow.advance(step.to, step.at, &step.by)?;
        }
        Ok(flow)
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        self.steps.last().map_or(self.first, |s| s.to)
    }

    /// The steps, earliest first.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Takes a step; `SCHEDULING_STEP` when it does not follow, and then nothing is changed. To be where
    /// one is already is no step and no fault: two people pressed the same button.
    pub fn advance(&mut self, to: State, at: Millis, by: &str) -> Result<(), Fault> {
        if to == self.state() {
            return Ok(());
        }
        if !self.state().next().contains(&to) {
            let says = format!(
                "a visit that is {} does not become {}",
                self.state().as_str(),
                to.as_str()
            );
            return Err(Fault::new(&SCHEDULING_STEP, says));
        }
        if self.steps.len() >= STEPS_MAX {
            return Err(Fault::new(
                &SCHEDULING_STEP,
                "the visit has had more steps than it can keep",
            ));
        }
        // A clock that was set back must not make minutes negative.
        let at = self.steps.last().map_or(at, |last| last.at.max(at));
        self.steps.push(Step { to, at, by: by.to_owned() });
        Ok(())
    }

    /// Takes the last step back and says what it was; `SCHEDULING_STEP` when there is none, or it was
    /// taken more than [`UNDO_MINUTES`] ago. Undoing a cancellation needs the place to be free still:
    /// the caller books it again or does not.
    pub fn undo(&mut self, now: Millis) -> Result<Step, Fault> {
        let nothing = || Fault::new(&SCHEDULING_STEP, "there is no step to take back");
        let last = self.steps.last().ok_or_else(nothing)?;
        if now.0.saturating_sub(last.at.0) > UNDO_MINUTES * MINUTE_MS {
            return Err(Fault::new(&SCHEDULING_STEP, "the step was taken too long ago"));
        }
        self.steps.pop().ok_or_else(nothing)
    }

    /// Whole minutes in the present state; `None` when nobody saw it begin.
    pub fn minutes(&self, now: Millis) -> Option<i64> {
        self.steps.last().map(|s| (now.0.saturating_sub(s.at.0)).max(0) / MINUTE_MS)
    }

    /// Whole minutes since the patient came, through all that followed.
    pub fn minutes_in_house(&self, now: Millis) -> Option<i64> {
        if !self.state().is_present() {
            return None;
        }
        let came = self.steps.iter().rev().take_while(|s| s.to.is_present()).last()?;
        Some((now.0.saturating_sub(came.at.0)).max(0) / MINUTE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state() -> impl Strategy<Value = State> {
        proptest::sample::select(State::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn whatever_is_pressed_a_visit_only_takes_permitted_steps_and_undo_restores(
            first in state(), pressed in proptest::collection::vec((state(), 0_i64..5), 0..30)
        ) {
            let (mut flow, mut now) = (Flow::at(first), 0);
            for (to, minutes) in pressed {
                now += minutes * MINUTE_MS;
                let before = flow.clone();
                match flow.advance(to, Millis(now), "anna") {
                    Err(fault) => {
                        prop_assert_eq!(fault.code().name, "scheduling.flow.step");
                        prop_assert_eq!(&flow, &before);
                        prop_assert!(!before.state().next().contains(&to));
                    }
                    Ok(()) if before.state() == to => prop_assert_eq!(&flow, &before),
                    Ok(()) => {
                        prop_assert!(before.state().next().contains(&to));
                        prop_assert_eq!(flow.minutes(Millis(now)), Some(0));
                        let mut back = flow.clone();
                        back.undo(Millis(now)).unwrap();
                        prop_assert_eq!(back, before);
                        prop_assert_eq!(Flow::of(first, flow.steps()), Ok(flow.clone()));
                    }
                }
            }
        }
    }

    #[test]
    fn each_state_survives_the_way_through_fhir() {
        for state in State::ALL {
            let fhir = state.to_fhir();
            let back = State::from_fhir(fhir.appointment, Some(fhir.patient), fhir.encounter);
            assert_eq!(back, Some(state));
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        for status in [Status::Proposed, Status::WaitList, Status::EnteredInError] {
            assert_eq!(State::from_fhir(status, None, None), None);
        }
        assert_eq!(
            State::from_fhir(Status::Pending, Some(Answer::Accepted), None),
            Some(State::Booked)
        );
        assert_eq!(State::from_fhir(Status::Booked, None, Some("arrived")), Some(State::Arrived));
    }

    #[test]
    fn minutes_count_from_the_last_step_and_from_the_arrival() {
        let mut flow = Flow::at(State::Booked);
        let minute = |n: i64| Millis(n * MINUTE_MS);
        assert_eq!(flow.minutes(minute(5)), None);
        flow.advance(State::Arrived, minute(10), "desk").unwrap();
        flow.advance(State::Roomed, minute(25), "nurse").unwrap();
        assert_eq!(
            (flow.minutes(minute(40)), flow.minutes_in_house(minute(40))),
            (Some(15), Some(30))
        );
        assert_eq!(flow.undo(minute(25 + UNDO_MINUTES)).unwrap().to, State::Roomed);
        assert!(flow.undo(minute(41 + UNDO_MINUTES)).is_err(), "too long ago");
    }
}
