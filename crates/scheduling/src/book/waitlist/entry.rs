//! Who waits, as the record has it: an Appointment of status `waitlist`, which is R4's own word for a visit
//! that is agreed and has no time yet (<https://hl7.org/fhir/R4/valueset-appointmentstatus.html>). Its patient,
//! `priority`, `created` and `requestedPeriod` say who, how soon, since when and within what; participants say
//! with whom and where; what R4 has no element for stands in extensions of ours. Whoever gets a time keeps the
//! same record, which is booked from then on: so the way from the list to the visit is its history.

use crate::actor::Actor;
use crate::book::load::Loaded;
use crate::book::{FORM, Whom};
use crate::occupied::Status;
use crate::read::{OURS, ours, part};
use crate::time::{Time, Weekday};
use crate::waitlist::{Entry, Urgency, Wishes};
use base::{Limits, Millis, Phi};
use fhir::write::Writer;
use fhir::{Document, Value};

/// By when somebody should have been seen.
const SEE_BY: &str = "see-by";
/// Which days and times suit.
const WISH: &str = "waitlist-wish";
/// The visit that is called off when an earlier time is taken.
const INSTEAD_OF: &str = "instead-of";
/// The system of the identifier of an entry: whom it is for and which visit, so that they wait for it once.
pub(super) const ENTRY: &str = "urn:plummer:waitlist-entry";
/// The members that this file writes.
const WRITTEN: [&str; 10] = [
    "resourceType",
    "id",
    "meta",
    "identifier",
    "extension",
    "status",
    "serviceType",
    "priority",
    "requestedPeriod",
    "participant",
];
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// What somebody waits for. Empty lists leave all in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// For whom: the logical id of the Patient.
    pub patient: String,
    /// The id of the visit type.
    pub visit_type: String,
    /// How soon.
    pub urgency: Urgency,
    /// By when they should have been seen, where a clinician said so.
    pub seen_by: Option<Millis>,
    /// The Locations of the sites.
    pub sites: Vec<Actor>,
    /// With whom; any one of them.
    pub with: Vec<Actor>,
    /// On which days of the week.
    pub weekdays: Vec<Weekday>,
    /// From and until, and not with, which time of day at the site.
    pub times: Option<(Time, Time)>,
    /// Not before.
    pub earliest: Option<Millis>,
    /// Not after.
    pub latest: Option<Millis>,
    /// Minutes needed to come.
    pub notice_minutes: u32,
    /// The appointment that is called off when they get an earlier time, by id.
    pub instead_of: Option<String>,
}

/// Somebody who waits, as screens show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The logical id.
    pub id: String,
    /// The version; what a change of it names.
    pub version: u64,
    /// Since when.
    pub since: Millis,
    /// Who, as far as the caller may see.
    pub whom: Whom,
    /// For which visit, in words.
    pub title: Phi<String>,
    /// For what.
    pub wish: Wish,
    /// It is of a referral.
    pub(super) has_referral: bool,
}

/// The code of a day of the week.
pub fn weekday_code(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, own)| *own == day).map_or("", |(code, _)| code)
}

/// The day of the week of a code.
pub fn weekday(code: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(own, _)| *own == code).map(|(_, day)| *day)
}

impl Urgency {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Routine, Self::Soon, Self::Urgent];

    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Soon => "soon",
            Self::Urgent => "urgent",
        }
    }

    /// Reads the stable code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }

    /// As iCalendar has it (RFC 5545 section 3.8.1.9): 1 is highest, 5 is medium, 9 is lowest, 0 says nothing.
    const fn priority(self) -> i64 {
        match self {
            Self::Routine => 9,
            Self::Soon => 5,
            Self::Urgent => 1,
        }
    }

    fn of_priority(number: Option<i64>) -> Self {
        match number {
            Some(1..=4) => Self::Urgent,
            Some(5) => Self::Soon,
            _ => Self::Routine,
        }
    }
}

impl Wish {
    /// What names the entry of this patient for this visit ([`ENTRY`]).
    pub(super) fn key(&self) -> String {
        format!("{}.{}", self.patient, self.visit_type)
    }

    /// The document of an entry, by the form that made it when it is new. What another system wrote beside stays.
    pub(super) fn write(
        &self,
        title: &str,
        (id, form): (Option<&str>, Option<&str>),
        old: Option<Value<'_>>,
    ) -> Writer {
        let mut w = Writer::new();
        w.object().member("resourceType", "Appointment");
        if let Some(id) = id {
            w.member("id", id);
        }
        w.key("identifier").array();
        for other in old.and_then(|o| o.get("identifier")).into_iter().flat_map(Value::items) {
            if other.get_str("system").as_deref() != Some(ENTRY) {
                w.raw(other.raw().as_bytes());
            }
        }
        let key = self.key();
        for (system, value) in [(ENTRY, Some(key.as_str())), (FORM, form)] {
            if let Some(value) = value {
                w.object().member("system", system).member("value", value).end_object();
            }
        }
        w.end_array();
        self.extensions(old, &mut w);
        w.member("status", Status::WaitList.as_str());
        w.key("serviceType").array().object().member("text", title).end_object().end_array();
        w.key("priority").integer(self.urgency.priority());
        if self.earliest.is_some() || self.latest.is_some() {
            w.key("requestedPeriod").array().object();
            if let Some(earliest) = self.earliest {
                w.member("start", &earliest.to_instant());
            }
            if let Some(latest) = self.latest {
                w.member("end", &latest.to_instant());
            }
            w.end_object().end_array();
        }
        w.key("participant").array();
        let mut one = |reference: &str, required: &str| {
            w.object().key("actor").object().member("reference", reference).end_object();
            w.member("required", required).member("status", "needs-action").end_object();
        };
        one(&format!("Patient/{}", self.patient), "required");
        self.with.iter().for_each(|actor| one(actor.as_str(), "optional"));
        self.sites.iter().for_each(|site| one(site.as_str(), "information-only"));
        w.end_array();
        for (key, member) in old.into_iter().flat_map(Value::members) {
            if !WRITTEN.contains(&key) {
                w.key(key).raw(member.raw().as_bytes());
            }
        }
        w
    }

    fn extensions(&self, old: Option<Value<'_>>, w: &mut Writer) {
        w.key("extension").array();
        for other in old.and_then(|o| o.get("extension")).into_iter().flat_map(Value::items) {
            let url = other.get_str("url").unwrap_or_default();
            let name = url.strip_prefix(OURS).unwrap_or_default();
            if !["visit-type", SEE_BY, WISH, INSTEAD_OF].contains(&name) {
                w.raw(other.raw().as_bytes());
            }
        }
        w.object().member("url", &format!("{OURS}visit-type")).key("valueReference").object();
        w.member("reference", &format!("ActivityDefinition/{}", self.visit_type));
        w.end_object().end_object();
        if let Some(by) = self.seen_by {
            w.object().member("url", &format!("{OURS}{SEE_BY}"));
            w.member("valueDateTime", &by.to_instant()).end_object();
        }
        if !self.weekdays.is_empty() || self.times.is_some() || self.notice_minutes > 0 {
            w.object().key("extension").array();
            for day in &self.weekdays {
                w.object().member("url", "weekday").member("valueCode", weekday_code(*day));
                w.end_object();
            }
            if let Some((from, until)) = self.times {
                for (name, time) in [("from", from), ("until", until)] {
                    let time = time.strftime("%H:%M:%S").to_string();
                    w.object().member("url", name).member("valueTime", &time).end_object();
                }
            }
            w.object().member("url", "notice").key("valueInteger");
            w.integer(i64::from(self.notice_minutes)).end_object();
            w.end_array().member("url", &format!("{OURS}{WISH}")).end_object();
        }
        if let Some(id) = &self.instead_of {
            w.object().member("url", &format!("{OURS}{INSTEAD_OF}")).key("valueReference").object();
            w.member("reference", &format!("Appointment/{id}")).end_object().end_object();
        }
        w.end_array();
    }
}

impl Waiting {
    /// Reads an entry; none for what waits for nothing that is known here, such as one without a patient.
    pub(super) fn of(loaded: &Loaded, names: &[(String, Phi<String>)]) -> Option<Self> {
        let (root, read) = (loaded.document.root(), &loaded.read);
        if read.status != Status::WaitList {
            return None;
        }
        let patient = read.patient()?.to_owned();
        let of = |kind: &'static str| {
            let all = read.participants.iter().filter_map(|one| one.actor.clone());
            all.filter(move |actor| actor.resource_type() == kind).collect::<Vec<_>>()
        };
        let mut with = of("Practitioner");
        with.extend(of("PractitionerRole"));
        let instant = |text: &str| fhir::date::parse(text).map(|range| Millis(range.low));
        let period = root.get("requestedPeriod").and_then(|all| all.items().next());
        let bound = |name| period.and_then(|period| instant(&period.get_str(name)?));
        let own = ours(root, WISH).next();
        let parts = || own.and_then(|o| o.get("extension")).into_iter().flat_map(Value::items);
        let time = |name| {
            let text = part(own?, name)?.get_str("valueTime")?;
            text.parse::<Time>().ok()
        };
        let minutes = own.and_then(|own| number(part(own, "notice")?.get("valueInteger")?));
        let instead = ours(root, INSTEAD_OF).find_map(|e| {
            let reference = e.get("valueReference")?.get_str("reference")?;
            reference.strip_prefix("Appointment/").map(str::to_owned)
        });
        let created = root.get_str("created").and_then(|text| instant(&text));
        Some(Self {
            id: loaded.hit.id.clone(),
            version: loaded.hit.version,
            since: created.unwrap_or(loaded.hit.last_updated),
            whom: Whom {
                name: names.iter().find(|(id, _)| *id == patient).map(|(_, name)| name.clone()),
                id: patient.clone(),
            },
            title: Phi::new(crate::book::document::title(root)),
            has_referral: root.get("basedOn").is_some(),
            wish: Wish {
                patient,
                visit_type: read.visit_type.clone()?,
                urgency: Urgency::of_priority(root.get("priority").and_then(number)),
                seen_by: ours(root, SEE_BY).find_map(|e| instant(&e.get_str("valueDateTime")?)),
                sites: of("Location"),
                with,
                weekdays: parts().filter_map(|p| weekday(&p.get_str("valueCode")?)).collect(),
                times: time("from").zip(time("until")),
                earliest: bound("start"),
                latest: bound("end"),
                notice_minutes: minutes.and_then(|m| u32::try_from(m).ok()).unwrap_or(0),
                instead_of: instead,
            },
        })
    }

    /// As the engine sees it, asked about a place at one site.
    pub(super) fn entry(&self, site: &Actor) -> Entry {
        let wish = &self.wish;
        // The engine counts sites; the place that is asked about is at the one that is 0.
        let sites = match (wish.sites.is_empty(), wish.sites.contains(site)) {
            (true, _) => Vec::new(),
            (false, true) => vec![0],
            (false, false) => vec![1],
        };
        Entry {
            id: self.id.clone(),
            visit_type: wish.visit_type.clone(),
            urgency: wish.urgency,
            since: self.since,
            seen_by: wish.seen_by,
            wishes: Wishes {
                sites,
                actors: wish.with.clone(),
                modalities: Vec::new(),
                weekdays: wish.weekdays.clone(),
                times: wish.times,
                earliest: wish.earliest,
                latest: wish.latest,
                notice_minutes: wish.notice_minutes,
            },
        }
    }
}

fn number(value: Value<'_>) -> Option<i64> {
    value.as_number()?.parse().ok()
}

/// A document that was written.
pub(super) fn document(mut w: Writer) -> Result<Document, base::Fault> {
    w.end_object();
    Document::parse(w.finish(), &Limits::default())
}
