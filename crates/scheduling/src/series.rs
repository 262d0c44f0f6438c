//! Series: the same visit again and again, laid out occurrence by occurrence before anything is booked.
//!
//! An occurrence keeps its wall time: nine o'clock stays nine o'clock when the clocks change, and the
//! preview says where they did. A date that a rule names and a month does not have (the 31st of April)
//! is a line of its own, so that nothing is left out in silence (compare RFC 5545, 3.3.10, which
//! leaves it out without a word). Each occurrence becomes an appointment of its own; the series is
//! only the thread between them.

use crate::calendar::Site;
use crate::rules::Verdict;
use crate::time::{Date, Placed, Span, Time, Weekday};
use base::Fault;
use base::error::code::SCHEDULING_SERIES;

/// Occurrences of one series: a visit a day for a year.
pub const OCCURRENCES_MAX: u32 = 366;
/// Years a series reaches ahead.
pub const YEARS_MAX: i16 = 5;
/// The greatest step: each hundredth day, week or month.
pub const STEP_MAX: u16 = 100;

/// How it recurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Every {
    /// Every so many days.
    Days(u16),
    /// Every so many weeks, on days of the week. Weeks begin on Monday.
    Weeks {
        /// 1 for each week.
        step: u16,
        /// At least one.
        on: Vec<Weekday>,
    },
    /// Every so many months, on a day of the month.
    MonthDay {
        /// 1 for each month.
        step: u16,
        /// 1 to 31.
        day: i8,
    },
    /// Every so many months, on the nth weekday.
    MonthNth {
        /// 1 for each month.
        step: u16,
        /// 1 to 5, or -1 for the last.
        nth: i8,
        /// The day of the week.
        weekday: Weekday,
    },
}

/// When it ends. There is no series without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// After so many occurrences.
    Count(u32),
    /// With this date.
    Until(Date),
}

/// A recurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// The first date that is considered.
    pub from: Date,
    /// The wall time at the site.
    pub time: Time,
    /// How.
    pub every: Every,
    /// Until when.
    pub end: End,
}

/// A change of the clocks since the occurrence before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    /// Seconds ahead of UTC before.
    pub from_s: i32,
    /// Seconds ahead of UTC now.
    pub to_s: i32,
}

/// One occurrence of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occurrence {
    /// Its number in the series, from 1.
    pub number: u32,
    /// Its date.
    pub date: Date,
    /// Its instant and wall time, and what daylight saving did to the latter.
    pub placed: Placed,
    /// The visit.
    pub span: Span,
    /// The clocks changed since the occurrence before.
    pub clocks: Option<ClockChange>,
    /// The holiday that the site keeps.
    pub holiday: Option<&'static str>,
    /// What speaks against it.
    pub verdict: Verdict,
}

/// One line of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An occurrence.
    Occurrence(Occurrence),
    /// The rule names a day that this month does not have. It counts for nothing.
    NoSuchDay {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: i8,
    },
}

/// The dates of a recurrence, or the months that lack one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// A date.
    Date(Date),
    /// A month without the day.
    NoSuchDay {
        /// The year.
        year: i16,
        /// 1 to 12.
        month: i8,
    },
}

impl Recurrence {
    /// Its dates in order, with the months that lack the day; `SCHEDULING_SERIES` when it makes no
    /// sense or has more occurrences than [`OCCURRENCES_MAX`] or a date later than [`YEARS_MAX`].
    pub fn dates(&self) -> Result<Vec<Named>, Fault> {
        self.check()?;
        let last = self.horizon()?;
        let mut named = Vec::new();
        let mut count = 0_u32;
        let mut steps = 0_u32;
        loop {
            let more = self.step(steps)?;
            steps += 1;
            let Some((first_day, found)) = more else { return Ok(named) };
            if first_day > last {
                return match self.end {
                    End::Count(wanted) if count < wanted => {
                        Err(invalid("the series reaches more than five years ahead"))
                    }
                    _ => Ok(named),
                };
            }
            for one in found {
                match one {
                    Named::Date(date) if date < self.from => {}
                    Named::Date(date) => {
                        if matches!(self.end, End::Until(end) if date > end) {
                            return Ok(named);
                        }
                        if date > last {
                            return Err(invalid("the series reaches more than five years ahead"));
                        }
                        count += 1;
                        if count > OCCURRENCES_MAX {
                            return Err(invalid("a series has at most 366 occurrences"));
                        }
                        named.push(one);
                        if matches!(self.end, End::Count(wanted) if count >= wanted) {
                            return Ok(named);
                        }
                    }
                    Named::NoSuchDay { .. } => {
                        if matches!(self.end, End::Until(end) if first_day > end) {
                            return Ok(named);
                        }
                        named.push(one);
                    }
                }
            }
        }
    }

    fn check(&self) -> Result<(), Fault> {
        let step = match &self.every {
            Every::Days(step) => *step,
            Every::Weeks { step, on } => {
                if on.is_empty() {
                    return Err(invalid("choose at least one day of the week"));
                }
                *step
            }
            Every::MonthDay { step, day } => {
                if !(1..=31).contains(day) {
                    return Err(invalid("the day of the month is 1 to 31"));
                }
                *step
            }
            Every::MonthNth { step, nth, .. } => {
                if !(1..=5).contains(nth) && *nth != -1 {
                    return Err(invalid("the weekday of the month is the 1st to 5th, or the last"));
                }
                *step
            }
        };
        if step == 0 || step > STEP_MAX {
            return Err(invalid("the step is 1 to 100"));
        }
        match self.end {
            End::Count(0) => Err(invalid("a series has at least one occurrence")),
            End::Count(n) if n > OCCURRENCES_MAX => {
                Err(invalid("a series has at most 366 occurrences"))
            }
            End::Until(end) if end < self.from => Err(invalid("the series ends before it begins")),
            End::Until(end) if end > self.horizon()? => {
                Err(invalid("the series reaches more than five years ahead"))
            }
            _ => Ok(()),
        }
    }

    fn horizon(&self) -> Result<Date, Fault> {
        let span = jiff::Span::new().years(YEARS_MAX);
        self.from.checked_add(span).map_err(|_fault| invalid("use a year from 1900 to 2200"))
    }

    /// What the nth day, week or month names, with its first day; `None` past the end of the calendar.
    fn step(&self, nth: u32) -> Result<Option<(Date, Vec<Named>)>, Fault> {
        let times = |step: u16| i64::from(step) * i64::from(nth);
        let later = |span: jiff::Span, from: Date| from.checked_add(span).ok();
        Ok(match &self.every {
            Every::Days(step) => later(jiff::Span::new().days(times(*step)), self.from)
                .map(|date| (date, vec![Named::Date(date)])),
            Every::Weeks { step, on } => {
                let back = i64::from(self.from.weekday().to_monday_zero_offset());
                let monday = later(jiff::Span::new().days(times(*step) * 7 - back), self.from);
                monday.map(|monday| {
                    let days = (0..7).filter_map(|d| later(jiff::Span::new().days(d), monday));
                    let chosen = days.filter(|d| on.contains(&d.weekday()));
                    (monday, chosen.map(Named::Date).collect())
                })
            }
            Every::MonthDay { step, day } => {
                let month =
                    later(jiff::Span::new().months(times(*step)), self.from.first_of_month());
                month.map(|first| {
                    let date = Date::new(first.year(), first.month(), *day).ok();
                    (first, vec![named(date, first)])
                })
            }
            Every::MonthNth { step, nth, weekday } => {
                let month =
                    later(jiff::Span::new().months(times(*step)), self.from.first_of_month());
                month.map(|first| {
                    (first, vec![named(first.nth_weekday_of_month(*nth, *weekday).ok(), first)])
                })
            }
        })
    }
}

/// Lays a series out at a site: each occurrence with its instant, what the clocks did, its holiday, and
/// what `check` says of it. Occurrences that meet each other are for `check` to see: it is asked in
/// order and may remember.
pub fn preview(
    recurrence: &Recurrence,
    site: &Site,
    minutes: u32,
    mut check: impl FnMut(u32, Span) -> Verdict,
) -> Result<Vec<Line>, Fault> {
    let mut lines = Vec::new();
    let (mut number, mut before_s) = (0, None);
    for one in recurrence.dates()? {
        let date = match one {
            Named::Date(date) => date,
            Named::NoSuchDay { year, month } => {
                lines.push(Line::NoSuchDay { year, month });
                continue;
            }
        };
        number += 1;
        let placed = site.zone.place(date.to_datetime(recurrence.time))?;
        let span = Span::of_minutes(placed.instant, minutes)
            .ok_or_else(|| invalid("a visit lasts at least a minute"))?;
        let now_s = site.zone.offset_s(placed.instant);
        let clocks = before_s
            .filter(|from_s| *from_s != now_s)
            .map(|from_s| ClockChange { from_s, to_s: now_s });
        before_s = Some(now_s);
        lines.push(Line::Occurrence(Occurrence {
            number,
            date,
            placed,
            span,
            clocks,
            holiday: site.holiday(date).map(|h| h.name),
            verdict: check(number, span),
        }));
    }
    Ok(lines)
}

fn named(date: Option<Date>, first: Date) -> Named {
    date.map_or(Named::NoSuchDay { year: first.year(), month: first.month() }, Named::Date)
}

fn invalid(says: &str) -> Fault {
    Fault::new(&SCHEDULING_SERIES, says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, time};

    fn dates(every: Every, end: End) -> Vec<String> {
        let recurrence = Recurrence { from: date(2026, 1, 31), time: time(9, 0, 0, 0), every, end };
        let text = |n: Named| match n {
            Named::Date(d) => d.to_string(),
            Named::NoSuchDay { year, month } => format!("{year}-{month:02}-none"),
        };
        recurrence.dates().unwrap().into_iter().map(text).collect()
    }

    #[test]
    fn a_month_without_the_day_is_said_and_does_not_count() {
        let found = dates(Every::MonthDay { step: 1, day: 31 }, End::Count(3));
        assert_eq!(
            found,
            ["2026-01-31", "2026-02-none", "2026-03-31", "2026-04-none", "2026-05-31"]
        );
        let fifth = Every::MonthNth { step: 1, nth: 5, weekday: Weekday::Monday };
        let found = dates(fifth, End::Until(date(2026, 4, 30)));
        assert_eq!(found, ["2026-01-none", "2026-02-none", "2026-03-30", "2026-04-none"]);
    }

    #[test]
    fn weeks_are_counted_from_the_week_of_the_start() {
        let every = Every::Weeks { step: 2, on: vec![Weekday::Wednesday, Weekday::Sunday] };
        assert_eq!(
            dates(every, End::Count(4)),
            ["2026-02-01", "2026-02-11", "2026-02-15", "2026-02-25"]
        );
        let last = Every::MonthNth { step: 3, nth: -1, weekday: Weekday::Friday };
        assert_eq!(dates(last, End::Count(2)), ["2026-04-24", "2026-07-31"]);
    }

    #[test]
    fn a_series_without_bounds_is_refused() {
        for (every, end) in [
            (Every::Days(1), End::Count(367)),
            (Every::Days(1), End::Until(date(2028, 1, 1))),
            (Every::Days(0), End::Count(2)),
            (Every::Days(1), End::Count(0)),
            (Every::Days(1), End::Until(date(2025, 1, 1))),
            (Every::Days(1), End::Until(date(2099, 1, 1))),
            (Every::Weeks { step: 1, on: Vec::new() }, End::Count(1)),
            (Every::Weeks { step: 100, on: vec![Weekday::Monday] }, End::Count(50)),
            (Every::MonthDay { step: 1, day: 32 }, End::Count(1)),
            (Every::MonthNth { step: 1, nth: 0, weekday: Weekday::Monday }, End::Count(1)),
        ] {
            let recurrence =
                Recurrence { from: date(2026, 1, 31), time: time(9, 0, 0, 0), every, end };
            let fault = recurrence.dates().unwrap_err();
            assert_eq!(fault.code().name, "scheduling.series.invalid", "{recurrence:?}");
        }
    }
}
