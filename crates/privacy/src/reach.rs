//! Confidential communications (45 CFR 164.522(b)): a patient asks to be reached in one way and not
//! in another, and every outbound channel obeys.
//!
//! FHIR R4 has no form for the request, so it is recorded where every reader meets it: on the
//! `ContactPoint` or `Address` itself, by our extension [`CONFIDENTIAL`]. `true` is "only this way",
//! `false` "never this way". No reason is kept, for none may be asked (164.522(b)(2)(iii)).

use crate::consent::span;
use base::Millis;
use fhir::Value;

/// The extension on `Patient.telecom` and `Patient.address`, with `valueBoolean`.
pub const CONFIDENTIAL: &str =
    "https://plummer.health/fhir/StructureDefinition/confidential-communication";

/// The ways to reach a patient that may be used, the preferred first.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach<'a> {
    /// `ContactPoint`s.
    pub telecom: Vec<Value<'a>>,
    /// Addresses.
    pub addresses: Vec<Value<'a>>,
    /// The patient asked for confidential communications: what is not listed must not be used, not
    /// even when the list is empty.
    pub confidential: bool,
}

/// How a patient may be reached at an instant. Whatever is old, or whose end has come, is left out;
/// a request that cannot be read leaves its way out.
pub fn reach(patient: Value<'_>, now: Millis) -> Reach<'_> {
    let (telecom, addresses) = (ways(patient, "telecom"), ways(patient, "address"));
    let asked = |ways: &[Wished<'_>]| ways.iter().any(|(_, wish)| wish.is_some());
    let confidential = asked(&telecom) || asked(&addresses);
    let only = telecom.iter().chain(&addresses).any(|(_, wish)| *wish == Some(true));
    Reach { telecom: kept(telecom, only, now), addresses: kept(addresses, only, now), confidential }
}

type Wished<'a> = (Value<'a>, Option<bool>);

fn ways<'a>(patient: Value<'a>, name: &str) -> Vec<Wished<'a>> {
    let all = patient.get(name).into_iter().flat_map(Value::each);
    all.map(|way| (way, wish(way))).collect()
}

fn kept(ways: Vec<Wished<'_>>, only: bool, now: Millis) -> Vec<Value<'_>> {
    let wished = |wish| if only { wish == Some(true) } else { wish != Some(false) };
    let fits = |(way, wish): &Wished<'_>| wished(*wish) && usable(*way, now);
    let mut kept: Vec<_> = ways.into_iter().filter(fits).map(|(way, _)| way).collect();
    kept.sort_by_key(|way| rank(*way));
    kept
}

fn wish(way: Value<'_>) -> Option<bool> {
    let extensions = way.get("extension").into_iter().flat_map(Value::each);
    let mut wishes = extensions
        .filter(|extension| extension.get_str("url").is_some_and(|url| url == CONFIDENTIAL))
        .map(|extension| extension.get("valueBoolean").and_then(Value::as_bool).unwrap_or(false));
    // Two that contradict each other: not this way.
    let first = wishes.next()?;
    Some(wishes.fold(first, |all, one| all && one))
}

fn usable(way: Value<'_>, now: Millis) -> bool {
    let old = way.get_str("use").is_some_and(|use_| use_ == "old");
    let within = way
        .get("period")
        .is_none_or(|period| span(period).is_some_and(|(low, high)| low <= now.0 && now.0 <= high));
    !old && within
}

fn rank(way: Value<'_>) -> u32 {
    way.get("rank").and_then(Value::as_number).and_then(|n| n.parse().ok()).unwrap_or(u32::MAX)
}
