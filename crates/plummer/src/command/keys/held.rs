//! `plummer keys show`, `move` and `rewrap`: who holds the root key, and how it goes from one holder to
//! another. Each step is whole or did not happen; a move that was broken off is begun again with the
//! same words, and says so when it was done already.

use super::told;
use crate::opening;
use crate::settings::Settings;
use crate::settings::table::HOLDERS;
use anyhow::bail;
use base::Millis;
use base::time::SystemClock;
use keys::{Disk, KeyId, Kms, RootFile};
use record::{AtRest, Encryption};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Tells who holds the root key and how that stands. No key is opened; one held elsewhere is asked
/// whether it is there.
pub(super) fn show(settings: &Settings) -> anyhow::Result<()> {
    let (data, encryption) = (settings.data(), settings.encryption()?);
    let mut out = std::io::stdout();
    let form = match store::form(&data.join("store")).map_err(told)? {
        store::Form::Absent => "nothing stored yet",
        store::Form::Plain => AtRest::NotYetSealed.word(),
        store::Form::Sealed => "sealed",
    };
    writeln!(out, "data folder     {} ({form})", data.display())?;
    writeln!(out, "keys            {}", if record::has_keys(&data) { "there" } else { "none" })?;
    let id = match &encryption.holder {
        Some(holder) => Some(elsewhere(&mut out, &**holder)?),
        None => in_file(&mut out, &encryption.root_path(&data))?,
    };
    let Some(under) = record::keys_under(&data).map_err(told)? else { return Ok(()) };
    let made = under.made.to_instant();
    writeln!(out, "tenant's key    number {}, made {made}", under.number)?;
    let holder = encryption.holder.as_ref();
    if let Some(version) = holder.and_then(|holder| holder.version_of(&under.wrapped)) {
        writeln!(out, "wrapped under   version {version} of the root key")?;
    }
    if let Some(since) = written(&data) {
        writeln!(out, "wrapped since   {}", since.to_instant())?;
    }
    if id.is_some_and(|id| id != under.root) {
        writeln!(out, "NOT THIS KEY    the keys stand under root key {}", under.root)?;
        if let Some(word) = who(settings, under.root) {
            writeln!(out, "                set root_key_holder = \"{word}\": it is the one there")?;
        }
    }
    Ok(())
}

/// The root key's file.
fn in_file(out: &mut impl std::io::Write, root: &Path) -> anyhow::Result<Option<KeyId>> {
    let bytes = match keys::Files::read(&Disk, root, RootFile::BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(e) => {
            writeln!(out, "root key        {} ({e})", root.display())?;
            return Ok(None);
        }
    };
    let file = RootFile::decode(&bytes);
    let file = file.map_err(|what| anyhow::anyhow!("{} {what}", root.display()))?;
    let how = if file.is_sealed() { "sealed by a passphrase" } else { "plain" };
    writeln!(out, "root key        {} ({how})", root.display())?;
    writeln!(out, "root key's id   {}", file.key_id)?;
    writeln!(out, "made            {}", file.created.to_instant())?;
    Ok(Some(file.key_id))
}

/// A root key held elsewhere.
fn elsewhere(out: &mut impl std::io::Write, holder: &dyn Kms) -> anyhow::Result<KeyId> {
    let asked = holder.ask();
    let standing = holder.standing();
    writeln!(out, "root key        held by {}: {}", standing.holder, standing.name)?;
    writeln!(out, "root key's id   {}", holder.key_id())?;
    match (asked, standing.version) {
        (Ok(()), Some(version)) => writeln!(out, "answers         yes; newest version {version}")?,
        (Ok(()), None) => writeln!(out, "answers         yes")?,
        (Err(fault), _) => writeln!(out, "answers         no: {fault}")?,
    }
    Ok(holder.key_id())
}

/// When the file with the tenant's keys was last put in its place.
fn written(data: &Path) -> Option<Millis> {
    let at = std::fs::metadata(data.join("keys").join("tenant.keys")).ok()?.modified().ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}

/// Which of those that the settings describe has this root key.
fn who(settings: &Settings, id: KeyId) -> Option<&'static str> {
    let data = settings.data();
    HOLDERS.iter().copied().find(|word| {
        let Ok(encryption) = settings.encryption_by(word) else { return false };
        let there = match &encryption.holder {
            Some(holder) => Some(holder.key_id()),
            None => keys::Files::read(&Disk, &encryption.root_path(&data), RootFile::BYTES_MAX)
                .ok()
                .and_then(|bytes| RootFile::decode(&bytes).ok())
                .map(|file| file.key_id),
        };
        there == Some(id)
    })
}

/// Puts the keys under a root key that another holds.
pub(super) fn change_holder(settings: &Settings, word: &str) -> anyhow::Result<()> {
    let (data, mut out) = (settings.data(), std::io::stdout());
    let (from, to) = (settings.encryption()?, settings.encryption_by(word)?);
    let Some(under) = record::keys_under(&data).map_err(told)? else {
        bail!("{} has no keys: set root_key_holder = \"{word}\" and begin", data.display());
    };
    let target = target(&to, &data)?;
    let name = target.standing().name;
    if under.root == target.key_id() {
        writeln!(out, "the keys stand under {name} already; set root_key_holder = \"{word}\"")?;
        return Ok(());
    }
    let root = from.root(&data).map_err(told)?;
    if under.root != root.key_id() {
        bail!("the keys stand under neither of the two; `plummer keys show` says more");
    }
    let record = opening::record(settings)?;
    opening::session(&record).change_root(&*root, &*target).map_err(told)?;
    writeln!(out, "the keys stand under {name} now; set root_key_holder = \"{word}\"")?;
    writeln!(out, "copies of tenant.keys from before still stand under {}:", root.standing().name)?;
    writeln!(
        out,
        "replace them (`plummer backup --keys-to`), and destroy that key when none is left"
    )?;
    Ok(())
}

/// Who is to hold the root key. A file is made when there is none; one that is there is used, as after
/// a move that was broken off.
fn target(to: &Encryption, data: &Path) -> anyhow::Result<Arc<dyn Kms>> {
    if to.holder.is_none() && !to.root_path(data).exists() {
        let made = to.make_root(data, &SystemClock).map_err(told)?;
        return Ok(Arc::new(made));
    }
    to.root(data).map_err(told)
}

/// Wraps the tenant's key anew.
pub(super) fn rewrap(settings: &Settings) -> anyhow::Result<()> {
    let (data, encryption) = (settings.data(), settings.encryption()?);
    let Some(holder) = &encryption.holder else {
        bail!(
            "the root key is in a file, which has no versions; `plummer keys passphrase` makes a new one"
        );
    };
    let record = opening::record(settings)?;
    opening::session(&record).change_root(&**holder, &**holder).map_err(told)?;
    drop(record);
    let under = record::keys_under(&data).map_err(told)?;
    let version = under.and_then(|under| holder.version_of(&under.wrapped));
    let mut out = std::io::stdout();
    match version {
        Some(version) => writeln!(out, "the tenant's key is wrapped under version {version} now")?,
        None => writeln!(out, "the tenant's key is wrapped anew")?,
    }
    writeln!(
        out,
        "copies of tenant.keys from before stand under the version they were wrapped by"
    )?;
    Ok(())
}
