//! What a house sets up before anybody is booked: its organizations, sites and rooms, the people who work
//! there and when, and the kinds of visit (<https://hl7.org/fhir/R4/organization.html>,
//! <https://hl7.org/fhir/R4/location.html>, <https://hl7.org/fhir/R4/practitionerrole.html>,
//! <https://hl7.org/fhir/R4/schedule.html>, <https://hl7.org/fhir/R4/activitydefinition.html>).
//!
//! Each thing is one record. A form makes it or its next version, of the version that was read; what a
//! form does not speak of stays as it is; and the version before can be put back.

mod draft;
mod write;

pub use draft::{DAYS, Draft, HOURS_CHARS_MAX, TEXT_CHARS_MAX, Works, Wrong, read_hours_of_day};

use crate::book::reads::{Reads, parsed};
use crate::time::Zones;
use base::error::code;
use base::{Fault, Millis};
use fhir::Value;
use fhir::reference::is_id;
use record::{Hit, Kind, Session, Work};

/// Records of a kind that one list shows.
const LISTED_MAX: usize = 1_000;
/// Marks what a form made, so that a form that is sent twice makes one.
pub(crate) const FORM_TAG: &str = "urn:plummer:place-form";

/// What is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// An organization: the house, or one of several under a roof.
    House,
    /// A place with opening hours, where patients come.
    Site,
    /// A room of a site, which takes one visit at a time.
    Room,
    /// Somebody who works here.
    Person,
    /// Where somebody works, as what, and when.
    Work,
    /// A kind of visit.
    Visit,
}

impl What {
    /// All, in the order in which they are set up.
    pub const ALL: [Self; 6] =
        [Self::House, Self::Site, Self::Room, Self::Person, Self::Work, Self::Visit];

    /// The word of addresses and forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Site => "site",
            Self::Room => "room",
            Self::Person => "person",
            Self::Work => "work",
            Self::Visit => "visit",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }

    /// The type of its record.
    pub const fn resource_type(self) -> &'static str {
        match self {
            Self::House => "Organization",
            Self::Site | Self::Room => "Location",
            Self::Person => "Practitioner",
            Self::Work => "PractitionerRole",
            Self::Visit => "ActivityDefinition",
        }
    }
}

/// A thing that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its logical id.
    pub id: String,
    /// The version it is at.
    pub version: u64,
    /// When that was written.
    pub changed: Millis,
    /// What it says, as a form has it.
    pub draft: Draft,
}

/// Everything that is set up.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// By kind, each in the order of names; what is in use first.
    pub all: Vec<(What, Placed)>,
    /// There is more, or something that is not understood.
    pub partial: bool,
}

impl Places {
    /// Those of a kind.
    pub fn of(&self, what: What) -> impl Iterator<Item = &Placed> {
        self.all.iter().filter(move |(one, _)| *one == what).map(|(_, placed)| placed)
    }

    /// One of a kind.
    pub fn one(&self, what: What, id: &str) -> Option<&Placed> {
        self.of(what).find(|placed| placed.id == id)
    }

    /// What is missing before a first visit can be booked: a site that is open, somebody who sees patients
    /// there, a kind of visit.
    pub fn missing(&self) -> Vec<What> {
        let is_open = |site: &Placed| site.draft.is_active && site.draft.has_hours();
        let open: Vec<&str> =
            self.of(What::Site).filter(|site| is_open(site)).map(|site| site.id.as_str()).collect();
        let works = |work: &Placed| {
            let draft = &work.draft;
            draft.is_active && draft.works == Works::Clinician && open.contains(&&*draft.site)
        };
        let mut missing = Vec::new();
        if open.is_empty() {
            missing.push(What::Site);
        }
        if !self.of(What::Work).any(works) {
            missing.push(What::Work);
        }
        if !self.of(What::Visit).any(|visit| visit.draft.is_active) {
            missing.push(What::Visit);
        }
        missing
    }
}

/// What is set up here, as far as the caller may see it. It waits for the log: for a thread that may.
///
/// # Errors
/// As a search.
pub fn listed(session: &Session) -> Result<Places, Fault> {
    let mut reads = Reads::new(session);
    let mut places = Places::default();
    for kind in
        ["Organization", "Location", "Practitioner", "PractitionerRole", "ActivityDefinition"]
    {
        for hit in reads.search(kind, &[], LISTED_MAX)?.matches {
            let document = parsed(&hit)?;
            let Some(what) = what_of(kind, document.root()) else { continue };
            places.all.push((what, placed(&hit, what, document.root())));
        }
    }
    places.all.sort_by_cached_key(|(what, placed)| {
        (*what, !placed.draft.is_active, placed.draft.title().to_lowercase(), placed.id.clone())
    });
    places.partial = reads.partial;
    reads.wait()?;
    Ok(places)
}

/// What a record is here; none for what this page is not about.
fn what_of(kind: &str, root: Value<'_>) -> Option<What> {
    match kind {
        "Organization" => Some(What::House),
        "Location" if crate::book::is_room(root) => Some(What::Room),
        "Location" => root.get("partOf").is_none().then_some(What::Site),
        "Practitioner" => Some(What::Person),
        "PractitionerRole" => Some(What::Work),
        _ => (root.get_str("kind").as_deref() == Some("Appointment")).then_some(What::Visit),
    }
}

fn placed(hit: &Hit, what: What, root: Value<'_>) -> Placed {
    let draft = Draft::of(what, root);
    Placed { id: hit.id.clone(), version: hit.version, changed: hit.last_updated, draft }
}

/// Makes what a draft says; `entry` names the form, and one that is sent twice makes one. Answers its id.
///
/// # Errors
/// `scheduling.calendar.invalid` for a draft that is not complete; `access.denied`.
pub async fn make(
    session: &Session,
    zones: &Zones,
    what: What,
    draft: &Draft,
    entry: &str,
) -> Result<String, Fault> {
    complete(zones, what, draft)?;
    if !is_id(entry) {
        return Err(Fault::new(&code::SCHEDULING_CALENDAR, "open the form again"));
    }
    let worked = session.carry_out(Kind::Operation, |session| {
        let mut work = Work::new();
        let body =
            write::document(what, draft, None, (None, Some(entry)), &name_of(session, draft)?)?;
        let unless = format!("_tag={FORM_TAG}|{entry}");
        work.create_once(what.resource_type(), body, &unless);
        if what == What::Work && draft.works == Works::Clinician {
            schedule(session, draft, &mut work)?;
        }
        Ok(work)
    });
    let worked = worked.await?;
    let made = worked.entries.first().and_then(|answer| answer.place.as_ref());
    let odd = || Fault::new(&code::INTERNAL, "what was made has no id");
    made.map(|place| place.id.clone()).ok_or_else(odd)
}

/// Makes the next version of a thing, of the version that was read.
///
/// # Errors
/// As [`make`]; `record.write.version-conflict` when it was changed since.
pub async fn change(
    session: &Session,
    zones: &Zones,
    what: What,
    (id, version): (&str, u64),
    draft: &Draft,
) -> Result<(), Fault> {
    complete(zones, what, draft)?;
    let worked = session.carry_out(Kind::Operation, |session| {
        let hit = held(session, what, id, version)?;
        let document = parsed(&hit)?;
        let (root, name) = (document.root(), name_of(session, draft)?);
        let body = write::document(what, draft, Some(root), (Some(id), None), &name)?;
        let mut work = Work::new();
        work.update(what.resource_type(), id, version, body);
        beside(session, what, id, draft, &mut work)?;
        Ok(work)
    });
    worked.await.map(drop)
}

/// Puts the version before back, of the version that was read: as a version of its own, so that this too
/// can be taken back.
///
/// # Errors
/// As [`change`]; `record.read.version-not-found` when there is none before.
pub async fn put_back(session: &Session, what: What, id: &str, version: u64) -> Result<(), Fault> {
    let worked = session.carry_out(Kind::Operation, |session| {
        held(session, what, id, version)?;
        let before = version.saturating_sub(1);
        let hit = session.read(type_of(what)?, id, Some(before))?.wait()?;
        let document = parsed(&hit)?;
        let mut work = Work::new();
        work.update(what.resource_type(), id, version, hit.body);
        beside(session, what, id, &Draft::of(what, document.root()), &mut work)?;
        Ok(work)
    });
    worked.await.map(drop)
}

/// What changes with a thing: what somebody is called stands in each place where they work, and whoever
/// sees patients has a schedule.
fn beside(
    session: &Session,
    what: What,
    id: &str,
    draft: &Draft,
    work: &mut Work,
) -> Result<(), Fault> {
    match what {
        What::Person => {
            let mut reads = Reads::new(session);
            let of = [("practitioner", format!("Practitioner/{id}"))];
            let found = reads.search("PractitionerRole", &of, LISTED_MAX)?;
            reads.wait()?;
            for hit in found.matches {
                let document = parsed(&hit)?;
                let body = write::called(document.root(), &draft.title())?;
                work.update("PractitionerRole", &hit.id, hit.version, body);
            }
        }
        What::Work if draft.is_active && draft.works == Works::Clinician => {
            schedule(session, draft, work)?;
        }
        _ => {}
    }
    Ok(())
}

/// A schedule of somebody who has none yet.
fn schedule(session: &Session, draft: &Draft, work: &mut Work) -> Result<(), Fault> {
    let mut reads = Reads::new(session);
    let of = [("actor", format!("Practitioner/{}", draft.person)), ("active", "true".to_owned())];
    let found = reads.search("Schedule", &of, 1)?;
    reads.wait()?;
    if found.matches.is_empty() {
        let unless = format!("actor=Practitioner/{}&active=true", draft.person);
        work.create_once("Schedule", write::schedule(&draft.person), &unless);
    }
    Ok(())
}

/// What somebody who is named in a draft is called.
fn name_of(session: &Session, draft: &Draft) -> Result<String, Fault> {
    if draft.person.is_empty() {
        return Ok(String::new());
    }
    if !is_id(&draft.person) {
        return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
    }
    let hit = session.read(type_of(What::Person)?, &draft.person, None)?.wait()?;
    Ok(Draft::of(What::Person, parsed(&hit)?.root()).title())
}

/// The record, at the version that was read.
fn held(session: &Session, what: What, id: &str, version: u64) -> Result<Hit, Fault> {
    if !is_id(id) {
        return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
    }
    let hit = session.read(type_of(what)?, id, None)?.wait()?;
    if what_of(what.resource_type(), parsed(&hit)?.root()) != Some(what) {
        return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
    }
    if hit.version != version {
        // Not the code of a race: the work would be tried again and fail again.
        let say = "it was changed since it was shown to you; look at it again";
        return Err(Fault::new(&code::ITEM_CONFLICT, say));
    }
    Ok(hit)
}

fn complete(zones: &Zones, what: What, draft: &Draft) -> Result<(), Fault> {
    match draft.check(what, zones).first() {
        None => Ok(()),
        Some((field, _)) => {
            Err(Fault::at(&code::SCHEDULING_CALENDAR, "fill this in as the form asks", *field))
        }
    }
}

fn type_of(what: What) -> Result<fhir::definitions::TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "the department names a type that R4 has not");
    fhir::definitions::r4().resource_type(what.resource_type()).ok_or_else(odd)
}
