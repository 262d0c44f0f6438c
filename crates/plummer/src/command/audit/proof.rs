//! `plummer audit prove`, `check-proof` and `cosigned`: what is shown to, and taken from, others.

use super::{key, key_beside, note_keys, reading};
use crate::cli::{AuditCheckProof, AuditCosigned, AuditProve};
use crate::settings::Settings;
use crate::signing;
use anyhow::{Context as _, anyhow};
use audit::{Entry, Hash, check_proof, proof, witness};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// Prints a proof.
pub(super) fn prove(
    settings: &Settings,
    dir: &Path,
    args: &AuditProve,
) -> anyhow::Result<ExitCode> {
    let keys = signing::log_keys(settings)?;
    let keys = keys.ok_or_else(|| {
        anyhow!("a proof needs the keys, and {} has none", settings.data().display())
    })?;
    let proof = audit::prove(dir, Some(&keys.log), &keys.salts, &keys.note, args.event)?;
    reading::leave(dir, Some(keys.log), None)?;
    std::io::stdout().lock().write_all(proof.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Checks a proof; code 1 when it proves nothing.
pub(super) fn check(args: &AuditCheckProof) -> anyhow::Result<ExitCode> {
    let text = read(&args.file)?;
    let mut out = std::io::stdout().lock();
    match check_proof(&text, &key(&args.key)?, &note_keys(&args.witness)?) {
        Ok(proven) => {
            let entry = Entry { seq: proven.seq, hash: Hash::default(), event: proven.event };
            let (size, time) = (proven.checkpoint.size, proven.checkpoint.time.to_instant());
            writeln!(out, "{}", entry.to_json_without_hash())?;
            writeln!(
                out,
                "proven: event {} was in the log of {size} events signed at {time}",
                proven.seq
            )?;
            for name in proven.witnesses {
                writeln!(out, "cosigned by {name}")?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(fault) => {
            writeln!(out, "NOT PROVEN: {fault}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Keeps a cosigned checkpoint.
pub(super) fn cosigned(dir: &Path, args: &AuditCosigned) -> anyhow::Result<ExitCode> {
    let log = key_beside(dir)?.ok_or_else(|| anyhow!("the log was never signed"))?;
    let checkpoint = witness::import(dir, &read(&args.file)?, &log, &key(&args.witness)?)?;
    writeln!(std::io::stdout(), "kept: the log up to event {} is witnessed", checkpoint.size)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("{} cannot be read", path.display()))?;
    file.take(proof::PROOF_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
