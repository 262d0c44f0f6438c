//! The apps of a site, as commands register and show them, upon the one `Smart`: that of the server
//! that holds the data folder, or one opened by the command itself when none does. An app may do what
//! its grant and its user's policies both permit; a service what its scopes and its own roles do.

use crate::directory::{self, find as principal, operator};
use crate::wish::{Hidden, Open, Proof, ShownApp, Sort, Told, WantedApp, Wish};
use base::error::code;
use base::time::SystemClock;
use base::{Fault, Millis};
use identity::{By, Identity, Principal};
use keys::SystemRandom;
use record::Record;
use smart::{
    About, App, Delegated, Delegating, Fetch, Given, GrantId, Ground, NoFetch, Proves,
    Registration, Scope, Scopes, Settings, Smart,
};
use std::sync::Arc;

/// The authorization server of apps, on the record's own shelf.
pub(crate) fn open(record: &Record, fetch: Arc<dyn Fetch>) -> Result<Smart, Fault> {
    let ground = Ground {
        shelf: record.shelf(),
        identity: Arc::clone(record.identity()),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        fetch,
    };
    Smart::open(ground, Settings::default())
}

/// Whether a wish is carried out here.
pub(crate) const fn is_about_apps(wish: &Wish) -> bool {
    matches!(
        wish,
        Wish::Apps
            | Wish::ShowApp { .. }
            | Wish::AddApp { .. }
            | Wish::RenewApp { .. }
            | Wish::DisableApp { .. }
            | Wish::EnableApp { .. }
            | Wish::Delegate { .. }
            | Wish::Delegations { .. }
            | Wish::EndDelegation { .. }
    )
}

/// Does what is wished, in the name of whoever owns the data folder.
pub(crate) fn carry_out(record: &Record, apps: &Smart, wish: Wish) -> Result<Told, Fault> {
    match wish {
        Wish::Apps => {
            let shown: Result<_, Fault> =
                apps.apps().iter().map(|app| show(record, app, None)).collect();
            shown.map(Told::Apps)
        }
        Wish::ShowApp { name } => {
            let app = find(record, apps, &name)?;
            told(record, &app, None)
        }
        Wish::AddApp { app } => {
            let made = apps.register_app(registration(*app)?)?;
            told(record, &made.app, made.secret.map(Hidden))
        }
        Wish::RenewApp { name } => {
            let renewed = apps.renew_app_secret(find(record, apps, &name)?.id)?;
            told(record, &renewed.app, renewed.secret.map(Hidden))
        }
        Wish::DisableApp { name, reason } => {
            let app = find(record, apps, &name)?;
            let identity = operator(record);
            let principal = identity.principal(app.id)?;
            identity.disable(app.id, principal.version, &reason)?;
            apps.end_all_of(app.id, By::Operator)?;
            // What agents were given through it.
            apps.sweep_delegations_by(By::Operator)?;
            told(record, &app, None)
        }
        Wish::EnableApp { name } => {
            let app = find(record, apps, &name)?;
            let identity = operator(record);
            identity.enable(app.id, identity.principal(app.id)?.version)?;
            told(record, &app, None)
        }
        Wish::Delegate { agent, acts_for, scopes: wanted, patient, ttl_ms } => {
            let identity = &operator(record);
            let delegating = Delegating {
                agent: principal(identity, Sort::Program, &agent)?.id,
                user: principal(identity, Sort::Any, &acts_for)?.id,
                scopes: scopes(&wanted)?,
                patient,
                ttl_ms,
            };
            let Delegated { token, given } = apps.delegate(&delegating, By::Operator)?;
            Ok(Told::Issued { token: Hidden(token), open: open_one(identity, &given)? })
        }
        Wish::Delegations { name } => {
            let identity = &operator(record);
            let named = name.map(|name| principal(identity, Sort::Any, &name)).transpose()?;
            let wanted = |given: &Given| {
                let of =
                    |one: &Principal| given.grant.app == one.id || given.grant.user == Some(one.id);
                named.as_ref().is_none_or(of)
            };
            let all = apps.delegations();
            let shown: Result<_, Fault> =
                all.iter().filter(|one| wanted(one)).map(|one| open_one(identity, one)).collect();
            shown.map(Told::Sessions)
        }
        Wish::EndDelegation { id } => {
            let ended = match GrantId::parse(&id) {
                Some(id) => apps.end_delegation(id, By::Operator)?,
                None => false,
            };
            Ok(Told::Ended(usize::from(ended)))
        }
        _ => Err(Fault::new(&code::INTERNAL, "this wish is not about apps")),
    }
}

/// Does what is wished about who may sign in, and ends with it what apps hold of somebody who is shut out,
/// or whom an issuer no longer means or signs in: else a refresh token would go on for months, or come back
/// to life when they are let in again. An app is shut out by its name as a client as well.
pub(crate) fn with_people(record: &Record, apps: &Smart, wish: Wish) -> Result<Told, Fault> {
    let whose = match &wish {
        Wish::Disable { sort, name, .. } => Some((*sort, name.clone())),
        Wish::Unlink { name } => Some((Sort::Person, name.clone())),
        _ => None,
    };
    let changed = match &wish {
        Wish::Roles { name, .. } => Some(name.clone()),
        _ => None,
    };
    let told = directory::carry_out(record, wish)?;
    let identity = record.identity();
    if let Some((sort, name)) = whose {
        let one = principal(identity, sort, &name)?;
        // Its own first, so that a fault of the rest leaves none of it.
        apps.end_all_of(one.id, By::Operator)?;
        // What stood on it: letting it in again brings nothing back.
        apps.sweep_delegations_by(By::Operator)?;
    }
    if let Some(name) = changed {
        let one = principal(identity, Sort::Any, &name)?;
        if identity.is_administrator(&one) {
            // No issuer signs in an administrator, nor goes on doing so through an app.
            apps.end_vouched_of(one.id, By::Operator)?;
        }
    }
    Ok(told)
}

/// Ends all that apps and agents were given, in a copy of the past: some of it may have been taken back
/// since.
pub(crate) fn forget(record: &Record) -> Result<(), Fault> {
    open(record, Arc::new(NoFetch))?.revoke_by(By::Operator, |_| true).map(drop)
}

/// A delegation, as lists of tokens show it.
fn open_one(identity: &Identity, given: &Given) -> Result<Open, Fault> {
    let grant = &given.grant;
    let user = match grant.user {
        Some(user) => identity.principal(user)?.profile.name,
        None => String::new(),
    };
    Ok(Open {
        id: grant.id.to_string(),
        name: identity.principal(grant.app)?.profile.name,
        kind: "delegation".to_owned(),
        since: grant.created.to_instant(),
        used: given.used.to_instant(),
        ends: given.ends.to_instant(),
        from: None,
        note: format!("for {user}: {}", grant.scopes),
    })
}

fn find(record: &Record, apps: &Smart, name: &str) -> Result<Arc<App>, Fault> {
    let principal = operator(record).find_by_name(name)?;
    principal.and_then(|principal| apps.app(principal.id)).ok_or_else(|| {
        let say = "No app has this name; `plummer app list` shows which there are.";
        Fault::new(&code::PRINCIPAL_NOT_FOUND, say)
    })
}

fn registration(wanted: WantedApp) -> Result<Registration, Fault> {
    let scopes = scopes(&wanted.scopes)?;
    let service = scopes.reaches().any(|reach| reach.about == About::System);
    if service && wanted.roles.is_empty() {
        let say = "A service acts as itself: give it a role, or it may do nothing.";
        return Err(Fault::at(&code::PARAMETER_INVALID, say, "role"));
    }
    // What agents may is the shipped role's to say, unless the site has one of its own.
    let roles = match (wanted.agent, wanted.roles.is_empty()) {
        (true, true) => vec!["agent".to_owned()],
        _ => wanted.roles,
    };
    Ok(Registration {
        name: wanted.name,
        display: wanted.display,
        redirects: wanted.redirects,
        launch_url: wanted.launch,
        proves: match wanted.proves {
            Proof::Public => Proves::Not,
            Proof::Secret => Proves::Secret,
            Proof::Jwks(set) => Proves::Keys(set),
            Proof::JwksUrl(url) => Proves::KeysAt(url),
        },
        scopes,
        roles,
        introspects: wanted.introspects,
        agent: wanted.agent,
    })
}

/// Scopes of a registration. What an app asks for and is not understood is left out; what a site says
/// of it is refused, for a slip of the hand would go unseen.
fn scopes(text: &str) -> Result<Scopes, Fault> {
    let wrong = |say: String| Fault::at(&code::PARAMETER_INVALID, say, "scope");
    if let Some(word) = text.split_whitespace().find(|word| Scope::parse(word).is_none()) {
        return Err(wrong(format!("{word} is no scope that is understood here.")));
    }
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Scopes::parse(&joined).ok_or_else(|| wrong("There are too many scopes.".to_owned()))
}

fn told(record: &Record, app: &App, secret: Option<Hidden>) -> Result<Told, Fault> {
    Ok(Told::App(Box::new(show(record, app, secret)?)))
}

fn show(record: &Record, app: &App, secret: Option<Hidden>) -> Result<ShownApp, Fault> {
    let said = app.registration.clone();
    let principal = record.identity().principal(app.id)?;
    let disabled = principal.disabled.map(|d| (Millis(d.at_ms).to_instant(), d.reason));
    Ok(ShownApp {
        id: app.id.to_string(),
        name: said.name,
        display: said.display,
        proves: match said.proves {
            Proves::Not => "public".to_owned(),
            Proves::Secret => "secret".to_owned(),
            Proves::Keys(_) => "jwks".to_owned(),
            Proves::KeysAt(url) => url,
        },
        redirects: said.redirects,
        launch: said.launch_url,
        scopes: said.scopes.to_string(),
        // What a principal may do is said in one place: its own roles, which `plummer user grant` changes.
        roles: principal.profile.roles,
        introspects: said.introspects,
        agent: said.agent,
        disabled,
        created: app.created.to_instant(),
        secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    mod shut_out {
        use super::super::*;
        use identity::{Cost, Kind, Profile, Secret, Step};
        use smart::{NoFetch, Params, Place};

        const PASSWORD: &str = "tulpen in rotterdam";
        const BACK: &str = "https://app.example/cb";
        const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

        /// What an app gets when ada lets it; its refresh token.
        fn given(apps: &Smart, app: &App, place: &Place) -> String {
            let identity = apps.identity();
            let here = std::net::IpAddr::from([127, 0, 0, 1]);
            let step = identity.begin("ada", &Secret::from(PASSWORD), here).unwrap();
            let Step::Done(opened) = step else { panic!("no second factor") };
            let caller = identity.find(opened.token.text().expose(), None).unwrap();
            let browser = apps.draw_browser().unwrap();
            let ask = format!(
                "response_type=code&client_id={}&redirect_uri={BACK}&state=state-of-sixteen-or-more&scope=user/*.rs%20offline_access&code_challenge={CHALLENGE}&code_challenge_method=S256&aud={}",
                app.id, place.base
            );
            let asked = apps.begin(&Params::parse(&ask).unwrap(), browser.expose(), place).unwrap();
            let agreed = Scopes::parse("user/*.rs offline_access").unwrap();
            let back = apps.approve(asked.expose(), browser.expose(), &caller, &agreed).unwrap();
            let code = back.expose().split("code=").nth(1).unwrap().split('&').next().unwrap();
            let trade = format!(
                "grant_type=authorization_code&client_id={}&redirect_uri={BACK}&code={code}&code_verifier={VERIFIER}",
                app.id
            );
            let issued = apps.token(&Params::parse(&trade).unwrap(), None, place).unwrap();
            let body: serde_json::Value = serde_json::from_str(issued.body().expose()).unwrap();
            body["refresh_token"].as_str().unwrap().to_owned()
        }

        #[test]
        fn what_apps_hold_of_somebody_who_is_shut_out_or_unlinked_ends_for_good() {
            let dir = tempfile::tempdir().unwrap();
            let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
            let identity = identity::Settings { cost, ..identity::Settings::default() };
            let how = record::Settings { identity, ..record::Settings::default() };
            let record = Record::open(dir.path(), how).unwrap();
            let apps = open(&record, Arc::new(NoFetch)).unwrap();
            let profile = Profile {
                name: "ada".to_owned(),
                display: "Ada Lovelace".to_owned(),
                ..Profile::default()
            };
            let ada = record.identity().create(Kind::Person, profile).unwrap();
            record.identity().set_password(ada.id, &Secret::from(PASSWORD), None).unwrap();
            let app = WantedApp {
                name: "chart".to_owned(),
                display: "Growth Chart".to_owned(),
                redirects: vec![BACK.to_owned()],
                launch: None,
                proves: Proof::Public,
                scopes: "user/*.rs offline_access".to_owned(),
                roles: Vec::new(),
                introspects: false,
                agent: false,
            };
            let app = apps.register_app(registration(app).unwrap()).unwrap().app;
            let place = Place::of("https://ehr.example/fhir").unwrap();
            let refreshed = |token: &str| {
                let ask =
                    format!("grant_type=refresh_token&client_id={}&refresh_token={token}", app.id);
                apps.token(&Params::parse(&ask).unwrap(), None, &place).is_ok()
            };
            let name = || "ada".to_owned();
            let token = given(&apps, &app, &place);
            assert!(refreshed(&token), "it is good");
            let _ = given(&apps, &app, &place);
            with_people(&record, &apps, Wish::Unlink { name: name() }).unwrap();
            assert_eq!(apps.given_by(ada.id), [], "nothing is left after unlink");
            let token = given(&apps, &app, &place);
            let (sort, reason) = (Sort::Person, "left".to_owned());
            with_people(&record, &apps, Wish::Disable { sort, name: name(), reason }).unwrap();
            with_people(&record, &apps, Wish::Enable { sort, name: name() }).unwrap();
            assert_eq!(apps.given_by(ada.id), []);
            assert!(!refreshed(&token), "it does not come back to life");
        }
    }

    use identity::vouched::{Vouched, Welcome};
    use identity::{Caller, Cost, IssuerName, Kind, Profile, Secret, Step};
    use smart::{NoFetch, Params, Place};

    const BACK: &str = "https://app.example/cb";
    const SCOPES: &str = "user/*.rs offline_access";
    /// The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    struct Site {
        _dir: tempfile::TempDir,
        record: Record,
        apps: Smart,
        app: String,
    }

    impl Site {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
            let identity = identity::Settings { cost, ..identity::Settings::default() };
            let how = record::Settings { identity, ..record::Settings::default() };
            let record = Record::open(dir.path(), how).unwrap();
            let apps = open(&record, Arc::new(NoFetch)).unwrap();
            let who = record.identity();
            let made = |name: &str| {
                let profile = Profile {
                    name: name.to_owned(),
                    display: "Someone".to_owned(),
                    ..Profile::default()
                };
                let one = who.create(Kind::Person, profile).unwrap();
                who.set_password(one.id, &Secret::from("tulpen in rotterdam"), None).unwrap();
            };
            made("eve");
            let registration = Registration {
                name: "billing-app".to_owned(),
                display: "Billing".to_owned(),
                redirects: vec![BACK.to_owned()],
                launch_url: None,
                proves: Proves::Not,
                scopes: Scopes::parse(SCOPES).unwrap(),
                roles: Vec::new(),
                introspects: false,
                agent: false,
            };
            let app = apps.register_app(registration).unwrap().app.id.to_string();
            Self { _dir: dir, record, apps, app }
        }

        fn caller(&self, step: Step) -> Caller {
            let Step::Done(opened) = step else { panic!("no second factor was set") };
            self.record.identity().find(opened.token.text().expose(), None).unwrap()
        }

        /// The access token of what a user gives the app.
        fn given(&self, caller: &Caller) -> String {
            let place = Place::of("https://ehr.example/fhir").unwrap();
            let browser = self.apps.draw_browser().unwrap();
            let form = |pairs: &[(&str, &str)]| {
                let pair = |(name, value): &(&str, &str)| {
                    let kept = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
                    let coded = value.bytes().map(|b| match kept(b) {
                        true => char::from(b).to_string(),
                        false => format!("%{b:02X}"),
                    });
                    format!("{name}={}", coded.collect::<String>())
                };
                Params::parse(&pairs.iter().map(pair).collect::<Vec<_>>().join("&")).unwrap()
            };
            let request = form(&[
                ("response_type", "code"),
                ("client_id", &self.app),
                ("redirect_uri", BACK),
                ("scope", SCOPES),
                ("state", "state-of-sixteen-or-more"),
                ("aud", "https://ehr.example/fhir"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ]);
            let asked = self.apps.begin(&request, browser.expose(), &place).unwrap();
            let agreed = Scopes::parse(SCOPES).unwrap();
            let back =
                self.apps.approve(asked.expose(), browser.expose(), caller, &agreed).unwrap();
            let code = back.expose().split("code=").nth(1).unwrap();
            let code = code.split('&').next().unwrap();
            let trade = form(&[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", BACK),
                ("code_verifier", VERIFIER),
                ("client_id", &self.app),
            ]);
            let issued = self.apps.token(&trade, None, &place).unwrap().body();
            let body: serde_json::Value = serde_json::from_str(issued.expose()).unwrap();
            body["access_token"].as_str().unwrap().to_owned()
        }

        fn wish(&self, wish: Wish) {
            with_people(&self.record, &self.apps, wish).unwrap();
        }
    }

    #[test]
    fn an_app_disabled_as_a_client_gets_nothing_back_when_it_is_enabled() {
        let site = Site::new();
        let who = site.record.identity();
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        let step = who.begin("eve", &Secret::from("tulpen in rotterdam"), home).unwrap();
        let access = site.given(&site.caller(step));
        assert!(site.apps.find(&access, None).is_ok());
        let (sort, name) = (Sort::Program, "billing-app".to_owned());
        site.wish(Wish::Disable { sort, name: name.clone(), reason: "stolen".to_owned() });
        site.wish(Wish::Enable { sort, name });
        assert!(site.apps.find(&access, None).is_err());
        assert!(site.apps.given_by(who.find_by_name("eve").unwrap().unwrap().id).is_empty());
    }

    #[test]
    fn whoever_becomes_an_administrator_loses_what_apps_have_by_an_issuers_word() {
        let site = Site::new();
        let who = site.record.identity();
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        let vouched = Vouched {
            issuer: IssuerName::parse("st-elsewhere").unwrap(),
            subject: [1; 32],
            name: Some("eve".to_owned()),
            display: None,
            roles: vec!["nurse".to_owned()],
            sites: Vec::new(),
            governs_roles: vec!["nurse".to_owned()],
            governs_sites: Vec::new(),
            links: true,
            creates: false,
            second_factor: true,
            shown: None,
        };
        let Welcome::In(step) = who.vouch(&vouched, home).unwrap() else { panic!("not known") };
        let theirs = site.given(&site.caller(step));
        let step = who.begin("eve", &Secret::from("tulpen in rotterdam"), home).unwrap();
        let own = site.given(&site.caller(step));
        let grant = |role: &str| Wish::Roles {
            name: "eve".to_owned(),
            grant: vec![role.to_owned()],
            revoke: Vec::new(),
        };
        site.wish(grant("biller"));
        assert!(site.apps.find(&theirs, None).is_ok(), "another role ends nothing");
        site.wish(grant("it-administrator"));
        assert!(site.apps.find(&theirs, None).is_err());
        assert!(site.apps.find(&own, None).is_ok(), "what she gave by her own password goes on");
    }
}
