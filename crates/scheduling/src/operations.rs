//! The FHIR operations of scheduling: `Appointment/$find`, `$hold` and `$book`, after the Argonaut
//! Scheduling guide (<https://www.fhir.org/guides/argonaut/scheduling/>), which has them for STU3; where
//! these differ is told in docs/users/booking.md. Each is a thin skin of [`crate::book`], so that the
//! rules are the same through every door.

use crate::actor::{Actor, Role};
use crate::appointment::{Appointment, Presence};
use crate::book::{self, Booking, Done, Free, House, Place, Query, Reads, parsed};
use crate::find::By;
use crate::read::{OURS, ours};
use crate::rules::{Finding, Weight};
use crate::time::Span;
use crate::visit_type::{Modality, VisitType};
use base::error::code::{OPERATION_PARAMETER, SCHEDULING_FIND};
use base::{Fault, Millis, Phi};
use fhir::write::Writer;
use fhir::{Document, Value};
use record::{
    Action, Again, Agents, Answering, At, Effect, Hit, Holds, Input, Kind, Need, Operation, Output,
    Parameter, Session,
};

/// The codes of [`Role`] where a participant says as what it is needed.
const ROLES: &str = "https://plummer.health/fhir/CodeSystem/booking-role";
/// Places that are answered when nobody says how many.
const COUNT_DEFAULT: i64 = 10;
/// Minutes between starts when nobody says.
const STEP_DEFAULT: i64 = 15;

const fn parameter(
    name: &'static str,
    holds: Holds,
    min: u16,
    max: u16,
    about: &'static str,
) -> Parameter {
    Parameter { name, holds, min, max, about, parts: &[] }
}

const RETURN: Parameter = parameter(
    "return",
    Holds::Resource("Bundle"),
    1,
    1,
    "A searchset of Appointments, with an OperationOutcome where there is something to be told.",
);
const FORM: Parameter = parameter(
    "form",
    Holds::Text,
    1,
    1,
    "An id of the client's choice: letters, digits and hyphens, 64 at most. Sent again, nothing is done again.",
);

/// Finds free places.
pub static FIND: Operation = Operation {
    name: "find",
    title: "Find free places",
    about: "Finds the first free places for a visit, across sites and everything it needs together.",
    at: At::Type("Appointment"),
    input: &[
        parameter("start", Holds::DateTime, 1, 1, "The first start that is considered."),
        parameter("end", Holds::DateTime, 1, 1, "No start from here on is considered."),
        parameter("visit-type", Holds::Reference, 1, 1, "The ActivityDefinition of the visit."),
        parameter("patient", Holds::Reference, 0, 1, "For whom: their other visits are left out."),
        parameter("practitioner", Holds::Reference, 0, 20, "With one of these."),
        parameter("location", Holds::Reference, 0, 20, "At one of these sites."),
        parameter("modality", Holds::Code, 0, 1, "in-person, video or phone."),
        parameter("language", Holds::Code, 0, 1, "A language that is spoken (BCP 47)."),
        parameter("step", Holds::Integer, 0, 1, "Minutes between starts; 15 by default."),
        parameter("count", Holds::Integer, 0, 1, "How many places, 200 at most; 10 by default."),
    ],
    output: &[RETURN],
    needs: &[Need { action: Action::Search, resource_type: "Slot" }],
    purposes: &[],
    effect: Effect::Reads,
    agents: Agents::May,
    kind: Kind::Operation,
    run: run_find,
};

/// Holds a place.
pub static HOLD: Operation = Operation {
    name: "hold",
    title: "Hold a place",
    about: "Holds a place that was found for ten minutes, as a pending Appointment that others see.",
    at: At::Type("Appointment"),
    input: &[
        parameter(
            "appt-resource",
            Holds::Resource("Appointment"),
            1,
            1,
            "The Appointment of a place, as $find answered it.",
        ),
        parameter("patient", Holds::Reference, 0, 1, "For whom, where it is known already."),
        FORM,
    ],
    output: &[RETURN],
    needs: &[Need { action: Action::Create, resource_type: "Appointment" }],
    purposes: &[],
    effect: Effect::Writes {
        again: Again::Keyed("form"),
        confirm: "Hold this place for ten minutes?",
        undo: Some("It ends by itself after ten minutes."),
    },
    agents: Agents::May,
    kind: Kind::Operation,
    run: run_hold,
};

/// Books.
pub static BOOK: Operation = Operation {
    name: "book",
    title: "Book an appointment",
    about: "Books a place that was found, or that the caller holds.",
    at: At::Type("Appointment"),
    input: &[
        parameter("appt-id", Holds::Uri, 0, 1, "The id of the Appointment that $hold answered."),
        parameter(
            "appt-resource",
            Holds::Resource("Appointment"),
            0,
            1,
            "The Appointment of a place, as $find answered it; without a hold.",
        ),
        parameter("patient", Holds::Reference, 1, 1, "For whom."),
        FORM,
        parameter("reason", Holds::Text, 0, 1, "Why, where a rule asks for a reason."),
        parameter("comment", Holds::Text, 0, 1, "What is to be known of it."),
        parameter("referral", Holds::Reference, 0, 1, "The ServiceRequest it is of."),
    ],
    output: &[RETURN],
    needs: &[Need { action: Action::Create, resource_type: "Appointment" }],
    purposes: &[],
    effect: Effect::Writes {
        again: Again::Keyed("form"),
        confirm: "Book this appointment?",
        undo: Some("It is undone by cancelling the Appointment."),
    },
    agents: Agents::Approved,
    kind: Kind::Operation,
    run: run_book,
};

fn run_find<'a>(session: &'a Session, input: &'a Input) -> Answering<'a> {
    Box::pin(async move {
        let query = query_of(input)?;
        let places = book::find(session, &House::default(), &query).await?;
        let visit = book::visit_type(session, &query.visit_type).await?;
        let mut bundle = Bundle::new();
        for free in &places.places {
            bundle.entry("match", &proposed(free, &visit));
        }
        if places.partial {
            let says = "not everybody who could do the visit was looked at";
            bundle.outcome("warning", "incomplete", says);
        }
        if places.more {
            bundle.outcome("information", "informational", "there may be more places");
        }
        Ok(bundle.finish())
    })
}

fn run_hold<'a>(session: &'a Session, input: &'a Input) -> Answering<'a> {
    Box::pin(async move {
        let given = input.document("appt-resource").ok_or_else(|| missing("appt-resource"))?;
        let mut reads = Reads::new(session);
        let place = place_of(&mut reads, given.root());
        let (place, _) = reads.settle(place).await?;
        let patient = input.text("patient").map(|text| id_of(text, "Patient", "patient"));
        let patient = patient.transpose()?;
        let form = input.text("form").unwrap_or_default();
        let held = book::hold(session, &House::default(), &place, patient.as_deref(), form).await?;
        let body = stored(session, &held.id).await?;
        Ok(answer(body.text().as_bytes(), &[]))
    })
}

fn run_book<'a>(session: &'a Session, input: &'a Input) -> Answering<'a> {
    Box::pin(async move {
        let mut reads = Reads::new(session);
        let outcome = booked(&mut reads, input).await;
        let (done, hit) = reads.settle(outcome).await?;
        Ok(answer(&hit.body, &done.findings))
    })
}

async fn booked(reads: &mut Reads<'_>, input: &Input) -> Result<(Done, Hit), Fault> {
    let (hold, (place, visit)) = match (input.text("appt-id"), input.document("appt-resource")) {
        (Some(id), None) => {
            let id = id.strip_prefix("Appointment/").unwrap_or(id).to_owned();
            let body = parsed(&reads.read("Appointment", &id)?)?;
            (Some(id), place_of(reads, body.root())?)
        }
        (None, Some(given)) => (None, place_of(reads, given.root())?),
        _ => {
            let says = "send the id of what is held in appt-id, or a place in appt-resource";
            return Err(Fault::at(&OPERATION_PARAMETER, says, "appt-id"));
        }
    };
    let text = |name| input.text(name).map(|text| Phi::new(text.to_owned()));
    let referral = input.text("referral");
    let booking = Booking {
        place,
        patient: id_of(input.text("patient").unwrap_or_default(), "Patient", "patient")?,
        form: input.text("form").unwrap_or_default().to_owned(),
        hold,
        reason: text("reason"),
        comment: text("comment"),
        referral: referral.map(|r| id_of(r, "ServiceRequest", "referral")).transpose()?,
    };
    book::booked(reads, &House::default(), &booking, Some(visit)).await
}

/// What was written, as it is now, with the rules that spoke.
fn answer(appointment: &[u8], findings: &[Finding]) -> Output {
    let mut bundle = Bundle::new();
    bundle.entry("match", appointment);
    for finding in findings {
        let severity = if finding.weight == Weight::Warns { "warning" } else { "information" };
        let says = format!("{} ({})", finding.rule.words(), finding.rule.code());
        bundle.outcome(severity, "business-rule", &says);
    }
    bundle.finish()
}

async fn stored(session: &Session, id: &str) -> Result<Document, Fault> {
    let of = fhir::definitions::r4().resource_type("Appointment");
    let unknown =
        || Fault::new(&base::error::code::NOT_FOUND, "no record of this type has this id");
    let of = of.filter(|_| fhir::reference::is_id(id)).ok_or_else(unknown)?;
    let hit = session.read(of, id, None)?.into_inner().await?;
    Document::parse(hit.body, session.limits())
}

fn query_of(input: &Input) -> Result<Query, Fault> {
    let instant = |name: &'static str| {
        let range = input.text(name).and_then(fhir::date::parse);
        range.map(|range| Millis(range.low)).ok_or_else(|| missing(name))
    };
    let window = Span::new(instant("start")?, instant("end")?);
    let window =
        window.ok_or_else(|| Fault::at(&SCHEDULING_FIND, "the end is after the start", "end"))?;
    let actors = |name: &'static str| {
        let read = |text: &str| Actor::parse(text).ok_or_else(|| odd(name));
        input.texts(name).map(read).collect::<Result<Vec<Actor>, Fault>>()
    };
    let modality = input.text("modality");
    let modality =
        modality.map(|code| Modality::parse(code).ok_or_else(|| odd("modality"))).transpose()?;
    let number = |name: &'static str, otherwise: i64| {
        u32::try_from(input.integer(name).unwrap_or(otherwise)).map_err(|_e| odd(name))
    };
    let visit = input.text("visit-type").unwrap_or_default();
    let patient = input.text("patient").map(|text| id_of(text, "Patient", "patient"));
    Ok(Query {
        visit_type: id_of(visit, "ActivityDefinition", "visit-type")?,
        patient: patient.transpose()?,
        window,
        sites: actors("location")?,
        with: actors("practitioner")?,
        modality,
        weekdays: Vec::new(),
        times: None,
        by: By::Site,
        language: input.text("language").map(str::to_owned),
        patient_zone: None,
        step_minutes: number("step", STEP_DEFAULT)?,
        count: usize::try_from(number("count", COUNT_DEFAULT)?).unwrap_or(usize::MAX),
        one_per_start: false,
        instead_of: None,
    })
}

/// A place as a proposed Appointment, which is stored nowhere.
fn proposed(free: &Free, visit: &VisitType) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "Appointment");
    w.key("extension").array();
    w.object().member("url", &format!("{OURS}visit-type")).key("valueReference").object();
    w.member("reference", &format!("ActivityDefinition/{}", free.place.visit_type));
    w.end_object().end_object();
    if let Some(modality) = free.place.modality {
        w.object().member("url", &format!("{OURS}modality"));
        w.member("valueCode", modality.as_str()).end_object();
    }
    w.end_array();
    w.member("status", "proposed");
    w.key("serviceType").array().object().member("text", &visit.title).end_object().end_array();
    w.member("start", &free.zone.text(free.span.start));
    w.member("end", &free.zone.text(free.span.end));
    w.key("minutesDuration").integer(free.span.minutes());
    w.key("participant").array();
    for (role, actor) in &free.place.with {
        w.object().key("type").array().object().key("coding").array().object();
        w.member("system", ROLES).member("code", role.as_str());
        w.end_object().end_array().end_object().end_array();
        w.key("actor").object().member("reference", actor.as_str()).end_object();
        w.member("required", "required").member("status", "needs-action").end_object();
    }
    w.object().key("actor").object().member("reference", free.place.site.as_str()).end_object();
    w.member("required", "information-only").member("status", "accepted").end_object();
    w.end_array().end_object();
    w.finish()
}

/// The place that an Appointment is of, and the visit it is for.
fn place_of(reads: &mut Reads<'_>, root: Value<'_>) -> Result<(Place, VisitType), Fault> {
    let read = Appointment::read(root)?;
    let visit = read.visit_type.ok_or_else(|| {
        Fault::at(
            &SCHEDULING_FIND,
            "it has no visit type; send it as $find answered it",
            "extension",
        )
    })?;
    let definition = book::read_visit_type(reads, &visit)?;
    let start = read.span.map(|span| span.start).ok_or_else(|| missing("start"))?;
    let site = read.participants.iter().find_map(|p| {
        let actor = p.actor.as_ref().filter(|actor| actor.resource_type() == "Location")?;
        (p.required == Some(Presence::InformationOnly)).then(|| actor.clone())
    });
    let site =
        site.ok_or_else(|| Fault::at(&SCHEDULING_FIND, "it names no site", "participant"))?;
    let mut left: Vec<Role> = definition.needs.iter().map(|need| need.role).collect();
    let mut with = Vec::new();
    for item in root.get("participant").into_iter().flat_map(Value::items) {
        let Some(actor) = item.get("actor").and_then(crate::read::actor) else { continue };
        let told = item.get_str("required").as_deref() == Some("information-only");
        if told || actor.is_patient() {
            continue;
        }
        let role = said(item).filter(|role| left.contains(role));
        let fits = |role: &Role| match actor.resource_type() {
            "Location" => *role == Role::Room,
            "Device" => *role == Role::Device,
            _ => !matches!(role, Role::Room | Role::Device),
        };
        let role = role.or_else(|| left.iter().copied().find(fits));
        let role = role.unwrap_or_else(|| book::role_of(&actor));
        if let Some(at) = left.iter().position(|one| *one == role) {
            left.remove(at);
        }
        with.push((role, actor));
    }
    let modality = ours(root, "modality").find_map(|e| Modality::parse(&e.get_str("valueCode")?));
    Ok((Place { visit_type: visit, site, start, with, modality }, definition))
}

/// As what a participant says that it is needed.
fn said(participant: Value<'_>) -> Option<Role> {
    let types = participant.get("type").into_iter().flat_map(Value::items);
    let mut codings = types.flat_map(|one| one.get("coding").into_iter().flat_map(Value::items));
    let own = codings.find(|coding| coding.get_str("system").as_deref() == Some(ROLES))?;
    Role::parse(&own.get_str("code")?)
}

fn id_of(text: &str, kind: &str, name: &'static str) -> Result<String, Fault> {
    let id = text.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/'));
    let id = id.filter(|id| fhir::reference::is_id(id));
    let says = format!("the parameter is a reference such as {kind}/12");
    id.map(str::to_owned).ok_or_else(|| Fault::at(&OPERATION_PARAMETER, says, name))
}

fn missing(name: &'static str) -> Fault {
    Fault::at(&OPERATION_PARAMETER, "the parameter is missing", name)
}

fn odd(name: &'static str) -> Fault {
    Fault::at(&OPERATION_PARAMETER, "the parameter is none of those it can be", name)
}

/// A searchset being written.
struct Bundle {
    entries: Vec<(&'static str, Vec<u8>)>,
}

impl Bundle {
    const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    fn entry(&mut self, mode: &'static str, resource: &[u8]) {
        self.entries.push((mode, resource.to_vec()));
    }

    fn outcome(&mut self, severity: &str, code: &str, says: &str) {
        let mut w = Writer::new();
        w.object().member("resourceType", "OperationOutcome").key("issue").array().object();
        w.member("severity", severity).member("code", code).member("diagnostics", says);
        w.end_object().end_array().end_object();
        self.entries.push(("outcome", w.finish()));
    }

    fn finish(self) -> Output {
        let mut w = Writer::new();
        let matches = self.entries.iter().filter(|(mode, _)| *mode == "match").count();
        w.object().member("resourceType", "Bundle").member("type", "searchset");
        w.key("total").integer(i64::try_from(matches).unwrap_or(i64::MAX));
        if !self.entries.is_empty() {
            w.key("entry").array();
            for (at, (mode, resource)) in self.entries.iter().enumerate() {
                // What is stored nowhere has no address; the name is of this answer alone.
                w.object()
                    .member("fullUrl", &format!("urn:uuid:00000000-0000-4000-8000-{at:012x}"));
                w.key("resource").raw(resource);
                w.key("search").object().member("mode", mode).end_object().end_object();
            }
            w.end_array();
        }
        w.end_object();
        Output { body: w.finish() }
    }
}
