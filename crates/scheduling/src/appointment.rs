//! [`Appointment`]: what this department understands of the FHIR resource
//! (<https://hl7.org/fhir/R4/appointment.html>, invariants app-1 to app-4), read and written back
//! without losing what it does not understand.

use crate::actor::Actor;
use crate::occupied::Status;
use crate::read::{
    OURS, TZ_CODE, fault, number, of_type, ours, part, period, span, text, widest_day,
};
use crate::time::{Span, Zone};
use crate::visit_type::BUFFER_MAX;
use base::error::code::SCHEDULING_CALENDAR as CODE;
use base::{Fault, Millis};
use fhir::Value;
use fhir::write::Writer;

/// Participants of one appointment: a large group visit.
pub const PARTICIPANTS_MAX: usize = 200;

/// What a participant said to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// Comes.
    Accepted,
    /// Does not.
    Declined,
    /// Perhaps.
    Tentative,
    /// Has not answered.
    NeedsAction,
}

impl Answer {
    /// Every answer of R4.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Declined, Self::Tentative, Self::NeedsAction];

    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Declined => "declined",
            Self::Tentative => "tentative",
            Self::NeedsAction => "needs-action",
        }
    }

    /// Reads the FHIR code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// Whether a participant has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// Has to.
    Required,
    /// May.
    Optional,
    /// Is told of it, and not kept by it.
    InformationOnly,
}

impl Presence {
    /// Every value of R4.
    pub const ALL: [Self; 3] = [Self::Required, Self::Optional, Self::InformationOnly];

    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::InformationOnly => "information-only",
        }
    }

    /// Reads the FHIR code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == text)
    }
}

/// One who takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Who; `None` for an actor that is no record of this server, or for a mere kind of participant.
    pub actor: Option<Actor>,
    /// Whether they come.
    pub answer: Answer,
    /// Whether they have to.
    pub required: Option<Presence>,
    /// When, where that differs from the appointment.
    pub period: Option<Span>,
}

/// Which occurrence of which series it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesLink {
    /// The id of the series.
    pub series: String,
    /// The number of the occurrence, from 1.
    pub number: u32,
}

/// An appointment as scheduling sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// The logical id; none before it is first written.
    pub id: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The id of its visit type, where it was booked by one.
    pub visit_type: Option<String>,
    /// Its time; none for what may lack it ([`Status::may_lack_time`]).
    pub span: Option<Span>,
    /// The IANA zone of its site.
    pub zone: Option<String>,
    /// Minutes its resources are kept before. They stand in the appointment, so that a later change of
    /// the visit type moves nothing that is booked.
    pub before_minutes: u32,
    /// Minutes its resources are kept after.
    pub after_minutes: u32,
    /// Who takes part; at least one.
    pub participants: Vec<Participant>,
    /// Ids of the slots it fills.
    pub slots: Vec<String>,
    /// Code of `appointment-cancellation-reason`; only when cancelled or not come (app-4).
    pub cancel_reason: Option<String>,
    /// Its place in a series.
    pub series: Option<SeriesLink>,
}

impl Appointment {
    /// The logical id of the patient, the first where there are several.
    pub fn patient(&self) -> Option<&str> {
        let mut actors = self.participants.iter().filter_map(|one| one.actor.as_ref());
        actors.find(|actor| actor.is_patient()).map(Actor::id)
    }

    /// Reads an Appointment; `SCHEDULING_CALENDAR` names the place that is not understood.
    pub fn read(root: Value<'_>) -> Result<Self, Fault> {
        of_type(&CODE, root, "Appointment")?;
        let status = root.get_str("status").and_then(|code| Status::parse(&code));
        let status = status.ok_or_else(|| fault(&CODE, root, "the status is unknown"))?;
        let whole = span(&CODE, root, ("start", "end"))?;
        let mut participants = Vec::new();
        for item in root.get("participant").into_iter().flat_map(Value::items) {
            participants.push(participant(item, whole)?);
        }
        let minutes = |name| match ours(root, name).next() {
            None => Ok(0),
            Some(extension) => extension
                .get("valueInteger")
                .ok_or_else(|| fault(&CODE, extension, "give it a valueInteger"))
                .and_then(|v| number(&CODE, v, BUFFER_MAX)),
        };
        let mut slots = Vec::new();
        for item in root.get("slot").into_iter().flat_map(Value::items) {
            let reference = item.get_str("reference");
            let id = reference.as_deref().and_then(|text| text.strip_prefix("Slot/"));
            slots.push(id.ok_or_else(|| fault(&CODE, item, "write Slot/ and its id"))?.to_owned());
        }
        let visit_type = ours(root, "visit-type").next().and_then(|e| e.get("valueReference"));
        let visit_type = visit_type.and_then(|r| r.get_str("reference"));
        let read = Self {
            id: text(&CODE, root, "id")?.map(Into::into),
            status,
            visit_type: visit_type
                .and_then(|text| text.strip_prefix("ActivityDefinition/").map(str::to_owned)),
            span: whole,
            zone: zone_name(root),
            before_minutes: minutes("buffer-before")?,
            after_minutes: minutes("buffer-after")?,
            participants,
            slots,
            cancel_reason: cancel_reason(root),
            series: series_link(root)?,
        };
        read.check().map_err(|says| fault(&CODE, root, says))?;
        Ok(read)
    }

    /// The document of a new appointment. With a zone, start and end are written with its offset.
    pub fn write(&self, zone: Option<&Zone>) -> Result<Vec<u8>, Fault> {
        self.write_onto(None, zone)
    }

    /// The document with everything of `old` that this file does not speak of, participants that have
    /// not changed as they stand.
    pub fn write_onto(
        &self,
        old: Option<Value<'_>>,
        zone: Option<&Zone>,
    ) -> Result<Vec<u8>, Fault> {
        self.check().map_err(|says| Fault::new(&CODE, says))?;
        if zone.map(Zone::name) != self.zone.as_deref() {
            return Err(Fault::new(&CODE, "the zone given is not the appointment's"));
        }
        let mut w = Writer::new();
        w.object().member("resourceType", "Appointment");
        if let Some(id) = &self.id {
            w.member("id", id);
        }
        self.write_extensions(old, &mut w);
        w.member("status", self.status.as_str());
        if let Some(reason) = &self.cancel_reason {
            match old.filter(|o| cancel_reason(*o).as_ref() == Some(reason)) {
                Some(old) => {
                    let kept = old.get("cancelationReason").map_or("{}", Value::raw);
                    w.key("cancelationReason").raw(kept.as_bytes());
                }
                None => {
                    w.key("cancelationReason").object().key("coding").array().object();
                    w.member("system", CANCEL_SYSTEM).member("code", reason);
                    w.end_object().end_array().end_object();
                }
            }
        }
        let old_time = old.filter(|o| span(&CODE, *o, ("start", "end")) == Ok(self.span));
        let old_time = old_time.filter(|o| zone_name(*o) == self.zone);
        if let Some(old) = old_time {
            // Nothing moved: the time stays as it was written, to its offset.
            for (key, member) in old.members().filter(|(key, _)| TIME.contains(key)) {
                w.key(key).raw(member.raw().as_bytes());
            }
        } else if let Some(span) = self.span {
            for (name, shadow, instant) in
                [("start", "_start", span.start), ("end", "_end", span.end)]
            {
                w.member(name, &zone.map_or_else(|| instant.to_instant(), |z| z.text(instant)));
                if let Some(zone) = zone {
                    w.key(shadow).object().key("extension").array().object();
                    w.member("url", TZ_CODE).member("valueCode", zone.name());
                    w.end_object().end_array().end_object();
                }
            }
            w.key("minutesDuration").integer(span.minutes().max(1));
        }
        if !self.slots.is_empty() {
            w.key("slot").array();
            for slot in &self.slots {
                w.object().member("reference", &format!("Slot/{slot}")).end_object();
            }
            w.end_array();
        }
        self.write_participants(old, &mut w);
        for (key, member) in old.into_iter().flat_map(Value::members) {
            if !WRITTEN.contains(&key) {
                w.key(key).raw(member.raw().as_bytes());
            }
        }
        w.end_object();
        Ok(w.finish())
    }

    fn write_extensions(&self, old: Option<Value<'_>>, w: &mut Writer) {
        let others: Vec<_> = old
            .and_then(|o| o.get("extension"))
            .into_iter()
            .flat_map(Value::items)
            .filter(|e| {
                let url = e.get_str("url");
                !url.is_some_and(|u| u.strip_prefix(OURS).is_some_and(|n| EXTENSIONS.contains(&n)))
            })
            .collect();
        let buffers =
            [("buffer-before", self.before_minutes), ("buffer-after", self.after_minutes)];
        let any = self.visit_type.is_some()
            || self.series.is_some()
            || buffers.iter().any(|(_, minutes)| *minutes > 0);
        if others.is_empty() && !any {
            return;
        }
        w.key("extension").array();
        for other in others {
            w.raw(other.raw().as_bytes());
        }
        if let Some(id) = &self.visit_type {
            w.object().member("url", &format!("{OURS}visit-type")).key("valueReference").object();
            w.member("reference", &format!("ActivityDefinition/{id}")).end_object().end_object();
        }
        for (name, minutes) in buffers.into_iter().filter(|(_, minutes)| *minutes > 0) {
            w.object().member("url", &format!("{OURS}{name}"));
            w.key("valueInteger").integer(i64::from(minutes)).end_object();
        }
        if let Some(link) = &self.series {
            w.object().key("extension").array();
            w.object().member("url", "series").member("valueString", &link.series).end_object();
            w.object().member("url", "number").key("valueInteger");
            w.integer(i64::from(link.number)).end_object();
            w.end_array().member("url", &format!("{OURS}series")).end_object();
        }
        w.end_array();
    }

    fn write_participants(&self, old: Option<Value<'_>>, w: &mut Writer) {
        // Read against the new time: an open period goes with the appointment.
        let was = self.span;
        let mut before: Vec<_> =
            old.and_then(|o| o.get("participant")).into_iter().flat_map(Value::items).collect();
        w.key("participant").array();
        for one in &self.participants {
            let same = before.iter().position(|item| participant(*item, was).as_ref() == Ok(one));
            if let Some(at) = same {
                w.raw(before.remove(at).raw().as_bytes());
                continue;
            }
            // Of one whose answer changed, what is not understood (type, display) stays.
            let of_actor = one.actor.as_ref().and_then(|actor| {
                let at = before.iter().position(|i| {
                    i.get("actor").and_then(crate::read::actor).as_ref() == Some(actor)
                })?;
                Some(before.remove(at))
            });
            write_participant(one, of_actor, w);
        }
        w.end_array();
    }

    /// What is wrong with it, in a sentence.
    fn check(&self) -> Result<(), &'static str> {
        let ended = matches!(self.status, Status::Cancelled | Status::NoShow);
        if self.participants.is_empty() || self.participants.len() > PARTICIPANTS_MAX {
            Err("an appointment has 1 to 200 participants")
        } else if self.span.is_none() && !self.status.may_lack_time() {
            Err("only what is proposed, cancelled or waited for can lack start and end (app-3)")
        } else if self.cancel_reason.is_some() && !ended {
            Err("a reason is given only for what was cancelled or not come to (app-4)")
        } else if self.before_minutes.max(self.after_minutes) > BUFFER_MAX {
            Err("a buffer has at most 240 minutes")
        } else {
            Ok(())
        }
    }
}

/// The code system of reasons (<https://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html>).
pub const CANCEL_SYSTEM: &str =
    "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason";
/// The extensions of ours that this file reads and writes.
const EXTENSIONS: [&str; 4] = ["visit-type", "buffer-before", "buffer-after", "series"];
/// Those that tell the time.
const TIME: [&str; 5] = ["start", "_start", "end", "_end", "minutesDuration"];
/// The members that this file writes.
const WRITTEN: [&str; 12] = [
    "resourceType",
    "id",
    "extension",
    "status",
    "cancelationReason",
    "start",
    "_start",
    "end",
    "_end",
    "minutesDuration",
    "slot",
    "participant",
];

fn participant(item: Value<'_>, whole: Option<Span>) -> Result<Participant, Fault> {
    let answer = item.get_str("status").and_then(|code| Answer::parse(&code));
    let required = match text(&CODE, item, "required")? {
        None => None,
        Some(code) => Some(
            Presence::parse(&code)
                .ok_or_else(|| fault(&CODE, item, "whether they are required is unknown"))?,
        ),
    };
    let period_read = match item.get("period") {
        // An end that is open is the appointment's.
        Some(at) => {
            let is_whole = at.get("start").is_some() && at.get("end").is_some();
            let open =
                whole.or_else(|| is_whole.then_some(Span { start: Millis(0), end: Millis(1) }));
            open.map(|open| period(&CODE, at, open, widest_day)).transpose()?
        }
        None => None,
    };
    Ok(Participant {
        actor: item.get("actor").and_then(crate::read::actor),
        answer: answer.ok_or_else(|| fault(&CODE, item, "the participant's status is unknown"))?,
        required,
        period: period_read,
    })
}

fn write_participant(one: &Participant, old: Option<Value<'_>>, w: &mut Writer) {
    const SPOKEN_OF: [&str; 4] = ["actor", "required", "status", "period"];
    w.object();
    for (key, member) in old.into_iter().flat_map(Value::members) {
        if !SPOKEN_OF.contains(&key) {
            w.key(key).raw(member.raw().as_bytes());
        }
    }
    match (old.and_then(|o| o.get("actor")), &one.actor) {
        (Some(actor), _) => {
            w.key("actor").raw(actor.raw().as_bytes());
        }
        (None, Some(actor)) => {
            w.key("actor").object().member("reference", actor.as_str()).end_object();
        }
        (None, None) => {
            // app-1: either an actor or a type.
            w.key("type").array().object().member("text", "participant").end_object().end_array();
        }
    }
    if let Some(required) = one.required {
        w.member("required", required.as_str());
    }
    w.member("status", one.answer.as_str());
    if let Some(period) = one.period {
        w.key("period").object().member("start", &period.start.to_instant());
        w.member("end", &period.end.to_instant()).end_object();
    }
    w.end_object();
}

fn zone_name(root: Value<'_>) -> Option<String> {
    let extensions = root.get("_start")?.get("extension")?;
    let zone = extensions.items().find(|e| e.get_str("url").as_deref() == Some(TZ_CODE))?;
    zone.get_str("valueCode").map(Into::into)
}

fn cancel_reason(root: Value<'_>) -> Option<String> {
    let codings = root.get("cancelationReason")?.get("coding")?;
    let ours = codings.items().find(|c| c.get_str("system").as_deref() == Some(CANCEL_SYSTEM))?;
    ours.get_str("code").map(Into::into)
}

fn series_link(root: Value<'_>) -> Result<Option<SeriesLink>, Fault> {
    let Some(extension) = ours(root, "series").next() else { return Ok(None) };
    let series = part(extension, "series").and_then(|p| p.get_str("valueString"));
    let series = series.ok_or_else(|| fault(&CODE, extension, "the series has no id"))?;
    let at = part(extension, "number").and_then(|p| p.get("valueInteger"));
    let at = at.ok_or_else(|| fault(&CODE, extension, "the occurrence has no number"))?;
    let number = number(&CODE, at, crate::series::OCCURRENCES_MAX)?;
    Ok(Some(SeriesLink { series: series.into_owned(), number }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    const OTHERS: &str = r#"{"resourceType":"Appointment","id":"a","status":"booked",
        "extension":[{"url":"https://other.example/x","valueString":"kept"}],
        "description":"kept too","start":"2026-11-23T14:00:00Z","end":"2026-11-23T14:30:00Z","minutesDuration":30,
        "participant":[
          {"type":[{"text":"primary"}],"actor":{"reference":"Practitioner/1","display":"shown"},"status":"accepted"},
          {"actor":{"reference":"Patient/1"},"required":"required","status":"needs-action"}]}"#;

    #[test]
    fn what_is_not_understood_survives_a_change() {
        let doc = Document::parse_text(OTHERS.to_owned(), &Limits::default()).unwrap();
        let mut appointment = Appointment::read(doc.root()).unwrap();
        appointment.status = Status::Cancelled;
        appointment.cancel_reason = Some("pat".to_owned());
        for participant in &mut appointment.participants {
            participant.answer = Answer::Declined;
        }
        let text =
            String::from_utf8(appointment.write_onto(Some(doc.root()), None).unwrap()).unwrap();
        for kept in ["kept", "kept too", "primary", "shown"] {
            assert!(text.contains(&format!("\"{kept}\"")), "{kept} is gone: {text}");
        }
        let again = Document::parse_text(text, &Limits::default()).unwrap();
        assert_eq!(Appointment::read(again.root()), Ok(appointment));
    }

    #[test]
    fn a_time_that_did_not_move_stays_as_it_was_written() {
        let written = OTHERS
            .replace("2026-11-23T14:00:00Z", "2026-11-23T09:00:00-05:00")
            .replace("\"minutesDuration\":30", "\"minutesDuration\":20")
            .replace(
                "\"status\":\"accepted\"",
                "\"period\":{\"start\":\"2026-11-23T14:10:00Z\"},\"status\":\"accepted\"",
            );
        let doc = Document::parse_text(written, &Limits::default()).unwrap();
        let mut one = Appointment::read(doc.root()).unwrap();
        assert_eq!(
            one.participants[0].period.map(Span::minutes),
            Some(20),
            "until the end of the whole"
        );
        one.status = Status::Arrived;
        let text = String::from_utf8(one.write_onto(Some(doc.root()), None).unwrap()).unwrap();
        assert!(
            text.contains("09:00:00-05:00") && text.contains("\"minutesDuration\":20"),
            "{text}"
        );
        one.span = one.span.map(|s| s.moved_to(s.end));
        let text = String::from_utf8(one.write_onto(Some(doc.root()), None).unwrap()).unwrap();
        assert!(
            text.contains("14:30:00.000Z") && text.contains("\"minutesDuration\":30"),
            "{text}"
        );
    }

    #[test]
    fn an_appointment_that_breaks_an_invariant_is_neither_read_nor_written() {
        for bad in [
            OTHERS.replace(r#""start":"2026-11-23T14:00:00Z","end":"2026-11-23T14:30:00Z","#, ""),
            OTHERS.replace(r#""end":"2026-11-23T14:30:00Z","#, ""),
            OTHERS.replace("\"accepted\"", "\"maybe\""),
            OTHERS.replace("\"booked\"", "\"planned\""),
            OTHERS.replace("\"required\":\"required\"", "\"required\":\"perhaps\""),
        ] {
            let doc = Document::parse_text(bad.clone(), &Limits::default()).unwrap();
            let fault = Appointment::read(doc.root()).unwrap_err();
            assert_eq!(fault.code().name, "scheduling.calendar.invalid", "{bad}");
        }
        let doc = Document::parse_text(OTHERS.to_owned(), &Limits::default()).unwrap();
        let mut appointment = Appointment::read(doc.root()).unwrap();
        appointment.cancel_reason = Some("pat".to_owned());
        assert!(appointment.write(None).is_err(), "app-4");
    }
}
