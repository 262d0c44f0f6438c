//! `cargo xtask clients`: drives a running server through client libraries we did not write
//! (`tests/clients/`), installing each into a folder that is thrown away.

use crate::{Command, root};
use anyhow::{Context, bail};
use conformance::process::{Server, Start, program};
use std::fs;
use std::path::Path;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "clients",
    usage: "[--target URL]",
    about: "drive a server through clients we did not write (needs Node and npm)",
    run,
};

/// The client's folder, and what of it is needed to run it.
const CLIENT: &str = "tests/clients/fhir-kit-client";
const FILES: [&str; 3] = ["package.json", ".npmrc", "client.mjs"];

fn run(words: &[String]) -> anyhow::Result<()> {
    let target = match words {
        [] => None,
        [flag, url] if flag == "--target" => Some(url.clone()),
        _ => bail!("expected nothing or --target URL"),
    };
    let folder = std::env::temp_dir().join(format!("plummer-clients-{}", std::process::id()));
    let done = drive(&folder, target);
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
    let mut token = std::env::var("PLUMMER_CLIENT_TOKEN").unwrap_or_default();
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
    fn the_client_and_its_versions_are_exact_and_here() {
        for file in FILES {
            assert!(root().join(CLIENT).join(file).is_file(), "{file}");
        }
        let text =
            fs::read_to_string(root().join(CLIENT).join("package.json")).expect("a manifest");
        let manifest: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let versions = manifest.get("dependencies").and_then(|d| d.as_object()).expect("some");
        for (name, version) in versions {
            let version = version.as_str().expect("a version");
            assert!(version.chars().all(|c| c.is_ascii_digit() || c == '.'), "{name} {version}");
        }
    }
}
