//! The calendar as it stands for a question: who is asked about, when they are there, what takes their
//! time, read by few searches and gathered in a [`Roster`].
//!
//! Whoever publishes Slots can be seen in them and at no other time; whoever has a Schedule without a
//! planning horizon and without Slots, or none, by the hours of their `PractitionerRole` within those of
//! the site. Slots that a loaded appointment names are taken by it and not a second time.

use super::document::{Extra, hold_of, kept, patient_name};
use super::here::{list, these};
use super::reads::{Found, Reads, parsed};
use super::{Bookable, House, RESOURCES_MAX};
use crate::actor::Actor;
use crate::appointment::Appointment;
use crate::calendar::{Block, Hours, Site, Why, open_by_hours, read_blocks, read_hours};
use crate::free::SpanSet;
use crate::occupied::{Schedule, Slot, SlotStatus};
use crate::roster::Roster;
use crate::time::{DAY_MS, MINUTE_MS, Span};
use crate::visit_type::{BUFFER_MAX, VisitType};
use base::{Fault, Millis, Phi};
use fhir::{Document, Value};
use record::Hit;
use std::collections::{BTreeMap, BTreeSet};

/// Appointments of one look, and Slots: a month of sixty resources.
const APPOINTMENTS_MAX: usize = 20_000;
const SLOTS_MAX: usize = 40_000;
/// Statuses that a calendar shows. What was called off gives its time back and is not on it.
const SHOWN: &str = "proposed,pending,booked,arrived,checked-in,fulfilled,noshow";

/// Who is asked about, and what does not change with the days that are looked at.
pub(super) struct Cast {
    pub resources: Vec<Bookable>,
    pub sites: Vec<Site>,
    roles: Vec<(Actor, Document)>,
    rooms: BTreeMap<Actor, Vec<Hours>>,
    schedules: Vec<Schedule>,
    same: Vec<(Actor, Actor)>,
}

/// Names of Patients, by logical id.
pub(super) type Names = Vec<(String, Phi<String>)>;

/// An appointment that was loaded.
pub(super) struct Loaded {
    pub hit: Hit,
    pub document: Document,
    pub read: Appointment,
}

/// What takes time, and when there is time at all, over some days.
pub(super) struct Days {
    pub roster: Roster,
    pub appointments: Vec<Loaded>,
    pub slots: Vec<Slot>,
    pub patients: Vec<(String, Phi<String>)>,
    /// What is taken was told by the gate, and so all of it is in the roster whoever may see by what.
    pub told: bool,
}

impl Cast {
    /// Of these resources. `site` is looked at too when it is given, whoever is there.
    pub(super) fn of(
        reads: &mut Reads<'_>,
        house: &House,
        actors: &[Actor],
        site: Option<&Actor>,
    ) -> Result<Self, Fault> {
        let (resources, roles) = these(reads, actors)?;
        Self::around(reads, house, resources, roles, site)
    }

    /// Of resources that were listed before.
    pub(super) fn listed(
        reads: &mut Reads<'_>,
        house: &House,
        resources: Vec<Bookable>,
        site: Option<&Actor>,
    ) -> Result<Self, Fault> {
        let actors: Vec<Actor> = resources.iter().map(|r| r.actor.clone()).collect();
        let persons: Vec<Actor> =
            actors.into_iter().filter(|a| a.resource_type() == "Practitioner").collect();
        let roles = match persons.as_slice() {
            [] => Vec::new(),
            persons => {
                let asked = [("practitioner", list(persons)), ("active", "true".to_owned())];
                reads.search("PractitionerRole", &asked, 4 * RESOURCES_MAX)?.matches
            }
        };
        Self::around(reads, house, resources, roles, site)
    }

    fn around(
        reads: &mut Reads<'_>,
        house: &House,
        resources: Vec<Bookable>,
        roles: Vec<Hit>,
        site: Option<&Actor>,
    ) -> Result<Self, Fault> {
        let mut wanted: BTreeSet<Actor> =
            resources.iter().flat_map(|resource| resource.sites.iter().cloned()).collect();
        wanted.extend(site.cloned());
        wanted.extend(
            resources.iter().map(|r| &r.actor).filter(|a| a.resource_type() == "Location").cloned(),
        );
        let (mut sites, mut rooms) = (Vec::new(), BTreeMap::new());
        if !wanted.is_empty() {
            let ids = wanted.iter().map(Actor::id).collect::<Vec<_>>().join(",");
            for hit in reads.search("Location", &[("_id", ids)], wanted.len())?.matches {
                let document = parsed(&hit)?;
                let root = document.root();
                match Site::read(root, &house.zones, &house.zone, house.holidays.clone()) {
                    Ok(site) if super::here::is_room(root) => {
                        rooms.insert(site.location, site.hours);
                    }
                    Ok(site) => sites.push(site),
                    Err(_fault) => reads.partial = true,
                }
            }
        }
        let actors: Vec<Actor> = resources.iter().map(|r| r.actor.clone()).collect();
        let mut same = Vec::new();
        let mut parsed_roles = Vec::new();
        for hit in roles {
            let document = parsed(&hit)?;
            let person = document.root().get("practitioner").and_then(crate::read::actor);
            let role = Actor::parse(&format!("PractitionerRole/{}", hit.id));
            if let (Some(person), Some(role)) = (person, role) {
                same.push((role, person.clone()));
                parsed_roles.push((person, document));
            }
        }
        let schedules = schedules(reads, &actors)?;
        Ok(Self { resources, sites, roles: parsed_roles, rooms, schedules, same })
    }

    /// The index of a site, or that of the first.
    pub(super) fn site(&self, location: &Actor) -> Option<usize> {
        self.sites.iter().position(|site| site.location == *location)
    }

    /// The references under which one of the resources takes time: its own, and those of its roles.
    pub(super) fn names<'c>(&'c self, actor: &'c Actor) -> impl Iterator<Item = &'c Actor> {
        let roles = self.same.iter().filter(move |(_, person)| person == actor);
        std::iter::once(actor).chain(roles.map(|(role, _)| role))
    }

    /// All references under which the resources take time.
    fn references(&self) -> Vec<Actor> {
        let persons = self.resources.iter().map(|resource| resource.actor.clone());
        persons.chain(self.same.iter().map(|(role, _)| role.clone())).collect()
    }

    /// When there is time over a span, for who finds or judges a place and shows nobody what takes it. The
    /// gate keeps that at hand ([`record::Taken`]), whoever may see by what; only where somebody publishes
    /// Slots, or it cannot be told, the appointments themselves are read as by [`Cast::days`].
    pub(super) fn time(
        &self,
        reads: &mut Reads<'_>,
        (span, behind_ms): (Span, i64),
        now: Millis,
    ) -> Result<Days, Fault> {
        let slots = self.slots(reads, span.padded(DAY_MS, DAY_MS))?;
        if !slots.is_empty() {
            return self.days_of(reads, slots, (span, behind_ms), now, false);
        }
        let names = self.references();
        let whose: Vec<String> = names.iter().map(ToString::to_string).collect();
        // What is kept free by others reaches as far before as behind, and a day is counted whole.
        let told = reads.taken(&whose, span.padded(behind_ms, behind_ms))?;
        if told.iter().any(Option::is_none) {
            return self.days_of(reads, slots, (span, behind_ms), now, false);
        }
        let mut roster = self.roster();
        for (actor, taken) in names.iter().zip(told) {
            roster.add_taken(actor, taken.into_iter().flatten());
        }
        self.open(reads, &mut roster, &slots, span.padded(DAY_MS, behind_ms))?;
        Ok(Days { roster, appointments: Vec::new(), slots, patients: Vec::new(), told: true })
    }

    /// Nobody's time yet, but who is who.
    fn roster(&self) -> Roster {
        let mut roster = Roster::new();
        for (role, person) in &self.same {
            roster.same(role.clone(), person.clone());
        }
        roster
    }

    /// Adds when there is time at all.
    fn open(
        &self,
        reads: &mut Reads<'_>,
        roster: &mut Roster,
        slots: &[Slot],
        around: Span,
    ) -> Result<(), Fault> {
        self.hours(reads, roster, slots, around)?;
        self.blocks(reads, roster, around)
    }

    /// Loads what there is over a span, what began a day before it, and so many milliseconds behind it
    /// ([`behind_ms`]): a grid shows nothing of what begins there.
    pub(super) fn days(
        &self,
        reads: &mut Reads<'_>,
        (span, behind_ms): (Span, i64),
        now: Millis,
        with_names: bool,
    ) -> Result<Days, Fault> {
        // Whether somebody publishes slots is told by those of a day to either side, however little else is
        // read: who works in the afternoon by slots does not work in the morning by the hours of a role.
        let slots = self.slots(reads, span.padded(DAY_MS, DAY_MS))?;
        self.days_of(reads, slots, (span, behind_ms), now, with_names)
    }

    fn days_of(
        &self,
        reads: &mut Reads<'_>,
        slots: Vec<Slot>,
        (span, behind_ms): (Span, i64),
        now: Millis,
        with_names: bool,
    ) -> Result<Days, Fault> {
        let around = span.padded(DAY_MS, behind_ms);
        let mut roster = self.roster();
        let (appointments, patients) = booked(reads, &self.references(), around, with_names)?;
        let mut named = BTreeSet::new();
        for one in &appointments {
            match kept(one.document.root()) {
                Some(kept) => {
                    if let Some(hold) = hold_of(&one.hit.id, &one.read, &kept) {
                        roster.add_hold(&hold, now);
                    }
                }
                None => {
                    roster.add_appointment(&one.hit.id, &one.read);
                    if one.read.status.occupies() {
                        named.extend(one.read.slots.iter().cloned());
                    }
                }
            }
        }
        for schedule in &self.schedules {
            let site = schedule.actors.iter().find_map(|actor| self.site(actor));
            let own = |slot: &&Slot| slot.schedule == schedule.id;
            let mine: Vec<Slot> = slots
                .iter()
                .filter(own)
                .map(|slot| match named.contains(&slot.id) {
                    true => Slot { status: SlotStatus::Free, ..slot.clone() },
                    false => slot.clone(),
                })
                .collect();
            let site = site.or_else(|| self.site_of(schedule.actors.first()?)).unwrap_or(0);
            roster.add_slots(site, schedule, &mine);
        }
        self.open(reads, &mut roster, &slots, around)?;
        Ok(Days { roster, appointments, slots, patients, told: false })
    }

    fn site_of(&self, actor: &Actor) -> Option<usize> {
        let resource = self.resources.iter().find(|resource| resource.actor == *actor)?;
        resource.sites.iter().find_map(|site| self.site(site))
    }

    fn slots(&self, reads: &mut Reads<'_>, around: Span) -> Result<Vec<Slot>, Fault> {
        if self.schedules.is_empty() {
            return Ok(Vec::new());
        }
        let schedules: Vec<String> =
            self.schedules.iter().map(|schedule| format!("Schedule/{}", schedule.id)).collect();
        let asked = [
            ("schedule", schedules.join(",")),
            ("start", format!("ge{}", around.start.to_instant())),
            ("start", format!("lt{}", around.end.to_instant())),
        ];
        let mut slots = Vec::new();
        for hit in reads.search("Slot", &asked, SLOTS_MAX)?.matches {
            match Slot::read(parsed(&hit)?.root()) {
                Ok(slot) => slots.push(slot),
                // Never free time, and told.
                Err(_fault) => reads.partial = true,
            }
        }
        Ok(slots)
    }

    /// Opens the time of those who publish no slots.
    fn hours(
        &self,
        reads: &mut Reads<'_>,
        roster: &mut Roster,
        slots: &[Slot],
        around: Span,
    ) -> Result<(), Fault> {
        let mut open_sites = Vec::new();
        for site in &self.sites {
            let (from, until) =
                (site.zone.wall(around.start).date(), site.zone.wall(around.end).date());
            open_sites.push(site.open(from, until)?);
        }
        for resource in &self.resources {
            let publishes = self.schedules.iter().any(|schedule| {
                schedule.actors.contains(&resource.actor)
                    && (schedule.horizon.is_some()
                        || slots.iter().any(|slot| slot.schedule == schedule.id))
            });
            if publishes {
                continue;
            }
            for location in &resource.sites {
                let Some(at) = self.site(location) else { continue };
                let (Some(site), Some(open)) = (self.sites.get(at), open_sites.get(at)) else {
                    continue;
                };
                match self.own_hours(resource, location) {
                    Ok(own) if own.is_empty() => roster.add_open(&resource.actor, at, open),
                    Ok(own) => {
                        let (from, until) = (
                            site.zone.wall(around.start).date(),
                            site.zone.wall(around.end).date(),
                        );
                        let own = open_by_hours(&site.zone, &own, from, until, |_| false)?;
                        let open: SpanSet = own.common(open);
                        roster.add_open(&resource.actor, at, &open);
                    }
                    // Hours that cannot be read open nothing.
                    Err(_fault) => reads.partial = true,
                }
            }
        }
        Ok(())
    }

    fn own_hours(&self, resource: &Bookable, location: &Actor) -> Result<Vec<Hours>, Fault> {
        if let Some(hours) = self.rooms.get(&resource.actor) {
            return Ok(hours.clone());
        }
        let mut hours = Vec::new();
        for (_, document) in self.roles.iter().filter(|(person, _)| *person == resource.actor) {
            let root = document.root();
            let mut at = root.get("location").into_iter().flat_map(Value::items);
            if at.any(|place| crate::read::actor(place).as_ref() == Some(location)) {
                hours.extend(read_hours(root)?);
            }
        }
        Ok(hours)
    }

    fn blocks(
        &self,
        reads: &mut Reads<'_>,
        roster: &mut Roster,
        around: Span,
    ) -> Result<(), Fault> {
        for (person, document) in &self.roles {
            let at = self.site_of(person).and_then(|at| self.sites.get(at));
            let Some(site) = at else { continue };
            match read_blocks(document.root(), person, &site.zone, around) {
                Ok(blocks) => blocks.iter().for_each(|block| roster.add_block(block)),
                Err(_fault) => reads.partial = true,
            }
        }
        Ok(())
    }
}

impl Days {
    /// The blocks of somebody that their slots tell: taken, and by no appointment.
    pub(super) fn slot_blocks<'d>(
        &'d self,
        cast: &'d Cast,
        actor: &'d Actor,
    ) -> impl Iterator<Item = (&'d Slot, Block)> {
        let own = move |slot: &&Slot| {
            let mut of = cast.schedules.iter().filter(|schedule| schedule.id == slot.schedule);
            slot.status == SlotStatus::BusyUnavailable
                && of.any(|schedule| schedule.actors.contains(actor))
        };
        self.slots.iter().filter(own).map(move |slot| {
            (slot, Block { actor: Some(actor.clone()), span: slot.span, why: Why::Other })
        })
    }

    /// The free slots of some actors that a span needs.
    pub(super) fn slots_for(&self, cast: &Cast, actors: &[Actor], span: Span) -> Vec<String> {
        let free = |slot: &&Slot| slot.status == SlotStatus::Free && slot.span.overlaps(span);
        let of = |slot: &&Slot| self.is_of(cast, slot, actors);
        self.slots.iter().filter(free).filter(of).map(|slot| slot.id.clone()).collect()
    }

    /// Whether a slot is of one of these.
    #[expect(clippy::unused_self, reason = "slots are of the days that were loaded")]
    pub(super) fn is_of(&self, cast: &Cast, slot: &Slot, actors: &[Actor]) -> bool {
        let mut of = cast.schedules.iter().filter(|schedule| schedule.id == slot.schedule);
        of.any(|schedule| schedule.actors.iter().any(|actor| actors.contains(actor)))
    }
}

/// How far behind a visit others can matter to it: a visit that is counted by the day is counted with
/// all of its day, and any other can be reached by the time that is kept before the next.
pub(super) fn behind_ms(visit: &VisitType) -> i64 {
    if visit.daily_cap.is_some() { DAY_MS } else { i64::from(BUFFER_MAX) * MINUTE_MS }
}

/// What these references are booked for, or named in.
pub(super) fn booked(
    reads: &mut Reads<'_>,
    actors: &[Actor],
    span: Span,
    with_names: bool,
) -> Result<(Vec<Loaded>, Names), Fault> {
    if actors.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut asked = vec![
        ("actor", list(actors)),
        ("date", format!("ge{}", span.start.to_instant())),
        ("date", format!("lt{}", span.end.to_instant())),
        ("status", SHOWN.to_owned()),
    ];
    if with_names {
        asked.push(("_include", "Appointment:patient".to_owned()));
    }
    let Found { matches, included } = reads.search("Appointment", &asked, APPOINTMENTS_MAX)?;
    let mut all = Vec::with_capacity(matches.len());
    for hit in matches {
        let document = parsed(&hit)?;
        match Appointment::read(document.root()) {
            Ok(read) => all.push(Loaded { hit, document, read }),
            Err(_fault) => reads.partial = true,
        }
    }
    let mut patients = Vec::new();
    for hit in included {
        let document = parsed(&hit)?;
        if let Some(name) = patient_name(document.root()) {
            patients.push((hit.id, name));
        }
    }
    Ok((all, patients))
}

fn schedules(reads: &mut Reads<'_>, actors: &[Actor]) -> Result<Vec<Schedule>, Fault> {
    if actors.is_empty() {
        return Ok(Vec::new());
    }
    let asked = [("actor", list(actors)), ("active", "true".to_owned())];
    let mut schedules = Vec::new();
    for hit in reads.search("Schedule", &asked, 4 * RESOURCES_MAX)?.matches {
        match Schedule::read(parsed(&hit)?.root()) {
            Ok(schedule) => schedules.push(schedule),
            Err(_fault) => reads.partial = true,
        }
    }
    Ok(schedules)
}

/// What an appointment says beside, for those who change it.
pub(super) fn extra(loaded: &Loaded) -> Extra {
    Extra::read(loaded.document.root())
}
