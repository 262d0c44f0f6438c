//! What an app may do at the FHIR door: what its scopes and its user's policies both permit, for as long
//! as its grant stands. The guard is on.

use crate::client::Answer;
use crate::smart_site::{Site, Visitor, value};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base::Clock as _;
use base::time::SystemClock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use smart::{Proves, Registration, Scopes};

pub(crate) const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";

/// Eve's patients are Ada and Bob; Carl is nobody's.
pub(crate) fn clinic() -> Site {
    let site = Site::guarded();
    let cared = r#""generalPractitioner":[{"reference":"Practitioner/pr-eve"}],"#;
    for (id, cared) in [("bob", cared), ("carl", "")] {
        let name = r#""name":[{"family":"Lovelace"}]"#;
        let body = format!(r#"{{"resourceType":"Patient",{cared}"id":"{id}",{name}}}"#);
        site.put(&format!("Patient/{id}"), &body);
    }
    for (id, patient, category) in [
        ("ada-lab", "ada", "laboratory"),
        ("ada-pulse", "ada", "vital-signs"),
        ("bob-lab", "bob", "laboratory"),
        ("carl-lab", "carl", "laboratory"),
    ] {
        site.put(&format!("Observation/{id}"), &observation(id, patient, category));
        let condition = format!(
            r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/{patient}"}},"evidence":[{{"detail":[{{"reference":"Observation/{id}"}}]}}]}}"#
        );
        site.put(&format!("Condition/{id}"), &condition);
    }
    site
}

pub(crate) fn observation(id: &str, patient: &str, category: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"system":"{CATEGORY}","code":"{category}"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"8867-4"}}]}},"subject":{{"reference":"Patient/{patient}"}},"valueQuantity":{{"value":70}}}}"#
    )
}

/// The token that Eve gives the app, with Ada in context when it asks for a patient.
pub(crate) fn given(site: &Site, scopes: &str) -> String {
    let mut visitor = Visitor::new(site);
    visitor.open(&site.authorize(scopes));
    visitor.sign_in("eve");
    if scopes.contains("launch/patient") {
        visitor.send_form(&[("patient", "ada")]);
    }
    let back = visitor.answer("approve", &scopes.split(' ').collect::<Vec<_>>());
    let address = back.header("location").expect("an address");
    let token = site.trade(&value(address, "code").expect("a code"));
    assert_eq!(token.at("scope"), scopes, "{}", token.text());
    token.at("access_token")
}

pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text());
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
fn a_patient_scope_reaches_the_records_of_that_patient_and_of_that_type_alone() {
    let site = clinic();
    let token = given(&site, "launch/patient patient/Observation.rs");
    let get = |path: &str| site.ask(&token, "GET", path, "");
    assert_eq!(get("/Observation/ada-lab").status, 200);
    for path in [
        "/Observation",
        "/Observation?patient=ada",
        "/Observation?patient=bob,ada,carl",
        "/Observation?_include=Observation:patient",
        "/Observation/_history",
        "/",
        "/_history",
    ] {
        assert_eq!(ids(&get(path)), ["ada-lab", "ada-pulse"], "{path}");
    }
    assert_eq!(get("/Observation?_summary=count").at("total"), "2");
    // Nor over a record of another type, though its user sees it.
    for path in [
        "/Observation?patient=bob",
        "/Observation?patient.name=Lovelace",
        "/Observation?patient:Patient._id=ada",
        "/Observation?_has:Condition:evidence-detail:patient=ada",
        "/Observation?_id=bob-lab",
        "/Observation?_revinclude=Condition:evidence-detail&_id=bob-lab",
    ] {
        assert_eq!(ids(&get(path)), Vec::<String>::new(), "{path}");
    }
    assert_eq!(
        ids(&get("/Observation?_revinclude=Condition:evidence-detail")),
        ["ada-lab", "ada-pulse"]
    );
    // What is hidden and what is not there answer alike.
    for path in ["/Observation/{}", "/Observation/{}/_history", "/Observation/{}/_history/1"] {
        let hidden = get(&path.replace("{}", "bob-lab"));
        let absent = get(&path.replace("{}", "nob-lab"));
        assert_eq!(hidden.status, 404, "{path}");
        assert_eq!(hidden.body, absent.body, "{path}");
    }
    for path in [
        "/Patient/ada",
        "/Patient",
        "/Patient?_has:Observation:patient:code=8867-4",
        "/Patient/ada/_history",
        "/Patient/ada/$everything",
        "/Condition/ada-lab",
        "/Condition?patient=ada",
    ] {
        let answer = get(path);
        assert_eq!((answer.status, answer.code()), (403, "access.denied".to_owned()), "{path}");
    }
    let own = observation("ada-lab", "ada", "laboratory");
    for (method, path, body) in [
        ("POST", "/Observation", own.as_str()),
        ("PUT", "/Observation/ada-lab", &own),
        ("DELETE", "/Observation/ada-lab", ""),
    ] {
        let answer = site.ask(&token, method, path, body);
        assert_eq!(answer.status, 403, "{method} {path}");
        assert_eq!(answer.code(), "access.denied", "{method} {path}");
    }
}

#[test]
fn each_entry_of_a_batch_is_asked_by_itself() {
    let site = clinic();
    let token = given(&site, "launch/patient patient/Observation.rs");
    let entry =
        |method: &str, url: &str| format!(r#"{{"request":{{"method":"{method}","url":"{url}"}}}}"#);
    let entries = [
        entry("GET", "Observation/ada-lab"),
        entry("GET", "Observation/bob-lab"),
        entry("GET", "Patient/ada"),
        entry("DELETE", "Observation/ada-lab"),
    ];
    let batch =
        format!(r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#, entries.join(","));
    let answer = site.ask(&token, "POST", "/", &batch);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let document = answer.json();
    let entries = document.root().get("entry").expect("entries");
    let statuses: Vec<String> = entries
        .items()
        .filter_map(|e| Some(e.get("response")?.get_str("status")?.into_owned()))
        .map(|status| status.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(statuses, ["200", "404", "403", "403"]);
    assert_eq!(
        site.ask(&token, "GET", "/Observation/ada-lab", "").status,
        200,
        "it is still there"
    );
}

#[test]
fn both_versions_of_a_scope_reach_the_same() {
    let site = clinic();
    let old = given(&site, "launch/patient patient/Observation.read");
    let new = given(&site, "launch/patient patient/Observation.rs");
    let search_only = given(&site, "launch/patient patient/Observation.s");
    let paths = [
        "/Observation",
        "/Observation/ada-lab",
        "/Observation/bob-lab",
        "/Observation/ada-lab/_history",
        "/Patient/ada",
        "/Observation?patient.name=Lovelace",
    ];
    let mut differ = 0;
    for path in paths {
        let of = |token: &str| {
            let answer = site.ask(token, "GET", path, "");
            let found =
                (answer.status == 200 && path.starts_with("/Observation?")).then(|| ids(&answer));
            (answer.status, found)
        };
        assert_eq!(of(&old), of(&new), "{path}");
        differ += usize::from(of(&search_only) != of(&new));
    }
    assert!(differ > 0, "a scope with other letters does differ");
}

#[test]
fn a_user_scope_stays_within_what_the_user_may_do() {
    let site = clinic();
    let read = given(&site, "user/*.rs");
    let get = |path: &str| site.ask(&read, "GET", path, "");
    assert_eq!(ids(&get("/Patient")), ["ada", "bob"], "Carl is not of Eve's patients");
    assert_eq!(ids(&get("/Observation")), ["ada-lab", "ada-pulse", "bob-lab"]);
    assert_eq!(get("/Patient/carl").status, 404);
    let own = observation("ada-lab", "ada", "laboratory");
    let refused = site.ask(&read, "PUT", "/Observation/ada-lab", &own);
    assert_eq!((refused.status, refused.code()), (403, "access.denied".to_owned()));
    // With a scope to write, what Eve may write, and no more.
    let write = given(&site, "user/Observation.cruds");
    let new = |patient: &str| {
        let body = observation("x", patient, "laboratory").replace(r#""id":"x","#, "");
        site.ask(&write, "POST", "/Observation", &body).status
    };
    assert_eq!(new("ada"), 201);
    assert_ne!(new("carl"), 201);
    assert_eq!(site.ask(&write, "GET", "/Patient/ada", "").status, 403);
    // What is hidden and what is not there answer alike, and nothing is deleted.
    let delete = |path: &str| site.ask(&write, "DELETE", path, "").status;
    assert_eq!(delete("/Observation/carl-lab"), delete("/Observation/nobodys"));
    site.unchanged("/Observation/carl-lab");
}

#[test]
fn a_token_that_was_narrowed_reaches_no_more_beside_the_wide_one_of_its_grant() {
    let site = clinic();
    let scopes = "user/*.cruds offline_access";
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize(scopes));
    visitor.sign_in("eve");
    let back = visitor.answer("approve", &["user/*.cruds", "offline_access"]);
    let address = back.header("location").expect("an address");
    let wide = site.trade(&value(address, "code").expect("a code"));
    let narrow = site.refresh(&format!("{}&scope=user%2FPatient.r", wide.at("refresh_token")));
    assert_eq!(narrow.at("scope"), "user/Patient.r", "{}", narrow.text());
    let status = |token: &str, path: &str| site.ask(token, "GET", path, "").status;
    let (wide, narrow) = (wide.at("access_token"), narrow.at("access_token"));
    for _ in 0..2 {
        assert_eq!(status(&wide, "/Observation/ada-lab"), 200);
        assert_eq!(status(&narrow, "/Observation/ada-lab"), 403, "a moment after the wide one");
        assert_eq!(status(&narrow, "/Patient/ada"), 200);
        let write = observation("ada-lab", "ada", "laboratory");
        let refused = site.ask(&narrow, "PUT", "/Observation/ada-lab", &write);
        assert_eq!(refused.code(), "record.write.create-by-update-off", "it is not there for it");
    }
    site.unchanged("/Observation/ada-lab");
}

#[test]
fn access_ends_with_the_request_after_the_grant_is_taken_back() {
    let site = clinic();
    let first = given(&site, "launch/patient patient/Observation.rs");
    let second = given(&site, "user/*.rs");
    let status = |token: &str| site.ask(token, "GET", "/Observation/ada-lab", "").status;
    assert_eq!((status(&first), status(&second)), (200, 200));
    // By the user, on the page of apps: one grant, and not the other.
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "apps");
    let page = visitor.open("/auth/apps");
    let grant = page.field("grant").expect("a grant");
    visitor.send_form(&[("grant", &grant)]);
    let mut after = [status(&first), status(&second)];
    after.sort_unstable();
    assert_eq!(after, [200, 401]);
    // By the app itself.
    let left = if status(&first) == 200 { first } else { second };
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("client_id={}&token={left}", site.app);
    assert_eq!(site.send("POST", "/auth/revoke", &form, &body).status, 200);
    assert_eq!(status(&left), 401);
    // And by shutting the user out.
    let third = given(&site, "user/*.rs");
    assert_eq!(status(&third), 200);
    let identity = site.smart.identity();
    let eve = identity.find_by_name("eve").unwrap().expect("Eve");
    identity.disable(eve.id, eve.version, "left").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(status(&third), 401);
}

#[test]
fn a_service_reaches_what_its_scopes_and_its_role_both_permit() {
    let site = clinic();
    let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
    let register = |name: &str, roles: &[&str]| {
        let point = key.public_key().as_ref();
        let (x, y) = (part(&point[1..49]), part(&point[49..]));
        let set = format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-384","alg":"ES384","kid":"k1","x":"{x}","y":"{y}"}}]}}"#
        );
        let registration = Registration {
            name: name.to_owned(),
            display: "Registry feed".to_owned(),
            redirects: Vec::new(),
            launch_url: None,
            proves: Proves::Keys(set),
            scopes: Scopes::parse("system/Patient.rs").expect("scopes"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            introspects: false,
            agent: false,
        };
        site.smart.register_app(registration).expect("an app").app.id.to_string()
    };
    let token = |id: &str, scope: &str| {
        let now_s = SystemClock.now().0 / 1000;
        let claims = format!(
            r#"{{"iss":"{id}","sub":"{id}","aud":"http://{}/auth/token","exp":{},"jti":"{id}-{scope}"}}"#,
            site.address,
            now_s + 60
        );
        let header = part(br#"{"alg":"ES384","typ":"JWT","kid":"k1"}"#);
        let text = format!("{header}.{}", part(claims.as_bytes()));
        let signature = key.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &format!("{text}.{}", part(signature.as_ref()))),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let body = search::parse::encode_query(&fields);
        let answer = site.send("POST", "/auth/token", &form, &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.at("access_token")
    };
    let able = token(&register("feed", &["system"]), "system/Patient.rs system/Observation.rs");
    let get = |token: &str, path: &str| site.ask(token, "GET", path, "");
    assert_eq!(ids(&get(&able, "/Patient")), ["ada", "bob", "carl"]);
    assert_eq!(get(&able, "/Patient/carl").status, 200);
    for path in ["/Observation", "/Observation/ada-lab", "/Condition?patient=ada"] {
        assert_eq!(get(&able, path).status, 403, "{path}: it was registered for patients alone");
    }
    assert_eq!(ids(&get(&able, "/Patient?_revinclude=Observation:patient")).len(), 3);
    let body = r#"{"resourceType":"Patient","id":"ada"}"#;
    assert_eq!(site.ask(&able, "PUT", "/Patient/ada", body).status, 403);
    // Without a role it may ask, and is given nothing.
    let roleless = token(&register("roleless", &[]), "system/Patient.rs");
    assert_eq!(get(&roleless, "/Patient/ada").status, 403);
}

fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
