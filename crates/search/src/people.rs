//! Finding a patient as a front desk does: what a line that somebody typed asks for ([`ask`]), which
//! keys a patient is kept under so that a short range of an index answers it ([`key`]), and whether
//! what is known of a patient is what was asked for, and how well ([`judge`]).
//!
//! FHIR's own parameters find a name by its beginning and no more
//! (<https://hl7.org/fhir/R4/search.html#string>). People at a desk type parts of two names in either
//! order, say what the patient is called, write what they heard, and know four digits of a phone.
//! It stands here and not in a crate of its own because it folds as the string index does, and the
//! store, which keeps the keys, uses this crate already.

pub mod ask;
mod dates;
pub mod judge;
pub mod key;
pub mod nickname;
pub mod sound;

pub use dates::{same_place_in_a_year, transposed};

use crate::fold::fold;

/// A span of milliseconds, both ends included.
pub type Span = (i64, i64);

/// Letters of one name that count. Longer names are told apart by the record, not by a key.
pub const NAME_CHARS_MAX: usize = 40;

/// A name as it is compared: folded, and nothing left but letters and digits. `O’Brien` and `Obrien`
/// are one, as are `van der Berg` and `Vanderberg`. At most [`NAME_CHARS_MAX`] characters.
pub fn squeeze(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).take(NAME_CHARS_MAX).collect()
}

/// The words of a name, each squeezed: parted at blanks, hyphens and other signs, but not at an
/// apostrophe or a full stop, which stand within a name.
pub fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let parts = folded.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '.' | '`')));
    parts.map(squeeze).filter(|word| !word.is_empty()).collect()
}

/// The digits of a text.
pub fn digits(text: &str) -> String {
    fold(text).chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_punctuated() {
        for (one, other) in [
            ("O’Brien", "OBRIEN"),
            ("van der Berg", "Vanderberg"),
            ("Núñez-Peña", "nunez pena"),
            ("St. John", "stjohn"),
        ] {
            assert_eq!(squeeze(one), squeeze(other), "{one}");
        }
    }

    #[test]
    fn words_part_at_blanks_and_hyphens_only() {
        assert_eq!(words("Smith-Jones"), ["smith", "jones"]);
        assert_eq!(words(" O'Neil  J.R. "), ["oneil", "jr"]);
        assert!(words(" - ,' ").is_empty());
    }

    #[test]
    fn digits_of_any_script_width_count() {
        assert_eq!(digits("(555) 010-0142"), "5550100142");
        assert_eq!(digits("５５５"), "555");
    }
}
