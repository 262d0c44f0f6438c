//! Confidential communications (45 CFR 164.522(b)): a patient asks to be reached in one way and not
//! in another, and every outbound channel obeys. This is the one place that tells how a patient may be
//! reached, and which ways are for nobody's eyes but those who keep them.
//!
//! FHIR R4 has no form for the request, so it is recorded where every reader meets it: on the
//! `ContactPoint` or `Address` itself, by our extension [`CONFIDENTIAL`]. `true` is "only this way",
//! `false` "never this way". Registration marks what is used *instead*: an address by `CONF`
//! ([`ADDRESS_USE`]) takes the place of all addresses, a phone or e-mail by [`CONFIDENTIAL_POINT`] that of
//! all phones and e-mails. No reason is kept, for none may be asked (164.522(b)(2)(iii)).

use crate::consent::span;
use base::Millis;
use fhir::Value;

/// The extension on `Patient.telecom` and `Patient.address`, with `valueBoolean`.
pub const CONFIDENTIAL: &str =
    "https://plummer.health/fhir/StructureDefinition/confidential-communication";
/// The extension on a phone or e-mail that is used instead of all others, with `valueBoolean`.
pub const CONFIDENTIAL_POINT: &str = "urn:plummer:confidential";
/// `Address.extension`, of which `CONF` is an address that is used instead of all others:
/// <http://hl7.org/fhir/StructureDefinition/iso21090-AD-use>.
pub const ADDRESS_USE: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-AD-use";
/// The code of a confidential address.
pub const CONFIDENTIAL_ADDRESS: &str = "CONF";

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
/// a request that cannot be read leaves its way out. A request stands even when the way that was asked
/// for is over: the others stay unused until the patient names another.
pub fn reach(patient: Value<'_>, now: Millis) -> Reach<'_> {
    let (telecom, addresses) = (ways(patient, "telecom"), ways(patient, "address"));
    let asked = |ways: &[Wished<'_>]| ways.iter().any(|(_, wish)| *wish != Wish::None);
    let has = |ways: &[Wished<'_>], of: Wish| ways.iter().any(|(_, wish)| *wish == of);
    let confidential = asked(&telecom) || asked(&addresses);
    let only = has(&telecom, Wish::Only) || has(&addresses, Wish::Only);
    let rank_of = |ways: &[Wished<'_>]| match (only, has(ways, Wish::Instead)) {
        (true, _) => Wish::Only,
        (false, true) => Wish::Instead,
        (false, false) => Wish::None,
    };
    let (points, places) = (rank_of(&telecom), rank_of(&addresses));
    Reach {
        telecom: kept(telecom, points, now),
        addresses: kept(addresses, places, now),
        confidential,
    }
}

/// Whether a way is for those alone who keep what is known of patients, and for the patient: one that was
/// asked for. A place that somebody must not know of is told by being shown.
pub fn is_confidential(way: Value<'_>) -> bool {
    marks(way).any(|mark| matches!(mark, Wish::Only | Wish::Instead))
}

/// What was asked of a way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    None,
    Never,
    Instead,
    Only,
}

type Wished<'a> = (Value<'a>, Wish);

fn ways<'a>(patient: Value<'a>, name: &str) -> Vec<Wished<'a>> {
    let all = patient.get(name).into_iter().flat_map(Value::each);
    all.map(|way| (way, wish(way))).collect()
}

fn kept(ways: Vec<Wished<'_>>, asked: Wish, now: Millis) -> Vec<Value<'_>> {
    let wished = |wish| if asked == Wish::None { wish != Wish::Never } else { wish == asked };
    let fits = |(way, wish): &Wished<'_>| wished(*wish) && usable(*way, now);
    let mut kept: Vec<_> = ways.into_iter().filter(fits).map(|(way, _)| way).collect();
    kept.sort_by_key(|way| rank(*way));
    kept
}

fn wish(way: Value<'_>) -> Wish {
    marks(way).fold(Wish::None, |found, mark| match (found, mark) {
        // Two that contradict each other: not this way.
        (Wish::Never, _) | (_, Wish::Never) => Wish::Never,
        (Wish::Only, _) | (_, Wish::Only) => Wish::Only,
        (_, mark) => mark,
    })
}

fn marks(way: Value<'_>) -> impl Iterator<Item = Wish> {
    way.get("extension").into_iter().flat_map(Value::each).filter_map(|extension| {
        let yes = || extension.get("valueBoolean").and_then(Value::as_bool).unwrap_or(false);
        match extension.get_str("url").as_deref() {
            Some(CONFIDENTIAL) if yes() => Some(Wish::Only),
            Some(CONFIDENTIAL) => Some(Wish::Never),
            Some(CONFIDENTIAL_POINT) if yes() => Some(Wish::Instead),
            Some(ADDRESS_USE) if code(extension) => Some(Wish::Instead),
            _ => None,
        }
    })
}

fn code(extension: Value<'_>) -> bool {
    extension.get_str("valueCode").as_deref() == Some(CONFIDENTIAL_ADDRESS)
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
