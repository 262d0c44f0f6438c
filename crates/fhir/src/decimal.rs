//! Decimals exactly as written (<https://hl7.org/fhir/R4/datatypes.html#decimal>): digits and scale,
//! never a float; and the range a search value of a given precision stands for
//! (<https://hl7.org/fhir/R4/search.html#number>).

use std::cmp::Ordering;

/// `mantissa × 10^-scale`, keeping the number of digits that were written.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: i32,
}

impl Decimal {
    /// Reads a JSON or search number: `-0.10`, `5.4`, `1e2`. `None` if it is none, or has more than 34
    /// digits or an exponent beyond ±400.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => {
                let digits = text.get(at + 1..)?;
                (text.get(..at)?, digits.strip_prefix('+').unwrap_or(digits).parse::<i32>().ok()?)
            }
            None => (text, 0),
        };
        let (negative, unsigned) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        if whole.is_empty() || (fraction.is_empty() && unsigned.contains('.')) {
            return None;
        }
        if whole.len() + fraction.len() > 34 || exponent.abs() > 400 {
            return None;
        }
        let mut mantissa: i128 = 0;
        for digit in whole.bytes().chain(fraction.bytes()) {
            if !digit.is_ascii_digit() {
                return None;
            }
            mantissa = mantissa * 10 + i128::from(digit - b'0');
        }
        let scale = i32::try_from(fraction.len()).ok()? - exponent;
        Some(Self { mantissa: if negative { -mantissa } else { mantissa }, scale })
    }

    /// The nearest `f64`: an index key, never a quantity to calculate with.
    pub fn to_f64(self) -> f64 {
        format!("{}e{}", self.mantissa, -self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The half-open range of values that round to this one at its precision: `5.4` stands for
    /// `[5.35, 5.45)`, `100` for `[99.5, 100.5)`, `1e2` for `[50, 150)`.
    pub fn implicit_range(self) -> (f64, f64) {
        let low = Self { mantissa: self.mantissa * 10 - 5, scale: self.scale + 1 };
        let high = Self { mantissa: self.mantissa * 10 + 5, scale: self.scale + 1 };
        (low.to_f64(), high.to_f64())
    }

    /// The digits, as an integer.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many of the digits stand after the point (negative: zeros to add).
    pub const fn scale(self) -> i32 {
        self.scale
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    /// By value: `1.0` equals `1.00`.
    fn cmp(&self, other: &Self) -> Ordering {
        let widen = |d: Self, scale: i32| -> Option<i128> {
            let by = u32::try_from(scale - d.scale).ok()?;
            10i128.checked_pow(by)?.checked_mul(d.mantissa)
        };
        let scale = self.scale.max(other.scale);
        match (widen(*self, scale), widen(*other, scale)) {
            (Some(a), Some(b)) => a.cmp(&b),
            _ => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_and_searches_write() {
        let d = |t| Decimal::parse(t).unwrap();
        assert_eq!(d("5.40"), d("5.4"));
        assert!(d("-2") < d("-1.999"));
        assert_eq!(d("1e2"), d("100"));
        for bad in ["", "-", ".", "1.", ".5", "1e", "0x1", "1 ", "--1", "1e999"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn precision_gives_the_range() {
        let range = |t| Decimal::parse(t).unwrap().implicit_range();
        assert_eq!(range("5.4"), (5.35, 5.45));
        assert_eq!(range("100"), (99.5, 100.5));
        assert_eq!(range("1e2"), (50.0, 150.0));
        assert_eq!(range("-0.10"), (-0.105, -0.095));
    }
}
