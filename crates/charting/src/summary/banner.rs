//! Who the patient is, as the banner over every page of the chart says it: names by their use, birth
//! with the precision that is known, sex, identifiers, language, and where not to write to. The order of
//! a name (FAMILY, Given) and "Not known" for what is not are of the NHS common user interface
//! (PAB-0019, PAB-0042).

use crate::read::{Concept, Named, concept, each, extension, hidden, text, when};
use base::Millis;
use base::time::{civil_from_days, days_in_month};
use fhir::Value;
use fhir::date::{Precision, parse};
use record::Hit;

const INTERPRETER: &str = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired";
const ADDRESS_USE: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-AD-use";
const BIRTH_SEX: &str = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex";
const DAY_MS: i64 = 86_400_000;

/// One name of a patient.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Name {
    /// `official`, `usual`, `nickname`, `maiden` …; empty when not said.
    pub usage: String,
    /// Family name.
    pub family: String,
    /// Given names.
    pub given: Vec<String>,
    /// The name as a whole, where the record has it so.
    pub whole: String,
    /// It is not in use any more.
    pub old: bool,
}

/// How old somebody is, in the unit that says most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Years, from two on.
    Years(i64),
    /// Whole months, from two months on.
    Months(i64),
    /// Days, for the newborn.
    Days(i64),
    /// Years, of whom the month or day of birth is not known: it may be one less.
    About(i64),
}

/// When somebody was born.
#[derive(Clone, PartialEq, Eq)]
pub struct Born {
    /// The date as recorded: a year, a month or a day.
    pub date: String,
    /// The age now, or at death.
    pub age: Option<Age>,
}

/// Whether somebody died.
#[derive(Clone, PartialEq, Eq)]
pub enum Deceased {
    /// It is not recorded.
    NotRecorded,
    /// No.
    No,
    /// Yes, at a date where it is known.
    Yes(Option<String>),
}

/// A number by which somebody is known.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Identifier {
    /// What kind: `Medical record number`; empty when not said.
    pub kind: String,
    /// Its system.
    pub system: String,
    /// The number.
    pub value: String,
    /// It is not in use any more.
    pub old: bool,
}

/// A picture, by where it is.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Photo {
    /// Its media type.
    pub content_type: String,
    /// Its address, when it is kept elsewhere.
    pub url: String,
    /// It stands in the Patient itself (`Patient.photo[i].data`), at this index.
    pub inline: Option<usize>,
}

/// Where somebody lives or is written to.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// `home`, `work`, `temp`, `old`, `billing`; empty when not said.
    pub usage: String,
    /// Its lines, with city, state and postal code.
    pub lines: Vec<String>,
    /// The patient asked for confidential communication (45 CFR 164.522(b)): it is shown to nobody who
    /// stands beside the screen.
    pub confidential: bool,
}

/// Who the patient is.
#[derive(Clone, Default)]
pub struct Banner {
    /// The logical id.
    pub id: String,
    /// The version read.
    pub version: u64,
    /// `FAMILY, Given`; empty when no name is recorded.
    pub display: String,
    /// All names, those in use first.
    pub names: Vec<Name>,
    /// When born, where recorded.
    pub born: Option<Born>,
    /// Whether dead; `None` stands for not recorded.
    pub deceased: Option<Deceased>,
    /// Administrative gender.
    pub gender: String,
    /// Sex at birth, where recorded.
    pub birth_sex: String,
    /// Numbers, those in use first.
    pub identifiers: Vec<Identifier>,
    /// A picture.
    pub photo: Option<Photo>,
    /// Languages; the preferred first.
    pub languages: Vec<Concept>,
    /// Whether an interpreter is needed, where recorded.
    pub interpreter: Option<bool>,
    /// Addresses in use.
    pub addresses: Vec<Address>,
    /// General practitioners, with their names where the caller may see them.
    pub general_practitioners: Vec<Named>,
    /// The record is not in use any more (`Patient.active` is false).
    pub inactive: bool,
    /// It was merged: the record that took its place.
    pub replaced_by: Option<String>,
}

hidden!(Name, Born, Deceased, Identifier, Photo, Address, Banner);

impl Banner {
    /// Reads a Patient, as of an instant.
    pub(crate) fn of(hit: &Hit, root: Value<'_>, now: Millis) -> Self {
        let mut names: Vec<Name> = each(root, "name").map(|one| name(one, now)).collect();
        let rank = |name: &Name| match (name.old, name.usage.as_str()) {
            (true, _) => 3,
            (false, "official") => 0,
            (false, "usual" | "") => 1,
            (false, _) => 2,
        };
        names.sort_by_key(rank);
        let deceased = deceased(root);
        let until = match &deceased {
            Deceased::Yes(Some(date)) => parse(date).map(|range| Millis(range.low)),
            _ => None,
        };
        let born = root
            .get_str("birthDate")
            .map(|date| Born { age: age(&date, until.unwrap_or(now)), date: date.into_owned() });
        let mut identifiers: Vec<Identifier> = each(root, "identifier").map(identifier).collect();
        identifiers.sort_by_key(|one| one.old);
        let mut languages: Vec<(bool, Concept)> = each(root, "communication")
            .map(|one| {
                let preferred = one.get("preferred").and_then(Value::as_bool).unwrap_or(false);
                (!preferred, concept(one, "language"))
            })
            .collect();
        languages.sort_by_key(|(later, _)| *later);
        let replaced_by = each(root, "link")
            .find(|one| one.get_str("type").as_deref() == Some("replaced-by"))
            .and_then(|one| Some(text(one.get("other")?, "reference")));
        Self {
            id: hit.id.clone(),
            version: hit.version,
            display: names.first().map(Name::shown).unwrap_or_default(),
            names,
            born,
            deceased: Some(deceased),
            gender: text(root, "gender"),
            birth_sex: extension(root, BIRTH_SEX, "valueCode")
                .and_then(Value::as_str)
                .map(|code| code.into_owned())
                .unwrap_or_default(),
            identifiers,
            photo: photo(root),
            languages: languages.into_iter().map(|(_, language)| language).collect(),
            interpreter: extension(root, INTERPRETER, "valueBoolean").and_then(Value::as_bool),
            addresses: each(root, "address")
                .filter(|one| text(*one, "use") != "old")
                .map(address)
                .collect(),
            general_practitioners: each(root, "generalPractitioner").map(Named::of).collect(),
            inactive: root.get("active").and_then(Value::as_bool) == Some(false),
            replaced_by,
        }
    }
}

impl Name {
    /// `FAMILY, Given`, or the whole name where no parts are recorded.
    pub fn shown(&self) -> String {
        let given = self.given.join(" ");
        match (self.family.is_empty(), given.is_empty()) {
            (false, false) => format!("{}, {given}", self.family.to_uppercase()),
            (false, true) => self.family.to_uppercase(),
            (true, false) => given,
            (true, true) => self.whole.clone(),
        }
    }
}

fn name(value: Value<'_>, now: Millis) -> Name {
    let usage = text(value, "use");
    let ended = value.get("period").map(|period| when(period, &["end"])).unwrap_or_default();
    let over = parse(&ended).is_some_and(|range| range.high < now.0);
    Name {
        old: over || matches!(usage.as_str(), "old" | "maiden"),
        usage,
        family: text(value, "family"),
        given: each(value, "given").filter_map(Value::as_str).map(|one| one.into_owned()).collect(),
        whole: text(value, "text"),
    }
}

fn deceased(root: Value<'_>) -> Deceased {
    if let Some(date) = root.get_str("deceasedDateTime") {
        return Deceased::Yes(Some(date.into_owned()));
    }
    match root.get("deceasedBoolean").and_then(Value::as_bool) {
        Some(true) => Deceased::Yes(None),
        Some(false) => Deceased::No,
        None => Deceased::NotRecorded,
    }
}

fn identifier(value: Value<'_>) -> Identifier {
    Identifier {
        kind: concept(value, "type").text,
        system: text(value, "system"),
        value: text(value, "value"),
        old: text(value, "use") == "old",
    }
}

fn photo(root: Value<'_>) -> Option<Photo> {
    let (index, first) = each(root, "photo").enumerate().next()?;
    Some(Photo {
        content_type: text(first, "contentType"),
        url: text(first, "url"),
        inline: first.get("data").map(|_| index),
    })
}

fn address(value: Value<'_>) -> Address {
    let mut lines: Vec<String> =
        each(value, "line").filter_map(Value::as_str).map(|line| line.into_owned()).collect();
    let place: Vec<String> = ["city", "state", "postalCode", "country"]
        .iter()
        .map(|part| text(value, part))
        .filter(|part| !part.is_empty())
        .collect();
    if !place.is_empty() {
        lines.push(place.join(" "));
    }
    if lines.is_empty() {
        lines.extend(Some(text(value, "text")).filter(|whole| !whole.is_empty()));
    }
    let marked = extension(value, ADDRESS_USE, "valueCode").and_then(Value::as_str);
    Address { usage: text(value, "use"), lines, confidential: marked.as_deref() == Some("CONF") }
}

/// The age at an instant of somebody born on a date; `None` for a date that lies ahead, or is none.
pub fn age(born: &str, at: Millis) -> Option<Age> {
    let range = parse(born)?;
    if range.low > at.0 {
        return None;
    }
    let day_of = |ms: i64| civil_from_days(ms.div_euclid(DAY_MS));
    let ((y0, m0, d0), (y1, m1, d1)) = (day_of(range.low), day_of(at.0));
    if range.precision == Precision::Year {
        return Some(Age::About(y1 - y0));
    }
    // Who was born on the 31st is a month older on the last day of a shorter month.
    let whole = d1 >= d0.min(days_in_month(y1, m1));
    let months = (y1 - y0) * 12 + (m1 - m0) - i64::from(!whole);
    if range.precision == Precision::Month {
        return Some(Age::About(months.max(0) / 12));
    }
    Some(match months {
        0 | 1 => Age::Days((at.0 - range.low).div_euclid(DAY_MS)),
        2..=23 => Age::Months(months),
        _ => Age::Years(months / 12),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::time::days_from_civil;

    fn at(year: i64, month: i64, day: i64) -> Millis {
        Millis(days_from_civil(year, month, day) * DAY_MS + 3_600_000)
    }

    #[test]
    fn an_age_is_told_in_the_unit_that_says_most() {
        assert_eq!(age("1985-11-23", at(2026, 11, 22)), Some(Age::Years(40)));
        assert_eq!(age("1985-11-23", at(2026, 11, 23)), Some(Age::Years(41)));
        assert_eq!(age("2026-01-31", at(2026, 4, 30)), Some(Age::Months(3)));
        assert_eq!(age("2026-11-20", at(2026, 11, 23)), Some(Age::Days(3)));
        assert_eq!(age("2027-01-01", at(2026, 11, 23)), None, "born tomorrow");
    }

    #[test]
    fn an_age_is_no_more_exact_than_the_birth() {
        assert_eq!(age("1985", at(2026, 11, 23)), Some(Age::About(41)));
        assert_eq!(age("1985-12", at(2026, 11, 23)), Some(Age::About(40)));
        assert_eq!(age("nonsense", at(2026, 11, 23)), None);
    }
}
