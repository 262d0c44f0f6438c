//! The authorization server over HTTP, by a client that shows everything. The numbers of attacks are
//! those of the guard's list.

use crate::client::Answer;
use crate::smart_site::{BACK, Site, Visitor, value};

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

#[test]
fn discovery_is_json_for_anybody_whatever_they_accept() {
    let site = Site::start();
    for path in [
        "/fhir/.well-known/smart-configuration",
        "/fhir/.well-known/openid-configuration",
        "/auth/jwks",
    ] {
        let headers = [("Accept", "text/html"), ("Origin", "https://anybody.example")];
        let answer = site.send("GET", path, &headers, "");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    }
    let body = site.send("GET", "/fhir/.well-known/smart-configuration", &[], "");
    assert_eq!(body.at("token_endpoint"), format!("http://{}/auth/token", site.address));
    assert_eq!(body.at("issuer"), format!("http://{}/fhir", site.address));
}

#[test]
fn a_browser_goes_from_sign_in_over_the_patient_to_the_app_with_a_code() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    let page = visitor.open(&site.authorize(ALL));
    assert!(page.text().contains("Growth Chart"), "{}", page.text());
    let page = visitor.sign_in("eve");
    assert!(page.text().contains("Choose a patient"), "{}", page.text());
    let page = visitor.send_form(&[("name", "Love")]);
    assert!(page.text().contains("Ann Lovelace"), "{}", page.text());
    let page = visitor.send_form(&[("patient", "ada")]);
    assert!(page.text().contains("Decide what the app may do"), "{}", page.text());
    assert!(page.text().contains("See the patient’s records of every kind."));
    let back = visitor.answer(
        "approve",
        &["patient/Observation.rs", "openid", "fhirUser", "offline_access", "launch/patient"],
    );
    assert_eq!(back.status, 303);
    let address = back.header("location").expect("an address").to_owned();
    assert!(address.starts_with(BACK), "{address}");
    let code = value(&address, "code").expect("a code");
    let token = site.trade(&code);
    assert_eq!(token.status, 200, "{}", token.text());
    assert_eq!(token.header("cache-control"), Some("no-store"));
    assert_eq!(token.header("pragma"), Some("no-cache"));
    assert_eq!(token.at("patient"), "ada");
    assert_eq!(
        token.at("scope"),
        "openid fhirUser launch/patient patient/Observation.rs offline_access"
    );
    // The page of apps shows it, and ends it.
    let page = visitor.open("/auth/apps");
    assert!(page.text().contains("Growth Chart"), "{}", page.text());
    let grant = page.field("grant").expect("a grant");
    let page = visitor.send_form(&[("grant", &grant)]);
    assert!(page.text().contains("No app can see anything"), "{}", page.text());
    let again = site.refresh(&token.at("refresh_token"));
    assert_eq!((again.status, again.at("error").as_str()), (400, "invalid_grant"));
}

#[test]
fn denying_is_as_easy_and_tells_the_app() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize("launch/patient patient/Patient.read"));
    visitor.sign_in("eve");
    visitor.send_form(&[("patient", "ada")]);
    let back = visitor.answer("deny", &[]);
    let address = back.header("location").expect("an address");
    assert_eq!(value(address, "error").as_deref(), Some("access_denied"));
    assert_eq!(value(address, "state").as_deref(), Some("state-of-sixteen-or-more"));
}

#[test]
fn an_app_may_ask_by_a_posted_form() {
    let site = Site::start();
    let query = site.authorize(ALL);
    let query = query.split_once('?').expect("a query").1;
    // From a page of the app, as a browser sends it.
    let headers =
        [("Origin", "https://app.example"), ("Content-Type", "application/x-www-form-urlencoded")];
    let answer = site.send("POST", "/auth/authorize", &headers, query);
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").expect("one").contains("/auth/continue?request="));
}

#[test]
fn the_ehr_starts_an_app_for_a_patient() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/launch");
    visitor.sign_in_for("eve", "launch");
    let page = visitor.open("/auth/launch");
    assert!(page.text().contains("Growth Chart"), "{}", page.text());
    let app = site.app.clone();
    let started = visitor.send_form(&[("patient", "ada"), ("app", &app)]);
    let address = started.header("location").expect("an address").to_owned();
    assert!(address.starts_with("https://app.example/launch?"), "{address}");
    let launch = value(&address, "launch").expect("a launch");
    let page = visitor.open(&format!("{}&launch={launch}", site.authorize("launch patient/*.rs")));
    assert!(page.text().contains("Ann Lovelace"), "no picker: {}", page.text());
    let back = visitor.answer("approve", &["launch", "patient/*.rs"]);
    let token = site.trade(&value(back.header("location").expect("one"), "code").expect("a code"));
    assert_eq!(token.at("patient"), "ada");
    assert_eq!(token.at("need_patient_banner"), "true");
}

#[test]
fn whom_the_user_may_not_see_no_app_is_started_for() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/launch");
    visitor.sign_in_for("eve", "launch");
    visitor.open("/auth/launch");
    let app = site.app.clone();
    let refused = visitor.send_form(&[("patient", "nobody"), ("app", &app)]);
    assert_eq!(refused.status, 404);
    visitor.open(&site.authorize(ALL));
    let refused = visitor.send_form(&[("patient", "nobody")]);
    assert_eq!(refused.status, 404);
}

/// Guard 28.
#[test]
fn attack_28_nobody_is_redirected_to_an_address_that_is_not_registered() {
    let site = Site::start();
    for bad in ["https://evil.example/cb", "//evil.example", "https://app.example/cb/x"] {
        let address = site.authorize(ALL).replace(&encode(BACK), &encode(bad));
        let answer = site.send("GET", &address, &[], "");
        assert_eq!(answer.status, 400, "{bad}");
        assert_eq!(answer.header("location"), None);
        assert!(!answer.text().contains("evil.example"));
    }
    // Nor by a way around: where a sign-in leads is one of our own pages.
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "continue?x"] {
        let mut visitor = Visitor::new(&site);
        visitor.open("/auth/sign-in");
        let answer = visitor.sign_in_raw("eve", next);
        let to = answer.header("location").expect("somewhere");
        assert_eq!(to, format!("http://{}/today", site.address), "{next}");
    }
}

/// Guard 31.
#[test]
fn attack_31_pages_cannot_be_framed_scripted_or_kept_and_cookies_are_bound_to_the_host() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    let mut pages = vec![visitor.open(&site.authorize(ALL))];
    pages.push(visitor.sign_in("eve"));
    pages.push(visitor.send_form(&[("name", "Love")]));
    pages.push(visitor.send_form(&[("patient", "ada")]));
    pages.push(visitor.open("/auth/apps"));
    pages.push(visitor.open("/auth/launch"));
    pages.push(visitor.open("/auth/continue?request=none"));
    for page in &pages {
        let policy = page.header("content-security-policy").expect("a policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script-src") && !policy.contains("unsafe"));
        assert!(!page.text().contains("<script") && !page.text().contains(" style="));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert_eq!(page.header("access-control-allow-origin"), None);
    }
    assert!(!visitor.set_cookies.is_empty());
    for cookie in &visitor.set_cookies {
        assert!(cookie.starts_with("__Host-plummer-"), "{cookie}");
        for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
    }
}

/// Guard 31.
#[test]
fn attack_31_a_session_that_was_planted_before_is_worth_nothing_after_signing_in() {
    let site = Site::start();
    // Whoever plants a token knows it; after the sign-in the browser has another.
    let mut mallory = Visitor::new(&site);
    mallory.open("/auth/sign-in");
    mallory.sign_in("mallory");
    let planted = mallory.cookie("__Host-plummer-session").expect("a session");
    let mut victim = Visitor::new(&site);
    victim.open("/auth/sign-in");
    victim.plant("__Host-plummer-session", &planted);
    victim.open(&site.authorize(ALL));
    victim.open("/auth/apps");
    let form = victim.form.clone();
    victim.sign_in_with("eve", &form);
    let own = victim.cookie("__Host-plummer-session").expect("a session");
    assert_ne!(own, planted);
    assert!(victim.open("/auth/apps").text().contains("eve Someone"));
    // And what was planted has ended.
    assert!(mallory.open("/auth/apps").text().contains("Sign-in name"));
}

/// Guard 31.
#[test]
fn attack_31_a_form_of_another_page_browser_or_session_changes_nothing() {
    let site = Site::start();
    let (mut eve, mut mallory) = (Visitor::new(&site), Visitor::new(&site));
    for (visitor, name) in [(&mut eve, "eve"), (&mut mallory, "mallory")] {
        visitor.open(&site.authorize(ALL));
        visitor.sign_in(name);
        visitor.send_form(&[("patient", "ada")]);
    }
    let (own, foreign) = (eve.form.clone(), mallory.form.clone());
    let request = eve.request.clone();
    let fields = |form: &str| {
        vec![
            ("form".to_owned(), form.to_owned()),
            ("request".to_owned(), request.clone()),
            ("answer".to_owned(), "approve".to_owned()),
            ("scope".to_owned(), "patient/*.rs".to_owned()),
        ]
    };
    for form in [foreign.as_str(), ""] {
        let answer = eve.post("/auth/approval", &fields(form), &[]);
        assert_eq!(answer.status, 401, "{}", answer.text());
        assert_eq!(answer.header("location"), None);
    }
    for origin in ["https://evil.example", "null", "http://localhost:1"] {
        let answer = eve.post("/auth/approval", &fields(&own), &[("Origin", origin)]);
        assert_eq!(answer.status, 400, "{origin}");
    }
    // Another browser cannot answer the request either, whoever it is.
    let answer = mallory.post("/auth/approval", &fields(&foreign), &[]);
    assert_eq!(answer.status, 401);
    let answer = eve.post("/auth/approval", &fields(&own), &[]);
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").expect("one").starts_with(BACK));
    for path in ["/auth/sign-in", "/auth/sign-out", "/auth/apps", "/auth/patient", "/auth/launch"] {
        assert_eq!(eve.post(path, &fields(&foreign), &[]).status, 401, "{path}");
    }
}

/// Guard 31.
#[test]
fn attack_31_a_wrong_name_and_a_wrong_password_read_the_same() {
    let site = Site::start();
    let mut pages = Vec::new();
    for (name, password) in
        [("eve", "wrong"), ("nobody-at-all", "tulpen in rotterdam"), ("ev", "x")]
    {
        let mut visitor = Visitor::new(&site);
        visitor.open("/auth/sign-in");
        let answer = visitor.post_sign_in(name, password, "");
        assert_eq!(answer.status, 401);
        let form = visitor.form.clone();
        let text = answer.text().replace(&answer.field("form").unwrap_or(form), "");
        // What was typed comes back, whether anybody is called so or not; nothing else differs.
        let typed = format!("required value=\"{name}\"");
        assert_eq!(text.matches(&typed).count(), 1, "{text}");
        pages.push(text.replace(&typed, ""));
    }
    assert!(pages.windows(2).all(|pair| pair[0] == pair[1]), "{pages:#?}");
    assert!(pages[0].contains("role=\"alert\""));
}

#[test]
fn who_guesses_has_to_wait_and_is_told_how_long() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let mut last = visitor.post_sign_in("eve", "wrong", "");
    for _ in 0..6 {
        last = visitor.post_sign_in("eve", "wrong", "");
    }
    assert_eq!(last.status, 429);
    assert!(last.header("retry-after").is_some());
}

#[test]
fn pages_of_registered_apps_may_read_what_is_for_apps_and_others_may_not() {
    let site = Site::start();
    for (origin, told) in [("https://app.example", true), ("https://evil.example", false)] {
        for path in ["/auth/token", "/auth/revoke"] {
            let headers =
                [("Origin", origin), ("Content-Type", "application/x-www-form-urlencoded")];
            let answer = site.send("POST", path, &headers, "grant_type=refresh_token");
            let shared = answer.header("access-control-allow-origin");
            assert_eq!(shared, told.then_some(origin), "{path}");
            let before = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
            let answer = site.send("OPTIONS", path, &before, "");
            assert_eq!(answer.status, 204);
            assert_eq!(answer.header("access-control-allow-origin").is_some(), told);
        }
        let answer = site.send("GET", "/fhir/metadata", &[("Origin", origin)], "");
        assert_eq!(answer.status == 200, told);
        let answer = site.send("OPTIONS", "/fhir/Patient/ada", &[("Origin", origin)], "");
        let headers = answer.header("access-control-allow-headers").unwrap_or_default().to_owned();
        assert_eq!(headers.contains("Authorization"), told);
    }
}

#[test]
fn refusals_of_the_token_endpoint_are_of_oauth_and_quote_nothing() {
    let site = Site::start();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let ask = |body: &str| site.send("POST", "/auth/token", &form, body);
    let app = &site.app;
    for (body, status, error) in [
        (String::new(), 400, "invalid_request"),
        ("grant_type=password&username=a&password=b".into(), 400, "unsupported_grant_type"),
        ("grant_type=authorization_code&client_id=x&code=y".into(), 401, "invalid_client"),
        (
            format!("grant_type=authorization_code&client_id={app}&code=secret-code"),
            400,
            "invalid_grant",
        ),
        (
            format!("grant_type=refresh_token&client_id={app}&client_id={app}"),
            400,
            "invalid_request",
        ),
    ] {
        let answer = ask(&body);
        assert_eq!((answer.status, answer.at("error").as_str()), (status, error), "{body}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(!answer.text().contains("secret-code"));
    }
    assert_eq!(site.send("GET", "/auth/token", &[], "").status, 405);
    let json = [("Content-Type", "application/json")];
    assert_eq!(site.send("POST", "/auth/token", &json, "{}").status, 415);
}

#[test]
fn a_second_factor_is_asked_for_where_there_is_one() {
    let site = Site::start();
    let recovery = site.enrol("eve");
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize("launch/patient patient/Patient.rs"));
    let page = visitor.sign_in("eve");
    assert!(page.text().contains("One more step"), "{}", page.text());
    assert_eq!(visitor.cookie("__Host-plummer-session"), None);
    let handle = page.field("handle").expect("a handle");
    let request = visitor.request.clone();
    let next = page.field("next").expect("where it was going");
    let send = |visitor: &mut Visitor<'_>, code: &str| -> Answer {
        let form = visitor.form.clone();
        let fields: Vec<_> =
            [("form", form.as_str()), ("handle", &handle), ("next", &next), ("code", code)]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .to_vec();
        visitor.post("/auth/sign-in", &fields, &[])
    };
    assert_eq!(send(&mut visitor, "000000").status, 401);
    let answer = send(&mut visitor, &recovery);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.header("location").expect("one").contains(&request) || !next.is_empty());
    assert!(visitor.open("/auth/apps").text().contains("eve Someone"));
}

#[test]
fn signing_out_ends_the_session() {
    let site = Site::start();
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    visitor.sign_in("eve");
    let token = visitor.cookie("__Host-plummer-session").expect("a session");
    visitor.open("/auth/apps");
    let form = visitor.form.clone();
    visitor.post("/auth/sign-out", &[("form".to_owned(), form)], &[]);
    visitor.plant("__Host-plummer-session", &token);
    assert!(visitor.open("/auth/apps").text().contains("Sign-in name"));
}

fn encode(text: &str) -> String {
    text.replace(':', "%3A").replace('/', "%2F")
}
