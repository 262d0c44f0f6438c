//! Attacks 21, 22, 43, 48: other tenants' names, a change of rights in the middle of a walk, those who run
//! the place, and emergencies that become a habit.

use crate::attacks::world::{World, ids, told};
use crate::client::person;
use base::Clock as _;
use identity::{Kind, Profile, Secret, Step};

#[test]
fn attack_21_no_header_names_another_tenant_user_address_or_method() {
    let world = World::new();
    let plain = |method, path| told(&world.send(&world.who, method, path, ""));
    for (name, value) in [
        ("X-Tenant-Id", "other"),
        ("X-Tenant", "other"),
        ("X-User", "root"),
        ("X-Forwarded-User", "tests"),
        ("X-Remote-User", "tests"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1;host=other"),
        ("X-Original-URL", "/fhir/Patient/bob"),
        ("X-Rewrite-URL", "/fhir/Patient/bob"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Forwarded-Host", "other.example"),
        ("X-Client-Cert", "MIIB"),
        ("X-Plummer-Role", "system"),
    ] {
        for path in ["/Patient/ann", "/Patient/bob", "/Observation"] {
            let answer = world.send_with(&world.who, "GET", path, &[(name, value)], "");
            // The base address within is the server's own, whatever is said.
            assert_eq!(told(&answer), plain("GET", path), "{name}: {value} on {path}");
        }
    }
    for path in ["/main/Patient/ann", "/other/Patient/ann", "/tenant/other/Patient"] {
        assert!(matches!(world.get(path).status, 400 | 404), "{path}");
    }
    let other = [("Host", "other.example")];
    let answer = world.send_with(&world.who, "GET", "/Patient/ann", &other, "");
    assert_eq!((answer.status, &*answer.code()), (404, "server.route.unknown"));
    assert_eq!(world.server.get("/Patient/ann").status, 200, "it was not deleted");
}

#[test]
fn attack_22_rights_that_end_in_the_middle_of_a_walk_end_with_the_next_page() {
    let world = World::new();
    let identity = world.server.record.identity();
    let him = identity.create(Kind::Person, person("him", &["him"])).unwrap();
    let opened = identity.issue(him.id, 60_000, "a test").unwrap();
    let him_token = opened.token.text().expose().to_owned();
    let first = world.server.get_as(&him_token, "/Observation?_count=1&_sort=_id");
    assert_eq!(ids(&first).len(), 1);
    let next = first.link("next").unwrap();
    assert_eq!(world.server.get_as(&him_token, &next).status, 200);
    identity.change(him.id, him.version, person("him", &["auditor"])).unwrap();
    assert!(world.server.get_as(&him_token, &next).status >= 400);
    // And the record that becomes another's: what is shown is what may be seen now.
    let first = world.get("/Observation?_count=1&_sort=date");
    assert_eq!(ids(&first), ["of-ann"]);
    let next = first.link("next").unwrap();
    assert_eq!(ids(&world.get(&next)), ["ann-two"]);
    world.put(
        "/Observation/ann-two",
        &super::world::observation("ann-two", "bob", 50, "2022-01-01", ""),
    );
    assert_eq!(ids(&world.get(&next)), Vec::<String>::new());
}

#[test]
fn attack_43_nobody_changes_the_access_log_whatever_the_role() {
    let world = World::new();
    assert_eq!(world.get("/Patient/ann").status, 200);
    let officer = world.server.token(Kind::Person, person("officer", &["privacy-officer"]));
    let every: Vec<String> = ["system", "it-administrator", "privacy-officer", "auditor", "him"]
        .map(str::to_owned)
        .to_vec();
    let all = Profile { roles: every, ..person("all", &[]) };
    let all = world.server.token(Kind::Person, all);
    let service = world.server.bearer().replace("Bearer ", "");
    let events = world.server.get_as(&officer, "/AuditEvent?_count=1");
    let id = ids(&events).pop().expect("an event");
    let event = world.server.get_as(&officer, &format!("/AuditEvent/{id}"));
    assert_eq!(event.status, 200);
    let body = String::from_utf8_lossy(&event.body).into_owned();
    for token in [&officer, &all, &service, &world.who] {
        for (method, path, body) in [
            ("PUT", format!("/AuditEvent/{id}"), body.as_str()),
            ("DELETE", format!("/AuditEvent/{id}"), ""),
            ("PATCH", format!("/AuditEvent/{id}"), "[]"),
        ] {
            let answer = world.send(token, method, &path, body);
            assert!(answer.status >= 400, "{method} {path}: {}", answer.status);
        }
        // A condition finds what clients stored, of which there is nothing.
        world.send(token, "DELETE", "/AuditEvent?outcome=0", "");
    }
    let after = world.server.get_as(&officer, &format!("/AuditEvent/{id}"));
    assert_eq!(after.body, event.body);
}

#[test]
fn attack_43_nobody_brings_another_patient_into_care_by_what_they_may_write() {
    let world = World::new();
    let practitioner = r#"{"reference":"Practitioner/who"}"#;
    let (ann, bob) = (r#"{"reference":"Patient/ann"}"#, r#"{"reference":"Patient/bob"}"#);
    let today = &base::time::SystemClock.now().to_instant()[..10];
    let (start, end) = (format!("{today}T08:00:00Z"), format!("{today}T09:00:00Z"));
    let tries = [
        (
            "Appointment",
            format!(
                r#"{{"resourceType":"Appointment","status":"booked","start":"{start}","end":"{end}","participant":[{{"actor":{ann},"status":"accepted"}},{{"actor":{bob},"status":"accepted"}},{{"actor":{practitioner},"status":"accepted"}}]}}"#
            ),
        ),
        (
            "Encounter",
            format!(
                r#"{{"resourceType":"Encounter","status":"finished","class":{{"code":"AMB"}},"subject":{bob},"participant":[{{"individual":{practitioner}}}],"period":{{"start":"{start}"}},"extension":[{{"url":"urn:x","valueReference":{ann}}}]}}"#
            ),
        ),
        (
            "CareTeam",
            format!(
                r#"{{"resourceType":"CareTeam","status":"active","subject":{bob},"participant":[{{"member":{practitioner}}},{{"member":{ann}}}]}}"#
            ),
        ),
    ];
    let mut written = 0;
    for (kind, body) in tries {
        let answer = world.send(&world.who, "POST", &format!("/{kind}"), &body);
        written += u32::from(answer.status == 201);
    }
    assert!(written > 0, "what names somebody in care may be written");
    // A new sign-in knows at once what the record says of care.
    let profile = Profile { practitioner: Some("who".into()), ..person("who2", &["clinician"]) };
    let again = world.server.token(Kind::Person, profile);
    assert_eq!(world.server.get_as(&again, "/Patient/ann").status, 200);
    for path in ["/Patient/bob", "/Observation/of-bob", "/Condition/of-bob"] {
        assert_eq!(world.server.get_as(&again, path).status, 404, "{path}");
    }
}

#[test]
fn attack_48_breaking_the_glass_as_a_habit_is_ended_whoever_it_is_for_and_by_which_sign_in() {
    let world = World::new();
    let identity = world.server.record.identity();
    let password = Secret::new("four unrelated words here".to_owned());
    let er = person("er", &["clinician"]);
    identity.create_person(er, &password, false).unwrap();
    let sign_in = || {
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        match identity.begin("er", &password, home).unwrap() {
            Step::Done(opened) => opened.token.text().expose().to_owned(),
            Step::SecondFactor(_) => panic!("nobody has a second factor here"),
        }
    };
    let body = r#"{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}"#;
    let (mut broken, mut refused) = (0, 0);
    for n in 0..14 {
        // Another patient and another sign-in each time.
        let patient = if n % 2 == 0 { "ann" } else { "bob" };
        let answer =
            world.send(&sign_in(), "POST", &format!("/Patient/{patient}/$break-glass"), body);
        match answer.status {
            200 => broken += 1,
            429 => {
                assert_eq!(answer.code(), "access.break-glass.too-often");
                refused += 1;
            }
            status => panic!("{status}"),
        }
    }
    assert_eq!((broken, refused), (10, 4));
    // Each time is an event with its reason, for those who review them.
    let officer = world.server.token(Kind::Person, person("officer", &["privacy-officer"]));
    let log = world.server.get_as(&officer, "/AuditEvent?_count=200");
    let text = String::from_utf8_lossy(&log.body).into_owned();
    assert!(text.matches("unconscious in the emergency room").count() >= 10);
}
