//! The names people bear: built-in lists by origin, many with diacritics, so that a search which
//! ignores accents has something to ignore. Common names, joined by chance; no real person is meant.

mod europe;
mod world;

use crate::random::Rng;
use europe::{ENGLISH, FRENCH, NORTHERN, SLAVIC};
use world::{AFRICAN_AMERICAN, ARABIC, CHINESE, HMONG, INDIAN, SOMALI, SPANISH, VIETNAMESE};

/// A community whose names, languages and category codes go together.
#[derive(Debug)]
pub(crate) struct Origin {
    /// In a thousand households.
    pub(crate) weight: i64,
    pub(crate) surnames: &'static [&'static str],
    pub(crate) women: &'static [&'static str],
    pub(crate) men: &'static [&'static str],
    /// BCP-47 tag and name of the language other than English, if any.
    pub(crate) language: Option<(&'static str, &'static str)>,
    /// OMB race category code and display (<https://hl7.org/fhir/us/core/>), CDC system.
    pub(crate) race: (&'static str, &'static str),
    pub(crate) hispanic: bool,
}

/// Draws the origin of a household.
pub(crate) fn origin(rng: &mut Rng) -> &'static Origin {
    let mut rest = rng.range(0, 999);
    for origin in ORIGINS {
        rest -= origin.weight;
        if rest < 0 {
            return origin;
        }
    }
    &ENGLISH
}

/// Draws a given name.
pub(crate) fn given(rng: &mut Rng, origin: &Origin, female: bool) -> &'static str {
    rng.pick::<&'static str>(if female { origin.women } else { origin.men })
}

static ORIGINS: &[&Origin] = &[
    &ENGLISH,
    &NORTHERN,
    &SPANISH,
    &AFRICAN_AMERICAN,
    &VIETNAMESE,
    &HMONG,
    &SOMALI,
    &INDIAN,
    &CHINESE,
    &SLAVIC,
    &FRENCH,
    &ARABIC,
];

const WHITE: (&str, &str) = ("2106-3", "White");
const BLACK: (&str, &str) = ("2054-5", "Black or African American");
const ASIAN: (&str, &str) = ("2028-9", "Asian");

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn weights_add_up_and_lists_are_rich() {
        assert_eq!(ORIGINS.iter().map(|o| o.weight).sum::<i64>(), 1000);
        let surnames: BTreeSet<_> = ORIGINS.iter().flat_map(|o| o.surnames).collect();
        assert!(surnames.len() > 400, "{}", surnames.len());
        assert!(surnames.iter().filter(|s| !s.is_ascii()).count() > 100);
        for needed in ["Müller", "Nguyễn", "García"] {
            assert!(surnames.contains(&needed));
        }
    }
}
