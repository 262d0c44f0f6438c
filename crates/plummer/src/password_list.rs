//! Where the list of stolen passwords stands, and how it is read (NIST SP 800-63B 5.1.1.2; 45 CFR
//! 164.308(a)(5)(ii)(D)): the compact one by its own form, a list of hashes as it is; anything else is
//! refused at the start, since a site that set a list believes that it is asked.

use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use base::error::code;
use base::time::SystemClock;
use base::{Clock as _, Fault, Millis};
use identity::packed::{About, MAGIC};
use identity::{Breached, Packed, ReadAt, SortedHashes, breach};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tracing::warn;

/// The list in the data folder, where the settings name none.
const OWN: &str = "breached-passwords";
/// Bytes by which a list is known.
const HEAD_BYTES: u64 = 128;
const MINUTE_MS: i64 = 60_000;

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
        let list: Box<dyn Breached> = match self {
            Self::Packed(list) => Box::new(list),
            Self::Lines(file, _) => Box::new(SortedHashes::new(file)),
        };
        Arc::new(Told { list, last_ms: AtomicI64::new(i64::MIN) })
    }

    /// Looks into it in many places: a head that is sound says nothing of the rest.
    pub(crate) fn sample(self) -> Result<(), Fault> {
        let list = self.ready();
        (0..=u8::MAX).try_for_each(|byte| list.holds(&[byte; 20]).map(drop))
    }
}

/// A list whose faults are told in the log: a sign-in goes on when the list cannot be read, and nobody
/// would hear of it.
#[derive(Debug)]
struct Told {
    list: Box<dyn Breached>,
    last_ms: AtomicI64,
}

impl Told {
    /// Whether it is time to tell, which it is once a minute at most.
    fn is_due(&self, now: Millis) -> bool {
        let last = self.last_ms.load(Ordering::Relaxed);
        let due = now.0.saturating_sub(last) >= MINUTE_MS;
        due && self
            .last_ms
            .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

impl Breached for Told {
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, Fault> {
        let found = self.list.holds(sha1);
        if let Err(fault) = &found
            && self.is_due(SystemClock.now())
        {
            let code = fault.code().name;
            warn!(code, "the list of stolen passwords cannot be read; sign-ins are not held to it");
        }
        found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: u32, spoilt: bool) -> String {
        let line = |n: u32| match spoilt && n > count / 2 {
            true => "no hash at all, but as long as one is....\n".to_owned(),
            false => format!("{n:08X}{:032X}:1\n", 0),
        };
        (0..count).map(|n| line(n.saturating_mul(u32::MAX / count))).collect()
    }

    fn sampled(text: &str) -> Result<(), Fault> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, text).unwrap();
        read(&path, File::open(&path).unwrap()).unwrap()?.sample()
    }

    #[test]
    fn a_list_with_a_sound_head_and_a_spoilt_rest_is_found_out() {
        assert_eq!(sampled(&lines(4000, false)), Ok(()));
        let damaged = sampled(&lines(4000, true)).unwrap_err();
        assert_eq!(damaged.code(), &code::PASSWORD_LIST_DAMAGED);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_told_of_once_a_minute() {
        let list = Box::new(SortedHashes::new(std::io::Cursor::new(Vec::new())));
        let told = Told { list, last_ms: AtomicI64::new(i64::MIN) };
        let due = |ms: i64| told.is_due(Millis(ms));
        assert_eq!([0, 1, 59_999, 60_000, 60_001].map(due), [true, false, false, true, false]);
    }
}
