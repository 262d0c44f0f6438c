//! The request for authorization and the code (attacks 28 and 29 of the guard's list).

use crate::support::{
    BACK, CHALLENGE, HOME, MINUTE_MS, START_MS, Site, VERIFIER, body, challenge, public, scopes,
    shown, text, totp, value,
};
use identity::vouched::Vouched;
use identity::{By, Caller, IssuerName, Proof, Secret, Step, Welcome};
use smart::{Proves, Turned};

const ALL: &str = "openid fhirUser launch/patient patient/*.rs offline_access";

#[test]
fn a_user_gives_an_app_what_it_asked_for_and_the_app_is_told_of_it() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let given = site.dance(&app, &caller, ALL);
    assert_eq!(text(&given, "token_type"), "Bearer");
    assert_eq!(text(&given, "scope"), ALL);
    assert_eq!(text(&given, "patient"), "ada");
    assert_eq!(given["expires_in"], 900);
    let found = site.smart.find(&text(&given, "access_token"), None).expect("found");
    assert_eq!(found.caller.principal.id, caller.principal.id);
    assert_eq!(found.grant.expect("a grant").app, app.app.id);
    // The identity token says who, for whom, and until when.
    let claims = text(&given, "id_token").split('.').nth(1).expect("claims").to_owned();
    let claims: serde_json::Value = serde_json::from_slice(
        &base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, claims)
            .expect("base64url"),
    )
    .expect("JSON");
    assert_eq!(claims["iss"], "https://ehr.example/fhir");
    assert_eq!(claims["aud"], app.app.id.to_string());
    assert_eq!(claims["sub"], caller.principal.id.to_string());
    assert_eq!(claims["fhirUser"], "https://ehr.example/fhir/Practitioner/pr-eve");
    assert_eq!(claims["exp"].as_i64(), Some(site.now_s() + 900));
}

#[test]
fn a_nonce_comes_back_in_the_identity_token() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", "openid patient/*.rs")));
    let request = site.request(&app, "openid patient/*.rs").set("nonce", "n-0S6_WzA2Mj");
    let code = site.code(&caller, &request, Some("ada"), "openid patient/*.rs");
    let given = body(&site.trade(&app, &code).expect("traded"));
    let claims = text(&given, "id_token").split('.').nth(1).expect("claims").to_owned();
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = base64::Engine::decode(&engine, claims).expect("base64url");
    assert!(String::from_utf8_lossy(&claims).contains(r#""nonce":"n-0S6_WzA2Mj""#));
}

#[test]
fn what_a_user_leaves_out_is_not_given() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let request = site.request(&app, ALL);
    let code = site.code(
        &caller,
        &request,
        Some("ada"),
        "patient/Observation.rs patient/*.cruds system/*.cruds user/*.rs",
    );
    let given = body(&site.trade(&app, &code).expect("traded"));
    // Agreeing to more than was asked for gives no more.
    assert_eq!(text(&given, "scope"), "patient/*.rs");
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), "patient/Observation.rs");
    let given = body(&site.trade(&app, &code).expect("traded"));
    assert_eq!(text(&given, "scope"), "patient/Observation.rs");
    assert_eq!(given.get("refresh_token"), None);
    assert_eq!(given.get("id_token"), None);
}

#[test]
fn a_denial_is_told_and_ends_the_request() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let browser = site.smart.draw_browser().expect("drawn");
    let (browser, request) = (browser.expose(), site.request(&app, ALL));
    let asked = site.smart.begin(&request.params(), browser, &site.place).expect("taken");
    let back = site.smart.deny(asked.expose(), browser).expect("denied");
    assert_eq!(value(back.expose(), "error").as_deref(), Some("access_denied"));
    assert!(back.expose().starts_with(BACK));
    assert!(site.smart.approve(asked.expose(), browser, &caller, &scopes(ALL)).is_err());
}

/// Guard 28.
#[test]
fn attack_28_nobody_is_sent_to_an_address_that_is_not_the_apps() {
    let site = Site::new();
    let app = site.app(public("chart", ALL));
    let good = || site.request(&app, ALL);
    assert_eq!(site.turned(&good()), "taken");
    for bad in [
        "https://evil.example/cb",
        "https://app.example/cb/",
        "https://app.example/cb?x=y",
        "https://app.example/CB",
        "https://app.example:443/cb",
        "http://app.example/cb",
        "https://app.example/cb/../evil",
        "https://app.example.evil.example/cb",
    ] {
        assert_eq!(site.turned(&good().set("redirect_uri", bad)), "page", "{bad}");
    }
    assert_eq!(site.turned(&good().without("redirect_uri")), "page");
    let mut twice = good();
    twice.pairs.push(("redirect_uri", "https://evil.example/cb".to_owned()));
    assert_eq!(site.turned(&twice), "page");
    // An app that is not known is told apart from none of that.
    for id in ["", "chart", "00000000-0000-0000-0000-000000000000", "../../etc/passwd"] {
        assert_eq!(site.turned(&good().set("client_id", id)), "page", "{id}");
    }
}

/// Guard 28.
#[test]
fn attack_28_no_code_without_a_proof_of_possession_of_the_strong_kind() {
    let site = Site::new();
    let app = site.app(public("chart", ALL));
    let good = || site.request(&app, ALL);
    assert_eq!(site.turned(&good().without("code_challenge")), "invalid_request");
    assert_eq!(site.turned(&good().without("code_challenge_method")), "invalid_request");
    for method in ["plain", "s256", "S512"] {
        assert_eq!(site.turned(&good().set("code_challenge_method", method)), "invalid_request");
    }
    for bad in [VERIFIER.to_owned() + "x", "short".into(), "=".repeat(43)] {
        assert_eq!(site.turned(&good().set("code_challenge", &bad)), "invalid_request", "{bad}");
    }
}

/// Guard 28.
#[test]
fn attack_28_a_code_is_worth_one_try_by_its_app_from_its_address_with_its_verifier() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let other = site.app(public("other", ALL));
    let fresh = || site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    let own = app.app.id.to_string();
    let foreign = other.app.id.to_string();
    let long = "v".repeat(43);
    for (name, value) in [
        ("client_id", foreign.as_str()),
        ("redirect_uri", "https://app.example/other"),
        ("redirect_uri", ""),
        ("code_verifier", CHALLENGE),
        ("code_verifier", ""),
        ("code_verifier", long.as_str()),
    ] {
        let code = fresh();
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", own.as_str()),
        ];
        pairs.retain(|(n, _)| *n != name);
        pairs.push((name, value));
        let refused = site.token(&pairs).expect_err(name);
        assert_eq!(refused.error, "invalid_grant", "{name}");
        // The one try is over.
        assert_eq!(site.trade(&app, &code).expect_err("spent").error, "invalid_grant");
    }
}

/// Guard 28.
#[test]
fn attack_28_a_code_shown_again_ends_what_it_gave_also_after_a_restart() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    let given = body(&site.trade(&app, &code).expect("traded"));
    let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
    assert!(site.is_good(&access));
    let site = site.restarted();
    assert!(site.is_good(&access));
    assert_eq!(site.trade(&app, &code).expect_err("spent").error, "invalid_grant");
    assert!(!site.is_good(&access));
    assert_eq!(site.refresh(&app, &refresh).expect_err("ended").error, "invalid_grant");
}

#[test]
fn a_code_and_a_request_are_over_in_time() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    site.clock.turn(60_000);
    assert_eq!(site.trade(&app, &code).expect_err("over").error, "invalid_grant");
    let browser = site.smart.draw_browser().expect("drawn");
    let params = site.request(&app, ALL).params();
    let asked = site.smart.begin(&params, browser.expose(), &site.place).expect("taken");
    assert!(site.smart.waiting(asked.expose(), browser.expose()).is_some());
    site.clock.turn(10 * 60_000);
    assert!(site.smart.waiting(asked.expose(), browser.expose()).is_none());
}

/// Guard 29.
#[test]
fn attack_29_a_request_for_another_server_is_refused() {
    let site = Site::new();
    let app = site.app(public("chart", ALL));
    let good = || site.request(&app, ALL);
    assert_eq!(site.turned(&good().set("aud", "https://ehr.example/fhir/")), "taken");
    assert_eq!(site.turned(&good().without("aud")), "invalid_request");
    for bad in ["https://evil.example/fhir", "https://ehr.example/fhir/r4", "https://ehr.example"] {
        assert_eq!(site.turned(&good().set("aud", bad)), "invalid_request", "{bad}");
    }
}

#[test]
fn a_request_that_cannot_be_answered_is_told_in_the_words_of_oauth() {
    let site = Site::new();
    let app = site.app(public("chart", ALL));
    let good = || site.request(&app, ALL);
    for (request, error) in [
        (good().set("response_type", "token"), "unsupported_response_type"),
        (good().without("response_type"), "invalid_request"),
        (good().without("state"), "invalid_request"),
        (good().set("state", "short"), "invalid_request"),
        (good().set("scope", "user/*.cruds"), "invalid_scope"),
        (good().set("scope", "system/*.rs"), "invalid_scope"),
        (good().without("scope"), "invalid_scope"),
        (good().set("prompt", "none"), "interaction_required"),
        (good().set("request", "eyJ"), "request_not_supported"),
        (good().set("response_mode", "fragment"), "invalid_request"),
        (good().set("launch", "pll_none"), "invalid_request"),
    ] {
        assert_eq!(site.turned(&request), error, "{:?}", request.pairs);
    }
    let mut twice = good();
    twice.pairs.push(("scope", "openid".to_owned()));
    assert_eq!(site.turned(&twice), "invalid_request");
}

/// Guard 31.
#[test]
fn attack_31_a_request_belongs_to_the_browser_it_began_in() {
    let site = Site::new();
    site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let draw = || site.smart.draw_browser().expect("drawn");
    let (own, foreign) = (draw(), draw());
    let params = site.request(&app, ALL).params();
    let asked = site.smart.begin(&params, own.expose(), &site.place).expect("taken");
    for browser in [foreign.expose(), "", "plb_"] {
        assert!(site.smart.waiting(asked.expose(), browser).is_none());
        assert!(site.smart.approve(asked.expose(), browser, &caller, &scopes(ALL)).is_err());
        assert!(site.smart.deny(asked.expose(), browser).is_err());
        let chosen = site.smart.choose_patient(asked.expose(), browser, &caller, "ada");
        assert!(chosen.is_err());
    }
    assert!(site.smart.waiting(asked.expose(), own.expose()).is_some());
    let form = site.smart.form_text(own.expose(), "s");
    assert!(site.smart.is_own_form(own.expose(), "s", &form));
    for (browser, session) in
        [(foreign.expose(), "s"), (own.expose(), "t"), (own.expose(), ""), ("", "s")]
    {
        assert!(!site.smart.is_own_form(browser, session, &form));
    }
}

#[test]
fn a_patient_decides_about_their_own_record_only() {
    let site = Site::new();
    site.person("ada", |profile| {
        profile.practitioner = None;
        profile.patient = Some("ada".to_owned());
    });
    let (caller, app) = (site.sign_in("ada"), site.app(public("chart", ALL)));
    let browser = site.smart.draw_browser().expect("drawn");
    let (browser, params) = (browser.expose(), site.request(&app, ALL).params());
    let asked = site.smart.begin(&params, browser, &site.place).expect("taken");
    let asked = asked.expose();
    assert!(site.smart.choose_patient(asked, browser, &caller, "bob").is_err());
    assert!(site.smart.approve(asked, browser, &caller, &scopes(ALL)).is_err(), "nobody is chosen");
    site.smart.choose_patient(asked, browser, &caller, "ada").expect("their own");
    let back = site.smart.approve(asked, browser, &caller, &scopes(ALL)).expect("approved");
    let code = value(back.expose(), "code").expect("a code");
    let given = body(&site.trade(&app, &code).expect("traded"));
    assert_eq!(text(&given, "patient"), "ada");
}

#[test]
fn whom_one_user_chose_another_cannot_approve() {
    let site = Site::new();
    site.person("eve", |_| {});
    site.person("mallory", |_| {});
    let (eve, mallory) = (site.sign_in("eve"), site.sign_in("mallory"));
    let app = site.app(public("chart", ALL));
    let browser = site.smart.draw_browser().expect("drawn");
    let (browser, params) = (browser.expose(), site.request(&app, ALL).params());
    let asked = site.smart.begin(&params, browser, &site.place).expect("taken");
    site.smart.choose_patient(asked.expose(), browser, &eve, "ada").expect("chosen");
    assert!(site.smart.approve(asked.expose(), browser, &mallory, &scopes(ALL)).is_err());
    assert!(site.smart.approve(asked.expose(), browser, &eve, &scopes(ALL)).is_ok());
}

#[test]
fn a_user_who_is_no_record_is_not_told_as_one() {
    let site = Site::new();
    site.person("clerk", |profile| profile.practitioner = None);
    let (caller, app) = (site.sign_in("clerk"), site.app(public("chart", ALL)));
    let given = site.dance(&app, &caller, ALL);
    assert!(!text(&given, "scope").contains("fhirUser"));
}

#[test]
fn an_app_with_a_secret_cannot_trade_without_it() {
    let site = Site::new();
    site.person("eve", |_| {});
    let caller = site.sign_in("eve");
    let app = site.app(smart::Registration { proves: Proves::Secret, ..public("chart", ALL) });
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    assert_eq!(site.trade(&app, &code).expect_err("no proof").error, "invalid_client");
    assert_eq!(challenge(VERIFIER), CHALLENGE);
    let browser = site.smart.draw_browser().expect("drawn");
    let bad = site.request(&app, ALL).set("redirect_uri", "https://evil.example/");
    let begun = site.smart.begin(&bad.params(), browser.expose(), &site.place);
    assert!(matches!(begun, Err(Turned::Page(_))));
}

fn vouched(name: &str, second_factor: bool) -> Vouched {
    Vouched {
        issuer: IssuerName::parse("st-elsewhere").unwrap(),
        subject: [name.len().try_into().unwrap(); 32],
        name: Some(name.to_owned()),
        display: None,
        roles: vec!["nurse".to_owned()],
        sites: Vec::new(),
        governs_roles: vec!["nurse".to_owned()],
        governs_sites: Vec::new(),
        links: true,
        creates: false,
        second_factor,
        shown: Some(base::Millis(START_MS)),
    }
}

fn welcomed(site: &Site, vouched: &Vouched, key: Option<&Secret>) -> Caller {
    let identity = site.smart.identity();
    let Welcome::In(step) = identity.vouch(vouched, HOME).unwrap() else { panic!("not known") };
    let opened = match step {
        Step::Done(opened) => opened,
        Step::SecondFactor(awaited) => {
            let proof = Proof::Totp(totp(key.unwrap(), site.now_s()));
            identity.finish(awaited.handle.text().expose(), &proof, HOME).unwrap()
        }
    };
    identity.find(opened.token.text().expose(), None).unwrap()
}

#[test]
fn a_factor_of_here_is_not_told_as_one_that_an_issuer_saw() {
    let site = Site::new();
    let (eve, ada) = (site.person("eve", |_| {}), site.person("grace", |_| {}));
    let app = site.app(public("chart", ALL));
    let theirs = welcomed(&site, &vouched("grace", true), None);
    site.dance(&app, &theirs, ALL);
    let by = |id| site.smart.given_by(id).remove(0).grant.issuer.unwrap().two_factors;
    assert!(by(ada.id), "it saw two");
    let caller = site.sign_in("eve");
    let enrolment = site.smart.identity().enrol_totp(&caller).unwrap();
    let shown = totp(&enrolment.key, site.now_s());
    site.smart.identity().confirm_totp(&caller, &shown).unwrap();
    site.clock.turn(MINUTE_MS);
    let own = welcomed(&site, &vouched("eve", false), Some(&enrolment.key));
    assert_eq!(own.assurance, identity::Assurance::Aal2);
    let given = site.dance(&app, &own, ALL);
    assert!(!by(eve.id), "it saw one");
    // So what was given is worth nothing when the factor is gone and one is demanded.
    let site = site.demanding(&["nurse"]);
    assert!(site.is_good(&text(&given, "access_token")));
    site.smart.identity().reset_factors(eve.id).unwrap();
    site.clock.turn(2000);
    assert!(!site.is_good(&text(&given, "access_token")));
    assert!(site.refresh(&app, &text(&given, "refresh_token")).is_err());
}

#[test]
fn codes_and_launches_end_with_those_whom_they_are_of() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    for one in [eve.id, app.app.id] {
        let given = site.dance(&app, &caller, ALL);
        let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
        let launched = site.smart.launch(&caller, app.app.id, shown("ada"), &site.place).unwrap();
        assert_eq!(site.smart.end_all_of(one, By::Operator), Ok(1));
        assert_eq!(site.trade(&app, &code).unwrap_err().error, "invalid_grant");
        assert!(!site.is_good(&text(&given, "access_token")));
        let request = site.request(&app, ALL).set("launch", launched.launch.expose());
        assert_eq!(site.turned(&request), "invalid_request");
    }
    // An issuer that no longer signs somebody in takes with it what they gave by its word alone.
    let theirs = welcomed(&site, &vouched("eve", true), None);
    let code = |caller| site.code(caller, &site.request(&app, ALL), Some("ada"), ALL);
    let (by_issuer, own) = (code(&theirs), code(&caller));
    let given = site.dance(&app, &theirs, ALL);
    assert_eq!(site.smart.end_vouched_of(eve.id, By::Operator), Ok(1));
    assert!(!site.is_good(&text(&given, "access_token")));
    assert_eq!(site.trade(&app, &by_issuer).unwrap_err().error, "invalid_grant");
    site.trade(&app, &own).unwrap();
}

#[test]
fn a_code_of_somebody_who_is_disabled_meanwhile_is_worth_nothing_in_the_same_second() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let (caller, app) = (site.sign_in("eve"), site.app(public("chart", ALL)));
    let given = site.dance(&app, &caller, ALL);
    let code = site.code(&caller, &site.request(&app, ALL), Some("ada"), ALL);
    assert!(
        site.is_good(&text(&given, "access_token")),
        "that she may act is believed for a second"
    );
    site.smart.identity().disable(eve.id, eve.version, "left").unwrap();
    assert_eq!(site.trade(&app, &code).unwrap_err().error, "invalid_grant");
}
