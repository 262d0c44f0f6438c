//! FHIR's partial dates as ranges of milliseconds (<https://hl7.org/fhir/R4/datatypes.html#dateTime>,
//! <https://hl7.org/fhir/R4/search.html#date>). A date without a time zone is read as UTC, so that a
//! search means the same on every machine.

use base::time::{days_from_civil, days_in_month};

/// How much of a date was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// `2026`
    Year,
    /// `2026-11`
    Month,
    /// `2026-11-22`
    Day,
    /// `2026-11-22T09:41`, allowed in searches only.
    Minute,
    /// `2026-11-22T09:41:07Z`
    Second,
    /// `2026-11-22T09:41:07.123Z`
    Millisecond,
}

/// The span of time a date stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateRange {
    /// First millisecond.
    pub low: i64,
    /// Last millisecond.
    pub high: i64,
    /// What was written.
    pub precision: Precision,
    /// A zone or `Z` was written.
    pub zoned: bool,
}

/// The lowest instant used for an open start.
pub const OPEN_LOW: i64 = -62_135_596_800_000;
/// The highest instant used for an open end (9999-12-31T23:59:59.999Z).
pub const OPEN_HIGH: i64 = 253_402_300_799_999;

const DAY: i64 = 86_400_000;

/// Reads `YYYY`, `YYYY-MM`, `YYYY-MM-DD` or those with `Thh:mm[:ss[.fff…]][Z|±hh:mm]`.
pub fn parse(text: &str) -> Option<DateRange> {
    let mut s = Scan { rest: text.as_bytes() };
    let year = s.number(4)?;
    if year == 0 {
        return None;
    }
    if s.rest.is_empty() {
        let low = days_from_civil(year, 1, 1) * DAY;
        let high = days_from_civil(year + 1, 1, 1) * DAY - 1;
        return Some(DateRange { low, high, precision: Precision::Year, zoned: false });
    }
    s.byte(b'-')?;
    let month = s.number(2).filter(|m| (1..=12).contains(m))?;
    if s.rest.is_empty() {
        let low = days_from_civil(year, month, 1) * DAY;
        let high = low + days_in_month(year, month) * DAY - 1;
        return Some(DateRange { low, high, precision: Precision::Month, zoned: false });
    }
    s.byte(b'-')?;
    let day = s.number(2).filter(|d| (1..=days_in_month(year, month)).contains(d))?;
    let midnight = days_from_civil(year, month, day) * DAY;
    if s.rest.is_empty() {
        let high = midnight + DAY - 1;
        return Some(DateRange { low: midnight, high, precision: Precision::Day, zoned: false });
    }
    s.byte(b'T')?;
    let (of_day, precision) = s.time()?;
    let offset = s.zone()?;
    if !s.rest.is_empty() {
        return None;
    }
    let low = midnight + of_day - offset.unwrap_or(0);
    let high = match precision {
        Precision::Minute => low + 59_999,
        Precision::Second => low + 999,
        _ => low,
    };
    Some(DateRange { low, high, precision, zoned: offset.is_some() })
}

/// Whether the text is a FHIR `date`.
pub fn is_date(text: &str) -> bool {
    parse(text).is_some_and(|d| d.precision <= Precision::Day)
}

/// Whether the text is a FHIR `dateTime`: with a time it needs seconds and a zone.
pub fn is_date_time(text: &str) -> bool {
    parse(text).is_some_and(|d| {
        d.precision <= Precision::Day || (d.zoned && d.precision >= Precision::Second)
    })
}

/// Whether the text is a FHIR `instant`.
pub fn is_instant(text: &str) -> bool {
    parse(text).is_some_and(|d| d.zoned && d.precision >= Precision::Second)
}

/// Whether the text is a FHIR `time`: `hh:mm:ss[.fff]`.
pub fn is_time(text: &str) -> bool {
    let mut s = Scan { rest: text.as_bytes() };
    s.time().is_some_and(|(_, p)| p >= Precision::Second) && s.rest.is_empty()
}

struct Scan<'t> {
    rest: &'t [u8],
}

impl Scan<'_> {
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (head, tail) = self.rest.split_at_checked(digits)?;
        let mut value = 0;
        for b in head {
            if !b.is_ascii_digit() {
                return None;
            }
            value = value * 10 + i64::from(b - b'0');
        }
        self.rest = tail;
        Some(value)
    }

    fn byte(&mut self, expected: u8) -> Option<()> {
        let (first, tail) = self.rest.split_first()?;
        (*first == expected).then(|| self.rest = tail)
    }

    /// Milliseconds since midnight. A leap second counts as the second before it.
    fn time(&mut self) -> Option<(i64, Precision)> {
        let hour = self.number(2).filter(|h| *h < 24)?;
        self.byte(b':')?;
        let minute = self.number(2).filter(|m| *m < 60)?;
        let base = hour * 3_600_000 + minute * 60_000;
        if self.byte(b':').is_none() {
            return Some((base, Precision::Minute));
        }
        let second = self.number(2).filter(|s| *s <= 60)?.min(59);
        let base = base + second * 1000;
        if self.byte(b'.').is_none() {
            return Some((base, Precision::Second));
        }
        let digits = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let (fraction, tail) = self.rest.split_at_checked(digits)?;
        if fraction.is_empty() {
            return None;
        }
        self.rest = tail;
        let ms = fraction
            .iter()
            .chain(b"000")
            .take(3)
            .fold(0, |ms, digit| ms * 10 + i64::from(*digit - b'0'));
        Some((base + ms, Precision::Millisecond))
    }

    /// The offset in milliseconds; `Some(None)` when no zone is written.
    fn zone(&mut self) -> Option<Option<i64>> {
        let sign = match self.rest.first() {
            None => return Some(None),
            Some(b'Z') => {
                self.byte(b'Z')?;
                return Some(Some(0));
            }
            Some(b'+') => 1,
            // A search that was not URL-encoded turns the plus into a blank.
            Some(b' ') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        self.number_after_sign().map(|offset| Some(sign * offset))
    }

    fn number_after_sign(&mut self) -> Option<i64> {
        self.rest = self.rest.get(1..)?;
        let hours = self.number(2).filter(|h| *h <= 14)?;
        self.byte(b':')?;
        let minutes = self.number(2).filter(|m| *m < 60)?;
        Some(hours * 3_600_000 + minutes * 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_makes_the_range() {
        let r = |t| {
            let d = parse(t).unwrap();
            (d.low, d.high)
        };
        assert_eq!(r("1970"), (0, 365 * DAY - 1));
        assert_eq!(r("1970-02"), (31 * DAY, 59 * DAY - 1));
        assert_eq!(r("1970-01-02"), (DAY, 2 * DAY - 1));
        assert_eq!(r("1970-01-01T00:00:01Z"), (1000, 1999));
        assert_eq!(r("1970-01-01T01:00:00.5+01:00"), (500, 500));
        assert_eq!(r("1969-12-31T23:00:00-01:00"), (0, 999));
    }

    #[test]
    fn refuses_what_is_no_date() {
        for bad in [
            "",
            "19",
            "0000",
            "1970-13",
            "1970-00",
            "1970-02-30",
            "1970-1-1",
            "1970-01-01T",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00.Z",
            "1970-01-01T00:00:00+15:00",
            "1970-01-01 ",
            "1970-01-01T00:00:00Zx",
            "２０２０",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(!is_date_time("1970-01-01T00:00:00"), "a dateTime with a time needs a zone");
        assert!(!is_date_time("1970-01-01T00:00Z"), "and seconds");
        assert!(is_date("2020-02-29") && !is_date("2021-02-29"));
        assert!(is_time("23:59:60") && !is_time("23:59"));
    }
}
