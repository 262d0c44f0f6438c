//! What a grid of a day, week or month shows, one appointment, and free places.

use super::document::patient_name;
use super::here::{everybody, read_visit_type};
use super::load::{Cast, Days, Loaded, behind_ms, booked};
use super::reads::{Reads, parsed};
use super::{DAYS_MAX, Entry, Free, Grid, House, Place, Places, Query, ROWS_MAX, Row, Visit};
use crate::actor::Actor;
use crate::find::{self, PLACES_MAX, Question, Resource};
use crate::free::SpanSet;
use crate::occupied::{By, of_appointment};
use crate::time::{DAY_MS, Date, Span, Zone};
use base::error::code::SCHEDULING_FIND;
use base::{Fault, Millis, Phi};
use record::Session;

/// Days of the first part of a window that is looked at; each next one is twice as long, so that a
/// question whose answer lies near costs little however far it may look.
const PART_DAYS: i64 = 2;

/// A grid: rows of resources over dates of a zone, both included.
///
/// # Errors
/// `scheduling.find.invalid` for more than 60 resources or 42 days; as a search.
pub async fn day(
    session: &Session,
    house: &House,
    (from, until): (Date, Date),
    zone: &Zone,
    resources: &[Actor],
) -> Result<Grid, Fault> {
    let span = zone.span(
        from.at(0, 0, 0, 0),
        until.tomorrow().map_err(|_fault| refuse("use a year from 1900 to 2200"))?.at(0, 0, 0, 0),
    )?;
    if resources.len() > ROWS_MAX || span.ms() > DAYS_MAX * DAY_MS + DAY_MS {
        return Err(refuse("ask for at most 60 resources and 42 days"));
    }
    let mut reads = Reads::new(session);
    let outcome = reads.at_once(|reads| grid(reads, house, span, resources));
    reads.settle(outcome).await
}

fn grid(
    reads: &mut Reads<'_>,
    house: &House,
    span: Span,
    resources: &[Actor],
) -> Result<Grid, Fault> {
    if resources.is_empty() {
        return Ok(Grid { span, rows: Vec::new(), partial: false });
    }
    let (now, who) = (reads.session.now(), reads.session.who().to_owned());
    let cast = Cast::of(reads, house, resources, None)?;
    let days = cast.days(reads, (span, 0), now, true)?;
    let mut visits = Vec::new();
    for Loaded { hit, document, read } in &days.appointments {
        let visit = Visit::of(hit, document.root(), &days.patients, (now, &who))?;
        // A hold that is over is nothing any more.
        let over = super::document::kept(document.root()).is_some() && visit.held.is_none();
        if !over && read.span.is_some_and(|own| own.overlaps(span)) {
            visits.push((visit, read));
        }
    }
    let mut rows = Vec::with_capacity(resources.len());
    let taken = taken(reads, &cast, span)?;
    for (resource, taken) in cast.resources.iter().zip(taken) {
        let actor = &resource.actor;
        let facts = days.roster.facts(actor);
        let mine = |with: &Actor| days.roster.who(with) == actor || with == actor;
        let own: Vec<&Visit> =
            visits.iter().map(|(visit, _)| visit).filter(|v| v.with.iter().any(mine)).collect();
        let mut entries: Vec<Entry> =
            own.iter().map(|visit| Entry::Visit((*visit).clone())).collect();
        let shown: SpanSet = own.iter().filter_map(|visit| visit.span).collect();
        for block in days.roster.blocks().iter().filter(|block| block.concerns(actor)) {
            if block.span.overlaps(span) {
                entries.push(Entry::Blocked { span: block.span, why: block.why, slot: None });
            }
        }
        for (slot, block) in days.slot_blocks(&cast, actor) {
            if block.span.overlaps(span) {
                let slot = Some(slot.id.clone());
                entries.push(Entry::Blocked { span: block.span, why: block.why, slot });
            }
        }
        let blocked: SpanSet = entries.iter().filter_map(blocked_span).collect();
        let busy = days.roster.busy(actor).iter();
        let slots = busy.filter(|busy| matches!(busy.by, By::Slot(_))).map(|busy| busy.span);
        let taken = taken.union(&slots.collect());
        let hidden = taken.within(span).without(&shown).without(&blocked);
        entries.extend(hidden.iter().map(Entry::Withheld));
        entries.sort_by_key(start_of);
        let open = facts.open.within(span).iter().collect();
        rows.push(Row { resource: resource.clone(), open, entries });
    }
    Ok(Grid { span, rows, partial: reads.partial })
}

/// When each of the resources is taken, whoever may see by what.
fn taken(reads: &mut Reads<'_>, cast: &Cast, span: Span) -> Result<Vec<SpanSet>, Fault> {
    // Somebody is taken under their own reference and under that of each of their roles.
    let names: Vec<Vec<String>> = cast
        .resources
        .iter()
        .map(|one| cast.names(&one.actor).map(ToString::to_string).collect())
        .collect();
    let whose: Vec<String> = names.iter().flatten().cloned().collect();
    let told = reads.taken(&whose, span)?;
    // What is not known to be free is not said to be: the answer is partial.
    reads.partial |= told.iter().any(Option::is_none);
    let mut all = told.into_iter();
    let mut set = |many: usize| -> SpanSet {
        let taken = all.by_ref().take(many).flatten().flatten();
        taken.filter_map(|one| Span::new(one.start, one.end)).collect()
    };
    Ok(names.iter().map(|own| set(own.len())).collect())
}

const fn blocked_span(entry: &Entry) -> Option<Span> {
    match entry {
        Entry::Blocked { span, .. } => Some(*span),
        Entry::Visit(_) | Entry::Withheld(_) => None,
    }
}

fn start_of(entry: &Entry) -> Option<Millis> {
    match entry {
        Entry::Visit(visit) => visit.span.map(|span| span.start),
        Entry::Withheld(span) | Entry::Blocked { span, .. } => Some(span.start),
    }
}

/// One appointment as screens show it.
///
/// # Errors
/// As a read; `scheduling.calendar.invalid` for one that cannot be understood.
pub async fn appointment(session: &Session, id: &str) -> Result<Visit, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let hit = reads.read("Appointment", id)?;
        shown(&mut reads, &hit)
    })();
    reads.settle(outcome).await
}

/// An appointment as it is, with its patient's name where the caller may see it.
pub(super) fn shown(reads: &mut Reads<'_>, hit: &record::Hit) -> Result<Visit, Fault> {
    let who = reads.session.who().to_owned();
    let now = reads.session.now();
    let document = parsed(hit)?;
    let visit = Visit::of(hit, document.root(), &[], (now, &who))?;
    let Some(patient) = visit.patient.as_ref().map(|patient| patient.id.clone()) else {
        return Ok(visit);
    };
    // Who may see the visit and not the patient sees it without the name.
    let found = reads.search("Patient", &[("_id", patient.clone())], 1)?;
    let named = found.matches.first().map(parsed).transpose()?;
    let name = named.as_ref().and_then(|document| patient_name(document.root()));
    let names: Vec<_> = name.map(|name| (patient, name)).into_iter().collect();
    Visit::of(hit, document.root(), &names, (now, &who))
}

/// An appointment as it is shown to whoever has read the names of its patients already.
pub(super) fn shown_with(
    reads: &Reads<'_>,
    hit: &record::Hit,
    names: &[(String, Phi<String>)],
) -> Result<Visit, Fault> {
    let (now, who) = (reads.session.now(), reads.session.who());
    Visit::of(hit, parsed(hit)?.root(), names, (now, who))
}

/// The first free places for a visit, across sites and resources.
///
/// # Errors
/// `scheduling.find.invalid` when the question makes no sense; as a search.
pub async fn find(session: &Session, house: &House, query: &Query) -> Result<Places, Fault> {
    let mut reads = Reads::new(session);
    let outcome = reads.at_once(|reads| places(reads, house, query));
    reads.settle(outcome).await
}

fn places(reads: &mut Reads<'_>, house: &House, query: &Query) -> Result<Places, Fault> {
    if query.count == 0 || query.count > PLACES_MAX {
        return Err(refuse("ask for 1 to 200 places"));
    }
    let visit = read_visit_type(reads, &query.visit_type)?;
    let cast = cast_for(reads, house, query, &visit)?;
    let now = reads.session.now();
    let mut wanted: Vec<usize> = Vec::new();
    for site in &query.sites {
        // A site where nobody of the visit is has no place to offer.
        wanted.extend(cast.site(site));
    }
    let mut answer = Places { places: Vec::new(), more: false, partial: false };
    if !query.sites.is_empty() && wanted.is_empty() {
        answer.partial = reads.partial;
        return Ok(answer);
    }
    let patient_busy = match &query.patient {
        Some(id) => patient_busy(reads, id, query.window, query.instead_of.as_deref())?,
        None => SpanSet::new(),
    };
    let mut from = query.window.start.max(now);
    let mut part_ms = PART_DAYS * DAY_MS;
    loop {
        let end = Millis(from.0.saturating_add(part_ms)).min(query.window.end);
        let Some(part) = Span::new(from, end) else { break };
        let left = query.count - answer.places.len();
        let question = Question {
            visit: &visit,
            now,
            window: part,
            sites: wanted.clone(),
            actors: query.with.clone(),
            modality: query.modality,
            weekdays: query.weekdays.clone(),
            times: query.times,
            by: query.by,
            language: query.language.clone(),
            patient_busy: &patient_busy,
            patient_zone: query.patient_zone.as_ref(),
            step_minutes: query.step_minutes,
            count: left,
            one_per_start: query.one_per_start,
        };
        let (before_ms, length_ms, after_ms) = visit.lengths_ms();
        let around = part.padded(before_ms, length_ms + after_ms);
        let days = cast.time(reads, (around, behind_ms(&visit)), now)?;
        let instead_of = instead_of(&days, query.instead_of.as_deref());
        let resources = resources_of(reads, &cast, &days, &visit, (around, &instead_of))?;
        let found = find::find(&question, &cast.sites, &resources)?;
        answer.more |= found.more;
        let free = found.places.into_iter().filter_map(|place| {
            let site = cast.sites.get(place.site)?;
            Some(Free {
                place: Place {
                    visit_type: query.visit_type.clone(),
                    site: site.location.clone(),
                    start: place.span.start,
                    with: place.taken,
                    modality: query.modality,
                },
                span: place.span,
                zone: site.zone.clone(),
                wall: place.wall,
                patient_wall: place.patient_wall,
            })
        });
        answer.places.extend(free);
        if answer.places.len() >= query.count {
            // What lies behind was not looked at.
            answer.more |= end < query.window.end;
            break;
        }
        from = end;
        part_ms *= 2;
    }
    answer.partial = reads.partial;
    Ok(answer)
}

/// Whoever could do a visit, at the sites asked for.
fn cast_for(
    reads: &mut Reads<'_>,
    house: &House,
    query: &Query,
    visit: &crate::visit_type::VisitType,
) -> Result<Cast, Fault> {
    let anybody = visit.needs.iter().any(|need| need.candidates.is_empty());
    if !anybody {
        let mut actors: Vec<Actor> = Vec::new();
        for actor in visit.needs.iter().flat_map(|need| &need.candidates) {
            if !actors.contains(actor) {
                actors.push(actor.clone());
            }
        }
        return Cast::of(reads, house, &actors, None);
    }
    let mut all = everybody(reads, &query.sites)?;
    let named: Vec<Actor> = visit
        .needs
        .iter()
        .flat_map(|need| &need.candidates)
        .chain(&query.with)
        .filter(|actor| !all.iter().any(|resource| resource.actor == **actor))
        .cloned()
        .collect();
    all.extend(super::here::these(reads, &named)?.0);
    // Of a role that is not needed nobody has to be looked at; who is asked for takes a role's place.
    all.retain(|resource| {
        let asked = |role: &crate::actor::Role| {
            query
                .with
                .iter()
                .all(|actor| *actor == resource.actor || crate::book::here::role_of(actor) != *role)
        };
        visit.needs.iter().any(|need| match need.candidates.as_slice() {
            [] => resource.roles.contains(&need.role) && asked(&need.role),
            candidates => candidates.contains(&resource.actor),
        })
    });
    Cast::listed(reads, house, all, None)
}

fn resources_of(
    reads: &mut Reads<'_>,
    cast: &Cast,
    days: &Days,
    visit: &crate::visit_type::VisitType,
    (around, instead_of): (Span, &[By]),
) -> Result<Vec<Resource>, Fault> {
    let mut all = Vec::with_capacity(cast.resources.len());
    // A place that begins within a part ends behind it.
    let taken = match days.told {
        true => vec![SpanSet::new(); cast.resources.len()],
        false => taken(reads, cast, around)?,
    };
    for (resource, taken) in cast.resources.iter().zip(taken) {
        let zone = resource.sites.iter().find_map(|site| cast.site(site));
        let zone = zone.and_then(|at| cast.sites.get(at)).map(|site| &site.zone);
        let of_type = visit.id.as_deref().zip(zone);
        let own = (resource.roles.clone(), resource.languages.clone());
        let mut one = days.roster.resource(&resource.actor, own, of_type, instead_of);
        // What the caller may not see is taken all the same; what goes elsewhere is not.
        let going = days
            .appointments
            .iter()
            .filter(|loaded| instead_of.contains(&By::Appointment(loaded.hit.id.clone())));
        let going: SpanSet = going.filter_map(|loaded| loaded.read.span).collect();
        one.busy = one.busy.union(&taken.without(&going));
        all.push(one);
    }
    Ok(all)
}

/// What is left out of busy time when an appointment is moved: itself, and its slots.
pub(super) fn instead_of(days: &Days, id: Option<&str>) -> Vec<By> {
    let Some(id) = id else { return Vec::new() };
    let mut all = vec![By::Appointment(id.to_owned()), By::Hold(id.to_owned())];
    let own = days.appointments.iter().filter(|one| one.hit.id == id);
    all.extend(own.flat_map(|one| one.read.slots.iter().cloned().map(By::Slot)));
    all
}

/// When a patient is elsewhere, as far as the caller sees.
fn patient_busy(
    reads: &mut Reads<'_>,
    id: &str,
    window: Span,
    but: Option<&str>,
) -> Result<SpanSet, Fault> {
    let Some(patient) = Actor::parse(&format!("Patient/{id}")) else {
        return Err(refuse("name the patient by the id of the record"));
    };
    let (all, _) =
        booked(reads, std::slice::from_ref(&patient), window.padded(DAY_MS, DAY_MS), false)?;
    let other = all.iter().filter(|one| but != Some(one.hit.id.as_str()));
    // A hold of a place keeps nobody from another.
    let other = other.filter(|one| super::document::kept(one.document.root()).is_none());
    let busy = other.flat_map(|one| of_appointment(&one.hit.id, &one.read));
    Ok(busy.filter(|(actor, _)| *actor == patient).map(|(_, busy)| busy.span).collect())
}

fn refuse(says: &str) -> Fault {
    Fault::new(&SCHEDULING_FIND, says)
}
