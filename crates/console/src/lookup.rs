//! What was typed into the find box, understood; and the patients it finds. A text may hold a name, a
//! date of birth in any form, a record number and a phone number, in any order: all of them have to
//! hold. [`find_people`] is the one place that asks the record.

use crate::booking::type_id;
use crate::days;
use crate::person::Person;
use base::Fault;
use jiff::civil::Date;
use record::{Level, SearchHow, Session};
use search::parse::escaped;

/// Patients shown at once: who is not among the first twenty is found by typing more.
pub(crate) const SHOWN_MAX: usize = 20;
/// Characters of a text that are looked at: no name and date together are longer.
const TYPED_MAX: usize = 120;
/// Parts of a name that are looked for.
const NAMES_MAX: usize = 4;
/// Digits that a phone number has at least.
const PHONE_MIN: usize = 7;

/// A text, understood.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// Beginnings of names.
    pub(crate) names: Vec<String>,
    /// The days of birth it can mean: any of them.
    pub(crate) born: Vec<Date>,
    /// A number that somebody is known by.
    pub(crate) number: Option<String>,
    /// The digits of a phone number.
    pub(crate) phone: Option<String>,
}

/// It is about a person.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

/// Patients that were found.
#[derive(Debug, Default)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
    /// There are more than are shown.
    pub(crate) more: bool,
}

impl Asked {
    /// Understands a text.
    pub(crate) fn of(text: &str, today: Date) -> Self {
        let text: String = text.chars().take(TYPED_MAX).collect();
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let mut asked = Self::default();
        asked.take_born(&mut words, today);
        let mut digits = String::new();
        for word in words {
            let word = word.trim_matches(|c: char| c == ',' || c == ';');
            let bare = word.trim_start_matches('#');
            let count = bare.chars().filter(char::is_ascii_digit).count();
            let is_phone =
                count > 0 && bare.chars().all(|c| c.is_ascii_digit() || "()+-./".contains(c));
            if is_phone && word == bare {
                digits.extend(bare.chars().filter(char::is_ascii_digit));
            } else if count > 0 {
                asked.number = Some(bare.to_owned());
            } else if bare.chars().any(char::is_alphabetic) && asked.names.len() < NAMES_MAX {
                asked.names.push(bare.to_owned());
            }
        }
        if digits.len() >= PHONE_MIN {
            asked.phone = Some(digits.clone());
        }
        // What is digits alone may be a record number as well.
        if asked.number.is_none() && !digits.is_empty() {
            asked.number = Some(digits);
        }
        asked
    }

    /// Takes out what reads as a day, whether it is one word or three.
    fn take_born(&mut self, words: &mut Vec<&str>, today: Date) {
        for length in [3, 1] {
            for at in 0..words.len().saturating_sub(length - 1) {
                let Some(part) = words.get(at..at + length) else { continue };
                let days = days::typed(&part.join(" "), today);
                if !days.is_empty() {
                    self.born = days;
                    words.drain(at..at + length);
                    return;
                }
            }
        }
    }

    /// Whether there is nothing to look for.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The searches that together find whom the text means: a number is a record number or a phone.
    fn searches(&self) -> Vec<Vec<(String, String)>> {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let mut common: Vec<_> = self.names.iter().map(|n| pair("name", escaped(n))).collect();
        if !self.born.is_empty() {
            let days: Vec<_> = self.born.iter().map(ToString::to_string).collect();
            common.push(pair("birthdate", days.join(",")));
        }
        let number = self.number.as_ref().map(|number| pair("identifier", escaped(number)));
        let phone = self.phone.as_ref().map(|digits| pair("phone", phones(digits).join(",")));
        let mut all: Vec<Vec<_>> = [number, phone]
            .into_iter()
            .flatten()
            .map(|last| common.iter().cloned().chain([last]).collect())
            .collect();
        if all.is_empty() && !common.is_empty() {
            all.push(common);
        }
        all
    }
}

/// The patients whom a text means, under the caller's own scope, the names in order.
///
/// # Errors
/// As of any search.
pub(crate) fn find_people(session: &Session, asked: &Asked) -> Result<People, Fault> {
    let mut found = People::default();
    let level = || Ok::<_, Fault>(Level::Type(type_id("Patient")?));
    for mut pairs in asked.searches() {
        pairs.push(("_count".to_owned(), SHOWN_MAX.to_string()));
        pairs.push(("_sort".to_owned(), "family,given,birthdate".to_owned()));
        let page = session.search(level()?, pairs, &SearchHow::default())?.wait()?;
        found.more |= page.next.is_some();
        for hit in &page.page.matches {
            if found.people.len() < SHOWN_MAX && found.people.iter().all(|one| one.id != hit.id) {
                found.people.push(Person::read(hit)?);
            }
        }
    }
    Ok(found)
}

/// How a phone number may stand in a record: token search holds a whole value to another.
fn phones(digits: &str) -> Vec<String> {
    let national = digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(digits);
    let mut all = vec![digits.to_owned()];
    if let (10, Some(area), Some(middle), Some(last)) =
        (national.len(), national.get(..3), national.get(3..6), national.get(6..))
    {
        all.extend([
            format!("({area}) {middle}-{last}"),
            format!("{area}-{middle}-{last}"),
            format!("+1{national}"),
            format!("+1 {area} {middle} {last}"),
            format!("+1-{area}-{middle}-{last}"),
            format!("1-{area}-{middle}-{last}"),
            format!("{area}.{middle}.{last}"),
            national.to_owned(),
        ]);
    }
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn of(text: &str) -> Asked {
        Asked::of(text, date(2026, 11, 23))
    }

    #[test]
    fn names_dates_and_numbers_are_told_apart_in_any_order() {
        let asked = of("Lovelace, Ada 14 Mar 1961");
        assert_eq!((asked.names.join("+").as_str(), asked.born.len()), ("Lovelace+Ada", 1));
        let asked = of("3/14/1961 ada");
        assert_eq!((asked.names.len(), asked.born.len(), asked.number), (1, 1, None));
        let asked = of("L10000123");
        assert_eq!((asked.number.as_deref(), asked.phone), (Some("L10000123"), None));
        let asked = of("(608) 555-0123");
        assert_eq!(asked.phone.as_deref(), Some("6085550123"));
        let asked = of("#4711");
        assert_eq!((asked.number.as_deref(), asked.phone), (Some("4711"), None));
        assert!(of("  , ").is_empty());
    }

    #[test]
    fn what_has_a_meaning_in_a_search_is_looked_for_as_it_is() {
        let searches = of("O'Brien|x,").searches();
        assert_eq!(searches, [[("name".to_owned(), "O'Brien\\|x".to_owned())]]);
    }

    #[test]
    fn a_phone_number_is_found_however_it_was_written_down() {
        let all = phones("16085550123");
        for form in ["(608) 555-0123", "608-555-0123", "+16085550123", "6085550123"] {
            assert!(all.iter().any(|one| one == form), "{form}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_understood_somehow(text in "\\PC{0,200}") {
            let asked = of(&text);
            prop_assert!(asked.names.len() <= NAMES_MAX && asked.searches().len() <= 2);
        }
    }
}
