//! Refresh tokens (attack 29 of the guard's list).

use crate::support::{MINUTE_MS, Site, body, form, public, text};

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

#[test]
fn a_refresh_gives_a_new_pair_for_the_same_scopes_and_patient() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let first = site.dance(&app, &caller, ALL);
    site.clock.turn(15 * MINUTE_MS);
    assert!(!site.is_good(&text(&first, "access_token")));
    // Offline: whether the user is signed in does not matter, nor does a restart.
    site.smart.identity().revoke_all(caller.principal.id).expect("signed out");
    let site = site.restarted();
    let second = body(&site.refresh(&app, &text(&first, "refresh_token")).expect("refreshed"));
    assert_ne!(text(&second, "refresh_token"), text(&first, "refresh_token"));
    assert!(site.is_good(&text(&second, "access_token")));
    assert_eq!(text(&second, "scope"), ALL);
    assert_eq!(text(&second, "patient"), "ada");
    assert_eq!(second["expires_in"], 900);
}

/// Guard 29.
#[test]
fn attack_29_a_refresh_token_used_twice_ends_the_family() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let first = site.dance(&app, &caller, ALL);
    let old = text(&first, "refresh_token");
    let second = body(&site.refresh(&app, &old).expect("refreshed"));
    let site = site.restarted();
    assert_eq!(site.refresh(&app, &old).expect_err("reused").error, "invalid_grant");
    for given in [&first, &second] {
        assert!(!site.is_good(&text(given, "access_token")));
        let again = site.refresh(&app, &text(given, "refresh_token"));
        assert_eq!(again.expect_err("ended").error, "invalid_grant");
    }
    assert!(site.smart.given_by(caller.principal.id).is_empty());
    assert!(!site.restarted().is_good(&text(&second, "access_token")), "also on the shelf");
}

#[test]
fn a_refresh_token_is_bound_to_its_app_and_a_made_up_one_ends_nothing() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let other = site.app(public("other", ALL));
    let given = site.dance(&app, &caller, ALL);
    let good = text(&given, "refresh_token");
    assert_eq!(site.refresh(&other, &good).expect_err("another's").error, "invalid_grant");
    // The same grant, but bytes that were never given: no thief, so nothing ends.
    let made_up = format!("{}{}", &good[..30], "A".repeat(good.len() - 30));
    assert_eq!(site.refresh(&app, &made_up).expect_err("never given").error, "invalid_grant");
    for bad in ["", "plr_", "x", &good[..good.len() - 1], &good.replace("plr_", "pla_")] {
        assert!(site.refresh(&app, bad).is_err(), "{bad}");
    }
    site.refresh(&app, &good).expect("still good");
}

/// Guard 29.
#[test]
fn attack_29_a_refresh_may_ask_for_less_and_never_for_more() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (
        site.sign_in("eve"),
        site.app(public("chart", "patient/*.cruds user/*.rs offline_access")),
    );
    let list = "patient/*.rs offline_access";
    let mut refresh = text(&site.dance(&app, &caller, list), "refresh_token");
    let mut ask = |list: &str| {
        let params = form(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &refresh),
            ("client_id", &app.app.id.to_string()),
            ("scope", list),
        ]);
        let answer = site.smart.token(&params, None, &site.place).map(|issued| body(&issued));
        if let Ok(given) = &answer {
            refresh = text(given, "refresh_token");
        }
        answer
    };
    for more in [
        "patient/*.cruds",
        "patient/*.write",
        "user/Patient.rs",
        "openid",
        "patient/*.rs system/*.rs",
        "patient/*.rs made-up",
    ] {
        assert_eq!(ask(more).expect_err(more).error, "invalid_scope", "{more}");
    }
    let less = ask("patient/Observation.read").expect("less");
    assert_eq!(text(&less, "scope"), "patient/Observation.read");
    let grant = site.smart.find(&text(&less, "access_token"), None).expect("found").grant;
    assert_eq!(grant.expect("a grant").scopes.to_string(), "patient/Observation.read");
    // What was given is still given.
    assert_eq!(text(&ask(list).expect("the whole"), "scope"), list);
}

#[test]
fn a_public_app_need_not_name_itself_and_a_confidential_one_must_prove_itself() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let bare =
        |token: &str| site.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let given =
        body(&bare(&text(&site.dance(&app, &caller, ALL), "refresh_token")).expect("given"));
    let now = smart::Registration { proves: smart::Proves::Secret, ..public("chart", ALL) };
    site.smart.change_app(app.app.id, now).expect("changed");
    let refused = bare(&text(&given, "refresh_token")).expect_err("no proof");
    assert_eq!(refused.error, "invalid_client");
    assert_eq!(bare("plr_x").expect_err("none").error, "invalid_grant");
}

#[test]
fn online_access_ends_with_the_session() {
    let site = Site::new();
    site.person("eve", |_| {});
    let list = "patient/*.rs online_access";
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", list)));
    let first = site.dance(&app, &caller, list);
    let second = body(&site.refresh(&app, &text(&first, "refresh_token")).expect("signed in"));
    site.smart.identity().revoke(caller.session).expect("signed out");
    let refused = site.refresh(&app, &text(&second, "refresh_token"));
    assert_eq!(refused.expect_err("offline").error, "invalid_grant");
}

#[test]
fn a_refresh_token_lives_three_months_from_its_last_use() {
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let mut given = site.dance(&app, &caller, ALL);
    for _ in 0..3 {
        site.clock.turn(93 * DAY_MS);
        given = body(&site.refresh(&app, &text(&given, "refresh_token")).expect("within"));
    }
    site.clock.turn(101 * DAY_MS);
    assert!(site.refresh(&app, &text(&given, "refresh_token")).is_err());
    assert_eq!(site.smart.sweep().expect("swept"), 1);
    let left =
        identity::Shelf::scan(site.shelf.as_ref(), identity::ShelfName::AppRefreshes, &[], None, 9);
    assert!(left.expect("read").is_empty());
}

#[test]
fn without_a_scope_for_it_nothing_can_be_refreshed() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", "patient/*.rs")));
    assert_eq!(site.dance(&app, &caller, "patient/*.rs").get("refresh_token"), None);
}

#[test]
fn who_is_disabled_gets_nothing_more() {
    for app_too in [false, true] {
        let site = Site::new();
        let person = site.person("eve", |_| {});
        let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
        let given = site.dance(&app, &caller, ALL);
        let identity = site.smart.identity();
        let who = if app_too { identity.principal(app.app.id).expect("one") } else { person };
        identity.disable(who.id, who.version, "left").expect("disabled");
        site.clock.turn(1000);
        assert!(!site.is_good(&text(&given, "access_token")), "{app_too}");
        assert!(site.refresh(&app, &text(&given, "refresh_token")).is_err());
    }
}

#[test]
fn what_an_app_may_no_longer_be_given_it_no_longer_gets() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let given = site.dance(&app, &caller, ALL);
    let less = public("chart", "patient/Patient.rs offline_access");
    site.smart.change_app(app.app.id, less).expect("changed");
    let given = body(&site.refresh(&app, &text(&given, "refresh_token")).expect("refreshed"));
    assert_eq!(text(&given, "scope"), "patient/Patient.rs offline_access");
}
