//! Tokens once they are given: asking about them and taking them back.

use crate::support::{Signer, Site, basic, body, form, public, service, shown, text};
use serde_json::{Value, json};
use smart::{Proves, Refused, Registration};

const ALL: &str = "openid fhirUser patient/*.rs offline_access";

fn asks(site: &Site, pairs: &[(&str, &str)], header: Option<&str>) -> Result<Value, Refused> {
    let answer = site.smart.introspect(&form(pairs), header, &site.place)?;
    Ok(serde_json::from_str(&answer).expect("JSON"))
}

#[test]
fn whoever_may_ask_is_told_what_a_token_is() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let watcher =
        Registration { introspects: true, proves: Proves::Secret, ..public("watcher", ALL) };
    let watcher = site.app(watcher);
    let given = site.dance(&app, &caller, ALL);
    let access = text(&given, "access_token");
    let told = asks(&site, &[("token", &access)], Some(&basic(&watcher))).expect("told");
    assert_eq!(
        told,
        json!({
            "active": true, "token_type": "Bearer", "scope": ALL, "client_id": app.app.id.to_string(),
            "aud": "https://ehr.example/fhir", "iss": "https://ehr.example/fhir",
            "exp": site.now_s() + 900, "sub": caller.principal.id.to_string(), "patient": "ada",
            "fhirUser": "https://ehr.example/fhir/Practitioner/pr-eve",
        })
    );
    let refresh = text(&given, "refresh_token");
    let told = asks(&site, &[("token", &refresh)], Some(&basic(&watcher))).expect("told");
    assert_eq!(told["active"], true);
    for unknown in ["x", "pla_", &access.replace("pla_", "plr_")] {
        let told = asks(&site, &[("token", unknown)], Some(&basic(&watcher))).expect("told");
        assert_eq!(told, json!({ "active": false }));
    }
    site.clock.turn(900_000);
    let told = asks(&site, &[("token", &access)], Some(&basic(&watcher))).expect("told");
    assert_eq!(told, json!({ "active": false }));
}

#[test]
fn nobody_else_learns_what_a_token_is_worth() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let other = site.app(Registration { proves: Proves::Secret, ..public("other", ALL) });
    let access = text(&site.dance(&app, &caller, ALL), "access_token");
    let told = asks(&site, &[("token", &access)], Some(&basic(&other))).expect("told");
    assert_eq!(told, json!({ "active": false }));
    let public_app = [("token", access.as_str()), ("client_id", &app.app.id.to_string())];
    assert_eq!(asks(&site, &public_app, None).expect_err("no proof").error, "invalid_client");
    let bearer = format!("Bearer {access}");
    let refused = asks(&site, &[("token", &access)], Some(&bearer));
    assert_eq!(refused.expect_err("not registered for it").error, "invalid_client");
}

#[test]
fn a_service_may_ask_with_its_own_token() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let watcher = site.app(Registration { introspects: true, ..service("watcher", &signer) });
    let own = site.by_assertion(&signer.sign(&signer.header(), &site.claims(&watcher, "j")));
    let bearer = format!("Bearer {}", text(&body(&own.expect("given")), "access_token"));
    let access = text(&site.dance(&app, &caller, ALL), "access_token");
    let told = asks(&site, &[("token", &access)], Some(&bearer)).expect("told");
    assert_eq!(told["client_id"], app.app.id.to_string());
}

#[test]
fn an_app_takes_back_a_token_or_all_that_came_of_it() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let other = site.app(public("other", ALL));
    let id = app.app.id.to_string();
    let revoke = |app: &str, token: &str| {
        site.smart.revoke_token(&form(&[("client_id", app), ("token", token)]), None, &site.place)
    };
    let given = site.dance(&app, &caller, ALL);
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    revoke(&other.app.id.to_string(), &access).expect("nothing is told");
    revoke(&other.app.id.to_string(), &refresh).expect("nothing is told");
    assert!(site.is_good(&access), "another's");
    revoke(&id, &access).expect("revoked");
    assert!(!site.is_good(&access));
    let next = body(&site.refresh(&app, &refresh).expect("the grant stands"));
    revoke(&id, &text(&next, "refresh_token")).expect("revoked");
    assert!(!site.is_good(&text(&next, "access_token")));
    assert!(site.refresh(&app, &text(&next, "refresh_token")).is_err());
    revoke(&id, "no token").expect("nothing is told");
    assert_eq!(revoke("nobody", &access).expect_err("no app").error, "invalid_client");
    assert!(site.smart.given_by(caller.principal.id).is_empty());
}

#[test]
fn a_user_sees_what_they_gave_and_takes_it_back() {
    let site = Site::new();
    site.person("eve", |_| {});
    site.person("mallory", |_| {});
    let (eve, mallory) = (site.sign_in("eve"), site.sign_in("mallory"));
    let app = site.app(public("chart", ALL));
    let given = site.dance(&app, &eve, ALL);
    let list = site.smart.given_by(eve.principal.id);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].display, "Growth Chart");
    assert_eq!(list[0].grant.shown, shown("ada"));
    let id = list[0].grant.id;
    assert!(!site.smart.revoke_given(mallory.principal.id, id).expect("asked"), "another's");
    assert!(site.is_good(&text(&given, "access_token")));
    assert!(site.smart.revoke_given(eve.principal.id, id).expect("asked"));
    assert!(!site.is_good(&text(&given, "access_token")));
    assert!(site.refresh(&app, &text(&given, "refresh_token")).is_err());
    assert!(site.restarted().smart.given_by(eve.principal.id).is_empty());
}

#[test]
fn a_token_of_a_session_is_found_and_carries_no_grant() {
    let site = Site::new();
    site.person("eve", |_| {});
    let caller = site.sign_in("eve");
    let script =
        site.smart.identity().issue(caller.principal.id, 60_000, "a script").expect("issued");
    let found = site.smart.find(script.token.text().expose(), None).expect("found");
    assert_eq!(found.caller.principal.id, caller.principal.id);
    assert_eq!(found.grant, None);
    for bad in ["", "x", "pla_x", "plm_x"] {
        assert_eq!(
            site.smart.find(bad, None).expect_err(bad).code().name,
            "identity.token.invalid"
        );
    }
}

#[test]
fn nothing_that_is_handed_out_stands_in_the_store() {
    let site = Site::new();
    site.person("eve", |_| {});
    let caller = site.sign_in("eve");
    let app = site.app(Registration { proves: Proves::Secret, ..public("chart", ALL) });
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    let params = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", crate::support::BACK),
        ("code_verifier", crate::support::VERIFIER),
    ]);
    let given = body(&site.smart.token(&params, Some(&basic(&app)), &site.place).expect("traded"));
    let secret = app.secret.as_ref().expect("a secret").expose().to_owned();
    for text in [text(&given, "access_token"), text(&given, "refresh_token"), code, secret] {
        let bare = &text[4..];
        for name in identity::ShelfName::ALL {
            let items = identity::Shelf::scan(site.shelf.as_ref(), name, &[], None, 1000);
            for (_, item) in items.expect("read") {
                let body = String::from_utf8_lossy(&item.body).into_owned();
                assert!(!body.contains(bare), "{name:?}");
            }
        }
        assert!(!format!("{:?} {app:?}", site.smart).contains(bare));
    }
}

#[test]
fn the_key_that_signs_survives_a_restart_and_can_be_rotated() {
    let site = Site::new();
    let keys = |site: &Site| -> Vec<String> {
        let set: Value =
            serde_json::from_str(&site.smart.signing_set().expect("a set")).expect("JSON");
        assert_eq!(set["keys"][0].get("d"), None);
        set["keys"].as_array().expect("keys").iter().map(|key| text(key, "kid")).collect()
    };
    let first = keys(&site);
    assert_eq!(first.len(), 1);
    let site = site.restarted();
    assert_eq!(keys(&site), first);
    site.smart.rotate_signing_key().expect("rotated");
    let second = keys(&site);
    assert_eq!((second.len(), &second[1]), (2, &first[0]));
    assert_eq!(keys(&site.restarted()), second);
}

#[test]
fn discovery_lists_what_is_done_with_whole_addresses() {
    let site = Site::new();
    let body: Value =
        serde_json::from_str(&site.smart.smart_configuration(&site.place)).expect("JSON");
    assert_eq!(body["issuer"], "https://ehr.example/fhir");
    assert_eq!(body["token_endpoint"], "https://ehr.example/auth/token");
    assert_eq!(body["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(body["token_endpoint_auth_signing_alg_values_supported"], json!(["RS384", "ES384"]));
    assert!(
        body["grant_types_supported"]
            .as_array()
            .expect("types")
            .contains(&json!("client_credentials"))
    );
    for (name, value) in body.as_object().expect("an object") {
        if name.ends_with("_endpoint") || name.ends_with("_uri") {
            assert!(value.as_str().expect("text").starts_with("https://ehr.example/"), "{name}");
        }
    }
    let openid: Value =
        serde_json::from_str(&site.smart.openid_configuration(&site.place)).expect("JSON");
    assert_eq!(openid["id_token_signing_alg_values_supported"], json!(["RS256"]));
}
