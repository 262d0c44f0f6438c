//! Attacks 1, 7, 8, 11, 17, 18: a hidden record by its address, by its versions, by what carries it, and
//! by how its absence is told.

use crate::attacks::world::{PART2, World, bob, ids, observation, told};
use crate::client::Answer;

/// Hidden from Dr Who, and the same address with an id that nobody ever had.
const PAIRS: [(&str, &str); 5] = [
    ("/Patient/bob", "/Patient/bab"),
    ("/Observation/of-bob", "/Observation/of-bab"),
    ("/Observation/part2", "/Observation/part3"),
    ("/List/of-bob", "/List/of-bab"),
    ("/Binary/of-bob", "/Binary/of-bab"),
];
/// Headers that tell the moment and not the record.
const OF_THE_MOMENT: [&str; 2] = ["date", "x-request-id"];

/// Everything an answer is, but for the moment.
fn whole(answer: &Answer) -> String {
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()));
    headers.sort();
    format!("{} {headers:?} {}", answer.status, String::from_utf8_lossy(&answer.body))
}

#[test]
fn attack_01_no_address_of_a_hidden_record_answers_with_it() {
    let world = World::new();
    for (hidden, absent) in PAIRS {
        for under in ["", "/_history", "/_history/1", "?_format=json", "?_summary=true", "/"] {
            let (there, not) =
                (world.get(&format!("{hidden}{under}")), world.get(&format!("{absent}{under}")));
            assert_eq!(there.status, 404, "{hidden}{under}");
            assert_eq!(whole(&there), whole(&not), "{hidden}{under}");
        }
    }
    for under in ["$everything", "Observation", "Condition", "Observation?_summary=count"] {
        let hidden = world.get(&format!("/Patient/bob/{under}"));
        let absent = world.get(&format!("/Patient/bab/{under}"));
        assert_eq!(told(&hidden), told(&absent), "{under}");
    }
    // Nor to another patient.
    for path in ["/Patient/bob", "/Observation/of-bob", "/Patient/bob/$everything"] {
        assert_eq!(world.server.get_as(&world.ann, path).status, 404, "{path}");
    }
    let everything = world.get("/Patient/ann/$everything");
    let shown = ids(&everything);
    assert!(shown.contains(&"of-ann".to_owned()), "{shown:?}");
    for hidden in ["bob", "of-bob", "part2"] {
        assert!(!shown.contains(&hidden.to_owned()), "{hidden}");
    }
}

#[test]
fn attack_07_a_record_that_became_restricted_is_hidden_in_all_its_versions() {
    let world = World::new();
    let versions = ["/Observation/of-ann/_history", "/Observation/of-ann/_history/1"];
    for path in versions {
        assert_eq!(world.get(path).status, 200, "{path}");
    }
    world.put("/Observation/of-ann", &observation("of-ann", "ann", 70, "2021-01-01", PART2));
    for path in versions {
        let absent = world.get(&path.replace("of-ann", "of-abb"));
        assert_eq!(whole(&world.get(path)), whole(&absent), "{path}");
    }
    let of_type = ids(&world.get("/Observation/_history"));
    assert!(!of_type.contains(&"of-ann".to_owned()), "{of_type:?}");
    // What was deleted while it was hidden is not told as deleted.
    assert_eq!(world.server.delete("/Observation/of-bob").status, 204);
    assert_eq!(world.server.get("/Observation/of-bob").status, 410);
    for under in ["", "/_history", "/_history/1", "/_history/2"] {
        let gone = world.get(&format!("/Observation/of-bob{under}"));
        let absent = world.get(&format!("/Observation/of-bab{under}"));
        assert_eq!(whole(&gone), whole(&absent), "{under}");
    }
}

#[test]
fn attack_08_hidden_and_absent_answer_alike_to_every_method() {
    let world = World::new();
    for (hidden, absent) in PAIRS {
        for method in ["GET", "HEAD", "OPTIONS", "DELETE", "PATCH", "POST"] {
            let ask = |path| whole(&world.send(&world.who, method, path, ""));
            assert_eq!(ask(hidden), ask(absent), "{method} {hidden}");
        }
        let put = |path: &str| {
            let (kind, id) = path[1..].split_once('/').unwrap();
            let body = format!(r#"{{"resourceType":"{kind}","id":"{id}"}}"#);
            whole(&world.send(&world.who, "PUT", path, &body))
        };
        assert_eq!(put(hidden), put(absent), "PUT {hidden}");
    }
    assert_eq!(world.server.get("/Patient/bob").header("etag"), Some("W/\"1\""), "none reached it");
}

#[test]
fn attack_11_validators_and_instants_tell_nothing_of_hidden_writes() {
    let world = World::new();
    let hidden = world.server.get("/Observation/of-bob");
    let (tag, modified) = (hidden.header("etag").unwrap(), hidden.header("last-modified").unwrap());
    for header in [
        ("If-None-Match", tag),
        ("If-None-Match", "*"),
        ("If-Modified-Since", modified),
        ("If-Match", tag),
    ] {
        let ask = |path| whole(&world.send_with(&world.who, "GET", path, &[header], ""));
        assert_eq!(ask("/Observation/of-bob"), ask("/Observation/of-bab"), "{header:?}");
    }
    let of_search = |path: &str| {
        let answer = world.get(path);
        (
            answer.header("etag").map(str::to_owned),
            answer.header("last-modified").map(str::to_owned),
        )
    };
    let queries = ["/Observation", "/Observation/_history", "/Observation?_sort=-_lastUpdated"];
    let before = queries.map(of_search);
    let from = world.get("/Observation/ann-two").header("last-modified").map(str::to_owned);
    assert!(from.is_some());
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let now = world.get("/metadata").header("date").map(str::to_owned);
    world.change();
    assert_eq!(before, queries.map(of_search));
    assert_ne!(now, None);
    world.tell_nothing(&[
        "/Observation/_history?_since=2020-01-01T00:00:00Z",
        "/_history?_since=2020-01-01T00:00:00Z",
        "/Observation?_lastUpdated=gt2020-01-01&_total=accurate",
        "/Observation/_history?_at=2030-01-01",
    ]);
}

#[test]
fn attack_17_what_is_visible_carries_no_copy_of_what_is_hidden() {
    let world = World::new();
    let hidden = ["\"bob\"", "\"of-bob\"", "\"part2\"", "1980-01-01"];
    for path in [
        "/DiagnosticReport/of-ann",
        "/DiagnosticReport?_include=DiagnosticReport:result",
        "/Patient/ann/$everything",
        "/Patient?_include=Patient:link",
        "/Condition?_include=*",
    ] {
        let answer = world.get(path);
        assert_eq!(answer.status, 200, "{path}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        for hidden in hidden {
            assert!(!text.contains(&format!("\"id\":{hidden}")), "{path}: {hidden}");
        }
    }
    // A copy within another resource is Bob's wherever it stands.
    let contained = format!(
        r##"{{"resourceType":"DiagnosticReport","id":"carrier","contained":[{}],"status":"final","code":{{"text":"x"}},"subject":{{"reference":"#bob"}},"performer":[{{"reference":"Patient/bob"}}]}}"##,
        bob("Bob", "1980-01-01")
    )
    .replace(r#","performer":[{"reference":"Patient/bob"}]"#, "");
    world.put("/DiagnosticReport/carrier", &contained);
    let document = format!(
        r#"{{"resourceType":"Bundle","id":"carrier","type":"collection","entry":[{{"resource":{}}}]}}"#,
        observation("of-bob", "bob", 80, "2021-06-01", "")
    );
    world.put("/Bundle/carrier", &document);
    for (carrier, absent) in [
        ("/DiagnosticReport/carrier", "/DiagnosticReport/carrion"),
        ("/Bundle/carrier", "/Bundle/carrion"),
    ] {
        assert_eq!(whole(&world.get(carrier)), whole(&world.get(absent)), "{carrier}");
        assert_eq!(world.server.get_as(&world.ann, carrier).status, 404, "{carrier}");
    }
}

#[test]
fn attack_18_bytes_follow_the_rules_of_their_patient() {
    let world = World::new();
    for accept in ["*/*", "text/plain", "application/fhir+json", "image/png"] {
        let ask = |id: &str| {
            let path = format!("/Binary/{id}");
            whole(&world.send_with(&world.who, "GET", &path, &[("Accept", accept)], ""))
        };
        assert_eq!(ask("of-bob"), ask("of-bab"), "{accept}");
        // Bytes of which nobody knows whose they are, are nobody's to see.
        assert_eq!(ask("nobodys"), ask("nobodyx"), "{accept}");
    }
    assert_eq!(ids(&world.get("/Binary")), Vec::<String>::new());
    assert_eq!(world.server.get("/Binary/of-bob?_format=json").status, 200);
}

#[test]
fn attack_17_a_label_within_is_a_label_of_the_whole() {
    let world = World::new();
    let him = world.server.token(identity::Kind::Person, crate::client::person("him", &["him"]));
    let get = |path: &str| world.server.get_as(&him, path).status;
    assert_eq!((get("/Observation/of-bob"), get("/Observation/part2")), (200, 404));
    let inner = observation("part2", "ann", 90, "2021-07-01", PART2);
    let bundle = format!(
        r#"{{"resourceType":"Bundle","id":"p2","type":"collection","entry":[{{"resource":{inner}}}]}}"#
    );
    world.put("/Bundle/p2", &bundle);
    assert_eq!(get("/Bundle/p2"), 404);
}

#[test]
fn attack_18_bytes_follow_the_labels_of_what_their_security_context_names() {
    let world = World::new();
    let reference = format!(
        r#"{{"resourceType":"DocumentReference","id":"p2",{PART2}"status":"current","subject":{{"reference":"Patient/ann"}},"content":[{{"attachment":{{"url":"Binary/p2"}}}}]}}"#
    );
    world.put("/DocumentReference/p2", &reference);
    world.put("/Binary/p2", r#"{"resourceType":"Binary","id":"p2","contentType":"text/plain","securityContext":{"reference":"DocumentReference/p2"},"data":"Qm9i"}"#);
    assert_eq!(world.get("/DocumentReference/p2").status, 404);
    assert_eq!(world.get("/Binary/p2").status, 404);
    let him = world.server.token(identity::Kind::Person, crate::client::person("him", &["him"]));
    assert_eq!(world.server.get_as(&him, "/DocumentReference/p2").status, 404);
    assert_eq!(world.server.get_as(&him, "/Binary/p2").status, 404);
}
