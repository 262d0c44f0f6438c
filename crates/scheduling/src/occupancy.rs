//! No double booking: an appointment in a status that takes time may not overlap another one of the
//! same clinician, room, device, service or patient (statuses:
//! <https://hl7.org/fhir/R4/valueset-appointmentstatus.html>; what times it must have: the invariants app-2
//! and app-3 of <https://hl7.org/fhir/R4/appointment.html>). It holds for every write of an Appointment,
//! through whichever door, and whoever writes at the same moment. The Slots that an appointment names
//! are taken and given back with it (`slots.rs`).

mod slots;

use crate::book::document::kept;
use crate::book::is_room;
use crate::read::ours;
use crate::time::MINUTE_MS;
use crate::visit_type::BUFFER_MAX;
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::{Reference, parse};
use fhir::{Document, Value};
use memchr::memmem;
use record::{Action, Asking, Claims, Eyes, Forbid, Hit, Kind, Rule, Ruling};
use std::sync::Arc;

/// How long an appointment may be. What overlaps is looked for among those that begin this long before,
/// since R4 indexes where an appointment begins and not where it ends: the longest visits, an infusion or
/// a night in the sleep laboratory, are shorter, and a stay is an Encounter.
pub const LONGEST_MS: i64 = 24 * 60 * 60 * 1000;
/// Participants of one appointment, at most: each is looked at by itself.
pub const PARTICIPANTS_MAX: usize = 50;
/// The extension by which a booking is let overlap, and says why: `valueString`, for a person to read.
pub const OVERBOOKING: &str = "https://plummer.health/fhir/StructureDefinition/overbooking-reason";

/// The rule.
pub const RULE: Rule = Rule {
    name: "scheduling.occupancy",
    about: "Nobody and nothing is booked twice at one time, and a slot that is named is taken.",
    types: &["Appointment"],
    ask,
    claims: Some(Claims {
        of: "Appointment",
        read: claims,
        among: beginning,
        reach_ms: LONGEST_MS,
    }),
};

/// The statuses in which an appointment takes the time of those it names.
pub const OCCUPYING: [&str; 6] =
    ["proposed", "pending", "booked", "arrived", "checked-in", "fulfilled"];

/// From when until when, the end excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: i64,
    end: i64,
}

impl Span {
    const fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    const fn holds(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// What an appointment takes.
#[derive(Debug, Default)]
struct Taken {
    /// None when it takes nobody's time.
    span: Option<Span>,
    /// Who and what, by reference, with their place in the document.
    actors: Vec<(String, usize)>,
}

impl Taken {
    /// Reads a stored document, whatever it is like: what says too little takes nothing, and a hold
    /// that is over by the clock takes nothing either, whether anybody swept it up or not.
    fn of(appointment: Value<'_>, now: Millis) -> Self {
        let status = appointment.get_str("status").unwrap_or_default();
        if !OCCUPYING.contains(&&*status) {
            return Self::default();
        }
        if kept(appointment).is_some_and(|kept| kept.until <= now) {
            return Self::default();
        }
        Self { span: span(appointment), actors: actors(appointment) }
    }

    fn takes(&self, actor: &str) -> bool {
        self.actors.iter().any(|(own, _)| own == actor)
    }
}

/// What an appointment takes, for the ledger of the gate.
fn claims(appointment: Value<'_>) -> Vec<record::Claim> {
    // By whatever clock: when a hold lapses is told beside.
    let taken = Taken::of(appointment, Millis(i64::MIN));
    let Some(span) = taken.span else { return Vec::new() };
    let lapses = kept(appointment).map(|kept| kept.until);
    let (kept_ms, about) = beside(appointment);
    let claim = |(whose, _): (String, usize)| record::Claim {
        whose,
        start: Millis(span.start),
        end: Millis(span.end),
        lapses,
        kept_ms,
        about: about.clone(),
    };
    taken.actors.into_iter().map(claim).collect()
}

/// What an appointment keeps free before and after it, and the id of its visit type. What cannot be read
/// keeps nothing free.
fn beside(appointment: Value<'_>) -> ((i64, i64), Option<String>) {
    let kept_ms = |name| {
        let minutes = ours(appointment, name).next().and_then(|one| one.get("valueInteger"));
        let minutes: Option<i64> = minutes.and_then(Value::as_number).and_then(|n| n.parse().ok());
        minutes.unwrap_or(0).clamp(0, i64::from(BUFFER_MAX)) * MINUTE_MS
    };
    let visit = ours(appointment, "visit-type").next().and_then(|one| one.get("valueReference"));
    let visit = visit.and_then(|one| one.get_str("reference"));
    let about = visit.and_then(|text| text.strip_prefix("ActivityDefinition/").map(str::to_owned));
    ((kept_ms("buffer-before"), kept_ms("buffer-after")), about)
}

/// A search that finds at least what takes time of any of these within a span.
fn among(actors: &[&str], start: Millis, end: Millis) -> Vec<(String, String)> {
    beginning(actors, Millis(start.0.saturating_sub(LONGEST_MS)), end)
}

/// As [`among`], of what begins within it.
fn beginning(actors: &[&str], from: Millis, end: Millis) -> Vec<(String, String)> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    vec![
        pair("actor", actors.join(",")),
        pair("status", OCCUPYING.join(",")),
        pair("date", format!("ge{}", from.to_instant())),
        pair("date", format!("lt{}", end.to_instant())),
    ]
}

fn ask(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    let mut ruling = Ruling::default();
    let now = asking.now();
    let before = asking.before.map(|document| Taken::of(document, now)).unwrap_or_default();
    let after = match asking.after {
        Some(document) => {
            check(document)?;
            Taken::of(document, now)
        }
        None => Taken::default(),
    };
    let reason = asking.after.and_then(reason);
    let mut overbooked = false;
    if let Some(span) = after.span {
        for (actor, at) in &after.actors {
            // What it held before it still holds, also where history was imported that overlaps.
            if before.span.is_some_and(|own| own.holds(span)) && before.takes(actor) {
                continue;
            }
            let Some(claim) = claim(asking, actor)? else { continue };
            let forbid = forbid(actor, *at, span, claim, asking);
            if reason.is_some() && claim.may_be_overridden && asking.is_met(&forbid)? {
                overbooked = true;
            } else {
                ruling.forbids.push(forbid);
            }
        }
    }
    overbooked |= slots::take(asking, &before, &after, reason.is_some(), &mut ruling)?;
    if overbooked {
        may_overbook(asking)?;
        ruling.notes.push(Kind::Overbooked);
    }
    Ok(ruling)
}

/// How an actor is claimed.
#[derive(Debug, Clone, Copy)]
struct Claim {
    eyes: Eyes,
    may_be_overridden: bool,
}

/// Whether an actor can be in one place only, and who sees that they are. Two bodies do not fit into one
/// room, so rooms and devices are never overridden; a patient's other appointments may be hidden from
/// whoever books, and a refusal must not tell of them.
fn claim(asking: &Asking<'_>, actor: &str) -> Result<Option<Claim>, Fault> {
    let (kind, id) = actor.split_once('/').unwrap_or_default();
    let claim = |eyes, may_be_overridden| Some(Claim { eyes, may_be_overridden });
    Ok(match kind {
        "Patient" => claim(Eyes::Caller, true),
        "Practitioner" | "PractitionerRole" | "HealthcareService" => claim(Eyes::House, true),
        "Device" => claim(Eyes::House, false),
        // A room, a bed or a vehicle takes one visit at a time.
        "Location" if asking.read("Location", id)?.is_some_and(|place| is_room(place.root())) => {
            claim(Eyes::House, false)
        }
        // A site or a floor has room for many; a relative comes along.
        _ => None,
    })
}

fn forbid(actor: &str, at: usize, span: Span, claim: Claim, asking: &Asking<'_>) -> Forbid {
    let (limits, now) = (*asking.limits(), asking.now());
    let what = match claim.may_be_overridden {
        true => "is taken at that time; choose another, or say why both are booked",
        false => "is taken at that time; choose another",
    };
    let place = format!("Appointment.participant[{at}].actor");
    let actor: Arc<str> = actor.into();
    let (start, end) = (Millis(span.start), Millis(span.end));
    let among = among(&[&*actor], start, end);
    let over = record::Claim {
        whose: actor.to_string(),
        start,
        end,
        lapses: None,
        kept_ms: (0, 0),
        about: None,
    };
    let fault = Fault::at(&code::DOUBLE_BOOKED, format!("{actor} {what}"), place);
    let against = move |hit: &Hit| {
        // Most others are somebody else's: their text is not even taken apart.
        if memmem::find(&hit.body, actor.as_bytes()).is_none() {
            return Ok(false);
        }
        let other = Document::parse(hit.body.clone(), &limits)?;
        let other = Taken::of(other.root(), now);
        Ok(other.takes(&actor) && other.span.is_some_and(|other| other.overlaps(span)))
    };
    Forbid {
        resource_type: "Appointment",
        among,
        eyes: claim.eyes,
        against: Arc::new(against),
        over: Some(over),
        fault,
    }
}

/// What a new version has to say of its time, so that it can be held to it.
fn check(appointment: Value<'_>) -> Result<(), Fault> {
    let status = appointment.get_str("status").unwrap_or_default();
    if !OCCUPYING.contains(&&*status) {
        return Ok(());
    }
    let refused = |text: &str, at: &str| {
        Err(Fault::at(&code::APPOINTMENT_TIMES, text, format!("Appointment.{at}")))
    };
    if actors(appointment).len() > PARTICIPANTS_MAX {
        let text = format!("an appointment may name {PARTICIPANTS_MAX} participants");
        return refused(&text, "participant");
    }
    match (appointment.get("start").is_some(), appointment.get("end").is_some()) {
        (false, false) if status == "proposed" => return Ok(()),
        (false, false) => return refused("only what is proposed may be without a time", "start"),
        (false, true) => return refused("what has an end has a start", "start"),
        (true, false) => return refused("what has a start has an end", "end"),
        (true, true) => {}
    }
    match span(appointment) {
        Some(Span { start, end }) if end - start > LONGEST_MS => {
            refused("an appointment ends within 24 hours; a stay is an Encounter", "end")
        }
        Some(Span { start, end }) if end > start => Ok(()),
        Some(_) => refused("the end is after the start", "end"),
        None => refused("the times are instants", "start"),
    }
}

fn span(appointment: Value<'_>) -> Option<Span> {
    let at = |name: &str| Some(fhir::date::parse(&appointment.get_str(name)?)?.low);
    Some(Span { start: at("start")?, end: at("end")? })
}

/// Who and what an appointment names, but who declined.
fn actors(appointment: Value<'_>) -> Vec<(String, usize)> {
    let mut actors: Vec<(String, usize)> = Vec::new();
    let participants = appointment.get("participant").into_iter().flat_map(Value::items);
    for (at, participant) in participants.enumerate() {
        if participant.get_str("status").as_deref() == Some("declined") {
            continue;
        }
        let reference = participant.get("actor").and_then(|actor| actor.get_str("reference"));
        let Some(text) = reference.as_deref() else { continue };
        let actor = match parse(text) {
            Some(Reference::Relative(target)) => format!("{}/{}", target.resource_type, target.id),
            _ => continue,
        };
        if !actors.iter().any(|(own, _)| *own == actor) {
            actors.push((actor, at));
        }
    }
    actors
}

/// Why an appointment may overlap others, as it says itself.
fn reason(appointment: Value<'_>) -> Option<()> {
    let mut extensions = appointment.get("extension").into_iter().flat_map(Value::items);
    let own = extensions.find(|one| one.get_str("url").as_deref() == Some(OVERBOOKING))?;
    own.get_str("valueString").filter(|text| !text.trim().is_empty()).map(drop)
}

/// Who may book over: whoever keeps the book, which is who may change Slots. An app or a patient who
/// books for themselves may not.
fn may_overbook(asking: &Asking<'_>) -> Result<(), Fault> {
    match asking.may(Action::Update, "Slot") {
        true => Ok(()),
        false => Err(Fault::at(
            &code::OVERBOOKING_DENIED,
            "only who keeps the book may book over; ask the front desk",
            "Appointment.extension",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;

    fn document(text: &str) -> Document {
        Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
    }

    fn appointment(more: &str) -> Document {
        document(&format!(
            r#"{{"resourceType":"Appointment","status":"booked","start":"2026-12-01T10:00:00Z","end":"2026-12-01T10:30:00+00:00"{more}}}"#
        ))
    }

    #[test]
    fn times_meet_when_they_share_an_instant_and_not_when_they_only_touch() {
        let span = |start, end| Span { start, end };
        for (other, meets) in
            [((0, 10), false), ((0, 11), true), ((12, 15), true), ((20, 30), false)]
        {
            assert_eq!(span(10, 20).overlaps(span(other.0, other.1)), meets, "{other:?}");
        }
    }

    #[test]
    fn who_declined_and_who_has_no_reference_is_not_taken() {
        let taken = Taken::of(
            appointment(
                r#","participant":[{"actor":{"reference":"Practitioner/a"},"status":"accepted"},
                {"actor":{"reference":"Practitioner/b"},"status":"declined"},{"status":"accepted"},
                {"actor":{"reference":"Patient/p/_history/3"},"status":"needs-action"},
                {"actor":{"reference":"Practitioner/a"},"status":"accepted"}]"#,
            )
            .root(),
            Millis(0),
        );
        assert_eq!(taken.actors, [("Practitioner/a".to_owned(), 0), ("Patient/p".to_owned(), 3)]);
        assert_eq!(taken.span.map(|span| span.end - span.start), Some(30 * 60 * 1000));
    }

    #[test]
    fn what_takes_time_says_which() {
        let of = |text: &str| check(document(text).root()).map_err(|fault| fault.code().name);
        let refused = Err("scheduling.appointment.times");
        let with = |status: &str, more: &str| {
            of(&format!(r#"{{"resourceType":"Appointment","status":"{status}"{more}}}"#))
        };
        assert_eq!(with("proposed", ""), Ok(()));
        assert_eq!(with("booked", ""), refused);
        assert_eq!(with("cancelled", ""), Ok(()));
        assert_eq!(with("waitlist", r#","start":"2026-12-01T10:00:00Z""#), Ok(()));
        let start = r#","start":"2026-12-01T10:00:00Z""#;
        assert_eq!(with("booked", start), refused);
        for (end, outcome) in [
            ("2026-12-01T10:30:00Z", Ok(())),
            ("2026-12-01T10:00:00Z", refused),
            ("2026-12-01T09:00:00Z", refused),
            ("2026-12-02T10:00:00Z", Ok(())),
            ("2026-12-02T10:00:01Z", refused),
        ] {
            assert_eq!(with("booked", &format!(r#"{start},"end":"{end}""#)), outcome, "{end}");
        }
    }

    #[test]
    fn a_reason_that_says_nothing_is_none() {
        let with = |text: &str| {
            let more =
                format!(r#","extension":[{{"url":"{OVERBOOKING}","valueString":"{text}"}}]"#);
            reason(appointment(&more).root()).is_some()
        };
        assert!(with("urgent, agreed by phone"));
        assert!(!with("  "));
    }
}
