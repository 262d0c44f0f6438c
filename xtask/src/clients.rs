//! `cargo xtask clients`: drives a running server through client libraries we did not write
//! (`tests/clients/`), installing each into a folder that is thrown away: a FHIR client against the
//! program, and apps in a browser and a backend service against a site made for them.

use crate::{Command, root};
use anyhow::{Context, bail};
use conformance::process::{Server, Start, program};
use std::fs;
use std::path::Path;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "clients",
    usage: "[--target URL]",
    about: "drive a server through clients we did not write (needs Node, npm and Chromium)",
    run,
};

/// The client's folder, and what of it is needed to run it.
const CLIENT: &str = "tests/clients/fhir-kit-client";
const FILES: [&str; 3] = ["package.json", ".npmrc", "client.mjs"];
/// The apps' folder, and what of it is needed.
const APPS: &str = "tests/clients/smart";
const APP_FILES: [&str; 7] = [
    "package.json",
    ".npmrc",
    "run.mjs",
    "client.mjs",
    "passkeys.mjs",
    "launch.html",
    "index.html",
];
/// The site they are driven against: an example of the server's crate.
const SITE: &str = "smart_site";

fn run(words: &[String]) -> anyhow::Result<()> {
    let target = match words {
        [] => None,
        [flag, url] if flag == "--target" => Some(url.clone()),
        _ => bail!("expected nothing or --target URL"),
    };
    let folder = std::env::temp_dir().join(format!("plummer-clients-{}", std::process::id()));
    let done = match target {
        None => drive(&folder, None).and_then(|()| apps(&folder)),
        target => drive(&folder, target),
    };
    // What is left behind is only in the way.
    let _ = fs::remove_dir_all(&folder);
    done
}

fn drive(folder: &Path, target: Option<String>) -> anyhow::Result<()> {
    let client = folder.join("client");
    fs::create_dir_all(&client)?;
    for file in FILES {
        fs::copy(root().join(CLIENT).join(file), client.join(file)).context(file)?;
    }
    let install = ["install", "--no-package-lock", "--ignore-scripts", "--silent"];
    call("npm", &install, &client)?;
    let mut own = None;
    let mut token = String::new();
    let url = match target {
        Some(url) => url,
        None => {
            let (binary, data) = (program(&root())?, folder.join("data"));
            let start = Start { binary: &binary, data: &data, words: &[], environment: &[] };
            let server = own.insert(Server::start(&start)?);
            token = server.token().unwrap_or_default().to_owned();
            server.url().to_owned()
        }
    };
    call("node", &["client.mjs", &url, &token], &client)?;
    if let Some(server) = own {
        server.stop()?;
    }
    Ok(())
}

/// Apps: `fhirclient` in a headless browser, and a service that signs; and passkeys in that browser.
fn apps(folder: &Path) -> anyhow::Result<()> {
    let own = folder.join("apps");
    fs::create_dir_all(&own)?;
    for file in APP_FILES {
        fs::copy(root().join(APPS).join(file), own.join(file)).context(file)?;
    }
    let install = ["install", "--no-package-lock", "--ignore-scripts", "--silent"];
    call("npm", &install, &own)?;
    call("cargo", &["build", "--quiet", "-p", "server", "--example", SITE], &root())?;
    // Beside this program, whatever the target folder is called.
    let this = std::env::current_exe()?;
    let site = this.parent().context("a folder")?.join("examples").join(SITE);
    let site = site.to_str().context("a folder with a name in UTF-8")?;
    call("node", &["run.mjs", "", site], &own)
}

fn call(name: &str, words: &[&str], folder: &Path) -> anyhow::Result<()> {
    let status = std::process::Command::new(name).args(words).current_dir(folder).status();
    let status = status.with_context(|| format!("{name} is not installed"))?;
    if !status.success() {
        bail!("{name} {} ended with {status}", words.join(" "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clients_and_their_versions_are_exact_and_here() {
        for file in FILES {
            assert!(root().join(CLIENT).join(file).is_file(), "{file}");
        }
        for file in APP_FILES {
            assert!(root().join(APPS).join(file).is_file(), "{file}");
        }
        for folder in [CLIENT, APPS] {
            exact(folder);
        }
    }

    fn exact(folder: &str) {
        let text =
            fs::read_to_string(root().join(folder).join("package.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let versions = manifest.get("dependencies").and_then(|d| d.as_object()).expect("some");
        for (name, version) in versions {
            let version = version.as_str().expect("a version");
            assert!(version.chars().all(|c| c.is_ascii_digit() || c == '.'), "{name} {version}");
        }
    }
}
