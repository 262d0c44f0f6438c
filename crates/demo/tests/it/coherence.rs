//! References resolve close by; nothing happens before birth, after death or in the future.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clinic::{NOW, TODAY, members, name, parsed, text};

/// Elements that may lie ahead.
const AHEAD: [&str; 9] = [
    "Appointment.start",
    "Appointment.end",
    "Slot.start",
    "Slot.end",
    "Schedule.planningHorizon.start",
    "Schedule.planningHorizon.end",
    "MedicationRequest.dispenseRequest.validityPeriod.end",
    "Immunization.expirationDate",
    "Goal.target.dueDate",
];

fn is_date(value: &str) -> bool {
    let b = value.as_bytes();
    (b.len() == 10 || b.len() == 25)
        && b[4] == b'-'
        && b[7] == b'-'
        && b[..4].iter().all(u8::is_ascii_digit)
}

#[test]
fn every_reference_resolves_within_the_shared_part_or_the_household() {
    let clinic = parsed();
    let shared: BTreeSet<String> = clinic.shared.iter().map(name).collect();
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    let mut outside = 0;
    for chart in &clinic.charts {
        let patient = &chart[0];
        let home = text(&patient["identifier"][1]["value"]).to_owned();
        homes.insert(name(patient), home.clone());
        let own: BTreeSet<String> = chart.iter().map(name).collect();
        for resource in chart {
            members(resource, "", &mut |path, value| {
                if !path.ends_with(".reference") {
                    return;
                }
                // Of a version, the record.
                let to = text(value).split("/_history/").next().unwrap_or_default();
                if own.contains(to) || shared.contains(to) {
                    return;
                }
                // Only members of the household that came before.
                assert_eq!(homes.get(to), Some(&home), "{} {path} {to}", name(resource));
                outside += 1;
            });
        }
    }
    assert!(outside > 50, "families share coverage: {outside}");
}

#[test]
fn nothing_happens_before_birth_or_after_now() {
    let clinic = parsed();
    let mut dates = 0;
    for chart in &clinic.charts {
        let birth = text(&chart[0]["birthDate"]);
        for resource in chart {
            let kind = text(&resource["resourceType"]);
            members(resource, kind, &mut |path, value| {
                let value = text(value);
                if !is_date(value) || path == "RelatedPerson.birthDate" {
                    return;
                }
                assert!(&value[..10] >= birth, "{path} {value} before birth {birth}");
                if AHEAD.contains(&path) {
                    return;
                }
                let limit = if value.len() == 10 { TODAY } else { NOW };
                assert!(&value[..limit.len()] <= limit, "{path} {value} after now");
                dates += 1;
            });
        }
    }
    assert!(dates > 50_000, "{dates}");
}

#[test]
fn periods_run_forward() {
    let clinic = parsed();
    for resource in clinic.shared.iter().chain(clinic.charts.iter().flatten()) {
        let mut check = |path: &str, value: &Value| {
            let (start, end) = (text(&value["start"]), text(&value["end"]));
            if is_date(start) && is_date(end) {
                let len = start.len().min(19);
                assert!(start[..len] <= end[..len], "{path} {start} {end}");
            }
        };
        check("", resource);
        members(resource, text(&resource["resourceType"]), &mut check);
    }
}

#[test]
fn the_dead_are_not_seen() {
    let mut dead = 0;
    for chart in &parsed().charts {
        let Some(death) = chart[0]["deceasedDateTime"].as_str() else { continue };
        dead += 1;
        for resource in chart {
            assert_ne!(resource["resourceType"], "Appointment");
            if resource["resourceType"] == "Encounter" {
                assert!(text(&resource["period"]["end"])[..10] <= death[..10]);
            }
        }
    }
    assert!(dead > 3);
}

#[test]
fn encounters_hold_what_refers_to_them() {
    for chart in &parsed().charts {
        let spans: BTreeMap<String, (&str, &str)> = chart
            .iter()
            .filter(|r| r["resourceType"] == "Encounter")
            .map(|r| {
                (name(r), (text(&r["period"]["start"]), r["period"]["end"].as_str().unwrap_or("9")))
            })
            .collect();
        for r in chart.iter().filter(|r| r["resourceType"] == "Observation") {
            let (start, end) = spans[text(&r["encounter"]["reference"])];
            let at = text(&r["effectiveDateTime"]);
            assert!(start <= at && at <= end, "{start} {at} {end}");
        }
        let mut starts: Vec<_> = spans.values().collect();
        starts.sort();
        assert!(starts.windows(2).all(|w| w[0].1 <= w[1].0), "nobody is in two places at once");
    }
}

#[test]
fn notes_say_what_the_encounter_says() {
    let mut notes = 0;
    for chart in &parsed().charts {
        let diagnoses: BTreeMap<&str, Vec<&str>> = chart
            .iter()
            .filter(|r| r["resourceType"] == "Encounter")
            .map(|r| {
                let all = r["diagnosis"].as_array();
                let ids = all.into_iter().flatten().map(|d| text(&d["condition"]["reference"]));
                (text(&r["id"]), ids.collect())
            })
            .collect();
        let conditions: BTreeMap<String, &str> = chart
            .iter()
            .filter(|r| r["resourceType"] == "Condition")
            .map(|r| (name(r), text(&r["code"]["text"])))
            .collect();
        for r in chart.iter().filter(|r| r["resourceType"] == "DocumentReference") {
            let attachment = &r["content"][0]["attachment"];
            let note = decode(text(&attachment["data"]));
            assert_eq!(attachment["size"].as_u64(), Some(note.len() as u64));
            let encounter = text(&r["context"]["encounter"][0]["reference"]);
            for id in &diagnoses[encounter.trim_start_matches("Encounter/")] {
                assert!(note.contains(conditions[*id]), "{note}");
            }
            notes += 1;
        }
    }
    assert!(notes > 500);
}

fn decode(base64: &str) -> String {
    let mut bytes = Vec::new();
    let (mut word, mut bits) = (0u32, 0);
    for c in base64.bytes().filter(|c| *c != b'=') {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            _ => 63,
        };
        word = (word << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((word >> bits) & 255).unwrap());
        }
    }
    String::from_utf8(bytes).unwrap()
}
