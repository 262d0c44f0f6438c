//! A headless Chromium as a child process: found, started with a profile that is thrown away, and
//! killed with everything it started when dropped, also by a panic. It reaches this machine alone, so
//! that a page which loads anything from elsewhere is found out.

use crate::page::Page;
use crate::wire::Wire;
use anyhow::{Context, bail};
use serde_json::json;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Names a Chromium that is not in `PATH`, or under another name.
pub const PROGRAM: &str = "PLUMMER_CHROMIUM";
/// With this `1` (as CI sets it) a missing Chromium is a failure.
pub const REQUIRED: &str = "PLUMMER_REQUIRE_DATA";
/// What it is called, by the systems that package it.
const NAMES: [&str; 5] =
    ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome"];
/// How long anything may take that is waited for: a loaded machine of two cores takes seconds to start
/// a browser.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Chromium speaks on the descriptors 3 and 4, which a shell makes of its input and output.
const PIPES: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >&2";
/// Nothing of its own beside the pages, no look that depends on the machine more than it must, and no
/// way to any other.
const WORDS: [&str; 20] = [
    "--headless",
    "--remote-debugging-pipe",
    // Only what is under test runs in it, and root has no other way.
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-gpu",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--lang=en-US",
    "--password-store=basic",
];

/// A running Chromium.
#[derive(Debug)]
pub struct Chromium {
    child: Child,
    wire: Arc<Wire>,
    evidence: PathBuf,
    // Dropped behind the process that writes there.
    _profile: TempDir,
}

/// The program, by `PLUMMER_CHROMIUM` or else in `PATH`.
pub fn find() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(PROGRAM) {
        return Some(named.into());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.into_iter().find(|program| program.is_file())
}

/// The program, or none when there is none and nobody demands one.
///
/// # Errors
/// When there is none and [`REQUIRED`] is `1`.
pub fn find_or_skip() -> anyhow::Result<Option<PathBuf>> {
    let found = find();
    if found.is_none() && std::env::var_os(REQUIRED).is_some_and(|value| value == "1") {
        bail!("{REQUIRED} is set, but there is no Chromium: install one, or name it by {PROGRAM}");
    }
    Ok(found)
}

impl Chromium {
    /// Starts it. Pictures of what went wrong go into the folder `evidence`, which is made when the
    /// first is taken.
    pub fn launch(program: &Path, evidence: &Path) -> anyhow::Result<Self> {
        Self::launch_with(program, evidence, &[])
    }

    /// As [`Chromium::launch`], with more in its environment.
    pub fn launch_with(
        program: &Path,
        evidence: &Path,
        environment: &[(&str, &OsStr)],
    ) -> anyhow::Result<Self> {
        let profile = TempDir::with_prefix("plummer-chromium-")?;
        let log = profile.path().join("said");
        let mut command = Command::new("sh");
        command
            .args(["-c", PIPES])
            .arg(program)
            .args(WORDS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().context("sh did not start")?;
        let ends = child.stdout.take().zip(child.stdin.take()).context("a child without pipes")?;
        let wire = Arc::new(Wire::new(ends.0, ends.1, PATIENCE));
        let chromium = Self { child, wire, evidence: evidence.to_path_buf(), _profile: profile };
        chromium.wire.call("", "Browser.getVersion", json!({})).with_context(|| {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            format!("{} did not start: {}", program.display(), last.join(" / "))
        })?;
        Ok(chromium)
    }

    /// What it says it is, such as `Chrome/156.0.8078.79`.
    pub fn version(&self) -> anyhow::Result<String> {
        let told = self.wire.call("", "Browser.getVersion", json!({}))?;
        let product = told.get("product").and_then(|product| product.as_str());
        Ok(product.context("a browser without a name")?.to_owned())
    }

    /// A page in a context of its own: no cookie, no cache and no storage of any other. Addresses that
    /// it is sent to may be relative to `root`.
    pub fn page(&self, root: &str) -> anyhow::Result<Page> {
        let context = self.wire.call("", "Target.createBrowserContext", json!({}))?;
        let context = context.get("browserContextId").and_then(|id| id.as_str());
        let context = context.context("no browser context")?;
        Page::open(&self.wire, context, root, &self.evidence)
    }

    /// The number of its process, which is also that of its group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The whole group: renderers and the like are processes of their own. An error means that they
        // have ended already.
        let group = format!("-{}", self.child.id());
        let killed = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if !killed.is_ok_and(|status| status.success()) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_no_browser_is_an_error_that_names_it() {
        let folder = std::env::temp_dir();
        let error = Chromium::launch(Path::new("false"), &folder).expect_err("no browser");
        assert!(format!("{error:#}").contains("false did not start"), "{error:#}");
    }
}
