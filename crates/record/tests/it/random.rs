//! Random bundles never panic and never half-apply.

use crate::support::*;
use fhir::definitions::r4;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use record::{Audited, BundleOptions, HistoryQuery, Scope, Subject};

/// One entry of the shapes that matter, often wrong in one way or another.
fn any_entry() -> impl Strategy<Value = String> {
    let url = prop_oneof![
        Just(String::new()),
        (0..4u8).prop_map(|n| format!("urn:uuid:00000000-0000-4000-8000-00000000000{n}")),
        (0..3u8).prop_map(|n| format!("http://x.example/fhir/Patient/{n}")),
    ];
    let method = prop_oneof![
        4 => Just("POST"), 4 => Just("PUT"), 3 => Just("DELETE"), 2 => Just("GET"), 1 => Just("HEAD"),
        1 => Just("PATCH"),
    ];
    let address = prop_oneof![
        4 => Just("Patient".to_owned()),
        4 => (0..4u8).prop_map(|n| format!("Patient/{n}")),
        2 => (0..3u8).prop_map(|n| format!("Patient?identifier=urn:mrn%7C{n}")),
        1 => Just("Observation?subject=Patient/1".to_owned()),
        1 => Just("Patient/1/$everything".to_owned()),
        1 => "[A-Za-z/?&=_$*0-9]{0,12}",
    ];
    let more = prop_oneof![
        6 => Just(String::new()),
        2 => (0..3u8).prop_map(|n| format!(r#","ifNoneExist":"identifier=urn:mrn|{n}""#)),
        1 => (0..3u8).prop_map(|n| format!(r#","ifMatch":"W/\"{n}\"""#)),
        1 => Just(r#","ifNoneMatch":"*""#.to_owned()),
    ];
    let body = (0..4u8, 0..3u8, 0..8u8).prop_map(|(id, mrn, shape)| {
        let link = match shape {
            0 => "Patient?identifier=urn:mrn|1".to_owned(),
            1 => "Patient/1".to_owned(),
            _ => format!("urn:uuid:00000000-0000-4000-8000-00000000000{id}"),
        };
        match shape {
            7 => patient(r#","nonsense":1"#),
            _ => patient(&format!(
                r#","id":"{id}","identifier":[{{"system":"urn:mrn","value":"{mrn}"}}],"link":[{{"type":"seealso","other":{{"reference":"{link}"}}}}]"#
            )),
        }
    });
    (url, method, address, more, body, any::<bool>()).prop_map(
        |(url, method, address, more, body, with)| {
            let body =
                if with || method == "POST" || method == "PUT" { body } else { String::new() };
            entry(&url, method, &address, &more, &body)
        },
    )
}

/// Every record of every type with its version: what a half-applied bundle would change.
fn state(room: &Room) -> Vec<(String, u64)> {
    let query = HistoryQuery { count: 1000, ..HistoryQuery::default() };
    let page = room.session().history(query).and_then(Audited::wait).unwrap();
    page.versions
        .iter()
        .map(|v| (format!("{}/{}", r4().name(v.resource_type), v.id), v.version))
        .collect()
}

#[test]
fn bundles_are_applied_in_full_or_not_at_all() {
    let room = Room::new();
    let (mut done, mut refused) = (0, 0);
    let mut runner = TestRunner::new(config());
    let bundles = (proptest::collection::vec(any_entry(), 0..6), any::<bool>());
    let outcome = runner.run(&bundles, |(entries, transaction)| {
        let kind = if transaction { "transaction" } else { "batch" };
        let before = state(&room);
        let session =
            room.record.session(Subject::operator().confined(Scope::everything()), [1; 16]);
        let outcome = run(session.bundle(doc(&bundle(kind, &entries)), BundleOptions::default()));
        match outcome {
            Err(_) => {
                prop_assert_eq!(before, state(&room), "refused, and yet something changed");
            }
            Ok(answer) => {
                prop_assert_eq!(answer.entries.len(), entries.len());
                let writes = entries
                    .iter()
                    .zip(&answer.entries)
                    .filter(|(entry, _)| !entry.contains("\"GET\"") && !entry.contains("\"HEAD\""));
                for (entry, answer) in writes {
                    prop_assert!(!transaction || answer.status < 300, "{entry}: {answer:?}");
                }
            }
        }
        Ok(())
    });
    outcome.unwrap();
    // The generator is worth something only if it makes both kinds.
    for n in 0..2 {
        let entries =
            [entry("", "POST", "Patient", "", &patient(if n == 0 { "" } else { r#","x":1"# }))];
        match room.transaction(&entries) {
            Ok(_) => done += 1,
            Err(_) => refused += 1,
        }
    }
    assert_eq!((done, refused), (1, 1));
}

/// Half-made bundles as text.
const HALF_MADE: &str = r#"\{"resourceType":"Bundle","type":"(batch|transaction)","entry":\[(\{("request":\{"method":"(GET|POST|PUT)","url":"[A-Za-z/?]{0,8}"\})?(,"resource":\{"resourceType":"(Patient|X)?"\})?\}){0,2}\]\}"#;

#[test]
fn any_json_is_answered_or_refused() {
    let room = Room::new();
    let outcome = TestRunner::new(config()).run(&HALF_MADE, |text| {
        if let Ok(document) = fhir::Document::parse_text(text, &base::Limits::default()) {
            let before = state(&room);
            if run(room.session().bundle(document, BundleOptions::default())).is_err() {
                prop_assert_eq!(before, state(&room));
            }
        }
        Ok(())
    });
    outcome.unwrap();
}

/// 256 cases, or as many as `PROPTEST_CASES` says.
fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}
