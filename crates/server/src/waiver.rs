//! The waiver of TLS: a dated text by which an operator takes on that a port beyond loopback speaks
//! plaintext (45 CFR 164.312(e)(1)), such as behind a proxy on the next machine. It has an end, so
//! that nobody inherits it unread, and it is shown wherever the server's state is.

use base::error::code;
use base::time::{days_from_civil, days_in_month};
use base::{Fault, Millis};

const DAY_MS: i64 = 86_400_000;
/// How far ahead a waiver may end: whoever signs it should meet it again.
const AHEAD_DAYS_MAX: i64 = 366;
/// The least that can be a reason.
const REASON_CHARS_MIN: usize = 10;
const REASON_CHARS_MAX: usize = 200;

/// A waiver of TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// Its last day, as it was written.
    pub date: String,
    /// The instant after its last day, in UTC.
    pub end: Millis,
    /// Why it was given.
    pub reason: String,
}

impl Waiver {
    /// Reads `2027-01-31 behind the proxy of the machine room`.
    ///
    /// # Errors
    /// `server.parameter.invalid` for a text without a date or a reason.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let (date, reason) = text.split_once(' ').unwrap_or((text, ""));
        let Some(day) = day(date) else {
            return Err(refused("the waiver begins with its last day, such as 2027-01-31"));
        };
        let reason = reason.trim();
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&reason.chars().count())
            || reason.contains(char::is_control)
        {
            return Err(refused(
                "after the date the waiver gives a reason of 10 to 200 characters",
            ));
        }
        let end = Millis((day + 1) * DAY_MS);
        Ok(Self { date: date.to_owned(), end, reason: reason.to_owned() })
    }

    /// Whether its last day is over.
    pub fn is_past(&self, now: Millis) -> bool {
        now >= self.end
    }

    /// Refuses a waiver that is over, and one whose end is too far off to be one.
    ///
    /// # Errors
    /// `server.parameter.invalid`.
    pub fn check(&self, now: Millis) -> Result<(), Fault> {
        if self.is_past(now) {
            return Err(refused(
                "the waiver is over: set tls_certificate and tls_key, or give it a new date and reason",
            ));
        }
        if self.end.0 - now.0 > AHEAD_DAYS_MAX * DAY_MS {
            return Err(refused("a waiver ends within a year"));
        }
        Ok(())
    }
}

fn refused(what: &str) -> Fault {
    Fault::at(&code::PARAMETER_INVALID, what, "plaintext_waiver")
}

/// Days since 1970 of a date in the form `2027-01-31`.
fn day(date: &str) -> Option<i64> {
    let shaped = date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let mut parts = date.split('-').map_while(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let real = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    (shaped && real).then(|| days_from_civil(year, month, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASON: &str = "the proxy of the machine room speaks TLS";

    fn at(text: &str) -> Millis {
        Millis(day(text).unwrap() * DAY_MS)
    }

    #[test]
    fn a_waiver_holds_through_its_last_day() {
        let waiver = Waiver::parse(&format!("2027-01-31 {REASON}")).unwrap();
        assert_eq!((waiver.date.as_str(), waiver.reason.as_str()), ("2027-01-31", REASON));
        assert!(waiver.check(Millis(at("2027-02-01").0 - 1)).is_ok());
        assert!(waiver.check(at("2027-02-01")).is_err());
        assert!(waiver.is_past(at("2027-02-01")));
    }

    #[test]
    fn a_waiver_that_never_ends_is_none() {
        let waiver = Waiver::parse(&format!("9999-12-31 {REASON}")).unwrap();
        let fault = waiver.check(at("2026-11-22")).unwrap_err().to_string();
        assert!(fault.contains("within a year"), "{fault}");
        let waiver = Waiver::parse(&format!("2027-11-22 {REASON}")).unwrap();
        assert!(waiver.check(at("2026-11-22")).is_ok());
    }

    #[test]
    fn a_date_and_a_reason_are_asked_for() {
        for bad in [
            "",
            "because",
            "2027-01-31",
            "2027-01-31 why",
            "2027-02-29 the proxy speaks TLS",
            "2027-1-31 the proxy speaks TLS",
            "2027-01-31x the proxy speaks TLS",
            "+027-01-31 the proxy speaks TLS",
            "2027-01-31 the proxy\nspeaks TLS",
        ] {
            assert!(Waiver::parse(bad).is_err(), "{bad:?}");
        }
    }
}
