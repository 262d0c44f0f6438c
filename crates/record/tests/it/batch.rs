//! Batches: each entry by itself.

use crate::support::*;
use record::Content;

#[test]
fn every_entry_stands_for_itself() {
    let room = Room::new();
    room.put(&patient(r#","id":"p""#)).unwrap();
    let body = bundle(
        "batch",
        &[
            entry("", "GET", "Patient/p", "", ""),
            entry("", "POST", "Patient", "", &patient(r#","gender":"blue""#)),
            entry("", "POST", "Patient", "", &patient("")),
            entry("", "PUT", "Patient/q", "", &patient(r#","id":"q""#)),
            entry("", "PUT", "Patient/p", r#","ifMatch":"W/\"9\"""#, &patient(r#","id":"p""#)),
            entry("", "DELETE", "Patient/none", "", ""),
            entry("", "PATCH", "Patient/p", "", ""),
            entry("", "GET", "Patient/nobody", "", ""),
            entry("", "GET", "Patient?colour=red", "", ""),
            entry("", "GET", "Patient/p", r#","ifNoneMatch":"W/\"1\"""#, ""),
            entry("", "GET", "Patient/p/$everything", "", ""),
            entry("", "DELETE", "Patient?_id=q", "", ""),
        ],
    );
    let answers = room.bundle(&body).unwrap().entries;
    let statuses: Vec<_> = answers.iter().map(|a| a.status).collect();
    assert_eq!(statuses, [200, 422, 201, 201, 412, 204, 405, 404, 400, 304, 200, 204]);
    let place = |at: usize| answers[at].issues[0].expression.as_deref();
    assert_eq!(place(1), Some("Bundle.entry[1].resource.gender"));
    assert_eq!(place(6), Some("Bundle.entry[6].request.method"));
    assert!(matches!(answers[9].content, Content::None));
    assert!(matches!(answers[10].content, Content::Found(_)));
}

#[test]
fn many_writes_keep_their_order() {
    let room = Room::new();
    let entries: Vec<_> = (0..200)
        .map(|n| {
            let body = patient(&format!(r#","id":"p{n}""#));
            entry("", "PUT", &format!("Patient/p{n}"), "", &body)
        })
        .collect();
    let answers = room.bundle(&bundle("batch", &entries)).unwrap().entries;
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.place.as_ref().unwrap().id, format!("p{n}"));
    }
    assert_eq!(room.count("Patient", ""), 200);
}
