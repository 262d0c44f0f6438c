//! The apps a site knows: each a principal of its own, registered by an administrator, with the
//! addresses it may be sent back to, how it proves itself, and the most it may ever be given
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#register-app-with-ehr>). There is
//! no registration by strangers.

use std::fmt;
use std::sync::Arc;

use base::{Fault, Millis};
use identity::shelf::SCAN_MAX;
use identity::{
    By, Change, Deed, DeedKind, Kind, Principal, PrincipalId, Profile, Secret, ShelfName,
};
use serde::{Deserialize, Serialize};

use crate::address::{origin_of, sound_redirect, sound_web, wrong};
use crate::item;
use crate::keys::{KeySet, SET_BYTES_MAX};
use crate::reach::About;
use crate::scope::{Scopes, TEXT_BYTES_MAX};
use crate::smart::Smart;
use crate::token::{self, Digest, Use};

/// Addresses of one app.
const REDIRECTS_MAX: usize = 16;
/// Apps in all.
const APPS_MAX: usize = 10_000;

/// How an app proves that it is itself.
#[derive(Clone, PartialEq, Eq)]
pub enum Proves {
    /// It cannot: it runs where its secrets could be read. PKCE and its address are all there is.
    Not,
    /// By a drawn secret (`client_secret_basic`); it is shown once, when the app is registered.
    Secret,
    /// By signing with a key of this set (`private_key_jwt`).
    Keys(String),
    /// By signing with a key of the set at this address.
    KeysAt(String),
}

impl fmt::Debug for Proves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Not => "Not",
            Self::Secret => "Secret",
            Self::Keys(_) => "Keys",
            Self::KeysAt(_) => "KeysAt",
        })
    }
}

/// What an administrator says of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Its unique name, formed like a sign-in name; nobody signs in with it.
    pub name: String,
    /// What users read on the approval page.
    pub display: String,
    /// Where it may be sent back to, each to the last letter.
    pub redirects: Vec<String>,
    /// Where the EHR starts it, if it does.
    pub launch_url: Option<String>,
    /// How it proves itself.
    pub proves: Proves,
    /// The most it may be given.
    pub scopes: Scopes,
    /// Roles of the app itself, for what it does without a user.
    pub roles: Vec<String>,
    /// Whether it may ask about tokens of other apps (RFC 7662).
    pub introspects: bool,
    /// Whether it is an AI agent, which acts for a user and never by itself; it stays what it is.
    pub agent: bool,
}

/// An app, as it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Its `client_id`, and its principal.
    pub id: PrincipalId,
    /// What was said of it.
    pub registration: Registration,
    /// When.
    pub created: Millis,
    pub(crate) secret: Option<Digest>,
    pub(crate) version: u64,
}

/// What a registration answers.
#[derive(Debug, Clone)]
pub struct Registered {
    /// The app.
    pub app: Arc<App>,
    /// Its secret, if it has one: shown once and kept nowhere.
    pub secret: Option<Secret>,
}

/// An app that may act, with its principal.
type Able = (Arc<App>, Arc<Principal>);

/// How an app stands on its shelf, under its id. Its name, roles and whether it is disabled stand with
/// its principal.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    name: String,
    display: String,
    redirects: Vec<String>,
    launch_url: Option<String>,
    proves: StoredProves,
    scopes: String,
    roles: Vec<String>,
    introspects: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    agent: bool,
    created_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum StoredProves {
    Not,
    Secret(String),
    Keys(String),
    KeysAt(String),
}

impl Registration {
    fn check(&self) -> Result<(), Fault> {
        let system = self.scopes.reaches().any(|reach| reach.about == About::System);
        let user = self.scopes.iter().any(|scope| {
            !matches!(scope, crate::scope::Scope::Reach(reach) if reach.about == About::System)
        });
        let signs = matches!(self.proves, Proves::Keys(_) | Proves::KeysAt(_));
        if self.redirects.len() > REDIRECTS_MAX || !self.redirects.iter().all(|r| sound_redirect(r))
        {
            return Err(wrong(
                "redirects",
                "Give whole addresses: https, http to the user's own machine, or a scheme with a dot in it; at most 16.",
            ));
        }
        // Somebody lets an agent act; nobody starts it here, and it gets no code and no refresh token.
        if self.agent
            && (system || !signs || !self.redirects.is_empty() || self.launch_url.is_some())
        {
            return Err(wrong(
                "agent",
                "An agent signs with a key, has no address to return to, and no system scopes: give a key set and scopes of users or patients.",
            ));
        }
        if user && !self.agent && self.redirects.is_empty() {
            return Err(wrong(
                "redirects",
                "An app that users start needs an address to return to.",
            ));
        }
        if self.launch_url.as_deref().is_some_and(|url| !sound_web(url)) {
            return Err(wrong("launchUrl", "Give an https address."));
        }
        if self.scopes.is_empty() || self.scopes.to_string().len() > TEXT_BYTES_MAX {
            return Err(wrong("scopes", "Name the scopes that the app may be given."));
        }
        if system && !signs {
            return Err(wrong(
                "scopes",
                "System scopes are for apps that sign with a key: give a key set.",
            ));
        }
        match &self.proves {
            Proves::Keys(set) => {
                let read = KeySet::parse(set.as_bytes()).filter(|set| !set.is_empty());
                if set.len() > SET_BYTES_MAX || read.is_none() {
                    return Err(wrong(
                        "jwks",
                        "Give a JWK Set with public keys only: RSA of 2048 bits and more, or P-384, each with a kid.",
                    ));
                }
            }
            Proves::KeysAt(url) if !sound_web(url) => {
                return Err(wrong("jwksUri", "Give an https address."));
            }
            Proves::Not | Proves::Secret | Proves::KeysAt(_) => {}
        }
        Ok(())
    }

    fn profile(&self) -> Profile {
        Profile {
            name: self.name.clone(),
            display: self.display.clone(),
            roles: self.roles.clone(),
            ..Profile::default()
        }
    }

    /// Whether a page of this origin is the app's.
    pub(crate) fn has_origin(&self, of: &str) -> bool {
        self.redirects.iter().any(|redirect| origin_of(redirect) == Some(of))
    }

    /// Whether it may act without a user.
    pub(crate) fn is_service(&self) -> bool {
        self.scopes.reaches().any(|reach| reach.about == About::System)
    }
}

impl App {
    fn encode(&self) -> Result<Vec<u8>, Fault> {
        let said = &self.registration;
        let proves = match (&said.proves, self.secret) {
            (Proves::Secret, Some(digest)) => StoredProves::Secret(item::text(&digest.0)),
            (Proves::Secret, None) => return Err(item::damaged()),
            (Proves::Not, _) => StoredProves::Not,
            (Proves::Keys(set), _) => StoredProves::Keys(set.clone()),
            (Proves::KeysAt(url), _) => StoredProves::KeysAt(url.clone()),
        };
        item::encode(&Stored {
            name: said.name.clone(),
            display: said.display.clone(),
            redirects: said.redirects.clone(),
            launch_url: said.launch_url.clone(),
            proves,
            scopes: said.scopes.to_string(),
            roles: said.roles.clone(),
            introspects: said.introspects,
            agent: said.agent,
            created_ms: self.created.0,
        })
    }

    pub(crate) fn decode(key: &[u8], version: u64, body: &[u8]) -> Result<Self, Fault> {
        let id = <[u8; 16]>::try_from(key).ok().ok_or_else(item::damaged)?;
        let stored: Stored = item::decode(body)?;
        let (proves, secret) = match stored.proves {
            StoredProves::Not => (Proves::Not, None),
            StoredProves::Secret(text) => {
                let digest = item::bytes(&text).ok_or_else(item::damaged)?;
                (Proves::Secret, Some(Digest(digest)))
            }
            StoredProves::Keys(set) => (Proves::Keys(set), None),
            StoredProves::KeysAt(url) => (Proves::KeysAt(url), None),
        };
        let registration = Registration {
            name: stored.name,
            display: stored.display,
            redirects: stored.redirects,
            launch_url: stored.launch_url,
            proves,
            scopes: Scopes::parse(&stored.scopes).ok_or_else(item::damaged)?,
            roles: stored.roles,
            introspects: stored.introspects,
            agent: stored.agent,
        };
        registration.check().ok().ok_or_else(item::damaged)?;
        let created = Millis(stored.created_ms);
        Ok(Self { id: PrincipalId::new(id), registration, created, secret, version })
    }
}

impl Smart {
    /// Registers an app: an administrator's act, which is the caller's to see to.
    pub fn register_app(&self, registration: Registration) -> Result<Registered, Fault> {
        registration.check()?;
        if self.apps.read().len() >= APPS_MAX {
            return Err(wrong("name", "There are as many apps as the server keeps."));
        }
        let drawn = match registration.proves {
            Proves::Secret => Some(token::draw(Use::AppSecret, self.random())?),
            Proves::Not | Proves::Keys(_) | Proves::KeysAt(_) => None,
        };
        let (secret, digest) = drawn.unzip();
        let _writing = self.write();
        // If the next commit fails, a principal is left that can do nothing.
        let kind = if registration.agent { Kind::Agent } else { Kind::App };
        let principal = self.ground.identity.create(kind, registration.profile())?;
        let created = self.now();
        let app = App { id: principal.id, registration, created, secret: digest, version: 1 };
        let put = Change::put(ShelfName::Apps, app.id.as_bytes(), None, app.encode()?);
        self.ground.shelf.commit(vec![put], changed(app.id))?;
        let app = Arc::new(app);
        self.apps.write().insert(app.id, Arc::clone(&app));
        Ok(Registered { app, secret })
    }

    /// Replaces what was said of an app. What it was given is narrowed to the new scopes when it
    /// next asks for a token, and a new secret is drawn when it now has one and had none.
    pub fn change_app(
        &self,
        id: PrincipalId,
        registration: Registration,
    ) -> Result<Registered, Fault> {
        registration.check()?;
        let _writing = self.write();
        let before = self.known_app(id)?;
        if before.registration.agent != registration.agent {
            return Err(wrong(
                "agent",
                "An app stays an app, and an agent an agent: register another.",
            ));
        }
        let principal = self.ground.identity.principal(id)?;
        if principal.profile != registration.profile() {
            self.ground.identity.change(id, principal.version, registration.profile())?;
        }
        let drawn = match (&registration.proves, before.secret) {
            (Proves::Secret, None) => Some(token::draw(Use::AppSecret, self.random())?),
            _ => None,
        };
        let kept = before.secret.filter(|_| registration.proves == Proves::Secret);
        let (secret, digest) = drawn.unzip();
        let app = App { registration, secret: digest.or(kept), ..App::clone(&before) };
        self.replace_app(app).map(|app| Registered { app, secret })
    }

    /// Draws a new secret for an app that proves itself by one; the old one is worth nothing at once.
    pub fn renew_app_secret(&self, id: PrincipalId) -> Result<Registered, Fault> {
        let _writing = self.write();
        let before = self.known_app(id)?;
        if before.secret.is_none() {
            return Err(wrong("app", "The app does not prove itself by a secret."));
        }
        let (secret, digest) = token::draw(Use::AppSecret, self.random())?;
        let app = App { secret: Some(digest), ..App::clone(&before) };
        self.replace_app(app).map(|app| Registered { app, secret: Some(secret) })
    }

    /// Takes an app away: its principal is disabled, and everything it was given is revoked.
    pub fn retire_app(&self, id: PrincipalId, reason: &str) -> Result<usize, Fault> {
        let app = self.known_app(id)?;
        let principal = self.ground.identity.principal(id)?;
        if principal.disabled.is_none() {
            self.ground.identity.disable(id, principal.version, reason)?;
        }
        let ended = self.revoke_where(|grant| grant.app == id)?;
        let _writing = self.write();
        let remove = Change::remove(ShelfName::Apps, id.as_bytes(), app.version);
        self.ground.shelf.commit(vec![remove], changed(id))?;
        self.apps.write().remove(&id);
        self.fetches.forget(id);
        Ok(ended)
    }

    /// The apps, in the order they were registered.
    pub fn apps(&self) -> Vec<Arc<App>> {
        let mut all: Vec<_> = self.apps.read().values().cloned().collect();
        all.sort_by_key(|app| (app.created, app.id));
        all
    }

    /// One app.
    pub fn app(&self, id: PrincipalId) -> Option<Arc<App>> {
        self.apps.read().get(&id).cloned()
    }

    /// Whether a web page of this origin belongs to an app that is registered here.
    pub fn is_app_origin(&self, of: &str) -> bool {
        self.apps.read().values().any(|app| app.registration.has_origin(of))
    }

    /// The app of a `client_id`, if it may act.
    pub(crate) fn able_app(&self, client_id: &str) -> Result<Option<Able>, Fault> {
        let Some(app) = PrincipalId::parse(client_id).and_then(|id| self.app(id)) else {
            return Ok(None);
        };
        let principal = self.able(app.id)?;
        Ok(principal.map(|principal| (app, principal)))
    }

    fn known_app(&self, id: PrincipalId) -> Result<Arc<App>, Fault> {
        let none = || {
            let say = "Check the id: no app has it here.";
            Fault::new(&base::error::code::PRINCIPAL_NOT_FOUND, say)
        };
        self.app(id).ok_or_else(none)
    }

    fn replace_app(&self, mut app: App) -> Result<Arc<App>, Fault> {
        let put = Change::put(ShelfName::Apps, app.id.as_bytes(), Some(app.version), app.encode()?);
        self.ground.shelf.commit(vec![put], changed(app.id))?;
        app.version = app.version.saturating_add(1);
        self.fetches.forget(app.id);
        let app = Arc::new(app);
        self.apps.write().insert(app.id, Arc::clone(&app));
        Ok(app)
    }

    pub(crate) fn load_apps(&self) -> Result<(), Fault> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.ground.shelf.scan(ShelfName::Apps, &[], after.as_deref(), SCAN_MAX)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, item) in page {
                let app = App::decode(&key, item.version, &item.body)?;
                self.apps.write().insert(app.id, Arc::new(app));
            }
        }
    }
}

/// Registrations are changed by who owns the data folder, or by an administrator whom the door tells
/// of; to the log it is a change of the app's principal.
const fn changed(app: PrincipalId) -> Deed {
    Smart::deed(DeedKind::Changed, By::Operator, Some(app))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn registration() -> Registration {
        Registration {
            name: "growth-chart".to_owned(),
            display: "Growth Chart".to_owned(),
            redirects: vec!["https://app.example/cb".to_owned()],
            launch_url: None,
            proves: Proves::Not,
            scopes: Scopes::parse("openid patient/*.rs").expect("scopes"),
            roles: Vec::new(),
            introspects: false,
            agent: false,
        }
    }

    /// The worked example of `docs/internals/smart.md`.
    #[test]
    fn the_worked_example_holds() {
        let app = App {
            id: PrincipalId::new([0x11; 16]),
            registration: registration(),
            created: Millis(1_795_340_467_000),
            secret: None,
            version: 3,
        };
        let bytes = app.encode().expect("encoded");
        let json = r#"{"name":"growth-chart","display":"Growth Chart","redirects":["https://app.example/cb"],"launch_url":null,"proves":"not","scopes":"openid patient/*.rs","roles":[],"introspects":false,"created_ms":1795340467000}"#;
        assert_eq!(String::from_utf8_lossy(&bytes), format!("\u{1}{json}"));
        assert_eq!(App::decode(&[0x11; 16], 3, &bytes).expect("decoded"), app);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let scopes = |text: &str| Scopes::parse(text).expect("scopes");
        for (member, bad) in [
            (
                "redirects",
                Registration { redirects: vec!["http://a.example/".into()], ..registration() },
            ),
            ("redirects", Registration { redirects: Vec::new(), ..registration() }),
            ("launchUrl", Registration { launch_url: Some("x".into()), ..registration() }),
            ("scopes", Registration { scopes: Scopes::default(), ..registration() }),
            ("scopes", Registration { scopes: scopes("system/*.rs"), ..registration() }),
            (
                "jwks",
                Registration { proves: Proves::Keys(r#"{"keys":[]}"#.into()), ..registration() },
            ),
            (
                "jwksUri",
                Registration { proves: Proves::KeysAt("file:///x".into()), ..registration() },
            ),
        ] {
            let fault = bad.check().expect_err(member);
            assert_eq!(fault.issues[0].expression.as_deref(), Some(member));
        }
        registration().check().expect("sound");
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_app_or_damage(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0usize..260,
        ) {
            let _ = App::decode(&[1; 16], 1, &bytes);
            let app = App {
                id: PrincipalId::new([1; 16]),
                registration: registration(),
                created: Millis(1),
                secret: None,
                version: 1,
            };
            let mut whole = app.encode().expect("encoded");
            whole.truncate(cut);
            let _ = App::decode(&[1; 16], 1, &whole);
        }
    }
}
