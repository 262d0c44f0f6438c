//! Who asks: tokens that were given, clients that fetch theirs, or users made on our own server.

use super::launch;
use anyhow::{Context, bail};
use leak::persona::Link;
use leak::token::{Client, Key};
use leak::world::World;
use leak::{People, Tokens};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

/// Tokens from the command line, and clients from a file.
pub(super) struct Given {
    pub(super) tokens: BTreeMap<String, String>,
    pub(super) clients: BTreeMap<String, Client>,
}

impl Given {
    fn token(&self, name: &str) -> anyhow::Result<Option<String>> {
        match (self.tokens.get(name), self.clients.get(name)) {
            (Some(token), _) => Ok(Some(token.clone())),
            (None, Some(client)) => Ok(Some(client.token(UNIX_EPOCH.elapsed()?.as_secs())?)),
            (None, None) => Ok(None),
        }
    }
}

impl People for Given {
    fn tokens(&mut self, world: &World, _second: bool) -> anyhow::Result<Tokens> {
        let admin = self.token("admin")?;
        let persona = self.token(world.persona.key)?;
        if admin.is_some() && persona.is_none() {
            bail!("no token for {}: give --token or --clients", world.persona.key);
        }
        Ok(Tokens { admin, persona, browser: None })
    }
}

/// How long a token of our own server lives: longer than any run.
const TTL: &str = "6h";
/// The name of the program that sets the worlds up.
const ADMIN: &str = "leak-bench";

/// Users of our own server, made with its own commands while it runs.
pub(super) struct OwnPeople {
    binary: PathBuf,
    data: PathBuf,
    /// The base address of the server.
    base: String,
    tokens: BTreeMap<String, String>,
    /// The passwords that were drawn, by the names of their users.
    drawn: BTreeMap<String, String>,
    apps: BTreeMap<&'static str, App>,
    /// The personas whose first tokens were asked for.
    set_up: BTreeSet<&'static str>,
}

/// How an app comes to its token.
enum App {
    /// A user approves it: its client id, the user's name and password.
    Approved(String, String, String),
    /// It signs for itself.
    Signs(Client),
}

/// What apps ask for; it is all they are registered for.
const PATIENT_APP: &str = "launch/patient patient/*.rs";
const USER_APP: &str = "user/*.cruds";
const BACKEND: &str = "system/Patient.rs system/Observation.rs";

impl OwnPeople {
    pub(super) fn new(binary: &Path, data: &Path, base: &str) -> Self {
        Self {
            binary: binary.to_owned(),
            data: data.to_owned(),
            base: base.to_owned(),
            tokens: BTreeMap::new(),
            drawn: BTreeMap::new(),
            apps: BTreeMap::new(),
            set_up: BTreeSet::new(),
        }
    }

    /// A token for an app, got as apps get theirs; it lives minutes, so it is got anew each time.
    fn app_token(&mut self, world: &World) -> anyhow::Result<String> {
        let key = world.persona.key;
        if !self.apps.contains_key(key) {
            let app = self.register(world)?;
            self.apps.insert(key, app);
        }
        match self.apps.get(key).context("it is registered")? {
            App::Approved(app, name, password) => {
                let scopes = if key == "app" { PATIENT_APP } else { USER_APP };
                launch::token(&self.base, app, scopes, (name, password))
            }
            App::Signs(client) => client.token(UNIX_EPOCH.elapsed()?.as_secs()),
        }
    }

    fn register(&self, world: &World) -> anyhow::Result<App> {
        let key = world.persona.key;
        let name = format!("leak-{key}");
        let mut words = vec!["app", "add", &name, "--display", key, "--json"];
        if key == "backend-service" {
            let key = Key::new()?;
            let file = self.data.with_extension("jwks.json");
            std::fs::write(&file, &key.jwks)?;
            let file = file.display().to_string();
            words.extend(["--scope", BACKEND, "--role", "system", "--jwks", &file]);
            let root = self.base.strip_suffix("/fhir").context("our own base ends in /fhir")?;
            let id = id_of(&self.call(&words)?)?;
            return Ok(App::Signs(key.client(&format!("{root}/auth/token"), &id, BACKEND)));
        }
        let scopes = if key == "app" { PATIENT_APP } else { USER_APP };
        words.extend(["--scope", scopes, "--public", "--redirect", launch::BACK]);
        let id = id_of(&self.call(&words)?)?;
        let (site, me) = (world.shared("org"), world.shared("me"));
        let user = format!("leak-user-of-{key}");
        let mut words = vec!["user", "add", &user, "--display", key, "--draw", "--permanent"];
        words.push("--json");
        match key {
            "app" => words.extend(["--role", "patient", "--patient", &world.own]),
            _ => words.extend(["--role", "clinician", "--practitioner", &me, "--site", &site]),
        }
        let password = drawn(&self.call(&words)?)?;
        Ok(App::Approved(id, user, password))
    }

    fn token(&mut self, name: &str, make: &[&str]) -> anyhow::Result<String> {
        if let Some(token) = self.tokens.get(name) {
            return Ok(token.clone());
        }
        let made = self.call(make)?;
        if let Ok(password) = drawn(&made) {
            self.drawn.insert(name.to_owned(), password);
        }
        let token = self.call(&["token", "issue", "--user", name, "--ttl", TTL])?;
        let token = token.lines().last().unwrap_or("").trim().to_owned();
        self.tokens.insert(name.to_owned(), token.clone());
        Ok(token)
    }

    /// A token of an agent that acts for a person.
    fn agent_token(&mut self, world: &World) -> anyhow::Result<String> {
        let key = world.persona.key;
        if let Some(token) = self.tokens.get(key) {
            return Ok(token.clone());
        }
        let (agent, user) = (format!("leak-{key}"), format!("leak-user-of-{key}"));
        let make =
            ["client", "add", &agent, "--display", key, "--kind", "agent", "--role", "agent"];
        self.call(&make)?;
        let (site, me) = (world.shared("org"), world.shared("me"));
        let mut make = vec!["user", "add", &user, "--display", key, "--no-password"];
        make.extend(["--site", &site]);
        match world.persona.link {
            Link::Care => make.extend(["--role", "clinician", "--practitioner", &me]),
            _ => make.extend(["--role", "front-desk"]),
        }
        self.call(&make)?;
        let words = ["token", "issue", "--agent", &agent, "--for", &user, "--ttl", TTL];
        let token = self.call(&[&words[..], &["--scope", "user/*.cruds"]].concat())?;
        let token = token.lines().last().unwrap_or("").trim().to_owned();
        self.tokens.insert(key.to_owned(), token.clone());
        Ok(token)
    }

    fn call(&self, words: &[&str]) -> anyhow::Result<String> {
        let done = Command::new(&self.binary)
            .args(words)
            .arg("--data")
            .arg(&self.data)
            .stdin(Stdio::null())
            .output()
            .context("plummer did not start")?;
        if !done.status.success() {
            bail!("plummer {}: {}", words.join(" "), String::from_utf8_lossy(&done.stderr));
        }
        Ok(String::from_utf8(done.stdout)?)
    }
}

impl People for OwnPeople {
    fn tokens(&mut self, world: &World, _second: bool) -> anyhow::Result<Tokens> {
        let admin = ["client", "add", ADMIN, "--display", "leak bench", "--role", "system"];
        let admin = self.token(ADMIN, &admin)?;
        let persona = world.persona;
        if matches!(persona.key, "app" | "user-app" | "backend-service") {
            // The first are for setting the world up: before, there is no patient to approve it for.
            if self.set_up.insert(persona.key) {
                return Ok(Tokens { admin: Some(admin), ..Tokens::default() });
            }
            let token = self.app_token(world)?;
            return Ok(Tokens { admin: Some(admin), persona: Some(token), browser: None });
        }
        if persona.role == "agent" {
            let persona = Some(self.agent_token(world)?);
            return Ok(Tokens { admin: Some(admin), persona, browser: None });
        }
        let name = format!("leak-{}", persona.key);
        let (site, me) = (world.shared("org"), world.shared("me"));
        let mut make = vec!["user", "add", &name, "--display", persona.key, "--role", persona.role];
        make.extend(["--draw", "--permanent", "--json"]);
        match persona.link {
            Link::Care => make.extend(["--practitioner", &me, "--site", &site]),
            Link::Itself => make.extend(["--patient", &world.own]),
            Link::Represents => make.extend(["--represents", &world.own]),
            Link::Work => make.extend(["--site", &site]),
        }
        let token = self.token(&name, &make)?;
        let password = self.drawn.get(&name).context("a password was drawn")?;
        let browser = launch::browser(&self.base, (&name, password))?;
        Ok(Tokens { admin: Some(admin), persona: Some(token), browser: Some(browser) })
    }
}

/// The client id in what `plummer app add --json` prints.
fn id_of(json: &str) -> anyhow::Result<String> {
    let made: Value = serde_json::from_str(json)?;
    let id = made.get("id").and_then(Value::as_str).context("the app has no id")?;
    Ok(id.to_owned())
}

/// The password in what `plummer user add --draw --json` prints.
fn drawn(json: &str) -> anyhow::Result<String> {
    let made: Value = serde_json::from_str(json)?;
    let password = made.get("drawn").and_then(Value::as_str);
    Ok(password.context("no password was drawn")?.to_owned())
}
