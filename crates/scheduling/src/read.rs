//! Reading what FHIR documents say of time and participants, with faults that name the place and
//! never quote the content (<https://hl7.org/fhir/R4/datatypes.html>).

use crate::actor::Actor;
use crate::time::{Date, HOUR_MS, Span, Zone};
use base::error::Code;
use base::{Fault, Millis};
use fhir::Value;
use fhir::date::{Precision, parse};
use std::borrow::Cow;

/// Where the extensions of this department are defined.
pub(crate) const OURS: &str = "https://plummer.health/fhir/StructureDefinition/";
/// The IANA zone of an instant (<https://hl7.org/fhir/R4/extension-tz-code.html>).
pub(crate) const TZ_CODE: &str = "http://hl7.org/fhir/StructureDefinition/tz-code";

/// A fault at a value's place.
pub(crate) fn fault(code: &'static Code, at: Value<'_>, says: &str) -> Fault {
    Fault::at(code, says, at.path())
}

/// The document must be of a type.
pub(crate) fn of_type(code: &'static Code, root: Value<'_>, name: &str) -> Result<(), Fault> {
    if root.get_str("resourceType").as_deref() == Some(name) {
        return Ok(());
    }
    Err(Fault::at(code, format!("send a resource of type {name}"), "resourceType"))
}

/// A member that must be a string if it is there.
pub(crate) fn text<'a>(
    code: &'static Code,
    of: Value<'a>,
    name: &str,
) -> Result<Option<Cow<'a, str>>, Fault> {
    match of.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_str().map(Some).ok_or_else(|| fault(code, value, "write this as a string"))
        }
    }
}

/// A whole number within bounds.
pub(crate) fn number(code: &'static Code, value: Value<'_>, most: u32) -> Result<u32, Fault> {
    let read = value.as_number().and_then(|digits| digits.parse().ok());
    read.filter(|n| *n <= most)
        .ok_or_else(|| fault(code, value, &format!("write a whole number from 0 to {most}")))
}

/// An instant, or a dateTime with a zone.
pub(crate) fn instant(code: &'static Code, value: Value<'_>) -> Result<Millis, Fault> {
    let read = value.as_str().and_then(|text| parse(&text));
    read.filter(|d| d.zoned && d.precision >= Precision::Second)
        .map(|d| Millis(d.low))
        .ok_or_else(|| fault(code, value, "write an instant with seconds and a zone"))
}

/// `start` and `end` of an object, both or neither.
pub(crate) fn span(
    code: &'static Code,
    of: Value<'_>,
    zone_free: (&str, &str),
) -> Result<Option<Span>, Fault> {
    let (start, end) = (of.get(zone_free.0), of.get(zone_free.1));
    match (start, end) {
        (None, None) => Ok(None),
        (Some(start), Some(end)) => {
            let read = (instant(code, start)?, instant(code, end)?);
            Span::new(read.0, read.1)
                .map(Some)
                .ok_or_else(|| fault(code, end, "the end has to be later than the start"))
        }
        (Some(only), None) | (None, Some(only)) => {
            Err(fault(code, only, "write both the start and the end, or neither"))
        }
    }
}

/// A Period. An end that is open is that of `open`; a date without a time is the day that `day` makes of
/// it.
pub(crate) fn period(
    code: &'static Code,
    of: Value<'_>,
    open: Span,
    day: impl Fn(Date) -> Result<Span, Fault>,
) -> Result<Span, Fault> {
    let whole_day = |value: Value<'_>| {
        let text = value.as_str()?;
        let read = parse(&text).filter(|d| d.precision == Precision::Day)?;
        (!read.zoned).then(|| text.parse::<Date>().ok()).flatten()
    };
    let edge = |name: &str, otherwise: Millis, of_day: fn(Span) -> Millis| match of.get(name) {
        None => Ok(otherwise),
        Some(value) => match whole_day(value) {
            Some(date) => day(date).map(of_day),
            None => instant(code, value),
        },
    };
    if of.get("start").is_none() && of.get("end").is_none() {
        return Err(fault(code, of, "say when, in start and end"));
    }
    let start = edge("start", open.start, |day| day.start)?;
    let end = edge("end", open.end, |day| day.end)?;
    Span::new(start, end).ok_or_else(|| fault(code, of, "the end has to be later than the start"))
}

/// A day, as wide as any zone makes it: for taken time of which no zone is known.
pub(crate) fn widest_day(date: Date) -> Result<Span, Fault> {
    Ok(Zone::utc().day(date)?.padded(14 * HOUR_MS, 14 * HOUR_MS))
}

/// A reference to an actor; `None` when it is a form that names none of this server's records.
pub(crate) fn actor(reference: Value<'_>) -> Option<Actor> {
    reference.get_str("reference").and_then(|text| Actor::parse(&text))
}

/// The extensions of ours of a name.
pub(crate) fn ours<'a>(of: Value<'a>, name: &'static str) -> impl Iterator<Item = Value<'a>> {
    let all = of.get("extension").into_iter().flat_map(Value::items);
    all.filter(move |e| e.get_str("url").is_some_and(|url| url.strip_prefix(OURS) == Some(name)))
}

/// A part of an extension, by its short name.
pub(crate) fn part<'a>(of: Value<'a>, name: &str) -> Option<Value<'a>> {
    of.get("extension")
        .into_iter()
        .flat_map(Value::items)
        .find(|e| e.get_str("url").as_deref() == Some(name))
}
