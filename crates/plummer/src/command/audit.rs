//! `plummer audit …`: checks, shows, reports, proves and sends the access log, also beside a running
//! server; where the log is sealed, by its key, which is taken at a glance.

mod forward;
mod proof;
mod reading;
mod report;
mod review;
mod signals;
mod verify;

pub(crate) use report::instant;

use crate::cli::Audit;
use crate::settings::Settings;
use crate::signing;
use anyhow::{Context as _, bail};
use audit::NoteKey;
use keys::LogKey;
use std::path::{Path, PathBuf};
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
        Audit::Show(filter) => report::show(&Place::of(settings, dir)?, &filter),
        Audit::Report(args) => report::report(&Place::of(settings, dir)?, &args),
        Audit::Export(args) => report::export(&Place::of(settings, dir)?, &args),
        Audit::Prove(args) => proof::prove(settings, &dir, &args),
        Audit::CheckProof(args) => proof::check(&args),
        Audit::Cosigned(args) => proof::cosigned(&dir, &args),
        Audit::Signals(args) => signals::run(settings, &args),
        Audit::Review(command) => review::run(settings, command),
        Audit::Send(args) => forward::run(&Place::of(settings, dir)?, &args),
    }
}

/// Where the log is, and what opens it.
#[derive(Debug)]
struct Place {
    dir: PathBuf,
    key: Option<LogKey>,
}

impl Place {
    fn of(settings: &Settings, dir: PathBuf) -> anyhow::Result<Self> {
        Ok(Self { dir, key: signing::log_key(settings)? })
    }

    fn leave(&self, patient: Option<&str>) -> anyhow::Result<()> {
        reading::leave(&self.dir, self.key.clone(), patient)
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

fn note_keys(texts: &[String]) -> anyhow::Result<Vec<NoteKey>> {
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
