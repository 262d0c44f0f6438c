//! Launches from the EHR (attack 29 of the guard's list).

use crate::support::{MINUTE_MS, Site, body, public, scopes, shown, text, value};
use smart::Shown;

const ALL: &str = "launch launch/encounter patient/*.rs";

#[test]
fn an_app_started_by_the_ehr_learns_whom_it_is_about() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let whom = Shown {
        patient: Some("ada".into()),
        encounter: Some("enc-1".into()),
        intent: Some("summary".into()),
        need_patient_banner: Some(false),
    };
    let launched = site.smart.launch(&caller, app.app.id, whom, &site.place).expect("launched");
    let address = launched.address.expose();
    assert!(address.starts_with("https://app.example/launch?"));
    assert_eq!(value(address, "iss").as_deref(), Some("https://ehr.example/fhir"));
    let launch = value(address, "launch").expect("a launch");
    let request = site.request(&app, ALL).set("launch", &launch);
    let given = body(&site.trade(&app, &site.code(&caller, &request, None, ALL)).expect("traded"));
    assert_eq!(text(&given, "patient"), "ada");
    assert_eq!(text(&given, "encounter"), "enc-1");
    assert_eq!(text(&given, "intent"), "summary");
    assert_eq!(given["need_patient_banner"], false);
    // Once.
    assert_eq!(site.turned(&site.request(&app, ALL).set("launch", &launch)), "invalid_request");
}

/// Guard 29.
#[test]
fn attack_29_a_launch_cannot_be_swapped_between_apps_users_or_patients() {
    let site = Site::new();
    site.person("eve", |_| {});
    site.person("mallory", |_| {});
    let (eve, mallory) = (site.sign_in("eve"), site.sign_in("mallory"));
    let (app, other) = (site.app(public("chart", ALL)), site.app(public("other", ALL)));
    let launch = || {
        let made = site.smart.launch(&eve, app.app.id, shown("ada"), &site.place);
        made.expect("launched").launch.expose().to_owned()
    };
    let text = launch();
    // Another app does not get it, and does not use it up.
    assert_eq!(site.turned(&site.request(&other, ALL).set("launch", &text)), "invalid_request");
    // Nor can another user answer for it, nor the patient be another.
    let browser = site.smart.draw_browser().expect("drawn");
    let request = site.request(&app, ALL).set("launch", &text);
    let asked = site.smart.begin(&request.params(), browser.expose(), &site.place).expect("taken");
    let (asked, browser) = (asked.expose(), browser.expose());
    assert!(site.smart.approve(asked, browser, &mallory, &scopes(ALL)).is_err());
    assert!(site.smart.choose_patient(asked, browser, &eve, "bob").is_err());
    assert!(site.smart.approve(asked, browser, &eve, &scopes(ALL)).is_ok());
    // Nor does it wait for ever.
    let late = launch();
    site.clock.turn(5 * MINUTE_MS);
    assert_eq!(site.turned(&site.request(&app, ALL).set("launch", &late)), "invalid_request");
}

#[test]
fn a_patient_in_the_address_is_not_one_in_context() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let browser = site.smart.draw_browser().expect("drawn");
    let request = site.request(&app, ALL).set("patient", "bob");
    let asked = site.smart.begin(&request.params(), browser.expose(), &site.place).expect("taken");
    let ask = site.smart.waiting(asked.expose(), browser.expose()).expect("waiting");
    assert!(ask.needs_patient());
    let approved = site.smart.approve(asked.expose(), browser.expose(), &caller, &scopes(ALL));
    assert!(approved.is_err());
}

#[test]
fn what_is_no_id_or_no_app_is_not_launched() {
    let site = Site::new();
    site.person("eve", |_| {});
    let caller = site.sign_in("eve");
    let app = site.app(public("chart", ALL));
    let bare = site.app(smart::Registration { launch_url: None, ..public("bare", ALL) });
    let launch = |id, whom| site.smart.launch(&caller, id, whom, &site.place);
    assert!(launch(app.app.id, shown("../x")).is_err());
    assert!(launch(bare.app.id, shown("ada")).is_err());
    assert!(launch(caller.principal.id, shown("ada")).is_err());
    let script =
        site.smart.identity().issue(caller.principal.id, 60_000, "a script").expect("issued");
    let script = site.smart.identity().find(script.token.text().expose(), None).expect("found");
    assert!(site.smart.launch(&script, app.app.id, shown("ada"), &site.place).is_err());
}
