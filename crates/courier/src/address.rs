//! Addresses of people, read strictly: what stands in a record's `telecom` is written by hand, and what is
//! not surely one address is none (RFC 5321 section 4.1.2; E.164). They are about a person, so none prints.

use crate::invalid;
use base::{Fault, Phi};

/// Bytes of a mail address, and of what stands before the sign (RFC 5321 section 4.5.3.1).
const EMAIL_MAX: usize = 254;
const LOCAL_MAX: usize = 64;
/// Digits of a number with its country's code (E.164), and the least that is one.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// By mail.
    Email(Email),
    /// To a phone.
    Phone(Phone),
}

/// A mail address in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(Phi<String>);

impl Email {
    /// Reads an address.
    ///
    /// # Errors
    /// `courier.message.invalid`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let odd = || invalid("this is no mail address that a message can be sent to");
        let text = text.trim();
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        let (local, domain) = text.rsplit_once('@').ok_or_else(odd)?;
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        let atoms = |part: &str| !part.is_empty() && part.chars().all(atom);
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let fine = text.len() <= EMAIL_MAX
            && local.len() <= LOCAL_MAX
            && local.split('.').all(atoms)
            && domain.contains('.')
            && domain.split('.').all(label);
        if fine { Ok(Self(Phi::new(text.to_owned()))) } else { Err(odd()) }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// A phone's number with its country's code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(Phi<String>);

impl Phone {
    /// Reads a number; one without its country's code is of the country `home` (digits, such as `1`).
    ///
    /// # Errors
    /// `courier.message.invalid`, for extensions too: no text reaches them.
    pub fn parse(text: &str, home: &str) -> Result<Self, Fault> {
        let odd = || invalid("this is no number that a message can be sent to");
        let text = text.trim();
        let text = text.strip_prefix("tel:").unwrap_or(text);
        let (is_whole, rest) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        if rest.chars().any(|c| !c.is_ascii_digit() && !" -().\u{a0}".contains(c)) {
            return Err(odd());
        }
        let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
        let whole = match (is_whole, digits.strip_prefix("00")) {
            (true, _) => digits,
            (false, Some(abroad)) => abroad.to_owned(),
            // Within the North American plan the country's code is dialled by many.
            (false, None) if home == "1" && digits.len() == 11 && digits.starts_with('1') => digits,
            (false, None) if home == "1" && digits.len() != 10 => return Err(odd()),
            (false, None) => format!("{home}{}", digits.strip_prefix('0').unwrap_or(&digits)),
        };
        if !DIGITS.contains(&whole.len()) || whole.starts_with('0') {
            return Err(odd());
        }
        Ok(Self(Phi::new(format!("+{whole}"))))
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let read = |text: &str, home: &str| Phone::parse(text, home).map(|p| p.expose().to_owned());
        for (text, home, whole) in [
            ("(312) 555-0142", "1", "+13125550142"),
            ("1-312-555-0142", "1", "+13125550142"),
            ("+1 312.555.0142", "49", "+13125550142"),
            ("tel:+1-312-555-0142", "1", "+13125550142"),
            ("030 1234567", "49", "+49301234567"),
            ("0049 30 1234567", "1", "+49301234567"),
        ] {
            assert_eq!(read(text, home).as_deref(), Ok(whole), "{text}");
        }
        for bad in ["", "555-0142", "312-555-0142 x12", "+0312", "call me", "+1234567890123456"] {
            assert!(Phone::parse(bad, "1").is_err(), "{bad}");
        }
    }

    #[test]
    fn what_could_be_two_addresses_or_a_head_is_none() {
        assert_eq!(
            Email::parse(" mailto:jane.doe+x@mail.example ").unwrap().expose(),
            "jane.doe+x@mail.example"
        );
        for bad in [
            "",
            "jane",
            "jane@localhost",
            "a@b.example,c@d.example",
            "a b@c.example",
            "a@b.example\r\nBcc: c@d.example",
            "<a@b.example>",
            "a..b@c.example",
            "a@-b.example",
            "jos\u{e9}@b.example",
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(format!("{:?}", Email::parse("a@b.example").unwrap()), "Email(‹phi›)");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fall_or_carries_an_end_of_line(text in "\\PC{0,40}|[0-9a@.\r\n<> +-]{0,40}") {
            if let Ok(email) = Email::parse(&text) {
                prop_assert!(!email.expose().contains(|c: char| c.is_control() || " <>,".contains(c)));
            }
            if let Ok(phone) = Phone::parse(&text, "1") {
                prop_assert!(phone.expose().chars().skip(1).all(|c| c.is_ascii_digit()));
            }
        }
    }
}
