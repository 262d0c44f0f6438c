//! Results: interpretation follows from value and range, derived values from their parts, disease
//! shows in the numbers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clinic::{fixed, parsed, text};

fn code(resource: &Value) -> &str {
    text(&resource["code"]["coding"][0]["code"])
}

#[test]
fn interpretation_agrees_with_the_range() {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for result in parsed().of("Observation") {
        let Some(range) = result["referenceRange"].get(0) else { continue };
        let at = |quantity: &Value| {
            assert_eq!(quantity["code"], result["valueQuantity"]["code"]);
            fixed(&quantity["value"], 3)
        };
        let (value, low, high) =
            (at(&result["valueQuantity"]), at(&range["low"]), at(&range["high"]));
        let expected = match () {
            () if value < low => "L",
            () if value > high => "H",
            () => "N",
        };
        let said = text(&result["interpretation"][0]["coding"][0]["code"]);
        assert_eq!(said, expected, "{}", result["code"]["text"]);
        assert!(value > 0 && value < high * 5, "{} {value}", result["code"]["text"]);
        *seen.entry(said).or_default() += 1;
    }
    assert!(seen["N"] > 2000 && seen["H"] > 100 && seen["L"] > 8, "{seen:?}");
}

#[test]
fn reports_gather_the_results_of_their_order() {
    for chart in &parsed().charts {
        let results: BTreeMap<&str, &Value> = chart.iter().map(|r| (text(&r["id"]), r)).collect();
        for report in chart.iter().filter(|r| r["resourceType"] == "DiagnosticReport") {
            let of = report["result"].as_array().unwrap();
            assert!(!of.is_empty());
            for result in of {
                let result = results[text(&result["reference"]).trim_start_matches("Observation/")];
                assert_eq!(result["basedOn"], report["basedOn"]);
                assert_eq!(result["specimen"], report["specimen"][0]);
            }
        }
    }
}

#[test]
fn derived_values_follow_from_their_parts() {
    let (mut bodies, mut lipids) = (0, 0);
    for chart in &parsed().charts {
        let mut visits: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
        for r in chart.iter().filter(|r| r["valueQuantity"].is_object()) {
            let visit = visits.entry(text(&r["encounter"]["reference"])).or_default();
            visit.insert(code(r), fixed(&r["valueQuantity"]["value"], 3));
        }
        for values in visits.values() {
            if let (Some(bmi), Some(height), Some(weight)) =
                (values.get("39156-5"), values.get("8302-2"), values.get("29463-7"))
            {
                // In thousandths: kg over the square of metres, to a tenth.
                assert!((weight * 10_000_000_000 / (height * height) - bmi).abs() <= 100);
                bodies += 1;
            }
            if let (Some(total), Some(triglycerides), Some(hdl), Some(ldl)) = (
                values.get("2093-3"),
                values.get("2571-8"),
                values.get("2085-9"),
                values.get("13457-7"),
            ) {
                assert!((ldl + hdl + triglycerides / 5 - total).abs() <= 1000);
                lipids += 1;
            }
        }
    }
    assert!(bodies > 500 && lipids > 100, "{bodies} {lipids}");
}

#[test]
fn diabetes_shows_in_the_numbers() {
    let (mut sick, mut well) = (Vec::new(), Vec::new());
    for chart in &parsed().charts {
        let onset = chart.iter().find(|r| code(r) == "44054006").map(|r| text(&r["onsetDateTime"]));
        for r in chart.iter().filter(|r| code(r) == "4548-4" && r["resourceType"] == "Observation")
        {
            let value = fixed(&r["valueQuantity"]["value"], 1);
            match onset {
                Some(onset) if onset < text(&r["effectiveDateTime"]) => sick.push(value),
                _ => well.push(value),
            }
        }
    }
    assert!(sick.len() > 30 && well.len() > 30);
    assert!(sick.iter().all(|v| *v >= 57) && well.iter().all(|v| *v < 65));
}

#[test]
fn children_grow() {
    let mut grown = 0;
    for chart in &parsed().charts {
        let mut heights: Vec<(&str, i64)> = chart
            .iter()
            .filter(|r| code(r) == "8302-2")
            .map(|r| (text(&r["effectiveDateTime"]), fixed(&r["valueQuantity"]["value"], 1)))
            .collect();
        heights.sort_unstable();
        assert!(heights.windows(2).all(|w| w[0].1 <= w[1].1), "nobody shrinks: {heights:?}");
        grown += usize::from(heights.first().map(|h| h.1) < heights.last().map(|h| h.1));
    }
    assert!(grown > 40, "{grown}");
}
