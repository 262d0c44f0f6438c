//! A second factor that a role demands, over HTTP: what whoever lacks it gets, and what they do not; and
//! the page on which a password is changed that has to be.

use crate::smart_site::{Making, Site, Visitor, value};
use crate::smart_totp::enrol;
use identity::Secret;
use std::time::Duration;

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

fn demanding(roles: &'static [&'static str]) -> Site {
    Site::with(Making { demand: roles, ..Making::default() })
}

/// What is believed of somebody is believed for a second.
fn wait() {
    std::thread::sleep(Duration::from_millis(1100));
}

fn register(site: &Site, visitor: &Visitor<'_>) {
    let identity = site.smart.identity();
    let token = visitor.cookie("__Host-plummer-session").expect("a session");
    enrol(identity, &identity.find_confined(&token, None).expect("somebody"));
}

#[test]
fn whoever_lacks_a_demanded_factor_is_led_to_one_page_and_gets_nothing_else() {
    let site = demanding(&["clinician"]);
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "");
    let one_page =
        |text: &str| text.contains("One step is left") && !text.contains("href=\"apps\"");
    assert!(one_page(&page.text()), "{}", page.text());
    assert_eq!(site.logged(audit::event::Kind::SignInConfined).len(), 1);
    for path in ["/auth/apps", "/auth/launch", "/auth/sign-in", &site.authorize(ALL)] {
        let page = visitor.open(path);
        assert!(one_page(&page.text()), "{path}: {}", page.text());
    }
    // Forms of other pages, sent as if they had been shown.
    visitor.open("/auth/factors");
    let form = visitor.form.clone();
    for path in ["/auth/apps", "/auth/launch", "/auth/patient", "/auth/approval"] {
        let fields = [("form", form.as_str()), ("answer", "approve"), ("scope", "patient/*.rs")];
        let fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let sent = visitor.post(path, &fields, &[]);
        let to = sent.header("location").unwrap_or_default();
        assert!(
            sent.status == 303 && to.ends_with("/auth/factors"),
            "{path}: {} {to}",
            sent.status
        );
    }
    // The session's token is no key to the record either.
    let token = visitor.cookie("__Host-plummer-session").expect("a session");
    let refused = site.ask(&token, "GET", "/Patient?_count=1", "");
    assert_eq!((refused.status, refused.code().as_str()), (403, "identity.factor.missing"));
    assert!(refused.text().contains("make a passkey or set up an authenticator app"));
    register(&site, &visitor);
    let page = visitor.open("/auth/factors");
    assert!(page.text().contains("href=\"apps\"") && !page.text().contains("One step is left"));
    assert_eq!(site.ask(&token, "GET", "/Patient?_count=1", "").status, 200);
    assert!(visitor.open("/auth/apps").text().contains("eve Someone"));
}

#[test]
fn an_app_gets_nothing_while_its_user_lacks_a_demanded_factor() {
    let site = demanding(&["nurse"]);
    let mut visitor = Visitor::new(&site);
    visitor.open(&site.authorize(ALL));
    visitor.sign_in("eve");
    visitor.send_form(&[("patient", "ada")]);
    let back = visitor.answer("approve", &ALL.split(' ').collect::<Vec<_>>());
    let code = value(back.header("location").expect("an address"), "code").expect("a code");
    let token = site.trade(&code);
    let read = || site.ask(&token.at("access_token"), "GET", "/Patient?_count=1", "");
    assert_eq!(read().status, 200);
    site.give("eve", &["clinician", "nurse"]);
    wait();
    assert_eq!((read().status, read().code().as_str()), (403, "identity.factor.missing"));
    let refreshed = site.refresh(&token.at("refresh_token"));
    assert_eq!((refreshed.status, refreshed.at("error").as_str()), (400, "invalid_grant"));
    register(&site, &visitor);
    wait();
    assert_eq!(read().status, 200);
    assert_eq!(site.refresh(&token.at("refresh_token")).status, 200, "it did not end");
}

#[test]
fn whoever_has_a_second_factor_and_showed_one_is_asked_for_it() {
    let site = demanding(&["nurse"]);
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    let recovery = site.enrol("eve");
    assert!(visitor.open("/auth/apps").text().contains("eve Someone"), "nothing is demanded yet");
    site.give("eve", &["clinician", "nurse"]);
    let page = visitor.open("/auth/apps");
    assert!(page.text().contains("you have shown one only"), "{}", page.text());
    visitor.send_form(&[("code", &recovery)]);
    assert!(visitor.open("/auth/apps").text().contains("eve Someone"));
    // Whoever lacks it can always leave.
    let mut other = Visitor::new(&site);
    other.open("/auth/sign-in");
    site.give("mallory", &["nurse"]);
    other.sign_in_for("mallory", "");
    let form = other.form.clone();
    other.post("/auth/sign-out", &[("form".to_owned(), form)], &[]);
    assert!(other.cookie("__Host-plummer-session").is_none());
}

#[test]
fn before_the_day_of_a_demand_people_are_told_and_nobody_is_held_up() {
    let demand_from = Some(base::Millis(4_102_444_800_000));
    let site = Site::with(Making { demand: &["clinician"], demand_from, ..Making::default() });
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "");
    assert!(page.text().contains("<h1>Today</h1>"), "{}", page.text());
    let page = visitor.open("/auth/factors");
    // By the clock of the house, which here is that of the machine.
    let is_told = |text: &str| {
        let days = ["01-Jan-2100", "31-Dec-2099"];
        days.iter().any(|day| text.contains(&format!("From {day} on your role asks")))
    };
    assert!(is_told(&page.text()), "{}", page.text());
    register(&site, &visitor);
    assert!(!is_told(&visitor.open("/auth/factors").text()));
}

#[test]
fn a_password_that_has_to_be_changed_is_changed_on_the_page() {
    let site = demanding(&[]);
    let (identity, eve) = (site.smart.identity(), site.id("eve"));
    let given = "gegeben und nicht behalten";
    identity.reset_password(eve, &Secret::from(given)).expect("reset");
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let answer = visitor.post_sign_in("eve", given, "");
    let page = visitor.follow(answer);
    assert!(page.status == 403 && page.text().contains("Choose a password"), "{}", page.text());
    assert!(!page.text().contains(given));
    let mut send = |new: &str, again: &str| {
        let fields = [("name", "eve"), ("password", given), ("new", new), ("again", again)];
        visitor.send_form(&fields)
    };
    let page = send("wir essen um halb acht", "wir essen um halb neun");
    assert!(page.text().contains("are not the same"), "{}", page.text());
    let page = send("password", "password");
    assert!(page.status == 422 && page.text().contains("at least 12"), "{}", page.text());
    let page = send("wir essen um halb acht", "wir essen um halb acht");
    assert!(page.text().contains("eve Someone"), "{}", page.text());
}

#[test]
fn with_a_second_factor_the_page_takes_a_new_password_after_it_alone() {
    let site = demanding(&[]);
    let eve = site.id("eve");
    let recovery = site.enrol("eve");
    let given = "gegeben und nicht behalten";
    site.smart.identity().reset_password(eve, &Secret::from(given)).expect("reset");
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let new = "wir essen um halb acht";
    // Name and password alone, straight to the form: whoever stole them.
    let page =
        visitor.send_form(&[("name", "eve"), ("password", given), ("new", new), ("again", new)]);
    assert_eq!(page.status, 401, "{}", page.text());
    visitor.open("/auth/sign-in");
    let answer = visitor.post_sign_in("eve", given, "");
    let page = visitor.follow(answer);
    assert!(!page.text().contains("Choose a password"), "{}", page.text());
    let text = page.text();
    let handle = text.split("name=\"handle\" value=\"").nth(1).and_then(|t| t.split('"').next());
    let handle = handle.expect("a handle");
    let page = visitor.send_form(&[("handle", handle), ("code", &recovery)]);
    assert!(page.status == 403 && page.text().contains("Choose a password"), "{}", page.text());
    assert!(!page.text().contains("The password you have"), "{}", page.text());
    let page = visitor.send_form(&[("handle", handle), ("new", new), ("again", new)]);
    assert!(page.text().contains("name=\"handle\""), "asked for the factor: {}", page.text());
    assert!(site.smart.identity().password_state(eve).unwrap().is_some_and(|s| !s.must_change));
}
