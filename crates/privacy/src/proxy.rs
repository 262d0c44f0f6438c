//! Who may act for a patient: personal representatives (45 CFR 164.502(g)), as a `RelatedPerson` tells
//! (<https://hl7.org/fhir/R4/relatedperson.html>). R4 says what somebody is to the patient and not by what
//! right they act, so the right and what it reaches are extensions on it: [`AUTHORITY`] and [`POWER`].
//!
//! A parent acts for a minor (164.502(g)(3)), and so until the patient is of age. A patient's death ends what
//! may be done for the living; whoever represents the estate acts from then on (164.502(g)(4)). Both follow
//! from what stands in the Patient whenever it is asked, and no job has to end it.

use crate::consent::span;
use base::Millis;
use base::time::{civil_from_days, days_from_civil, days_in_month};
use fhir::Value;
use std::borrow::Cow;

/// `RelatedPerson.extension`, with `valueCode`: one of [`Authority`].
pub const AUTHORITY: &str = "https://plummer.health/fhir/StructureDefinition/proxy-authority";
/// `RelatedPerson.extension`, with `valueCode`, repeated: each a [`Power`].
pub const POWER: &str = "https://plummer.health/fhir/StructureDefinition/proxy-power";
/// `RelatedPerson.extension`, with `valueString`: what was seen that proves the authority.
pub const EVIDENCE: &str = "https://plummer.health/fhir/StructureDefinition/proxy-evidence";

/// By what right somebody acts for a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// A parent of an unemancipated minor (164.502(g)(3)).
    Parent,
    /// A guardian whom a court appointed.
    Guardian,
    /// A power of attorney for health care.
    Attorney,
    /// Another personal representative: of an adult (164.502(g)(2)), of an estate (164.502(g)(4)).
    Representative,
}

impl Authority {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Parent, Self::Guardian, Self::Attorney, Self::Representative];

    /// Its code in records and forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Parent => "parent-of-minor",
            Self::Guardian => "guardian",
            Self::Attorney => "power-of-attorney",
            Self::Representative => "personal-representative",
        }
    }

    /// The authority of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// What somebody may do for a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Consents and refuses.
    Decide,
    /// Is told of the record, and has copies of it.
    Record,
    /// Books and moves visits.
    Visits,
}

impl Power {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Decide, Self::Record, Self::Visits];

    /// Its code in records and forms.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Record => "record",
            Self::Visits => "visits",
        }
    }

    /// The power of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }
}

/// The patient whom somebody acts for, as far as it bears on whether they may.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Whose<'s> {
    /// The date of birth, as FHIR writes it; empty when it is not known.
    pub born: String,
    /// When they died, as FHIR writes it, and empty when that is not known; none of the living.
    pub died: Option<String>,
    /// The state that the house is in, by whose law people are of age.
    pub state: Option<&'s str>,
}

/// It is about a person.
impl std::fmt::Debug for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Whose(‹phi›)")
    }
}

impl<'s> Whose<'s> {
    /// Reads a Patient.
    pub fn of(patient: Value<'_>, state: Option<&'s str>) -> Self {
        let dead = patient.get("deceasedBoolean").and_then(Value::as_bool) == Some(true);
        let day = patient.get("deceasedDateTime").map(|_| text(patient, "deceasedDateTime"));
        Self { born: text(patient, "birthDate"), died: day.or(dead.then(String::new)), state }
    }

    /// Whether they are not of age yet, as far as that is known.
    pub fn is_minor(&self, now: Millis) -> bool {
        let last = last_day_of_minority(&self.born, self.state);
        last.and_then(|last| fhir::date::parse(&last)).is_some_and(|last| now.0 <= last.high)
    }
}

/// Somebody who acts, or acted, for a patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Their name.
    pub name: String,
    /// What they are to the patient, in words.
    pub relationship: String,
    /// By what right they act.
    pub authority: Authority,
    /// What they may do.
    pub powers: Vec<Power>,
    /// What was seen that proves it.
    pub evidence: String,
    /// Their phone.
    pub phone: String,
    /// From when, as FHIR writes it; empty when it is not said.
    pub from: String,
    /// The last day, as FHIR writes it; empty when none is known.
    pub until: String,
    /// Whether they may act at the instant that was asked about.
    pub stands: bool,
}

/// It is about people.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxy(‹phi›)")
    }
}

impl Proxy {
    /// Reads a `RelatedPerson`; none for one who is related and does not act.
    pub fn read(related: Value<'_>, whose: &Whose<'_>, now: Millis) -> Option<Self> {
        let authority = codes(related, AUTHORITY).next();
        let authority = authority.as_deref().and_then(Authority::from_code)?;
        let bound = |name: &str| related.get("period").map(|one| text(one, name));
        let (from, mut until) =
            (bound("start").unwrap_or_default(), bound("end").unwrap_or_default());
        let mut stands = related.get("active").and_then(Value::as_bool) != Some(false)
            // A period that cannot be read is none that holds.
            && related.get("period").is_none_or(|period| {
                span(period).is_some_and(|(low, high)| low <= now.0 && now.0 <= high)
            });
        if authority == Authority::Parent {
            match last_day_of_minority(&whose.born, whose.state) {
                // A date is compared as text: each of a shorter one begins it.
                Some(last) if until.is_empty() || last < until => until = last,
                Some(_) => {}
                None => stands = false,
            }
            stands &= fhir::date::parse(&until).is_some_and(|last| now.0 <= last.high);
        }
        // Whose birth is not known may be a minor who comes of age unnoticed.
        stands &= !(authority == Authority::Guardian && lacks_end(&whose.born, &until));
        if let Some(died) = &whose.died
            && !(authority == Authority::Representative && is_of_estate(&from, died))
        {
            stands = false;
            let day = died.get(..10).unwrap_or(died);
            if !day.is_empty() && (until.is_empty() || day < until.as_str()) {
                until = day.to_owned();
            }
        }
        let powers = codes(related, POWER).filter_map(|code| Power::from_code(&code)).collect();
        let evidence = extensions(related, EVIDENCE).next();
        Some(Self {
            name: items(related, "name").next().map(name).unwrap_or_default(),
            relationship: items(related, "relationship").find_map(concept).unwrap_or_default(),
            authority,
            powers,
            evidence: evidence.map(|one| text(one, "valueString")).unwrap_or_default(),
            phone: items(related, "telecom")
                .next()
                .map(|one| text(one, "value"))
                .unwrap_or_default(),
            from,
            until,
            stands,
        })
    }

    /// Whether they may do something for the patient now.
    pub fn may(&self, power: Power) -> bool {
        self.stands && self.powers.contains(&power)
    }
}

/// Whether a guardian's authority needs an end and has none: nobody knows when the patient is of age.
pub fn lacks_end(born: &str, until: &str) -> bool {
    until.is_empty() && fhir::date::parse(born).is_none()
}

/// Whether somebody was put down since the patient died, and so for the estate: of a death whose day is
/// not known, that cannot be told.
fn is_of_estate(from: &str, died: &str) -> bool {
    let (from, died) = (fhir::date::parse(from), fhir::date::parse(died));
    from.zip(died).is_some_and(|(from, died)| from.high >= died.low)
}

/// States whose age of majority is not 18, in years; last checked in November 2026.
const MAJORITY: [(&str, i64); 3] = [
    // Ala. Code 26-1-1
    ("AL", 19),
    // Miss. Code 1-3-27
    ("MS", 21),
    // Neb. Rev. Stat. 43-2101
    ("NE", 19),
];

/// The years at which people are of age; 18 where nobody says which state it is, the earliest of all.
fn majority_years(state: Option<&str>) -> i64 {
    MAJORITY.iter().find(|(of, _)| Some(*of) == state).map_or(18, |(_, years)| *years)
}

/// The last day on which somebody is a minor, as FHIR writes it; none for a date of birth that is not known.
/// Of one that is known in part the earliest day counts, so that nobody of age is spoken for.
pub fn last_day_of_minority(born: &str, state: Option<&str>) -> Option<String> {
    const DAY_MS: i64 = 86_400_000;
    let born = fhir::date::parse(born)?;
    let (year, month, day) = civil_from_days(born.low.div_euclid(DAY_MS));
    let year = year + majority_years(state);
    // Who was born on the 29th of February is of age on the 28th where there is none.
    let of_age = days_from_civil(year, month, day.min(days_in_month(year, month)));
    let (year, month, day) = civil_from_days(of_age - 1);
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

fn items<'v>(value: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    value.get(name).into_iter().flat_map(Value::each)
}

fn extensions<'v>(
    value: Value<'v>,
    url: &'static str,
) -> impl Iterator<Item = Value<'v>> + use<'v> {
    items(value, "extension").filter(move |one| one.get_str("url").as_deref() == Some(url))
}

fn codes<'v>(value: Value<'v>, url: &'static str) -> impl Iterator<Item = String> + use<'v> {
    extensions(value, url).map(|one| text(one, "valueCode"))
}

fn text(value: Value<'_>, name: &str) -> String {
    value.get_str(name).map(Cow::into_owned).unwrap_or_default()
}

fn name(value: Value<'_>) -> String {
    let whole = text(value, "text");
    if !whole.is_empty() {
        return whole;
    }
    let given = items(value, "given").filter_map(|part| part.as_str().map(Cow::into_owned));
    let mut parts: Vec<String> = given.collect();
    parts.push(text(value, "family"));
    parts.join(" ").trim().to_owned()
}

fn concept(value: Value<'_>) -> Option<String> {
    let words = text(value, "text");
    let mut codings =
        items(value, "coding").flat_map(|one| [text(one, "display"), text(one, "code")]);
    Some(words).filter(|words| !words.is_empty()).or_else(|| codings.find(|one| !one.is_empty()))
}
