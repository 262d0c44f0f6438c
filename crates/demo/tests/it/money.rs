//! Money adds up, to the cent, on every claim and explanation.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clinic::{fixed, name, parsed, text};

fn cents(money: &Value) -> i64 {
    assert_eq!(money["currency"], "USD");
    fixed(&money["value"], 2)
}

fn amounts(list: &Value) -> BTreeMap<&str, i64> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|a| (text(&a["category"]["coding"][0]["code"]), cents(&a["amount"])))
        .collect()
}

fn items(claim: &Value) -> &Vec<Value> {
    claim["item"].as_array().unwrap()
}

#[test]
fn claims_total_their_lines() {
    let mut seen = 0;
    for claim in parsed().of("Claim") {
        let mut total = 0;
        for item in items(claim) {
            let net = cents(&item["net"]);
            assert_eq!(net, cents(&item["unitPrice"]) * fixed(&item["quantity"]["value"], 0));
            assert!(net > 0);
            total += net;
        }
        assert_eq!(total, cents(&claim["total"]));
        seen += 1;
    }
    assert!(seen > 1000);
}

#[test]
fn explanations_settle_every_cent() {
    let claims: BTreeMap<String, &Value> = parsed().of("Claim").map(|c| (name(c), c)).collect();
    let (mut seen, mut denied, mut shared) = (0, 0, 0);
    for explanation in parsed().of("ExplanationOfBenefit") {
        let claim = claims[text(&explanation["claim"]["reference"])];
        assert_eq!(items(claim).len(), items(explanation).len());
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for (line, item) in items(claim).iter().zip(items(explanation)) {
            assert_eq!(line["net"], item["net"]);
            let parts = amounts(&item["adjudication"]);
            let part = |code| parts.get(code).copied().unwrap_or(0);
            assert_eq!(part("submitted"), cents(&item["net"]));
            assert_eq!(part("eligible"), part("copay") + part("deductible") + part("benefit"));
            assert!(part("eligible") <= part("submitted") && parts.values().all(|c| *c >= 0));
            for (code, value) in parts {
                *sums.entry(code).or_default() += value;
            }
        }
        assert_eq!(amounts(&explanation["total"]), sums);
        assert_eq!(sums["submitted"], cents(&claim["total"]));
        match explanation.get("payment") {
            Some(payment) => assert_eq!(cents(&payment["amount"]), sums["benefit"]),
            None => assert_eq!(sums["benefit"], 0),
        }
        seen += 1;
        denied += usize::from(sums["eligible"] == 0);
        shared += usize::from(sums.contains_key("copay"));
    }
    assert!(seen > 1000 && denied > 5 && shared > 300, "{seen} {denied} {shared}");
}

#[test]
fn care_is_billed_to_a_coverage_in_force() {
    let coverages: BTreeMap<String, &Value> =
        parsed().of("Coverage").map(|c| (name(c), c)).collect();
    for claim in parsed().of("Claim") {
        let coverage = coverages[text(&claim["insurance"][0]["coverage"]["reference"])];
        assert_eq!(coverage["beneficiary"], claim["patient"]);
        assert_eq!(coverage["payor"][0], claim["insurer"]);
        assert!(
            text(&coverage["period"]["start"]) <= &text(&claim["billablePeriod"]["start"])[..10]
        );
    }
}
