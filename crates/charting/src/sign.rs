//! The vital signs that are charted: their LOINC codes and units as the vital-signs profile of R4 has
//! them (<https://hl7.org/fhir/R4/observation-vitalsigns.html>), and within what bounds a value can be
//! true. Pain and glucose are charted with them, and are none of the profile.

use fhirpath::Decimal;

/// A vital sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sign {
    /// Blood pressure: systolic and diastolic as components.
    Pressure,
    /// Heart rate.
    Pulse,
    /// Body temperature.
    Temperature,
    /// Respiratory rate.
    Breaths,
    /// Oxygen saturation by pulse oximetry.
    Saturation,
    /// Body weight.
    Weight,
    /// Body height.
    Height,
    /// Body mass index.
    BodyMass,
    /// Pain as the patient tells it, 0 to 10.
    Pain,
    /// Glucose in blood by a meter.
    Glucose,
}

/// The system of LOINC codes.
pub const LOINC: &str = "http://loinc.org";
/// The system of UCUM codes.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// Systolic blood pressure.
pub const SYSTOLIC: &str = "8480-6";
/// Diastolic blood pressure.
pub const DIASTOLIC: &str = "8462-4";

/// A unit that a sign is entered in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// UCUM.
    pub code: &'static str,
    /// As people read it.
    pub shown: &'static str,
}

impl Unit {
    /// What stands between a number and it: nothing before `%` and `/min`, as clinicians write them.
    pub fn gap(self) -> &'static str {
        if self.shown.starts_with(['%', '/']) { "" } else { " " }
    }
}

const fn unit(code: &'static str, shown: &'static str) -> Unit {
    Unit { code, shown }
}

/// Millimetres of mercury.
pub const MM_HG: Unit = unit("mm[Hg]", "mmHg");
pub(crate) const PER_MINUTE: Unit = unit("/min", "/min");
/// Degrees Celsius.
pub const CELSIUS: Unit = unit("Cel", "°C");
/// Degrees Fahrenheit.
pub const FAHRENHEIT: Unit = unit("[degF]", "°F");
pub(crate) const PERCENT: Unit = unit("%", "%");
/// Kilograms.
pub const KILOGRAM: Unit = unit("kg", "kg");
pub(crate) const GRAM: Unit = unit("g", "g");
/// Pounds.
pub const POUND: Unit = unit("[lb_av]", "lb");
/// Centimetres.
pub const CENTIMETRE: Unit = unit("cm", "cm");
/// Inches.
pub const INCH: Unit = unit("[in_i]", "in");
pub(crate) const BODY_MASS_UNIT: Unit = unit("kg/m2", "kg/m²");
pub(crate) const SCORE: Unit = unit("{score}", "of 10");
/// Milligrams in a decilitre.
pub const MG_DL: Unit = unit("mg/dL", "mg/dL");
/// Millimoles in a litre.
pub const MMOL_L: Unit = unit("mmol/L", "mmol/L");

const UNITS: [Unit; 15] = [
    MM_HG,
    PER_MINUTE,
    CELSIUS,
    FAHRENHEIT,
    PERCENT,
    KILOGRAM,
    GRAM,
    POUND,
    CENTIMETRE,
    INCH,
    BODY_MASS_UNIT,
    SCORE,
    MG_DL,
    MMOL_L,
    unit("m", "m"),
];

/// Bounds of a value, in the sign's own unit, ends included.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Outside it no living patient has the value: it is refused.
    pub possible: (i64, i64),
    /// Outside it, at whatever age, somebody looks twice: it is remarked on.
    pub usual: (i64, i64),
}

const fn bounds(possible: (i64, i64), usual: (i64, i64)) -> Bounds {
    Bounds { possible, usual }
}

impl Sign {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 10] = [
        Self::Pressure,
        Self::Pulse,
        Self::Temperature,
        Self::Breaths,
        Self::Saturation,
        Self::Weight,
        Self::Height,
        Self::BodyMass,
        Self::Pain,
        Self::Glucose,
    ];

    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pressure => "Blood pressure",
            Self::Pulse => "Heart rate",
            Self::Temperature => "Temperature",
            Self::Breaths => "Respiratory rate",
            Self::Saturation => "Oxygen saturation",
            Self::Weight => "Weight",
            Self::Height => "Height",
            Self::BodyMass => "Body mass index",
            Self::Pain => "Pain",
            Self::Glucose => "Glucose",
        }
    }

    /// Its LOINC codes: the first is what it is charted under, any is what it is found by.
    pub const fn codes(self) -> &'static [&'static str] {
        match self {
            Self::Pressure => &["85354-9", "55284-4"],
            Self::Pulse => &["8867-4"],
            Self::Temperature => &["8310-5"],
            Self::Breaths => &["9279-1"],
            // The profile demands the first; the second says by pulse oximetry.
            Self::Saturation => &["2708-6", "59408-5"],
            Self::Weight => &["29463-7", "3141-9"],
            Self::Height => &["8302-2"],
            Self::BodyMass => &["39156-5"],
            Self::Pain => &["72514-3"],
            Self::Glucose => &["41653-7"],
        }
    }

    /// The unit that values are compared in.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Pressure => MM_HG,
            Self::Pulse | Self::Breaths => PER_MINUTE,
            Self::Temperature => CELSIUS,
            Self::Saturation => PERCENT,
            Self::Weight => KILOGRAM,
            Self::Height => CENTIMETRE,
            Self::BodyMass => BODY_MASS_UNIT,
            Self::Pain => SCORE,
            Self::Glucose => MG_DL,
        }
    }

    /// Within what its values lie, in [`Sign::unit`]; of a pressure, the systolic.
    pub const fn bounds(self) -> Bounds {
        match self {
            Self::Pressure => bounds((20, 350), (70, 200)),
            Self::Pulse => bounds((10, 350), (40, 160)),
            Self::Temperature => bounds((20, 45), (35, 39)),
            Self::Breaths => bounds((2, 120), (8, 40)),
            Self::Saturation => bounds((30, 100), (92, 100)),
            Self::Weight => bounds((0, 650), (2, 250)),
            Self::Height => bounds((20, 272), (45, 210)),
            Self::BodyMass => bounds((5, 200), (12, 50)),
            Self::Pain => bounds((0, 10), (0, 7)),
            Self::Glucose => bounds((5, 2000), (60, 400)),
        }
    }

    /// Within what the diastolic pressure lies.
    pub const DIASTOLIC_BOUNDS: Bounds = bounds((10, 250), (40, 120));

    /// By how much it changes between two entries, in [`Sign::unit`], before somebody looks twice.
    pub const fn change_max(self) -> i64 {
        match self {
            Self::Pressure => 60,
            Self::Pulse => 60,
            Self::Temperature => 3,
            Self::Breaths => 20,
            Self::Saturation => 8,
            // Of weight a tenth counts, whatever it is; see `vitals::check`.
            Self::Weight | Self::BodyMass => i64::MAX,
            Self::Height => 5,
            Self::Pain => 10,
            Self::Glucose => 300,
        }
    }
}

/// A unit by its UCUM code, of those that signs are charted in.
pub fn unit_of(code: &str) -> Option<Unit> {
    UNITS.into_iter().find(|unit| unit.code == code)
}

/// A value of one unit in another, exact but for digits that no decimal can hold; `None` when the two
/// measure different things.
pub fn convert(value: Decimal, from: Unit, to: Unit) -> Option<Decimal> {
    if from.code == to.code {
        return Some(value);
    }
    let [five, nine, thirty_two] = [5, 9, 32].map(|n| Decimal::new(n, 0));
    match (from.code, to.code) {
        ("[degF]", "Cel") => value.checked_sub(thirty_two)?.checked_mul(five)?.checked_div(nine),
        ("Cel", "[degF]") => value.checked_mul(nine)?.checked_div(five)?.checked_add(thirty_two),
        // The molar mass of glucose, 180.156 g/mol, in mg/dL for each mmol/L.
        ("mmol/L", "mg/dL") => value.checked_mul(Decimal::new(180_156, 4)),
        ("mg/dL", "mmol/L") => value.checked_div(Decimal::new(180_156, 4)),
        (from, to) => {
            let (from, to) = (fhirpath::units::canonical(from)?, fhirpath::units::canonical(to)?);
            from.convert(value, &to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(value: &str, from: Unit, to: Unit) -> String {
        convert(Decimal::parse(value).unwrap(), from, to).unwrap().round(1).to_string()
    }

    #[test]
    fn values_are_converted_as_the_units_are_defined() {
        assert_eq!(converted("98.6", FAHRENHEIT, CELSIUS), "37");
        assert_eq!(converted("37", CELSIUS, FAHRENHEIT), "98.6");
        assert_eq!(converted("180", POUND, KILOGRAM), "81.6");
        assert_eq!(converted("70", INCH, CENTIMETRE), "177.8");
        assert_eq!(converted("5.3", MMOL_L, MG_DL), "95.5");
        assert!(convert(Decimal::ONE, POUND, CENTIMETRE).is_none());
    }
}
