//! Exact decimals with arithmetic (<http://hl7.org/fhirpath/N1/#decimal>): a 128-bit integer and a
//! number of digits behind the point. What does not fit gives nothing, as the specification says of
//! overflow. Only `exp`, `ln`, `log` and fractional powers, whose results no decimal can hold, go
//! through floating point.

use std::cmp::Ordering;
use std::fmt;

/// `mantissa × 10^-scale`; the scale keeps the digits that were written.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    mantissa: i128,
    scale: u32,
}

/// Digits behind the point that a product may have.
const SCALE_MAX: u32 = 1_000;
/// Digits behind the point that division and roots are carried to.
const DIVISION_SCALE: u32 = 28;
/// Digits behind the point that are kept of an irrational result.
const FLOAT_SCALE: usize = 12;

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa × 10^-scale`.
    pub const fn new(mantissa: i128, scale: u32) -> Self {
        Self { mantissa, scale }
    }

    /// Reads a JSON number or a literal.
    pub fn parse(text: &str) -> Option<Self> {
        let read = fhir::decimal::Decimal::parse(text)?;
        match u32::try_from(read.scale()) {
            Ok(scale) => Some(Self { mantissa: read.mantissa(), scale }),
            Err(_) => {
                let mantissa = read.mantissa().checked_mul(ten(read.scale().unsigned_abs())?)?;
                Some(Self { mantissa, scale: 0 })
            }
        }
    }

    /// Digits behind the point, as written.
    pub const fn scale(self) -> u32 {
        self.scale
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The integer, when there is no fraction.
    pub fn to_integer(self) -> Option<i64> {
        let trimmed = self.trim();
        (trimmed.scale == 0).then(|| i64::try_from(trimmed.mantissa).ok()).flatten()
    }

    /// The sum.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = aligned(self, other)?;
        Some(Self { mantissa: a.checked_add(b)?, scale })
    }

    /// The difference.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.checked_add(other.negate())
    }

    /// The product.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        let exact = |a: Self, b: Self| {
            let mantissa = a.mantissa.checked_mul(b.mantissa)?;
            let scale = a.scale.checked_add(b.scale).filter(|scale| *scale <= SCALE_MAX)?;
            Some(Self { mantissa, scale })
        };
        exact(self, other).or_else(|| exact(self.trim(), other.trim()))
    }

    /// The quotient, to at most 28 digits behind the point, rounded half away from zero; nothing when
    /// dividing by zero.
    pub fn checked_div(self, other: Self) -> Option<Self> {
        if other.mantissa == 0 {
            return None;
        }
        // value = (a / b) × 10^(b.scale - a.scale); widen a as far as it goes.
        let (a, b) = (self.trim(), other.trim());
        let mut wide = a.mantissa;
        let mut scale = i64::from(a.scale) - i64::from(b.scale);
        while scale < i64::from(DIVISION_SCALE) {
            let Some(next) = wide.checked_mul(10) else { break };
            wide = next;
            scale += 1;
        }
        let (quotient, rest) = (wide.checked_div(b.mantissa)?, wide.checked_rem(b.mantissa)?);
        let up = rest.unsigned_abs() >= b.mantissa.unsigned_abs().div_ceil(2) && rest != 0;
        let away = if (wide < 0) == (b.mantissa < 0) { 1 } else { -1 };
        let mantissa = if up { quotient.checked_add(away)? } else { quotient };
        match u32::try_from(scale) {
            Ok(scale) => Some(Self { mantissa, scale }.trim()),
            Err(_) => {
                let by = ten(u32::try_from(-scale).ok()?)?;
                Some(Self { mantissa: mantissa.checked_mul(by)?, scale: 0 })
            }
        }
    }

    /// The whole part of the quotient.
    pub fn div_whole(self, other: Self) -> Option<Self> {
        let (a, b, _) = aligned(self, other)?;
        Some(Self { mantissa: a.checked_div(b)?, scale: 0 })
    }

    /// What the whole division leaves.
    pub fn checked_rem(self, other: Self) -> Option<Self> {
        let (a, b, scale) = aligned(self, other)?;
        Some(Self { mantissa: a.checked_rem(b)?, scale })
    }

    /// The value with the other sign.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self { mantissa: self.mantissa.saturating_neg(), scale: self.scale }
    }

    /// The distance from zero.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self { mantissa: self.mantissa.saturating_abs(), scale: self.scale }
    }

    /// Rounded to `scale` digits behind the point, half away from zero. Never adds digits.
    #[must_use]
    pub fn round(self, scale: u32) -> Self {
        self.cut(scale, |quotient, rest, by| {
            if rest.unsigned_abs() * 2 >= by.unsigned_abs() {
                quotient + rest.signum()
            } else {
                quotient
            }
        })
    }

    /// The greatest value of `scale` digits behind the point that is not above.
    #[must_use]
    pub fn floor(self, scale: u32) -> Self {
        self.cut(scale, |quotient, rest, _| if rest < 0 { quotient - 1 } else { quotient })
    }

    /// The least value of `scale` digits behind the point that is not below.
    #[must_use]
    pub fn ceiling(self, scale: u32) -> Self {
        self.cut(scale, |quotient, rest, _| if rest > 0 { quotient + 1 } else { quotient })
    }

    /// Without the digits behind the point.
    #[must_use]
    pub fn truncate(self) -> Self {
        self.cut(0, |quotient, _, _| quotient)
    }

    /// With exactly `scale` digits behind the point, zeros added; it must not have more.
    pub fn widen(self, scale: u32) -> Option<Self> {
        let by = ten(scale.checked_sub(self.scale)?)?;
        Some(Self { mantissa: self.mantissa.checked_mul(by)?, scale })
    }

    /// Without zeros at the end.
    #[must_use]
    pub const fn trim(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The square root, exact to the digits that fit; nothing below zero.
    pub fn sqrt(self) -> Option<Self> {
        let mut mantissa = u128::try_from(self.mantissa).ok()?;
        let mut scale = self.scale;
        if scale % 2 == 1 {
            mantissa = mantissa.checked_mul(10)?;
            scale += 1;
        }
        while scale < DIVISION_SCALE {
            let Some(wider) = mantissa.checked_mul(100) else { break };
            mantissa = wider;
            scale += 2;
        }
        let root = i128::try_from(mantissa.isqrt()).ok()?;
        Some(Self { mantissa: root, scale: scale / 2 }.trim())
    }

    /// The power; exact for whole exponents.
    pub fn power(self, exponent: Self) -> Option<Self> {
        match exponent.to_integer() {
            Some(n) if n.unsigned_abs() <= 512 => {
                let mut product = Self::ONE;
                for _ in 0..n.unsigned_abs() {
                    product = product.checked_mul(self)?;
                }
                if n < 0 { Self::ONE.checked_div(product) } else { Some(product) }
            }
            _ => Self::from_float(self.to_float().powf(exponent.to_float())),
        }
    }

    /// `e` to this power.
    pub fn exp(self) -> Option<Self> {
        Self::from_float(self.to_float().exp())
    }

    /// The natural logarithm.
    pub fn ln(self) -> Option<Self> {
        Self::from_float(self.to_float().ln())
    }

    /// The logarithm to a base.
    pub fn log(self, base: Self) -> Option<Self> {
        Self::from_float(self.to_float().ln() / base.to_float().ln())
    }

    /// The lowest (`-1`) or highest (`1`) value that rounds to this one at its precision.
    pub fn boundary(self, side: i128) -> Option<Self> {
        let mantissa = self.mantissa.checked_mul(10)?.checked_add(5 * side)?;
        Some(Self { mantissa, scale: self.scale + 1 })
    }

    fn cut(self, scale: u32, choose: impl Fn(i128, i128, i128) -> i128) -> Self {
        if scale >= self.scale {
            return self;
        }
        let Some(by) = ten(self.scale - scale) else { return Self { mantissa: 0, scale } };
        Self { mantissa: choose(self.mantissa / by, self.mantissa % by, by), scale }
    }

    fn to_float(self) -> f64 {
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    fn from_float(value: f64) -> Option<Self> {
        value
            .is_finite()
            .then(|| Self::parse(&format!("{value:.FLOAT_SCALE$}")))
            .flatten()
            .map(Self::trim)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { mantissa: i128::from(value), scale: 0 }
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
        if let Some((a, b, _)) = aligned(*self, *other) {
            return a.cmp(&b);
        }
        // One of them cannot be widened to the other's scale: whole parts decide, then the rest.
        let whole = |d: Self| d.truncate().mantissa;
        whole(*self).cmp(&whole(*other)).then_with(|| {
            let rest =
                |d: Self| Self { mantissa: d.mantissa - whole(d) * d.unit(), scale: d.scale };
            let (a, b) = (rest(*self).trim(), rest(*other).trim());
            match aligned(a, b) {
                Some((a, b, _)) => a.cmp(&b),
                None => a.mantissa.signum().cmp(&b.mantissa.signum()),
            }
        })
    }
}

impl Decimal {
    fn unit(self) -> i128 {
        ten(self.scale).unwrap_or(i128::MAX)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.mantissa.unsigned_abs().to_string();
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let scale = usize::try_from(self.scale).unwrap_or(usize::MAX);
        if scale == 0 {
            return write!(f, "{sign}{digits}");
        }
        let padded = format!("{digits:0>width$}", width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        write!(f, "{sign}{whole}.{fraction}")
    }
}

fn ten(power: u32) -> Option<i128> {
    10i128.checked_pow(power)
}

/// Both mantissas at the larger of the scales.
fn aligned(a: Decimal, b: Decimal) -> Option<(i128, i128, u32)> {
    let scale = a.scale.max(b.scale);
    Some((a.widen(scale)?.mantissa, b.widen(scale)?.mantissa, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(d("0.1").checked_add(d("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(d("1.2").checked_mul(d("1.8")).unwrap().to_string(), "2.16");
        assert_eq!(d("1").checked_div(d("3")).unwrap().round(8).to_string(), "0.33333333");
        assert_eq!(d("2").checked_div(d("3")).unwrap().round(2).to_string(), "0.67");
        assert_eq!(d("-1").checked_div(d("8")).unwrap().to_string(), "-0.125");
        assert!(d("1").checked_div(d("0.0")).is_none());
        assert_eq!(d("2.2").checked_rem(d("1.8")).unwrap().to_string(), "0.4");
        assert_eq!(d("81").sqrt().unwrap().to_string(), "9");
        assert_eq!(d("2").power(d("0.5")).unwrap().round(6).to_string(), "1.414214");
        assert!(d("-1").power(d("0.5")).is_none() && d("-1").sqrt().is_none());
        assert!(Decimal::new(i128::MAX, 0).checked_add(Decimal::ONE).is_none());
    }

    #[test]
    fn rounding_goes_where_it_says() {
        assert_eq!(d("-2.1").floor(0).to_string(), "-3");
        assert_eq!(d("-1.1").ceiling(0).to_string(), "-1");
        assert_eq!(d("2.5").round(0).to_string(), "3");
        assert_eq!(d("-2.5").round(0).to_string(), "-3");
        assert_eq!(d("-1.56").truncate().to_string(), "-1");
        assert_eq!(d("1.587").boundary(-1).unwrap().floor(2).to_string(), "1.58");
    }

    #[test]
    fn the_edges_of_the_integer_give_nothing_rather_than_a_panic() {
        let least = Decimal::new(i128::MIN, 0);
        assert!(least.checked_div(d("-1")).is_none() || least.scale() == 0);
        assert!(least.checked_rem(d("-1")).is_none_or(Decimal::is_zero));
        let mut tiny = d("0.1");
        while let Some(square) = tiny.checked_mul(tiny) {
            tiny = square;
        }
        assert!(tiny.scale() <= SCALE_MAX && !tiny.to_string().is_empty());
        assert_eq!(tiny.cmp(&least), Ordering::Greater);
    }

    #[test]
    fn order_holds_beyond_what_can_be_aligned() {
        let tiny = d("0.00000000000000000000000000000001");
        let huge = Decimal::new(10i128.pow(37), 0);
        assert_eq!(tiny.cmp(&huge), Ordering::Less);
        assert_eq!(huge.cmp(&tiny), Ordering::Greater);
        assert_eq!(tiny.cmp(&Decimal::ZERO), Ordering::Greater);
        assert!(Decimal::new(10i128.pow(37) + 1, 37) > Decimal::ONE);
    }
}
