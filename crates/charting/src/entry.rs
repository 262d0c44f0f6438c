//! One line of vital signs, as a nurse types it: `bp 128/82 hr 71 t 98.4 wt 180lb rr 16 spo2 98 ht 5'10"
//! pain 3 glucose 96`, or without names where a value can be of one sign only: `120/80 72 36.8 98% 70kg`.
//! Pure: text in, values with their units and places out. What could mean two things is refused with its
//! place, never guessed at: a weight without a unit is 180 lb or 180 kg.

use crate::sign::{
    self, BODY_MASS_UNIT, CELSIUS, CENTIMETRE, FAHRENHEIT, GRAM, INCH, KILOGRAM, MG_DL, MM_HG,
    MMOL_L, PER_MINUTE, PERCENT, POUND, SCORE, Sign, Unit,
};
use fhirpath::Decimal;
use std::ops::Range;

/// Bytes of a line. The longest that means something has about 120.
pub const LINE_BYTES_MAX: usize = 500;
/// Digits of a value behind the point; what is measured has two at most.
const DIGITS_MAX: u32 = 3;

/// One value of a line.
#[derive(Clone, PartialEq)]
pub struct Entered {
    /// Of which sign.
    pub sign: Sign,
    /// As it was typed; of a pressure the systolic, of a height in feet and inches the inches in all.
    pub value: Decimal,
    /// The diastolic pressure.
    pub second: Option<Decimal>,
    /// In which unit.
    pub unit: Unit,
    /// Where it stands in the line, in bytes.
    pub at: Range<usize>,
}

/// What is wrong with a part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Where, in bytes.
    pub at: Range<usize>,
    /// What.
    pub what: Wrong,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The line is longer than [`LINE_BYTES_MAX`].
    TooLong,
    /// No sign has this name.
    Name,
    /// A name with no value behind it.
    NoValue,
    /// No value of this sign.
    Value,
    /// A comma for the point of a decimal.
    Comma,
    /// Not a unit of this sign.
    UnknownUnit,
    /// Without a unit it could mean two things.
    UnitMissing,
    /// The sign stands in the line before.
    Twice,
    /// No living patient has this value.
    Impossible,
    /// The diastolic pressure is not below the systolic.
    Reversed,
}

impl Wrong {
    /// What to do about it, in a sentence that quotes nothing of the line.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TooLong => "the line is too long; enter it in two",
            Self::Name => {
                "this names no vital sign: use bp, hr, t, rr, spo2, wt, ht, pain or glucose"
            }
            Self::NoValue => "a value follows the name",
            Self::Value => "this is no value of the sign",
            Self::Comma => "write decimals with a point",
            Self::UnknownUnit => "this is not a unit of the sign",
            Self::UnitMissing => "say the unit: without it the value could mean two things",
            Self::Twice => "the sign stands in the line already",
            Self::Impossible => "the value is outside of what is possible",
            Self::Reversed => "the systolic pressure comes first and is the higher",
        }
    }
}

impl std::fmt::Debug for Entered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {:?} (‹phi›)", self.sign, self.at)
    }
}

impl Entered {
    /// In the sign's own unit.
    pub fn own(&self) -> Option<Decimal> {
        sign::convert(self.value, self.unit, self.sign.unit())
    }

    /// As it was typed and, where that is another unit, converted: `180 lb (81.6 kg)`.
    pub fn words(&self) -> String {
        let gap = self.unit.gap();
        let typed = match self.second {
            Some(second) => format!("{}/{}{gap}{}", self.value, second, self.unit.shown),
            None => format!("{}{gap}{}", self.value, self.unit.shown),
        };
        let own = self.sign.unit();
        match self.own().filter(|_| own.code != self.unit.code) {
            Some(value) => format!("{typed} ({} {})", value.round(1), own.shown),
            None => typed,
        }
    }
}

/// Reads a line.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn read(line: &str) -> Result<Vec<Entered>, Vec<Trouble>> {
    if line.len() > LINE_BYTES_MAX {
        return Err(vec![Trouble { at: 0..line.len(), what: Wrong::TooLong }]);
    }
    let words = words(line);
    let mut rest = words.as_slice();
    let (mut all, mut troubles): (Vec<Entered>, Vec<Trouble>) = (Vec::new(), Vec::new());
    while let Some((name, after)) = rest.split_first() {
        rest = after;
        let (sign, joined) = named(name.text);
        let Some(sign) = sign else {
            if let Some((sign, words)) = bare(name, rest, all.last()) {
                rest = rest.get(words..).unwrap_or_default();
                let mut value = vec![*name];
                value.extend(after.iter().take(words));
                take(sign, &value, name.start, &mut all, &mut troubles);
                continue;
            }
            troubles.push(Trouble { at: name.at(), what: Wrong::Name });
            // Its value is no name either, and would be told of twice.
            while let Some((next, after)) = rest.split_first()
                && belongs(next.text)
            {
                rest = after;
            }
            continue;
        };
        // `hr71`: the value stands in the same word.
        let mut value: Vec<Word<'_>> = joined.map(|cut| name.from(cut)).into_iter().collect();
        while let Some((next, after)) = rest.split_first()
            && belongs(next.text)
        {
            value.push(*next);
            rest = after;
        }
        if value.is_empty() {
            troubles.push(Trouble { at: name.at(), what: Wrong::NoValue });
        } else {
            take(sign, &value, name.start, &mut all, &mut troubles);
        }
    }
    if troubles.is_empty() { Ok(all) } else { Err(troubles) }
}

/// Reads one value, and adds it or its trouble.
fn take(
    sign: Sign,
    value: &[Word<'_>],
    start: usize,
    all: &mut Vec<Entered>,
    troubles: &mut Vec<Trouble>,
) {
    let at = start..value.last().map_or(start, |word| word.at().end);
    match value_of(sign, value, at.clone()) {
        Err(what) => troubles.push(Trouble { at, what }),
        Ok(one) if all.iter().any(|other| other.sign == sign) => {
            troubles.push(Trouble { at: one.at, what: Wrong::Twice });
        }
        Ok(one) => all.push(one),
    }
}

/// Of which sign a value without a name is, and how many words behind it belong to it. Only where it can
/// be of one: two numbers with a slash are a pressure; a unit that one sign has is of that sign; a number
/// with a point between 30 and 45 is a temperature, since a weight needs its unit; and a whole number
/// right behind a pressure is the heart rate, as everybody writes the two.
fn bare(word: &Word<'_>, rest: &[Word<'_>], before: Option<&Entered>) -> Option<(Sign, usize)> {
    let (value, unit) = number(word.text).ok()?;
    if let Some(second) = unit.strip_prefix('/') {
        let is_score = second == "10" && inside(value, (0, 10));
        let is_number = number(second).is_ok_and(|(_, rest)| rest.is_empty());
        return match (is_score, is_number) {
            (true, _) => Some((Sign::Pain, 0)),
            (false, true) => Some((Sign::Pressure, 0)),
            _ => None,
        };
    }
    if unit.starts_with(['\'', '’', '′']) {
        return Some((Sign::Height, 0));
    }
    let of_one = |unit: &str| {
        let mut signs = Sign::ALL.into_iter().filter(|sign| unit_named(*sign, unit).is_some());
        signs.next().filter(|_| signs.next().is_none())
    };
    if !unit.is_empty() {
        return of_one(unit).map(|sign| (sign, 0));
    }
    let next = rest.first().filter(|next| named(next.text).0.is_none());
    if let Some(sign) = next.and_then(|next| of_one(next.text)) {
        return Some((sign, 1));
    }
    let behind_pressure = before.is_some_and(|one| one.sign == Sign::Pressure);
    match value.to_integer() {
        None if inside(value, (30, 45)) => Some((Sign::Temperature, 0)),
        Some(_) if behind_pressure && !word.text.contains('.') => Some((Sign::Pulse, 0)),
        // 37.0 is written with a point on purpose.
        Some(_) if word.text.contains('.') && inside(value, (30, 45)) => {
            Some((Sign::Temperature, 0))
        }
        _ => None,
    }
}

#[derive(Debug, Clone, Copy)]
struct Word<'l> {
    start: usize,
    text: &'l str,
}

impl<'l> Word<'l> {
    fn at(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    fn from(&self, cut: usize) -> Self {
        Self { start: self.start + cut, text: self.text.get(cut..).unwrap_or_default() }
    }
}

/// Words between white space; a comma or semicolon at the end of one belongs to none.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut out = Vec::new();
    let mut start = 0;
    for part in line.split(char::is_whitespace) {
        let text = part.trim_end_matches([',', ';']);
        if !text.is_empty() {
            out.push(Word { start, text });
        }
        // A white space may have several bytes.
        let end = start + part.len();
        start = end + line.get(end..).and_then(|l| l.chars().next()).map_or(0, char::len_utf8);
    }
    out
}

const NAMES: [(&str, Sign); 30] = [
    ("bp", Sign::Pressure),
    ("rr", Sign::Breaths),
    ("resp", Sign::Breaths),
    ("hr", Sign::Pulse),
    ("pulse", Sign::Pulse),
    ("p", Sign::Pulse),
    ("t", Sign::Temperature),
    ("temp", Sign::Temperature),
    ("temperature", Sign::Temperature),
    ("spo2", Sign::Saturation),
    ("sao2", Sign::Saturation),
    ("o2", Sign::Saturation),
    ("sat", Sign::Saturation),
    ("sats", Sign::Saturation),
    ("wt", Sign::Weight),
    ("weight", Sign::Weight),
    ("w", Sign::Weight),
    ("ht", Sign::Height),
    ("height", Sign::Height),
    ("h", Sign::Height),
    ("pain", Sign::Pain),
    ("glucose", Sign::Glucose),
    ("glu", Sign::Glucose),
    ("bg", Sign::Glucose),
    ("bs", Sign::Glucose),
    ("cbg", Sign::Glucose),
    ("fsbg", Sign::Glucose),
    ("breaths", Sign::Breaths),
    ("respirations", Sign::Breaths),
    ("pressure", Sign::Pressure),
];

/// The sign of a word, and where its value begins when it stands in the same word.
fn named(word: &str) -> (Option<Sign>, Option<usize>) {
    let folded = word.to_ascii_lowercase();
    let plain = folded.trim_end_matches([':', '=']);
    let exact = |text: &str| NAMES.iter().find(|(name, _)| *name == text).map(|(_, sign)| *sign);
    if let Some(sign) = exact(plain) {
        return (Some(sign), None);
    }
    // The longest name that the word begins with, if a digit follows; `o2` and `spo2` end in one.
    let mut names: Vec<&(&str, Sign)> = NAMES.iter().collect();
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    for (name, sign) in names {
        let Some(rest) = folded.strip_prefix(name) else { continue };
        let value = rest.trim_start_matches([':', '=']);
        if value.starts_with(|c: char| c.is_ascii_digit()) {
            return (Some(*sign), Some(word.len() - value.len()));
        }
    }
    (None, None)
}

/// Whether a word goes on with a value, rather than being a name, known or not.
fn belongs(word: &str) -> bool {
    let starts = |c: char| c.is_ascii_digit() || "/.'\"’′”″%°[#-,".contains(c);
    let a_unit = || {
        let of_height =
            matches!(word.to_ascii_lowercase().as_str(), "ft" | "ft." | "feet" | "foot" | "m");
        of_height || Sign::ALL.into_iter().any(|sign| unit_named(sign, word).is_some())
    };
    named(word).0.is_none() && (word.starts_with(starts) || a_unit())
}

fn unit_named(sign: Sign, text: &str) -> Option<Unit> {
    let text = text.to_ascii_lowercase();
    let text = text.trim_end_matches('.');
    Some(match (sign, text) {
        (Sign::Pressure, "mmhg" | "mm[hg]") => MM_HG,
        (Sign::Pulse, "bpm" | "/min") | (Sign::Breaths, "/min" | "bpm") => PER_MINUTE,
        (Sign::Temperature, "c" | "°c" | "cel") => CELSIUS,
        (Sign::Temperature, "f" | "°f" | "[degf]") => FAHRENHEIT,
        (Sign::Saturation, "%") => PERCENT,
        (Sign::Weight, "kg" | "kgs") => KILOGRAM,
        (Sign::Weight, "g") => GRAM,
        (Sign::Weight, "lb" | "lbs" | "#" | "[lb_av]") => POUND,
        (Sign::Height, "cm") => CENTIMETRE,
        (Sign::Height, "in" | "inch" | "inches" | "\"" | "[in_i]") => INCH,
        (Sign::BodyMass, "kg/m2") => BODY_MASS_UNIT,
        (Sign::Pain, "/10") => SCORE,
        (Sign::Glucose, "mg/dl") => MG_DL,
        (Sign::Glucose, "mmol/l" | "mmol") => MMOL_L,
        _ => return None,
    })
}

fn value_of(sign: Sign, words: &[Word<'_>], at: Range<usize>) -> Result<Entered, Wrong> {
    let text: String = words.iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    let text = text
        .trim_start_matches([':', '='])
        .trim()
        .replace(['’', '′'], "'")
        .replace(['”', '″'], "\"");
    let entered = |value, second, unit| Entered { sign, value, second, unit, at: at.clone() };
    let one = match sign {
        Sign::Pressure => {
            let (systolic, rest) = number(&text)?;
            let rest = rest.trim_start().strip_prefix('/').ok_or(Wrong::Value)?;
            let (diastolic, rest) = number(rest.trim_start())?;
            unit_after(sign, rest, Some(MM_HG))?;
            if !inside(diastolic, Sign::DIASTOLIC_BOUNDS.possible) {
                return Err(Wrong::Impossible);
            }
            if diastolic >= systolic {
                return Err(Wrong::Reversed);
            }
            entered(systolic, Some(diastolic), MM_HG)
        }
        Sign::Height if text.contains(['\'', 'f']) => {
            entered(feet(&text).ok_or(Wrong::Value)?, None, INCH)
        }
        Sign::Height => {
            let (value, rest) = number(&text)?;
            if rest.trim().eq_ignore_ascii_case("m") {
                // A metre is a hundred centimetres, whatever digits follow.
                let value = value.checked_mul(Decimal::new(100, 0)).ok_or(Wrong::Value)?;
                entered(value.trim(), None, CENTIMETRE)
            } else {
                entered(value, None, unit_after(sign, rest, None)?)
            }
        }
        _ => {
            let (value, rest) = number(&text)?;
            entered(value, None, unit_after(sign, rest, unit_meant(sign, value))?)
        }
    };
    let whole = matches!(sign, Sign::Pulse | Sign::Breaths | Sign::Pain | Sign::Pressure);
    let fraction = |value: Decimal| value.to_integer().is_none();
    if whole && (fraction(one.value) || one.second.is_some_and(fraction)) {
        return Err(Wrong::Value);
    }
    let own = one.own().ok_or(Wrong::Value)?;
    let above_nothing = own > Decimal::ZERO || sign == Sign::Pain;
    if !above_nothing || !inside(own, sign.bounds().possible) {
        return Err(Wrong::Impossible);
    }
    Ok(one)
}

/// The unit of a value that has none: where only one unit can be meant.
fn unit_meant(sign: Sign, value: Decimal) -> Option<Unit> {
    let between = |low, high| inside(value, (low, high));
    match sign {
        Sign::Pulse | Sign::Breaths => Some(PER_MINUTE),
        Sign::Saturation => Some(PERCENT),
        Sign::Pain => Some(SCORE),
        Sign::Temperature if between(25, 45) => Some(CELSIUS),
        Sign::Temperature if between(77, 113) => Some(FAHRENHEIT),
        // 3 to 40 is grave in one unit and everyday in the other.
        Sign::Glucose if between(41, 2000) => Some(MG_DL),
        _ => None,
    }
}

fn unit_after(sign: Sign, rest: &str, meant: Option<Unit>) -> Result<Unit, Wrong> {
    match rest.trim() {
        "" => meant.ok_or(Wrong::UnitMissing),
        text => unit_named(sign, text).ok_or(Wrong::UnknownUnit),
    }
}

/// A number at the beginning, and what follows it.
fn number(text: &str) -> Result<(Decimal, &str), Wrong> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    if rest.starts_with(',')
        && rest.get(1..2).is_some_and(|c| c.as_bytes().iter().all(u8::is_ascii_digit))
    {
        return Err(Wrong::Comma);
    }
    let value = Decimal::parse(digits).filter(|value| value.scale() <= DIGITS_MAX);
    value.map(|value| (value, rest)).ok_or(Wrong::Value)
}

/// `5'10"`, `5' 10`, `5ft10in`, `5 ft`: in inches.
fn feet(text: &str) -> Option<Decimal> {
    let text = text.to_ascii_lowercase();
    let (feet, rest) = number(&text).ok()?;
    let rest = rest.trim_start();
    let rest = ["'", "feet", "foot", "ft."]
        .iter()
        .chain(&["ft"])
        .find_map(|mark| rest.strip_prefix(mark))?;
    let mut inches = Decimal::ZERO;
    if !rest.trim().is_empty() {
        let (more, rest) = number(rest.trim_start()).ok()?;
        if !matches!(rest.trim(), "" | "\"" | "''" | "in" | "in." | "inches")
            || !inside(more, (0, 11))
        {
            return None;
        }
        inches = more;
    }
    feet.to_integer()?;
    feet.checked_mul(Decimal::new(12, 0))?.checked_add(inches)
}

pub(crate) fn inside(value: Decimal, (low, high): (i64, i64)) -> bool {
    value >= Decimal::new(i128::from(low), 0) && value <= Decimal::new(i128::from(high), 0)
}
