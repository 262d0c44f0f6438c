//! Attacks 9, 10, 12, 19: writes that would learn of a hidden record, or reach it.

use crate::attacks::world::{World, observation, told};
use crate::client::Answer;

const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");

/// A status and the code of a refusal.
fn outcome(answer: &Answer) -> (u16, String) {
    let refused = answer.status >= 400;
    (answer.status, if refused { answer.code() } else { String::new() })
}

fn nameless(patient: &str, identifier: &str) -> String {
    observation("x", patient, 1, "2021-01-01", "")
        .replace(r#""id":"x","#, "")
        .replace(r#""value":"x""#, &format!(r#""value":"{identifier}""#))
}

#[test]
fn attack_09_a_condition_an_identifier_or_an_id_collides_with_nothing_hidden() {
    let world = World::new();
    let create = |condition: &str, identifier: &str| {
        let headers = [JSON, ("If-None-Exist", condition)];
        let headers = if condition.is_empty() { &headers[..1] } else { &headers[..] };
        world.send_with(&world.who, "POST", "/Observation", headers, &nameless("ann", identifier))
    };
    // Of what he sees, it is told that it is there; of what he does not, nothing.
    assert_eq!(create("identifier=urn:obs|of-ann", "of-ann").status, 200);
    for condition in
        ["identifier=urn:obs|of-bob", "subject=Patient/bob", "value-quantity=80", "_id=part2"]
    {
        assert_eq!(create(condition, "free").status, 201, "{condition}");
        // What it made is taken away, so that the next meets the same world.
        for made in super::world::ids(&world.server.get("/Observation?identifier=urn:obs|free")) {
            assert_eq!(world.server.delete(&format!("/Observation/{made}")).status, 204);
        }
    }
    assert_eq!(create("", "of-bob").status, 201, "nor is an identifier taken");
    let claim = |id: &str| {
        let body = observation(id, "ann", 1, "2021-01-01", "");
        outcome(&world.send(&world.who, "PUT", &format!("/Observation/{id}"), &body))
    };
    assert_eq!(claim("of-bob"), claim("of-bab"));
    assert_eq!(world.server.get("/Observation/of-bob").at("subject.reference"), "Patient/bob");
}

#[test]
fn attack_10_references_and_deletes_ask_nothing_of_what_is_hidden() {
    let world = World::new();
    let pointing = |target: &str| {
        let more = format!(r#""derivedFrom":[{{"reference":"Observation/{target}"}}],"#);
        let body = nameless("ann", "x").replacen(r#""status""#, &format!(r#"{more}"status""#), 1);
        outcome(&world.send(&world.who, "POST", "/Observation", &body))
    };
    assert_eq!(pointing("of-bob"), pointing("of-bab"));
    assert_eq!(pointing("part2"), pointing("part3"));
    let conditional = |identifier: &str| {
        let body = nameless("ann", "x")
            .replace("Patient/ann", &format!("Patient?identifier=urn:mrn|{identifier}"));
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{body},"request":{{"method":"POST","url":"Observation"}}}}]}}"#
        );
        outcome(&world.send(&world.who, "POST", "/", &bundle))
    };
    assert_eq!(conditional("b-1"), conditional("b-2"));
    // Whoever asks to delete what hidden records point at is told the same as for what none does.
    let delete =
        |id: &str| outcome(&world.send(&world.who, "DELETE", &format!("/Observation/{id}"), ""));
    assert_eq!(delete("of-ann"), delete("ann-two"));
    assert_eq!(delete("of-bob"), delete("of-bab"));
}

#[test]
fn attack_12_an_entry_of_a_bundle_gets_no_more_than_it_would_alone() {
    let world = World::new();
    let entry =
        |method: &str, url: &str| format!(r#"{{"request":{{"method":"{method}","url":"{url}"}}}}"#);
    let bundle = |kind: &str, entries: &[String]| {
        let entries = entries.join(",");
        let body = format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#);
        world.send(&world.who, "POST", "/", &body)
    };
    for (method, url, absent) in [
        ("GET", "Patient/bob", "Patient/bab"),
        ("GET", "Observation/part2/_history/1", "Observation/part3/_history/1"),
        ("GET", "Observation?_id=of-bob&_summary=count", "Observation?_id=of-bab&_summary=count"),
        ("DELETE", "Observation/of-bob", "Observation/of-bab"),
        ("DELETE", "Observation?value-quantity=80", "Observation?value-quantity=81"),
    ] {
        for kind in ["batch", "transaction"] {
            let (hidden, never) =
                (bundle(kind, &[entry(method, url)]), bundle(kind, &[entry(method, absent)]));
            let same = |answer: &Answer| {
                let status = answer.at("entry.0.response.status");
                let total = answer.at("entry.0.resource.total");
                (answer.status, status, total)
            };
            assert_eq!(same(&hidden), same(&never), "{kind} {method} {url}");
        }
    }
    let conditional = |query: &str| {
        let path = format!("/Observation?{query}");
        outcome(&world.send(&world.who, "PUT", &path, &nameless("ann", "cond")))
    };
    assert_eq!(conditional("identifier=urn:obs|of-bob"), conditional("identifier=urn:obs|of-bab"));
    let still = world.server.get("/Observation/of-bob");
    assert_eq!((still.status, still.header("etag")), (200, Some("W/\"1\"")));
}

#[test]
fn attack_19_a_patch_tests_nothing() {
    let world = World::new();
    for media in ["application/json-patch+json", "application/fhir+json"] {
        let body = r#"[{"op":"test","path":"/valueQuantity/value","value":80}]"#;
        let patch = |id: &str| {
            let path = format!("/Observation/{id}");
            told(&world.send_with(&world.who, "PATCH", &path, &[("Content-Type", media)], body))
        };
        assert_eq!(patch("of-bob"), patch("of-bab"));
        assert_eq!(patch("of-bob"), patch("of-ann"));
        assert!(
            patch("of-ann").starts_with("405"),
            "whoever brings PATCH looks at attack 19 first"
        );
    }
}
