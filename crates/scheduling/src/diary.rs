//! [`Diary`]: bookings and holds in memory, in which no resource is ever taken twice. Plans are tried
//! in it before anything is written: a bulk move, the occurrences of a series that could meet each
//! other. What is durable is decided at the gate, by the same condition.

use crate::actor::Actor;
use crate::hold::Hold;
use crate::time::Span;
use base::error::code::{DOUBLE_BOOKED, SCHEDULING_CALENDAR, SCHEDULING_HOLD};
use base::{Fault, Millis};
use std::collections::BTreeMap;

/// Where and with whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placement {
    /// The visit itself.
    pub span: Span,
    /// Kept before and after.
    pub buffers_ms: (i64, i64),
    /// Who and what is kept, the patient not among them.
    pub actors: Vec<Actor>,
}

impl Placement {
    /// The time kept.
    pub const fn kept(&self) -> Span {
        self.span.padded(self.buffers_ms.0, self.buffers_ms.1)
    }
}

/// What takes time in the diary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Booking,
    Hold,
}

type Key = (Kind, String);

/// Bookings and holds, and for each resource what takes its time, by start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diary {
    booked: BTreeMap<String, Placement>,
    held: BTreeMap<String, Hold>,
    taken: BTreeMap<Actor, BTreeMap<Millis, (Millis, Key)>>,
}

impl Diary {
    /// Nothing booked.
    pub fn new() -> Self {
        Self::default()
    }

    /// A booking.
    pub fn get(&self, id: &str) -> Option<&Placement> {
        self.booked.get(id)
    }

    /// Every booking, by id.
    pub fn bookings(&self) -> impl Iterator<Item = (&str, &Placement)> {
        self.booked.iter().map(|(id, placement)| (id.as_str(), placement))
    }

    /// The hold of an id, live or not.
    pub fn held(&self, id: &str) -> Option<&Hold> {
        self.held.get(id)
    }

    /// Books; `DOUBLE_BOOKED` when any resource is taken, and then nothing is booked.
    pub fn book(&mut self, id: &str, placement: Placement, now: Millis) -> Result<(), Fault> {
        if self.booked.contains_key(id) {
            return Err(Fault::new(&DOUBLE_BOOKED, "it is booked already"));
        }
        self.expire(now);
        self.take(&(Kind::Booking, id.to_owned()), &placement.actors, placement.kept())?;
        self.booked.insert(id.to_owned(), placement);
        Ok(())
    }

    /// Holds; `DOUBLE_BOOKED` when any resource is taken. A hold that is over already holds nothing.
    pub fn hold(&mut self, hold: Hold, now: Millis) -> Result<(), Fault> {
        if self.held.contains_key(&hold.id) {
            return Err(Fault::new(&DOUBLE_BOOKED, "it is held already"));
        }
        self.expire(now);
        if !hold.is_live(now) {
            return Err(Fault::new(&SCHEDULING_HOLD, "the hold is over before it began"));
        }
        let kept = hold.span.padded(hold.buffers_ms.0, hold.buffers_ms.1);
        self.take(&(Kind::Hold, hold.id.clone()), &hold.actors, kept)?;
        self.held.insert(hold.id.clone(), hold);
        Ok(())
    }

    /// Makes a booking of a hold; `SCHEDULING_HOLD` when it is over or another's.
    pub fn confirm(
        &mut self,
        hold: &str,
        holder: &str,
        id: &str,
        now: Millis,
    ) -> Result<(), Fault> {
        let lost = || Fault::new(&SCHEDULING_HOLD, "ask for free places again");
        self.held.get(hold).ok_or_else(lost)?.check(holder, now)?;
        if self.booked.contains_key(id) {
            return Err(Fault::new(&DOUBLE_BOOKED, "it is booked already"));
        }
        let held = self.remove_hold(hold).ok_or_else(lost)?;
        let Hold { span, buffers_ms, actors, .. } = held;
        self.book(id, Placement { span, buffers_ms, actors }, now)
    }

    /// Lets a hold go.
    pub fn release(&mut self, hold: &str) {
        self.remove_hold(hold);
    }

    /// Moves a booking; `DOUBLE_BOOKED` when its new time is taken, and then it stays where it was.
    pub fn move_to(&mut self, id: &str, to: Placement, now: Millis) -> Result<Placement, Fault> {
        let from = self.cancel(id)?;
        match self.book(id, to, now) {
            Ok(()) => Ok(from),
            Err(fault) => {
                self.book(id, from, now)?;
                Err(fault)
            }
        }
    }

    /// Takes a booking out; `SCHEDULING_CALENDAR` when there is none.
    pub fn cancel(&mut self, id: &str) -> Result<Placement, Fault> {
        let placement = self
            .booked
            .remove(id)
            .ok_or_else(|| Fault::new(&SCHEDULING_CALENDAR, "no such booking"))?;
        self.untake(&(Kind::Booking, id.to_owned()), &placement.actors, placement.kept());
        Ok(placement)
    }

    /// Takes out the holds that are over.
    pub fn expire(&mut self, now: Millis) {
        let over: Vec<_> =
            self.held.values().filter(|h| !h.is_live(now)).map(|h| h.id.clone()).collect();
        for id in over {
            self.remove_hold(&id);
        }
    }

    /// Whether all of the placement's resources are free; a hold that is over takes nothing.
    pub fn is_free(&self, placement: &Placement, now: Millis) -> bool {
        let kept = placement.kept();
        placement.actors.iter().all(|actor| {
            !self.in_way(actor, kept).any(|(kind, id)| match kind {
                Kind::Booking => true,
                Kind::Hold => self.held.get(id).is_some_and(|h| h.is_live(now)),
            })
        })
    }

    fn in_way(&self, actor: &Actor, kept: Span) -> impl Iterator<Item = (Kind, &String)> {
        let all = self.taken.get(actor).into_iter();
        // What is taken never overlaps, so going back from the end stops at the first that is over.
        all.flat_map(move |times| {
            times
                .range(..kept.end)
                .rev()
                .take_while(move |(_, (end, _))| *end > kept.start)
                .map(|(_, (_, (kind, id)))| (*kind, id))
        })
    }

    fn take(&mut self, key: &Key, actors: &[Actor], kept: Span) -> Result<(), Fault> {
        if let Some(actor) = actors.iter().find(|actor| self.in_way(actor, kept).next().is_some()) {
            return Err(Fault::at(&DOUBLE_BOOKED, "choose another place", actor.as_str()));
        }
        for actor in actors {
            let times = self.taken.entry(actor.clone()).or_default();
            times.insert(kept.start, (kept.end, key.clone()));
        }
        Ok(())
    }

    fn untake(&mut self, key: &Key, actors: &[Actor], kept: Span) {
        for actor in actors {
            let Some(times) = self.taken.get_mut(actor) else { continue };
            if times.get(&kept.start).is_some_and(|(_, whose)| whose == key) {
                times.remove(&kept.start);
            }
            if times.is_empty() {
                self.taken.remove(actor);
            }
        }
    }

    fn remove_hold(&mut self, id: &str) -> Option<Hold> {
        let hold = self.held.remove(id)?;
        let kept = hold.span.padded(hold.buffers_ms.0, hold.buffers_ms.1);
        self.untake(&(Kind::Hold, id.to_owned()), &hold.actors, kept);
        Some(hold)
    }
}
