//! How grave a result is, by what the laboratory says of each value (`Observation.interpretation`, HL7
//! v3-ObservationInterpretation) and, where it says nothing, by the range it gives. Nothing here judges
//! by numbers of its own: what nobody judged is [`Weight::Unjudged`], and never normal.

use crate::item::{Line, Weight};
use crate::read::{concept, each, text};
use fhir::Value;
use fhirpath::Decimal;

/// Codes of critical values.
const CRITICAL: [&str; 3] = ["HH", "LL", "AA"];
/// Codes of what is within range, absent or not reactive.
const NORMAL: [&str; 5] = ["N", "NEG", "ND", "NR", "S"];
/// Statuses of an Observation that say it was changed after it had been final.
const CORRECTED: [&str; 3] = ["corrected", "amended", "entered-in-error"];
/// Components of one Observation that are shown.
const COMPONENTS_MAX: usize = 10;

/// How grave one value is: an Observation, or a component of one.
fn weigh(value: Value<'_>) -> Weight {
    let codes: Vec<String> = each(value, "interpretation")
        .flat_map(|one| each(one, "coding"))
        .map(|coding| text(coding, "code").to_ascii_uppercase())
        .collect();
    if !codes.is_empty() {
        let any = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
        return match () {
            () if any(&CRITICAL) => Weight::Critical,
            () if codes.iter().all(|code| NORMAL.contains(&code.as_str())) => Weight::Normal,
            () => Weight::Abnormal,
        };
    }
    let number = |quantity: Option<Value<'_>>| Decimal::parse(quantity?.get("value")?.as_number()?);
    let measured = value.get("valueQuantity");
    let (Some(own), Some(range)) = (number(measured), each(value, "referenceRange").next()) else {
        return Weight::Unjudged;
    };
    // A value in another unit than its range, or beyond what the machine measures, says nothing.
    let unit = |quantity: Option<Value<'_>>| quantity.map(|one| text(one, "unit"));
    let (low, high) = (range.get("low"), range.get("high"));
    let same = |end: Option<Value<'_>>| end.is_none() || unit(end) == unit(measured);
    let compared = measured.is_some_and(|one| !text(one, "comparator").is_empty());
    match (number(low), number(high)) {
        (None, None) => Weight::Unjudged,
        _ if compared || !same(low) || !same(high) => Weight::Unjudged,
        (low, high) => {
            let outside = low.is_some_and(|low| own < low) || high.is_some_and(|high| own > high);
            if outside { Weight::Abnormal } else { Weight::Normal }
        }
    }
}

/// The gravest of several; of none, unjudged.
pub fn gravest(all: impl IntoIterator<Item = Weight>) -> Weight {
    all.into_iter().min().unwrap_or(Weight::Unjudged)
}

/// An Observation as a line.
pub(crate) fn line(id: &str, root: Value<'_>) -> Line {
    let status = text(root, "status");
    let components: Vec<Value<'_>> = each(root, "component").take(COMPONENTS_MAX).collect();
    let own = shown(root);
    let parts: Vec<String> = components
        .iter()
        .map(|part| format!("{} {}", named(*part), shown(*part)))
        .filter(|part| !part.trim().is_empty())
        .collect();
    let value = [own].into_iter().chain(parts).filter(|part| !part.is_empty());
    let weights = components.iter().map(|part| weigh(*part));
    let is_whole = root.get("interpretation").is_some() || components.is_empty();
    let weight = match status.as_str() {
        "entered-in-error" | "cancelled" => Weight::Unjudged,
        _ if is_whole => weigh(root),
        _ => gravest(weights),
    };
    let first = root.get("code").into_iter().flat_map(|code| each(code, "coding")).next();
    let code = first.map(|one| format!("{}|{}", text(one, "system"), text(one, "code")));
    Line {
        id: id.to_owned(),
        what: named(root),
        code: code.unwrap_or_default(),
        value: value.collect::<Vec<_>>().join(" · "),
        range: range(root),
        flag: each(root, "interpretation")
            .flat_map(|one| each(one, "coding"))
            .map(|one| text(one, "code"))
            .next()
            .unwrap_or_default(),
        weight: Some(weight),
        corrected: CORRECTED.contains(&status.as_str()),
    }
}

fn named(value: Value<'_>) -> String {
    value.get("code").map(concept).unwrap_or_default()
}

fn quantity(value: Value<'_>) -> String {
    let number = value.get("value").and_then(Value::as_number).unwrap_or_default();
    let unit = text(value, "unit");
    let unit = if unit.is_empty() { text(value, "code") } else { unit };
    format!("{}{number} {unit}", text(value, "comparator")).trim().to_owned()
}

fn shown(value: Value<'_>) -> String {
    if let Some(one) = value.get("valueQuantity") {
        return quantity(one);
    }
    if let Some(one) = value.get("valueCodeableConcept") {
        return concept(one);
    }
    for name in ["valueString", "valueDateTime", "valueTime", "valueInteger", "valueBoolean"] {
        if let Some(text) = value.get(name).and_then(Value::as_text) {
            return text.into_owned();
        }
    }
    value.get("dataAbsentReason").map(concept).unwrap_or_default()
}

fn range(value: Value<'_>) -> String {
    let Some(range) = each(value, "referenceRange").next() else { return String::new() };
    let end = |name: &str| range.get(name).map(quantity).filter(|text| !text.is_empty());
    match (text(range, "text"), end("low"), end("high")) {
        (words, ..) if !words.is_empty() => words,
        (_, Some(low), Some(high)) => {
            // The unit once: 70–99 mg/dL.
            let low = low.split(' ').next().unwrap_or_default();
            format!("{low}–{high}")
        }
        (_, Some(low), None) => format!("≥ {low}"),
        (_, None, Some(high)) => format!("≤ {high}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;
    use proptest::prelude::*;

    fn of(json: &str) -> Line {
        let document = Document::parse_text(json.to_owned(), &Limits::default()).expect("JSON");
        line("x", document.root())
    }

    fn flagged(code: &str) -> Option<Weight> {
        of(&format!(r#"{{"interpretation":[{{"coding":[{{"code":"{code}"}}]}}]}}"#)).weight
    }

    #[test]
    fn the_flag_of_the_laboratory_decides() {
        for (code, weight) in [
            ("HH", Weight::Critical),
            ("LL", Weight::Critical),
            ("AA", Weight::Critical),
            ("H", Weight::Abnormal),
            ("POS", Weight::Abnormal),
            ("what is this", Weight::Abnormal),
            ("N", Weight::Normal),
            ("NEG", Weight::Normal),
        ] {
            assert_eq!(flagged(code), Some(weight), "{code}");
        }
    }

    #[test]
    fn without_a_flag_the_range_decides_and_without_either_nobody() {
        let with = |value: &str, rest: &str| {
            of(&format!(r#"{{"valueQuantity":{{"value":{value},"unit":"mg/dL"}}{rest}}}"#)).weight
        };
        let range = r#","referenceRange":[{"low":{"value":70,"unit":"mg/dL"},"high":{"value":99,"unit":"mg/dL"}}]"#;
        assert_eq!(with("70", range), Some(Weight::Normal));
        assert_eq!(with("99.1", range), Some(Weight::Abnormal));
        assert_eq!(with("69.9", range), Some(Weight::Abnormal));
        assert_eq!(with("85", ""), Some(Weight::Unjudged));
        let other = range.replace("mg/dL", "mmol/L");
        assert_eq!(with("85", &other), Some(Weight::Unjudged), "another unit");
        assert_eq!(of(r#"{"valueString":"see text"}"#).weight, Some(Weight::Unjudged));
        assert_eq!(gravest([]), Weight::Unjudged);
    }

    #[test]
    fn a_line_says_value_unit_and_range() {
        let line = of(
            r#"{"status":"corrected","code":{"text":"Potassium","coding":[{"system":"http://loinc.org","code":"2823-3"}]},"valueQuantity":{"value":6.30,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3.5,"unit":"mmol/L"},"high":{"value":5.1,"unit":"mmol/L"}}],"interpretation":[{"coding":[{"code":"HH"}]}]}"#,
        );
        assert_eq!((line.what.as_str(), line.value.as_str()), ("Potassium", "6.30 mmol/L"));
        assert_eq!((line.range.as_str(), line.flag.as_str()), ("3.5–5.1 mmol/L", "HH"));
        assert!(line.corrected && line.code == "http://loinc.org|2823-3");
    }

    proptest! {
        #[test]
        fn whatever_a_value_is_judging_it_ends(
            code in "[A-Z<>+-]{0,4}", value in "-?[0-9]{1,6}(\\.[0-9]{1,4})?", low in 0_i64..500, high in 0_i64..500,
        ) {
            let value = if value.starts_with("0") || value.starts_with("-0") { "1".to_owned() } else { value };
            let json = format!(r#"{{"interpretation":[{{"coding":[{{"code":"{code}"}}]}}],"valueQuantity":{{"value":{value}}},"referenceRange":[{{"low":{{"value":{low}}},"high":{{"value":{high}}}}}]}}"#);
            let line = of(&json);
            prop_assert!(line.weight.is_some());
            prop_assert_eq!(line.weight == Some(Weight::Critical), ["HH", "LL", "AA"].contains(&code.as_str()));
        }
    }
}
