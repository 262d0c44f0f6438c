//! Many at once: somebody is sick, and their visits have to go elsewhere. A plan says which appointment
//! goes where and which have no place; nothing moves before somebody has seen it, all of it moves or
//! none, and for a while all of it can be taken back.

use crate::actor::Actor;
use crate::diary::{Diary, Placement};
use crate::time::Span;
use base::error::code::{SCHEDULING_FIND, SCHEDULING_STEP};
use base::{Fault, Millis};

/// For how long a bulk move can be taken back by one key.
pub const UNDO_MS: i64 = 30_000;
/// Appointments one plan moves: a week of a large practice.
pub const MOVES_MAX: usize = 2_000;

/// One appointment that goes elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Which.
    pub id: String,
    /// From.
    pub from: Placement,
    /// To.
    pub to: Placement,
}

/// What a bulk move comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What moves, in the order in which it can.
    pub moves: Vec<Move>,
    /// What has no place and stays where it is, for somebody to telephone about.
    pub stranded: Vec<String>,
}

/// Plans where the visits of those who are away in a window go. Each is offered the places that
/// `alternatives` names for it, best first, and takes the first that is free at that point of the plan
/// and needs nobody who is away. Earliest visits choose first. `SCHEDULING_FIND` when it would be more
/// than [`MOVES_MAX`].
pub fn plan(
    diary: &Diary,
    away: &[Actor],
    window: Span,
    now: Millis,
    mut alternatives: impl FnMut(&str, &Placement) -> Vec<Placement>,
) -> Result<Plan, Fault> {
    let missing = |placement: &Placement| {
        placement.span.overlaps(window) && placement.actors.iter().any(|a| away.contains(a))
    };
    let mut affected: Vec<_> =
        diary.bookings().filter(|(_, placement)| missing(placement)).collect();
    if affected.len() > MOVES_MAX {
        return Err(Fault::new(
            &SCHEDULING_FIND,
            "choose a shorter window: at most 2000 visits move",
        ));
    }
    affected.sort_by(|a, b| (a.1.span, a.0).cmp(&(b.1.span, b.0)));
    let mut trial = diary.clone();
    let mut plan = Plan::default();
    for (id, from) in affected {
        let mut placed = false;
        for to in alternatives(id, from) {
            if missing(&to) || to == *from || trial.move_to(id, to.clone(), now).is_err() {
                continue;
            }
            plan.moves.push(Move { id: id.to_owned(), from: from.clone(), to });
            placed = true;
            break;
        }
        if !placed {
            plan.stranded.push(id.to_owned());
        }
    }
    Ok(plan)
}

/// The same time with somebody else of a pool in place of who is away.
pub fn same_time_with(from: &Placement, away: &[Actor], pool: &[Actor]) -> Vec<Placement> {
    let others = pool.iter().filter(|p| !away.contains(p) && !from.actors.contains(p));
    let swapped = |other: &Actor| {
        let swap = |a: &Actor| if away.contains(a) { other.clone() } else { a.clone() };
        Placement { actors: from.actors.iter().map(swap).collect(), ..from.clone() }
    };
    others.map(swapped).collect()
}

impl Plan {
    /// What takes it back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let back = |m: &Move| Move { id: m.id.clone(), from: m.to.clone(), to: m.from.clone() };
        Self { moves: self.moves.iter().rev().map(back).collect(), stranded: Vec::new() }
    }

    /// What takes it back, as long as [`UNDO_MS`] has not passed; `SCHEDULING_STEP` after that.
    pub fn undo(&self, made_at: Millis, now: Millis) -> Result<Self, Fault> {
        if now.0.saturating_sub(made_at.0) > UNDO_MS {
            return Err(Fault::new(
                &SCHEDULING_STEP,
                "it was moved too long ago; plan a move back",
            ));
        }
        Ok(self.inverse())
    }

    /// Carries it out: all of it, or with a fault none. An appointment that is not where the plan found
    /// it, or a place that was taken since, refuses the whole.
    pub fn apply(&self, diary: &mut Diary, now: Millis) -> Result<(), Fault> {
        let before = diary.clone();
        for one in &self.moves {
            let as_planned = diary.get(&one.id) == Some(&one.from);
            let moved = if as_planned {
                diary.move_to(&one.id, one.to.clone(), now).map(drop)
            } else {
                Err(Fault::new(&SCHEDULING_STEP, "an appointment was changed since; plan again"))
            };
            if let Err(fault) = moved {
                *diary = before;
                return Err(fault);
            }
        }
        Ok(())
    }
}
