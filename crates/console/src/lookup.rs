//! What was typed into the find box, taken apart into what a registration begins with: names, a date of
//! birth in any form, a number, a phone, in any order. Whom a text *finds* the record decides.

use crate::days;
use jiff::civil::Date;

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
    /// A comma stands behind the first: it is the family's.
    pub(crate) is_family_first: bool,
    /// The digits of a phone number.
    pub(crate) phone: Option<String>,
}

/// It is about a person.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked")
    }
}

impl Asked {
    /// Understands a text.
    pub(crate) fn of(text: &str, today: Date) -> Self {
        let text: String = text.chars().take(TYPED_MAX).collect();
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let mut asked = Self::default();
        asked.take_born(&mut words, today);
        asked.is_family_first =
            words.first().is_some_and(|first| first.len() > 1 && first.ends_with(','));
        let mut digits = String::new();
        for word in words {
            let word = word.trim_matches(|c: char| c == ',' || c == ';');
            let bare = word.trim_start_matches('#');
            let count = bare.chars().filter(char::is_ascii_digit).count();
            let is_phone =
                count > 0 && bare.chars().all(|c| c.is_ascii_digit() || "()+-./".contains(c));
            if is_phone && word == bare {
                digits.extend(bare.chars().filter(char::is_ascii_digit));
            } else if count == 0
                && bare.chars().any(char::is_alphabetic)
                && asked.names.len() < NAMES_MAX
            {
                asked.names.push(bare.to_owned());
            }
        }
        if digits.len() >= PHONE_MIN {
            asked.phone = Some(digits);
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
        assert_eq!((asked.names.len(), asked.born.len(), asked.is_family_first), (1, 1, false));
        assert!(of("Lovelace, Ada").is_family_first);
        let asked = of("L10000123");
        assert_eq!((asked.names.len(), asked.phone), (0, None));
        let asked = of("(608) 555-0123");
        assert_eq!(asked.phone.as_deref(), Some("6085550123"));
        assert_eq!(of("#4711").phone, None);
        assert_eq!(of("  , "), Asked::default());
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_understood_somehow(text in "\\PC{0,200}") {
            let asked = of(&text);
            prop_assert!(asked.names.len() <= NAMES_MAX);
        }
    }
}
