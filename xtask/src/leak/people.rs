//! Who asks: tokens that were given, clients that fetch theirs, or users made on our own server.

use anyhow::{Context, bail};
use leak::persona::Link;
use leak::token::Client;
use leak::world::World;
use leak::{People, Persona, Tokens};
use std::collections::BTreeMap;
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
        Ok(Tokens { admin, persona })
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
    tokens: BTreeMap<String, String>,
}

impl OwnPeople {
    pub(super) fn new(binary: &Path, data: &Path) -> Self {
        Self { binary: binary.to_owned(), data: data.to_owned(), tokens: BTreeMap::new() }
    }

    /// Why a persona cannot be made here, if it cannot.
    pub(super) fn cannot(persona: &Persona) -> Option<&'static str> {
        match persona.key {
            "app" => Some("an app gets its token by launch (SMART), never at the console"),
            "agent" => {
                Some("an agent acts for a user, and nothing lets it yet: alone it is denied")
            }
            _ => None,
        }
    }

    fn token(&mut self, name: &str, make: &[&str]) -> anyhow::Result<String> {
        if let Some(token) = self.tokens.get(name) {
            return Ok(token.clone());
        }
        self.call(make)?;
        let token = self.call(&["token", "issue", "--user", name, "--ttl", TTL])?;
        let token = token.lines().last().unwrap_or("").trim().to_owned();
        self.tokens.insert(name.to_owned(), token.clone());
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
        let name = format!("leak-{}", persona.key);
        let (site, me) = (world.shared("org"), world.shared("me"));
        let mut make = vec!["user", "add", &name, "--display", persona.key, "--role", persona.role];
        make.push("--no-password");
        match persona.link {
            Link::Care => make.extend(["--practitioner", &me, "--site", &site]),
            Link::Itself => make.extend(["--patient", &world.own]),
            Link::Represents => make.extend(["--represents", &world.own]),
            Link::Work => make.extend(["--site", &site]),
        }
        let token = self.token(&name, &make)?;
        Ok(Tokens { admin: Some(admin), persona: Some(token) })
    }
}
