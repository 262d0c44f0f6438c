//! Create, read, update, delete and history of one record.

use crate::support::*;
use base::Fault;
use record::{Audited, HistoryQuery, Method};

#[test]
fn a_record_goes_through_its_life() {
    let room = Room::new();
    let written = room.create(r#"{"resourceType":"Patient","id":"mine","active":true}"#);
    let id = written.hit.id.clone();
    assert!(written.created && written.changed);
    assert_ne!(id, "mine", "a POST's id is the server's choice");
    assert_eq!(written.hit, room.read("Patient", &id).unwrap(), "answered as it is stored");
    let updated =
        room.put(&format!(r#"{{"resourceType":"Patient","id":"{id}","active":false}}"#)).unwrap();
    assert_eq!((updated.hit.version, updated.created), (2, false));
    assert_eq!(updated.hit, room.read("Patient", &id).unwrap());

    let session = room.session();
    let deleted = run(session.delete(of("Patient"), &id, None)).unwrap();
    assert_eq!((deleted.count, deleted.version), (1, Some(3)));
    let again = run(session.delete(of("Patient"), &id, None)).unwrap();
    assert_eq!(again.count, 0, "deleting twice changes nothing");
    assert_eq!(told(&room.read("Patient", &id).unwrap_err()).0, "record.read.gone");
    let first = session.read(of("Patient"), &id, Some(1)).and_then(Audited::wait).unwrap();
    assert_eq!(first.body, written.hit.body);
    let missing = session.read(of("Patient"), &id, Some(9)).unwrap_err();
    assert_eq!(told(&missing).0, "record.read.version-not-found");

    let back = room.put(&patient(&format!(r#","id":"{id}""#))).unwrap();
    assert_eq!((back.hit.version, back.created), (4, true), "a deleted record may come back");
    let query = HistoryQuery {
        resource_type: Some(of("Patient")),
        id: Some(id),
        ..HistoryQuery::default()
    };
    let page = session.history(query).and_then(Audited::wait).unwrap();
    let life: Vec<_> = page.versions.iter().map(|v| (v.version, v.method, v.deleted)).collect();
    assert_eq!(
        life,
        [
            (4, Method::Update, false),
            (3, Method::Delete, true),
            (2, Method::Update, false),
            (1, Method::Create, false)
        ]
    );
}

#[test]
fn what_is_wrong_with_a_write_is_told_by_code() {
    let room = Room::with(|settings| settings.limits.resource_bytes = 200);
    let session = room.session();
    let create = |body: &str| run(session.create(of("Patient"), doc(body), None));
    let update =
        |id: &str, body: &str| run(session.update(of("Patient"), id, doc(body), None, false));
    let long = patient(&format!(r#","language":"{}""#, "x".repeat(200)));
    let cases: [(Result<_, Fault>, &str); 8] = [
        (create(r#"{"resourceType":"Group"}"#), "fhir.resource.type-mismatch"),
        (create(r#"{"x":1}"#), "fhir.resource.not-object"),
        (create(&patient(r#","nme":1"#)), "validation.element.unknown"),
        (create(&long), "record.write.too-large"),
        (update("1", &patient("")), "fhir.resource.id-missing"),
        (update("1", &patient(r#","id":"2""#)), "fhir.resource.id-mismatch"),
        (update("a b", &patient(r#","id":"a b""#)), "fhir.resource.id-invalid"),
        (
            create(&patient(r#","link":[{"other":{"reference":"Patient?x=y"},"type":"seealso"}]"#)),
            "validation.reference.form",
        ),
    ];
    for (outcome, code) in cases {
        assert_eq!(told(&outcome.unwrap_err()).0, code);
    }
    assert_eq!(room.count("Patient", ""), 0);
}

#[test]
fn versions_are_held_to() {
    let room = Room::new();
    let session = room.session();
    let put = |if_match, star| {
        let body = doc(&patient(r#","id":"p""#));
        run(session.update(of("Patient"), "p", body, if_match, star))
    };
    assert_eq!(told(&put(Some(1), false).unwrap_err()).0, "record.write.version-conflict");
    assert!(put(None, true).unwrap().created, "If-None-Match: * creates");
    assert_eq!(told(&put(None, true).unwrap_err()).0, "record.write.precondition-failed");
    assert_eq!(put(Some(1), false).unwrap().hit.version, 2);
    assert_eq!(told(&put(Some(1), false).unwrap_err()).0, "record.write.version-conflict");
    let stale = run(session.delete(of("Patient"), "p", Some(1))).unwrap_err();
    assert_eq!(told(&stale).0, "record.write.version-conflict");
    assert_eq!(run(session.delete(of("Patient"), "p", Some(2))).unwrap().count, 1);
    assert!(put(None, true).unwrap().created, "and creates again what was deleted");
}

#[test]
fn create_by_update_can_be_turned_off() {
    let room = Room::with(|settings| settings.create_by_update = false);
    let fault = room.put(&patient(r#","id":"p""#)).unwrap_err();
    assert_eq!(told(&fault).0, "record.write.create-by-update-off");
    let id = room.create(&patient("")).hit.id;
    assert_eq!(room.put(&patient(&format!(r#","id":"{id}""#))).unwrap().hit.version, 2);
}

#[test]
fn an_update_is_won_by_one_of_many() {
    let room = Room::new();
    room.put(&patient(r#","id":"p""#)).unwrap();
    let won: usize = std::thread::scope(|scope| {
        let racing: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let body = doc(&patient(r#","id":"p","active":true"#));
                    run(room.session().update(of("Patient"), "p", body, Some(1), false)).is_ok()
                })
            })
            .collect();
        racing.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(won, 1);
    assert_eq!(room.read("Patient", "p").unwrap().version, 2);
}
