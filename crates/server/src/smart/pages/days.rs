//! Days on the pages for people: `20-Nov-2030`, as the console writes them, the month in letters so that
//! nobody takes it for the day (NHS Common User Interface, date display).

use base::Millis;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The day of an instant, by the clock of the house.
pub(super) fn day(at: Millis, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    in_words(&at.to_zoned(zone.clone()).date().to_string())
}

/// A FHIR date, of as much as is known of it. Text that is no date stays as it is.
pub(in crate::smart) fn in_words(text: &str) -> String {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let month = month.and_then(|month| month.parse::<usize>().ok()?.checked_sub(1));
    match (year, month.and_then(|month| MONTHS.get(month)), day) {
        (Some(year), Some(month), Some(day)) => format!("{day}-{month}-{year}"),
        (Some(year), Some(month), None) => format!("{month}-{year}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_said_with_the_month_in_letters_by_the_clock_of_the_house() {
        let chicago = TimeZone::get("America/Chicago").expect("a zone");
        // Three in the morning of the 21st in Greenwich.
        assert_eq!(day(Millis(1_921_460_400_000), &chicago), "20-Nov-2030");
        for (text, said) in [
            ("1815-12-10", "10-Dec-1815"),
            ("1815-12", "Dec-1815"),
            ("1815", "1815"),
            ("1815-13-01", "1815-13-01"),
            ("", ""),
        ] {
            assert_eq!(in_words(text), said);
        }
    }
}
