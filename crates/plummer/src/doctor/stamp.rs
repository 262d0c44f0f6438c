//! Stamps: small files of the data folder that say when something was last done, for the doctor. They
//! are hints, not proof: whoever can write the data folder can write them.

use base::time::SystemClock;
use base::{Clock as _, Millis};
use std::io::Write as _;
use std::path::Path;

/// Bytes of a stamp.
const BYTES_MAX: usize = 64;

/// What a stamp is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// A backup was made.
    Backup,
    /// The access log was verified, and is sound.
    Verified,
}

impl Stamp {
    const fn file(self) -> &'static str {
        match self {
            Self::Backup => "backup.stamp",
            Self::Verified => "audit-verified.stamp",
        }
    }

    /// Leaves the stamp. What it is for is done; that it cannot be noted takes nothing away.
    pub(crate) fn leave(self, data: &Path) -> std::io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let next = data.join(format!("{}.next", self.file()));
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&next)?;
        writeln!(file, "{}", SystemClock.now().0)?;
        file.sync_all()?;
        std::fs::rename(next, data.join(self.file()))
    }

    /// When it was left; `None` when never, or when it cannot be read.
    pub(crate) fn read(self, data: &Path) -> Option<Millis> {
        let text = std::fs::read_to_string(data.join(self.file())).ok()?;
        if text.len() > BYTES_MAX {
            return None;
        }
        text.trim().parse().ok().map(Millis)
    }
}
