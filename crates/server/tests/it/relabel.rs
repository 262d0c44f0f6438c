//! Rules of labels that change while the server serves, seen by those whom a wall or a policy binds.

use crate::client::{Answer, Running, person};
use identity::{Kind, Profile};
use record::{Session, Subject};

fn clinic() -> Running {
    let server = Running::with(|_| {}, |settings| settings.site = Some("north".into()));
    let put = |path: String, body: String| {
        let answer = server.put(&path, &body);
        assert_eq!(answer.status, 201, "{path}: {}", String::from_utf8_lossy(&answer.body));
    };
    for id in ["north", "sud"] {
        let body = format!(r#"{{"resourceType":"Organization","id":"{id}","name":"{id}"}}"#);
        put(format!("/Organization/{id}"), body);
    }
    for id in ["ann", "bob"] {
        put(format!("/Patient/{id}"), format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#));
        put(format!("/Observation/of-{id}"), observation(&format!("of-{id}"), id, "north"));
        put(format!("/Observation/sud-{id}"), observation(&format!("sud-{id}"), id, "sud"));
    }
    server
}

fn observation(id: &str, patient: &str, by: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},"subject":{{"reference":"Patient/{patient}"}},"performer":[{{"reference":"Organization/{by}"}}]}}"#
    )
}

fn operator(server: &Running) -> Session {
    server.record.session(Subject::operator(), [1; 16])
}

fn clinician(server: &Running) -> String {
    let profile = Profile { sites: vec!["north".into()], ..person("who", &["clinician"]) };
    server.token(Kind::Person, profile)
}

fn ids(answer: &Answer) -> Vec<String> {
    let document = answer.json();
    let mut ids: Vec<String> = document
        .root()
        .get("entry")
        .into_iter()
        .flat_map(|e| e.items())
        .filter_map(|e| Some(e.get("resource")?.get_str("id")?.into_owned()))
        .collect();
    ids.sort();
    ids
}

fn finish(server: &Running) {
    while operator(server).relabel().unwrap().waiting > 0 {}
}

#[test]
fn a_programmes_records_are_withheld_from_the_request_after_it_was_named_one() {
    let server = clinic();
    let who = clinician(&server);
    let seen = |path: &str| ids(&server.get_as(&who, path));
    assert_eq!(seen("/Observation").len(), 4);
    operator(&server).tag("part2-programme", "Organization/sud", true).unwrap();
    assert!(seen("/Observation").is_empty(), "what was not gone over may be the programme's");
    assert_eq!(server.get_as(&who, "/Observation/sud-ann").status, 404);
    let absent = server.get_as(&who, "/Observation/none");
    assert_eq!(server.get_as(&who, "/Observation/of-ann").body, absent.body);
    let ready = server.get("//health/ready");
    assert_eq!(
        ready.at("labels.status"),
        "relabelling",
        "{}",
        String::from_utf8_lossy(&ready.body)
    );
    finish(&server);
    assert_eq!(seen("/Observation"), ["of-ann", "of-bob"]);
    assert_eq!(seen("/Organization"), ["north", "sud"], "the programme itself can be found");
    assert_eq!(server.get_as(&who, "/Observation/sud-ann").body, absent.body);
    let by_programme = "/Patient?_has:Observation:patient:performer=Organization/sud";
    assert!(seen(by_programme).is_empty());
    assert_eq!(server.get("//health/ready").at("labels.status"), "current");
    let metrics = String::from_utf8(server.get("//metrics").body).unwrap();
    assert!(metrics.contains("plummer_labels_waiting_versions 0"), "{metrics}");
}

#[test]
fn a_vip_is_out_of_the_sites_sight_at_once_and_everybody_else_stays_in_it() {
    let server = clinic();
    let who = clinician(&server);
    let seen = |path: &str| ids(&server.get_as(&who, path));
    assert_eq!(seen("/Patient"), ["ann", "bob"]);
    operator(&server).tag("vip", "Patient/ann", true).unwrap();
    for _ in 0..2 {
        assert_eq!(seen("/Patient"), ["bob"]);
        assert_eq!(seen("/Observation"), ["of-bob", "sud-bob"]);
        assert_eq!(seen("/Patient?_has:Observation:patient:code=29463-7"), ["bob"]);
        finish(&server);
    }
    operator(&server).tag("vip", "Patient/ann", false).unwrap();
    assert_eq!(seen("/Patient"), ["bob"], "until it is gone over");
    finish(&server);
    assert_eq!(seen("/Patient"), ["ann", "bob"]);
}

#[test]
fn a_label_that_a_person_set_outlives_a_delete_and_a_new_beginning() {
    let server = clinic();
    let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
    let plain = observation("of-ann", "ann", "north");
    let label = format!(r#""meta":{{"security":[{{"system":"{act}","code":"SDV"}}]}},"status""#);
    let labelled = plain.replacen("\"status\"", &label, 1);
    assert_eq!(server.put("/Observation/of-ann", &labelled).status, 200);
    for _ in 0..2 {
        assert_eq!(server.delete("/Observation/of-ann").status, 204);
    }
    assert_eq!(server.put("/Observation/of-ann", &plain).status, 201);
    let by_label = format!("/Observation?_security={act}|SDV");
    assert_eq!(ids(&server.get(&by_label)), ["of-ann"]);
    // Whoever keeps the record takes it off; here, who is on the machine itself.
    let of = fhir::definitions::r4().resource_type("Observation").unwrap();
    let body = fhir::Document::parse_text(plain, &base::Limits::default()).unwrap();
    let session = operator(&server);
    let write = session.update(of, "of-ann", body, None, false);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(write).unwrap();
    assert!(ids(&server.get(&by_label)).is_empty());
}
