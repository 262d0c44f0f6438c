//! `plummer keys`: the keys of a data folder, for whoever runs it. All but `show` need the data folder
//! to themselves: a running server holds its keys (docs/operators/encryption.md).

mod held;

use crate::cli::Keys;
use crate::opening;
use crate::progress::{Progress, Step, grouped};
use crate::settings::Settings;
use anyhow::{Context as _, bail};
use base::time::SystemClock;
use base::{Clock, Fault};
use keys::{Argon, Disk, Protection, RootKey, SystemRandom};
use record::Encryption;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Carries one of them out.
pub(crate) fn run(settings: &Settings, command: &Keys) -> anyhow::Result<ExitCode> {
    let (data, encryption) = (settings.data(), settings.encryption()?);
    let mut out = std::io::stdout();
    match command {
        Keys::Init => {
            in_file(&encryption, "make the key there, as its page says")?;
            let clock = SystemClock;
            let path = encryption.root_path(&data);
            encryption.make_root(&data, &clock).map_err(told)?;
            writeln!(out, "made the root key {}", path.display())?;
            writeln!(out, "keep a copy of it in a safe place: without it nothing opens")?;
        }
        Keys::Show => held::show(settings)?,
        Keys::Rotate => {
            let root = encryption.root(&data).map_err(told)?;
            let ring = encryption.keys(&data, clock()).map_err(told)?;
            ring.rotate(&*root).map_err(told)?;
            writeln!(out, "the tenant's key is now number {}", ring.generation())?;
        }
        Keys::Passphrase(args) => {
            in_file(&encryption, "rotate the key there, and run `plummer keys rewrap`")?;
            let passphrase = args.new_passphrase_file.as_deref();
            change_root(&data, &encryption, passphrase)?;
            writeln!(out, "a new root key stands in {}", encryption.root_path(&data).display())?;
            writeln!(out, "copies of the one before open nothing here any more")?;
        }
        Keys::Move(args) => held::change_holder(settings, &args.to)?,
        Keys::Rewrap => held::rewrap(settings)?,
        Keys::Shred(args) => {
            if !args.yes {
                bail!(
                    "everything about this patient alone becomes unreadable for good, in every backup too; \
                     say --yes when that is what you want"
                );
            }
            let record = opening::record(settings)?;
            let done = opening::session(&record).shred(&args.patient).map_err(told)?;
            writeln!(out, "destroyed; certificate {}", hex(&done.reference))?;
        }
        Keys::Certificates => certificates(&data, &encryption)?,
        Keys::Encrypt => {
            let mut progress = Progress::begin("sealing", "versions");
            let mut step = |done, all| progress.step(Step { count: done, done, all });
            let sealed = record::encrypt(&data, &encryption, &clock(), &mut step).map_err(told)?;
            progress.end();
            writeln!(out, "sealed {} versions", grouped(sealed))?;
            writeln!(
                out,
                "what was plain may remain on the disk until it is written over, and in older backups"
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses what is done to a root key's file where there is none.
fn in_file(encryption: &Encryption, instead: &str) -> anyhow::Result<()> {
    match &encryption.holder {
        None => Ok(()),
        Some(holder) => bail!("the root key is held by {}: {instead}", holder.standing().holder),
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// A fault with its code, which names the page that helps.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn told(fault: Fault) -> anyhow::Error {
    anyhow::anyhow!("{fault}")
}

/// Puts another root key in place of the one there, sealed by a passphrase or not.
fn change_root(data: &Path, encryption: &Encryption, new: Option<&Path>) -> anyhow::Result<()> {
    let path = encryption.root_path(data);
    let next = path.with_extension("next");
    let passphrase = new.map(record::read_passphrase).transpose().map_err(told)?;
    let protection = match &passphrase {
        Some(passphrase) => Protection::Passphrase(passphrase, Argon::default()),
        None => Protection::Plain,
    };
    if next.exists() {
        return finish_change(data, encryption, &path, &next, passphrase.as_ref());
    }
    let from = encryption.root_in_file(data).map_err(told)?;
    let ring = encryption.keys(data, clock()).map_err(told)?;
    let to = RootKey::create(&Disk, &next, protection, &SystemRandom, SystemClock.now());
    ring.change_root(&from, &to.map_err(told)?).map_err(told)?;
    put_in_place(&next, &path)
}

/// Goes on where a change was broken off: with the new key when the keys stand under it already.
fn finish_change(
    data: &Path,
    encryption: &Encryption,
    path: &Path,
    next: &Path,
    passphrase: Option<&keys::Passphrase>,
) -> anyhow::Result<()> {
    let to = RootKey::open(&Disk, next, passphrase).map_err(told)?;
    let options = || keys::Options { clock: clock(), ..keys::Options::default() };
    let folder = data.join("keys");
    if keys::Keyring::open(&folder, &to, options()).is_err() {
        let from = encryption.root_in_file(data).map_err(told)?;
        let ring = keys::Keyring::open(&folder, &from, options()).map_err(told)?;
        ring.change_root(&from, &to).map_err(told)?;
    }
    put_in_place(next, path)
}

fn put_in_place(next: &Path, path: &Path) -> anyhow::Result<()> {
    std::fs::rename(next, path)
        .with_context(|| format!("cannot put the new root key at {}", path.display()))?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn certificates(data: &Path, encryption: &Encryption) -> anyhow::Result<()> {
    let ring = encryption.keys(data, clock()).map_err(told)?;
    let mut out = std::io::stdout();
    for certificate in ring.patients().certificates().map_err(told)? {
        let signature = ring.signing_key().sign(&certificate.statement()).map_err(told)?;
        writeln!(
            out,
            "{} record {} reference {} key {} signature {}",
            certificate.when.to_instant(),
            certificate.patient,
            hex(&certificate.reference),
            hex(&certificate.key_id),
            hex(&signature)
        )?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
