//! What people have: chronic conditions with who gets them and what is done about them, and the
//! acute complaints that bring people in. Prevalence is by band of age, in thousandths.

mod acute;
mod chronic;

use crate::code::Code;
use crate::drugs::Drug;
use crate::panels::Panel;

pub(crate) use acute::ACUTE;
pub(crate) use chronic::CHRONIC;

/// A chronic condition other code asks about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Obesity,
    Hypertension,
    Diabetes,
    Prediabetes,
    Lipids,
    Kidney,
    Heart,
    Failure,
    Lung,
    Thyroid,
    Mood,
    Anemia,
    Other,
}

/// A chronic condition.
#[derive(Debug)]
pub(crate) struct Chronic {
    pub(crate) key: Key,
    pub(crate) snomed: Code,
    pub(crate) icd: Code,
    /// Women only, men only, or anybody.
    pub(crate) female: Option<bool>,
    pub(crate) from_age: i64,
    /// Of those under 18, 18 to 39, 40 to 64, and 65 or more.
    pub(crate) per_mille: [i64; 4],
    /// Multiplies the chance, in percent, when the other condition is there.
    pub(crate) with: Option<(Key, i64)>,
    /// One of these for everybody.
    pub(crate) first_drug: &'static [&'static Drug],
    /// And one of these for one in two.
    pub(crate) second_drug: &'static [&'static Drug],
    pub(crate) panel: Option<&'static Panel>,
    /// Follow-up visits a year, in tenths.
    pub(crate) visits: i64,
    /// Guarded more closely by law.
    pub(crate) restricted: bool,
    pub(crate) advice: &'static str,
}

/// A complaint that passes.
#[derive(Debug)]
pub(crate) struct Acute {
    pub(crate) snomed: Code,
    pub(crate) icd: Code,
    pub(crate) ages: (i64, i64),
    pub(crate) female: Option<bool>,
    pub(crate) weight: i64,
    pub(crate) days: i64,
    pub(crate) fever: bool,
    pub(crate) drug: Option<&'static Drug>,
    /// What children under twelve get instead.
    pub(crate) child_drug: Option<&'static Drug>,
    pub(crate) panel: Option<&'static Panel>,
    /// In a thousand, seen in the emergency room.
    pub(crate) emergency: i64,
    pub(crate) words: &'static str,
}
