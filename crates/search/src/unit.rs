//! Units in searches: a quantity asked for in one unit matches values stored in another that measures
//! the same thing (<https://hl7.org/fhir/R4/search.html#quantity>, UCUM <https://ucum.org/ucum>).
//! What a unit is, is said once: by the expression engine.

use fhirpath::units::canonical;

/// The UCUM system.
pub const UCUM: &str = "http://unitsofmeasure.org";

/// The factor that turns a value of one UCUM unit into another, as the nearest float: for index
/// bounds, never for a dose. `None` when they do not measure the same thing.
pub fn factor(from: &str, into: &str) -> Option<f64> {
    if from == into {
        return Some(1.0);
    }
    let (from, into) = (canonical(from)?, canonical(into)?);
    if !from.comparable(&into) {
        return None;
    }
    let value = |(top, bottom): (fhirpath::Decimal, fhirpath::Decimal)| -> Option<f64> {
        let top: f64 = top.to_string().parse().ok()?;
        let bottom: f64 = bottom.to_string().parse().ok()?;
        (bottom != 0.0).then(|| top / bottom)
    };
    let one = fhirpath::Decimal::ONE;
    let ratio = value(from.fraction(one)?)? / value(into.fraction(one)?)?;
    ratio.is_finite().then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_what_measures_the_same() {
        assert_eq!(factor("g", "mg"), Some(1000.0));
        assert_eq!(factor("cm", "m"), Some(0.01));
        assert_eq!(factor("mg/dL", "g/L"), Some(0.01));
        assert_eq!(factor("kg", "cm"), None);
        assert_eq!(factor("no such unit", "cm"), None);
    }
}
