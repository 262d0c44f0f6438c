//! The server that is browsed: the demo clinic on a folder that is thrown away, its people with their
//! passwords, and one app that users may give something to.

use crate::root;
use anyhow::{Context, bail};
use browser::Page;
use conformance::http::Http;
use conformance::process::{Server, Start, log_of, program};
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

const PATIENTS: &str = "40";
/// Where the app takes somebody back to: an address of the server itself, since no journey goes on in it.
const BACK: &str = "/health/live";
pub(super) const APP_NAME: &str = "Growth Chart";
/// What the app proves itself by: the pair of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

/// A running site.
#[derive(Debug)]
pub(super) struct Site {
    /// None while it is dead.
    server: Mutex<Option<Server>>,
    root: String,
    /// Their passwords are drawn at each start.
    people: Mutex<Vec<(String, String)>>,
    binary: PathBuf,
    data: PathBuf,
    environment: Vec<(&'static str, OsString)>,
    /// The id of the app, which is added for the first who asks: its address is the server's own.
    app: OnceLock<String>,
}

impl Site {
    pub(super) fn open(data: &Path) -> anyhow::Result<Self> {
        Self::open_under(data, &[])
    }

    /// As [`Site::open`], with more in the environment of the server and of what is said to it: another
    /// clock, for one.
    pub(super) fn open_under(
        data: &Path,
        environment: &[(&'static str, OsString)],
    ) -> anyhow::Result<Self> {
        let binary = program(&root())?;
        Self::start(binary, data, environment)
    }

    /// As [`Site::open_under`], with a program that is built already.
    pub(super) fn start(
        binary: PathBuf,
        data: &Path,
        environment: &[(&'static str, OsString)],
    ) -> anyhow::Result<Self> {
        let (server, people) = start(&binary, data, environment, None)?;
        // Browsers give passkeys to names only.
        let root = server.url().trim_end_matches("/fhir").replace("127.0.0.1", "localhost");
        Ok(Self {
            server: Mutex::new(Some(server)),
            people: Mutex::new(people),
            root,
            binary,
            data: data.to_owned(),
            environment: environment.to_vec(),
            app: OnceLock::new(),
        })
    }

    /// Ends the server as a loss of power does to it: by SIGKILL.
    pub(super) fn dies(&self) -> anyhow::Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner).take();
        server.context("the server is dead already")?.kill()
    }

    /// Starts a server where the one was that died, on what it left.
    pub(super) fn comes_back(&self) -> anyhow::Result<()> {
        let port = self.root.rsplit(':').next().context("a root without a port")?.parse()?;
        let (server, people) = start(&self.binary, &self.data, &self.environment, Some(port))?;
        *self.server.lock().unwrap_or_else(PoisonError::into_inner) = Some(server);
        *self.people.lock().unwrap_or_else(PoisonError::into_inner) = people;
        Ok(())
    }

    /// Where it is.
    pub(super) fn root(&self) -> &str {
        &self.root
    }

    /// Where an app sends somebody who is to decide about it.
    pub(super) fn asked_by_app(&self) -> anyhow::Result<String> {
        let (root, app) = (&self.root, self.app()?);
        Ok(format!(
            "/auth/authorize?response_type=code&client_id={app}&redirect_uri={root}{BACK}&state=state-of-sixteen-or-more&aud={root}/fhir&code_challenge={CHALLENGE}&code_challenge_method=S256&scope=launch/patient%20openid%20fhirUser%20patient/*.rs"
        ))
    }

    fn app(&self) -> anyhow::Result<&str> {
        if let Some(app) = self.app.get() {
            return Ok(app);
        }
        let root = &self.root;
        let added = Command::new(&self.binary)
            .envs(self.environment.iter().map(|(name, value)| (*name, value)))
            .args(["app", "add", "growth-chart", "--display", APP_NAME, "--public", "--json"])
            .args(["--redirect", &format!("{root}{BACK}"), "--launch", &format!("{root}{BACK}")])
            .args(["--scope", "launch launch/patient openid fhirUser patient/*.rs offline_access"])
            .arg("--data")
            .arg(&self.data)
            .output()?;
        let added: Value = serde_json::from_slice(&added.stdout).context("no app was added")?;
        let app = added.get("id").and_then(Value::as_str).context("an app without an id")?;
        Ok(self.app.get_or_init(|| app.to_owned()))
    }

    /// Waits until somebody who allowed it is back at the app, and takes for it what was given.
    pub(super) fn app_takes(&self, page: &mut Page) -> anyhow::Result<()> {
        let there = format!("{}{BACK}?", self.root);
        page.wait("the way back to the app", |page| Ok(page.address()?.starts_with(&there)))?;
        let address = page.address()?;
        let code = address.split(['?', '&']).find_map(|part| part.strip_prefix("code="));
        let code = code.context("the app was given no code")?;
        let (root, app) = (&self.root, self.app()?);
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={root}{BACK}&client_id={app}&code_verifier={VERIFIER}"
        );
        Http::new(root)?.send("POST", "auth/token", &FORM, body.as_bytes())?.ok()?;
        Ok(())
    }

    /// The password of one of its people.
    pub(super) fn password(&self, name: &str) -> anyhow::Result<String> {
        let people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let found = people.iter().find(|(known, _)| known == name);
        found.map(|(_, password)| password.clone()).with_context(|| format!("nobody is {name}"))
    }

    /// Signs somebody in from the page of signing in, as far as the first page of the console.
    pub(super) fn comes_in(&self, page: &mut Page, name: &str) -> anyhow::Result<()> {
        page.go("/auth/sign-in")?;
        self.sign_in(page, name)?;
        page.sees("heading", "Today")
    }

    /// Signs somebody in on the page that is open, by keyboard.
    pub(super) fn sign_in(&self, page: &mut Page, name: &str) -> anyhow::Result<()> {
        page.tab_to("textbox", "Sign-in name")?;
        page.types(name)?;
        page.tab_to("textbox", "Password")?;
        page.pastes(&self.password(name)?)?;
        page.press("Enter")
    }

    pub(super) fn close(self) -> anyhow::Result<()> {
        let server = self.server.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ended = server.context("the server is dead")?.stop()?;
        if !ended.success() {
            bail!("the server ended with {ended}");
        }
        Ok(())
    }
}

/// Starts a server, and who may sign in.
fn start(
    binary: &Path,
    data: &Path,
    environment: &[(&'static str, OsString)],
    port: Option<u16>,
) -> anyhow::Result<(Server, Vec<(String, String)>)> {
    // One machine signs in more often here than a waiting room does.
    let mut all = vec![
        ("PLUMMER_RATE_SIGN_IN_BURST", "1000".into()),
        ("PLUMMER_RATE_SIGN_IN_PER_MINUTE", "1000".into()),
        ("PLUMMER_SELF_ARRIVAL", "true".into()),
    ];
    all.extend_from_slice(environment);
    let words = ["--demo", "--demo-patients", PATIENTS];
    let how = Start { binary, data, words: &words, environment: &all };
    let server = match port {
        Some(port) => Server::start_at(&how, port)?,
        None => Server::start(&how)?,
    };
    let people = people(&fs::read_to_string(log_of(data))?);
    if people.is_empty() {
        bail!("the demo clinic named nobody who may sign in");
    }
    Ok((server, people))
}

/// The names and passwords that a demo printed at its last start.
fn people(said: &str) -> Vec<(String, String)> {
    let said = said.rfind("\n  NAME ").and_then(|at| said.get(at..)).unwrap_or_default();
    let rows = said.lines().skip_while(|line| !line.trim_start().starts_with("NAME ")).skip(1);
    let rows = rows.take_while(|line| line.starts_with("  "));
    let pair = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    };
    rows.filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_as_the_demo_prints_them() {
        let said = "Plummer serves http://h/fhir\nSign in as:\n  NAME    PASSWORD        WHO\n  nurse   AAAA-BBBB-CCCC  Someone, RN\n  him     DDDD-EEEE-FFFF  Another\nTry:\n  curl x y\n";
        let earlier = said.replace("AAAA", "ZZZZ");
        let all = people(&format!("{earlier}{said}"));
        assert_eq!(all.len(), 2);
        assert_eq!(all.first(), Some(&("nurse".to_owned(), "AAAA-BBBB-CCCC".to_owned())));
    }
}
