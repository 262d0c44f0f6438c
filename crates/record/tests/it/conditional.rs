//! Conditional create, update and delete, and their races.

use crate::support::*;
use std::collections::HashSet;

const IDENTIFIED: &str = r#","identifier":[{"system":"urn:mrn","value":"1"}]"#;

#[test]
fn a_conditional_create_makes_one_record() {
    let room = Room::new();
    let session = room.session();
    let create = |condition: &str| {
        run(session.create(of("Patient"), doc(&patient(IDENTIFIED)), Some(condition.into())))
    };
    let first = create("identifier=urn:mrn|1").unwrap();
    assert!(first.created);
    for same in
        ["identifier=urn:mrn|1", "?identifier=urn:mrn|1", "Patient?identifier=urn%3Amrn%7C1"]
    {
        let found = create(same).unwrap();
        assert_eq!((found.created, found.changed), (false, false));
        assert_eq!(found.hit, first.hit);
    }
    assert_eq!(told(&create("").unwrap_err()).0, "record.write.condition-missing");
    assert_eq!(told(&create("nonsense=1").unwrap_err()).0, "search.parameter.unknown");
    room.create(&patient(IDENTIFIED));
    assert_eq!(
        told(&create("identifier=urn:mrn|1").unwrap_err()).0,
        "record.write.multiple-matches"
    );
}

#[test]
fn of_64_racing_conditional_creates_one_wins() {
    let room = Room::new();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let racing: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let body = doc(&patient(IDENTIFIED));
                    let condition = Some("identifier=urn:mrn|1".to_owned());
                    run(room.session().create(of("Patient"), body, condition)).unwrap()
                })
            })
            .collect();
        racing.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| o.created).count(), 1);
    let ids: HashSet<_> = outcomes.iter().map(|o| &o.hit.id).collect();
    assert_eq!(ids.len(), 1, "all are told of the same record");
    assert_eq!(room.count("Patient", "identifier=urn:mrn|1"), 1);
}

#[test]
fn racing_transactions_with_one_condition_make_one_record() {
    let room = Room::new();
    std::thread::scope(|scope| {
        for n in 0..16 {
            let room = &room;
            scope.spawn(move || {
                let condition = r#","ifNoneExist":"identifier=urn:mrn|1""#;
                let url = format!("urn:uuid:00000000-0000-4000-8000-0000000000{n:02}");
                room.transaction(&[
                    entry(&url, "POST", "Patient", condition, &patient(IDENTIFIED)),
                    entry("", "POST", "Observation", "", &observation(&url)),
                ])
                .unwrap();
            });
        }
    });
    assert_eq!(room.count("Patient", ""), 1);
    let id = room.search("Patient", "").page.matches[0].id.clone();
    assert_eq!(room.count("Observation", &format!("subject=Patient/{id}")), 16);
}

#[test]
fn a_conditional_update_finds_or_creates() {
    let room = Room::new();
    let session = room.session();
    let update = |extra: &str, if_match| {
        let body = doc(&patient(&format!("{IDENTIFIED}{extra}")));
        run(session.conditional_update(of("Patient"), "identifier=urn:mrn|1", body, if_match))
    };
    let first = update("", None).unwrap();
    assert!(first.created);
    let second = update(r#","active":true"#, None).unwrap();
    assert_eq!((second.created, second.hit.version), (false, 2));
    assert_eq!(second.hit.id, first.hit.id);
    let own = format!(r#","id":"{}""#, first.hit.id);
    assert_eq!(update(&own, Some(2)).unwrap().hit.version, 3);
    assert_eq!(told(&update(&own, Some(2)).unwrap_err()).0, "record.write.version-conflict");
    assert_eq!(told(&update(r#","id":"other""#, None).unwrap_err()).0, "fhir.resource.id-mismatch");
    let body = doc(&patient(r#","id":"chosen""#));
    let query = "identifier=urn:mrn|2";
    let chosen = run(session.conditional_update(of("Patient"), query, body, None)).unwrap();
    assert_eq!((chosen.created, chosen.hit.id.as_str()), (true, "chosen"));
}

#[test]
fn a_conditional_delete_takes_one_or_all() {
    let room = Room::with(|settings| settings.limits.page_max = 2);
    let session = room.session();
    for _ in 0..5 {
        room.create(&patient(IDENTIFIED));
    }
    room.create(&patient(""));
    let delete =
        |multiple| run(session.conditional_delete(of("Patient"), "identifier=urn:mrn|1", multiple));
    assert_eq!(told(&delete(false).unwrap_err()).0, "record.write.multiple-matches");
    assert_eq!(delete(true).unwrap().count, 5);
    assert_eq!(delete(false).unwrap().count, 0);
    room.create(&patient(IDENTIFIED));
    assert_eq!(delete(false).unwrap().count, 1);
    assert_eq!(room.count("Patient", ""), 1);
    let all = run(session.conditional_delete(of("Patient"), "", true)).unwrap_err();
    assert_eq!(told(&all).0, "record.write.condition-missing");
}
