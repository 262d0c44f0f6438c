//! Days and moments of the clinic, which keeps US Central time: dates, `dateTime`s with their
//! offset (<https://hl7.org/fhir/R4/datatypes.html#dateTime>), ages, working days. The offset
//! follows the rule of 15 U.S.C. 260a (second Sunday of March to first Sunday of November) by day.

use base::Millis;
use base::time::{civil_from_days, days_from_civil};

/// Days since 1970-01-01, local.
pub(crate) type Day = i64;

const DAY_MINUTES: i64 = 1440;
const DAY_MS: i64 = 86_400_000;
const HOUR_MS: i64 = 3_600_000;

/// Minutes since 1970-01-01T00:00 local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At(i64);

impl At {
    /// A time of a day, in minutes from midnight.
    pub(crate) const fn new(day: Day, minute: i64) -> Self {
        Self(day * DAY_MINUTES + minute)
    }

    /// The day it falls on.
    pub(crate) const fn day(self) -> Day {
        self.0.div_euclid(DAY_MINUTES)
    }

    /// So many minutes later.
    pub(crate) const fn plus(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }

    /// Appends `YYYY-MM-DDThh:mm:ss±hh:mm`.
    pub(crate) fn push(self, out: &mut String) {
        let day = self.day();
        let minute = self.0.rem_euclid(DAY_MINUTES);
        push_date(out, day);
        out.push('T');
        push_padded(out, minute / 60, 2);
        out.push(':');
        push_padded(out, minute % 60, 2);
        out.push_str(if is_summer(day) { ":00-05:00" } else { ":00-06:00" });
    }
}

/// The day that an instant falls on.
pub(crate) const fn day_of(now: Millis) -> Day {
    let standard = (now.0 - 6 * HOUR_MS).div_euclid(DAY_MS);
    if is_summer(standard) { (now.0 - 5 * HOUR_MS).div_euclid(DAY_MS) } else { standard }
}

/// The weekday, 0 for Sunday.
pub(crate) const fn weekday(day: Day) -> i64 {
    (day + 4).rem_euclid(7)
}

/// The `n`th working day after `today` (before it, if negative); 0 is today, whatever its weekday.
pub(crate) const fn working_day(today: Day, n: i64) -> Day {
    let step = n.signum();
    let mut rest = n.abs();
    let mut day = today;
    while rest > 0 {
        day += step;
        if !matches!(weekday(day), 0 | 6) {
            rest -= 1;
        }
    }
    day
}

/// Whole months from `birth` to `day`.
pub(crate) const fn months(birth: Day, day: Day) -> i64 {
    let (y1, m1, d1) = civil_from_days(birth);
    let (y2, m2, d2) = civil_from_days(day);
    (y2 - y1) * 12 + m2 - m1 - if d2 < d1 { 1 } else { 0 }
}

/// Whole years from `birth` to `day`.
pub(crate) const fn age(birth: Day, day: Day) -> i64 {
    months(birth, day).div_euclid(12)
}

/// The day so many months after `day`; the 28th stands for later days of the month.
pub(crate) const fn add_months(day: Day, months: i64) -> Day {
    let (y, m, d) = civil_from_days(day);
    let count = y * 12 + m - 1 + months;
    days_from_civil(count.div_euclid(12), count.rem_euclid(12) + 1, if d > 28 { 28 } else { d })
}

/// The month of a day, 1 to 12.
pub(crate) const fn month(day: Day) -> i64 {
    civil_from_days(day).1
}

/// Appends `YYYY-MM-DD`.
pub(crate) fn push_date(out: &mut String, day: Day) {
    let (y, m, d) = civil_from_days(day);
    push_padded(out, y, 4);
    out.push('-');
    push_padded(out, m, 2);
    out.push('-');
    push_padded(out, d, 2);
}

/// The text of a date.
pub(crate) fn date_text(day: Day) -> String {
    let mut out = String::with_capacity(10);
    push_date(&mut out, day);
    out
}

/// Appends a number that is not negative, with leading zeros to `width`.
pub(crate) fn push_padded(out: &mut String, value: i64, width: u32) {
    let mut unit = 10_i64.pow(width.max(1) - 1);
    while value / unit > 9 {
        unit *= 10;
    }
    let mut rest = value;
    while unit > 0 {
        out.push(char::from(b'0' + u8::try_from(rest / unit).unwrap_or(0)));
        rest %= unit;
        unit /= 10;
    }
}

const fn is_summer(day: Day) -> bool {
    let (year, month, _) = civil_from_days(day);
    match month {
        4..=10 => true,
        3 => day >= first_sunday(year, 3) + 7,
        11 => day < first_sunday(year, 11),
        _ => false,
    }
}

const fn first_sunday(year: i64, month: i64) -> Day {
    let first = days_from_civil(year, month, 1);
    first + (7 - weekday(first)).rem_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(at: At) -> String {
        let mut out = String::new();
        at.push(&mut out);
        out
    }

    #[test]
    fn an_instant_falls_on_the_day_of_the_clinic() {
        let day = |y, m, d, hour: i64, minute: i64| {
            let midnight = days_from_civil(y, m, d) * DAY_MS;
            date_text(day_of(Millis(midnight + hour * HOUR_MS + minute * 60_000)))
        };
        assert_eq!(day(2026, 11, 24, 5, 59), "2026-11-23");
        assert_eq!(day(2026, 11, 24, 6, 0), "2026-11-24");
        assert_eq!(day(2026, 7, 2, 4, 59), "2026-07-01");
        assert_eq!(day(2026, 7, 2, 5, 0), "2026-07-02");
        // The clocks go forward on 8 March 2026 and back on 1 November.
        assert_eq!(day(2026, 3, 8, 5, 59), "2026-03-07");
        assert_eq!(day(2026, 3, 8, 6, 0), "2026-03-08");
        assert_eq!(day(2026, 11, 1, 4, 59), "2026-10-31");
        assert_eq!(day(2026, 11, 1, 6, 0), "2026-11-01");
    }

    #[test]
    fn moments_print_with_their_offset() {
        let day = |m, d| days_from_civil(2026, m, d);
        assert_eq!(text(At::new(day(11, 22), 9 * 60 + 5)), "2026-11-22T09:05:00-06:00");
        assert_eq!(text(At::new(day(7, 4), 0)), "2026-07-04T00:00:00-05:00");
        assert!(text(At::new(day(3, 7), 600)).ends_with("-06:00"));
        assert!(text(At::new(day(3, 8), 600)).ends_with("-05:00"));
        assert!(text(At::new(day(10, 31), 600)).ends_with("-05:00"));
        assert!(text(At::new(day(11, 1), 600)).ends_with("-06:00"));
    }

    #[test]
    fn working_days_skip_weekends() {
        let sunday = days_from_civil(2026, 11, 22);
        assert_eq!(weekday(sunday), 0);
        assert_eq!(working_day(sunday, 0), sunday);
        assert_eq!(working_day(sunday, 1), sunday + 1);
        assert_eq!(working_day(sunday, 6), sunday + 8);
        assert_eq!(working_day(sunday, -1), sunday - 2);
    }

    #[test]
    fn ages_turn_on_the_birthday() {
        let birth = days_from_civil(2000, 2, 29);
        assert_eq!(age(birth, days_from_civil(2026, 2, 28)), 25);
        assert_eq!(age(birth, days_from_civil(2026, 3, 1)), 26);
        assert_eq!(months(birth, birth), 0);
        assert_eq!(date_text(add_months(days_from_civil(2025, 12, 31), 2)), "2026-02-28");
    }

    #[test]
    fn numbers_pad() {
        let mut out = String::new();
        push_padded(&mut out, 7, 3);
        push_padded(&mut out, 12345, 2);
        push_padded(&mut out, 0, 1);
        assert_eq!(out, "007123450");
    }
}
