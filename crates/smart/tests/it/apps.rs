//! Registering, changing and retiring apps.

use crate::support::{Site, body, public, text};
use identity::Kind;
use smart::{Proves, Registration};

const ALL: &str = "patient/*.rs offline_access";

#[test]
fn an_app_is_a_principal_of_its_own_and_survives_a_restart() {
    let site = Site::new();
    let made = site.app(Registration { proves: Proves::Secret, ..public("chart", ALL) });
    let principal = site.smart.identity().principal(made.app.id).expect("a principal");
    assert_eq!(principal.kind, Kind::App);
    assert_eq!(principal.profile.display, "Growth Chart");
    let site = site.restarted();
    assert_eq!(site.smart.apps(), std::slice::from_ref(&made.app));
    assert!(site.smart.is_app_origin("https://app.example"));
    assert!(!site.smart.is_app_origin("https://evil.example"));
    let twice = site.smart.register_app(public("Chart", ALL)).expect_err("the name is taken");
    assert_eq!(twice.code().name, "identity.login.taken");
}

#[test]
fn a_retired_app_has_nothing_and_can_do_nothing() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let given = site.dance(&app, &caller, ALL);
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    assert_eq!(site.smart.retire_app(app.app.id, "no longer used").expect("retired"), 1);
    assert!(!site.is_good(&text(&given, "access_token")));
    assert!(site.refresh(&app, &text(&given, "refresh_token")).is_err());
    assert!(site.trade(&app, &code).is_err());
    assert_eq!(site.turned(&site.request(&app, ALL)), "page");
    let site = site.restarted();
    assert!(site.smart.apps().is_empty());
    assert!(site.smart.given_by(caller.principal.id).is_empty());
}

#[test]
fn a_public_app_that_becomes_confidential_gets_its_secret_then() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    assert!(app.secret.is_none());
    let now = Registration { proves: Proves::Secret, ..public("chart", ALL) };
    let changed = site.smart.change_app(app.app.id, now.clone()).expect("changed");
    assert!(changed.secret.is_some());
    assert!(site.smart.change_app(app.app.id, now).expect("changed").secret.is_none());
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    assert_eq!(site.trade(&app, &code).expect_err("no secret").error, "invalid_client");
}

#[test]
fn one_more_grant_than_are_kept_ends_the_one_unused_for_longest() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let first = site.dance(&app, &caller, ALL);
    for _ in 0..31 {
        site.clock.turn(1);
        site.dance(&app, &caller, ALL);
    }
    assert!(site.is_good(&text(&first, "access_token")));
    site.clock.turn(1);
    let again = body(&site.refresh(&app, &text(&first, "refresh_token")).expect("used"));
    site.clock.turn(1);
    site.dance(&app, &caller, ALL);
    assert_eq!(site.smart.given_by(caller.principal.id).len(), 32);
    assert!(site.is_good(&text(&again, "access_token")), "another was unused for longer");
}

#[test]
fn what_the_disk_would_not_end_is_ended_when_it_is_asked_again_and_opens_nothing_meanwhile() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let given = [site.dance(&app, &caller, ALL), site.dance(&app, &caller, ALL)];
    site.shelf.refuse(true);
    let end = || site.smart.end_all_of(caller.principal.id, identity::By::Operator);
    assert!(end().is_err());
    assert!(given.iter().all(|one| !site.is_good(&text(one, "access_token"))));
    assert!(end().is_err(), "nothing is left in memory, and the disk still has it");
    site.shelf.refuse(false);
    end().expect("ended");
    let ended = |deed: &identity::Deed| deed.kind == identity::DeedKind::Revoked;
    assert_eq!(site.shelf.deeds().iter().filter(|deed| ended(deed)).count(), 2);
    let site = site.restarted();
    assert!(site.smart.given_by(caller.principal.id).is_empty());
    assert!(given.iter().all(|one| site.refresh(&app, &text(one, "refresh_token")).is_err()));
}
