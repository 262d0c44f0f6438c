//! How grave a result is, by what the laboratory says of each value (`Observation.interpretation`, HL7
//! v3-ObservationInterpretation) and, where it says nothing, by the range it gives. Nothing here judges
//! by numbers of its own: what nobody judged is [`Weight::Unjudged`], and never normal.

use crate::item::{Line, Weight};
use crate::read::{concept, each, text};
use fhir::Value;
use fhirpath::Decimal;

/// Where the systems of flags begin that HL7 has (`v3-ObservationInterpretation`, table 0078).
const HL7: [&str; 3] =
    ["http://terminology.hl7.org/", "http://hl7.org/fhir/", "urn:oid:2.16.840.1.113883.5.83"];
/// Codes of critical values.
const CRITICAL: [&str; 3] = ["HH", "LL", "AA"];
/// Codes of what is within range, absent or not reactive.
const NORMAL: [&str; 5] = ["N", "NEG", "ND", "NR", "S"];
/// Statuses of an Observation that say it was changed after it had been final.
pub(crate) const CORRECTED: [&str; 3] = ["corrected", "amended", "entered-in-error"];
/// Components of one Observation that are shown.
const COMPONENTS_MAX: usize = 10;

/// How grave one value is: an Observation, or a component of one.
fn weigh(value: Value<'_>) -> Weight {
    let by_range = by_range(value);
    match (by_flag(value), by_range) {
        (None, by_range) => by_range,
        // The flag says normal, and the range beside it does not: somebody has to look.
        (Some(Weight::Normal), Weight::Abnormal) => Weight::Unjudged,
        (Some(flag), _) => flag,
    }
}

/// What the laboratory's flags say, the gravest of them; none when there is none.
fn by_flag(value: Value<'_>) -> Option<Weight> {
    each(value, "interpretation")
        .map(|concept| {
            let codings: Vec<(bool, Weight)> = each(concept, "coding").map(flag).collect();
            // The same in a house's own codes beside HL7's says no more; by itself nobody knows it.
            let is_known = codings.iter().any(|(known, _)| *known);
            let all = codings.into_iter();
            let all = all.filter(|(known, flag)| *known == is_known || *flag == Weight::Critical);
            let flag = gravest(all.map(|(_, flag)| flag));
            if !is_known && flag == Weight::Normal { Weight::Unjudged } else { flag }
        })
        .min()
}

/// What one coding says, and whether its system is one we know.
fn flag(coding: Value<'_>) -> (bool, Weight) {
    let system = text(coding, "system");
    let is_known = system.is_empty() || HL7.iter().any(|own| system.starts_with(own));
    let code = text(coding, "code").to_ascii_uppercase();
    let is = |known: &[&str]| known.contains(&code.as_str());
    let flag = match () {
        () if is(&CRITICAL) => Weight::Critical,
        () if is(&NORMAL) => Weight::Normal,
        () if code.is_empty() => Weight::Unjudged,
        () => Weight::Abnormal,
    };
    (is_known, flag)
}

/// Where a number stands to the ranges beside it. Of several (for an age, for a phase) nobody says which
/// is meant, so they count where they agree.
fn by_range(value: Value<'_>) -> Weight {
    let Some(measured) = value.get("valueQuantity") else { return Weight::Unjudged };
    // Beyond what the machine measures says nothing.
    let (Some(own), true) = (number(Some(measured)), text(measured, "comparator").is_empty())
    else {
        return Weight::Unjudged;
    };
    let mut all = each(value, "referenceRange").map(|range| within(own, measured, range));
    let Some(first) = all.next() else { return Weight::Unjudged };
    if all.all(|other| other == first) { first } else { Weight::Unjudged }
}

fn within(own: Decimal, measured: Value<'_>, range: Value<'_>) -> Weight {
    // A range of treatment, or of what is critical, is none of what is normal.
    let is_normal = |of: Value<'_>| each(of, "coding").any(|one| text(one, "code") == "normal");
    if range.get("type").is_some_and(|of| !is_normal(of)) {
        return Weight::Unjudged;
    }
    // A value in another unit than its range says nothing.
    let (low, high) = (range.get("low"), range.get("high"));
    let unit = |quantity: Value<'_>| text(quantity, "unit");
    let same = |end: Option<Value<'_>>| end.is_none_or(|end| unit(end) == unit(measured));
    match (number(low), number(high)) {
        (None, None) => Weight::Unjudged,
        _ if !same(low) || !same(high) => Weight::Unjudged,
        (low, high) => {
            let outside = low.is_some_and(|low| own < low) || high.is_some_and(|high| own > high);
            if outside { Weight::Abnormal } else { Weight::Normal }
        }
    }
}

fn number(quantity: Option<Value<'_>>) -> Option<Decimal> {
    Decimal::parse(quantity?.get("value")?.as_number()?)
}

/// The gravest of several; of none, unjudged.
pub fn gravest(all: impl IntoIterator<Item = Weight>) -> Weight {
    all.into_iter().min().unwrap_or(Weight::Unjudged)
}

/// An Observation as a line.
pub(crate) fn line(id: &str, root: Value<'_>) -> Line {
    let status = text(root, "status");
    let components: Vec<Value<'_>> = each(root, "component").collect();
    let own = shown(root);
    let parts: Vec<String> = components
        .iter()
        .map(|part| format!("{} {}", named(*part), shown(*part)))
        .filter(|part| !part.trim().is_empty())
        .collect();
    let more = parts.len().saturating_sub(COMPONENTS_MAX);
    let more = (more > 0).then(|| format!("+{more}"));
    let has_own = components.is_empty() || !own.is_empty() || root.get("interpretation").is_some();
    // A flag of the whole hides none of its components: the gravest counts, of all of them.
    let whole = has_own.then(|| weigh(root));
    let weight = match status.as_str() {
        "entered-in-error" | "cancelled" => Weight::Unjudged,
        _ => gravest(whole.into_iter().chain(components.iter().map(|part| weigh(*part)))),
    };
    let is_said = !own.is_empty() || !parts.is_empty();
    let says_more = ["note", "hasMember", "dataAbsentReason"].iter().any(|name| has(root, name))
        || components.iter().any(|part| has(*part, "dataAbsentReason"));
    let first = root.get("code").into_iter().flat_map(|code| each(code, "coding")).next();
    let code = first.map(|one| format!("{}|{}", text(one, "system"), text(one, "code")));
    let shown = parts.into_iter().take(COMPONENTS_MAX).chain(more);
    let value = [own].into_iter().chain(shown).filter(|part| !part.is_empty());
    Line {
        id: id.to_owned(),
        what: named(root),
        code: code.unwrap_or_default(),
        value: value.collect::<Vec<_>>().join(" · "),
        range: range(root),
        flag: gravest_flag(root, &components),
        weight: Some(weight),
        corrected: CORRECTED.contains(&status.as_str()),
        plain: weight == Weight::Normal && status == "final" && is_said && !says_more,
        version: 0,
        at: None,
    }
}

fn has(value: Value<'_>, name: &str) -> bool {
    value.get(name).is_some()
}

/// The flag that is shown: of the whole or of a component, the gravest.
fn gravest_flag(root: Value<'_>, components: &[Value<'_>]) -> String {
    let codings = |value| each(value, "interpretation").flat_map(|one| each(one, "coding"));
    let all = codings(root).chain(components.iter().flat_map(|part| codings(*part)));
    let gravest = all.min_by_key(|coding| flag(*coding).1);
    gravest.map(|coding| text(coding, "code")).unwrap_or_default()
}

fn named(value: Value<'_>) -> String {
    value.get("code").map(concept).unwrap_or_default()
}

fn quantity(value: Value<'_>) -> String {
    let number = value.get("value").and_then(Value::as_number).unwrap_or_default();
    let unit = text(value, "unit");
    let unit = if unit.is_empty() { text(value, "code") } else { unit };
    let unit = fhirpath::units::shown(&unit);
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

    /// A final value of 85 mg/dL, with more.
    fn plain(rest: &str) -> Line {
        of(&format!(
            r#"{{"status":"final","valueQuantity":{{"value":85,"unit":"mg/dL"}},"interpretation":[{{"coding":[{{"code":"N"}}]}}]{rest}}}"#
        ))
    }

    #[test]
    fn a_flag_of_the_whole_hides_no_component_and_the_eleventh_counts_as_the_first() {
        let part = |flag: &str| {
            format!(
                r#"{{"code":{{"text":"x"}},"valueInteger":1,"interpretation":[{{"coding":[{{"code":"{flag}"}}]}}]}}"#
            )
        };
        let with = |flags: &[&str]| {
            let parts: Vec<String> = flags.iter().map(|flag| part(flag)).collect();
            plain(&format!(r#","component":[{}]"#, parts.join(",")))
        };
        assert!(with(&["N", "N"]).plain);
        let hidden = with(&["N", "HH"]);
        assert_eq!((hidden.weight, hidden.flag.as_str()), (Some(Weight::Critical), "HH"));
        let mut many = vec!["N"; 11];
        many.push("LL");
        let many = with(&many);
        assert_eq!((many.weight, many.plain), (Some(Weight::Critical), false));
        assert!(many.value.ends_with("+2"), "{}", many.value);
        let bare = plain(r#","component":[{"code":{"text":"x"},"valueInteger":1}]"#);
        assert_eq!(bare.weight, Some(Weight::Unjudged), "one that nobody judged");
    }

    #[test]
    fn every_range_counts_and_one_of_treatment_is_none() {
        let range = |low: i64, high: i64, more: &str| {
            format!(
                r#"{{"low":{{"value":{low},"unit":"mg/dL"}},"high":{{"value":{high},"unit":"mg/dL"}}{more}}}"#
            )
        };
        let with = |ranges: &[String]| {
            of(&format!(
                r#"{{"valueQuantity":{{"value":85,"unit":"mg/dL"}},"referenceRange":[{}]}}"#,
                ranges.join(",")
            ))
            .weight
        };
        let (inside, outside) = (range(70, 99, ""), range(10, 20, ""));
        assert_eq!(with(&[inside.clone(), inside.clone()]), Some(Weight::Normal));
        assert_eq!(with(&[outside.clone(), outside.clone()]), Some(Weight::Abnormal));
        assert_eq!(with(&[inside, outside.clone()]), Some(Weight::Unjudged));
        let treatment = range(70, 99, r#","type":{"coding":[{"code":"treatment"}]}"#);
        assert_eq!(with(&[treatment]), Some(Weight::Unjudged));
        let odd = plain(&format!(r#","referenceRange":[{outside}]"#));
        assert_eq!(odd.weight, Some(Weight::Unjudged), "a flag that its own range contradicts");
    }

    #[test]
    fn what_says_more_than_a_flag_is_not_plain() {
        assert!(plain("").plain);
        for more in [
            r#","note":[{"text":"Haemolysed, repeat."}]"#,
            r#","hasMember":[{"reference":"Observation/x"}]"#,
            r#","dataAbsentReason":{"text":"not performed"}"#,
        ] {
            assert!(!plain(more).plain, "{more}");
        }
        let status = |status: &str| {
            of(&format!(
                r#"{{"status":"{status}","valueInteger":1,"interpretation":[{{"coding":[{{"code":"N"}}]}}]}}"#
            ))
        };
        assert!(
            status("final").plain && !status("preliminary").plain && !status("corrected").plain
        );
        let nothing = of(r#"{"status":"final","interpretation":[{"coding":[{"code":"N"}]}]}"#);
        assert!(!nothing.plain, "a flag of no value");
        let words =
            of(r#"{"status":"final","valueInteger":1,"interpretation":[{"text":"normal"}]}"#);
        assert_eq!(words.weight, Some(Weight::Unjudged), "a flag in words");
        let own = of(
            r#"{"valueInteger":1,"interpretation":[{"coding":[{"system":"urn:lab","code":"N"}]}]}"#,
        );
        assert_eq!(own.weight, Some(Weight::Unjudged), "a code that nobody here knows");
        let both = of(
            r#"{"valueInteger":1,"interpretation":[{"coding":[{"system":"urn:lab","code":"ok"},{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N"}]}]}"#,
        );
        assert_eq!(both.weight, Some(Weight::Normal));
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
        let count = of(
            r#"{"valueQuantity":{"value":6.1,"code":"10*3/uL"},"referenceRange":[{"low":{"value":4,"unit":"10*3/uL"},"high":{"value":11,"unit":"10*3/uL"}}]}"#,
        );
        assert_eq!((&*count.value, &*count.range), ("6.1 10³/µL", "4–11 10³/µL"));
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
