//! What takes time: which appointments and slots occupy whom, as R4 defines their statuses
//! (<https://hl7.org/fhir/R4/valueset-appointmentstatus.html>,
//! <https://hl7.org/fhir/R4/valueset-slotstatus.html>).

use crate::actor::Actor;
use crate::appointment::{Answer, Appointment, Presence};
use crate::free::SpanSet;
use crate::read::{fault, of_type, period, span, text, widest_day};
use crate::time::{MINUTE_MS, Span};
use base::error::code::SCHEDULING_CALENDAR as CODE;
use base::{Fault, Millis};
use fhir::Value;
use fhir::date::{OPEN_HIGH, OPEN_LOW};
use fhir::reference::{Reference, parse};

/// What an appointment's status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Suggested; nobody has agreed to it.
    Proposed,
    /// Some have agreed; the time is kept for it.
    Pending,
    /// Agreed.
    Booked,
    /// The patient is there and waits.
    Arrived,
    /// It took place, or the encounter goes on.
    Fulfilled,
    /// Called off.
    Cancelled,
    /// Somebody did not come.
    NoShow,
    /// It was never meant.
    EnteredInError,
    /// The patient is there and all papers are done.
    CheckedIn,
    /// Wished for, without a time of its own.
    WaitList,
}

impl Status {
    /// Every status of R4.
    pub const ALL: [Self; 10] = [
        Self::Proposed,
        Self::Pending,
        Self::Booked,
        Self::Arrived,
        Self::Fulfilled,
        Self::Cancelled,
        Self::NoShow,
        Self::EnteredInError,
        Self::CheckedIn,
        Self::WaitList,
    ];

    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Pending => "pending",
            Self::Booked => "booked",
            Self::Arrived => "arrived",
            Self::Fulfilled => "fulfilled",
            Self::Cancelled => "cancelled",
            Self::NoShow => "noshow",
            Self::EnteredInError => "entered-in-error",
            Self::CheckedIn => "checked-in",
            Self::WaitList => "waitlist",
        }
    }

    /// Reads the FHIR code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether its time is taken. A proposal has been agreed to by nobody and a wish has no time of its
    /// own; who did not come, and what was called off or never meant, gives its time back. What took
    /// place keeps it: nothing else can be booked into it afterwards.
    pub const fn occupies(self) -> bool {
        match self {
            Self::Pending | Self::Booked | Self::Arrived | Self::Fulfilled | Self::CheckedIn => {
                true
            }
            Self::Proposed
            | Self::Cancelled
            | Self::NoShow
            | Self::EnteredInError
            | Self::WaitList => false,
        }
    }

    /// May be without start and end (invariant app-3; a wish for the list has none either).
    pub const fn may_lack_time(self) -> bool {
        matches!(self, Self::Proposed | Self::Cancelled | Self::WaitList)
    }
}

/// What a slot's status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotStatus {
    /// Taken by appointments.
    Busy,
    /// Can be booked.
    Free,
    /// Taken, and not by an appointment: nobody may book into it.
    BusyUnavailable,
    /// Taken, if those who are asked agree; held.
    BusyTentative,
    /// It was never meant.
    EnteredInError,
}

impl SlotStatus {
    /// Every status of R4.
    pub const ALL: [Self; 5] =
        [Self::Busy, Self::Free, Self::BusyUnavailable, Self::BusyTentative, Self::EnteredInError];

    /// The FHIR code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Free => "free",
            Self::BusyUnavailable => "busy-unavailable",
            Self::BusyTentative => "busy-tentative",
            Self::EnteredInError => "entered-in-error",
        }
    }

    /// Reads the FHIR code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }

    /// Whether its time is taken.
    pub const fn occupies(self) -> bool {
        matches!(self, Self::Busy | Self::BusyUnavailable | Self::BusyTentative)
    }

    /// Whether it says that somebody can be seen in its time at all, taken already or not.
    pub const fn opens(self) -> bool {
        matches!(self, Self::Busy | Self::Free | Self::BusyTentative)
    }
}

/// By what time is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// An appointment, by id.
    Appointment(String),
    /// A slot, by id.
    Slot(String),
    /// A hold, by id.
    Hold(String),
}

/// Time that somebody or something does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// The time itself.
    pub span: Span,
    /// Kept before it.
    pub before_ms: i64,
    /// Kept after it.
    pub after_ms: i64,
    /// By what.
    pub by: By,
    /// The visit type, where it is known: daily caps count by it.
    pub visit_type: Option<String>,
}

impl Busy {
    /// With its buffers. The buffers of neighbours are both kept: one is for leaving, one for entering.
    pub const fn padded(&self) -> Span {
        self.span.padded(self.before_ms, self.after_ms)
    }
}

/// The time in a list, buffers included.
pub fn padded_set(busy: &[Busy]) -> SpanSet {
    busy.iter().map(Busy::padded).collect()
}

/// Whom an appointment keeps, and when. Who declined, who is only told of it, and actors whose
/// reference names no record of this server are not kept; a participant's own period stands in place
/// of the appointment's time (`Appointment.participant.period`).
pub fn of_appointment(id: &str, appointment: &Appointment) -> Vec<(Actor, Busy)> {
    if !appointment.status.occupies() {
        return Vec::new();
    }
    let Some(whole) = appointment.span else { return Vec::new() };
    let minutes_ms = |minutes: u32| i64::from(minutes) * MINUTE_MS;
    let kept = appointment
        .participants
        .iter()
        .filter(|p| p.answer != Answer::Declined && p.required != Some(Presence::InformationOnly));
    kept.filter_map(|participant| {
        let actor = participant.actor.clone()?;
        // The patient is not kept by the cleaning of a room.
        let buffers = !actor.is_patient() && participant.period.is_none();
        let (before_ms, after_ms) = if buffers {
            (minutes_ms(appointment.before_minutes), minutes_ms(appointment.after_minutes))
        } else {
            (0, 0)
        };
        let busy = Busy {
            span: participant.period.unwrap_or(whole),
            before_ms,
            after_ms,
            by: By::Appointment(id.to_owned()),
            visit_type: appointment.visit_type.clone(),
        };
        Some((actor, busy))
    })
    .collect()
}

/// What an open planning horizon reaches over.
const ALL: Span = Span { start: Millis(OPEN_LOW), end: Millis(OPEN_HIGH) };

/// A `Schedule`: whose time it is, and how far it was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The logical id.
    pub id: String,
    /// In use.
    pub active: bool,
    /// Whose time its slots are; at least one.
    pub actors: Vec<Actor>,
    /// Beyond it nothing is said, so nothing is free.
    pub horizon: Option<Span>,
}

impl Schedule {
    /// Reads a Schedule; `SCHEDULING_CALENDAR` names the place that is not understood.
    pub fn read(root: Value<'_>) -> Result<Self, Fault> {
        of_type(&CODE, root, "Schedule")?;
        let id =
            text(&CODE, root, "id")?.ok_or_else(|| fault(&CODE, root, "the schedule has no id"))?;
        let actors: Vec<_> = root
            .get("actor")
            .into_iter()
            .flat_map(Value::items)
            .filter_map(crate::read::actor)
            .collect();
        if actors.is_empty() {
            return Err(fault(&CODE, root, "the schedule has no actor of this server"));
        }
        let horizon = match root.get("planningHorizon") {
            Some(at) => Some(period(&CODE, at, ALL, widest_day)?),
            None => None,
        };
        let active = root.get("active").and_then(Value::as_bool).unwrap_or(true);
        Ok(Self { id: id.into_owned(), active, actors, horizon })
    }
}

/// A `Slot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The logical id.
    pub id: String,
    /// The id of its schedule.
    pub schedule: String,
    /// What it says of its time.
    pub status: SlotStatus,
    /// Its time.
    pub span: Span,
    /// Booked over already.
    pub overbooked: bool,
}

impl Slot {
    /// Reads a Slot; `SCHEDULING_CALENDAR` names the place that is not understood. What cannot be read
    /// is a fault and never free time.
    pub fn read(root: Value<'_>) -> Result<Self, Fault> {
        of_type(&CODE, root, "Slot")?;
        let id =
            text(&CODE, root, "id")?.ok_or_else(|| fault(&CODE, root, "the slot has no id"))?;
        let schedule = root.get("schedule").and_then(|r| r.get_str("reference"));
        let schedule = match schedule.as_deref().and_then(parse) {
            Some(Reference::Relative(target)) if target.resource_type == "Schedule" => {
                target.id.to_owned()
            }
            _ => return Err(fault(&CODE, root, "the slot has no schedule of this server")),
        };
        let status = root.get_str("status").and_then(|code| SlotStatus::parse(&code));
        let status =
            status.ok_or_else(|| fault(&CODE, root, "the status of the slot is unknown"))?;
        let span = span(&CODE, root, ("start", "end"))?
            .ok_or_else(|| fault(&CODE, root, "the slot has neither start nor end"))?;
        let overbooked = root.get("overbooked").and_then(Value::as_bool).unwrap_or(false);
        Ok(Self { id: id.into_owned(), schedule, status, span, overbooked })
    }

    /// The time it takes, if it does. A slot that an appointment names is taken by both for one reason;
    /// whoever moves the appointment leaves out its slots too.
    pub fn busy(&self) -> Option<Busy> {
        self.status.occupies().then(|| Busy {
            span: self.span,
            before_ms: 0,
            after_ms: 0,
            by: By::Slot(self.id.clone()),
            visit_type: None,
        })
    }
}

/// When somebody can be seen who publishes slots: in these and at no other time.
pub fn open_by_slots<'s>(
    schedule: &Schedule,
    slots: impl IntoIterator<Item = &'s Slot>,
) -> SpanSet {
    if !schedule.active {
        return SpanSet::new();
    }
    let own = slots.into_iter().filter(|s| s.schedule == schedule.id && s.status.opens());
    let spans = own.filter_map(|s| match schedule.horizon {
        Some(horizon) => s.span.common(horizon),
        None => Some(s.span),
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    fn slot(status: &str) -> Slot {
        let text = format!(
            r#"{{"resourceType":"Slot","id":"s","schedule":{{"reference":"Schedule/c"}},"status":"{status}",
            "start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:30:00Z"}}"#
        );
        Slot::read(Document::parse_text(text, &Limits::default()).unwrap().root()).unwrap()
    }

    #[test]
    fn every_status_of_r4_is_known_and_says_whether_it_takes_time() {
        let taking: Vec<_> =
            Status::ALL.into_iter().filter(|s| s.occupies()).map(Status::as_str).collect();
        assert_eq!(taking, ["pending", "booked", "arrived", "fulfilled", "checked-in"]);
        let taking: Vec<_> =
            SlotStatus::ALL.into_iter().filter(|s| s.occupies()).map(SlotStatus::as_str).collect();
        assert_eq!(taking, ["busy", "busy-unavailable", "busy-tentative"]);
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
    }

    #[test]
    fn a_slot_takes_or_opens_time_by_its_status() {
        let schedule = Schedule { id: "c".into(), active: true, actors: Vec::new(), horizon: None };
        for (status, busy, open) in [
            ("free", false, true),
            ("busy", true, true),
            ("busy-tentative", true, true),
            ("busy-unavailable", true, false),
            ("entered-in-error", false, false),
        ] {
            let slot = slot(status);
            assert_eq!(slot.busy().is_some(), busy, "{status}");
            assert_eq!(!open_by_slots(&schedule, [&slot]).is_empty(), open, "{status}");
        }
        let closed = Schedule { active: false, ..schedule };
        assert!(open_by_slots(&closed, [&slot("free")]).is_empty());
    }

    #[test]
    fn a_horizon_can_be_open_and_of_whole_days() {
        let horizon = |text: &str| {
            let text = format!(
                r#"{{"resourceType":"Schedule","id":"c","actor":[{{"reference":"Practitioner/1"}}],"planningHorizon":{{{text}}}}}"#
            );
            let doc = Document::parse_text(text, &Limits::default()).unwrap();
            Schedule::read(doc.root()).map(|s| s.horizon.unwrap())
        };
        assert_eq!(horizon(r#""start":"2026-11-23T09:00:00Z""#).unwrap().end, Millis(OPEN_HIGH));
        let days = horizon(r#""start":"2026-11-23","end":"2026-11-24""#).unwrap();
        assert_eq!(days.ms(), (48 + 28) * 60 * MINUTE_MS, "as wide as any zone makes them");
        assert!(horizon("").is_err());
        assert!(horizon(r#""start":"2026-11""#).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_and_never_free() {
        for bad in [
            r#""status":"maybe","start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:30:00Z""#,
            r#""status":"free","start":"2026-11-23T09:00:00Z""#,
            r#""status":"free","start":"2026-11-23T09:00:00Z","end":"2026-11-23T09:00:00Z""#,
            r#""status":"free","start":"2026-11-23","end":"2026-11-24""#,
            r#""status":"free""#,
        ] {
            let text = format!(
                r#"{{"resourceType":"Slot","id":"s","schedule":{{"reference":"Schedule/c"}},{bad}}}"#
            );
            let doc = Document::parse_text(text, &Limits::default()).unwrap();
            let fault = Slot::read(doc.root()).unwrap_err();
            assert_eq!(fault.code().name, "scheduling.calendar.invalid", "{bad}");
        }
    }
}
