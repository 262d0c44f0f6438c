//! Every kind of caller there is, at one site: people by role, programs, apps, services, and those whose
//! time is over.

use crate::client::Answer;
use crate::smart_site::{Site, Visitor, value};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base::Clock as _;
use base::time::SystemClock;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{Kind, Principal, Profile, Secret, Step};
use smart::{Proves, Registration, Scopes};
use std::time::Duration;

/// The roles people have; a site's own would stand beside them.
pub(crate) const ROLES: [&str; 10] = [
    "clinician",
    "nurse",
    "front-desk",
    "biller",
    "him",
    "privacy-officer",
    "it-administrator",
    "auditor",
    "patient",
    "proxy",
];

/// Somebody who asks.
pub(crate) struct Caller {
    pub(crate) name: String,
    /// None for who names nobody.
    token: Option<String>,
    purpose: Option<&'static str>,
}

impl Caller {
    pub(crate) fn ask(
        &self,
        site: &Site,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut all = headers.to_vec();
        all.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        all.extend(self.purpose.map(|purpose| ("X-Purpose-Of-Use", purpose)));
        site.send(method, path, &all, body)
    }
}

/// All of them. Those of a patient are Ada's.
pub(crate) fn all(site: &Site) -> Vec<Caller> {
    let mut all = Vec::new();
    let mut add = |name: &str, token: Option<String>, purpose| {
        all.push(Caller { name: name.to_owned(), token, purpose });
    };
    add("nobody", None, None);
    add("a made-up token", Some(format!("plm_{}", "A".repeat(43))), None);
    for role in ROLES {
        add(role, Some(signed_in(site, &format!("in-{role}"), &[role])), None);
    }
    add("a person without a role", Some(signed_in(site, "roleless", &[])), None);
    add("clinician, for payment", Some(script(site, "pays", &["clinician"]).1), Some("HPAYMT"));
    add("clinician, for no known purpose", Some(script(site, "odd", &["clinician"]).1), Some("X"));
    add("script of a clinician", Some(script(site, "script", &["clinician"]).1), None);
    add("service system", Some(service(site, "feed", &["system"])), None);
    add("service without a role", Some(service(site, "idle", &[])), None);
    add("agent alone", Some(made(site, Kind::Agent, "agent", &["agent"]).1), None);
    add("app alone", Some(made(site, Kind::App, "app", &["app"]).1), None);
    for scopes in [
        "launch/patient patient/*.rs",
        "launch/patient patient/Observation.rs",
        "user/*.rs",
        "user/Patient.cruds user/Observation.cruds",
    ] {
        add(&format!("app of a clinician, {scopes}"), Some(given(site, scopes)), None);
    }
    for (role, scopes) in [
        ("clinician", "user/*.cruds"),
        ("clinician", "user/Observation.rs"),
        ("front-desk", "user/*.cruds"),
        ("patient", "user/*.cruds"),
    ] {
        let name = format!("agent for a {role}, {scopes}");
        let user = signed_in(site, &format!("lets-{}", all.len()), &[role]);
        let agent = Signs::agent(site, &format!("agent-{}", all.len()), scopes);
        all.push(Caller { name, token: Some(agent.acts_for(site, &user, scopes)), purpose: None });
    }
    let mut add = |name: &str, token: Option<String>, purpose| {
        all.push(Caller { name: name.to_owned(), token, purpose });
    };
    for (app, roles) in [("registry", &["system"][..]), ("rootless", &[])] {
        let name = format!("backend {}, system/Patient.rs", roles.first().unwrap_or(&"roleless"));
        add(&name, Some(backend(site, app, roles, "system/Patient.rs")), None);
    }
    let identity = site.smart.identity();
    let (past, _) = made(site, Kind::Person, "past", &["him"]);
    let expired = identity.issue(past.id, 1, "a test").unwrap().token.text().expose().to_owned();
    std::thread::sleep(Duration::from_millis(20));
    add("expired token", Some(expired), None);
    let (gone, revoked) = made(site, Kind::Person, "gone", &["him"]);
    identity.revoke_all(gone.id).unwrap();
    add("revoked token", Some(revoked), None);
    let (out, disabled) = made(site, Kind::Person, "out", &["him"]);
    identity.disable(out.id, out.version, "left").unwrap();
    add("token of a disabled person", Some(disabled), None);
    let taken_back = given(site, "user/*.rs");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = format!("client_id={}&token={taken_back}", site.app);
    assert_eq!(site.send("POST", "/auth/revoke", &form, &body).status, 200);
    add("app whose token was taken back", Some(taken_back), None);
    all
}

fn profile(name: &str, roles: &[&str]) -> Profile {
    let role = roles.first().copied().unwrap_or_default();
    Profile {
        name: name.to_owned(),
        display: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        practitioner: matches!(role, "clinician" | "nurse").then(|| "pr-eve".to_owned()),
        patient: (role == "patient").then(|| "ada".to_owned()),
        represents: if role == "proxy" { vec!["ada".to_owned()] } else { Vec::new() },
        ..Profile::default()
    }
}

/// Somebody who has just signed in.
pub(crate) fn signed_in(site: &Site, name: &str, roles: &[&str]) -> String {
    let identity = site.smart.identity();
    let password = Secret::new("four unrelated words here".to_owned());
    identity.create_person(profile(name, roles), &password, false).unwrap();
    match identity.begin(name, &password, std::net::Ipv4Addr::LOCALHOST.into()).unwrap() {
        Step::Done(opened) => opened.token.text().expose().to_owned(),
        Step::SecondFactor(_) => panic!("nobody has a second factor here"),
    }
}

/// A principal, and a token for a program that acts as it.
pub(crate) fn made(site: &Site, kind: Kind, name: &str, roles: &[&str]) -> (Principal, String) {
    let identity = site.smart.identity();
    let principal = identity.create(kind, profile(name, roles)).unwrap();
    let opened = identity.issue(principal.id, 3_600_000, "a test").unwrap();
    (principal, opened.token.text().expose().to_owned())
}

fn script(site: &Site, name: &str, roles: &[&str]) -> (Principal, String) {
    made(site, Kind::Person, name, roles)
}

fn service(site: &Site, name: &str, roles: &[&str]) -> String {
    made(site, Kind::Service, name, roles).1
}

/// The token that Eve, a clinician, gives the app, with Ada in context when it asks for a patient.
pub(crate) fn given(site: &Site, scopes: &str) -> String {
    let mut visitor = Visitor::new(site);
    visitor.open(&site.authorize(scopes));
    visitor.sign_in("eve");
    if scopes.contains("launch/patient") {
        visitor.send_form(&[("patient", "ada")]);
    }
    let back = visitor.answer("approve", &scopes.split(' ').collect::<Vec<_>>());
    let address = back.header("location").expect("an address");
    site.trade(&value(address, "code").expect("a code")).at("access_token")
}

/// The token that a backend service gets by signing.
pub(crate) fn backend(site: &Site, name: &str, roles: &[&str], scopes: &str) -> String {
    let signs = Signs::register(site, name, roles, scopes, false);
    let answer = signs.ask(site, &[("grant_type", "client_credentials"), ("scope", scopes)]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.at("access_token")
}

/// An app that proves itself by signing.
pub(crate) struct Signs {
    pub(crate) id: String,
    key: EcdsaKeyPair,
    asked: std::cell::Cell<u32>,
}

impl Signs {
    fn register(site: &Site, name: &str, roles: &[&str], scopes: &str, agent: bool) -> Self {
        let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
        let point = key.public_key().as_ref();
        let (x, y) = (part(&point[1..49]), part(&point[49..]));
        let keys = format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-384","alg":"ES384","kid":"k1","x":"{x}","y":"{y}"}}]}}"#
        );
        let registration = Registration {
            name: name.to_owned(),
            display: name.to_owned(),
            redirects: Vec::new(),
            launch_url: None,
            proves: Proves::Keys(keys),
            scopes: Scopes::parse(scopes).expect("scopes"),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            introspects: false,
            agent,
        };
        let id = site.smart.register_app(registration).expect("an app").app.id.to_string();
        Self { id, key, asked: std::cell::Cell::new(0) }
    }

    /// An agent, with the shipped role.
    pub(crate) fn agent(site: &Site, name: &str, scopes: &str) -> Self {
        Self::register(site, name, &["agent"], scopes, true)
    }

    /// Asks for a token, proving itself.
    pub(crate) fn ask(&self, site: &Site, fields: &[(&str, &str)]) -> Answer {
        let (part, id) = (|bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes), &self.id);
        self.asked.set(self.asked.get() + 1);
        let claims = format!(
            r#"{{"iss":"{id}","sub":"{id}","aud":"{}/auth/token","exp":{},"jti":"{}"}}"#,
            site.own,
            SystemClock.now().0 / 1000 + 60,
            self.asked.get()
        );
        let header = part(br#"{"alg":"ES384","typ":"JWT","kid":"k1"}"#);
        let text = format!("{header}.{}", part(claims.as_bytes()));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        let assertion = format!("{text}.{}", part(signature.as_ref()));
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let proof = [("client_assertion_type", kind), ("client_assertion", assertion.as_str())];
        let fields = fields.iter().copied().chain(proof);
        let fields: Vec<_> = fields.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        site.send("POST", "/auth/token", &form, &search::parse::encode_query(&fields))
    }

    /// Exchanges a person's token for one by which it acts for that person (RFC 8693).
    pub(crate) fn acts_for(&self, site: &Site, subject: &str, scopes: &str) -> String {
        let answer = self.ask(
            site,
            &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", subject),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                ("scope", scopes),
            ],
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.at("access_token")
    }
}
