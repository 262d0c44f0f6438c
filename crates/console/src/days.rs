//! Days as people read and type them. Read: `14-Mar-1961 (65y)`, the month in letters so that nobody
//! mistakes it for the day (NHS Common User Interface, date display; ISMP on error-prone dates). Typed:
//! in any usual form; where a form can mean two days, both are meant.

use crate::words::{self, Lang};
use base::Millis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Unit};

/// The first year that a birth date is looked for in.
const YEAR_MIN: i16 = 1850;

/// The day at an instant, as the clinic counts days.
pub(crate) fn day_at(at: Millis, zone: &TimeZone) -> Date {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(zone.clone()).date()
}

/// The instants between which a day lies, as FHIR writes them.
pub(crate) fn bounds(day: Date, zone: &TimeZone) -> Option<(String, String)> {
    let start = day.to_zoned(zone.clone()).ok()?.timestamp();
    let end = day.tomorrow().ok()?.to_zoned(zone.clone()).ok()?.timestamp();
    Some((start.to_string(), end.to_string()))
}

/// The day of an instant as people read it, as the clinic counts days.
pub fn day(at: Millis, zone: &TimeZone, lang: Lang) -> String {
    shown(&day_at(at, zone).to_string(), lang)
}

/// A FHIR date as people read it: of as much as is known of it. Text that is no date stays as it is.
pub fn shown(text: &str, lang: Lang) -> String {
    let day = text.get(..10).unwrap_or(text);
    let mut parts = day.split('-');
    let (Some(year), month, date) = (parts.next(), parts.next(), parts.next()) else {
        return text.to_owned();
    };
    let month = month.map(|m| m.parse().ok().and_then(|m| month_name(m, lang)));
    match (month, date) {
        (None, _) => year.to_owned(),
        (Some(Some(month)), None) => format!("{month}-{year}"),
        (Some(Some(month)), Some(date)) => format!("{date}-{month}-{year}"),
        (Some(None), _) => text.to_owned(),
    }
}

/// A day as people read it, with the day of the week.
pub(crate) fn long(day: Date, lang: Lang) -> String {
    let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
    let weekday = words::WEEKDAYS.of(lang).split(' ').nth(weekday).unwrap_or_default();
    format!("{weekday} {}", shown(&day.to_string(), lang))
}

/// An instant as people read it, by the clinic's clock.
pub(crate) fn moment(at: Millis, zone: &TimeZone, lang: Lang) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = at.to_zoned(zone.clone());
    format!("{} {}", shown(&at.date().to_string(), lang), at.strftime("%H:%M"))
}

/// The time of day in a FHIR dateTime, by the clock of the place that wrote it.
pub(crate) fn wall_time(text: &str) -> &str {
    text.get(11..16).unwrap_or_default()
}

/// How old somebody is: in years, of a small child in months, of a newborn in days.
pub(crate) fn age(born: &str, on: Date, lang: Lang) -> Option<String> {
    let whole = born.get(..10).and_then(|text| text.parse::<Date>().ok());
    let Some(born) = whole else {
        // Of a year alone the age is not known to a year.
        let year: i16 = born.get(..4)?.parse().ok()?;
        let years = on.year().checked_sub(year).filter(|years| *years >= 0)?;
        return Some(words::ABOUT_YEARS.with(lang, &years.to_string()));
    };
    if born > on {
        return None;
    }
    let span = born.until((Unit::Year, on)).ok()?;
    if span.get_years() >= 2 {
        return Some(words::AGE_YEARS.with(lang, &span.get_years().to_string()));
    }
    let months = i32::from(span.get_years()) * 12 + span.get_months();
    if months >= 1 {
        return Some(words::AGE_MONTHS.with(lang, &months.to_string()));
    }
    Some(words::AGE_DAYS.with(lang, &span.get_days().to_string()))
}

/// The days that a text can mean; none when it is no day. A day that is still to come is nobody's birth.
pub(crate) fn typed(text: &str, today: Date) -> Vec<Date> {
    let text = text.trim().to_lowercase();
    let parts: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let readings: Vec<(&str, Option<i8>, &str)> = match parts.as_slice() {
        [whole] if whole.len() == 8 && whole.bytes().all(|b| b.is_ascii_digit()) => {
            let (Some(year), Some(month), Some(day)) =
                (whole.get(..4), whole.get(4..6), whole.get(6..))
            else {
                return Vec::new();
            };
            vec![(year, number(month), day)]
        }
        [a, b, c] => match (month_number(a), month_number(b)) {
            (Some(month), None) => vec![(c, Some(month), b)],
            (None, Some(month)) if a.len() == 4 => vec![(a, Some(month), c)],
            (None, Some(month)) => vec![(c, Some(month), a)],
            _ if a.len() == 4 => vec![(a, number(b), c)],
            // Day first or month first: what can be read both ways is.
            _ => vec![(c, number(a), b), (c, number(b), a)],
        },
        _ => Vec::new(),
    };
    let mut days: Vec<Date> = readings
        .into_iter()
        .filter_map(|(year, month, day)| {
            let (year, day) = (whole_year(year, today)?, number(day)?);
            Date::new(year, month?, day).ok()
        })
        .filter(|day| *day <= today && day.year() >= YEAR_MIN)
        .collect();
    days.dedup();
    days
}

fn number(text: &str) -> Option<i8> {
    let fine = text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| fine)
}

/// A year of two digits is the last one that is not still to come.
fn whole_year(text: &str, today: Date) -> Option<i16> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let year: i16 = text.parse().ok().filter(|_| digits)?;
    match text.len() {
        4 => Some(year),
        2 => {
            let this = today.year() / 100 * 100 + year;
            Some(if this > today.year() { this - 100 } else { this })
        }
        _ => None,
    }
}

fn month_name(month: usize, lang: Lang) -> Option<&'static str> {
    words::MONTHS.of(lang).split(' ').nth(month.checked_sub(1)?)
}

/// The number of a month by its name, or the beginning of its name, in any language of the pages.
fn month_number(text: &str) -> Option<i8> {
    if text.len() < 3 || !text.bytes().all(|b| b.is_ascii_alphabetic()) {
        return None;
    }
    Lang::ALL.into_iter().find_map(|lang| {
        let names = words::MONTHS_LONG.of(lang).split(' ');
        let at = names.into_iter().position(|name| name.starts_with(text))?;
        i8::try_from(at + 1).ok()
    })
}

/// The day some days from another.
pub(crate) fn days_from(day: Date, days: i32) -> Date {
    day.saturating_add(days.days())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    const TODAY: Date = date(2026, 11, 23);

    fn read(text: &str) -> Vec<String> {
        typed(text, TODAY).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_date_of_birth_is_understood_however_it_is_typed() {
        for text in [
            "1961-03-14",
            "14-Mar-1961",
            "14 mar 1961",
            "Mar 14, 1961",
            "march 14 1961",
            "14. March 1961",
            "3/14/1961",
            "14/3/1961",
            "14.03.1961",
            "19610314",
            "3/14/61",
            "14 marzo 1961",
            "1961 mar 14",
        ] {
            assert_eq!(read(text), ["1961-03-14"], "{text}");
        }
    }

    #[test]
    fn a_date_that_can_be_read_two_ways_is_both_days() {
        assert_eq!(read("03/04/1961"), ["1961-03-04", "1961-04-03"]);
        assert_eq!(read("04/04/1961"), ["1961-04-04"]);
    }

    #[test]
    fn what_is_no_day_that_was_is_none() {
        for text in [
            "",
            "1961",
            "31/31/1961",
            "2027-01-01",
            "1761-01-01",
            "ann lee",
            "1961-02-30",
            "12345678901",
        ] {
            assert_eq!(read(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(read("1/2/27"), ["1927-01-02", "1927-02-01"], "not in the future");
    }

    #[test]
    fn days_are_shown_with_their_month_in_letters_and_no_more_than_is_known() {
        assert_eq!(shown("1961-03-14", Lang::En), "14-Mar-1961");
        assert_eq!(shown("1961-01-14T10:00:00Z", Lang::Es), "14-ene-1961");
        assert_eq!(shown("1961-03", Lang::En), "Mar-1961");
        assert_eq!(shown("1961", Lang::En), "1961");
        assert_eq!(shown("1961-13-01", Lang::En), "1961-13-01");
    }

    #[test]
    fn an_instant_is_of_the_day_that_it_is_in_the_house() {
        let chicago = TimeZone::get("America/Chicago").expect("a zone");
        // Three in the morning of the 21st in Greenwich.
        let at = Millis(1_921_460_400_000);
        assert_eq!(day(at, &chicago, Lang::En), "20-Nov-2030");
        assert_eq!(day(at, &TimeZone::UTC, Lang::Es), "21-nov-2030");
    }

    #[test]
    fn an_age_is_in_the_unit_that_says_most() {
        let age = |born| age(born, TODAY, Lang::En).unwrap_or_default();
        assert_eq!(age("1961-03-14"), "65y");
        assert_eq!(age("1961-11-24"), "64y", "the birthday is tomorrow");
        assert_eq!(age("2025-10-01"), "13m");
        assert_eq!(age("2026-11-11"), "12d");
        assert_eq!(age("1961"), "about 65y");
        assert_eq!(age("2027-01-01"), "");
    }

    #[test]
    fn a_day_lasts_from_midnight_to_midnight_of_its_zone_also_when_clocks_change() {
        let zone = TimeZone::get("America/Chicago").expect("a zone");
        let (from, until) = bounds(date(2026, 11, 1), &zone).expect("bounds");
        assert_eq!(
            (from.as_str(), until.as_str()),
            ("2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z")
        );
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_is_no_day(text in "\\PC{0,24}") {
            for day in typed(&text, TODAY) {
                prop_assert!(day <= TODAY);
            }
        }

        #[test]
        fn whatever_stands_in_a_record_is_shown(text in "\\PC{0,16}") {
            let _ = (shown(&text, Lang::En), age(&text, TODAY, Lang::En), wall_time(&text));
        }
    }
}
