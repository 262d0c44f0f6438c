//! Whoever calls gets what the policies permit, and of everything else not even that it is there.

use crate::client::{Answer, Running, person};
use identity::{Kind, Profile};

/// A clinic of two patients. Dr Who treats Ann; Part 2 records are Ann's too.
fn clinic() -> Running {
    let server = Running::start();
    for (path, body) in [
        ("/Organization/north", r#"{"resourceType":"Organization","id":"north","name":"North"}"#),
        (
            "/Practitioner/who",
            r#"{"resourceType":"Practitioner","id":"who","name":[{"family":"Who"}]}"#,
        ),
        (
            "/Patient/ann",
            r#"{"resourceType":"Patient","id":"ann","name":[{"family":"Ann"}],"birthDate":"1970-01-01","generalPractitioner":[{"reference":"Practitioner/who"}]}"#,
        ),
        (
            "/Patient/bob",
            r#"{"resourceType":"Patient","id":"bob","name":[{"family":"Bob"}],"birthDate":"1980-01-01"}"#,
        ),
        ("/Observation/of-ann", &observation("of-ann", "ann", 70, "")),
        ("/Observation/of-bob", &observation("of-bob", "bob", 80, "")),
        (
            "/Observation/part2",
            &observation(
                "part2",
                "ann",
                90,
                r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]},"#,
            ),
        ),
    ] {
        let answer = server.put(path, body);
        assert_eq!(answer.status, 201, "{path}: {}", answer.code());
    }
    server
}

fn observation(id: &str, patient: &str, value: u32, meta: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}",{meta}"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},"subject":{{"reference":"Patient/{patient}"}},"valueQuantity":{{"value":{value},"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}}}"#
    )
}

fn clinician(server: &Running) -> String {
    let profile = Profile { practitioner: Some("who".into()), ..person("who", &["clinician"]) };
    server.token(Kind::Person, profile)
}

fn patient(server: &Running, id: &str) -> String {
    let profile = Profile { patient: Some(id.into()), ..person(id, &["patient"]) };
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
fn nobody_gets_anything_but_what_the_server_can_do() {
    let server = clinic();
    let nobody = |method, path| server.send(method, path, &[("Authorization", "")], b"");
    assert_eq!(nobody("GET", "/metadata").status, 200);
    for (method, path) in [
        ("GET", "/Patient/ann"),
        ("GET", "/Patient/none"),
        ("GET", "/Patient"),
        ("GET", "/Patient/ann/_history"),
        ("GET", "/Patient/ann/$everything"),
        ("DELETE", "/Patient/ann"),
        ("GET", "/"),
    ] {
        let answer = nobody(method, path);
        assert_eq!(answer.status, 401, "{method} {path}");
        assert_eq!(answer.code(), "identity.sign-in.needed");
        assert!(answer.header("www-authenticate").is_some_and(|h| h.starts_with("Bearer")));
    }
    let wrong = format!("plm_{}", "A".repeat(43));
    assert_eq!(server.get_as(&wrong, "/Patient/ann").code(), "identity.token.invalid");
}

#[test]
fn a_clinician_sees_those_in_care_and_no_other() {
    let server = clinic();
    let who = clinician(&server);
    let get = |path: &str| server.get_as(&who, path);
    assert_eq!(get("/Patient/ann").status, 200);
    assert_eq!(ids(&get("/Patient")), ["ann"]);
    assert_eq!(ids(&get("/Observation")), ["of-ann"], "neither Bob's nor what Part 2 keeps");
    // What is hidden and what is not there answer alike.
    for path in
        ["/Patient/{}", "/Patient/{}/_history", "/Patient/{}/$everything", "/Patient/{}/_history/1"]
    {
        let (hidden, absent) = (get(&path.replace("{}", "bob")), get(&path.replace("{}", "nob")));
        assert_eq!(hidden.status, 404, "{path}");
        assert_eq!(hidden.body, absent.body, "{path}");
    }
    for query in [
        "_has:Observation:patient:value-quantity=gt75",
        "name=bob",
        "birthdate=1980-01-01",
        "_has:Observation:patient:_security=42CFRPart2",
    ] {
        let answer = get(&format!("/Patient?{query}&_total=accurate"));
        assert_eq!((ids(&answer), answer.at("total")), (vec![], "0".to_owned()), "{query}");
    }
    assert_eq!(ids(&get("/Observation?value-quantity=90")), Vec::<String>::new());
    assert_eq!(get("/Observation?_summary=count").at("total"), "1");
    assert_eq!(ids(&get("/Observation?_include=Observation:patient")), ["ann", "of-ann"]);
    assert_eq!(ids(&get("/Patient?_revinclude=Observation:patient")), ["ann", "of-ann"]);
    assert_eq!(ids(&get("/Practitioner?_revinclude=Patient:general-practitioner")), ["ann", "who"]);
    assert_eq!(ids(&get("/Observation/_history")), ["of-ann"]);
}

#[test]
fn a_patient_sees_the_own_record_and_changes_none_of_it() {
    let server = clinic();
    let bob = patient(&server, "bob");
    assert_eq!(ids(&server.get_as(&bob, "/Patient")), ["bob"]);
    assert_eq!(ids(&server.get_as(&bob, "/Observation")), ["of-bob"]);
    let bearer = format!("Bearer {bob}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/fhir+json")];
    let send = |method, path: &str, body: &str| {
        let answer = server.send(method, path, &headers, body.as_bytes());
        let code = if answer.body.is_empty() { String::new() } else { answer.code() };
        (answer.status, code)
    };
    let denied = (403, "access.denied".to_owned());
    let own = observation("of-bob", "bob", 60, "");
    assert_eq!(send("PUT", "/Observation/of-bob", &own), denied);
    assert_eq!(send("DELETE", "/Observation/of-bob", ""), denied);
    assert_eq!(send("POST", "/Observation", &observation("x", "bob", 1, "")), denied);
    // What may not be seen cannot be told from what is not there.
    let hidden = send("PUT", "/Observation/of-ann", &observation("of-ann", "bob", 1, ""));
    assert_eq!(hidden, send("PUT", "/Observation/none", &observation("none", "bob", 1, "")));
    assert_eq!(send("DELETE", "/Observation/of-ann", ""), send("DELETE", "/Observation/none", ""));
    assert_eq!(server.get("/Observation/of-ann").status, 200, "it is still there");
    // A condition that matches only what is hidden matches nothing.
    let response = r#"{"resourceType":"QuestionnaireResponse","status":"completed","identifier":{"value":"q1"},"subject":{"reference":"Patient/bob"}}"#;
    let for_ann = response.replace("Patient/bob", "Patient/ann");
    assert_eq!(server.post("/QuestionnaireResponse", &for_ann).status, 201);
    let condition = ("If-None-Exist", "identifier=q1");
    let with = [headers[0], headers[1], condition];
    let answer = server.send("POST", "/QuestionnaireResponse", &with, response.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.code());
}

#[test]
fn who_may_see_no_record_of_a_type_is_told_so() {
    let server = clinic();
    let it = server.token(Kind::Person, person("it", &["it-administrator"]));
    assert_eq!(ids(&server.get_as(&it, "/Organization")), ["north"]);
    for path in ["/Patient", "/Patient/ann", "/Observation?code=x", "/Patient/ann/_history"] {
        let answer = server.get_as(&it, path);
        assert_eq!((answer.status, answer.code()), (403, "access.denied".to_owned()), "{path}");
    }
    assert_eq!(ids(&server.get_as(&it, "/")), ["north", "who"], "the directory of who works here");
    let nothing = server.token(Kind::Person, person("nothing", &[]));
    assert_eq!(server.get_as(&nothing, "/Observation/of-ann").code(), "access.denied");
}

#[test]
fn a_purpose_narrows_and_an_unknown_one_is_refused() {
    let server = clinic();
    let him = server.token(Kind::Person, person("him", &["him"]));
    let bearer = format!("Bearer {him}");
    let with = |purpose| {
        let headers = [("Authorization", bearer.as_str()), ("X-Purpose-Of-Use", purpose)];
        server.send("GET", "/Patient/ann", &headers, b"")
    };
    assert_eq!(with("HOPERAT").status, 200);
    assert_eq!(with("HMARKT").code(), "server.header.invalid");
    assert_eq!(with("TREAT").code(), "access.denied");
}

#[test]
fn revoking_ends_access_at_once() {
    let server = clinic();
    let identity = server.record.identity();
    let principal = identity.create(Kind::Service, person("gone", &["system"])).unwrap();
    let opened = identity.issue(principal.id, 60_000, "a test").unwrap();
    let token = opened.token.text().expose().to_owned();
    assert_eq!(server.get_as(&token, "/Patient/ann").status, 200);
    identity.disable(principal.id, principal.version, "left").unwrap();
    assert_eq!(server.get_as(&token, "/Patient/ann").status, 401);
}

#[test]
fn a_role_that_is_taken_away_is_gone_with_the_next_request() {
    let server = clinic();
    let identity = server.record.identity();
    let principal = identity.create(Kind::Person, person("moves", &["him"])).unwrap();
    let opened = identity.issue(principal.id, 60_000, "a test").unwrap();
    let token = opened.token.text().expose().to_owned();
    assert_eq!(server.get_as(&token, "/Patient/ann").status, 200);
    identity.change(principal.id, principal.version, person("moves", &["auditor"])).unwrap();
    assert_eq!(server.get_as(&token, "/Patient/ann").code(), "access.denied");
}

#[test]
fn a_page_link_is_followed_by_whom_it_was_given_to_and_nobody_else() {
    let server = clinic();
    let page = server.get("/Observation?_count=1&_sort=_id");
    let next = page.link("next").unwrap();
    assert_eq!(server.get(&next).status, 200);
    let who = clinician(&server);
    assert_eq!(server.get_as(&who, &next).code(), "search.page.cursor");
    let history = server.get("/Observation/_history?_count=1").link("next").unwrap();
    assert_eq!(server.get(&history).status, 200);
    assert_eq!(server.get_as(&who, &history).code(), "search.page.cursor");
    let all = server.get("/Patient/ann/$everything?_count=1").link("next").unwrap();
    assert_eq!(server.get_as(&who, &all).code(), "search.page.cursor");
}

/// Signs in with a password: such a session has just shown a factor.
fn signed_in(server: &Running, profile: Profile) -> String {
    let identity = server.record.identity();
    let password = identity::Secret::new("four unrelated words here".to_owned());
    let name = profile.name.clone();
    identity.create_person(profile, &password, false).unwrap();
    match identity.begin(&name, &password, std::net::Ipv4Addr::LOCALHOST.into()).unwrap() {
        identity::Step::Done(opened) => opened.token.text().expose().to_owned(),
        identity::Step::SecondFactor(_) => panic!("nobody has a second factor here"),
    }
}

#[test]
fn in_an_emergency_the_glass_is_broken_before_one_record_with_a_reason() {
    let mut server = clinic();
    let who = signed_in(&server, person("er", &["clinician"]));
    let bearer = format!("Bearer {who}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/fhir+json")];
    let ask = |token: &[(&str, &str)], patient: &str, reason: &str| {
        let body = format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"reason","valueString":"{reason}"}}]}}"#
        );
        server.send("POST", &format!("/Patient/{patient}/$break-glass"), token, body.as_bytes())
    };
    assert_eq!(server.get_as(&who, "/Patient/bob").code(), "access.denied", "nobody in care");
    assert_eq!(ask(&headers, "bob", "short").code(), "server.parameter.invalid");
    let opened = ask(&headers, "bob", "unconscious in the emergency room");
    assert_eq!(opened.status, 200);
    assert_eq!(opened.at("parameter.0.name"), "until");
    assert_eq!(ids(&server.get_as(&who, "/Observation")), ["of-bob"], "Bob's, and nobody else's");
    assert_eq!(server.get_as(&who, "/Patient/bob").status, 200);
    assert_eq!(server.get_as(&who, "/Patient/ann").status, 404);
    // It is to look only.
    let own = observation("of-bob", "bob", 1, "");
    let written = server.send("PUT", "/Observation/of-bob", &headers, own.as_bytes());
    assert_eq!(written.code(), "record.write.create-by-update-off");
    // In an emergency also what 42 CFR Part 2 keeps (2.51).
    assert_eq!(ask(&headers, "ann", "unconscious in the emergency room").status, 200);
    assert_eq!(ids(&server.get_as(&who, "/Observation")), ["of-ann", "part2"], "one at a time");
    // A token of a program has shown no factor, and whom no policy permits it stays outside.
    let script = server.token(Kind::Person, person("script", &["clinician"]));
    let bearer = format!("Bearer {script}");
    let of_script = [("Authorization", bearer.as_str()), headers[1]];
    let refused = ask(&of_script, "bob", "unconscious in the emergency room");
    assert_eq!(refused.code(), "identity.step-up.needed");
    let desk = signed_in(&server, person("desk", &["front-desk"]));
    let bearer = format!("Bearer {desk}");
    let of_desk = [("Authorization", bearer.as_str()), headers[1]];
    let refused = ask(&of_desk, "bob", "unconscious in the emergency room");
    assert_eq!(refused.code(), "access.denied");
    for _ in 0..8 {
        assert_eq!(ask(&headers, "bob", "unconscious in the emergency room").status, 200);
    }
    let refused = ask(&headers, "bob", "unconscious in the emergency room");
    assert_eq!(refused.code(), "access.break-glass.too-often");
    assert_eq!(server.events("break-glass"), 14);
}
