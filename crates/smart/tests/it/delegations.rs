//! Agents that act for people: token exchange (RFC 8693), what it asks for, how narrow it is, and
//! everything that ends it.

use crate::support::{MINUTE_MS, Signer, Site, basic, body, form, public, scopes, service, text};
use base::error::code;
use identity::{By, DeedKind, Kind, Principal, PrincipalId, Profile};
use serde_json::{Value, json};
use smart::{Delegating, Issued, Proves, Refused, Registered, Registration};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn agent(name: &str, signer: &Signer, list: &str) -> Registration {
    Registration {
        scopes: scopes(list),
        display: "Phone Line".to_owned(),
        roles: vec!["agent".to_owned()],
        agent: true,
        ..service(name, signer)
    }
}

/// An agent that asks, with the number of its assertions.
struct Asking<'s> {
    site: &'s Site,
    signer: Signer,
    app: Registered,
    asked: std::cell::Cell<u32>,
}

impl<'s> Asking<'s> {
    fn new(site: &'s Site, list: &str) -> Self {
        let signer = Signer::new("k1");
        let app = site.app(agent("phone-line", &signer, list));
        Self { site, signer, app, asked: std::cell::Cell::new(0) }
    }

    fn id(&self) -> PrincipalId {
        self.app.app.id
    }

    fn assertion(&self) -> String {
        self.asked.set(self.asked.get() + 1);
        let claims = self.site.claims(&self.app, &format!("j{}", self.asked.get()));
        self.signer.sign(&self.signer.header(), &claims)
    }

    /// Exchanges a token; `more` is sent besides, or instead.
    fn exchange(&self, subject: &str, more: &[(&str, &str)]) -> Result<Issued, Refused> {
        let assertion = self.assertion();
        let usual = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", ACCESS_TOKEN),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", &assertion),
        ];
        let kept =
            usual.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let pairs: Vec<_> = kept.chain(more.iter().copied()).collect();
        self.site.token(&pairs)
    }

    fn for_token(&self, subject: &str) -> String {
        text(&body(&self.exchange(subject, &[]).expect("given")), "access_token")
    }
}

/// The token of somebody who has just signed in.
fn signed_in(site: &Site, name: &str) -> String {
    use crate::support::{HOME, PASSWORD};
    let step = site.smart.identity().begin(name, &identity::Secret::from(PASSWORD), HOME);
    let Ok(identity::Step::Done(opened)) = step else { panic!("no second factor was set") };
    opened.token.text().expose().to_owned()
}

fn delegating(agent: PrincipalId, user: &Principal) -> Delegating {
    let (scopes, ttl_ms) = (scopes("user/Appointment.rs"), 60 * MINUTE_MS);
    Delegating { agent, user: user.id, scopes, patient: None, ttl_ms }
}

#[test]
fn an_agent_exchanges_a_persons_token_for_a_short_one_that_names_both() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs user/Task.c");
    let session = signed_in(&site, "eve");
    let given = body(&asking.exchange(&session, &[("scope", "user/Patient.rs openid")]).unwrap());
    let access = text(&given, "access_token");
    assert_eq!(
        given,
        json!({
            "access_token": access, "issued_token_type": ACCESS_TOKEN, "token_type": "Bearer",
            "expires_in": 900, "scope": "user/Patient.rs",
        })
    );
    let found = site.smart.find(&access, None).unwrap();
    assert_eq!(found.caller.principal.id, eve.id);
    assert_eq!(found.agent.map(|agent| (agent.id, agent.kind)), Some((asking.id(), Kind::Agent)));
    assert_eq!((found.caller.stepped_up_at, found.grant.is_some()), (None, true));
    // Whoever may ask is told of both (RFC 8693, 4.1; RFC 7662).
    let watcher = Registration {
        introspects: true,
        proves: Proves::Secret,
        ..public("watcher", "user/*.rs")
    };
    let watcher = site.app(watcher);
    let tell = |token: &str| -> Value {
        let asked = form(&[("token", token)]);
        let told = site.smart.introspect(&asked, Some(&basic(&watcher)), &site.place).unwrap();
        serde_json::from_str(&told).unwrap()
    };
    let told = tell(&access);
    assert_eq!((&told["active"], &told["sub"]), (&json!(true), &json!(eve.id.to_string())));
    assert_eq!(told["act"], json!({ "sub": asking.id().to_string() }));
    // She sees it where she sees her apps, and takes it back there.
    let list = site.smart.given_by(eve.id);
    assert_eq!((list.len(), list[0].agent, list[0].display.as_str()), (1, true, "Phone Line"));
    assert!(site.smart.revoke_given(eve.id, list[0].grant.id).unwrap());
    assert!(!site.is_good(&access));
    assert_eq!(tell(&access), json!({ "active": false }));
}

#[test]
fn it_is_never_more_than_the_agent_is_registered_for_nor_than_an_app_was_given() {
    let site = Site::new();
    site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/Patient.rs patient/Observation.rs");
    let session = signed_in(&site, "eve");
    let of = |subject: &str, list: &str| {
        asking.exchange(subject, &[("scope", list)]).map(|issued| text(&body(&issued), "scope"))
    };
    assert_eq!(of(&session, "user/Patient.cruds user/Task.rs").unwrap(), "user/Patient.rs");
    for wider in ["user/Task.rs", "system/*.rs", "openid offline_access", "launch", "no scope"] {
        assert_eq!(of(&session, wider).unwrap_err().error, "invalid_scope", "{wider}");
    }
    let app = site.app(public("chart", "launch/patient patient/*.rs"));
    let given = site.dance(&app, &site.sign_in("eve"), "launch/patient patient/*.rs");
    let access = text(&given, "access_token");
    let issued = body(&asking.exchange(&access, &[]).unwrap());
    assert_eq!(issued["scope"], "patient/Observation.rs", "what the app could pass on");
    assert_eq!(issued["patient"], "ada", "the app's patient stays in context");
}

#[test]
fn an_exchange_is_asked_for_rightly_by_an_agent_that_signs_or_refused() {
    let site = Site::new();
    site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let session = signed_in(&site, "eve");
    let refused = |subject: &str, more: &[(&str, &str)]| {
        asking.exchange(subject, more).map(|_| ()).unwrap_err().error
    };
    let id_token = "urn:ietf:params:oauth:token-type:id_token";
    let refresh = "urn:ietf:params:oauth:token-type:refresh_token";
    for more in [
        &[("subject_token_type", id_token)][..],
        &[("requested_token_type", refresh)],
        &[("actor_token", session.as_str()), ("actor_token_type", ACCESS_TOKEN)],
        &[("subject_token", "plm_x")],
        &[("subject_token", "")],
    ] {
        assert_eq!(refused(&session, more), "invalid_request", "{more:?}");
    }
    assert_eq!(refused(&session, &[("resource", "https://elsewhere.example")]), "invalid_target");
    asking.exchange(&session, &[("resource", "https://ehr.example/fhir")]).unwrap();
    // Agents hand nothing on, and services and agents have nobody act for them.
    let own = asking.for_token(&session);
    assert_eq!(refused(&own, &[]), "invalid_request", "no chains");
    for kind in [Kind::Service, Kind::Device, Kind::Agent] {
        let profile = Profile {
            name: format!("{kind:?}").to_lowercase(),
            display: "Other".to_owned(),
            ..Profile::default()
        };
        let identity = site.smart.identity();
        let other = identity.create(kind, profile).unwrap();
        let token = identity.issue(other.id, 60_000, "a test").unwrap().token;
        assert_eq!(refused(token.text().expose(), &[]), "invalid_request", "{kind:?}");
    }
    // An assertion is worth one use, and nothing but an agent may exchange.
    let assertion = asking.assertion();
    asking.exchange(&session, &[("client_assertion", &assertion)]).unwrap();
    assert_eq!(refused(&session, &[("client_assertion", &assertion)]), "invalid_client");
    let signer = Signer::new("k2");
    let feed = site.app(service("feed", &signer));
    let signed = signer.sign(&signer.header(), &site.claims(&feed, "j"));
    assert_eq!(refused(&session, &[("client_assertion", &signed)]), "unauthorized_client");
    let chart = site.app(public("chart", "user/*.rs"));
    let open = [
        ("grant_type", EXCHANGE),
        ("client_id", &*chart.app.id.to_string()),
        ("subject_token", &session),
        ("subject_token_type", ACCESS_TOKEN),
    ];
    assert_eq!(site.token(&open).map(|_| ()).unwrap_err().error, "unauthorized_client");
    // Nor does an agent act as itself.
    let assertion = asking.assertion();
    assert_eq!(site.by_assertion(&assertion).map(|_| ()).unwrap_err().error, "unauthorized_client");
}

#[test]
fn whatever_a_delegation_stands_on_ends_it_at_once() {
    let site = Site::new();
    let (eve, ann) = (site.person("eve", |_| {}), site.person("ann", |_| {}));
    let asking = Asking::new(&site, "user/*.rs");
    let identity = site.smart.identity();
    // The session it was given in.
    let session = signed_in(&site, "eve");
    let idle = signed_in(&site, "eve");
    let (access, other) = (asking.for_token(&session), asking.for_token(&idle));
    identity.sign_out(&identity.find(&session, None).unwrap()).unwrap();
    assert!(!site.is_good(&access) && site.is_good(&other), "her other session goes on");
    // Left idle: that the agent works, and asks again, is no use of the session by her.
    for _ in 0..3 {
        site.clock.turn(4 * MINUTE_MS);
        assert!(site.is_good(&other));
        asking.for_token(&idle);
    }
    site.clock.turn(3 * MINUTE_MS);
    assert!(!site.is_good(&other), "15 minutes");
    assert!(asking.exchange(&idle, &[]).is_err());
    // The app it was given through.
    let chart = site.app(public("chart", "user/*.rs offline_access"));
    let code = site.code(
        &site.sign_in("eve"),
        &site.request(&chart, "user/*.rs offline_access"),
        None,
        "user/*.rs offline_access",
    );
    let given = body(&site.trade(&chart, &code).unwrap());
    let access = asking.for_token(&text(&given, "access_token"));
    assert!(site.is_good(&access));
    let list = site.smart.given_by(eve.id);
    let through = list.iter().find(|one| !one.agent).unwrap();
    site.smart.revoke_given(eve.id, through.grant.id).unwrap();
    assert!(!site.is_good(&access));
    // Whoever acts, or is acted for, shut out; what was ended does not come back with them.
    for shut_out in [asking.id(), ann.id] {
        let given = site.smart.delegate(&delegating_all(asking.id(), &ann), By::Operator).unwrap();
        let access = given.token.expose().to_owned();
        assert!(site.is_good(&access));
        let known = identity.principal(shut_out).unwrap();
        let known = identity.disable(shut_out, known.version, "left").unwrap();
        assert!(!site.is_good(&access), "at once");
        assert!(site.smart.sweep_delegations().unwrap() >= 1);
        identity.enable(shut_out, known.version).unwrap();
        assert!(!site.is_good(&access), "let in again, without it");
    }
    // Its time.
    let access = asking.for_token(&signed_in(&site, "ann"));
    site.clock.turn(15 * MINUTE_MS - 1);
    assert!(site.is_good(&access));
    site.clock.turn(1);
    let fault = site.smart.find(&access, None).map(|_| ());
    assert_eq!(fault.unwrap_err().code(), &code::SESSION_EXPIRED);
}

fn delegating_all(agent: PrincipalId, user: &Principal) -> Delegating {
    Delegating { scopes: scopes("user/*.rs"), ..delegating(agent, user) }
}

#[test]
fn an_administrator_hands_out_a_delegation_within_its_bounds() {
    let site = Site::new();
    let eve = site.person("eve", |profile| profile.practitioner = None);
    let asking = Asking::new(&site, "user/Appointment.rs patient/*.rs");
    let profile = |name: &str| Profile {
        name: name.to_owned(),
        display: "Other".to_owned(),
        ..Profile::default()
    };
    let identity = site.smart.identity();
    let made = |kind, name: &str| identity.create(kind, profile(name)).unwrap();
    let (desk, device) = (made(Kind::Service, "desk"), made(Kind::Device, "scale"));
    let plain = made(Kind::Agent, "no-key");
    let whole = delegating(asking.id(), &eve);
    let give = |wanted: &Delegating| site.smart.delegate(wanted, By::Operator);
    let member = |wanted: &Delegating| {
        let fault = give(wanted).map(|_| ()).unwrap_err();
        fault.issues.first().and_then(|issue| issue.expression.clone()).unwrap_or_default()
    };
    for (name, wrong) in [
        ("ttl", Delegating { ttl_ms: 12 * 60 * MINUTE_MS + 1, ..whole.clone() }),
        ("ttl", Delegating { ttl_ms: 0, ..whole.clone() }),
        ("agent", Delegating { agent: eve.id, ..whole.clone() }),
        ("for", Delegating { user: device.id, ..whole.clone() }),
        ("for", Delegating { user: plain.id, ..whole.clone() }),
        ("scope", Delegating { scopes: scopes("system/*.rs"), ..whole.clone() }),
        ("scope", Delegating { scopes: scopes("user/Appointment.rs openid"), ..whole.clone() }),
        ("scope", Delegating { scopes: scopes("user/Patient.rs"), ..whole.clone() }),
        ("patient", Delegating { scopes: scopes("patient/*.rs"), ..whole.clone() }),
        ("patient", Delegating { patient: Some("a/b".to_owned()), ..whole.clone() }),
    ] {
        assert_eq!(member(&wrong), name, "{wrong:?}");
    }
    let shown = Delegating { scopes: scopes("patient/*.rs"), patient: Some("ada".into()), ..whole };
    assert_eq!(give(&shown).unwrap().given.grant.shown.patient.as_deref(), Some("ada"));
    // For a function, and to an agent that has no key of its own.
    let other = Delegating { agent: plain.id, user: desk.id, ..whole };
    let given = give(&other).unwrap();
    assert_eq!(given.given.display, "Other");
    let access = given.token.expose().to_owned();
    let found = site.smart.find(&access, None).unwrap();
    assert_eq!(found.agent.map(|agent| agent.id), Some(plain.id));
    assert_eq!(site.smart.delegations().len(), 2);
    // It outlives a restart, and not who ends it.
    let site = site.restarted();
    assert!(site.is_good(&access));
    let id = site.smart.delegations().into_iter().find(|one| one.grant.app == plain.id);
    let id = id.unwrap().grant.id;
    assert!(site.smart.end_delegation(id, By::Operator).unwrap());
    assert!(!site.is_good(&access) && !site.smart.end_delegation(id, By::Operator).unwrap());
}

#[test]
fn an_agent_gives_its_delegation_back_whole() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let access = asking.for_token(&signed_in(&site, "eve"));
    let assertion = asking.assertion();
    let pairs = [
        ("token", access.as_str()),
        ("client_assertion_type", ASSERTION),
        ("client_assertion", &assertion),
    ];
    site.smart.revoke_token(&form(&pairs), None, &site.place).unwrap();
    assert!(!site.is_good(&access));
    assert!(site.smart.given_by(eve.id).is_empty());
}

#[test]
fn an_agent_is_registered_with_a_key_and_without_what_is_an_apps() {
    let (site, signer) = (Site::new(), Signer::new("k1"));
    let sound = agent("phone-line", &signer, "user/*.rs");
    for wrong in [
        Registration { proves: Proves::Not, ..sound.clone() },
        Registration { proves: Proves::Secret, ..sound.clone() },
        Registration { redirects: vec![crate::support::BACK.to_owned()], ..sound.clone() },
        Registration { scopes: scopes("system/*.rs"), ..sound.clone() },
    ] {
        let fault = site.smart.register_app(wrong).map(|_| ()).unwrap_err();
        assert_eq!(fault.issues[0].expression.as_deref(), Some("agent"));
    }
    let made = site.app(sound.clone());
    let app =
        Registration { agent: false, proves: sound.proves, ..public("phone-line", "user/*.rs") };
    assert!(site.smart.change_app(made.app.id, app).is_err(), "an agent stays one");
    let site = site.restarted();
    assert!(site.smart.app(made.app.id).is_some_and(|app| app.registration.agent));
}

#[test]
fn an_exchange_is_told_as_the_agents_for_the_person_in_the_session() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let session = signed_in(&site, "eve");
    let within = site.smart.identity().find(&session, None).unwrap().session;
    asking.for_token(&session);
    let told = site.shelf.deeds().pop().unwrap();
    assert_eq!((told.kind, told.asker.by), (DeedKind::Delegated, By::Principal(asking.id())));
    assert_eq!((told.acts_for, told.through), (Some(eve.id), Some(within)));
}

#[test]
fn an_exchange_is_no_use_of_the_session() {
    let site = Site::new();
    site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let session = signed_in(&site, "eve");
    site.clock.turn(8 * MINUTE_MS);
    let access = asking.for_token(&session);
    site.clock.turn(7 * MINUTE_MS);
    assert_eq!(asking.exchange(&session, &[]).unwrap_err().error, "invalid_request");
    assert!(!site.is_good(&access) && site.smart.identity().find(&session, None).is_err());
}

#[test]
fn what_is_passed_on_by_an_app_lasts_no_longer_than_what_it_was_given_by() {
    let site = Site::new();
    site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let give = |list: &str| {
        let chart = site.app(public(&format!("chart-{}", list.len()), list));
        let caller = site.sign_in("eve");
        let code = site.code(&caller, &site.request(&chart, list), None, list);
        let access = text(&body(&site.trade(&chart, &code).unwrap()), "access_token");
        (chart, caller, access)
    };
    let (chart, caller, access) = give("user/*.rs offline_access");
    // Its time.
    site.clock.turn(10 * MINUTE_MS);
    let given = body(&asking.exchange(&access, &[]).unwrap());
    assert_eq!(given["expires_in"], 300);
    let passed = text(&given, "access_token");
    // With offline access it does without the session, by another token of the grant as well.
    site.smart.identity().sign_out(&caller).unwrap();
    assert!(site.is_good(&passed));
    // The token, taken back by its app.
    let pairs = [("token", access.as_str()), ("client_id", &*chart.app.id.to_string())];
    site.smart.revoke_token(&form(&pairs), None, &site.place).unwrap();
    assert!(!site.is_good(&access) && !site.is_good(&passed));
    // Without offline access, the session.
    let (_, caller, access) = give("user/*.rs");
    let passed = asking.for_token(&access);
    assert!(site.is_good(&passed));
    site.smart.identity().sign_out(&caller).unwrap();
    assert!(!site.is_good(&passed));
}

#[test]
fn exchanges_never_take_the_place_of_what_an_administrator_gave() {
    let site = Site::new();
    let eve = site.person("eve", |_| {});
    let asking = Asking::new(&site, "user/*.rs");
    let given = site.smart.delegate(&delegating_all(asking.id(), &eve), By::Operator).unwrap();
    let session = signed_in(&site, "eve");
    let first = asking.for_token(&session);
    for _ in 0..32 {
        site.clock.turn(1);
        asking.for_token(&session);
    }
    assert!(site.is_good(given.token.expose()) && !site.is_good(&first));
    assert_eq!(site.smart.delegations().len(), 32);
    let ended = site.shelf.deeds().into_iter().find(|deed| deed.kind == DeedKind::DelegationEnded);
    assert_eq!(ended.unwrap().asker.by, By::Principal(asking.id()), "told as whoever took it");
}

#[test]
fn a_demand_of_a_factor_makes_an_agents_token_inactive_and_a_subject_refused() {
    let site = Site::new();
    let eve = site.person("eve", |profile| profile.roles = vec!["nurse".to_owned()]);
    let watcher = Registration {
        introspects: true,
        proves: Proves::Secret,
        ..public("watcher", "user/*.rs")
    };
    let watcher = site.app(watcher);
    let signer = Signer::new("k1");
    let app = site.app(agent("phone-line", &signer, "user/*.rs"));
    let given = site.smart.delegate(&delegating_all(app.app.id, &eve), By::Operator).unwrap();
    let (token, session) = (given.token.expose().to_owned(), signed_in(&site, "eve"));
    let tell = |site: &Site| -> Value {
        let asked = form(&[("token", token.as_str())]);
        let told = site.smart.introspect(&asked, Some(&basic(&watcher)), &site.place).unwrap();
        serde_json::from_str(&told).unwrap()
    };
    assert_eq!(tell(&site)["active"], true);
    let site = site.demanding(&["nurse"]);
    assert!(!site.is_good(&token));
    assert_eq!(tell(&site), json!({ "active": false }));
    // And nobody is told to try again what will not come right.
    let asking = Asking { site: &site, signer, app, asked: std::cell::Cell::new(0) };
    let refused = asking.exchange(&session, &[]).unwrap_err();
    assert_eq!((refused.status, refused.error), (400, "invalid_request"));
}
