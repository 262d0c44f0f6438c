//! How apps prove themselves (attacks 26, 27 and 29 of the guard's list).

use crate::support::{MINUTE_MS, Signer, Site, basic, body, form, part, public, service, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use smart::{Action, Allowed, Proves, Registration};

#[test]
fn a_service_gets_a_short_token_for_itself_by_signing() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let app = site.app(service("loader", &signer));
    let given = site.by_assertion(&signer.sign(&signer.header(), &site.claims(&app, "j1")));
    let given = body(&given.expect("given"));
    assert_eq!(given["expires_in"], 300);
    assert_eq!(text(&given, "scope"), "system/*.rs");
    assert_eq!(given.get("refresh_token"), None);
    let access = text(&given, "access_token");
    let found = site.smart.find(&access, None).expect("found");
    assert_eq!(found.caller.principal.id, app.app.id);
    let grant = found.grant.expect("a grant");
    assert_eq!(grant.allows(Action::Read, "Patient"), Allowed::All);
    assert_eq!(grant.allows(Action::Update, "Patient"), Allowed::None);
    site.clock.turn(5 * MINUTE_MS);
    assert!(!site.is_good(&access));
}

/// Guard 26.
#[test]
fn attack_26_an_assertion_is_refused_unless_a_registered_key_signed_it_with_its_own_algorithm() {
    let (site, signer, thief) = (Site::new(), Signer::new("k1"), Signer::new("k1"));
    let app = site.app(service("loader", &signer));
    let claims = site.claims(&app, "j1");
    let refused = |assertion: &str, why: &str| {
        let refused = site.by_assertion(assertion).expect_err(why);
        assert_eq!((refused.status, refused.error), (401, "invalid_client"), "{why}");
    };
    refused(&thief.sign(&signer.header(), &claims), "another key of the same name");
    let none = json!({ "alg": "none", "kid": "k1" });
    refused(&format!("{}.{}.", part(&none), part(&claims)), "no algorithm");
    // The public key as a shared secret.
    let shared = json!({ "alg": "HS384", "typ": "JWT", "kid": "k1" });
    let message = format!("{}.{}", part(&shared), part(&claims));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA384, signer.set().as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, message.as_bytes());
    refused(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag)), "a shared secret");
    for kid in ["../../../dev/null", "k1' OR '1'='1", "k2", "K1", "k1\u{0}"] {
        let header = json!({ "alg": "ES384", "kid": kid });
        refused(&thief.sign(&header, &claims), kid);
    }
    let own: Value = serde_json::from_str(&thief.set()).expect("JSON");
    let embedded = json!({ "alg": "ES384", "kid": "k1", "jwk": own["keys"][0] });
    refused(&thief.sign(&embedded, &claims), "a key that it brings along");
    refused(&signer.sign(&json!({ "alg": "RS384", "kid": "k1" }), &claims), "another algorithm");
    let jku = json!({ "alg": "ES384", "kid": "k1", "jku": "https://evil.example/jwks" });
    refused(&signer.sign(&jku, &claims), "an address, where a set was registered");
    let good = signer.sign(&signer.header(), &claims);
    let (head, tail) = good.split_at(good.len() / 2);
    refused(&format!("{head}A{tail}"), "altered");
    refused(&good[..good.len() - 2], "cut");
    site.by_assertion(&good).expect("none of this used it up");
}

/// Guard 26.
#[test]
fn attack_26_only_the_registered_address_is_ever_asked_for_keys() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let url = "https://app.example/jwks";
    let app = site
        .app(Registration { proves: Proves::KeysAt(url.to_owned()), ..service("loader", &signer) });
    *site.posted.body.lock() = signer.set();
    for jku in ["https://evil.example/jwks", "http://169.254.169.254/", "https://app.example/jwks/"]
    {
        let header = json!({ "alg": "ES384", "kid": "k1", "jku": jku });
        let refused = site.by_assertion(&signer.sign(&header, &site.claims(&app, jku)));
        assert_eq!(refused.expect_err(jku).error, "invalid_client");
    }
    assert!(site.posted.asked.lock().is_empty());
    let header = json!({ "alg": "ES384", "kid": "k1", "jku": url });
    site.by_assertion(&signer.sign(&header, &site.claims(&app, "j1"))).expect("its own");
    site.by_assertion(&signer.sign(&signer.header(), &site.claims(&app, "j2")))
        .expect("none named");
    assert_eq!(*site.posted.asked.lock(), [url]);
}

/// Guard 27.
#[test]
fn attack_27_a_key_that_is_rotated_away_is_no_longer_taken() {
    let (site, old, new) = (Site::new(), Signer::new("old"), Signer::new("new"));
    let app = site.app(Registration {
        proves: Proves::KeysAt("https://app.example/jwks".to_owned()),
        ..service("loader", &old)
    });
    *site.posted.body.lock() = old.set();
    let ask = |signer: &Signer, jti: &str| {
        site.by_assertion(&signer.sign(&signer.header(), &site.claims(&app, jti))).is_ok()
    };
    assert!(ask(&old, "j1"));
    *site.posted.body.lock() = new.set();
    assert!(!ask(&new, "j1n"), "the address was asked a moment ago");
    site.clock.turn(10_000);
    assert!(ask(&new, "j2"), "an unknown name asks anew");
    assert!(!ask(&old, "j3"));
    // A set given at registration is replaced at once.
    let registration = Registration { proves: Proves::Keys(old.set()), ..service("loader", &old) };
    site.smart.change_app(app.app.id, registration).expect("changed");
    assert!(ask(&old, "j4"));
    assert!(!ask(&new, "j5"));
}

/// Guard 29.
#[test]
fn attack_29_an_assertion_is_for_one_app_one_endpoint_and_five_minutes() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let app = site.app(service("loader", &signer));
    let other = site.app(service("other", &signer));
    let now = site.now_s();
    for (member, bad) in [
        ("iss", json!(other.app.id.to_string())),
        ("sub", json!(other.app.id.to_string())),
        ("sub", json!("")),
        ("aud", json!("https://evil.example/auth/token")),
        ("aud", json!("https://ehr.example/fhir")),
        ("aud", json!([])),
        ("exp", json!(now)),
        ("exp", json!(now - 1)),
        ("exp", json!(now + 320)),
        ("exp", json!(i64::MAX)),
        ("exp", json!("soon")),
        ("nbf", json!(now + 60)),
        ("iat", json!(now + 60)),
        ("jti", json!("")),
        ("jti", json!("j".repeat(257))),
        ("jti", Value::Null),
    ] {
        let mut claims = site.claims(&app, "j1");
        claims[member] = bad.clone();
        let refused = site.by_assertion(&signer.sign(&signer.header(), &claims));
        assert_eq!(refused.expect_err(member).error, "invalid_client", "{member} {bad}");
    }
    let mut claims = site.claims(&app, "j1");
    claims["aud"] = json!(["https://elsewhere.example", site.place.at("token")]);
    site.by_assertion(&signer.sign(&signer.header(), &claims)).expect("one of several");
}

/// Guard 29.
#[test]
fn attack_29_an_assertion_is_taken_once_also_after_a_restart() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let app = site.app(service("loader", &signer));
    let assertion = signer.sign(&signer.header(), &site.claims(&app, "j1"));
    site.by_assertion(&assertion).expect("once");
    assert_eq!(site.by_assertion(&assertion).expect_err("twice").error, "invalid_client");
    let site = site.restarted();
    assert_eq!(site.by_assertion(&assertion).expect_err("again").error, "invalid_client");
    // Swept only when it could not be taken anyway.
    site.clock.turn(4 * MINUTE_MS);
    site.smart.sweep().expect("swept");
    assert!(site.by_assertion(&assertion).is_err());
    let other = site.app(service("other", &signer));
    site.by_assertion(&signer.sign(&signer.header(), &site.claims(&other, "j1")))
        .expect("another's");
}

#[test]
fn only_what_signs_may_act_without_a_user() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let plain = site.app(public("chart", "patient/*.rs"));
    let pairs = [
        ("grant_type", "client_credentials"),
        ("scope", "system/*.rs"),
        ("client_id", &plain.app.id.to_string()),
    ];
    assert_eq!(site.token(&pairs).expect_err("public").error, "unauthorized_client");
    let app = site.app(service("loader", &signer));
    let ask = |list: &str, jti: &str| {
        let assertion = signer.sign(&signer.header(), &site.claims(&app, jti));
        site.token(&[
            ("grant_type", "client_credentials"),
            ("scope", list),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &assertion),
        ])
    };
    for (at, list) in ["user/*.rs", "patient/*.rs", "openid", "system/*.d", "x"].iter().enumerate()
    {
        let refused = ask(list, &format!("j{at}")).expect_err(list);
        assert_eq!(refused.error, "invalid_scope", "{list}");
    }
    let less = body(&ask("system/Patient.r system/*.cud", "k").expect("narrowed"));
    assert_eq!(text(&less, "scope"), "system/Patient.r");
}

#[test]
fn a_secret_is_taken_in_the_header_and_nowhere_else() {
    let site = Site::new();
    let app = site.app(Registration { proves: Proves::Secret, ..public("chart", "patient/*.rs") });
    let (id, header) = (app.app.id.to_string(), basic(&app));
    let ask = |pairs: &[(&str, &str)], header: Option<&str>| {
        let params =
            form(&[&[("grant_type", "refresh_token"), ("refresh_token", "x")], pairs].concat());
        site.smart.token(&params, header, &site.place).expect_err("no such token").error
    };
    // Whoever is known is told that the token is not.
    assert_eq!(ask(&[], Some(&header)), "invalid_grant");
    assert_eq!(ask(&[("client_id", &id)], Some(&header)), "invalid_grant");
    let secret = app.secret.as_ref().expect("a secret").expose();
    assert_eq!(ask(&[("client_id", &id), ("client_secret", secret)], None), "invalid_client");
    assert_eq!(ask(&[("client_id", &id)], None), "invalid_client");
    for bad in ["Basic", "Basic !!!", "Basic Og==", &header.to_uppercase(), "Bearer x"] {
        assert_eq!(ask(&[], Some(bad)), "invalid_client", "{bad}");
    }
    let renewed = site.smart.renew_app_secret(app.app.id).expect("renewed");
    assert_eq!(ask(&[], Some(&header)), "invalid_client", "the old one");
    assert_eq!(ask(&[], Some(&basic(&renewed))), "invalid_grant");
}

/// Guard 31.
#[test]
fn attack_31_a_wrong_app_and_a_wrong_proof_are_answered_alike() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let secret =
        site.app(Registration { proves: Proves::Secret, ..public("chart", "patient/*.rs") });
    let signs = site.app(service("loader", &signer));
    let ask = |id: &str| {
        site.token(&[("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", id)])
    };
    let answers = [
        ask("00000000-0000-0000-0000-000000000000"),
        ask("nonsense"),
        ask(&secret.app.id.to_string()),
        ask(&signs.app.id.to_string()),
        site.by_assertion("x.y.z"),
    ];
    let first = answers[0].as_ref().expect_err("refused").clone();
    for answer in &answers {
        assert_eq!(answer.as_ref().expect_err("refused"), &first);
    }
}
