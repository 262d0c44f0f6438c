//! Quantities (<http://hl7.org/fhirpath/N1/#quantity>): a value with a UCUM unit or a calendar
//! duration, their comparison and arithmetic, and adding durations to dates.

use crate::decimal::Decimal;
use crate::temporal::{DAY, HOUR, MINUTE, Precision, SECOND, Temporal, TemporalKind};
use crate::units::{self, Canonical};
use std::cmp::Ordering;
use std::fmt;

/// A value with a unit.
#[derive(Debug, Clone)]
pub struct Quantity {
    /// The value.
    pub value: Decimal,
    /// The unit.
    pub unit: QuantityUnit,
}

/// The unit of a quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuantityUnit {
    /// A UCUM code.
    Ucum(Box<str>),
    /// A calendar duration, in the singular.
    Calendar(Calendar),
}

/// Calendar durations. A year and a month have no fixed length, so they equal no UCUM unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum Calendar {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Calendar {
    /// Reads `day` or `days`.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.strip_suffix('s').unwrap_or(word) {
            "year" => Self::Year,
            "month" => Self::Month,
            "week" => Self::Week,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            _ => return None,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }

    const fn ucum(self) -> &'static str {
        match self {
            Self::Year => "a",
            Self::Month => "mo",
            Self::Week => "wk",
            Self::Day => "d",
            Self::Hour => "h",
            Self::Minute => "min",
            Self::Second => "s",
            Self::Millisecond => "ms",
        }
    }

    /// A UCUM unit of time that has the length of a calendar duration.
    fn of_ucum(code: &str) -> Option<Self> {
        Some(match code {
            "wk" => Self::Week,
            "d" => Self::Day,
            "h" => Self::Hour,
            "min" => Self::Minute,
            "s" => Self::Second,
            "ms" => Self::Millisecond,
            // Some write the calendar word in quotes.
            word => return Self::parse(word),
        })
    }

    const fn is_uncertain(self) -> bool {
        matches!(self, Self::Year | Self::Month)
    }
}

impl Quantity {
    /// A quantity of a UCUM unit.
    pub fn ucum(value: Decimal, code: &str) -> Self {
        Self { value, unit: QuantityUnit::Ucum(code.into()) }
    }

    /// Reads `4.5 'mg'`, `4 days`, `4`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end =
            text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(end)?;
        let value = Decimal::parse(number.strip_prefix('+').unwrap_or(number))?;
        let unit = unit.trim_start();
        if unit.is_empty() {
            return Some(Self::ucum(value, "1"));
        }
        if let Some(code) = unit.strip_prefix('\'') {
            let code = code.strip_suffix('\'').filter(|c| !c.is_empty() && !c.contains('\''))?;
            return Some(Self::ucum(value, code));
        }
        Some(Self { value, unit: QuantityUnit::Calendar(Calendar::parse(unit)?) })
    }

    /// Their order, exactly; `None` when they do not measure the same thing or when a calendar year or
    /// month meets a UCUM unit.
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if self.unit == other.unit {
            return Some(self.value.cmp(&other.value));
        }
        if self.mixes_calendar(other) {
            return None;
        }
        let (a, b) = (self.canonical()?, other.canonical()?);
        if !a.comparable(&b) {
            return None;
        }
        let ((a, a_below), (b, b_below)) = (a.fraction(self.value)?, b.fraction(other.value)?);
        Some(a.checked_mul(b_below)?.cmp(&b.checked_mul(a_below)?))
    }

    /// Whether both measure the same thing.
    pub fn comparable(&self, other: &Self) -> bool {
        match (self.canonical(), other.canonical()) {
            (Some(a), Some(b)) => a.comparable(&b),
            _ => self.unit == other.unit,
        }
    }

    /// Equivalence: equal when rounded to the less precise of both.
    pub fn equivalent(&self, other: &Self) -> bool {
        let (Some(a), Some(b)) = (self.canonical(), other.canonical()) else {
            return self.unit == other.unit && self.value == other.value;
        };
        // The less precise one decides what is compared: 4 g is 4040 mg, as 4.04 rounds to 4.
        let (Some(there), Some(here)) = (a.convert(self.value, &b), b.convert(other.value, &a))
        else {
            return false;
        };
        let rounded = |x: Decimal, y: Decimal| x.round(y.trim().scale()) == y;
        there == other.value || rounded(here, self.value) || rounded(there, other.value)
    }

    /// The sum, in the unit of the first.
    pub fn add(&self, other: &Self) -> Option<Self> {
        let other = if self.unit == other.unit {
            other.value
        } else if self.mixes_calendar(other) {
            return None;
        } else {
            other.canonical()?.convert(other.value, &self.canonical()?)?
        };
        Some(Self { value: self.value.checked_add(other)?, unit: self.unit.clone() })
    }

    /// The product; the units multiply.
    pub fn mul(&self, other: &Self) -> Option<Self> {
        let code = match (self.code(), other.code()) {
            ("1", code) | (code, "1") => code.to_owned(),
            (a, b) => format!("{}.{}", grouped(a), grouped(b)),
        };
        Some(Self::ucum(self.value.checked_mul(other.value)?, &code))
    }

    /// The quotient; the units divide.
    pub fn div(&self, other: &Self) -> Option<Self> {
        let code = match (self.code(), other.code()) {
            (a, b) if a == b => "1".to_owned(),
            (code, "1") => code.to_owned(),
            ("1", code) => format!("/{}", grouped(code)),
            (a, b) => format!("{a}/{}", grouped(b)),
        };
        Some(Self::ucum(self.value.checked_div(other.value)?, &code))
    }

    /// The UCUM code, also of a calendar duration.
    pub fn code(&self) -> &str {
        match &self.unit {
            QuantityUnit::Ucum(code) => code,
            QuantityUnit::Calendar(word) => word.ucum(),
        }
    }

    fn canonical(&self) -> Option<Canonical> {
        units::canonical(self.code())
    }

    fn mixes_calendar(&self, other: &Self) -> bool {
        match (&self.unit, &other.unit) {
            (QuantityUnit::Calendar(c), QuantityUnit::Ucum(_))
            | (QuantityUnit::Ucum(_), QuantityUnit::Calendar(c)) => c.is_uncertain(),
            // A month is no fixed number of days either.
            (QuantityUnit::Calendar(a), QuantityUnit::Calendar(b)) => {
                a.is_uncertain() != b.is_uncertain()
            }
            (QuantityUnit::Ucum(_), QuantityUnit::Ucum(_)) => false,
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.unit {
            QuantityUnit::Ucum(code) => write!(f, "{} '{code}'", self.value),
            QuantityUnit::Calendar(word) => {
                let plural = if self.value == Decimal::ONE { "" } else { "s" };
                write!(f, "{} {}{plural}", self.value, word.as_str())
            }
        }
    }
}

fn grouped(code: &str) -> String {
    if code.contains('/') || code.contains('.') { format!("({code})") } else { code.to_owned() }
}

/// Why a duration cannot be added to a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddFault {
    /// The unit is no duration that a calendar knows.
    Unit,
    /// The result is no date of the years 1 to 9999.
    Range,
}

/// A date plus a duration (<http://hl7.org/fhirpath/N1/#addition-date-time-arithmetic>): fractions above
/// seconds are dropped, and so is what is finer than the date's own precision.
pub(crate) fn add_duration(
    to: Temporal,
    by: &Quantity,
    negate: bool,
) -> Result<Temporal, AddFault> {
    let unit = match &by.unit {
        QuantityUnit::Calendar(word) => *word,
        QuantityUnit::Ucum(code) => Calendar::of_ucum(code).ok_or(AddFault::Unit)?,
    };
    let value = if negate { by.value.negate() } else { by.value };
    let whole = || value.truncate().to_integer().ok_or(AddFault::Range);
    let nanos_of = |unit: i64| whole()?.checked_mul(unit).ok_or(AddFault::Range);
    if to.kind() == TemporalKind::Time
        && matches!(unit, Calendar::Year | Calendar::Month | Calendar::Week | Calendar::Day)
    {
        return Err(AddFault::Unit);
    }
    let nanos = match unit {
        Calendar::Year => return add_months(to, whole()?.checked_mul(12).ok_or(AddFault::Range)?),
        Calendar::Month => return add_months(to, whole()?),
        Calendar::Week => return add_days(to, whole()?.checked_mul(7).ok_or(AddFault::Range)?),
        Calendar::Day => return add_days(to, whole()?),
        Calendar::Hour => nanos_of(HOUR)?,
        Calendar::Minute => nanos_of(MINUTE)?,
        Calendar::Second => value
            .checked_mul(Decimal::from(SECOND))
            .and_then(|n| n.truncate().to_integer())
            .ok_or(AddFault::Range)?,
        Calendar::Millisecond => value
            .checked_mul(Decimal::from(SECOND / 1000))
            .and_then(|n| n.truncate().to_integer())
            .ok_or(AddFault::Range)?,
    };
    let finest = match to.precision() {
        Precision::Year | Precision::Month | Precision::Day => return add_days(to, nanos / DAY),
        Precision::Hour => HOUR,
        Precision::Minute => MINUTE,
        Precision::Second => SECOND,
        Precision::Fraction => 1,
    };
    to.add_nanos(nanos / finest * finest).ok_or(AddFault::Range)
}

fn add_months(to: Temporal, months: i64) -> Result<Temporal, AddFault> {
    let months = if to.precision() == Precision::Year { months / 12 * 12 } else { months };
    to.add_months(months).ok_or(AddFault::Range)
}

/// To a date without a day, days count as months of 30 and years of 365.
fn add_days(to: Temporal, days: i64) -> Result<Temporal, AddFault> {
    match to.precision() {
        Precision::Year => add_months(to, days / 365 * 12),
        Precision::Month => add_months(to, days / 30),
        _ => to.add_days(days).ok_or(AddFault::Range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn quantities_compare_across_units() {
        assert_eq!(q("4.0000 'g'").order(&q("4000.0 'mg'")), Some(Ordering::Equal));
        assert_eq!(q("7 days").order(&q("1 'wk'")), Some(Ordering::Equal));
        assert_eq!(q("6 days").order(&q("1 week")), Some(Ordering::Less));
        assert_eq!(q("1 year").order(&q("1 'a'")), None);
        assert_eq!(q("1 'cm'").order(&q("1 's'")), None);
        assert!(q("4 'g'").equivalent(&q("4040 'mg'")));
        assert!(!q("4 'g'").equivalent(&q("4600 'mg'")));
    }

    #[test]
    fn quantities_are_read_and_printed() {
        for text in ["4.50 'mg'", "1 day", "2 weeks", "-1 'wk'"] {
            assert_eq!(q(text).to_string(), text);
        }
        for bad in ["", "1 wk", "x", "1.a", "1 '", "1 ''"] {
            assert!(Quantity::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(
            q("2.0 'cm'").mul(&q("2.0 'm'")).unwrap().order(&q("0.040 'm2'")),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn durations_move_dates() {
        let add = |date: &str, by: &str| {
            add_duration(Temporal::date_time(date).unwrap(), &q(by), false).map(|t| t.to_string())
        };
        assert_eq!(add("1973-12-25", "7.7 days").as_deref(), Ok("1974-01-01"));
        assert_eq!(add("2014", "25 months").as_deref(), Ok("2016"));
        assert_eq!(add("2014-01", "65 days").as_deref(), Ok("2014-03"));
        assert_eq!(add("2016-02-29", "1 year").as_deref(), Ok("2017-02-28"));
        assert_eq!(add("2016-02-29T23:59:59Z", "1 second").as_deref(), Ok("2016-03-01T00:00:00Z"));
        assert_eq!(add("2016-02-29", "1 'mo'"), Err(AddFault::Unit));
        assert_eq!(add("9999-12-31", "1 day"), Err(AddFault::Range));
    }
}
