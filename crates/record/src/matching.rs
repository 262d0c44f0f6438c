//! Whether two descriptions are of one person: a sum of weights, each the evidence of one comparison,
//! after I. P. Fellegi and A. B. Sunter (*A Theory for Record Linkage*, JASA 64, 1969). A weight is the
//! logarithm of how much likelier the outcome is when the two are one person; here in hundredths of
//! bits, as whole numbers, so that a score is the same on every machine.
//!
//! Pure: it sees two lists of features and nothing else, decides nothing and changes nothing. The
//! weights are data ([`WEIGHTS`]). They come from how common names, days and numbers are among a
//! million people and how often each is mistyped, rounded; not from anybody's records.

use crate::patients::each;
use fhir::Value;
use search::people::key::Facts;
use search::people::sound::sound;
use search::people::{nickname, squeeze, transposed};

/// What was compared, and how it came out: the reason that a person reads beside a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The family names are one.
    FamilySame,
    /// The family names sound alike.
    FamilySounds,
    /// The family names differ.
    FamilyDiffers,
    /// A given name is one.
    GivenSame,
    /// A given name is a form of the other.
    GivenNickname,
    /// Given names sound alike.
    GivenSounds,
    /// One is the first letter of the other.
    GivenInitial,
    /// The given names differ.
    GivenDiffers,
    /// Family and given name are exchanged.
    NamesSwapped,
    /// Born on one day.
    BornSame,
    /// Day and month of birth are exchanged.
    BornSwapped,
    /// One digit of the birth date differs.
    BornSlip,
    /// What is known of one birth date agrees with the other.
    BornAgrees,
    /// Born on different days.
    BornDiffers,
    /// The sex is the same.
    SexSame,
    /// The sex differs.
    SexDiffers,
    /// They share a phone.
    PhoneSame,
    /// They share an address.
    AddressSame,
    /// They share a phone and an address: one household, which counts as little more than one.
    HouseholdSame,
    /// They share a postal code.
    PostcodeSame,
    /// They share an identifier.
    IdentifierSame,
    /// They share an identifier as the people of one household do: name or day of birth say two. It stands
    /// for what else of a household they share.
    IdentifierShared,
    /// Of a number that a person has one of, they have two.
    IdentifierDiffers,
}

/// What each outcome weighs, in hundredths of bits, and how it is said.
pub const WEIGHTS: &[(Reason, i32, &str)] = &[
    (Reason::FamilySame, 650, "same family name"),
    (Reason::FamilySounds, 350, "family names sound alike"),
    (Reason::FamilyDiffers, -450, "different family name"),
    (Reason::GivenSame, 450, "same given name"),
    (Reason::GivenNickname, 350, "one given name is a form of the other"),
    (Reason::GivenSounds, 250, "given names sound alike"),
    (Reason::GivenInitial, 150, "one given name is the other's first letter"),
    (Reason::GivenDiffers, -900, "different given name"),
    (Reason::NamesSwapped, 800, "family and given name are exchanged"),
    (Reason::BornSame, 1300, "same date of birth"),
    (Reason::BornSwapped, 750, "day and month of birth are exchanged"),
    (Reason::BornSlip, 400, "dates of birth differ in one digit"),
    (Reason::BornAgrees, 300, "what is known of the dates of birth agrees"),
    (Reason::BornDiffers, -700, "different date of birth"),
    (Reason::SexSame, 80, "same sex"),
    (Reason::SexDiffers, -300, "different sex"),
    (Reason::PhoneSame, 650, "same phone number"),
    (Reason::AddressSame, 600, "same address"),
    (Reason::HouseholdSame, 900, "same phone number and address"),
    (Reason::PostcodeSame, 200, "same postal code"),
    (Reason::IdentifierSame, 1600, "same identifier"),
    (Reason::IdentifierShared, 950, "an identifier that a household may share"),
    (Reason::IdentifierDiffers, -900, "different social security number"),
];

/// From here on two are taken for one person until somebody looks: what is there is offered first.
pub(crate) const HIGH: i32 = 2100;
/// From here on both are shown side by side.
pub(crate) const MID: i32 = 1200;
/// From here on it is worth a line.
pub(crate) const LOW: i32 = 700;

/// The one number of which a person has one: <http://hl7.org/fhir/sid/us-ssn>.
const ONE_EACH: &str = "http://hl7.org/fhir/sid/us-ssn";
/// Digits of a phone that are compared, from the last.
const PHONE_DIGITS: usize = 10;
/// Values of one kind that are compared: a patient has a handful, and all are compared with all.
const VALUES_MAX: usize = 16;

/// What a score comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Worth a line.
    Low,
    /// To be looked at side by side.
    Mid,
    /// Taken for one person until somebody looks.
    High,
}

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// Hundredths of bits.
    pub weight: i32,
    /// What it is made of, in the order of [`Reason`].
    pub reasons: Vec<Reason>,
}

/// The lines of an address and its postal code, squeezed.
type Home = (String, String);

/// What is compared of a patient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Names, birth date, phones and identifiers, as finding has them.
    pub facts: Facts,
    born: Option<String>,
    sex: Option<String>,
    /// Lines and postal code, squeezed.
    addresses: Vec<Home>,
    /// System and value, without signs.
    identifiers: Vec<(String, String)>,
}

impl Reason {
    /// Hundredths of bits.
    pub fn weight(self) -> i32 {
        self.row().map_or(0, |row| row.1)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    fn row(self) -> Option<&'static (Self, i32, &'static str)> {
        WEIGHTS.iter().find(|row| row.0 == self)
    }
}

impl Score {
    /// What it comes to; `None` for what is not worth a line.
    pub const fn grade(&self) -> Option<Grade> {
        match self.weight {
            HIGH.. => Some(Grade::High),
            MID..HIGH => Some(Grade::Mid),
            LOW..MID => Some(Grade::Low),
            _ => None,
        }
    }
}

impl Features {
    /// Those of a Patient, whole or in part, valid or not yet.
    pub fn of(patient: Value<'_>) -> Self {
        let mut out = Self::default();
        for name in each(patient, "name").take(VALUES_MAX) {
            let family = name.get_str("family");
            let givens: Vec<_> = each(name, "given").filter_map(Value::as_str).collect();
            if let Some(text) =
                name.get_str("text").filter(|_| family.is_none() && givens.is_empty())
            {
                out.facts.text(&text);
            }
            family.iter().for_each(|family| out.facts.family(family));
            givens.iter().for_each(|given| out.facts.given(given));
        }
        out.born = patient.get_str("birthDate").map(|text| text.into_owned());
        let span = out.born.as_deref().and_then(fhir::date::parse);
        out.facts.born = span.map(|range| (range.low, range.high));
        out.born = out.born.filter(|_| out.facts.born.is_some());
        out.sex = patient.get_str("gender").map(|text| text.into_owned());
        for point in each(patient, "telecom").take(VALUES_MAX) {
            if point.get_str("system").is_some_and(|system| system == "phone")
                && let Some(value) = point.get_str("value")
            {
                out.facts.phone(&value);
            }
        }
        for address in each(patient, "address").take(VALUES_MAX) {
            let lines: Vec<_> = each(address, "line").filter_map(Value::as_str).collect();
            let code = address.get_str("postalCode").unwrap_or_default();
            // Nine digits are five and four more; the five are what people remember.
            let code: String = squeeze(&code).chars().take(5).collect();
            out.addresses.push((squeeze(&lines.concat()), code));
        }
        for identifier in each(patient, "identifier").take(VALUES_MAX) {
            let Some(value) = identifier.get_str("value") else { continue };
            let system = identifier.get_str("system").unwrap_or_default().into_owned();
            out.identifiers.push((system, squeeze(&value)));
            out.facts.identifiers.push(value.into_owned());
        }
        out.identifiers.retain(|(_, value)| !value.is_empty());
        out
    }
}

/// How likely two are one person. The same whichever comes first.
///
/// Evidence is added up as if each piece were independent, and what a household shares is not: parent and
/// child have one phone, one address and often one number of their insurance. So where the given name or
/// the day of birth says that they are two, such a number and the home together count once.
pub fn compare(one: &Features, other: &Features) -> Score {
    let mut reasons = names(&one.facts, &other.facts);
    reasons.extend(births(one, other));
    let two = [Reason::GivenDiffers, Reason::BornDiffers];
    let two = two.iter().filter(|reason| reasons.contains(reason)).count();
    reasons.extend(sexes(one, other));
    let number = numbers(one, other).map(|shared| match (shared, two) {
        // A number of which each person has one is shared by a slip alone, and a slip is not both a name
        // and a day.
        (Shared::Own, 0 | 1) | (Shared::Any, 0) => Reason::IdentifierSame,
        (Shared::Own | Shared::Any, _) => Reason::IdentifierShared,
        (Shared::Not, _) => Reason::IdentifierDiffers,
    });
    if number != Some(Reason::IdentifierShared) {
        reasons.extend(homes(one, other));
    }
    reasons.extend(number);
    reasons.sort_unstable();
    Score { weight: reasons.iter().map(|reason| reason.weight()).sum(), reasons }
}

/// What identifiers say of two.
enum Shared {
    /// One of which each person has one is the same.
    Own,
    /// Another is.
    Any,
    /// One of which each person has one differs, and no other is the same.
    Not,
}

fn names(one: &Facts, other: &Facts) -> Vec<Reason> {
    let family = families(&one.families, &other.families);
    let given = givens(&one.givens, &other.givens);
    let plain: i32 = family.iter().chain(&given).map(|reason| reason.weight()).sum();
    let swapped = share(&one.families, &other.givens) && share(&one.givens, &other.families);
    if swapped && plain < Reason::NamesSwapped.weight() {
        return vec![Reason::NamesSwapped];
    }
    family.into_iter().chain(given).collect()
}

fn families(one: &[String], other: &[String]) -> Option<Reason> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    Some(match () {
        () if share(one, other) => Reason::FamilySame,
        () if any(one, other, sound_alike) => Reason::FamilySounds,
        () => Reason::FamilyDiffers,
    })
}

fn givens(one: &[String], other: &[String]) -> Option<Reason> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let is_initial = |one: &str, other: &str| {
        one.chars().count().min(other.chars().count()) == 1
            && one.chars().next() == other.chars().next()
    };
    Some(match () {
        () if share(one, other) => Reason::GivenSame,
        () if any(one, other, nickname::are_related) => Reason::GivenNickname,
        () if any(one, other, sound_alike) => Reason::GivenSounds,
        () if any(one, other, is_initial) => Reason::GivenInitial,
        () => Reason::GivenDiffers,
    })
}

fn births(one: &Features, other: &Features) -> Option<Reason> {
    let (Some(a), Some(b)) = (one.facts.born, other.facts.born) else { return None };
    let (one, other) = (one.born.as_deref()?, other.born.as_deref()?);
    Some(match () {
        // A year that agrees is not a day that agrees.
        () if a == b && one.len() < DAY_CHARS => Reason::BornAgrees,
        () if a == b => Reason::BornSame,
        () if transposed(a) == Some(b) => Reason::BornSwapped,
        () if (a.0 <= b.0 && b.1 <= a.1) || (b.0 <= a.0 && a.1 <= b.1) => Reason::BornAgrees,
        () if is_slip(one, other) => Reason::BornSlip,
        () => Reason::BornDiffers,
    })
}

/// Characters of a date that is known to the day.
const DAY_CHARS: usize = 10;

fn is_slip(one: &str, other: &str) -> bool {
    let differ = one.bytes().zip(other.bytes()).filter(|(a, b)| a != b).count();
    one.len() == DAY_CHARS && other.len() == DAY_CHARS && differ == 1
}

fn sexes(one: &Features, other: &Features) -> Option<Reason> {
    let known = |sex: &Option<String>| sex.clone().filter(|sex| sex == "male" || sex == "female");
    let (one, other) = (known(&one.sex)?, known(&other.sex)?);
    Some(if one == other { Reason::SexSame } else { Reason::SexDiffers })
}

fn homes(one: &Features, other: &Features) -> Option<Reason> {
    let end = |phone: &String| phone.chars().rev().take(PHONE_DIGITS).collect::<String>();
    let ends = |facts: &Facts| facts.phones.iter().map(end).collect::<Vec<_>>();
    let phone = share(&ends(&one.facts), &ends(&other.facts));
    let pair = |is: fn(&Home, &Home) -> bool| {
        one.addresses.iter().any(|a| other.addresses.iter().any(|b| is(a, b)))
    };
    let address = pair(|a, b| !a.0.is_empty() && a == b);
    let postcode = pair(|a, b| !a.1.is_empty() && a.1 == b.1);
    match (phone, address, postcode) {
        (true, true, _) => Some(Reason::HouseholdSame),
        (true, false, _) => Some(Reason::PhoneSame),
        (false, true, _) => Some(Reason::AddressSame),
        (false, false, true) => Some(Reason::PostcodeSame),
        (false, false, false) => None,
    }
}

fn numbers(one: &Features, other: &Features) -> Option<Shared> {
    let known = |(system, value): &(String, String)| {
        // A number without a system is anybody's.
        let is_nothing = value.bytes().all(|b| b == b'0');
        !system.is_empty() && !is_nothing
    };
    let mine: Vec<_> = one.identifiers.iter().filter(|id| known(id)).collect();
    let theirs: Vec<_> = other.identifiers.iter().filter(|id| known(id)).collect();
    let same = || mine.iter().filter(|id| theirs.contains(id));
    if same().any(|id| id.0 == ONE_EACH) {
        return Some(Shared::Own);
    }
    if same().next().is_some() {
        return Some(Shared::Any);
    }
    let has_one = |ids: &[&(String, String)]| ids.iter().any(|id| id.0 == ONE_EACH);
    (has_one(&mine) && has_one(&theirs)).then_some(Shared::Not)
}

fn share(one: &[String], other: &[String]) -> bool {
    one.iter().any(|value| other.contains(value))
}

fn any(one: &[String], other: &[String], is: impl Fn(&str, &str) -> bool) -> bool {
    one.iter().any(|a| other.iter().any(|b| is(a, b)))
}

fn sound_alike(one: &str, other: &str) -> bool {
    sound(one).is_some_and(|key| sound(other) == Some(key))
}

#[cfg(test)]
mod tests;
