//! Where the list of stolen passwords stands, and how it is read (NIST SP 800-63B 5.1.1.2; 45 CFR
//! 164.308(a)(5)(ii)(D)): the compact one by its own form, a list of hashes as it is; anything else is
//! refused at the start, since a site that set a list believes that it is asked.

use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use base::error::code;
use base::{Fault, Millis};
use identity::packed::{About, MAGIC};
use identity::{Breached, Packed, ReadAt, SortedHashes, breach};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The list in the data folder, where the settings name none.
const OWN: &str = "breached-passwords";
/// Bytes by which a list is known.
const HEAD_BYTES: u64 = 128;

/// A file that is read at any place.
#[derive(Debug)]
pub(crate) struct Placed(File);

impl ReadAt for Placed {
    fn read_at(&self, at: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(out, at)
    }

    fn bytes(&self) -> std::io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// A list as it stands.
#[derive(Debug)]
pub(crate) enum List {
    /// The compact one.
    Packed(Packed<Placed>),
    /// Hashes, a line each; when the file was last written.
    Lines(File, Millis),
}

impl List {
    /// When it was made.
    pub(crate) const fn made(&self) -> Millis {
        match self {
            Self::Packed(list) => list.about().made,
            Self::Lines(_, made) => *made,
        }
    }

    /// What it says of itself, if it does.
    pub(crate) const fn about(&self) -> Option<&About> {
        match self {
            Self::Packed(list) => Some(list.about()),
            Self::Lines(..) => None,
        }
    }

    /// Ready to be asked.
    pub(crate) fn ready(self) -> Arc<dyn Breached> {
        match self {
            Self::Packed(list) => Arc::new(list),
            Self::Lines(file, _) => Arc::new(SortedHashes::new(file)),
        }
    }
}

/// Where the list is, or would be: the file of the settings, or one in the data folder. Whether it must
/// be there.
pub(crate) fn place(settings: &Settings) -> (PathBuf, bool) {
    match settings.text("breached_passwords") {
        named if named.is_empty() => (settings.data().join(OWN), false),
        named => (PathBuf::from(named), true),
    }
}

/// The list of the site, opened; none when there is none.
pub(crate) fn open(settings: &Settings) -> anyhow::Result<Option<List>> {
    let (path, named) = place(settings);
    if !named && !path.exists() {
        return Ok(None);
    }
    let what = || format!("breached_passwords: {}", path.display());
    let file = File::open(&path).with_context(what)?;
    let list = read(&path, file).with_context(what)?;
    list.map(Some).map_err(|fault| anyhow!("{}: {fault}", what()))
}

fn read(path: &Path, file: File) -> std::io::Result<Result<List, Fault>> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    if head.starts_with(&MAGIC) {
        return Ok(Packed::open(Placed(file)).map(List::Packed));
    }
    if !breach::is_list(&head) {
        let say =
            "This is no list of stolen passwords. Make one by `plummer password-list import`.";
        return Ok(Err(Fault::new(&code::PASSWORD_LIST_DAMAGED, say)));
    }
    let written = Millis(file.metadata()?.mtime().saturating_mul(1000));
    Ok(Ok(List::Lines(file, written)))
}
