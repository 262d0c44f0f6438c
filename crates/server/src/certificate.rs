//! What a certificate says of itself that the TLS library keeps to itself: from when until when it is
//! valid (RFC 5280 section 4.1.2.5). A reader of the few DER fields in front of those dates; whether
//! a certificate can be trusted is the library's business.

use base::Millis;
use base::time::{days_from_civil, days_in_month};

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
/// The tag of the optional version, `[0]`.
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when until when a certificate is valid, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: Millis,
    /// Not after.
    pub until: Millis,
}

impl Validity {
    /// Reads the dates of a certificate; `None` when it is not shaped as one.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let (certificate, _) = expect(certificate, SEQUENCE)?;
        let (mut fields, _) = expect(certificate, SEQUENCE)?;
        if let Some((_, rest)) = expect(fields, VERSION) {
            fields = rest;
        }
        let (_serial, rest) = expect(fields, INTEGER)?;
        let (_algorithm, rest) = expect(rest, SEQUENCE)?;
        let (_issuer, rest) = expect(rest, SEQUENCE)?;
        let (validity, _) = expect(rest, SEQUENCE)?;
        let (from, rest) = time(validity)?;
        let (until, rest) = time(rest)?;
        rest.is_empty().then_some(Self { from, until })
    }
}

/// The content of the element that begins here, when it has this tag, and what follows it.
fn expect(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(input)?;
    (found == tag).then_some((content, rest))
}

/// One element of definite length with a tag of one byte: DER has no others in these places.
fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = input.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            let length = digits.iter().fold(0usize, |sum, byte| (sum << 8) | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// A `Time`: two digits of the year until 2049, four from 2050 on, always in UTC and with seconds.
fn time(input: &[u8]) -> Option<(Millis, &[u8])> {
    let (tag, content, rest) = element(input)?;
    let (year, content) = match tag {
        UTC_TIME => {
            let (year, content) = digits(content, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, content)
        }
        GENERALIZED_TIME => digits(content, 4)?,
        _ => return None,
    };
    let (month, content) = digits(content, 2)?;
    let (day, content) = digits(content, 2)?;
    let (hour, content) = digits(content, 2)?;
    let (minute, content) = digits(content, 2)?;
    let (second, content) = digits(content, 2)?;
    let real = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && content == b"Z";
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    real.then_some((Millis(seconds * 1000), rest))
}

fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn made(from: (i32, u8, u8), until: (i32, u8, u8)) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["ehr.example".to_owned()]).unwrap();
        params.not_before = date_time_ymd(from.0, from.1, from.2);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_dates_are_read_in_both_forms() {
        let validity = Validity::of(&made((2026, 2, 28), (2049, 12, 31))).unwrap();
        assert_eq!(validity.from.to_instant(), "2026-02-28T00:00:00.000Z");
        assert_eq!(validity.until.to_instant(), "2049-12-31T00:00:00.000Z");
        let validity = Validity::of(&made((1999, 1, 1), (2050, 1, 1))).unwrap();
        assert_eq!(validity.from.to_instant(), "1999-01-01T00:00:00.000Z");
        assert_eq!(validity.until.to_instant(), "2050-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_no_certificate_has_no_dates() {
        let whole = made((2026, 1, 1), (2027, 1, 1));
        assert!(Validity::of(&[]).is_none());
        for cut in [1, 10, 60, 100] {
            assert!(Validity::of(whole.get(..cut).unwrap()).is_none(), "{cut}");
        }
        assert!(Validity::of(&[SEQUENCE, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]).is_none());
        assert!(Validity::of(&[SEQUENCE, 0x80, 0, 0]).is_none(), "no indefinite lengths");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Validity::of(&bytes);
        }

        #[test]
        fn no_change_of_a_certificate_makes_it_fall(at in 0usize..160, to in any::<u8>()) {
            static WHOLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
            let mut bytes = WHOLE.get_or_init(|| made((2026, 1, 1), (2027, 1, 1))).clone();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = to;
            }
            let _ = Validity::of(&bytes);
        }
    }
}
