//! Days by their number since 1970, for the clinic that the desk is measured on: its dates and instants, and
//! which days no holiday falls on.

/// The instant of a minute of a day, in UTC, as the sites keep it.
pub(super) fn instant(day: i64, minute: u64) -> String {
    format!("{}T{:02}:{:02}:00Z", date(day), minute / 60, minute % 60)
}

/// A day as text.
pub(super) fn date(day: i64) -> String {
    let (year, month, day) = civil(day);
    format!("{year}-{month:02}-{day:02}")
}

/// The nth day from one on that is no holiday of 5 U.S.C. 6103, whichever year it is: those of a weekday
/// fall on Mondays and Thursdays, those of a date are kept on Fridays and Mondays when they fall on a
/// weekend, and the rest is a short list.
pub(super) fn working_day(from: i64, nth: u64) -> i64 {
    const DATES: [(i64, i64); 5] = [(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)];
    // 1 January 1970 was a Thursday.
    let is_open = |day: &i64| {
        let (_, month, date) = civil(*day);
        let weekday = (day + 3).rem_euclid(7);
        matches!(weekday, 1 | 2 | 5 | 6) && !DATES.contains(&(month, date))
    };
    let nth = usize::try_from(nth).unwrap_or(usize::MAX);
    (from..).filter(is_open).nth(nth).unwrap_or(from)
}

/// Year, month and day of a day since 1970 (Hinnant 2021, `civil_from_days`).
const fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + if month <= 2 { 1 } else { 0 }, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(20_780), "2026-11-23");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(instant(20_780, 8 * 60 + 5), "2026-11-23T08:05:00Z");
    }
}
