//! Dates of birth as people write them. What may be read two ways gives both readings: 3/4/61 is the
//! third of April and the fourth of March, and a year of two digits is of this century and of the
//! last, as far as neither lies ahead.

use super::Span;
use fhir::date::parse;

const MONTHS: &[(&str, u32)] = &[
    ("january", 1),
    ("february", 2),
    ("march", 3),
    ("april", 4),
    ("may", 5),
    ("june", 6),
    ("july", 7),
    ("august", 8),
    ("september", 9),
    ("october", 10),
    ("november", 11),
    ("december", 12),
    ("enero", 1),
    ("febrero", 2),
    ("marzo", 3),
    ("abril", 4),
    ("mayo", 5),
    ("junio", 6),
    ("julio", 7),
    ("agosto", 8),
    ("septiembre", 9),
    ("octubre", 10),
    ("noviembre", 11),
    ("diciembre", 12),
];

const DAY_MS: i64 = 86_400_000;

/// No patient was born before.
const YEAR_FIRST: u32 = 1850;

/// The readings of a text as a date, the likelier first; none when it is not one. `year_now` is the
/// present year: nobody is born after it.
pub(super) fn read(text: &str, year_now: u32) -> Vec<Span> {
    let Some(parts) = parts(text) else { return Vec::new() };
    let mut out: Vec<Span> = Vec::new();
    match parts.as_slice() {
        // A year alone is a number like any other, and a month's name alone is a name.
        [Part::Number(n)] if n.len() == 8 => {
            for (y, m, d) in [((0, 4), (4, 6), (6, 8)), ((4, 8), (0, 2), (2, 4))] {
                let part = |(from, to): (usize, usize)| n.get(from..to).unwrap_or_default();
                day(part(y), month_of(part(m)), part(d), year_now, &mut out);
            }
        }
        [Part::Number(y), Part::Number(m)] | [Part::Number(m), Part::Number(y)]
            if y.len() == 4 && m.len() <= 2 =>
        {
            month(y, month_of(m), year_now, &mut out);
        }
        [Part::Month(m), Part::Number(y)] | [Part::Number(y), Part::Month(m)] if y.len() == 4 => {
            month(y, Some(*m), year_now, &mut out);
        }
        [Part::Number(y), Part::Number(m), Part::Number(d)] if y.len() == 4 => {
            day(y, month_of(m), d, year_now, &mut out);
        }
        [Part::Number(a), Part::Number(b), Part::Number(y)] => {
            day(y, month_of(a), b, year_now, &mut out);
            day(y, month_of(b), a, year_now, &mut out);
        }
        [Part::Number(d), Part::Month(m), Part::Number(y)]
        | [Part::Month(m), Part::Number(d), Part::Number(y)]
            if d.len() <= 2 =>
        {
            day(y, Some(*m), d, year_now, &mut out);
        }
        [Part::Number(y), Part::Month(m), Part::Number(d)] if y.len() == 4 => {
            day(y, Some(*m), d, year_now, &mut out);
        }
        _ => {}
    }
    let mut readings = Vec::new();
    for span in out {
        if !readings.contains(&span) {
            readings.push(span);
        }
    }
    readings
}

/// The year that a text of four digits is, as a span.
pub(super) fn year(text: &str, year_now: u32) -> Option<Span> {
    let number: u32 = text.parse().ok().filter(|_| text.len() == 4)?;
    ((YEAR_FIRST..=year_now).contains(&number))
        .then(|| parse(text))
        .flatten()
        .map(|r| (r.low, r.high))
}

/// The same date with day and month exchanged, if that is a date: the commonest slip of all.
pub fn transposed((low, high): Span) -> Option<Span> {
    if high - low >= DAY_MS {
        return None;
    }
    let date =
        jiff::Timestamp::from_millisecond(low).ok()?.to_zoned(jiff::tz::TimeZone::UTC).date();
    let text = format!("{:04}-{:02}-{:02}", date.year(), date.day(), date.month());
    parse(&text).map(|r| (r.low, r.high)).filter(|span| *span != (low, high))
}

/// Whether two days, counted from 1970, are of one year, or are the same day of two years.
pub fn same_place_in_a_year(one: i64, other: i64) -> bool {
    let date = |day: i64| {
        let at = jiff::Timestamp::from_millisecond(day.saturating_mul(DAY_MS)).ok()?;
        Some(at.to_zoned(jiff::tz::TimeZone::UTC).date())
    };
    let (Some(one), Some(other)) = (date(one), date(other)) else { return false };
    one.year() == other.year() || (one.month(), one.day()) == (other.month(), other.day())
}

#[derive(Debug, PartialEq)]
enum Part<'t> {
    Number(&'t str),
    Month(u32),
}

/// Two or three numbers and at most one month's name, or eight digits; anything else is no date.
fn parts(text: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| {
            if first.is_ascii_digit() { c.is_ascii_digit() } else { c.is_ascii_alphabetic() }
        };
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        if end == 0 {
            if !matches!(first, '-' | '/' | '.' | ',' | ' ') {
                return None;
            }
            rest = rest.get(first.len_utf8()..)?;
            continue;
        }
        let (word, after) = rest.split_at_checked(end)?;
        parts.push(if first.is_ascii_digit() {
            Part::Number(word)
        } else {
            // The article of Spanish dates, and the endings of English days.
            if matches!(word, "de" | "of" | "st" | "nd" | "rd" | "th") {
                rest = after;
                continue;
            }
            Part::Month(named(word)?)
        });
        rest = after;
        if parts.len() > 3 {
            return None;
        }
    }
    Some(parts)
}

fn named(word: &str) -> Option<u32> {
    let short = word.len() >= 3;
    MONTHS.iter().find(|(name, _)| short && name.starts_with(word)).map(|(_, month)| *month)
}

fn month_of(text: &str) -> Option<u32> {
    text.parse().ok().filter(|month| (1..=12).contains(month) && text.len() <= 2)
}

fn month(year: &str, month: Option<u32>, year_now: u32, out: &mut Vec<Span>) {
    let year = year.parse().ok().filter(|y| (YEAR_FIRST..=year_now).contains(y));
    if let (Some(year), Some(month)) = (year, month) {
        out.extend(parse(&format!("{year:04}-{month:02}")).map(|r| (r.low, r.high)));
    }
}

fn day(year: &str, month: Option<u32>, day: &str, year_now: u32, out: &mut Vec<Span>) {
    let (Some(month), Ok(day)) = (month, day.parse::<u32>()) else { return };
    let Ok(number) = year.parse::<u32>() else { return };
    let years = match year.len() {
        4 => vec![number],
        2 => {
            let century = year_now / 100 * 100;
            vec![century + number, (century + number).saturating_sub(100)]
        }
        _ => return,
    };
    for year in years.into_iter().filter(|y| (YEAR_FIRST..=year_now).contains(y)) {
        out.extend(parse(&format!("{year:04}-{month:02}-{day:02}")).map(|r| (r.low, r.high)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let of = |ms: i64| {
            let at = jiff::Timestamp::from_millisecond(ms).unwrap();
            at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
        };
        read(text, 2026)
            .into_iter()
            .map(|(low, high)| match of(low) == of(high) {
                true => of(low),
                false => format!("{}..{}", of(low), of(high)),
            })
            .collect()
    }

    #[test]
    fn dates_are_read_however_they_are_written() {
        for text in [
            "1961-03-14",
            "3/14/1961",
            "14/3/1961",
            "14.03.1961",
            "14-mar-1961",
            "mar 14, 1961",
            "14 march 1961",
            "march 14th 1961",
            "14 de marzo de 1961",
            "19610314",
            "03141961",
            "1961/3/14",
            "3/14/61",
            "14mar1961",
            "1961-mar-14",
            "3-14-61",
        ] {
            assert_eq!(said(text), ["1961-03-14"], "{text}");
        }
    }

    #[test]
    fn what_may_be_two_dates_is_both() {
        assert_eq!(said("3/4/1961"), ["1961-03-04", "1961-04-03"]);
        assert_eq!(said("3/14/21"), ["2021-03-14", "1921-03-14"]);
        assert_eq!(said("4/4/1961"), ["1961-04-04"]);
        assert_eq!(said("1961-03"), ["1961-03-01..1961-03-31"]);
        assert_eq!(said("03/1961"), ["1961-03-01..1961-03-31"]);
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "1961",
            "31/31/1961",
            "2/30/1961",
            "1961-13",
            "555-0142",
            "may",
            "smith",
            "3/14/2061",
            "1/2/3",
            "1-2-3-4",
            "00000000",
            "12/12",
            "mar",
        ] {
            assert_eq!(said(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn day_and_month_are_exchanged_only_where_that_is_a_date() {
        let one = |text: &str| read(text, 2026)[0];
        assert_eq!(transposed(one("1961-03-04")), Some(one("1961-04-03")));
        assert_eq!(transposed(one("1961-03-14")), None);
        assert_eq!(transposed(one("1961-04-04")), None);
        assert_eq!(transposed(one("1961-03")), None);
    }
}
