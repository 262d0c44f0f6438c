//! The waiting list: who wishes for an earlier place, whom a freed place is offered to, and that the
//! first who says yes has it.
//!
//! The order: urgency; then those whose date to be seen by has passed; then whole weeks waited; then
//! those who can come at fewer times, since others will have another chance; then who waits longest.
//! It asks for nothing else. Age, sex, origin, language, disability, payer and any score of who is
//! likely to stay away are not in [`Entry`], so that no site can rank by them (45 CFR 92.101, 92.210).
//!
//! Offers go out in waves. A round is a state machine over events that carry their instants: equal
//! events in equal order give equal rounds, however late anybody looks.

pub mod send;

use crate::actor::Actor;
use crate::find::Place;
use crate::time::{DAY_MS, MINUTE_MS, Time, Wall, Weekday};
use crate::visit_type::Modality;
use base::error::code::{SCHEDULING_FIND, SCHEDULING_OFFER};
use base::{Fault, Millis};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Offers of one wave: so many hear at most that they were too late.
pub const WAVE_MAX: usize = 20;
/// Minutes that a wave waits for an answer, at most two days.
pub const WAVE_MINUTES_MAX: u32 = 2 * 24 * 60;
/// Entries of one round; a list that is longer is asked again for the next place.
pub const ROUND_MAX: usize = 1_000;

/// How soon somebody has to be seen, as a clinician said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Urgency {
    /// When there is a place.
    Routine,
    /// Sooner than the next regular place.
    Soon,
    /// As soon as possible.
    Urgent,
}

/// What suits somebody. Empty lists leave all in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// At which sites, by index.
    pub sites: Vec<usize>,
    /// With whom; any one of them.
    pub actors: Vec<Actor>,
    /// How.
    pub modalities: Vec<Modality>,
    /// On which days of the week.
    pub weekdays: Vec<Weekday>,
    /// From and until, and not with, which time of day at the site.
    pub times: Option<(Time, Time)>,
    /// Not before.
    pub earliest: Option<Millis>,
    /// Not after: where a later regular appointment is, a place after it is no help.
    pub latest: Option<Millis>,
    /// Minutes needed to come.
    pub notice_minutes: u32,
}

/// Somebody who waits. It holds an id and no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// The id of the visit type that is waited for.
    pub visit_type: String,
    /// How soon.
    pub urgency: Urgency,
    /// Since when.
    pub since: Millis,
    /// By when they should have been seen, where a clinician said so.
    pub seen_by: Option<Millis>,
    /// What suits.
    pub wishes: Wishes,
}

impl Entry {
    /// Whether a place suits.
    pub fn suits(&self, place: &Place, modality: Modality, now: Millis) -> bool {
        let w = &self.wishes;
        let any = |empty: bool, of: bool| empty || of;
        let at: Wall = place.wall;
        let notice_ms = i64::from(w.notice_minutes) * MINUTE_MS;
        any(w.sites.is_empty(), w.sites.contains(&place.site))
            && any(w.actors.is_empty(), place.taken.iter().any(|(_, a)| w.actors.contains(a)))
            && any(w.modalities.is_empty(), w.modalities.contains(&modality))
            && any(w.weekdays.is_empty(), w.weekdays.contains(&at.weekday()))
            && w.times.is_none_or(|(from, until)| {
                at.time() >= from && (until == Time::midnight() || at.time() < until)
            })
            && w.earliest.is_none_or(|earliest| place.span.start >= earliest)
            && w.latest.is_none_or(|latest| place.span.start <= latest)
            && place.span.start.0 >= now.0.saturating_add(notice_ms)
    }

    /// In how many ways the wishes are open, 0 to 6: the fewer, the sooner a fitting place is offered.
    pub fn openness(&self) -> u32 {
        let w = &self.wishes;
        [
            w.sites.is_empty(),
            w.actors.is_empty(),
            w.modalities.is_empty(),
            w.weekdays.is_empty(),
            w.times.is_none(),
            w.notice_minutes <= 24 * 60,
        ]
        .into_iter()
        .map(u32::from)
        .sum()
    }
}

/// Why somebody stands where they stand, for whoever asks: the order of the fields is the order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// How soon.
    pub urgency: Reverse<Urgency>,
    /// Their date to be seen by has passed.
    pub overdue: Reverse<bool>,
    /// Whole weeks waited.
    pub weeks: Reverse<i64>,
    /// In how many ways the wishes are open.
    pub openness: u32,
    /// Since when.
    pub since: Millis,
    /// The id, so that no two stand on one place.
    pub id: String,
}

/// Those whom a place suits, in order.
pub fn rank(
    entries: &[Entry],
    visit_type: &str,
    place: &Place,
    modality: Modality,
    now: Millis,
) -> Vec<Rank> {
    let suited = entries.iter().filter(|e| e.visit_type == visit_type);
    let mut ranks: Vec<_> = suited
        .filter(|e| e.suits(place, modality, now))
        .map(|e| Rank {
            urgency: Reverse(e.urgency),
            overdue: Reverse(e.seen_by.is_some_and(|by| by < now)),
            weeks: Reverse(now.0.saturating_sub(e.since.0).max(0) / (7 * DAY_MS)),
            openness: e.openness(),
            since: e.since,
            id: e.id.clone(),
        })
        .collect();
    ranks.sort();
    ranks
}

/// How offers go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waves {
    /// To how many at a time.
    pub size: usize,
    /// How long each wave has to answer.
    pub minutes: u32,
}

impl Waves {
    /// `SCHEDULING_FIND` for waves that make no sense.
    pub fn check(self) -> Result<(), Fault> {
        if self.size == 0 || self.size > WAVE_MAX {
            return Err(Fault::new(&SCHEDULING_FIND, "a wave is of 1 to 20 offers"));
        }
        if self.minutes == 0 || self.minutes > WAVE_MINUTES_MAX {
            return Err(Fault::new(&SCHEDULING_FIND, "a wave waits 1 to 2880 minutes"));
        }
        Ok(())
    }
}

/// What an offer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It waits for an answer, until and not with an instant.
    Open {
        /// When it runs out.
        until: Millis,
    },
    /// They said no.
    Declined,
    /// Nobody answered in time.
    Expired,
    /// They said yes first.
    Accepted,
    /// Another was quicker, or the place is gone.
    Closed,
}

/// Where a round stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Offers are out.
    Open,
    /// Somebody said yes; the place is being booked.
    Taken {
        /// Who.
        entry: String,
    },
    /// All were asked and nobody wanted it.
    Exhausted,
    /// The place is no longer there.
    Withdrawn,
}

/// What happens to a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody says yes.
    Accepted {
        /// Who.
        entry: String,
    },
    /// Somebody says no.
    Declined {
        /// Who.
        entry: String,
    },
    /// Time passes.
    Tick,
    /// Whoever hands offers on does not do so now: no wave begins before the next tick.
    Rest,
    /// The place was booked by another way, or could not be booked after a yes.
    Withdrawn,
}

/// What is to be done after an event, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Offer it to somebody.
    Offer {
        /// To whom.
        entry: String,
        /// When the offer runs out.
        until: Millis,
    },
    /// Book it. It comes once in the life of a round.
    Book {
        /// For whom.
        entry: String,
    },
    /// Say that it is gone.
    TellGone {
        /// To whom.
        entry: String,
    },
}

/// One freed place on its way to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The place's start: nothing is offered for a time that has begun.
    starts: Millis,
    waves: Waves,
    /// Those who were not asked yet, next first.
    queue: std::collections::VecDeque<String>,
    offers: BTreeMap<String, Offer>,
    state: State,
    /// No wave begins before the next tick.
    rests: bool,
    /// The latest instant that was seen: time does not go back.
    now: Millis,
}

impl Round {
    /// A place is free: the first wave goes out. `SCHEDULING_FIND` for waves that make no sense.
    pub fn begin(
        starts: Millis,
        ranked: &[Rank],
        waves: Waves,
        now: Millis,
    ) -> Result<(Self, Vec<Effect>), Fault> {
        let queue = ranked.iter().map(|rank| rank.id.clone()).collect();
        Self::of(starts, queue, waves, now, false)
    }

    /// As [`Round::begin`], for those of a round that was begun before: to play it again. One that `rests` asks
    /// nobody before its first tick.
    pub fn of(
        starts: Millis,
        ranked: Vec<String>,
        waves: Waves,
        now: Millis,
        rests: bool,
    ) -> Result<(Self, Vec<Effect>), Fault> {
        waves.check()?;
        let queue = ranked.into_iter().take(ROUND_MAX).collect();
        let (offers, state) = (BTreeMap::new(), State::Open);
        let mut round = Self { starts, waves, queue, offers, state, rests, now };
        let effects = round.pass();
        Ok((round, effects))
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Whether the next are asked by the next tick, and nobody before.
    pub fn is_resting(&self) -> bool {
        self.state == State::Open && self.due().is_none()
    }

    /// What became of an offer; `None` when none was made.
    pub fn offer(&self, entry: &str) -> Option<Offer> {
        self.offers.get(entry).copied()
    }

    /// When somebody has to look again at the latest: the end of the wave.
    pub fn due(&self) -> Option<Millis> {
        let open = self.offers.values().filter_map(|o| match o {
            Offer::Open { until } => Some(*until),
            _ => None,
        });
        open.min()
    }

    /// Something happens at an instant. `SCHEDULING_OFFER` for an answer to an offer that is not open;
    /// time has passed all the same, and the effects of that are in the second part.
    pub fn on(&mut self, event: &Event, at: Millis) -> (Result<(), Fault>, Vec<Effect>) {
        self.now = self.now.max(at);
        match event {
            Event::Tick => self.rests = false,
            Event::Rest => self.rests = true,
            Event::Accepted { .. } | Event::Declined { .. } | Event::Withdrawn => {}
        }
        let mut effects = self.pass();
        let answered = match event {
            Event::Tick | Event::Rest => Ok(()),
            Event::Withdrawn => {
                if matches!(self.state, State::Open | State::Taken { .. }) {
                    effects.extend(self.close(State::Withdrawn, None));
                }
                Ok(())
            }
            Event::Accepted { entry } => self.open(entry).map(|()| {
                self.offers.insert(entry.clone(), Offer::Accepted);
                effects.push(Effect::Book { entry: entry.clone() });
                let taken = State::Taken { entry: entry.clone() };
                effects.extend(self.close(taken, Some(entry)));
            }),
            Event::Declined { entry } => self.open(entry).map(|()| {
                self.offers.insert(entry.clone(), Offer::Declined);
                effects.extend(self.pass());
            }),
        };
        (answered, effects)
    }

    fn open(&self, entry: &str) -> Result<(), Fault> {
        match (self.offers.get(entry), &self.state) {
            (Some(Offer::Open { .. }), State::Open) => Ok(()),
            _ => Err(Fault::new(&SCHEDULING_OFFER, "the place is gone; you stay on the list")),
        }
    }

    /// What time alone does: offers run out, and the next wave goes out.
    fn pass(&mut self) -> Vec<Effect> {
        if self.state != State::Open {
            return Vec::new();
        }
        let now = self.now;
        for offer in self.offers.values_mut() {
            if matches!(offer, Offer::Open { until } if *until <= now) {
                *offer = Offer::Expired;
            }
        }
        // One that rests waits for its tick, unless there is nothing left to wait for.
        let waits = self.rests && !self.queue.is_empty() && now < self.starts;
        if self.due().is_none() && !waits { self.next_wave() } else { Vec::new() }
    }

    fn next_wave(&mut self) -> Vec<Effect> {
        let wait_ms = i64::from(self.waves.minutes) * MINUTE_MS;
        // Nobody can accept a time that has begun.
        let until = Millis(self.now.0.saturating_add(wait_ms)).min(self.starts);
        if until <= self.now || self.queue.is_empty() {
            self.state = State::Exhausted;
            return Vec::new();
        }
        let size = self.waves.size.min(self.queue.len());
        let wave: Vec<_> = self.queue.drain(..size).collect();
        let mut effects = Vec::with_capacity(wave.len());
        for entry in wave {
            self.offers.insert(entry.clone(), Offer::Open { until });
            effects.push(Effect::Offer { entry, until });
        }
        effects
    }

    /// Ends the round; those whose offers were open are told.
    fn close(&mut self, state: State, winner: Option<&String>) -> Vec<Effect> {
        self.state = state;
        let mut effects = Vec::new();
        for (entry, offer) in &mut self.offers {
            let lost =
                matches!(offer, Offer::Open { .. } | Offer::Accepted) && Some(entry) != winner;
            if lost {
                *offer = Offer::Closed;
                effects.push(Effect::TellGone { entry: entry.clone() });
            }
        }
        effects
    }
}
