//! The first free places for a visit, over sites and everything that it needs together.
//!
//! A place is a start at which each need has a resource of its own that is open for the whole visit and
//! has no other time, buffers included, in its way. The window is walked in parts, so that a question
//! whose answer lies near costs little however far it may look.

use crate::actor::{Actor, Role};
use crate::calendar::Site;
use crate::free::SpanSet;
use crate::time::{DAY_MS, Date, MINUTE_MS, Span, Time, Wall, Weekday, Zone};
use crate::visit_type::{Modality, Need, VisitType};
use base::error::code::SCHEDULING_FIND;
use base::{Fault, Millis};
use std::collections::BTreeMap;

/// Places one question can ask for: more than anybody reads.
pub const PLACES_MAX: usize = 200;
/// Days one question can look over.
pub const DAYS_MAX: i64 = 400;
/// Days of the first part of the window; each next one is twice as long.
const PART_DAYS: i64 = 4;

/// What can be booked: a person, room or device, with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Who or what.
    pub actor: Actor,
    /// As what it can be needed.
    pub roles: Vec<Role>,
    /// Languages spoken or interpreted (BCP 47).
    pub languages: Vec<String>,
    /// When it is there, by the index of the site; blocks are taken out already.
    pub open: Vec<(usize, SpanSet)>,
    /// What it does not have, buffers included, at whatever site.
    pub busy: SpanSet,
    /// Visits of the type asked for that it has, by the site's date.
    pub of_type: BTreeMap<Date, u32>,
}

/// Whose clocks a time of day is meant by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The site's.
    Site,
    /// The patient's.
    Patient,
}

/// What is looked for. Empty lists leave all in.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// For which visit.
    pub visit: &'a VisitType,
    /// The present.
    pub now: Millis,
    /// Where to look: the starts that are considered.
    pub window: Span,
    /// At which sites, by index.
    pub sites: Vec<usize>,
    /// With whom or what; each has to be in the place as far as the visit needs its role.
    pub actors: Vec<Actor>,
    /// How.
    pub modality: Option<Modality>,
    /// On which days of the week, by the clocks of `by`.
    pub weekdays: Vec<Weekday>,
    /// From and until, and not with, which time of day.
    pub times: Option<(Time, Time)>,
    /// Whose clocks `weekdays` and `times` mean.
    pub by: By,
    /// In which language: spoken by the interpreter if the visit has one, else by the first resource.
    pub language: Option<String>,
    /// When the patient is elsewhere.
    pub patient_busy: &'a SpanSet,
    /// Where the patient is.
    pub patient_zone: Option<&'a Zone>,
    /// Minutes between starts, counted from the full hour of the site; a divisor of 60, or a multiple.
    pub step_minutes: u32,
    /// How many places.
    pub count: usize,
    /// One place for each start, instead of one for each of the primary resources.
    pub one_per_start: bool,
}

/// A free place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The index of the site.
    pub site: usize,
    /// The visit itself.
    pub span: Span,
    /// What is kept, with buffers.
    pub kept: Span,
    /// Who and what, in the order of the needs.
    pub taken: Vec<(Role, Actor)>,
    /// What the clocks of the site show.
    pub wall: Wall,
    /// What those of the patient show, if they show something else.
    pub patient_wall: Option<Wall>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Earliest first; at one start by site, then by the first resource.
    pub places: Vec<Place>,
    /// There may be more; without it these are all within the window.
    pub more: bool,
}

/// Finds the first places. `SCHEDULING_FIND` when the question makes no sense.
pub fn find(
    question: &Question<'_>,
    sites: &[Site],
    resources: &[Resource],
) -> Result<Found, Fault> {
    check(question)?;
    let lead =
        Millis(question.now.0.saturating_add(i64::from(question.visit.lead_minutes) * MINUTE_MS));
    let mut places = Vec::new();
    let mut from = question.window.start.max(lead).max(question.now);
    let mut part_ms = PART_DAYS * DAY_MS;
    while let Some(rest) = Span::new(from, question.window.end) {
        let end = Millis(from.0.saturating_add(part_ms)).min(rest.end);
        let Some(part) = Span::new(from, end) else { break };
        for (at, site) in sites.iter().enumerate() {
            if question.sites.is_empty() || question.sites.contains(&at) {
                at_site(question, (at, site), resources, part, &mut places);
            }
        }
        from = end;
        part_ms *= 2;
        if places.len() > question.count {
            break;
        }
    }
    // Each site was asked for one more than wanted, so one too many tells that there are more.
    places.sort_by(|a: &Place, b: &Place| {
        (a.span.start, a.site, first(a)).cmp(&(b.span.start, b.site, first(b)))
    });
    if question.one_per_start {
        places.dedup_by_key(|p| (p.span.start, p.site));
    }
    let more = places.len() > question.count;
    places.truncate(question.count);
    Ok(Found { places, more })
}

fn first(place: &Place) -> Option<&Actor> {
    place.taken.first().map(|(_, actor)| actor)
}

fn check(q: &Question<'_>) -> Result<(), Fault> {
    let refuse = |says: &str| Err(Fault::new(&SCHEDULING_FIND, says));
    if q.window.ms() > DAYS_MAX * DAY_MS {
        return refuse("look over at most 400 days");
    }
    if q.count == 0 || q.count > PLACES_MAX {
        return refuse("ask for 1 to 200 places");
    }
    if q.step_minutes == 0 || !(60 % q.step_minutes == 0 || q.step_minutes.is_multiple_of(60)) {
        return refuse("the step divides the hour, or is of whole hours");
    }
    if q.step_minutes > 24 * 60 {
        return refuse("the step is at most a day");
    }
    if q.modality.is_some_and(|m| !q.visit.modalities.contains(&m)) {
        return refuse("visits of this type do not take place this way");
    }
    if q.by == By::Patient && q.patient_zone.is_none() {
        return refuse("say the patient's zone, if its clocks are meant");
    }
    if q.times.is_some_and(|(from, until)| until <= from && until != Time::midnight()) {
        return refuse("the time of day ends before it begins");
    }
    Ok(())
}

/// One resource that can fill needs at the site, with the starts that suit it.
struct Candidate<'a> {
    resource: &'a Resource,
    starts: SpanSet,
}

/// The places of one site within a part of the window, up to one more than are wanted.
fn at_site(
    q: &Question<'_>,
    (at, site): (usize, &Site),
    resources: &[Resource],
    part: Span,
    places: &mut Vec<Place>,
) {
    let (before_ms, length_ms, after_ms) = q.visit.lengths_ms();
    let around = part.padded(before_ms, length_ms + after_ms);
    let here: Vec<_> = resources
        .iter()
        .filter_map(|resource| {
            let open = resource.open.iter().find(|(site, _)| *site == at)?;
            let can = open.1.within(around).starts(length_ms).within(part);
            let hindered = resource.busy.within(around).hindered(before_ms, length_ms + after_ms);
            let starts = can.without(&hindered);
            (!starts.is_empty()).then_some(Candidate { resource, starts })
        })
        .collect();
    let Some(pools) = pools(q, &here) else { return };
    let mut possible = SpanSet::from_spans([part]);
    for pool in &pools {
        let any = pool.iter().filter_map(|c| here.get(*c)).flat_map(|c| c.starts.iter());
        possible = possible.common(&SpanSet::from_spans(any));
    }
    let elsewhere = q.patient_busy.within(around).hindered(0, length_ms);
    possible = possible.without(&elsewhere);
    let mut here_found = 0;
    for open in possible.iter() {
        let mut start = on_grid(&site.zone, open.start, q.step_minutes);
        while start < open.end {
            here_found += at_start(q, (at, site), start, (&here, &pools), places);
            if here_found > q.count {
                return;
            }
            start = on_grid(&site.zone, Millis(start.0.saturating_add(1)), q.step_minutes);
        }
    }
}

/// The candidates of each need, as indices; `None` when a need has none or an actor asked for has no
/// need to fill.
fn pools(q: &Question<'_>, here: &[Candidate<'_>]) -> Option<Vec<Vec<usize>>> {
    let interpreted = q.visit.needs.iter().any(|n| n.role == Role::Interpreter);
    let mut pools = Vec::with_capacity(q.visit.needs.len());
    let mut asked = vec![false; q.actors.len()];
    for (nth, need) in q.visit.needs.iter().enumerate() {
        let speaks = match &q.language {
            Some(l) if need.role == Role::Interpreter || (nth == 0 && !interpreted) => Some(l),
            _ => None,
        };
        let suits = |c: &Candidate<'_>| {
            fills(need, c.resource)
                && speaks.is_none_or(|l| c.resource.languages.iter().any(|has| has == l))
        };
        let mut pool: Vec<_> =
            here.iter().enumerate().filter(|(_, c)| suits(c)).map(|(i, _)| i).collect();
        let named = |i: &usize| {
            let actor = here.get(*i).map(|c| &c.resource.actor);
            q.actors.iter().position(|a| Some(a) == actor)
        };
        // Whom somebody asks for takes the need from all others.
        if pool.iter().any(|i| named(i).is_some()) {
            pool.retain(|i| named(i).is_some());
            for at in pool.iter().filter_map(named) {
                if let Some(mark) = asked.get_mut(at) {
                    *mark = true;
                }
            }
        }
        if pool.is_empty() {
            return None;
        }
        pool.sort_by_key(|i| here.get(*i).map(|c| &c.resource.actor));
        pools.push(pool);
    }
    // Several clinicians can be asked for of whom one is here.
    (asked.is_empty() || asked.contains(&true)).then_some(pools)
}

/// Whether a resource can be what is needed.
pub fn fills(need: &Need, resource: &Resource) -> bool {
    if need.candidates.is_empty() {
        resource.roles.contains(&need.role)
    } else {
        need.candidates.contains(&resource.actor)
    }
}

/// Adds the places at one start and says how many there were.
fn at_start(
    q: &Question<'_>,
    (at, site): (usize, &Site),
    start: Millis,
    (here, pools): (&[Candidate<'_>], &[Vec<usize>]),
    places: &mut Vec<Place>,
) -> usize {
    let wall = site.zone.wall(start);
    let theirs = q.patient_zone.map(|zone| zone.wall(start));
    let meant = if q.by == By::Patient { theirs.unwrap_or(wall) } else { wall };
    if !q.weekdays.is_empty() && !q.weekdays.contains(&meant.weekday()) {
        return 0;
    }
    let late = |until: Time| until != Time::midnight() && meant.time() >= until;
    if q.times.is_some_and(|(from, until)| meant.time() < from || late(until)) {
        return 0;
    }
    let capped = |c: &Candidate<'_>| {
        let had = c.resource.of_type.get(&wall.date()).copied().unwrap_or(0);
        q.visit.daily_cap.is_some_and(|cap| had >= cap)
    };
    let can = |i: usize| here.get(i).is_some_and(|c| c.starts.holds(start));
    let Some(span) = Span::of_minutes(start, q.visit.duration_minutes) else { return 0 };
    let (before_ms, _, after_ms) = q.visit.lengths_ms();
    let mut found = 0;
    for primary in pools.first().into_iter().flatten().copied() {
        if !can(primary) || here.get(primary).is_none_or(capped) {
            continue;
        }
        let Some(chosen) = assign(primary, pools, can) else { continue };
        let taken = q
            .visit
            .needs
            .iter()
            .zip(chosen)
            .filter_map(|(need, i)| here.get(i).map(|c| (need.role, c.resource.actor.clone())));
        places.push(Place {
            site: at,
            span,
            kept: span.padded(before_ms, after_ms),
            taken: taken.collect(),
            wall,
            patient_wall: theirs.filter(|t| *t != wall),
        });
        found += 1;
        if q.one_per_start {
            break;
        }
    }
    found
}

/// A different candidate for each need, the first one given: augmenting paths, so that a room that two
/// needs could take goes to the one that has no other.
fn assign(primary: usize, pools: &[Vec<usize>], can: impl Fn(usize) -> bool) -> Option<Vec<usize>> {
    let mut holder: BTreeMap<usize, usize> = BTreeMap::from([(primary, 0)]);
    for need in 1..pools.len() {
        let mut tried = vec![primary];
        if !give(need, pools, &can, &mut holder, &mut tried) {
            return None;
        }
    }
    let mut chosen: Vec<_> =
        holder.into_iter().map(|(candidate, need)| (need, candidate)).collect();
    chosen.sort_unstable();
    Some(chosen.into_iter().map(|(_, candidate)| candidate).collect())
}

fn give(
    need: usize,
    pools: &[Vec<usize>],
    can: &impl Fn(usize) -> bool,
    holder: &mut BTreeMap<usize, usize>,
    tried: &mut Vec<usize>,
) -> bool {
    for candidate in pools.get(need).into_iter().flatten().copied() {
        if tried.contains(&candidate) || !can(candidate) {
            continue;
        }
        tried.push(candidate);
        let free = match holder.get(&candidate).copied() {
            None => true,
            Some(other) => give(other, pools, can, holder, tried),
        };
        if free {
            holder.insert(candidate, need);
            return true;
        }
    }
    false
}

/// The first start on the grid that is not before an instant. The grid follows the wall, since nobody
/// offers half past eight as nine minutes to.
fn on_grid(zone: &Zone, from: Millis, step_minutes: u32) -> Millis {
    let step_ms = i64::from(step_minutes) * MINUTE_MS;
    let offset_ms = i64::from(zone.offset_s(from)) * 1000;
    let local = from.0.saturating_add(offset_ms);
    let up = local.rem_euclid(step_ms);
    let aligned = if up == 0 { local } else { local.saturating_add(step_ms - up) };
    let start = Millis(aligned.saturating_sub(offset_ms));
    // The clocks changed on the way: the wall decides again, from there.
    let change_ms = i64::from(zone.offset_s(start)) * 1000 - offset_ms;
    if change_ms == 0 || start.0.saturating_add(offset_ms + change_ms).rem_euclid(step_ms) == 0 {
        return start;
    }
    let local = start.0.saturating_add(offset_ms + change_ms);
    Millis(start.0.saturating_add(step_ms - local.rem_euclid(step_ms)))
}
