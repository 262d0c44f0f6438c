//! The number of a medical record: a count of eight digits and a check digit, so that one mistyped digit,
//! or two exchanged, is no other patient's number (H. M. Damm, *Total anti-symmetrische Quasigruppen*,
//! Marburg 2004). HL7 table 0203 calls the kind `MR`.

/// Whose numbers they are: `Identifier.system` of those this house gives out.
pub const SYSTEM: &str = "urn:plummer:record-number";
/// Digits of the count: a hundred million patients, and few enough to be read aloud.
const DIGITS: usize = 8;

/// A quasigroup of order ten that is totally anti-symmetric: the row is what was read so far, the column
/// the next digit.
const STEPS: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// The number of the record that is the `count`th.
pub fn record_number(count: u64) -> String {
    let digits = format!("{count:0DIGITS$}");
    let check = check(&digits).unwrap_or_default();
    format!("{digits}{}", char::from(b'0' + check))
}

/// Whether a text is such a number: digits alone, of which the last is right.
pub fn is_record_number(text: &str) -> bool {
    text.len() > DIGITS && check(text) == Some(0)
}

/// The check digit of digits; 0 when the last of them is one and right.
fn check(digits: &str) -> Option<u8> {
    digits.bytes().try_fold(0_u8, |so_far, byte| {
        let digit = byte.checked_sub(b'0')?;
        STEPS.get(usize::from(so_far))?.get(usize::from(digit)).copied()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_digit_is_the_published_one() {
        assert_eq!(check("572"), Some(4));
        assert_eq!(check("5724"), Some(0));
        assert_eq!(record_number(1).len(), 9);
        assert!(!is_record_number("") && !is_record_number("12") && !is_record_number("x23456789"));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_or_two_exchanged_are_no_number(
            count in 0_u64..99_999_999, at in 0_usize..9, by in 1_u8..10
        ) {
            let number = record_number(count);
            prop_assert!(is_record_number(&number));
            let mut wrong = number.clone().into_bytes();
            wrong[at] = b'0' + (wrong[at] - b'0' + by) % 10;
            prop_assert!(!is_record_number(std::str::from_utf8(&wrong).unwrap()));
            let mut exchanged = number.clone().into_bytes();
            exchanged.swap(at, (at + 1).min(8));
            if exchanged != number.as_bytes() {
                prop_assert!(!is_record_number(std::str::from_utf8(&exchanged).unwrap()));
            }
        }

        #[test]
        fn any_text_is_a_number_or_not(text in "\\PC{0,20}") {
            let _ = is_record_number(&text);
        }
    }
}
