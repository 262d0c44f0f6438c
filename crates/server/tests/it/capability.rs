//! The capability statement, held against what the server does.

use crate::client::{Running, patient};
use crate::smart_site::Site;
use server::route::ROUTES;

#[test]
fn the_table_of_routes_reads_as_it_should() {
    let mut text = String::new();
    for row in ROUTES {
        let (method, path) = (row.method.as_str(), row.shape.template());
        text.push_str(&format!("{method:<7}{path:<42}{}\n", row.interaction.name()));
    }
    insta::assert_snapshot!("routes", text);
}

#[test]
fn the_statement_says_what_is_built() {
    let server = Running::start();
    let answer = server.get("/metadata");
    assert_eq!(answer.status, 200);
    let document = answer.json();
    let root = document.root();
    let rest = root.get("rest").and_then(|r| r.items().next()).unwrap();
    let list = |value: Option<fhir::Value<'_>>, name: &str| -> String {
        let items = value.map_or_else(Vec::new, |v| v.items().collect());
        let names = items.iter().filter_map(|i| i.get_str(name)).collect::<Vec<_>>();
        names.join(" ")
    };
    let mut text = format!("system: {}\n", list(rest.get("interaction"), "code"));
    let types: Vec<_> = rest.get("resource").unwrap().items().collect();
    text.push_str(&format!("types: {}\n", types.len()));
    let patient = types.iter().find(|t| t.get_str("type").as_deref() == Some("Patient")).unwrap();
    text.push_str(&format!("patient: {}\n", list(patient.get("interaction"), "code")));
    for name in [
        "versioning",
        "readHistory",
        "updateCreate",
        "conditionalCreate",
        "conditionalRead",
        "conditionalUpdate",
        "conditionalDelete",
        "referencePolicy",
        "searchInclude",
    ] {
        text.push_str(&format!("{name}: {}\n", patient.get(name).map_or("", |v| v.raw())));
    }
    text.push_str(&format!("searchParam: {}\n", list(patient.get("searchParam"), "name")));
    text.push_str(&format!("operation: {}\n", list(patient.get("operation"), "name")));
    insta::assert_snapshot!("capabilities", text);
}

#[test]
fn the_statement_says_where_apps_ask_when_the_guard_is_on() {
    let site = Site::guarded();
    let statement = |site: &Site| {
        let answer = site.send("GET", "/fhir/metadata", &[], "");
        assert_eq!(answer.status, 200, "nobody needs a token for it");
        let document = answer.json();
        let rest = document.root().get("rest").and_then(|r| r.items().next()).unwrap();
        assert_eq!(rest.get_str("mode").as_deref(), Some("server"));
        assert_eq!(rest.get("resource").unwrap().items().count(), 146);
        let security = rest.get("security").unwrap().raw().to_owned();
        security.replace(&site.address.to_string(), "HOST")
    };
    insta::assert_snapshot!("security", statement(&site));
    let body = String::from_utf8(site.send("GET", "/fhir/metadata", &[], "").body).unwrap();
    site.put("CapabilityStatement/plummer", &body);
    // Each of the addresses is one that discovery names as well.
    let discovery = site.send("GET", "/fhir/.well-known/smart-configuration", &[], "").text();
    let (security, mut found) = (statement(&site), 0);
    for address in security.split("\"valueUri\":\"").skip(1) {
        let address = address.split('"').next().unwrap();
        let address = address.replace("HOST", &site.address.to_string());
        assert!(discovery.contains(&address), "{address}");
        found += 1;
    }
    assert_eq!(found, 5);
    // Without a guard nobody is asked for a token.
    let open = statement(&Site::start());
    assert!(!open.contains("SMART-on-FHIR") && !open.contains("oauth-uris"), "{open}");
}

#[test]
fn the_statement_is_itself_a_valid_resource() {
    let server = Running::start();
    let statement = String::from_utf8(server.get("/metadata").body).unwrap();
    let stored = server.put("/CapabilityStatement/plummer", &statement);
    assert_eq!(stored.status, 201, "{}", String::from_utf8_lossy(&stored.body));
}

#[test]
fn every_parameter_it_names_is_understood() {
    let server = Running::start();
    server.put("/Patient/a", &patient("a", "A"));
    let document = server.get("/metadata").json();
    let rest = document.root().get("rest").and_then(|r| r.items().next()).unwrap();
    for of in rest.get("resource").unwrap().items() {
        let name = of.get_str("type").unwrap();
        if !matches!(&*name, "Patient" | "Observation" | "Encounter") {
            continue;
        }
        for parameter in of.get("searchParam").unwrap().items() {
            let code = parameter.get_str("name").unwrap();
            let kind = parameter.get_str("type").unwrap();
            let value = match (&*code, &*kind) {
                ("_has" | "_type" | "near", _) | (_, "composite") => continue,
                (_, "date") => "2020",
                (_, "number" | "quantity") => "5",
                (_, "reference") => "a",
                _ => "x",
            };
            let answer = server.get(&format!("/{name}?{code}={value}&_summary=count"));
            assert_eq!(answer.status, 200, "{name}?{code}={value}");
        }
        for include in of.get("searchInclude").unwrap().items() {
            let include = include.as_str().unwrap();
            let answer = server.get(&format!("/{name}?_include={include}&_count=1"));
            assert_eq!(answer.status, 200, "{name}?_include={include}");
        }
    }
}

#[test]
fn parts_and_modes_are_answered() {
    let server = Running::start();
    let summary = server.get("/metadata?_summary=true");
    assert_eq!((summary.status, summary.at("meta.tag.0.code")), (200, "SUBSETTED".to_owned()));
    assert!(summary.body.len() < server.get("/metadata").body.len());
    assert_eq!(server.get("/metadata?mode=full").status, 200);
    assert_eq!(server.get("/metadata?mode=terminology").status, 400);
}
