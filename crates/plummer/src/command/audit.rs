//! `plummer audit …`: checks, shows, reports, proves and sends the access log. All read beside a running
//! server, but for what needs the tenant's keys.

mod forward;
mod proof;
mod report;
mod review;
mod signals;
mod verify;

pub(crate) use report::instant;

use crate::cli::Audit;
use crate::settings::Settings;
use anyhow::{Context as _, bail};
use audit::NoteKey;
use std::path::Path;
use std::process::ExitCode;

/// Does what was asked with the access log of the data folder.
pub(crate) fn run(settings: &Settings, args: Audit) -> anyhow::Result<ExitCode> {
    if let Audit::CheckProof(args) = &args {
        // Whoever checks a proof has no data folder.
        return proof::check(args);
    }
    let data = settings.data();
    let dir = data.join("audit");
    if !dir.is_dir() {
        bail!("{} holds no access log", data.display());
    }
    match args {
        Audit::Verify(args) => verify::run(settings, &dir, &args),
        Audit::Show(filter) => report::show(&dir, &filter),
        Audit::Report(args) => report::report(&dir, &args),
        Audit::Export(args) => report::export(&dir, &args),
        Audit::Prove(args) => proof::prove(settings, &dir, &args),
        Audit::CheckProof(args) => proof::check(&args),
        Audit::Cosigned(args) => proof::cosigned(&dir, &args),
        Audit::Signals(args) => signals::run(settings, &args),
        Audit::Send(args) => forward::run(&dir, &args),
    }
}

/// A key as it is written, or the file that holds it.
fn key(text: &str) -> anyhow::Result<NoteKey> {
    if let Ok(key) = NoteKey::parse(text) {
        return Ok(key);
    }
    let read = std::fs::read_to_string(text);
    let read = read.with_context(|| format!("{text} is neither a key nor a file with one"))?;
    NoteKey::parse(&read).with_context(|| format!("{text} holds no key"))
}

fn keys(texts: &[String]) -> anyhow::Result<Vec<NoteKey>> {
    texts.iter().map(|text| key(text)).collect()
}

/// The key beside the log, if it was ever signed.
fn key_beside(dir: &Path) -> anyhow::Result<Option<NoteKey>> {
    let path = dir.join(audit::notary::KEY_FILE);
    match path.exists() {
        true => key(&path.to_string_lossy()).map(Some),
        false => Ok(None),
    }
}
