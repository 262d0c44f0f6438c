//! [`Roster`]: what is read of schedules, slots, appointments, holds and hours, gathered by resource, in
//! the two forms that are asked for: [`Resource`] to find places among, [`ResourceFacts`] to judge one.
//!
//! A clinician is one person, and can stand in a schedule as a `PractitionerRole` and in an appointment
//! as a `Practitioner`. [`Roster::same`] says so; without it the two would be free of each other.

use crate::actor::{Actor, Role};
use crate::appointment::Appointment;
use crate::calendar::{Block, blocked};
use crate::find::Resource;
use crate::free::SpanSet;
use crate::hold::Hold;
use crate::occupied::{Busy, By, Schedule, Slot, of_appointment, open_by_slots, padded_set};
use crate::rules::ResourceFacts;
use crate::time::{Date, Span, Zone};
use base::Millis;
use record::Taken;
use std::collections::BTreeMap;

/// The time of many resources.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    same: BTreeMap<Actor, Actor>,
    busy: BTreeMap<Actor, Vec<Busy>>,
    open: BTreeMap<Actor, BTreeMap<usize, SpanSet>>,
    blocks: Vec<Block>,
}

impl Roster {
    /// Of nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says that a role is a person's. Said before anything is added of either.
    pub fn same(&mut self, role: Actor, person: Actor) {
        self.same.insert(role, person);
    }

    /// The one resource behind a reference.
    pub fn who<'a>(&'a self, actor: &'a Actor) -> &'a Actor {
        self.same.get(actor).unwrap_or(actor)
    }

    /// Adds the time that an appointment takes.
    pub fn add_appointment(&mut self, id: &str, appointment: &Appointment) {
        for (actor, busy) in of_appointment(id, appointment) {
            self.add_busy(&actor, busy);
        }
    }

    /// Adds time of somebody that is taken, by whatever it is.
    pub fn add_taken(&mut self, actor: &Actor, taken: impl Iterator<Item = Taken>) {
        for Taken { start, end, kept_ms, about, by } in taken {
            let Some(span) = Span::new(start, end) else { continue };
            let (before_ms, after_ms) = kept_ms;
            let by = By::Appointment(by.to_string());
            let visit_type = about.map(|id| id.to_string());
            self.add_busy(actor, Busy { span, before_ms, after_ms, by, visit_type });
        }
    }

    /// Adds what a schedule's slots take and open at a site.
    pub fn add_slots(&mut self, site: usize, schedule: &Schedule, slots: &[Slot]) {
        let open = open_by_slots(schedule, slots);
        for actor in &schedule.actors {
            self.add_open(actor, site, &open);
            for slot in slots.iter().filter(|s| s.schedule == schedule.id) {
                if let Some(busy) = slot.busy() {
                    self.add_busy(actor, busy);
                }
            }
        }
    }

    /// Adds the time that a hold takes, if it holds now.
    pub fn add_hold(&mut self, hold: &Hold, now: Millis) {
        for (actor, busy) in hold.busy(now) {
            self.add_busy(&actor, busy);
        }
    }

    /// Adds time at which somebody is at a site.
    pub fn add_open(&mut self, actor: &Actor, site: usize, open: &SpanSet) {
        let who = self.who(actor).clone();
        let there = self.open.entry(who).or_default().entry(site).or_default();
        *there = there.union(open);
    }

    /// Adds a block, of somebody or of all.
    pub fn add_block(&mut self, block: &Block) {
        let actor = block.actor.as_ref().map(|a| self.who(a).clone());
        self.blocks.push(Block { actor, span: block.span, why: block.why });
    }

    /// The blocks, as the rules ask for them.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What somebody does not have.
    pub fn busy(&self, actor: &Actor) -> &[Busy] {
        self.busy.get(self.who(actor)).map_or(&[], Vec::as_slice)
    }

    /// What the rules ask of a resource.
    pub fn facts(&self, actor: &Actor) -> ResourceFacts {
        let sites = self.open.get(self.who(actor)).into_iter().flat_map(BTreeMap::values);
        let open = sites.flat_map(SpanSet::iter).collect();
        ResourceFacts { open, busy: self.busy(actor).to_vec() }
    }

    /// A resource to find places with, for a visit type, under the reference it was asked for by. Its open time is without its blocks; time that
    /// is taken by what is `instead_of` counts as free.
    pub fn resource(
        &self,
        actor: &Actor,
        (roles, languages): (Vec<Role>, Vec<String>),
        visit_type: Option<(&str, &Zone)>,
        instead_of: &[By],
    ) -> Resource {
        let who = self.who(actor);
        let busy: Vec<_> =
            self.busy(actor).iter().filter(|b| !instead_of.contains(&b.by)).cloned().collect();
        let away = blocked(&self.blocks, who);
        let sites = self.open.get(who).into_iter().flatten();
        let mut of_type: BTreeMap<Date, u32> = BTreeMap::new();
        if let Some((id, zone)) = visit_type {
            for one in busy.iter().filter(|b| b.visit_type.as_deref() == Some(id)) {
                *of_type.entry(zone.wall(one.span.start).date()).or_default() += 1;
            }
        }
        Resource {
            actor: actor.clone(),
            roles,
            languages,
            open: sites.map(|(site, open)| (*site, open.without(&away))).collect(),
            busy: padded_set(&busy),
            of_type,
        }
    }

    fn add_busy(&mut self, actor: &Actor, busy: Busy) {
        let who = self.who(actor).clone();
        self.busy.entry(who).or_default().push(busy);
    }
}
