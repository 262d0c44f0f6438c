//! Imports: what is loaded twice is stored once, what refers to later documents waits for them, and
//! what is bad is told resource by resource.

use crate::support::*;
use record::{Import, ImportOptions, ImportOutcome, ImportReport, Session};

const A: &str = "urn:uuid:0c2c58dd-8b3c-4b6b-9a55-7d8a6b1f0a01";
const B: &str = "urn:uuid:0c2c58dd-8b3c-4b6b-9a55-7d8a6b1f0a02";

fn load(import: &Import, texts: &[String]) -> Vec<ImportReport> {
    let prepared = texts.iter().map(|text| import.prepare(doc(text))).collect();
    import.submit(prepared).wait().unwrap()
}

fn import(session: &Session) -> Import {
    session.import(ImportOptions::default()).unwrap()
}

fn outcomes(reports: &[ImportReport]) -> String {
    let letter = |outcome: &ImportOutcome| match outcome {
        ImportOutcome::Stored => 's',
        ImportOutcome::Unchanged => 'u',
        ImportOutcome::Existing => 'e',
        ImportOutcome::Deleted => 'x',
        ImportOutcome::Refused(_) => 'r',
        ImportOutcome::Skipped => '-',
        ImportOutcome::Deferred(_) => 'd',
    };
    let document = |r: &ImportReport| r.entries.iter().map(|e| letter(&e.outcome)).collect();
    reports.iter().map(document).collect::<Vec<String>>().join(" ")
}

#[test]
fn loading_twice_stores_once() {
    let room = Room::new();
    let texts = [
        patient(r#","id":"one""#),
        patient(r#","active":true"#),
        bundle(
            "transaction",
            &[
                entry(A, "POST", "Patient", "", &patient("")),
                entry(B, "POST", "Observation", "", &observation(A)),
                entry("", "PUT", "Patient/two", "", &patient(r#","id":"two""#)),
            ],
        ),
        bundle("collection", &[format!(r#"{{"resource":{}}}"#, patient(r#","id":"three""#))]),
        bundle(
            "searchset",
            &[
                format!(r#"{{"resource":{},"search":{{"mode":"match"}}}}"#, patient(r#","id":"four""#)),
                r#"{"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value"}]},"search":{"mode":"outcome"}}"#.to_owned(),
            ],
        ),
    ];
    let import = import(&room.session());
    assert_eq!(outcomes(&load(&import, &texts)), "s s sss s s");
    assert_eq!(outcomes(&load(&import, &texts)), "u u eeu u u");
    let (uuid, own) = (A.trim_start_matches("urn:uuid:"), B.trim_start_matches("urn:uuid:"));
    assert_eq!(room.read("Patient", uuid).unwrap().version, 1, "the id is that of the fullUrl");
    let found = room.search("Observation", &format!("subject=Patient/{uuid}"));
    assert_eq!(found.page.matches[0].id, own);
    assert_eq!(room.count("Patient", ""), 6);
}

#[test]
fn a_document_waits_for_what_it_refers_to() {
    let room = Room::new();
    let session = room.session();
    let import = import(&session);
    let visit = observation("Patient/p").replace(
        "\"subject\"",
        r#""performer":[{"reference":"Practitioner?identifier=urn:npi|1"}],"subject""#,
    );
    let transaction = bundle(
        "transaction",
        &[
            entry(B, "POST", "Observation", "", &visit),
            entry("", "POST", "Patient", "", &patient("")),
        ],
    );
    let doctor =
        r#"{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"1"}]}"#;
    let exists = r#","ifNoneExist":"identifier=urn:npi|1""#;
    let early = import.prepare(doc(&transaction));
    assert!(early.is_deferred() && !early.is_refused() && early.changes() == 0);
    let single = import.prepare(doc(&visit));
    assert!(single.is_deferred());
    let staff = bundle("batch", &[entry(A, "POST", "Practitioner", exists, doctor)]);
    assert_eq!(outcomes(&load(&import, std::slice::from_ref(&staff))), "s");
    assert_eq!(outcomes(&load(&import, &[staff])), "e");
    let late = import.prepare(early.into_document());
    let later = import.prepare(single.into_document());
    assert_eq!(outcomes(&import.submit(vec![late, later]).wait().unwrap()), "ss s");
    let id = A.trim_start_matches("urn:uuid:");
    assert_eq!(room.count("Observation", &format!("performer=Practitioner/{id}")), 2);

    let never = import.prepare_last(doc(&visit.replace("urn:npi|1", "urn:npi|2")));
    assert!(never.is_refused() && !never.is_deferred());
    let reports = import.submit(vec![never]).wait().unwrap();
    let ImportOutcome::Refused(fault) = &reports[0].entries[0].outcome else { panic!("stored") };
    assert_eq!(
        told(fault),
        ("record.bundle.reference", Some("Observation.performer[0].reference"))
    );
}

#[test]
fn bad_resources_are_told_and_take_their_transaction_with_them_or_not() {
    let bad = patient(r#","gender":"blue""#);
    let of_kind = |kind: &str| {
        bundle(
            kind,
            &[
                entry(A, "POST", "Patient", "", &patient("")),
                entry(B, "POST", "Patient", "", &bad),
                entry("", "PATCH", "Patient/x", "", ""),
            ],
        )
    };
    let texts = [
        of_kind("transaction"),
        of_kind("batch"),
        bad.clone(),
        "[1]".to_owned(),
        r#"{"resourceType":"Patient","id":"a b"}"#.to_owned(),
        bundle("history", &[]),
        patient(r#","id":"fine""#),
    ];
    let room = Room::new();
    let careful = room.session().import(ImportOptions::default()).unwrap();
    assert_eq!(outcomes(&load(&careful, &texts)), "-rr srr r r r r s");
    let room = Room::new();
    let bold = room.session().import(ImportOptions { keep_going: true }).unwrap();
    let reports = load(&bold, &texts);
    assert_eq!(outcomes(&reports), "srr err r r r r s");
    let ImportOutcome::Refused(fault) = &reports[0].entries[1].outcome else { panic!("stored") };
    assert_eq!(told(fault).1, Some("Bundle.entry[1].resource.gender"));
    assert_eq!(reports[0].entries[1].index, Some(1));
    assert_eq!(room.count("Patient", ""), 2);
}

#[test]
fn versions_of_one_record_in_one_load_are_kept_apart() {
    let room = Room::new();
    let texts: Vec<_> =
        (0..3).map(|n| patient(&format!(r#","id":"p","active":{}"#, n % 2 == 0))).collect();
    assert_eq!(outcomes(&load(&import(&room.session()), &texts)), "s s s");
    assert_eq!(room.read("Patient", "p").unwrap().version, 3);
}

#[test]
fn two_threads_load_one_set_once() {
    let room = Room::new();
    let import = import(&room.session());
    let texts: Vec<_> = (0..40)
        .map(|n| {
            let url = format!("urn:uuid:00000000-0000-4000-8000-0000000000{n:02}");
            let exists = r#","ifNoneExist":"identifier=urn:npi|1""#;
            let doctor = r#"{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"1"}]}"#;
            bundle("transaction", &[
                entry(&url, "POST", "Practitioner", exists, doctor),
                entry("", "POST", "Patient", "", &patient(&format!(
                    r#","id":"p{n}","generalPractitioner":[{{"reference":"{url}"}}]"#
                ))),
            ])
        })
        .collect();
    std::thread::scope(|scope| {
        for half in texts.chunks(20) {
            let import = &import;
            scope.spawn(move || {
                for some in half.chunks(4) {
                    load(import, some);
                }
            });
        }
    });
    assert_eq!(room.count("Practitioner", ""), 1);
    assert_eq!(room.count("Patient", ""), 40);
    let id = &room.search("Practitioner", "").page.matches[0].id;
    assert_eq!(room.count("Patient", &format!("general-practitioner=Practitioner/{id}")), 40);
}
