//! What is usual of vital signs in childhood, where it is other than later. Heart and breathing rates at
//! rest and awake, and the systolic pressure below which a child is hypotensive, are those of Pediatric
//! Advanced Life Support (American Heart Association), as tabulated by Fleming et al., Lancet 2011;377:1011,
//! web appendix, box 1. The upper pressures are the simplified table of the American Academy of Pediatrics
//! (Flynn et al., Pediatrics 2017;140:e20171904, table 6): above them a pressure is compared with the full
//! tables; of its two sexes the lower value stands here.
//!
//! They are for looking twice, not for a diagnosis, and stop nothing. What no source here gives, such as
//! the upper pressure in the first year, is as in adults. From 13 years on rates are as in adults: the
//! narrow ranges of a resting adolescent would remark on every second one.

use crate::sign::Sign;
use crate::summary::Age;

/// Months from birth to which a row holds, and its lowest and highest value.
type Row = (i64, (i64, i64));

const PULSE: [Row; 4] = [(3, (85, 205)), (24, (100, 190)), (120, (60, 140)), (156, (60, 100))];
const BREATHS: [Row; 4] = [(12, (30, 60)), (48, (24, 40)), (72, (22, 34)), (156, (18, 30))];
/// From one year of age on, a year each: systolic and diastolic.
const PRESSURE_HIGH: [(i64, i64); 12] = [
    (98, 52),
    (100, 55),
    (101, 58),
    (102, 60),
    (103, 63),
    (105, 66),
    (106, 68),
    (107, 69),
    (107, 70),
    (108, 72),
    (110, 74),
    (113, 75),
];
const ADULT_FROM_YEARS: i64 = 18;

/// What is usual of a sign at an age, in the sign's own unit; of a pressure the systolic.
pub(super) fn usual(sign: Sign, age: Option<Age>) -> (i64, i64) {
    let adult = sign.bounds().usual;
    let Some(months) = age.map(months) else { return adult };
    let row = |rows: &[Row]| {
        rows.iter().find(|(until, _)| months < *until).map_or(adult, |(_, bounds)| *bounds)
    };
    match sign {
        Sign::Pulse => row(&PULSE),
        Sign::Breaths => row(&BREATHS),
        Sign::Pressure if months < ADULT_FROM_YEARS * 12 => {
            (lowest(months, age), highest(months).map_or(adult.1, |(systolic, _)| systolic))
        }
        _ => adult,
    }
}

/// Likewise of the diastolic pressure.
pub(super) fn usual_diastolic(age: Option<Age>) -> (i64, i64) {
    let adult = Sign::DIASTOLIC_BOUNDS;
    match age.map(months).filter(|months| *months < ADULT_FROM_YEARS * 12) {
        // Of a child no source here gives the lowest: what is possible bounds it.
        Some(months) => {
            (adult.possible.0, highest(months).map_or(adult.usual.1, |(_, diastolic)| diastolic))
        }
        None => adult.usual,
    }
}

/// Below it the systolic pressure is too low.
fn lowest(months: i64, age: Option<Age>) -> i64 {
    match (age, months) {
        (Some(Age::Days(days)), _) if days <= 28 => 60,
        (_, 0..12) => 70,
        (_, 12..120) => 70 + 2 * (months / 12),
        _ => 90,
    }
}

fn highest(months: i64) -> Option<(i64, i64)> {
    let year = usize::try_from(months / 12).ok()?.checked_sub(1)?;
    // At and above 120/80 a pressure is elevated from 13 years on.
    Some(PRESSURE_HIGH.get(year).copied().unwrap_or((119, 79)))
}

/// Whole months of an age. One of which the month of birth is not known is taken for the older.
const fn months(age: Age) -> i64 {
    match age {
        Age::Years(years) | Age::About(years) => years * 12,
        Age::Months(months) => months,
        Age::Days(days) => days / 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_of_a_child_is_not_what_is_usual_of_an_adult() {
        let pulse = |age| usual(Sign::Pulse, Some(age));
        assert_eq!(pulse(Age::Days(20)), (85, 205));
        assert_eq!(pulse(Age::Months(3)), (100, 190));
        assert_eq!(pulse(Age::Years(9)), (60, 140));
        assert_eq!(pulse(Age::Years(13)), Sign::Pulse.bounds().usual);
        assert_eq!(usual(Sign::Pulse, None), Sign::Pulse.bounds().usual, "born nobody knows when");
        assert_eq!(usual(Sign::Breaths, Some(Age::Months(11))), (30, 60));
        assert_eq!(usual(Sign::Temperature, Some(Age::Years(4))), (35, 39));
    }

    #[test]
    fn a_pressure_is_held_to_the_age_of_the_child() {
        let systolic = |age| usual(Sign::Pressure, Some(age));
        assert_eq!(systolic(Age::Days(28)), (60, 200));
        assert_eq!(systolic(Age::Months(6)), (70, 200));
        assert_eq!(systolic(Age::Months(12)), (72, 98));
        assert_eq!(systolic(Age::Years(9)), (88, 107));
        assert_eq!(systolic(Age::Years(12)), (90, 113));
        assert_eq!(systolic(Age::Years(15)), (90, 119));
        assert_eq!(systolic(Age::Years(18)), Sign::Pressure.bounds().usual);
        assert_eq!(usual_diastolic(Some(Age::Years(5))), (10, 63));
        assert_eq!(usual_diastolic(Some(Age::Years(40))), (40, 120));
    }
}
