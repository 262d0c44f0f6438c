//! Scopes with search parameters at the FHIR door: what an app was given of a type is what matches, and
//! nothing tells it of the rest (SMART App Launch 2.2, finer-grained resource constraints; 45 CFR
//! 170.315(g)(10)).

use crate::smart_scopes::{CATEGORY, clinic, given, ids, observation};
use crate::smart_site::{Site, Visitor, value};

/// What Eve gives of one category, beside whole types.
fn of_category(site: &Site, actions: &str, category: &str, more: &str) -> String {
    given(
        site,
        &format!(
            "launch/patient patient/Observation.{actions}?category={CATEGORY}|{category}{more}"
        ),
    )
}

#[test]
fn a_record_outside_the_search_is_shown_nowhere() {
    let site = clinic();
    let more = " patient/Condition.rs patient/Patient.rs";
    let token = of_category(&site, "rs", "laboratory", more);
    let get = |path: &str| site.ask(&token, "GET", path, "");
    assert_eq!(get("/Observation/ada-lab").status, 200);
    for (path, expected) in [
        ("/Observation", &["ada-lab"][..]),
        ("/Observation?patient=ada", &["ada-lab"]),
        ("/Observation?_sort=-_lastUpdated", &["ada-lab"]),
        ("/Observation?patient=ada&_sort=-date", &["ada-lab"]),
        ("/Observation?code=8867-4", &["ada-lab"]),
        ("/Observation?category:not=laboratory", &[]),
        ("/Observation?category=vital-signs", &[]),
        ("/Observation?_id=ada-pulse,ada-lab", &["ada-lab"]),
        ("/Observation?value-quantity=70", &["ada-lab"]),
        ("/Observation?patient.name=Lovelace", &["ada-lab"]),
        ("/Observation?_has:Condition:evidence-detail:patient=ada", &["ada-lab"]),
        ("/Observation/_history", &["ada-lab"]),
        ("/Patient?_has:Observation:patient:category=vital-signs", &[]),
        ("/Patient?_has:Observation:patient:_id=ada-pulse", &[]),
        ("/Patient?_has:Observation:patient:category=laboratory", &["ada"]),
        ("/Patient?_revinclude=Observation:patient", &["ada", "ada-lab"]),
        ("/Condition?evidence-detail:Observation.category=vital-signs", &[]),
        ("/Condition?evidence-detail:Observation._id=ada-pulse", &[]),
        ("/Condition?evidence-detail:Observation.category=laboratory", &["ada-lab"]),
        ("/Condition?_include=Condition:evidence-detail", &["ada-lab", "ada-lab", "ada-pulse"]),
        ("/?_type=Observation", &["ada-lab"]),
        ("/Patient/ada/Observation", &["ada-lab"]),
        ("/Patient/ada/$everything?_type=Observation", &["ada-lab"]),
    ] {
        assert_eq!(ids(&get(path)), expected, "{path}");
    }
    assert_eq!(get("/Observation?_summary=count").at("total"), "1");
    assert_eq!(get("/Observation?category=vital-signs&_summary=count").at("total"), "0");
    // What is hidden and what is not there answer alike.
    for path in ["/Observation/{}", "/Observation/{}/_history", "/Observation/{}/_history/1"] {
        let hidden = get(&path.replace("{}", "ada-pulse"));
        let absent = get(&path.replace("{}", "nobodys"));
        assert_eq!((hidden.status, &hidden.body), (404, &absent.body), "{path}");
    }
    // Another patient's stays hidden, though it matches.
    assert_eq!(get("/Observation/bob-lab").status, 404);
    // Two searches of one type are joined.
    let both = of_category(
        &site,
        "rs",
        "laboratory",
        &format!(
            " patient/Observation.rs?category={CATEGORY}|vital-signs&code=http://loinc.org|8867-4"
        ),
    );
    assert_eq!(ids(&site.ask(&both, "GET", "/Observation", "")), ["ada-lab", "ada-pulse"]);
    let of_user = given(&site, "user/Observation.rs?category=vital-signs,exam&status=final");
    assert_eq!(ids(&site.ask(&of_user, "GET", "/Observation", "")), ["ada-pulse"]);
}

#[test]
fn a_change_leads_neither_out_of_the_search_nor_into_it() {
    let site = clinic();
    let token = of_category(&site, "cruds", "laboratory", "");
    let ask = |method: &str, path: &str, body: &str| site.ask(&token, method, path, body);
    let code = |method: &str, path: &str, body: &str| {
        let answer = ask(method, path, body);
        (answer.status, if answer.status < 300 { String::new() } else { answer.code() })
    };
    let denied = (403, "access.denied".to_owned());
    let new = |category: &str| {
        // A code with a text that the store has never seen.
        observation("x", "ada", category)
            .replace(r#""id":"x","#, "")
            .replace(r#""code":"8867-4""#, r#""code":"8867-4","display":"Pulse""#)
    };
    assert_eq!(code("POST", "/Observation", &new("laboratory")).0, 201);
    assert_eq!(code("POST", "/Observation", &new("vital-signs")), denied);
    let own = |category: &str| observation("ada-lab", "ada", category);
    assert_eq!(code("PUT", "/Observation/ada-lab", &own("laboratory")).0, 200);
    assert_eq!(code("PUT", "/Observation/ada-lab", &own("vital-signs")), denied);
    let hidden = observation("ada-pulse", "ada", "laboratory");
    let absent = hidden.replace("ada-pulse", "nobodys");
    assert_eq!(
        code("PUT", "/Observation/ada-pulse", &hidden),
        code("PUT", "/Observation/nobodys", &absent)
    );
    assert_eq!(
        code("DELETE", "/Observation/ada-pulse", ""),
        code("DELETE", "/Observation/nobodys", "")
    );
    site.unchanged("/Observation/ada-pulse");
    // Nor in a bundle.
    let entry = format!(
        r#"{{"resource":{},"request":{{"method":"PUT","url":"Observation/ada-lab"}}}}"#,
        own("vital-signs")
    );
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entry}]}}"#);
    assert_eq!(code("POST", "/", &bundle), denied);
    assert_eq!(ask("GET", "/Observation/ada-lab", "").status, 200, "it still is what it was");
}

#[test]
fn a_version_from_before_the_record_matched_stays_hidden() {
    let site = clinic();
    let pulse = observation("ada-pulse", "ada", "laboratory");
    let eve = given(&site, "user/Observation.cruds");
    assert_eq!(site.ask(&eve, "PUT", "/Observation/ada-pulse", &pulse).status, 200);
    let token = of_category(&site, "rs", "laboratory", "");
    let status = |path: &str| site.ask(&token, "GET", path, "").status;
    assert_eq!(status("/Observation/ada-pulse/_history/2"), 200);
    assert_eq!(status("/Observation/ada-pulse/_history/1"), 404);
    let history = site.ask(&token, "GET", "/Observation/ada-pulse/_history", "");
    assert_eq!(ids(&history).len(), 1);
    let history = site.ask(&token, "GET", "/Observation/_history", "");
    assert_eq!(ids(&history), ["ada-lab", "ada-pulse"]);
    // What is no longer there says nothing any more: not that it once matched either.
    assert_eq!(site.ask(&site.all, "DELETE", "/Observation/ada-pulse", "").status, 204);
    assert_eq!(status("/Observation/ada-pulse"), 404);
    assert_eq!(site.ask(&eve, "GET", "/Observation/ada-pulse", "").status, 410);
}

#[test]
fn a_search_that_is_no_condition_is_an_invalid_scope() {
    let site = clinic();
    for query in [
        "made-up=1",
        "category:not=laboratory",
        "category:in=http://x.org/vs",
        "subject.name=Ada",
        "date=gt2020",
        "_has:Condition:evidence-detail:patient=ada",
        "_id=ada-lab",
        "_include=Observation:subject",
    ] {
        let scope = format!("patient/Observation.rs?{query}");
        let mut visitor = Visitor::new(&site);
        let back = visitor.open(&site.authorize(&scope));
        let address = back.header("location").expect("the app is told").to_owned();
        assert_eq!(value(&address, "error").as_deref(), Some("invalid_scope"), "{query}");
    }
    // Beside others it is left out, and the app learns of it.
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize("user/Observation.rs?made-up=1 user/Patient.rs"));
    visitor.sign_in("eve");
    let back = visitor.answer("approve", &["user/Patient.rs", "user/Observation.rs?made-up=1"]);
    let address = back.header("location").expect("an address");
    let token = site.trade(&value(address, "code").expect("a code"));
    assert_eq!(token.at("scope"), "user/Patient.rs");
    assert_eq!(site.ask(&token.at("access_token"), "GET", "/Observation", "").status, 403);
}
