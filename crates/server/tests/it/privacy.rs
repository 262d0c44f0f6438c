//! What patients said, and what a role does not need to see, over HTTP.

use crate::client::{Answer, Running, person};
use identity::{Kind, Profile};

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Dr Who treats Ann and Bob; three records of Ann are of Part 2.
fn clinic() -> Running {
    let server = Running::with(|_| {}, |settings| settings.site = Some("north".into()));
    let part2 = format!(r#""meta":{{"security":[{{"system":"{ACT}","code":"42CFRPart2"}}]}},"#);
    let mut all = vec![
        (
            "/Organization/north".to_owned(),
            r#"{"resourceType":"Organization","id":"north","name":"North"}"#.to_owned(),
        ),
        (
            "/Practitioner/who".to_owned(),
            r#"{"resourceType":"Practitioner","id":"who","name":[{"family":"Who"}]}"#.to_owned(),
        ),
    ];
    for id in ["ann", "bob"] {
        all.push((format!("/Patient/{id}"), format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{id}"}}],"birthDate":"1970-01-01","generalPractitioner":[{{"reference":"Practitioner/who"}}]}}"#)));
        all.push((format!("/Observation/of-{id}"), observation(&format!("of-{id}"), id, "")));
    }
    for id in ["p1", "p2", "p3"] {
        all.push((format!("/Observation/{id}"), observation(id, "ann", &part2)));
    }
    for (path, body) in all {
        let answer = server.put(&path, &body);
        assert_eq!(answer.status, 201, "{path}: {}", String::from_utf8_lossy(&answer.body));
    }
    server
}

fn observation(id: &str, patient: &str, meta: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}",{meta}"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},"subject":{{"reference":"Patient/{patient}"}}}}"#
    )
}

/// A Consent of Ann.
fn consent(id: &str, status: &str, provision: &str) -> String {
    format!(
        r#"{{"resourceType":"Consent","id":"{id}","status":"{status}","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],"patient":{{"reference":"Patient/ann"}},"policyRule":{{"text":"of the clinic"}},"provision":{provision}}}"#
    )
}

fn permit(status: &str, practitioner: &str) -> String {
    let provision = format!(
        r#"{{"type":"permit","actor":[{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PRCP"}}]}},"reference":{{"reference":"Practitioner/{practitioner}"}}}}],"purpose":[{{"system":"{REASON}","code":"TREAT"}}],"securityLabel":[{{"system":"{ACT}","code":"42CFRPart2"}}]}}"#
    );
    consent("permit", status, &provision)
}

fn deny(status: &str, of: &str) -> String {
    let class = format!(
        r#"{{"type":"deny","class":[{{"system":"http://hl7.org/fhir/resource-types","code":"{of}"}}]}}"#
    );
    consent("deny", status, &class)
}

fn put(server: &Running, id: &str, body: &str) {
    let answer = server.put(&format!("/Consent/{id}"), body);
    assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
}

fn clinician(server: &Running, id: &str) -> String {
    let profile = Profile {
        practitioner: Some(id.into()),
        sites: vec!["north".into()],
        ..person(id, &["clinician"])
    };
    server.token(Kind::Person, profile)
}

fn front_desk(server: &Running) -> String {
    let profile = Profile { sites: vec!["north".into()], ..person("desk", &["front-desk"]) };
    server.token(Kind::Person, profile)
}

fn ids(answer: &Answer) -> Vec<String> {
    let document = answer.json();
    let entries = document.root().get("entry");
    let mut ids: Vec<String> = entries
        .into_iter()
        .flat_map(|e| e.items())
        .filter_map(|e| Some(e.get("resource")?.get_str("id")?.into_owned()))
        .collect();
    ids.sort();
    ids
}

#[test]
fn a_consent_releases_part_2_to_whom_it_names_and_to_nobody_else() {
    let server = clinic();
    let (who, other) = (clinician(&server, "who"), clinician(&server, "other"));
    let seen = |token: &str| ids(&server.get_as(token, "/Observation?patient=Patient/ann"));
    assert_eq!(seen(&who), ["of-ann"]);
    put(&server, "permit", &permit("active", "who"));
    assert_eq!(seen(&who), ["of-ann", "p1", "p2", "p3"]);
    assert_eq!(server.get_as(&who, "/Observation/p1").status, 200);
    assert_eq!(server.get_as(&who, "/Observation/p1/_history").entries(), 1);
    assert_eq!(seen(&other), ["of-ann"]);
    put(&server, "permit", &permit("inactive", "who"));
    assert_eq!(seen(&who), ["of-ann"]);
    assert_eq!(server.get_as(&who, "/Observation/p1").status, 404);
    put(&server, "permit", &permit("active", "who"));
    assert_eq!(seen(&who).len(), 4);
    assert_eq!(server.delete("/Consent/permit").status, 204);
    assert_eq!(seen(&who), ["of-ann"], "a consent that is gone releases nothing");
}

#[test]
fn a_revocation_in_the_middle_of_a_walk_ends_what_is_released() {
    let server = clinic();
    let who = clinician(&server, "who");
    put(&server, "permit", &permit("active", "who"));
    let mut page = server.get_as(&who, "/Observation?patient=Patient/ann&_count=1");
    let mut seen = ids(&page);
    while !seen.iter().any(|id| id.starts_with('p')) {
        page = server.get_as(&who, &page.link("next").expect("more is to come"));
        seen.extend(ids(&page));
    }
    put(&server, "permit", &permit("inactive", "who"));
    let mut after = Vec::new();
    while let Some(next) = page.link("next") {
        page = server.get_as(&who, &next);
        assert_eq!(page.status, 200);
        after.extend(ids(&page));
    }
    assert!(!after.iter().any(|id| id.starts_with('p')), "{after:?}");
    let back = page.link("first").expect("a first page");
    assert!(!ids(&server.get_as(&who, &back)).iter().any(|id| id.starts_with('p')));
}

#[test]
fn a_consent_in_a_transaction_holds_for_the_next_request() {
    let server = clinic();
    let who = clinician(&server, "who");
    assert_eq!(server.get_as(&who, "/Observation/p1").status, 404);
    let body = permit("active", "who");
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{body},"request":{{"method":"PUT","url":"Consent/permit"}}}}]}}"#
    );
    assert_eq!(server.post("", &bundle).status, 200);
    assert_eq!(server.get_as(&who, "/Observation/p1").status, 200);
}

#[test]
fn what_a_patient_denies_is_not_there_but_for_the_patient() {
    let server = clinic();
    let who = clinician(&server, "who");
    let profile = Profile { patient: Some("ann".into()), ..person("ann", &["patient"]) };
    let ann = server.token(Kind::Person, profile);
    let own = ids(&server.get_as(&ann, "/Observation"));
    put(&server, "deny", &deny("active", "Observation"));
    assert_eq!(ids(&server.get_as(&who, "/Observation")), ["of-bob"]);
    let absent = server.get_as(&who, "/Observation/none");
    assert_eq!(server.get_as(&who, "/Observation/of-ann").body, absent.body);
    assert_eq!(ids(&server.get_as(&who, "/Patient")), ["ann", "bob"], "nothing else is denied");
    let by_code = "/Patient?_has:Observation:patient:code=29463-7";
    assert_eq!(ids(&server.get_as(&who, by_code)), ["bob"]);
    assert_eq!(ids(&server.get_as(&ann, "/Observation")), own);
    // A denial is stronger than a grant, whichever came first.
    put(&server, "permit", &permit("active", "who"));
    assert_eq!(ids(&server.get_as(&who, "/Observation")), ["of-bob"]);
    put(&server, "deny", &deny("inactive", "Observation"));
    assert_eq!(ids(&server.get_as(&who, "/Observation")), ["of-ann", "of-bob", "p1", "p2", "p3"]);
}

#[test]
fn a_denial_of_everything_leaves_the_consent_itself_to_those_who_keep_it() {
    let server = clinic();
    // A service is denied the Consent as well, and could not write it again.
    let keep = |provision: &str| {
        let of = fhir::definitions::r4().resource_type("Consent").unwrap();
        let body = consent("deny", "active", provision);
        let body = fhir::Document::parse_text(body, &base::Limits::default()).unwrap();
        let session = server.record.session(record::Subject::operator(), [1; 16]);
        let write = session.update(of, "deny", body, None, false);
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(write).unwrap();
    };
    let him = server.token(Kind::Person, person("him", &["him"]));
    let who = clinician(&server, "who");
    for provision in [
        r#"{"type":"deny"}"#,
        r#"{"type":"deny","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Consent"}]}"#,
    ] {
        keep(provision);
        assert_eq!(ids(&server.get_as(&him, "/Consent?patient=Patient/ann")), ["deny"]);
        assert_eq!(server.get_as(&him, "/Consent/deny").status, 200);
        assert!(ids(&server.get_as(&who, "/Consent")).is_empty());
    }
    keep(r#"{"type":"deny"}"#);
    assert_eq!(ids(&server.get_as(&him, "/Observation")), ["of-bob"], "and nothing else");
    assert_eq!(ids(&server.get_as(&him, "/Patient")), ["bob"]);
}

#[test]
fn consents_hold_when_the_record_is_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let settings = || record::Settings { seed: Some(7), ..record::Settings::default() };
    let observation = observation("p1", "ann", "");
    let id = |text: &str| fhir::definitions::r4().resource_type(text).unwrap();
    let document =
        |text: &str| fhir::Document::parse_text(text.to_owned(), &base::Limits::default()).unwrap();
    let open = || record::Record::open(dir.path(), settings()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    {
        let record = open();
        let session = record.session(record::Subject::operator(), [1; 16]);
        for (of, name, body) in [
            ("Patient", "ann", r#"{"resourceType":"Patient","id":"ann"}"#.to_owned()),
            ("Observation", "p1", observation),
            ("Consent", "deny", deny("active", "Observation")),
        ] {
            let write = session.update(id(of), name, document(&body), None, false);
            runtime.block_on(write).unwrap();
        }
        record.settle();
    }
    let record = open();
    let identity = record.identity();
    let principal = identity.create(Kind::Service, person("system", &["system"])).unwrap();
    let opened = identity.issue(principal.id, 60_000, "a test").unwrap();
    let caller = identity.find(opened.token.text().expose(), None).unwrap();
    let subject = record.subject(&caller, None, record::Asked::default()).unwrap();
    let session = record.session(subject, [2; 16]);
    assert!(session.read(id("Observation"), "p1", None).is_err());
    assert!(session.read(id("Patient"), "ann", None).is_ok());
}

fn appointment(id: &str, reason: &str) -> String {
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"booked",{reason}"participant":[{{"actor":{{"reference":"Patient/ann"}},"status":"accepted"}}]}}"#
    )
}

const REASONS: &str = r#""reasonCode":[{"coding":[{"system":"http://snomed.info/sct","code":"86406008"}]}],"comment":"weeps","description":"talk","reasonReference":[{"reference":"Condition/c"}],"#;

#[test]
fn the_front_desk_never_sees_why_somebody_comes() {
    let server = clinic();
    assert_eq!(server.put("/Appointment/a", &appointment("a", REASONS)).status, 201);
    assert_eq!(server.put("/Appointment/b", &appointment("b", "")).status, 201);
    let (desk, who) = (front_desk(&server), clinician(&server, "who"));
    let secrets = ["86406008", "weeps", "talk", "Condition/c", "reasonCode"];
    for path in [
        "/Appointment/a",
        "/Appointment/a/_history/1",
        "/Appointment/a/_history",
        "/Appointment/_history",
        "/Appointment",
        "/Appointment?_elements=reasonCode,comment",
        "/Patient?_revinclude=Appointment:actor",
        "/Patient/ann/Appointment",
        "/Patient/ann/$everything",
        "/?_type=Appointment",
    ] {
        let answer = server.get_as(&desk, path);
        assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(text.contains("\"a\""), "{path}: the appointment itself is there");
        for secret in secrets {
            // The self link says what was asked.
            let text = text.replace("_elements=reasonCode", "");
            assert!(!text.contains(secret), "{path}: {secret} in {text}");
        }
        if !path.contains("_history") {
            let full = server.get_as(&who, path);
            let full = String::from_utf8_lossy(&full.body).into_owned();
            assert!(full.contains("86406008"), "{path}: whoever treats sees it");
        }
    }
    let batch = r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Appointment/a"}},{"request":{"method":"GET","url":"Appointment?status=booked"}},{"request":{"method":"GET","url":"Appointment/a/_history"}}]}"#;
    let bearer = format!("Bearer {desk}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/fhir+json")];
    let answer = server.send("POST", "", &headers, batch.as_bytes());
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(
        text.matches("\"200 OK\"").count().max(text.matches("\"200\"").count()),
        3,
        "{text}"
    );
    assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
}

#[test]
fn the_front_desk_cannot_search_by_why_somebody_comes() {
    let server = clinic();
    let desk = front_desk(&server);
    let queries = [
        "/Appointment?reason-code=86406008",
        "/Appointment?reason-code:missing=false",
        "/Appointment?_sort=reason-code",
        "/Appointment?reason-reference=Condition/c",
        "/Appointment?_include=Appointment:reason-reference",
        "/Patient?_has:Appointment:actor:reason-code=86406008",
        "/Patient?_has:Appointment:actor:reason-code:missing=false",
        "/AppointmentResponse?appointment.reason-code=86406008",
        "/Appointment?_text=weeps",
        "/Appointment?_content=weeps",
        "/Appointment?_filter=reason-code eq 86406008",
    ];
    let ask = |desk: &str, path: &str| {
        let answer = server.get_as(desk, &path.replace(' ', "%20"));
        (answer.status, answer.at("resourceType"), answer.at("total"), answer.body.len())
    };
    let before: Vec<_> = queries.iter().map(|path| ask(&desk, path)).collect();
    assert_eq!(server.put("/Appointment/a", &appointment("a", "")).status, 201);
    let without: Vec<_> = queries.iter().map(|path| ask(&desk, path)).collect();
    assert_eq!(server.put("/Appointment/a", &appointment("a", REASONS)).status, 200);
    let with: Vec<_> = queries.iter().map(|path| ask(&desk, path)).collect();
    for ((path, one), two) in queries.iter().zip(&without).zip(&with) {
        assert_eq!(one, two, "{path}: the same answer whether the reason is there or not");
        assert_eq!(one.1, "OperationOutcome", "{path} is refused");
    }
    assert_eq!(before, with);
}

#[test]
fn an_update_by_who_is_not_shown_the_whole_would_delete_it_and_is_refused() {
    let server = clinic();
    assert_eq!(server.put("/Appointment/a", &appointment("a", REASONS)).status, 201);
    assert_eq!(server.put("/Appointment/b", &appointment("b", "")).status, 201);
    let desk = front_desk(&server);
    let bearer = format!("Bearer {desk}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/fhir+json")];
    let send =
        |method: &str, path: &str, body: &str| server.send(method, path, &headers, body.as_bytes());
    let refused = send("PUT", "/Appointment/a", &appointment("a", ""));
    assert_eq!((refused.status, refused.code()), (403, "privacy.elements.hidden".to_owned()));
    let bundle = |kind: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{{"resource":{},"request":{{"method":"PUT","url":"Appointment/a"}}}}]}}"#,
            appointment("a", "")
        )
    };
    let refused = send("POST", "", &bundle("transaction"));
    assert_eq!((refused.status, refused.code()), (403, "privacy.elements.hidden".to_owned()));
    let refused = send("POST", "", &bundle("batch"));
    assert!(String::from_utf8_lossy(&refused.body).contains("privacy.elements.hidden"));
    let whole = server.get("/Appointment/a");
    assert!(String::from_utf8_lossy(&whole.body).contains("86406008"), "nothing is lost");
    let moved = appointment("b", "").replace("booked", "arrived");
    assert_eq!(send("PUT", "/Appointment/b", &moved).status, 200);
    // What comes into being with a reason is answered without it.
    let made = send("POST", "/Appointment", &appointment("x", REASONS));
    assert_eq!(made.status, 201);
    assert!(!String::from_utf8_lossy(&made.body).contains("86406008"));
}

fn condition(id: &str, meta: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}",{meta}"code":{{"coding":[{{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{code}"}}]}},"subject":{{"reference":"Patient/ann"}}}}"#
    )
}

fn labels(answer: &Answer) -> Vec<String> {
    let document = answer.json();
    let security = document.root().get("meta").and_then(|meta| meta.get("security"));
    let codes = security.into_iter().flat_map(|s| s.items()).filter_map(|c| c.get_str("code"));
    codes.map(std::borrow::Cow::into_owned).collect()
}

#[test]
fn a_label_of_a_rule_comes_with_the_code_and_goes_with_it() {
    let server = clinic();
    let put = |body: &str| {
        let answer = server.put("/Condition/c", body);
        assert!(answer.status < 300, "{}", String::from_utf8_lossy(&answer.body));
        labels(&server.get("/Condition/c"))
    };
    assert_eq!(put(&condition("c", "", "B20")), ["HIV"]);
    let read = server.get("/Condition/c");
    assert_eq!(read.at("meta.security.0.extension.0.valueCoding.code"), "hiv");
    // What was read and is sent back, and what leaves the label out, are stored with it.
    assert_eq!(put(&String::from_utf8_lossy(&read.body)), ["HIV"]);
    assert_eq!(put(&condition("c", "", "B20")), ["HIV"]);
    let by_label = format!("/Condition?_security={ACT}|HIV");
    assert_eq!(ids(&server.get(&by_label)), ["c"]);
    // The code was wrong: the label goes, whatever is sent back.
    let corrected = String::from_utf8_lossy(&read.body).replace("\"B20\"", "\"J45\"");
    assert_eq!(put(&corrected), Vec::<String>::new());
    assert_eq!(ids(&server.get(&by_label)), Vec::<String>::new());
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"POST","url":"Condition"}}}}]}}"#,
        condition("x", "", "B20")
    );
    assert_eq!(server.post("", &bundle).status, 200);
    assert_eq!(ids(&server.get(&by_label)).len(), 1, "a transaction labels as well");
}

#[test]
fn attack_23_a_label_is_not_stripped_by_leaving_it_out() {
    let server = clinic();
    let meta = format!(r#""meta":{{"security":[{{"system":"{ACT}","code":"MH"}}]}},"#);
    for id in ["m1", "m2"] {
        let body = observation(id, "ann", &meta);
        assert_eq!(server.put(&format!("/Observation/{id}"), &body).status, 201);
    }
    // An interface that knows nothing of labels sends the records again.
    assert_eq!(server.put("/Observation/m1", &observation("m1", "ann", "")).status, 200);
    assert_eq!(labels(&server.get("/Observation/m1")), ["MH"]);
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{},"request":{{"method":"PUT","url":"Observation/m2"}}}}]}}"#,
        observation("m2", "ann", "")
    );
    assert_eq!(server.post("", &bundle).status, 200);
    let by_label = format!("/Observation?_security={ACT}|MH");
    assert_eq!(ids(&server.get(&by_label)), ["m1", "m2"]);
}

#[test]
fn a_states_rules_label_only_where_the_site_says_it_is_there_and_by_age() {
    let at = |state: Option<&str>| {
        let state = state.map(std::sync::Arc::from);
        let server = Running::with(|_| {}, |settings| settings.home_state = state);
        for (id, birth) in [("ann", "1970-01-01"), ("kid", "2013-01-01")] {
            let body = format!(r#"{{"resourceType":"Patient","id":"{id}","birthDate":"{birth}"}}"#);
            assert_eq!(server.put(&format!("/Patient/{id}"), &body).status, 201);
        }
        let of_ann = condition("a", "", "Z30.0");
        let of_kid = of_ann.replace("\"a\"", "\"k\"").replace("Patient/ann", "Patient/kid");
        assert_eq!(server.put("/Condition/a", &of_ann).status, 201);
        assert_eq!(server.put("/Condition/k", &of_kid).status, 201);
        // The walls keep some of these even from a service.
        let session = server.record.session(record::Subject::operator(), [1; 16]);
        let of = fhir::definitions::r4().resource_type("Condition").unwrap();
        ["a", "k"].map(|id| {
            let hit = session.read(of, id, None).unwrap().wait().unwrap();
            String::from_utf8(hit.body).unwrap()
        })
    };
    let [ann, kid] = at(None);
    assert!(!ann.contains("CA-AB352") && !ann.contains("ADOL"), "{ann}");
    assert!(!kid.contains("CA-AB352") && !kid.contains("ADOL"), "{kid}");
    let [ann, kid] = at(Some("CA"));
    assert!(ann.contains("CA-AB352") && !ann.contains("ADOL"), "{ann}");
    assert!(kid.contains("CA-AB352") && kid.contains("ADOL"), "{kid}");
}

#[test]
fn with_the_labelling_off_a_record_is_stored_as_it_came() {
    let server = Running::with(|_| {}, |settings| settings.labelling = false);
    assert_eq!(server.put("/Condition/c", &condition("c", "", "B20")).status, 201);
    assert_eq!(labels(&server.get("/Condition/c")), Vec::<String>::new());
}
