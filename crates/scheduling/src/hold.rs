//! [`Hold`]: a place kept for somebody who is still deciding, for ten minutes unless the site says
//! otherwise. It ends by the clock, whoever looks: nobody has to sweep it up for its time to be free.

use crate::actor::Actor;
use crate::occupied::{Busy, By};
use crate::time::{MINUTE_MS, Span};
use base::error::code::SCHEDULING_HOLD;
use base::{Fault, Millis};

/// How long a place is held when nobody says otherwise.
pub const MINUTES_DEFAULT: u32 = 10;
/// How long it can be held: a hold is for deciding, and an hour of it keeps others from care.
pub const MINUTES_MAX: u32 = 60;
/// How often it can be prolonged.
pub const RENEWALS_MAX: u32 = 2;

/// A place held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: String,
    /// Who holds it: a principal, or the token of a page without one.
    pub holder: String,
    /// The visit itself.
    pub span: Span,
    /// Kept before and after it.
    pub buffers_ms: (i64, i64),
    /// Who and what is kept.
    pub actors: Vec<Actor>,
    /// Which visit type it is for.
    pub visit_type: Option<String>,
    /// The first moment at which it no longer holds.
    pub until: Millis,
    /// How often it was prolonged.
    pub renewals: u32,
}

/// What a hold is at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It holds for this long.
    Live {
        /// What a screen counts down.
        left_ms: i64,
    },
    /// It holds no longer.
    Expired,
}

impl Hold {
    /// Holds from now for some minutes, at most [`MINUTES_MAX`] and at least one.
    #[must_use]
    pub fn starting(mut self, now: Millis, minutes: u32) -> Self {
        let minutes = minutes.clamp(1, MINUTES_MAX);
        self.until = Millis(now.0.saturating_add(i64::from(minutes) * MINUTE_MS));
        self
    }

    /// What it is now.
    pub const fn state(&self, now: Millis) -> State {
        let left_ms = self.until.0.saturating_sub(now.0);
        if left_ms > 0 { State::Live { left_ms } } else { State::Expired }
    }

    /// Whether it still holds.
    pub const fn is_live(&self, now: Millis) -> bool {
        matches!(self.state(now), State::Live { .. })
    }

    /// Whether somebody may use it now; `SCHEDULING_HOLD` when it has ended or is another's. The answer
    /// is the same in both cases, so that nobody learns of others' holds.
    pub fn check(&self, holder: &str, now: Millis) -> Result<(), Fault> {
        if self.is_live(now) && self.holder == holder {
            return Ok(());
        }
        Err(Fault::new(&SCHEDULING_HOLD, "ask for free places again"))
    }

    /// Prolongs it from now; `SCHEDULING_HOLD` when it may not be used or was prolonged often enough.
    pub fn renew(self, holder: &str, now: Millis, minutes: u32) -> Result<Self, Fault> {
        self.check(holder, now)?;
        if self.renewals >= RENEWALS_MAX {
            return Err(Fault::new(&SCHEDULING_HOLD, "it was prolonged as often as it can be"));
        }
        let renewals = self.renewals + 1;
        Ok(Self { renewals, ..self.starting(now, minutes) })
    }

    /// The time it takes now, of each of its actors.
    pub fn busy(&self, now: Millis) -> Vec<(Actor, Busy)> {
        if !self.is_live(now) {
            return Vec::new();
        }
        let busy = Busy {
            span: self.span,
            before_ms: self.buffers_ms.0,
            after_ms: self.buffers_ms.1,
            by: By::Hold(self.id.clone()),
            visit_type: self.visit_type.clone(),
        };
        self.actors.iter().map(|actor| (actor.clone(), busy.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold() -> Hold {
        let hold = Hold {
            id: "h".into(),
            holder: "anna".into(),
            span: Span::of_minutes(Millis(1_000_000_000), 30).unwrap(),
            buffers_ms: (0, 0),
            actors: vec![Actor::parse("Practitioner/1").unwrap()],
            visit_type: None,
            until: Millis(0),
            renewals: 0,
        };
        hold.starting(Millis(0), MINUTES_DEFAULT)
    }

    #[test]
    fn a_hold_ends_by_the_clock_to_the_millisecond() {
        let end = i64::from(MINUTES_DEFAULT) * MINUTE_MS;
        assert_eq!(hold().state(Millis(end - 1)), State::Live { left_ms: 1 });
        assert_eq!(hold().busy(Millis(end - 1)).len(), 1);
        assert_eq!(hold().state(Millis(end)), State::Expired);
        assert!(hold().busy(Millis(end)).is_empty());
    }

    #[test]
    fn another_learns_no_more_of_a_hold_than_of_one_that_ended() {
        let others = hold().check("boris", Millis(0)).unwrap_err();
        let ended = hold().check("anna", Millis(i64::MAX)).unwrap_err();
        assert_eq!(others, ended);
        assert_eq!(others.code().name, "scheduling.hold.lost");
    }

    #[test]
    fn a_hold_is_prolonged_twice_and_never_for_long() {
        let once = hold().renew("anna", Millis(1), 1_000).unwrap();
        assert_eq!(once.until, Millis(1 + i64::from(MINUTES_MAX) * MINUTE_MS));
        let twice = once.renew("anna", Millis(2), 10).unwrap();
        assert!(twice.renew("anna", Millis(3), 10).is_err());
    }
}
