//! Under which keys a patient is kept so that a short range of an index answers a question: the name
//! from either end, how it sounds, and the digits of the phones from the back. Keys are made from
//! index entries alone, so a store makes them again from what it has.

use super::sound::sound;
use super::{digits, squeeze, words};
use std::borrow::Cow;

/// Which rules made the keys of a store. A change of what a name is kept under raises it, and stores
/// make their keys anew.
pub const RULES: i64 = 1;

/// Names of one kind that are kept: a patient has a handful.
const NAMES_MAX: usize = 6;
/// Keys of one patient, all in all.
const KEYS_MAX: usize = 64;
/// Digits of a phone that are kept, from the last.
const PHONE_DIGITS_MAX: usize = 15;
/// Fewer digits than this name no phone.
pub const PHONE_DIGITS_MIN: usize = 4;

/// What a key begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `family given`
    Family,
    /// `given family`
    Given,
    /// Both as they sound, the family first.
    Sound,
    /// Digits of a phone, the last first.
    Phone,
}

impl Kind {
    /// Its number in a store, which never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Family => 1,
            Self::Given => 2,
            Self::Sound => 3,
            Self::Phone => 4,
        }
    }
}

/// A key of a patient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Of which kind.
    pub kind: Kind,
    /// Two squeezed texts with a blank between, or digits.
    pub text: String,
}

/// What is known of a patient, as the index has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `name.family`, each squeezed in its forms: whole, from each word on (`vanderberg`,
    /// `derberg`, `berg`), and its first word.
    pub families: Vec<String>,
    /// `name.given`, each squeezed, whole and by words.
    pub givens: Vec<String>,
    /// `birthDate` as a span of milliseconds.
    pub born: Option<(i64, i64)>,
    /// The digits of each phone.
    pub phones: Vec<String>,
    /// The values of the identifiers.
    pub identifiers: Vec<String>,
}

impl Facts {
    /// Adds a family name as it is written.
    pub fn family(&mut self, name: &str) {
        let words = words(name);
        for from in 0..words.len().max(1) {
            let whole = words.get(from..).unwrap_or_default().concat();
            add(&mut self.families, squeeze(&whole));
        }
        // García Márquez is García to most people, and Smith-Jones was Smith before.
        if let Some(first) = words.first() {
            add(&mut self.families, first.clone());
        }
    }

    /// Adds a given name as it is written.
    pub fn given(&mut self, name: &str) {
        add(&mut self.givens, squeeze(name));
        for word in words(name) {
            add(&mut self.givens, word);
        }
    }

    /// Adds a name that is not taken apart: its last word is the family's, unless a comma says which.
    pub fn text(&mut self, name: &str) {
        if let Some((family, given)) = name.split_once(',') {
            self.family(family);
            self.given(given);
            return;
        }
        let words = words(name);
        let Some((family, givens)) = words.split_last() else { return };
        self.family(family);
        for given in givens {
            self.given(given);
        }
    }

    /// Adds a phone number as it is written.
    pub fn phone(&mut self, number: &str) {
        let digits = digits(number);
        if digits.len() >= PHONE_DIGITS_MIN {
            add(&mut self.phones, digits);
        }
    }

    /// The keys, each once, in order.
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        let nothing = [String::new()];
        let some = |names: &'_ [String]| -> Vec<String> {
            if names.is_empty() { nothing.to_vec() } else { names.to_vec() }
        };
        for family in &some(&self.families) {
            for given in &some(&self.givens) {
                if !family.is_empty() {
                    keys.push(Key { kind: Kind::Family, text: format!("{family} {given}") });
                    if let Some(key) = sounds(family, given) {
                        keys.push(Key { kind: Kind::Sound, text: key });
                    }
                }
                if !given.is_empty() {
                    keys.push(Key { kind: Kind::Given, text: format!("{given} {family}") });
                }
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys.truncate(KEYS_MAX);
        for phone in &self.phones {
            keys.push(Key { kind: Kind::Phone, text: from_the_last(phone).into_owned() });
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

/// The key of how two names sound; none when the family name has no sound.
pub fn sounds(family: &str, given: &str) -> Option<String> {
    Some(format!("{} {}", sound(family)?, sound(given).unwrap_or_default()))
}

/// Digits of a phone, the last first.
pub fn from_the_last(digits: &str) -> Cow<'_, str> {
    digits.chars().rev().take(PHONE_DIGITS_MAX).collect::<String>().into()
}

fn add(to: &mut Vec<String>, text: String) {
    if !text.is_empty() && to.len() < NAMES_MAX && !to.contains(&text) {
        to.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys(families: &[&str], givens: &[&str], phones: &[&str]) -> Vec<String> {
        let mut facts = Facts::default();
        families.iter().for_each(|name| facts.family(name));
        givens.iter().for_each(|name| facts.given(name));
        phones.iter().for_each(|number| facts.phone(number));
        facts.keys().iter().map(|key| format!("{} {}", key.kind.number(), key.text)).collect()
    }

    #[test]
    fn a_patient_is_kept_by_either_name_by_its_sound_and_by_its_phone() {
        assert_eq!(
            keys(&["Smith"], &["John"], &["(555) 010-0142"]),
            ["1 smith john", "2 john smith", "3 snat jan", "4 2410010555"]
        );
    }

    #[test]
    fn names_of_several_words_are_kept_from_each_word_on() {
        let keys = keys(&["van der Berg"], &["Mary Ann"], &[]);
        for key in ["1 vanderberg maryann", "1 berg mary", "1 derberg ann", "2 ann berg"] {
            assert!(keys.iter().any(|k| k == key), "{key} in {keys:?}");
        }
    }

    #[test]
    fn half_a_name_has_keys_too() {
        assert_eq!(keys(&["Doe"], &[], &[]), ["1 doe ", "3 d "]);
        assert_eq!(keys(&[], &["Ana"], &[]), ["2 ana "]);
        assert_eq!(keys(&["王"], &["伟"], &["12"]), ["1 王 伟", "2 伟 王"]);
        let mut facts = Facts::default();
        facts.text("Ana María Núñez");
        assert_eq!(
            (facts.families, facts.givens),
            (vec!["nunez".into()], vec!["ana".into(), "maria".into()])
        );
    }

    proptest! {
        #[test]
        fn keys_are_few_and_short_whatever_the_names_are(
            families in proptest::collection::vec("\\PC{0,80}", 0..9),
            givens in proptest::collection::vec("\\PC{0,80}", 0..9),
            phones in proptest::collection::vec("[-0-9 ()+]{0,40}", 0..9),
        ) {
            let mut facts = Facts::default();
            families.iter().for_each(|name| facts.family(name));
            givens.iter().for_each(|name| facts.given(name));
            phones.iter().for_each(|number| facts.phone(number));
            let keys = facts.keys();
            prop_assert!(keys.len() <= KEYS_MAX + NAMES_MAX);
            prop_assert!(keys.iter().all(|key| key.text.chars().count() <= 2 * super::super::NAME_CHARS_MAX + 1));
        }
    }
}
