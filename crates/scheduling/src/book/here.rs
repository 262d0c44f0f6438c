//! What there is to book here: sites, people, rooms, devices and visit types
//! (<https://hl7.org/fhir/R4/practitionerrole.html>, <https://hl7.org/fhir/R4/location.html>,
//! <https://hl7.org/fhir/R4/device.html>, <https://hl7.org/fhir/R4/activitydefinition.html>).

use super::reads::{Reads, parsed};
use super::{Bookable, House, Listed, RESOURCES_MAX, SiteHere};
use crate::actor::{Actor, Role};
use crate::calendar::Site;
use crate::visit_type::VisitType;
use base::Fault;
use fhir::Value;
use record::{Hit, Session};
use std::collections::BTreeMap;

/// Locations that are looked at: buildings, floors and rooms of a large house.
const LOCATIONS_MAX: usize = 2_000;
/// Visit types of a house.
const VISIT_TYPES_MAX: usize = 1_000;

/// The sites of the house: Locations in use that are no room and no part of another.
///
/// # Errors
/// As a search.
pub async fn sites(session: &Session, house: &House) -> Result<Listed<SiteHere>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let mut rows = Vec::new();
        for hit in reads.search("Location", &in_use(), LOCATIONS_MAX)?.matches {
            let document = parsed(&hit)?;
            let root = document.root();
            if is_room(root) || root.get("partOf").is_some() {
                continue;
            }
            match Site::read(root, &house.zones, &house.zone, Vec::new()) {
                Ok(Site { location, zone, hours, .. }) if !hours.is_empty() => {
                    let name = name_of(root).unwrap_or_else(|| location.to_string());
                    rows.push(SiteHere { location, name, zone });
                }
                // Where nobody keeps hours nobody is booked: a hospital of somebody else's.
                Ok(_) => {}
                Err(_fault) => reads.partial = true,
            }
        }
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Listed { rows, more: reads.partial })
    })();
    reads.settle(outcome).await
}

/// Who and what can be booked, of a site or of all: people by their `PractitionerRole`, rooms by their
/// Location, devices. 500 at most, then there are `more`.
///
/// # Errors
/// As a search.
pub async fn resources(
    session: &Session,
    house: &House,
    site: Option<&Actor>,
) -> Result<Listed<Bookable>, Fault> {
    let _ = house;
    let mut reads = Reads::new(session);
    let outcome = everybody(&mut reads, site.map(std::slice::from_ref).unwrap_or_default())
        .map(|rows| Listed { rows, more: reads.partial });
    reads.settle(outcome).await
}

/// The visit types that are booked now.
///
/// # Errors
/// As a search. What cannot be read is left out, and then there is `more`.
pub async fn visit_types(session: &Session) -> Result<Listed<VisitType>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let asked = [("status", "active".to_owned())];
        let mut rows = Vec::new();
        for hit in reads.search("ActivityDefinition", &asked, VISIT_TYPES_MAX)?.matches {
            let document = parsed(&hit)?;
            let root = document.root();
            // Other definitions of activities are none of this department's.
            if root.get_str("kind").as_deref() != Some("Appointment") {
                continue;
            }
            match VisitType::read(root) {
                Ok(visit) => rows.push(visit),
                Err(_fault) => reads.partial = true,
            }
        }
        rows.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(Listed { rows, more: reads.partial })
    })();
    reads.settle(outcome).await
}

/// One visit type, in use or not.
///
/// # Errors
/// As a read; `scheduling.visit-type.invalid`.
pub async fn visit_type(session: &Session, id: &str) -> Result<VisitType, Fault> {
    let mut reads = Reads::new(session);
    let outcome = read_visit_type(&mut reads, id);
    reads.settle(outcome).await
}

pub(crate) fn read_visit_type(reads: &mut Reads<'_>, id: &str) -> Result<VisitType, Fault> {
    let hit = reads.read("ActivityDefinition", id)?;
    VisitType::read(parsed(&hit)?.root())
}

/// Everybody and everything of some sites, or of all.
pub(super) fn everybody(reads: &mut Reads<'_>, sites: &[Actor]) -> Result<Vec<Bookable>, Fault> {
    let at = |name: &'static str| match sites {
        [] => Vec::new(),
        sites => vec![(name, list(sites))],
    };
    let mut all = BTreeMap::new();
    let mut asked = at("location");
    asked.push(("active", "true".to_owned()));
    people(&mut all, reads.search("PractitionerRole", &asked, RESOURCES_MAX)?.matches)?;
    let mut asked = at("partof");
    asked.extend(in_use());
    let rooms = reads.search("Location", &asked, LOCATIONS_MAX)?.matches;
    places(&mut all, &rooms)?;
    let mut asked = at("location");
    asked.push(("status", "active".to_owned()));
    devices(&mut all, &reads.search("Device", &asked, RESOURCES_MAX)?.matches)?;
    let mut rows: Vec<Bookable> = all.into_values().collect();
    scheduled(reads, &mut rows)?;
    rows.sort_by(|a, b| (a.roles.first(), &a.name).cmp(&(b.roles.first(), &b.name)));
    if rows.len() > RESOURCES_MAX {
        reads.partial = true;
        rows.truncate(RESOURCES_MAX);
    }
    Ok(rows)
}

/// These, as far as there are records of them; one that is not there stands with its reference alone.
/// Answers the hits of their `PractitionerRole`s beside.
pub(super) fn these(
    reads: &mut Reads<'_>,
    actors: &[Actor],
) -> Result<(Vec<Bookable>, Vec<Hit>), Fault> {
    let of = |kind: &str| -> Vec<Actor> {
        actors.iter().filter(|actor| actor.resource_type() == kind).cloned().collect()
    };
    let ids = |of: &[Actor]| of.iter().map(|a| a.id()).collect::<Vec<_>>().join(",");
    let mut all = BTreeMap::new();
    let mut roles = Vec::new();
    let persons = of("Practitioner");
    if !persons.is_empty() {
        let asked = [("practitioner", list(&persons)), ("active", "true".to_owned())];
        roles = reads.search("PractitionerRole", &asked, LOCATIONS_MAX)?.matches;
        people(&mut all, roles.clone())?;
    }
    let rooms = of("Location");
    if !rooms.is_empty() {
        places(&mut all, &reads.search("Location", &[("_id", ids(&rooms))], rooms.len())?.matches)?;
    }
    let things = of("Device");
    if !things.is_empty() {
        devices(
            &mut all,
            &reads.search("Device", &[("_id", ids(&things))], things.len())?.matches,
        )?;
    }
    let alone = |actor: &Actor| Bookable {
        actor: actor.clone(),
        name: actor.to_string(),
        roles: vec![role_of(actor)],
        specialty: String::new(),
        sites: Vec::new(),
        languages: Vec::new(),
    };
    let rows = actors.iter().map(|a| all.get(a).cloned().unwrap_or_else(|| alone(a))).collect();
    Ok((rows, roles))
}

/// As what somebody is booked of whom no role is known.
pub(crate) fn role_of(actor: &Actor) -> Role {
    match actor.resource_type() {
        "Location" => Role::Room,
        "Device" => Role::Device,
        _ => Role::Clinician,
    }
}

/// Whoever keeps a schedule of their own sees patients, whatever their profession is called.
fn scheduled(reads: &mut Reads<'_>, rows: &mut [Bookable]) -> Result<(), Fault> {
    let nurses: Vec<Actor> = rows
        .iter()
        .filter(|row| row.roles == [Role::Assistant])
        .map(|row| row.actor.clone())
        .collect();
    if nurses.is_empty() {
        return Ok(());
    }
    let asked = [("actor", list(&nurses)), ("active", "true".to_owned())];
    for hit in reads.search("Schedule", &asked, LOCATIONS_MAX)?.matches {
        let document = parsed(&hit)?;
        let actors = document.root().get("actor").into_iter().flat_map(Value::items);
        for actor in actors.filter_map(crate::read::actor) {
            for row in rows.iter_mut().filter(|row| row.actor == actor) {
                if !row.roles.contains(&Role::Clinician) {
                    row.roles.insert(0, Role::Clinician);
                }
            }
        }
    }
    Ok(())
}

fn people(all: &mut BTreeMap<Actor, Bookable>, roles: Vec<Hit>) -> Result<(), Fault> {
    for hit in roles {
        let document = parsed(&hit)?;
        let root = document.root();
        let Some(person) = root.get("practitioner") else { continue };
        let Some(actor) = crate::read::actor(person) else { continue };
        let name = person.get_str("display").map(std::borrow::Cow::into_owned);
        let specialty = root.get("specialty").into_iter().flat_map(Value::items).find_map(words);
        let sites = root.get("location").into_iter().flat_map(Value::items);
        let sites: Vec<Actor> = sites.filter_map(crate::read::actor).collect();
        let roles = roles_of(root);
        let languages = languages(root);
        let row = all.entry(actor.clone()).or_insert_with(|| Bookable {
            name: actor.to_string(),
            actor,
            roles: Vec::new(),
            specialty: String::new(),
            sites: Vec::new(),
            languages: Vec::new(),
        });
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            row.name = name;
        }
        if row.specialty.is_empty() {
            row.specialty = specialty.unwrap_or_default();
        }
        merge(&mut row.sites, sites);
        merge(&mut row.roles, roles);
        merge(&mut row.languages, languages);
    }
    Ok(())
}

fn places(all: &mut BTreeMap<Actor, Bookable>, hits: &[Hit]) -> Result<(), Fault> {
    for hit in hits {
        let document = parsed(hit)?;
        let root = document.root();
        let Some(actor) = Actor::parse(&format!("Location/{}", hit.id)) else { continue };
        if is_room(root) {
            let site = root.get("partOf").and_then(crate::read::actor);
            let name = name_of(root).unwrap_or_else(|| actor.to_string());
            all.insert(actor.clone(), thing(actor, name, Role::Room, site));
        }
    }
    Ok(())
}

fn devices(all: &mut BTreeMap<Actor, Bookable>, hits: &[Hit]) -> Result<(), Fault> {
    for hit in hits {
        let document = parsed(hit)?;
        let root = document.root();
        // One that hangs on a patient is the patient's.
        let Some(site) = root.get("location").and_then(crate::read::actor) else { continue };
        let Some(actor) = Actor::parse(&format!("Device/{}", hit.id)) else { continue };
        if root.get("patient").is_some() {
            continue;
        }
        let mut names = root.get("deviceName").into_iter().flat_map(Value::items);
        let name = names.find_map(|name| name.get_str("name").map(std::borrow::Cow::into_owned));
        let name = name.unwrap_or_else(|| actor.to_string());
        all.insert(actor.clone(), thing(actor, name, Role::Device, Some(site)));
    }
    Ok(())
}

fn thing(actor: Actor, name: String, role: Role, site: Option<Actor>) -> Bookable {
    let (specialty, languages) = (String::new(), Vec::new());
    Bookable { actor, name, roles: vec![role], specialty, sites: Vec::from_iter(site), languages }
}

/// As what a `PractitionerRole` says somebody works
/// (<https://hl7.org/fhir/R4/valueset-practitioner-role.html>); who says nothing sees patients.
fn roles_of(root: Value<'_>) -> Vec<Role> {
    let mut roles = Vec::new();
    for concept in root.get("code").into_iter().flat_map(Value::items) {
        for coding in concept.get("coding").into_iter().flat_map(Value::items) {
            let role = match coding.get_str("code").as_deref() {
                Some("nurse") => Role::Assistant,
                Some("interpreter") => Role::Interpreter,
                // Who works in the office is not booked.
                Some("ict" | "pharmacist" | "researcher") => continue,
                _ => Role::Clinician,
            };
            merge(&mut roles, vec![role]);
        }
    }
    if root.get("code").is_none() {
        roles.push(Role::Clinician);
    }
    roles
}

/// Languages of a role, as R4 has them by the extension of the communication of people.
fn languages(root: Value<'_>) -> Vec<String> {
    let all = root.get("communication").into_iter().flat_map(Value::items);
    let codings = all.flat_map(|one| one.get("coding").into_iter().flat_map(Value::items));
    codings.filter_map(|coding| coding.get_str("code").map(std::borrow::Cow::into_owned)).collect()
}

fn merge<T: PartialEq>(into: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !into.contains(&one) {
            into.push(one);
        }
    }
}

/// Whether a place takes one visit at a time
/// (<https://hl7.org/fhir/R4/codesystem-location-physical-type.html>).
pub(crate) fn is_room(root: Value<'_>) -> bool {
    let kind = root.get("physicalType").and_then(|kind| kind.get("coding"));
    let mut codings = kind.into_iter().flat_map(Value::items);
    codings.any(|coding| matches!(coding.get_str("code").as_deref(), Some("ro" | "bd" | "ve")))
}

pub(super) fn name_of(root: Value<'_>) -> Option<String> {
    root.get_str("name").map(std::borrow::Cow::into_owned).filter(|name| !name.is_empty())
}

fn words(concept: Value<'_>) -> Option<String> {
    let coding = || {
        let mut codings = concept.get("coding").into_iter().flat_map(Value::items);
        codings.find_map(|coding| coding.get_str("display").map(std::borrow::Cow::into_owned))
    };
    concept.get_str("text").map(std::borrow::Cow::into_owned).or_else(coding)
}

/// References as the value of a search parameter: any of them.
pub(super) fn list(actors: &[Actor]) -> String {
    actors.iter().map(Actor::as_str).collect::<Vec<_>>().join(",")
}

fn in_use() -> [(&'static str, String); 1] {
    [("status", "active".to_owned())]
}
