//! A patient as pages show one, read out of a FHIR Patient (<https://hl7.org/fhir/R4/patient.html>). What
//! is not in the record is not there: pages say "Not known", and never guess.

use crate::words::{self, Word};
use base::{Fault, Limits, Millis};
use fhir::{Document, Value};
use record::contact::{self, is_confidential};
use record::{Hit, PatientRow};
use registration::merge::{Link, links};
use std::borrow::Cow;

/// A patient.
#[derive(Clone, Default)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) family: String,
    pub(crate) given: Vec<String>,
    /// The name as a whole, where its parts are not known.
    pub(crate) whole: String,
    pub(crate) born: String,
    pub(crate) gender: String,
    /// The instant, or only that it is so.
    pub(crate) died: Option<String>,
    pub(crate) is_active: bool,
    pub(crate) identifiers: Vec<Identifier>,
    pub(crate) telecom: Vec<Contact>,
    pub(crate) addresses: Vec<String>,
    /// Addresses and numbers that only those may read who keep them (45 CFR 164.522(b)).
    pub(crate) confidential: Vec<String>,
    /// The records it is merged with.
    pub(crate) links: Vec<(Link, String)>,
    pub(crate) languages: Vec<String>,
    pub(crate) marital: String,
    pub(crate) relatives: Vec<Relative>,
    /// A picture that stands in the record itself, as an address of data.
    pub(crate) photo: Option<String>,
}

/// A number that somebody is known by.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// What kind it is, in words; empty when that is not said.
    pub(crate) kind: String,
    pub(crate) value: String,
    /// It is the number of the medical record.
    pub(crate) is_record_number: bool,
}

/// A way to reach somebody.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) system: String,
    pub(crate) usage: String,
    pub(crate) value: String,
}

/// The ways to reach somebody that may be used now, the preferred first (45 CFR 164.522(b)).
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Ways {
    /// Phones.
    pub(crate) phones: Vec<String>,
    /// They take the place of others, and are for nobody's eyes but those who keep them.
    pub(crate) is_phone_secret: bool,
    pub(crate) addresses: Vec<String>,
    pub(crate) is_address_secret: bool,
}

/// Somebody to be reached for the patient.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) name: String,
    pub(crate) relation: String,
    pub(crate) telecom: Vec<Contact>,
}

/// They are about a person.
macro_rules! private {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}
private!(Person, Identifier, Contact, Relative, Ways);

impl Person {
    /// Reads a Patient.
    ///
    /// # Errors
    /// When the stored text is no JSON.
    pub(crate) fn read(hit: &Hit) -> Result<Self, Fault> {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        let mut person = Self::of(document.root());
        person.id.clone_from(&hit.id);
        person.version = hit.version;
        Ok(person)
    }

    /// As far as a line of a find box tells.
    pub(crate) fn of_row(row: &PatientRow) -> Self {
        let numbers = row.identifiers.iter().map(|one| Identifier {
            kind: one.kind.clone().unwrap_or_default(),
            value: one.value.clone(),
            is_record_number: one.kind.as_deref() == Some("MR"),
        });
        Self {
            id: row.id.clone(),
            version: row.version,
            family: row.family.clone().unwrap_or_default(),
            given: row.given.iter().cloned().collect(),
            whole: row.name.clone().unwrap_or_default(),
            born: row.born.clone().unwrap_or_default(),
            gender: row.sex.clone().unwrap_or_default(),
            died: row.deceased.then(String::new),
            is_active: row.active,
            identifiers: numbers.collect(),
            ..Self::default()
        }
    }

    fn of(root: Value<'_>) -> Self {
        let name = best_name(root);
        Self {
            family: name.map(|name| text(name, "family")).unwrap_or_default(),
            given: name.map(given).unwrap_or_default(),
            whole: name.map(|name| text(name, "text")).unwrap_or_default(),
            born: text(root, "birthDate"),
            gender: text(root, "gender"),
            died: died(root),
            is_active: root.get("active").and_then(Value::as_bool) != Some(false),
            identifiers: list(root, "identifier").filter_map(identifier).collect(),
            telecom: contacts(root),
            addresses: list(root, "address")
                .filter(|one| !is_confidential(*one))
                .filter_map(address)
                .collect(),
            confidential: confidential(root),
            links: links(root),
            languages: list(root, "communication")
                .filter_map(|c| concept(c.get("language")?))
                .collect(),
            marital: root.get("maritalStatus").and_then(concept).unwrap_or_default(),
            relatives: list(root, "contact").map(relative).collect(),
            photo: photo(root),
            ..Self::default()
        }
    }

    /// `FAMILY, Given`: as banners and lists show it (NHS Common User Interface).
    pub(crate) fn name(&self) -> Option<String> {
        let given = self.given.join(" ");
        match (self.family.is_empty(), given.is_empty()) {
            (false, false) => Some(format!("{}, {given}", self.family.to_uppercase())),
            (false, true) => Some(self.family.to_uppercase()),
            (true, false) => Some(given),
            (true, true) => (!self.whole.is_empty()).then(|| self.whole.clone()),
        }
    }

    /// What stands in the place of a picture.
    pub(crate) fn initials(&self) -> String {
        let first = |text: &str| text.chars().next().map(|c| c.to_uppercase().to_string());
        let given = self.given.first().and_then(|given| first(given));
        [given, first(&self.family)].into_iter().flatten().collect()
    }

    /// The number of the medical record, else the first number there is.
    pub(crate) fn record_number(&self) -> Option<&Identifier> {
        let own = self.identifiers.iter().find(|one| one.is_record_number);
        own.or_else(|| self.identifiers.first())
    }
}

impl Ways {
    /// Reads a Patient, by the one rule that reminders go by as well.
    ///
    /// # Errors
    /// When the stored text is no JSON.
    pub(crate) fn read(hit: &Hit, now: Millis) -> Result<Self, Fault> {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        let root = document.root();
        let reach = contact::reach(root, now);
        let phones = reach.telecom.iter().filter(|one| text(**one, "system") != "email");
        // What was asked for and is over is replaced by nothing.
        let is_secret = |name: &str| list(root, name).any(is_confidential);
        Ok(Self {
            phones: phones.map(|one| text(*one, "value")).filter(|v| !v.is_empty()).collect(),
            is_phone_secret: is_secret("telecom"),
            addresses: reach.addresses.iter().filter_map(|one| address(*one)).collect(),
            is_address_secret: is_secret("address"),
        })
    }
}

/// What an administrative gender is called; `None` for what tells nothing
/// (<https://hl7.org/fhir/R4/valueset-administrative-gender.html>).
pub fn gender(code: &str) -> Option<Word> {
    match code {
        "female" => Some(words::FEMALE),
        "male" => Some(words::MALE),
        "other" => Some(words::OTHER_GENDER),
        _ => None,
    }
}

/// The text of a concept: its words, else those of a coding, else its code.
pub(crate) fn concept(value: Value<'_>) -> Option<String> {
    let words = text(value, "text");
    if !words.is_empty() {
        return Some(words);
    }
    list(value, "coding").find_map(|coding| {
        let shown = text(coding, "display");
        let shown = if shown.is_empty() { text(coding, "code") } else { shown };
        (!shown.is_empty()).then_some(shown)
    })
}

/// The text of a member; empty when there is none.
pub(crate) fn text(value: Value<'_>, name: &str) -> String {
    value.get_str(name).map(Cow::into_owned).unwrap_or_default()
}

/// The items of a member that is a list.
pub(crate) fn list<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// The name in use: the usual one, else the official, else the first that is not old.
fn best_name(root: Value<'_>) -> Option<Value<'_>> {
    let of = |usage: &str| list(root, "name").find(|name| text(*name, "use") == usage);
    let current =
        || list(root, "name").find(|name| !matches!(&*text(*name, "use"), "old" | "maiden"));
    of("official").or_else(|| of("usual")).or_else(current).or_else(|| list(root, "name").next())
}

fn given(name: Value<'_>) -> Vec<String> {
    list(name, "given").filter_map(|part| part.as_text().map(Cow::into_owned)).collect()
}

fn died(root: Value<'_>) -> Option<String> {
    let when = text(root, "deceasedDateTime");
    let is = root.get("deceasedBoolean").and_then(Value::as_bool) == Some(true);
    (is || !when.is_empty()).then_some(when)
}

fn identifier(value: Value<'_>) -> Option<Identifier> {
    let kind = value.get("type");
    let is_record_number =
        kind.is_some_and(|kind| list(kind, "coding").any(|coding| text(coding, "code") == "MR"));
    let number = text(value, "value");
    let kind = kind.and_then(concept).unwrap_or_default();
    (!number.is_empty()).then_some(Identifier { kind, value: number, is_record_number })
}

fn contacts(value: Value<'_>) -> Vec<Contact> {
    list(value, "telecom")
        .filter(|one| !is_confidential(*one))
        .map(|one| Contact {
            system: text(one, "system"),
            usage: text(one, "use"),
            value: text(one, "value"),
        })
        .filter(|one| !one.value.is_empty() && one.usage != "old")
        .collect()
}

/// The first picture, when it is small enough to stand in every page and of a kind that browsers show.
fn photo(root: Value<'_>) -> Option<String> {
    /// Letters of a picture: 36 kB, as a banner needs it.
    const LETTERS_MAX: usize = 48 << 10;
    let first = list(root, "photo").next()?;
    let (kind, data) = (text(first, "contentType"), text(first, "data"));
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
    let fits = matches!(kind.as_str(), "image/png" | "image/jpeg" | "image/webp")
        && (1..=LETTERS_MAX).contains(&data.len())
        && data.bytes().all(is_plain);
    fits.then(|| format!("data:{kind};base64,{data}"))
}

fn address(value: Value<'_>) -> Option<String> {
    if text(value, "use") == "old" {
        return None;
    }
    let lines = list(value, "line").filter_map(|line| line.as_text().map(Cow::into_owned));
    let place = [text(value, "city"), text(value, "state")];
    let place: Vec<_> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let place = format!("{} {}", place.join(", "), text(value, "postalCode"));
    let mut all: Vec<String> = lines.collect();
    all.extend([place.trim().to_owned(), text(value, "country")]);
    let all: Vec<_> = all.into_iter().filter(|part| !part.is_empty()).collect();
    let whole = if all.is_empty() { text(value, "text") } else { all.join(", ") };
    (!whole.is_empty()).then_some(whole)
}

fn confidential(root: Value<'_>) -> Vec<String> {
    let addresses = list(root, "address").filter(|one| is_confidential(*one));
    let phones = list(root, "telecom").filter(|one| is_confidential(*one));
    let phones = phones.map(|one| text(one, "value")).filter(|value| !value.is_empty());
    addresses.filter_map(address).chain(phones).collect()
}

/// A `HumanName` as it is said: the given names, then the family's.
pub(crate) fn said_name(name: Value<'_>) -> String {
    let mut parts = given(name);
    parts.push(text(name, "family"));
    let joined = parts.join(" ").trim().to_owned();
    if joined.is_empty() { text(name, "text") } else { joined }
}

fn relative(value: Value<'_>) -> Relative {
    Relative {
        name: value.get("name").map(said_name).unwrap_or_default(),
        relation: list(value, "relationship").find_map(concept).unwrap_or_default(),
        telecom: contacts(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Person {
        let document = Document::parse(json.as_bytes().to_vec(), &Limits::default()).expect("JSON");
        Person::of(document.root())
    }

    #[test]
    fn a_name_is_the_family_in_capitals_and_the_given_names_behind_it() {
        let ada = read(
            r#"{"name":[{"use":"old","family":"Byron"},{"use":"official","family":"Lovelace","given":["Ada","King"]}],"birthDate":"1815-12-10"}"#,
        );
        assert_eq!(ada.name().as_deref(), Some("LOVELACE, Ada King"));
        assert_eq!(ada.initials(), "AL");
        assert_eq!(
            read(r#"{"name":[{"text":"Baby of Ada"}]}"#).name().as_deref(),
            Some("Baby of Ada")
        );
        assert_eq!(read("{}").name(), None);
        assert_eq!(format!("{ada:?}"), "Person");
    }

    #[test]
    fn what_is_not_in_the_record_is_not_there() {
        let nobody = read("{}");
        assert!(nobody.born.is_empty() && nobody.gender.is_empty() && nobody.died.is_none());
        assert!(nobody.record_number().is_none() && nobody.telecom.is_empty() && nobody.is_active);
    }

    #[test]
    fn the_record_number_is_told_from_other_numbers() {
        let ada = read(
            r#"{"identifier":[{"value":"H1"},{"type":{"coding":[{"code":"MR"}],"text":"MRN"},"value":"L1"}],"deceasedBoolean":true,"active":false}"#,
        );
        assert_eq!(ada.record_number().map(|one| one.value.as_str()), Some("L1"));
        assert_eq!((ada.died.as_deref(), ada.is_active), (Some(""), false));
    }

    #[test]
    fn old_ways_to_reach_somebody_are_not_shown() {
        let ada = read(
            r#"{"telecom":[{"system":"phone","use":"old","value":"1"},{"system":"phone","value":"2"}],"address":[{"use":"old","city":"A"},{"line":["1 Main St"],"city":"Lund","state":"WI","postalCode":"53703"}]}"#,
        );
        assert_eq!(ada.telecom.len(), 1);
        assert_eq!(ada.addresses, ["1 Main St, Lund, WI 53703"]);
    }

    proptest! {
        #[test]
        fn any_names_can_be_shown(family in "\\PC{0,12}", given in "\\PC{0,12}") {
            let person = Person { family, given: vec![given], ..Person::default() };
            let _ = (person.name(), person.initials());
        }
    }
}
