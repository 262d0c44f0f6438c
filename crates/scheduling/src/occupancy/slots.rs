//! Slots follow the appointments that name them (<https://hl7.org/fhir/R4/slot.html>): taken when one
//! begins to take time, given back when the last one lets go, in the same commit.

use super::{OCCUPYING, Taken};
use base::Fault;
use base::error::code;
use fhir::reference::{Reference, parse};
use fhir::{Document, Value};
use record::{Also, Asking, Eyes, Forbid, Hit, Ruling, with_member};
use std::sync::Arc;

/// Slots one appointment may name: a long visit of short slots.
const SLOTS_MAX: usize = 100;

/// Adds to the ruling what becomes of the slots; answers whether one that is taken is booked over.
pub(super) fn take(
    asking: &Asking<'_>,
    before: &Taken,
    after: &Taken,
    with_reason: bool,
    ruling: &mut Ruling,
) -> Result<bool, Fault> {
    let held = named(asking.before.filter(|_| before.span.is_some()));
    let wanted = named(asking.after.filter(|_| after.span.is_some()));
    if wanted.len() > SLOTS_MAX {
        let text = format!("an appointment may name {SLOTS_MAX} slots");
        return Err(Fault::at(&code::APPOINTMENT_TIMES, text, "Appointment.slot"));
    }
    let status = asking.after.and_then(|document| document.get_str("status"));
    let busy = match status.as_deref() {
        Some("proposed" | "pending") => "busy-tentative",
        _ => "busy",
    };
    let mut overbooked = false;
    for (at, id) in wanted.iter().enumerate() {
        // A slot of another system cannot be taken here, nor one that this unit writes itself.
        let Some(slot) = asking.read("Slot", id)?.filter(|_| !asking.is_written("Slot", id)) else {
            continue;
        };
        let now = slot.root().get_str("status").unwrap_or_default().into_owned();
        match now.as_str() {
            _ if held.contains(id) => {
                if now == "busy-tentative" && busy == "busy" {
                    ruling.also.push(becomes(&slot, id, busy)?);
                }
            }
            "free" => ruling.also.push(becomes(&slot, id, busy)?),
            "busy" | "busy-tentative" | "busy-unavailable" if with_reason => {
                overbooked = true;
                ruling.unchanged.push(("Slot", id.clone()));
            }
            _ => {
                let place = format!("Appointment.slot[{at}]");
                let text = "the slot is not free; choose another";
                return Err(Fault::at(&code::SLOT_TAKEN, text, place));
            }
        }
    }
    for id in held.iter().filter(|id| !wanted.contains(id)) {
        let Some(slot) = asking.read("Slot", id)?.filter(|_| !asking.is_written("Slot", id)) else {
            continue;
        };
        let taken =
            matches!(slot.root().get_str("status").as_deref(), Some("busy" | "busy-tentative"));
        let other = another(asking, id);
        // Two were booked into it, and the other stays.
        if taken && !asking.is_met(&other)? {
            ruling.also.push(becomes(&slot, id, "free")?);
            ruling.forbids.push(other);
        }
    }
    Ok(overbooked)
}

/// The ids of the slots a document names.
fn named(document: Option<Value<'_>>) -> Vec<String> {
    let slots = document.and_then(|document| document.get("slot"));
    let mut ids: Vec<String> = Vec::new();
    for slot in slots.into_iter().flat_map(Value::items) {
        let text = slot.get_str("reference");
        if let Some(Reference::Relative(target)) = text.as_deref().and_then(parse)
            && target.resource_type == "Slot"
            && !ids.iter().any(|id| id == target.id)
        {
            ids.push(target.id.to_owned());
        }
    }
    ids
}

fn becomes(slot: &Document, id: &str, status: &str) -> Result<Also, Fault> {
    let body = with_member(slot.root(), "status", status)?;
    Ok(Also { resource_type: "Slot", id: id.to_owned(), body })
}

/// That no other appointment takes the slot.
fn another(asking: &Asking<'_>, id: &str) -> Forbid {
    let (limits, own, slot) = (*asking.limits(), asking.id.to_owned(), id.to_owned());
    let now = asking.now();
    let against = move |hit: &Hit| {
        if hit.id == own {
            return Ok(false);
        }
        let other = Document::parse(hit.body.clone(), &limits)?;
        let taken = Taken::of(other.root(), now).span.is_some();
        Ok(taken && named(Some(other.root())).contains(&slot))
    };
    Forbid {
        resource_type: "Appointment",
        among: vec![
            ("slot".to_owned(), format!("Slot/{id}")),
            ("status".to_owned(), OCCUPYING.join(",")),
        ],
        eyes: Eyes::House,
        against: Arc::new(against),
        // Only ever met by an appointment of the same moment: then all is decided anew.
        fault: Fault::new(&code::SLOT_TAKEN, "another appointment takes the slot"),
    }
}
