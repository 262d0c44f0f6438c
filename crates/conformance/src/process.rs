//! A server as a child process on a loopback port, for suites, drills and benches: built, started,
//! waited for, asked to stop or killed. It is killed when dropped, so that no run leaves one behind.

use crate::http::Http;
use anyhow::{Context, bail};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// The server's package and program.
const PROGRAM: &str = "plummer";
/// Folders below `crates` that are no part of the program.
const APART: [&str; 6] = ["browser", "conformance", "leak", "testkit", "tests", "examples"];
/// How long a start may take: a recovery after a kill has much to read.
const START_MAX: Duration = Duration::from_secs(120);
/// How long an orderly stop may take.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);

/// How to start a server.
#[derive(Debug, Clone)]
pub struct Start<'s> {
    /// The program.
    pub binary: &'s Path,
    /// Its data folder.
    pub data: &'s Path,
    /// Further words of the command line.
    pub words: &'s [&'s str],
    /// Further environment.
    pub environment: &'s [(&'s str, OsString)],
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
    to_ready: Duration,
    token: Option<String>,
}

impl Server {
    /// Starts it and waits until it says that it is ready. Its log goes beside its data.
    pub fn start(start: &Start<'_>) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Self::start_at(start, port)
    }

    /// As [`Server::start`], at a port of 127.0.0.1: where another one was that ended.
    pub fn start_at(start: &Start<'_>, port: u16) -> anyhow::Result<Self> {
        let authority = format!("127.0.0.1:{port}");
        let log = log_of(start.data);
        let out = File::options().create(true).append(true).open(&log)?;
        let began = Instant::now();
        let child = Command::new(start.binary)
            .args(["serve", "--listen", &authority, "--data"])
            .arg(start.data)
            .args(start.words)
            .envs(start.environment.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("cannot start {}", start.binary.display()))?;
        let url = format!("http://{authority}/fhir");
        let mut server = Self { child, url, to_ready: Duration::ZERO, token: None };
        let mut health = Http::new(&format!("http://{authority}"))?;
        loop {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended at its start, {status}: {}", tail(&log));
            }
            if health.get("health/ready").is_ok_and(|answer| answer.status == 200) {
                server.to_ready = began.elapsed();
                server.token = token(start)?;
                return Ok(server);
            }
            if began.elapsed() > START_MAX {
                bail!("the server was not ready in {START_MAX:?}: {}", tail(&log));
            }
            thread::sleep(LOOK);
        }
    }

    /// The base address of its FHIR door.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection to it.
    pub fn http(&self) -> anyhow::Result<Http> {
        Ok(Http::new(&self.url)?.with_token(self.token.as_deref()))
    }

    /// The token of a service that has all that the walls leave; none when its guard is off.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// From its start until it was ready.
    pub fn to_ready(&self) -> Duration {
        self.to_ready
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and waits for its orderly end.
    pub fn stop(mut self) -> anyhow::Result<ExitStatus> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().context("kill did not start")?;
        let began = Instant::now();
        while began.elapsed() < STOP_MAX {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            thread::sleep(LOOK);
        }
        bail!("the server did not stop in {STOP_MAX:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a service that may do everything the walls leave, and issues it a token. It is kept in the
/// data folder, for the next start.
fn token(start: &Start<'_>) -> anyhow::Result<Option<String>> {
    let off = |(name, value): &(&str, OsString)| *name == "PLUMMER_GUARD" && value == "off";
    if start.environment.iter().any(off) {
        return Ok(None);
    }
    let kept = start.data.join("tools.token");
    if let Ok(token) = std::fs::read_to_string(&kept) {
        return Ok(Some(token));
    }
    let call = |words: &[&str]| -> anyhow::Result<Value> {
        let out = Command::new(start.binary)
            .args(words)
            .args(["--json", "--data"])
            .arg(start.data)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot start {}", start.binary.display()))?;
        if !out.status.success() {
            bail!("{}: {}", words.join(" "), String::from_utf8_lossy(&out.stderr));
        }
        Ok(serde_json::from_slice(&out.stdout)?)
    };
    call(&["client", "add", "tools", "--display", "Tools", "--role", "system"])?;
    let issued = call(&["token", "issue", "--user", "tools", "--ttl", "24h"])?;
    let token = issued.get("token").and_then(Value::as_str).context("no token was issued")?;
    std::fs::write(&kept, token)?;
    Ok(Some(token.to_owned()))
}

/// The server's program in this build's own profile: the one that stands beside the running program,
/// unless a source of the product is younger, or else a new one. A build apart from that of the tests
/// would differ in the features of some crates and take minutes.
pub fn program(root: &Path) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let beside = own.ancestors().skip(1).take(2).map(|folder| folder.join(PROGRAM));
    for program in beside.filter(|program| program.is_file()) {
        let built = program.metadata()?.modified()?;
        if youngest(&root.join("crates"))?.is_none_or(|changed| changed <= built) {
            return Ok(program);
        }
    }
    build(root, PROGRAM, &[])
}

/// When the last source of the product was changed.
fn youngest(folder: &Path) -> anyhow::Result<Option<SystemTime>> {
    let mut youngest = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let facts = entry.metadata()?;
        let changed = if !facts.is_dir() {
            Some(facts.modified()?)
        } else if APART.iter().any(|name| entry.file_name() == *name) {
            None
        } else {
            self::youngest(&entry.path())?
        };
        youngest = youngest.max(changed);
    }
    Ok(youngest)
}

/// Builds a binary of the workspace and tells where it is.
pub fn build(root: &Path, package: &str, words: &[&str]) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", package, "--message-format=json"])
        .args(words)
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cargo did not start")?;
    if !output.status.success() {
        bail!("cargo build --package {package} failed");
    }
    built(&String::from_utf8_lossy(&output.stdout), package)
        .with_context(|| format!("cargo built nothing for {package}"))
}

/// The executable, or the shared library, of a package among cargo's messages.
fn built(messages: &str, package: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = None;
    for message in messages.filter(|m| m.pointer("/target/name").is_some_and(|n| n == package)) {
        let shared = |path: &&str| path.ends_with(".so") || path.ends_with(".dylib");
        let files = message.get("filenames").and_then(Value::as_array);
        let library = files.and_then(|f| f.iter().filter_map(Value::as_str).find(shared));
        let path = message.get("executable").and_then(Value::as_str).or(library);
        found = path.map(PathBuf::from).or(found);
    }
    found
}

/// Where the log of the server with this data folder is.
pub fn log_of(data: &Path) -> PathBuf {
    data.with_extension("log")
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_cargo_built() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"a"},"filenames":["/x/liba.rlib"],"executable":null}
{"reason":"compiler-artifact","target":{"name":"a"},"filenames":["/x/a"],"executable":"/x/a"}
{"reason":"compiler-artifact","target":{"name":"b"},"filenames":["/x/libb.so"],"executable":null}
{"reason":"build-finished"}"#;
        assert_eq!(built(messages, "a"), Some(PathBuf::from("/x/a")));
        assert_eq!(built(messages, "b"), Some(PathBuf::from("/x/libb.so")));
        assert_eq!(built(messages, "c"), None);
    }

    #[test]
    fn a_program_that_ends_at_once_is_an_error_with_its_last_words() {
        let data = std::env::temp_dir().join(format!("conformance-{}", std::process::id()));
        let start = Start { binary: Path::new("false"), data: &data, words: &[], environment: &[] };
        let error = Server::start(&start).expect_err("no server");
        assert!(error.to_string().contains("ended at its start"), "{error}");
        std::fs::remove_file(log_of(&data)).expect("its log");
    }
}
