//! Checkpoints: what the log was at a moment, in a few lines that are signed
//! (<https://c2sp.org/tlog-checkpoint>). Kept elsewhere, one binds the log for ever after: it can grow,
//! and nothing of it can be altered. The file `checkpoints` holds them one after the other.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use base::{Fault, Millis};

use crate::chain::{Hash, Head};
use crate::note::{
    DASH, NOTE_BYTES_MAX, Note, NoteKey, Signer, from_base64, invalid, sign, to_base64,
};

/// The name of the file.
pub const FILE: &str = "checkpoints";

/// The log at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log: the name of the key that signs.
    pub origin: String,
    /// How many events it had.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
    /// The chain's hash of the last of them: binds the chain too, also for who cannot make salts.
    pub chain: Hash,
    /// When it was signed, by the server's clock.
    pub time: Millis,
}

impl Checkpoint {
    /// The lines that are signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\nchain {}\ntime {}\n",
            self.origin,
            self.size,
            to_base64(&self.root.0),
            to_base64(&self.chain.0),
            self.time.0
        )
    }

    /// Reads what [`Checkpoint::text`] makes, and nothing else.
    ///
    /// # Errors
    /// `audit.proof.invalid` for any other text.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let parsed = Self::take_apart(text).filter(|parsed| parsed.text() == text);
        parsed.ok_or_else(|| invalid("the note is no checkpoint of an access log"))
    }

    fn take_apart(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let hash = |text: &str| from_base64(text)?.try_into().ok().map(Hash);
        Some(Self {
            origin: lines.next()?.to_owned(),
            size: lines.next()?.parse().ok()?,
            root: hash(lines.next()?)?,
            chain: hash(lines.next()?.strip_prefix("chain ")?)?,
            time: Millis(lines.next()?.strip_prefix("time ")?.parse().ok()?),
        })
    }

    /// The signed note.
    ///
    /// # Errors
    /// As the signer.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, Fault> {
        sign(&self.text(), &self.origin, signer)
    }

    /// The last event it covers.
    #[must_use]
    pub const fn head(&self) -> Head {
        Head { seq: self.size, hash: self.chain }
    }
}

/// Opens a signed checkpoint: its signature by `key`, its origin the key's name.
///
/// # Errors
/// `audit.proof.invalid` when it is none, or not this key's.
pub fn open(note: &str, key: &NoteKey) -> Result<Checkpoint, Fault> {
    let note = Note::parse(note)?;
    if !note.is_signed_by(key) {
        return Err(invalid("the checkpoint is not signed by the log's key"));
    }
    let checkpoint = Checkpoint::parse(note.text)?;
    match checkpoint.origin == key.name() {
        true => Ok(checkpoint),
        false => Err(invalid("the checkpoint is of another log")),
    }
}

/// Reads the file `checkpoints` of a log, note by note.
#[derive(Debug)]
pub(crate) struct Notes {
    file: BufReader<File>,
    /// Where the next note begins.
    pub(crate) offset: u64,
}

/// What stands next in the file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A note, without the empty line that ends it.
    Note(String),
    /// The file ends inside a note.
    Torn,
    /// The file ends.
    End,
    /// No note is like this.
    Odd,
}

impl Notes {
    /// Opens the file; `None` when there is none.
    pub(crate) fn open(dir: &Path) -> io::Result<Option<Self>> {
        match File::open(dir.join(FILE)) {
            Ok(file) => Ok(Some(Self { file: BufReader::with_capacity(1 << 16, file), offset: 0 })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The next note. A note ends with the empty line after its signatures.
    pub(crate) fn next(&mut self) -> io::Result<Next> {
        let (mut bytes, mut signed) = (Vec::new(), false);
        loop {
            let before = bytes.len();
            let room = (NOTE_BYTES_MAX + 1 - before) as u64;
            let read = io::Read::take(&mut self.file, room).read_until(b'\n', &mut bytes)?;
            if read == 0 {
                return Ok(if before == 0 { Next::End } else { Next::Torn });
            }
            if bytes.len() > NOTE_BYTES_MAX {
                return Ok(Next::Odd);
            }
            let line = bytes.get(before..).unwrap_or_default();
            if line.last() != Some(&b'\n') {
                return Ok(Next::Torn);
            }
            if signed && line == b"\n" {
                self.offset += bytes.len() as u64;
                bytes.pop();
                return Ok(String::from_utf8(bytes).map_or(Next::Odd, Next::Note));
            }
            signed = line.starts_with(DASH.as_bytes());
        }
    }
}

/// The last whole note of the file and where the file ends after it; `None` when it holds none.
pub(crate) fn last(dir: &Path) -> io::Result<Option<(String, u64)>> {
    let Some(mut notes) = Notes::open(dir)? else { return Ok(None) };
    let length = notes.file.get_ref().metadata()?.len();
    // What stands far from the end is `verify`'s business.
    let back = length.saturating_sub(8 * NOTE_BYTES_MAX as u64);
    if back > 0 {
        io::Seek::seek(&mut notes.file, io::SeekFrom::Start(back))?;
        notes.offset = back;
        // The first one here is cut off at its beginning, most likely.
        notes.next()?;
    }
    let mut found = None;
    loop {
        match notes.next()? {
            Next::Note(note) => found = Some((note, notes.offset)),
            Next::Torn | Next::End | Next::Odd => return Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_has_one_text() {
        let checkpoint = Checkpoint {
            origin: "plummer.example/audit".to_owned(),
            size: 12,
            root: Hash([1; 32]),
            chain: Hash([2; 32]),
            time: Millis(1_795_340_467_123),
        };
        let text = checkpoint.text();
        assert_eq!(Checkpoint::parse(&text).unwrap(), checkpoint);
        for odd in [
            text.replace("\n12\n", "\n012\n"),
            text.replace("\n12\n", "\n+12\n"),
            text.replace("chain ", ""),
            format!("{text}more\n"),
            text.trim_end().to_owned(),
        ] {
            assert!(Checkpoint::parse(&odd).is_err(), "{odd}");
        }
    }
}
