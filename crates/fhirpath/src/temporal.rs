//! Dates, dates with times, and times of day with their precision
//! (<http://hl7.org/fhirpath/N1/#date>): what is not written is not known, so comparing values of
//! different precision may have no answer.

use base::Millis;
use base::time::{civil_from_days, days_from_civil, days_in_month};
use std::cmp::Ordering;
use std::fmt;

/// Which of the three types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemporalKind {
    /// `@2015-02-04`
    Date,
    /// `@2015-02-04T14:34:28Z`
    DateTime,
    /// `@T14:34:28`
    Time,
}

/// How much is known. Seconds and their fractions count as one precision when comparing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// A date, date with time, or time of day.
#[derive(Debug, Clone, Copy)]
pub struct Temporal {
    kind: TemporalKind,
    precision: Precision,
    /// Days since 1970-01-01 of the first day it may mean; 0 for a time.
    days: i64,
    /// Nanoseconds since midnight of the first instant it may mean.
    nanos: i64,
    /// Digits of the fraction of a second.
    digits: u8,
    /// Minutes east of UTC, when written.
    offset: Option<i16>,
}

pub(crate) const SECOND: i64 = 1_000_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

impl Temporal {
    /// Reads a FHIR or `FHIRPath` date: `2015`, `2015-02`, `2015-02-04`.
    pub fn date(text: &str) -> Option<Self> {
        let read = Self::date_time(text)?;
        (read.precision <= Precision::Day && !text.contains('T'))
            .then_some(Self { kind: TemporalKind::Date, ..read })
    }

    /// Reads a date with or without a time and zone: `2015`, `2015T`, `2015-02-04T14`, …
    pub fn date_time(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T').map_or((text, ""), |(d, t)| (d, t));
        let mut parts = date.split('-');
        let year = number(parts.next()?, 4)?;
        let month = parts.next().map(|m| number(m, 2)).map_or(Some(None), |m| m.map(Some))?;
        let day = parts.next().map(|d| number(d, 2)).map_or(Some(None), |d| d.map(Some))?;
        let (m, d) = (month.unwrap_or(1), day.unwrap_or(1));
        if parts.next().is_some() || year == 0 || !(1..=12).contains(&m) {
            return None;
        }
        if !(1..=days_in_month(year, m)).contains(&d) {
            return None;
        }
        let mut read = Self {
            kind: TemporalKind::DateTime,
            precision: match (month, day) {
                (None, _) => Precision::Year,
                (Some(_), None) => Precision::Month,
                (Some(_), Some(_)) => Precision::Day,
            },
            days: days_from_civil(year, m, d),
            nanos: 0,
            digits: 0,
            offset: None,
        };
        if time.is_empty() {
            return Some(read);
        }
        if read.precision != Precision::Day {
            return None;
        }
        let zone_at = time.find(['Z', '+', '-']).unwrap_or(time.len());
        let (clock, zone) = time.split_at_checked(zone_at)?;
        read.offset = offset(zone)?;
        (read.nanos, read.precision, read.digits) = clock_time(clock)?;
        Some(read)
    }

    /// Reads a time of day: `14`, `14:34`, `14:34:28.123`.
    pub fn time(text: &str) -> Option<Self> {
        let (nanos, precision, digits) = clock_time(text)?;
        Some(Self { kind: TemporalKind::Time, precision, days: 0, nanos, digits, offset: None })
    }

    /// An instant in UTC, to the millisecond.
    pub const fn instant(at: Millis) -> Self {
        Self {
            kind: TemporalKind::DateTime,
            precision: Precision::Fraction,
            days: at.0.div_euclid(86_400_000),
            nanos: at.0.rem_euclid(86_400_000) * 1_000_000,
            digits: 3,
            offset: Some(0),
        }
    }

    /// The day of an instant in UTC.
    pub const fn day_of(at: Millis) -> Self {
        Self {
            kind: TemporalKind::Date,
            precision: Precision::Day,
            days: at.0.div_euclid(86_400_000),
            nanos: 0,
            digits: 0,
            offset: None,
        }
    }

    /// The time of day of an instant in UTC.
    pub const fn time_of(at: Millis) -> Self {
        Self { kind: TemporalKind::Time, days: 0, offset: None, ..Self::instant(at) }
    }

    /// Which of the three types.
    pub const fn kind(&self) -> TemporalKind {
        self.kind
    }

    /// How much is known.
    pub const fn precision(&self) -> Precision {
        self.precision
    }

    /// The same day and time as another type: a date read as a date with time, or only its date.
    #[must_use]
    pub fn as_kind(self, kind: TemporalKind) -> Self {
        match kind {
            TemporalKind::Date => Self {
                kind,
                precision: self.precision.min(Precision::Day),
                nanos: 0,
                digits: 0,
                offset: None,
                ..self
            },
            TemporalKind::DateTime | TemporalKind::Time => Self { kind, ..self },
        }
    }

    /// Whether both may be compared at all: a time of day is never before a date.
    pub fn comparable(&self, other: &Self) -> bool {
        (self.kind == TemporalKind::Time) == (other.kind == TemporalKind::Time)
    }

    /// Their order; nothing when the precision or a missing time zone leaves it open.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        let (mut a, mut b) = (*self, *other);
        let timed = |t: &Self| t.precision > Precision::Day;
        match (a.offset, b.offset) {
            (Some(x), Some(y)) => {
                a = a.shifted(-x);
                b = b.shifted(-y);
            }
            (None, None) => {}
            _ if timed(&a) && timed(&b) => {
                // The missing zone is somewhere between -12:00 and +14:00.
                let zoned = |t: &Self| t.offset.map_or(*t, |x| t.shifted(-x));
                let (x, y) = (zoned(&a), zoned(&b));
                let gap = (x.days - y.days).saturating_mul(DAY).saturating_add(x.nanos - y.nanos);
                return (gap.unsigned_abs() > (14 * HOUR).unsigned_abs()).then(|| gap.cmp(&0));
            }
            _ => {}
        }
        let shared = a.precision.min(b.precision);
        let ordering = a.parts(shared).cmp(&b.parts(shared));
        let same = |t: &Self| t.precision.min(Precision::Second);
        (ordering != Ordering::Equal || same(&a) == same(&b)).then_some(ordering)
    }

    /// Adds nanoseconds to a date with time or a time of day (which wraps at midnight).
    pub fn add_nanos(self, nanos: i64) -> Option<Self> {
        let total = self.nanos.checked_add(nanos)?;
        let days =
            if self.kind == TemporalKind::Time { 0 } else { self.days + total.div_euclid(DAY) };
        Self { days, nanos: total.rem_euclid(DAY), ..self }.in_range()
    }

    /// Adds days.
    pub fn add_days(self, days: i64) -> Option<Self> {
        Self { days: self.days.checked_add(days)?, ..self }.in_range()
    }

    /// Adds calendar months; a day the month does not have becomes its last.
    pub fn add_months(self, months: i64) -> Option<Self> {
        let (year, month, day) = civil_from_days(self.days);
        let total = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        if !(1..=9999).contains(&year) {
            return None;
        }
        let day = day.min(days_in_month(year, month));
        Some(Self { days: days_from_civil(year, month, day), ..self })
    }

    /// The first or last value this one may mean, written to `digits` digits: 4 a year, 6 a month, 8 a
    /// day, 17 a date with milliseconds; of a time 2 to 9.
    pub fn boundary(self, digits: Option<i64>, high: bool) -> Option<Self> {
        let time = self.kind == TemporalKind::Time;
        let digits = digits.unwrap_or(match self.kind {
            TemporalKind::Date => 8,
            TemporalKind::DateTime => 17,
            TemporalKind::Time => 9,
        });
        let precision = match if time { digits.saturating_add(8) } else { digits } {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            10 => Precision::Hour,
            12 => Precision::Minute,
            14 => Precision::Second,
            17 => Precision::Fraction,
            _ => return None,
        };
        if self.kind == TemporalKind::Date && precision > Precision::Day {
            return None;
        }
        let mut edge = if high { self.last() } else { self };
        edge.precision = precision;
        edge.digits = if precision == Precision::Fraction { 3 } else { 0 };
        if precision <= Precision::Day {
            edge.nanos = 0;
            edge.offset = None;
        } else if self.kind == TemporalKind::DateTime && edge.offset.is_none() {
            edge.offset = Some(if high { -12 * 60 } else { 14 * 60 });
        }
        Some(edge)
    }

    /// How many digits are written: what `precision()` answers.
    pub const fn digits(&self) -> i64 {
        let all = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14,
            Precision::Fraction => 17,
        };
        if matches!(self.kind, TemporalKind::Time) { all - 8 } else { all }
    }

    fn in_range(self) -> Option<Self> {
        let years = days_from_civil(1, 1, 1)..days_from_civil(10_000, 1, 1);
        (self.kind == TemporalKind::Time || years.contains(&self.days)).then_some(self)
    }

    fn shifted(self, minutes: i16) -> Self {
        let total = self.nanos + i64::from(minutes) * MINUTE;
        Self { days: self.days + total.div_euclid(DAY), nanos: total.rem_euclid(DAY), ..self }
    }

    /// The last instant it may mean.
    fn last(self) -> Self {
        let (year, month, _) = civil_from_days(self.days);
        let days = match self.precision {
            Precision::Year => days_from_civil(year, 12, 31),
            Precision::Month => days_from_civil(year, month, days_in_month(year, month)),
            _ => self.days,
        };
        let nanos = match self.precision {
            Precision::Year | Precision::Month | Precision::Day => DAY - 1,
            Precision::Hour => self.nanos + HOUR - 1,
            Precision::Minute => self.nanos + MINUTE - 1,
            Precision::Second => self.nanos + SECOND - 1,
            Precision::Fraction => self.nanos,
        };
        Self { days, nanos, ..self }
    }

    fn parts(&self, upto: Precision) -> (i64, i64) {
        let (year, month, _) = civil_from_days(self.days);
        match upto {
            Precision::Year => (year, 0),
            Precision::Month => (year * 12 + month, 0),
            Precision::Day => (self.days, 0),
            Precision::Hour => (self.days, self.nanos / HOUR),
            Precision::Minute => (self.days, self.nanos / MINUTE),
            Precision::Second | Precision::Fraction => (self.days, self.nanos),
        }
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.days);
        if self.kind != TemporalKind::Time {
            write!(f, "{year:04}")?;
            if self.precision >= Precision::Month {
                write!(f, "-{month:02}")?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{day:02}")?;
            }
            if self.precision <= Precision::Day {
                return Ok(());
            }
            f.write_str("T")?;
        }
        write!(f, "{:02}", self.nanos / HOUR)?;
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.nanos / MINUTE % 60)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.nanos / SECOND % 60)?;
        }
        if self.precision == Precision::Fraction {
            let fraction = format!("{:09}", self.nanos % SECOND);
            write!(f, ".{}", fraction.get(..usize::from(self.digits)).unwrap_or(&fraction))?;
        }
        match self.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(o) => {
                let sign = if o < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", o.abs() / 60, o.abs() % 60)
            }
        }
    }
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

fn clock_time(text: &str) -> Option<(i64, Precision, u8)> {
    let mut parts = text.split(':');
    let hour = number(parts.next()?, 2).filter(|h| *h < 24)?;
    let Some(minute) = parts.next() else { return Some((hour * HOUR, Precision::Hour, 0)) };
    let upto = hour * HOUR + number(minute, 2).filter(|m| *m < 60)? * MINUTE;
    let Some(second) = parts.next() else { return Some((upto, Precision::Minute, 0)) };
    if parts.next().is_some() {
        return None;
    }
    let (second, fraction) = second.split_once('.').map_or((second, None), |(s, f)| (s, Some(f)));
    // A leap second counts as the second before it.
    let upto = upto + number(second, 2).filter(|s| *s <= 60)?.min(59) * SECOND;
    let Some(fraction) = fraction else { return Some((upto, Precision::Second, 0)) };
    let kept = fraction.get(..fraction.len().min(9))?;
    let digits = u8::try_from(kept.len()).ok().filter(|n| *n > 0)?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos = kept.parse::<i64>().ok()? * 10i64.pow(u32::from(9 - digits));
    Some((upto + nanos, Precision::Fraction, digits))
}

/// `Some(None)` when no zone is written.
fn offset(zone: &str) -> Option<Option<i16>> {
    if zone.is_empty() {
        return Some(None);
    }
    if zone == "Z" {
        return Some(Some(0));
    }
    let (sign, rest) = match zone.split_at_checked(1)? {
        ("-", rest) => (-1, rest),
        (_, rest) => (1, rest),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let hours = number(hours, 2).filter(|h| *h <= 14)?;
    let minutes = number(minutes, 2).filter(|m| *m < 60)?;
    Some(Some(i16::try_from(sign * (hours * 60 + minutes)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Temporal {
        Temporal::date_time(text).unwrap()
    }

    #[test]
    fn order_is_open_where_precision_ends() {
        assert_eq!(at("2018-03").order(&at("2018-03-01")), None);
        assert_eq!(at("2018-03").order(&at("2018-04-01")), Some(Ordering::Less));
        assert_eq!(
            at("2018-03-01T10:30:00").order(&at("2018-03-01T10:30:00.0")),
            Some(Ordering::Equal)
        );
        assert_eq!(
            at("2012-04-15T15:00:00+02:00").order(&at("2012-04-15T16:00:00+03:00")),
            Some(Ordering::Equal)
        );
        assert_eq!(at("2012-04-15T15:00:00Z").order(&at("2012-04-15T10:00:00")), None);
        assert_eq!(
            at("2012-04-15T15:00:00Z").order(&at("2012-04-17T10:00:00")),
            Some(Ordering::Less)
        );
    }

    #[test]
    fn values_print_as_they_were_read() {
        for text in [
            "2015",
            "2015-02",
            "2015-02-04",
            "2015-02-04T14",
            "2015-02-04T14:34",
            "2015-02-04T14:34:28.12-05:30",
            "2015-02-04T14:34:28Z",
        ] {
            assert_eq!(at(text).to_string(), text);
        }
        assert_eq!(
            Temporal::time("10:30").unwrap().boundary(None, true).unwrap().to_string(),
            "10:30:59.999"
        );
        for bad in [
            "",
            "2015-13",
            "2015-02-30",
            "2015-1-1",
            "2015-02T10",
            "2015-02-04T25",
            "2015-02-04T10:00:00.",
            "2015-02-04T1０",
        ] {
            assert!(Temporal::date_time(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn months_keep_to_the_calendar() {
        assert_eq!(at("2020-01-31").add_months(1).unwrap().to_string(), "2020-02-29");
        assert_eq!(at("9999-12-31").add_days(1).map(|t| t.to_string()), None);
        assert_eq!(at("2014").boundary(Some(6), true).unwrap().to_string(), "2014-12");
        assert_eq!(
            at("9999-12-31").boundary(None, true).unwrap().to_string(),
            "9999-12-31T23:59:59.999-12:00"
        );
        let late = Temporal::time("23:30").unwrap();
        assert_eq!(late.add_nanos(HOUR).unwrap().to_string(), "00:30");
    }
}
