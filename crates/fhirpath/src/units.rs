//! Units: enough of UCUM (<https://ucum.org/ucum>) to compare and calculate with clinical quantities
//! exactly. A code is read into an exact factor and its dimensions; codes of scales that do not begin
//! at zero (degrees Celsius) and codes not in the table are dimensions of their own, comparable only
//! with themselves.

use crate::decimal::Decimal;
use std::borrow::Cow;

/// A unit in terms of its dimensions: `value × numerator / denominator`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    numerator: Decimal,
    denominator: Decimal,
    /// Metre, second, gram, mole, kelvin, candela, coulomb, radian.
    dimensions: [i32; 8],
    /// Units that are dimensions of their own, by code, sorted.
    other: Vec<(String, i32)>,
}

const ONE: Canonical = Canonical {
    numerator: Decimal::ONE,
    denominator: Decimal::ONE,
    dimensions: [0; 8],
    other: Vec::new(),
};

/// Nesting of parentheses in a unit.
const DEPTH_MAX: usize = 8;

/// Reads a UCUM code; `None` when it does not have the form of one.
pub fn canonical(code: &str) -> Option<Canonical> {
    if code.len() > 256 {
        return None;
    }
    let mut scan = Scan { rest: code, depth: 0 };
    let unit = scan.term()?;
    scan.rest.is_empty().then_some(unit)
}

/// A unit as people read it: of one that begins with a power of ten, `10*3/uL` is `10³/µL`. Any other stays as it
/// is: a µ before a gram is mistaken for an m (ISMP, error-prone abbreviations).
pub fn shown(unit: &str) -> Cow<'_, str> {
    let power = unit.strip_prefix("10*").or_else(|| unit.strip_prefix("10^"));
    let raised = power.and_then(|power| {
        let rest = power.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = power.strip_suffix(rest).filter(|digits| (1..=2).contains(&digits.len()))?;
        let above = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
        let digits = digits.bytes().filter_map(|b| above.get(usize::from(b.wrapping_sub(b'0'))));
        Some(format!("10{}{}", digits.collect::<String>(), rest.replace("/uL", "/µL")))
    });
    raised.map_or(Cow::Borrowed(unit), Cow::Owned)
}

impl Canonical {
    /// Whether quantities of both units measure the same thing.
    pub fn comparable(&self, other: &Self) -> bool {
        self.dimensions == other.dimensions && self.other == other.other
    }

    /// A value of this unit in terms of its dimensions, as a fraction: `a/b` to compare exactly by
    /// cross-multiplication.
    pub fn fraction(&self, value: Decimal) -> Option<(Decimal, Decimal)> {
        Some((value.checked_mul(self.numerator)?.trim(), self.denominator.trim()))
    }

    /// A value of this unit expressed in another.
    pub fn convert(&self, value: Decimal, into: &Self) -> Option<Decimal> {
        if !self.comparable(into) {
            return None;
        }
        let top = value.checked_mul(self.numerator)?.checked_mul(into.denominator)?;
        top.checked_div(self.denominator.checked_mul(into.numerator)?)
    }

    fn times(mut self, other: &Self, sign: i32) -> Option<Self> {
        let (top, bottom) = if sign > 0 {
            (other.numerator, other.denominator)
        } else {
            (other.denominator, other.numerator)
        };
        self.numerator = self.numerator.checked_mul(top)?.trim();
        self.denominator = self.denominator.checked_mul(bottom)?.trim();
        for (slot, power) in self.dimensions.iter_mut().zip(other.dimensions) {
            *slot += power * sign;
        }
        for (code, power) in &other.other {
            match self.other.iter_mut().find(|(c, _)| c == code) {
                Some((_, slot)) => *slot += power * sign,
                None => self.other.push((code.clone(), power * sign)),
            }
        }
        self.other.retain(|(_, power)| *power != 0);
        self.other.sort();
        Some(self)
    }

    fn raised(&self, exponent: i32) -> Option<Self> {
        (0..exponent.unsigned_abs()).try_fold(ONE, |unit, _| unit.times(self, exponent.signum()))
    }
}

struct Scan<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Scan<'t> {
    fn eat(&mut self, sign: char) -> bool {
        let rest = self.rest.strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn term(&mut self) -> Option<Canonical> {
        let mut unit = ONE;
        let mut sign = if self.eat('/') { -1 } else { 1 };
        loop {
            unit = unit.times(&self.component()?, sign)?;
            sign = if self.eat('.') {
                1
            } else if self.eat('/') {
                -1
            } else {
                return Some(unit);
            };
        }
    }

    fn component(&mut self) -> Option<Canonical> {
        if self.eat('(') {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return None;
            }
            let inner = self.term()?;
            self.depth -= 1;
            return self.eat(')').then_some(inner);
        }
        if self.rest.starts_with('{') {
            self.annotation()?;
            return Some(ONE);
        }
        let (name, exponent) = self.word()?;
        let unit = match name.parse::<u32>() {
            // `10*3` and `10^3` are the only powers of numbers.
            Ok(10) if self.eat('*') || self.eat('^') => {
                let (digits, _) = self.signed_digits();
                let ten = Canonical { numerator: Decimal::from(10), ..ONE };
                ten.raised(digits.parse().ok()?)?
            }
            Ok(factor) => Canonical { numerator: Decimal::from(i64::from(factor)), ..ONE },
            Err(_) => atom(name).raised(exponent)?,
        };
        if self.rest.starts_with('{') {
            self.annotation()?;
        }
        Some(unit)
    }

    fn annotation(&mut self) -> Option<()> {
        let end = self.rest.find('}')?;
        self.rest = self.rest.get(end + 1..)?;
        Some(())
    }

    fn signed_digits(&mut self) -> (String, usize) {
        let signed = usize::from(self.rest.starts_with(['+', '-']));
        let digits = self.rest.bytes().skip(signed).take_while(u8::is_ascii_digit).count();
        let end = if digits == 0 { 0 } else { signed + digits };
        let (head, tail) = self.rest.split_at_checked(end).unwrap_or(("", self.rest));
        self.rest = tail;
        (head.strip_prefix('+').unwrap_or(head).to_owned(), end)
    }

    /// An atom's code (or a number) and the exponent behind it.
    fn word(&mut self) -> Option<(&'t str, i32)> {
        let text = self.rest;
        let mut end = 0;
        let mut bracket = false;
        for (at, c) in text.char_indices() {
            match c {
                '[' => bracket = true,
                ']' => bracket = false,
                '.' | '/' | '(' | ')' | '{' | '*' | '^' if !bracket => break,
                c if !c.is_ascii_graphic() => return None,
                _ => {}
            }
            end = at + c.len_utf8();
        }
        let word = text.get(..end)?;
        self.rest = text.get(end..)?;
        if word.bytes().all(|b| b.is_ascii_digit()) && !word.is_empty() {
            return Some((word, 1));
        }
        let digits = word.bytes().rev().take_while(u8::is_ascii_digit).count();
        let name_end = word.len() - digits;
        let name_end = match word.as_bytes().get(name_end.wrapping_sub(1)) {
            Some(b'+' | b'-') if digits > 0 => name_end - 1,
            _ => name_end,
        };
        let (name, exponent) = word.split_at_checked(name_end)?;
        if name.is_empty() {
            return None;
        }
        let exponent = if exponent.is_empty() {
            1
        } else {
            exponent
                .strip_prefix('+')
                .unwrap_or(exponent)
                .parse()
                .ok()
                .filter(|e: &i32| e.abs() <= 12)?
        };
        Some((name, exponent))
    }
}

fn atom(code: &str) -> Canonical {
    if let Some(unit) = known(code, false) {
        return unit;
    }
    for (prefix, power) in PREFIXES {
        if let Some(unit) = code.strip_prefix(prefix).and_then(|rest| known(rest, true)) {
            let ten = Canonical { numerator: Decimal::from(10), ..ONE };
            if let Some(unit) = ten.raised(*power).and_then(|factor| unit.times(&factor, 1)) {
                return unit;
            }
        }
    }
    Canonical { other: vec![(code.to_owned(), 1)], ..ONE }
}

fn known(code: &str, prefixed: bool) -> Option<Canonical> {
    let (_, metric, factor, dimensions) = ATOMS.iter().find(|(c, ..)| *c == code)?;
    if prefixed && !metric {
        return None;
    }
    let (top, bottom) = factor.split_once('/').unwrap_or((factor, "1"));
    Some(Canonical {
        numerator: Decimal::parse(top)?,
        denominator: Decimal::parse(bottom)?,
        dimensions: *dimensions,
        other: Vec::new(),
    })
}

const PREFIXES: &[(&str, i32)] = &[
    ("da", 1),
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

type Atom = (&'static str, bool, &'static str, [i32; 8]);

const NONE: [i32; 8] = [0; 8];
const LENGTH: [i32; 8] = [1, 0, 0, 0, 0, 0, 0, 0];
const AREA: [i32; 8] = [2, 0, 0, 0, 0, 0, 0, 0];
const VOLUME: [i32; 8] = [3, 0, 0, 0, 0, 0, 0, 0];
const TIME: [i32; 8] = [0, 1, 0, 0, 0, 0, 0, 0];
const MASS: [i32; 8] = [0, 0, 1, 0, 0, 0, 0, 0];
const AMOUNT: [i32; 8] = [0, 0, 0, 1, 0, 0, 0, 0];
const PRESSURE: [i32; 8] = [-1, -2, 1, 0, 0, 0, 0, 0];
const ENERGY: [i32; 8] = [2, -2, 1, 0, 0, 0, 0, 0];

/// Code, whether it takes prefixes, exact factor to the base units, dimensions. Grams are the base of
/// mass, so a newton is 1000.
const ATOMS: &[Atom] = &[
    ("m", true, "1", LENGTH),
    ("s", true, "1", TIME),
    ("g", true, "1", MASS),
    ("mol", true, "1", AMOUNT),
    ("K", true, "1", [0, 0, 0, 0, 1, 0, 0, 0]),
    ("cd", true, "1", [0, 0, 0, 0, 0, 1, 0, 0]),
    ("C", true, "1", [0, 0, 0, 0, 0, 0, 1, 0]),
    ("rad", true, "1", [0, 0, 0, 0, 0, 0, 0, 1]),
    ("%", false, "1/100", NONE),
    ("[ppth]", false, "1/1000", NONE),
    ("[ppm]", false, "1/1000000", NONE),
    ("[ppb]", false, "1/1000000000", NONE),
    ("L", true, "0.001", VOLUME),
    ("l", true, "0.001", VOLUME),
    ("ar", true, "100", AREA),
    ("t", true, "1000000", MASS),
    ("u", true, "0.00000000000000000000000166053906660", MASS),
    ("eq", true, "1", AMOUNT),
    ("osm", true, "1", AMOUNT),
    ("min", false, "60", TIME),
    ("h", false, "3600", TIME),
    ("d", false, "86400", TIME),
    ("wk", false, "604800", TIME),
    ("mo", false, "2629800", TIME),
    ("mo_j", false, "2629800", TIME),
    ("mo_g", false, "2629746", TIME),
    ("mo_s", false, "2551442.976", TIME),
    ("a", false, "31557600", TIME),
    ("a_j", false, "31557600", TIME),
    ("a_g", false, "31556952", TIME),
    ("a_t", false, "31556925.216", TIME),
    ("Hz", true, "1", [0, -1, 0, 0, 0, 0, 0, 0]),
    ("Bq", true, "1", [0, -1, 0, 0, 0, 0, 0, 0]),
    ("Ci", true, "37000000000", [0, -1, 0, 0, 0, 0, 0, 0]),
    ("N", true, "1000", [1, -2, 1, 0, 0, 0, 0, 0]),
    ("Pa", true, "1000", PRESSURE),
    ("bar", true, "100000000", PRESSURE),
    ("atm", false, "101325000", PRESSURE),
    ("m[Hg]", true, "133322000", PRESSURE),
    ("m[H2O]", true, "9806650", PRESSURE),
    ("[psi]", false, "6894757.293168", PRESSURE),
    ("J", true, "1000", ENERGY),
    ("cal", true, "4184", ENERGY),
    ("[Cal]", false, "4184000", ENERGY),
    ("W", true, "1000", [2, -3, 1, 0, 0, 0, 0, 0]),
    ("A", true, "1", [0, -1, 0, 0, 0, 0, 1, 0]),
    ("V", true, "1000", [2, -2, 1, 0, 0, 0, -1, 0]),
    ("Ohm", true, "1000", [2, -1, 1, 0, 0, 0, -2, 0]),
    ("Gy", true, "1", [2, -2, 0, 0, 0, 0, 0, 0]),
    ("Sv", true, "1", [2, -2, 0, 0, 0, 0, 0, 0]),
    ("RAD", true, "1/100", [2, -2, 0, 0, 0, 0, 0, 0]),
    ("REM", true, "1/100", [2, -2, 0, 0, 0, 0, 0, 0]),
    ("kat", true, "1", [0, -1, 0, 1, 0, 0, 0, 0]),
    ("U", true, "1/60000000", [0, -1, 0, 1, 0, 0, 0, 0]),
    ("P", true, "100", [-1, -1, 1, 0, 0, 0, 0, 0]),
    ("St", true, "0.0001", [2, -1, 0, 0, 0, 0, 0, 0]),
    ("dyn", true, "0.01", [1, -2, 1, 0, 0, 0, 0, 0]),
    ("[in_i]", false, "0.0254", LENGTH),
    ("[ft_i]", false, "0.3048", LENGTH),
    ("[yd_i]", false, "0.9144", LENGTH),
    ("[mi_i]", false, "1609.344", LENGTH),
    ("[nmi_i]", false, "1852", LENGTH),
    ("[sin_i]", false, "0.00064516", AREA),
    ("[sft_i]", false, "0.09290304", AREA),
    ("[cin_i]", false, "0.000016387064", VOLUME),
    ("[lb_av]", false, "453.59237", MASS),
    ("[oz_av]", false, "28.349523125", MASS),
    ("[gr]", false, "0.06479891", MASS),
    ("[stone_av]", false, "6350.29318", MASS),
    ("[ston_av]", false, "907184.74", MASS),
    ("[oz_tr]", false, "31.1034768", MASS),
    ("[lb_tr]", false, "373.2417216", MASS),
    ("[gal_us]", false, "0.003785411784", VOLUME),
    ("[qt_us]", false, "0.000946352946", VOLUME),
    ("[pt_us]", false, "0.000473176473", VOLUME),
    ("[cup_us]", false, "0.0002365882365", VOLUME),
    ("[foz_us]", false, "0.0000295735295625", VOLUME),
    ("[tbs_us]", false, "0.00001478676478125", VOLUME),
    ("[tsp_us]", false, "0.00000492892159375", VOLUME),
    ("[drp]", false, "0.00000005", VOLUME),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(value: &str, from: &str, into: &str) -> Option<String> {
        let value = Decimal::parse(value).unwrap();
        let converted = canonical(from)?.convert(value, &canonical(into)?)?;
        Some(converted.to_string())
    }

    #[test]
    fn a_power_of_ten_is_read_as_one_and_anything_else_as_it_is() {
        for (code, people) in [
            ("10*3/uL", "10³/µL"),
            ("10^12/L", "10¹²/L"),
            ("10*6", "10⁶"),
            ("10*", "10*"),
            ("10*-3", "10*-3"),
            ("10*123", "10*123"),
            ("ug/dL", "ug/dL"),
            ("", ""),
        ] {
            assert_eq!(shown(code), people);
        }
    }

    #[test]
    fn converts_exactly() {
        assert_eq!(convert("4", "g", "mg").as_deref(), Some("4000"));
        assert_eq!(convert("1", "[lb_av]", "kg").as_deref(), Some("0.45359237"));
        assert_eq!(convert("5.5", "mmol/L", "mol/m3").as_deref(), Some("5.5"));
        assert_eq!(convert("1", "wk", "d").as_deref(), Some("7"));
        assert_eq!(convert("120", "mm[Hg]", "kPa").as_deref(), Some("15.99864"));
        assert_eq!(convert("7", "10*3/uL", "10*9/L").as_deref(), Some("7"));
        assert_eq!(convert("1", "cm.m", "m2").as_deref(), Some("0.01"));
        assert_eq!(convert("1", "{beats}/min", "/min").as_deref(), Some("1"));
        assert_eq!(convert("60", "mL/min/{1.73_m2}", "mL/s").as_deref(), Some("1"));
        assert_eq!(convert("1", "kg/(m.s2)", "Pa").as_deref(), Some("1"));
    }

    #[test]
    fn keeps_apart_what_differs() {
        assert_eq!(convert("1", "cm", "s"), None);
        assert_eq!(convert("1", "[iU]/mL", "mg/mL"), None);
        assert_eq!(convert("1", "Cel", "K"), None);
        assert_eq!(convert("2", "[iU]/mL", "[iU]/L").as_deref(), Some("2000"));
        for bad in ["", "m.", "(m", "m)", "m/", "{x", "m m", "((((((((((m))))))))))", "m99"] {
            assert!(canonical(bad).is_none(), "{bad}");
        }
    }
}
