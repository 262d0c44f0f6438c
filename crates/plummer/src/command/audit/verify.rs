//! `plummer audit verify`: the chain, the tree, the checkpoints and their signatures.

use super::{key, key_beside, note_keys, reading};
use crate::cli::AuditVerify;
use crate::control;
use crate::doctor::stamp::Stamp;
use crate::settings::Settings;
use crate::signing::{self, LogKeys};
use crate::wish::{Told, Wish};
use anyhow::{Context as _, bail};
use audit::{Hash, Head, Trust, checkpoint, verify_signed, verify_under, witness};
use base::Clock;
use base::time::SystemClock;
use record::Remembered;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

const NOT_OPENED: &str = "not compared with the store: it does not open";

/// Checks the log; code 1 when anything is wrong.
pub(super) fn run(settings: &Settings, dir: &Path, args: &AuditVerify) -> anyhow::Result<ExitCode> {
    let keys = signing::log_keys(settings);
    // Without the keys the links are held all the same.
    let (keys, apart) = match keys {
        Ok(keys) => (keys, None),
        Err(fault) => (None, Some(fault)),
    };
    let log = keys.as_ref().map(|keys| keys.log.clone());
    let (trust, signed) = trust(keys.as_ref(), dir, args)?;
    // With keys that do not open neither does the store, and a PIN is not shown twice.
    let (anchor, note, apart) = match apart {
        Some(apart) => (None, NOT_OPENED, Some(apart)),
        None => match anchor(settings) {
            Ok((anchor, note)) => (anchor, note, None),
            Err(fault) => (None, NOT_OPENED, Some(fault)),
        },
    };
    let report = match &trust {
        Some(trust) => verify_signed(dir, anchor, trust)?,
        None => verify_under(dir, anchor, log.as_ref())?,
    };
    let mut out = std::io::stdout().lock();
    let span = match (report.first_time, report.last_time) {
        (Some(first), Some(last)) => format!(", from {first} to {last}"),
        _ => String::new(),
    };
    writeln!(out, "{} events in {} segments{span}", report.events, report.segments)?;
    writeln!(out, "last event {} with hash {}", report.head.seq, report.head.hash)?;
    writeln!(out, "{note}")?;
    writeln!(out, "{signed}")?;
    if trust.is_some() {
        let (signed, checkpoints) = (report.signed, report.checkpoints);
        writeln!(out, "{checkpoints} checkpoints hold, the last covers event {signed}")?;
    }
    if report.shut > 0 {
        let shut = report.shut;
        writeln!(out, "{shut} events are sealed and were not opened, only their links were held")?;
    }
    if let Some(fault) = &apart {
        writeln!(out, "keys or store of this folder do not open: {fault:#}")?;
    }
    if report.writing {
        writeln!(out, "a server is writing the next event")?;
    }
    match report.damage {
        None => {
            // Whoever can write the folder can make links that hold: without the keys that are its
            // own, links are no proof, and nobody may take them for one.
            if apart.is_some() {
                writeln!(out, "NOT PROVEN: what was looked at holds, and not everything could be")?;
                out.flush()?;
                return Ok(ExitCode::FAILURE);
            }
            writeln!(out, "sound: nothing is altered, missing or out of order")?;
            // Whoever verifies may have no right to write here.
            let _ = Stamp::Verified.leave(&settings.data());
            out.flush()?;
            reading::leave(dir, log, None)?;
            Ok(ExitCode::SUCCESS)
        }
        Some(damage) => {
            let segment = damage.segment.unwrap_or_else(|| "no segment left".to_owned());
            writeln!(
                out,
                "DAMAGED: event {} in {segment} at byte {} is {}; nothing after it is proven",
                damage.seq, damage.offset, damage.wrong
            )?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What the log is held against, and a sentence about it.
fn trust(
    own: Option<&LogKeys>,
    dir: &Path,
    args: &AuditVerify,
) -> anyhow::Result<(Option<Trust>, String)> {
    let salts = own.map(|keys| keys.salts.clone());
    let log = own.map(|keys| keys.log.clone());
    let (key, whence) = match (&args.key, own) {
        (Some(given), _) => (Some(key(given)?), "the key given"),
        // Where there are keys, the log is signed: that its checkpoints are gone is damage.
        (None, Some(keys)) => (Some(keys.note.clone()), "the tenant's key"),
        _ => (key_beside(dir)?, "the key beside the log: compare it with the one you were given"),
    };
    let Some(key) = key else {
        return Ok((None, "not signed: no checkpoints were ever made".to_owned()));
    };
    let mut kept = witness::cosigned(dir, &key, &note_keys(&args.witness)?)?;
    for path in &args.checkpoint {
        let note = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        kept.push(checkpoint::open(&note, &key).with_context(|| path.display().to_string())?);
    }
    let tree = if salts.is_some() { "chain and tree" } else { "chain" };
    let told = format!(
        "{tree} held against checkpoints signed by {whence}, and {} kept elsewhere: {key}",
        kept.len()
    );
    Ok((Some(Trust { key, salts, log, kept }), told))
}

/// What the store remembers of the log, and a sentence about it. Only a store that a server holds, or
/// none at all, is nothing to hold the log against: one that does not open may have been made so.
fn anchor(settings: &Settings) -> anyhow::Result<(Option<Head>, &'static str)> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Ok(match record::remembered(&settings.data(), &settings.encryption()?, &clock)? {
        Remembered::Event(seq, hash) => {
            (Some(Head { seq, hash: Hash(hash) }), "compared with what the store remembers of it")
        }
        Remembered::Nothing => (None, "the store remembers nothing of it yet"),
        Remembered::Absent => (None, "not compared with the store: there is none"),
        Remembered::InUse => by_the_server(settings)?,
    })
}

/// What the server says that has the store open. A process that says nothing may hold it for that.
fn by_the_server(settings: &Settings) -> anyhow::Result<(Option<Head>, &'static str)> {
    let wish = control::request(Wish::LogAnchor);
    match control::ask(&settings.data(), &wish, &mut |_, _| {})? {
        Some(Told::Anchor(Some((seq, hash)))) => Ok((
            Some(Head { seq, hash: Hash(hash) }),
            "compared with what the store remembers of it, as the running server says",
        )),
        Some(Told::Anchor(None)) => Ok((None, "the store remembers nothing of it yet")),
        _ => bail!("another process has the store open and tells nothing: verify again without it"),
    }
}
