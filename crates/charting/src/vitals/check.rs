//! What is remarked of vital signs before they are kept: values that are unusual at the patient's age, and
//! changes against the last that seldom happen. A remark stops nobody; it asks to look twice.

use crate::entry::{Entered, inside};
use crate::sign::{CENTIMETRE, KILOGRAM, Sign};
use crate::summary::{Age, Vital};
use crate::vitals::young;
use fhirpath::Decimal;

/// Something to look twice at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remark {
    /// Which sign.
    pub sign: Sign,
    /// What.
    pub what: Doubt,
}

/// What is doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Lower than is usual at this age.
    Low,
    /// Higher than is usual at this age.
    High,
    /// Far from the last value: a slip of a digit, another patient, or news.
    Changed,
    /// The last value cannot be compared: it has another unit that is not known.
    NotCompared,
    /// The two pressures are closer, or further apart, than is usual.
    PulsePressure,
    /// Weight and height do not make a body: one of them is probably in another unit.
    BodyMass,
}

/// Remarks on what was entered, given the last values and how old the patient is.
pub fn remarks(entered: &[Entered], last: &[Vital], age: Option<Age>) -> Vec<Remark> {
    let mut all = Vec::new();
    for one in entered {
        let remark = |what| Remark { sign: one.sign, what };
        let Some(own) = one.own() else { continue };
        all.extend(unusual(own, young::usual(one.sign, age)).map(remark));
        if let Some(second) = one.second {
            all.extend(unusual(second, young::usual_diastolic(age)).map(remark));
            let apart = own.checked_sub(second);
            all.extend(
                apart
                    .filter(|apart| !inside(*apart, (20, 100)))
                    .map(|_| remark(Doubt::PulsePressure)),
            );
        }
        let before = last.iter().find(|vital| vital.sign == one.sign);
        if let Some(before) = before.and_then(|vital| vital.points.first()) {
            match before.number {
                None => all.push(remark(Doubt::NotCompared)),
                Some(before) if changed(one.sign, before, own) => all.push(remark(Doubt::Changed)),
                Some(_) => {}
            }
        }
    }
    if let Some(mass) = body_mass(entered)
        && !inside(mass, Sign::BodyMass.bounds().usual)
        && !is_infant(age)
    {
        all.push(Remark { sign: Sign::BodyMass, what: Doubt::BodyMass });
    }
    all
}

/// The body mass index of a weight and a height that were entered together, to one digit.
pub fn body_mass(entered: &[Entered]) -> Option<Decimal> {
    let of = |sign| entered.iter().find(|one| one.sign == sign)?.own();
    debug_assert_eq!((Sign::Weight.unit(), Sign::Height.unit()), (KILOGRAM, CENTIMETRE));
    let (weight, height) = (of(Sign::Weight)?, of(Sign::Height)?);
    let metres = height.checked_div(Decimal::new(100, 0))?;
    let mass = weight.checked_div(metres.checked_mul(metres)?)?.round(1);
    inside(mass, Sign::BodyMass.bounds().possible).then_some(mass)
}

/// A small child's body has another measure: below two years the index is not used (CDC and WHO charts are
/// of weight for length there).
const fn is_infant(age: Option<Age>) -> bool {
    matches!(age, Some(Age::Days(_) | Age::Months(_) | Age::Years(0 | 1) | Age::About(0 | 1)))
}

fn unusual(value: Decimal, (low, high): (i64, i64)) -> Option<Doubt> {
    match (value < Decimal::new(i128::from(low), 0), value > Decimal::new(i128::from(high), 0)) {
        (true, _) => Some(Doubt::Low),
        (_, true) => Some(Doubt::High),
        _ => None,
    }
}

fn changed(sign: Sign, before: Decimal, now: Decimal) -> bool {
    let Some(by) = now.checked_sub(before).map(Decimal::abs) else { return false };
    if matches!(sign, Sign::Weight | Sign::BodyMass) {
        let tenth = before.checked_div(Decimal::new(10, 0));
        return tenth.is_some_and(|tenth| by > tenth);
    }
    by > Decimal::new(i128::from(sign.change_max()), 0)
}
