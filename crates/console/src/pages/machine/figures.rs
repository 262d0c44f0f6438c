//! Figures in words: bytes, spans of time, and parts of a hundred, each with its unit and without a float.

use crate::words::{self, Lang};

/// Bytes with three figures and a decimal unit (IEC 80000-13 keeps the binary ones apart).
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let (mut tenths, mut unit) = (count / 100, UNITS.iter());
    let mut name = unit.next().copied().unwrap_or_default();
    while tenths >= 10_000 {
        tenths /= 1000;
        name = unit.next().copied().unwrap_or_default();
    }
    match tenths >= 1000 {
        true => format!("{} {name}", tenths / 10),
        false => format!("{}.{} {name}", tenths / 10, tenths % 10),
    }
}

/// A number in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A span of microseconds, as requests take it.
pub(crate) fn took(us: u64) -> String {
    match us {
        0..1_000 => format!("{us} µs"),
        1_000..10_000 => format!("{}.{} ms", us / 1000, us % 1000 / 100),
        10_000..1_000_000 => format!("{} ms", us / 1000),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

/// A span of milliseconds, as machines run: the two greatest units.
pub(crate) fn span(ms: u64, lang: Lang) -> String {
    let seconds = ms / 1000;
    let (days, hours) = (seconds / 86_400, seconds % 86_400 / 3600);
    let (minutes, rest) = (seconds % 3600 / 60, seconds % 60);
    let two = |great: u64, one: words::Word, small: u64, other: words::Word| {
        format!("{} {}", one.with(lang, &great.to_string()), other.with(lang, &small.to_string()))
    };
    match (days, hours, minutes) {
        (0, 0, 0) => words::IT_SECONDS.with(lang, &rest.to_string()),
        (0, 0, _) => two(minutes, words::IT_MINUTES, rest, words::IT_SECONDS),
        (0, ..) => two(hours, words::IT_HOURS, minutes, words::IT_MINUTES),
        _ => two(days, words::IT_DAYS, hours, words::IT_HOURS),
    }
}

/// Milliseconds until a disk is full at the rate at which it filled; none when it does not fill, or not
/// within a hundred years.
pub(crate) fn full_in(free: u64, grown: u64, in_ms: u64) -> Option<u64> {
    const CENTURY_MS: u128 = 100 * 365 * 86_400_000;
    let ms = (u128::from(free) * u128::from(in_ms)).checked_div(u128::from(grown))?;
    (ms < CENTURY_MS).then(|| u64::try_from(ms).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_have_three_figures_and_a_unit() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (99_960, "99.9 kB"),
            (123_456, "123 kB"),
            (1_500_000, "1.5 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn spans_have_their_two_greatest_units() {
        assert_eq!(span(59_000, Lang::En), "59 s");
        assert_eq!(span(3_660_000, Lang::En), "1 h 1 min");
        assert_eq!(span(90_000_000, Lang::En), "1 d 1 h");
        assert_eq!(
            (took(999), took(1_250), took(2_300_000)),
            ("999 µs".into(), "1.2 ms".into(), "2.3 s".into())
        );
    }

    #[test]
    fn a_disk_that_does_not_fill_is_never_full() {
        assert_eq!(full_in(1_000, 0, 1_000), None);
        assert_eq!(full_in(1_000, 10, 1_000), Some(100_000));
        assert_eq!(full_in(u64::MAX, 1, u64::MAX), None);
    }

    proptest! {
        #[test]
        fn any_number_can_be_told(number: u64) {
            prop_assert!(!bytes(number).is_empty() && !span(number, Lang::Es).is_empty());
            prop_assert_eq!(grouped(number).replace('\u{202f}', ""), number.to_string());
        }
    }
}
