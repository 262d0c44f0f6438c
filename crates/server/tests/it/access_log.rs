//! `AuditEvent` over HTTP: the access log, told to whoever may read it.

use crate::client::{Running, patient};

const OWN: &str = r#"{"resourceType":"AuditEvent","id":"own","type":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"110100"},"recorded":"2026-01-02T03:04:05Z","agent":[{"requestor":true}],"source":{"observer":{"display":"scale"}}}"#;

/// A server with two patients, both read, one searched.
fn sample() -> Running {
    let server = Running::start();
    for id in ["ada", "bea"] {
        assert_eq!(server.put(&format!("/Patient/{id}"), &patient(id, id)).status, 201);
        assert_eq!(server.get(&format!("/Patient/{id}")).status, 200);
    }
    assert_eq!(server.get("/Patient?_id=ada,bea").entries(), 2);
    assert_eq!(server.get("/Patient/none").status, 404);
    server
}

fn count(server: &Running, query: &str) -> usize {
    let answer = server.get(&format!("/AuditEvent?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", String::from_utf8_lossy(&answer.body));
    answer.entries()
}

#[test]
fn the_log_is_found_by_each_parameter() {
    let server = sample();
    // Created, read, found with the other: three events of each.
    assert_eq!(count(&server, "patient=ada&type=rest"), 3);
    assert_eq!(count(&server, "patient=Patient/ada&subtype=read"), 1);
    assert_eq!(
        count(&server, "patient=ada&subtype=http://hl7.org/fhir/restful-interaction|search"),
        1
    );
    assert_eq!(count(&server, "patient=ada&subtype=search-type"), 1);
    assert_eq!(count(&server, "patient=ada&action=U"), 1);
    assert_eq!(count(&server, "entity=Patient/bea&action=R&type=rest"), 1);
    assert_eq!(count(&server, "outcome=4"), 1);
    let own = server.record.identity().find_by_name("tests").unwrap().unwrap().id;
    assert_eq!(count(&server, &format!("agent={own}&patient=bea&type=rest")), 3);
    assert_eq!(count(&server, "agent=somebody"), 0);
    assert_eq!(count(&server, "date=lt2000-01-01"), 0);
    assert_eq!(
        count(&server, "patient=ada&date=ge2000-01-01&date=lt2100&type=rest&_sort=-date"),
        3
    );
    assert_eq!(server.get("/Patient/ada/AuditEvent?type=rest").entries(), 3);
    let posted = server.send(
        "POST",
        "/AuditEvent/_search",
        &[("Content-Type", "application/x-www-form-urlencoded")],
        b"patient=ada&type=rest",
    );
    assert_eq!(posted.entries(), 3);
}

#[test]
fn what_is_not_understood_is_refused() {
    let server = sample();
    for query in [
        "wat=1",
        "patient:missing=true",
        "patient=a,b",
        "date=yesterday",
        "date=ap2026",
        "_sort=date",
        "_count=x",
        "_id=1",
        "entity=ada",
        "patient=ada&patient=bea",
        "_cursor=x",
        "_include=*",
    ] {
        assert_eq!(server.get(&format!("/AuditEvent?{query}")).status, 400, "{query}");
    }
    assert_eq!(server.get("/Practitioner/x/AuditEvent").status, 405);
}

#[test]
fn pages_follow_each_other_and_an_event_is_read_by_its_id() {
    let server = sample();
    let (mut ids, mut link) = (Vec::new(), "/AuditEvent?type=rest&_count=2".to_owned());
    loop {
        let page = server.get(&link);
        assert_eq!(page.status, 200);
        ids.extend((0..page.entries()).map(|at| page.at(&format!("entry.{at}.resource.id"))));
        match page.link("next") {
            Some(next) => link = next,
            None => break,
        }
    }
    assert_eq!(ids, ["log-8", "log-7", "log-6", "log-5", "log-4", "log-3"]);
    let read = server.get("/AuditEvent/log-4");
    assert_eq!((read.status, read.at("id"), read.at("action")), (200, "log-4".into(), "R".into()));
    assert_eq!(server.get("/AuditEvent?_id=log-4").entries(), 1);
    assert_eq!(server.get("/AuditEvent/log-9999").status, 404);
    assert_eq!(server.get("/AuditEvent/log-0").status, 404);
}

#[test]
fn who_saw_one_patient_names_no_other() {
    let server = sample();
    let page = server.get("/AuditEvent?patient=ada");
    let text = String::from_utf8(page.body.clone()).unwrap();
    assert!(text.contains("Patient/ada") && !text.contains("Patient/bea"), "{text}");
    // The search showed both; what it is called under says whose part is told.
    assert_eq!(page.at("entry.0.resource.id"), "log-7-1");
    let other = server.get("/AuditEvent/log-7-2");
    let text = String::from_utf8(other.body).unwrap();
    assert!(text.contains("Patient/bea") && !text.contains("Patient/ada"), "{text}");
    assert_eq!(server.get("/AuditEvent/log-7-3").status, 404);
}

#[test]
fn reading_the_log_leaves_an_event_too() {
    let server = sample();
    assert_eq!(count(&server, "type=http://dicom.nema.org/resources/ontology/DCM|110101"), 0);
    assert_eq!(count(&server, "type=110101"), 1);
    assert_eq!(server.get("/AuditEvent/log-3").status, 200);
    assert_eq!(server.get("/AuditEvent?wat=1").status, 400);
    assert_eq!(count(&server, "type=110101"), 4);
    // Reading `log-3` showed an access to her record, and so did the lists it stood in.
    let before = count(&server, "patient=ada&type=110101");
    assert!(before >= 1);
    assert_eq!(
        count(&server, "patient=ada&type=110101"),
        before + 1,
        "whose log was asked for is told"
    );
    assert_eq!(count(&server, "patient=bea&type=110101"), 0);
}

#[test]
fn a_clients_own_event_is_stored_read_and_never_changed() {
    let server = sample();
    assert_eq!(server.put("/AuditEvent/own", OWN).status, 201);
    assert_eq!(server.get("/AuditEvent/own").status, 200);
    assert_eq!(server.put("/AuditEvent/own", OWN).status, 405);
    assert_eq!(server.delete("/AuditEvent/own").status, 405);
    assert_eq!(server.delete("/AuditEvent?_id=own").status, 405);
    let batch = r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"AuditEvent/own"}}]}"#;
    assert_eq!(server.post("/", batch).status, 405);
    assert_eq!(server.get("/AuditEvent/own").status, 200);
    let posted = server.post("/AuditEvent", &OWN.replace("\"id\":\"own\",", ""));
    assert_eq!(posted.status, 201);
    let text = String::from_utf8(server.get("/AuditEvent?_count=50").body).unwrap();
    assert!(!text.contains("\"display\":\"scale\""), "only the log's own are found");
}

#[test]
fn a_patient_is_told_who_saw_the_record_and_nobody_else_is() {
    use crate::client::person;
    use identity::{Kind, Profile};
    for named in [false, true] {
        let server = Running::with(|_| {}, |settings| settings.staff_named = named);
        for id in ["ann", "bob"] {
            let body = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
            assert_eq!(server.put(&format!("/Patient/{id}"), &body).status, 201);
        }
        let nurse = Profile { display: "Nora Nurse".into(), ..person("nora", &["him"]) };
        let nurse = server.token(Kind::Person, nurse);
        let bearer = format!("Bearer {nurse}");
        let headers = [("Authorization", bearer.as_str()), ("X-Purpose-Of-Use", "HOPERAT")];
        for _ in 0..2 {
            assert_eq!(server.send("GET", "/Patient/ann", &headers, b"").status, 200);
        }
        let profile = Profile { patient: Some("ann".into()), ..person("ann", &["patient"]) };
        let ann = server.token(Kind::Person, profile);
        let answer = server.get_as(&ann, "/Patient/ann/$who-saw");
        assert_eq!(answer.status, 200);
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(
            text.contains("to run the clinic") && text.contains("\"valueInteger\":2"),
            "{text}"
        );
        assert_eq!(text.contains("Nora Nurse"), named, "{text}");
        assert_eq!(text.contains("staff: him"), !named, "{text}");
        assert_eq!(text.contains("\"name\":\"id\""), named, "an id would be a name too: {text}");
        assert!(!text.contains("bob"), "{text}");
        let none = server.get_as(&ann, "/Patient/ann/$who-saw?end=2020-01-01");
        assert!(!String::from_utf8(none.body).unwrap().contains("access"), "before anybody looked");
        assert_eq!(server.get_as(&ann, "/Patient/ann/$who-saw?start=x").status, 400);
        assert_eq!(server.get_as(&ann, "/Patient/ann/$who-saw?wat=1").status, 400);
        // Another patient, there or not, and staff who may not read the log.
        for (token, path) in
            [(&ann, "/Patient/bob"), (&ann, "/Patient/none"), (&nurse, "/Patient/ann")]
        {
            let refused = server.get_as(token, &format!("{path}/$who-saw"));
            assert_eq!(
                (refused.status, refused.code()),
                (403, "access.denied".to_owned()),
                "{path}"
            );
        }
        // The privacy officer is told who it was.
        let officer = server.token(Kind::Person, person("officer", &["privacy-officer"]));
        let text = server.get_as(&officer, "/Patient/ann/$who-saw");
        let text = String::from_utf8(text.body).unwrap();
        assert!(text.contains("Nora Nurse") && text.contains("\"name\":\"id\""), "{text}");
        let nurse_id = text.split("\"name\":\"id\",\"valueString\":\"").nth(1).unwrap();
        let nurse_id = nurse_id.split('"').next().unwrap();
        // The events themselves tell the patient no more than that.
        let events = |token: &str, query: &str| {
            let answer = server.get_as(token, &format!("/AuditEvent?patient=ann{query}"));
            (answer.status, String::from_utf8(answer.body).unwrap())
        };
        let (status, own) = events(&ann, "&type=rest");
        assert!(status == 200 && own.contains(if named { "Nora Nurse" } else { "staff: him" }));
        assert!(!own.contains(nurse_id), "{own}");
        assert_eq!(events(&ann, &format!("&agent={nurse_id}")).0, 403, "nor by asking for one");
        assert!(events(&officer, "").1.contains(nurse_id));
        // Who speaks for her is not told at all: the log knows of what such a one may not see.
        let profile = Profile { represents: vec!["ann".into()], ..person("mum", &["proxy"]) };
        let mum = server.token(Kind::Person, profile);
        assert_eq!(server.get_as(&mum, "/Patient/ann/$who-saw").status, 403);
        assert_eq!(events(&mum, "").0, 403);
    }
}
